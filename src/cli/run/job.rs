//! One image: read, run, write.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Map, Value as Json};

use super::super::inputs::{Input, Place};
use super::args::Stream;
use super::journal::Stamp;
use super::layout;
use super::rows::{FileRows, FileSink};
use crate::image::codec::stream::{RowReader, RowWriter};
use crate::image::codec::{self, Format, Limits, ReadOptions, WriteOptions, check_format};
use crate::image::{Image, ImageType};
use crate::ops::context::Cancel;
use crate::ops::preview::preview;
use crate::ops::row::{RowSource, Shape};
use crate::pipeline::{Pipeline, RunOptions, Save};
use crate::stage::Value;
use crate::{Error, ErrorKind, Result};

/// From so many pixels on images go through row by row, where they can.
const LARGE: u64 = 1 << 26;

/// What is done to every image.
pub(super) struct Job<'a> {
    pub pipeline: &'a Pipeline,
    pub options: RunOptions,
    /// Stages whose images are written for the eye.
    pub saved: Vec<String>,
    /// Where images are written.
    pub folder: Option<&'a Path>,
    /// The format asked for.
    pub format: Option<Format>,
    pub stream: Stream,
    pub limits: Limits,
    /// What the user gives up with; each image has a deadline beside it.
    pub cancel: Cancel,
    pub timeout: Option<Duration>,
    /// Whether files are made to reach the disk.
    pub is_durable: bool,
}

/// An image that went well.
pub(super) struct Done {
    /// Its part of the record.
    pub record: Map<String, Json>,
    /// The files that were written, below the output folder, with `/` between the parts.
    pub files: Vec<String>,
    /// The fingerprint of what was read.
    pub stamp: Stamp,
    pub times: Times,
}

/// How long the parts of the work took.
#[derive(Clone, Copy, Default)]
pub(super) struct Times {
    pub read: Duration,
    /// Where rows stream, reading and writing too.
    pub work: Duration,
    pub write: Duration,
}

/// The format of final images of a type, when nobody asks for another.
pub(super) fn usual_format(ty: ImageType) -> Format {
    match ty {
        ImageType::GrayF32 | ImageType::RgbF32 | ImageType::GradientF32 => Format::Tiff,
        _ => Format::Png,
    }
}

impl Job<'_> {
    /// Reads the image, runs the pipeline, writes what is to be written.
    pub(super) fn run(&self, input: &Input) -> Result<Done> {
        self.options.context.check()?;
        let mut options = self.options.clone();
        if let Some(timeout) = self.timeout {
            let cancel = self.cancel.clone().with_deadline(Instant::now() + timeout);
            options.context = options.context.with_cancel(cancel);
        }
        self.run_with(input, &options).map_err(|error| match self.timeout {
            Some(timeout) if error.kind() == ErrorKind::Cancelled && !self.cancel.is_cancelled() => {
                Error::limit(format!("took longer than {} s", timeout.as_secs_f64()))
                    .with_hint("`--timeout-per-image` sets the time")
            }
            _ => error,
        })
    }

    fn run_with(&self, input: &Input, options: &RunOptions) -> Result<Done> {
        if let Place::File(path) = &input.place
            && input.page.is_none()
            && let Some(done) = self.streamed(path, input, options)?
        {
            return Ok(done);
        }
        let start = Instant::now();
        let memory = |ty, width, height| options.context.image(ty, width, height);
        let reading = ReadOptions {
            limits: self.limits,
            page: input.page,
            decode: self.pipeline.decode(),
            memory: Some(&memory),
        };
        let (picture, stamp) = match &input.place {
            Place::File(path) => read(path, &input.name, &reading)?,
            Place::Builtin(bytes) => {
                let hash = blake3::hash(bytes).to_hex().to_string();
                let stamp = Stamp { bytes: bytes.len() as u64, modified: None, hash };
                (codec::read_with(bytes, &input.name, &reading)?, stamp)
            }
            Place::Unreadable(words) => return Err(Error::new(ErrorKind::Io, words.as_str())),
        };
        let plan = self.pipeline.plan(Shape::of(&picture.image), options)?;
        if let (Some(output), Some(_)) = (plan.output(), self.folder) {
            // Better now than after the work.
            check_format(output.ty, self.format.unwrap_or(usual_format(output.ty)))?;
        }
        let read = start.elapsed();
        let alpha = picture.alpha.as_ref();
        let start = Instant::now();
        let results = self.pipeline.run_with(Arc::new(picture.image), alpha, options)?;
        let work = start.elapsed();
        let start = Instant::now();
        let mut files = Vec::new();
        if let Some(folder) = self.folder {
            for stage in results.stages().iter().filter(|stage| self.saved.contains(&stage.name)) {
                self.save(folder, input, &stage.name, &stage.values, &mut files)?;
            }
            if let Some(image) = results.output() {
                let format = self.format.unwrap_or_else(|| format_of(image));
                self.write(
                    folder,
                    &layout::path(folder, &input.stem, &[], format),
                    image,
                    format,
                    &mut files,
                )?;
            }
        }
        let write = start.elapsed();
        let record = results.record();
        results.reuse(&options.context);
        Ok(Done { record, files, stamp, times: Times { read, work, write } })
    }

    /// The same row by row, or `None` where it has to be whole.
    fn streamed(&self, path: &Path, input: &Input, options: &RunOptions) -> Result<Option<Done>> {
        let must = self.stream == Stream::Always;
        // A pipe can be read only once.
        if self.stream == Stream::Never || !path.is_file() {
            return Ok(None);
        }
        let source = codec::probe(path)?;
        if !must && (source.width as u64).saturating_mul(source.height as u64) < LARGE {
            return Ok(None);
        }
        let whole = |why: &str| {
            let error = Error::unsupported(format!("`{}` cannot go through row by row: {why}", input.name));
            if must { Err(error.with_hint("`--stream auto` holds it whole")) } else { Ok(None) }
        };
        let Some(reader) = RowReader::open(path, &Limits::NONE)? else {
            return whole("only upright PNG and TIFF without alpha, interlacing or tiles are read that way");
        };
        let shape = Shape::new(reader.source().ty, reader.source().width, reader.source().height);
        let Some(output) = self.pipeline.streamed_output(shape, options)? else {
            return whole(match options.save {
                Save::Nothing => "a stage needs the whole image",
                _ => "`--save` holds whole images",
            });
        };
        // How many labels there are is known at the end only.
        let usual = if output.ty == ImageType::Labels { Format::Tiff } else { usual_format(output.ty) };
        let format = self.format.unwrap_or(usual);
        if self.folder.is_some() && format == Format::Jpeg {
            return whole("JPEG is not written that way");
        }
        let start = Instant::now();
        let before = stamp(path)?;
        let target = self.folder.map(|folder| (folder, layout::path(folder, &input.stem, &[], format)));
        let mut sink = FileSink(match &target {
            Some((folder, target)) => {
                make_folder(folder, target)?;
                let how = WriteOptions::default();
                Some(RowWriter::create(target, format, output.ty, output.width, output.height, &how)?)
            }
            None => None,
        });
        let changed = || Error::input(format!("`{}`: changed while it was read", input.name));
        let mut first = Some(reader);
        let mut open = || -> Result<Box<dyn RowSource>> {
            let reader = match first.take() {
                Some(reader) => Some(reader),
                None => RowReader::open(path, &Limits::NONE)?,
            };
            let reader = reader.ok_or_else(changed)?;
            let source = reader.source();
            if Shape::new(source.ty, source.width, source.height) != shape {
                return Err(changed());
            }
            Ok(Box::new(FileRows::new(reader)))
        };
        let results = self.pipeline.stream(shape, &mut open, &mut sink, options)?;
        let meta = path.metadata().map_err(|error| Error::io(&input.name, error))?;
        if (meta.len(), modified(&meta)) != (before.bytes, before.modified) {
            return Err(changed());
        }
        let mut files = Vec::new();
        if let Some(writer) = sink.0 {
            writer.finish()?;
            if let Some((folder, target)) = &target {
                self.written(folder, target, &mut files)?;
            }
        }
        let times = Times { work: start.elapsed(), ..Times::default() };
        Ok(Some(Done { record: results.record(), files, stamp: before, times }))
    }

    /// Writes the images of a stage for the eye.
    fn save(
        &self,
        folder: &Path,
        input: &Input,
        stage: &str,
        values: &[(&'static str, Value)],
        files: &mut Vec<String>,
    ) -> Result<()> {
        let mut is_first = true;
        for (output, value) in values {
            let Value::Image(value) = value else { continue };
            let parts: &[&str] = if is_first { &[stage] } else { &[stage, output] };
            is_first = false;
            let shown = preview(&value.image);
            self.write(
                folder,
                &layout::path(folder, &input.stem, parts, Format::Png),
                &shown,
                Format::Png,
                files,
            )?;
        }
        Ok(())
    }

    fn write(
        &self,
        folder: &Path,
        path: &Path,
        image: &Image,
        format: Format,
        files: &mut Vec<String>,
    ) -> Result<()> {
        make_folder(folder, path)?;
        codec::write(path, image, format, &WriteOptions::default())?;
        self.written(folder, path, files)
    }

    /// Notes a file that stands under its name.
    fn written(&self, folder: &Path, path: &Path, files: &mut Vec<String>) -> Result<()> {
        if self.is_durable {
            let reach = |path: &Path| File::open(path).and_then(|file| file.sync_all());
            reach(path).map_err(|error| Error::io(path.display(), error))?;
            // A name is on the disk once its folder is; not every system lets folders be opened.
            let _ = path.parent().map(reach);
        }
        let below = path.strip_prefix(folder).unwrap_or(path);
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        files.push(parts.join("/"));
        Ok(())
    }
}

/// A picture, and the fingerprint of the very bytes it was made of.
fn read(path: &Path, name: &str, options: &ReadOptions<'_>) -> Result<(codec::Picture, Stamp)> {
    thread_local! {
        /// The bytes of a file: workers read one after the other into the same memory.
        static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    /// What of that memory is kept from one file to the next.
    const KEPT: usize = 1 << 24;
    // What is no plain file (a pipe, a folder) has no fingerprint, and errors of its own.
    let meta = path.metadata().ok().filter(std::fs::Metadata::is_file);
    let Some(meta) = meta else {
        return Ok((codec::read_file(path, options)?, Stamp::default()));
    };
    let mut bytes = BYTES.take();
    bytes.clear();
    let failed = |error| Error::io(name, error);
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?;
    let hash = blake3::hash(&bytes).to_hex().to_string();
    let stamp = Stamp { bytes: bytes.len() as u64, modified: modified(&meta), hash };
    let picture = codec::read_with(&bytes, name, options)?;
    if bytes.capacity() <= KEPT {
        BYTES.set(bytes);
    }
    Ok((picture, stamp))
}

/// The fingerprint of a file, read in pieces.
pub(super) fn stamp(path: &Path) -> Result<Stamp> {
    let failed = |error| Error::io(path.display(), error);
    let mut file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; 1 << 18];
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => break,
            length => hasher.update(&piece[..length]),
        };
    }
    let hash = hasher.finalize().to_hex().to_string();
    Ok(Stamp { bytes: meta.len(), modified: modified(&meta), hash })
}

/// When a file was last written, in nanoseconds since 1970.
pub(super) fn modified(meta: &std::fs::Metadata) -> Option<u64> {
    let since = meta.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

/// The format that holds an image's true values.
fn format_of(image: &Image) -> Format {
    match image {
        Image::Labels(labels) if labels.as_slice().iter().any(|&label| label > 65535) => Format::Tiff,
        _ => usual_format(image.ty()),
    }
}

/// Makes the folders of a file below the output folder, which itself was there when the run began.
fn make_folder(root: &Path, path: &Path) -> Result<()> {
    if !root.is_dir() {
        let message = format!("the output folder `{}` is gone", root.display());
        return Err(Error::new(ErrorKind::Io, message));
    }
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder.display(), error))
}

//! One image: read, run, write.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};

use super::super::inputs::{Input, Place};
use super::args::Stream;
use super::journal::{Stamp, sync_folder};
use super::picture::{changed, check_unchanged, stamp};
use super::rows::{FileRows, FileSink};
use super::{layout, names::shown};
use crate::image::codec::stream::{RowReader, RowWriter};
use crate::image::codec::{self, Decode, Format, Limits, ReadOptions, WriteOptions, check_format};
use crate::image::{Image, ImageType};
use crate::ops::context::Cancel;
use crate::ops::preview::preview;
use crate::ops::row::{RowSource, Shape};
use crate::pipeline::{Cache, Pipeline, Results, RunOptions, Save};
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
    /// Where results of stages are kept.
    pub cache: Option<&'a Cache>,
    /// The fingerprint of the file whose pages were read last.
    pub last_stamp: Mutex<Option<(PathBuf, Stamp)>>,
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
            && let Some(done) = self.streamed(path, input, options)?
        {
            return Ok(done);
        }
        let start = Instant::now();
        let mut reading = Duration::ZERO;
        let (picture, stamp) = self.read(input)?;
        let memory = |ty, width, height| options.context.image(ty, width, height);
        let read = ReadOptions {
            limits: self.limits,
            page: input.page,
            decode: self.pipeline.decode(),
            memory: Some(&memory),
        };
        let (results, started) = match self.cache.filter(|_| !stamp.hash.is_empty()) {
            Some(cache) => {
                let source = picture.probe(input)?;
                let mut shape = Shape::new(source.ty, source.width, source.height);
                // Whether a JPEG has a luma is known when it is decoded.
                let early = match (read.decode, source.format) {
                    (Decode::Luma, Format::Jpeg) => Some(picture.decode(&stamp, input, &read)?),
                    _ => None,
                };
                if let Some((image, _)) = &early {
                    shape = Shape::of(image);
                }
                self.check_final(shape, options)?;
                let key = format!("{} {} {:?}", stamp.hash, input.page.unwrap_or_default(), read.decode);
                let started = Instant::now();
                let decode = || {
                    let before = Instant::now();
                    let decoded = early.map_or_else(|| picture.decode(&stamp, input, &read), Ok);
                    reading = before.elapsed();
                    decoded
                };
                (self.pipeline.run_cached(shape, &key, decode, cache, options)?, started)
            }
            None => {
                let (image, alpha) = picture.decode(&stamp, input, &read)?;
                drop(picture);
                self.check_final(Shape::of(&image), options)?;
                let started = Instant::now();
                (self.pipeline.run_with(image, alpha.as_ref(), options)?, started)
            }
        };
        let work = started.elapsed().saturating_sub(reading);
        let read = started - start + reading;
        let start = Instant::now();
        let files = self.write_all(input, &results)?;
        let write = start.elapsed();
        let record = results.record();
        results.reuse(&options.context);
        Ok(Done { record, files, stamp, times: Times { read, work, write } })
    }

    /// Refuses a final image that cannot be written: better before the work than after it.
    fn check_final(&self, shape: Shape, options: &RunOptions) -> Result<()> {
        match (self.pipeline.plan(shape, options)?.output(), self.folder) {
            (Some(output), Some(_)) => {
                check_format(output.ty, self.format.unwrap_or(usual_format(output.ty)))
            }
            _ => Ok(()),
        }
    }

    /// Writes the images of an image.
    fn write_all(&self, input: &Input, results: &Results) -> Result<Vec<String>> {
        let mut files = Vec::new();
        let Some(folder) = self.folder else { return Ok(files) };
        for stage in results.stages().iter().filter(|stage| self.saved.contains(&stage.name)) {
            self.save(folder, input, &stage.name, &stage.values, &mut files)?;
        }
        if let Some(image) = results.output() {
            let format = self.format.unwrap_or_else(|| format_of(image));
            let path = layout::path(folder, &input.stem, &[], format);
            self.write(folder, &path, image, format, &mut files)?;
        }
        Ok(files)
    }

    /// The same row by row, or `None` where it has to be whole.
    fn streamed(&self, path: &Path, input: &Input, options: &RunOptions) -> Result<Option<Done>> {
        let must = self.stream == Stream::Always;
        // A pipe can be read only once.
        if self.stream == Stream::Never || !path.is_file() {
            return Ok(None);
        }
        let source = codec::probe_page(path, input.page)?;
        if !must && (source.width as u64).saturating_mul(source.height as u64) < LARGE {
            return Ok(None);
        }
        let whole = |why: &str| {
            let error = Error::unsupported(format!("`{}` cannot go through row by row: {why}", input.name));
            if must { Err(error.with_hint("`--stream auto` holds it whole")) } else { Ok(None) }
        };
        let Some(reader) = RowReader::open_page(path, &Limits::NONE, input.page)? else {
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
        let before = if input.page.is_some() { self.stamp_of_pages(path)? } else { stamp(path)? };
        let target = self.folder.map(|folder| (folder, layout::path(folder, &input.stem, &[], format)));
        let mut sink = FileSink(match &target {
            Some((folder, target)) => {
                make_folder(folder, target)?;
                let how = WriteOptions::default();
                Some(RowWriter::create(target, format, output.ty, output.width, output.height, &how)?)
            }
            None => None,
        });
        let mut first = Some(reader);
        let mut open = || -> Result<Box<dyn RowSource>> {
            let reader = match first.take() {
                Some(reader) => Some(reader),
                None => RowReader::open_page(path, &Limits::NONE, input.page)?,
            };
            let reader = reader.ok_or_else(|| changed(input))?;
            let source = reader.source();
            if Shape::new(source.ty, source.width, source.height) != shape {
                return Err(changed(input));
            }
            Ok(Box::new(FileRows::new(reader)))
        };
        let results = self.pipeline.stream(shape, &mut open, &mut sink, options);
        // Damage may come from a change: then that is what is to be told.
        check_unchanged(path, &before, input)?;
        let results = results?;
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
            // Windows wants a file that may be written.
            let file = File::options().append(true).open(path).and_then(|file| file.sync_all());
            file.map_err(|error| Error::io(path.display(), error))?;
            // A name is on the disk once its folder is, and that folder's name, up to the output folder.
            for inner in path.ancestors().take_while(|inner| *inner != folder) {
                sync_folder(inner);
            }
        }
        files.push(shown(path.strip_prefix(folder).unwrap_or(path)));
        Ok(())
    }
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

//! One image: read, run, write.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::super::inputs::{Input, Place};
use super::rows::{FileRows, FileSink};
use super::{Stream, layout};
use crate::image::codec::stream::{RowReader, RowWriter};
use crate::image::codec::{self, Format, Limits, WriteOptions, check_format};
use crate::image::{Image, ImageType};
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
}

/// An image that went well.
pub(super) struct Done {
    /// Its part of the record.
    pub record: Map<String, Json>,
    /// How many files were written.
    pub files: usize,
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
        if let Place::File(path) = &input.place
            && let Some(done) = self.streamed(path, input)?
        {
            return Ok(done);
        }
        let picture = match &input.place {
            Place::File(path) => codec::read(path, &self.limits)?,
            Place::Builtin(bytes) => codec::read_bytes(bytes, &input.name, &self.limits)?,
            Place::Unreadable(words) => return Err(Error::new(ErrorKind::Io, words.as_str())),
        };
        let plan = self.pipeline.plan(Shape::of(&picture.image), &self.options)?;
        if let (Some(output), Some(_)) = (plan.output(), self.folder) {
            // Better now than after the work.
            check_format(output.ty, self.format.unwrap_or(usual_format(output.ty)))?;
        }
        let alpha = picture.alpha.as_ref();
        let results = self.pipeline.run_with(Arc::new(picture.image), alpha, &self.options)?;
        let mut files = 0;
        if let Some(folder) = self.folder {
            for stage in results.stages().iter().filter(|stage| self.saved.contains(&stage.name)) {
                files += save(folder, input, &stage.name, &stage.values)?;
            }
            if let Some(image) = results.output() {
                let format = self.format.unwrap_or_else(|| format_of(image));
                write(&layout::path(folder, &input.stem, &[], format), image, format)?;
                files += 1;
            }
        }
        Ok(Done { record: results.record(), files })
    }

    /// The same row by row, or `None` where it has to be whole.
    fn streamed(&self, path: &Path, input: &Input) -> Result<Option<Done>> {
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
        let Some(output) = self.pipeline.streamed_output(shape, &self.options)? else {
            return whole(match self.options.save {
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
        let mut sink = FileSink(match self.folder {
            Some(folder) => {
                let target = layout::path(folder, &input.stem, &[], format);
                make_folder(&target)?;
                let options = WriteOptions::default();
                Some(RowWriter::create(target, format, output.ty, output.width, output.height, &options)?)
            }
            None => None,
        });
        let mut first = Some(reader);
        let mut open = || -> Result<Box<dyn RowSource>> {
            let reader = match first.take() {
                Some(reader) => Some(reader),
                None => RowReader::open(path, &Limits::NONE)?,
            };
            let changed = || Error::input(format!("`{}`: changed while it was read", input.name));
            let reader = reader.ok_or_else(changed)?;
            let source = reader.source();
            if Shape::new(source.ty, source.width, source.height) != shape {
                return Err(changed());
            }
            Ok(Box::new(FileRows::new(reader)))
        };
        let results = self.pipeline.stream(shape, &mut open, &mut sink, &self.options)?;
        let files = usize::from(sink.0.is_some());
        if let Some(writer) = sink.0 {
            writer.finish()?;
        }
        Ok(Some(Done { record: results.record(), files }))
    }
}

/// The format that holds an image's true values.
fn format_of(image: &Image) -> Format {
    match image {
        Image::Labels(labels) if labels.as_slice().iter().any(|&label| label > 65535) => Format::Tiff,
        _ => usual_format(image.ty()),
    }
}

/// Writes the images of a stage for the eye.
fn save(folder: &Path, input: &Input, stage: &str, values: &[(&'static str, Value)]) -> Result<usize> {
    let mut files = 0;
    for (output, value) in values {
        let Value::Image(value) = value else { continue };
        let parts: &[&str] = if files == 0 { &[stage] } else { &[stage, output] };
        let shown = preview(&value.image);
        write(&layout::path(folder, &input.stem, parts, Format::Png), &shown, Format::Png)?;
        files += 1;
    }
    Ok(files)
}

fn write(path: &Path, image: &Image, format: Format) -> Result<()> {
    make_folder(path)?;
    codec::write(path, image, format, &WriteOptions::default())
}

fn make_folder(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder.display(), error))
}

//! `lyncean explain`: how a pipeline would be carried out.

use std::path::PathBuf;

use super::{Exit, Outcome, console, inputs, load};
use crate::image::ImageType;
use crate::ops::Context;
use crate::ops::row::Shape;
use crate::pipeline::{Pipeline, RunOptions, Save};
use crate::{Error, Result};

/// Print the plan of a pipeline: runs, rings, bytes, recomputed rows, and why each run ends.
///
/// Plans depend on the picture: give one, or its size and type.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Pipeline file, or `builtin:NAME`
    pipeline: PathBuf,
    /// A picture, or `builtin:NAME`, whose size and type are taken
    image: Option<PathBuf>,
    /// Size of the picture in pixels
    #[arg(long, value_name = "WxH", value_parser = size, default_value = "1920x1080", conflicts_with = "image")]
    size: (usize, usize),
    /// Type of the picture: gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32; by default the first
    /// that the pipeline takes, colour before gray
    #[arg(long = "type", value_name = "TYPE", value_parser = image_type, conflicts_with = "image")]
    ty: Option<ImageType>,
    /// Threads in one image; by default as many as there are cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Keep the image of this stage as `run --save` would; `all` for every stage
    #[arg(long, value_name = "STAGE")]
    save: Vec<String>,
    /// Set a parameter over what the file says: `stage.key=value`
    #[arg(short, long = "parameter", value_name = "STAGE.KEY=VALUE")]
    parameters: Vec<String>,
}

/// `640x480`.
fn size(text: &str) -> Result<(usize, usize), String> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| (1..=1 << 30).contains(number));
    let parts = text.split_once(['x', 'X']).map(|(width, height)| (number(width), number(height)));
    match parts {
        Some((Some(width), Some(height))) => Ok((width, height)),
        _ => Err("write width and height in pixels, `640x480`".to_owned()),
    }
}

fn image_type(text: &str) -> Result<ImageType, String> {
    let found = ImageType::READ.into_iter().find(|ty| ty.as_str() == text);
    let names = ImageType::READ.map(ImageType::as_str);
    found.ok_or_else(|| crate::document::did_you_mean(text, names).unwrap_or_default())
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let pipeline = load::pipeline(&args.pipeline, &args.parameters)?;
    let shape = match &args.image {
        Some(word) => inputs::probe(word)?,
        None => Shape::new(args.ty.map_or_else(|| first_type(&pipeline), Ok)?, args.size.0, args.size.1),
    };
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let context = Context::default().with_threads(args.threads.map_or_else(cores, usize::from));
    let save = match args.save.as_slice() {
        [] => Save::Nothing,
        [all] if all == "all" => Save::All,
        names => Save::Stages(names.to_vec()),
    };
    let plan = pipeline.plan(shape, &RunOptions { context, save })?;
    console::print(&plan.explain())?;
    Ok(Exit::Done)
}

/// The first type the pipeline takes.
fn first_type(pipeline: &Pipeline) -> Result<ImageType> {
    let first = pipeline.accepted().first().copied();
    first.ok_or_else(|| Error::shape("the pipeline takes no type of picture"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_numbers() {
        assert_eq!(size("640x480"), Ok((640, 480)));
        for bad in ["640", "640x", "0x5", "x", "-1x5", "640x480x3", "9999999999x1"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn types_are_those_of_files() {
        assert_eq!(image_type("gray-f32"), Ok(ImageType::GrayF32));
        assert_eq!(image_type("rgb"), Err("did you mean `rgb8`?".to_owned()));
    }
}

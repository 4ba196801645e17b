//! `lyncean train calibration`: what the margins of a cascade say, measured on pictures with boxes.

use std::path::PathBuf;

use super::{Exit, Outcome, console};
use crate::document::{Resource, Resources};
use crate::eval::dataset::{BoxOptions, BoxedPicture, Boxes, Split};
use crate::image::codec::{self, ReadOptions};
use crate::ops::cascade::{Calibration, Cascade, Params};
use crate::ops::convert::{Convert, Depth, convert};
use crate::ops::nms::iou;
use crate::ops::{Context, equalize, gray};
use crate::parallel::{in_threads, prelude::*};
use crate::{Error, Result};

/// Measure what the margins of a cascade say, and write it into the cascade: `score` is a probability from then on.
///
/// The cascade looks at pictures with boxes that it was not trained on; pictures without a box count, too. What it finds
/// is an object where it overlaps a box enough, and the probability is fitted to that (Platt, 1999). Detectors of other
/// makers read the file as before.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The cascade: an XML file of OpenCV's, or `builtin:NAME`
    cascade: String,
    /// Pictures with boxes: COCO, Pascal VOC, YOLO, CSV or `info.dat`
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Folder that the names of pictures are relative to; the usual places of the format unless given
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// A label that the cascade finds; may be repeated; all of them unless given
    #[arg(long, value_name = "NAME")]
    label: Vec<String>,
    /// File to write the cascade with its calibration to
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Intersection over union with a box from which on a detection is an object
    #[arg(long, value_name = "IOU", default_value_t = 0.4)]
    overlap: f64,
    /// Overlapping windows that a detection needs more than; few, so that doubtful ones are there to learn from. With 0
    /// single windows are detections, too
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_neighbors: u32,
    /// Equalize pictures before, as a pipeline with `equalize` does
    #[arg(long)]
    equalize: bool,
    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let resources = Resources::new(Some(PathBuf::new())).with_builtin(crate::builtin::RESOURCES);
    let bytes = resources.load(&Resource(args.cascade.clone()))?;
    let cascade = Cascade::from_bytes(&bytes.bytes).map_err(|e| e.within(format!("`{}`", args.cascade)))?;
    let options = BoxOptions { pictures: args.images.clone(), labels: args.label.clone(), skip_empty: true };
    let boxes = Boxes::open(&args.data, Split::Train, &options)?;
    let margins: Vec<Vec<(f64, bool)>> = in_threads(args.threads, || {
        boxes.pictures().par_iter().map(|picture| found(&cascade, picture, args)).collect()
    })?;
    let margins: Vec<(f64, bool)> = margins.into_iter().flatten().collect();
    let objects = margins.iter().filter(|(_, is_object)| *is_object).count();
    let calibration = Calibration::fit(&margins).map_err(|error| {
        error.with_hint("pictures are wanted in which it finds objects, and some in which it is mistaken")
    })?;
    let text = cascade.with_calibration(calibration)?.to_xml();
    std::fs::write(&args.output, text).map_err(|error| Error::io(args.output.display(), error))?;
    let half = calibration.even();
    console::say(&format!(
        "{objects} detections were objects and {} were not, in {} pictures; a margin of {half:.3} is even odds",
        margins.len() - objects,
        boxes.pictures().len()
    ));
    Ok(Exit::Done)
}

/// The margins of what is found in a picture, and whether each is an object.
fn found(cascade: &Cascade, picture: &BoxedPicture, args: &Args) -> Result<Vec<(f64, bool)>> {
    let cx = Context::default();
    let read = codec::read_file(&picture.path, &ReadOptions::default())?;
    let mut image = gray::gray(&convert(&read.image, &Convert::to(Depth::U8), &cx)?, &cx)?;
    if args.equalize {
        image = equalize(&image, &cx)?;
    }
    let params = Params { min_neighbors: args.min_neighbors, ..Params::default() };
    let picture_of = image.as_gray8()?.view();
    let found = match args.min_neighbors {
        0 => cascade.detect_groups(picture_of, &params)?,
        _ => cascade.detect(picture_of, &params)?,
    };
    let mut margins = Vec::with_capacity(found.len());
    for found in found {
        let [x, y, width, height] =
            [found.rect.x, found.rect.y, found.rect.width, found.rect.height].map(|edge| edge as f64);
        let overlaps = |bounds: [f64; 4]| iou([x, y, width, height], bounds) >= args.overlap;
        let mut near = picture.boxes.iter().filter(|object| overlaps(object.bounds()));
        match near.next() {
            // A crowd, or what is too hard: neither.
            Some(object) if object.is_ignored() => {}
            object => margins.push((found.score, object.is_some())),
        }
    }
    Ok(margins)
}

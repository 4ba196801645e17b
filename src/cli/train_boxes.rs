//! `lyncean train net` on pictures with boxes.

use std::path::PathBuf;

use super::console;
use super::train_data::Data;
use crate::document::Source;
use crate::eval::dataset::{BoxOptions, Boxes, Mining, Split, WindowOptions, Windows};
use crate::nn::arch::{self, Arch};
use crate::nn::train::Examples;
use crate::nn::{Net, Shape};
use crate::ops::Context;
use crate::{Error, Result, parallel};

/// How windows are cut out of pictures with boxes.
#[derive(clap::Args)]
pub(super) struct BoxArgs {
    /// Of boxes: folder that the names of pictures are relative to; the usual places of the format unless given
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Of boxes: a label to learn, all others count as background; may be repeated
    #[arg(long, value_name = "NAME")]
    label: Vec<String>,
    /// Of boxes: those without a pixel in their picture are passed over
    #[arg(long)]
    skip_empty: bool,
    /// Of boxes: what is added on each side, as a share of the width and height
    #[arg(long, value_name = "SHARE", default_value_t = WindowOptions::default().margin)]
    margin: f64,
    /// Of boxes: they are stretched to the shape of the net's input, where otherwise the shorter side grows
    #[arg(long)]
    stretch: bool,
    /// Of boxes: windows of background for each object, and in each picture without objects
    #[arg(long, value_name = "N", default_value_t = WindowOptions::default().negatives)]
    negatives: usize,
    /// Of boxes: windows of background overlap them by less than this, intersection over union
    #[arg(long, value_name = "IOU", default_value_t = WindowOptions::default().negative_overlap)]
    negative_overlap: f64,
    /// Of boxes: a trained net, whose false alarms on the training pictures are learned as background
    #[arg(long, value_name = "MODEL")]
    hard_negatives: Option<PathBuf>,
    /// False alarms of a picture at most, the most probable ones
    #[arg(long, value_name = "N", default_value_t = Mining::default().count, requires = "hard_negatives")]
    hard_negatives_count: usize,
    /// Probability that a false alarm has at least
    #[arg(long, value_name = "P", default_value_t = Mining::default().min_probability, requires = "hard_negatives")]
    hard_negatives_threshold: f64,
}

/// What the windows are for.
pub(super) struct Job<'a> {
    /// The folder or file of the data.
    pub(super) data: &'a std::path::Path,
    /// What to judge by, where it lies elsewhere.
    pub(super) test: Option<&'a std::path::Path>,
    pub(super) arch: Source,
    pub(super) seed: u64,
    pub(super) threads: usize,
}

impl BoxArgs {
    /// Arguments that make no sense for other data are refused there.
    pub(super) fn refuse(&self) -> Result<()> {
        if self.hard_negatives.is_some() || !self.label.is_empty() || self.images.is_some() {
            return Err(Error::pipeline(
                "`--hard-negatives`, `--label` and `--images` are for pictures with boxes, the data has none",
            )
            .with_hint("COCO, Pascal VOC, YOLO, CSV and `info.dat` are read"));
        }
        Ok(())
    }
}

/// Cuts the windows out, and fits the outputs of the net to their classes.
pub(super) fn open(args: &BoxArgs, job: Job<'_>) -> Result<Data> {
    let options =
        BoxOptions { pictures: args.images.clone(), labels: args.label.clone(), skip_empty: args.skip_empty };
    let boxes = Boxes::open(job.data, Split::Train, &options)?;
    if boxes.skipped() > 0 {
        console::warn(&format!(
            "{} boxes without a pixel in their picture were passed over",
            boxes.skipped()
        ));
    }
    let test = match job.test {
        Some(path) => Some(Boxes::open_for_test(path, &options)?),
        None => Boxes::find(job.data, Split::Test, &options)?,
    };
    let arch = arch::parse(&job.arch)?;
    let shape = <[usize; 3]>::try_from(&*arch.input).map_err(|_| {
        let (name, input) = (&arch.name, arch.input);
        Error::shape(format!("net `{name}` takes {input}, but the examples are windows of pictures"))
    })?;
    let window = WindowOptions {
        margin: args.margin,
        stretch: args.stretch,
        negatives: args.negatives,
        negative_overlap: args.negative_overlap,
        seed: job.seed,
        ..WindowOptions::default()
    };
    let cx = Context::default();
    let (train, test) = parallel::in_threads(job.threads, || {
        let mut train = Windows::cut(&boxes, shape, None, &window, &cx)?;
        tell("training", &boxes, &train);
        if let Some(path) = &args.hard_negatives {
            let mining = Mining {
                count: args.hard_negatives_count,
                min_probability: args.hard_negatives_threshold,
                ..Mining::default()
            };
            let found = train.mine(&boxes, Net::open(path)?, &mining, &window, &cx)?;
            console::say(&format!("{found} hard negatives by `{}`", path.display()));
        }
        let test = test
            .map(|boxes| {
                let windows = Windows::cut(&boxes, shape, Some(train.classes()), &window, &cx)?;
                tell("test", &boxes, &windows);
                Ok::<_, Error>(windows)
            })
            .transpose()?;
        Ok((train, test))
    })?;
    Ok(Data {
        arch: fitted(&arch, train.classes().len(), job.arch)?,
        train: Box::new(train),
        test: test.map(|test| Box::new(test) as Box<dyn Examples>),
    })
}

/// The net with as many outputs as there are classes, where its last layer takes them.
fn fitted(arch: &Arch, classes: usize, text: Source) -> Result<Source> {
    if arch.output() == Shape::new(&[classes])? {
        return Ok(text);
    }
    let fitted = arch.with_outputs(classes)?;
    Ok(Source::new(text.name(), fitted.text))
}

fn tell(what: &str, boxes: &Boxes, windows: &Windows) {
    let counts = windows.counts();
    let rows = windows.classes().iter().zip(&counts).map(|(class, count)| format!("{count} of `{class}`"));
    console::say(&format!(
        "{what}: {} windows of {} pictures, {}; {:.1} MB",
        windows.len(),
        boxes.pictures().len(),
        rows.collect::<Vec<_>>().join(", "),
        windows.bytes() as f64 / 1e6
    ));
    if windows.missed() > 0 {
        console::warn(&format!(
            "{} windows of background found no place: the pictures are too small or too full of objects",
            windows.missed()
        ));
    }
}

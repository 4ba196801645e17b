//! What `lyncean run` can be told.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::image::codec::Format;

/// Run a pipeline on pictures.
///
/// Without `-o` nothing but records is made, and they go to stdout. With `-o` the folder gets a
/// journal of what is done, so that `--resume` completes a run that was ended in any way. Exit code:
/// 0 when all went well, 1 when some images failed, 2 when the command or the pipeline is wrong,
/// 130 after Ctrl-C.
#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in super::super) struct Args {
    /// Pipeline file, or `builtin:NAME`
    pub pipeline: PathBuf,
    /// Pictures: files, folders, quoted patterns such as 'photos/**/*.jpg', or `builtin:NAME`
    #[arg(required_unless_present = "files_from")]
    pub inputs: Vec<PathBuf>,
    /// Set a parameter over what the file says: `stage.key=value`
    #[arg(short, long = "parameter", value_name = "STAGE.KEY=VALUE")]
    pub parameters: Vec<String>,
    /// Leave out the stages after this one
    #[arg(long, value_name = "STAGE")]
    pub until: Option<String>,

    /// Look into the folders inside folders too
    #[arg(short, long, help_heading = "Inputs")]
    pub recursive: bool,
    /// Read the names of further pictures from a file, one a line or between NULs, or from stdin with `-`
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    pub files_from: Option<PathBuf>,
    /// Leave out pictures whose path, or one of whose folders, matches; may be given again
    #[arg(long, value_name = "PATTERN", help_heading = "Inputs")]
    pub exclude: Vec<String>,
    /// Take the first pictures only
    #[arg(long, value_name = "N", help_heading = "Inputs")]
    pub limit: Option<usize>,
    /// Take every Nth picture, from the Ith on: `2/3`. `lyncean merge` puts the shards' records together
    #[arg(long, value_name = "I/N", help_heading = "Inputs", requires = "output")]
    pub shard: Option<Shard>,
    /// Take the pages of files that hold several pictures, each as an image: `all`, a number, or `FIRST-LAST`
    #[arg(long, value_name = "PAGES", help_heading = "Inputs")]
    pub pages: Option<Pages>,
    /// Refuse images of more pixels than this that have to be held whole; 2^28 by default
    #[arg(long, value_name = "N", help_heading = "Inputs")]
    pub max_pixels: Option<u64>,

    /// Write the final images into this folder, in the same tree as the inputs
    #[arg(short, long, value_name = "DIR", help_heading = "Outputs")]
    pub output: Option<PathBuf>,
    /// Complete the run that the output folder holds: what is done and unchanged stays
    #[arg(long, requires = "output", conflicts_with = "overwrite", help_heading = "Outputs")]
    pub resume: bool,
    /// Begin anew in an output folder that holds results already
    #[arg(long, requires = "output", help_heading = "Outputs")]
    pub overwrite: bool,
    /// Write one JSON object a line and an image, in input order, to a file, or to stdout with `-`
    #[arg(long, value_name = "FILE", help_heading = "Outputs")]
    pub records: Option<PathBuf>,
    /// What records are written as
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", help_heading = "Outputs")]
    pub format_records: RecordFormat,
    /// Write a table of all objects, one a line, with every measure: CSV
    #[arg(long, value_name = "FILE", help_heading = "Outputs")]
    pub objects: Option<PathBuf>,
    /// Write the image of this stage as `NAME.STAGE.png`, for the eye; `all` for every stage
    #[arg(long, value_name = "STAGE", requires = "output", help_heading = "Outputs")]
    pub save: Vec<String>,
    /// Format of the final images; by default PNG, and TIFF for floats and more than 65535 labels
    #[arg(long, requires = "output", help_heading = "Outputs")]
    pub format: Option<Written>,
    /// Make sure that what the journal says is on the disk, even if the power fails; slower
    #[arg(long, requires = "output", help_heading = "Outputs")]
    pub durable: bool,

    /// Images at once; by default as many as there are cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Work")]
    pub jobs: Option<u16>,
    /// Threads in one image; by default the cores that `-j` leaves
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Work")]
    pub threads: Option<u16>,
    /// Read and write row by row, for images larger than memory; `auto` does from 2^26 pixels on
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Work")]
    pub stream: Stream,
    /// Keep results of stages in this folder and take them from there: after a change only the stages
    /// that follow it run again. Images that go through row by row are not kept
    #[arg(long, value_name = "DIR", help_heading = "Work")]
    pub cache: Option<PathBuf>,
    /// Give up an image after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Work")]
    pub timeout_per_image: Option<f64>,
    /// Begin no further image once one has failed
    #[arg(long, help_heading = "Work")]
    pub fail_fast: bool,
    /// Begin no further image once so many have failed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "fail_fast", help_heading = "Work")]
    pub max_failures: Option<u64>,

    /// Say what would be done, and do nothing
    #[arg(long, help_heading = "Words")]
    pub dry_run: bool,
    /// Say nothing but why the run could not be carried out
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Words")]
    pub quiet: bool,
    /// Say of each image how long it took and what was written
    #[arg(short, long, help_heading = "Words")]
    pub verbose: bool,
    /// Write what was done as JSON to stdout
    #[arg(long, help_heading = "Words")]
    pub json: bool,
    /// Write how long each image took, one JSON object a line, in milliseconds
    #[arg(long, value_name = "FILE", help_heading = "Words")]
    pub timings: Option<PathBuf>,
    /// Show a bar on a terminal
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Words")]
    pub progress: Show,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds.is_finite() => Ok(seconds),
        _ => Err("expected a number of seconds above 0".to_owned()),
    }
}

/// A part of the inputs: those whose number, counted from 0, leaves `index` when divided by `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Shard {
    /// From 0.
    pub index: usize,
    /// How many there are.
    pub count: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index @ 1.., count)) if index <= count => Ok(Self { index: index - 1, count }),
            _ => Err("expected I/N with 1 <= I <= N, such as 2/3".to_owned()),
        }
    }
}

/// Pages of a file, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Pages {
    pub first: usize,
    /// The last one, if not all.
    pub last: Option<usize>,
}

impl std::str::FromStr for Pages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self { first: 0, last: None });
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first @ 1..), Ok(last)) if first <= last => {
                Ok(Self { first: first - 1, last: Some(last - 1) })
            }
            _ => Err("expected `all`, a number from 1, or FIRST-LAST".to_owned()),
        }
    }
}

/// What final images are written as.
#[derive(Clone, Copy, ValueEnum)]
pub(in super::super) enum Written {
    Png,
    Tiff,
    Jpeg,
}

impl From<Written> for Format {
    fn from(written: Written) -> Self {
        match written {
            Written::Png => Self::Png,
            Written::Tiff => Self::Tiff,
            Written::Jpeg => Self::Jpeg,
        }
    }
}

/// What records are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum RecordFormat {
    /// One JSON object a line and an image
    Jsonl,
    /// One JSON object with images, annotations and categories, as of the COCO data set
    Coco,
}

/// When images go through row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum Stream {
    /// Where it is possible and the image is large
    Auto,
    /// Always; what cannot go through that way fails
    Always,
    /// Never
    Never,
}

/// Whether a bar is shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum Show {
    Auto,
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_from_one() {
        assert_eq!("all".parse(), Ok(Pages { first: 0, last: None }));
        assert_eq!("3".parse(), Ok(Pages { first: 2, last: Some(2) }));
        assert_eq!("2-4".parse(), Ok(Pages { first: 1, last: Some(3) }));
        for wrong in ["0", "3-2", "", "-1", "a"] {
            assert!(wrong.parse::<Pages>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shards_are_counted_from_one() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 1, count: 3 }));
        for wrong in ["0/3", "4/3", "2", "a/b", "1/0", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}

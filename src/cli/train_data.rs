//! What `lyncean train net` learns from: pictures, boxes in them, or sentences, and the net that fits them.

use std::path::PathBuf;

use super::{console, train_boxes};
use crate::document::Source;
use crate::eval::dataset::{Boxes, Dataset, MaskedPictures, Split, TextOptions, Texts};
use crate::nn::arch;
use crate::nn::train::{Examples, Settings};
use crate::{Error, Result};

/// Where the examples are.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Folder with IDX files, class folders, or `images` with `masks`, in `train` and `test` where there is a split; CSV
    /// with `path` and `label` or `mask` of pictures; pictures with boxes: COCO, Pascal VOC, YOLO, CSV, `info.dat`; or a
    /// file of labelled sentences: `label words` in each line, CSV with `label` and `text`, or JSON lines
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// What to judge the net by, where it is not in the folder of the data
    #[arg(long, value_name = "PATH")]
    test: Option<PathBuf>,
    /// Of sentences: how often a word must occur to be known
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_count: usize,
    /// Of sentences: labels end at the first `:`
    #[arg(long)]
    coarse_labels: bool,
    /// Of sentences: words that the net sees, or 0 for those of the longest sentence; the net's own unless given
    #[arg(long, value_name = "WORDS")]
    length: Option<usize>,
    #[command(flatten)]
    boxes: train_boxes::BoxArgs,
}

/// Examples, and the net for them.
pub(super) struct Data {
    pub(super) train: Box<dyn Examples>,
    /// Those to judge by, where there are any.
    pub(super) test: Option<Box<dyn Examples>>,
    pub(super) arch: Source,
}

/// Reads what the arguments name, and fits the net to the words and classes of it. The settings say the seed and the
/// threads.
pub(super) fn open(args: &Args, arch: Source, settings: &Settings) -> Result<Data> {
    if Boxes::is_boxes(&args.data) {
        let &Settings { seed, threads, .. } = settings;
        let job = train_boxes::Job { data: &args.data, test: args.test.as_deref(), arch, seed, threads };
        return train_boxes::open(&args.boxes, job);
    }
    args.boxes.refuse()?;
    let text = if args.data.is_dir() {
        Texts::find(&args.data, Split::Train)
    } else {
        Some(args.data.clone()).filter(|path| Texts::is_text(path))
    };
    match text {
        Some(path) => sentences(args, &path, &arch),
        None => pictures(args, arch),
    }
}

/// Pictures with masks, where the path has such.
fn masked(args: &Args) -> Result<Option<(MaskedPictures, Option<MaskedPictures>)>> {
    let found = if MaskedPictures::is_table(&args.data) {
        Some(MaskedPictures::open_csv(&args.data, None)?)
    } else {
        MaskedPictures::find(&args.data, Split::Train)?
    };
    let Some(train) = found else { return Ok(None) };
    let test = match &args.test {
        None if args.data.is_file() => None,
        None => MaskedPictures::find(&args.data, Split::Test)?,
        Some(path) => {
            let found = MaskedPictures::open_for_test(path, &train)?;
            Some(found.ok_or_else(|| {
                Error::input("expected pictures with masks to judge by").within(path.display().to_string())
            })?)
        }
    };
    Ok(Some((train, test)))
}

fn pictures(args: &Args, arch: Source) -> Result<Data> {
    if let Some((train, test)) = masked(args)? {
        let test = test.map(|test| Box::new(test) as Box<dyn Examples>);
        return Ok(Data { train: Box::new(train), test, arch });
    }
    let train = if args.data.is_file() {
        Dataset::open_csv(&args.data, None)?
    } else {
        Dataset::open(&args.data, Split::Train)?
    };
    let test = match &args.test {
        Some(path) if path.is_file() => Some(Dataset::open_csv(path, Some(train.classes()))?),
        Some(path) => Some(Dataset::open_for_test(path)?),
        None => Dataset::open(&args.data, Split::Test).ok(),
    };
    let test = test.map(|test| Box::new(test) as Box<dyn Examples>);
    Ok(Data { train: Box::new(train), test, arch })
}

fn sentences(args: &Args, path: &std::path::Path, arch: &Source) -> Result<Data> {
    let options = TextOptions { min_count: args.min_count, coarse: args.coarse_labels };
    let train = Texts::open(path, &options)?;
    let length = args.length.map(|length| if length == 0 { train.longest() } else { length });
    let fitted = train.fit(&arch::parse(arch)?, length)?;
    let (seen, words) = (fitted.input[0], train.vocabulary().words().len());
    console::say(&format!(
        "{} sentences in {} classes, {words} words with `<pad>` and `<unk>`, at most {} in a sentence; the net sees {seen}",
        train.len(),
        train.classes().len(),
        train.longest()
    ));
    let cut = train.cut(seen);
    if cut > 0 {
        console::warn(&format!("{cut} sentences are longer, and their ends are not seen; see `--length`"));
    }
    let beside = args.data.is_dir().then(|| Texts::find(&args.data, Split::Test)).flatten();
    let test = args.test.clone().or(beside).map(|path| train.open_like(&path, &options)).transpose()?;
    Ok(Data {
        test: test.map(|test| Box::new(test) as Box<dyn Examples>),
        arch: Source::new(arch.name(), fitted.text),
        train: Box::new(train),
    })
}

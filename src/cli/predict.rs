//! `lyncean predict`: what a trained net makes of pictures and sentences.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::inputs::{self, Input, Place};
use super::run::layout;
use super::{Exit, Failure, Outcome, console};
use crate::eval::{Prediction, Predictor, Ranked, Reading};
use crate::image::Image;
use crate::image::codec::{self, Format, ReadOptions};
use crate::nn::Ngram;
use crate::ops::Context;
use crate::{Error, ErrorKind, Result};

/// N-grams that are told of a sentence.
const NGRAMS: usize = 5;

/// Tell the classes of pictures or sentences by a trained net.
///
/// Of a picture, one line has its name and the most probable classes; a net of pixels tells their shares of the picture.
/// Of a sentence it has the words, and below it the
/// n-grams that max-over-time chose (Kim, 2014) with what each adds to the score of the winning class. What fails is
/// named, and the rest goes on.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A weights file, such as a run's `best.safetensors`, or `builtin:lenet5`
    model: PathBuf,
    /// Pictures, as `run` takes them; for a net of text, files with a sentence in each line, or `-` for stdin
    inputs: Vec<PathBuf>,
    /// A sentence; may be repeated
    #[arg(long, value_name = "SENTENCE")]
    text: Vec<String>,
    /// Classes that are told, the most probable first
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Bring pictures of other sizes to the net's, bilinearly
    #[arg(long)]
    resize: bool,
    /// Look into the folders of folders, too
    #[arg(short, long)]
    recursive: bool,
    /// Where a net of pixels writes the class of each pixel, as PNG: of two classes the second as a mask, of more their
    /// numbers
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write an object of JSON in each line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let predictor = Predictor::open(&args.model)?;
    let (is_text, name) = (predictor.takes_sentences(), &predictor.net().arch().name);
    if args.inputs.is_empty() && args.text.is_empty() {
        let hint = if is_text { "say `--text \"...\"`, a file, or `-`" } else { "name files or folders" };
        return Err(Error::pipeline("expected something to predict, got nothing").with_hint(hint).into());
    }
    if !is_text && !args.text.is_empty() {
        return Err(Error::pipeline(format!("net `{name}` takes pictures, got `--text`")).into());
    }
    if args.out.is_some() && !predictor.tells_pixels() {
        return Err(
            Error::pipeline(format!("net `{name}` tells no classes of pixels to write to `--out`")).into()
        );
    }
    let all_good = if is_text { sentences(args, &predictor)? } else { pictures(args, &predictor)? };
    Ok(if all_good { Exit::Done } else { Exit::Imperfect })
}

/// Whether all pictures could be told.
fn pictures(args: &Args, predictor: &Predictor) -> Result<bool, Failure> {
    let mut all_good = true;
    let inputs = inputs::collect(&args.inputs, args.recursive, args.out.as_deref())?;
    if let Some(folder) = &args.out {
        layout::check(&inputs, folder, &[])?;
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder.display(), error))?;
    }
    for input in inputs {
        let told = picture(&input, predictor, args.resize).and_then(|found| {
            if let (Some(folder), Some(labels)) = (&args.out, &found.labels) {
                write(labels, &layout::path(folder, &input.stem, &[], Format::Png))?;
            }
            Ok(top(found.classes, args.top))
        });
        match told {
            Ok(classes) => {
                let share = if predictor.tells_pixels() { "share" } else { "p" };
                console::print(&if args.json {
                    json!({"input": input.name, "classes": objects(&classes, share)}).to_string()
                } else {
                    format!("{}\t{}", input.name, words(&classes))
                })?;
            }
            Err(error) => {
                all_good = false;
                fail(args, &input.name, error)?;
            }
        }
    }
    Ok(all_good)
}

/// Writes the class of each pixel.
fn write(labels: &Image, path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder.display(), error))?;
    }
    codec::write(path, labels, Format::Png, &codec::WriteOptions::default())
}

fn top(mut classes: Vec<Ranked>, count: u32) -> Vec<Ranked> {
    classes.truncate(count as usize);
    classes
}

fn fail(args: &Args, name: &str, error: Error) -> Result<(), Failure> {
    if args.json {
        console::print(&json!({"input": name, "error": error.to_string()}).to_string())?;
    }
    console::report(&error.within(name));
    Ok(())
}

/// What the net makes of a picture.
fn picture(input: &Input, predictor: &Predictor, may_resize: bool) -> Result<Prediction> {
    let picture = match &input.place {
        Place::File(path) => codec::read_file(path, &ReadOptions::default())?,
        Place::Builtin(bytes) => codec::read_with(bytes, &input.name, &ReadOptions::default())?,
        Place::Unreadable(words) => return Err(Error::input(words.clone())),
    };
    predictor.picture(&picture.image, may_resize, &Context::default()).map_err(|error| {
        if may_resize || error.kind() != ErrorKind::Shape {
            error
        } else {
            error.with_hint("`--resize` brings it to the net's size")
        }
    })
}

/// Whether all files of sentences could be read.
fn sentences(args: &Args, predictor: &Predictor) -> Result<bool, Failure> {
    for sentence in &args.text {
        tell(args, predictor, sentence)?;
    }
    let mut all_good = true;
    for path in &args.inputs {
        match lines(path) {
            Ok(text) => {
                for sentence in text.lines().filter(|line| !line.trim().is_empty()) {
                    tell(args, predictor, sentence)?;
                }
            }
            Err(error) => {
                all_good = false;
                fail(args, &path.display().to_string(), error)?;
            }
        }
    }
    Ok(all_good)
}

fn lines(path: &Path) -> Result<String> {
    let failed = |error| Error::io(path.display(), error);
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    } else {
        bytes = std::fs::read(path).map_err(failed)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes what the net makes of a sentence.
fn tell(args: &Args, predictor: &Predictor, sentence: &str) -> Result<(), Failure> {
    let Reading { tokens, classes, ngrams } = predictor.sentence(sentence)?;
    let classes = top(classes, args.top);
    let shown = |ngram: &Ngram| {
        let words = tokens.get(ngram.words.start..ngram.words.end.min(tokens.len())).unwrap_or_default();
        words.join(" ")
    };
    if args.json {
        let ngrams: Vec<_> = ngrams
            .iter()
            .map(|ngram| {
                json!({
                    "layer": ngram.layer, "filter": ngram.filter, "words": shown(ngram),
                    "start": ngram.words.start, "end": ngram.words.end, "contribution": ngram.contribution,
                })
            })
            .collect();
        return console::print(
            &json!({"input": sentence, "classes": objects(&classes, "p"), "ngrams": ngrams}).to_string(),
        );
    }
    let mut text = format!("{}\t{sentence}", words(&classes));
    for ngram in ngrams.iter().take(NGRAMS) {
        let (layer, filter) = (&ngram.layer, ngram.filter);
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {:+.3}  {layer} filter {filter}: {}", ngram.contribution, shown(ngram));
    }
    console::print(&text)
}

fn words(classes: &[Ranked]) -> String {
    let word = |class: &Ranked| format!("{} {:.1}%", class.label, 100.0 * class.share);
    classes.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn objects(classes: &[Ranked], share: &str) -> Vec<serde_json::Value> {
    classes.iter().map(|class| json!({"label": class.label, share: class.share})).collect()
}

//! `lyncean predict`: what a trained net makes of pictures and sentences.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::inputs::{self, Input, Place};
use super::{Exit, Failure, Outcome, console};
use crate::image::codec::{self, ReadOptions};
use crate::nn::loss::softmax;
use crate::nn::text::{Vocabulary, tokenize};
use crate::nn::{Net, Ngram, Tensor};
use crate::ops::Context;
use crate::ops::resize::{Resize, resize};
use crate::{Error, Result};

/// N-grams that are told of a sentence.
const NGRAMS: usize = 5;

/// Tell the classes of pictures or sentences by a trained net.
///
/// Of a picture, one line has its name and the most probable classes. Of a sentence it has the words, and below it the
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
    /// Write an object of JSON in each line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let net = model(&args.model)?;
    if net.arch().output().len() != 1 {
        let (name, output) = (&net.arch().name, net.arch().output());
        return Err(Error::pipeline(format!("net `{name}` gives {output}, and no classes")).into());
    }
    let is_text = net.arch().input.len() == 1;
    if args.inputs.is_empty() && args.text.is_empty() {
        let hint = if is_text { "say `--text \"...\"`, a file, or `-`" } else { "name files or folders" };
        return Err(Error::pipeline("expected something to predict, got nothing").with_hint(hint).into());
    }
    if !is_text && !args.text.is_empty() {
        let name = &net.arch().name;
        return Err(Error::pipeline(format!("net `{name}` takes pictures, got `--text`")).into());
    }
    let all_good = if is_text { sentences(args, &net)? } else { pictures(args, &net)? };
    Ok(if all_good { Exit::Done } else { Exit::Imperfect })
}

fn model(path: &Path) -> Result<Net> {
    let Some(name) = path.to_str().and_then(|text| text.strip_prefix("builtin:")) else {
        return Net::open(path);
    };
    match crate::builtin::RESOURCES.iter().find(|(known, _)| *known == name) {
        Some((_, bytes)) => Net::from_safetensors(bytes),
        None => {
            let known = crate::builtin::RESOURCES.iter().map(|(name, _)| *name);
            let error = Error::pipeline(format!("there is no built-in model `{name}`"));
            Err(match crate::document::did_you_mean(name, known) {
                Some(hint) => error.with_hint(hint),
                None => error,
            })
        }
    }
}

/// Whether all pictures could be told.
fn pictures(args: &Args, net: &Net) -> Result<bool, Failure> {
    let mut all_good = true;
    for input in inputs::collect(&args.inputs, args.recursive, None)? {
        match picture(&input, net, args.resize) {
            Ok(scores) => {
                let classes = ranked(net, &scores, args.top);
                console::print(&if args.json {
                    json!({"input": input.name, "classes": objects(&classes)}).to_string()
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

fn fail(args: &Args, name: &str, error: Error) -> Result<(), Failure> {
    if args.json {
        console::print(&json!({"input": name, "error": error.to_string()}).to_string())?;
    }
    console::report(&error.within(name));
    Ok(())
}

/// The scores of a picture's classes.
fn picture(input: &Input, net: &Net, may_resize: bool) -> Result<Tensor> {
    let picture = match &input.place {
        Place::File(path) => codec::read_file(path, &ReadOptions::default())?,
        Place::Builtin(bytes) => codec::read_with(bytes, &input.name, &ReadOptions::default())?,
        Place::Unreadable(words) => return Err(Error::input(words.clone())),
    };
    let arch = net.arch();
    let shape = <[usize; 3]>::try_from(&*arch.input)
        .map_err(|_| Error::shape(format!("net `{}` takes {}, and no pictures", arch.name, arch.input)))?;
    let [_, height, width] = shape;
    let mut image = picture.image;
    if may_resize && [image.width(), image.height()] != [width, height] {
        let params = Resize { width, height, interpolation: crate::ops::resize::Interpolation::Bilinear };
        image = resize(&image, &params, &Context::default())?;
    }
    let mut x = Tensor::zeros(arch.input.batched(1)?);
    let filled = crate::nn::input::fill(&image, shape, x.data_mut());
    filled.map_err(|error| {
        if may_resize { error } else { error.with_hint("`--resize` brings it to the net's size") }
    })?;
    let planes = x.data_mut().chunks_exact_mut(height * width);
    for (plane, (mean, std)) in planes.zip(arch.mean.iter().zip(&arch.std)) {
        for value in plane {
            *value = (*value - mean) / std;
        }
    }
    net.forward(&x)
}

/// Whether all files of sentences could be read.
fn sentences(args: &Args, net: &Net) -> Result<bool, Failure> {
    let arch = net.arch();
    if arch.words.is_empty() {
        let name = &arch.name;
        return Err(Error::pipeline(format!("the weights of net `{name}` do not say its words"))
            .with_hint("train it with `lyncean train net` on sentences: they are kept with the weights")
            .into());
    }
    let vocabulary = Vocabulary::from_words(arch.words.clone())?;
    for sentence in &args.text {
        tell(args, net, &vocabulary, sentence)?;
    }
    let mut all_good = true;
    for path in &args.inputs {
        match lines(path) {
            Ok(text) => {
                for sentence in text.lines().filter(|line| !line.trim().is_empty()) {
                    tell(args, net, &vocabulary, sentence)?;
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
fn tell(args: &Args, net: &Net, vocabulary: &Vocabulary, sentence: &str) -> Result<(), Failure> {
    let tokens = tokenize(sentence);
    let mut x = Tensor::zeros(net.arch().input.batched(1)?);
    vocabulary.encode(&tokens, x.data_mut());
    let classes = ranked(net, &net.forward(&x)?, args.top);
    // A net that is built otherwise has classes all the same.
    let mut ngrams = net.ngrams(&x, classes[0].index).unwrap_or_default();
    ngrams.retain(|ngram| ngram.contribution > 0.0);
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
            &json!({"input": sentence, "classes": objects(&classes), "ngrams": ngrams}).to_string(),
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

/// A class with its probability.
struct Ranked {
    index: usize,
    label: String,
    probability: f32,
}

/// The most probable classes.
fn ranked(net: &Net, scores: &Tensor, top: u32) -> Vec<Ranked> {
    let Ok(probabilities) = softmax(scores) else { return Vec::new() };
    let probabilities = probabilities.sample(0);
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b)));
    let label = |index: usize| net.arch().classes.get(index).cloned().unwrap_or_else(|| index.to_string());
    order
        .into_iter()
        .take(top as usize)
        .map(|index| Ranked { index, label: label(index), probability: probabilities[index] })
        .collect()
}

fn words(classes: &[Ranked]) -> String {
    let word = |class: &Ranked| format!("{} {:.1}%", class.label, 100.0 * class.probability);
    classes.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn objects(classes: &[Ranked]) -> Vec<serde_json::Value> {
    classes.iter().map(|class| json!({"label": class.label, "p": class.probability})).collect()
}

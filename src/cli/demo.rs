//! `lyncean demo`: every pipeline that ships, on a picture that ships.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Exit, Outcome, console, inputs, load};
use crate::image::codec::{self, Format, WriteOptions};
use crate::ops::Context;
use crate::ops::preview::preview;
use crate::ops::statistics::{Statistics, statistics};
use crate::pipeline::{Results, RunOptions};
use crate::stage::Value;
use crate::{Error, Result};

/// Run the built-in pipelines on built-in pictures and tell what they found.
///
/// Images are written as pictures for the eye: floats stretched to 8 bit.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The folder to write into
    #[arg(short, long, value_name = "DIR", default_value = "demo-out")]
    output: PathBuf,
}

/// Which picture each pipeline is shown on.
const SHOWN: &[(&str, &str)] = &[
    ("edges", "camera"),
    ("canny", "camera"),
    ("convolution", "camera"),
    ("sobel-is-convolution", "camera"),
    ("coins", "coins"),
    ("segment-coins", "coins"),
    ("find-coin", "coins"),
    ("find-turned", "coins"),
    ("document", "text"),
    ("cells", "cell"),
    ("blobs", "deep-field"),
    ("faces", "astronaut"),
    ("faces-cnn", "astronaut"),
    ("faces-verified", "astronaut"),
    ("faces-yunet", "astronaut"),
];

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    std::fs::create_dir_all(&args.output).map_err(|error| Error::io(args.output.display(), error))?;
    let rows = SHOWN.iter().map(|(pipeline, picture)| show(args, pipeline, picture));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    console::print(&console::table(["pipeline", "picture", "file", "found"], rows))?;
    Ok(Exit::Done)
}

fn show(args: &Args, name: &str, picture: &str) -> Result<[String; 4]> {
    let pipeline = load::pipeline(&PathBuf::from(format!("builtin:{name}")), &[])?;
    let word = format!("builtin:{picture}");
    let read = inputs::read(word.as_ref())?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = RunOptions { context: Context::default().with_threads(threads), ..RunOptions::default() };
    let results = pipeline.run_with(Arc::new(read.image), read.alpha.as_ref(), &options)?;
    let file = match results.output() {
        None => "-".to_owned(),
        Some(image) => {
            let path = args.output.join(format!("{name}.png"));
            codec::write(&path, &preview(image), Format::Png, &WriteOptions::default())?;
            path.display().to_string()
        }
    };
    Ok([format!("builtin:{name}"), word, file, found(&results)])
}

/// The data of the stages in a few words.
fn found(results: &Results) -> String {
    let mut words = Vec::new();
    for stage in results.stages() {
        for (_, value) in &stage.values {
            match value {
                Value::Objects(objects) => words.push(format!("{}: {}", stage.name, objects.len())),
                Value::Classes(classes) => words.extend(
                    classes
                        .first()
                        .map(|class| format!("{}: {} ({:.2})", stage.name, class.label, class.probability)),
                ),
                Value::Measures(measures) => {
                    words.extend(measures.iter().map(|(name, value)| format!("{name}: {value}")));
                }
                Value::Image(_) | Value::Vector(_) | Value::Tensor(_) => {}
            }
        }
    }
    if let (true, Some(image)) = (words.is_empty(), results.output()) {
        words = statistics(image).iter().map(values).collect();
    }
    words.join(", ")
}

/// How much a mask marks; of other images the range.
fn values(channel: &Statistics) -> String {
    match (channel.channel, channel.range, channel.mean) {
        ("mask", _, Some(mean)) => format!("{:.1}% marked", mean / 255.0 * 100.0),
        (name, Some((least, most)), _) => format!("{name} {least} to {most}"),
        (name, ..) => format!("no {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pipeline_is_shown_on_a_picture_that_is_there() {
        for (name, _) in crate::builtin::PIPELINES {
            // Digits and clothes are no photographs: `lyncean compare` shows those.
            let is_shown = SHOWN.iter().any(|(shown, _)| shown == name);
            let is_small = name.starts_with("digit") || *name == "clothes";
            assert!(is_shown || is_small, "the demo does not show `{name}`");
        }
        for (pipeline, picture) in SHOWN {
            assert!(crate::builtin::PIPELINES.iter().any(|(name, _)| name == pipeline), "{pipeline}");
            assert!(crate::image::builtin::picture(picture).is_some(), "{picture}");
        }
    }
}

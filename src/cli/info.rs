//! `lyncean info`: what is in a picture file.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::{Exit, Outcome, console, inputs};
use crate::image::codec::{Orientation, Picture};
use crate::ops::statistics::{Statistics, statistics};

/// Show size, depth, type, range, mean and histogram of pictures.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Pictures: files, or `builtin:NAME`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write a JSON list, one object a file, with histograms of 256 bins
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let mut exit = Exit::Done;
    let mut list = Vec::new();
    for word in &args.files {
        let picture = match inputs::read(word) {
            Ok(picture) => picture,
            Err(error) => {
                console::report(&error);
                exit = Exit::Imperfect;
                continue;
            }
        };
        let channels = statistics(&picture.image);
        if args.json {
            list.push(entry(word, &picture, &channels));
        } else {
            console::print(&describe(word, &picture, &channels))?;
        }
    }
    if args.json {
        console::print_json(&Json::Array(list))?;
    }
    Ok(exit)
}

/// The EXIF number of an orientation, 1 to 8.
fn exif(orientation: Orientation) -> usize {
    Orientation::ALL.iter().position(|known| *known == orientation).unwrap_or_default() + 1
}

fn entry(word: &Path, picture: &Picture, channels: &[Statistics]) -> Json {
    let source = &picture.source;
    let channels: Vec<Json> = channels
        .iter()
        .map(|channel| {
            json!({
                "channel": channel.channel,
                "min": channel.range.map(|(least, _)| least),
                "max": channel.range.map(|(_, most)| most),
                "mean": channel.mean,
                "not-finite": channel.odd,
                "histogram": {"start": channel.start, "step": channel.step, "counts": channel.counts},
            })
        })
        .collect();
    json!({
        "file": word.display().to_string(),
        "format": source.format.to_string(),
        "width": source.width,
        "height": source.height,
        "type": source.ty.as_str(),
        "bits": source.bits,
        "channels": source.channels,
        "alpha": source.alpha,
        "orientation": exif(source.orientation),
        "values": channels,
    })
}

fn describe(word: &Path, picture: &Picture, channels: &[Statistics]) -> String {
    let source = &picture.source;
    let mut lines = vec![word.display().to_string()];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    line("format", source.format.to_string());
    line("size", format!("{} x {}", source.width, source.height));
    line("type", source.ty.to_string());
    let channels_of_file = if source.channels == 1 { "channel" } else { "channels" };
    line("depth", format!("{} bit, {} {channels_of_file}", source.bits, source.channels));
    if source.alpha {
        line("alpha", "yes, as `input.alpha`".to_owned());
    }
    if source.orientation != Orientation::Upright {
        line("orientation", format!("EXIF {}, turned upright", exif(source.orientation)));
    }
    for channel in channels {
        let values = match (channel.range, channel.mean) {
            (Some((least, most)), Some(mean)) => {
                format!("{} to {}, mean {}", short(least), short(most), short(mean))
            }
            _ => "none is finite".to_owned(),
        };
        let odd = if channel.odd > 0 { format!(", {} not finite", channel.odd) } else { String::new() };
        let end = channel.start + channel.step * channel.counts.len() as f64;
        line(channel.channel, format!("{values}{odd}"));
        line("", format!("{}  {} to {}", bars(&channel.counts), short(channel.start), short(end)));
    }
    lines.join("\n")
}

/// At most three places behind the point.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A histogram as 32 bars: a blank for nothing, the highest bar for the fullest.
fn bars(counts: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let sums: Vec<u64> =
        counts.chunks(counts.len().div_ceil(32).max(1)).map(|part| part.iter().sum()).collect();
    let most = sums.iter().copied().max().unwrap_or(0).max(1);
    let bar = |sum: u64| match sum {
        0 => ' ',
        sum => BARS[((u128::from(sum) * 8).div_ceil(u128::from(most)) as usize - 1).min(7)],
    };
    format!("[{}]", sums.into_iter().map(bar).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_counts() {
        let mut counts = vec![0; 256];
        counts[0] = 8;
        counts[8] = 4;
        counts[255] = 1;
        let shown = bars(&counts);
        assert_eq!(shown.chars().count(), 34);
        assert!(shown.starts_with("[█▄ ") && shown.ends_with(" ▁]"), "{shown}");
        assert_eq!(bars(&[0; 256]).trim_matches(['[', ']']).trim(), "");
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 254.5, 100.0, 1.0 / 3.0].map(short);
        assert_eq!(shown, ["0", "254.5", "100", "0.333"]);
    }
}

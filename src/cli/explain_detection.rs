//! `lyncean explain-detection`: why a cascade finds something in a window, or not.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::{Exit, Outcome, console, inputs};
use crate::Result;
use crate::document::{Resource, Resources};
use crate::image::codec::{self, Format, WriteOptions};
use crate::image::{Image, Rect};
use crate::ops::cascade::{Answer, Cascade, Explanation, Question, StageVote, Verdict};
use crate::ops::{Context, equalize, gray};

/// Features that are told and drawn.
const FEATURES: usize = 6;

/// Tell at which stage a cascade rejects a window of a picture, or how far it passes, and the features that decided.
///
/// The box is one that `haar-detect` gave, or any other place. Of the windows near it the one that goes furthest is told,
/// or with `--exactly` that very one.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The cascade: an XML file of OpenCV's, or `builtin:NAME`
    cascade: String,
    /// A picture, or `builtin:NAME`
    image: PathBuf,
    /// The window, in pixels of the picture; height and width are in the ratio of the cascade's
    #[arg(long = "box", value_name = "X,Y,WIDTH", value_parser = corner)]
    window: (usize, usize, usize),
    /// This window, and none near it
    #[arg(long)]
    exactly: bool,
    /// Equalize the picture before, as a pipeline with `equalize` does
    #[arg(long)]
    equalize: bool,
    /// Draw the window with the features that decided, as PNG
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write an object of JSON with every vote
    #[arg(long)]
    json: bool,
}

/// `12,40,96`; the height may follow, as boxes have one.
fn corner(text: &str) -> Result<(usize, usize, usize), String> {
    let numbers: Vec<usize> = text
        .split(',')
        .map(|word| word.trim().parse::<f64>().ok().filter(|number| (0.0..1e9).contains(number)))
        .map(|number| number.map(|number| number.round() as usize))
        .collect::<Option<_>>()
        .ok_or("write the corner and the width in pixels, `12,40,96`")?;
    match numbers[..] {
        [x, y, width] | [x, y, width, _] if width > 0 => Ok((x, y, width)),
        _ => Err("write the corner and the width in pixels, `12,40,96`".to_owned()),
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let bytes = Resources::new(Some(PathBuf::new()))
        .with_builtin(crate::builtin::RESOURCES)
        .load(&Resource(args.cascade.clone()))?;
    let cascade = Cascade::from_bytes(&bytes.bytes).map_err(|e| e.within(format!("`{}`", args.cascade)))?;
    let cx = Context::default();
    let mut picture = gray::gray(&inputs::read(&args.image)?.image, &cx)?;
    if args.equalize {
        picture = equalize(&picture, &cx)?;
    }
    let picture = picture.as_gray8()?;
    let (x, y, width) = args.window;
    // The height that belongs to the width, so that rounding does not push it out of the picture.
    let scale = width as f64 / cascade.width() as f64;
    let height = (cascade.height() as f64 * scale).round_ties_even() as usize;
    let why = cascade.explain(picture.view(), Rect::new(x, y, width, height), args.exactly)?;
    if args.json {
        console::print_json(&object(&cascade, &why))?;
    } else {
        console::print(&words(&cascade, &why))?;
    }
    if let Some(path) = &args.output {
        let drawn = Image::Rgb8(why.draw(&cascade, picture.view(), FEATURES)?);
        codec::write(path, &drawn, Format::Png, &WriteOptions::default())?;
    }
    Ok(Exit::Done)
}

fn verdict(cascade: &Cascade, why: &Explanation) -> String {
    let count = cascade.stages().len();
    match why.verdict {
        Verdict::Flat => "too flat to be looked at".to_owned(),
        Verdict::Rejected(stage) => format!("rejected by stage {stage} of 0 to {}", count - 1),
        Verdict::Accepted(score) => format!("passes all {count} stages, margin {score:.3}"),
    }
}

fn words(cascade: &Cascade, why: &Explanation) -> String {
    let Rect { x, y, width, height } = why.window;
    let head =
        format!("window {width}x{height} at ({x}, {y}), scale {:.3}: {}", why.scale, verdict(cascade, why));
    if why.stages.is_empty() {
        return head;
    }
    let rows = why.stages.iter().enumerate().map(|(index, stage)| {
        [
            index.to_string(),
            stage.weak.len().to_string(),
            format!("{:.4}", stage.votes),
            format!("{:.4}", stage.threshold),
            format!("{:+.4}", stage.votes - stage.threshold),
        ]
    });
    let stages = console::table(["stage", "weak", "votes", "needed", "margin"], rows);
    let decisive = why.decisive(FEATURES);
    let rows = decisive.iter().flat_map(|weak| {
        let vote = format!("{:+.4}", weak.vote);
        let range = format!("{:+.4} to {:+.4}", weak.range[0], weak.range[1]);
        weak.answers.iter().map(move |answer| {
            [
                answer.feature.to_string(),
                format!("{:.5}", answer.value),
                question(answer),
                vote.clone(),
                range.clone(),
            ]
        })
    });
    let features = console::table(["feature", "value", "asked", "vote", "of"], rows);
    format!("{head}\n\n{stages}\n\nwhat decided most in stage {}:\n{features}", why.stages.len() - 1)
}

fn question(answer: &Answer) -> String {
    match (answer.question, answer.yes) {
        (Question::Below(threshold), true) => format!("below {threshold:.5}"),
        (Question::Below(threshold), false) => format!("not below {threshold:.5}"),
        (Question::Among(_), true) => "among the patterns".to_owned(),
        (Question::Among(_), false) => "not among the patterns".to_owned(),
    }
}

fn object(cascade: &Cascade, why: &Explanation) -> Json {
    let Rect { x, y, width, height } = why.window;
    let stage = |stage: &StageVote| {
        let weak: Vec<_> = stage
            .weak
            .iter()
            .map(|weak| {
                let features: Vec<_> = weak
                    .answers
                    .iter()
                    .map(
                        |answer| json!({"feature": answer.feature, "value": answer.value, "yes": answer.yes}),
                    )
                    .collect();
                json!({"vote": weak.vote, "range": weak.range, "answers": features})
            })
            .collect();
        json!({"votes": stage.votes, "needed": stage.threshold, "weak": weak})
    };
    let (rejected_by, margin) = match why.verdict {
        Verdict::Flat => (None, None),
        Verdict::Rejected(stage) => (Some(stage), None),
        Verdict::Accepted(score) => (None, Some(score)),
    };
    let probability = margin.and_then(|margin| Some(cascade.calibration()?.probability(margin)));
    json!({
        "window": [x, y, width, height],
        "scale": why.scale,
        "flat": why.verdict == Verdict::Flat,
        "rejected-by": rejected_by,
        "margin": margin,
        "probability": probability,
        "stages": why.stages.iter().map(stage).collect::<Vec<_>>(),
        "decisive-features": why.decisive_features(FEATURES),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_three_or_four_numbers() {
        assert_eq!(corner("12,40,96"), Ok((12, 40, 96)));
        assert_eq!(corner("12.0, 40.4,96,96"), Ok((12, 40, 96)));
        for bad in ["", "12,40", "12,40,0", "-1,2,3", "a,b,c", "1,2,3,4,5", "nan,1,2"] {
            assert!(corner(bad).is_err(), "{bad}");
        }
    }
}

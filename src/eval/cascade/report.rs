//! `report.html`: what was learned, stage by stage, in one file that needs no other.

use std::fmt::Write as _;

use super::chart::{Axis, Line, svg};
use crate::ops::cascade::train::{Depths, RocPoint, StageReport, Stop, Training};
use crate::ops::cascade::{Cascade, Feature, Features};

/// Features drawn of each stage: the first ones, which were chosen on the plainest weights.
const DRAWN: usize = 6;
/// Side of a pixel of the window in a drawing.
const ZOOM: usize = 5;
const STYLE: &str = "body{font:14px sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse}\
     td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid #ddd}\
     figure{display:inline-block;margin:.3em}figcaption{font-size:11px}pre{background:#f4f4f4;padding:.7em}";

/// What the report tells.
pub(super) struct Content<'a> {
    pub(super) settings: &'a Training,
    pub(super) cascade: &'a Cascade,
    pub(super) stages: &'a [StageReport],
    /// The mean object, from 0 to 255.
    pub(super) mean: &'a [f64],
    pub(super) stop: &'a Stop,
    pub(super) judged: Option<Judged<'a>>,
}

/// How the cascade does on what it was not trained on.
pub(super) struct Judged<'a> {
    pub(super) objects: &'a Depths,
    pub(super) background: &'a Depths,
    pub(super) roc: &'a [RocPoint],
}

/// The report. It is a function of its content and tells no time.
pub(super) fn html(content: &Content<'_>) -> String {
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Training of a cascade</title>\n\
         <style>{STYLE}</style>\n<h1>Training of a cascade</h1>\n<p>{} stages, {} weak classifiers on {} features, \
         windows of {}x{} pixels. Training ended: {}.</p>\n",
        content.stages.len(),
        content.stages.iter().map(|stage| stage.weak).sum::<usize>(),
        content.cascade.features().len(),
        content.cascade.width(),
        content.cascade.height(),
        content.stop
    );
    table(&mut text, content.stages);
    charts(&mut text, content);
    if let Some(judged) = &content.judged {
        held_out(&mut text, judged);
    }
    features(&mut text, content);
    let settings = serde_json::to_string_pretty(content.settings).unwrap_or_default();
    let _ = writeln!(text, "<h2>Settings</h2>\n<pre>{settings}</pre>\n</html>");
    text
}

fn table(text: &mut String, stages: &[StageReport]) {
    text.push_str(
        "<h2>Stages</h2>\n<table><tr><th>stage<th>weak<th>objects<th>negatives<th>hit rate<th>of validation\
         <th>false alarms<th>windows searched<th>false alarms, all stages<th>hit rate, all stages<th>of validation</tr>\n",
    );
    let rate = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.4}"));
    for stage in stages {
        let _ = writeln!(
            text,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{:.4}<td>{}<td>{:.4}<td>{}<td>{:.2e}<td>{:.4}<td>{}</tr>",
            stage.stage,
            stage.weak,
            stage.objects,
            stage.negatives,
            stage.hit_rate,
            rate(stage.validation_hit_rate),
            stage.false_alarm,
            stage.windows,
            stage.total_false_alarm(),
            stage.total_hit_rate,
            rate(stage.total_validation_hit_rate)
        );
    }
    text.push_str(
        "</table>\n<p>False alarms of all stages are a share of all windows of background: measured where the \
         stage's background was searched, times the share of it that passes.</p>\n",
    );
}

fn charts(text: &mut String, content: &Content<'_>) {
    let over = |of: &dyn Fn(&StageReport) -> Option<f64>| -> Vec<(f64, f64)> {
        content.stages.iter().filter_map(|stage| Some((stage.stage as f64, of(stage)?))).collect()
    };
    let x = Axis::Even(0.0, content.stages.len().saturating_sub(1).max(1) as f64);
    let mut lines = vec![Line { name: "training", points: over(&|stage| Some(stage.total_hit_rate)) }];
    if content.stages.iter().any(|stage| stage.total_validation_hit_rate.is_some()) {
        lines.push(Line { name: "validation", points: over(&|stage| stage.total_validation_hit_rate) });
    }
    if let Some(judged) = &content.judged {
        let points = content.stages.iter().map(|s| (s.stage as f64, judged.objects.share(s.stage + 1)));
        lines.push(Line { name: "held out", points: points.collect() });
    }
    let least = lines.iter().flat_map(|line| &line.points).map(|point| point.1).fold(0.99, f64::min);
    let y = Axis::Even((least * 20.0).floor() / 20.0, 1.0);
    text.push_str(&svg("Hit rate after each stage", ["stage", "share of the objects"], [x, y], &lines));
    let mut lines = vec![Line { name: "training", points: over(&|stage| Some(stage.total_false_alarm())) }];
    if let Some(judged) = &content.judged {
        let points = content.stages.iter().map(|s| (s.stage as f64, judged.background.share(s.stage + 1)));
        lines.push(Line { name: "held out", points: points.collect() });
    }
    let y = Axis::powers_around(lines.iter().flat_map(|line| &line.points).map(|point| point.1));
    text.push_str(&svg("False alarms after each stage", ["stage", "share of the windows"], [x, y], &lines));
}

fn held_out(text: &mut String, judged: &Judged<'_>) {
    let all = judged.objects.passed.len() - 1;
    let _ = writeln!(
        text,
        "<h2>Held-out data</h2>\n<p>{} of {} objects pass, {:.2} %; {} of {} windows of background, {:.2e}.</p>",
        judged.objects.passed[all],
        judged.objects.windows,
        100.0 * judged.objects.share(all),
        judged.background.passed[all],
        judged.background.windows,
        judged.background.share(all)
    );
    let points = judged.roc.iter().map(|point| (point.false_alarm, point.hit_rate)).collect();
    let x = Axis::powers_around(judged.roc.iter().map(|point| point.false_alarm));
    let lines = [Line { name: "cascade", points }];
    let words = ["share of the windows of background", "share of the objects"];
    text.push_str(&svg("Receiver operating characteristic", words, [x, Axis::Even(0.0, 1.0)], &lines));
    text.push_str(
        "<p>To the left of the cascade as it is its last threshold is raised, to the right stages are taken away \
         from its end.</p>\n",
    );
}

/// The first features of each stage over the mean object, light where a rectangle adds and dark where it takes away.
fn features(text: &mut String, content: &Content<'_>) {
    let (width, height) = (content.cascade.width(), content.cascade.height());
    let [wide, high] = [width * ZOOM, height * ZOOM];
    let _ = writeln!(
        text,
        "<h2>Features</h2>\n<p>The first {DRAWN} of each stage over the mean object; bright parts are added, dark \
         parts taken away.</p>\n<svg width=\"0\" height=\"0\"><defs><g id=\"mean\">"
    );
    let least = content.mean.iter().copied().fold(f64::MAX, f64::min);
    let most = content.mean.iter().copied().fold(f64::MIN, f64::max);
    for (index, value) in content.mean.iter().enumerate() {
        let gray = (255.0 * (value - least) / (most - least).max(1.0)).round() as u8;
        let (x, y) = (index % width * ZOOM, index / width * ZOOM);
        let _ = write!(
            text,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{ZOOM}\" height=\"{ZOOM}\" fill=\"#{gray:02x}{gray:02x}{gray:02x}\"/>"
        );
    }
    text.push_str("</g></defs></svg>\n");
    let Features::Haar(features) = content.cascade.features() else { return };
    for (number, stage) in content.cascade.stages().iter().enumerate() {
        let _ = writeln!(text, "<p>Stage {number}</p>");
        for tree in stage.trees.iter().take(DRAWN) {
            for node in &tree.nodes {
                let _ = write!(text, "<svg width=\"{wide}\" height=\"{high}\"><use href=\"#mean\"/>");
                draw(text, &features[node.feature]);
                text.push_str("</svg>\n");
            }
        }
    }
}

fn draw(text: &mut String, feature: &Feature) {
    for rect in &feature.rects {
        let [x, y, w, h] = [rect.x, rect.y, rect.width, rect.height].map(|side| side * ZOOM);
        // The first rectangle is the whole with a weight of -1, the others lie on it.
        let fill = if rect.weight < 0.0 { "#000" } else { "#fff" };
        let path = if feature.tilted {
            format!("M{x} {y}l{w} {w}l-{h} {h}l-{w} -{w}z")
        } else {
            format!("M{x} {y}h{w}v{h}h-{w}z")
        };
        let _ = write!(
            text,
            "<path d=\"{path}\" fill=\"{fill}\" fill-opacity=\"0.55\" stroke=\"#d55e00\" stroke-width=\"0.7\"/>"
        );
    }
}

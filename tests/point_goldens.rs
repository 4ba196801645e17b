//! Points and geometry against OpenCV, scikit-image and NumPy, on crops of pictures at odd sizes.
//!
//! The outputs are in `fixtures/golden/points`, with the script that made them.

use lyncean::image::{Affine, Border, BorderMode, Image};
use lyncean::ops::warp::{self, Taps};
use lyncean::ops::{
    self, Clahe, Colormap, Context, Interpolation, Normalize, Operation, Pad, Resize, RollingBall, Turn, Warp,
};
use serde_json::Value;

use crate::support::goldens::{Goldens, number};

fn float(value: &Value) -> f32 {
    value.as_f64().unwrap() as f32
}

fn border(p: &Value) -> Border {
    let mode = serde_json::from_value::<BorderMode>(p["border"].clone()).unwrap();
    Border { mode, value: p["value"].as_f64().unwrap_or_default() as f32 }
}

fn operation(p: &Value) -> Operation {
    match p["what"].as_str().unwrap() {
        "add" => Operation::Add,
        "subtract" => Operation::Subtract,
        "min" => Operation::Min,
        "max" => Operation::Max,
        "multiply" => Operation::Multiply(float(&p["scale"])),
        "divide" => Operation::Divide(float(&p["scale"])),
        _ => Operation::Blend((1.0 - p["weight"].as_f64().unwrap()) as f32, float(&p["weight"])),
    }
}

fn pairs(value: &Value) -> Option<[f64; 2]> {
    serde_json::from_value(value.clone()).ok()
}

fn compute(goldens: &Goldens, op: &str, input: &Image, p: &Value) -> lyncean::Result<Image> {
    let cx = Context::default();
    let second = || goldens.image(&p["second"]);
    match op {
        "invert" => ops::invert(input, &cx),
        "gamma" => {
            let params =
                ops::Gamma { gamma: p["gamma"].as_f64().unwrap(), gain: p["gain"].as_f64().unwrap() };
            ops::gamma(input, &params, &cx)
        }
        "normalize" => {
            let params = Normalize { percentiles: pairs(&p["percentiles"]), range: pairs(&p["range"]) };
            ops::normalize(input, &params, &cx)
        }
        "colormap" => {
            let name = p["map"].as_str().unwrap();
            let map = Colormap::ALL.into_iter().find(|map| format!("{map:?}").to_lowercase() == name);
            ops::colormap(input, map.unwrap(), &cx)
        }
        "arithmetic" => ops::arithmetic(input, &second(), operation(p), &cx),
        "constant" => ops::arithmetic_constant(input, float(&p["constant"]), operation(p), &cx),
        "flat-field" => {
            let dark = p.get("third").map(|index| goldens.image(index));
            ops::flat_field(input, &second(), dark.as_ref(), &cx)
        }
        "clahe" => {
            let tiles = (number(&p["tiles"][0]), number(&p["tiles"][1]));
            ops::clahe(input, &Clahe { clip_limit: p["clip"].as_f64().unwrap(), tiles }, &cx)
        }
        "rolling-ball" => {
            let (radius, height) = (p["radius"].as_f64().unwrap(), p["height"].as_f64());
            ops::rolling_ball(input, &RollingBall { radius, height, background: true }, &cx)
        }
        "pad" => {
            let [left, right, top, bottom] = [0, 1, 2, 3].map(|side| number(&p["sides"][side]));
            ops::pad(input, &Pad { left, right, top, bottom, border: border(p) }, &cx)
        }
        "turn" => {
            let turn = match p["what"].as_str().unwrap() {
                "flip-horizontal" => Turn::FlipHorizontal,
                "flip-vertical" => Turn::FlipVertical,
                "half" => Turn::Half,
                "left" => Turn::Left,
                _ => Turn::Right,
            };
            ops::turn::turn(input, turn, &cx)
        }
        "warp" => {
            let map =
                warp::from_centres(Affine { rows: serde_json::from_value(p["matrix"].clone()).unwrap() });
            let taps = match p["mode"].as_str().unwrap() {
                "nearest" => Taps::Nearest,
                "bilinear" => Taps::Bilinear,
                _ => Taps::Bicubic,
            };
            let (width, height) = (number(&p["size"][0]), number(&p["size"][1]));
            ops::warp_affine(input, &Warp { map: map?, width, height, taps, border: border(p) }, &cx)
        }
        "rotate" => {
            let angle = p["angle"].as_f64().unwrap();
            let (width, height, map) = warp::rotation(input.width(), input.height(), angle, false);
            let params = Warp { map, width, height, taps: Taps::Bilinear, border: border(p) };
            ops::warp_affine(input, &params, &cx)
        }
        "resize" => {
            let (width, height) = (number(&p["size"][0]), number(&p["size"][1]));
            let interpolation =
                if p["mode"] == "bicubic" { Interpolation::Bicubic } else { Interpolation::Lanczos };
            ops::resize(input, &Resize { width, height, interpolation }, &cx)
        }
        other => panic!("no `{other}`"),
    }
}

#[test]
fn points_and_geometry_agree_with_their_peers() {
    let goldens = Goldens::read("points");
    goldens.check(200, |op, input, params| compute(&goldens, op, input, params).unwrap());
}

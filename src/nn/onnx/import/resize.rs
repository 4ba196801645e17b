//! `Resize` and `Upsample`.

use std::iter::zip;

use super::build::Builder;
use super::call::Call;
use super::moves::pick;
use super::value::Flow;
use crate::Result;
use crate::nn::Pair;
use crate::nn::layer::{Places, Resize, ResizeMethod, Upsample, UpsampleMethod};

/// The value of such a node: a whole factor as `upsample`, other places of the nearest pixels as `slice`, what else is
/// between pixels as `resize`.
pub(super) fn of(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let x = call.flow(0)?;
    let rank = x.shape.len() + 1;
    if rank != 4 {
        return Err(call
            .unsupported(format!("samples of {}", x.shape))
            .with_hint("images `[channels, height, width]`"));
    }
    let scales = scales(call, x)?;
    let sizes: Vec<usize> = zip(x.shape.iter(), &scales)
        .map(|(&len, scale)| scale.1.unwrap_or((len as f64 * scale.0).floor() as usize))
        .collect();
    if sizes[0] != x.shape[0] || sizes.contains(&0) {
        return Err(call.unsupported("more or fewer channels, or no pixels"));
    }
    let is_old = call.op() == "Upsample" || call.opset < 11;
    let places = if is_old {
        "asymmetric".to_owned()
    } else {
        call.word("coordinate_transformation_mode", "half_pixel")
    };
    let antialias = call.int("antialias", 0) != 0;
    match call.word("mode", "nearest").as_str() {
        "nearest" if antialias => {
            Err(call.unsupported("`antialias` with `nearest`").with_hint("`linear` or `cubic`"))
        }
        "nearest" => {
            let rounding =
                if is_old { "floor".to_owned() } else { call.word("nearest_mode", "round_prefer_floor") };
            let mut y = x;
            let mut factor = [1, 1];
            for axis in [1, 2] {
                let len = x.shape[axis];
                let from = nearest(call, len, sizes[axis], scales[axis].0, &places, &rounding)?;
                let times = sizes[axis] / len.max(1);
                if sizes[axis].is_multiple_of(len)
                    && from.iter().enumerate().all(|(to, &from)| from == to / times)
                {
                    factor[axis - 1] = times;
                    continue;
                }
                y = pick(builder, call, y, axis, &from)?;
            }
            grown(builder, y, factor, UpsampleMethod::Nearest)
        }
        "linear" | "bilinear" | "cubic" => {
            let places = match places.as_str() {
                "half_pixel" => Places::HalfPixel,
                "half_pixel_symmetric" => Places::HalfPixelSymmetric,
                "pytorch_half_pixel" => Places::HalfPixelOrFirst,
                "align_corners" => Places::AlignCorners,
                "asymmetric" => Places::Asymmetric,
                other => return Err(call.unsupported(format!("`{other}` between pixels"))),
            };
            let lens = [x.shape[1], x.shape[2]];
            let sizes = [sizes[1], sizes[2]];
            let told = [scales[1].0, scales[2].0];
            let is_even = (0..2).all(|axis| {
                let ratio = sizes[axis] as f64 / lens[axis].max(1) as f64;
                (ratio - told[axis]).abs() <= 1e-6 * ratio
            });
            let method =
                if call.word("mode", "") == "cubic" { ResizeMethod::Bicubic } else { ResizeMethod::Bilinear };
            let factor = [sizes[0] / lens[0].max(1), sizes[1] / lens[1].max(1)];
            let is_whole = is_even && (0..2).all(|axis| factor[axis] * lens[axis] == sizes[axis]);
            let is_plain = matches!(places, Places::HalfPixel | Places::HalfPixelSymmetric)
                || (places == Places::HalfPixelOrFirst && sizes[0] > 1 && sizes[1] > 1);
            let excludes = call.int("exclude_outside", 0) != 0;
            if is_even && sizes == lens {
                return Ok(x);
            }
            if method == ResizeMethod::Bilinear && is_whole && is_plain && !excludes {
                return grown(builder, x, factor, UpsampleMethod::Bilinear);
            }
            let layer = Resize {
                size: if sizes[0] == sizes[1] { Pair::One(sizes[0]) } else { Pair::Two(sizes) },
                method,
                places,
                scale: (!is_even).then_some(told.map(|scale| scale as f32)),
                cubic: call.float("cubic_coeff_a", -0.75),
                exclude_outside: excludes,
                antialias,
            };
            builder.layer("resize", &layer, &[x], Vec::new())
        }
        other => {
            Err(call.unsupported(format!("`mode = {other}`")).with_hint("`nearest`, `linear` or `cubic`"))
        }
    }
}

fn grown(builder: &mut Builder, x: Flow, [down, across]: [usize; 2], method: UpsampleMethod) -> Result<Flow> {
    if [down, across] == [1, 1] {
        return Ok(x);
    }
    let factor = if down == across { Pair::One(down) } else { Pair::Two([down, across]) };
    builder.layer("upsample", &Upsample { factor, method }, &[x], Vec::new())
}

/// For each axis of a sample its scale, and its new size where that is what is told.
fn scales(call: &Call<'_>, x: Flow) -> Result<Vec<(f64, Option<usize>)>> {
    let rank = x.shape.len() + 1;
    let axes = match call.ints("axes") {
        Some(axes) => axes.iter().map(|&axis| call.axis(axis, rank)).collect::<Result<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    let mut scales = vec![(1.0, None); rank];
    let at = if call.op() == "Resize" && call.opset >= 11 { 2 } else { 1 };
    let known = call.known_or_none(at)?.filter(|known| known.count() > 0);
    let told = known.map(super::value::Known::floats).or_else(|| call.floats("scales"));
    if let Some(told) = told {
        if told.len() != axes.len() || told.iter().any(|scale| !(*scale > 0.0 && *scale < 65536.0)) {
            return Err(call.unsupported(format!("scales of {told:?}")));
        }
        axes.iter().zip(told).for_each(|(&axis, scale)| scales[axis].0 = f64::from(scale));
    } else {
        let sizes = call.known(3)?.whole()?;
        if sizes.len() != axes.len() {
            return Err(call.unsupported(format!("sizes of {sizes:?}")));
        }
        let policy = call.word("keep_aspect_ratio_policy", "stretch");
        let mut even: Option<f64> = None;
        for (&axis, &size) in axes.iter().zip(sizes) {
            // The batch stays what it is.
            if axis == 0 {
                continue;
            }
            let size = usize::try_from(size).ok().filter(|&size| size < 1 << 24);
            let size = size.ok_or_else(|| call.unsupported("a size below 0, or absurd"))?;
            let scale = size as f64 / x.shape[axis - 1].max(1) as f64;
            scales[axis] = (scale, Some(size));
            even = Some(match (even, policy.as_str()) {
                (Some(even), "not_larger") => even.min(scale),
                (Some(even), "not_smaller") => even.max(scale),
                _ => scale,
            });
        }
        // One scale for all axes that are told, and sizes rounded.
        if let Some(even) = even.filter(|_| policy != "stretch") {
            for &axis in axes.iter().filter(|axis| **axis != 0) {
                let size = (even * x.shape[axis - 1] as f64 + 0.5).floor();
                scales[axis] = (even, Some(size as usize));
            }
        }
    }
    if scales[0].0 != 1.0 {
        return Err(call.unsupported("more or fewer samples in the batch"));
    }
    Ok(scales.split_off(1))
}

/// The pixel that each new one is.
fn nearest(
    call: &Call<'_>,
    len: usize,
    size: usize,
    scale: f64,
    places: &str,
    rounding: &str,
) -> Result<Vec<usize>> {
    let at = |to: usize| {
        let to = to as f64;
        Some(match places {
            "half_pixel" => (to + 0.5) / scale - 0.5,
            "half_pixel_symmetric" => {
                let adjusted = size as f64 / (len as f64 * scale);
                let offset = len as f64 / 2.0 * (1.0 - adjusted);
                offset + (to + 0.5) / scale - 0.5
            }
            "pytorch_half_pixel" if size == 1 => 0.0,
            "pytorch_half_pixel" => (to + 0.5) / scale - 0.5,
            "asymmetric" => to / scale,
            "align_corners" if size == 1 => 0.0,
            "align_corners" => to * (len as f64 - 1.0) / (size as f64 - 1.0),
            _ => return None,
        })
    };
    let round = |at: f64| {
        Some(match rounding {
            "floor" => at.floor(),
            "ceil" => at.ceil(),
            "round_prefer_floor" => (at - 0.5).ceil(),
            "round_prefer_ceil" => (at + 0.5).floor(),
            _ => return None,
        })
    };
    let place = |to: usize| Some(round(at(to)?)?.clamp(0.0, len as f64 - 1.0) as usize);
    let found: Option<Vec<usize>> = (0..size).map(place).collect();
    found.ok_or_else(|| call.unsupported(format!("`nearest` with `{places}` and `{rounding}`")))
}

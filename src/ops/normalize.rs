//! Values stretched linearly to a range.

use std::sync::Arc;

use super::Context;
use super::histogram::{ExtremaReduction, Histogram, HistogramReduction, reduce};
use super::point::{map_node, refit_integers, white};
use super::row::{Reduction, RowNode, Shape, State, apply};
use super::stencil::expect_types;
use crate::image::{Element, Image, ImageType};
use crate::kernel::Isa;
use crate::kernel::histogram::extrema_row;
use crate::{Error, ErrorKind, Result};

/// Parameters of [`normalize`].
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Normalize {
    /// Shares of the values, in percent, that fall below the range and up to its end; `None` takes the
    /// least and the largest value.
    pub percentiles: Option<[f64; 2]>,
    /// Where the range goes, in units of the image; `None` is black to white.
    pub range: Option<[f64; 2]>,
}

impl Normalize {
    /// Whether two values are enough, which strips observe, or all of a float image are needed.
    pub(crate) fn wants_whole(&self, ty: ImageType) -> bool {
        self.percentiles.is_some() && ty.element() == Element::F32
    }

    fn range(&self, ty: ImageType) -> [f64; 2] {
        self.range.unwrap_or([0.0, white(ty)])
    }
}

/// Checks that an image can be normalized.
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) for labels and gradients, [`Pipeline`](ErrorKind::Pipeline) for
/// percentiles that do not rise within 0 to 100 and a range that is not finite.
pub fn check(input: Shape, params: &Normalize) -> Result<()> {
    expect_types("normalize", input, &[ImageType::READ.as_slice(), &[ImageType::Mask]].concat())?;
    if params.range.is_some_and(|range| range.iter().any(|end| !end.is_finite())) {
        return Err(Error::pipeline("`range` wants two finite numbers"));
    }
    match params.percentiles {
        Some([low, high]) if !(0.0 <= low && low < high && high <= 100.0) => Err(Error::pipeline(format!(
            "`percentiles` wants two rising numbers from 0 to 100, got {low} and {high}"
        ))),
        _ => Ok(()),
    }
}

/// The map that takes `low..=high` to the range wanted, in the steps of OpenCV's `normalize`: scale
/// and shift in `f64`, the map in `f32` (of floats in `f64` too). Values beyond stay at its ends; where all values are alike,
/// they become the range's first.
pub fn node(ty: ImageType, params: &Normalize, [low, high]: [f64; 2]) -> Arc<dyn RowNode> {
    let [first, last] = params.range(ty);
    let scale = scale([low, high], [first, last]);
    let (least, most) = (first.min(last), first.max(last));
    if ty.element() == Element::F32 {
        let shift = first - low * scale;
        return map_node("normalize", ty, move |value| (value * scale + shift).clamp(least, most));
    }
    map_node("normalize", ty, integers(ty, params, [low, high]))
}

/// The map of integers.
fn integers(ty: ImageType, params: &Normalize, [low, high]: [f64; 2]) -> impl Fn(f64) -> f64 + use<> {
    let [first, last] = params.range(ty);
    let scale = scale([low, high], [first, last]);
    let (factor, shift) = (scale as f32, (first - low * scale) as f32);
    let (least, most) = (first.min(last), first.max(last));
    move |value| f64::from(value as f32 * factor + shift).clamp(least, most)
}

fn scale([low, high]: [f64; 2], [first, last]: [f64; 2]) -> f64 {
    let span = high - low;
    if span > f64::EPSILON { (last - first) / span } else { 0.0 }
}

/// Makes a [`node`] that there is to that of another range of values, in its memory; `false` where it cannot
/// be, as of floats.
pub(crate) fn refit(node: &mut Arc<dyn RowNode>, ty: ImageType, params: &Normalize, range: [f64; 2]) -> bool {
    ty.element() != Element::F32 && refit_integers(node, integers(ty, params, range))
}

/// The reduction that finds the range of values.
pub(crate) fn reduction(ty: ImageType, params: &Normalize) -> Arc<dyn Reduction> {
    match (ty.element(), params.percentiles) {
        (Element::F32, _) => Arc::new(ExtremaReduction),
        (element, None) => Arc::new(IntegerExtrema(element)),
        _ => Arc::new(HistogramReduction::default()),
    }
}

/// The least and the largest value of an image of 8 or 16 bit; the state is that of [`ExtremaReduction`].
#[derive(Clone, Copy, Debug)]
struct IntegerExtrema(Element);

impl Reduction for IntegerExtrema {
    fn name(&self) -> &'static str {
        "extrema"
    }

    fn start(&self, input: Shape) -> State {
        ExtremaReduction.start(input)
    }

    fn restart(&self, state: &mut State) -> bool {
        ExtremaReduction.restart(state)
    }

    fn observe(&self, isa: Isa, state: &mut State, planes: &[&[u8]]) {
        let found = match self.0 {
            Element::U8 => extrema_row(isa, planes[0]).map(|ends| ends.map(f32::from)),
            _ => extrema_row::<u16>(isa, bytemuck::cast_slice(planes[0])).map(|ends| ends.map(f32::from)),
        };
        if let Some([low, high]) = found {
            crate::kernel::histogram::extrema_f32_row(&[low, high], super::stencil::scratch(state));
        }
    }

    fn merge(&self, into: &mut State, below: &mut State) {
        ExtremaReduction.merge(into, below);
    }
}

/// The range that an observation of [`reduction`] tells.
pub(crate) fn observed(params: &Normalize, state: &mut State) -> Result<[f64; 2]> {
    if let Some(extrema) = state.downcast_ref::<Option<(f32, f32)>>() {
        return Ok(extrema.map_or([0.0, 0.0], |(low, high)| [low, high].map(f64::from)));
    }
    let histogram = Histogram::from_state(state)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a histogram was lost"))?;
    let [low, high] = params.percentiles.unwrap_or([0.0, 100.0]);
    let total = histogram.total();
    if total == 0 {
        return Ok([0.0, 0.0]);
    }
    Ok([low, high].map(|percent| percentile(percent, total, |rank| value_at(histogram, rank))))
}

/// The value of a rank, counted from 0.
fn value_at(histogram: &Histogram, rank: u64) -> f64 {
    let mut below = 0;
    let bin = histogram.counts.iter().position(|&count| {
        below += count;
        below > rank
    });
    bin.unwrap_or_default() as f64
}

/// A percentile of `total` values, linear between the two nearest ranks (NumPy's default).
fn percentile(percent: f64, total: u64, mut value: impl FnMut(u64) -> f64) -> f64 {
    let place = percent / 100.0 * (total - 1) as f64;
    let part = place - place.floor();
    let first = value(place.floor() as u64);
    if part == 0.0 { first } else { first + (value(place.floor() as u64 + 1) - first) * part }
}

/// The range of a float image's percentiles; values that are not finite are left out.
pub(crate) fn float_range(image: &Image, [low, high]: [f64; 2]) -> [f64; 2] {
    let values: &[f32] = bytemuck::cast_slice(image.plane_bytes(0));
    let mut values: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let total = values.len() as u64;
    if total == 0 {
        return [0.0, 0.0];
    }
    [low, high].map(|percent| {
        percentile(percent, total, |rank| {
            let (_, value, _) = values.select_nth_unstable_by(rank as usize, f32::total_cmp);
            f64::from(*value)
        })
    })
}

/// Stretches the values of a picture, all channels alike, to a range; see [`node`]. Masks become gray.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Normalize, normalize};
///
/// let image = Image::Gray8(Plane::from_vec(3, 1, vec![50, 75, 100])?);
/// let stretched = normalize(&image, &Normalize::default(), &Context::default())?;
/// let values = stretched.as_gray8()?;
/// assert_eq!((values.get(0, 0), values.get(2, 0)), (0, 255));
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) for labels and gradients, [`Pipeline`](ErrorKind::Pipeline) for
/// percentiles that do not rise within 0 to 100, [`Cancelled`](ErrorKind::Cancelled).
pub fn normalize(image: &Image, params: &Normalize, cx: &Context) -> Result<Image> {
    let ty = image.ty();
    check(Shape::of(image), params)?;
    let range = match params.percentiles {
        Some(percentiles) if params.wants_whole(ty) => float_range(image, percentiles),
        _ => observed(params, &mut reduce(reduction(ty, params), image, cx)?)?,
    };
    apply(node(ty, params, range), &[image], cx)
}

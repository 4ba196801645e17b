//! Uneven light and dark current taken out of a picture.
//!
//! `(image - dark) / (flat - dark) * mean(flat - dark)`, where `flat` is a picture of an even surface
//! and `dark` one without light. Made of three nodes and a sum, so that it streams: the light
//! (`flat - dark`), its mean, the gain it asks for, and the correction.

use std::sync::Arc;

use super::Context;
use super::arithmetic::combined_type;
use super::convert::{self, Convert, Depth};
use super::difference;
use super::histogram::reduce;
use super::row::{Reduction, RowNode, RowOut, Rows, Shape, State, apply};
use super::stencil::scratch;
use crate::image::{Element, Image, ImageType};
use crate::kernel::Isa;
use crate::kernel::arithmetic::{Operation, flat_field_row};
use crate::{Error, ErrorKind, Result};

/// Sums of each channel of a float image, in units of 2^-32, and how many pixels they are of.
///
/// Whole numbers, so that strips can be merged in any way; of 8 and 16 bit exact. Values beyond 2^24 count
/// as that, NaN as 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    channels: [i128; 3],
    pixels: u64,
}

const UNIT: f64 = (1u64 << 32) as f64;
/// Values that are summed in 64 bits: 64 of 2^24 in units of 2^-32 stay below 2^63.
const GROUP: usize = 64;

impl Sums {
    /// The mean of each channel.
    fn means(&self) -> [f64; 3] {
        self.channels.map(|sum| sum as f64 / UNIT / self.pixels.max(1) as f64)
    }
}

/// Sums float images channel by channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SumReduction;

impl Reduction for SumReduction {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn start(&self, input: Shape) -> State {
        Box::new((Sums::default(), input.ty.channels()))
    }

    fn restart(&self, state: &mut State) -> bool {
        scratch::<(Sums, usize)>(state).0 = Sums::default();
        true
    }

    fn observe(&self, _isa: Isa, state: &mut State, planes: &[&[u8]]) {
        let (sums, channels): &mut (Sums, usize) = scratch(state);
        let row: &[f32] = bytemuck::cast_slice(planes[0]);
        for group in row.chunks(GROUP * *channels) {
            let mut parts = [0i64; 3];
            for pixel in group.chunks_exact(*channels) {
                for (part, &value) in parts.iter_mut().zip(pixel) {
                    *part += (f64::from(value.clamp(-16_777_216.0, 16_777_216.0)) * UNIT) as i64;
                }
            }
            sums.channels.iter_mut().zip(parts).for_each(|(sum, part)| *sum += i128::from(part));
        }
        sums.pixels += (row.len() / *channels) as u64;
    }

    fn merge(&self, into: &mut State, below: &mut State) {
        let (into, _): &mut (Sums, usize) = scratch(into);
        let (below, _): &mut (Sums, usize) = scratch(below);
        into.pixels += below.pixels;
        into.channels.iter_mut().zip(below.channels).for_each(|(into, below)| *into += below);
    }
}

/// The light of the flat picture turned into the factor of every pixel: its mean over it, and 0 where
/// there is no light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainRows {
    means: [f32; 3],
}

impl RowNode for GainRows {
    fn name(&self) -> &'static str {
        "gain"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let channels = rows.shape(0).ty.channels();
        let light: &[f32] = rows.get(0, 0, y as isize);
        for (light, out) in light.chunks_exact(channels).zip(out.row::<f32>().chunks_exact_mut(channels)) {
            for ((&light, out), mean) in light.iter().zip(out).zip(self.means) {
                *out = if light > 0.0 { mean / light } else { 0.0 };
            }
        }
    }
}

/// The map from light to gain, and the means, that a [`SumReduction`] leads to.
pub(crate) fn gain(state: &mut State) -> Result<(Arc<dyn RowNode>, [f64; 3])> {
    let (sums, _) = state
        .downcast_ref::<(Sums, usize)>()
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a sum was lost"))?;
    let means = sums.means();
    Ok((Arc::new(GainRows { means: means.map(|mean| mean as f32) }), means))
}

/// Multiplies an image, less the dark picture where there is one, with the gain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlatFieldRows {
    has_dark: bool,
}

impl RowNode for FlatFieldRows {
    fn name(&self) -> &'static str {
        "flat-field"
    }

    fn inputs(&self) -> usize {
        2 + usize::from(self.has_dark)
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = if inputs[0].ty == ImageType::Mask { ImageType::Gray8 } else { inputs[0].ty };
        Shape { ty, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let y = y as isize;
        macro_rules! write {
            ($type:ty) => {{
                let dark: Option<&[$type]> = self.has_dark.then(|| rows.get(2, 0, y));
                flat_field_row(isa, rows.get::<$type>(0, 0, y), dark, rows.get(1, 0, y), out.row());
            }};
        }
        match rows.shape(0).ty.element() {
            Element::U8 => write!(u8),
            Element::U16 => write!(u16),
            _ => write!(f32),
        }
    }
}

/// The nodes of `flat-field`: from the flat picture (and the dark one) to the light; and from image,
/// gain (and dark) to the result.
pub(crate) struct Nodes {
    /// Reads flat and, if there is one, dark. None where the flat picture is the light itself.
    pub light: Option<Arc<dyn RowNode>>,
    /// Reads image, gain and, if there is one, dark.
    pub correct: Arc<dyn RowNode>,
}

/// See [`Nodes`].
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) when types or sizes differ, and for labels and gradients.
pub(crate) fn nodes(image: Shape, flat: Shape, dark: Option<Shape>) -> Result<Nodes> {
    for other in [Some(flat), dark].into_iter().flatten() {
        let is_sized = (other.width, other.height) == (image.width, image.height);
        if !is_sized || combined_type(Operation::Subtract, image.ty, Some(other.ty)).is_none() {
            return Err(Error::shape(format!(
                "`flat-field` wants pictures of one type and size, got `{}` {}x{} and `{}` {}x{}",
                image.ty, image.width, image.height, other.ty, other.width, other.height
            )));
        }
    }
    let light = match dark {
        Some(dark) => Some(difference::node(flat, dark, true)?),
        None => convert::nodes(flat, &Convert { to: Depth::F32, scale: Some(1.0), offset: 0.0 })?.pop(),
    };
    Ok(Nodes { light, correct: Arc::new(FlatFieldRows { has_dark: dark.is_some() }) })
}

/// Corrects a picture by one of an even surface and, if given, one without light, all of one type and
/// size; channels apart.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, flat_field};
///
/// let image = Image::Gray8(Plane::from_vec(2, 1, vec![100, 50])?);
/// // A picture that is the light itself becomes even.
/// let even = flat_field(&image, &image, None, &Context::default())?;
/// assert_eq!(even.as_gray8()?.as_slice(), [75, 75]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) when types or sizes differ, and for labels and gradients,
/// [`Cancelled`](ErrorKind::Cancelled).
pub fn flat_field(image: &Image, flat: &Image, dark: Option<&Image>, cx: &Context) -> Result<Image> {
    let nodes = nodes(Shape::of(image), Shape::of(flat), dark.map(Shape::of))?;
    let made = match (nodes.light, dark) {
        (Some(light), Some(dark)) => Some(apply(light, &[flat, dark], cx)?),
        (Some(light), None) => Some(apply(light, &[flat], cx)?),
        (None, _) => None,
    };
    let light = made.as_ref().unwrap_or(flat);
    let (node, _) = gain(&mut reduce(Arc::new(SumReduction), light, cx)?)?;
    let gain = apply(node, &[light], cx)?;
    let inputs: Vec<&Image> = [Some(image), Some(&gain), dark].into_iter().flatten().collect();
    apply(nodes.correct, &inputs, cx)
}

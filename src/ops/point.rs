//! Maps of single values: invert, gamma, and what builds on them.
//!
//! Integers go through a table of all their values, so that each value is computed once, in `f64`;
//! floats are computed one by one.

use std::any::Any;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::equalize::{Table16Rows, TableRows};
use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::expect_types;
use crate::image::{Element, Image, ImageType};
use crate::kernel::{Isa, arithmetic};
use crate::{Error, Result};

/// A map of floats.
type Map = dyn Fn(f32) -> f32 + Send + Sync;

/// Replaces every value of a float image.
#[derive(Clone)]
pub struct FloatRows {
    name: &'static str,
    map: Arc<Map>,
}

impl FloatRows {
    /// A node of this name.
    pub fn new(name: &'static str, map: impl Fn(f32) -> f32 + Send + Sync + 'static) -> Self {
        Self { name, map: Arc::new(map) }
    }
}

impl RowNode for FloatRows {
    fn name(&self) -> &'static str {
        self.name
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        for (&value, out) in rows.get::<f32>(0, 0, y as isize).iter().zip(out.row::<f32>()) {
            *out = (self.map)(value);
        }
    }
}

/// A node that maps every value of pictures of type `ty` (gray, colour, or masks, which become gray).
///
/// Integers are rounded to the nearest, ties to even, and saturated.
pub(crate) fn map_node(
    name: &'static str,
    ty: ImageType,
    map: impl Fn(f64) -> f64 + Send + Sync + 'static,
) -> Arc<dyn RowNode> {
    match ty.element() {
        Element::U8 => {
            let table = std::array::from_fn(|i| map(i as f64).round_ties_even() as u8);
            let output = if ty == ImageType::Mask { ImageType::Gray8 } else { ty };
            Arc::new(TableRows::new(name, Arc::new(table), output))
        }
        Element::U16 => {
            let table = (0..=u16::MAX).map(|i| map(f64::from(i)).round_ties_even() as u16).collect();
            Arc::new(Table16Rows::new(name, table))
        }
        _ => Arc::new(FloatRows::new(name, move |value| map(f64::from(value)) as f32)),
    }
}

/// Fills the table of a [`map_node`] of integers anew, in its memory; `false` where it is none, or in use.
pub(crate) fn refit_integers(node: &mut Arc<dyn RowNode>, map: impl Fn(f64) -> f64) -> bool {
    let Some(node) = Arc::get_mut(node) else { return false };
    let node: &mut dyn Any = node;
    if let Some(table) = node.downcast_mut::<TableRows>().and_then(TableRows::table_mut) {
        (0..=u8::MAX).zip(table).for_each(|(i, entry)| *entry = map(f64::from(i)).round_ties_even() as u8);
        return true;
    }
    if let Some(table) = node.downcast_mut::<Table16Rows>().and_then(Table16Rows::table_mut) {
        (0..=u16::MAX).zip(table).for_each(|(i, entry)| *entry = map(f64::from(i)).round_ties_even() as u16);
        return true;
    }
    false
}

/// The value of white in pictures of a type.
pub(crate) fn white(ty: ImageType) -> f64 {
    match ty.element() {
        Element::U8 => 255.0,
        Element::U16 => 65535.0,
        _ => 1.0,
    }
}

/// Every value becomes its distance to white; masks stay masks.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct InvertRows;

impl RowNode for InvertRows {
    fn name(&self) -> &'static str {
        "invert"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let y = y as isize;
        match rows.shape(0).ty.element() {
            Element::U8 => arithmetic::invert_row::<u8>(isa, rows.get(0, 0, y), 255, out.row()),
            Element::U16 => arithmetic::invert_row::<u16>(isa, rows.get(0, 0, y), 65535, out.row()),
            _ => arithmetic::invert_row::<f32>(isa, rows.get(0, 0, y), 1.0, out.row()),
        }
    }
}

fn expect_picture(name: &str, input: Shape) -> Result<()> {
    expect_types(name, input, &[ImageType::READ.as_slice(), &[ImageType::Mask]].concat())
}

/// The node of `invert`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients.
pub fn invert_nodes(input: Shape) -> Result<Chain> {
    expect_picture("invert", input)?;
    // Of 8 bit a table, which merges with its neighbours.
    Ok(match input.ty.element() {
        Element::U8 => {
            let table = std::array::from_fn(|i| 255 - i as u8);
            vec![Arc::new(TableRows::new("invert", Arc::new(table), input.ty))]
        }
        _ => vec![Arc::new(InvertRows)],
    })
}

/// Every value becomes its distance to white: `255 - v`, `65535 - v`, `1 - v`. OpenCV's `bitwise_not`
/// for integers.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, invert};
///
/// let image = Image::Gray8(Plane::from_vec(2, 1, vec![0, 55])?);
/// assert_eq!(invert(&image, &Context::default())?.as_gray8()?.as_slice(), [255, 200]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn invert(image: &Image, cx: &Context) -> Result<Image> {
    apply_chain(invert_nodes(Shape::of(image))?, image, cx)
}

/// The node of `gamma`; masks become gray.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for a gamma that is not positive.
pub fn gamma_nodes(input: Shape, gamma: f64, gain: f64) -> Result<Chain> {
    expect_picture("gamma", input)?;
    if gamma.is_nan() || gamma <= 0.0 || !gamma.is_finite() {
        return Err(Error::pipeline(format!("`gamma` wants a number above 0, got {gamma}")));
    }
    let white = white(input.ty);
    Ok(vec![map_node("gamma", input.ty, move |value| gain * white * libm::pow(value / white, gamma))])
}

/// Parameters of [`gamma`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    /// The power: above 1 darkens, below 1 brightens.
    pub gamma: f64,
    /// What the result is multiplied with.
    pub gain: f64,
}

impl Default for Gamma {
    /// Nothing is changed.
    fn default() -> Self {
        Self { gamma: 1.0, gain: 1.0 }
    }
}

/// `white * gain * (v / white) ^ gamma`, computed in `f64`: above 1 darkens, below 1 brightens.
///
/// White is 255, 65535 or 1. Floats below 0 become NaN unless `gamma` is whole.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Gamma, gamma};
///
/// let image = Image::Gray8(Plane::from_vec(3, 1, vec![0, 128, 255])?);
/// let dark = gamma(&image, &Gamma { gamma: 2.0, ..Gamma::default() }, &Context::default())?;
/// // 255 * (128 / 255)^2 is 64.25.
/// assert_eq!(dark.as_gray8()?.as_slice(), [0, 64, 255]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for a gamma that is not positive,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn gamma(image: &Image, params: &Gamma, cx: &Context) -> Result<Image> {
    apply_chain(gamma_nodes(Shape::of(image), params.gamma, params.gain)?, image, cx)
}

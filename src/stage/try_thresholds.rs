//! The stage `try-thresholds`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::threshold::Semantics;
use super::{
    DataType, Family, ImageValue, Kind, Lowering, Meta, Output, Port, PortType, Stage, Value, ValueId, Whole,
    types,
};
use crate::image::{Affine, Image, ImageType, Plane};
use crate::ops::chart::words_of;
use crate::ops::level::{self, Method};
use crate::ops::preview::preview;
use crate::ops::row::Shape;
use crate::ops::threshold::{Threshold, threshold};
use crate::ops::{Context, draw};
use crate::{Error, ErrorKind, Result};

/// One sheet of every method of `threshold`: the picture, then a mask a method with its name and level.
///
/// The sheet is `rgb8`, three tiles wide; the levels are in the record by the method's name. A method that finds
/// no level (`minimum` where there are no two peaks) has a black tile and no number.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TryThresholds {
    /// Whose `triangle` is meant.
    pub semantics: Semantics,
}

/// See [`TryThresholds`].
pub const KIND: Kind = Kind::new::<TryThresholds>(
    "try-thresholds",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"try-thresholds\"",
);

/// Tiles side by side.
const COLUMNS: usize = 3;
/// Pixels above a tile for its words, and round it.
const CAPTION: usize = 12;
const GAP: usize = 4;

/// Width and height of a tile with its caption; wide enough for the words.
fn tile(shape: Shape) -> (usize, usize) {
    let words = draw::text_size("max-entropy 65535.00", 1).0;
    (shape.width.max(words) + GAP, shape.height + CAPTION + GAP)
}

fn sheet_size(shape: Shape) -> (usize, usize) {
    let (width, height) = tile(shape);
    (COLUMNS * width + GAP, (Method::ALL.len() + 1).div_ceil(COLUMNS) * height + GAP)
}

impl Stage for TryThresholds {
    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", types::RGB8), ("levels", PortType::Data(DataType::Measures))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let (width, height) = sheet_size(graph.shape(inputs[0])?);
        let sheet = Meta::Image { shape: Shape::new(ImageType::Rgb8, width, height), map: Affine::IDENTITY };
        let outputs = vec![sheet, Meta::Data(DataType::Measures)];
        Ok(graph.whole(Arc::new(Sheet(self.semantics.into())), inputs, outputs))
    }
}

struct Sheet(level::Semantics);

impl Whole for Sheet {
    fn name(&self) -> &'static str {
        "try-thresholds"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let image = &value.image;
        let (width, height) = sheet_size(Shape::of(image));
        let mut sheet = Plane::filled(width, height, [255; 3]);
        let mut levels = Vec::new();
        put(&mut sheet, Shape::of(image), 0, "input", &draw::to_rgb8(&preview(image))?);
        for (place, method) in (1..).zip(Method::ALL) {
            cx.check()?;
            let (words, mask) = match level::level(image, &level::FindLevel { method, semantics: self.0 }, cx)
            {
                Ok(level) => {
                    levels.push((method.as_str().to_owned(), f64::from(level)));
                    let mask = threshold(image, &Threshold { level, ..Threshold::default() }, cx)?;
                    (format!("{} {}", method.as_str(), words_of(f64::from(level))), mask)
                }
                Err(error) if error.kind() == ErrorKind::Input => {
                    let nothing = Image::new(ImageType::Mask, image.width(), image.height());
                    (format!("{} -", method.as_str()), nothing)
                }
                Err(error) => return Err(error),
            };
            put(&mut sheet, Shape::of(image), place, &words, &draw::to_rgb8(&mask)?);
        }
        let sheet = ImageValue { image: cx.share(Image::Rgb8(sheet)), map: Affine::IDENTITY };
        outputs.extend([Value::Image(sheet), Value::Measures(Arc::new(levels))]);
        Ok(())
    }
}

/// Lays a tile with its words in its place.
fn put(sheet: &mut Plane<[u8; 3]>, shape: Shape, place: usize, words: &str, picture: &Plane<[u8; 3]>) {
    let (width, height) = tile(shape);
    let (left, top) = (GAP + place % COLUMNS * width, GAP + place / COLUMNS * height);
    draw::text(sheet, (left as f64, top as f64), words, 1, [0; 3]);
    for y in 0..picture.height() {
        let row = &mut sheet.row_mut(top + CAPTION + y)[left..left + picture.width()];
        row.copy_from_slice(picture.row(y));
    }
}

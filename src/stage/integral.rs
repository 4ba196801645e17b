//! The stage `integral`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Meta, Output, Port, PortType, Stage, Value, ValueId, Whole, types,
};
use crate::image::ImageType;
use crate::ops::row::Shape;
use crate::ops::{Context, integral};
use crate::{Error, Result};

/// The integral image (Crow 1984; Viola and Jones 2001): each value is the sum of all pixels above
/// and left of it.
///
/// One row and one column larger than the image, the first of each zero. Sums are exact integers
/// (of floats: `f64` in a fixed order), rounded once to `gray-f32`; above 2^24 not every integer is
/// a float. The library function `ops::integral` gives the exact sums.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Integral {
    /// In which units the values are.
    pub output: IntegralOutput,
}

/// In which units the values are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IntegralOutput {
    /// Sums of pixels in units of the image.
    #[default]
    Sum,
    /// Sums divided by the sum of the whole image, 0..=1: to look at.
    Picture,
}

/// See [`Integral`].
pub const KIND: Kind = Kind::new::<Integral>(
    "integral",
    Family::Filters,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"integral\"\noutput = \"picture\"",
);

impl Stage for Integral {
    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", types::GRAY_F32)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let output = Meta::Image {
            shape: Shape::new(ImageType::GrayF32, shape.width + 1, shape.height + 1),
            map: graph.map(inputs[0]),
        };
        Ok(graph.whole(Arc::new(IntegralStep(self.output)), inputs, vec![output]))
    }
}

struct IntegralStep(IntegralOutput);

impl Whole for IntegralStep {
    fn name(&self) -> &'static str {
        "integral"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let is_picture = self.0 == IntegralOutput::Picture;
        let image = cx.share(integral::integral_floats(&value.image, is_picture, cx)?);
        outputs.push(Value::Image(ImageValue { image, map: value.map }));
        Ok(())
    }
}

//! The stage `canny`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value, ValueId,
    Whole, types,
};
use crate::document::Resources;
use crate::image::{Image, ImageType};
use crate::ops::row::Shape;
use crate::ops::{Context, canny, hysteresis};
use crate::{Error, Result};

/// Edges one pixel wide (Canny 1986): gradients, thinned to their ridges, kept where they hang
/// together with a strong one.
///
/// OpenCV's `Canny`, to the bit. It does not smooth: put `gaussian-blur` before it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Canny {
    /// Gradients above it are edges where they hang together with a strong one.
    #[schemars(range(min = 0.0))]
    pub low: f32,
    /// Gradients above it are edges.
    #[schemars(range(min = 0.0))]
    pub high: f32,
    /// Window of the Sobel operator in pixels: 3 or 5. Gradients are not normalised: levels grow with it.
    pub size: u32,
    /// How a gradient is measured.
    pub norm: Norm,
}

/// How a gradient is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// `|dx| + |dy|`.
    #[default]
    L1,
    /// `sqrt(dx² + dy²)`.
    L2,
}

impl Default for Canny {
    fn default() -> Self {
        Self { low: 100.0, high: 200.0, size: 3, norm: Norm::L1 }
    }
}

/// See [`Canny`].
pub const KIND: Kind = Kind::new::<Canny>(
    "canny",
    Family::Filters,
    &[Port::new("image", &[types::GRAY8, types::MASK])],
    "use = \"canny\"\nlow = 50\nhigh = 120",
);

impl Stage for Canny {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if ![3, 5].contains(&self.size) {
            return Err(ParameterError::new("size", format!("wants 3 or 5, got `{}`", self.size)));
        }
        if self.low > self.high {
            let message = format!("`low` is {}, above `high` with {}", self.low, self.high);
            return Err(ParameterError::new("low", message));
        }
        Ok(())
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", types::MASK)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let params = canny::Canny {
            low: self.low,
            high: self.high,
            size: self.size as usize,
            l2: self.norm == Norm::L2,
        };
        let shape = graph.shape(inputs[0])?;
        let classes = graph.chain(canny::nodes(shape, &params)?, inputs[0])?;
        let output = Meta::Image {
            shape: Shape::new(ImageType::Mask, shape.width, shape.height),
            map: graph.map(inputs[0]),
        };
        Ok(graph.whole(Arc::new(Hysteresis), &[classes], vec![output]))
    }
}

struct Hysteresis;

impl Whole for Hysteresis {
    fn name(&self) -> &'static str {
        "hysteresis"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let classes = value.image.as_gray8()?;
        let mask = hysteresis::hysteresis(classes.view(), cx)?;
        outputs.push(Value::Image(ImageValue { image: cx.share(Image::Mask(mask)), map: value.map }));
        Ok(())
    }
}

//! The stage `threshold`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    DataType, Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::Resources;
use crate::image::ImageType;
use crate::ops::Context;
use crate::ops::histogram::{self, Histogram, HistogramReduction};
use crate::ops::row::{RowNode, Shape};
use crate::ops::threshold::{self, ThresholdRows};
use crate::{Error, Result};

/// Compares every pixel with a level: `pixel > level` is above.
///
/// The binary types give a `mask`, the others the type of the image. With `method = "otsu"` the
/// level is chosen from the histogram (Otsu 1979) and told in the record as `level`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Threshold {
    /// How the level is found. By default `fixed` where `level` is given, else `otsu`.
    pub method: Option<Method>,
    /// The level of `method = "fixed"` in units of the image: 0..=255, 0..=65535, or the floats as
    /// they are.
    pub level: Option<f32>,
    /// What becomes of pixels above and below.
    #[serde(rename = "type")]
    pub kind: ThresholdType,
}

/// How the level is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The level given.
    Fixed,
    /// The level that separates the histogram into two classes of the greatest variance between them.
    Otsu,
}

/// What becomes of pixels above and below the level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdType {
    /// A mask: 255 above, 0 below.
    #[default]
    Binary,
    /// A mask: 0 above, 255 below.
    BinaryInv,
    /// The level above, the pixel below.
    Trunc,
    /// The pixel above, 0 below.
    Tozero,
    /// 0 above, the pixel below.
    TozeroInv,
}

impl Threshold {
    fn is_otsu(&self) -> bool {
        match self.method {
            Some(method) => method == Method::Otsu,
            None => self.level.is_none(),
        }
    }

    fn op(&self) -> threshold::ThresholdType {
        match self.kind {
            ThresholdType::Binary => threshold::ThresholdType::Binary,
            ThresholdType::BinaryInv => threshold::ThresholdType::BinaryInv,
            ThresholdType::Trunc => threshold::ThresholdType::Trunc,
            ThresholdType::Tozero => threshold::ThresholdType::ToZero,
            ThresholdType::TozeroInv => threshold::ThresholdType::ToZeroInv,
        }
    }
}

/// See [`Threshold`].
pub const KIND: Kind = Kind::new::<Threshold>(
    "threshold",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"threshold\"\nlevel = 100",
);

impl Stage for Threshold {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        match (self.method, self.level) {
            (Some(Method::Fixed), None) => {
                Err(ParameterError::new("method", "`fixed` wants a `level`")
                    .with_hint("add `level = 128`, say"))
            }
            (Some(Method::Otsu), Some(_)) => {
                Err(ParameterError::new("level", "`method = \"otsu\"` finds the level itself")
                    .with_hint("remove it"))
            }
            _ => Ok(()),
        }
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let ty = match inputs[0] {
            _ if self.op().is_binary() => types::MASK,
            types::MASK => types::GRAY8,
            other => other,
        };
        let mut outputs = vec![("image", ty)];
        if self.is_otsu() {
            outputs.push(("level", PortType::Data(DataType::Measures)));
        }
        Ok(outputs)
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let op = self.op();
        if !self.is_otsu() {
            let nodes = threshold::nodes(shape, self.level.unwrap_or_default(), op)?;
            return Ok(vec![graph.chain(nodes, inputs[0])?]);
        }
        let ty = match shape.ty {
            _ if op.is_binary() => ImageType::Mask,
            ImageType::Mask => ImageType::Gray8,
            other => other,
        };
        let output = Shape::new(ty, shape.width, shape.height);
        if shape.ty == ImageType::GrayF32 {
            let map = graph.map(inputs[0]);
            let outputs = vec![Meta::Image { shape: output, map }, Meta::Data(DataType::Measures)];
            return Ok(graph.whole(Arc::new(FloatOtsu(op)), inputs, outputs));
        }
        let reduction = Arc::new(HistogramReduction::default());
        let finish = Arc::new(move |state| {
            let level = histogram::otsu_level(
                &Histogram::from_state(state).ok_or_else(|| Error::shape("a histogram was lost"))?,
            );
            let node: Arc<dyn RowNode> = Arc::new(ThresholdRows::new(shape.ty, level, op));
            Ok((node, vec![("level".to_owned(), f64::from(level))]))
        });
        let (image, measures) = graph.reduce(inputs[0], reduction, finish, output)?;
        Ok(vec![image, measures])
    }
}

/// Otsu's level of floats needs their range before their histogram: two passes over a whole image.
struct FloatOtsu(threshold::ThresholdType);

impl Whole for FloatOtsu {
    fn name(&self) -> &'static str {
        "otsu"
    }

    fn run(&self, cx: &Context, inputs: &[Value]) -> Result<Vec<Value>> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let level = histogram::otsu_level(&histogram::histogram(&value.image, cx)?);
        let image = Arc::new(threshold::threshold(&value.image, level, self.0, cx)?);
        let measures = vec![("level".to_owned(), f64::from(level))];
        Ok(vec![Value::Image(ImageValue { image, map: value.map }), Value::Measures(Arc::new(measures))])
    }
}

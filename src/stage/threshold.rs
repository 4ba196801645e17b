//! The stage `threshold`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::ops::threshold;

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
        Ok(vec![("image", ty)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let level = self.level.unwrap_or(128.0);
        let nodes = threshold::nodes(shape, level, self.op())?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}

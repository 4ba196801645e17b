//! The stage `arithmetic`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::ops::arithmetic;

/// Combines two images of one type and size, or an image and a constant, value by value.
///
/// The type stays; integers are rounded to the nearest (ties to even) and saturate, as in OpenCV. The
/// minimum and maximum of two masks are masks, everything else of masks is gray.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Arithmetic {
    /// What is computed of the first and the second value.
    pub operation: Operation,
    /// The second value, in units of the image, in place of a second input.
    #[serde(default)]
    pub constant: Option<f32>,
    /// What products and quotients are multiplied with.
    #[serde(default = "one")]
    pub scale: f32,
    /// The share of the second value in a blend, 0..=1.
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight: f32,
}

fn one() -> f32 {
    1.0
}

fn half() -> f32 {
    0.5
}

/// What is computed of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// First + second.
    Add,
    /// First - second.
    Subtract,
    /// First * second * `scale`.
    Multiply,
    /// First * `scale` / second; of integers 0 where the second is 0.
    Divide,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// Half of the sum.
    Average,
    /// First * (1 - `weight`) + second * `weight`.
    Blend,
}

/// See [`Arithmetic`].
pub const KIND: Kind = Kind::new::<Arithmetic>(
    "arithmetic",
    Family::Points,
    &[Port::new("first", types::PICTURE_OR_MASK), Port::many("second", types::PICTURE_OR_MASK)],
    "use = \"arithmetic\"\noperation = \"add\"",
);

impl Arithmetic {
    fn op(&self) -> arithmetic::Operation {
        use arithmetic::Operation as Op;
        match self.operation {
            Operation::Add => Op::Add,
            Operation::Subtract => Op::Subtract,
            Operation::Multiply => Op::Multiply(self.scale),
            Operation::Divide => Op::Divide(self.scale),
            Operation::Min => Op::Min,
            Operation::Max => Op::Max,
            Operation::Average => Op::Blend(0.5, 0.5),
            Operation::Blend => Op::Blend(1.0 - self.weight, self.weight),
        }
    }
}

impl Stage for Arithmetic {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        match self.constant {
            Some(constant) if !constant.is_finite() => {
                Err(ParameterError::new("constant", format!("wants a finite number, got `{constant}`")))
            }
            _ if !self.scale.is_finite() => {
                Err(ParameterError::new("scale", format!("wants a finite number, got `{}`", self.scale)))
            }
            _ => Ok(()),
        }
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let second = match (inputs, self.constant) {
            ([_], Some(_)) => None,
            ([_, second], None) => Some(*second),
            ([_], None) => {
                return Err("wants a second input or a `constant`: `in = [\"first\", \"second\"]`".to_owned());
            }
            (_, Some(_)) => return Err("wants one input beside a `constant`".to_owned()),
            _ => return Err(format!("wants two inputs, got {}", inputs.len())),
        };
        let types = inputs[0].image().zip(second.map_or(Some(None), |second| second.image().map(Some)));
        match types.and_then(|(a, b)| arithmetic::combined_type(self.op(), a, b)) {
            Some(ty) => Ok(vec![("image", PortType::Image(ty))]),
            None => Err(format!(
                "wants two images of one type, got `{}` and `{}`",
                inputs[0],
                second.unwrap_or(inputs[0])
            )),
        }
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let first = graph.shape(inputs[0])?;
        if let Some(constant) = self.constant {
            let nodes = arithmetic::constant_nodes(first, constant, self.op())?;
            return Ok(vec![graph.chain(nodes, inputs[0])?]);
        }
        let second = inputs.get(1).map_or(Ok(first), |second| graph.shape(*second))?;
        let node = arithmetic::node(first, second, self.op())?;
        Ok(vec![graph.rows(node, inputs)?])
    }
}

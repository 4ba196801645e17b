//! The stage `flip`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Meta, Output, Port, PortType, Stage, Value, ValueId, Whole, types,
};
use crate::ops::Context;
use crate::ops::row::Shape;
use crate::ops::turn::{self, Turn};
use crate::{Error, Result};

/// Mirrors an image.
///
/// Objects found afterwards are told in coordinates of the picture as read.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Flip {
    /// What changes places.
    pub direction: Direction,
}

/// What changes places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Left and right.
    #[default]
    Horizontal,
    /// Top and bottom.
    Vertical,
    /// Both, which is a turn by 180 degrees.
    Both,
}

/// See [`Flip`].
pub const KIND: Kind = Kind::new::<Flip>(
    "flip",
    Family::Geometry,
    &[Port::new("image", types::PLANE)],
    "use = \"flip\"\ndirection = \"vertical\"",
);

impl Stage for Flip {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let turn = match self.direction {
            Direction::Horizontal => Turn::FlipHorizontal,
            Direction::Vertical => Turn::FlipVertical,
            Direction::Both => Turn::Half,
        };
        lower_turn(turn, inputs[0], graph)
    }
}

/// Adds a change of places to a graph.
pub(super) fn lower_turn(turn: Turn, input: ValueId, graph: &mut Lowering) -> Result<Vec<ValueId>> {
    let shape = graph.shape(input)?;
    turn::check(shape)?;
    let (width, height) = turn.size(shape.width, shape.height);
    let map = graph.map(input).after(&turn.map(shape.width, shape.height));
    let output = Meta::Image { shape: Shape::new(shape.ty, width, height), map };
    Ok(graph.whole(Arc::new(TurnStep(turn)), &[input], vec![output]))
}

/// The last row comes first, so the image must be whole.
struct TurnStep(Turn);

impl Whole for TurnStep {
    fn name(&self) -> &'static str {
        match self.0 {
            Turn::Left | Turn::Right | Turn::Half => "rotate",
            Turn::FlipHorizontal | Turn::FlipVertical => "flip",
        }
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let (width, height) = (value.image.width(), value.image.height());
        let image = cx.share(turn::turn(&value.image, self.0, cx)?);
        let map = value.map.after(&self.0.map(width, height));
        outputs.push(Value::Image(ImageValue { image, map }));
        Ok(())
    }
}

//! The stage `equalize`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Finish, Kind, Lowering, Measures, Output, Port, PortType, Stage, ValueId, types};
use crate::ops::equalize;
use crate::ops::histogram::{Histogram, HistogramReduction};
use crate::ops::row::{RowNode, State};
use crate::{Error, Result};

/// Spreads the values so that their histogram is as even as can be.
///
/// 8 bit as OpenCV's `equalizeHist`, to the bit; 16 bit by the same formula over 65536 bins.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Equalize {}

/// See [`Equalize`].
pub const KIND: Kind = Kind::new::<Equalize>(
    "equalize",
    Family::Points,
    &[Port::new("image", &[types::GRAY8, types::GRAY16])],
    "use = \"equalize\"",
);

impl Stage for Equalize {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        equalize::check(shape)?;
        let reduction = Arc::new(HistogramReduction::default());
        let (image, _) = graph.reduce(inputs[0], reduction, Arc::new(Spread), shape)?;
        Ok(vec![image])
    }
}

/// The map that evens out the histogram observed.
struct Spread;

fn observed(state: &mut State) -> Result<&Histogram> {
    Histogram::from_state(state).ok_or_else(|| Error::shape("a histogram was lost"))
}

impl Finish for Spread {
    fn finish(&self, state: &mut State) -> Result<(Arc<dyn RowNode>, Measures)> {
        Ok((equalize::node(observed(state)?), Vec::new()))
    }

    fn refit(&self, state: &mut State, node: &mut Arc<dyn RowNode>, _measures: &mut Measures) -> Result<()> {
        let histogram = observed(state)?;
        if !equalize::refit(node, histogram) {
            *node = equalize::node(histogram);
        }
        Ok(())
    }
}

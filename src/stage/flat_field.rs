//! The stage `flat-field`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{DataType, Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::ops::flat_field::{self, SumReduction};
use crate::ops::row::State;

/// Takes uneven light out of a picture by one of an even surface, and dark current by one without light.
///
/// `(image - dark) / (flat - dark) * mean(flat - dark)`, each channel by itself, in `f32`; 0 where the
/// flat picture is not above the dark one. The inputs are the image, the flat picture and, if wished, the
/// dark one, all of one type and size: `load` reads the latter two. The record tells the mean of the
/// light as `light` (of colours `light-red`, `light-green`, `light-blue`).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FlatField {}

/// See [`FlatField`].
pub const KIND: Kind = Kind::new::<FlatField>(
    "flat-field",
    Family::Points,
    &[
        Port::new("image", types::PICTURE),
        Port::new("flat", types::PICTURE),
        Port::many("dark", types::PICTURE),
    ],
    "use = \"flat-field\"",
);

impl Stage for FlatField {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        if inputs.len() > 3 {
            return Err(format!(
                "wants an image, a flat and at most one dark picture, got {} inputs",
                inputs.len()
            ));
        }
        if let Some(other) = inputs.iter().find(|ty| **ty != inputs[0]) {
            return Err(format!("wants pictures of one type, got `{}` and `{other}`", inputs[0]));
        }
        Ok(vec![("image", inputs[0]), ("light", PortType::Data(DataType::Measures))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let dark = inputs.get(2).map(|dark| graph.shape(*dark)).transpose()?;
        let nodes = flat_field::nodes(graph.shape(inputs[0])?, graph.shape(inputs[1])?, dark)?;
        let light = match nodes.light {
            Some(node) => graph.rows(node, &inputs[1..])?,
            None => inputs[1],
        };
        let shape = graph.shape(light)?;
        let is_color = shape.ty.channels() == 3;
        let finish = Arc::new(move |state: &mut State| {
            let (node, means) = flat_field::gain(state)?;
            let names: &[&str] =
                if is_color { &["light-red", "light-green", "light-blue"] } else { &["light"] };
            let measures = names.iter().zip(means).map(|(name, mean)| ((*name).to_owned(), mean));
            Ok((node, measures.collect()))
        });
        let (gain, measures) = graph.reduce(light, Arc::new(SumReduction), finish, shape)?;
        let mut values = vec![inputs[0], gain];
        values.extend(inputs.get(2));
        Ok(vec![graph.rows(nodes.correct, &values)?, measures])
    }
}

//! The stage `classify-linear`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Class, DataType, Family, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole,
};
use crate::document::{Resource, Resources};
use crate::ops::Context;
use crate::ops::linear::LinearModel;
use crate::{Error, Result};

/// Classifies a vector with a linear model.
///
/// The model is what `lyncean train linear` makes. Of logistic regression `p` is the probability that was
/// fitted; of support vector machines it is the softmax of the scores, which ranks classes and is not calibrated.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClassifyLinear {
    /// The trained model: a safetensors file with the labels in its metadata, or `builtin:digits-hog`.
    pub model: Resource,
    /// How many classes are told, the most probable first.
    #[serde(default = "top")]
    #[schemars(range(min = 1))]
    pub top: u32,
    /// The loaded model.
    #[serde(skip)]
    #[schemars(skip)]
    loaded: Option<Arc<LinearModel>>,
}

fn top() -> u32 {
    5
}

/// See [`ClassifyLinear`].
pub const KIND: Kind = Kind::new::<ClassifyLinear>(
    "classify-linear",
    Family::Description,
    &[Port::new("vector", &[PortType::Data(DataType::Vector)])],
    "use = \"classify-linear\"\nmodel = \"builtin:digits-hog\"\ntop = 3",
);

impl Stage for ClassifyLinear {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let blame = ParameterError::resource("model");
        let bytes = resources.load(&self.model).map_err(&blame)?;
        self.loaded = Some(Arc::new(LinearModel::from_safetensors(&bytes.bytes).map_err(&blame)?));
        Ok(())
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("classes", PortType::Data(DataType::Classes))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let model = self.loaded.clone().ok_or_else(|| Error::pipeline("the model is not loaded"))?;
        let step = ClassifyStep { model, top: self.top as usize };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Classes)]))
    }
}

struct ClassifyStep {
    model: Arc<LinearModel>,
    top: usize,
}

impl Whole for ClassifyStep {
    fn name(&self) -> &'static str {
        "classify-linear"
    }

    fn run(&self, _cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Vector(vector)] = inputs else { return Err(Error::shape("expected a vector")) };
        let probabilities = self.model.probabilities(vector)?;
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b)));
        let class = |&index: &usize| Class {
            label: self.model.labels()[index].clone(),
            probability: probabilities[index],
        };
        outputs.push(Value::Classes(Arc::new(order.iter().take(self.top).map(class).collect())));
        Ok(())
    }
}

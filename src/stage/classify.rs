//! The stage `classify`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::net::{self, Loaded};
use super::{
    Class, DataType, Family, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::nn::Inference;
use crate::ops::Context;
use crate::{Error, Result};

/// Classifies the whole image with a net.
///
/// Pixels are brought to 0..=1 and standardised with the mean and deviation that the net was
/// trained with. The image must have the net's channels and size: `resize` and `gray` make it so.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Classify {
    /// The trained net: a safetensors file that carries its architecture, or `builtin:lenet5`.
    pub model: Resource,
    /// How many classes are told, the most probable first.
    #[serde(default = "top")]
    #[schemars(range(min = 1))]
    pub top: u32,
    /// The loaded net.
    #[serde(skip)]
    #[schemars(skip)]
    net: Loaded<Inference>,
}

fn top() -> u32 {
    5
}

/// See [`Classify`].
pub const KIND: Kind = Kind::new::<Classify>(
    "classify",
    Family::Learned,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"classify\"\nmodel = \"builtin:lenet5\"\ntop = 3",
);

impl Stage for Classify {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let net = net::load_classifier(resources, &self.model)?;
        self.net = Loaded::new(Inference::new(net).map_err(ParameterError::resource("model"))?);
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        net::expect_channels(self.net.get().map(Inference::arch), inputs[0])?;
        Ok(vec![("classes", PortType::Data(DataType::Classes))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let net = self.net.shared()?;
        net::expect_size(net.arch(), graph.shape(inputs[0])?)?;
        let step = ClassifyStep { net, top: self.top as usize };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Classes)]))
    }
}

struct ClassifyStep {
    net: Arc<Inference>,
    top: usize,
}

impl Whole for ClassifyStep {
    fn name(&self) -> &'static str {
        "classify"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let arch = self.net.arch();
        let x = net::batch_of(arch, &value.image)?;
        let logits = self.net.forward_until(&x, &|| cx.is_cancelled())?;
        let probabilities = net::softmax(logits.data());
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b)));
        let classes = order.iter().take(self.top);
        let classes = classes
            .map(|&index| Class { label: net::class_name(arch, index), probability: probabilities[index] });
        outputs.push(Value::Classes(Arc::new(classes.collect())));
        Ok(())
    }
}

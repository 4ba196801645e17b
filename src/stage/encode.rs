//! The stage `encode`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::net::{self, Loaded};
use super::{
    DataType, Family, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value, ValueId,
    Whole, types,
};
use crate::document::{Resource, Resources};
use crate::nn::Net;
use crate::nn::arch::Arch;
use crate::ops::Context;
use crate::{Error, Result};

/// Gives the numbers that a layer of a net makes of the picture: the code of an autoencoder, or the features of a
/// classifier.
///
/// The vector goes on to `classify-linear`, into records, or to whoever compares pictures.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Encode {
    /// The trained net: a safetensors file that carries its architecture, or `builtin:autoencoder-conv`.
    pub model: Resource,
    /// The layer; by default the one that gives the fewest numbers, the first of several.
    pub layer: Option<String>,
    /// The loaded net.
    #[serde(skip)]
    #[schemars(skip)]
    net: Loaded<Net>,
}

/// See [`Encode`].
pub const KIND: Kind = Kind::new::<Encode>(
    "encode",
    Family::Learned,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"encode\"\nmodel = \"builtin:autoencoder-conv\"",
);

/// The layer that gives the fewest numbers: an autoencoder's code.
fn narrowest(arch: &Arch) -> Option<String> {
    let needed = arch.layers.iter().zip(arch.needed()).filter(|(_, needed)| *needed);
    needed.min_by_key(|(layer, _)| layer.output.count()).map(|(layer, _)| layer.name.clone())
}

impl Encode {
    fn layer(&self, net: &Net) -> Result<String> {
        let arch = net.arch();
        let Some(name) = &self.layer else {
            return narrowest(arch)
                .ok_or_else(|| Error::pipeline(format!("net `{}` has no layer", arch.name)));
        };
        arch.find_needed(name)?;
        Ok(name.clone())
    }
}

impl Stage for Encode {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let loaded = net::load(resources, &self.model)?;
        self.layer(&loaded).map_err(ParameterError::resource("layer"))?;
        self.net = Loaded::new(loaded);
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        net::expect_channels(self.net.get().map(Net::arch), inputs[0])?;
        Ok(vec![("vector", PortType::Data(DataType::Vector))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let net = self.net.shared()?;
        net::expect_size(net.arch(), graph.shape(inputs[0])?)?;
        let step = Step { layer: self.layer(&net)?, net };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Vector)]))
    }
}

struct Step {
    net: Arc<Net>,
    layer: String,
}

impl Whole for Step {
    fn name(&self) -> &'static str {
        "encode"
    }

    fn run(&self, _cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let code = self.net.activations(&net::batch_of(self.net.arch(), &value.image)?, &self.layer)?;
        outputs.push(Value::Vector(Arc::new(code.data().to_vec())));
        Ok(())
    }
}

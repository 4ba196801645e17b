//! The stage `reconstruct`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::net::{self, Loaded};
use super::{
    DataType, Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::{Image, ImageType, Plane};
use crate::nn::Inference;
use crate::ops::Context;
use crate::ops::row::Shape;
use crate::{Error, Result};

/// Gives what an autoencoder makes of the picture, and how far that is from it.
///
/// Pictures that are not like those it was trained on come back badly: `mse`, the mean squared error of values in
/// 0..=1, tells them apart, and `error`, the absolute difference, shows where.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reconstruct {
    /// The trained net: a safetensors file that carries its architecture, or `builtin:autoencoder-conv`.
    pub model: Resource,
    /// The loaded net.
    #[serde(skip)]
    #[schemars(skip)]
    net: Loaded<Inference>,
}

/// See [`Reconstruct`].
pub const KIND: Kind = Kind::new::<Reconstruct>(
    "reconstruct",
    Family::Learned,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"reconstruct\"\nmodel = \"builtin:autoencoder-conv\"",
);

impl Stage for Reconstruct {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let loaded = net::load(resources, &self.model)?;
        let arch = loaded.arch();
        if arch.output() != arch.input || arch.input[0] != 1 {
            let (input, output) = (arch.input, arch.output());
            let message =
                format!("`{}` takes {input} and gives {output}: no gray picture to itself", self.model);
            return Err(ParameterError::new("model", message));
        }
        self.net = Loaded::new(Inference::new(loaded).map_err(ParameterError::resource("model"))?);
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        net::expect_channels(self.net.get().map(Inference::arch), inputs[0])?;
        let measures = PortType::Data(DataType::Measures);
        Ok(vec![("image", types::GRAY_F32), ("error", types::GRAY_F32), ("measures", measures)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let net = self.net.shared()?;
        let shape = graph.shape(inputs[0])?;
        net::expect_size(net.arch(), shape)?;
        let image = Meta::Image {
            shape: Shape::new(ImageType::GrayF32, shape.width, shape.height),
            map: graph.map(inputs[0]),
        };
        Ok(graph.whole(Arc::new(Step(net)), inputs, vec![image, image, Meta::Data(DataType::Measures)]))
    }
}

struct Step(Arc<Inference>);

impl Whole for Step {
    fn name(&self) -> &'static str {
        "reconstruct"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let arch = self.0.arch();
        let x = net::batch_of(arch, &value.image)?;
        let y = self.0.forward_until(&x, &|| cx.is_cancelled())?;
        // Back to values in 0..=1, as the picture was before it was standardised.
        let (mean, std) =
            (arch.mean.first().copied().unwrap_or(0.0), arch.std.first().copied().unwrap_or(1.0));
        let errors: Vec<f32> = y.data().iter().zip(x.data()).map(|(y, x)| ((y - x) * std).abs()).collect();
        let mse = errors.iter().map(|e| f64::from(*e) * f64::from(*e)).sum::<f64>() / errors.len() as f64;
        let picture = y.data().iter().map(|y| y * std + mean).collect();
        let (width, height) = (value.image.width(), value.image.height());
        let share = |values: Vec<f32>| -> Result<Value> {
            let image = cx.share(Image::GrayF32(Plane::from_vec(width, height, values)?));
            Ok(Value::Image(ImageValue { image, map: value.map }))
        };
        outputs.extend([share(picture)?, share(errors)?]);
        outputs.push(Value::Measures(Arc::new(vec![("mse".to_owned(), mse)])));
        Ok(())
    }
}

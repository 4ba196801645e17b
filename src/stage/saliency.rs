//! The stage `saliency`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::net::{self, Loaded};
use super::{
    Class, DataType, Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage,
    Value, ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::{Image, ImageType, Plane};
use crate::nn::{Net, Tensor};
use crate::ops::Context;
use crate::ops::resize::{Interpolation, Resize, resize};
use crate::ops::row::Shape;
use crate::{Error, Result};

/// Shows where a net looks for a class: Grad-CAM (Selvaraju et al., 2017).
///
/// The maps of a layer are added, each times the mean gradient of the class's output over it; what is
/// negative is 0, and the largest value 1. The result has the size of the picture; `colormap` and
/// `draw` make it visible.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Saliency {
    /// The trained net: a safetensors file that carries its architecture, or `builtin:lenet5`.
    pub model: Resource,
    /// The layer whose maps are added; by default the last that gives images of more than one pixel.
    pub layer: Option<String>,
    /// The class, by its name, or by its number where classes have no names; by default the most probable one.
    pub class: Option<String>,
    /// The loaded net.
    #[serde(skip)]
    #[schemars(skip)]
    net: Loaded<Net>,
}

/// See [`Saliency`].
pub const KIND: Kind = Kind::new::<Saliency>(
    "saliency",
    Family::Learned,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"saliency\"\nmodel = \"builtin:lenet5\"",
);

impl Saliency {
    /// The layer whose maps are added.
    fn layer(&self, net: &Net) -> Result<String> {
        let arch = net.arch();
        let is_map = |shape: &[usize]| matches!(shape, [_, height, width] if height * width > 1);
        if let Some(name) = &self.layer {
            let output = arch.layers[arch.find_needed(name)?].output;
            if is_map(&output) {
                return Ok(name.clone());
            }
            return Err(Error::pipeline(format!("layer `{name}` gives {output}, which is no map")));
        }
        let needed = arch.needed();
        let mut layers = arch.layers.iter().zip(needed).filter(|(_, needed)| *needed).map(|(layer, _)| layer);
        let last = layers.rfind(|layer| is_map(&layer.output));
        last.map(|layer| layer.name.clone())
            .ok_or_else(|| Error::pipeline(format!("no layer of net `{}` gives maps", arch.name)))
    }
}

impl Stage for Saliency {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let loaded = net::load_classifier(resources, &self.model)?;
        self.layer(&loaded).map_err(ParameterError::resource("layer"))?;
        if let Some(class) = &self.class {
            net::class_index(loaded.arch(), class).map_err(ParameterError::resource("class"))?;
        }
        self.net = Loaded::new(loaded);
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        net::expect_channels(self.net.get().map(Net::arch), inputs[0])?;
        Ok(vec![("image", types::GRAY_F32), ("classes", PortType::Data(DataType::Classes))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let net = self.net.shared()?;
        let shape = graph.shape(inputs[0])?;
        net::expect_size(net.arch(), shape)?;
        let class = self.class.as_ref().map(|class| net::class_index(net.arch(), class)).transpose()?;
        let step = Step { layer: self.layer(&net)?, class, net };
        let output = Meta::Image {
            shape: Shape::new(ImageType::GrayF32, shape.width, shape.height),
            map: graph.map(inputs[0]),
        };
        Ok(graph.whole(Arc::new(step), inputs, vec![output, Meta::Data(DataType::Classes)]))
    }
}

struct Step {
    net: Arc<Net>,
    layer: String,
    class: Option<usize>,
}

impl Whole for Step {
    fn name(&self) -> &'static str {
        "saliency"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let arch = self.net.arch();
        let x = net::batch_of(arch, &value.image)?;
        let mut told = Class { label: String::new(), probability: 0.0 };
        let (maps, gradients) = self.net.sensitivity(&x, &self.layer, |scores| {
            let probabilities = net::softmax(scores.data());
            let best =
                || (0..probabilities.len()).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
            let class = self.class.or_else(best).unwrap_or_default();
            told = Class { label: net::class_name(arch, class), probability: probabilities[class] };
            Ok(Tensor::from_fn(scores.shape(), |i| if i == class { 1.0 } else { 0.0 }))
        })?;
        let [_, _, height, width] = [0, 1, 2, 3].map(|axis| maps.shape()[axis]);
        let map = Image::GrayF32(Plane::from_vec(width, height, weigh(&maps, &gradients))?);
        let (width, height) = (value.image.width(), value.image.height());
        let size = Resize { width, height, interpolation: Interpolation::Bilinear };
        let image = ImageValue { image: cx.share(resize(&map, &size, cx)?), map: value.map };
        outputs.extend([Value::Image(image), Value::Classes(Arc::new(vec![told]))]);
        Ok(())
    }
}

/// The sum of the maps, each times the mean of its gradient, from 0 to 1.
fn weigh(maps: &Tensor, gradients: &Tensor) -> Vec<f32> {
    let area = maps.shape()[2] * maps.shape()[3];
    let mut sums = vec![0.0f32; area];
    for (map, gradient) in maps.data().chunks_exact(area).zip(gradients.data().chunks_exact(area)) {
        let weight = gradient.iter().sum::<f32>() / area as f32;
        sums.iter_mut().zip(map).for_each(|(sum, value)| *sum += weight * value);
    }
    let largest = sums.iter().fold(0.0f32, |largest, sum| largest.max(*sum));
    let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    sums.iter().map(|sum| sum.max(0.0) * scale).collect()
}

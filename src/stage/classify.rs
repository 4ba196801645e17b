//! The stage `classify`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Class, DataType, Family, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::Image;
use crate::nn::{Net, Tensor};
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
    net: Loaded,
}

fn top() -> u32 {
    5
}

#[derive(Clone, Default)]
struct Loaded(Option<Arc<Net>>);

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "loaded" } else { "not loaded" })
    }
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
        let blame = ParameterError::resource("model");
        let bytes = resources.load(&self.model).map_err(&blame)?;
        let net = Net::from_safetensors(&bytes.bytes).map_err(&blame)?;
        let output = net.arch().output();
        if net.arch().input.len() != 3 || output.len() != 1 {
            let (input, output) = (net.arch().input, output);
            let message =
                format!("`{}` takes {input:?} and gives {output:?}: no picture to classes", self.model);
            return Err(ParameterError::new("model", message));
        }
        self.net = Loaded(Some(Arc::new(net)));
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let channels = inputs[0].image().map_or(0, crate::image::ImageType::channels);
        if let Some(net) = &self.net.0
            && net.arch().input[0] != channels
        {
            let wanted = net.arch().input[0];
            return Err(format!("the net wants {wanted} channels, got `{}` with {channels}", inputs[0]));
        }
        Ok(vec![("classes", PortType::Data(DataType::Classes))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let net = self.net.0.clone().ok_or_else(|| Error::pipeline("the net is not loaded"))?;
        let shape = graph.shape(inputs[0])?;
        let (height, width) = (net.arch().input[1], net.arch().input[2]);
        if (shape.width, shape.height) != (width, height) {
            return Err(Error::shape(format!(
                "the net wants images of {width}x{height}, got {}x{}",
                shape.width, shape.height
            ))
            .with_hint(format!(
                "put `use = \"resize\"` with `width = {width}`, `height = {height}` above it"
            )));
        }
        let step = ClassifyStep { net, top: self.top as usize };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Classes)]))
    }
}

struct ClassifyStep {
    net: Arc<Net>,
    top: usize,
}

impl Whole for ClassifyStep {
    fn name(&self) -> &'static str {
        "classify"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let arch = self.net.arch();
        let x = standardised(&value.image, &arch.mean, &arch.std)?;
        let logits =
            self.net.forward_until(&Tensor::from_vec(arch.input.batched(1)?, x)?, &|| cx.is_cancelled())?;
        let probabilities = softmax(logits.data());
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b)));
        let name = |index: usize| arch.classes.get(index).cloned().unwrap_or_else(|| index.to_string());
        let classes = order.iter().take(self.top);
        let classes = classes.map(|&index| Class { label: name(index), probability: probabilities[index] });
        outputs.push(Value::Classes(Arc::new(classes.collect())));
        Ok(())
    }
}

/// Channel after channel, 0..=1, less the mean and divided by the deviation of each channel.
fn standardised(image: &Image, mean: &[f32], std: &[f32]) -> Result<Vec<f32>> {
    let normal = |channel: usize, value: f32| {
        let mean = mean.get(channel).or(mean.first()).copied().unwrap_or(0.0);
        let std = std.get(channel).or(std.first()).copied().unwrap_or(1.0);
        (value - mean) / std
    };
    let gray =
        |values: &mut dyn Iterator<Item = f32>| values.map(|value| normal(0, value)).collect::<Vec<_>>();
    let planar = |values: Vec<[f32; 3]>| {
        (0..3)
            .flat_map(|c| values.iter().map(move |pixel| (c, pixel[c])))
            .map(|(c, v)| normal(c, v))
            .collect()
    };
    Ok(match image {
        Image::Gray8(plane) | Image::Mask(plane) => {
            gray(&mut plane.as_slice().iter().map(|v| f32::from(*v) / 255.0))
        }
        Image::Gray16(plane) => gray(&mut plane.as_slice().iter().map(|v| f32::from(*v) / 65535.0)),
        Image::GrayF32(plane) => gray(&mut plane.as_slice().iter().copied()),
        Image::Rgb8(plane) => {
            planar(plane.as_slice().iter().map(|p| p.map(|v| f32::from(v) / 255.0)).collect())
        }
        Image::Rgb16(plane) => {
            planar(plane.as_slice().iter().map(|p| p.map(|v| f32::from(v) / 65535.0)).collect())
        }
        Image::RgbF32(plane) => planar(plane.as_slice().to_vec()),
        other => return Err(Error::shape(format!("expected a picture, got `{}`", other.ty()))),
    })
}

/// Softmax in `f64`, largest first taken away so that nothing overflows.
fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|v| libm::exp(f64::from(*v) - f64::from(largest))).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

//! What stages with a net have in common.

use std::fmt;
use std::sync::Arc;

use super::{ParameterError, PortType};
use crate::document::{Resource, Resources};
use crate::image::{Image, ImageType};
use crate::nn::arch::Arch;
use crate::nn::{Net, Tensor};
use crate::ops::row::Shape;
use crate::{Error, Result};

/// Up to so many classes without names are told one by one.
const MOST_TOLD: usize = 20;

/// What was loaded, or nothing yet.
pub(super) struct Loaded<T>(Option<Arc<T>>);

impl<T> Loaded<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Some(Arc::new(value)))
    }

    pub(super) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    pub(super) fn shared(&self) -> Result<Arc<T>> {
        self.0.clone().ok_or_else(|| Error::pipeline("the net is not loaded"))
    }
}

impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Loaded<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> fmt::Debug for Loaded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "loaded" } else { "not loaded" })
    }
}

/// The net of the parameter `model`, which must take pictures.
pub(super) fn load(resources: &Resources, model: &Resource) -> Result<Net, ParameterError> {
    let blame = ParameterError::resource("model");
    let bytes = resources.load(model).map_err(&blame)?;
    let net = Net::from_safetensors(&bytes.bytes).map_err(&blame)?;
    if net.arch().input.len() != 3 {
        let message = format!("`{model}` takes {}, which is no picture", net.arch().input);
        return Err(ParameterError::new("model", message));
    }
    Ok(net)
}

/// As [`load`], for a net that gives a number for each class.
pub(super) fn load_classifier(resources: &Resources, model: &Resource) -> Result<Net, ParameterError> {
    let net = load(resources, model)?;
    let (input, output) = (net.arch().input, net.arch().output());
    if output.len() != 1 {
        let message = format!("`{model}` takes {input:?} and gives {output:?}: no picture to classes");
        return Err(ParameterError::new("model", message));
    }
    Ok(net)
}

/// A picture must have the channels of the net.
pub(super) fn expect_channels(arch: Option<&Arch>, input: PortType) -> Result<(), String> {
    let channels = input.image().map_or(0, ImageType::channels);
    match arch.map(|arch| arch.input[0]) {
        Some(wanted) if wanted != channels => {
            Err(format!("the net wants {wanted} channels, got `{input}` with {channels}"))
        }
        _ => Ok(()),
    }
}

/// A picture must have the size of the net.
pub(super) fn expect_size(arch: &Arch, shape: Shape) -> Result<()> {
    let (height, width) = (arch.input[1], arch.input[2]);
    if (shape.width, shape.height) == (width, height) {
        return Ok(());
    }
    let message = format!("the net wants images of {width}x{height}, got {}x{}", shape.width, shape.height);
    let hint = format!("put `use = \"resize\"` with `width = {width}`, `height = {height}` above it");
    Err(Error::shape(message).with_hint(hint))
}

/// The name of a class, or its number.
pub(super) fn class_name(arch: &Arch, index: usize) -> String {
    arch.classes.get(index).cloned().unwrap_or_else(|| index.to_string())
}

/// The class of a name, or of a number where classes have no names.
pub(super) fn class_index(arch: &Arch, class: &str) -> Result<usize> {
    let named = arch.classes.iter().position(|name| name == class);
    let count = arch.output().first().copied().unwrap_or(0);
    let numbered = || class.parse().ok().filter(|index| arch.classes.is_empty() && *index < count);
    named.or_else(numbered).ok_or_else(|| {
        let names = || (0..count).map(|index| class_name(arch, index)).collect::<Vec<_>>().join(", ");
        let are_numbers = arch.classes.is_empty() && count > MOST_TOLD;
        let classes = if are_numbers { format!("0 to {}", count - 1) } else { names() };
        Error::pipeline(format!("net `{}` has no class `{class}`", arch.name))
            .with_hint(format!("classes are {classes}"))
    })
}

/// A batch of one picture: brought to 0..=1 and standardised as the net wants it.
pub(super) fn batch_of(arch: &Arch, image: &Image) -> Result<Tensor> {
    Tensor::from_vec(arch.input.batched(1)?, standardised(image, &arch.mean, &arch.std)?)
}

/// Channel after channel, 0..=1, less the mean and divided by the deviation of each channel.
pub(super) fn standardised(image: &Image, mean: &[f32], std: &[f32]) -> Result<Vec<f32>> {
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
pub(super) fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|v| libm::exp(f64::from(*v) - f64::from(largest))).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

//! Classifiers of windows that slide over pictures of any size.

use super::arch::{self, Arch, Source};
use super::layer::Reach;
use super::{Inference, Net, Param};
use crate::document::Source as Text;
use crate::{Error, Result};

/// A classifier made fully convolutional (Long, Shelhamer and Darrell, 2015): what its linear layers did with
/// one window, convolutions do with every window of a larger picture, and share what windows have in common.
///
/// Without padding in its layers the scores of a window are those of the window cut out. With padding, windows
/// see their neighbours in place of zeros.
///
/// ```
/// use lyncean::nn::{Net, Shape, Sliding, Tensor, arch};
///
/// let net = Net::build(arch::parse(&arch::builtin("face").unwrap())?, 1)?;
/// let sliding = Sliding::new(&net)?;
/// assert_eq!((sliding.window(), sliding.step()), ([19, 19], [4, 4]));
/// let (inference, [rows, columns]) = sliding.over([19, 27])?;
/// assert_eq!([rows, columns], [1, 3]);
/// let scores = inference.forward(&Tensor::zeros(Shape::new(&[1, 1, 19, 27])?))?;
/// assert_eq!(&*scores.shape(), [1, 2, 1, 3]);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Debug)]
pub struct Sliding {
    arch: Arch,
    params: Vec<Param>,
    window: [usize; 2],
    step: [usize; 2],
}

impl Sliding {
    /// Makes a classifier of images slide.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when it has a layer at the end that cannot.
    pub fn new(net: &Net) -> Result<Self> {
        let arch = net.arch();
        let (&[_, height, width], &[_]) = (&*arch.input, &*arch.output()) else {
            let message = format!("expected a classifier of images, got {} to {}", arch.input, arch.output());
            return Err(Error::pipeline(message));
        };
        let text = convolutional(arch)?;
        let slides = arch::parse(&Text::new(&arch.name, text))?;
        let fresh = Net::blank(slides)?;
        // Weights of linear layers are those of convolutions in another shape.
        let mut params = Vec::new();
        for param in fresh.params().chain(fresh.buffers()) {
            let found = net.params().chain(net.buffers()).find(|old| old.name == param.name);
            let value = match found {
                Some(old) => old.value.reshaped(param.value.shape())?,
                None => param.value.clone(),
            };
            params.push(Param { name: param.name.clone(), value });
        }
        let step = step(fresh.arch())?;
        Ok(Self { arch: fresh.into_layers().0, params, window: [height, width], step })
    }

    /// Height and width of a window.
    pub fn window(&self) -> [usize; 2] {
        self.window
    }

    /// Distance of neighbouring windows, vertically and horizontally.
    pub fn step(&self) -> [usize; 2] {
        self.step
    }

    /// The net for pictures of a height and width, ready for inference, and how many rows and columns of windows
    /// it gives the scores of: `[n, classes, rows, columns]`.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when no window fits.
    pub fn over(&self, [height, width]: [usize; 2]) -> Result<(Inference, [usize; 2])> {
        let arch = self.arch.with_input(&[self.arch.input[0], height, width])?;
        let output = arch.output();
        let net = filled(arch, &self.params)?;
        Ok((Inference::new(net)?, [output[1], output[2]]))
    }
}

/// A net with these parameters and buffers, in its order: parameters, then buffers, both in the order of the layers.
pub(super) fn filled(arch: Arch, params: &[Param]) -> Result<Net> {
    let mut net = Net::blank(arch)?;
    let mut values = params.iter();
    for param in net.params_mut() {
        param.value = values.next().map_or_else(|| param.value.clone(), |value| value.value.clone());
    }
    for buffer in net.buffers_mut() {
        buffer.value = values.next().map_or_else(|| buffer.value.clone(), |value| value.value.clone());
    }
    Ok(net)
}

/// The text of a net whose layers from the flattening on are convolutions.
fn convolutional(arch: &Arch) -> Result<String> {
    let wrong = |error: &dyn std::fmt::Display| Error::pipeline(error.to_string());
    let mut file: toml::Table = arch.text.parse().map_err(|error: toml::de::Error| wrong(&error))?;
    file.remove("classes");
    file.remove("head");
    let mut layers = Vec::new();
    let numbers = |values: [usize; 2]| toml::Value::from(values.map(|value| value as i64).to_vec());
    // The layer before one that is gone stands for it.
    let mut gone: Option<(String, Option<String>)> = None;
    let mut image: Option<[usize; 2]> = None;
    for layer in arch.layers.iter().zip(arch.needed()).filter(|(_, needed)| *needed).map(|(layer, _)| layer) {
        let mut table = toml::Table::new();
        let keys = toml::Table::try_from(&layer.parameters).map_err(|error| wrong(&error))?;
        let names = layer.inputs.iter().map(|source| match source {
            Source::Input => "input".to_owned(),
            Source::Layer(at) => arch.layers[*at].name.clone(),
        });
        let mut names: Vec<String> = names.collect();
        if let Some((from, to)) = &gone {
            for name in names.iter_mut().filter(|name| *name == from) {
                *name = to.clone().unwrap_or_else(|| "input".to_owned());
            }
        }
        let input = layer.inputs.first().map_or(arch.input, |source| match source {
            Source::Input => arch.input,
            Source::Layer(at) => arch.layers[*at].output,
        });
        let kind = layer.kind.name;
        let (new_kind, keys): (&str, toml::Table) = match (kind, &*input) {
            ("flatten", &[_, height, width]) => {
                image = Some([height, width]);
                gone = Some((layer.name.clone(), names.first().cloned()));
                continue;
            }
            ("linear", _) => {
                let kernel = image.take().unwrap_or([1, 1]);
                let mut keys = keys;
                keys.insert("kernel".into(), numbers(kernel));
                ("conv2d", keys)
            }
            ("global-avg-pool", &[_, height, width]) => {
                let mut keys = toml::Table::new();
                keys.insert("kernel".into(), numbers([height, width]));
                keys.insert("stride".into(), numbers([1, 1]));
                ("avg-pool", keys)
            }
            ("softmax" | "reshape" | "radial-basis" | "adaptive-avg-pool" | "flatten", _) => {
                return Err(Error::pipeline(format!(
                    "net `{}` cannot slide: layer `{}` (`{kind}`) works on whole pictures",
                    arch.name, layer.name
                ))
                .with_hint("a classifier of convolutions, pools and linear layers can"));
            }
            _ => (kind, keys),
        };
        table.insert("use".into(), new_kind.into());
        table.insert("name".into(), layer.name.clone().into());
        table.insert("in".into(), names.into());
        table.extend(keys);
        layers.push(toml::Value::Table(table));
    }
    file.remove("block");
    file.remove("include");
    file.insert("layer".into(), layers.into());
    toml::to_string(&file).map_err(|error| wrong(&error))
}

/// The product of the steps from the input to the output, which are the same along every path.
fn step(arch: &Arch) -> Result<[usize; 2]> {
    let mut steps = vec![[1.0f64; 2]; arch.layers.len()];
    for (index, layer) in arch.layers.iter().enumerate() {
        let before = match layer.inputs.first() {
            Some(Source::Layer(at)) => steps[*at],
            _ => [1.0; 2],
        };
        let Reach::Window { step, .. } = layer.spec.reach() else {
            return Err(Error::pipeline(format!(
                "net `{}` cannot slide: layer `{}` sees all of a picture",
                arch.name, layer.name
            )));
        };
        steps[index] = [before[0] * step[0], before[1] * step[1]];
    }
    Ok(steps.last().copied().unwrap_or([1.0; 2]).map(|step| step as usize))
}

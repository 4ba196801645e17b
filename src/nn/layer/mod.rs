//! Layers, one file each: what an architecture file says ([`Spec`]) and what it builds ([`Layer`]).
//!
//! A layer keeps nothing from a pass. `forward` takes `&self` and hands out what `backward` will
//! need; gradients go to [`Grads`]; so one net can be shared by threads. Adding a layer is one file
//! and two lines here: its `mod`, and its `KIND` in [`ALL`].
//!
//! ```
//! use lyncean::nn::Shape;
//! use lyncean::nn::{Padding, Pair};
//! use lyncean::nn::layer::{
//!     AdaptiveAvgPool, BatchNorm, Clip, Concat, Connections, Constant, Conv1d, Conv2d, ConvTranspose2d, Div, Elu,
//!     Embedding, GlobalAvgPool, LeakyRelu, LocalResponseNorm, MaxOverTime, Mean, Mul, Pad, PadMode, Places, RadialBasis,
//!     Reach, Reshape, Resize, ResizeMethod, Scale, Slice, Softmax, Spec, Sub, Subsample, Transpose, Upsample,
//!     UpsampleMethod,
//! };
//!
//! let shape = |lengths: &[usize]| Shape::new(lengths).unwrap();
//! let gives = |spec: &dyn Spec, input: &[usize]| spec.output(&[shape(input)]).map(|output| output.to_vec());
//!
//! // The lecture's convolution: (32 + 2 - 5) / 2 + 1 = 15.5, rounded down, and 20 x (5 x 5 x 3 + 1) parameters.
//! let conv = Conv2d { padding: Padding::All(1), stride: Pair::One(2), ..Conv2d::new(20, 5) };
//! assert_eq!(gives(&conv, &[3, 32, 32])?, [20, 15, 15]);
//! assert_eq!(conv.parameters(&[shape(&[3, 32, 32])])?, 1520);
//! assert_eq!(conv.reach(), Reach::Window { size: [5.0; 2], step: [2.0; 2] });
//!
//! // LeNet-5's C3 has 60 kernels in place of 96; its subsampling learns two numbers a map.
//! let c3 = Conv2d { connections: Some(Connections::LenetC3), ..Conv2d::new(16, 5) };
//! assert_eq!(c3.parameters(&[shape(&[6, 14, 14])])?, 60 * 25 + 16);
//! assert_eq!(Subsample::default().parameters(&[shape(&[6, 28, 28])])?, 12);
//! assert_eq!(gives(&RadialBasis { out: 10 }, &[84])?, [10]);
//!
//! // Norms keep the shape; pools end at a fixed one.
//! assert_eq!(gives(&BatchNorm::default(), &[8, 5, 5])?, [8, 5, 5]);
//! assert_eq!(gives(&LocalResponseNorm::default(), &[8, 5, 5])?, [8, 5, 5]);
//! assert_eq!(gives(&LeakyRelu { slope: 0.1 }, &[8, 5, 5])?, [8, 5, 5]);
//! assert_eq!(gives(&Softmax {}, &[8])?, [8]);
//! assert_eq!(gives(&AdaptiveAvgPool { size: Pair::One(7) }, &[8, 20, 11])?, [8, 7, 7]);
//! assert_eq!(gives(&GlobalAvgPool {}, &[8, 20, 11])?, [8]);
//!
//! // Larger images, other shapes, several inputs.
//! assert_eq!(gives(&ConvTranspose2d::new(4, 2, 2), &[8, 5, 5])?, [4, 10, 10]);
//! let twice = Upsample { factor: Pair::One(2), method: UpsampleMethod::Bilinear };
//! assert_eq!(gives(&twice, &[8, 5, 5])?, [8, 10, 10]);
//! let corners = Resize { method: ResizeMethod::Bicubic, places: Places::AlignCorners, ..Resize::new(33, 9) };
//! assert_eq!(gives(&corners, &[8, 5, 5])?, [8, 33, 9]);
//! assert_eq!(gives(&Reshape { shape: vec![2, 50] }, &[4, 25])?, [2, 50]);
//! assert_eq!(&*Concat {}.output(&[shape(&[8, 5, 5]), shape(&[3, 5, 5])])?, [11, 5, 5]);
//!
//! // Parts of axes, axes in another order, and edges that go on; numbers that spread over the pixels.
//! assert_eq!(gives(&Slice { axis: 2, start: 10, count: 4, step: -3 }, &[8, 20, 11])?, [8, 20, 4]);
//! assert_eq!(gives(&Transpose { order: vec![1, 2, 0] }, &[8, 20, 11])?, [20, 11, 8]);
//! let edges = Pad { before: vec![0, 1, 1], after: vec![0, 1, 2], mode: PadMode::Edge, value: 0.0 };
//! assert_eq!(gives(&edges, &[8, 20, 11])?, [8, 22, 14]);
//! assert_eq!(gives(&Mean { axes: vec![0] }, &[8, 20, 11])?, [1, 20, 11]);
//! assert_eq!(gives(&Constant { shape: vec![8, 1, 1] }, &[8, 20, 11])?, [8, 1, 1]);
//! let pairs: [&dyn Spec; 3] = [&Sub {}, &Mul {}, &Div {}];
//! assert!(pairs.iter().all(|pair| *pair.output(&[shape(&[8, 20, 11]), shape(&[8, 1, 1])]).unwrap() == [8, 20, 11]));
//! let maps: [&dyn Spec; 3] =
//!     [&Scale { factor: 1.0 / 255.0, offset: 0.0 }, &Clip { min: Some(0.0), max: Some(6.0) }, &Elu { alpha: 1.0 }];
//! assert!(maps.iter().all(|map| *map.output(&[shape(&[8])]).unwrap() == [8]));
//!
//! // A sentence: vectors of its words, trigrams, the strongest answer of each filter.
//! assert_eq!(gives(&Embedding { count: 1000, size: 50, padding: None }, &[12])?, [50, 12]);
//! assert_eq!(gives(&Conv1d::new(100, 3), &[50, 12])?, [100, 10]);
//! assert_eq!(gives(&MaxOverTime {}, &[100, 10])?, [100]);
//! # Ok::<(), lyncean::Error>(())
//! ```

mod adaptive_avg_pool;
mod add;
mod affine;
mod avg_pool;
mod batch_norm;
mod broadcast;
mod clip;
mod concat;
mod constant;
mod conv1d;
mod conv2d;
mod conv_transpose2d;
mod div;
mod dropout;
mod elu;
mod embedding;
mod flatten;
mod gather;
mod global_avg_pool;
mod leaky_relu;
mod linear;
mod local_response_norm;
mod lower;
mod max_over_time;
mod max_pool;
mod mean;
mod mul;
mod pad;
mod radial_basis;
mod relu;
mod reshape;
mod resize;
mod scale;
mod sigmoid;
mod slice;
mod softmax;
mod sub;
mod subsample;
mod tanh;
mod transpose;
mod upsample;

pub use adaptive_avg_pool::AdaptiveAvgPool;
pub use add::Add;
pub use avg_pool::AvgPool;
pub use batch_norm::BatchNorm;
pub use clip::Clip;
pub use concat::Concat;
pub use constant::Constant;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv1d::Conv1d;
pub use conv2d::{Connections, Conv2d};
pub use div::Div;
pub use dropout::Dropout;
pub use elu::Elu;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use global_avg_pool::GlobalAvgPool;
pub use leaky_relu::LeakyRelu;
pub use linear::Linear;
pub use local_response_norm::LocalResponseNorm;
pub use lower::Lowered;
pub use max_over_time::MaxOverTime;
pub use max_pool::MaxPool;
pub use mean::Mean;
pub use mul::Mul;
pub use pad::{Pad, PadMode};
pub use radial_basis::RadialBasis;
pub use relu::Relu;
pub use reshape::Reshape;
pub use resize::{Places, Resize, ResizeMethod};
pub use scale::Scale;
pub use sigmoid::Sigmoid;
pub use slice::Slice;
pub use softmax::Softmax;
pub use sub::Sub;
pub use subsample::Subsample;
pub use tanh::Tanh;
pub use transpose::Transpose;
pub use upsample::{Upsample, UpsampleMethod};

use std::any::Any;
use std::fmt;

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;

use super::parallel::{map_elements, zip_elements};
use super::{Grads, Param, Rng, Shape, Tensor, Window};
use crate::kernel::Isa;
use crate::{Error, Result};

/// Every kind of layer, by name.
pub static ALL: &[&Kind] = &[
    &adaptive_avg_pool::KIND,
    &add::KIND,
    &avg_pool::KIND,
    &batch_norm::KIND,
    &clip::KIND,
    &concat::KIND,
    &constant::KIND,
    &conv_transpose2d::KIND,
    &conv1d::KIND,
    &conv2d::KIND,
    &div::KIND,
    &dropout::KIND,
    &elu::KIND,
    &embedding::KIND,
    &flatten::KIND,
    &global_avg_pool::KIND,
    &leaky_relu::KIND,
    &linear::KIND,
    &local_response_norm::KIND,
    &max_over_time::KIND,
    &max_pool::KIND,
    &mean::KIND,
    &mul::KIND,
    &pad::KIND,
    &radial_basis::KIND,
    &relu::KIND,
    &reshape::KIND,
    &resize::KIND,
    &scale::KIND,
    &sigmoid::KIND,
    &slice::KIND,
    &softmax::KIND,
    &sub::KIND,
    &subsample::KIND,
    &tanh::KIND,
    &transpose::KIND,
    &upsample::KIND,
];

/// A kind of layer: what follows `use = ` in an architecture file.
#[derive(Debug)]
pub struct Kind {
    /// Its name, in kebab-case.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// A `[[layer]]` of an architecture file, without that line.
    pub example: &'static str,
    /// Reads the parameters: a table without `use`, `name` and `in`.
    pub parse: fn(serde_json::Value) -> Result<Box<dyn Spec>, serde_json::Error>,
    /// The JSON Schema of the parameters.
    pub schema: fn() -> Schema,
}

impl Kind {
    /// The kind of this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|kind| kind.name == name)
    }
}

/// The `parse` of a kind.
fn parse<S: Spec + DeserializeOwned + 'static>(
    parameters: serde_json::Value,
) -> Result<Box<dyn Spec>, serde_json::Error> {
    Ok(Box::new(serde_json::from_value::<S>(parameters)?))
}

/// The `schema` of a kind.
fn schema<S: JsonSchema>() -> Schema {
    schemars::schema_for!(S)
}

/// How far one output of a layer sees in its input, vertically and horizontally.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach {
    /// A window.
    Window {
        /// Its size in pixels of the input.
        size: [f64; 2],
        /// The distance of neighbouring windows in pixels of the input; below 1 where the output is larger.
        step: [f64; 2],
    },
    /// Everything.
    All,
}

impl Reach {
    /// The same place alone.
    const POINT: Self = Self::Window { size: [1.0; 2], step: [1.0; 2] };

    /// The reach of a sliding window.
    fn of(window: &Window) -> Self {
        let size =
            [0, 1].map(|axis| (window.dilation[axis] * window.kernel[axis].saturating_sub(1) + 1) as f64);
        Self::Window { size, step: window.stride.map(|stride| stride as f64) }
    }
}

/// The parameters of a layer as an architecture file gives them. Shapes are those of one sample,
/// without the batch axis.
pub trait Spec: Any + fmt::Debug + Send + Sync {
    /// The shape of the output.
    ///
    /// # Errors
    /// When parameters or inputs are wrong.
    fn output(&self, inputs: &[Shape]) -> Result<Shape>;

    /// The layer with first weights from `rng`. Called for inputs that [`output`](Self::output) takes.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    fn build(&self, name: &str, inputs: &[Shape], rng: Rng) -> Result<Box<dyn Layer>>;

    /// How many numbers training changes.
    fn parameters(&self, _inputs: &[Shape]) -> Result<usize> {
        Ok(0)
    }

    /// Products that a forward pass of one sample sums.
    fn multiply_adds(&self, _inputs: &[Shape]) -> Result<u64> {
        Ok(0)
    }

    /// How far an output sees in its input.
    fn reach(&self) -> Reach {
        Reach::POINT
    }

    /// What a reader of the architecture may want to know.
    fn notes(&self, _inputs: &[Shape]) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// A layer with its weights. Tensors carry the batch as first axis.
pub trait Layer: fmt::Debug + Send + Sync {
    /// The parameters, in a fixed order.
    fn params(&self) -> Vec<&Param> {
        Vec::new()
    }

    /// The parameters to change, in the same order.
    fn params_mut(&mut self) -> Vec<&mut Param> {
        Vec::new()
    }

    /// What is stored beside the parameters and no gradient changes: the statistics of a batch norm.
    fn buffers(&self) -> Vec<&Param> {
        Vec::new()
    }

    /// The buffers to change, in the same order.
    fn buffers_mut(&mut self) -> Vec<&mut Param> {
        Vec::new()
    }

    /// What the layer is in inference, for [`Inference`](super::Inference) to join with its neighbours.
    fn lower(&self) -> Lowered {
        Lowered::Opaque
    }

    /// Moves the buffers by what a forward pass in training has seen.
    fn commit(&mut self, _saved: &Saved) {}

    /// The output, and what [`backward`](Self::backward) needs. Outside of training that may be nothing.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the inputs do not fit the layer.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)>;

    /// Adds the gradients of the parameters to `grads`, and gives those of the inputs if `need_dx`,
    /// from the gradient `dy` of the output. Parameters that `grads` does not want are passed over.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when `dy` is not of the output's shape.
    fn backward(&self, saved: &Saved, dy: &Tensor, grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>>;
}

/// How a pass is run.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// The instruction set of the products.
    pub isa: Isa,
    /// In training, where the randomness of this step comes from.
    pub training: Option<Rng>,
    /// Whether a backward pass may follow, so that what it needs is kept.
    pub keep: bool,
    /// Whether all parameters of the layer are frozen; a batch norm then works with what it has
    /// learned, as in inference.
    pub frozen: bool,
}

impl Mode {
    /// Inference: nothing is kept for a backward pass, nothing is random.
    pub fn inference() -> Self {
        Self { isa: Isa::best(), training: None, keep: false, frozen: false }
    }

    /// Training.
    pub fn training(rng: Rng) -> Self {
        Self { isa: Isa::best(), training: Some(rng), keep: true, frozen: false }
    }
}

/// What a forward pass leaves for the backward pass.
#[derive(Debug, Default)]
pub struct Saved {
    isa: Isa,
    tensors: Vec<Tensor>,
    indices: Vec<u32>,
    input: Shape,
}

impl Saved {
    fn new(mode: &Mode, input: Shape) -> Self {
        Self { isa: mode.isa, input, ..Self::default() }
    }

    /// Keeps a tensor, which costs nothing until someone writes to it.
    fn with(mut self, mode: &Mode, tensor: &Tensor) -> Self {
        if mode.keep {
            self.tensors.push(tensor.clone());
        }
        self
    }

    fn tensor(&self) -> Result<&Tensor> {
        self.kept(0)
    }

    /// One of the tensors that were kept.
    fn kept(&self, index: usize) -> Result<&Tensor> {
        self.tensors
            .get(index)
            .ok_or_else(|| Error::pipeline("a backward pass follows a forward pass in training"))
    }
}

/// The only input of a layer that takes one.
fn one<T>(inputs: &[T]) -> Result<&T> {
    match inputs {
        [input] => Ok(input),
        _ => Err(Error::shape(format!("expected one input, got {}", inputs.len()))),
    }
}

/// Channels, height and width of a sample.
fn image(input: &Shape) -> Result<[usize; 3]> {
    <[usize; 3]>::try_from(&**input)
        .map_err(|_| Error::shape(format!("expected an image `[channels, height, width]`, got {input}")))
}

/// Channels, and the values of each, of a sample `[channels, ...]`.
fn channels(input: &Shape) -> Result<[usize; 2]> {
    match &**input {
        [channels, rest @ ..] => Ok([*channels, rest.iter().product()]),
        [] => Err(Error::shape("expected `[channels, ...]`, got a number")),
    }
}

/// The shape of `dy` must be the output's.
fn expect_gradient(dy: &Tensor, wanted: Shape) -> Result<()> {
    if dy.shape() == wanted {
        return Ok(());
    }
    Err(Error::shape(format!("expected an output gradient of {wanted}, got {}", dy.shape())))
}

/// `y = f(x)`, element by element; the output is kept.
fn map(inputs: &[&Tensor], mode: &Mode, f: impl Fn(f32) -> f32 + Sync) -> Result<(Tensor, Saved)> {
    let x = *one(inputs)?;
    let y = Tensor::from_vec(x.shape(), map_elements(mode.isa, x.data(), f))?;
    let saved = Saved::new(mode, x.shape()).with(mode, &y);
    Ok((y, saved))
}

/// The backward pass of [`map`], where `slope` gives the derivative from the output.
fn map_backward(
    saved: &Saved,
    dy: &Tensor,
    need_dx: bool,
    slope: impl Fn(f32) -> f32 + Sync,
) -> Result<Vec<Tensor>> {
    if !need_dx {
        return Ok(Vec::new());
    }
    let y = saved.tensor()?;
    expect_gradient(dy, y.shape())?;
    let dx = zip_elements(saved.isa, y.data(), dy.data(), |y, dy| dy * slope(y));
    Ok(vec![Tensor::from_vec(dy.shape(), dx)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    #[test]
    fn kinds_are_sorted_documented_and_their_examples_run() {
        assert!(ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
        for kind in ALL {
            assert!(kind.summary.ends_with('.') && kind.summary.len() > 10, "{}", kind.name);
            let table = document::parse(kind.example).unwrap();
            assert_eq!(table.get("use").unwrap().as_str(), Some(kind.name));
            let spec = (kind.parse)(table.without(&["use", "in"]).to_json()).unwrap();
            let count = table.get("in").and_then(document::Node::as_array).map_or(1, <[_]>::len);
            let shape = |lengths: &[usize]| Shape::new(lengths).unwrap();
            let candidates = [shape(&[2, 9, 9]), shape(&[18]), shape(&[2, 9]), shape(&[2, 8, 8])];
            let candidates = candidates.map(|shape| vec![shape; count]);
            let inputs = candidates.iter().find(|inputs| spec.output(inputs).is_ok()).unwrap();
            let output = spec.output(inputs).unwrap();
            let layer = spec.build("it", inputs, Rng::new(1)).unwrap();
            let count: usize = layer.params().iter().map(|param| param.value.shape().count()).sum();
            assert_eq!(count, spec.parameters(inputs).unwrap(), "{}", kind.name);
            for batch in [0, 1, 3] {
                let x = Tensor::zeros(inputs[0].batched(batch).unwrap());
                let mode = Mode::training(Rng::new(2));
                let (y, saved) = layer.forward(&vec![&x; inputs.len()], &mode).unwrap();
                assert_eq!(y.shape(), output.batched(batch).unwrap(), "{}", kind.name);
                let mut grads = Grads::default();
                let dx = layer.backward(&saved, &y, &mut grads, true).unwrap();
                assert_eq!(dx.len(), inputs.len(), "{}", kind.name);
                assert!(dx.iter().all(|dx| dx.shape() == x.shape()), "{}", kind.name);
                for param in layer.params() {
                    assert_eq!(grads.get(&param.name).unwrap().shape(), param.value.shape());
                }
            }
        }
    }

    #[test]
    fn unknown_parameters_are_refused_and_fields_are_documented() {
        for kind in ALL {
            let table = document::parse(&format!("{}wings = 2\n", kind.example)).unwrap();
            let error = (kind.parse)(table.without(&["use", "in"]).to_json()).unwrap_err();
            assert!(error.to_string().contains("wings"), "{}: {error}", kind.name);
            let schema = (kind.schema)();
            for (name, field) in schema.get("properties").and_then(|p| p.as_object()).into_iter().flatten() {
                assert!(field.get("description").is_some(), "{}.{name} has no doc line", kind.name);
            }
        }
    }
}

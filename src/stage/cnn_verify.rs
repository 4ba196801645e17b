//! The stage `cnn-verify`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::net::{self, Loaded};
use super::{
    DataType, Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::{Image, Rect};
use crate::nn::Inference;
use crate::ops::Context;
use crate::ops::crop::crop;
use crate::ops::resize::{Interpolation, Resize, resize};
use crate::{Error, Result};

/// Keeps the objects of an earlier stage that a net takes for a class: a cheap detector proposes, the net decides.
///
/// What lies in an object's box, grown by `margin`, is resized to the net's input. Objects that stay get the measure
/// `p`, the probability of the class; their scores are as they were.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CnnVerify {
    /// The trained net: a safetensors file that carries its architecture, or `builtin:face`.
    pub model: Resource,
    /// The class that objects must be of, by its name, or by its number where classes have no names.
    pub class: String,
    /// Probability that the class has at least.
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_probability: f64,
    /// What a box grows by on every side, as a share of its size; negative to shrink it.
    #[serde(default)]
    #[schemars(range(min = -0.45, max = 4.0))]
    pub margin: f64,
    /// The loaded net.
    #[serde(skip)]
    #[schemars(skip)]
    net: Loaded<Inference>,
}

fn half() -> f64 {
    0.5
}

/// See [`CnnVerify`].
pub const KIND: Kind = Kind::new::<CnnVerify>(
    "cnn-verify",
    Family::Learned,
    &[Port::new("image", types::PICTURE), Port::new("objects", &[types::OBJECTS])],
    "use = \"cnn-verify\"\nmodel = \"builtin:lenet5\"\nclass = \"8\"\nmargin = 0.1",
);

impl Stage for CnnVerify {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let loaded = net::load_classifier(resources, &self.model)?;
        net::class_index(loaded.arch(), &self.class).map_err(ParameterError::resource("class"))?;
        self.net = Loaded::new(Inference::new(loaded).map_err(ParameterError::resource("model"))?);
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        net::expect_channels(self.net.get().map(Inference::arch), inputs[0])?;
        Ok(vec![("objects", types::OBJECTS)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let net = self.net.shared()?;
        let class = net::class_index(net.arch(), &self.class)?;
        let step = Step { net, class, min_probability: self.min_probability, margin: self.margin };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Objects)]))
    }
}

struct Step {
    net: Arc<Inference>,
    class: usize,
    min_probability: f64,
    margin: f64,
}

impl Step {
    /// The probability that a box of the picture as read holds the class; `None` where it lies outside.
    fn probability(&self, value: &ImageValue, bbox: [f64; 4], cx: &Context) -> Result<Option<f64>> {
        let [x, y, w, h] = value.map.inverse().unwrap_or_default().apply_box(bbox);
        let (dx, dy) = (w * self.margin, h * self.margin);
        let inside = |start: f64, end: f64, len: usize| {
            let start = start.round().clamp(0.0, len as f64) as usize;
            (start, end.round().clamp(start as f64, len as f64) as usize)
        };
        let (left, right) = inside(x - dx, x + w + dx, value.image.width());
        let (top, bottom) = inside(y - dy, y + h + dy, value.image.height());
        if left == right || top == bottom {
            return Ok(None);
        }
        let rect = Rect { x: left, y: top, width: right - left, height: bottom - top };
        let part: Image = crop(&value.image, rect, cx)?;
        let (height, width) = (self.net.arch().input[1], self.net.arch().input[2]);
        let shrinks = part.width() >= width && part.height() >= height;
        let interpolation = if shrinks { Interpolation::Area } else { Interpolation::Bilinear };
        let part = resize(&part, &Resize { width, height, interpolation }, cx)?;
        let x = net::batch_of(self.net.arch(), &part)?;
        let scores = self.net.forward_until(&x, &|| cx.is_cancelled())?;
        Ok(Some(net::softmax(scores.data())[self.class]))
    }
}

impl Whole for Step {
    fn name(&self) -> &'static str {
        "cnn-verify"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value), Value::Objects(objects)] = inputs else {
            return Err(Error::shape("expected an image and objects"));
        };
        let mut kept = Vec::new();
        for object in objects.iter() {
            cx.check()?;
            match self.probability(value, object.bbox, cx)? {
                Some(p) if p >= self.min_probability => {
                    let mut object = object.clone();
                    object.measures.push(("p".into(), p));
                    kept.push(object);
                }
                _ => {}
            }
        }
        outputs.push(Value::Objects(Arc::new(kept)));
        Ok(())
    }
}

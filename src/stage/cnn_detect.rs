//! The stage `cnn-detect`.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::net::{self, Loaded};
use super::scan::{Range, Scan};
use super::single_shot::{Ready, SingleShot};
use super::{
    DataType, Family, Kind, Lowering, Meta, Object, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::Image;
use crate::nn::Net;
use crate::ops::Context;
use crate::ops::nms::{iou, nms};
use crate::{Error, Result};

/// Overlap from which windows speak for each other, intersection over union.
const NEIGHBOUR: f64 = 0.4;

/// Windows that speak for an object where nothing is said.
const NEIGHBORS: usize = 3;

/// Ratio of scales where nothing is said.
const RATIO: f64 = 1.2;

/// Finds objects with a net that tells windows apart, slid over smaller and smaller copies of the picture; or, with a
/// `decoder`, with a detector that gives the boxes of a whole picture at once.
///
/// A classifier of windows is made fully convolutional, so that windows share what they have in common (Vaillant,
/// Monrocq and LeCun, 1994). A detector, such as YuNet, is given the picture padded with black at the right and at the
/// bottom to a multiple of its strides. Of boxes that overlap the most probable stays; `score` is its probability, and
/// `neighbors` the number of boxes that speak for the same object. Landmarks are measures: `nose-x`, `nose-y`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CnnDetect {
    /// The trained classifier of windows: a safetensors file that carries its architecture, or `builtin:face`. With a
    /// decoder the detector: such a file, an ONNX file, or `builtin:yunet`.
    pub model: Resource,
    /// The class that is looked for, by its name, or by its number where classes have no names. What the only class of a
    /// detector is called is free.
    pub class: String,
    /// How the outputs of a detector are turned into boxes: `{ kind = "yunet" }`, with `strides`, names of the outputs
    /// (`cls`, `obj`, `bbox`, `landmarks`), `channels`, `scale`, `mean`, `classes` and `points` where they are not
    /// YuNet's own.
    pub decoder: Option<Decoder>,
    /// Probability that a box has at least.
    #[serde(default = "sure")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_probability: f64,
    /// Boxes that must speak for an object, itself among them: 3 by default, 1 with a decoder.
    #[schemars(range(min = 1))]
    pub min_neighbors: Option<u32>,
    /// Ratio of one scale to the one before, 1.2 by default; a detector with a decoder has none.
    #[schemars(range(min = 1.01, max = 16.0))]
    pub scale_factor: Option<f64>,
    /// Width and height that objects have at least, in pixels; by default the window's own.
    pub min_size: Option<[u32; 2]>,
    /// Width and height that objects have at most, in pixels; by default the picture's.
    pub max_size: Option<[u32; 2]>,
    /// Overlap of two objects at most, intersection over union.
    #[serde(default = "overlap")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_overlap: f64,
    /// The loaded net.
    #[serde(skip)]
    #[schemars(skip)]
    net: Loaded<Detector>,
}

/// How the outputs of a detector are turned into boxes. Defaults are those of YuNet as OpenCV distributes it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Decoder {
    /// What the outputs mean.
    pub kind: DecoderKind,
    /// Sides of the squares that a cell of each grid stands for, in pixels.
    #[serde(default = "strides")]
    #[schemars(length(min = 1, max = 8), inner(range(min = 1, max = 1024)))]
    pub strides: Vec<u32>,
    /// Name of the output with the probabilities of classes, where `{stride}` stands for the stride of its grid.
    #[serde(default = "cls")]
    pub cls: String,
    /// Name of the output with the probability of an object.
    #[serde(default = "obj")]
    pub obj: String,
    /// Name of the output with boxes.
    #[serde(default = "bbox")]
    pub bbox: String,
    /// Name of the output with landmarks; a net without it has none.
    #[serde(default = "landmarks")]
    pub landmarks: String,
    /// Names of the classes, in the order of the channels.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Names of the landmarks, in their order.
    #[serde(default = "points")]
    pub points: Vec<String>,
    /// Order of the colours that the net was trained with. Gray pictures are given in every channel.
    #[serde(default)]
    pub channels: ChannelOrder,
    /// What values are multiplied with after `mean` was taken away.
    #[serde(default = "one")]
    pub scale: f32,
    /// What is taken away from values of 0 to 255 (white of every type): a number, or one for each channel of the net.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub mean: Vec<f32>,
}

/// What the outputs of a detector mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecoderKind {
    /// No anchors: a cell tells the centre from its corner and the logarithms of the size, in strides, and its score is
    /// the square root of class times object (Wu, Peng and Yu, 2023).
    Yunet,
}

/// Order of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelOrder {
    /// Blue, green, red, as in OpenCV.
    #[default]
    Bgr,
    /// Red, green, blue.
    Rgb,
}

impl Decoder {
    /// What the schema cannot say.
    pub(super) fn check(&self) -> Result<()> {
        let mut sorted = self.strides.clone();
        sorted.dedup();
        if sorted.is_empty() || sorted.len() != self.strides.len() || self.strides.contains(&0) {
            return Err(Error::pipeline("`strides` wants one or more numbers above 0, each another one"));
        }
        let patterns = [&self.cls, &self.obj, &self.bbox, &self.landmarks];
        if let Some(plain) = patterns.iter().find(|name| self.strides.len() > 1 && !name.contains("{stride}"))
        {
            return Err(Error::pipeline(format!("`{plain}` names one output for {} strides", sorted.len()))
                .with_hint("`{stride}` stands for the stride, as in `cls_{stride}`"));
        }
        if let Some(twice) = (1..4).find(|&at| patterns[..at].contains(&patterns[at])) {
            return Err(Error::pipeline(format!("`{}` is named for two outputs", patterns[twice])));
        }
        if !(self.scale.is_finite() && self.mean.iter().all(|mean| mean.is_finite())) {
            return Err(Error::pipeline("`scale` and `mean` want finite numbers"));
        }
        Ok(())
    }
}

fn strides() -> Vec<u32> {
    vec![8, 16, 32]
}

fn cls() -> String {
    "cls_{stride}".to_owned()
}

fn obj() -> String {
    "obj_{stride}".to_owned()
}

fn bbox() -> String {
    "bbox_{stride}".to_owned()
}

fn landmarks() -> String {
    "kps_{stride}".to_owned()
}

fn points() -> Vec<String> {
    ["right-eye", "left-eye", "nose", "right-mouth", "left-mouth"].map(str::to_owned).to_vec()
}

fn one() -> f32 {
    1.0
}

fn sure() -> f64 {
    0.9
}

fn overlap() -> f64 {
    0.3
}

/// See [`CnnDetect`].
pub const KIND: Kind = Kind::new::<CnnDetect>(
    "cnn-detect",
    Family::Learned,
    &[Port::new("image", types::PICTURE)],
    "use = \"cnn-detect\"\nmodel = \"builtin:face\"\nclass = \"face\"",
);

enum Detector {
    Windows { scan: Box<Scan>, class: usize },
    SingleShot(Box<SingleShot>),
}

impl Stage for CnnDetect {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let detector = if let Some(decoder) = &self.decoder {
            if self.scale_factor.is_some() {
                return Err(ParameterError::new(
                    "scale-factor",
                    "a detector with a decoder looks at one scale alone",
                )
                .with_hint("leave `scale-factor` out"));
            }
            let shot = SingleShot::load(resources, &self.model, decoder, &self.class)?;
            Detector::SingleShot(Box::new(shot))
        } else {
            let loaded: Net = net::load_classifier(resources, &self.model)?;
            let class =
                net::class_index(loaded.arch(), &self.class).map_err(ParameterError::resource("class"))?;
            let scan = Scan::new(loaded).map_err(ParameterError::resource("model"))?;
            Detector::Windows { scan: Box::new(scan), class }
        };
        self.net = Loaded::new(detector);
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        match self.net.get() {
            Some(Detector::Windows { scan, .. }) => net::expect_channels(Some(scan.arch()), inputs[0])?,
            Some(Detector::SingleShot(shot)) => shot.expect_channels(inputs[0])?,
            None => {}
        }
        Ok(vec![("objects", types::OBJECTS)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let (detector, shape) = (self.net.shared()?, graph.shape(inputs[0])?);
        let ready = match &*detector {
            Detector::SingleShot(shot) => Some(shot.over([shape.height, shape.width])?),
            Detector::Windows { .. } => None,
        };
        let step = Step { detector, ready, stage: self.clone() };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Objects)]))
    }
}

struct Step {
    detector: Arc<Detector>,
    /// The net for the size of the picture, where it sees all of it at once.
    ready: Option<Ready>,
    stage: CnnDetect,
}

/// Boxes of the class with their probabilities and landmarks.
#[derive(Default)]
struct Boxes {
    bounds: Vec<[f64; 4]>,
    scores: Vec<f64>,
    points: Vec<Vec<[f64; 2]>>,
}

impl Step {
    /// The boxes of windows of the class.
    fn slide(&self, scan: &Scan, class: usize, image: &Image, cx: &Context) -> Result<Boxes> {
        let stage = &self.stage;
        let range = Range {
            at_least: stage.min_size.map_or([0.0; 2], |size| size.map(f64::from)),
            at_most: stage.max_size.map_or([f64::INFINITY; 2], |size| size.map(f64::from)),
            ratio: stage.scale_factor.unwrap_or(RATIO),
        };
        let mut boxes = Boxes::default();
        scan.run(image, &range, cx, &mut |bbox, probabilities| {
            let probability = probabilities[class];
            if probability >= stage.min_probability {
                boxes.bounds.push(bbox);
                boxes.scores.push(probability);
                boxes.points.push(Vec::new());
            }
        })?;
        Ok(boxes)
    }

    /// The boxes that a detector gives.
    fn decode(&self, shot: &SingleShot, image: &Image, cx: &Context) -> Result<Boxes> {
        let stage = &self.stage;
        let fits = |bbox: [f64; 4]| {
            let beyond = |size: Option<[u32; 2]>, axis: usize, order: std::cmp::Ordering| {
                size.is_some_and(|size| bbox[2 + axis].total_cmp(&f64::from(size[axis])) == order)
            };
            (0..2).all(|axis| {
                !beyond(stage.min_size, axis, std::cmp::Ordering::Less)
                    && !beyond(stage.max_size, axis, std::cmp::Ordering::Greater)
            })
        };
        let Some(ready) = &self.ready else { return Err(Error::pipeline("the net is not loaded")) };
        let mut boxes = Boxes::default();
        for found in shot.run(ready, image, stage.min_probability, cx)? {
            if fits(found.bbox) {
                boxes.bounds.push(found.bbox);
                boxes.scores.push(found.score);
                boxes.points.push(found.points);
            }
        }
        Ok(boxes)
    }
}

impl Whole for Step {
    fn name(&self) -> &'static str {
        "cnn-detect"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let stage = &self.stage;
        let (boxes, label, least) = match &*self.detector {
            Detector::Windows { scan, class } => {
                (self.slide(scan, *class, &value.image, cx)?, net::class_name(scan.arch(), *class), NEIGHBORS)
            }
            Detector::SingleShot(shot) => (self.decode(shot, &value.image, cx)?, stage.class.clone(), 1),
        };
        let least = stage.min_neighbors.map_or(least, |least| least as usize);
        let Boxes { bounds, scores, points } = boxes;
        let neighbors =
            |bbox: [f64; 4]| bounds.iter().filter(|other| iou(bbox, **other) >= NEIGHBOUR).count();
        let mut objects = Vec::new();
        for index in nms(&bounds, &scores, stage.max_overlap, usize::MAX) {
            let count = neighbors(bounds[index]);
            if count < least {
                continue;
            }
            let mut measures: Vec<(Cow<'static, str>, f64)> = vec![("neighbors".into(), count as f64)];
            if let Detector::SingleShot(shot) = &*self.detector {
                for (at, [x, y]) in points[index].iter().enumerate() {
                    let (name, (x, y)) = (shot.point_name(at), value.map.apply(*x, *y));
                    measures.extend([(format!("{name}-x").into(), x), (format!("{name}-y").into(), y)]);
                }
            }
            objects.push(Object {
                bbox: value.map.apply_box(bounds[index]),
                score: Some(scores[index]),
                label: Some(label.clone()),
                measures,
                outline: Vec::new(),
            });
        }
        outputs.push(Value::Objects(Arc::new(objects)));
        Ok(())
    }
}

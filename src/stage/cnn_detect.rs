//! The stage `cnn-detect`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::net::{self, Loaded};
use super::scan::{Range, Scan};
use super::{
    DataType, Family, Kind, Lowering, Meta, Object, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::nn::Net;
use crate::ops::Context;
use crate::ops::nms::{iou, nms};
use crate::{Error, Result};

/// Overlap from which windows speak for each other, intersection over union.
const NEIGHBOUR: f64 = 0.4;

/// Finds objects with a net that tells windows apart, slid over smaller and smaller copies of the picture.
///
/// The net is made fully convolutional, so that windows share what they have in common (Vaillant, Monrocq and
/// LeCun, 1994). Of windows that overlap the most probable stays; `score` is its probability, and `neighbors` the
/// number of windows that speak for the same object.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CnnDetect {
    /// The trained classifier of windows: a safetensors file that carries its architecture, or `builtin:face`.
    pub model: Resource,
    /// The class that is looked for, by its name, or by its number where classes have no names.
    pub class: String,
    /// Probability that a window has at least.
    #[serde(default = "sure")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_probability: f64,
    /// Windows that must speak for an object, itself among them.
    #[serde(default = "neighbors")]
    #[schemars(range(min = 1))]
    pub min_neighbors: u32,
    /// Ratio of one scale to the one before.
    #[serde(default = "ratio")]
    #[schemars(range(min = 1.01, max = 16.0))]
    pub scale_factor: f64,
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

fn sure() -> f64 {
    0.9
}

fn neighbors() -> u32 {
    3
}

fn ratio() -> f64 {
    1.2
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

struct Detector {
    scan: Scan,
    class: usize,
}

impl Stage for CnnDetect {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let loaded: Net = net::load_classifier(resources, &self.model)?;
        let class =
            net::class_index(loaded.arch(), &self.class).map_err(ParameterError::resource("class"))?;
        let scan = Scan::new(loaded).map_err(ParameterError::resource("model"))?;
        self.net = Loaded::new(Detector { scan, class });
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        net::expect_channels(self.net.get().map(|detector| detector.scan.arch()), inputs[0])?;
        Ok(vec![("objects", types::OBJECTS)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let step = Step { detector: self.net.shared()?, stage: self.clone() };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Objects)]))
    }
}

struct Step {
    detector: Arc<Detector>,
    stage: CnnDetect,
}

impl Whole for Step {
    fn name(&self) -> &'static str {
        "cnn-detect"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let (stage, image) = (&self.stage, &value.image);
        let Detector { scan, class } = &*self.detector;
        let range = Range {
            at_least: stage.min_size.map_or([0.0; 2], |size| size.map(f64::from)),
            at_most: stage.max_size.map_or([f64::INFINITY; 2], |size| size.map(f64::from)),
            ratio: stage.scale_factor,
        };
        let (mut boxes, mut scores) = (Vec::new(), Vec::new());
        scan.run(image, &range, cx, &mut |bbox, probabilities| {
            let probability = probabilities[*class];
            if probability >= stage.min_probability {
                boxes.push(bbox);
                scores.push(probability);
            }
        })?;
        let neighbors = |bbox: [f64; 4]| boxes.iter().filter(|other| iou(bbox, **other) >= NEIGHBOUR).count();
        let mut objects = Vec::new();
        for index in nms(&boxes, &scores, stage.max_overlap, usize::MAX) {
            let count = neighbors(boxes[index]);
            if count >= stage.min_neighbors as usize {
                objects.push(Object {
                    bbox: value.map.apply_box(boxes[index]),
                    score: Some(scores[index]),
                    label: Some(net::class_name(scan.arch(), *class)),
                    measures: vec![("neighbors".into(), count as f64)],
                    outline: Vec::new(),
                });
            }
        }
        outputs.push(Value::Objects(Arc::new(objects)));
        Ok(())
    }
}

//! The stage `haar-detect`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    DataType, Family, Kind, Lowering, Meta, Object, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::ops::Context;
use crate::ops::cascade::{Cascade, Params};
use crate::{Error, Result};

/// Finds objects with a cascade of boosted Haar features (Viola and Jones 2001; Lienhart and Maydt 2002) or local
/// binary patterns (Liao and others 2007).
///
/// Reads OpenCV's cascade files. Windows and groups are those of OpenCV's `detectMultiScale`. `margin` is the sum of
/// the margins by which a group's windows passed the last four stages, and `neighbors` their number. `score` is the
/// probability that belongs to the margin where the cascade is calibrated (`lyncean train calibration`), and the margin
/// where it is not.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HaarDetect {
    /// The cascade: an XML file of OpenCV's, also gzipped, or `builtin:frontal-face`, `builtin:frontalface-default`,
    /// `builtin:frontalface-alt2`.
    pub cascade: Resource,
    /// Ratio of one scale to the one before.
    #[schemars(range(min = 1.001, max = 16.0))]
    pub scale_factor: f64,
    /// An object needs more overlapping windows than this; 0 gives every window.
    pub min_neighbors: u32,
    /// Width and height that objects have at least, in pixels; by default the cascade's own.
    pub min_size: Option<[u32; 2]>,
    /// Width and height that objects have at most, in pixels; by default the picture's.
    pub max_size: Option<[u32; 2]>,
    /// Distance between windows, in pixels at the scale of the cascade's own window; by default OpenCV's: 1 where
    /// windows are at least twice as large as that, 2 below.
    #[schemars(range(min = 1, max = 64))]
    pub step: Option<u32>,
    /// How far the edges of the windows of one object may lie apart, as a share of their size.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub group_eps: f64,
    /// The score that objects have at least: a probability where the cascade is calibrated, else a margin.
    pub min_score: Option<f64>,
    /// What objects are called.
    pub label: String,
    /// The loaded model.
    #[serde(skip)]
    #[schemars(skip)]
    model: Option<Arc<Cascade>>,
}

impl Default for HaarDetect {
    fn default() -> Self {
        let params = Params::default();
        Self {
            cascade: Resource("builtin:frontal-face".to_owned()),
            scale_factor: params.scale_factor,
            min_neighbors: params.min_neighbors,
            min_size: None,
            max_size: None,
            step: None,
            group_eps: params.group_eps,
            min_score: None,
            label: "face".to_owned(),
            model: None,
        }
    }
}

/// See [`HaarDetect`].
pub const KIND: Kind = Kind::new::<HaarDetect>(
    "haar-detect",
    Family::Detection,
    &[Port::new("image", &[types::GRAY8])],
    "use = \"haar-detect\"\ncascade = \"builtin:frontalface-alt2\"\nmin-size = [24, 24]",
);

impl Stage for HaarDetect {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let blame = ParameterError::resource("cascade");
        let bytes = resources.load(&self.cascade).map_err(&blame)?;
        self.model = Some(Arc::new(Cascade::from_bytes(&bytes.bytes).map_err(&blame)?));
        Ok(())
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("objects", types::OBJECTS)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let model = self.model.clone().ok_or_else(|| Error::pipeline("the cascade is not loaded"))?;
        let size = |size: [u32; 2]| (size[0] as usize, size[1] as usize);
        let params = Params {
            scale_factor: self.scale_factor,
            min_neighbors: self.min_neighbors,
            min_size: self.min_size.map_or((0, 0), size),
            max_size: self.max_size.map(size),
            step: self.step.map(|step| step as usize),
            group_eps: self.group_eps,
            min_score: self.min_score,
        };
        let step = HaarStep { model, params, label: self.label.clone() };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Objects)]))
    }
}

struct HaarStep {
    model: Arc<Cascade>,
    params: Params,
    label: String,
}

impl Whole for HaarStep {
    fn name(&self) -> &'static str {
        "haar-detect"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let picture = value.image.as_gray8()?;
        let found = self.model.detect_until(picture.view(), &self.params, cx.isa, &|| cx.is_cancelled())?;
        let objects = found.iter().map(|found| {
            let rect = found.rect;
            let bounds = [rect.x, rect.y, rect.width, rect.height].map(|v| v as f64);
            Object {
                bbox: value.map.apply_box(bounds),
                score: Some(found.probability.unwrap_or(found.score)),
                label: Some(self.label.clone()),
                measures: vec![
                    ("neighbors".into(), f64::from(found.neighbors)),
                    ("margin".into(), found.score),
                ],
                outline: Vec::new(),
            }
        });
        outputs.push(Value::Objects(Arc::new(objects.collect())));
        Ok(())
    }
}

//! The stage `match-template`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    DataType, Family, ImageValue, Kind, Lowering, Meta, Object, Output, ParameterError, Port, PortType,
    Stage, Value, ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::{Affine, Image, ImageType};
use crate::ops::row::Shape;
use crate::ops::template::{BestMatches, Method};
use crate::ops::{self, Context, gray};
use crate::{Error, Result};

/// Finds the places where a picture looks like a template.
///
/// Formulas are those of OpenCV's `matchTemplate`; scores are always finite, also over flat
/// windows. Matches are taken greedily from the best on and may overlap only so far. `scores` is
/// the map of scores: one value for every place of the template.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MatchTemplate {
    /// The template: a picture of the same type as the input, or a colour one where the input is gray.
    pub template: Resource,
    /// How a window is compared with the template.
    #[serde(default)]
    pub method: MatchMethod,
    /// The score a match needs: at least this, for squared differences at most. By default 0.8 for
    /// normalised correlations, 0.2 for the normalised squared difference; without a bound for the others.
    #[serde(default)]
    pub threshold: Option<f32>,
    /// The most matches.
    #[serde(default = "max_count")]
    #[schemars(range(min = 1))]
    pub max_count: u32,
    /// How much two matches may overlap, as intersection over union.
    #[serde(default = "max_overlap")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_overlap: f64,
    /// What matches are called.
    #[serde(default)]
    pub label: Option<String>,
    /// The loaded template.
    #[serde(skip)]
    #[schemars(skip)]
    picture: Option<Arc<Image>>,
}

fn max_count() -> u32 {
    100
}

fn max_overlap() -> f64 {
    0.3
}

/// How a window is compared with the template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MatchMethod {
    /// Sum of squared differences: 0 is a perfect match.
    SquaredDifference,
    /// The same, divided by the norms: 0..=1.
    SquaredDifferenceNormed,
    /// Sum of products.
    CrossCorrelation,
    /// The same, divided by the norms: -1..=1.
    CrossCorrelationNormed,
    /// Sum of products of differences from the means.
    CorrelationCoefficient,
    /// The same, divided by the norms: -1..=1, unmoved by brightness and contrast.
    #[default]
    CorrelationCoefficientNormed,
}

impl MatchMethod {
    fn method(self) -> Method {
        match self {
            Self::SquaredDifference => Method::SquaredDifference,
            Self::SquaredDifferenceNormed => Method::SquaredDifferenceNormed,
            Self::CrossCorrelation => Method::CrossCorrelation,
            Self::CrossCorrelationNormed => Method::CrossCorrelationNormed,
            Self::CorrelationCoefficient => Method::CorrelationCoefficient,
            Self::CorrelationCoefficientNormed => Method::CorrelationCoefficientNormed,
        }
    }

    fn default_threshold(self) -> f32 {
        match self {
            Self::SquaredDifference => f32::INFINITY,
            Self::SquaredDifferenceNormed => 0.2,
            Self::CrossCorrelation | Self::CorrelationCoefficient => f32::NEG_INFINITY,
            Self::CrossCorrelationNormed | Self::CorrelationCoefficientNormed => 0.8,
        }
    }
}

/// See [`MatchTemplate`].
pub const KIND: Kind = Kind::new::<MatchTemplate>(
    "match-template",
    Family::Detection,
    &[Port::new("image", types::PICTURE)],
    "use = \"match-template\"\ntemplate = \"builtin:coin\"\nthreshold = 0.6",
);

impl Stage for MatchTemplate {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        self.picture = Some(super::picture::load(resources, &self.template, "template")?);
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        if let (Some(picture), Some(ty)) = (&self.picture, inputs[0].image())
            && !fits(picture.ty(), ty)
        {
            return Err(format!("the template `{}` is `{}`, the image `{ty}`", self.template, picture.ty()));
        }
        Ok(vec![("objects", types::OBJECTS), ("scores", types::GRAY_F32)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let picture = self.picture.clone().ok_or_else(|| Error::pipeline("the template is not loaded"))?;
        let shape = graph.shape(inputs[0])?;
        let template = if picture.ty() == shape.ty {
            picture
        } else {
            Arc::new(gray::gray(&picture, &Context::default())?)
        };
        let (width, height) = (template.width(), template.height());
        if width > shape.width || height > shape.height {
            return Err(Error::shape(format!(
                "the template of {width}x{height} is larger than the image of {}x{}",
                shape.width, shape.height
            )));
        }
        // A score stands for a window: it lies at the window's centre.
        let centre = Affine::translation((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
        let scores = Meta::Image {
            shape: Shape::new(ImageType::GrayF32, shape.width - width + 1, shape.height - height + 1),
            map: graph.map(inputs[0]).after(&centre),
        };
        let best = BestMatches {
            threshold: self.threshold.unwrap_or_else(|| self.method.default_threshold()),
            max_count: self.max_count as usize,
            max_overlap: self.max_overlap,
        };
        let step = MatchStep { template, method: self.method.method(), best, label: self.label.clone() };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Objects), scores]))
    }
}

fn fits(template: ImageType, image: ImageType) -> bool {
    template == image
        || matches!(
            (template, image),
            (ImageType::Rgb8, ImageType::Gray8)
                | (ImageType::Rgb16, ImageType::Gray16)
                | (ImageType::RgbF32, ImageType::GrayF32)
        )
}

struct MatchStep {
    template: Arc<Image>,
    method: Method,
    best: BestMatches,
    label: Option<String>,
}

impl Whole for MatchStep {
    fn name(&self) -> &'static str {
        "match-template"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let params = ops::MatchTemplate { method: self.method, best: self.best };
        let (matches, scores) = ops::match_template(&value.image, &self.template, &params, cx)?;
        let size = (self.template.width(), self.template.height());
        let objects = matches.iter().map(|found| {
            let rect = found.rect;
            let bounds = [rect.x, rect.y, rect.width, rect.height].map(|v| v as f64);
            Object {
                bbox: value.map.apply_box(bounds),
                score: Some(f64::from(found.score)),
                label: self.label.clone(),
                measures: Vec::new(),
                outline: Vec::new(),
            }
        });
        let objects = Value::Objects(Arc::new(objects.collect()));
        let centre = Affine::translation((size.0 as f64 - 1.0) / 2.0, (size.1 as f64 - 1.0) / 2.0);
        let image = cx.share(Image::GrayF32(scores));
        outputs.extend([objects, Value::Image(ImageValue { image, map: value.map.after(&centre) })]);
        Ok(())
    }
}

//! The stage `match-template`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::templates::Loaded;
pub use super::templates::{Angles, Scales, TemplateEntry, TemplateList, TemplateTable};
use super::{
    DataType, Family, ImageValue, Kind, Lowering, Meta, Object, Output, ParameterError, Port, PortType,
    Stage, Value, ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::{Affine, Image, ImageType};
use crate::ops::row::Shape;
use crate::ops::template::{BestMatches, FindTemplates, Found, Method, Steps, Template, find_templates};
use crate::ops::{Context, gray};
use crate::{Error, Result};

/// Finds the places where a picture looks like a template.
///
/// Formulas are those of OpenCV's `matchTemplate`, with a mask too; scores are always finite, also over flat windows. Matches are taken greedily
/// from the best on and may overlap only so far, whatever template they are of. With `scales` or `angles` templates are also looked for
/// scaled and turned, from coarse images to fine ones: objects then have the measures `scale` and `angle`, in degrees counter-clockwise, and an outline.
/// `scores` is the map of scores: for one template as it is one value for every place of it, else one for every pixel of the image, the best of
/// all templates whose middle lies there and the worst there is where none was compared.
/// Matches have exact scores; others of 8-bit pictures are within 1e-3, a millionth as a rule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MatchTemplate {
    /// The template: a picture of the same type as the input, or a colour one where the input is gray.
    ///
    /// A list holds several, and a table `{ file, label, mask }` one with what belongs to it. Pixels that are less than
    /// half opaque are not compared.
    pub template: TemplateList,
    /// A gray picture of the template's size: pixels where it is not 0 are compared, whatever the template's alpha says.
    #[serde(default)]
    pub mask: Option<Resource>,
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
    /// What matches are called whose template has no label of its own.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether boxes are moved to the best place between pixels, by up to half a pixel.
    #[serde(default)]
    pub subpixel: bool,
    /// The scales that templates are looked for at: `{ min, max, step }`; 1, their own size, by default.
    #[serde(default)]
    pub scales: Option<Scales>,
    /// The angles that templates are looked for at, as `rotate` would turn them: `{ min, max, step }` in degrees counter-clockwise;
    /// upright by default.
    #[serde(default)]
    pub angles: Option<Angles>,
    /// How sure the search over scales and angles is to find what there is. Places of a coarser image are looked at more closely where
    /// their score is at least `(1 - guarantee) * threshold + guarantee * worst`, the worst score being -1 for correlations and 1 for squared
    /// differences. 1 compares all scales and angles everywhere in the full image; lower is faster.
    #[serde(default = "guarantee")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub guarantee: f64,
    /// The loaded templates.
    #[serde(skip)]
    #[schemars(skip)]
    loaded: Vec<Loaded>,
}

fn guarantee() -> f64 {
    FindTemplates::default().guarantee
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

impl MatchTemplate {
    fn params(&self) -> FindTemplates {
        FindTemplates {
            method: self.method.method(),
            best: BestMatches {
                threshold: self.threshold.unwrap_or_else(|| self.method.default_threshold()),
                max_count: self.max_count as usize,
                max_overlap: self.max_overlap,
            },
            subpixel: self.subpixel,
            scales: self.scales.map_or(Steps::only(1.0), Steps::from),
            angles: self.angles.map_or(Steps::only(0.0), Steps::from),
            guarantee: self.guarantee,
        }
    }

    /// Whether the scores are those of one template as it is.
    fn is_plain(&self) -> Result<bool> {
        Ok(self.loaded.len() == 1 && self.params().is_upright()?)
    }
}

impl Stage for MatchTemplate {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        self.loaded = self.template.load(resources, self.mask.as_ref())?;
        let params = self.params();
        let scales = params.scales.values().map_err(ParameterError::resource("scales"))?;
        params.angles.values().map_err(ParameterError::resource("angles"))?;
        params.is_upright().map_err(ParameterError::resource("method"))?;
        for loaded in &self.loaded {
            let least = loaded.template.posed(scales[0], params.angles.min, &Context::default());
            least.map_err(ParameterError::resource("scales"))?;
        }
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        if let Some(ty) = inputs[0].image() {
            for Loaded { name, template, .. } in &self.loaded {
                let own = template.picture().ty();
                if !fits(own, ty) {
                    return Err(format!("the template `{name}` is `{own}`, the image `{ty}`"));
                }
            }
        }
        Ok(vec![("objects", types::OBJECTS), ("scores", types::GRAY_F32)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        if self.loaded.is_empty() {
            return Err(Error::pipeline("the templates are not loaded"));
        }
        let (shape, params) = (graph.shape(inputs[0])?, self.params());
        let (mut templates, mut labels, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for Loaded { template, label, .. } in &self.loaded {
            let picture = template.picture();
            let template = if picture.ty() == shape.ty {
                template.clone()
            } else {
                Template::new(Arc::new(gray::gray(picture, &Context::default())?), template.mask())?
            };
            sizes.push((picture.width(), picture.height()));
            templates.push(template);
            labels.push(label.clone().or_else(|| self.label.clone()));
        }
        params.check_sizes(&sizes, (shape.width, shape.height))?;
        let scores = if self.is_plain()? {
            let (width, height) = sizes[0];
            let size = (shape.width - width + 1, shape.height - height + 1);
            Meta::Image {
                shape: Shape::new(ImageType::GrayF32, size.0, size.1),
                map: graph.map(inputs[0]).after(&centre((width, height))),
            }
        } else {
            Meta::Image {
                shape: Shape::new(ImageType::GrayF32, shape.width, shape.height),
                map: graph.map(inputs[0]),
            }
        };
        let is_posed = self.scales.is_some() || self.angles.is_some();
        let step = MatchStep { templates, labels, params, is_plain: self.is_plain()?, is_posed };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Objects), scores]))
    }
}

/// A score stands for a window: it lies at the window's centre.
fn centre((width, height): (usize, usize)) -> Affine {
    Affine::translation((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0)
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
    templates: Vec<Template>,
    labels: Vec<Option<String>>,
    params: FindTemplates,
    is_plain: bool,
    /// Whether objects tell how they lie.
    is_posed: bool,
}

impl MatchStep {
    fn object(&self, found: &Found, map: &Affine) -> Object {
        let mut object = Object {
            bbox: map.apply_box(found.bbox()),
            score: Some(f64::from(found.score)),
            label: self.labels[found.template].clone(),
            ..Object::default()
        };
        if self.is_posed {
            object.measures = vec![("scale".into(), found.scale), ("angle".into(), found.angle)];
            // Through the centres of the corner pixels, which lie half a pixel from their edges.
            object.outline = found
                .corners(0.5)
                .iter()
                .map(|[x, y]| map.apply(*x, *y))
                .map(|(x, y)| [x - 0.5, y - 0.5])
                .collect();
        }
        object
    }
}

impl Whole for MatchStep {
    fn name(&self) -> &'static str {
        "match-template"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let (found, scores) = find_templates(&value.image, &self.templates, &self.params, cx)?;
        let objects = found.iter().map(|found| self.object(found, &value.map)).collect();
        let picture = self.templates[0].picture();
        let map = if self.is_plain {
            value.map.after(&centre((picture.width(), picture.height())))
        } else {
            value.map
        };
        let image = cx.share(Image::GrayF32(scores));
        outputs.extend([Value::Objects(Arc::new(objects)), Value::Image(ImageValue { image, map })]);
        Ok(())
    }
}

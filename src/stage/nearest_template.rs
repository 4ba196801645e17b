//! The stage `nearest-template`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Class, DataType, Family, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::Image;
use crate::ops::Context;
use crate::ops::nearest::{Templates, nearest_templates_until};
use crate::{Error, Result};

/// Classifies the whole image by the class template it correlates best with.
///
/// The classical rival of `classify`: one template a class, the normalised correlation coefficient
/// at one place. `p` is a class's share in the positive coefficients: a ranking, no calibrated probability.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NearestTemplate {
    /// The templates: a gray picture in which they stand side by side, all of one width.
    pub templates: Resource,
    /// The names of the classes, from left to right; by default their numbers from 0.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Width of one template in pixels; by default the picture's height.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub width: Option<u32>,
    /// How many classes are told, the nearest first.
    #[serde(default = "top")]
    #[schemars(range(min = 1))]
    pub top: u32,
    /// The loaded templates.
    #[serde(skip)]
    #[schemars(skip)]
    loaded: Option<Arc<Templates>>,
}

fn top() -> u32 {
    5
}

/// See [`NearestTemplate`].
pub const KIND: Kind = Kind::new::<NearestTemplate>(
    "nearest-template",
    Family::Detection,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"nearest-template\"\ntemplates = \"builtin:digit-templates\"",
);

impl Stage for NearestTemplate {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let blame = ParameterError::resource("templates");
        let picture = super::picture::load(resources, &self.templates, "templates")?;
        let width = self.width.map_or(picture.height(), |width| width as usize);
        let templates = match &*picture {
            Image::Gray8(plane) => Templates::from_strip(plane.view(), width),
            Image::Gray16(plane) => Templates::from_strip(plane.view(), width),
            Image::GrayF32(plane) => Templates::from_strip(plane.view(), width),
            other => Err(Error::shape(format!("expected a gray picture, got `{}`", other.ty()))),
        };
        let templates = templates.map_err(&blame)?;
        if !self.labels.is_empty() && self.labels.len() != templates.len() {
            let message =
                format!("wants {} names, one a template, got {}", templates.len(), self.labels.len());
            return Err(ParameterError::new("labels", message));
        }
        self.loaded = Some(Arc::new(templates));
        Ok(())
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("classes", PortType::Data(DataType::Classes))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let templates = self.loaded.clone().ok_or_else(|| Error::pipeline("the templates are not loaded"))?;
        let shape = graph.shape(inputs[0])?;
        let (width, height) = templates.size();
        if (shape.width, shape.height) != (width, height) {
            return Err(Error::shape(format!(
                "the templates are {width}x{height}, the image is {}x{}",
                shape.width, shape.height
            ))
            .with_hint(format!(
                "put `use = \"resize\"` with `width = {width}`, `height = {height}` above it"
            )));
        }
        let step = NearestStep { templates, labels: self.labels.clone(), top: self.top as usize };
        Ok(graph.whole(Arc::new(step), inputs, vec![Meta::Data(DataType::Classes)]))
    }
}

struct NearestStep {
    templates: Arc<Templates>,
    labels: Vec<String>,
    top: usize,
}

impl Whole for NearestStep {
    fn name(&self) -> &'static str {
        "nearest-template"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let cancelled = || cx.is_cancelled();
        let found = match &*value.image {
            Image::Gray8(plane) | Image::Mask(plane) => {
                nearest_templates_until(&self.templates, plane.view(), &cancelled)
            }
            Image::Gray16(plane) => nearest_templates_until(&self.templates, plane.view(), &cancelled),
            Image::GrayF32(plane) => nearest_templates_until(&self.templates, plane.view(), &cancelled),
            other => Err(Error::shape(format!("expected a gray image, got `{}`", other.ty()))),
        }?;
        let name = |class: usize| self.labels.get(class).cloned().unwrap_or_else(|| class.to_string());
        let classes = found.iter().take(self.top);
        let classes = classes.map(|found| Class { label: name(found.class), probability: found.p });
        outputs.push(Value::Classes(Arc::new(classes.collect())));
        Ok(())
    }
}

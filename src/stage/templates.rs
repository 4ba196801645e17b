//! Templates as parameters name them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::ParameterError;
use crate::Error;
use crate::document::{Resource, Resources};
use crate::image::{Image, Plane};
use crate::ops::template::{Steps, Template};

/// One template, or a list of them.
// The list comes first: a list of two names would else be taken for the fields of a table.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a picture, a table with its `file`, or a list of these")]
pub enum TemplateList {
    /// Several.
    Several(Vec<TemplateEntry>),
    /// One.
    One(TemplateEntry),
}

/// A template: its picture alone, or with what belongs to it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a picture, or a table with its `file`")]
pub enum TemplateEntry {
    /// Its picture.
    File(Resource),
    /// More than that.
    Table(TemplateTable),
}

/// A template with what belongs to it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TemplateTable {
    /// The picture.
    pub file: Resource,
    /// What its matches are called.
    #[serde(default)]
    pub label: Option<String>,
    /// A gray picture of the template's size: pixels where it is not 0 are compared.
    #[serde(default)]
    pub mask: Option<Resource>,
}

/// Scales that templates are looked for at.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scales {
    /// The smallest; 1 is the size of the template.
    #[schemars(range(min = 0.01, max = 100.0))]
    pub min: f64,
    /// The largest.
    #[schemars(range(min = 0.01, max = 100.0))]
    pub max: f64,
    /// From one to the next.
    #[schemars(range(min = 0.001, max = 100.0))]
    pub step: f64,
}

/// Angles that templates are looked for at, in degrees counter-clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Angles {
    /// The first.
    #[schemars(range(min = -360.0, max = 360.0))]
    pub min: f64,
    /// The last.
    #[schemars(range(min = -360.0, max = 360.0))]
    pub max: f64,
    /// From one to the next.
    #[schemars(range(min = 0.1, max = 360.0))]
    pub step: f64,
}

impl From<Scales> for Steps {
    fn from(Scales { min, max, step }: Scales) -> Self {
        Self { min, max, step }
    }
}

impl From<Angles> for Steps {
    fn from(Angles { min, max, step }: Angles) -> Self {
        Self { min, max, step }
    }
}

/// A template that was read, and what its matches are called.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) template: Template,
    pub(super) label: Option<String>,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("name", &self.name).field("label", &self.label).finish_non_exhaustive()
    }
}

impl TemplateList {
    /// Reads the templates with their masks; `mask` is that of one template alone.
    pub(super) fn load(
        &self,
        resources: &Resources,
        mask: Option<&Resource>,
    ) -> Result<Vec<Loaded>, ParameterError> {
        let entries = match self {
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Several(entries) => entries,
        };
        if entries.is_empty() {
            return Err(ParameterError::new("template", "wants at least one template"));
        }
        if let (Self::Several(_), Some(_)) = (self, mask) {
            return Err(ParameterError::new("mask", "is for one template, not for a list")
                .with_hint("`template = [{ file = \"a.png\", mask = \"b.png\" }]` gives each its own"));
        }
        entries.iter().map(|entry| entry.load(resources, mask)).collect()
    }
}

impl TemplateEntry {
    fn load(&self, resources: &Resources, mask: Option<&Resource>) -> Result<Loaded, ParameterError> {
        let (file, label, own) = match self {
            Self::File(file) => (file, None, None),
            Self::Table(table) => (&table.file, table.label.clone(), table.mask.as_ref()),
        };
        let key = if own.is_some() { "template" } else { "mask" };
        let (picture, alpha) = super::picture::load_with_alpha(resources, file, "template")?;
        let mask = match own.or(mask) {
            Some(mask) => {
                let picture = super::picture::load(resources, mask, key)?;
                Some(plane_of(&picture).ok_or_else(|| {
                    let message =
                        format!("expected a gray picture as a mask, `{mask}` is `{}`", picture.ty());
                    ParameterError { key, error: Error::pipeline(message) }
                })?)
            }
            // As in `input.alpha`, what is at least half opaque counts.
            None => alpha.map(|alpha| alpha.map(|value| u8::from(value >= 128))),
        };
        let key = if own.is_none() && mask.is_some() { key } else { "template" };
        let template = Template::new(picture, mask.as_ref()).map_err(ParameterError::resource(key))?;
        Ok(Loaded { name: file.0.clone(), template, label })
    }
}

/// 1 where a gray picture is not 0.
fn plane_of(picture: &Arc<Image>) -> Option<Plane<u8>> {
    match &**picture {
        Image::Gray8(plane) | Image::Mask(plane) => Some(plane.clone()),
        Image::Gray16(plane) => Some(plane.map(|value| u8::from(value != 0))),
        Image::GrayF32(plane) => Some(plane.map(|value| u8::from(value != 0.0))),
        _ => None,
    }
}

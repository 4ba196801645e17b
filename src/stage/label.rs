//! The stage `label`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    DataType, Family, Kind, Lowering, Meta, Object, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, types,
};
use crate::document::Resources;
use crate::image::{Affine, Image, ImageType};
use crate::ops::label::{self, Connectivity};
use crate::ops::row::Shape;
use crate::ops::{Context, regions};
use crate::stage::value::ImageValue;
use crate::{Error, Result};

/// Numbers the connected components of a mask and measures them.
///
/// Labels count from 1 in raster order of each component's first pixel. Measures have the names
/// and formulas of scikit-image's `regionprops`; `orientation` is counter-clockwise from the x
/// axis, in radians. Boxes and centroids are in pixels of the picture as read, areas in pixels of
/// the mask.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Label {
    /// Neighbours of a pixel: 4, or 8 with the diagonal ones.
    pub connectivity: u32,
    /// Least area in pixels; smaller components are dropped.
    pub min_area: u64,
    /// Greatest area in pixels; larger components are dropped.
    pub max_area: Option<u64>,
    /// Whether components that touch the edge of the image are dropped.
    pub clear_border: bool,
}

impl Default for Label {
    fn default() -> Self {
        Self { connectivity: 8, min_area: 0, max_area: None, clear_border: false }
    }
}

/// See [`Label`].
pub const KIND: Kind = Kind::new::<Label>(
    "label",
    Family::Segmentation,
    &[Port::new("mask", &[types::MASK])],
    "use = \"label\"\nmin-area = 40",
);

impl Stage for Label {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        match Connectivity::with_neighbours(self.connectivity) {
            Some(_) => Ok(()),
            None => {
                Err(ParameterError::new("connectivity", format!("wants 4 or 8, got `{}`", self.connectivity)))
            }
        }
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("labels", types::LABELS), ("objects", types::OBJECTS)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let labels = Meta::Image {
            shape: Shape::new(ImageType::Labels, shape.width, shape.height),
            map: graph.map(inputs[0]),
        };
        let outputs = vec![labels, Meta::Data(DataType::Objects)];
        Ok(graph.whole(Arc::new(LabelStep(self.clone())), inputs, outputs))
    }
}

struct LabelStep(Label);

impl Whole for LabelStep {
    fn name(&self) -> &'static str {
        "label"
    }

    fn run(&self, cx: &Context, inputs: &[Value]) -> Result<Vec<Value>> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected a mask")) };
        let mask = value.image.as_gray8()?;
        let connectivity = Connectivity::with_neighbours(self.0.connectivity).unwrap_or_default();
        let mut components =
            label::components(cx.isa, mask.view(), connectivity, cx.threads, &|| cx.is_cancelled())?;
        let mut table = regions::regions(&components);
        let filter = regions::Filter {
            min_area: self.0.min_area,
            max_area: self.0.max_area,
            clear_border: self.0.clear_border,
        };
        regions::retain(&mut components, &mut table, &filter)?;
        let objects = table.iter().map(|region| object(region, &value.map)).collect();
        let image = Arc::new(Image::Labels(components.paint(cx.threads)));
        Ok(vec![Value::Image(ImageValue { image, map: value.map }), Value::Objects(Arc::new(objects))])
    }
}

pub(super) fn object(region: &regions::Region, map: &Affine) -> Object {
    let rect = region.bbox;
    // Regions give the mean of pixel indices; a pixel's centre lies half a pixel further.
    let (x, y) = map.apply(region.centroid.0 + 0.5, region.centroid.1 + 0.5);
    let measures = [
        ("area", region.area as f64),
        ("centroid-x", x - 0.5),
        ("centroid-y", y - 0.5),
        ("equivalent-diameter", region.equivalent_diameter),
        ("eccentricity", region.eccentricity),
        ("orientation", region.orientation),
    ];
    Object {
        bbox: map.apply_box([rect.x as f64, rect.y as f64, rect.width as f64, rect.height as f64]),
        score: None,
        label: Some(region.label.to_string()),
        measures: measures.map(|(name, value)| (name.to_owned(), value)).to_vec(),
    }
}

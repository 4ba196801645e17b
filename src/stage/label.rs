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
use crate::ops::label::{self, Components, Connectivity};
use crate::ops::row::Shape;
use crate::ops::{Cancelled, Context, outline, regions};
use crate::parallel::prelude::*;
use crate::stage::value::ImageValue;
use crate::{Error, Result};

/// Numbers the connected components of a mask and measures them; `labels` are measured as they are.
///
/// A second input, gray, is measured within each component: mean, least and greatest intensity.
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
    /// Whether perimeter, area of the convex hull and solidity are measured as well.
    pub shape: bool,
    /// Size of a pixel of the image in micrometres. Areas are then in square micrometres, lengths in
    /// micrometres; boxes and centroids stay in pixels.
    #[schemars(range(min = 1e-9, max = 1e9))]
    pub pixel_size: Option<f64>,
}

impl Default for Label {
    fn default() -> Self {
        Self {
            connectivity: 8,
            min_area: 0,
            max_area: None,
            clear_border: false,
            shape: false,
            pixel_size: None,
        }
    }
}

/// See [`Label`].
pub const KIND: Kind = Kind::new::<Label>(
    "label",
    Family::Segmentation,
    &[Port::new("mask", &[types::MASK, types::LABELS]), Port::many("intensity", types::GRAY_OR_MASK)],
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

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        if inputs.len() > 2 {
            return Err(format!("wants a mask, then one gray image, got {} inputs", inputs.len()));
        }
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

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let Some(Value::Image(value)) = inputs.first() else { return Err(Error::shape("expected a mask")) };
        let cancelled = || cx.is_cancelled();
        let mut components = match &*value.image {
            Image::Labels(labels) => {
                let mut room = cx.room::<Components>();
                *room = Components::from_labels(labels.view())?.0;
                room
            }
            mask => {
                let connectivity = Connectivity::with_neighbours(self.0.connectivity).unwrap_or_default();
                label::components_of(cx, mask.as_gray8()?.view(), connectivity)?
            }
        };
        let mut table = match inputs.get(1) {
            Some(Value::Image(gray)) => with_intensity(&components, &gray.image, &cancelled)?,
            _ => regions::regions_by(&components, cx.threads, &cancelled)?,
        };
        let filter = regions::Filter {
            min_area: self.0.min_area,
            max_area: self.0.max_area,
            clear_border: self.0.clear_border,
        };
        regions::retain(&mut components, &mut table, &filter)?;
        let image = components.image(cx);
        let mut objects: Vec<Object> = match cx.threads {
            0 | 1 => table.iter().map(|region| object(region, &value.map)).collect(),
            _ => table.par_iter().with_min_len(256).map(|region| object(region, &value.map)).collect(),
        };
        if self.0.shape {
            let Image::Labels(labels) = &image else { return Err(Error::shape("expected labels")) };
            let perimeters = outline::perimeters(labels.view(), components.count(), &cancelled)?;
            let convex = outline::convex_areas(&components, &cancelled)?;
            for (object, (region, (perimeter, convex))) in
                objects.iter_mut().zip(table.iter().zip(perimeters.into_iter().zip(convex)))
            {
                object.measures.extend([
                    ("perimeter".into(), perimeter),
                    ("area-convex".into(), convex as f64),
                    ("solidity".into(), region.area as f64 / convex as f64),
                ]);
            }
        }
        if let Some(size) = self.0.pixel_size {
            for object in &mut objects {
                scale(object, size);
            }
        }
        let image = cx.share(image);
        outputs
            .extend([Value::Image(ImageValue { image, map: value.map }), Value::Objects(Arc::new(objects))]);
        Ok(())
    }
}

fn with_intensity(
    components: &Components,
    gray: &Image,
    cancelled: Cancelled,
) -> Result<Vec<regions::Region>> {
    match gray {
        Image::Gray8(plane) | Image::Mask(plane) => {
            regions::regions_with_intensity_until(components, plane.view(), cancelled)
        }
        Image::Gray16(plane) => regions::regions_with_intensity_until(components, plane.view(), cancelled),
        Image::GrayF32(plane) => regions::regions_with_intensity_until(components, plane.view(), cancelled),
        other => Err(Error::shape(format!("expected a gray image, got `{}`", other.ty()))),
    }
}

/// From pixels to micrometres.
fn scale(object: &mut Object, size: f64) {
    for (name, value) in &mut object.measures {
        match &**name {
            "area" | "area-convex" => *value *= size * size,
            "equivalent-diameter" | "axis-major-length" | "axis-minor-length" | "perimeter" => *value *= size,
            _ => {}
        }
    }
}

pub(super) fn object(region: &regions::Region, map: &Affine) -> Object {
    let rect = region.bbox;
    // Regions give the mean of pixel indices; a pixel's centre lies half a pixel further.
    let (x, y) = map.apply(region.centroid.0 + 0.5, region.centroid.1 + 0.5);
    let mut measures = vec![
        ("area".into(), region.area as f64),
        ("centroid-x".into(), x - 0.5),
        ("centroid-y".into(), y - 0.5),
        ("equivalent-diameter".into(), region.equivalent_diameter),
        ("axis-major-length".into(), region.axis_major_length),
        ("axis-minor-length".into(), region.axis_minor_length),
        ("eccentricity".into(), region.eccentricity),
        ("orientation".into(), region.orientation),
    ];
    if let Some(regions::Intensity { mean, min, max }) = region.intensity {
        measures.extend([
            ("intensity-mean".into(), mean),
            ("intensity-min".into(), min),
            ("intensity-max".into(), max),
        ]);
    }
    Object {
        bbox: map.apply_box([rect.x as f64, rect.y as f64, rect.width as f64, rect.height as f64]),
        score: None,
        label: Some(region.label.to_string()),
        measures,
        outline: Vec::new(),
    }
}

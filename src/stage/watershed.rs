//! The stage `watershed`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    DataType, Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value,
    ValueId, Whole, label, types,
};
use crate::document::Resources;
use crate::image::{Image, ImageType, Plane};
use crate::ops::label::{Components, Connectivity};
use crate::ops::row::Shape;
use crate::ops::{Context, distance, regions, watershed};
use crate::{Error, Result};

/// Pulls touching parts of a mask apart, numbers and measures them.
///
/// The mask is flooded from markers, deepest places first, and where two floods meet is the border. With
/// one input depth is the distance from the background, and markers are its peaks. A second input, `labels`
/// or a mask, gives the markers instead, and a third, gray, what is flooded from low to high. Equal to
/// scikit-image's `watershed(-distance, markers, mask=mask)`; markers of equal value begin in raster order.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Watershed {
    /// Least distance of two peaks in pixels, along either axis.
    #[schemars(range(min = 1, max = 2047))]
    pub min_distance: u32,
    /// Least height of a peak: its distance from the background in pixels.
    pub min_depth: f32,
    /// Neighbours of a pixel: 4, or 8 with the diagonal ones.
    pub connectivity: u32,
    /// Least area in pixels; smaller parts are dropped.
    pub min_area: u64,
    /// Greatest area in pixels; larger parts are dropped.
    pub max_area: Option<u64>,
    /// Whether parts that touch the edge of the image are dropped.
    pub clear_border: bool,
}

impl Default for Watershed {
    fn default() -> Self {
        Self {
            min_distance: 10,
            min_depth: 0.0,
            connectivity: 4,
            min_area: 0,
            max_area: None,
            clear_border: false,
        }
    }
}

/// See [`Watershed`].
pub const KIND: Kind = Kind::new::<Watershed>(
    "watershed",
    Family::Segmentation,
    &[
        Port::new("mask", &[types::MASK]),
        Port::many("markers", &[types::LABELS, types::MASK, types::GRAY8, types::GRAY16, types::GRAY_F32]),
    ],
    "use = \"watershed\"\nmin-distance = 15",
);

impl Stage for Watershed {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        match Connectivity::with_neighbours(self.connectivity) {
            Some(_) => Ok(()),
            None => {
                Err(ParameterError::new("connectivity", format!("wants 4 or 8, got `{}`", self.connectivity)))
            }
        }
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        match inputs {
            [_] | [_, types::LABELS | types::MASK] => {}
            [_, types::LABELS | types::MASK, types::GRAY8 | types::GRAY16 | types::GRAY_F32] => {}
            [_, markers] => return Err(format!("wants markers as `labels` or `mask`, got `{markers}`")),
            _ => return Err("wants a mask, then markers, then a gray image, and no more".to_owned()),
        }
        Ok(vec![("labels", types::LABELS), ("objects", types::OBJECTS)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        for input in inputs {
            let other = graph.shape(*input)?;
            if (other.width, other.height) != (shape.width, shape.height) {
                return Err(Error::shape(format!(
                    "wants inputs of one size, got {}x{} and {}x{}",
                    shape.width, shape.height, other.width, other.height
                )));
            }
        }
        let labels = Shape { ty: ImageType::Labels, ..shape };
        let outputs =
            vec![Meta::Image { shape: labels, map: graph.map(inputs[0]) }, Meta::Data(DataType::Objects)];
        Ok(graph.whole(Arc::new(Step(self.clone())), inputs, outputs))
    }
}

struct Step(Watershed);

impl Whole for Step {
    fn name(&self) -> &'static str {
        "watershed"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let Some(Value::Image(value)) = inputs.first() else { return Err(Error::shape("expected a mask")) };
        let cancelled = || cx.is_cancelled();
        let mask = value.image.as_gray8()?.view();
        let connectivity = Connectivity::with_neighbours(self.0.connectivity).unwrap_or_default();
        let depth = match inputs.get(2) {
            Some(Value::Image(gray)) => floats(&gray.image)?,
            _ => distance::distance_transform(mask, cx)?.map(|distance| -distance),
        };
        let markers = match inputs.get(1) {
            Some(Value::Image(markers)) => match &*markers.image {
                Image::Labels(labels) => labels.clone(),
                other => {
                    let marks = other.as_gray8()?.view();
                    crate::ops::label::label(cx.isa, marks, connectivity, cx.threads, &cancelled)?.0
                }
            },
            _ => {
                let heights = Image::GrayF32(depth.map(|depth| -depth));
                let peaks = watershed::peaks(&heights, self.0.min_distance as usize, self.0.min_depth, cx)?;
                let mut markers = Plane::<u32>::new(mask.width(), mask.height());
                for (index, (x, y)) in peaks.into_iter().enumerate() {
                    markers.set(x, y, index as u32 + 1);
                }
                markers
            }
        };
        let parts = watershed::watershed(depth.view(), markers.view(), Some(mask), connectivity, &cancelled)?;
        let (mut components, _) = Components::from_labels(parts.view())?;
        let mut table = regions::regions_by(&components, cx.threads, &|| cx.is_cancelled())?;
        let filter = regions::Filter {
            min_area: self.0.min_area,
            max_area: self.0.max_area,
            clear_border: self.0.clear_border,
        };
        regions::retain(&mut components, &mut table, &filter)?;
        let objects = table.iter().map(|region| label::object(region, &value.map)).collect();
        let image = cx.share(components.image(cx));
        outputs
            .extend([Value::Image(ImageValue { image, map: value.map }), Value::Objects(Arc::new(objects))]);
        Ok(())
    }
}

fn floats(image: &Image) -> Result<Plane<f32>> {
    Ok(match image {
        Image::Gray8(plane) => plane.map(f32::from),
        Image::Gray16(plane) => plane.map(f32::from),
        Image::GrayF32(plane) => plane.clone(),
        other => return Err(Error::shape(format!("expected a gray image, got `{}`", other.ty()))),
    })
}

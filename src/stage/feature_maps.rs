//! The stage `feature-maps`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::net::{self, Loaded};
use super::{
    Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value, ValueId,
    Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::{Affine, Image, ImageType, Plane};
use crate::nn::{Net, Tensor};
use crate::ops::Context;
use crate::ops::row::Shape;
use crate::{Error, Result};

/// Pixels between tiles.
const GAP: usize = 1;

/// Draws what a layer of a net makes of the picture, or the filters of a layer, as a mosaic.
///
/// Maps come row after row, in the order of their channels; filters have a row of their own each, with a
/// tile for each channel that they see, or come as maps do where that is one. A sheet for eyes: values
/// are stretched so that the smallest is black and the largest white.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FeatureMaps {
    /// The trained net: a safetensors file that carries its architecture, or `builtin:lenet5`.
    pub model: Resource,
    /// The layer, as `lyncean nets NAME` lists them.
    pub layer: String,
    /// What is drawn.
    #[serde(default)]
    pub of: Of,
    /// What is stretched as one.
    #[serde(default)]
    pub stretch: Stretch,
    /// How many times larger than it is each value is drawn.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 64))]
    pub zoom: u32,
    /// The loaded net.
    #[serde(skip)]
    #[schemars(skip)]
    net: Loaded<Net>,
}

fn once() -> u32 {
    1
}

/// What is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// What the layer gives for the picture.
    #[default]
    Activations,
    /// Its weights, which are the same for every picture.
    Filters,
}

/// What is stretched as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stretch {
    /// Each tile by itself: shapes can be seen, strengths cannot be compared.
    #[default]
    Each,
    /// All tiles together.
    All,
}

/// See [`FeatureMaps`].
pub const KIND: Kind = Kind::new::<FeatureMaps>(
    "feature-maps",
    Family::Learned,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"feature-maps\"\nmodel = \"builtin:lenet5\"\nlayer = \"conv1\"\nzoom = 2",
);

/// Tiles of one size.
#[derive(Clone, Copy, Debug)]
struct Sheet {
    count: usize,
    columns: usize,
    tile: [usize; 2],
    zoom: usize,
}

impl Sheet {
    fn size(&self) -> (usize, usize) {
        let [height, width] = self.tile;
        let rows = self.count.div_ceil(self.columns);
        let along = |tiles: usize, len: usize| tiles * (len * self.zoom + GAP) + GAP;
        (along(self.columns, width), along(rows, height))
    }

    fn draw(&self, values: &[f32], stretch: Stretch) -> Plane<u8> {
        let (width, height) = self.size();
        let mut sheet = Plane::filled(width, height, 0u8);
        let area = self.tile[0] * self.tile[1];
        let all = range(values);
        for (place, tile) in values.chunks_exact(area.max(1)).take(self.count).enumerate() {
            let (low, high) = if stretch == Stretch::All { all } else { range(tile) };
            let scale = if high > low { 255.0 / (high - low) } else { 0.0 };
            let left = GAP + place % self.columns * (self.tile[1] * self.zoom + GAP);
            let top = GAP + place / self.columns * (self.tile[0] * self.zoom + GAP);
            for y in 0..self.tile[0] * self.zoom {
                let row = &mut sheet.row_mut(top + y)[left..left + self.tile[1] * self.zoom];
                let source = &tile[y / self.zoom * self.tile[1]..][..self.tile[1]];
                for (x, pixel) in row.iter_mut().enumerate() {
                    *pixel = ((source[x / self.zoom] - low) * scale + 0.5) as u8;
                }
            }
        }
        sheet
    }
}

/// The smallest and the largest value.
fn range(values: &[f32]) -> (f32, f32) {
    let fold = |(low, high): (f32, f32), value: &f32| (low.min(*value), high.max(*value));
    values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), fold)
}

impl FeatureMaps {
    /// The weights of the layer.
    fn filters<'a>(&self, net: &'a Net) -> Result<&'a Tensor> {
        net.arch().find(&self.layer)?;
        let name = format!("{}.weight", self.layer);
        let found = net.params().find(|param| param.name == name).map(|param| &param.value);
        found.filter(|weight| weight.shape().len() == 4).ok_or_else(|| {
            Error::pipeline(format!("layer `{}` has no filters of images", self.layer))
                .with_hint("filters are drawn of `conv2d` and `conv-transpose2d`")
        })
    }

    fn sheet(&self, net: &Net) -> Result<Sheet> {
        let zoom = self.zoom as usize;
        if self.of == Of::Filters {
            let shape = self.filters(net)?.shape();
            let (filters, channels) = (shape[0], shape[1]);
            let columns = if channels == 1 { square(filters) } else { channels };
            return Ok(Sheet { count: filters * channels, columns, tile: [shape[2], shape[3]], zoom });
        }
        let arch = net.arch();
        let layer = &arch.layers[arch.find_needed(&self.layer)?];
        Ok(match *layer.output {
            [channels, height, width] => {
                Sheet { count: channels, columns: square(channels), tile: [height, width], zoom }
            }
            _ => Sheet { count: 1, columns: 1, tile: [1, layer.output.count()], zoom },
        })
    }
}

/// Columns of a mosaic that is about square.
fn square(count: usize) -> usize {
    (1..=count).find(|side| side * side >= count).unwrap_or(1)
}

impl Stage for FeatureMaps {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let loaded = net::load(resources, &self.model)?;
        self.sheet(&loaded).map_err(ParameterError::resource("layer"))?;
        self.net = Loaded::new(loaded);
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        net::expect_channels(self.net.get().map(Net::arch), inputs[0])?;
        Ok(vec![("image", types::GRAY8)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let net = self.net.shared()?;
        net::expect_size(net.arch(), graph.shape(inputs[0])?)?;
        let sheet = self.sheet(&net)?;
        let (width, height) = sheet.size();
        let output =
            Meta::Image { shape: Shape::new(ImageType::Gray8, width, height), map: Affine::IDENTITY };
        Ok(graph.whole(Arc::new(Step { stage: self.clone(), net, sheet }), inputs, vec![output]))
    }
}

struct Step {
    stage: FeatureMaps,
    net: Arc<Net>,
    sheet: Sheet,
}

impl Whole for Step {
    fn name(&self) -> &'static str {
        "feature-maps"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let plane = if self.stage.of == Of::Filters {
            self.sheet.draw(self.stage.filters(&self.net)?.data(), self.stage.stretch)
        } else {
            let x = net::batch_of(self.net.arch(), &value.image)?;
            self.sheet.draw(self.net.activations(&x, &self.stage.layer)?.data(), self.stage.stretch)
        };
        let image = ImageValue { image: cx.share(Image::Gray8(plane)), map: Affine::IDENTITY };
        outputs.push(Value::Image(image));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_lie_in_rows_with_gaps_and_are_stretched() {
        let sheet = Sheet { count: 3, columns: square(3), tile: [1, 2], zoom: 2 };
        assert_eq!(sheet.size(), (11, 7));
        let values = [0.0, 1.0, 5.0, 5.0, -2.0, 2.0];
        let drawn = sheet.draw(&values, Stretch::Each);
        assert_eq!(drawn.row(1), [0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0]);
        assert_eq!(drawn.row(5), [0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0]);
        let drawn = sheet.draw(&values, Stretch::All);
        assert_eq!(drawn.row(2), [0, 73, 73, 109, 109, 0, 255, 255, 255, 255, 0]);
        assert_eq!(drawn.row(3), [0; 11]);
    }
}

//! The stage `segment-net`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::net::{self, Loaded};
use super::{
    Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value, ValueId,
    Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::{Image, ImageType, Rect};
use crate::nn::{PixelNet, Tiles};
use crate::ops::Context;
use crate::ops::row::Shape;
use crate::{Error, Result};

/// Says what lies in each pixel with a net, such as a U-Net (Ronneberger, Fischer and Brox, 2015).
///
/// A net of two classes gives a `mask` of the second, as `threshold` does; of more classes `labels` with the number of
/// each pixel's class, from 0. `probability` is a `gray-f32` image. Pictures may be of any size: large ones are cut into
/// overlapping tiles, whose result is that of the whole picture up to rounding.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SegmentNet {
    /// The trained net: a safetensors file that carries its architecture, or `builtin:coins-unet`.
    pub model: Resource,
    /// The class that `probability` is of, by its name, or by its number where classes have no names; by default the
    /// second of two, and of more that which the pixel was given.
    #[serde(default)]
    pub class: Option<String>,
    /// Side of a tile in pixels, to which margins come as wide as the net sees: less takes less memory and more time.
    #[serde(default = "tile")]
    #[schemars(range(min = 16, max = 8192))]
    pub tile: u32,
    /// The loaded net.
    #[serde(skip)]
    #[schemars(skip)]
    net: Loaded<PixelNet>,
}

fn tile() -> u32 {
    512
}

/// See [`SegmentNet`].
pub const KIND: Kind = Kind::new::<SegmentNet>(
    "segment-net",
    Family::Learned,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"segment-net\"\nmodel = \"builtin:coins-unet\"",
);

impl SegmentNet {
    /// What pixels get.
    fn ty(&self) -> ImageType {
        let is_binary = self.net.get().is_none_or(|net| net.classes() == 2);
        if is_binary { ImageType::Mask } else { ImageType::Labels }
    }
}

impl Stage for SegmentNet {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        let loaded = net::load(resources, &self.model)?;
        if let Some(class) = &self.class {
            net::class_index(loaded.arch(), class).map_err(ParameterError::resource("class"))?;
        }
        self.net = Loaded::new(PixelNet::new(&loaded).map_err(ParameterError::resource("model"))?);
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        net::expect_channels(self.net.get().map(PixelNet::arch), inputs[0])?;
        Ok(vec![("classes", PortType::Image(self.ty())), ("probability", types::GRAY_F32)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let (net, shape) = (self.net.shared()?, graph.shape(inputs[0])?);
        let tiles = net.over([shape.height, shape.width], self.tile as usize)?;
        let named = self.class.as_ref().map(|class| net::class_index(net.arch(), class)).transpose()?;
        let class = named.or((net.classes() == 2).then_some(1));
        let meta =
            |ty| Meta::Image { shape: Shape::new(ty, shape.width, shape.height), map: graph.map(inputs[0]) };
        let outputs = vec![meta(self.ty()), meta(ImageType::GrayF32)];
        let step = Step { net, tiles, class, ty: self.ty() };
        Ok(graph.whole(Arc::new(step), inputs, outputs))
    }
}

struct Step {
    net: Arc<PixelNet>,
    tiles: Tiles,
    /// The class whose probability is told, or that of each pixel.
    class: Option<usize>,
    ty: ImageType,
}

impl Whole for Step {
    fn name(&self) -> &'static str {
        "segment-net"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let (arch, image) = (self.net.arch(), &value.image);
        let x = net::standardised(image, &arch.mean, &arch.std)?;
        let mut given = cx.image(self.ty, image.width(), image.height());
        let mut sure = cx.image(ImageType::GrayF32, image.width(), image.height());
        let classes = self.net.classes();
        let mut scores = vec![0.0; classes];
        self.tiles.each(&x, &|| cx.is_cancelled(), &mut |place, planes| {
            let Rect { x: left, y: top, width, height } = place;
            for at in 0..width * height {
                for (score, plane) in scores.iter_mut().zip(planes.chunks_exact(width * height)) {
                    *score = plane[at];
                }
                let best = (1..classes).fold(0, |best, i| if scores[i] > scores[best] { i } else { best });
                let (u, v) = (left + at % width, top + at / width);
                match &mut given {
                    Image::Mask(plane) => plane.row_mut(v)[u] = if best == 1 { 255 } else { 0 },
                    Image::Labels(plane) => plane.row_mut(v)[u] = best as u32,
                    _ => {}
                }
                if let Image::GrayF32(plane) = &mut sure {
                    let of = scores[self.class.unwrap_or(best)];
                    let sum: f32 = scores.iter().map(|score| libm::expf(score - scores[best])).sum();
                    plane.row_mut(v)[u] = libm::expf(of - scores[best]) / sum;
                }
            }
        })?;
        for image in [given, sure] {
            outputs.push(Value::Image(ImageValue { image: cx.share(image), map: value.map }));
        }
        Ok(())
    }
}

//! The stage `draw`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Meta, Object, Output, Port, PortType, Stage, Value, ValueId, Whole,
    types,
};
use crate::image::{Affine, Image, ImageType, Plane};
use crate::ops::row::Shape;
use crate::ops::{Context, draw};
use crate::{Error, Result};

/// Draws objects, labels and masks over any earlier image, as `rgb8`.
///
/// `in = ["input", "coins"]` draws what `coins` gives over the picture as read: labels in colours,
/// masks as a veil, objects as boxes. A stage that gives both labels and objects is drawn by its
/// labels; `"coins.objects"` picks the boxes. 16-bit images lose their low byte, floats of 0..=1
/// become 0..=255.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Draw {
    /// Width of box lines in pixels.
    #[schemars(range(min = 1, max = 100))]
    pub line_width: u32,
    /// Opacity of labels and masks: 0 clear, 1 opaque.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub opacity: f32,
    /// Whether labels are drawn as contours instead of fields.
    pub contours: bool,
    /// Whether boxes carry their label and score.
    pub words: bool,
    /// Size of words: dots of a letter in pixels, of 8 dots a letter.
    #[schemars(range(min = 1, max = 32))]
    pub text_scale: u32,
}

impl Default for Draw {
    fn default() -> Self {
        Self { line_width: 2, opacity: 0.5, contours: false, words: true, text_scale: 1 }
    }
}

/// See [`Draw`].
pub const KIND: Kind = Kind::new::<Draw>(
    "draw",
    Family::Drawing,
    &[Port::new("image", types::PLANE), Port::many("what", &[types::LABELS, types::MASK, types::OBJECTS])],
    "use = \"draw\"\nopacity = 0.4",
);

impl Stage for Draw {
    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", types::RGB8)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        for overlay in &inputs[1..] {
            if let Meta::Image { shape: other, .. } = graph.meta(*overlay)
                && (other.width, other.height) != (shape.width, shape.height)
            {
                return Err(Error::shape(format!(
                    "expected `{}` of {}x{} to draw over the image, got {}x{}",
                    other.ty, shape.width, shape.height, other.width, other.height
                ))
                .with_hint("draw over the image that it was computed from"));
            }
        }
        let output = Meta::Image {
            shape: Shape::new(ImageType::Rgb8, shape.width, shape.height),
            map: graph.map(inputs[0]),
        };
        Ok(graph.whole(Arc::new(DrawStep(self.clone())), inputs, vec![output]))
    }
}

struct DrawStep(Draw);

impl Whole for DrawStep {
    fn name(&self) -> &'static str {
        "draw"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let Some((Value::Image(base), overlays)) = inputs.split_first() else {
            return Err(Error::shape("expected an image to draw over"));
        };
        let mut picture = cx.plane(base.image.width(), base.image.height());
        draw::to_rgb8_over(&base.image, &mut picture)?;
        let back = base.map.inverse().unwrap_or_default();
        let alpha = (self.0.opacity * 255.0 + 0.5) as u8;
        for (index, overlay) in overlays.iter().enumerate() {
            cx.check()?;
            match overlay {
                Value::Image(value) => match &*value.image {
                    Image::Labels(labels) if self.0.contours => draw::contours(&mut picture, labels.view())?,
                    Image::Labels(labels) => draw::blend_labels(&mut picture, labels.view(), alpha)?,
                    Image::Mask(mask) => {
                        draw::blend_mask(&mut picture, mask.view(), draw::color_of(index as u32 + 1), alpha)?;
                    }
                    other => return Err(Error::shape(format!("`{}` cannot be drawn", other.ty()))),
                },
                Value::Objects(objects) => self.boxes(&mut picture, objects, &back),
                other => return Err(Error::shape(format!("`{}` cannot be drawn", other.ty()))),
            }
        }
        outputs.push(Value::Image(ImageValue { image: cx.share(Image::Rgb8(picture)), map: base.map }));
        Ok(())
    }
}

impl DrawStep {
    fn boxes(&self, picture: &mut Plane<[u8; 3]>, objects: &[Object], back: &Affine) {
        for (number, object) in (1..).zip(objects) {
            let bounds = back.apply_box(object.bbox);
            let color = draw::color_of(number);
            draw::outline(picture, bounds, self.0.line_width as usize, color);
            if self.0.words {
                let score = object.score.map(|score| format!("{score:.2}"));
                let words: Vec<String> = object.label.iter().cloned().chain(score).collect();
                draw::tag(picture, bounds, &words.join(" "), self.0.text_scale as usize, color);
            }
        }
    }
}

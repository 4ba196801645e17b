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
/// masks as a veil, objects as their outlines where these are known, else as boxes. A stage that gives both labels and
/// objects is drawn by its labels; `"coins.objects"` picks the objects. 16-bit images lose their low byte, floats of 0..=1
/// become 0..=255.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Draw {
    /// Width of the lines of boxes and outlines in pixels.
    #[schemars(range(min = 1, max = 100))]
    pub line_width: u32,
    /// Opacity of labels and masks: 0 clear, 1 opaque.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub opacity: f32,
    /// Whether labels are drawn as contours instead of fields.
    pub contours: bool,
    /// Whether points of objects, which have measures `NAME-x` and `NAME-y`, are drawn as dots.
    pub points: bool,
    /// Whether boxes carry their label and score.
    pub words: bool,
    /// Size of words: dots of a letter in pixels, of 8 dots a letter.
    #[schemars(range(min = 1, max = 32))]
    pub text_scale: u32,
}

impl Default for Draw {
    fn default() -> Self {
        Self { line_width: 2, opacity: 0.5, contours: false, points: false, words: true, text_scale: 1 }
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
            let line = self.0.line_width;
            let place = |[x, y]: [f64; 2]| <[f64; 2]>::from(back.apply(x, y));
            if object.outline.is_empty() {
                draw::outline(picture, bounds, line as usize, color);
            } else {
                // An outline goes through the centres of pixels, counted from that of the first one.
                let points: Vec<_> = object.outline.iter().map(|&[x, y]| place([x + 0.5, y + 0.5])).collect();
                draw::polygon(picture, &points, f64::from(line), color);
            }
            for point in points(object).filter(|_| self.0.points) {
                draw::polygon(picture, &[place(point)], f64::from(2 * line + 1), color);
            }
            if self.0.words {
                let score = object.score.map(|score| format!("{score:.2}"));
                let words: Vec<String> = object.label.iter().cloned().chain(score).collect();
                draw::tag(picture, bounds, &words.join(" "), self.0.text_scale as usize, color);
            }
        }
    }
}

/// What the measures `NAME-x` and `NAME-y` of an object say where it is.
fn points(object: &Object) -> impl Iterator<Item = [f64; 2]> {
    object.measures.iter().filter_map(|(name, x)| {
        let of = name.strip_suffix("-x")?;
        let (_, y) = object.measures.iter().find(|(name, _)| name.strip_suffix("-y") == Some(of))?;
        Some([*x, *y])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(draw: Draw, object: Object, map: Affine) -> Plane<[u8; 3]> {
        let base = ImageValue { image: Arc::new(Image::Gray8(Plane::new(12, 12))), map };
        let mut outputs = Vec::new();
        let inputs = [Value::Image(base), Value::Objects(Arc::new(vec![object]))];
        DrawStep(draw).run(&Context::default(), &inputs, &mut outputs).unwrap();
        match outputs.remove(0) {
            Value::Image(value) => match &*value.image {
                Image::Rgb8(plane) => plane.clone(),
                other => panic!("{}", other.ty()),
            },
            other => panic!("{}", other.ty()),
        }
    }

    fn pixels(picture: &Plane<[u8; 3]>) -> Vec<(usize, usize)> {
        let all = (0..picture.height()).flat_map(|y| (0..picture.width()).map(move |x| (x, y)));
        all.filter(|&(x, y)| picture.get(x, y) != [0; 3]).collect()
    }

    #[test]
    fn outlines_are_drawn_in_place_of_boxes_and_points_on_request() {
        let thin = Draw { line_width: 1, words: false, ..Draw::default() };
        let line = Object {
            bbox: [0.0, 0.0, 12.0, 12.0],
            outline: vec![[2.0, 3.0], [5.0, 3.0]],
            ..Object::default()
        };
        let row: Vec<_> = (2..=5).map(|x| (x, 3)).collect();
        assert_eq!(pixels(&drawn(thin.clone(), line.clone(), Affine::default())), row);
        // Over a picture of half the size, through the middle of the pixels that it was found in.
        let half = Affine { rows: [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]] };
        assert_eq!(pixels(&drawn(thin.clone(), line, half)), [(1, 1), (2, 1)]);

        let measures = ["nose-x", "score", "nose-y", "tip-x"].map(|name| (name.into(), 6.5)).to_vec();
        let nose = Object { bbox: [0.0, 0.0, 1.0, 1.0], measures, ..Object::default() };
        assert_eq!(pixels(&drawn(thin.clone(), nose.clone(), Affine::default())), [(0, 0)]);
        let cross = [(0, 0), (5, 5), (6, 5), (7, 5), (5, 6), (6, 6), (7, 6), (5, 7), (6, 7), (7, 7)];
        assert_eq!(pixels(&drawn(Draw { points: true, ..thin }, nose, Affine::default())), cross);
    }
}

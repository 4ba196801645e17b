//! The stage `contours`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    DataType, Family, Kind, Lowering, Meta, Object, Output, Port, PortType, Stage, Value, ValueId, Whole,
    types,
};
use crate::ops::{Context, contours};
use crate::{Error, Result};

/// Follows the edges of the parts of a mask, and of their holes (Suzuki and Abe 1985).
///
/// Each object has its `outline`: pixels of the foreground, one after the other, in pixels of the picture as
/// read; the `area` and `length` of the line through them, in pixels of the mask; and the label `outer` or
/// `hole`. Equal to OpenCV's `findContours`, `contourArea` and `arcLength`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Contours {
    /// Whether edges of holes are told too.
    pub holes: bool,
    /// Whether of straight pieces only the ends are told.
    pub simplify: bool,
    /// Least area; lines with less within are left out.
    #[schemars(range(min = 0.0))]
    pub min_area: f64,
}

impl Default for Contours {
    fn default() -> Self {
        Self { holes: true, simplify: true, min_area: 0.0 }
    }
}

/// See [`Contours`].
pub const KIND: Kind = Kind::new::<Contours>(
    "contours",
    Family::Segmentation,
    &[Port::new("mask", &[types::MASK])],
    "use = \"contours\"\nholes = false\nmin-area = 20",
);

impl Stage for Contours {
    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("objects", types::OBJECTS)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let outputs = vec![Meta::Data(DataType::Objects)];
        Ok(graph.whole(Arc::new(Step(self.clone())), inputs, outputs))
    }
}

struct Step(Contours);

impl Whole for Step {
    fn name(&self) -> &'static str {
        "contours"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected a mask")) };
        let mask = value.image.as_gray8()?.view();
        let found = contours::contours(mask, &|| cx.is_cancelled())?;
        let wanted = found.iter().filter(|contour| self.0.holes || !contour.is_hole);
        let objects = wanted.filter_map(|contour| {
            let area = contour.area();
            if area < self.0.min_area {
                return None;
            }
            let shown = if self.0.simplify { contour.simplified() } else { contour.clone() };
            let ends = |numbers: &mut dyn Iterator<Item = i32>| {
                numbers.fold((i32::MAX, i32::MIN), |(low, high), n| (low.min(n), high.max(n)))
            };
            let (left, right) = ends(&mut contour.points.iter().map(|point| point.0));
            let (top, bottom) = ends(&mut contour.points.iter().map(|point| point.1));
            let sides = [left, top, right - left + 1, bottom - top + 1].map(f64::from);
            // A pixel's centre lies half a pixel from its corner.
            let outline = shown.points.iter().map(|&(x, y)| {
                let (x, y) = value.map.apply(f64::from(x) + 0.5, f64::from(y) + 0.5);
                [x - 0.5, y - 0.5]
            });
            Some(Object {
                bbox: value.map.apply_box(sides),
                label: Some(if contour.is_hole { "hole" } else { "outer" }.to_owned()),
                measures: vec![("area".into(), area), ("length".into(), contour.length())],
                outline: outline.collect(),
                score: None,
            })
        });
        outputs.push(Value::Objects(Arc::new(objects.collect())));
        Ok(())
    }
}

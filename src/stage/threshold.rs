//! The stage `threshold`.

use std::any::Any;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    DataType, Family, Finish, ImageValue, Kind, Lowering, Measures, Meta, Output, ParameterError, Port,
    PortType, Stage, Value, ValueId, Whole, types,
};
use crate::document::Resources;
use crate::image::{Affine, Image, ImageType};
use crate::ops::histogram::{Histogram, HistogramReduction, histogram};
use crate::ops::row::{RowNode, Shape, State};
use crate::ops::threshold::{self, ThresholdRows};
use crate::ops::{Context, chart, level};
use crate::{Error, Result};

/// Compares every pixel with a level: `pixel > level` is above.
///
/// The binary types give a `mask`, the others the type of the image. Every method but `fixed` chooses
/// the level from the histogram and tells it in the record as `level`; saved images then come with
/// `histogram`, a picture of it with the level drawn in. 8 and 16 bit have one bin a value (`minimum`
/// groups 16 bit into 256 over the range); floats have 256 from the least to the largest value, and
/// their level is the middle of a bin, but for `mean` and `li`, which take the values themselves.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Threshold {
    /// How the level is found. By default `fixed` where `level` is given, else `otsu`.
    pub method: Option<Method>,
    /// The level of `method = "fixed"` in units of the image: 0..=255, 0..=65535, or the floats as
    /// they are.
    pub level: Option<f32>,
    /// What becomes of pixels above and below.
    #[serde(rename = "type")]
    pub kind: ThresholdType,
    /// Whose `triangle` is meant: the two differ by about one level. All other methods are alike.
    pub semantics: Semantics,
}

/// How the level is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The level given.
    Fixed,
    /// The level that separates the histogram into two classes of the greatest variance between them.
    Otsu,
    /// The value farthest below the line from the histogram's peak to its farther end.
    Triangle,
    /// The least cross entropy between the picture and its two means.
    Li,
    /// The greatest correlation of the classes (Yen 1995).
    Yen,
    /// The middle between the means of both classes (Ridler and Calvard 1978).
    Isodata,
    /// The valley between the two peaks that smoothing leaves; an error where there are no two.
    Minimum,
    /// The mean.
    Mean,
    /// The greatest sum of the entropies of both classes (Kapur 1985).
    MaxEntropy,
}

impl Method {
    /// The method of the operation; none for a level given.
    fn op(self) -> Option<level::Method> {
        Some(match self {
            Self::Fixed => return None,
            Self::Otsu => level::Method::Otsu,
            Self::Triangle => level::Method::Triangle,
            Self::Li => level::Method::Li,
            Self::Yen => level::Method::Yen,
            Self::Isodata => level::Method::Isodata,
            Self::Minimum => level::Method::Minimum,
            Self::Mean => level::Method::Mean,
            Self::MaxEntropy => level::Method::MaxEntropy,
        })
    }
}

/// Whose level is meant where the two differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Semantics {
    /// OpenCV's.
    #[default]
    Opencv,
    /// scikit-image's.
    ScikitImage,
}

impl From<Semantics> for level::Semantics {
    fn from(semantics: Semantics) -> Self {
        match semantics {
            Semantics::Opencv => Self::OpenCv,
            Semantics::ScikitImage => Self::ScikitImage,
        }
    }
}

/// What becomes of pixels above and below the level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdType {
    /// A mask: 255 above, 0 below.
    #[default]
    Binary,
    /// A mask: 0 above, 255 below.
    BinaryInv,
    /// The level above, the pixel below.
    Trunc,
    /// The pixel above, 0 below.
    Tozero,
    /// 0 above, the pixel below.
    TozeroInv,
}

impl Threshold {
    /// How the level is found, unless it is given.
    fn search(&self) -> Option<level::Method> {
        match self.method {
            Some(method) => method.op(),
            None => self.level.is_none().then_some(level::Method::Otsu),
        }
    }

    fn op(&self) -> threshold::ThresholdType {
        match self.kind {
            ThresholdType::Binary => threshold::ThresholdType::Binary,
            ThresholdType::BinaryInv => threshold::ThresholdType::BinaryInv,
            ThresholdType::Trunc => threshold::ThresholdType::Trunc,
            ThresholdType::Tozero => threshold::ThresholdType::ToZero,
            ThresholdType::TozeroInv => threshold::ThresholdType::ToZeroInv,
        }
    }
}

/// See [`Threshold`].
pub const KIND: Kind = Kind::new::<Threshold>(
    "threshold",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"threshold\"\nlevel = 100",
);

impl Stage for Threshold {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        match (self.method, self.level) {
            (Some(Method::Fixed), None) => {
                Err(ParameterError::new("method", "`fixed` wants a `level`")
                    .with_hint("add `level = 128`, say"))
            }
            (Some(method), Some(_)) if let Some(method) = method.op() => {
                let message = format!("`method = \"{}\"` finds the level itself", method.as_str());
                Err(ParameterError::new("level", message).with_hint("remove it"))
            }
            _ => Ok(()),
        }
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let ty = match inputs[0] {
            _ if self.op().is_binary() => types::MASK,
            types::MASK => types::GRAY8,
            other => other,
        };
        let mut outputs = vec![("image", ty)];
        if self.search().is_some() {
            outputs.push(("level", PortType::Data(DataType::Measures)));
            outputs.push((super::CHART, types::RGB8));
        }
        Ok(outputs)
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let op = self.op();
        let Some(method) = self.search() else {
            let nodes = threshold::nodes(shape, self.level.unwrap_or_default(), op)?;
            return Ok(vec![graph.chain(nodes, inputs[0])?]);
        };
        let ty = match shape.ty {
            _ if op.is_binary() => ImageType::Mask,
            ImageType::Mask => ImageType::Gray8,
            other => other,
        };
        let semantics = self.semantics.into();
        let output = Shape::new(ty, shape.width, shape.height);
        let (image, measures) = if shape.ty == ImageType::GrayF32 {
            let map = graph.map(inputs[0]);
            let outputs = vec![Meta::Image { shape: output, map }, Meta::Data(DataType::Measures)];
            let made = graph.whole(Arc::new(FloatLevel { op, method, semantics }), inputs, outputs);
            (made[0], made[1])
        } else {
            let finish = Arc::new(FindLevel { ty: shape.ty, op, method, semantics });
            graph.reduce(inputs[0], Arc::new(HistogramReduction::default()), finish, output)?
        };
        let picture = chart_of_levels(graph, inputs[0], measures);
        Ok(vec![image, measures, picture])
    }
}

/// The level of a histogram.
struct FindLevel {
    ty: ImageType,
    op: threshold::ThresholdType,
    method: level::Method,
    semantics: level::Semantics,
}

impl FindLevel {
    fn level(&self, state: &mut State) -> Result<f32> {
        let counts = Histogram::from_state(state).ok_or_else(|| Error::shape("a histogram was lost"))?;
        level::level_of(counts, self.method, self.semantics)
    }
}

impl Finish for FindLevel {
    fn finish(&self, state: &mut State) -> Result<(Arc<dyn RowNode>, Measures)> {
        let level = self.level(state)?;
        let node = Arc::new(ThresholdRows::new(self.ty, level, self.op));
        Ok((node, vec![("level".to_owned(), f64::from(level))]))
    }

    fn refit(&self, state: &mut State, node: &mut Arc<dyn RowNode>, measures: &mut Measures) -> Result<()> {
        let level = self.level(state)?;
        let old = Arc::get_mut(node).and_then(|node| (node as &mut dyn Any).downcast_mut::<ThresholdRows>());
        match (old, measures.as_mut_slice()) {
            (Some(rows), [(_, measure)]) => {
                rows.set_level(level);
                *measure = f64::from(level);
            }
            _ => (*node, *measures) = self.finish(state)?,
        }
        Ok(())
    }
}

/// A level of floats needs their range before their histogram: two passes over a whole image.
struct FloatLevel {
    op: threshold::ThresholdType,
    method: level::Method,
    semantics: level::Semantics,
}

impl Whole for FloatLevel {
    fn name(&self) -> &'static str {
        self.method.as_str()
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let params = level::FindLevel { method: self.method, semantics: self.semantics };
        let level = level::level(&value.image, &params, cx)?;
        let params = threshold::Threshold { level, kind: self.op };
        let image = cx.share(threshold::threshold(&value.image, &params, cx)?);
        let measures = vec![("level".to_owned(), f64::from(level))];
        outputs.extend([
            Value::Image(ImageValue { image, map: value.map }),
            Value::Measures(Arc::new(measures)),
        ]);
        Ok(())
    }
}

/// Adds the picture of an image's histogram with the numbers of `levels` drawn in. It is made only
/// where somebody asks for it.
pub(super) fn chart_of_levels(graph: &mut Lowering, image: ValueId, levels: ValueId) -> ValueId {
    let shape = Shape::new(ImageType::Rgb8, chart::SIZE.0, chart::SIZE.1);
    let meta = Meta::Image { shape, map: Affine::IDENTITY };
    graph.whole(Arc::new(Chart), &[image, levels], vec![meta])[0]
}

struct Chart;

impl Whole for Chart {
    fn name(&self) -> &'static str {
        "histogram"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value), Value::Measures(levels)] = inputs else {
            return Err(Error::shape("expected an image and its levels"));
        };
        let levels: Vec<f64> = levels.iter().map(|(_, level)| *level).collect();
        let image = cx.share(Image::Rgb8(chart::histogram_chart(&histogram(&value.image, cx)?, &levels)));
        outputs.push(Value::Image(ImageValue { image, map: Affine::IDENTITY }));
        Ok(())
    }
}

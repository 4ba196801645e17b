//! The stage `multi-otsu`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::threshold::chart_of_levels;
use super::{
    DataType, Family, ImageValue, Kind, Lowering, Measures, Meta, Output, ParameterError, Port, PortType,
    Stage, Value, ValueId, Whole, types,
};
use crate::document::Resources;
use crate::image::ImageType;
use crate::ops::Context;
use crate::ops::histogram::{Histogram, HistogramReduction};
use crate::ops::multi_otsu::{self, ClassOutput, ClassRows};
use crate::ops::row::{RowNode, Shape, State};
use crate::{Error, Result};

/// Sorts pixels into several classes by brightness, of the greatest variance between classes (Otsu 1979).
///
/// The levels are told in the record as `level-1`, `level-2`, ..., rising; a pixel is in the class above a
/// level where it is greater. 8 and 16 bit have one bin a value, floats 256 from the least to the largest
/// value. Pictures of fewer values than classes have fewer levels. Saved images come with `histogram`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MultiOtsu {
    /// Number of classes.
    #[schemars(range(min = 2, max = 16))]
    pub classes: u32,
    /// How classes are numbered.
    pub output: Classes,
}

/// How classes are numbered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Classes {
    /// `labels`: 0 for the darkest class, then 1, 2, ...
    #[default]
    Labels,
    /// `gray8`: in equal steps from 0 to 255.
    Gray,
}

impl Default for MultiOtsu {
    fn default() -> Self {
        Self { classes: 3, output: Classes::Labels }
    }
}

/// See [`MultiOtsu`].
pub const KIND: Kind = Kind::new::<MultiOtsu>(
    "multi-otsu",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"multi-otsu\"\nclasses = 3",
);

impl MultiOtsu {
    fn op(&self) -> ClassOutput {
        match self.output {
            Classes::Labels => ClassOutput::Labels,
            Classes::Gray => ClassOutput::Gray,
        }
    }
}

impl Stage for MultiOtsu {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        multi_otsu::check_classes(self.classes as usize)
            .map_err(|error| ParameterError { key: "classes", error })
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let ty = match self.output {
            Classes::Labels => types::LABELS,
            Classes::Gray => types::GRAY8,
        };
        let levels = PortType::Data(DataType::Measures);
        Ok(vec![("classes", ty), ("levels", levels), (super::CHART, types::RGB8)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let (classes, output) = (self.classes as usize, self.op());
        let made = ClassRows::new(shape.ty, Vec::new(), classes, output).output(&[shape]);
        let (image, measures) = if shape.ty == ImageType::GrayF32 {
            let image = Meta::Image { shape: made, map: graph.map(inputs[0]) };
            let outputs = vec![image, Meta::Data(DataType::Measures)];
            let values = graph.whole(Arc::new(FloatClasses { classes, output }), inputs, outputs);
            (values[0], values[1])
        } else {
            let finish = Arc::new(move |state: &mut State| {
                let counts =
                    Histogram::from_state(state).ok_or_else(|| Error::shape("a histogram was lost"))?;
                let levels = multi_otsu::multi_otsu_levels(counts, classes);
                let measures = measures(&levels);
                let node: Arc<dyn RowNode> = Arc::new(ClassRows::new(shape.ty, levels, classes, output));
                Ok((node, measures))
            });
            graph.reduce(
                inputs[0],
                Arc::new(HistogramReduction::default()),
                finish,
                Shape::new(made.ty, shape.width, shape.height),
            )?
        };
        let picture = chart_of_levels(graph, inputs[0], measures);
        Ok(vec![image, measures, picture])
    }
}

fn measures(levels: &[f32]) -> Measures {
    (1..).zip(levels).map(|(index, &level)| (format!("level-{index}"), f64::from(level))).collect()
}

/// Floats need their range before their histogram: two passes over a whole image.
struct FloatClasses {
    classes: usize,
    output: ClassOutput,
}

impl Whole for FloatClasses {
    fn name(&self) -> &'static str {
        "multi-otsu"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let params = multi_otsu::MultiOtsu { classes: self.classes, output: self.output };
        let (image, levels) = multi_otsu::multi_otsu(&value.image, &params, cx)?;
        let image = ImageValue { image: cx.share(image), map: value.map };
        outputs.extend([Value::Image(image), Value::Measures(Arc::new(measures(&levels)))]);
        Ok(())
    }
}

//! The stage `normalize`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    DataType, Family, Finish, ImageValue, Kind, Lowering, Measures, Meta, Output, ParameterError, Port,
    PortType, Stage, Value, ValueId, Whole, types,
};
use crate::document::Resources;
use crate::image::ImageType;
use crate::ops::row::{RowNode, Shape, State, apply};
use crate::ops::{Context, normalize};
use crate::{Error, Result};

/// Stretches the values linearly to a range, all channels alike.
///
/// By default the least and the largest value become the ends, as in OpenCV's `normalize` with
/// `NORM_MINMAX`; with `percentiles` the values of these ranks do and those beyond are cut off, as in
/// scikit-image's `rescale_intensity`. The record tells the values taken as `low` and `high`. Values of
/// float images that are not finite do not count. Masks become gray.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Normalize {
    /// Two rising shares of the values in percent, 0..=100; linear between ranks, as NumPy's.
    pub percentiles: Option<[f64; 2]>,
    /// Where the values go, in units of the image; by default black to white: 0 to 255, 65535 or 1.
    pub range: Option<[f64; 2]>,
}

/// See [`Normalize`].
pub const KIND: Kind = Kind::new::<Normalize>(
    "normalize",
    Family::Points,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"normalize\"\npercentiles = [2, 98]",
);

impl Normalize {
    fn params(&self) -> normalize::Normalize {
        normalize::Normalize { percentiles: self.percentiles, range: self.range }
    }
}

impl Stage for Normalize {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if self.range.is_some_and(|range| range.iter().any(|end| !end.is_finite())) {
            return Err(ParameterError::new("range", "wants two finite numbers"));
        }
        match self.percentiles {
            Some([low, high]) if !(0.0 <= low && low < high && high <= 100.0) => Err(ParameterError::new(
                "percentiles",
                format!("wants two rising numbers from 0 to 100, got `{low}` and `{high}`"),
            )),
            _ => Ok(()),
        }
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let ty = if inputs[0] == types::MASK { types::GRAY8 } else { inputs[0] };
        Ok(vec![("image", ty), ("range", PortType::Data(DataType::Measures))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let (shape, params) = (graph.shape(inputs[0])?, self.params());
        normalize::check(shape, &params)?;
        let output = Shape { ty: normalize::node(shape.ty, &params, [0.0; 2]).output(&[shape]).ty, ..shape };
        if params.wants_whole(shape.ty) {
            let map = graph.map(inputs[0]);
            let outputs = vec![Meta::Image { shape: output, map }, Meta::Data(DataType::Measures)];
            return Ok(graph.whole(Arc::new(FloatPercentiles(params)), inputs, outputs));
        }
        let finish = Arc::new(Stretch { ty: shape.ty, params });
        let (image, range) =
            graph.reduce(inputs[0], normalize::reduction(shape.ty, &params), finish, output)?;
        Ok(vec![image, range])
    }
}

fn measures([low, high]: [f64; 2]) -> Vec<(String, f64)> {
    vec![("low".to_owned(), low), ("high".to_owned(), high)]
}

/// The map from the range observed.
struct Stretch {
    ty: ImageType,
    params: normalize::Normalize,
}

impl Finish for Stretch {
    fn finish(&self, state: &mut State) -> Result<(Arc<dyn RowNode>, Measures)> {
        let range = normalize::observed(&self.params, state)?;
        Ok((normalize::node(self.ty, &self.params, range), measures(range)))
    }

    fn refit(&self, state: &mut State, node: &mut Arc<dyn RowNode>, numbers: &mut Measures) -> Result<()> {
        let range = normalize::observed(&self.params, state)?;
        if !normalize::refit(node, self.ty, &self.params, range) {
            *node = normalize::node(self.ty, &self.params, range);
        }
        match numbers.as_mut_slice() {
            [(_, low), (_, high)] => [*low, *high] = range,
            _ => *numbers = measures(range),
        }
        Ok(())
    }
}

/// Percentiles of floats need all of them.
struct FloatPercentiles(normalize::Normalize);

impl Whole for FloatPercentiles {
    fn name(&self) -> &'static str {
        "normalize"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let range = normalize::float_range(&value.image, self.0.percentiles.unwrap_or([0.0, 100.0]));
        let node = normalize::node(value.image.ty(), &self.0, range);
        let image = cx.share(apply(node, &[&value.image], cx)?);
        let image = Value::Image(ImageValue { image, map: value.map });
        outputs.extend([image, Value::Measures(Arc::new(measures(range)))]);
        Ok(())
    }
}

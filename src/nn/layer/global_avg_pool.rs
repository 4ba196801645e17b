//! The mean of each channel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Grads, Kind, Layer, Lowered, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, channels, expect_gradient, one,
};
use crate::kernel::norm::sum_of;
use crate::{Error, Result};

/// The mean of each channel, a vector for a `linear` layer (Lin, Chen and Yan, 2014).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GlobalAvgPool {}

/// The kind `global-avg-pool`.
pub(super) const KIND: Kind = Kind {
    name: "global-avg-pool",
    summary: "The mean of each channel, as a vector.",
    example: "use = \"global-avg-pool\"\n",
    parse: super::parse::<GlobalAvgPool>,
    schema: super::schema::<GlobalAvgPool>,
};

impl Spec for GlobalAvgPool {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        let [count, area] = channels(input)?;
        if input.len() < 2 || area == 0 {
            return Err(Error::shape(format!("expected an image with pixels or a sequence, got {input}")));
        }
        Shape::new(&[count])
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built))
    }
}

#[derive(Debug)]
struct Built;

impl Layer for Built {
    fn lower(&self) -> Lowered {
        Lowered::GlobalMean
    }

    /// # Shapes
    /// `[n, c, ...]` to `[n, c]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let sample = x.shape().sample();
        let shape = GlobalAvgPool {}.output(&[sample])?.batched(x.samples())?;
        let area = channels(&sample)?[1];
        let means = x.data().chunks_exact(area).map(|plane| sum_of(mode.isa, plane) / area as f32);
        Ok((Tensor::from_vec(shape, means.collect())?, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let [count, area] = channels(&saved.input.sample())?;
        expect_gradient(dy, Shape::new(&[saved.input[0], count])?)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let dx = dy.data().iter().flat_map(|dy| std::iter::repeat_n(dy / area as f32, area));
        Ok(vec![Tensor::from_vec(saved.input, dx.collect())?])
    }
}

//! What layers of weighted sums share: a weight, a bias if wanted, and what their files say of them.

use super::{Grads, Rng, Shape, Tensor};
use crate::nn::init::fan_in_uniform;
use crate::nn::{Padding, Pair, Param};
use crate::{Error, Result};

pub(super) fn no_padding() -> Padding {
    Padding::All(0)
}

pub(super) fn every_pixel() -> Pair {
    Pair::One(1)
}

pub(super) fn once() -> usize {
    1
}

pub(super) fn yes() -> bool {
    true
}

/// Channels and filters must be there, and be divided by the groups.
pub(super) fn check_groups(channels: usize, out: usize, groups: usize) -> Result<()> {
    if out == 0 || groups == 0 {
        return Err(Error::pipeline(format!(
            "`out` and `groups` must be at least 1, got {out} and {groups}"
        )));
    }
    if !channels.is_multiple_of(groups) || !out.is_multiple_of(groups) {
        return Err(Error::shape(format!(
            "expected channels and filters that `groups = {groups}` divides, got {channels} and {out}"
        )));
    }
    Ok(())
}

/// A weight, and a number for each output that is added.
#[derive(Debug)]
pub(super) struct Affine {
    pub(super) weight: Param,
    pub(super) bias: Option<Param>,
}

impl Affine {
    /// First values for sums of `fan_in` products.
    pub(super) fn new(
        name: &str,
        weight: Shape,
        bias: Option<usize>,
        fan_in: usize,
        rng: Rng,
    ) -> Result<Self> {
        let of = |param: &str, shape: Shape| {
            Param::new(name, param, fan_in_uniform(shape, fan_in, rng.stream(param)))
        };
        let bias = bias.map(|out| Ok(of("bias", Shape::new(&[out])?)));
        Ok(Self { weight: of("weight", weight), bias: bias.transpose()? })
    }

    pub(super) fn params(&self) -> Vec<&Param> {
        std::iter::once(&self.weight).chain(&self.bias).collect()
    }

    pub(super) fn params_mut(&mut self) -> Vec<&mut Param> {
        std::iter::once(&mut self.weight).chain(&mut self.bias).collect()
    }

    /// The bias, if there is one.
    pub(super) fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref().map(|bias| &bias.value)
    }

    /// Adds the gradients that are wanted, and computes no others.
    pub(super) fn add_grads(
        &self,
        grads: &mut Grads,
        weight: impl FnOnce() -> Result<Tensor>,
        bias: impl FnOnce() -> Result<Tensor>,
    ) -> Result<()> {
        if grads.wants(&self.weight.name) {
            grads.add(&self.weight.name, weight()?)?;
        }
        if let Some(param) = self.bias.as_ref().filter(|param| grads.wants(&param.name)) {
            grads.add(&param.name, bias()?)?;
        }
        Ok(())
    }
}

//! Words as vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, expect_gradient, one};
use crate::nn::Param;
use crate::{Error, Result};

/// A vector for each word of a vocabulary; words come as whole numbers. The vectors of a sequence
/// are its channels, so that `conv1d` can follow at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Embedding {
    /// Words of the vocabulary.
    #[schemars(range(min = 1))]
    pub count: usize,
    /// Length of a vector.
    #[schemars(range(min = 1))]
    pub size: usize,
    /// A word whose vector is 0 and stays so: what fills up short sequences.
    pub padding: Option<usize>,
}

/// The kind `embedding`.
pub(super) const KIND: Kind = Kind {
    name: "embedding",
    summary: "A learned vector for each word.",
    example: "use = \"embedding\"\ncount = 1000\nsize = 8\n",
    parse: super::parse::<Embedding>,
    schema: super::schema::<Embedding>,
};

/// Whole numbers that a float holds exactly.
const MOST_WORDS: usize = 1 << 24;

impl Spec for Embedding {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        let &[length] = &**input else {
            return Err(Error::shape(format!("expected words `[length]`, got {input}")));
        };
        if self.count == 0 || self.size == 0 || self.count > MOST_WORDS {
            return Err(Error::pipeline(format!(
                "`count` must be from 1 to {MOST_WORDS} and `size` at least 1, got {} and {}",
                self.count, self.size
            )));
        }
        Shape::new(&[self.size, length])
    }

    fn build(&self, name: &str, inputs: &[Shape], rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        let rng = rng.stream("weight");
        let shape = Shape::new(&[self.count, self.size])?;
        // Uniform from -0.25 to 0.25, as Kim (2014) draws the vectors of unknown words.
        let value = |i: usize| match self.padding {
            Some(word) if i / self.size == word => 0.0,
            _ => rng.between(i as u64, -0.25, 0.25),
        };
        let value = if rng.is_blank() { Tensor::zeros(shape) } else { Tensor::from_fn(shape, value) };
        Ok(Box::new(Built { weight: Param::new(name, "weight", value), padding: self.padding }))
    }

    fn parameters(&self, inputs: &[Shape]) -> Result<usize> {
        self.output(inputs)?;
        Ok(self.count * self.size)
    }
}

#[derive(Debug)]
struct Built {
    weight: Param,
    padding: Option<usize>,
}

impl Built {
    fn sizes(&self) -> [usize; 2] {
        [self.weight.value.shape()[0], self.weight.value.shape()[1]]
    }

    /// The word that a number means.
    fn word(&self, number: f32) -> Result<usize> {
        let count = self.sizes()[0];
        if number >= 0.0 && number < count as f32 && number.fract() == 0.0 {
            return Ok(number as usize);
        }
        Err(Error::input(format!("expected a word from 0 to {}, got {number}", count - 1)))
    }
}

impl Layer for Built {
    fn params(&self) -> Vec<&Param> {
        vec![&self.weight]
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        vec![&mut self.weight]
    }

    /// # Shapes
    /// `[n, l]` to `[n, size, l]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let [_, size] = self.sizes();
        let &[samples, length] = &*x.shape() else {
            return Err(Error::shape(format!("expected words `[n, length]`, got {}", x.shape())));
        };
        let mut y = Tensor::zeros(Shape::new(&[samples, size, length])?);
        for (sample, words) in
            y.data_mut().chunks_exact_mut((size * length).max(1)).zip(x.data().chunks_exact(length.max(1)))
        {
            for (at, &word) in words.iter().enumerate() {
                let vector = &self.weight.value.data()[self.word(word)? * size..][..size];
                for (channel, value) in vector.iter().enumerate() {
                    sample[channel * length + at] = *value;
                }
            }
        }
        Ok((y, Saved::new(mode, x.shape()).with(mode, x)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let x = saved.tensor()?;
        let [_, size] = self.sizes();
        let length = saved.input[1];
        expect_gradient(dy, Shape::new(&[saved.input[0], size, length])?)?;
        if grads.wants(&self.weight.name) {
            let mut dw = Tensor::zeros(self.weight.value.shape());
            let sums = dw.data_mut();
            for n in 0..x.samples() {
                let dy = dy.sample(n);
                for (at, &word) in x.sample(n).iter().enumerate() {
                    let word = self.word(word)?;
                    if Some(word) == self.padding {
                        continue;
                    }
                    for (channel, sum) in sums[word * size..][..size].iter_mut().enumerate() {
                        *sum += dy[channel * length + at];
                    }
                }
            }
            grads.add(&self.weight.name, dw)?;
        }
        // Words are not numbers that could change a little.
        Ok(if need_dx { vec![Tensor::zeros(saved.input)] } else { Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_looked_up_and_padding_stays_zero() {
        let spec = Embedding { count: 5, size: 2, padding: Some(0) };
        let layer = spec.build("words", &[Shape::new(&[3]).unwrap()], Rng::new(1)).unwrap();
        let x = Tensor::from_vec(Shape::new(&[1, 3]).unwrap(), vec![4.0, 0.0, 4.0]).unwrap();
        let (y, saved) = layer.forward(&[&x], &Mode::training(Rng::new(0))).unwrap();
        let vector = &layer.params()[0].value.data()[8..];
        assert_eq!(y.data(), [vector[0], 0.0, vector[0], vector[1], 0.0, vector[1]]);
        let dy = Tensor::from_fn(y.shape(), |i| i as f32);
        let mut grads = Grads::default();
        layer.backward(&saved, &dy, &mut grads, false).unwrap();
        assert_eq!(grads.get("words.weight").unwrap().data()[6..], [0.0, 0.0, 2.0, 8.0]);
        assert_eq!(grads.get("words.weight").unwrap().data()[..2], [0.0, 0.0]);
        for wrong in [-1.0, 5.0, 0.5, f32::NAN] {
            let x = Tensor::from_vec(Shape::new(&[1, 1]).unwrap(), vec![wrong]).unwrap();
            assert!(layer.forward(&[&x], &Mode::inference()).is_err(), "{wrong}");
        }
    }
}

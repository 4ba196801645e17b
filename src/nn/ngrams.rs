//! Which words a text net has looked at: the n-grams that max-over-time chose.

use std::ops::Range;

use super::arch::Source;
use super::layer::Reach;
use super::{Net, Tensor};
use crate::{Error, Result};

/// An n-gram that won over all others for a filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Ngram {
    /// The convolution that the filter belongs to.
    pub layer: String,
    /// The filter, from 0.
    pub filter: usize,
    /// The words, by their place in the input; a window at the edge may have its ends in the padding.
    pub words: Range<usize>,
    /// What the filter gave there, as max-over-time passed it on.
    pub value: f32,
    /// What it adds to the score of the class: `value` times the weight of the last layer.
    pub contribution: f32,
}

impl Net {
    /// For each filter of a text net (Kim, 2014) the n-gram that max-over-time chose, and what it adds to the score
    /// of `class`, the largest contribution first. The score is the sum of all of them and the bias of the class.
    ///
    /// The net must end as Kim's do: convolutions with stride 1, functions of single values, `max-over-time`, a
    /// `concat` where there are several, `dropout`, `linear`.
    ///
    /// # Shapes
    /// `x` is `[1, length]`: one sentence.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for nets that are built otherwise, and what
    /// [`forward`](Self::forward) reports.
    ///
    /// ```
    /// use lyncean::document::Source;
    /// use lyncean::nn::{Net, Ngram, Shape, Tensor, arch};
    ///
    /// let text = "version = 1\nname = \"t\"\ninput = [4]\n[[layer]]\nuse = \"embedding\"\ncount = 9\nsize = 3\n\
    ///     [[layer]]\nuse = \"conv1d\"\nout = 2\nkernel = 2\npadding = 1\n[[layer]]\nuse = \"relu\"\n\
    ///     [[layer]]\nuse = \"max-over-time\"\n[[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 2\n";
    /// let net = Net::build(arch::parse(&Source::new("t.toml", text))?, 1)?;
    /// let x = Tensor::from_vec(Shape::new(&[1, 4])?, vec![3.0, 1.0, 4.0, 1.0])?;
    /// let found: Vec<Ngram> = net.ngrams(&x, 1)?;
    /// let sum: f32 = found.iter().map(|ngram| ngram.contribution).sum();
    /// let bias = net.params().find(|param| param.name == "fc.bias").unwrap().value.data()[1];
    /// assert!((sum + bias - net.forward(&x)?.data()[1]).abs() < 1e-6);
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    pub fn ngrams(&self, x: &Tensor, class: usize) -> Result<Vec<Ngram>> {
        let arch = self.arch();
        let other = |what: &str| {
            Error::unsupported(format!("net `{}` does not end as text nets do: {what}", arch.name))
        };
        let outputs = self.outputs(x)?;
        let last = arch.layers.len() - 1;
        if arch.layers[last].kind.name != "linear" || class >= arch.output().count() {
            return Err(other("its last layer is no `linear` with this class"));
        }
        let weight = format!("{}.weight", arch.layers[last].name);
        let weight = self.params().find(|param| param.name == weight);
        let weight = weight.ok_or_else(|| other("its last layer has no weight"))?.value.sample(class);

        let mut pooled = Vec::new();
        let joined = self.before(last, &["dropout", "flatten"]).ok_or_else(|| other("it has one layer"))?;
        if arch.layers[joined].kind.name == "concat" {
            for source in &arch.layers[joined].inputs {
                pooled.extend(if let Source::Layer(from) = *source { Some(from) } else { None });
            }
        } else {
            pooled.push(joined);
        }
        let (mut found, mut offset) = (Vec::new(), 0);
        for pool in pooled {
            let map = match arch.layers[pool].inputs[..] {
                [Source::Layer(map)] if arch.layers[pool].kind.name == "max-over-time" => map,
                _ => return Err(other("no `max-over-time` before the last layer")),
            };
            let conv = self.convolution(map).ok_or_else(|| other("no `conv1d` of stride 1 is pooled"))?;
            let layer = &arch.layers[conv];
            let (Reach::Window { size: [_, size], .. }, Some(&length)) =
                (layer.spec.reach(), arch.inputs(layer)[0].get(1))
            else {
                return Err(other("a convolution sees everything"));
            };
            let (size, positions) = (size as usize, layer.output[1]);
            let padding = (positions + size - 1).saturating_sub(length) / 2;
            for (filter, row) in outputs[map].sample(0).chunks_exact(positions).enumerate() {
                let at = super::loss::first_largest(row);
                let end = (at + size).saturating_sub(padding).min(length);
                found.push(Ngram {
                    layer: layer.name.clone(),
                    filter,
                    words: at.saturating_sub(padding).min(end)..end,
                    value: row[at],
                    contribution: row[at] * weight[offset + filter],
                });
            }
            offset += layer.output[0];
        }
        found.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
        Ok(found)
    }

    /// The layer whose output a layer reads, through layers of some kinds.
    fn before(&self, layer: usize, through: &[&str]) -> Option<usize> {
        let [Source::Layer(from)] = self.arch().layers[layer].inputs[..] else { return None };
        if through.contains(&self.arch().layers[from].kind.name) {
            return self.before(from, through);
        }
        Some(from)
    }

    /// The convolution of stride 1 that a map is of, through functions of single values.
    fn convolution(&self, map: usize) -> Option<usize> {
        const SINGLE: [&str; 6] = ["relu", "leaky-relu", "tanh", "sigmoid", "dropout", "batch-norm"];
        let layer = &self.arch().layers[map];
        match layer.spec.reach() {
            Reach::Window { step, .. } if layer.kind.name == "conv1d" && step == [1.0; 2] => Some(map),
            _ if SINGLE.contains(&layer.kind.name) => {
                let [Source::Layer(from)] = layer.inputs[..] else { return None };
                self.convolution(from)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Source as Text;
    use crate::nn::{Shape, arch};

    /// One filter that looks for word 2 followed by word 3, and one that likes word 1 at the end of its window.
    #[test]
    fn the_words_under_the_filters_are_told() {
        let text = "version = 1\nname = \"t\"\ninput = [5]\n[[layer]]\nuse = \"embedding\"\nname = \"e\"\ncount = 4\n\
            size = 4\npadding = 0\n[[layer]]\nuse = \"conv1d\"\nname = \"c\"\nout = 2\nkernel = 2\npadding = 1\n\
            [[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"max-over-time\"\n[[layer]]\nuse = \"dropout\"\np = 0.5\n\
            [[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 2\n";
        let mut net = Net::blank(arch::parse(&Text::new("t", text)).unwrap()).unwrap();
        for param in net.params_mut() {
            let values = param.value.data_mut();
            match param.name.as_str() {
                "e.weight" => (1..4).for_each(|word| values[word * 4 + word] = 1.0),
                // Filters x channels x taps.
                "c.weight" => [(2 * 2, 1.0), (3 * 2 + 1, 1.0), (8 + 2 + 1, 3.0)]
                    .into_iter()
                    .for_each(|(at, value)| values[at] = value),
                "fc.weight" => values.copy_from_slice(&[1.0, 0.0, 2.0, -1.0]),
                _ => {}
            }
        }
        let x = Tensor::from_vec(Shape::new(&[1, 5]).unwrap(), vec![1.0, 2.0, 2.0, 3.0, 0.0]).unwrap();
        let ngram = |filter, words, value, contribution| Ngram {
            layer: "c".into(),
            filter,
            words,
            value,
            contribution,
        };
        // The second window lies half in the padding before the sentence.
        assert_eq!(net.ngrams(&x, 1).unwrap(), [ngram(0, 2..4, 2.0, 4.0), ngram(1, 0..1, 3.0, -3.0)]);
        assert_eq!(net.ngrams(&x, 0).unwrap()[0], ngram(0, 2..4, 2.0, 2.0));
        assert_eq!(net.ngrams(&x, 2).unwrap_err().kind(), crate::ErrorKind::Unsupported);
        let lenet = Net::build(arch::parse(&arch::builtin("lenet5").unwrap()).unwrap(), 1).unwrap();
        let x = Tensor::zeros(Shape::new(&[1, 1, 28, 28]).unwrap());
        assert_eq!(lenet.ngrams(&x, 0).unwrap_err().kind(), crate::ErrorKind::Unsupported);
    }
}

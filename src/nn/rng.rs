//! The random numbers of nets: streams by names and indices, and what is drawn from them.

use crate::random::Random;

/// A stream of random numbers, read at any index.
///
/// ```
/// use lyncean::nn::Rng;
/// let order = Rng::new(7).stream("order").substream(3);
/// assert_eq!(order.bits(5), Rng::new(7).stream("order").substream(3).bits(5));
/// assert_ne!(order.bits(5), order.bits(6));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rng {
    random: Random,
    blank: bool,
}

impl Rng {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), blank: false }
    }

    /// The stream for first weights that are overwritten at once: they may be 0.
    pub(super) fn blank() -> Self {
        Self { random: Random::new(0), blank: true }
    }

    /// Whether this is of a [`blank`](Self::blank) stream.
    pub(super) fn is_blank(self) -> bool {
        self.blank
    }

    /// The stream for a purpose or a name, hashed byte by byte.
    #[must_use]
    pub fn stream(self, name: &str) -> Self {
        name.bytes().fold(self.substream(name.len() as u64), |rng, byte| rng.substream(u64::from(byte)))
    }

    /// The stream for an index: an epoch, a sample.
    #[must_use]
    pub fn substream(self, index: u64) -> Self {
        Self { random: self.random.stream(index), ..self }
    }

    /// 64 random bits.
    pub fn bits(self, index: u64) -> u64 {
        self.random.bits(index)
    }

    /// Uniform in `0..1`: 24 random bits, so 1 never comes.
    pub fn uniform(self, index: u64) -> f32 {
        (self.bits(index) >> 40) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in `low..high`.
    pub fn between(self, index: u64, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform(index)
    }

    /// Normal with mean 0 and variance 1 (Box and Muller, 1958).
    pub fn normal(self, index: u64) -> f32 {
        let unit = |bits: u64| (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0);
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - unit(self.bits(2 * index))));
        (radius * libm::cos(std::f64::consts::TAU * unit(self.bits(2 * index + 1)))) as f32
    }

    /// Uniform in `0..end`, which must not be 0. The bias is below `end / 2^64`.
    pub fn below(self, index: u64, end: usize) -> usize {
        self.random.below(index, end)
    }

    /// A random order of `0..len` (Fisher and Yates).
    pub fn permutation(self, len: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        for last in (1..len).rev() {
            order.swap(last, self.below(last as u64, last + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_indices_part_streams() {
        let root = Rng::new(1);
        let streams = [
            root,
            root.stream("a"),
            root.stream("b"),
            root.stream("ab"),
            root.substream(0),
            root.substream(1),
        ];
        for (i, a) in streams.iter().enumerate() {
            for b in &streams[i + 1..] {
                assert_ne!(a.bits(0), b.bits(0));
            }
        }
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let rng = Rng::new(9);
        let n = 20_000;
        let moments = |f: &dyn Fn(u64) -> f32| {
            let values: Vec<f64> = (0..n).map(|i| f64::from(f(i))).collect();
            let mean = values.iter().sum::<f64>() / n as f64;
            (mean, values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64)
        };
        let (mean, variance) = moments(&|i| rng.uniform(i));
        assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.002, "{mean} {variance}");
        let (mean, variance) = moments(&|i| rng.normal(i));
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }

    #[test]
    fn a_permutation_has_every_index_once() {
        for len in [0, 1, 2, 97] {
            let mut order = Rng::new(3).permutation(len);
            assert!(len < 10 || order.windows(2).any(|pair| pair[0] > pair[1]));
            order.sort_unstable();
            assert!(order.iter().copied().eq(0..len));
        }
    }
}

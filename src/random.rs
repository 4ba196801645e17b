//! Random numbers that are functions of a seed and of indices.
//!
//! There is no state that a thread or the order of calls could disturb: the number at an index of a stream is
//! computed from the stream's key and the index. The generator is SplitMix64 (Steele, Lea and Flood, 2014) read at
//! random access: its state is a counter, its output a mix of the state.

/// The increment of SplitMix64, 2^64 divided by the golden ratio.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream for an index: an epoch, a stage, a picture.
    pub(crate) fn stream(self, index: u64) -> Self {
        Self(mix(self.0 ^ mix(index.wrapping_add(GAMMA))))
    }

    /// 64 random bits.
    #[inline]
    pub(crate) fn bits(self, index: u64) -> u64 {
        mix(self.0.wrapping_add(index.wrapping_add(1).wrapping_mul(GAMMA)))
    }

    /// Uniform in `0..end`, which must not be 0. The bias is below `end / 2^64`.
    pub(crate) fn below(self, index: u64, end: usize) -> usize {
        ((u128::from(self.bits(index)) * end as u128) >> 64) as usize
    }
}

/// The output function of SplitMix64.
#[inline]
fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_splitmix64() {
        // The first outputs of the published generator for the seed 1234567.
        let wanted = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431];
        let random = Random::new(1234567);
        assert_eq!([0, 1, 2, 3].map(|i| random.bits(i)), wanted);
    }
}

//! Images and sizes that break kernels: nothing, one pixel, primes, and widths round the lanes.

use lyncean::image::{Border, BorderMode, Pixel, Plane};
use lyncean::kernel::Isa;
use proptest::prelude::*;

/// Widths: empty, tiny, prime, and one around every multiple of lanes.
pub(crate) fn width() -> impl Strategy<Value = usize> {
    prop_oneof![
        2 => 0usize..=9,
        2 => prop::sample::select(vec![11, 13, 15, 16, 17, 23, 31, 32, 33, 37, 47, 48, 49]),
        2 => prop::sample::select(vec![61, 63, 64, 65, 67, 79, 95, 96, 97, 127, 128, 129, 131, 191, 193, 257]),
        1 => 10usize..300,
    ]
}

/// Heights: as for widths, but short.
pub(crate) fn height() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0usize..=7, 1 => 8usize..=23]
}

/// A hash of a position: the noise of test images.
pub(crate) fn noise(seed: u64, x: usize, y: usize, channel: usize) -> u64 {
    let mut z = seed
        ^ (x as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (y as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
        ^ (channel as u64).wrapping_mul(0x1656_67B1_9E37_79F9);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// How the noise is spread over the values of a type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spread {
    /// Every value.
    Full,
    /// The least and the largest alone: sums reach their limits.
    Extremes,
    /// Few neighbouring values: many ties.
    Few,
}

/// Number types that test images are made of.
pub(crate) trait Noise: Sized {
    /// A value for 64 random bits.
    fn of(bits: u64, spread: Spread) -> Self;
}

impl Noise for u8 {
    fn of(bits: u64, spread: Spread) -> Self {
        match spread {
            Spread::Full => (bits >> 7) as Self,
            Spread::Extremes => {
                if bits & 1 == 1 {
                    Self::MAX
                } else {
                    0
                }
            }
            Spread::Few => 100 + (bits % 5) as Self,
        }
    }
}

impl Noise for u16 {
    fn of(bits: u64, spread: Spread) -> Self {
        match spread {
            Spread::Full => (bits >> 7) as Self,
            Spread::Extremes => {
                if bits & 1 == 1 {
                    Self::MAX
                } else {
                    0
                }
            }
            Spread::Few => 30_000 + (bits % 5) as Self,
        }
    }
}

impl Noise for f32 {
    /// Full: multiples of 2⁻²⁴ in 0..1. Extremes: signs and magnitudes mixed.
    fn of(bits: u64, spread: Spread) -> Self {
        match spread {
            Spread::Full => (bits >> 40) as Self / 16_777_216.0,
            Spread::Extremes => {
                let value = (bits >> 40) as Self / 8_388_608.0 - 1.0;
                value * [1e-3, 1.0, 1e3, 1e6][(bits & 3) as usize]
            }
            Spread::Few => (bits % 5) as Self / 4.0,
        }
    }
}

impl<T: Noise + Copy> Noise for [T; 3] {
    fn of(bits: u64, spread: Spread) -> Self {
        [0, 1, 2].map(|channel| T::of(noise(bits, channel, 0, channel), spread))
    }
}

/// A plane of noise.
pub(crate) fn noise_plane<T: Noise + Pixel>(
    width: usize,
    height: usize,
    seed: u64,
    spread: Spread,
) -> Plane<T> {
    Plane::from_fn(width, height, |x, y| T::of(noise(seed, x, y, 0), spread))
}

/// A plane of noise of any size.
pub(crate) fn plane<T: Noise + Pixel>() -> impl Strategy<Value = Plane<T>> {
    let spread = prop::sample::select(vec![Spread::Full, Spread::Extremes, Spread::Few]);
    (width(), height(), any::<u64>(), spread)
        .prop_map(|(width, height, seed, spread)| noise_plane(width, height, seed, spread))
}

/// Any instruction set of this machine.
pub(crate) fn isa() -> impl Strategy<Value = Isa> {
    prop::sample::select(Isa::available())
}

/// Any border; constants are small whole numbers, so that they suit every type.
pub(crate) fn border() -> impl Strategy<Value = Border> {
    (prop::sample::select(BorderMode::ALL.to_vec()), 0u8..=255)
        .prop_map(|(mode, value)| Border { mode, value: f32::from(value) })
}

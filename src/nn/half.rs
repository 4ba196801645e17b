//! 16-bit floats, in which weights are stored: IEEE 754's binary16, and the upper half of a single.

/// A binary16 as a single, exactly.
pub(super) fn f32_from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(bits >> 10 & 0x1f), u32::from(bits & 0x3ff));
    let magnitude = match exponent {
        // Below the smallest normal value a step is 2^-24.
        0 => (fraction as f32 * (1.0 / 16_777_216.0)).to_bits(),
        31 => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 127 - 15) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// A bfloat16 as a single, exactly.
pub(super) fn f32_from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The nearest binary16, of two alike the even one. What is infinite or no number stays so; none where a finite number
/// is beyond 65,504 and rounds to no finite value.
pub(super) fn f16_from_f32(value: f32) -> Option<u16> {
    let bits = value.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let magnitude = bits & 0x7fff_ffff;
    if magnitude >= 0x7f80_0000 {
        let quiet = if magnitude > 0x7f80_0000 { 0x200 | (magnitude >> 13) as u16 & 0x3ff } else { 0 };
        return Some(sign | 0x7c00 | quiet);
    }
    let exponent = magnitude >> 23;
    let rounded = if exponent >= 127 - 14 {
        rounded(magnitude, 13) - ((127 - 15) << 10)
    } else if exponent < 127 - 25 {
        0
    } else {
        // The fraction with its leading one, in steps of 2^-24.
        rounded(magnitude & 0x7f_ffff | 0x80_0000, 126 - exponent)
    };
    (rounded < 0x7c00).then_some(sign | rounded as u16)
}

/// The nearest bfloat16, of two alike the even one. What is infinite or no number stays so; none where a finite number
/// rounds to no finite value.
pub(super) fn bf16_from_f32(value: f32) -> Option<u16> {
    let bits = value.to_bits();
    if value.is_nan() {
        return Some((bits >> 16) as u16 | 0x40);
    }
    let rounded = rounded(bits & 0x7fff_ffff, 16);
    let is_finite = rounded < 0x7f80 || value.is_infinite();
    is_finite.then_some((bits >> 16) as u16 & 0x8000 | rounded as u16)
}

/// The number without its last bits, rounded to the nearest, of two alike to the even one. Carries go into the exponent.
fn rounded(number: u32, bits: u32) -> u32 {
    let (kept, lost, half) = (number >> bits, number & ((1 << bits) - 1), 1 << (bits - 1));
    kept + u32::from(lost > half || (lost == half && kept & 1 == 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference::half;

    type Narrow = fn(f32) -> Option<u16>;

    type Widen = fn(u16) -> f32;
    type Twin = fn(u16) -> f64;

    const KINDS: [(Widen, Narrow, Twin); 2] =
        [(f32_from_f16, f16_from_f32, half::f16), (f32_from_bf16, bf16_from_f32, half::bf16)];

    #[test]
    fn all_values_widen_exactly_and_come_back() {
        for (widen, narrow, twin) in KINDS {
            for bits in 0..=u16::MAX {
                let (wide, wanted) = (widen(bits), twin(bits));
                if wanted.is_nan() {
                    assert!(wide.is_nan() && widen(narrow(wide).unwrap()).is_nan(), "{bits:04x}");
                    continue;
                }
                assert_eq!(
                    (f64::from(wide), wide.is_sign_negative()),
                    (wanted, bits >> 15 == 1),
                    "{bits:04x}"
                );
                assert_eq!(narrow(wide), Some(bits), "{wide}");
            }
        }
    }

    #[test]
    fn halfway_goes_to_the_even_value_and_its_neighbours_to_the_nearer() {
        for (widen, narrow, twin) in KINDS {
            for bits in 0..0x7fffu16 {
                let (low, high) = (twin(bits), twin(bits + 1));
                if !high.is_finite() {
                    break;
                }
                // Halfway is a single: it has one bit more.
                let middle = f64::midpoint(low, high) as f32;
                let even = bits + bits % 2;
                assert_eq!(narrow(middle), Some(even), "{middle}");
                assert_eq!(narrow(-middle), Some(even | 0x8000), "{middle}");
                assert_eq!(narrow(f32::from_bits(middle.to_bits() - 1)), Some(bits), "{middle}");
                assert_eq!(narrow(f32::from_bits(middle.to_bits() + 1)), Some(bits + 1), "{middle}");
                assert!(f64::from(widen(bits)) == low);
            }
        }
    }

    #[test]
    fn what_is_too_large_is_none() {
        assert_eq!(f16_from_f32(65504.0), Some(0x7bff));
        assert_eq!(f16_from_f32(65519.99), Some(0x7bff));
        assert_eq!([65520.0, -65520.0, 1e30, f32::MAX].map(f16_from_f32), [None; 4]);
        assert_eq!(bf16_from_f32(f32::MAX), None);
        assert_eq!(f16_from_f32(f32::NEG_INFINITY), Some(0xfc00));
        assert_eq!(bf16_from_f32(f32::INFINITY), Some(0x7f80));
        assert_eq!(f16_from_f32(1e-30), Some(0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn numbers_are_rounded_as_the_definition_says(bits in any::<u32>(), exponent in 90u32..150) {
            // Of any size, and near those of binary16.
            for bits in [bits, bits & 0x807f_ffff | exponent << 23] {
                let number = f32::from_bits(bits);
                if number.is_finite() {
                    prop_assert_eq!(f16_from_f32(number), half::nearest(f64::from(number), half::f16), "{}", number);
                    prop_assert_eq!(bf16_from_f32(number), half::nearest(f64::from(number), half::bf16), "{}", number);
                }
            }
        }
    }
}

//! The definition of 16-bit floats: sign, exponent and fraction.

/// The value of the bits of a float with so many bits of exponent and fraction.
fn value(bits: u16, exponent_bits: u32, fraction_bits: u32) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> fraction_bits) % (1 << exponent_bits);
    let fraction = f64::from(bits % (1 << fraction_bits)) / f64::from(1u32 << fraction_bits);
    let bias = (1 << (exponent_bits - 1)) - 1;
    sign * if exponent == (1 << exponent_bits) - 1 {
        if fraction == 0.0 { f64::INFINITY } else { f64::NAN }
    } else if exponent == 0 {
        fraction * 2f64.powi(1 - bias)
    } else {
        (1.0 + fraction) * 2f64.powi(exponent - bias)
    }
}

/// IEEE 754's binary16: 5 bits of exponent, 10 of fraction.
pub fn f16(bits: u16) -> f64 {
    value(bits, 5, 10)
}

/// The upper half of a single: 8 bits of exponent, 7 of fraction.
pub fn bf16(bits: u16) -> f64 {
    value(bits, 8, 7)
}

/// The bits whose value is nearest to a finite number, of two alike those that are even; none where the number is so large
/// that infinity would be as near as the largest finite value, were it one more step.
pub fn nearest(number: f64, value: fn(u16) -> f64) -> Option<u16> {
    let sign = if number.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = number.abs();
    let infinity = (0u16..0x8000).find(|&bits| value(bits).is_infinite())?;
    let last = value(infinity - 1);
    if magnitude >= last + (last - value(infinity - 2)) / 2.0 {
        return None;
    }
    // Values grow with their bits: how many are not above the number is found by halves.
    let (mut low, mut high) = (0, infinity);
    while high - low > 1 {
        let middle = u16::midpoint(low, high);
        if value(middle) <= magnitude { low = middle } else { high = middle }
    }
    if low + 1 == infinity {
        return Some(sign | low);
    }
    let (below, above) = (magnitude - value(low), value(low + 1) - magnitude);
    let is_lower = below < above || (below == above && low % 2 == 0);
    Some(sign | if is_lower { low } else { low + 1 })
}

//! Twins of [`crate::kernel::pixel`].

use crate::image::Plane;

/// Luma of 8 bit: `0.299 r + 0.587 g + 0.114 b` in units of 1/32768, rounded half up.
pub fn gray_u8(rgb: &Plane<[u8; 3]>) -> Plane<u8> {
    rgb.map(|pixel| luma(pixel.map(i64::from)) as u8)
}

/// Luma of 16 bit.
pub fn gray_u16(rgb: &Plane<[u16; 3]>) -> Plane<u16> {
    rgb.map(|pixel| luma(pixel.map(i64::from)) as u16)
}

/// Luma of floats, every step rounded to `f32`.
pub fn gray_f32(rgb: &Plane<[f32; 3]>) -> Plane<f32> {
    rgb.map(|[r, g, b]| {
        let red_and_green = 0.299f32 * r + 0.587f32 * g;
        red_and_green + 0.114f32 * b
    })
}

fn luma([r, g, b]: [i64; 3]) -> i64 {
    (9798 * r + 19235 * g + 3735 * b + 16384).div_euclid(32768)
}

/// `value * scale + offset`, each step rounded to `f32`, as the nearest of the integers 0 to
/// `largest`, ties to even. NaN is 0.
pub fn convert(value: f32, scale: f32, offset: f32, largest: i64) -> i64 {
    let product = value * scale;
    let exact = f64::from(product + offset);
    if exact.is_nan() {
        return 0;
    }
    let exact = exact.clamp(-1.0, 70_000.0);
    let floor = exact.floor();
    let up = match exact - floor {
        part if part < 0.5 => 0,
        part if part > 0.5 => 1,
        _ => (floor as i64).rem_euclid(2),
    };
    (floor as i64 + up).clamp(0, largest)
}

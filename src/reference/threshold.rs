//! Twins of [`crate::kernel::threshold`], one pixel at a time.

/// What `kind` (`binary`, `binary-inv`, `trunc`, `tozero`, `tozero-inv`) makes of a pixel. Integers
/// pass the floor of their level; what does not fit the pixel's `0..=largest` is cut.
pub fn threshold(kind: &str, pixel: f64, level: f64, largest: f64) -> f64 {
    let above = pixel > level;
    match kind {
        "binary" => f64::from(if above { 255 } else { 0 }),
        "binary-inv" => f64::from(if above { 0 } else { 255 }),
        "trunc" => (if above { level } else { pixel }).clamp(0.0, largest),
        "tozero" => {
            if above {
                pixel
            } else {
                0.0
            }
        }
        "tozero-inv" => {
            if above {
                0.0
            } else {
                pixel
            }
        }
        other => unreachable!("`{other}` is no kind of threshold"),
    }
}

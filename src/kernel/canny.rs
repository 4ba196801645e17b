//! Canny's classes: gradients that are greatest across the edge, weak and strong (J. Canny 1986).
//!
//! Directions are told apart in four sectors by comparing with the tangents of 22.5° and 67.5° in
//! 15-bit fixed point, as OpenCV does, so that classes equal its own to the bit.

use super::Isa;

/// Not an edge.
pub const NONE: u8 = 0;
/// An edge where it hangs together with a strong one.
pub const WEAK: u8 = 1;
/// An edge.
pub const STRONG: u8 = 2;

const SHIFT: u32 = 15;
/// tan 22.5° in units of 2⁻¹⁵.
const TAN_22: i32 = 13573;

/// Derivatives of one row, with one pixel of padding on both sides.
#[derive(Clone, Copy, Debug)]
pub struct GradientRow<'a> {
    /// Along x.
    pub dx: &'a [i16],
    /// Along y.
    pub dy: &'a [i16],
}

/// The strengths of a row of derivatives: `dx² + dy²`, or `|dx| + |dy|`.
pub fn strength_row(isa: Isa, row: GradientRow<'_>, squared: bool, out: &mut [i32]) {
    isa.run(
        #[inline(always)]
        || {
            let pixels = row.dx.iter().zip(row.dy).zip(out);
            if squared {
                for ((&dx, &dy), out) in pixels {
                    let (dx, dy) = (i32::from(dx), i32::from(dy));
                    *out = dx * dx + dy * dy;
                }
            } else {
                for ((&dx, &dy), out) in pixels {
                    *out = i32::from(dx).abs() + i32::from(dy).abs();
                }
            }
        },
    );
}

/// The classes of a row from its derivatives and the strengths above, in and below it, all padded by
/// one pixel. Strengths above `low` are weak, those above `high` strong, if no neighbour across the
/// edge is stronger.
pub fn classes_row(
    isa: Isa,
    row: GradientRow<'_>,
    strengths: [&[i32]; 3],
    (low, high): (i32, i32),
    out: &mut [u8],
) {
    let n = out.len();
    let [above, here, below] = strengths.map(|row| &row[..n + 2]);
    let (dx, dy) = (&row.dx[1..][..n], &row.dy[1..][..n]);
    isa.run(
        #[inline(always)]
        || {
            for x in 0..n {
                let strength = here[x + 1];
                let (gx, gy) = (i32::from(dx[x]), i32::from(dy[x]));
                let rise = gy.abs() << SHIFT;
                let flat = gx.abs() * TAN_22;
                let steep = flat + (gx.abs() << (SHIFT + 1));
                // Of equal neighbours along an axis the first is taken, on diagonals none.
                let horizontal = (strength > here[x]) & (strength >= here[x + 2]);
                let vertical = (strength > above[x + 1]) & (strength >= below[x + 1]);
                let falling = (strength > above[x]) & (strength > below[x + 2]);
                let rising = (strength > above[x + 2]) & (strength > below[x]);
                let diagonal = if (gx ^ gy) < 0 { rising } else { falling };
                let crest = if rise < flat {
                    horizontal
                } else if rise > steep {
                    vertical
                } else {
                    diagonal
                };
                out[x] = u8::from(crest & (strength > low))
                    + u8::from(crest & (strength > low) & (strength > high));
            }
        },
    );
}

//! Canny's classes: gradients that are greatest across the edge, weak and strong (J. Canny 1986).
//!
//! Directions are told apart in four sectors by comparing with the tangents of 22.5° and 67.5° in
//! 15-bit fixed point, as OpenCV does, so that classes equal its own to the bit.

use super::Isa;
use super::lanes::{Kernel, Lanes, inlined, tiles};

/// Not an edge.
pub const NONE: u8 = 0;
/// An edge where it hangs together with a strong one.
pub const WEAK: u8 = 1;
/// An edge.
pub const STRONG: u8 = 2;

const SHIFT: u32 = 15;
/// tan 22.5° in units of 2⁻¹⁵.
const TAN_22: i32 = 13573;

/// Derivatives of one row.
#[derive(Clone, Copy, Debug)]
pub struct GradientRow<'a> {
    /// Along x.
    pub dx: &'a [i16],
    /// Along y.
    pub dy: &'a [i16],
}

/// Squared lengths of a row of derivatives: `dx² + dy²`.
pub fn square_row(isa: Isa, row: GradientRow<'_>, out: &mut [i32]) {
    isa.run(
        #[inline(always)]
        || {
            for ((&dx, &dy), out) in row.dx.iter().zip(row.dy).zip(out) {
                let (dx, dy) = (i32::from(dx), i32::from(dy));
                *out = dx * dx + dy * dy;
            }
        },
    );
}

/// The classes of a row from its derivatives and the strengths above, in and below it, which are padded by
/// one pixel on both sides. Strengths above `low` are weak, those above `high` strong, if no neighbour across the
/// edge is stronger.
pub fn classes_row<S: Copy + PartialOrd>(
    isa: Isa,
    row: GradientRow<'_>,
    strengths: [&[S]; 3],
    (low, high): (S, S),
    out: &mut [u8],
) {
    let n = out.len();
    let [above, here, below] = strengths.map(|row| &row[..n + 2]);
    let (dx, dy) = (&row.dx[..n], &row.dy[..n]);
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

/// [`classes_row`] for lengths `|dx| + |dy|`, which fit 16 bits up to five taps.
pub fn length_classes_row(
    isa: Isa,
    row: GradientRow<'_>,
    lengths: [&[i16]; 3],
    levels: (i16, i16),
    out: &mut [u8],
) {
    isa.dispatch(LengthClasses { row, lengths, levels, out });
}

struct LengthClasses<'a> {
    row: GradientRow<'a>,
    lengths: [&'a [i16]; 3],
    levels: (i16, i16),
    out: &'a mut [u8],
}

impl Kernel for LengthClasses<'_> {
    fn portable(self) {
        classes_row(Isa::PORTABLE, self.row, self.lengths, self.levels, self.out);
    }

    #[inline(always)]
    fn vectors<L: Lanes>(self, l: L) {
        let n = self.out.len();
        if n < L::N {
            return self.portable();
        }
        let Self { row, lengths: [above, here, below], levels: (low, high), out } = self;
        let (above, here, below) = (&above[..n + 2], &here[..n + 2], &below[..n + 2]);
        let (dx, dy) = (&row.dx[..n], &row.dy[..n]);
        let (low, high, zero) = (l.splat(low), l.splat(high), l.splat(0));
        tiles(
            n,
            L::N,
            #[inline(always)]
            |x| {
                let length = l.load(&here[x + 1..]);
                let weak = l.greater(length, low);
                // Most of most pictures has no edge.
                if !l.any(weak) {
                    return l.store_narrowed(zero, &mut out[x..]);
                }
                let (gx, gy) = (l.load(&dx[x..]), l.load(&dy[x..]));
                let (run, rise) = (l.abs(gx), l.abs(gy));
                // tan 22.5° of the run, rounded down; a comparison of `rise`, a whole number, with it
                // comes out as with the exact one, save where both are 0 and nothing is above `low`.
                let flat = l.mul_high(run, l.splat(2 * TAN_22 as i16));
                let is_flat = l.but_not(weak, l.greater(rise, flat));
                let is_steep = l.greater(rise, l.add(l.add(run, run), flat));
                let is_rising = l.greater(zero, l.xor(gx, gy));
                let at = inlined(
                    #[inline(always)]
                    |row: &[i16], k: usize| l.load(&row[x + k..]),
                );
                let horizontal = l.but_not(l.greater(length, at(here, 0)), l.greater(at(here, 2), length));
                let vertical = l.but_not(l.greater(length, at(above, 1)), l.greater(at(below, 1), length));
                let falling = l.both(l.greater(length, at(above, 0)), l.greater(length, at(below, 2)));
                let rising = l.both(l.greater(length, at(above, 2)), l.greater(length, at(below, 0)));
                let diagonal = l.select_mask(is_rising, rising, falling);
                let crest = l.select_mask(is_flat, horizontal, l.select_mask(is_steep, vertical, diagonal));
                let edge = l.both(crest, weak);
                let strong = l.both(edge, l.greater(length, high));
                let one = l.splat(1);
                let classes = l.add(l.select(edge, one, zero), l.select(strong, one, zero));
                l.store_narrowed(classes, &mut out[x..]);
            },
        );
    }
}

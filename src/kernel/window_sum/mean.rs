//! Means of windows whose sums fit 16 bits, from the sums of columns in one pass.

use super::Isa;
use crate::kernel::lanes::{Kernel, Lanes};

/// Division by the area of a window by multiplications: `sum / area` is `(sum * factor >> 16) >> shift`
/// (T. Granlund and P. Montgomery 1994).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reciprocal {
    half: u16,
    factor: u16,
    shift: u32,
}

impl Reciprocal {
    /// For windows of 3 to 256 pixels of 8 bit, whose sums fit 16 bits; `None` for others, and where no
    /// factor gives the exact quotient.
    pub fn of(area: usize) -> Option<Self> {
        let area = u32::try_from(area).ok().filter(|area| (3..=256).contains(area))?;
        let half = area / 2;
        let largest = 255 * area + half;
        let shift = (area - 1).ilog2();
        let factor = (1u32 << (16 + shift)).div_ceil(area);
        let excess = factor * area - (1 << (16 + shift));
        let is_exact = u64::from(largest) * u64::from(excess) < 1 << (16 + shift);
        (is_exact && factor <= 0xffff).then_some(Self { half: half as u16, factor: factor as u16, shift })
    }

    /// The mean of a window by its sum, rounded to nearest, halves up.
    #[inline(always)]
    fn mean(self, sum: u16) -> u8 {
        let product = u32::from(sum.wrapping_add(self.half)) * u32::from(self.factor);
        ((product >> 16) as u16 >> self.shift) as u8
    }
}

/// Elements of any value that [`small_mean_u8_row`] wants behind the columns.
pub const SLACK: usize = 32;

/// The means of the windows of `span` neighbours from each of `columns` on, `step` elements apart: the
/// channels of a pixel. `columns` has `(span - 1) * step` elements more than `out`, and [`SLACK`].
///
/// # Panics
/// When `columns` are fewer.
pub fn small_mean_u8_row(
    isa: Isa,
    columns: &[u16],
    span: usize,
    step: usize,
    reciprocal: Reciprocal,
    out: &mut [u8],
) {
    if out.is_empty() {
        return;
    }
    assert!(columns.len() >= out.len() + (span - 1) * step + SLACK, "columns for every window");
    isa.dispatch(Means { columns, span, step, reciprocal, out });
}

struct Means<'a> {
    columns: &'a [u16],
    span: usize,
    step: usize,
    reciprocal: Reciprocal,
    out: &'a mut [u8],
}

impl Means<'_> {
    /// From `first` on, one by one.
    fn slide(self, first: usize) {
        let Self { columns, span, step, reciprocal, out } = self;
        for channel in 0..step {
            let from = first + channel;
            let mut sum = (0..span - 1).fold(0u16, |sum, i| sum.wrapping_add(columns[from + i * step]));
            for x in (from..out.len()).step_by(step) {
                sum = sum.wrapping_add(columns[x + (span - 1) * step]);
                out[x] = reciprocal.mean(sum);
                sum = sum.wrapping_sub(columns[x]);
            }
        }
    }
}

impl Kernel for Means<'_> {
    fn portable(self) {
        self.slide(0);
    }

    #[inline(always)]
    fn vectors<L: Lanes>(self, l: L) {
        if self.step != 1 {
            return self.portable();
        }
        let Self { columns, span, reciprocal: Reciprocal { half, factor, shift }, .. } = self;
        let first = columns[..span].iter().fold(0u16, |sum, &column| sum.wrapping_add(column));
        self.out[0] = self.reciprocal.mean(first);
        // The sum before a block, with the half that rounds, in all lanes.
        let mut base = l.splat(first.wrapping_add(half).cast_signed());
        let factor = l.splat(factor.cast_signed());
        let blocks = (self.out.len() - 1) / L::N;
        for (x, out) in (1..).step_by(L::N).zip(self.out[1..].chunks_exact_mut(L::N)) {
            let change = l.sub(l.load(&columns[x + span - 1..]), l.load(&columns[x - 1..]));
            let running = l.running(change);
            let sums = l.add(base, running);
            l.store_narrowed(l.shift_by(l.mul_high(sums, factor), shift), out);
            base = l.add(base, l.last(running));
        }
        self.slide(1 + blocks * L::N);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocals_divide_every_sum() {
        let mut found = 0;
        for area in 1..=300usize {
            let Some(reciprocal) = Reciprocal::of(area) else { continue };
            found += 1;
            for sum in 0..=255 * area {
                let wanted = (sum + area / 2) / area;
                assert_eq!(usize::from(reciprocal.mean(sum as u16)), wanted, "{sum} / {area}");
            }
        }
        assert!(found > 200, "{found}");
        // The squares of all odd sizes are among them.
        assert!((3..=15).step_by(2).all(|size| Reciprocal::of(size * size).is_some()));
    }

    #[test]
    fn means_are_those_of_the_sums() {
        for (width, span, height) in
            [(1, 3, 1), (31, 5, 5), (32, 15, 15), (33, 16, 16), (200, 1, 9), (97, 40, 3)]
        {
            let reciprocal = Reciprocal::of(span * height).unwrap();
            for step in [1, 3] {
                let count = (width + span - 1) * step;
                let column = |i: usize| (i * 7919 % (255 * height + 1)) as u16;
                let columns: Vec<u16> = (0..count + SLACK).map(column).collect();
                let wanted: Vec<u8> = (0..width * step)
                    .map(|x| reciprocal.mean((0..span).map(|i| columns[x + i * step]).sum()))
                    .collect();
                for isa in Isa::available() {
                    let mut out = vec![0; width * step];
                    small_mean_u8_row(isa, &columns, span, step, reciprocal, &mut out);
                    assert_eq!(out, wanted, "{isa:?} {width} {span} {step}");
                }
            }
        }
    }
}

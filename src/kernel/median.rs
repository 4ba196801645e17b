//! Medians of windows.
//!
//! 3x3 and 5x5 by networks of least and greatest values, a row of windows at a time: columns are sorted once
//! and serve all windows they lie in (A. Adams 2021 shares more). Larger windows of 8 bit in constant
//! time by [`Histograms`].

mod histograms;

pub use histograms::Histograms;

use super::Isa;

/// Values that have an order; NaN has none, and what becomes of it is not defined.
pub trait Ordered: Copy + PartialOrd + Default {}
impl Ordered for u8 {}
impl Ordered for u16 {}
impl Ordered for f32 {}

#[inline(always)]
fn low<T: Ordered>(a: T, b: T) -> T {
    if b < a { b } else { a }
}

#[inline(always)]
fn high<T: Ordered>(a: T, b: T) -> T {
    if a < b { b } else { a }
}

#[inline(always)]
fn sorted<T: Ordered>(a: T, b: T) -> (T, T) {
    (low(a, b), high(a, b))
}

#[inline(always)]
fn median3<T: Ordered>(a: T, b: T, c: T) -> T {
    high(low(a, b), low(high(a, b), c))
}

/// Medians of 3x3. `rows` are the padded input rows; `columns` three rows of scratch as long; neighbours lie
/// `step` elements apart; `out` is `2 * step` shorter.
pub fn median3_row<T: Ordered>(
    isa: Isa,
    rows: [&[T]; 3],
    step: usize,
    columns: &mut [Vec<T>],
    out: &mut [T],
) {
    let count = out.len();
    if count == 0 {
        return;
    }
    let length = count + 2 * step;
    isa.run(
        #[inline(always)]
        || {
            let [least, middle, most] = columns else { return };
            let (least, middle, most) = (&mut least[..length], &mut middle[..length], &mut most[..length]);
            let [a, b, c] = rows.map(|row| &row[..length]);
            for x in 0..length {
                let (a, b) = sorted(a[x], b[x]);
                let (b, c) = sorted(b, c[x]);
                let (a, b) = sorted(a, b);
                (least[x], middle[x], most[x]) = (a, b, c);
            }
            let [l0, l1, l2] = shifted(least, step, count);
            let [m0, m1, m2] = shifted(middle, step, count);
            let [g0, g1, g2] = shifted(most, step, count);
            let out = &mut out[..count];
            for x in 0..count {
                let least = high(high(l0[x], l1[x]), l2[x]);
                let most = low(low(g0[x], g1[x]), g2[x]);
                out[x] = median3(least, median3(m0[x], m1[x], m2[x]), most);
            }
        },
    );
}

#[inline(always)]
fn part<T>(row: &[T], from: usize, count: usize) -> &[T] {
    &row[from..][..count]
}

#[inline(always)]
fn shifted<T, const N: usize>(row: &[T], step: usize, count: usize) -> [&[T]; N] {
    std::array::from_fn(|i| &row[i * step..][..count])
}

/// Pixels that medians of 5x5 are computed for at once, and room for the columns to their right.
const BLOCK: usize = 128;
const BLOCK_COLUMNS: usize = BLOCK + 4 * 3;

/// Medians of 5x5; see [`median3_row`], but that there are at most three channels, and no scratch: `out` is `4 * step`
/// shorter than the rows.
///
/// Blocks of columns are sorted on the stack, where the compiler knows that nothing overlaps: with so many rows
/// it would not check, and not use vectors.
pub fn median5_row<T: Ordered>(isa: Isa, rows: [&[T]; 5], step: usize, out: &mut [T]) {
    isa.run(
        #[inline(always)]
        || {
            for (block, out) in out.chunks_mut(BLOCK).enumerate() {
                median5_block(rows.map(|row| &row[block * BLOCK..][..out.len() + 4 * step]), step, out);
            }
        },
    );
}

#[inline(always)]
fn median5_block<T: Ordered>([r0, r1, r2, r3, r4]: [&[T]; 5], step: usize, out: &mut [T]) {
    let (mut c0, mut c1, mut c2) =
        ([T::default(); BLOCK_COLUMNS], [T::default(); BLOCK_COLUMNS], [T::default(); BLOCK_COLUMNS]);
    let (mut c3, mut c4) = ([T::default(); BLOCK_COLUMNS], [T::default(); BLOCK_COLUMNS]);
    let count = out.len();
    let length = count + 4 * step;
    {
        let (c0, c1, c2) = (&mut c0[..length], &mut c1[..length], &mut c2[..length]);
        let (c3, c4) = (&mut c3[..length], &mut c4[..length]);
        let (r0, r1, r2, r3, r4) =
            (&r0[..length], &r1[..length], &r2[..length], &r3[..length], &r4[..length]);
        for x in 0..length {
            let [a, b, c, d, e] = sorted5([r0[x], r1[x], r2[x], r3[x], r4[x]]);
            c0[x] = a;
            c1[x] = b;
            c2[x] = c;
            c3[x] = d;
            c4[x] = e;
        }
    }
    // Each of the 25 slices by name, of one length: arrays of them would not be seen through.
    let (a0, a1, a2) = (part(&c0, 0, count), part(&c0, step, count), part(&c0, 2 * step, count));
    let (a3, a4) = (part(&c0, 3 * step, count), part(&c0, 4 * step, count));
    let (b0, b1, b2) = (part(&c1, 0, count), part(&c1, step, count), part(&c1, 2 * step, count));
    let (b3, b4) = (part(&c1, 3 * step, count), part(&c1, 4 * step, count));
    let (m0, m1, m2) = (part(&c2, 0, count), part(&c2, step, count), part(&c2, 2 * step, count));
    let (m3, m4) = (part(&c2, 3 * step, count), part(&c2, 4 * step, count));
    let (d0, d1, d2) = (part(&c3, 0, count), part(&c3, step, count), part(&c3, 2 * step, count));
    let (d3, d4) = (part(&c3, 3 * step, count), part(&c3, 4 * step, count));
    let (e0, e1, e2) = (part(&c4, 0, count), part(&c4, step, count), part(&c4, 2 * step, count));
    let (e3, e4) = (part(&c4, 3 * step, count), part(&c4, 4 * step, count));
    let out = &mut out[..count];
    for x in 0..count {
        out[x] = median_of_sorted_columns([
            [a0[x], a1[x], a2[x], a3[x], a4[x]],
            [b0[x], b1[x], b2[x], b3[x], b4[x]],
            [m0[x], m1[x], m2[x], m3[x], m4[x]],
            [d0[x], d1[x], d2[x], d3[x], d4[x]],
            [e0[x], e1[x], e2[x], e3[x], e4[x]],
        ]);
    }
}

/// Sorts five values with nine comparisons.
#[inline(always)]
fn sorted5<T: Ordered>([a, b, c, d, e]: [T; 5]) -> [T; 5] {
    let (a, b) = sorted(a, b);
    let (d, e) = sorted(d, e);
    let (c, e) = sorted(c, e);
    let (c, d) = sorted(c, d);
    let (a, d) = sorted(a, d);
    let (a, c) = sorted(a, c);
    let (b, e) = sorted(b, e);
    let (b, d) = sorted(b, d);
    let (b, c) = sorted(b, c);
    [a, b, c, d, e]
}

/// The median of 25 values whose columns are sorted: `ranks[r][c]` is the value of rank `r` of column `c`.
///
/// With each rank sorted as well, a value is above all that stand to its left in lower ranks or its own. So twelve
/// have more than twelve above them, or below, and are out; what is left stands about the diagonal:
///
/// ```text
/// . . . p a      p: of the four below the diagonal all but the greatest have too many above them,
/// . . p b q      q: of the four above it all but the least too many below.
/// . p c q .
/// p d q . .
/// e q . . .
/// ```
///
/// The median of the five on the diagonal and these two remains.
#[inline(always)]
fn median_of_sorted_columns<T: Ordered>(ranks: [[T; 5]; 5]) -> T {
    let [a, b, c, d, e] = ranks;
    let (a, b, c, d, e) = (sorted5(a), sorted5(b), sorted5(c), sorted5(d), sorted5(e));
    let p = high(high(a[3], b[2]), high(c[1], d[0]));
    let q = low(low(b[4], c[3]), low(d[2], e[1]));
    // The fourth of seven: of the five and the two, four and none, three and one, or two and both are up to it.
    let [_, s1, s2, s3, _] = sorted5([a[4], b[3], c[2], d[1], e[0]]);
    low(s3, low(high(s2, low(p, q)), high(s1, high(p, q))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network of least and greatest values is right for all values when it is for 0 and 1 (D. Knuth 1973), and
    /// sorted columns of those have six forms each.
    #[test]
    fn the_network_is_right_for_every_pattern() {
        for pattern in 0..6usize.pow(5) {
            let ones: [usize; 5] = std::array::from_fn(|column| pattern / 6usize.pow(column as u32) % 6);
            let ranks = std::array::from_fn(|rank| ones.map(|ones| u8::from(rank + ones >= 5)));
            let expected = u8::from(ones.iter().sum::<usize>() >= 13);
            assert_eq!(median_of_sorted_columns(ranks), expected, "{ones:?}");
        }
        for pattern in 0..32u8 {
            let values: [u8; 5] = std::array::from_fn(|i| pattern >> i & 1);
            assert!(sorted5(values).is_sorted());
        }
    }
}

//! Rows of an image seen through an affine map.
//!
//! Positions are rounded to 1/2048 pixel. Integers are weighted in whole numbers, exactly, and rounded
//! once, half up; floats in `f32`, along rows first.

#[cfg(target_arch = "x86_64")]
mod gather;

use super::Isa;
use super::pixel::Sample;
use crate::image::{Border, BorderMode, Pixel};

/// Fractional bits of positions and weights.
pub const BITS: u32 = 11;
const ONE: i32 = 1 << BITS;

/// Pixels whose positions are found together.
const CHUNK: usize = 64;

/// Pixels that are weighted at once, where they can be.
const GROUP: usize = 16;

/// How values between pixels are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Taps {
    /// The nearest centre, halves up.
    Nearest,
    /// Linear between the four nearest centres.
    #[default]
    Bilinear,
    /// Cubic over the 4x4 nearest centres (R. Keys 1981, with the parameter -0.75).
    Bicubic,
}

/// Where one row of the result lies in the image, in pixel centres: `(x + x_step * i, y + y_step * i)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Column of the first pixel.
    pub x: f64,
    /// Columns from one pixel to the next.
    pub x_step: f64,
    /// Row of the first pixel.
    pub y: f64,
    /// Rows from one pixel to the next.
    pub y_step: f64,
}

/// Values that can be weighted.
pub trait Weighted: Sample + Pixel {
    /// Whether sums are exact, so that of equal values the same value comes out.
    const EXACT: bool;

    /// The sum of a window of values by `across` and `down`, in units of 1/2048 each.
    fn blend<const N: usize>(values: &[[Self; N]; N], across: [i32; N], down: [i32; N]) -> Self;

    /// Writes pixels that are weighted linearly, all at once; `false`, and nothing written, where there is no such way.
    #[inline(always)]
    fn group<const C: usize>(
        _isa: Isa,
        _source: &Source<'_, Self>,
        _x: &[i64; GROUP],
        _y: &[i64; GROUP],
        _out: &mut [[Self; C]],
    ) -> bool {
        false
    }

    /// Writes the first pixels of a part of a row that are weighted linearly, as many as there is a faster way for;
    /// returns how many. `first` is the index of the first one in its row.
    #[inline(always)]
    fn line<const C: usize>(
        _isa: Isa,
        _source: &Source<'_, Self>,
        _line: Line,
        _first: usize,
        _out: &mut [[Self; C]],
    ) -> usize {
        0
    }
}

macro_rules! integers {
    ($($integer:ty => $sum:ty { $($more:item)* })*) => {$(
        impl Weighted for $integer {
            const EXACT: bool = true;

            $($more)*

            #[inline(always)]
            fn blend<const N: usize>(values: &[[Self; N]; N], across: [i32; N], down: [i32; N]) -> Self {
                let mut sum = 1 << (2 * BITS - 1);
                for (row, weight) in values.iter().zip(down) {
                    let mut line = 0;
                    for (&value, weight) in row.iter().zip(across) {
                        line += <$sum>::from(value) * <$sum>::from(weight);
                    }
                    sum += line * <$sum>::from(weight);
                }
                (sum >> (2 * BITS)).clamp(0, <$sum>::from(Self::MAX)) as Self
            }
        }
    )*};
}
// Cubic weights sum to 1.375 without their signs: 255 * 1.375^2 * 2^22 is below 2^31.
integers! {
    u8 => i32 {
        #[inline(always)]
        fn group<const C: usize>(
            isa: Isa,
            source: &Source<'_, Self>,
            x: &[i64; GROUP],
            y: &[i64; GROUP],
            out: &mut [[Self; C]],
        ) -> bool {
            group_of_bytes(isa, source, (x, y), out.as_flattened_mut())
        }

        #[inline(always)]
        fn line<const C: usize>(
            isa: Isa,
            source: &Source<'_, Self>,
            line: Line,
            first: usize,
            out: &mut [[Self; C]],
        ) -> usize {
            #[cfg(target_arch = "x86_64")]
            {
                let &Source { values, width, height, .. } = source;
                gather::line(isa, gather::Bytes { values, width, height }, line, first, out)
            }
            #[cfg(not(target_arch = "x86_64"))]
            {
                let _ = (isa, source, line, first, out);
                0
            }
        }
    }
    u16 => i64 {}
}

/// A group of pixels of an image of one channel, none of which reaches over the edge. Positions of a row are in
/// order, so that its first and its last pixel tell of those between.
#[inline(always)]
fn group_of_bytes(
    isa: Isa,
    source: &Source<'_, u8>,
    (x, y): (&[i64; GROUP], &[i64; GROUP]),
    out: &mut [u8],
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if let Ok(out) = <&mut [u8; GROUP]>::try_from(&mut *out) {
        let &Source { values, width, height, .. } = source;
        let lies = |of: &[i64; GROUP], size: usize| {
            let (first, last) = (of[0] >> BITS, of[GROUP - 1] >> BITS);
            first.min(last) >= 0 && first.max(last) <= size as i64 - 2
        };
        let places = gather::Places { x: x.map(|x| x as i32), y: y.map(|y| y as i32) };
        return lies(x, width)
            && lies(y, height)
            && gather::bilinear(isa, gather::Bytes { values, width, height }, &places, out);
    }
    let _ = (isa, source, x, y, out);
    false
}

impl Weighted for f32 {
    const EXACT: bool = false;

    #[inline(always)]
    fn blend<const N: usize>(values: &[[Self; N]; N], across: [i32; N], down: [i32; N]) -> Self {
        const UNIT: f32 = 1.0 / ONE as f32;
        let (across, down) = (across.map(|w| w as Self * UNIT), down.map(|w| w as Self * UNIT));
        let mut sum = 0.0;
        for (row, weight) in values.iter().zip(down) {
            let mut line = 0.0;
            for (&value, weight) in row.iter().zip(across) {
                line += value * weight;
            }
            sum += line * weight;
        }
        sum
    }
}

/// The weights of four neighbours for every position between the middle two; rounding is settled by the
/// nearest, so that they sum to one.
pub fn cubic_weights() -> Vec<[i32; 4]> {
    let weight = |d: f64| {
        const A: f64 = -0.75;
        let w = if d <= 1.0 {
            ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0
        } else {
            ((d - 5.0) * d + 8.0) * d * A - 4.0 * A
        };
        (w * f64::from(ONE)).round_ties_even() as i32
    };
    let weights = |part: i32| {
        let t = f64::from(part) / f64::from(ONE);
        let mut weights = [weight(1.0 + t), weight(t), weight(1.0 - t), weight(2.0 - t)];
        let rest = ONE - weights.iter().sum::<i32>();
        weights[if 2 * part < ONE { 1 } else { 2 }] += rest;
        weights
    };
    (0..ONE).map(weights).collect()
}

/// The image that is looked at.
#[derive(Clone, Copy)]
pub struct Source<'a, T> {
    /// Values, row after row without gaps.
    pub values: &'a [T],
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// What lies beyond the edge.
    pub border: Border,
    /// Its constant in the type of the values.
    pub constant: T,
}

impl<T: Weighted> Source<'_, T> {
    /// The `N` x `N` windows of all channels, whose top left is `(x, y)`.
    #[inline(always)]
    fn windows<const N: usize, const C: usize>(&self, x: i64, y: i64) -> [[[T; N]; N]; C] {
        let (right, bottom) = (self.width as i64 - N as i64, self.height as i64 - N as i64);
        if !(0..=right).contains(&x) || !(0..=bottom).contains(&y) {
            return self.windows_over_the_edge(x, y);
        }
        let mut windows = [[[T::default(); N]; N]; C];
        let start = (y as usize * self.width + x as usize) * C;
        for j in 0..N {
            let row = &self.values[start + j * self.width * C..][..N * C];
            for i in 0..N {
                for c in 0..C {
                    windows[c][j][i] = row[i * C + c];
                }
            }
        }
        windows
    }

    #[cold]
    fn windows_over_the_edge<const N: usize, const C: usize>(&self, x: i64, y: i64) -> [[[T; N]; N]; C] {
        let mode = self.border.mode;
        let size = N as i64;
        let is_apart = x + size <= 0 || y + size <= 0 || x >= self.width as i64 || y >= self.height as i64;
        if is_apart && mode == BorderMode::Constant {
            return [[[self.constant; N]; N]; C];
        }
        std::array::from_fn(|c| {
            std::array::from_fn(|j| {
                let y = mode.map(y as isize + j as isize, self.height);
                std::array::from_fn(|i| {
                    let x = mode.map(x as isize + i as isize, self.width);
                    x.zip(y).map_or(self.constant, |(x, y)| self.values[(y * self.width + x) * C + c])
                })
            })
        })
    }
}

impl Line {
    /// Where pixel `i` lies, in units of 1/2048.
    #[inline(always)]
    fn at(self, i: f64) -> (f64, f64) {
        (units(self.x, self.x_step, i), units(self.y, self.y_step, i))
    }
}

/// The whole number of units of 1/2048 that is nearest to a position, halves up.
#[inline(always)]
fn units(start: f64, step: f64, i: f64) -> f64 {
    ((step * i + start) * f64::from(ONE) + 0.5).floor()
}

/// A whole number below 2^51 as an integer: its bits beside those of a large number, which vectors can do.
#[inline(always)]
fn whole(value: f64) -> i64 {
    const LARGE: f64 = 6_755_399_441_055_744.0;
    (value + LARGE).to_bits().wrapping_sub(LARGE.to_bits()) as i64
}

/// The whole part of a position in units of 1/2048, and the rest.
#[inline(always)]
fn split(position: i64) -> (i64, i32) {
    (position >> BITS, (position & i64::from(ONE - 1)) as i32)
}

/// One row of the result, pixels of `C` values. `cubic` holds [`cubic_weights`] where they are wanted.
pub fn warp_row<T: Weighted, const C: usize>(
    isa: Isa,
    source: &Source<'_, T>,
    line: Line,
    taps: Taps,
    cubic: &[[i32; 4]],
    out: &mut [T],
) {
    let beyond = match source.border.mode {
        BorderMode::Constant if T::EXACT || taps == Taps::Nearest => Some(source.constant),
        // Sums of floats begin with a zero without a sign.
        BorderMode::Constant if source.constant == T::default() => Some(T::default()),
        _ => None,
    };
    isa.run(
        #[inline(always)]
        || {
            for (chunk, out) in out.as_chunks_mut::<C>().0.chunks_mut(CHUNK).enumerate() {
                let first = chunk * CHUNK;
                let done = match taps {
                    Taps::Bilinear => T::line(isa, source, line, first, out),
                    Taps::Nearest | Taps::Bicubic => 0,
                };
                let (first, out) = (first + done, &mut out[done..]);
                if out.is_empty() {
                    continue;
                }
                let x = places(line.x, line.x_step, first as f64);
                let y = places(line.y, line.y_step, first as f64);
                let (x, y) = (&x[..out.len()], &y[..out.len()]);
                // Positions of a row are in order, so that what lies beyond an edge at both ends does between them.
                let beyond = beyond.filter(|_| is_apart(x, source.width) || is_apart(y, source.height));
                if let Some(value) = beyond {
                    out.fill([value; C]);
                    continue;
                }
                match taps {
                    Taps::Nearest => pick(source, x, y, out),
                    Taps::Bilinear => {
                        let places = x.chunks(GROUP).zip(y.chunks(GROUP));
                        for (group, (out, (x, y))) in out.chunks_mut(GROUP).zip(places).enumerate() {
                            // Where one end of the chunk lies over the edge, groups of it may not.
                            let first = first + group * GROUP;
                            if out.len() == GROUP && T::line(isa, source, line, first, out) == GROUP {
                                continue;
                            }
                            let whole = x.first_chunk::<GROUP>().zip(y.first_chunk());
                            if whole.is_some_and(|(x, y)| T::group(isa, source, x, y, out)) {
                                continue;
                            }
                            for (out, (&x, &y)) in out.iter_mut().zip(x.iter().zip(y)) {
                                let ((x, u), (y, v)) = (split(x), split(y));
                                let windows = source.windows::<2, C>(x, y);
                                for (out, window) in out.iter_mut().zip(&windows) {
                                    *out = T::blend(window, [ONE - u, u], [ONE - v, v]);
                                }
                            }
                        }
                    }
                    Taps::Bicubic => {
                        for (out, (&x, &y)) in out.iter_mut().zip(x.iter().zip(y)) {
                            let ((x, u), (y, v)) = (split(x), split(y));
                            let windows = source.windows::<4, C>(x - 1, y - 1);
                            for (out, window) in out.iter_mut().zip(&windows) {
                                *out = T::blend(window, cubic[u as usize], cubic[v as usize]);
                            }
                        }
                    }
                }
            }
        },
    );
}

/// The positions from `first` on along an axis, in units of 1/2048.
#[inline(always)]
fn places(start: f64, step: f64, first: f64) -> [i64; CHUNK] {
    // Kept where sums cannot overflow.
    const FAR: f64 = 1e12;
    let at = |i: usize| step * (first + i as f64) + start;
    // What is in order lies between its ends.
    if at(0).abs() <= FAR && at(CHUNK - 1).abs() <= FAR {
        std::array::from_fn(|i| whole(units(start, step, first + i as f64)))
    } else {
        std::array::from_fn(|i| whole((at(i).clamp(-FAR, FAR) * f64::from(ONE) + 0.5).floor()))
    }
}

/// Whether all of these positions lie so far beyond the same edge that no window of theirs, of up to four pixels,
/// reaches the image.
#[inline(always)]
fn is_apart(positions: &[i64], size: usize) -> bool {
    let (Some(&first), Some(&last)) = (positions.first(), positions.last()) else { return false };
    let (least, most) = ((first.min(last)) >> BITS, first.max(last) >> BITS);
    most <= -4 || least > size as i64
}

#[inline(always)]
fn pick<T: Weighted, const C: usize>(source: &Source<'_, T>, x: &[i64], y: &[i64], out: &mut [[T; C]]) {
    let half = i64::from(ONE / 2);
    for (out, (&x, &y)) in out.iter_mut().zip(x.iter().zip(y)) {
        let windows = source.windows::<1, C>((x + half) >> BITS, (y + half) >> BITS);
        *out = windows.map(|window| window[0][0]);
    }
}

//! From planes to neighbouring channels and back: the transpose of a matrix, in blocks.

#![allow(
    unsafe_code,
    reason = "vector loads and stores, and entering functions compiled for more instructions"
)]

use crate::kernel::Isa;

/// Rows and columns of a block.
pub(super) const SIDE: usize = 16;

/// `to[c * to_stride + r] = from[r * from_stride + c]`.
///
/// # Panics
/// When a row or a column reaches past its slice.
pub fn transpose(
    isa: Isa,
    [rows, columns]: [usize; 2],
    (from, from_stride): (&[f32], usize),
    (to, to_stride): (&mut [f32], usize),
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!((rows - 1) * from_stride + columns <= from.len(), "a row outside of the matrix");
    assert!((columns - 1) * to_stride + rows <= to.len(), "a column outside of the matrix");
    for row in (0..rows).step_by(SIDE) {
        for column in (0..columns).step_by(SIDE) {
            let size = [SIDE.min(rows - row), SIDE.min(columns - column)];
            let from = &from[row * from_stride + column..];
            let to = &mut to[column * to_stride + row..];
            #[cfg(target_arch = "x86_64")]
            if isa.has_avx512() {
                // SAFETY: the set is there, and the assertions above hold for the block.
                unsafe { avx512(size, (from.as_ptr(), from_stride), (to.as_mut_ptr(), to_stride)) };
                continue;
            }
            portable(size, (from, from_stride), (to, to_stride));
        }
    }
    let _ = isa;
}

#[inline(always)]
fn portable(
    [rows, columns]: [usize; 2],
    (from, from_stride): (&[f32], usize),
    (to, to_stride): (&mut [f32], usize),
) {
    let [tall, wide] = [rows / 4 * 4, columns / 4 * 4];
    for row in (0..tall).step_by(4) {
        for column in (0..wide).step_by(4) {
            let line = |r: usize| {
                let from = &from[(row + r) * from_stride + column..][..4];
                [from[0], from[1], from[2], from[3]]
            };
            let lines = turned([line(0), line(1), line(2), line(3)]);
            for (c, line) in lines.iter().enumerate() {
                to[(column + c) * to_stride + row..][..4].copy_from_slice(line);
            }
        }
    }
    // What is left to the right, and below.
    for c in 0..columns {
        for r in if c < wide { tall } else { 0 }..rows {
            to[c * to_stride + r] = from[r * from_stride + c];
        }
    }
}

/// Four rows of four as columns.
#[inline(always)]
fn turned(rows: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{__m128, _mm_movehl_ps, _mm_movelh_ps, _mm_unpackhi_ps, _mm_unpacklo_ps};
        let [a, b, c, d]: [__m128; 4] = bytemuck::cast(rows);
        // SAFETY: every such machine has SSE.
        let columns = unsafe {
            let (low, lower) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
            let (high, higher) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
            [
                _mm_movelh_ps(low, lower),
                _mm_movehl_ps(lower, low),
                _mm_movelh_ps(high, higher),
                _mm_movehl_ps(higher, high),
            ]
        };
        bytemuck::cast(columns)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        std::array::from_fn(|c| std::array::from_fn(|r| rows[r][c]))
    }
}

/// Some rows of a matrix, `count` values of each, as columns; zeros past them.
#[inline(always)]
pub(super) fn columns(
    isa: Isa,
    [rows, count]: [usize; 2],
    (from, from_stride): (&[f32], usize),
) -> [[f32; SIDE]; SIDE] {
    let mut block = [[0.0; SIDE]; SIDE];
    assert!(rows <= SIDE && count <= SIDE && rows > 0, "more than a block");
    assert!((rows - 1) * from_stride + count <= from.len(), "a row outside of the matrix");
    #[cfg(target_arch = "x86_64")]
    if isa.has_avx512() {
        // SAFETY: the set is there, the rows are in the matrix, and the block has sixteen rows of sixteen.
        unsafe { avx512([rows, count], (from.as_ptr(), from_stride), (block.as_mut_ptr().cast(), SIDE)) };
        return block;
    }
    let _ = isa;
    portable([rows, count], (from, from_stride), (block.as_flattened_mut(), SIDE));
    block
}

/// # Safety
/// Both sizes are at most sixteen; so many columns of so many rows may be read, and as many rows of as many
/// columns written.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn avx512(
    [rows, columns]: [usize; 2],
    (from, from_stride): (*const f32, usize),
    (to, to_stride): (*mut f32, usize),
) {
    use std::arch::x86_64::{
        __m512, _mm512_castpd_ps, _mm512_castps_pd, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
        _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_unpackhi_pd, _mm512_unpackhi_ps, _mm512_unpacklo_pd,
        _mm512_unpacklo_ps,
    };
    let (wide, tall) = ((u32::MAX >> (32 - columns)) as u16, (u32::MAX >> (32 - rows)) as u16);
    let mut block = [_mm512_setzero_ps(); SIDE];
    for (r, row) in block.iter_mut().enumerate().take(rows) {
        // SAFETY: the caller vouches for the row; lanes that are masked out are not read.
        *row = unsafe { _mm512_maskz_loadu_ps(wide, from.add(r * from_stride)) };
    }
    // Pairs of rows, pairs of pairs, then quarters of the vectors change places.
    let pairs: [__m512; SIDE] = std::array::from_fn(|i| {
        let (a, b) = (block[i / 2 * 2], block[i / 2 * 2 + 1]);
        if i % 2 == 0 { _mm512_unpacklo_ps(a, b) } else { _mm512_unpackhi_ps(a, b) }
    });
    // Row `4 q + k` has column `k` of each quarter, of rows `4 q` to `4 q + 3`.
    let fours: [__m512; SIDE] = std::array::from_fn(|i| {
        let (q, k) = (i / 4 * 4, i % 4);
        let (a, b) = (_mm512_castps_pd(pairs[q + k / 2]), _mm512_castps_pd(pairs[q + 2 + k / 2]));
        _mm512_castpd_ps(if k % 2 == 0 { _mm512_unpacklo_pd(a, b) } else { _mm512_unpackhi_pd(a, b) })
    });
    for k in 0..4 {
        let [a, b, c, d] = [fours[k], fours[4 + k], fours[8 + k], fours[12 + k]];
        let (low, high) = (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0x88>(c, d));
        let (odd, odder) = (_mm512_shuffle_f32x4::<0xdd>(a, b), _mm512_shuffle_f32x4::<0xdd>(c, d));
        let done = [
            _mm512_shuffle_f32x4::<0x88>(low, high),
            _mm512_shuffle_f32x4::<0x88>(odd, odder),
            _mm512_shuffle_f32x4::<0xdd>(low, high),
            _mm512_shuffle_f32x4::<0xdd>(odd, odder),
        ];
        for (quarter, row) in done.iter().enumerate() {
            let column = quarter * 4 + k;
            if column < columns {
                // SAFETY: the caller vouches for the column; lanes that are masked out are not written.
                unsafe { _mm512_mask_storeu_ps(to.add(column * to_stride), tall, *row) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_changes_row_and_column() {
        for [rows, columns] in [[0, 3], [1, 1], [16, 16], [17, 40], [50, 33], [3, 100], [5, 7]] {
            let (from_stride, to_stride) = (columns + 2, rows + 5);
            let from: Vec<f32> = (0..rows * from_stride).map(|i| i as f32).collect();
            for isa in Isa::available() {
                let mut to = vec![-1.0; columns * to_stride];
                transpose(isa, [rows, columns], (&from, from_stride), (&mut to, to_stride));
                for c in 0..columns {
                    for r in 0..to_stride {
                        let wanted = if r < rows { from[r * from_stride + c] } else { -1.0 };
                        assert_eq!(to[c * to_stride + r], wanted, "{rows} {columns} {isa:?}");
                    }
                }
            }
        }
    }
}

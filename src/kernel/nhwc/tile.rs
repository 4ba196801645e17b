//! Register tiles: some pixels by a panel of filters, all sums in registers from the first product to
//! the rectifier.
#![allow(
    unsafe_code,
    reason = "vector loads and stores through row pointers, and entering functions compiled for more instructions"
)]

use super::super::Isa;

/// Rows of the tallest tile of any instruction set.
pub(super) const ROWS: usize = 14;
/// Filters of the widest panel of any instruction set.
pub(super) const WIDTH: usize = 32;

/// How far ahead of the products a panel is asked for, in values: what a core multiplies while memory answers.
const AHEAD: usize = 1024;

/// What is done to a sum at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(x, 0)`; NaN stays.
    Relu,
    /// `max(x, slope * x)`, for a slope from 0 to 1.
    Leaky(f32),
}

impl Activation {
    /// Of one value.
    #[inline(always)]
    pub fn of(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            Self::Relu if x < 0.0 => 0.0,
            Self::Leaky(slope) if x < slope * x => slope * x,
            _ => x,
        }
    }
}

/// One tile: `rows x width` sums over the same depth.
///
/// # Safety of use
/// For each of the first `M` rows and each of `runs`, `run` values may be read at the row's pointer plus the
/// run; `panel` has `runs.len() * run` times the lanes of the panel, `bias` has those lanes; they may be
/// written at each of `outputs`, and read at each of `residual` where there is one.
pub(super) struct Job<'a> {
    pub(super) rows: [*const f32; ROWS],
    pub(super) runs: &'a [usize],
    pub(super) run: usize,
    pub(super) panel: *const f32,
    pub(super) bias: *const f32,
    pub(super) residual: Option<[*const f32; ROWS]>,
    pub(super) outputs: [*mut f32; ROWS],
    pub(super) activation: Activation,
}

/// Lanes of a vector: half a panel.
pub(super) fn lanes(isa: Isa) -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if isa.has_avx512() {
            return 16;
        }
        if isa.has_avx2() {
            return 8;
        }
    }
    let _ = isa;
    4
}

/// Rows of the tallest tile.
pub(super) fn rows(isa: Isa) -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if isa.has_avx512() {
            return 14;
        }
        if isa.has_avx2() {
            return 6;
        }
    }
    let _ = isa;
    4
}

/// The height of the tile that takes so many rows: at least as many. Rows past them repeat one.
pub(super) fn height(isa: Isa, count: usize) -> usize {
    let heights: &[usize] = match rows(isa) {
        14 => &[1, 2, 4, 7, 10, 14],
        6 => &[1, 2, 4, 6],
        _ => &[1, 4],
    };
    heights.iter().copied().find(|&height| height >= count).unwrap_or(heights[heights.len() - 1])
}

/// Calls `avx512`, `avx2` or `portable` in scope for a height of [`height`] and one or two vectors; the sets are there where
/// the token says so, and the caller vouches for the job.
macro_rules! by_size {
    ($isa:expr, $height:expr, $vectors:expr, $job:expr) => {{
        let (isa, size, job) = ($isa, ($height, $vectors), $job);
        #[cfg(target_arch = "x86_64")]
        if isa.has_avx512() {
            return match size {
                (1, 2) => avx512::<1, 2>(job),
                (2, 2) => avx512::<2, 2>(job),
                (4, 2) => avx512::<4, 2>(job),
                (7, 2) => avx512::<7, 2>(job),
                (10, 2) => avx512::<10, 2>(job),
                (_, 2) => avx512::<14, 2>(job),
                (1, _) => avx512::<1, 1>(job),
                (2, _) => avx512::<2, 1>(job),
                (4, _) => avx512::<4, 1>(job),
                (7, _) => avx512::<7, 1>(job),
                (10, _) => avx512::<10, 1>(job),
                _ => avx512::<14, 1>(job),
            };
        }
        #[cfg(target_arch = "x86_64")]
        if isa.has_avx2() {
            return match size {
                (1, 2) => avx2::<1, 2>(job),
                (2, 2) => avx2::<2, 2>(job),
                (4, 2) => avx2::<4, 2>(job),
                (_, 2) => avx2::<6, 2>(job),
                (1, _) => avx2::<1, 1>(job),
                (2, _) => avx2::<2, 1>(job),
                (4, _) => avx2::<4, 1>(job),
                _ => avx2::<6, 1>(job),
            };
        }
        let _ = isa;
        match size {
            (1, 2) => portable::<1, 8>(job),
            (_, 2) => portable::<4, 8>(job),
            (1, _) => portable::<1, 4>(job),
            _ => portable::<4, 4>(job),
        }
    }};
}
pub(super) use by_size;

/// Computes a tile of `height` rows, one of those of [`height`], and one or two vectors.
///
/// # Safety
/// As [`Job`] says.
pub(super) unsafe fn run(isa: Isa, height: usize, vectors: usize, job: &Job<'_>) {
    // SAFETY: the caller vouches for the job.
    unsafe { by_size!(isa, height, vectors, job) }
}

/// # Safety
/// As [`Job`] says, for `M` rows and panels of `L` lanes.
unsafe fn portable<const M: usize, const L: usize>(job: &Job<'_>) {
    let mut sums = [[0.0f32; L]; M];
    let mut panel = job.panel;
    for &run in job.runs {
        for d in 0..job.run {
            // SAFETY: the panel has this many rows of lanes.
            let b = unsafe { &*panel.cast::<[f32; L]>() };
            panel = panel.wrapping_add(L);
            for (r, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the run is inside the row.
                let a = unsafe { *job.rows[r].add(run + d) };
                for l in 0..L {
                    sums[l] += a * b[l];
                }
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        for (l, sum) in sums.iter().enumerate() {
            // SAFETY: bias, residual and output have the lanes.
            unsafe {
                let mut value = sum + *job.bias.add(l);
                if let Some(residual) = &job.residual {
                    value += *residual[r].add(l);
                }
                *job.outputs[r].add(l) = job.activation.of(value);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! tile {
    ($name:ident, $features:literal, $lanes:literal, $zero:ident, $load:ident, $splat:ident, $fma:ident, $add:ident,
     $mul:ident, $max:ident, $store:ident) => {
        /// # Safety
        /// As [`Job`] says, for `M` rows and panels of `V` vectors.
        #[target_feature(enable = $features)]
        unsafe fn $name<const M: usize, const V: usize>(job: &Job<'_>) {
            use std::arch::x86_64::{
                _MM_HINT_T0, _mm_prefetch, $add, $fma, $load, $max, $mul, $splat, $store, $zero,
            };
            let mut sums = [[$zero(); V]; M];
            let mut panel = job.panel;
            for &run in job.runs {
                let rows: [*const f32; M] = std::array::from_fn(|r| job.rows[r].wrapping_add(run));
                for d in 0..job.run {
                    let mut b = [$zero(); V];
                    for v in 0..V {
                        // SAFETY: the panel has this many rows of lanes.
                        b[v] = unsafe { $load(panel.wrapping_add(v * $lanes)) };
                    }
                    panel = panel.wrapping_add(V * $lanes);
                    for v in 0..V {
                        _mm_prefetch::<_MM_HINT_T0>(panel.wrapping_add(AHEAD + v * $lanes).cast());
                    }
                    for r in 0..M {
                        // SAFETY: the run is inside the row.
                        let a = $splat(unsafe { *rows[r].add(d) });
                        for v in 0..V {
                            sums[r][v] = $fma(a, b[v], sums[r][v]);
                        }
                    }
                }
            }
            for r in 0..M {
                for v in 0..V {
                    // SAFETY: bias, residual and output have the lanes.
                    unsafe {
                        let mut value = $add(sums[r][v], $load(job.bias.add(v * $lanes)));
                        if let Some(residual) = &job.residual {
                            value = $add(value, $load(residual[r].add(v * $lanes)));
                        }
                        // The second operand of a maximum comes out where one is NaN.
                        value = match job.activation {
                            Activation::None => value,
                            Activation::Relu => $max($zero(), value),
                            Activation::Leaky(slope) => $max($mul($splat(slope), value), value),
                        };
                        $store(job.outputs[r].add(v * $lanes), value);
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
tile!(
    avx512,
    "avx512f",
    16,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_mul_ps,
    _mm512_max_ps,
    _mm512_storeu_ps
);
#[cfg(target_arch = "x86_64")]
tile!(
    avx2,
    "avx2,fma",
    8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_mul_ps,
    _mm256_max_ps,
    _mm256_storeu_ps
);

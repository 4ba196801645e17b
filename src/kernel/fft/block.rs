//! Blocks of complex numbers, their spectra, and the correlation of blocks with a template.

use super::vectors::{Vectors, Work};
use super::{Cell, Fft, Number, Real};
use crate::kernel::Isa;

/// `width` x `height` complex numbers in strips of `N` columns, each strip from top to bottom.
#[derive(Clone, Debug)]
pub struct Block<F, const N: usize> {
    /// From strip to strip; a little more than a strip has, lest the lines of all lie in few sets of a cache.
    stride: usize,
    cells: Vec<Cell<F, N>>,
}

const GAP: usize = 4;

impl<F: Real<N>, const N: usize> Block<F, N> {
    fn strip(&mut self, index: usize, height: usize) -> &mut [Cell<F, N>] {
        &mut self.cells[index * self.stride..][..height]
    }

    /// Sets row `y` to what `number` makes of `re` (part 0) and `im` (part 1), and zeros after them. Returns the
    /// sum of their squares.
    ///
    /// # Panics
    /// When the block has no row `y`.
    pub fn set_row<T: Copy>(
        &mut self,
        isa: Isa,
        y: usize,
        re: &[T],
        im: &[T],
        number: impl Fn(T, usize) -> F,
    ) -> f64 {
        isa.run(
            #[inline(always)]
            || {
                let mut squares = [F::default(); N];
                for (s, strip) in self.cells.chunks_exact_mut(self.stride).enumerate() {
                    let cell = &mut strip[y];
                    for (part, row) in [re, im].into_iter().enumerate() {
                        let from = &row[row.len().min(s * N)..row.len().min((s + 1) * N)];
                        let mut numbers = [F::default(); N];
                        if let Some(from) = from.first_chunk::<N>() {
                            for i in 0..N {
                                numbers[i] = number(from[i], part);
                            }
                        } else {
                            for (to, from) in numbers.iter_mut().zip(from) {
                                *to = number(*from, part);
                            }
                        }
                        for i in 0..N {
                            squares[i] = squares[i] + numbers[i] * numbers[i];
                        }
                        cell[part] = numbers;
                    }
                }
                squares.iter().map(|square| square.to_f64()).sum()
            },
        )
    }

    /// Sets all rows from `y` on to zeros.
    pub fn clear_from(&mut self, y: usize) {
        for strip in self.cells.chunks_exact_mut(self.stride) {
            strip[y..].fill(zero());
        }
    }

    /// Calls `add` with each of `out` and the real and imaginary parts of row `y`, from the left.
    ///
    /// # Panics
    /// When `out` is longer than the block is wide.
    pub fn add_row<S>(&self, isa: Isa, y: usize, out: &mut [S], add: impl Fn(&mut S, F, F)) {
        isa.run(
            #[inline(always)]
            || {
                for (out, strip) in out.chunks_mut(N).zip(self.cells.chunks_exact(self.stride)) {
                    let [re, im] = &strip[y];
                    if let Some(out) = out.first_chunk_mut::<N>() {
                        for i in 0..N {
                            add(&mut out[i], re[i], im[i]);
                        }
                    } else {
                        for (out, (re, im)) in out.iter_mut().zip(re.iter().zip(im)) {
                            add(out, *re, *im);
                        }
                    }
                }
            },
        );
    }
}

/// What blocks are multiplied with: the conjugate transform of a template.
#[derive(Clone, Debug)]
pub struct Spectrum<F, const N: usize>(Vec<Cell<F, N>>);

/// Correlates blocks of one size.
#[derive(Clone, Debug)]
pub struct Correlator<F, const N: usize> {
    across: Fft<F, N>,
    down: Fft<F, N>,
}

/// Room for the lines that a [`Correlator`] works on.
#[derive(Clone, Debug)]
pub struct Lines<F, const N: usize>([Vec<Cell<F, N>>; 2]);

impl<F: Real<N>, const N: usize> Correlator<F, N> {
    /// For blocks of `width` x `height`, powers of two.
    ///
    /// # Panics
    /// When they are none or less than `N`.
    pub fn new(width: usize, height: usize) -> Self {
        assert!(width >= N && height >= N, "a block of {width}x{height} is too small");
        Self { across: Fft::new(width), down: Fft::new(height) }
    }

    /// Width and height of blocks.
    pub fn size(&self) -> (usize, usize) {
        (self.across.size(), self.down.size())
    }

    /// A block of zeros.
    pub fn block(&self) -> Block<F, N> {
        let stride = self.down.size() + GAP;
        Block { stride, cells: vec![zero(); self.across.size() / N * stride] }
    }

    /// Room to work in.
    pub fn lines(&self) -> Lines<F, N> {
        Lines([vec![zero(); self.across.size()], vec![zero(); self.across.size()]])
    }

    /// The spectrum of a template that lies in the upper left corner of `block`, which is used up.
    /// Scaled so that correlations need no more scaling.
    pub fn spectrum(&self, isa: Isa, block: &mut Block<F, N>, lines: &mut Lines<F, N>) -> Spectrum<F, N> {
        let (width, height) = self.size();
        let mut spectrum = vec![zero(); width * height / N];
        F::with_vectors(
            isa,
            Transform { correlator: self, block, line: &mut lines.0[0], spectrum: &mut spectrum },
        );
        let scale = F::of(1.0 / (width * height) as f64);
        for [re, im] in &mut spectrum {
            for i in 0..N {
                (re[i], im[i]) = (re[i] * scale, -im[i] * scale);
            }
        }
        Spectrum(spectrum)
    }

    /// Makes `blocks[0]` the sum of the correlations of every block with its template, over periods of the
    /// block's size: entry `(x, y)` is `Σ block(x + i, y + j) template(i, j)`. A template is real, so that
    /// real and imaginary parts do not mix. Only the first `columns` are finished; the other blocks are used up.
    ///
    /// # Panics
    /// Without blocks, or when they have other sizes than this correlator.
    pub fn correlate(
        &self,
        isa: Isa,
        blocks: &mut [Block<F, N>],
        spectra: &[Spectrum<F, N>],
        lines: &mut Lines<F, N>,
        columns: usize,
    ) {
        let strips = columns.min(self.across.size()).div_ceil(N);
        F::with_vectors(isa, Correlation { correlator: self, blocks, spectra, lines, strips });
    }

    #[inline(always)]
    fn go_down<E: Vectors<F, N>>(&self, e: E, block: &mut Block<F, N>) {
        let (width, height) = self.size();
        for s in 0..width / N {
            self.down.forward(e, block.strip(s, height));
        }
    }
}

fn zero<F: Real<N>, const N: usize>() -> Cell<F, N> {
    [[F::default(); N]; 2]
}

struct Transform<'a, F, const N: usize> {
    correlator: &'a Correlator<F, N>,
    block: &'a mut Block<F, N>,
    line: &'a mut [Cell<F, N>],
    spectrum: &'a mut [Cell<F, N>],
}

impl<F: Real<N>, const N: usize> Work<F, N> for Transform<'_, F, N> {
    #[inline(always)]
    fn run<E: Vectors<F, N>>(self, e: E) {
        let across = &self.correlator.across;
        self.correlator.go_down(e, self.block);
        for (s, out) in self.spectrum.chunks_exact_mut(across.size()).enumerate() {
            gather(e, self.block, s, self.line);
            across.forward(e, self.line);
            out.copy_from_slice(self.line);
        }
    }
}

struct Correlation<'a, F, const N: usize> {
    correlator: &'a Correlator<F, N>,
    blocks: &'a mut [Block<F, N>],
    spectra: &'a [Spectrum<F, N>],
    lines: &'a mut Lines<F, N>,
    /// Strips that are finished.
    strips: usize,
}

impl<F: Real<N>, const N: usize> Work<F, N> for Correlation<'_, F, N> {
    #[inline(always)]
    fn run<E: Vectors<F, N>>(self, e: E) {
        let Self { correlator, blocks, spectra, lines, strips } = self;
        let (width, height) = correlator.size();
        for block in &mut *blocks {
            correlator.go_down(e, block);
        }
        let [line, sums] = &mut lines.0;
        for s in 0..height / N {
            for (c, (block, spectrum)) in blocks.iter().zip(spectra).enumerate() {
                gather(e, block, s, line);
                correlator.across.forward(e, line);
                let spectrum = &spectrum.0[s * width..][..width];
                for ((sum, cell), factor) in sums.iter_mut().zip(&*line).zip(spectrum) {
                    for part in 0..E::PARTS {
                        let product = Number::load(e, cell, part).product(Number::load(e, factor, part));
                        let product = if c == 0 { product } else { Number::load(e, sum, part).add(product) };
                        product.store(sum, part);
                    }
                }
            }
            correlator.across.inverse(e, sums);
            scatter(e, &sums[..strips * N], s, &mut blocks[0]);
        }
        for s in 0..strips {
            correlator.down.inverse(e, blocks[0].strip(s, height));
        }
    }
}

/// Rows `N s` to `N s + N` of a block as a line of columns.
#[inline(always)]
fn gather<F: Real<N>, const N: usize, E: Vectors<F, N>>(
    e: E,
    block: &Block<F, N>,
    s: usize,
    line: &mut [Cell<F, N>],
) {
    for (strip, out) in block.cells.chunks_exact(block.stride).zip(line.as_chunks_mut::<N>().0) {
        let Some(from) = strip[s * N..].first_chunk() else { return };
        e.transpose(from, out);
    }
}

/// The opposite of [`gather`].
#[inline(always)]
fn scatter<F: Real<N>, const N: usize, E: Vectors<F, N>>(
    e: E,
    line: &[Cell<F, N>],
    s: usize,
    block: &mut Block<F, N>,
) {
    for (strip, from) in block.cells.chunks_exact_mut(block.stride).zip(line.as_chunks::<N>().0) {
        let Some(out) = strip[s * N..].first_chunk_mut() else { return };
        e.transpose(from, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Correlations are sums of products, the same bits with every set, and err by at most so much.
    fn check<F: Real<N>, const N: usize>(
        (nx, ny): (usize, usize),
        (w, h): (usize, usize),
        channels: usize,
        seed: u64,
        error: f64,
    ) {
        let value = |salt: u64, x: usize, y: usize| {
            let bits = (seed ^ salt).wrapping_add((x * 8191 + y) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            f64::from((bits >> 56) as u8) - 128.0
        };
        let line = |salt: u64, y: usize, width: usize| -> Vec<F> {
            (0..width).map(|x| F::of(value(salt, x, y))).collect()
        };
        let mut before = None;
        for isa in Isa::available() {
            let correlator = Correlator::<F, N>::new(nx, ny);
            let mut lines = correlator.lines();
            let (mut blocks, mut spectra) = (Vec::new(), Vec::new());
            for c in 0..channels as u64 {
                let mut block = correlator.block();
                for y in 0..h {
                    block.set_row(isa, y, &line(3 * c + 2, y, w), &[], |v, _| v);
                }
                spectra.push(correlator.spectrum(isa, &mut block, &mut lines));
                for y in 0..ny {
                    block.set_row(isa, y, &line(3 * c, y, nx), &line(3 * c + 1, y, nx), |v, _| v);
                }
                blocks.push(block);
            }
            correlator.correlate(isa, &mut blocks, &spectra, &mut lines, nx);
            for y in 0..ny {
                let mut row = vec![(0.0, 0.0); nx];
                blocks[0].add_row(isa, y, &mut row, |to, re, im| *to = (re.to_f64(), im.to_f64()));
                for (x, got) in row.iter().enumerate() {
                    let sum = |p: u64| -> f64 {
                        let of = |c: u64| -> f64 {
                            let term = |i: usize, j: usize| {
                                value(3 * c + p, (x + i) % nx, (y + j) % ny) * value(3 * c + 2, i, j)
                            };
                            (0..h).map(|j| (0..w).map(|i| term(i, j)).sum::<f64>()).sum()
                        };
                        (0..channels as u64).map(of).sum()
                    };
                    assert!(
                        (got.0 - sum(0)).abs() < error && (got.1 - sum(1)).abs() < error,
                        "{isa:?} {got:?}"
                    );
                }
            }
            let bits: Vec<u64> =
                blocks[0].cells.iter().flatten().flatten().map(|v| v.to_f64().to_bits()).collect();
            assert!(before.get_or_insert_with(|| bits.clone()) == &bits, "{isa:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn correlations_are_sums_of_products(
            sizes in (4u32..7, 4u32..7), template in (1usize..9, 1usize..9), channels in 1usize..3, seed in any::<u64>(),
        ) {
            let size = (1 << sizes.0, 1 << sizes.1);
            // The bound that is stated for whole numbers is thousands of times as much.
            check::<f64, 8>(size, template, channels, seed, 1e-7);
            check::<f32, 16>(size, template, channels, seed, 10.0);
        }
    }

    #[test]
    fn the_smallest_blocks_do() {
        check::<f64, 8>((8, 8), (3, 2), 1, 7, 1e-7);
        check::<f64, 8>((8, 32), (8, 1), 2, 7, 1e-7);
    }
}

//! Blocks of complex numbers, their spectra, and the correlation of blocks with a template.

use super::eight::{Eight, Work};
use super::{Cell, Fft, LANES, Number};
use crate::kernel::Isa;

/// `width` x `height` complex numbers in strips of eight columns, each strip from top to bottom.
#[derive(Clone, Debug)]
pub struct Block {
    /// From strip to strip; a little more than a strip has, lest the lines of all lie in few sets of a cache.
    stride: usize,
    cells: Vec<Cell>,
}

const GAP: usize = 4;
const ZERO: Cell = [[0.0; LANES]; 2];

impl Block {
    fn strip(&mut self, index: usize, height: usize) -> &mut [Cell] {
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
        number: impl Fn(T, usize) -> f64,
    ) -> f64 {
        isa.run(
            #[inline(always)]
            || {
                let mut squares = [0.0; LANES];
                for (s, strip) in self.cells.chunks_exact_mut(self.stride).enumerate() {
                    let cell = &mut strip[y];
                    for (part, row) in [re, im].into_iter().enumerate() {
                        let from = &row[row.len().min(s * LANES)..row.len().min((s + 1) * LANES)];
                        let mut numbers = [0.0; LANES];
                        if let Some(from) = from.first_chunk::<LANES>() {
                            for i in 0..LANES {
                                numbers[i] = number(from[i], part);
                            }
                        } else {
                            for (to, from) in numbers.iter_mut().zip(from) {
                                *to = number(*from, part);
                            }
                        }
                        for i in 0..LANES {
                            squares[i] += numbers[i] * numbers[i];
                        }
                        cell[part] = numbers;
                    }
                }
                squares.iter().sum()
            },
        )
    }

    /// Sets all rows from `y` on to zeros.
    pub fn clear_from(&mut self, y: usize) {
        for strip in self.cells.chunks_exact_mut(self.stride) {
            strip[y..].fill(ZERO);
        }
    }

    /// Calls `add` with each of `out` and the real and imaginary parts of row `y`, from the left.
    ///
    /// # Panics
    /// When `out` is longer than the block is wide.
    pub fn add_row<S>(&self, isa: Isa, y: usize, out: &mut [S], add: impl Fn(&mut S, f64, f64)) {
        isa.run(
            #[inline(always)]
            || {
                for (out, strip) in out.chunks_mut(LANES).zip(self.cells.chunks_exact(self.stride)) {
                    let [re, im] = &strip[y];
                    if let Some(out) = out.first_chunk_mut::<LANES>() {
                        for i in 0..LANES {
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
pub struct Spectrum(Vec<Cell>);

/// Correlates blocks of one size.
#[derive(Clone, Debug)]
pub struct Correlator {
    across: Fft,
    down: Fft,
}

/// Room for the lines that a [`Correlator`] works on.
#[derive(Clone, Debug)]
pub struct Lines([Vec<Cell>; 2]);

impl Correlator {
    /// For blocks of `width` x `height`, powers of two.
    ///
    /// # Panics
    /// When they are none or less than [`LANES`].
    pub fn new(width: usize, height: usize) -> Self {
        assert!(width >= LANES && height >= LANES, "a block of {width}x{height} is too small");
        Self { across: Fft::new(width), down: Fft::new(height) }
    }

    /// Width and height of blocks.
    pub fn size(&self) -> (usize, usize) {
        (self.across.size(), self.down.size())
    }

    /// A block of zeros.
    pub fn block(&self) -> Block {
        let stride = self.down.size() + GAP;
        Block { stride, cells: vec![ZERO; self.across.size() / LANES * stride] }
    }

    /// Room to work in.
    pub fn lines(&self) -> Lines {
        Lines([vec![ZERO; self.across.size()], vec![ZERO; self.across.size()]])
    }

    /// The spectrum of a template that lies in the upper left corner of `block`, which is used up.
    /// Scaled so that correlations need no more scaling.
    pub fn spectrum(&self, isa: Isa, block: &mut Block, lines: &mut Lines) -> Spectrum {
        let (width, height) = self.size();
        let mut spectrum = vec![ZERO; width * height / LANES];
        isa.with_eight(Transform { correlator: self, block, line: &mut lines.0[0], spectrum: &mut spectrum });
        let scale = 1.0 / (width * height) as f64;
        for [re, im] in &mut spectrum {
            for i in 0..LANES {
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
        blocks: &mut [Block],
        spectra: &[Spectrum],
        lines: &mut Lines,
        columns: usize,
    ) {
        let strips = columns.min(self.across.size()).div_ceil(LANES);
        isa.with_eight(Correlation { correlator: self, blocks, spectra, lines, strips });
    }

    #[inline(always)]
    fn go_down<E: Eight>(&self, e: E, block: &mut Block) {
        let (width, height) = self.size();
        for s in 0..width / LANES {
            self.down.forward(e, block.strip(s, height));
        }
    }
}

struct Transform<'a> {
    correlator: &'a Correlator,
    block: &'a mut Block,
    line: &'a mut [Cell],
    spectrum: &'a mut [Cell],
}

impl Work for Transform<'_> {
    #[inline(always)]
    fn run<E: Eight>(self, e: E) {
        let across = &self.correlator.across;
        self.correlator.go_down(e, self.block);
        for (s, out) in self.spectrum.chunks_exact_mut(across.size()).enumerate() {
            gather(e, self.block, s, self.line);
            across.forward(e, self.line);
            out.copy_from_slice(self.line);
        }
    }
}

struct Correlation<'a> {
    correlator: &'a Correlator,
    blocks: &'a mut [Block],
    spectra: &'a [Spectrum],
    lines: &'a mut Lines,
    /// Strips that are finished.
    strips: usize,
}

impl Work for Correlation<'_> {
    #[inline(always)]
    fn run<E: Eight>(self, e: E) {
        let Self { correlator, blocks, spectra, lines, strips } = self;
        let (width, height) = correlator.size();
        for block in &mut *blocks {
            correlator.go_down(e, block);
        }
        let [line, sums] = &mut lines.0;
        for s in 0..height / LANES {
            for (c, (block, spectrum)) in blocks.iter().zip(spectra).enumerate() {
                gather(e, block, s, line);
                correlator.across.forward(e, line);
                let spectrum = &spectrum.0[s * width..][..width];
                for ((sum, cell), factor) in sums.iter_mut().zip(&*line).zip(spectrum) {
                    let product = Number::load(e, cell).product(Number::load(e, factor));
                    let product = if c == 0 { product } else { Number::load(e, sum).add(product) };
                    product.store(sum);
                }
            }
            correlator.across.inverse(e, sums);
            scatter(e, &sums[..strips * LANES], s, &mut blocks[0]);
        }
        for s in 0..strips {
            correlator.down.inverse(e, blocks[0].strip(s, height));
        }
    }
}

/// Rows `8 s` to `8 s + 8` of a block as a line of columns.
#[inline(always)]
fn gather<E: Eight>(e: E, block: &Block, s: usize, line: &mut [Cell]) {
    for (strip, out) in block.cells.chunks_exact(block.stride).zip(line.as_chunks_mut::<LANES>().0) {
        let Some(from) = strip[s * LANES..].first_chunk() else { return };
        transpose(e, from, out);
    }
}

/// The opposite of [`gather`].
#[inline(always)]
fn scatter<E: Eight>(e: E, line: &[Cell], s: usize, block: &mut Block) {
    for (strip, from) in block.cells.chunks_exact_mut(block.stride).zip(line.as_chunks::<LANES>().0) {
        let Some(out) = strip[s * LANES..].first_chunk_mut() else { return };
        transpose(e, from, out);
    }
}

#[inline(always)]
fn transpose<E: Eight>(e: E, from: &[Cell; LANES], to: &mut [Cell; LANES]) {
    for part in 0..2 {
        let rows = e.transpose(std::array::from_fn(
            #[inline(always)]
            |i| e.load(&from[i][part]),
        ));
        for (to, row) in to.iter_mut().zip(rows) {
            e.store(row, &mut to[part]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn correlations_are_sums_of_products(
            sizes in (3u32..7, 3u32..7), template in (1usize..9, 1usize..9), channels in 1usize..3, seed in any::<u64>(),
        ) {
            let ((nx, ny), (w, h)) = ((1 << sizes.0, 1 << sizes.1), template);
            let value = |salt: u64, x: usize, y: usize| {
                let bits = (seed ^ salt).wrapping_add((x * 8191 + y) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                f64::from((bits >> 56) as u8) - 128.0
            };
            let mut before = None;
            for isa in Isa::available() {
                let correlator = Correlator::new(nx, ny);
                let mut lines = correlator.lines();
                let (mut blocks, mut spectra) = (Vec::new(), Vec::new());
                for c in 0..channels as u64 {
                    let mut block = correlator.block();
                    for y in 0..h {
                        let row: Vec<f64> = (0..w).map(|x| value(3 * c + 2, x, y)).collect();
                        block.set_row(isa, y, &row, &[], |v, _| v);
                    }
                    spectra.push(correlator.spectrum(isa, &mut block, &mut lines));
                    for y in 0..ny {
                        let part = |p| (0..nx).map(|x| value(3 * c + p, x, y)).collect::<Vec<f64>>();
                        block.set_row(isa, y, &part(0), &part(1), |v, _| v);
                    }
                    blocks.push(block);
                }
                correlator.correlate(isa, &mut blocks, &spectra, &mut lines, nx);
                for y in 0..ny {
                    let mut row = vec![(0.0, 0.0); nx];
                    blocks[0].add_row(isa, y, &mut row, |to, re, im| *to = (re, im));
                    for (x, got) in row.iter().enumerate() {
                        let sum = |p: u64| -> f64 {
                            (0..channels as u64).map(|c| {
                                let term = |i: usize, j: usize| value(3 * c + p, (x + i) % nx, (y + j) % ny) * value(3 * c + 2, i, j);
                                (0..h).map(|j| (0..w).map(|i| term(i, j)).sum::<f64>()).sum::<f64>()
                            }).sum()
                        };
                        // The bound that is stated for whole numbers is thousands of times as much.
                        prop_assert!((got.0 - sum(0)).abs() < 1e-7 && (got.1 - sum(1)).abs() < 1e-7);
                    }
                }
                let bits = blocks[0].cells.iter().flatten().flatten().map(|v| v.to_bits()).collect::<Vec<_>>();
                prop_assert!(before.get_or_insert_with(|| bits.clone()) == &bits, "{:?}", isa);
            }
        }
    }
}

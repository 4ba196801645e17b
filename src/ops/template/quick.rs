//! Correlations of 8-bit pictures by Fourier transforms of 32-bit floats: scores first, exact sums where they must be.
//!
//! The means of blocks are taken off before they are transformed. A transform of numbers of magnitude `σ` rounds each by about `u √L σ` after `L`
//! levels, `u = 2^-24`, as if at random (J. Schatzman, 1996): the transforms of a block and of a template `t` leave an error of some
//! `u √L σ ‖t‖` in each sum of products, and the one back another of `u √L` times the magnitude of the sums. Eight times both is what is
//! reckoned with; where it is too much next to the norm of a window, its pair of blocks is summed exactly. Sums over windows are
//! whole numbers of 32 bits.

use std::ops::Range;
use std::sync::OnceLock;

use super::byte_sums::ByteSums;
use super::correlate::Dot;
use super::plan::Plan;
use super::score::Row;
use super::spectral::Spectral;
use super::windows::Sums;
use super::{Cancelled, Matcher, Method, in_turn, poll};
use crate::Result;
use crate::image::{Plane, Rect, View};
use crate::kernel::Isa;
use crate::kernel::fft::{Block, Correlator, Lines, Spectrum};
use crate::kernel::ncc::{differences_row, quotients_row, shares_row};

/// How much of the product of the norms of template and window a sum may be wrong, or of a squared difference.
pub(super) const TOLERANCE: f64 = 1e-3;

/// Windows that are summed directly together.
const CHUNK: usize = 64;

/// Whether scores go by these transforms: those of templates in one piece whose sums of squares fit 32 bits.
pub(super) fn is_quick(size: (usize, usize), channels: usize) -> bool {
    let area = size.0 * size.1 * channels;
    Plan::is_one_piece(size) && area <= (u32::MAX / (255 * 255)) as usize
}

/// How far a score may be off; a squared difference by so much of itself.
pub(super) fn slack(matcher: &Matcher<u8>, plan: Plan) -> f64 {
    if matcher.method.is_normed() || matcher.method.lower_is_better() {
        return TOLERANCE;
    }
    // Pixels and sums as large as they can be.
    let most = 255.0 * 255.0 * matcher.templates.len() as f64 * energy(matcher);
    (error(plan) * 2.0 * most * (1 + matcher.support.count()) as f64).sqrt()
}

/// The square of the error that is reckoned with for numbers of magnitude 1.
fn error(plan: Plan) -> f64 {
    let each = 4.0 * f64::from(f32::EPSILON);
    // The sum of two is squared.
    2.0 * each * each * f64::from(plan.levels())
}

/// The sum of squares of the template, less its means where they are taken off.
fn energy(matcher: &Matcher<u8>) -> f64 {
    let n = matcher.support.count() as f64;
    let centred = is_centred(matcher.method);
    let of =
        |(sum, squares): (u64, u64)| squares as f64 - if centred { (sum as f64).powi(2) / n } else { 0.0 };
    matcher.dots.iter().map(|dot| of(dot.totals())).sum::<f64>().max(0.0)
}

/// Whether the means are taken off the template.
pub(super) fn is_centred(method: Method) -> bool {
    !matches!(method, Method::CrossCorrelation | Method::CrossCorrelationNormed)
}

/// The scores of all windows.
pub(super) fn map(
    matcher: &Matcher<u8>,
    images: &[View<u8>],
    plan: Plan,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<f32>> {
    let (w, h) = matcher.support.size();
    let (width, height) = (images[0].width() - w + 1, images[0].height() - h + 1);
    let quick = Quick::new(matcher, images, plan);
    let mut map = Plane::new(width, height);
    let (across, together) = (2 * plan.windows.0, plan.windows.1);
    let rows_of_blocks = map.as_mut_slice().chunks_mut(width * together);
    let rows_of_blocks = (0..height).step_by(together).zip(rows_of_blocks);
    if threads <= 1 {
        // Sums over windows are carried from row to row.
        let mut room = quick.room();
        let mut windows = quick.windows(0..width)?;
        for (start, out) in rows_of_blocks {
            let mut span =
                Span { pairs: 0..width.div_ceil(across), start, rows: out.chunks_mut(width).collect() };
            quick.fill(&mut span, &mut room, &mut windows, cancelled)?;
        }
        return Ok(map);
    }
    let mut spans = Vec::new();
    for (start, out) in rows_of_blocks {
        let mut parts: Vec<Vec<&mut [f32]>> = (0..width.div_ceil(across)).map(|_| Vec::new()).collect();
        for row in out.chunks_mut(width) {
            parts.iter_mut().zip(row.chunks_mut(across)).for_each(|(rows, part)| rows.push(part));
        }
        let parts = parts.into_iter().enumerate();
        spans.extend(parts.map(|(pair, rows)| Span { pairs: pair..pair + 1, start, rows }));
    }
    in_turn(
        spans,
        threads,
        || quick.room(),
        |room, mut span| {
            let mut windows = quick.windows(span.columns(across))?;
            quick.fill(&mut span, room, &mut windows, cancelled)
        },
    )?;
    Ok(map)
}

/// Windows of neighbouring pairs of blocks of one row of blocks.
struct Span<'a> {
    pairs: Range<usize>,
    /// The row of the first windows.
    start: usize,
    /// Where their scores go.
    rows: Vec<&'a mut [f32]>,
}

impl Span<'_> {
    /// The columns of its windows; a pair has those of `across` windows, but for the last one.
    fn columns(&self, across: usize) -> Range<usize> {
        let start = self.pairs.start * across;
        start..start + self.rows.first().map_or(0, |row| row.len())
    }
}

struct Quick<'a> {
    isa: Isa,
    matcher: &'a Matcher<'a, u8>,
    images: &'a [View<'a, u8>],
    plan: Plan,
    correlator: Correlator<f32, 16>,
    spectra: Vec<Spectrum<f32, 16>>,
    /// The same plan for exact sums, once one is wanted.
    exact: OnceLock<Spectral<'a, u8>>,
    /// The most chunks of a pair that are summed directly.
    few: usize,
    /// The sums of the channels of the template.
    totals: Vec<f64>,
    energy: f64,
}

/// What a thread needs to work in.
struct Room {
    blocks: Vec<Block<f32, 16>>,
    lines: Lines<f32, 16>,
    pairs: Vec<Pair>,
    /// Room for exact sums, and those of the windows of some pairs.
    exact: Option<super::spectral::Room>,
    cross: Vec<u64>,
    /// Of a row of windows the energies and the sums of squares, and numbers that they are made of.
    energies: Vec<f32>,
    squares: Vec<f32>,
    numbers: Vec<f64>,
}

/// Two blocks that are transformed together.
struct Pair {
    /// The least energy but 0 that floats do for, or the least squared difference.
    least: f32,
    /// How many chunks of windows were summed directly.
    direct: usize,
    /// Whether there are exact sums of all.
    exact: bool,
}

impl<'a> Quick<'a> {
    fn new(matcher: &'a Matcher<'a, u8>, images: &'a [View<'a, u8>], plan: Plan) -> Self {
        let n = matcher.support.count() as f64;
        let totals = matcher.dots.iter().map(|dot| dot.totals().0 as f64);
        let centred = is_centred(matcher.method);
        let mut quick = Self {
            isa: matcher.isa,
            matcher,
            images,
            plan,
            correlator: Correlator::new(plan.block.0, plan.block.1),
            spectra: Vec::new(),
            exact: OnceLock::new(),
            few: plan.worth::<u8>(CHUNK * matcher.support.count()),
            totals: totals.clone().collect(),
            energy: energy(matcher),
        };
        let mut lines = quick.correlator.lines();
        let mut block = quick.correlator.block();
        for (template, sum) in matcher.templates.iter().zip(totals) {
            let mean = if centred { sum / n } else { 0.0 };
            for y in 0..template.height() {
                block
                    .set_row(quick.isa, y, template.row(y), &[], |value, _| (f64::from(value) - mean) as f32);
            }
            block.clear_from(template.height());
            quick.spectra.push(quick.correlator.spectrum(quick.isa, &mut block, &mut lines));
        }
        quick
    }

    /// Columns of windows.
    fn columns(&self) -> usize {
        self.images[0].width() - self.matcher.support.size().0 + 1
    }

    fn room(&self) -> Room {
        let columns = self.columns();
        Room {
            blocks: vec![self.correlator.block(); self.images.len()],
            lines: self.correlator.lines(),
            pairs: Vec::new(),
            exact: None,
            cross: Vec::new(),
            energies: vec![0.0; columns],
            squares: vec![0.0; columns],
            numbers: vec![0.0; columns],
        }
    }

    /// What sums over the windows in these columns.
    fn windows(&self, columns: Range<usize>) -> Result<ByteSums<'a>> {
        let (w, h) = self.matcher.support.size();
        let part = Rect::new(columns.start, 0, columns.len() + w - 1, self.images[0].height());
        let images: Result<Vec<View<'a, u8>>> = self.images.iter().map(|image| image.crop(part)).collect();
        Ok(ByteSums::new(images?, w, h, self.matcher.method))
    }

    /// Sets a span to the scores of its windows; `windows` are sums over those in its columns.
    fn fill(
        &self,
        span: &mut Span<'_>,
        room: &mut Room,
        windows: &mut ByteSums<'a>,
        cancelled: Cancelled,
    ) -> Result<()> {
        self.products(span, room, cancelled)?;
        self.scores(span, room, windows, cancelled)
    }

    /// Sets a span to the sums of products of its windows, and the bounds of its pairs.
    fn products(&self, span: &mut Span<'_>, room: &mut Room, cancelled: Cancelled) -> Result<()> {
        let (w, h) = self.matcher.support.size();
        let across = self.plan.windows.0;
        let columns = span.columns(2 * across);
        let (y, rows) = (span.start, span.rows.len());
        // Sums that are scores themselves may err by what their block has.
        let checked = self.matcher.method.is_normed() || self.matcher.method.lower_is_better();
        room.pairs.clear();
        for from in columns.clone().step_by(2 * across) {
            poll(cancelled)?;
            let starts = [from, (from + across).min(columns.end)];
            let part = |image: View<'a, u8>, row: usize, start: usize| {
                let line: &'a [u8] = image.row(y + row);
                &line[start..line.len().min(start + across + w - 1)]
            };
            let (mut squares, mut offsets) = (0.0, [0.0f64; 2]);
            for ((image, block), total) in self.images.iter().zip(&mut room.blocks).zip(&self.totals) {
                let rows = rows + h - 1;
                let means = starts.map(|start| mean(self.isa, (0..rows).map(|row| part(*image, row, start))));
                for row in 0..rows {
                    let [re, im] = starts.map(|start| part(*image, row, start));
                    squares += block.set_row(self.isa, row, re, im, |value, at| f32::from(value) - means[at]);
                }
                block.clear_from(rows);
                // A centred template sums up to nothing.
                if !is_centred(self.matcher.method) {
                    offsets = [0, 1].map(|at| offsets[at] + f64::from(means[at]) * total);
                }
            }
            self.correlator.correlate(self.isa, &mut room.blocks, &self.spectra, &mut room.lines, across);
            let offsets = offsets.map(|offset| offset as f32);
            let mut power = 0.0;
            let end = columns.end.min(from + 2 * across);
            for (row, out) in span.rows.iter_mut().enumerate() {
                let out = &mut out[from - columns.start..end - columns.start];
                let (first, second) = out.split_at_mut(starts[1] - from);
                room.blocks[0].add_row(self.isa, row, first, |out, re, _| *out = re + offsets[0]);
                room.blocks[0].add_row(self.isa, row, second, |out, _, im| *out = im + offsets[1]);
                if checked {
                    power += squares_of(self.isa, first) + squares_of(self.isa, second);
                }
            }
            let numbers = (self.plan.block.0 * self.plan.block.1) as f64;
            let sums = (rows * (end - from)) as f64;
            let error = error(self.plan) * (squares / numbers * self.energy + power / sums);
            let least = match self.matcher.method {
                method if method.lower_is_better() => 2.0 * error.sqrt() / TOLERANCE,
                _ if self.energy > 0.0 => error / self.energy / (TOLERANCE * TOLERANCE),
                _ => 0.0,
            };
            room.pairs.push(Pair { least: least as f32, direct: 0, exact: false });
        }
        Ok(())
    }

    /// Makes the sums of a span scores.
    fn scores(
        &self,
        span: &mut Span<'_>,
        room: &mut Room,
        windows: &mut ByteSums<'a>,
        cancelled: Cancelled,
    ) -> Result<()> {
        let method = self.matcher.method;
        if !method.is_normed() && !method.lower_is_better() {
            return Ok(());
        }
        let Room { pairs, energies, squares, numbers, exact, cross, .. } = room;
        let across = 2 * self.plan.windows.0;
        let (start, columns, count) = (span.start, span.columns(across), span.rows.len());
        let (energies, squares, numbers) =
            (&mut energies[..columns.len()], &mut squares[..columns.len()], &mut numbers[..columns.len()]);
        let all_columns = self.columns();
        for (row, out) in span.rows.iter_mut().enumerate() {
            windows.move_to(self.isa, start + row);
            if method.lower_is_better() {
                windows.distances(self.isa, (&self.totals, self.energy), numbers, energies);
                if method.is_normed() {
                    windows.squares(self.isa, squares);
                }
            } else {
                windows.energies(self.isa, numbers, energies);
            }
            for (at, pair) in pairs.iter_mut().enumerate() {
                let part = at * across..columns.len().min((at + 1) * across);
                let scores = &mut out[part.clone()];
                if pair.exact {
                    let from = row * all_columns + columns.start + part.start;
                    let (cross, sums) = (&cross[from..from + part.len()], windows.exact(part));
                    self.matcher.scorer.row(self.isa, cross, &sums, &mut Row::new(cross.len()), scores);
                    continue;
                }
                let terms = (&energies[part.clone()], &squares[part.clone()]);
                for chunk in self.divide(pair.least, terms, scores) {
                    let chunk = chunk * CHUNK..scores.len().min((chunk + 1) * CHUNK);
                    let corner = (columns.start + part.start + chunk.start, start + row);
                    let sums = windows.exact(part.start + chunk.start..part.start + chunk.end);
                    self.score_directly(corner, &sums, &mut scores[chunk])?;
                    pair.direct += 1;
                }
                pair.exact = pair.direct > self.few;
                if pair.exact {
                    poll(cancelled)?;
                    let spectral = self.exact.get_or_init(|| self.spectral());
                    cross.resize(all_columns * self.plan.windows.1, 0);
                    let room = exact.get_or_insert_with(|| spectral.room());
                    let cross = &mut cross[..count * all_columns];
                    spectral.set_pair(span.pairs.start + at, (start, count), room, cross);
                }
            }
        }
        Ok(())
    }

    /// The scores of neighbouring windows by direct sums, from that with its corner in column and row `x` and `y` on.
    fn score_directly(&self, (x, y): (usize, usize), sums: &Sums<u64>, scores: &mut [f32]) -> Result<()> {
        let (w, h) = self.matcher.support.size();
        let reach = Rect::new(x, y, scores.len() + w - 1, h);
        let mut cross = vec![0; scores.len()];
        for (dot, image) in self.matcher.dots.iter().zip(self.images) {
            dot.row(self.isa, image.crop(reach)?, 0, &mut dot.scratch(reach.width), &mut cross);
        }
        self.matcher.scorer.row(self.isa, &cross, sums, &mut Row::new(cross.len()), scores);
        Ok(())
    }

    /// What makes exact sums.
    fn spectral(&self) -> Spectral<'a, u8> {
        let Matcher { isa, templates, support, method, ref dots, .. } = *self.matcher;
        Spectral::new(isa, self.images, (templates, support), dots, super::How::of(method), self.plan)
    }

    /// Makes the sums of a row of a pair scores; which chunks have some that floats do not do for.
    fn divide(&self, least: f32, (energies, squares): (&[f32], &[f32]), scores: &mut [f32]) -> Vec<usize> {
        let scale = |energy: f64| if energy > 0.0 { (1.0 / energy.sqrt()) as f32 } else { 0.0 };
        let chunks = |bad: &dyn Fn(usize) -> bool| {
            let all = 0..energies.len().div_ceil(CHUNK);
            all.filter(|at| (at * CHUNK..energies.len().min((at + 1) * CHUNK)).any(bad)).collect()
        };
        if !self.matcher.method.lower_is_better() {
            if quotients_row(self.isa, energies, least, scale(self.energy), scores) {
                return Vec::new();
            }
            return chunks(&|x| energies[x] < least && energies[x] > 0.0);
        }
        let fine = differences_row(self.isa, energies, least, scores);
        let found = if fine { Vec::new() } else { chunks(&|x| scores[x] <= least) };
        if self.matcher.method.is_normed() {
            let energy = self.matcher.dots.iter().map(|dot| dot.totals().1).sum::<u64>();
            shares_row(self.isa, squares, scale(energy as f64), scores);
        }
        found
    }
}

/// The sum of squares, in one order whatever does the work.
fn squares_of(isa: Isa, numbers: &[f32]) -> f64 {
    const LANES: usize = 16;
    isa.run(
        #[inline(always)]
        || {
            let (whole, rest) = numbers.as_chunks::<LANES>();
            let mut sums = [0.0f32; LANES];
            for numbers in whole {
                for i in 0..LANES {
                    sums[i] += numbers[i] * numbers[i];
                }
            }
            sums.into_iter().chain(rest.iter().map(|v| v * v)).map(f64::from).sum()
        },
    )
}

/// The mean of rows of pixels, a whole number.
fn mean<'a>(isa: Isa, rows: impl Iterator<Item = &'a [u8]>) -> f32 {
    let (mut sum, mut count) = (0u64, 0);
    for row in rows {
        sum += isa.run(
            #[inline(always)]
            || u64::from(row.iter().map(|value| u32::from(*value)).sum::<u32>()),
        );
        count += row.len();
    }
    (sum as f64 / count.max(1) as f64).round() as f32
}

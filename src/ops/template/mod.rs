//! Template matching: how well a small picture fits at every place of a large one.
//!
//! The six measures of OpenCV's `matchTemplate`: for 8 and 16 bits from exact integer sums, for floats from
//! `f64` sums, so that no cancellation over the whole image creeps in. Small templates are summed directly,
//! larger ones by Fourier transforms of blocks; which, depends on sizes and the type of pixels alone. Scores are always
//! finite. The normalised correlation coefficient after J. P. Lewis (1995).

use std::ops::Range;

mod correlate;
mod matches;
mod plan;
mod score;
mod spectral;
#[cfg(test)]
mod tests;
mod windows;

pub use correlate::{Channels, Sample};
use correlate::{Dot, How};
pub use matches::{BestMatches, Match, best_matches};
use plan::Plan;
use score::{Accumulator, Row, Scorer};
use spectral::Spectral;
use windows::WindowSums;

use super::band::{Cancelled, bands, fill_bands, poll};
use crate::image::{Plane, View};
use crate::kernel::Isa;
use crate::{Error, Result};

/// How a template is compared with a window. `T` and `I` are their pixels, sums go over pixels and
/// channels, and `T'`, `I'` are the differences from their means, channel by channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// `Σ (T - I)²`: 0 for a perfect match, the lower the better.
    SquaredDifference,
    /// `Σ (T - I)² / √(ΣT² ΣI²)`, at most 1: the lower the better. Where a sum is zero: 0 if both
    /// are, else 1.
    SquaredDifferenceNormed,
    /// `Σ T I`.
    CrossCorrelation,
    /// `Σ T I / √(ΣT² ΣI²)` in -1..=1. Where a sum is zero: 0.
    CrossCorrelationNormed,
    /// `Σ T' I'`.
    CorrelationCoefficient,
    /// `Σ T' I' / √(ΣT'² ΣI'²)` in -1..=1: unmoved by gain and offset of the window. Where template
    /// or window are flat, nothing is correlated: 0. (OpenCV gives 1 everywhere for a flat template.)
    #[default]
    CorrelationCoefficientNormed,
}

impl Method {
    /// All methods, in OpenCV's order.
    pub const ALL: [Self; 6] = [
        Self::SquaredDifference,
        Self::SquaredDifferenceNormed,
        Self::CrossCorrelation,
        Self::CrossCorrelationNormed,
        Self::CorrelationCoefficient,
        Self::CorrelationCoefficientNormed,
    ];

    /// Whether lower scores are better.
    pub const fn lower_is_better(self) -> bool {
        matches!(self, Self::SquaredDifference | Self::SquaredDifferenceNormed)
    }

    /// Whether scores are divided by norms.
    pub const fn is_normed(self) -> bool {
        matches!(
            self,
            Self::SquaredDifferenceNormed | Self::CrossCorrelationNormed | Self::CorrelationCoefficientNormed
        )
    }
}

/// The score of every place of `template` in `image`: entry `(x, y)` is that of the window with its
/// corner there. The map has `image.width() - template.width() + 1` columns, and rows likewise.
///
/// Pixels are `u8`, `u16` or `f32`, gray or rgb; channels are summed up. For integers the squared
/// difference and the correlation coefficient's sums are exact before they are rounded to `f32`. Float sums by
/// transforms differ from direct ones by at most 1e-8 of the product of the norms of template and window (of the
/// squared difference for those), which is less than `f32` keeps of a score near 1. A
/// float window counts as flat where rounding explains its variance. Sums that no `f32` holds, and
/// windows with pixels that are not finite, get the nearest finite score or the worst one: the
/// largest `f32` for squared differences, the smallest for correlations, 1 or 0 for normalised ones.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for an empty template or one larger than the image,
/// [`Limit`](crate::ErrorKind::Limit) for one of 2^31 pixels and more,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn match_template<P: Channels>(
    isa: Isa,
    image: View<P>,
    template: View<P>,
    method: Method,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<f32>> {
    let (w, h) = (template.width(), template.height());
    if w == 0 || h == 0 {
        return Err(Error::shape("the template has no pixels"));
    }
    if w > image.width() || h > image.height() {
        return Err(Error::shape(format!(
            "a template of {w}x{h} is larger than the image of {}x{}",
            image.width(),
            image.height()
        )));
    }
    if w.checked_mul(h).is_none_or(|area| area >= 1 << 31) {
        return Err(Error::limit(format!("a template of {w}x{h} has 2^31 pixels or more")));
    }
    let split = (P::split(image), P::split(template));
    // A gray image is one channel as it stands.
    let images = if split.0.is_empty() { P::as_gray(image) } else { views(&split.0) };
    let templates = if split.1.is_empty() { P::as_gray(template) } else { views(&split.1) };
    let windows = (image.width() - w + 1, image.height() - h + 1);
    let plan = Plan::cheaper::<P::Sample>(windows, (w, h), images.len());
    scores::<P::Sample>(isa, &images, &templates, method, plan, threads, cancelled)
}

fn views<T: Sample>(planes: &[Plane<T>]) -> Vec<View<'_, T>> {
    planes.iter().map(Plane::view).collect()
}

/// By blocks where there is a plan for them, else directly.
fn scores<T: Sample>(
    isa: Isa,
    images: &[View<T>],
    templates: &[View<T>],
    method: Method,
    plan: Option<Plan>,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<f32>> {
    let (w, h) = (templates[0].width(), templates[0].height());
    let (width, height) = (images[0].width() - w + 1, images[0].height() - h + 1);
    let how = How::of(method);
    let dots: Vec<T::Dot> = templates.iter().map(|template| T::Dot::new(*template, how)).collect();
    let scorer = Scorer::new::<T>(method, w * h, &dots);
    let spectral = plan.map(|plan| Spectral::new(isa, images, templates, &dots, how, plan));
    let mut map = Plane::new(width, height);
    // Rows of blocks lie at the same places whatever the bands.
    let together = spectral.as_ref().map_or(1, Spectral::rows);
    let parts = bands(height.div_ceil(together), threads, if spectral.is_some() { 1 } else { 8 });
    let rows = |part: &Range<usize>| part.start * together..height.min(part.end * together);
    fill_bands(&mut map, &parts.iter().map(rows).collect::<Vec<_>>(), |band, out| {
        let mut wants = scorer.wants();
        let mut terms = Row::new(width);
        if let Some(spectral) = &spectral {
            wants.squares |= !T::Sum::EXACT;
            let mut windows = WindowSums::new(images, w, h, wants);
            let mut room = spectral.room();
            let mut cross = vec![T::Sum::default(); width * together.min(band.len())];
            for (start, out) in band.clone().step_by(together).zip(out.chunks_mut(width * together)) {
                let cross = &mut cross[..out.len()];
                spectral.sums(start, out.len() / width, &mut room, cross, cancelled)?;
                let rows = out.chunks_exact_mut(width).zip(cross.chunks_exact_mut(width));
                for (y, (out, cross)) in (start..).zip(rows) {
                    windows.move_to(isa, images, y);
                    spectral.settle(y, &room, &windows, method.is_normed(), &dots, cross);
                    scorer.row(isa, cross, &windows, &mut terms, out);
                }
            }
            return Ok(());
        }
        let mut windows = WindowSums::new(images, w, h, wants);
        let mut scratch: Vec<_> = dots.iter().map(|dot| dot.scratch(images[0].width())).collect();
        let mut cross = vec![T::Sum::default(); width];
        for (y, out) in band.zip(out.chunks_exact_mut(width)) {
            if y % 8 == 0 {
                poll(cancelled)?;
            }
            cross.fill(T::Sum::default());
            for ((dot, image), scratch) in dots.iter().zip(images).zip(&mut scratch) {
                dot.row(isa, *image, y, scratch, &mut cross);
            }
            windows.move_to(isa, images, y);
            scorer.row(isa, &cross, &windows, &mut terms, out);
        }
        Ok(())
    })?;
    Ok(map)
}

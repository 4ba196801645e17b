//! Template matching: how well a small picture fits at every place of a large one.
//!
//! The six measures of OpenCV's `matchTemplate`: for 8 and 16 bits from exact integer sums, for floats from
//! `f64` sums, so that no cancellation over the whole image creeps in. Small templates are summed directly,
//! larger ones by Fourier transforms of blocks; which, depends on sizes and the type of pixels alone. Scores are always
//! finite. The normalised correlation coefficient after J. P. Lewis (1995).
//!
//! Where matches are looked for in 8-bit pictures, transforms are of `f32`: scores err by 1e-3 of their range at the most that is reckoned with,
//! and by some 1e-6 where it was measured, and those of the matches are summed anew, exactly.
//!
//! [`match_template`] scores every place, [`match_masked_template`] by some of the template's pixels; [`find_templates`] finds several templates, also
//! scaled and turned, and tells where they lie between pixels.

use std::ops::Range;

mod byte_sums;
mod correlate;
mod dynamic;
mod find;
mod matches;
mod peak;
mod places;
mod plan;
mod pose;
mod quick;
mod runs;
mod score;
mod search;
mod spectral;
mod support;
#[cfg(test)]
mod tests;
mod windows;

pub use correlate::{Channels, Sample};
use correlate::{Dot, How};
pub(crate) use find::matches_of;
pub use find::{FindTemplates, Found, find_templates};
pub use matches::{BestMatches, Match, best_matches};
pub use peak::refine_peak;
use plan::Plan;
pub use pose::{Steps, Template};
use score::{Accumulator, Row, Scorer};
use spectral::Spectral;
use support::Support;
use windows::Windows;

use super::band::{Cancelled, bands, fill_bands, in_turn, poll};
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
    let (w, h) = check_size((template.width(), template.height()), (image.width(), image.height()))?;
    match_support(isa, image, (template, &Support::full(w, h)), method, threads, cancelled)
}

/// [`match_template`] of the pixels of the template where `mask` is not 0: all sums, means and norms go over them alone,
/// so that the others, and what windows have there, do not matter.
///
/// These are OpenCV's formulas for a mask of bytes. A mask that is nowhere 0 changes nothing.
///
/// ```
/// use lyncean::image::Plane;
/// use lyncean::kernel::Isa;
/// use lyncean::ops::template::{Method, match_masked_template};
///
/// // A cross of ones, whatever lies between its arms.
/// let image = Plane::from_vec(4, 3, vec![9u8, 1, 7, 0, 1, 1, 1, 0, 8, 1, 9, 0])?;
/// let template = Plane::filled(3, 3, 1);
/// let cross = Plane::from_vec(3, 3, vec![0, 255, 0, 255, 255, 255, 0, 255, 0])?;
/// let method = Method::SquaredDifference;
/// let scores =
///     match_masked_template(Isa::best(), image.view(), (template.view(), cross.view()), method, 1, &|| false)?;
/// assert_eq!(scores.as_slice()[0], 0.0);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// As [`match_template`], and [`Shape`](crate::ErrorKind::Shape) for a mask that is not of the template's size or 0 everywhere.
pub fn match_masked_template<P: Channels>(
    isa: Isa,
    image: View<P>,
    (template, mask): (View<P>, View<u8>),
    method: Method,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<f32>> {
    let (w, h) = check_size((template.width(), template.height()), (image.width(), image.height()))?;
    check_mask((w, h), (mask.width(), mask.height()))?;
    match_support(isa, image, (template, &Support::of(mask)?), method, threads, cancelled)
}

/// Fails unless a template fits into an image; returns its size.
fn check_size((w, h): (usize, usize), (width, height): (usize, usize)) -> Result<(usize, usize)> {
    if w == 0 || h == 0 {
        return Err(Error::shape("the template has no pixels"));
    }
    if w > width || h > height {
        return Err(Error::shape(format!(
            "a template of {w}x{h} is larger than the image of {width}x{height}"
        )));
    }
    if w.checked_mul(h).is_none_or(|area| area >= 1 << 31) {
        return Err(Error::limit(format!("a template of {w}x{h} has 2^31 pixels or more")));
    }
    Ok((w, h))
}

/// Fails unless a mask has the size of its template.
fn check_mask((w, h): (usize, usize), mask: (usize, usize)) -> Result<()> {
    if mask == (w, h) {
        return Ok(());
    }
    Err(Error::shape(format!("the mask of {}x{} is not of the template's size of {w}x{h}", mask.0, mask.1)))
}

fn match_support<P: Channels>(
    isa: Isa,
    image: View<P>,
    (template, support): (View<P>, &Support),
    method: Method,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<f32>> {
    let split = (P::split(image), P::split(template));
    let (images, templates) = (channels_of(image, &split.0), channels_of(template, &split.1));
    let (w, h) = support.size();
    let windows = (image.width() - w + 1, image.height() - h + 1);
    let plan = Plan::cheaper::<P::Sample>(windows, (w, h), images.len());
    Matcher::<P::Sample>::new(isa, &templates, support, method).map(&images, plan, threads, cancelled)
}

/// [`match_support`], of 8-bit pictures by the quickest transforms; and by how much its scores may differ.
fn match_quickly<P: Channels>(
    isa: Isa,
    image: View<P>,
    (template, support): (View<P>, &Support),
    method: Method,
    threads: usize,
    cancelled: Cancelled,
) -> Result<(Plane<f32>, f64)> {
    let split = (P::split(image), P::split(template));
    let (images, templates) = (channels_of(image, &split.0), channels_of(template, &split.1));
    let size = support.size();
    let windows = (image.width() - size.0 + 1, image.height() - size.1 + 1);
    if support.is_full()
        && quick::is_quick(size, images.len())
        && let Some(bytes) = P::Sample::as_bytes(&images)
        && let Some(templates) = P::Sample::as_bytes(&templates)
        && let Some(plan) = Plan::quicker::<u8>(windows, size, images.len())
    {
        let matcher = Matcher::new(isa, templates, support, method);
        return Ok((quick::map(&matcher, bytes, plan, threads, cancelled)?, quick::slack(&matcher, plan)));
    }
    let plan = Plan::cheaper::<P::Sample>(windows, size, images.len());
    let matcher = Matcher::<P::Sample>::new(isa, &templates, support, method);
    Ok((matcher.map(&images, plan, threads, cancelled)?, 0.0))
}

/// The channels of an image that was split; a gray one is one channel as it stands.
fn channels_of<'a, P: Channels>(
    image: View<'a, P>,
    split: &'a [Plane<P::Sample>],
) -> Vec<View<'a, P::Sample>> {
    if split.is_empty() { P::as_gray(image) } else { views(split) }
}

fn views<T: Sample>(planes: &[Plane<T>]) -> Vec<View<'_, T>> {
    planes.iter().map(Plane::view).collect()
}

/// A template made ready, for any image.
struct Matcher<'a, T: Sample> {
    isa: Isa,
    templates: &'a [View<'a, T>],
    support: &'a Support,
    method: Method,
    dots: Vec<T::Dot>,
    scorer: Scorer<T::Sum>,
}

impl<'a, T: Sample> Matcher<'a, T> {
    fn new(isa: Isa, templates: &'a [View<'a, T>], support: &'a Support, method: Method) -> Self {
        let how = How::of(method);
        let dots: Vec<T::Dot> =
            templates.iter().map(|template| T::Dot::new(*template, support, how)).collect();
        let scorer = Scorer::new::<T>(method, support.count(), &dots);
        Self { isa, templates, support, method, dots, scorer }
    }

    /// The scores of all windows of an image: by blocks where there is a plan for them, else directly.
    fn map(
        &self,
        images: &[View<T>],
        plan: Option<Plan>,
        threads: usize,
        cancelled: Cancelled,
    ) -> Result<Plane<f32>> {
        let Self { isa, templates, support, method, ref dots, ref scorer } = *self;
        let (w, h) = support.size();
        let (width, height) = (images[0].width() - w + 1, images[0].height() - h + 1);
        let spectral =
            plan.map(|plan| Spectral::new(isa, images, (templates, support), dots, How::of(method), plan));
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
                let mut windows = Windows::new(images, support, wants);
                let mut room = spectral.room();
                let mut cross = vec![T::Sum::default(); width * together.min(band.len())];
                for (start, out) in band.clone().step_by(together).zip(out.chunks_mut(width * together)) {
                    let cross = &mut cross[..out.len()];
                    spectral.sums(start, out.len() / width, &mut room, cross, cancelled)?;
                    let rows = out.chunks_exact_mut(width).zip(cross.chunks_exact_mut(width));
                    for (y, (out, cross)) in (start..).zip(rows) {
                        let windows = windows.move_to(isa, images, y);
                        spectral.settle(y, &room, windows, method.is_normed(), dots, cross);
                        scorer.row(isa, cross, windows, &mut terms, out);
                    }
                }
                return Ok(());
            }
            let mut windows = Windows::new(images, support, wants);
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
                scorer.row(isa, &cross, windows.move_to(isa, images, y), &mut terms, out);
            }
            Ok(())
        })?;
        Ok(map)
    }
}

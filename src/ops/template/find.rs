//! Templates found: one or several, scaled and turned, and to a fraction of a pixel.

use super::dynamic::{match_image, match_image_quickly, match_rects};
use super::matches::{Match, rank};
use super::pose::corners;
use super::search::{Hit, Search, check_sizes};
use super::support::Support;
use super::{BestMatches, Method, Steps, Template, best_matches, check_size, refine_peak};
use crate::image::{Image, Plane, Rect};
use crate::ops::Context;
use crate::ops::nms::iou;
use crate::{Error, Result};

/// Parameters of [`find_templates`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FindTemplates {
    /// How a window is compared with a template; divided by norms where there are several scales or angles.
    pub method: Method,
    /// Which places are matches. Overlaps are those of the upright boxes around templates.
    pub best: BestMatches,
    /// Whether matches are moved to the best place between pixels, see [`refine_peak`].
    pub subpixel: bool,
    /// What templates are scaled by, above 0.
    pub scales: Steps,
    /// What templates are turned by, degrees counter-clockwise.
    pub angles: Steps,
    /// How sure the search over scales and angles is to find what there is, 0..=1.
    ///
    /// It starts on an image halved several times, as far as the smallest template keeps 8 pixels a side, with as few scales and angles as differ by
    /// half a pixel there at its corners, and goes on round the places with a score of at least `(1 - guarantee) threshold + guarantee worst`, where
    /// the worst score is -1 for correlations and 1 for squared differences. 1 compares every scale and angle at every place of the
    /// full image. What is found has the same score either way.
    pub guarantee: f64,
}

impl Default for FindTemplates {
    /// The templates as they are.
    fn default() -> Self {
        Self {
            method: Method::default(),
            best: BestMatches::default(),
            subpixel: false,
            scales: Steps::only(1.0),
            angles: Steps::only(0.0),
            guarantee: 0.1,
        }
    }
}

/// A template in an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Which template, counted from 0.
    pub template: usize,
    /// Its score.
    pub score: f32,
    /// What it is scaled by.
    pub scale: f64,
    /// What it is turned by, degrees counter-clockwise.
    pub angle: f64,
    /// Its centre `[x, y]` in pixels, counted from the image's edges: the centre of the first pixel is at one half.
    pub center: [f64; 2],
    size: (usize, usize),
}

impl Found {
    /// The corners of the template as it lies, from its top left one clockwise, counted from the image's edges.
    ///
    /// With an `inset` of one half they are the centres of its corner pixels.
    pub fn corners(&self, inset: f64) -> [[f64; 2]; 4] {
        corners(self.size, (self.scale, self.angle), (self.center[0], self.center[1]), inset)
    }

    /// The upright box `[x, y, width, height]` around it, in pixels.
    pub fn bbox(&self) -> [f64; 4] {
        let corners = self.corners(0.0);
        let low = |axis: usize| corners.iter().fold(f64::INFINITY, |low, corner| low.min(corner[axis]));
        let high =
            |axis: usize| corners.iter().fold(f64::NEG_INFINITY, |high, corner| high.max(corner[axis]));
        [low(0), low(1), high(0) - low(0), high(1) - low(1)]
    }
}

/// Finds templates of the image's type in an image, the best first; and the scores.
///
/// Matches are taken greedily from the best score, whatever template, scale and angle it is of; of equal scores the first template, the first scale
/// and angle, and the first place in raster order. For one template as it is the scores are those of
/// [`match_template`](super::match_template), of 8-bit pictures within 1e-3 (some 1e-6 where it was measured; squared differences of themselves) but
/// for those of the matches, which are exact. Else there is one for each pixel of the image: the best of all templates whose windows
/// have their middle there (of an even number of pixels the right or lower one), the worst there is where none was compared.
///
/// ```
/// use std::sync::Arc;
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::Context;
/// use lyncean::ops::template::{FindTemplates, Found, Steps, Template, find_templates};
///
/// // An L of 12x12 pixels, and the same a quarter counter-clockwise: an L that lies on its long side.
/// let is_l = |x: usize, y: usize| (2..5).contains(&x) && y < 10 || (2..9).contains(&x) && (7..10).contains(&y);
/// let template = Plane::from_fn(12, 12, |x, y| if is_l(x, y) { 200 } else { 30 });
/// let image = Plane::from_fn(60, 50, |x, y| match (x.wrapping_sub(31), y.wrapping_sub(17)) {
///     (x @ 0..12, y @ 0..12) => template.get(11 - y, x),
///     _ => 30,
/// });
/// let template = Template::new(Arc::new(Image::Gray8(template)), None)?;
/// let params = FindTemplates { angles: Steps { min: 0.0, max: 270.0, step: 90.0 }, ..FindTemplates::default() };
/// let (found, _) = find_templates(&Image::Gray8(image), &[template], &params, &Context::default())?;
/// let Found { angle, center, score, .. } = found[0];
/// assert_eq!((angle, center, score), (90.0, [37.0, 23.0], 1.0));
/// assert_eq!(found[0].bbox(), [31.0, 17.0, 12.0, 12.0]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) without templates, for images of different types and for templates of which none fits at any scale
/// and angle, or of which nothing is left at one; [`Pipeline`](crate::ErrorKind::Pipeline) as [`Steps::values`], for scales that are not above 0 and for
/// methods that compare no scales; [`Limit`](crate::ErrorKind::Limit) where a threshold lets more than 50 million places through;
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn find_templates(
    image: &Image,
    templates: &[Template],
    params: &FindTemplates,
    cx: &Context,
) -> Result<(Vec<Found>, Plane<f32>)> {
    let poses = params.poses()?;
    if let ([template], true) = (templates, poses.is_one()) {
        return find_upright(image, template, params, cx);
    }
    let search = Search::new(image, templates, params, poses, cx)?;
    let (hits, scores) = search.run(search.levels())?;
    let mut found = Vec::new();
    for hit in best_hits(&search, hits, &params.best) {
        let mut one = search.found(&hit);
        if params.subpixel {
            let [x, y] = search.peak(&hit)?;
            one.center = [one.center[0] + x, one.center[1] + y];
        }
        found.push(one);
    }
    Ok((found, scores))
}

/// All scales and angles.
pub(super) struct Poses {
    pub(super) scales: Vec<f64>,
    pub(super) angles: Vec<f64>,
}

impl Poses {
    /// Whether there is only the template as it is.
    fn is_one(&self) -> bool {
        self.scales == [1.0] && self.angles == [0.0]
    }
}

impl FindTemplates {
    /// Whether there is only one scale, 1, and one angle, 0.
    ///
    /// # Errors
    /// As [`find_templates`] has for parameters.
    pub fn is_upright(&self) -> Result<bool> {
        Ok(self.poses()?.is_one())
    }

    /// Checks that templates of some sizes fit into an image of another.
    ///
    /// # Errors
    /// As [`find_templates`] has for sizes and parameters.
    pub(crate) fn check_sizes(&self, sizes: &[(usize, usize)], image: (usize, usize)) -> Result<()> {
        check_sizes(sizes, &self.poses()?, image)
    }

    fn poses(&self) -> Result<Poses> {
        let poses = Poses { scales: self.scales.values()?, angles: self.angles.values()? };
        if self.scales.min <= 0.0 {
            return Err(Error::pipeline(format!("scales want numbers above 0, got {}", self.scales.min)));
        }
        if !poses.is_one() && !self.method.is_normed() {
            return Err(Error::pipeline("scales and angles want a method that is divided by norms")
                .with_hint("other scores grow with the template"));
        }
        Ok(poses)
    }
}

/// One template as it is.
fn find_upright(
    image: &Image,
    template: &Template,
    params: &FindTemplates,
    cx: &Context,
) -> Result<(Vec<Found>, Plane<f32>)> {
    let method = params.method;
    let size = template.support.size();
    let (matches, scores) =
        supported(image, (template.picture(), &*template.support), method, &params.best, cx)?;
    let found = matches.iter().map(|found| {
        let (x, y) = (found.rect.x, found.rect.y);
        let shift = if params.subpixel { shift_at(&scores, x, y, method) } else { [0.0; 2] };
        let center = [x as f64 + size.0 as f64 / 2.0 + shift[0], y as f64 + size.1 as f64 / 2.0 + shift[1]];
        Found { template: 0, score: found.score, scale: 1.0, angle: 0.0, center, size }
    });
    Ok((found.collect(), scores))
}

/// More matches than these are worth exact scores of all places.
const FEW: usize = 1000;

/// The matches of a template whose pixels all count, and the scores.
pub(crate) fn matches_of(
    image: &Image,
    template: &Image,
    method: Method,
    best: &BestMatches,
    cx: &Context,
) -> Result<(Vec<Match>, Plane<f32>)> {
    let size = (template.width(), template.height());
    let (w, h) = check_size(size, (image.width(), image.height()))?;
    supported(image, (template, &Support::full(w, h)), method, best, cx)
}

/// The matches of a template, with exact scores, and the scores of all places, which of 8-bit pictures may come of quicker sums.
fn supported(
    image: &Image,
    template: (&Image, &Support),
    method: Method,
    best: &BestMatches,
    cx: &Context,
) -> Result<(Vec<Match>, Plane<f32>)> {
    let size = template.1.size();
    if best.max_count > FEW {
        let scores = match_image(image, template, method, cx)?;
        return Ok((best_matches(scores.view(), size, method, best), scores));
    }
    let (mut scores, slack) = match_image_quickly(image, template, method, cx)?;
    if slack == 0.0 {
        return Ok((best_matches(scores.view(), size, method, best), scores));
    }
    let threshold = f64::from(best.threshold);
    let lower = method.lower_is_better();
    let loose = if lower { threshold + slack * threshold.abs() } else { threshold - slack };
    let loose = loose.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
    let mut matches = best_matches(scores.view(), size, method, &BestMatches { threshold: loose, ..*best });
    let places: Vec<Rect> = matches.iter().map(|found| Rect { width: 1, height: 1, ..found.rect }).collect();
    let exact = match_rects(image, template, &places, method, cx)?;
    let quality = |score: f32| if lower { -score } else { score };
    for (found, exact) in matches.iter_mut().zip(exact) {
        found.score = exact.get(0, 0);
        scores.set(found.rect.x, found.rect.y, found.score);
    }
    matches.retain(|found| quality(found.score) >= quality(best.threshold));
    matches.sort_by_key(|found| (rank(quality(found.score)), found.rect.y, found.rect.x));
    Ok((matches, scores))
}

/// Where the peak at a place lies between pixels; at the edge of the map where it is.
fn shift_at(scores: &Plane<f32>, x: usize, y: usize, method: Method) -> [f64; 2] {
    if x == 0 || y == 0 || x + 1 >= scores.width() || y + 1 >= scores.height() {
        return [0.0; 2];
    }
    let around = [0, 1, 2].map(|j| [0, 1, 2].map(|i| f64::from(scores.get(x + i - 1, y + j - 1))));
    refine_peak(around, !method.lower_is_better())
}

/// The hits that stay, the best first.
fn best_hits(search: &Search, mut hits: Vec<Hit>, best: &BestMatches) -> Vec<Hit> {
    hits.sort_unstable_by_key(|hit| (rank(search.quality(hit.score)), hit.key, hit.y, hit.x));
    let mut kept: Vec<(Hit, [f64; 4])> = Vec::new();
    for hit in hits {
        if kept.len() == best.max_count {
            break;
        }
        let bbox = search.found(&hit).bbox();
        if kept.iter().all(|(_, other)| iou(*other, bbox) <= best.max_overlap) {
            kept.push((hit, bbox));
        }
    }
    kept.into_iter().map(|(hit, _)| hit).collect()
}

impl Search<'_> {
    /// A hit as it lies in the image.
    fn found(&self, hit: &Hit) -> Found {
        let center = [
            f64::from(hit.x) + f64::from(hit.size[0]) / 2.0,
            f64::from(hit.y) + f64::from(hit.size[1]) / 2.0,
        ];
        Found {
            template: hit.key.template,
            score: hit.score,
            scale: self.poses.scales[hit.key.scale],
            angle: self.poses.angles[hit.key.angle],
            center,
            size: self.templates[hit.key.template].support.size(),
        }
    }

    /// Where the peak of a hit lies between pixels.
    fn peak(&self, hit: &Hit) -> Result<[f64; 2]> {
        let Some(template) = self.posed(hit.key, 0, self.cx)? else { return Ok([0.0; 2]) };
        let (x, y) = (hit.x as usize, hit.y as usize);
        let [w, h] = hit.size.map(|side| side as usize);
        let image = &self.images[0];
        if x == 0 || y == 0 || x + w >= image.width() || y + h >= image.height() {
            return Ok([0.0; 2]);
        }
        let around = [Rect::new(x - 1, y - 1, 3, 3)];
        let parts = (template.picture(), &*template.support);
        let scores = match_rects(image, parts, &around, self.method, self.cx)?;
        Ok(scores.first().map_or([0.0; 2], |scores| shift_at(scores, 1, 1, self.method)))
    }
}

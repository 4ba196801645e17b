//! The search over templates, scales and angles, from coarse images to fine ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dynamic::{match_image, match_rects};
use super::find::{FindTemplates, Poses};
use super::places::{Places, around, is_dense, rects_of, spot};
use super::pose::{halved, turned_box};
use super::{Method, Template};
use crate::image::{Image, Plane};
use crate::ops::Context;
use crate::ops::band::map_bands;
use crate::{Error, Result};

/// The sides of a template in pixels down to which it is halved.
const LEAST_SIDE: f64 = 8.0;

/// The pixels of a template that are compared at the least in a halved image; those with fewer are looked for everywhere in the next
/// finer one.
const LEAST_COUNT: usize = 24;

/// The most hits that are kept.
const MOST_HITS: usize = 50_000_000;

/// Which template, scale and angle, in the order of equal scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) template: usize,
    pub(super) scale: usize,
    pub(super) angle: usize,
}

/// A place of the full image with a score that is good enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    pub(super) key: Key,
    pub(super) x: u32,
    pub(super) y: u32,
    /// Of the window.
    pub(super) size: [u32; 2],
    pub(super) score: f32,
}

/// Templates, scales and angles that are looked for in an image.
pub(super) struct Search<'a> {
    pub(super) cx: &'a Context,
    /// The image, half of it, a quarter ...
    pub(super) images: Vec<Image>,
    pub(super) templates: &'a [Template],
    pub(super) poses: Poses,
    pub(super) method: Method,
    threshold: f32,
    guarantee: f64,
}

/// Fails unless each template fits into the image in some pose.
pub(super) fn check_sizes(
    sizes: &[(usize, usize)],
    poses: &Poses,
    (width, height): (usize, usize),
) -> Result<()> {
    for (w, h) in sizes {
        let scaled = (*w as f64 * poses.scales[0], *h as f64 * poses.scales[0]);
        let fits = |angle: &f64| {
            let (w, h, _) = turned_box(scaled, *angle);
            w <= width && h <= height
        };
        if !poses.angles.iter().any(fits) {
            let least = if poses.scales == [1.0] { "" } else { " at every scale" };
            return Err(Error::shape(format!(
                "a template of {w}x{h} is larger than the image of {width}x{height}{least}"
            )));
        }
    }
    Ok(())
}

/// What a thread finds in the full image.
struct Band {
    hits: Vec<Hit>,
    best: Plane<f32>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        image: &Image,
        templates: &'a [Template],
        params: &FindTemplates,
        poses: Poses,
        cx: &'a Context,
    ) -> Result<Self> {
        if templates.is_empty() {
            return Err(Error::shape("there is no template to look for"));
        }
        for template in templates {
            let (template, image) = (template.picture().ty(), image.ty());
            if template != image {
                return Err(Error::shape(format!("the template is `{template}`, the image `{image}`")));
            }
        }
        let mut search = Self {
            cx,
            images: vec![image.clone()],
            templates,
            poses,
            method: params.method,
            threshold: params.best.threshold,
            guarantee: params.guarantee.clamp(0.0, 1.0),
        };
        let sizes: Vec<_> = templates.iter().map(|template| template.support.size()).collect();
        check_sizes(&sizes, &search.poses, (image.width(), image.height()))?;
        for _ in 0..search.levels() {
            match halved(&search.images[search.images.len() - 1], cx)? {
                Some(half) => search.images.push(half),
                None => break,
            }
        }
        Ok(search)
    }

    /// How often the image is halved.
    pub(super) fn levels(&self) -> usize {
        if self.guarantee >= 1.0 || self.poses.scales.len() * self.poses.angles.len() == 1 {
            return 0;
        }
        let sides =
            self.templates.iter().map(|template| template.support.size().0.min(template.support.size().1));
        let least = sides.min().unwrap_or(1) as f64 * self.poses.scales[0];
        let levels = (least / LEAST_SIDE).max(1.0).log2() as usize;
        levels.min(self.images[0].width().min(self.images[0].height()).max(1).ilog2() as usize)
    }

    /// A score as one that rises.
    pub(super) fn quality(&self, score: f32) -> f32 {
        if self.method.lower_is_better() { -score } else { score }
    }

    /// A template in a pose, halved so many times; none where nothing is left of it.
    pub(super) fn posed(&self, key: Key, level: usize, cx: &Context) -> Result<Option<Template>> {
        let (scale, angle) = (self.poses.scales[key.scale], self.poses.angles[key.angle]);
        let mut template = self.templates[key.template].posed(scale, angle, cx)?;
        for _ in 0..level {
            match template.halved(cx)? {
                Some(half) if half.count() >= LEAST_COUNT => template = half,
                _ => return Ok(None),
            }
        }
        Ok(Some(template))
    }

    /// All hits, and the best score of each pixel, starting at an image halved `top` times.
    pub(super) fn run(&self, top: usize) -> Result<(Vec<Hit>, Plane<f32>)> {
        let top = top.min(self.images.len() - 1);
        let mut tasks: Vec<(Key, Places)> = Vec::new();
        for template in 0..self.templates.len() {
            let [scales, angles] = self.grid(template, top);
            for scale in scales {
                tasks
                    .extend(angles.iter().map(|angle| (Key { template, scale, angle: *angle }, Places::All)));
            }
        }
        for level in (1..=top).rev() {
            tasks = self.refine(level, &tasks)?;
        }
        self.finish(&tasks)
    }

    /// Which scales and angles are looked for at a level: as many as differ by half a pixel at the corners of the template, and the last ones.
    fn grid(&self, template: usize, level: usize) -> [Vec<usize>; 2] {
        let strides = self.strides(template, level);
        [0, 1].map(|axis| {
            let count = [self.poses.scales.len(), self.poses.angles.len()][axis];
            let mut values: Vec<usize> = (0..count).step_by(strides[axis]).collect();
            if !(count - 1).is_multiple_of(strides[axis]) {
                values.push(count - 1);
            }
            values
        })
    }

    /// From one scale and angle of a level to the next, a power of two each.
    fn strides(&self, template: usize, level: usize) -> [usize; 2] {
        let (w, h) = self.templates[template].support.size();
        let radius = (w as f64).hypot(h as f64) / 2.0 / (1u64 << level) as f64;
        let gap = |values: &[f64]| if let [a, b, ..] = values { b - a } else { 1.0 };
        let largest = self.poses.scales[self.poses.scales.len() - 1];
        let moved =
            [gap(&self.poses.scales) * radius, gap(&self.poses.angles).to_radians() * largest * radius];
        // Half of them lie within half a pixel of one that is looked for.
        moved.map(|moved| if level == 0 { 1 } else { 1 << ((1.0 / moved).max(1.0).log2() as usize).min(16) })
    }

    /// Runs `work` on all tasks, those of a thread one after the other.
    fn in_threads<R: Send>(
        &self,
        count: usize,
        work: impl Fn(&mut dyn Iterator<Item = usize>, &Context) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        let threads = self.cx.threads.min(count).max(1);
        let cx = self.cx.clone().with_threads(self.cx.threads / threads);
        let bands: Vec<_> = (0..threads).map(|band| band..band + 1).collect();
        map_bands(&bands, |band| work(&mut (band.start..count).step_by(threads), &cx))
    }

    /// The tasks of the next finer level: around the places of this one that are good enough.
    fn refine(&self, level: usize, tasks: &[(Key, Places)]) -> Result<Vec<(Key, Places)>> {
        let worst = -1.0;
        let floor = (1.0 - self.guarantee) * f64::from(self.quality(self.threshold)) + self.guarantee * worst;
        let kept = self.in_threads(tasks.len(), |which, cx| {
            let mut kept = Vec::new();
            for at in which {
                let (key, places) = &tasks[at];
                let Some(template) = self.posed(*key, level, cx)? else {
                    kept.push((at, Places::All));
                    continue;
                };
                let (w, h) = template.support.size();
                let mut centres = Vec::new();
                let last = (
                    self.images[level].width().saturating_sub(w),
                    self.images[level].height().saturating_sub(h),
                );
                self.visit(level, &template, places, cx, |x, y, score| {
                    if f64::from(self.quality(score)) >= floor {
                        centres.push([spot(x, w, last.0), spot(y, h, last.1)]);
                    }
                })?;
                if !centres.is_empty() {
                    kept.push((at, Places::Near(vec![Arc::new(centres)])));
                }
            }
            Ok(kept)
        })?;
        let mut kept: Vec<(usize, Places)> = kept.into_iter().flatten().collect();
        kept.sort_unstable_by_key(|(at, _)| *at);
        let mut finer: BTreeMap<Key, Places> = BTreeMap::new();
        for (at, places) in kept {
            let key = tasks[at].0;
            let strides = self.strides(key.template, level);
            let [scales, angles] = self.grid(key.template, level - 1);
            let near = |a: usize, b: usize, axis: usize| a.abs_diff(b) < strides[axis];
            for scale in scales.into_iter().filter(|scale| near(*scale, key.scale, 0)) {
                for angle in angles.iter().copied().filter(|angle| near(*angle, key.angle, 1)) {
                    let entry = finer.entry(Key { scale, angle, ..key });
                    let entry = entry.or_insert_with(|| Places::Near(Vec::new()));
                    match (entry, &places) {
                        (Places::Near(all), Places::Near(more)) => all.extend(more.iter().cloned()),
                        (entry, Places::All) => *entry = Places::All,
                        (Places::All, _) => {}
                    }
                }
            }
        }
        Ok(finer.into_iter().collect())
    }

    /// The hits and the best scores in the full image.
    fn finish(&self, tasks: &[(Key, Places)]) -> Result<(Vec<Hit>, Plane<f32>)> {
        let (width, height) = (self.images[0].width(), self.images[0].height());
        let worst = match self.method {
            Method::SquaredDifference => f32::MAX,
            Method::SquaredDifferenceNormed => 1.0,
            Method::CrossCorrelation | Method::CorrelationCoefficient => f32::MIN,
            Method::CrossCorrelationNormed | Method::CorrelationCoefficientNormed => -1.0,
        };
        let least = self.quality(self.threshold);
        let nothing = || Band { hits: Vec::new(), best: Plane::filled(width, height, worst) };
        let bands = self.in_threads(tasks.len(), |which, cx| {
            let mut band = nothing();
            for at in which {
                let (key, places) = &tasks[at];
                let Some(template) = self.posed(*key, 0, cx)? else { continue };
                let (w, h) = template.support.size();
                let Band { hits, best } = &mut band;
                self.visit(0, &template, places, cx, |x, y, score| {
                    // Zero has one sign.
                    let score = score + 0.0;
                    let place = &mut best.row_mut(y + h / 2)[x + w / 2];
                    if self.quality(score) > self.quality(*place) {
                        *place = score;
                    }
                    if self.quality(score) >= least && hits.len() <= MOST_HITS {
                        hits.push(Hit {
                            key: *key,
                            x: x as u32,
                            y: y as u32,
                            size: [w as u32, h as u32],
                            score,
                        });
                    }
                })?;
                if hits.len() > MOST_HITS {
                    break;
                }
            }
            Ok(band)
        })?;
        let mut all = nothing();
        for band in bands {
            all.hits.extend(band.hits);
            for (best, score) in all.best.as_mut_slice().iter_mut().zip(band.best.as_slice()) {
                if self.quality(*score) > self.quality(*best) {
                    *best = *score;
                }
            }
        }
        if all.hits.len() > MOST_HITS {
            return Err(Error::limit(format!(
                "more than {MOST_HITS} places reach the threshold of {}",
                self.threshold
            ))
            .with_hint("ask for a better score, or for fewer scales and angles"));
        }
        Ok((all.hits, all.best))
    }

    /// Calls `visit` with the corner and score of every window at some places.
    fn visit(
        &self,
        level: usize,
        template: &Template,
        places: &Places,
        cx: &Context,
        mut visit: impl FnMut(usize, usize, f32),
    ) -> Result<()> {
        let image = &self.images[level];
        let (w, h) = template.support.size();
        if w > image.width() || h > image.height() {
            return Ok(());
        }
        let (columns, rows) = (image.width() - w + 1, image.height() - h + 1);
        let marked = match places {
            Places::All => Plane::filled(columns, rows, 1u8),
            Places::Near(centres) => {
                around(centres.iter().flat_map(|part| part.iter()), (w, h), (columns, rows))
            }
        };
        let parts = (template.picture(), &*template.support);
        let rects = rects_of(&marked);
        let mut visit_marked = |x: usize, y: usize, scores: &[f32]| {
            for (x, (score, mark)) in (x..).zip(scores.iter().zip(&marked.row(y)[x..])) {
                if *mark != 0 {
                    visit(x, y, *score);
                }
            }
        };
        if is_dense(&rects, image, (w, h)) {
            let scores = match_image(image, parts, self.method, cx)?;
            for y in 0..rows {
                visit_marked(0, y, scores.row(y));
            }
            return Ok(());
        }
        for (rect, scores) in rects.iter().zip(match_rects(image, parts, &rects, self.method, cx)?) {
            for y in 0..rect.height {
                visit_marked(rect.x, rect.y + y, scores.row(y));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Rect;
    use crate::ops::template::{BestMatches, Steps};

    /// From coarse to fine with nothing left out is the search of everything, hit by hit.
    #[test]
    fn the_worst_floor_leaves_nothing_out() {
        let image = Plane::from_fn(83, 70, |x, y| {
            let (x, y) = (x as f64, y as f64);
            (127.0 + 60.0 * (x * 0.21 + (y * 0.13).sin() * 2.0).sin() + 50.0 * (y * 0.37 - x * 0.05).cos())
                as u8
        });
        let template = image.view().crop(Rect::new(21, 17, 35, 33)).unwrap().to_plane();
        let template = Template::new(Arc::new(Image::Gray8(template)), None).unwrap();
        let small = image.view().crop(Rect::new(3, 40, 40, 18)).unwrap().to_plane();
        let mask = Plane::from_fn(40, 18, |x, y| u8::from(x + 3 * y > 12));
        let small = Template::new(Arc::new(Image::Gray8(small)), Some(&mask)).unwrap();
        for method in [Method::CorrelationCoefficientNormed, Method::SquaredDifferenceNormed] {
            let threshold = if method.lower_is_better() { 0.3 } else { 0.5 };
            let params = FindTemplates {
                method,
                best: BestMatches { threshold, ..BestMatches::default() },
                scales: Steps { min: 0.9, max: 1.1, step: 0.1 },
                angles: Steps { min: -11.0, max: 12.0, step: 1.0 },
                ..FindTemplates::default()
            };
            let poses =
                Poses { scales: params.scales.values().unwrap(), angles: params.angles.values().unwrap() };
            let templates = [template.clone(), small.clone()];
            let cx = Context::default();
            let mut search =
                Search::new(&Image::Gray8(image.clone()), &templates, &params, poses, &cx).unwrap();
            assert_eq!(search.levels(), 1);
            // Every fourth angle, and the last one.
            assert_eq!(search.grid(0, 1)[1], [0, 4, 8, 12, 16, 20, 23]);
            search.guarantee = 1.0;
            let sorted = |(mut hits, best): (Vec<Hit>, Plane<f32>)| {
                hits.sort_unstable_by_key(|hit| (hit.key, hit.y, hit.x));
                (hits, best)
            };
            let all = sorted(search.run(0).unwrap());
            assert!(all.0.len() > 20);
            assert!(sorted(search.run(1).unwrap()) == all, "{method:?}");
            // With less, what is found has the same scores.
            search.guarantee = 0.2;
            let some = sorted(search.run(1).unwrap());
            assert!(!some.0.is_empty() && some.0.iter().all(|hit| all.0.contains(hit)));
        }
    }
}

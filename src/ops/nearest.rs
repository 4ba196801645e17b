//! Classification by the nearest class template: the class whose mean picture correlates best.
//!
//! The plainest classifier of pictures, and the measure of what the others are worth. It is the
//! normalised correlation coefficient of [`template`](super::template) at one place for each class.
//!
//! ```
//! use lyncean::image::Plane;
//! use lyncean::ops::nearest::{Nearest, Templates, nearest_templates};
//!
//! // Two templates of 4x4 side by side: a rising slope, and a falling one.
//! let strip = Plane::from_fn(8, 4, |x, _| if x < 4 { x as u8 } else { 8 - x as u8 });
//! let templates = Templates::from_strip(strip.view(), 4)?;
//! let picture = Plane::from_fn(4, 4, |x, _| 30 * x as u8);
//! let Nearest { class, .. } = nearest_templates(&templates, picture.view())?[0];
//! assert_eq!((templates.len(), class), (2, 0));
//! # Ok::<(), lyncean::Error>(())
//! ```

use super::band::{Cancelled, poll};
use super::regions::Gray;
use crate::image::{Rect, View};
use crate::{Error, Result};

/// One picture a class, all of the same size.
#[derive(Clone, Debug)]
pub struct Templates {
    width: usize,
    height: usize,
    /// The pixels of each class less their mean, with a sum of squares of 1; zeros if flat.
    classes: Vec<Vec<f64>>,
}

/// How near one class is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// The class, counted from 0.
    pub class: usize,
    /// The normalised correlation coefficient in -1..=1; 0 where picture or template are flat.
    pub score: f64,
    /// The share of this class in the sum of all positive scores; equal shares where there are
    /// none. A ranking in the form of probabilities, not calibrated ones.
    pub p: f64,
}

impl Templates {
    /// The templates that stand side by side in `strip`, each `width` pixels wide.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) unless a whole number of templates, at least one, is in it.
    pub fn from_strip<T: Gray>(strip: View<T>, width: usize) -> Result<Self> {
        let height = strip.height();
        if width == 0 || strip.width() == 0 || height == 0 || !strip.width().is_multiple_of(width) {
            return Err(Error::shape(format!(
                "a strip of {}x{height} does not hold templates {width} pixels wide side by side",
                strip.width()
            )));
        }
        let mut classes = Vec::new();
        for class in 0..strip.width() / width {
            let template = strip.crop(Rect::new(class * width, 0, width, height))?;
            classes.push(unit(template));
        }
        Ok(Self { width, height, classes })
    }

    /// The number of classes.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none; there always are.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Width and height of a template in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }
}

/// All classes, the nearest first; of equal scores the lower class.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when `image` has not the size of the templates.
pub fn nearest_templates<T: Gray>(templates: &Templates, image: View<T>) -> Result<Vec<Nearest>> {
    nearest_templates_until(templates, image, &|| false)
}

/// As [`nearest_templates`], until the caller wants to stop.
pub(crate) fn nearest_templates_until<T: Gray>(
    templates: &Templates,
    image: View<T>,
    cancelled: Cancelled,
) -> Result<Vec<Nearest>> {
    let size = (image.width(), image.height());
    if size != templates.size() {
        let (w, h) = templates.size();
        return Err(Error::shape(format!(
            "expected an image of {w}x{h} like the templates, got {}x{}",
            size.0, size.1
        ))
        .with_hint("resize the image first"));
    }
    let image = unit(image);
    let score = |(class, values): (usize, &Vec<f64>)| {
        poll(cancelled)?;
        let score = values.iter().zip(&image).map(|(a, b)| a * b).sum::<f64>().clamp(-1.0, 1.0);
        Ok(Nearest { class, score, p: 0.0 })
    };
    let mut nearest = templates.classes.iter().enumerate().map(score).collect::<Result<Vec<_>>>()?;
    let total: f64 = nearest.iter().map(|class| class.score.max(0.0)).sum();
    let equal = 1.0 / nearest.len() as f64;
    for class in &mut nearest {
        class.p = if total > 0.0 { class.score.max(0.0) / total } else { equal };
    }
    // Stable: equal scores stay in the order of classes. Adding zero makes -0 equal to 0.
    nearest.sort_by(|a, b| (b.score + 0.0).total_cmp(&(a.score + 0.0)));
    Ok(nearest)
}

/// The pixels less their mean, scaled to a sum of squares of 1; zeros where that cannot be done.
fn unit<T: Gray>(image: View<T>) -> Vec<f64> {
    let mut pixels: Vec<f64> = Vec::with_capacity(image.width() * image.height());
    for y in 0..image.height() {
        pixels.extend(image.row(y).iter().map(|value| value.to_f64()));
    }
    let first = pixels.first().copied().unwrap_or_default();
    let flat = pixels.iter().all(|value| *value == first);
    let mean = pixels.iter().sum::<f64>() / pixels.len() as f64;
    for value in &mut pixels {
        *value -= mean;
    }
    let norm = pixels.iter().map(|value| value * value).sum::<f64>().sqrt();
    for value in &mut pixels {
        *value = if !flat && norm.is_normal() { *value / norm } else { 0.0 };
    }
    pixels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::Plane;
    use crate::reference;

    proptest! {
        #[test]
        fn scores_are_correlations(
            (strip, image, width) in (1usize..5, 1usize..6, 1usize..5).prop_flat_map(|(width, height, classes)| {
                let pixels = |n: usize| prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], n);
                let plane = |width: usize| {
                    pixels(width * height).prop_map(move |data| Plane::from_vec(width, height, data).unwrap())
                };
                (plane(width * classes), plane(width), Just(width))
            }),
        ) {
            let templates = Templates::from_strip(strip.view(), width).unwrap();
            let nearest = nearest_templates(&templates, image.view()).unwrap();
            assert!(nearest_templates_until(&templates, image.view(), &|| true).is_err());
            prop_assert_eq!(nearest.len(), strip.width() / width);
            prop_assert!(nearest.is_sorted_by(|a, b| (b.score, a.class) < (a.score, b.class)));
            prop_assert!((nearest.iter().map(|class| class.p).sum::<f64>() - 1.0).abs() < 1e-12);
            for found in nearest {
                let rect = Rect::new(found.class * width, 0, width, strip.height());
                let template = strip.view().crop(rect).unwrap().to_plane().map(f64::from);
                let truth = reference::template::correlation_coefficient_normed(&[image.map(f64::from)], &[template], None);
                prop_assert!((found.score - truth.get(0, 0)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn flat_pictures_are_of_every_class_alike() {
        let strip = Plane::from_fn(6, 2, |x, y| (x * x + y) as u8);
        let templates = Templates::from_strip(strip.view(), 2).unwrap();
        let nearest = nearest_templates(&templates, Plane::filled(2, 2, 9u8).view()).unwrap();
        assert_eq!(nearest.iter().map(|found| found.class).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(nearest.iter().all(|found| found.score == 0.0 && found.p == 1.0 / 3.0));
        assert!(nearest_templates(&templates, strip.view()).is_err());
        assert!(Templates::from_strip(strip.view(), 4).is_err());
    }
}

//! Operations from a whole image to masks, parts, places and vectors, on [`Image`]s as a program has them.
//! What they are made of takes views, and is in the modules.

use super::contours::{self, Contour};
use super::hog::Hog;
use super::label::{Components, Connectivity, components};
use super::regions::{self, Filter, Region};
use super::template::{self, BestMatches, Match, Method};
use super::{Context, distance, holes};
use crate::image::{Image, Plane};
use crate::{Error, Result};

/// Parameters of [`label`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Neighbours of a pixel.
    pub connectivity: Connectivity,
    /// Which parts stay.
    pub filter: Filter,
}

/// The parts of a mask.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// The number of the part at each pixel, from 1 in the order of their first pixels; 0 is background.
    pub labels: Plane<u32>,
    /// The parts by number: areas, boxes, centroids, axes.
    pub regions: Vec<Region>,
}

/// Numbers the connected components of a mask and measures them; of an image of labels, the parts that have
/// labels.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Label, label};
///
/// let mask = Image::Mask(Plane::from_vec(4, 2, vec![255, 0, 0, 255, 255, 0, 0, 0])?);
/// let found = label(&mask, &Label::default(), &Context::default())?;
/// assert_eq!(found.labels.as_slice(), [1, 0, 0, 2, 1, 0, 0, 0]);
/// assert_eq!(found.regions[0].area, 2);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for other images, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn label(image: &Image, params: &Label, cx: &Context) -> Result<Labelled> {
    let mut parts = match image {
        Image::Labels(labels) => Components::from_labels(labels.view())?.0,
        mask => {
            let mask = mask.as_gray8()?.view();
            components(cx.isa, mask, params.connectivity, cx.threads, &|| cx.is_cancelled())?
        }
    };
    let mut table = regions::regions_by(&parts, cx.threads, &|| cx.is_cancelled())?;
    regions::retain(&mut parts, &mut table, &params.filter)?;
    Ok(Labelled { labels: parts.paint(cx.threads), regions: table })
}

/// Follows the edges of the parts of a mask, and of their holes.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, contours};
///
/// let mask = Image::Mask(Plane::filled(3, 3, 255));
/// let found = contours(&mask, &Context::default())?;
/// assert_eq!((found.len(), found[0].area()), (1, 4.0));
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are no masks, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn contours(mask: &Image, cx: &Context) -> Result<Vec<Contour>> {
    contours::contours(mask.as_gray8()?.view(), &|| cx.is_cancelled())
}

/// The distance of each pixel of a mask from the nearest background pixel, in pixels, `gray-f32`.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, distance_transform};
///
/// let mask = Image::Mask(Plane::from_vec(4, 1, vec![0, 255, 255, 255])?);
/// let distances = distance_transform(&mask, &Context::default())?;
/// assert_eq!(distances.as_gray_f32()?.as_slice(), [0.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are no masks, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn distance_transform(mask: &Image, cx: &Context) -> Result<Image> {
    let distances = distance::distance_transform(mask.as_gray8()?.view(), cx)?;
    Ok(Image::GrayF32(distances))
}

/// Parameters of [`fill_holes`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FillHoles {
    /// Neighbours of a pixel of the foreground.
    pub connectivity: Connectivity,
    /// Holes of more pixels stay open.
    pub max_area: Option<u64>,
}

/// Fills the holes of a mask.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, FillHoles, fill_holes};
///
/// let ring = Plane::from_fn(3, 3, |x, y| if (x, y) == (1, 1) { 0 } else { 255 });
/// let full = fill_holes(&Image::Mask(ring), &FillHoles::default(), &Context::default())?;
/// assert_eq!(full.as_gray8()?.get(1, 1), 255);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are no masks, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn fill_holes(mask: &Image, params: &FillHoles, cx: &Context) -> Result<Image> {
    let &FillHoles { connectivity, max_area } = params;
    let mask = mask.as_gray8()?.view();
    let filled = holes::fill_holes(mask, connectivity, max_area, cx)?;
    Ok(Image::Mask(filled))
}

/// Parameters of [`remove_small`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoveSmall {
    /// Neighbours of a pixel.
    pub connectivity: Connectivity,
    /// Least area in pixels; smaller parts go.
    pub min_area: u64,
}

impl Default for RemoveSmall {
    /// 64 pixels.
    fn default() -> Self {
        Self { connectivity: Connectivity::Eight, min_area: 64 }
    }
}

/// Takes small parts out of a mask.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, RemoveSmall, remove_small};
///
/// let mask = Image::Mask(Plane::from_vec(4, 1, vec![255, 0, 255, 255])?);
/// let params = RemoveSmall { min_area: 2, ..RemoveSmall::default() };
/// let left = remove_small(&mask, &params, &Context::default())?;
/// assert_eq!(left.as_gray8()?.as_slice(), [0, 0, 255, 255]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are no masks, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn remove_small(mask: &Image, params: &RemoveSmall, cx: &Context) -> Result<Image> {
    let &RemoveSmall { connectivity, min_area } = params;
    let mask = mask.as_gray8()?.view();
    let left = holes::remove_small(mask, connectivity, min_area, cx)?;
    Ok(Image::Mask(left))
}

/// Parameters of [`clear_border`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClearBorder {
    /// Neighbours of a pixel.
    pub connectivity: Connectivity,
    /// Pixels from the edge within which a part counts as touching it.
    pub margin: usize,
}

/// Takes the parts that touch the edge of the image out of a mask.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{ClearBorder, Context, clear_border};
///
/// let mask = Image::Mask(Plane::filled(3, 3, 255));
/// let left = clear_border(&mask, &ClearBorder::default(), &Context::default())?;
/// assert_eq!(left.as_gray8()?.as_slice(), [0; 9]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are no masks, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn clear_border(mask: &Image, params: &ClearBorder, cx: &Context) -> Result<Image> {
    let &ClearBorder { connectivity, margin } = params;
    let mask = mask.as_gray8()?.view();
    let left = holes::clear_border(mask, connectivity, margin, cx)?;
    Ok(Image::Mask(left))
}

/// Parameters of [`match_template`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MatchTemplate {
    /// How a window is compared with the template.
    pub method: Method,
    /// Which places are matches.
    pub best: BestMatches,
}

/// Finds the places where an image looks like a template of the same type, the best first; and the score of
/// every place. Scores are those that [`find_templates`](super::template::find_templates) has.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, MatchTemplate, match_template};
///
/// let picture = Plane::from_fn(9, 7, |x, y| ((x * x * 31 + y * y * y * 17) % 97) as u8);
/// let template = Plane::from_fn(3, 3, |x, y| picture.get(x + 4, y + 2));
/// let (matches, scores) = match_template(
///     &Image::Gray8(picture),
///     &Image::Gray8(template),
///     &MatchTemplate::default(),
///     &Context::default(),
/// )?;
/// assert_eq!((matches[0].rect.x, matches[0].rect.y), (4, 2));
/// assert_eq!((scores.width(), scores.height()), (7, 5));
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images of different types, for an empty template and for one larger
/// than the image, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn match_template(
    image: &Image,
    template: &Image,
    params: &MatchTemplate,
    cx: &Context,
) -> Result<(Vec<Match>, Plane<f32>)> {
    template::matches_of(image, template, params.method, &params.best, cx)
}

/// Describes a gray image by histograms of oriented gradients.
///
/// ```
/// use lyncean::image::{Image, ImageType};
/// use lyncean::ops::{Context, Hog, hog};
///
/// let image = Image::new(ImageType::Gray8, 64, 128);
/// let params = Hog::default();
/// assert_eq!(hog(&image, &params, &Context::default())?.len(), params.len(64, 128)?);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray or too small,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn hog(image: &Image, params: &Hog, cx: &Context) -> Result<Vec<f32>> {
    match image {
        Image::Gray8(plane) | Image::Mask(plane) => super::hog::hog(plane.view(), params, cx),
        Image::Gray16(plane) => super::hog::hog(plane.view(), params, cx),
        Image::GrayF32(plane) => super::hog::hog(plane.view(), params, cx),
        other => Err(Error::shape(format!("expected a gray image, got `{}`", other.ty()))),
    }
}

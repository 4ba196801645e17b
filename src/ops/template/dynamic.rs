//! Scores of images of any type.

use super::support::Support;
use super::{Channels, Matcher, Method, channels_of, check_size, match_quickly, match_support};
use crate::image::{Image, Plane, Rect, View};
use crate::ops::Context;
use crate::{Error, Result};

/// Calls a function of an image and a template of one type of pixels.
macro_rules! of_one_type {
    ($image:expr, $picture:expr, $call:ident($($rest:expr),*)) => {
        match ($image, $picture) {
            (Image::Gray8(image), Image::Gray8(template)) => $call(image.view(), template.view(), $($rest),*),
            (Image::Gray16(image), Image::Gray16(template)) => $call(image.view(), template.view(), $($rest),*),
            (Image::GrayF32(image), Image::GrayF32(template)) => $call(image.view(), template.view(), $($rest),*),
            (Image::Rgb8(image), Image::Rgb8(template)) => $call(image.view(), template.view(), $($rest),*),
            (Image::Rgb16(image), Image::Rgb16(template)) => $call(image.view(), template.view(), $($rest),*),
            (Image::RgbF32(image), Image::RgbF32(template)) => $call(image.view(), template.view(), $($rest),*),
            (image, template) => {
                let (template, image) = (template.ty(), image.ty());
                Err(Error::shape(format!("the template is `{template}`, the image `{image}`")))
            }
        }
    };
}

/// The score of every window.
pub(super) fn match_image(
    image: &Image,
    (picture, support): (&Image, &Support),
    method: Method,
    cx: &Context,
) -> Result<Plane<f32>> {
    fn typed<P: Channels>(
        image: View<P>,
        template: View<P>,
        support: &Support,
        method: Method,
        cx: &Context,
    ) -> Result<Plane<f32>> {
        check_size(support.size(), (image.width(), image.height()))?;
        match_support(cx.isa, image, (template, support), method, cx.threads, &|| cx.is_cancelled())
    }
    of_one_type!(image, picture, typed(support, method, cx))
}

/// The same by the quickest transforms, and by how much scores may differ.
pub(super) fn match_image_quickly(
    image: &Image,
    (picture, support): (&Image, &Support),
    method: Method,
    cx: &Context,
) -> Result<(Plane<f32>, f64)> {
    fn typed<P: Channels>(
        image: View<P>,
        template: View<P>,
        support: &Support,
        method: Method,
        cx: &Context,
    ) -> Result<(Plane<f32>, f64)> {
        check_size(support.size(), (image.width(), image.height()))?;
        match_quickly(cx.isa, image, (template, support), method, cx.threads, &|| cx.is_cancelled())
    }
    of_one_type!(image, picture, typed(support, method, cx))
}

/// The scores of the windows with their corners in some rectangles, each summed directly.
pub(super) fn match_rects(
    image: &Image,
    (picture, support): (&Image, &Support),
    rects: &[Rect],
    method: Method,
    cx: &Context,
) -> Result<Vec<Plane<f32>>> {
    fn typed<P: Channels>(
        image: View<P>,
        template: View<P>,
        support: &Support,
        rects: &[Rect],
        method: Method,
        cx: &Context,
    ) -> Result<Vec<Plane<f32>>> {
        let split = P::split(template);
        let templates = channels_of(template, &split);
        let matcher = Matcher::<P::Sample>::new(cx.isa, &templates, support, method);
        let (w, h) = support.size();
        let scores = rects.iter().map(|rect| {
            // Sixteen windows take no longer than one.
            let windows = image.width() - w + 1;
            let width = rect.width.next_multiple_of(16).min(windows);
            let x = rect.x.min(windows - width);
            let part = image.crop(Rect::new(x, rect.y, width + w - 1, rect.height + h - 1))?;
            let split = P::split(part);
            let map = matcher.map(&channels_of(part, &split), None, 1, &|| cx.is_cancelled())?;
            Ok(map.view().crop(Rect::new(rect.x - x, 0, rect.width, rect.height))?.to_plane())
        });
        scores.collect()
    }
    of_one_type!(image, picture, typed(support, rects, method, cx))
}

//! Pictures as nets see them, and windows of them.

use super::WindowOptions;
use crate::eval::dataset::{BoxedPicture, LabelledBox};
use crate::image::codec::{self, ReadOptions};
use crate::image::{Border, BorderMode, Image, Rect};
use crate::ops::convert::Depth;
use crate::ops::{Context, Convert, Interpolation, Pad, Resize, convert, crop, gray, pad, resize};
use crate::{Error, Result};

/// The most pixels of a window, as many as a picture may have.
const MOST: i64 = 1 << 28;

/// A picture in 8 bit, gray or RGB as the net has channels.
pub(super) fn load(picture: &BoxedPicture, channels: usize, cx: &Context) -> Result<Image> {
    let image = codec::read_file(&picture.path, &ReadOptions::default())?.image;
    let (width, height) = (image.width(), image.height());
    if (width, height) != (picture.width, picture.height) {
        let wanted = format!("{}x{}", picture.width, picture.height);
        return Err(Error::input(format!(
            "expected a picture of {wanted} as the boxes say, got {width}x{height}"
        ))
        .with_hint("the boxes belong to the upright picture, turned as its EXIF data says"));
    }
    let image = convert(&image, &Convert::to(Depth::U8), cx)?;
    Ok(match (image, channels) {
        (image, 1) => gray(&image, cx)?,
        (Image::Gray8(plane) | Image::Mask(plane), _) => Image::Rgb8(plane.map(|value| [value; 3])),
        (image, _) => image,
    })
}

/// The window around an object: with the margin, and in the shape of the net unless it is stretched to it.
pub(super) fn around(object: &LabelledBox, shape: [usize; 3], options: &WindowOptions) -> [f64; 4] {
    let [x, y, width, height] = object.bounds();
    let (mut wide, mut high) = (width * (1.0 + 2.0 * options.margin), height * (1.0 + 2.0 * options.margin));
    if !options.stretch {
        let aspect = shape[2] as f64 / shape[1] as f64;
        wide = wide.max(high * aspect);
        high = high.max(wide / aspect);
    }
    [x + (width - wide) / 2.0, y + (height - high) / 2.0, wide, high]
}

/// Adds the pixels of a window, brought to a height and width, channel after channel. Its edges are rounded to whole
/// pixels, of which it has at least one inside of the picture.
pub(super) fn append(
    image: &Image,
    bounds: [f64; 4],
    size: [usize; 2],
    cx: &Context,
    pixels: &mut Vec<u8>,
) -> Result<()> {
    let edges = |axis: usize, most: usize| {
        let most = most as i64;
        let start = (bounds[axis].round() as i64).min(most - 1);
        let end = ((bounds[axis] + bounds[axis + 2]).round() as i64).max(start + 1).max(1);
        // The window, and the part of it in the picture.
        [start, end, start.max(0), end.min(most)]
    };
    let (across, down) = (edges(0, image.width()), edges(1, image.height()));
    if (across[1] - across[0]).saturating_mul(down[1] - down[0]) > MOST {
        return Err(Error::limit(format!("a window of {bounds:?} has more than {MOST} pixels"))
            .with_hint("a smaller margin, or boxes stretched to the shape of the net"));
    }
    let of = |from: i64, to: i64| (to - from) as usize;
    let rect =
        Rect::new(across[2] as usize, down[2] as usize, of(across[2], across[3]), of(down[2], down[3]));
    let mut window = crop(image, rect, cx)?;
    let border = Pad {
        left: of(across[0], across[2]),
        right: of(across[3], across[1]),
        top: of(down[0], down[2]),
        bottom: of(down[3], down[1]),
        border: Border::new(BorderMode::Replicate),
    };
    if (border.left, border.right, border.top, border.bottom) != (0, 0, 0, 0) {
        window = pad(&window, &border, cx)?;
    }
    match fitted(window, size, cx)? {
        Image::Gray8(plane) | Image::Mask(plane) => pixels.extend(plane.as_slice()),
        Image::Rgb8(plane) => {
            (0..3).for_each(|c| pixels.extend(plane.as_slice().iter().map(|pixel| pixel[c])));
        }
        other => return Err(Error::shape(format!("expected a gray or RGB picture, got `{}`", other.ty()))),
    }
    Ok(())
}

/// A picture in another size: axes that shrink are averaged first, then the others interpolated.
fn fitted(mut image: Image, [height, width]: [usize; 2], cx: &Context) -> Result<Image> {
    let small = [image.width().min(width), image.height().min(height)];
    let steps = [(small, Interpolation::Area), ([width, height], Interpolation::Bilinear)];
    for ([width, height], interpolation) in steps {
        if [image.width(), image.height()] != [width, height] {
            image = resize(&image, &Resize { width, height, interpolation }, cx)?;
        }
    }
    Ok(image)
}

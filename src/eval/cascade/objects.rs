//! Objects: a folder of crops, pictures with boxes, or a `.vec` file.

use std::path::{Path, PathBuf};

use super::pictures::{below, load};
use super::vec_file;
use crate::eval::dataset::{BoxOptions, Boxes, Split, WindowOptions, Windows};
use crate::image::{Image, View};
use crate::nn::train::Examples;
use crate::ops::cascade::train::Crops;
use crate::ops::{Context, Interpolation, Resize, resize};
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// How objects are cut out of pictures with boxes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectOptions {
    /// The labels that count, all if there are none.
    pub labels: Vec<String>,
    /// The folder that the names of pictures are relative to, where it is not the usual one.
    pub pictures: Option<PathBuf>,
    /// What is added on each side of a box, as a share of its width and height.
    pub margin: f64,
    /// Whether boxes are stretched to the shape of the window; otherwise their shorter side grows to it.
    pub stretch: bool,
}

/// Objects in windows of `width` by `height` pixels, in gray.
///
/// A file that ends in `.vec` is one of OpenCV's `opencv_createsamples`. What [`Boxes`] reads is cut out of its
/// pictures. Any other folder is one of crops, those of folders inside too, sorted by path; crops of another size
/// are brought to this one.
///
/// # Errors
/// [`Io`](crate::ErrorKind::Io), and [`Input`](crate::ErrorKind::Input) where there are none or one cannot be read.
///
/// ```
/// use std::path::Path;
/// use lyncean::eval::{ObjectOptions, read_objects};
///
/// let digits = read_objects(Path::new("fixtures/digits/test/7"), 14, 14, &ObjectOptions::default())?;
/// assert_eq!((digits.len(), digits.window(0).len()), (30, 196));
/// # Ok::<(), lyncean::Error>(())
/// ```
pub fn read_objects(path: &Path, width: usize, height: usize, options: &ObjectOptions) -> Result<Crops> {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("vec")) {
        return vec_file::read(path, width, height);
    }
    let found = if path.is_dir() && !Boxes::is_boxes(path) {
        of_folder(path, width, height)?
    } else {
        of_boxes(path, width, height, options)?
    };
    if found.is_empty() {
        return Err(Error::input(format!("`{}` has no objects", path.display())).with_hint(
            "expected a folder of crops, pictures with boxes (COCO, Pascal VOC, YOLO, CSV, `info.dat`), or a `.vec` file",
        ));
    }
    Ok(found)
}

fn of_folder(folder: &Path, width: usize, height: usize) -> Result<Crops> {
    let paths = below(folder)?;
    let cx = Context::default();
    let planes = paths
        .par_iter()
        .map(|path| {
            let mut image = Image::Gray8(load(path)?);
            // Axes that shrink are averaged first, then the others interpolated.
            let small = (image.width().min(width), image.height().min(height));
            let steps = [(small, Interpolation::Area), ((width, height), Interpolation::Bilinear)];
            for ((width, height), interpolation) in steps {
                if (image.width(), image.height()) != (width, height) {
                    image = resize(&image, &Resize { width, height, interpolation }, &cx)?;
                }
            }
            Ok(image)
        })
        .collect::<Result<Vec<Image>>>()?;
    let mut crops = Crops::new(width, height);
    for image in planes {
        crops.push(image.as_gray8()?.view())?;
    }
    Ok(crops)
}

fn of_boxes(path: &Path, width: usize, height: usize, options: &ObjectOptions) -> Result<Crops> {
    let box_options =
        BoxOptions { pictures: options.pictures.clone(), labels: options.labels.clone(), skip_empty: false };
    let boxes = Boxes::open(path, Split::Train, &box_options)?;
    let window_options = WindowOptions {
        margin: options.margin,
        stretch: options.stretch,
        negatives: 0,
        ..WindowOptions::default()
    };
    let shape = [1, height, width];
    let windows = Windows::cut(&boxes, shape, None, &window_options, &Context::default())?;
    let mut crops = Crops::new(width, height);
    let (mut values, mut pixels) = (vec![0f32; width * height], vec![0u8; width * height]);
    for index in 0..windows.len() {
        windows.read(index, shape, &mut values)?;
        for (pixel, value) in pixels.iter_mut().zip(&values) {
            *pixel = (value * 255.0).round() as u8;
        }
        crops.push(View::new(&pixels, width, height, width)?)?;
    }
    Ok(crops)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Plane;
    use crate::image::codec::{self, Format, WriteOptions};

    #[test]
    fn crops_and_boxes_give_the_same_objects() {
        let folder = tempfile::tempdir().unwrap();
        let picture = Plane::from_fn(40, 30, |x, y| (x * 5 + y) as u8);
        let write = |name: &str, plane: &Plane<u8>| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            codec::write(path, &Image::Gray8(plane.clone()), Format::Png, &WriteOptions::default()).unwrap();
        };
        write("boxes/a.png", &picture);
        std::fs::write(folder.path().join("boxes/info.dat"), "a.png 2 3 4 8 6 20 10 16 12\n").unwrap();
        for (name, [x, y, width, height]) in [("1.png", [3, 4, 8, 6]), ("2.png", [20, 10, 16, 12])] {
            let crop = picture.view().crop(crate::image::Rect::new(x, y, width, height)).unwrap().to_plane();
            write(&format!("crops/{name}"), &crop);
        }
        let read = |name: &str| read_objects(&folder.path().join(name), 8, 6, &ObjectOptions::default());
        let crops = read("crops").unwrap();
        assert_eq!((crops.len(), crops.window(0)[..3].to_vec()), (2, vec![19, 24, 29]));
        assert_eq!(read("boxes").unwrap(), crops);
        assert_eq!(read("boxes/info.dat").unwrap(), crops);
        std::fs::create_dir(folder.path().join("none")).unwrap();
        let error = read("none").unwrap_err();
        assert!(error.to_string().contains("has no objects\nhint: expected a folder of crops"), "{error}");
        assert!(read("missing").is_err());
    }
}

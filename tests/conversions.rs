//! Images from and to the types of other crates.

use image::{DynamicImage, ImageBuffer};
use lyncean::image::{Image, ImageType, Plane, View};
use ndarray::{Array2, Array3};

#[test]
fn dynamic_images_there_and_back_in_the_same_memory() {
    for ty in [ImageType::Gray8, ImageType::Gray16, ImageType::Rgb8, ImageType::Rgb16, ImageType::RgbF32] {
        let mut image = Image::new(ty, 5, 3);
        image.planes_bytes_mut()[0].iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8 & 0x3f);
        let (copy, start) = (image.clone(), image.plane_bytes(0).as_ptr());
        let dynamic = DynamicImage::try_from(image).unwrap();
        assert_eq!(dynamic.as_bytes(), copy.plane_bytes(0), "{ty}");
        let back = Image::try_from(dynamic).unwrap();
        assert_eq!(back, copy);
        assert_eq!(back.plane_bytes(0).as_ptr(), start, "{ty} was copied");
    }
    assert!(DynamicImage::try_from(Image::new(ImageType::Labels, 1, 1)).is_err());
}

#[test]
fn alpha_comes_apart() {
    let buffer = ImageBuffer::from_raw(1, 2, vec![1u8, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    let (image, alpha) = Image::from_dynamic(DynamicImage::ImageRgba8(buffer)).unwrap();
    assert_eq!(image.plane_bytes(0), [1, 2, 3, 5, 6, 7]);
    assert_eq!(alpha.unwrap().as_slice(), [4, 8]);
    let buffer = ImageBuffer::from_raw(2, 1, vec![1u16, 65535, 3, 257]).unwrap();
    let (image, alpha) = Image::from_dynamic(DynamicImage::ImageLumaA16(buffer)).unwrap();
    assert_eq!(image, Image::Gray16(Plane::from_vec(2, 1, vec![1, 3]).unwrap()));
    assert_eq!(alpha.unwrap().as_slice(), [255, 1]);
}

#[test]
fn gray_arrays_there_and_back_in_the_same_memory() {
    let array = Array2::from_shape_fn((3, 4), |(y, x)| (10 * y + x) as u8);
    let start = array.as_ptr();
    let Image::Gray8(plane) = Image::try_from(array.clone()).unwrap() else { panic!("not gray") };
    assert_eq!(plane.get(3, 1), 13);
    assert_eq!(plane.array_view().unwrap(), array);
    let moved = Image::try_from(array).unwrap();
    assert_eq!(moved.plane_bytes(0).as_ptr(), start);
    let back = Array2::try_from(plane).unwrap();
    assert_eq!(back[(2, 3)], 23);
}

#[test]
fn colours_and_other_orders() {
    let array = Array3::from_shape_fn((2, 5, 3), |(y, x, c)| (100 * y + 10 * x + c) as f32);
    let turned = array.clone().permuted_axes([1, 0, 2]);
    let Image::RgbF32(plane) = Image::try_from(turned).unwrap() else { panic!("not in colours") };
    assert_eq!((plane.width(), plane.height(), plane.get(1, 4)), (2, 5, [140.0, 141.0, 142.0]));
    let start = array.as_ptr();
    let Image::RgbF32(plane) = Image::try_from(array.clone()).unwrap() else { panic!("not in colours") };
    assert_eq!(plane.array_view().unwrap(), array);
    assert_eq!(Array3::try_from(plane).unwrap(), array);
    let moved = Image::try_from(array).unwrap();
    assert_eq!(moved.plane_bytes(0).as_ptr().cast(), start);
    let error = Image::try_from(Array3::<u8>::zeros((2, 2, 4))).unwrap_err();
    assert!(error.message().ends_with("got [2, 2, 4]"), "{error}");
}

#[test]
fn views_share_or_refuse() {
    let array = Array2::from_shape_fn((3, 4), |(y, x)| (10 * y + x) as u16);
    let view = View::try_from(array.view()).unwrap();
    assert_eq!(view.row(2), [20, 21, 22, 23]);
    assert_eq!(view.data().as_ptr(), array.as_ptr());
    assert!(View::try_from(array.t()).is_err());
}

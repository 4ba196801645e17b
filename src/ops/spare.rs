//! Memory that is no longer needed, for what comes next.

use std::any::Any;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::image::{Element, Image, ImageType, Pixel, Plane};

/// Memory of images and of what operations work in, shared by the clones of a context. Fresh memory costs more
/// than many operations: each page of it is a fault, and is cleared.
#[derive(Clone, Default)]
pub(super) struct Spare(Arc<Mutex<Heap>>);

#[derive(Default)]
struct Heap {
    images: Vec<Arc<Image>>,
    /// Owners without pixels: those of images that were taken out.
    shells: Vec<Arc<Image>>,
    rooms: Vec<(Box<dyn Any + Send>, usize)>,
}

impl Heap {
    /// Things of a kind kept at most; the oldest goes first.
    const MOST: usize = 8;
    /// Bytes that images have at most, and rooms as many.
    const BYTES: usize = 256 << 20;

    fn take(&mut self, ty: ImageType, width: usize, height: usize) -> Option<Arc<Image>> {
        let wanted = (store(ty), width, height);
        let fits = |image: &Arc<Image>| (store(image.ty()), image.width(), image.height()) == wanted;
        // The last one that was put back is the one most likely in cache.
        let index = self.images.iter().rposition(fits)?;
        let mut image = self.images.remove(index);
        if image.ty() != ty {
            let place = Arc::get_mut(&mut image)?;
            *place = match (ty, std::mem::replace(place, nothing())) {
                (ImageType::Gray8, Image::Mask(plane)) => Image::Gray8(plane),
                (ImageType::Mask, Image::Gray8(plane)) => Image::Mask(plane),
                (_, other) => other,
            };
        }
        Some(image)
    }
}

/// Types whose pixels lie alike: the memory of a mask is that of a gray image.
fn store(ty: ImageType) -> ImageType {
    if ty == ImageType::Mask { ImageType::Gray8 } else { ty }
}

/// An image without pixels, which needs no memory.
fn nothing() -> Image {
    Image::Gray8(Plane::default())
}

/// Puts something into a list, and lets the oldest go while there are too many or too many bytes.
fn keep<T>(list: &mut Vec<T>, new: T, bytes: impl Fn(&T) -> usize) {
    list.push(new);
    while list.len() > Heap::MOST || list.iter().map(&bytes).sum::<usize>() > Heap::BYTES {
        list.remove(0);
    }
}

impl Spare {
    fn heap(&self) -> Option<MutexGuard<'_, Heap>> {
        self.0.lock().ok()
    }

    /// An image with its owner.
    pub(super) fn take(&self, ty: ImageType, width: usize, height: usize) -> Option<Arc<Image>> {
        self.heap()?.take(ty, width, height)
    }

    /// An image without an owner.
    pub(super) fn take_out(&self, ty: ImageType, width: usize, height: usize) -> Option<Image> {
        let mut heap = self.heap()?;
        let mut owner = heap.take(ty, width, height)?;
        let image = std::mem::replace(Arc::get_mut(&mut owner)?, nothing());
        keep(&mut heap.shells, owner, |_| 0);
        Some(image)
    }

    /// An owner for an image.
    pub(super) fn share(&self, image: Image) -> Arc<Image> {
        let shell = self.heap().and_then(|mut heap| heap.shells.pop());
        if let Some(mut shell) = shell
            && let Some(place) = Arc::get_mut(&mut shell)
        {
            *place = image;
            return shell;
        }
        Arc::new(image)
    }

    /// Takes back an image.
    pub(super) fn put(&self, image: Arc<Image>) {
        if let Some(mut heap) = self.heap() {
            let bytes = |image: &Arc<Image>| {
                let ty = image.ty();
                image.width() * image.height() * ty.pixel_size() * ty.planes()
            };
            keep(&mut heap.images, image, bytes);
        }
    }

    /// A plane, whose pixels are anything.
    pub(super) fn plane<T: Pixel>(&self, width: usize, height: usize) -> Option<Plane<T>> {
        let ty = match (T::ELEMENT, T::CHANNELS) {
            (Element::U8, 1) => ImageType::Gray8,
            (Element::U8, 3) => ImageType::Rgb8,
            (Element::U16, 1) => ImageType::Gray16,
            (Element::U16, 3) => ImageType::Rgb16,
            (Element::F32, 1) => ImageType::GrayF32,
            (Element::F32, 3) => ImageType::RgbF32,
            (Element::U32, 1) => ImageType::Labels,
            _ => return None,
        };
        match self.take_out(ty, width, height)? {
            Image::Gray8(plane) => retyped(plane),
            Image::Rgb8(plane) => retyped(plane),
            Image::Gray16(plane) => retyped(plane),
            Image::Rgb16(plane) => retyped(plane),
            Image::GrayF32(plane) => retyped(plane),
            Image::RgbF32(plane) => retyped(plane),
            Image::Labels(plane) => retyped(plane),
            Image::Mask(_) | Image::Gradient(_) => None,
        }
    }

    /// What an operation works in: as it was left by an earlier one, or new.
    pub(super) fn room<T: Furnished>(&self) -> Room<'_, T> {
        let there = self.heap().and_then(|mut heap| {
            let at = heap.rooms.iter().rposition(|(room, _)| room.is::<T>())?;
            heap.rooms.remove(at).0.downcast::<T>().ok()
        });
        Room { inside: Some(there.unwrap_or_default()), spare: self }
    }
}

/// A plane whose pixels are known to be of type `T`.
fn retyped<P: Pixel, T: Pixel>(plane: Plane<P>) -> Option<Plane<T>> {
    let mut plane = Some(plane);
    (&mut plane as &mut dyn Any).downcast_mut::<Option<Plane<T>>>()?.take()
}

/// What stays in a [`Room`].
pub(crate) trait Furnished: Default + Any + Send {
    /// The memory it has, about.
    fn bytes(&self) -> usize;
}

impl<T: Send + 'static> Furnished for Vec<T> {
    fn bytes(&self) -> usize {
        self.capacity() * size_of::<T>()
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spare")
    }
}

/// What an operation works in; it goes back where it came from.
pub(crate) struct Room<'a, T: Furnished> {
    /// There until it is dropped.
    inside: Option<Box<T>>,
    spare: &'a Spare,
}

impl<T: Furnished> Deref for Room<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.inside {
            Some(inside) => inside,
            None => unreachable!("a room has something in it until it is dropped"),
        }
    }
}

impl<T: Furnished> DerefMut for Room<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inside.get_or_insert_with(Box::default)
    }
}

impl<T: Furnished> Drop for Room<'_, T> {
    fn drop(&mut self) {
        if let (Some(inside), Some(mut heap)) = (self.inside.take(), self.spare.heap()) {
            let bytes = inside.bytes();
            keep(&mut heap.rooms, (inside, bytes), |(_, bytes)| *bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_found_again_by_what_is_in_them() {
        let spare = Spare::default();
        let (mut numbers, words) = (spare.room::<Vec<u32>>(), spare.room::<Vec<f64>>());
        numbers.extend([1, 2, 3]);
        let place = numbers.as_ptr();
        drop((numbers, words));
        let again = spare.room::<Vec<u32>>();
        assert_eq!((again.as_slice(), again.as_ptr()), ([1, 2, 3].as_slice(), place));
        assert!(spare.room::<Vec<u32>>().is_empty());
    }

    #[test]
    fn owners_are_kept_apart_from_pixels() {
        let spare = Spare::default();
        spare.put(Arc::new(Image::new(ImageType::Mask, 3, 2)));
        assert!(spare.take_out(ImageType::Gray8, 2, 3).is_none());
        // A mask's memory serves a gray image.
        let image = spare.take_out(ImageType::Gray8, 3, 2).unwrap();
        assert_eq!(image, Image::new(ImageType::Gray8, 3, 2));
        let shell = Arc::as_ptr(&spare.heap().unwrap().shells[0]);
        let shared = spare.share(image);
        assert_eq!((Arc::as_ptr(&shared), shared.ty(), shared.width()), (shell, ImageType::Gray8, 3));
        spare.put(shared);
        assert!(spare.plane::<f32>(3, 2).is_none() && spare.plane::<i16>(3, 2).is_none());
        assert_eq!(spare.plane::<u8>(3, 2), Some(Plane::new(3, 2)));
    }
}

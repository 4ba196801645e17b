//! Memory that is no longer needed, for what comes next.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::image::{Image, ImageType, Plane};
use crate::kernel::line::Line;

/// Memory of images and of what operations work in, shared by the clones of a context. Fresh memory costs more
/// than many operations: each page of it is a fault, and is cleared.
#[derive(Clone, Default)]
pub(super) struct Spare(Arc<Mutex<Heap>>);

#[derive(Default)]
struct Heap {
    images: Vec<Arc<Image>>,
    /// Owners without pixels: those of images that were taken out.
    shells: Vec<Arc<Image>>,
    scratch: Vec<Vec<Line>>,
}

impl Heap {
    /// Things of a kind kept at most; the oldest goes first.
    const MOST: usize = 8;
    /// Bytes that images have at most, and scratch as many.
    const BYTES: usize = 256 << 20;

    fn take(&mut self, ty: ImageType, width: usize, height: usize) -> Option<Arc<Image>> {
        let fits = |image: &Arc<Image>| (image.ty(), image.width(), image.height()) == (ty, width, height);
        // The last one that was put back is the one most likely in cache.
        self.images.iter().rposition(fits).map(|index| self.images.remove(index))
    }
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
        let image = std::mem::replace(Arc::get_mut(&mut owner)?, Image::Gray8(Plane::default()));
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

    /// Room for so many numbers, which are anything.
    pub(super) fn scratch<T: bytemuck::Pod>(&self, len: usize) -> Scratch<'_, T> {
        let lines = (len * size_of::<T>()).div_ceil(size_of::<Line>());
        let mut taken = Vec::new();
        if let Some(mut heap) = self.heap() {
            // The tightest that fits; else one that has to grow.
            let fits = (0..heap.scratch.len()).filter(|at| heap.scratch[*at].capacity() >= lines);
            let best = fits.min_by_key(|at| heap.scratch[*at].capacity());
            if let Some(at) = best {
                taken = heap.scratch.remove(at);
            }
        }
        // What a shorter user leaves is longer than this one needs, and is not cleared again.
        if taken.len() < lines {
            taken.resize(lines, Line::default());
        }
        Scratch { lines: taken, len, spare: self, numbers: PhantomData }
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spare")
    }
}

/// Numbers that an operation works in, in memory that goes back where it came from.
pub(crate) struct Scratch<'a, T> {
    lines: Vec<Line>,
    len: usize,
    spare: &'a Spare,
    numbers: PhantomData<T>,
}

impl<T: bytemuck::Pod> Deref for Scratch<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let bytes: &[u8] = bytemuck::cast_slice(&self.lines);
        bytemuck::cast_slice(&bytes[..self.len * size_of::<T>()])
    }
}

impl<T: bytemuck::Pod> DerefMut for Scratch<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.lines);
        bytemuck::cast_slice_mut(&mut bytes[..self.len * size_of::<T>()])
    }
}

impl<T> Drop for Scratch<'_, T> {
    fn drop(&mut self) {
        if let Some(mut heap) = self.spare.heap() {
            keep(&mut heap.scratch, std::mem::take(&mut self.lines), |lines| size_of::<Line>() * lines.capacity());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_serves_again_and_the_tightest_first() {
        let spare = Spare::default();
        let (mut small, large) = (spare.scratch::<u32>(100), spare.scratch::<f64>(5000));
        small.fill(7);
        let places = (small.as_ptr() as usize, large.as_ptr() as usize);
        drop((small, large));
        let again = spare.scratch::<u16>(50);
        assert_eq!((again.len(), again.as_ptr() as usize), (50, places.0));
        assert_eq!(spare.scratch::<u8>(9000).as_ptr() as usize, places.1);
        assert_eq!(spare.scratch::<u8>(0).len(), 0);
    }

    #[test]
    fn owners_are_kept_apart_from_pixels() {
        let spare = Spare::default();
        spare.put(Arc::new(Image::new(ImageType::Mask, 3, 2)));
        assert!(spare.take_out(ImageType::Gray8, 3, 2).is_none());
        let image = spare.take_out(ImageType::Mask, 3, 2).unwrap();
        let shell = Arc::as_ptr(&spare.heap().unwrap().shells[0]);
        let shared = spare.share(image);
        assert_eq!((Arc::as_ptr(&shared), shared.ty(), shared.width()), (shell, ImageType::Mask, 3));
    }
}

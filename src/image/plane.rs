//! Owned planes of pixels and strided views of them.

use std::fmt;
use std::sync::Arc;

use super::kind::Element;
use crate::{Error, Result};

/// A pixel: one or three elements of one number type, without padding.
pub trait Pixel: bytemuck::Pod + Default + PartialEq + fmt::Debug + Send + Sync {
    /// The number type of a channel.
    type Channel: bytemuck::Pod + Default + PartialEq + PartialOrd + fmt::Debug + Send + Sync;
    /// The tag of that number type.
    const ELEMENT: Element;
    /// How many channels a pixel has.
    const CHANNELS: usize;
}

macro_rules! pixels {
    ($($channel:ty => $tag:ident),*) => {$(
        impl Pixel for $channel {
            type Channel = $channel;
            const ELEMENT: Element = Element::$tag;
            const CHANNELS: usize = 1;
        }
        impl Pixel for [$channel; 3] {
            type Channel = $channel;
            const ELEMENT: Element = Element::$tag;
            const CHANNELS: usize = 3;
        }
    )*};
}
pixels!(u8 => U8, u16 => U16, i16 => I16, u32 => U32, i32 => I32, u64 => U64, f32 => F32, f64 => F64);

/// Whoever else owns the pixels of a [shared](Plane::from_shared) plane.
pub type PixelOwner<T> = Arc<dyn AsRef<[T]> + Send + Sync>;

/// Where the pixels of a plane are.
#[derive(Clone)]
enum Store<T> {
    Own(Vec<T>),
    /// Read in place, and copied before the first write.
    Shared(PixelOwner<T>),
}

/// An image plane: `height` rows of `width` pixels, one after the other without gaps. It owns its pixels,
/// or reads [those of somebody else](Self::from_shared).
///
/// ```
/// use lyncean::image::Plane;
///
/// let plane = Plane::from_fn(3, 2, |x, y| (10 * y + x) as u8);
/// assert_eq!(plane.row(1), [10, 11, 12]);
/// assert_eq!(plane.map(f32::from).get(2, 0), 2.0);
/// ```
#[derive(Clone)]
pub struct Plane<T> {
    data: Store<T>,
    width: usize,
    height: usize,
}

impl<T> Default for Plane<T> {
    /// A plane without pixels.
    fn default() -> Self {
        Self::own(Vec::new(), 0, 0)
    }
}

impl<T: PartialEq> PartialEq for Plane<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.width, self.height) == (other.width, other.height) && self.pixels() == other.pixels()
    }
}

impl<T> Plane<T> {
    fn own(data: Vec<T>, width: usize, height: usize) -> Self {
        Self { data: Store::Own(data), width, height }
    }

    /// No more pixels than the size says, however much the owner holds.
    fn pixels(&self) -> &[T] {
        match &self.data {
            Store::Own(data) => data,
            Store::Shared(owner) => &(**owner).as_ref()[..self.width * self.height],
        }
    }
}

impl<T: Pixel> Plane<T> {
    /// A plane of zeros.
    pub fn new(width: usize, height: usize) -> Self {
        Self::own(vec![T::default(); width * height], width, height)
    }

    /// A plane filled with one value.
    pub fn filled(width: usize, height: usize, value: T) -> Self {
        Self::own(vec![value; width * height], width, height)
    }

    /// A plane over row-major data.
    ///
    /// ```
    /// use lyncean::image::Plane;
    ///
    /// let plane = Plane::from_vec(2, 1, vec![[1u8, 2, 3], [4, 5, 6]])?;
    /// assert_eq!(plane.get(1, 0), [4, 5, 6]);
    /// assert!(Plane::from_vec(2, 2, vec![0u8]).is_err());
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when `data` does not hold `width * height` pixels.
    pub fn from_vec(width: usize, height: usize, data: Vec<T>) -> Result<Self> {
        check_size(data.len(), width, height)?;
        Ok(Self::own(data, width, height))
    }

    /// A plane over row-major pixels that belong to somebody else, a language binding say. They are read in
    /// place and never written: the first write to the plane makes it its own, by a copy.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the owner does not hold `width * height` pixels.
    pub fn from_shared(width: usize, height: usize, owner: PixelOwner<T>) -> Result<Self> {
        check_size((*owner).as_ref().len(), width, height)?;
        Ok(Self { data: Store::Shared(owner), width, height })
    }

    /// Whether the pixels belong to somebody else.
    pub fn is_shared(&self) -> bool {
        matches!(self.data, Store::Shared(_))
    }

    /// A plane computed pixel by pixel from `(x, y)`.
    pub fn from_fn(width: usize, height: usize, mut f: impl FnMut(usize, usize) -> T) -> Self {
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            data.extend((0..width).map(|x| f(x, y)));
        }
        Self::own(data, width, height)
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels, row after row.
    pub fn as_slice(&self) -> &[T] {
        self.pixels()
    }

    /// The pixels, row after row, to write.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        if let Store::Shared(_) = self.data {
            self.data = Store::Own(self.pixels().to_vec());
        }
        match &mut self.data {
            Store::Own(data) => data,
            Store::Shared(_) => unreachable!("a plane that is written to owns its pixels"),
        }
    }

    /// The pixels as a vector; a copy where they belong to somebody else.
    pub fn into_vec(self) -> Vec<T> {
        match self.data {
            Store::Own(data) => data,
            Store::Shared(_) => self.pixels().to_vec(),
        }
    }

    /// One row.
    pub fn row(&self, y: usize) -> &[T] {
        &self.pixels()[y * self.width..][..self.width]
    }

    /// One row, to write.
    pub fn row_mut(&mut self, y: usize) -> &mut [T] {
        let width = self.width;
        &mut self.as_mut_slice()[y * width..][..width]
    }

    /// The pixel at `(x, y)`.
    pub fn get(&self, x: usize, y: usize) -> T {
        self.row(y)[x]
    }

    /// Writes the pixel at `(x, y)`.
    pub fn set(&mut self, x: usize, y: usize, value: T) {
        self.row_mut(y)[x] = value;
    }

    /// The whole plane as a view.
    pub fn view(&self) -> View<'_, T> {
        View { data: self.pixels(), width: self.width, height: self.height, stride: self.width }
    }

    /// The whole plane as a view to write.
    pub fn view_mut(&mut self) -> ViewMut<'_, T> {
        let (width, height) = (self.width, self.height);
        ViewMut { data: self.as_mut_slice(), width, height, stride: width }
    }

    /// A plane of the same size with every pixel mapped.
    pub fn map<U: Pixel>(&self, f: impl FnMut(T) -> U) -> Plane<U> {
        Plane::own(self.pixels().iter().copied().map(f).collect(), self.width, self.height)
    }
}

impl<T: fmt::Debug> fmt::Debug for Plane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plane {}x{}", self.width, self.height)?;
        if self.pixels().len() <= 256 && self.width > 0 {
            for row in self.pixels().chunks(self.width) {
                write!(f, "\n  {row:?}")?;
            }
        }
        Ok(())
    }
}

/// A borrowed image whose rows lie `stride` pixels apart.
///
/// ```
/// use lyncean::image::{Plane, Rect, View};
///
/// // Rows of two pixels, three apart.
/// let view = View::new(&[1u8, 2, 0, 3, 4, 0], 2, 2, 3)?;
/// assert_eq!(view.row(1), [3, 4]);
/// assert_eq!(view.crop(Rect::new(1, 0, 1, 2))?.to_plane().as_slice(), [2, 4]);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    data: &'a [T],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a, T: Pixel> View<'a, T> {
    /// A view over `data`, whose rows lie `stride` pixels apart.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when a row would not fit into the stride or the data.
    pub fn new(data: &'a [T], width: usize, height: usize, stride: usize) -> Result<Self> {
        check_view(data.len(), width, height, stride)?;
        Ok(Self { data, width, height, stride })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Distance between the starts of two rows, in pixels.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The data from the first pixel on, rows [`stride`](Self::stride) pixels apart.
    pub fn data(&self) -> &'a [T] {
        self.data
    }

    /// One row.
    ///
    /// # Panics
    /// When there is no row `y`.
    pub fn row(&self, y: usize) -> &'a [T] {
        assert!(y < self.height, "row {y} of {}", self.height);
        if self.width == 0 { &[] } else { &self.data[y * self.stride..][..self.width] }
    }

    /// The pixel at `(x, y)`.
    pub fn get(&self, x: usize, y: usize) -> T {
        self.row(y)[x]
    }

    /// The part inside `rect`.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when `rect` is not inside the view.
    pub fn crop(&self, rect: super::Rect) -> Result<View<'a, T>> {
        if rect.x + rect.width > self.width || rect.y + rect.height > self.height {
            return Err(Error::shape(format!(
                "crop {rect} is not inside the image of {}x{}",
                self.width, self.height
            )));
        }
        let start = (rect.y * self.stride + rect.x).min(self.data.len());
        Ok(View { data: &self.data[start..], width: rect.width, height: rect.height, stride: self.stride })
    }

    /// An owned copy without gaps.
    pub fn to_plane(&self) -> Plane<T> {
        let mut data = Vec::with_capacity(self.width * self.height);
        for y in 0..self.height {
            data.extend_from_slice(self.row(y));
        }
        Plane::own(data, self.width, self.height)
    }
}

/// A borrowed image to write, whose rows lie `stride` pixels apart.
///
/// ```
/// use lyncean::image::ViewMut;
///
/// // Two rows of three pixels in memory whose rows lie four apart.
/// let mut memory = [0u8; 8];
/// ViewMut::new(&mut memory, 3, 2, 4)?.row_mut(1).fill(9);
/// assert_eq!(memory, [0, 0, 0, 0, 9, 9, 9, 0]);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Debug)]
pub struct ViewMut<'a, T> {
    data: &'a mut [T],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a, T: Pixel> ViewMut<'a, T> {
    /// A view to write over `data`, whose rows lie `stride` pixels apart.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when a row would not fit into the stride or the data.
    pub fn new(data: &'a mut [T], width: usize, height: usize, stride: usize) -> Result<Self> {
        check_view(data.len(), width, height, stride)?;
        Ok(Self { data, width, height, stride })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// One row, to write.
    ///
    /// # Panics
    /// When there is no row `y`.
    pub fn row_mut(&mut self, y: usize) -> &mut [T] {
        assert!(y < self.height, "row {y} of {}", self.height);
        if self.width == 0 { &mut [] } else { &mut self.data[y * self.stride..][..self.width] }
    }
}

fn check_size(len: usize, width: usize, height: usize) -> Result<()> {
    match width.checked_mul(height) {
        Some(wanted) if wanted == len => Ok(()),
        _ => Err(Error::shape(format!(
            "a plane of {width}x{height} wants {} pixels, got {len}",
            width.saturating_mul(height)
        ))),
    }
}

fn check_view(len: usize, width: usize, height: usize, stride: usize) -> Result<()> {
    let needed = match (width, height) {
        (0, _) | (_, 0) => Some(0),
        _ => stride.checked_mul(height - 1).and_then(|n| n.checked_add(width)),
    };
    if width > stride && height > 1 {
        return Err(Error::shape(format!("rows of {width} pixels do not fit into a stride of {stride}")));
    }
    match needed {
        Some(needed) if needed <= len => Ok(()),
        _ => Err(Error::shape(format!(
            "a view of {width}x{height} with stride {stride} reaches past {len} pixels"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rect;
    use super::*;

    #[test]
    fn rows_of_a_cropped_view() {
        let plane = Plane::from_fn(5, 4, |x, y| (10 * y + x) as u8);
        let view = plane.view().crop(Rect::new(1, 2, 3, 2)).unwrap();
        assert_eq!(view.row(0), [21, 22, 23]);
        assert_eq!(view.row(1), [31, 32, 33]);
        assert_eq!(view.to_plane().as_slice(), [21, 22, 23, 31, 32, 33]);
        assert!(plane.view().crop(Rect::new(3, 0, 3, 1)).is_err());
    }

    #[test]
    fn shared_pixels_are_read_in_place_and_copied_before_a_write() {
        let owner: Arc<Vec<u8>> = Arc::new((0..6).collect());
        let mut plane = Plane::from_shared(3, 2, owner.clone() as PixelOwner<u8>).unwrap();
        assert!(plane.is_shared() && plane.as_slice().as_ptr() == owner.as_ptr());
        assert_eq!(plane, Plane::from_vec(3, 2, (0..6).collect()).unwrap());
        assert_eq!(plane.clone().into_vec(), *owner);
        plane.set(1, 1, 9);
        assert!(!plane.is_shared());
        assert_eq!((plane.row(1), &owner[3..]), (&[3, 9, 5][..], &[3, 4, 5][..]));
        assert!(Plane::from_shared(3, 3, owner as PixelOwner<u8>).is_err());
    }

    #[test]
    fn empty_views_have_no_pixels() {
        let plane = Plane::<u8>::new(0, 3);
        assert!(plane.view().row(2).is_empty());
        assert!(plane.view().crop(Rect::new(0, 3, 0, 0)).is_ok());
    }

    #[test]
    fn views_that_reach_too_far_are_refused() {
        let data = [0u8; 10];
        assert!(View::new(&data, 3, 3, 4).is_err());
        assert!(View::new(&data, 2, 3, 4).is_ok());
        assert!(View::new(&data, 5, 2, 4).is_err());
    }
}

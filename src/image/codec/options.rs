//! What is read of a file, and how.

use super::Limits;
use crate::image::{Image, ImageType};

/// Which of what a file stores is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Decode {
    /// All.
    #[default]
    Stored,
    /// Of a colour JPEG the luma alone, as `gray8`; of all else what is stored.
    ///
    /// Nearly all colour JPEGs store luma and two planes of colour. The luma is what OpenCV's
    /// `IMREAD_GRAYSCALE` gives, and takes less time than the colours. It is not quite the gray of
    /// the colours: those are rounded, and cut where they lie outside 0 to 255, which happens at
    /// edges between strong colours. On photographs the two differ by less than 0.1 in the mean, by
    /// more than 1 at less than one pixel in fifty, and there by up to 23 (seven photographs,
    /// quality 85, five samplings). JPEGs that store red, green and blue, or inks, are read in their
    /// colours.
    Luma,
}

/// Makes an image of a type, width and height, to be written over whole: its pixels are anything.
pub type NewImage<'a> = &'a dyn Fn(ImageType, usize, usize) -> Image;

/// What is read of a file, and how.
#[derive(Clone, Copy, Default)]
pub struct ReadOptions<'a> {
    /// How large a picture may be.
    pub limits: Limits,
    /// Which picture of several, counted from 0; `None` where there must be but one.
    pub page: Option<usize>,
    /// What is decoded.
    pub decode: Decode,
    /// Where pixels get their memory; [`Image::new`] by default. A loop over many pictures that gives
    /// memory back needs no fresh pages, each of which is a fault.
    pub memory: Option<NewImage<'a>>,
}

impl<'a> ReadOptions<'a> {
    pub(super) fn new_image(&self) -> NewImage<'a> {
        self.memory.unwrap_or(&Image::new)
    }
}

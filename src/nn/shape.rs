//! Shapes of tensors.

use std::fmt;
use std::ops::Deref;

use crate::{Error, Result};

/// The most axes a tensor has.
const MAX_RANK: usize = 6;
/// The most elements a tensor has: 2^31, that is 8 GiB of `f32`.
const MAX_COUNT: usize = 1 << 31;

/// The lengths of a tensor's axes, outermost first: batch, channels, height, width.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Shape {
    lengths: [usize; MAX_RANK],
    rank: usize,
}

impl Shape {
    /// A shape from outside, checked.
    ///
    /// # Errors
    /// [`Limit`](crate::ErrorKind::Limit) past six axes or 2^31 elements.
    pub fn new(lengths: &[usize]) -> Result<Self> {
        if lengths.len() > MAX_RANK {
            return Err(Error::limit(format!("expected at most {MAX_RANK} axes, got {}", lengths.len())));
        }
        // Counted without the zeros, so that no axis is absurd on its own either.
        let count = lengths.iter().try_fold(1usize, |count, &len| count.checked_mul(len.max(1)));
        if count.is_none_or(|count| count > MAX_COUNT) {
            return Err(Error::limit(format!("a tensor of {lengths:?} has more than {MAX_COUNT} elements")));
        }
        let mut shape = Self { lengths: [0; MAX_RANK], rank: lengths.len() };
        shape.lengths[..lengths.len()].copy_from_slice(lengths);
        Ok(shape)
    }

    /// How many elements a tensor of this shape has.
    pub fn count(&self) -> usize {
        self.iter().product()
    }

    /// The same shape for a batch of `samples`: one more axis in front.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn batched(&self, samples: usize) -> Result<Self> {
        let mut lengths = vec![samples];
        lengths.extend_from_slice(self);
        Self::new(&lengths)
    }

    /// The shape of one sample: without the first axis.
    #[must_use]
    pub fn sample(&self) -> Self {
        let mut shape = Self { lengths: [0; MAX_RANK], rank: self.rank.saturating_sub(1) };
        if self.rank > 0 {
            shape.lengths[..self.rank - 1].copy_from_slice(&self[1..]);
        }
        shape
    }
}

impl Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.lengths[..self.rank]
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &**self)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_from_outside_are_limited() {
        assert_eq!(Shape::new(&[2, 3, 4]).unwrap().count(), 24);
        assert_eq!(Shape::new(&[]).unwrap().count(), 1);
        assert!(Shape::new(&[usize::MAX, usize::MAX]).is_err());
        assert!(Shape::new(&[0, usize::MAX]).is_err());
        assert!(Shape::new(&[1; 7]).is_err());
    }

    #[test]
    fn a_batch_is_an_axis_in_front() {
        let shape = Shape::new(&[3, 8, 9]).unwrap();
        let batch = shape.batched(5).unwrap();
        assert_eq!(&*batch, [5, 3, 8, 9]);
        assert_eq!(batch.sample(), shape);
        assert_eq!(batch.to_string(), "[5, 3, 8, 9]");
    }
}

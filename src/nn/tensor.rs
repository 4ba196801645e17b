//! Tensors: contiguous `f32`, outermost axis first.

use std::fmt;
use std::sync::Arc;

use super::Shape;
use super::parallel::{for_each_piece, zip_elements};
use super::room;
use crate::kernel::Isa;
use crate::{Error, Result};

/// Elements of a piece of a sum.
const PIECE: usize = 1 << 14;

/// A contiguous array of `f32`, images as batch, channel, row, column (NCHW).
///
/// Clones share their elements until one of them is written to, so that a layer can keep its input
/// for the backward pass at no cost.
///
/// ```
/// use lyncean::nn::{Shape, Tensor};
///
/// let tensor = Tensor::from_vec(Shape::new(&[2, 2])?, vec![1.0, 2.0, 3.0, 4.0])?;
/// assert_eq!(tensor.data()[3], 4.0);
/// assert!(Tensor::from_vec(Shape::new(&[3])?, vec![0.0]).is_err());
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Tensor {
    shape: Shape,
    data: Arc<Elements>,
}

/// Elements whose memory the next tensors may have.
#[derive(PartialEq)]
struct Elements(Vec<f32>);

impl Elements {
    fn new(elements: Vec<f32>) -> Self {
        room::hold(&elements);
        Self(elements)
    }
}

impl Clone for Elements {
    fn clone(&self) -> Self {
        let mut copy = room::unset(self.0.len());
        copy.copy_from_slice(&self.0);
        Self::new(copy)
    }
}

impl Drop for Elements {
    fn drop(&mut self) {
        room::give(std::mem::take(&mut self.0));
    }
}

impl Tensor {
    /// A tensor of zeros.
    pub fn zeros(shape: Shape) -> Self {
        Self::of(shape, room::zeros(shape.count()))
    }

    /// A tensor of whatever lay in its memory, for all of it to be written.
    pub(super) fn unset(shape: Shape) -> Self {
        Self::of(shape, room::unset(shape.count()))
    }

    fn of(shape: Shape, data: Vec<f32>) -> Self {
        Self { shape, data: Arc::new(Elements::new(data)) }
    }

    /// A tensor over elements in order.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when there are more or fewer elements than the shape has.
    pub fn from_vec(shape: Shape, data: Vec<f32>) -> Result<Self> {
        if data.len() != shape.count() {
            let (wanted, got) = (shape.count(), data.len());
            return Err(Error::shape(format!("a tensor of {shape} wants {wanted} elements, got {got}")));
        }
        Ok(Self::of(shape, data))
    }

    /// A tensor computed from the index of each element.
    pub fn from_fn(shape: Shape, mut f: impl FnMut(usize) -> f32) -> Self {
        let mut data = room::unset(shape.count());
        data.iter_mut().enumerate().for_each(|(i, value)| *value = f(i));
        Self::of(shape, data)
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The elements in order.
    pub fn data(&self) -> &[f32] {
        &self.data.0
    }

    /// The elements in order, to write. Copies them first if a clone shares them.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut Arc::make_mut(&mut self.data).0
    }

    /// The same elements in another shape.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when that has more or fewer elements.
    pub fn reshaped(&self, shape: Shape) -> Result<Self> {
        if shape.count() != self.shape.count() {
            return Err(Error::shape(format!("expected the elements of {}, got {shape}", self.shape)));
        }
        Ok(Self { shape, data: Arc::clone(&self.data) })
    }

    /// The length of the first axis, which is 1 for a tensor without axes.
    pub fn samples(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The elements of one sample of a batch.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn sample(&self, index: usize) -> &[f32] {
        let len = self.shape.sample().count();
        &self.data()[index * len..][..len]
    }

    /// Adds another tensor of the same shape.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the shapes differ.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        if self.shape != other.shape {
            return Err(Error::shape(format!(
                "cannot add a tensor of {} to one of {}",
                other.shape, self.shape
            )));
        }
        let isa = Isa::best();
        if let Some(Elements(sums)) = Arc::get_mut(&mut self.data) {
            let body = |i: usize, sums: &mut [f32]| {
                let terms = &other.data()[i * PIECE..][..sums.len()];
                isa.run(
                    #[inline(always)]
                    || sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term),
                );
            };
            for_each_piece(sums, PIECE, body);
        } else {
            // Cheaper than a copy that is added to.
            let sums = zip_elements(isa, self.data(), other.data(), |a, b| a + b);
            self.data = Arc::new(Elements::new(sums));
        }
        Ok(())
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor {}", self.shape)?;
        if self.data().len() <= 64 {
            write!(f, " {:?}", self.data())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_part_when_written_to() {
        let first = Tensor::from_fn(Shape::new(&[2, 2]).unwrap(), |i| i as f32);
        let mut second = first.clone();
        second.data_mut()[3] = 7.0;
        assert_eq!(first.data(), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(second.sample(1), [2.0, 7.0]);
    }

    #[test]
    fn elements_must_fit_the_shape() {
        let shape = Shape::new(&[2, 3]).unwrap();
        let error = Tensor::from_vec(shape, vec![0.0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "a tensor of [2, 3] wants 6 elements, got 5");
        assert!(Tensor::zeros(shape).reshaped(Shape::new(&[7]).unwrap()).is_err());
        assert!(Tensor::zeros(shape).add(&Tensor::zeros(Shape::new(&[3, 2]).unwrap())).is_err());
    }
}

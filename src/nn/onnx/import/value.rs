//! What the values of a graph are while it is read: numbers that are known, or what a layer will give.

use super::super::proto::{TensorData, ty};
use crate::nn::arch::Source;
use crate::nn::{Shape, Tensor, half};
use crate::{Error, Result};

/// The most numbers that folding makes of constants.
const MOST_FOLDED: usize = 1 << 28;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Numbers that do not depend on the input.
    Known(Known),
    /// What a layer gives.
    Flow(Flow),
}

/// What a layer gives for a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// Where it comes from.
    pub(super) source: Source,
    /// The shape of one sample.
    pub(super) shape: Shape,
    /// Whether it is whole numbers, such as words.
    pub(super) is_words: bool,
}

/// Numbers with their shape.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    /// Lengths of the axes.
    pub(super) dims: Vec<usize>,
    /// The numbers in order.
    pub(super) data: Data,
}

/// Numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    /// Of any float type.
    Floats(Vec<f32>),
    /// Of any whole type.
    Whole(Vec<i64>),
}

impl Known {
    /// A list of whole numbers.
    pub(super) fn list(numbers: Vec<i64>) -> Self {
        Self { dims: vec![numbers.len()], data: Data::Whole(numbers) }
    }

    /// Numbers of a shape, which has to have as many.
    pub(super) fn new(dims: Vec<usize>, data: Data) -> Result<Self> {
        let len = match &data {
            Data::Floats(values) => values.len(),
            Data::Whole(values) => values.len(),
        };
        if count(&dims)? != len {
            return Err(Error::input(format!("a constant of {dims:?} has {len} numbers")));
        }
        Ok(Self { dims, data })
    }

    /// The numbers that a file holds.
    pub(super) fn read(tensor: TensorData) -> Result<Self> {
        let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&len| usize::try_from(len).ok()).collect();
        let dims = dims.ok_or_else(|| Error::input(format!("`{}` has an axis below 0", tensor.name)))?;
        let raw = tensor.raw_data;
        let wrong = |what: i32| {
            Error::unsupported(format!("the numbers of `{}` are of type {what}", tensor.name)).with_hint(
                "float, float16, bfloat16, double, bool, and whole numbers of 8, 32 and 64 bits with a sign or uint8 are read",
            )
        };
        let whole = |values: Vec<i32>| Data::Whole(values.into_iter().map(i64::from).collect());
        let data = match (tensor.data_type, raw) {
            (ty::FLOAT, None) => Data::Floats(tensor.float_data),
            (ty::FLOAT, Some(raw)) => Data::Floats(numbers(&raw, f32::from_le_bytes)?),
            (ty::DOUBLE, None) => {
                Data::Floats(tensor.double_data.into_iter().map(|value| value as f32).collect())
            }
            (ty::DOUBLE, Some(raw)) => Data::Floats(numbers(&raw, |bytes| f64::from_le_bytes(bytes) as f32)?),
            (half @ (ty::FLOAT16 | ty::BFLOAT16), raw) => {
                let widen = if half == ty::FLOAT16 { half::f32_from_f16 } else { half::f32_from_bf16 };
                // Without raw bytes the bits are the lower ones of whole numbers.
                let bits = match raw {
                    Some(raw) => numbers(&raw, u16::from_le_bytes)?,
                    None => tensor.int32_data.into_iter().map(|bits| bits as u16).collect(),
                };
                Data::Floats(bits.into_iter().map(widen).collect())
            }
            (ty::INT64, None) => Data::Whole(tensor.int64_data),
            (ty::INT64, Some(raw)) => Data::Whole(numbers(&raw, i64::from_le_bytes)?),
            (ty::INT32 | ty::INT8 | ty::UINT8 | ty::BOOL, None) => whole(tensor.int32_data),
            (ty::INT32, Some(raw)) => whole(numbers(&raw, i32::from_le_bytes)?),
            (ty::UINT8 | ty::BOOL, Some(raw)) => Data::Whole(raw.into_iter().map(i64::from).collect()),
            (ty::INT8, Some(raw)) => {
                Data::Whole(raw.into_iter().map(|byte| i64::from(byte.cast_signed())).collect())
            }
            (other, _) => return Err(wrong(other)),
        };
        Self::new(dims, data).map_err(|error| error.within(tensor.name))
    }

    /// How many numbers there are.
    pub(super) fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// The numbers as floats.
    pub(super) fn floats(&self) -> Vec<f32> {
        match &self.data {
            Data::Floats(values) => values.clone(),
            Data::Whole(values) => values.iter().map(|&value| value as f32).collect(),
        }
    }

    /// The numbers as whole ones.
    pub(super) fn whole(&self) -> Result<&[i64]> {
        match &self.data {
            Data::Whole(values) => Ok(values),
            Data::Floats(_) => Err(Error::input("expected whole numbers, got floats")),
        }
    }

    /// The only number.
    pub(super) fn number(&self) -> Result<f32> {
        match self.floats()[..] {
            [value] => Ok(value),
            ref values => Err(Error::input(format!("expected one number, got {}", values.len()))),
        }
    }

    /// The floats as a tensor.
    pub(super) fn tensor(&self) -> Result<Tensor> {
        Tensor::from_vec(Shape::new(&self.dims)?, self.floats())
    }

    /// The same numbers in another shape.
    pub(super) fn reshaped(&self, dims: Vec<usize>) -> Result<Self> {
        Self::new(dims, self.data.clone())
    }

    /// Numbers picked along axes: which axis each new one runs along, and the places on it.
    pub(super) fn picked(&self, axes: &[(usize, Vec<usize>)]) -> Result<Self> {
        let dims: Vec<usize> = axes.iter().map(|(_, places)| places.len()).collect();
        count(&dims)?;
        let mut from = vec![0];
        for (along, places) in axes {
            let stride: usize = self.dims[along + 1..].iter().product();
            from = from.iter().flat_map(|start| places.iter().map(move |at| start + at * stride)).collect();
        }
        let data = match &self.data {
            Data::Floats(values) => Data::Floats(from.iter().map(|&at| values[at]).collect()),
            Data::Whole(values) => Data::Whole(from.iter().map(|&at| values[at]).collect()),
        };
        Self::new(dims, data)
    }
}

/// How many numbers a shape has, within the limit.
pub(super) fn count(dims: &[usize]) -> Result<usize> {
    let count = dims.iter().try_fold(1usize, |count, &len| count.checked_mul(len));
    // Counted without the zeros too, so that no axis is absurd on its own.
    let size = dims.iter().try_fold(1usize, |count, &len| count.checked_mul(len.max(1)));
    match (count, size) {
        (Some(count), Some(size)) if size <= MOST_FOLDED => Ok(count),
        _ => Err(Error::limit(format!("a constant of {dims:?} has more than {MOST_FOLDED} numbers"))),
    }
}

fn numbers<const N: usize, T>(bytes: &[u8], of: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
    let (values, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(Error::input(format!("{} bytes are no numbers of {N} bytes each", bytes.len())));
    }
    Ok(values.iter().map(|&value| of(value)).collect())
}

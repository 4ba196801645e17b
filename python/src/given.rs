//! From Python to values: arrays in place where they lie without gaps, lists and dicts by copy.
#![allow(unsafe_code, reason = "pixels of arrays are read where they lie")]

use std::sync::Arc;

use lyncean::image::{Affine, Image, ImageType, Pixel, PixelOwner, Plane};
use lyncean::stage::{DataType, ImageValue, PortType, Value, types};
use numpy::{
    Element, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::error::{OrRaise, wrong_array};
use crate::objects::Objects;
use crate::{made, records};

/// How masks look in Python.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masks {
    /// Arrays of `bool`.
    Bool,
    /// Arrays of `uint8`, 0 and 255, as OpenCV has them.
    Bytes,
}

impl Masks {
    /// From the keyword `masks`.
    pub(crate) fn named(name: &str) -> PyResult<Self> {
        match name {
            "bool" => Ok(Self::Bool),
            "uint8" => Ok(Self::Bytes),
            _ => Err(pyo3::exceptions::PyValueError::new_err(format!(
                "`masks` cannot be `{name}`\nhint: it is \"bool\" or \"uint8\""
            ))),
        }
    }
}

/// A picture, and its alpha where it has one.
pub(crate) struct Picture {
    /// The pixels.
    pub(crate) image: Image,
    /// 0 transparent, 255 opaque.
    pub(crate) alpha: Option<Plane<u8>>,
}

/// Pixels of an array. The array is kept alive; whoever writes to it from another thread while a stage
/// reads it changes which values are seen, as with NumPy's own functions, and never where is read. NumPy refuses
/// to resize an array that somebody holds; `resize(refcheck=False)` takes that safety away here as everywhere.
struct Foreign<P> {
    _array: Py<PyAny>,
    data: *const P,
    len: usize,
}

// SAFETY: the memory belongs to the array, which is kept alive and which any thread may read; its
// reference count is only touched by pyo3, which waits for the interpreter where it has to.
unsafe impl<P: Send> Send for Foreign<P> {}
// SAFETY: as above; nothing is written through it.
unsafe impl<P: Sync> Sync for Foreign<P> {}

impl<P: Pixel> AsRef<[P]> for Foreign<P> {
    fn as_ref(&self) -> &[P] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: `plane` checked that the array holds `len` aligned pixels from `data` on without gaps; NumPy
        // neither frees nor moves them while the array is alive and referenced.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

/// An array without gaps: itself, or a copy.
fn contiguous<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyUntypedArray>> {
    if array.is_c_contiguous() && array.is_aligned() {
        return Ok(array.clone());
    }
    // A copy in rows; it is aligned, too.
    Ok(array.call_method1("copy", ("C",))?.cast_into()?)
}

/// A plane over the pixels `P` of an array of `T`.
fn plane<T: Element, P: Pixel<Channel = T>>(
    array: &Bound<'_, PyUntypedArray>,
    width: usize,
    height: usize,
) -> PyResult<Plane<P>> {
    let array = contiguous(array)?;
    let typed = array.cast::<PyArrayDyn<T>>()?;
    let held = array.len() / P::CHANNELS;
    if held != width * height || array.len() % P::CHANNELS != 0 {
        let error = lyncean::Error::shape("an array holds another number of pixels than its shape says");
        return Err(crate::error::raised(array.py(), &error));
    }
    let data = typed.data().cast_const().cast::<P>();
    let owner: PixelOwner<P> =
        Arc::new(Foreign { _array: array.clone().into_any().unbind(), data, len: held });
    Plane::from_shared(width, height, owner).or_raise(array.py())
}

/// The values of an array of one type, in order.
fn values<T: Element + Copy>(array: &Bound<'_, PyUntypedArray>) -> PyResult<Vec<T>> {
    let array = contiguous(array)?;
    let typed = array.cast::<PyArrayDyn<T>>()?;
    typed.to_vec().map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}

/// Bytes that are 0 or not as a mask.
fn mask_of_bools(array: &Bound<'_, PyUntypedArray>, width: usize, height: usize) -> PyResult<Image> {
    let array = contiguous(array)?;
    let bytes = array.call_method1("view", ("uint8",))?;
    let bytes: Plane<u8> = plane::<u8, u8>(bytes.cast()?, width, height)?;
    let mut image = made::context().image(ImageType::Mask, width, height);
    if let Image::Mask(mask) = &mut image {
        for (value, &byte) in mask.as_mut_slice().iter_mut().zip(bytes.as_slice()) {
            *value = if byte == 0 { 0 } else { 255 };
        }
    }
    Ok(image)
}

fn labels(array: &Bound<'_, PyUntypedArray>, width: usize, height: usize) -> PyResult<Image> {
    let numbers: Plane<i32> = plane::<i32, i32>(array, width, height)?;
    if numbers.as_slice().iter().any(|&label| label < 0) {
        let hint = "0 is the background, labels are above it";
        return Err(wrong_array(array.py(), "labels below 0", hint));
    }
    let view = contiguous(array)?.call_method1("view", ("uint32",))?;
    Ok(Image::Labels(plane::<u32, u32>(view.cast()?, width, height)?))
}

/// What numbers an array holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Bool,
    U8,
    U16,
    U32,
    I32,
    F32,
}

fn numbers(array: &Bound<'_, PyUntypedArray>) -> PyResult<Numbers> {
    let dtype = array.dtype();
    let is_native = dtype.byteorder() != b'>' || cfg!(target_endian = "big");
    let found = match (dtype.kind(), dtype.itemsize()) {
        (b'b', 1) => Some(Numbers::Bool),
        (b'u', 1) => Some(Numbers::U8),
        (b'u', 2) => Some(Numbers::U16),
        (b'u', 4) => Some(Numbers::U32),
        (b'i', 4) => Some(Numbers::I32),
        (b'f', 4) => Some(Numbers::F32),
        _ => None,
    };
    if let (Some(found), true) = (found, is_native) {
        return Ok(found);
    }
    let name = dtype.str()?.to_string();
    let hint = match dtype.kind() {
        _ if !is_native => "turn the bytes: `array.astype(array.dtype.newbyteorder('='))`",
        b'f' => "convert it: `array.astype(np.float32)`; white is 1",
        b'i' | b'u' => {
            "convert it: `array.astype(np.uint8)` or `np.uint16` for a picture, `np.uint32` for labels"
        }
        _ => "pictures are arrays of numbers",
    };
    let message = format!(
        "an array of {name} is not taken; it is uint8, uint16 or float32 for pictures, bool for masks, \
         uint32 or int32 for labels"
    );
    Err(wrong_array(array.py(), &message, hint))
}

/// An array, or what NumPy makes one of without reading numbers one by one.
fn array<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return Ok(array.clone());
    }
    let py = object.py();
    if object.hasattr("__array__")? || object.hasattr("__array_interface__")? {
        return Ok(py.import("numpy")?.call_method1("asarray", (object,))?.cast_into()?);
    }
    let name = object.get_type().name()?.to_string();
    Err(wrong_array(py, &format!("a picture is an array, not {name}"), "`np.asarray` makes one"))
}

/// A picture with or without alpha, of any type but `mask` and `labels` with channels.
pub(crate) fn picture(object: &Bound<'_, PyAny>) -> PyResult<Picture> {
    let array = array(object)?;
    if let [height, width, 4] = *array.shape() {
        let numbers = numbers(&array)?;
        let py = array.py();
        let planes = array.as_any();
        let all = pyo3::types::PySlice::full(py);
        let rgb = planes.get_item((&all, &all, pyo3::types::PySlice::new(py, 0, 3, 1)))?;
        let alpha = planes.get_item((&all, &all, 3))?;
        let alpha: Plane<u8> = match numbers {
            Numbers::U8 => plane::<u8, u8>(alpha.cast()?, width, height)?,
            Numbers::U16 => {
                plane::<u16, u16>(alpha.cast()?, width, height)?.map(|a| ((u32::from(a) + 128) / 257) as u8)
            }
            Numbers::F32 => plane::<f32, f32>(alpha.cast()?, width, height)?
                .map(|a| (a.clamp(0.0, 1.0) * 255.0 + 0.5) as u8),
            _ => {
                return Err(wrong_array(
                    py,
                    "four channels are red, green, blue and alpha",
                    "as uint8, uint16 or float32",
                ));
            }
        };
        return Ok(Picture { image: image(rgb.cast()?)?, alpha: Some(alpha) });
    }
    Ok(Picture { image: image(&array)?, alpha: None })
}

/// An image of an array of two or three dimensions.
fn image(array: &Bound<'_, PyUntypedArray>) -> PyResult<Image> {
    let numbers = numbers(array)?;
    match *array.shape() {
        [height, width] => match numbers {
            Numbers::Bool => mask_of_bools(array, width, height),
            Numbers::U8 => Ok(Image::Gray8(plane::<u8, u8>(array, width, height)?)),
            Numbers::U16 => Ok(Image::Gray16(plane::<u16, u16>(array, width, height)?)),
            Numbers::U32 => Ok(Image::Labels(plane::<u32, u32>(array, width, height)?)),
            Numbers::I32 => labels(array, width, height),
            Numbers::F32 => Ok(Image::GrayF32(plane::<f32, f32>(array, width, height)?)),
        },
        [height, width, 3] => match numbers {
            Numbers::U8 => Ok(Image::Rgb8(plane::<u8, [u8; 3]>(array, width, height)?)),
            Numbers::U16 => Ok(Image::Rgb16(plane::<u16, [u16; 3]>(array, width, height)?)),
            Numbers::F32 => Ok(Image::RgbF32(plane::<f32, [f32; 3]>(array, width, height)?)),
            Numbers::Bool | Numbers::U32 | Numbers::I32 => Err(wrong_array(
                array.py(),
                "masks and labels have two dimensions, not three",
                "take one channel: `array[..., 0]`",
            )),
        },
        ref shape => {
            let hint = match shape {
                [_, _, 1] => "take the channel away: `array[..., 0]`",
                [_, _, 4] => "an operation takes no alpha: `array[..., :3]`; a `Pipeline` does",
                [3, _, _] => "put the channels last: `np.moveaxis(array, 0, -1)`",
                [_, _, _, 3] => "give the pictures one by one",
                _ => "height and width, or height, width and 3 channels in the order red, green, blue",
            };
            let error = lyncean::Error::shape(format!("an array of shape {shape:?} is no picture"));
            Err(crate::error::raised(array.py(), &error.with_hint(hint)))
        }
    }
}

fn at_home(image: Image) -> Value {
    Value::Image(ImageValue { image: made::context().share(image), map: Affine::IDENTITY })
}

/// Whether all bytes are 0 or 255: block by block, since a loop that may stop anywhere looks at one at a time.
fn is_mask(bytes: &[u8]) -> bool {
    bytes.chunks(4096).all(|block| {
        let others = block.iter().fold(0, |others, &byte| others | u8::from((byte != 0) & (byte != 255)));
        others == 0
    })
}

/// The value of an object for a port that takes `accepts`.
pub(crate) fn value(object: &Bound<'_, PyAny>, accepts: &[PortType], masks: Masks) -> PyResult<Value> {
    let takes = |ty: DataType| accepts.contains(&PortType::Data(ty));
    if let Ok(dict) = object.cast::<PyDict>() {
        return records::measures(dict);
    }
    if let Ok(list) = object.cast::<PyList>() {
        return if takes(DataType::Classes) {
            records::classes(list)
        } else {
            Ok(Value::Objects(Arc::new(records::objects(list)?)))
        };
    }
    if let Ok(objects) = object.cast::<Objects>() {
        return Ok(Value::Objects(objects.get().shared()));
    }
    if let Ok(outputs) = object.cast::<PyTuple>() {
        return first_that_fits(outputs, accepts, masks);
    }
    let array = array(object)?;
    if array.ndim() == 1 && takes(DataType::Vector) {
        if numbers(&array)? != Numbers::F32 {
            return Err(wrong_array(
                array.py(),
                "a vector is float32",
                "convert it: `array.astype(np.float32)`",
            ));
        }
        return Ok(Value::Vector(Arc::new(values::<f32>(&array)?)));
    }
    match image(&array)? {
        Image::Gray8(plane)
            if masks == Masks::Bytes
                && accepts.contains(&types::MASK)
                && !accepts.contains(&types::GRAY8)
                && is_mask(plane.as_slice()) =>
        {
            Ok(at_home(Image::Mask(plane)))
        }
        image => Ok(at_home(image)),
    }
}

/// Of a stage with several outputs the first that fits, as `in = "name"` means it.
fn first_that_fits(outputs: &Bound<'_, PyTuple>, accepts: &[PortType], masks: Masks) -> PyResult<Value> {
    let mut first = None;
    for output in outputs.iter().filter(|output| !output.is_none()) {
        let value = value(&output, accepts, masks)?;
        if accepts.contains(&value.ty()) {
            return Ok(value);
        }
        first.get_or_insert(value);
    }
    first.ok_or_else(|| pyo3::exceptions::PyTypeError::new_err("an input is an empty tuple"))
}

//! Pictures in files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lyncean::image::codec::{self, Compression, Format, Limits, ReadOptions, WriteOptions};
use lyncean::image::{Image, Plane};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{OrRaise, raised};
use crate::given::{self, Masks};
use crate::made;

/// Reads a picture, upright; with its alpha as a fourth channel where that is asked for.
#[pyfunction]
#[pyo3(signature = (path, page, alpha))]
pub(crate) fn imread(py: Python<'_>, path: PathBuf, page: Option<usize>, alpha: bool) -> PyResult<Py<PyAny>> {
    let read = || {
        let options = ReadOptions { limits: Limits::default(), page, ..ReadOptions::default() };
        codec::read_page_of(&path, &options)
    };
    let picture = py.detach(read).or_raise(py)?;
    let image = made::array(py, Arc::new(picture.image), Masks::Bool)?;
    match (picture.alpha, alpha) {
        (Some(plane), true) => {
            let alpha = made::array(py, Arc::new(Image::Gray8(plane)), Masks::Bool)?;
            let pair = (image, alpha);
            Ok(pyo3::IntoPyObject::into_pyobject(pair, py)?.into_any().unbind())
        }
        (None, true) => Ok(pyo3::IntoPyObject::into_pyobject((image, py.None()), py)?.into_any().unbind()),
        _ => Ok(image),
    }
}

fn format(path: &Path) -> PyResult<Format> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "png" => Ok(Format::Png),
        "jpg" | "jpeg" => Ok(Format::Jpeg),
        "tif" | "tiff" => Ok(Format::Tiff),
        _ => Err(PyValueError::new_err(format!(
            "no format is known by the ending of `{}`\nhint: `.png`, `.jpg` and `.tif` are written",
            path.display()
        ))),
    }
}

/// Writes an array as a picture.
#[pyfunction]
#[pyo3(signature = (path, array, quality, small))]
pub(crate) fn imwrite(
    py: Python<'_>,
    path: PathBuf,
    array: &Bound<'_, PyAny>,
    quality: u8,
    small: bool,
) -> PyResult<()> {
    let format = format(&path)?;
    let given::Picture { image, alpha } = given::picture(array)?;
    if alpha.is_some() {
        let error = lyncean::Error::unsupported("alpha is read, but not written");
        return Err(raised(py, &error.with_hint("take it away: `array[..., :3]`")));
    }
    let compression = if small { Compression::Small } else { Compression::Fast };
    let options = WriteOptions { quality, compression };
    py.detach(|| codec::write(&path, &image, format, &options)).or_raise(py)
}

/// A picture that comes along.
#[pyfunction]
pub(crate) fn builtin(py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
    let Some(bytes) = lyncean::image::builtin::picture(name) else {
        let known = lyncean::image::builtin::PICTURES.iter().map(|(known, _)| known.trim_end_matches(".png"));
        let error = lyncean::Error::input(format!("there is no built-in picture `{name}`"));
        let names = known.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint =
            lyncean::document::did_you_mean(name, known).unwrap_or_else(|| format!("there are {names}"));
        return Err(raised(py, &error.with_hint(hint)));
    };
    let picture = codec::read_bytes(bytes, name, &Limits::default()).or_raise(py)?;
    made::array(py, Arc::new(picture.image), Masks::Bool)
}

/// A small PNG of any image, to be looked at: no side is longer than `most`.
#[pyfunction]
pub(crate) fn preview_png<'py>(
    py: Python<'py>,
    array: &Bound<'py, PyAny>,
    most: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let image = given::picture(array)?.image;
    let encode = || {
        let shown = lyncean::ops::preview::preview(&smaller(&image, most));
        codec::encode(&shown, Format::Png, &WriteOptions::default())
    };
    let bytes = py.detach(encode).or_raise(py)?;
    Ok(PyBytes::new(py, &bytes))
}

/// The address of the first pixel that a stage would read of an array: the array's own where it has no gaps.
#[pyfunction]
pub(crate) fn pixels_at(array: &Bound<'_, PyAny>) -> PyResult<usize> {
    Ok(given::picture(array)?.image.plane_bytes(0).as_ptr() as usize)
}

/// Every so many pixels of an image: values stay what they are, so that labels and masks can be shown.
fn smaller(image: &Image, most: usize) -> Image {
    let step = image.width().max(image.height()).div_ceil(most.max(1)).max(1);
    let (width, height) = (image.width().div_ceil(step), image.height().div_ceil(step));
    macro_rules! thinned {
        ($plane:expr) => {
            Plane::from_fn(width, height, |x, y| $plane.get(x * step, y * step))
        };
    }
    match image {
        Image::Gray8(plane) => Image::Gray8(thinned!(plane)),
        Image::Gray16(plane) => Image::Gray16(thinned!(plane)),
        Image::GrayF32(plane) => Image::GrayF32(thinned!(plane)),
        Image::Rgb8(plane) => Image::Rgb8(thinned!(plane)),
        Image::Rgb16(plane) => Image::Rgb16(thinned!(plane)),
        Image::RgbF32(plane) => Image::RgbF32(thinned!(plane)),
        Image::Mask(plane) => Image::Mask(thinned!(plane)),
        Image::Labels(plane) => Image::Labels(thinned!(plane)),
        Image::Gradient(_) => image.clone(),
    }
}

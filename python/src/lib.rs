//! `lyncean._lyncean`: the extension module behind the Python package.
//!
//! It knows no stage by name. Python gets the registry as JSON and makes functions, docs and stubs of it;
//! calls come back with the index of a kind. What users import is in `python/lyncean`.

#![allow(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

mod error;
mod files;
mod given;
mod learn;
mod made;
mod objects;
mod operation;
mod parameter;
mod pipeline;
mod predict;
mod records;
mod registry;
mod wait;

use pyo3::prelude::*;

#[pymodule]
fn _lyncean(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(registry::names, module)?)?;
    module.add_function(wrap_pyfunction!(registry::entry, module)?)?;
    module.add_function(wrap_pyfunction!(registry::outputs, module)?)?;
    module.add_function(wrap_pyfunction!(files::imread, module)?)?;
    module.add_function(wrap_pyfunction!(files::imwrite, module)?)?;
    module.add_function(wrap_pyfunction!(files::builtin, module)?)?;
    module.add_function(wrap_pyfunction!(files::preview_png, module)?)?;
    module.add_function(wrap_pyfunction!(files::pixels_at, module)?)?;
    module.add_function(wrap_pyfunction!(learn::train_net, module)?)?;
    module.add_function(wrap_pyfunction!(learn::train_linear, module)?)?;
    module.add_function(wrap_pyfunction!(learn::compare, module)?)?;
    module.add_function(wrap_pyfunction!(predict::predict, module)?)?;
    module.add_class::<operation::Function>()?;
    module.add_class::<objects::Objects>()?;
    module.add_class::<pipeline::PipelineCore>()
}

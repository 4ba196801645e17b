//! Pipelines: loading, running, and what is told of them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lyncean::document::Source;
use lyncean::image::{Affine, ImageType};
use lyncean::ops::Context;
use lyncean::ops::row::Shape;
use lyncean::pipeline::{Loader, Pipeline, RunOptions, Save};
use lyncean::stage::{ImageValue, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::error::OrRaise;
use crate::given::{self, Masks};
use crate::made;
use crate::wait::Pace;

/// A stage's name, its kind, the names of its outputs, and their values; `None` where one was not kept.
type StageEntry = (String, &'static str, Vec<&'static str>, Vec<Option<Py<PyAny>>>);

/// What one run gave: the stages in order, and the last image.
type RunEntry = (Vec<StageEntry>, Option<Py<PyAny>>);

/// A checked pipeline; `lyncean.Pipeline` wraps it.
#[pyclass(frozen, module = "lyncean._lyncean")]
pub(crate) struct PipelineCore {
    pipeline: Pipeline,
    pace: Pace,
    declared: Mutex<Vec<(ImageType, Arc<Declared>)>>,
}

/// The kind of each stage, and the names of its outputs.
type Declared = Vec<(&'static str, Vec<&'static str>)>;

impl PipelineCore {
    fn of(pipeline: Pipeline) -> Self {
        Self { pipeline, pace: Pace::default(), declared: Mutex::default() }
    }

    /// What the stages give for pictures of a type; told once and kept.
    fn declared(&self, ty: ImageType) -> lyncean::Result<Arc<Declared>> {
        let mut known = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, declared)) = known.iter().find(|(known, _)| *known == ty) {
            return Ok(Arc::clone(declared));
        }
        let kinds = self.pipeline.connections().into_iter().map(|(_, kind, _)| kind);
        let names = self.pipeline.types(ty)?.into_iter();
        let names = names.map(|outputs| outputs.into_iter().map(|(name, _)| name).collect());
        let declared: Arc<Declared> = Arc::new(kinds.zip(names).collect());
        known.push((ty, Arc::clone(&declared)));
        Ok(declared)
    }
}

#[pymethods]
impl PipelineCore {
    /// From a text; relative paths in it start from `base`.
    #[staticmethod]
    #[pyo3(signature = (text, name, base))]
    fn parse(py: Python<'_>, text: &str, name: &str, base: Option<PathBuf>) -> PyResult<Self> {
        let source = Source::new(name, text);
        let source = base.into_iter().fold(source, Source::with_folder);
        py.detach(|| Loader::new().parse(source)).or_raise(py).map(Self::of)
    }

    /// From a file, or `builtin:NAME`.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| Loader::new().load(path)).or_raise(py).map(Self::of)
    }

    #[getter]
    fn text(&self) -> &str {
        self.pipeline.source().text()
    }

    #[getter]
    fn name(&self) -> &str {
        self.pipeline.source().name()
    }

    #[getter]
    fn base(&self) -> Option<PathBuf> {
        self.pipeline.source().folder().map(std::path::Path::to_path_buf)
    }

    #[getter]
    fn connections(&self) -> Vec<(String, &'static str, Vec<String>)> {
        self.pipeline.connections()
    }

    #[getter]
    fn accepted(&self) -> Vec<&'static str> {
        self.pipeline.accepted().iter().map(|ty| ty.as_str()).collect()
    }

    /// The plan in words, for pictures of one type and size.
    fn explain(
        &self,
        py: Python<'_>,
        ty: &str,
        width: usize,
        height: usize,
        threads: usize,
    ) -> PyResult<String> {
        let ty = ImageType::READ.into_iter().find(|known| known.as_str() == ty).ok_or_else(|| {
            let names = ImageType::READ.map(ImageType::as_str).join(", ");
            pyo3::exceptions::PyValueError::new_err(format!("there are no pictures of type `{ty}`: {names}"))
        })?;
        let context = Context::default().with_threads(threads);
        let options = RunOptions { context, ..RunOptions::default() };
        Ok(self.pipeline.plan(Shape::new(ty, width, height), &options).or_raise(py)?.explain())
    }

    /// Runs on a picture.
    fn run(
        &self,
        py: Python<'_>,
        picture: &Bound<'_, PyAny>,
        save: &Bound<'_, PyAny>,
        threads: usize,
        masks: &str,
    ) -> PyResult<RunEntry> {
        let masks = Masks::named(masks)?;
        let save = saved(save)?;
        let given::Picture { image, alpha } = given::picture(picture)?;
        let ty = image.ty();
        let pixels = image.width() * image.height();
        let image = made::context().share(image);
        let work = |context: &Context| {
            let options = RunOptions { context: context.clone(), save };
            self.pipeline.run_with(image, alpha.as_ref(), &options)
        };
        let results = self.pace.run(py, threads, pixels, work)?;
        let (stages, output) = results.or_raise(py)?.into_parts();
        let declared = self.declared(ty).or_raise(py)?;
        // One list of values, in which images that are there twice are found.
        let counts: Vec<usize> = stages.iter().map(|stage| stage.values.len()).collect();
        let mut names = Vec::new();
        let mut kept = Vec::new();
        let mut values = Vec::new();
        for stage in stages {
            names.push(stage.name);
            for (name, value) in stage.values {
                kept.push(name);
                values.push(value);
            }
        }
        let has_output = output.is_some();
        values.extend(output.map(|image| Value::Image(ImageValue { image, map: Affine::IDENTITY })));
        let mut objects = made::all(py, values, masks)?;
        let output = if has_output { objects.pop() } else { None };
        let mut pairs = kept.into_iter().zip(objects);
        let mut entries = Vec::new();
        for ((name, count), (kind, fields)) in names.into_iter().zip(counts).zip(&*declared) {
            let mut there: Vec<(&str, Py<PyAny>)> = pairs.by_ref().take(count).collect();
            let take = |field: &&str| {
                let at = there.iter().position(|(name, _)| name == field)?;
                Some(there.swap_remove(at).1)
            };
            let values = fields.iter().map(take).collect();
            entries.push((name, *kind, fields.clone(), values));
        }
        Ok((entries, output))
    }
}

/// What `save` says: nothing, names of stages, or "all".
fn saved(save: &Bound<'_, PyAny>) -> PyResult<Save> {
    if save.is_none() {
        return Ok(Save::Nothing);
    }
    if let Ok(word) = save.extract::<String>() {
        return Ok(if word == "all" { Save::All } else { Save::Stages(vec![word]) });
    }
    let names: Vec<String> = save
        .extract()
        .map_err(|_| PyTypeError::new_err("`save` is \"all\", the name of a stage, or a list of names"))?;
    Ok(if names.is_empty() { Save::Nothing } else { Save::Stages(names) })
}

/// The sources of pipelines given by path or as they are.
pub(crate) fn sources(py: Python<'_>, pipelines: &Bound<'_, PyList>) -> PyResult<Vec<Source>> {
    let source = |object: Bound<'_, PyAny>| match object.cast::<PipelineCore>() {
        Ok(core) => Ok(core.get().pipeline.source().clone()),
        Err(_) => lyncean::pipeline::read_source(&object.extract::<PathBuf>()?).or_raise(py),
    };
    pipelines.iter().map(source).collect()
}

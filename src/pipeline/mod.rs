//! Pipelines: from a file to a checked graph, to a plan, to results.
//!
//! ```text
//! text -> File (stages, references) -> types per input type -> Lowering -> Plan -> Results
//! ```

#[cfg(feature = "files")]
mod cache;
#[cfg(feature = "files")]
mod cached;
mod explain;
mod file;
mod graph;
mod operation;
mod plan;
mod results;
mod rewrite;
mod run;
mod schema;
mod session;
mod stream;
mod values;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};

#[cfg(feature = "files")]
pub use cache::Cache;
#[cfg(feature = "files")]
pub use cached::Decoded;
pub use file::Schedule;
pub use operation::Operation;
pub use plan::Plan;
pub use results::{Results, StageResults};
pub use schema::schema;
pub use session::Session;

use crate::document::{Diagnostics, Resources, Source};
#[cfg(feature = "files")]
use crate::image::codec::Decode;
use crate::image::{Image, ImageType, Plane};
use crate::ops::Context;
use crate::ops::row::Shape;
use crate::stage::{self, Kind};
use crate::{Error, Result};

/// A checked pipeline, ready to run on images; shareable between threads.
///
/// ```
/// use lyncean::image::{Image, ImageType};
/// use lyncean::pipeline::Pipeline;
///
/// let pipeline = Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"sobel\"")?;
/// assert_eq!(pipeline.stage_names().collect::<Vec<_>>(), ["sobel"]);
/// assert!(pipeline.accepted().contains(&ImageType::Gray8));
/// let edges = pipeline.run(&Image::new(ImageType::Gray8, 8, 8))?;
/// assert_eq!(edges.output().unwrap().ty(), ImageType::GrayF32);
/// # Ok::<(), lyncean::Error>(())
/// ```
pub struct Pipeline {
    file: file::File,
    source: Source,
    accepted: Vec<ImageType>,
    resources: BTreeMap<String, String>,
    plans: Mutex<HashMap<PlanKey, Arc<Plan>>>,
    rooms: session::Rooms,
}

/// Shape, saved images, fused, threads, rows of a strip: all that a plan depends on.
type PlanKey = (Shape, Save, bool, usize, Option<usize>);

/// Which intermediate images are wanted beside the final one.
///
/// ```
/// use std::sync::Arc;
/// use lyncean::image::{Image, Plane};
/// use lyncean::pipeline::{Pipeline, RunOptions, Save};
///
/// let text = "version = 1\n[[stage]]\nuse = \"invert\"\n[[stage]]\nuse = \"threshold\"\nlevel = 100";
/// let options = RunOptions { save: Save::Stages(vec!["invert".into()]), ..RunOptions::default() };
/// let image = Arc::new(Image::Gray8(Plane::filled(2, 2, 55)));
/// let results = Pipeline::from_toml(text)?.run_with(image, None, &options)?;
/// assert_eq!(results.image("invert")?.as_gray8()?.get(0, 0), 200);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Save {
    /// None.
    #[default]
    Nothing,
    /// Those of the named stages.
    Stages(Vec<String>),
    /// Those of all stages.
    All,
}

/// How a pipeline is loaded.
///
/// ```
/// use lyncean::document::Source;
/// use lyncean::image::{Image, Plane};
/// use lyncean::pipeline::Loader;
///
/// let text = "version = 1\n[[stage]]\nuse = \"load\"\nfile = \"background\"";
/// let pipeline = Loader::new()
///     .give_picture("background", Image::Gray8(Plane::filled(2, 2, 40)))
///     .parse(Source::new("inline", text))?;
/// let results = pipeline.run(&Image::Gray8(Plane::filled(2, 2, 0)))?;
/// assert_eq!(results.output().unwrap().as_gray8()?.get(1, 1), 40);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Default)]
pub struct Loader<'a> {
    kinds: Vec<&'a [&'static Kind]>,
    overrides: Vec<(String, String)>,
    until: Option<String>,
    resources: Option<Resources>,
    given: Vec<(String, Given)>,
}

/// What the host has for a name.
enum Given {
    Bytes(Arc<[u8]>),
    Picture(Arc<Image>),
}

impl<'a> Loader<'a> {
    /// A loader that knows the stages of this crate.
    pub fn new() -> Self {
        Self { kinds: vec![stage::ALL], ..Self::default() }
    }

    /// Adds further kinds of stages.
    #[must_use]
    pub fn with_kinds(mut self, kinds: &'a [&'static Kind]) -> Self {
        self.kinds.push(kinds);
        self
    }

    /// Sets a parameter over what the file says: `stage.key`, and a value in TOML; what is no TOML
    /// value is taken as a string.
    #[must_use]
    pub fn with_override(mut self, path: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.push((path.into(), value.into()));
        self
    }

    /// Leaves out what comes after the stage of this name.
    #[must_use]
    pub fn until(mut self, stage: impl Into<String>) -> Self {
        self.until = Some(stage.into());
        self
    }

    /// Takes resources from here instead of the pipeline's folder and the built-ins.
    #[must_use]
    pub fn with_resources(mut self, resources: Resources) -> Self {
        self.resources = Some(resources);
        self
    }

    /// Gives the bytes of a model, cascade or template under the name that a parameter has for it, beside
    /// what is found anyway.
    #[must_use]
    pub fn give(mut self, name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        self.given.push((name.into(), Given::Bytes(bytes.into())));
        self
    }

    /// Gives a decoded picture under the name that a parameter has for it, beside what is found anyway.
    #[must_use]
    pub fn give_picture(mut self, name: impl Into<String>, image: impl Into<Arc<Image>>) -> Self {
        self.given.push((name.into(), Given::Picture(image.into())));
        self
    }

    /// Loads a pipeline file, or with `builtin:NAME` one that ships.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io), or [`Pipeline`](crate::ErrorKind::Pipeline) with
    /// [all problems](Error::diagnostics) of the file.
    pub fn load(self, path: impl AsRef<Path>) -> Result<Pipeline> {
        self.parse(read_source(path.as_ref())?)
    }

    /// Loads a pipeline from a text.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) with [all problems](Error::diagnostics) of the text.
    pub fn parse(self, source: Source) -> Result<Pipeline> {
        let kinds: Vec<&'static Kind> = self.kinds.iter().flat_map(|kinds| kinds.iter().copied()).collect();
        let mut resources = self.resources.unwrap_or_else(|| {
            Resources::new(source.folder().map(Path::to_path_buf)).with_builtin(crate::builtin::RESOURCES)
        });
        for (name, given) in self.given {
            match given {
                Given::Bytes(bytes) => resources.give(name, bytes),
                Given::Picture(image) => resources.give_picture(name, image),
            }
        }
        let mut problems = Diagnostics::new(source.clone());
        let file = file::read(&source, &kinds, &resources, &self.overrides, &mut problems);
        let (Some(mut file), true) = (file, problems.is_empty()) else {
            return Err(problems.into_error().unwrap_or_else(|| Error::pipeline("nothing was read")));
        };
        if let Some(last) = &self.until {
            cut(&mut file, last)?;
        }
        let accepted = graph::accepted_types(&file, &kinds, &mut problems);
        match problems.into_error() {
            Some(error) => Err(error),
            None => {
                let resources = resources.used();
                Ok(Pipeline {
                    file,
                    source,
                    accepted,
                    resources,
                    plans: Mutex::default(),
                    rooms: session::Rooms::default(),
                })
            }
        }
    }
}

/// Takes away the stages below `last`.
fn cut(file: &mut file::File, last: &str) -> Result<()> {
    let names = || file.stages.iter().map(|stage| stage.name.as_str());
    let Some(index) = names().position(|name| name == last) else {
        let error = Error::pipeline(format!("there is no stage `{last}`"));
        let hint = crate::document::did_you_mean(last, names());
        return Err(hint.into_iter().fold(error, Error::with_hint));
    };
    file.stages.truncate(index + 1);
    Ok(())
}

/// The text of a pipeline file, or of a built-in one named `builtin:NAME`.
///
/// ```
/// use std::path::Path;
/// use lyncean::pipeline::{Loader, read_source};
///
/// let source = read_source(Path::new("builtin:coins"))?;
/// assert!(source.text().contains("[[stage]]"));
/// assert!(Loader::new().parse(source).is_ok());
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Io`](crate::ErrorKind::Io), or [`Pipeline`](crate::ErrorKind::Pipeline) for an unknown built-in.
pub fn read_source(path: &Path) -> Result<Source> {
    let Some(name) = path.to_str().and_then(|path| path.strip_prefix("builtin:")) else {
        return Source::read(path);
    };
    let known = crate::builtin::PIPELINES;
    match known.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => Ok(Source::new(format!("builtin:{name}"), *text)),
        None => {
            let error = Error::pipeline(format!("there is no built-in pipeline `{name}`"));
            Err(match crate::document::did_you_mean(name, known.iter().map(|(name, _)| *name)) {
                Some(hint) => error.with_hint(hint),
                None => error,
            })
        }
    }
}

/// How a run is carried out and what it keeps.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Instruction set, threads and cancellation. The pipeline's `[schedule]` is applied on top,
    /// where it says something.
    pub context: Context,
    /// Which intermediate images are kept.
    pub save: Save,
}

impl Pipeline {
    /// Loads a pipeline from a text; resources are built-ins only.
    ///
    /// ```
    /// use lyncean::pipeline::Pipeline;
    ///
    /// assert!(Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"gray\"").is_ok());
    /// let error = Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"grey\"").err().unwrap();
    /// assert!(error.to_string().contains("did you mean `gray`?"));
    /// ```
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) with [all problems](Error::diagnostics) of the text.
    pub fn from_toml(text: &str) -> Result<Self> {
        Loader::new().parse(Source::new("pipeline", text))
    }

    /// Loads a pipeline file, or with `builtin:NAME` one that ships.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io), or [`Pipeline`](crate::ErrorKind::Pipeline) with
    /// [all problems](Error::diagnostics) of the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Loader::new().load(path)
    }

    /// Loads a pipeline file that may use further kinds of stages.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(path: impl AsRef<Path>, kinds: &[&'static Kind]) -> Result<Self> {
        Loader::new().with_kinds(kinds).load(path)
    }

    /// What it computes, as JSON: every stage with its name, inputs and the parameters that were given,
    /// overrides among them. `[schedule]` is not in it, since that changes no result.
    ///
    /// ```
    /// use lyncean::pipeline::Pipeline;
    ///
    /// let pipeline = Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"gray\"")?;
    /// assert_eq!(pipeline.resolved()["stages"][0]["use"], "gray");
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    pub fn resolved(&self) -> serde_json::Value {
        let stages = self.file.stages.iter().map(|stage| {
            let mut entry = serde_json::json!({ "use": stage.kind.name, "name": stage.name });
            let inputs: Vec<String> = stage.inputs.iter().map(|input| self.input_name(input)).collect();
            entry["in"] = inputs.into();
            entry["parameters"] = stage.parameters.clone();
            entry
        });
        let mut resolved = serde_json::json!({ "version": file::VERSION });
        let file::Input { ty, is_gray } = self.file.input;
        if let Some(ty) = ty {
            resolved["input"]["type"] = ty.as_str().into();
        }
        if is_gray {
            resolved["input"]["decode"] = "gray".into();
        }
        resolved["stages"] = stages.collect();
        resolved
    }

    /// Names and fingerprints (BLAKE3, hexadecimal) of the resources it was made with.
    pub fn resources(&self) -> &BTreeMap<String, String> {
        &self.resources
    }

    fn input_name(&self, input: &file::Reference) -> String {
        let stage = input.stage.map_or("input", |stage| self.file.stages[stage].name.as_str());
        match &input.output {
            Some(output) => format!("{stage}.{output}"),
            None => stage.to_owned(),
        }
    }

    /// The text it was made from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The types of pictures it takes.
    pub fn accepted(&self) -> &[ImageType] {
        &self.accepted
    }

    /// What is to be decoded of pictures in files: the luma alone where the file says `[input]
    /// decode = "gray"`.
    ///
    /// Images that still have colours are turned at once then, as by the stage `gray`.
    #[cfg(feature = "files")]
    pub fn decode(&self) -> Decode {
        if self.file.input.is_gray { Decode::Luma } else { Decode::Stored }
    }

    /// The names of its stages, in order.
    pub fn stage_names(&self) -> impl Iterator<Item = &str> {
        self.file.stages.iter().map(|stage| stage.name.as_str())
    }

    /// The stages with what they read, as `(name, kind, inputs)`: for drawing the graph.
    pub fn connections(&self) -> Vec<(String, &'static str, Vec<String>)> {
        let inputs = |stage: &file::StageDecl| {
            let name = |reference: &file::Reference| {
                let base = reference.stage.map_or("input", |index| self.file.stages[index].name.as_str());
                reference.output.as_ref().map_or_else(|| base.to_owned(), |output| format!("{base}.{output}"))
            };
            stage.inputs.iter().map(name).collect()
        };
        self.file.stages.iter().map(|stage| (stage.name.clone(), stage.kind.name, inputs(stage))).collect()
    }

    /// What the file's `[schedule]` says.
    pub fn schedule(&self) -> &Schedule {
        &self.file.schedule
    }

    /// The outputs of each stage for a type of picture.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the pipeline does not take such pictures.
    pub fn types(&self, input: ImageType) -> Result<Vec<Vec<stage::Output>>> {
        self.accepts(input)?;
        graph::types(&self.file, &[], input).map_err(|_| self.refusal(input))
    }

    /// The context of a run: the options', with the file's schedule applied.
    pub fn context(&self, options: &RunOptions) -> Context {
        self.file.schedule.apply(options.context.clone())
    }

    /// The plan for pictures of one type and size; made once, then kept.
    ///
    /// ```
    /// use lyncean::image::ImageType;
    /// use lyncean::ops::row::Shape;
    /// use lyncean::pipeline::{Pipeline, RunOptions};
    ///
    /// let text = "version = 1\n[[stage]]\nuse = \"sobel\"\n[[stage]]\nuse = \"threshold\"\nlevel = 9";
    /// let plan = Pipeline::from_toml(text)?.plan(Shape::new(ImageType::Gray8, 64, 48), &RunOptions::default())?;
    /// assert_eq!(plan.runs(), 1); // both stages, row by row
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the pipeline does not take such pictures.
    pub fn plan(&self, shape: Shape, options: &RunOptions) -> Result<Arc<Plan>> {
        let cx = self.context(options);
        let fuse = self.file.schedule.fuse.unwrap_or(true);
        let key = (shape, options.save.clone(), fuse, cx.threads, cx.strip_rows);
        if let Some(plan) = self.plans.lock().ok().and_then(|plans| plans.get(&key).cloned()) {
            return Ok(plan);
        }
        self.accepts(shape.ty)?;
        let lowered = graph::lower(&self.file, shape)?;
        let plan = Arc::new(Plan::new(&self.file, lowered, &options.save, fuse, &cx)?);
        if let Ok(mut plans) = self.plans.lock() {
            // Folders hold few sizes; a stream of ever new ones must not fill the memory.
            if plans.len() >= 64 {
                plans.clear();
            }
            plans.insert(key, Arc::clone(&plan));
        }
        Ok(plan)
    }

    /// Runs on an image with default options.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the pipeline does not take such pictures, and
    /// whatever its stages meet.
    pub fn run(&self, image: &Image) -> Result<Results> {
        self.run_once(run::Picture::Borrowed(image), None, &RunOptions::default())
    }

    /// Runs on an image, with its alpha (0..=255) if it has one.
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`Cancelled`](crate::ErrorKind::Cancelled).
    #[expect(clippy::needless_pass_by_value, reason = "who gives the picture away saves a copy")]
    pub fn run_with(
        &self,
        image: Arc<Image>,
        alpha: Option<&Plane<u8>>,
        options: &RunOptions,
    ) -> Result<Results> {
        self.run_once(run::Picture::Shared(&image), alpha, options)
    }

    fn accepts(&self, ty: ImageType) -> Result<()> {
        if self.accepted.contains(&ty) { Ok(()) } else { Err(self.refusal(ty)) }
    }

    fn refusal(&self, ty: ImageType) -> Error {
        let accepted: Vec<String> = self.accepted.iter().map(|ty| format!("`{ty}`")).collect();
        Error::shape(format!("the pipeline takes {}, got `{ty}`", accepted.join(", ")))
            .with_hint("`gray`, `to-u8` or `to-f32` as the first stage would convert it")
    }
}

/// `input.alpha`: 255 where the picture is at least half opaque, everywhere if it has no alpha.
fn alpha_mask(image: &Image, alpha: Option<&Plane<u8>>) -> Result<Image> {
    let (width, height) = (image.width(), image.height());
    match alpha {
        None => Ok(Image::Mask(Plane::filled(width, height, 255))),
        Some(alpha) if (alpha.width(), alpha.height()) == (width, height) => {
            Ok(Image::Mask(alpha.map(|a| if a >= 128 { 255 } else { 0 })))
        }
        Some(alpha) => Err(Error::shape(format!(
            "the alpha of a {width}x{height} picture is {}x{}",
            alpha.width(),
            alpha.height()
        ))),
    }
}

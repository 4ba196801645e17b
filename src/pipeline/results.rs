//! What a pipeline gives for one picture.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::image::Image;
use crate::ops::Context;
use crate::stage::{Class, ImageValue, Measures, Object, Value};
use crate::{Error, Result};

/// The outputs of one stage that were kept: data always, images where they were asked for.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::pipeline::{Pipeline, StageResults};
///
/// let pipeline = Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"threshold\"\nmethod = \"mean\"")?;
/// let results = pipeline.run(&Image::Gray8(Plane::from_fn(4, 4, |x, _| 50 * x as u8)))?;
/// let StageResults { name, values } = &results.stages()[0];
/// let outputs: Vec<&str> = values.iter().map(|(output, _)| *output).collect();
/// assert_eq!((name.as_str(), outputs), ("threshold", vec!["image", "level"]));
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StageResults {
    /// The stage's name.
    pub name: String,
    /// Names and values of its outputs.
    pub values: Vec<(&'static str, Value)>,
}

/// The results of a pipeline on one picture, by stage name.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::pipeline::Pipeline;
///
/// let text = "version = 1\n[[stage]]\nuse = \"threshold\"\nmethod = \"otsu\"\n[[stage]]\nuse = \"label\"";
/// let image = Image::Gray8(Plane::from_fn(9, 5, |x, _| if x == 4 { 200 } else { 10 }));
/// let results = Pipeline::from_toml(text)?.run(&image)?;
/// assert_eq!(results.objects("label")?[0].bbox, [4.0, 0.0, 1.0, 5.0]);
/// assert_eq!(results.measure("threshold", "level")?, 10.0);
/// assert!(results.classes("label").is_err());
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Results {
    pub(super) stages: Vec<StageResults>,
    pub(super) output: Option<ImageValue>,
    pub(super) size: (usize, usize),
}

impl Results {
    /// The stages in order, with what was kept of them.
    pub fn stages(&self) -> &[StageResults] {
        &self.stages
    }

    /// The image of the last stage, if it gives one.
    pub fn output(&self) -> Option<&Arc<Image>> {
        self.output.as_ref().map(|value| &value.image)
    }

    /// The stages in order, with what was kept of them, and the image of the last stage: so that a sole
    /// owner can take pixels out without a copy.
    pub fn into_parts(self) -> (Vec<StageResults>, Option<Arc<Image>>) {
        (self.stages, self.output.map(|value| value.image))
    }

    /// Gives the memory of all images to the next run with this context, or with a clone of it. A
    /// loop over pictures of one size then needs no fresh memory for images.
    pub fn reuse(mut self, cx: &Context) {
        self.give_back(cx);
    }

    /// As [`reuse`](Self::reuse), and keeps the lists for the next picture.
    pub(super) fn give_back(&mut self, cx: &Context) {
        // The last image may be there twice; only its last owner's is taken.
        let output = self.output.take();
        for (_, value) in self.stages.iter_mut().flat_map(|stage| stage.values.drain(..)) {
            if let Value::Image(value) = value {
                cx.reuse(value.image);
            }
        }
        if let Some(value) = output {
            cx.reuse(value.image);
        }
    }

    /// The image of a stage that was saved.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such stage, or its image was not kept.
    pub fn image(&self, stage: &str) -> Result<&Arc<Image>> {
        self.find(
            stage,
            "image",
            |value| if let Value::Image(value) = value { Some(&value.image) } else { None },
        )
    }

    /// The objects a stage found.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such stage, or it finds none.
    pub fn objects(&self, stage: &str) -> Result<&[Object]> {
        self.find(
            stage,
            "objects",
            |v| if let Value::Objects(list) = v { Some(list.as_slice()) } else { None },
        )
    }

    /// The classes a stage gave, the most probable first.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such stage, or it gives none.
    pub fn classes(&self, stage: &str) -> Result<&[Class]> {
        self.find(
            stage,
            "classes",
            |v| if let Value::Classes(list) = v { Some(list.as_slice()) } else { None },
        )
    }

    /// The numbers a stage gave.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such stage, or it gives none.
    pub fn measures(&self, stage: &str) -> Result<&Measures> {
        self.find(stage, "measures", |v| if let Value::Measures(list) = v { Some(&**list) } else { None })
    }

    /// The list of numbers a stage gave.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such stage, or it gives none.
    pub fn vector(&self, stage: &str) -> Result<&[f32]> {
        self.find(stage, "vector", |v| if let Value::Vector(list) = v { Some(list.as_slice()) } else { None })
    }

    /// The tensor a stage gave: its shape, and its numbers row after row.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such stage, or it gives none.
    pub fn tensor(&self, stage: &str) -> Result<(&[usize], &[f32])> {
        self.find(stage, "tensor", |v| {
            if let Value::Tensor(tensor) = v {
                Some((tensor.0.as_slice(), tensor.1.as_slice()))
            } else {
                None
            }
        })
    }

    /// One of the numbers a stage gave, by name: `results.measure("threshold", "level")`.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such stage or number.
    pub fn measure(&self, stage: &str, name: &str) -> Result<f64> {
        let measures = self.measures(stage)?;
        let found = measures.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let names: Vec<String> = measures.iter().map(|(name, _)| format!("`{name}`")).collect();
            Error::pipeline(format!("stage `{stage}` measures {}, got `{name}`", names.join(", ")))
        })
    }

    /// The most probable class a stage gave.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such stage, or it gives no class.
    pub fn class(&self, stage: &str) -> Result<&Class> {
        let classes = self.classes(stage)?;
        classes.first().ok_or_else(|| Error::pipeline(format!("stage `{stage}` gave no class")))
    }

    /// The output of a stage by its name, whatever it is: of those with several, as `("label", "labels")`.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such stage or output, or it was not kept.
    pub fn value(&self, stage: &str, output: &str) -> Result<&Value> {
        let results = self.stage(stage)?;
        let found = results.values.iter().find(|(name, _)| *name == output).map(|(_, value)| value);
        found.ok_or_else(|| missing(results, &format!("output `{output}`")))
    }

    /// Size of the picture as read, in pixels.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    fn stage(&self, stage: &str) -> Result<&StageResults> {
        self.stages.iter().find(|results| results.name == stage).ok_or_else(|| {
            let error = Error::pipeline(format!("there is no stage `{stage}`"));
            let known = self.stages.iter().map(|results| results.name.as_str());
            match crate::document::did_you_mean(stage, known) {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        })
    }

    fn find<'a, T>(&'a self, stage: &str, what: &str, get: impl Fn(&'a Value) -> Option<T>) -> Result<T> {
        let results = self.stage(stage)?;
        let found = results.values.iter().find_map(|(_, value)| get(value));
        found.ok_or_else(|| missing(results, what))
    }

    /// What a record says of the picture: size, and the data of every stage that gave some.
    pub fn record(&self) -> Map<String, Json> {
        let mut record = Map::new();
        record.insert("width".into(), self.size.0.into());
        record.insert("height".into(), self.size.1.into());
        let mut results = Map::new();
        for stage in &self.stages {
            let mut entry = Map::new();
            for (_, value) in &stage.values {
                value.record(&mut entry);
            }
            if !entry.is_empty() {
                results.insert(stage.name.clone(), Json::Object(entry));
            }
        }
        record.insert("results".into(), Json::Object(results));
        record
    }
}

/// What a stage did not give, and what it did.
fn missing(results: &StageResults, what: &str) -> Error {
    let stage = &results.name;
    let error = Error::pipeline(format!("no {what} of stage `{stage}` was kept"));
    let kept: Vec<String> =
        results.values.iter().map(|(name, value)| format!("`{name}` ({})", value.ty())).collect();
    match kept.as_slice() {
        [] => error.with_hint("images between stages are kept where `RunOptions::save` asks for them"),
        _ => error.with_hint(format!("it gave {}", kept.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use crate::image::{Image, Plane};
    use crate::pipeline::{Pipeline, RunOptions, Save};
    use std::sync::Arc;

    #[test]
    fn getters_name_what_there_is() {
        let text =
            "version = 1\n[[stage]]\nuse = \"threshold\"\nmethod = \"otsu\"\n[[stage]]\nuse = \"label\"";
        let pipeline = Pipeline::from_toml(text).unwrap();
        let image = Image::Gray8(Plane::from_fn(8, 4, |x, _| if x == 2 { 200 } else { 10 }));
        let results = pipeline.run(&image).unwrap();
        assert_eq!(results.objects("label").unwrap().len(), 1);
        assert_eq!(results.measure("threshold", "level").unwrap(), 10.0);
        assert_eq!(results.size(), (8, 4));
        let hint = |error: crate::Error| error.hint().unwrap_or_default().to_owned();
        assert_eq!(hint(results.objects("labels").unwrap_err()), "did you mean `label`?");
        assert_eq!(hint(results.objects("faces").unwrap_err()), "known here: `threshold`, `label`");
        assert_eq!(hint(results.classes("threshold").unwrap_err()), "it gave `level` (measures)");
        let error = results.measure("threshold", "height").unwrap_err();
        assert_eq!(error.message(), "stage `threshold` measures `level`, got `height`");
        assert!(results.image("threshold").is_err());
        let options = RunOptions { save: Save::All, ..RunOptions::default() };
        let results = pipeline.run_with(Arc::new(image), None, &options).unwrap();
        assert_eq!(results.image("threshold").unwrap().ty().as_str(), "mask");
        assert_eq!(results.value("label", "objects").unwrap().ty().as_str(), "objects");
    }
}

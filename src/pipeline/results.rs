//! What a pipeline gives for one picture.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::image::Image;
use crate::ops::Context;
use crate::stage::{Class, ImageValue, Measures, Object, Value};
use crate::{Error, Result};

/// The outputs of one stage that were kept: data always, images where they were asked for.
#[derive(Clone, Debug)]
pub struct StageResults {
    /// The stage's name.
    pub name: String,
    /// Names and values of its outputs.
    pub values: Vec<(&'static str, Value)>,
}

/// The results of a pipeline on one picture, by stage name.
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

    fn find<'a, T>(&'a self, stage: &str, what: &str, get: impl Fn(&'a Value) -> Option<T>) -> Result<T> {
        let Some(results) = self.stages.iter().find(|results| results.name == stage) else {
            let error = Error::pipeline(format!("there is no stage `{stage}`"));
            let known = self.stages.iter().map(|results| results.name.as_str());
            return Err(match crate::document::did_you_mean(stage, known) {
                Some(hint) => error.with_hint(hint),
                None => error,
            });
        };
        let found = results.values.iter().find_map(|(_, value)| get(value));
        found.ok_or_else(|| Error::pipeline(format!("no {what} of stage `{stage}` were kept")))
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

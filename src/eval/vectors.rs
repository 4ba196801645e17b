//! The vectors that a pipeline makes of labelled pictures: what linear models are trained on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::dataset::Dataset;
use crate::ops::Context;
use crate::ops::linear::{LinearModel, Samples};
use crate::parallel::prelude::*;
use crate::pipeline::{Pipeline, RunOptions};
use crate::stage::{DataType, PortType};
use crate::{Error, Result};

/// Labelled vectors, all of one length.
///
/// ```
/// use std::path::Path;
/// use lyncean::eval::Vectors;
/// use lyncean::eval::dataset::Dataset;
/// use lyncean::ops::Context;
/// use lyncean::ops::linear::{Trained, Training, train};
/// use lyncean::pipeline::Pipeline;
///
/// let data = Dataset::open_for_test(Path::new("fixtures/digits"))?;
/// let hog = Pipeline::load("builtin:digits-hog")?;
/// let vectors = Vectors::of(&hog, &data, &Context::default(), &|_| {})?;
/// let names = data.classes().to_vec();
/// let settings = Training { max_iterations: 20, ..Training::default() };
/// let Trained { model, .. } = train(vectors.samples()?, &names, &settings, &|| false)?;
/// assert!(vectors.count_right(&model, &names)? > 290);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Vectors {
    /// One vector after another.
    pub values: Vec<f32>,
    /// Numbers of a vector.
    pub features: usize,
    /// The index of the class of each.
    pub labels: Vec<usize>,
}

impl Vectors {
    /// The vectors that the last stage of `pipeline` that gives one makes of all pictures of `data`, in order. Works
    /// on the rayon pool of the caller; `progress` is told how many are done, from several threads.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when no stage gives a vector,
    /// [`Input`](crate::ErrorKind::Input) when pictures give vectors of different lengths, whatever a
    /// picture fails with, [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn of(
        pipeline: &Pipeline,
        data: &Dataset,
        cx: &Context,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Self> {
        let stage = vector_stage(pipeline)?;
        let options = RunOptions { context: cx.clone().with_threads(1), ..RunOptions::default() };
        let done = AtomicUsize::new(0);
        let vector = |index: usize| {
            cx.check()?;
            let results =
                pipeline.run_with(Arc::new(data.image_for(index, pipeline.decode())?), None, &options)?;
            let vector = results.vector(&stage)?.to_vec();
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(vector)
        };
        let vectors = (0..data.len())
            .into_par_iter()
            .map(|index| vector(index).map_err(|error: Error| error.within(data.name(index))))
            .collect::<Result<Vec<_>>>()?;
        let features = vectors.first().map_or(0, Vec::len);
        if let Some(index) = vectors.iter().position(|vector| vector.len() != features) {
            let (name, first) = (data.name(index), data.name(0));
            return Err(Error::input(format!(
                "`{name}` gives {} numbers, `{first}` {features}",
                vectors[index].len()
            ))
            .with_hint("put `use = \"resize\"` above the stage that gives the vector"));
        }
        let labels = (0..data.len()).map(|index| data.label(index)).collect();
        Ok(Self { values: vectors.concat(), features, labels })
    }

    /// The vectors as training takes them.
    ///
    /// # Errors
    /// As [`Samples::new`].
    pub fn samples(&self) -> Result<Samples<'_>> {
        Samples::new(&self.values, self.features, &self.labels)
    }

    /// How many vectors a model gives their class, whose names are `classes`; the first of equal
    /// scores counts.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) for a model of vectors of another length.
    pub fn count_right(&self, model: &LinearModel, classes: &[String]) -> Result<u64> {
        let mut right = 0;
        for (vector, &label) in self.values.chunks_exact(self.features.max(1)).zip(&self.labels) {
            let scores = model.scores(vector)?;
            let best =
                (1..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best });
            right += u64::from(model.labels()[best] == classes[label]);
        }
        Ok(right)
    }
}

/// The last stage that gives a vector.
fn vector_stage(pipeline: &Pipeline) -> Result<String> {
    for input in pipeline.accepted() {
        let types = pipeline.types(*input)?;
        let gives = types
            .iter()
            .rposition(|outputs| outputs.iter().any(|(_, ty)| *ty == PortType::Data(DataType::Vector)));
        if let Some(at) = gives {
            return Ok(pipeline.stage_names().nth(at).unwrap_or_default().to_owned());
        }
    }
    let name = pipeline.source().name();
    Err(Error::pipeline(format!("no stage of `{name}` gives a vector"))
        .with_hint("end it with a stage such as `hog`"))
}

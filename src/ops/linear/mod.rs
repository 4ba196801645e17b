//! Linear classifiers of vectors: a weight for each number and class, and the training of them.
//!
//! Logistic regression over all classes at once, and support vector machines, one class against the
//! rest. Models are safetensors files with the names of the classes in their metadata.
//!
//! ```
//! use lyncean::ops::linear::{LinearModel, Method, Samples, Trained, Training, train};
//!
//! // Two classes of vectors of one number.
//! let (values, labels) = ([-2.0, -1.0, 1.0, 3.0], [0, 0, 1, 1]);
//! let samples = Samples::new(&values, 1, &labels)?;
//! let settings = Training { method: Method::Logistic, c: 10.0, ..Training::default() };
//! let Trained { model, is_converged, .. } = train(samples, &["low".into(), "high".into()], &settings, &|| false)?;
//! let model: LinearModel = model;
//! assert!(is_converged && model.probabilities(&[2.0])?[1] > 0.9);
//! # Ok::<(), lyncean::Error>(())
//! ```

mod dot;
mod file;
mod lbfgs;
mod logistic;
mod svm;

use super::band::Cancelled;
use crate::parallel::prelude::*;
use crate::{Error, Result};
use dot::dot;

/// What a model was trained as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Multinomial logistic regression: its probabilities are what was fitted.
    #[default]
    Logistic,
    /// Support vector machines with squared hinge loss, one class against the rest. The softmax of
    /// their scores ranks classes; it is no calibrated probability.
    Svm,
}

/// A linear classifier.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearModel {
    method: Method,
    labels: Vec<String>,
    features: usize,
    /// Row after row, one a class.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl LinearModel {
    /// A model from weights, `features` numbers a class, class after class, and a bias a class.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the sizes do not fit, or there is no class or feature.
    pub fn new(method: Method, labels: Vec<String>, weights: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        let classes = labels.len();
        let fits = classes > 0 && bias.len() == classes && weights.len().is_multiple_of(classes);
        if !fits || weights.is_empty() {
            return Err(Error::shape(format!(
                "{} weights and {} biases do not fit {classes} classes",
                weights.len(),
                bias.len()
            )));
        }
        Ok(Self { method, features: weights.len() / classes, labels, weights, bias })
    }

    /// What it was trained as.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The names of the classes.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// How many numbers a vector has.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The score of each class: weights times vector, plus bias.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) for a vector of another length.
    pub fn scores(&self, vector: &[f32]) -> Result<Vec<f64>> {
        if vector.len() != self.features {
            return Err(Error::shape(format!(
                "the model wants vectors of {} numbers, got {}",
                self.features,
                vector.len()
            ))
            .with_hint("train it anew on this pipeline with `lyncean train linear`"));
        }
        let rows = self.weights.chunks_exact(self.features).zip(&self.bias);
        Ok(rows.map(|(weights, bias)| dot(weights, vector) + f64::from(*bias)).collect())
    }

    /// The softmax of the scores, a number in 0..=1 for each class.
    ///
    /// # Errors
    /// As [`scores`](Self::scores).
    pub fn probabilities(&self, vector: &[f32]) -> Result<Vec<f64>> {
        let mut scores = self.scores(vector)?;
        logistic::softmax(&mut scores);
        Ok(scores)
    }
}

/// Labelled vectors, all of one length.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    values: &'a [f32],
    features: usize,
    labels: &'a [usize],
}

impl<'a> Samples<'a> {
    /// Vectors of `features` numbers one after another, and the index of the class of each.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when there are none, or the sizes do not fit,
    /// [`Input`](crate::ErrorKind::Input) for numbers that are not finite.
    pub fn new(values: &'a [f32], features: usize, labels: &'a [usize]) -> Result<Self> {
        if features == 0 || labels.is_empty() || features.checked_mul(labels.len()) != Some(values.len()) {
            return Err(Error::shape(format!(
                "{} numbers are not {} vectors of {features}",
                values.len(),
                labels.len()
            )));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let vector = at / features;
            return Err(Error::input(format!("vector {vector} holds {}, which is not finite", values[at])));
        }
        Ok(Self { values, features, labels })
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn vector(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.features..][..self.features]
    }
}

/// The parameters of [`train`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// What is trained.
    pub method: Method,
    /// What a sample's loss counts for against half the sum of the squared weights, above 0; the
    /// larger, the closer the data are followed.
    pub c: f64,
    /// Steps (logistic) or passes over the data (svm) at most.
    pub max_iterations: usize,
    /// Logistic: the largest slope that is taken for none, relative to that at the start. SVM: the
    /// largest difference of projected gradients.
    pub tolerance: f64,
    /// The order in which samples are taken follows from it (svm).
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self { method: Method::default(), c: 1.0, max_iterations: 200, tolerance: 1e-3, seed: 1 }
    }
}

/// A trained model, and how the training ended.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: LinearModel,
    /// Steps or passes that were taken; of machines the most that one took.
    pub iterations: usize,
    /// Whether the tolerance was reached.
    pub is_converged: bool,
}

/// Trains a linear classifier, in parallel on the pool of the caller. Equal samples and parameters give
/// the same bits for any number of threads.
///
/// Logistic regression minimises `|W|² / 2 + c Σ -log p(label)` by L-BFGS; the bias is not penalised. Machines
/// minimise `(|w|² + b²) / 2 + c Σ max(0, 1 - y (w x + b))²` by dual coordinate descent.
///
/// # Errors
/// [`Input`](crate::ErrorKind::Input) for less than two classes, a label that names none, or parameters
/// out of range, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn train(
    samples: Samples,
    labels: &[String],
    params: &Training,
    cancelled: Cancelled,
) -> Result<Trained> {
    let classes = labels.len();
    if classes < 2 {
        return Err(Error::input(format!("expected at least 2 classes, got {classes}")));
    }
    if let Some(label) = samples.labels.iter().find(|label| **label >= classes) {
        return Err(Error::input(format!("label {label} is none of {classes} classes")));
    }
    let is_positive = |value: f64| value.is_finite() && value > 0.0;
    if !is_positive(params.c) || !is_positive(params.tolerance) || params.max_iterations == 0 {
        return Err(Error::input("`c`, the tolerance and the iterations must be above 0"));
    }
    let row = samples.features + 1;
    let (rows, iterations, is_converged) = match params.method {
        Method::Logistic => logistic::train(samples, classes, params, cancelled)?,
        Method::Svm => {
            let machine = |class| svm::train(samples, class, params, cancelled);
            let machines = (0..classes).into_par_iter().map(machine).collect::<Result<Vec<_>>>()?;
            let iterations = machines.iter().map(|machine| machine.passes).max().unwrap_or_default();
            let is_converged = machines.iter().all(|machine| machine.is_converged);
            let rows: Vec<f64> = machines.into_iter().flat_map(|machine| machine.weights).collect();
            (rows, iterations, is_converged)
        }
    };
    let (mut weights, mut bias) = (Vec::new(), Vec::new());
    for row in rows.chunks_exact(row) {
        weights.extend(row[..samples.features].iter().map(|weight| *weight as f32));
        bias.push(row[samples.features] as f32);
    }
    let model = LinearModel::new(params.method, labels.to_vec(), weights, bias)?;
    Ok(Trained { model, iterations, is_converged })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three clouds that overlap a little, from a fixed sequence.
    pub(super) fn clouds(count: usize) -> (Vec<f32>, Vec<usize>) {
        let mut state = 7u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        let centres = [[0.0, 1.0, 0.5], [1.0, 0.0, 0.2], [-0.7, -0.7, 0.9]];
        let labels: Vec<usize> = (0..count).map(|i| i * 7 % 3).collect();
        let values = labels.iter().flat_map(|label| centres[*label].map(|at| at + 2.0 * noise())).collect();
        (values, labels)
    }

    fn names() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    #[test]
    #[cfg(feature = "parallel")]
    fn both_methods_tell_clouds_apart_with_the_same_bits_on_any_pool() {
        let (values, labels) = clouds(700);
        let samples = Samples::new(&values, 3, &labels).unwrap();
        for method in [Method::Logistic, Method::Svm] {
            let params = Training { method, ..Training::default() };
            let work = || train(samples, &names(), &params, &|| false).unwrap();
            let pool =
                |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work);
            let (one, three) = (pool(1), pool(3));
            assert_eq!(one.model, three.model);
            assert!(one.is_converged, "{method:?} {}", one.iterations);
            let right = (0..700).filter(|&i| {
                let p = one.model.probabilities(samples.vector(i)).unwrap();
                assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                (0..3).all(|class| p[labels[i]] >= p[class])
            });
            assert!(right.count() > 560, "{method:?}");
        }
    }

    #[test]
    fn what_cannot_be_trained_is_an_error() {
        let (values, labels) = clouds(9);
        assert!(Samples::new(&values, 2, &labels).is_err());
        assert!(Samples::new(&[], 3, &[]).is_err());
        assert!(Samples::new(&[f32::NAN, 1.0], 1, &[0, 1]).is_err());
        let samples = Samples::new(&values, 3, &labels).unwrap();
        let params = Training::default();
        assert!(train(samples, &names()[..2], &params, &|| false).is_err());
        assert!(train(samples, &names(), &Training { c: 0.0, ..params }, &|| false).is_err());
        for method in [Method::Logistic, Method::Svm] {
            let error = train(samples, &names(), &Training { method, ..params }, &|| true).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Cancelled);
        }
        let model = train(samples, &names(), &params, &|| false).unwrap().model;
        assert!(model.scores(&[1.0]).is_err());
    }
}

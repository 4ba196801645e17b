//! A look at a net before hours are spent on it: gradients against finite differences, one batch learned by heart,
//! units that never fire, gradients that explode or vanish.

use super::compare::{Wanted, compare};
use super::measure::training_batch;
use super::{Examples, Part, Target, TrainNet, prepared};
use crate::Result;
use crate::nn::layer::Mode;
use crate::nn::loss::IGNORED;
use crate::nn::optim::{Optimiser, clip};
use crate::nn::{Grads, Net, Rng, Tensor};

/// Samples of the batch at most, and steps in which it should be learned.
const BATCH: usize = 32;
/// The same for pictures with masks, each pixel of which is a sample.
const MASKED_BATCH: usize = 4;
const STEPS: usize = 100;
/// The largest difference of a derivative and its finite difference, as a share of the larger one. Single precision
/// and the kinks of relu and max-pooling account for some hundredths.
const TOLERANCE: f64 = 0.1;
/// Gradients with a norm outside of these, in norms of their weights, explode or vanish.
const RATIOS: std::ops::Range<f64> = 1e-6..1e3;

/// What [`check`] finds.
#[derive(Clone, Debug)]
pub struct NetCheck {
    /// Samples of the batch.
    pub samples: usize,
    /// A row for each parameter that learns.
    pub params: Vec<ParamCheck>,
    /// For each relu layer its name, the units that fire nowhere in the batch, and all units.
    pub units: Vec<(String, usize, usize)>,
    /// The loss of the batch before the first step.
    pub first_loss: f64,
    /// The least loss in training on this batch alone.
    pub least_loss: f64,
    /// The step, from 1, with that loss, and how many were taken.
    pub steps: [usize; 2],
    /// What is wrong, each with a hint.
    pub problems: Vec<(String, String)>,
}

/// A parameter with its gradient on one batch.
#[derive(Clone, Debug)]
pub struct ParamCheck {
    /// `layer.param`.
    pub name: String,
    /// Euclidean norm of its values.
    pub norm: f64,
    /// Euclidean norm of its gradient.
    pub gradient: f64,
    /// The derivative along a direction less its finite difference, as a share of the larger one; 0 where both are
    /// below what single precision tells.
    pub error: f64,
}

/// Checks a net on one batch of up to 32 examples, 4 with masks: as many problems as there are come at once.
///
/// - The derivative of the loss along a direction of each parameter, half along its gradient and half at random, must
///   equal central differences with one of three steps up to 10%.
/// - 100 steps on the batch alone, with the optimiser and the first rate of the settings, must bring the loss to a
///   fifth, or to half with every sample right.
/// - Half of the units of a relu layer or more that fire for no sample are dead.
/// - The gradient's norm of a weight must be from 1e-6 to 1e3 of the weight's norm.
///
/// # Errors
/// As [`run`](super::run); nothing is written.
pub fn check(job: &TrainNet, examples: &dyn Examples) -> Result<NetCheck> {
    job.settings.check()?;
    crate::parallel::in_threads(job.settings.threads, || Check::new(job, examples)?.run())
}

struct Check<'a> {
    job: &'a TrainNet,
    net: Net,
    x: Tensor,
    labels: Vec<usize>,
    mode: Mode,
}

impl<'a> Check<'a> {
    fn new(job: &'a TrainNet, examples: &dyn Examples) -> Result<Self> {
        let rng = Rng::new(job.settings.seed);
        let net = prepared(job, examples)?;
        let (training, _) = Part::split(examples, job.settings.validation, rng.stream("split"));
        let most = if job.settings.target == Target::Mask { MASKED_BATCH } else { BATCH };
        let count = job.settings.batch.min(most).min(training.indices.len());
        let (rng, indices) = (rng.stream("check"), &training.indices[..count]);
        let (x, labels) = training_batch(net.arch(), examples, indices, &job.settings, rng, None)?;
        // Every pass drops the same units, so that the loss is a function of the parameters alone.
        Ok(Self { job, net, x, labels, mode: Mode::training(rng) })
    }

    fn loss(&self) -> Result<f64> {
        Ok(self.loss_and_grads(false)?.0)
    }

    fn loss_and_grads(&self, backward: bool) -> Result<(f64, bool, Grads)> {
        let (y, tape) = self.net.record(&self.x, &self.mode)?;
        let wanted = Wanted { labels: &self.labels, input: &self.x };
        let result = compare(&y, &wanted, &self.job.settings)?;
        let (mut total, mut heads) = (result.loss, Vec::new());
        for (head, y) in self.net.arch().heads.iter().zip(tape.heads()) {
            let result = compare(y, &wanted, &self.job.settings)?;
            total += f64::from(head.weight) * result.loss;
            heads.push(result.gradient);
        }
        let known = self.labels.iter().filter(|label| **label != IGNORED).count();
        let all_right = result.correct == Some(known);
        let grads =
            if backward { self.net.backward_heads(&tape, result.gradient, heads)? } else { Grads::default() };
        Ok((total, all_right, grads))
    }

    fn run(mut self) -> Result<NetCheck> {
        let (first_loss, _, grads) = self.loss_and_grads(true)?;
        let mut problems = Vec::new();
        let units = self.units(&mut problems)?;
        let params = self.compare_gradients(first_loss, &grads, &mut problems)?;
        let (least_loss, steps) = self.overfit(first_loss, &mut problems)?;
        let samples = self.x.samples();
        Ok(NetCheck { samples, params, units, first_loss, least_loss, steps, problems })
    }

    /// Units of relu layers that fire nowhere.
    fn units(&self, problems: &mut Vec<(String, String)>) -> Result<Vec<(String, usize, usize)>> {
        let outputs = self.net.outputs_in(&self.x, &self.mode)?;
        let mut units = Vec::new();
        for (layer, y) in self.net.arch().layers.iter().zip(&outputs) {
            if layer.kind.name != "relu" {
                continue;
            }
            let all = layer.output[0];
            let area = layer.output.count() / all.max(1);
            let fires = |unit: usize| {
                let of = |n: usize| &y.sample(n)[unit * area..][..area];
                (0..y.samples()).any(|n| of(n).iter().any(|value| *value > 0.0))
            };
            let dead = (0..all).filter(|&unit| !fires(unit)).count();
            if 2 * dead >= all && all > 0 {
                problems.push((
                    format!("{dead} of {all} units of `{}` fire for no sample", layer.name),
                    "look at the mean and deviation of the input, the biases before it, or take `leaky-relu`"
                        .into(),
                ));
            }
            units.push((layer.name.clone(), dead, all));
        }
        Ok(units)
    }

    fn compare_gradients(
        &mut self,
        loss: f64,
        grads: &Grads,
        problems: &mut Vec<(String, String)>,
    ) -> Result<Vec<ParamCheck>> {
        let mut rows = Vec::new();
        for index in 0..self.net.params().count() {
            let Some(param) = self.net.params().nth(index).cloned() else { continue };
            let Some(gradient) = grads.get(&param.name) else { continue };
            let name = &param.name;
            let (size, slope) = (norm(param.value.data()), norm(gradient.data()));
            let error = self.difference(index, loss, gradient)?;
            if error > TOLERANCE {
                problems.push((
                    format!(
                        "the gradient of `{name}` differs from finite differences by {:.1}%",
                        100.0 * error
                    ),
                    "a layer that jumps, or values so large that single precision cannot tell".into(),
                ));
            }
            // A bias may have no gradient, such as one before a batch norm; a weight has.
            let is_weight = param.value.shape().len() > 1 && size > 0.0;
            let ratio = slope / size;
            if !slope.is_finite() || (is_weight && ratio >= RATIOS.end) {
                problems.push((
                    format!("the gradient of `{name}` explodes: its norm is {slope:.1e}"),
                    "smaller first weights, `clip`, or batch norms".into(),
                ));
            } else if is_weight && ratio < RATIOS.start {
                problems.push((
                    format!("the gradient of `{name}` vanishes: its norm is {slope:.1e}"),
                    "look for dead units above, or put batch norms or shortcuts in".into(),
                ));
            }
            rows.push(ParamCheck { name: name.clone(), norm: size, gradient: slope, error });
        }
        Ok(rows)
    }

    /// How far the gradient of a parameter is from finite differences, as a share; the best of three steps counts,
    /// since a small one drowns in rounding and a large one meets the next kink.
    fn difference(&mut self, index: usize, loss: f64, gradient: &Tensor) -> Result<f64> {
        /// What the loss is known to, as a share.
        const PRECISION: f64 = 5e-7;
        let slope = norm(gradient.data());
        if !slope.is_finite() {
            return Ok(f64::INFINITY);
        }
        let Some(value) = self.net.params().nth(index).map(|param| param.value.clone()) else {
            return Ok(0.0);
        };
        let rng = self.mode.training.unwrap_or(Rng::new(0)).stream("direction").substream(index as u64);
        let random: Vec<f32> = (0..value.data().len()).map(|i| rng.normal(i as u64)).collect();
        let length = norm(&random).max(1e-30);
        let along = |i: usize| {
            let own = if slope > 0.0 { f64::from(gradient.data()[i]) / slope } else { 0.0 };
            own + f64::from(random[i]) / length
        };
        let wanted: f64 = (0..random.len()).map(|i| along(i) * f64::from(gradient.data()[i])).sum();
        let mut best = f64::INFINITY;
        for change in [1e-4, 1e-3, 1e-2] {
            // A step that changes the loss by about this share, and no weight by much.
            let most = 0.05 * norm(value.data()).max(1.0);
            let step = (change * loss.abs().max(0.1) / wanted.abs().max(1e-12)).min(most);
            let mut ends = [0.0; 2];
            for (end, sign) in ends.iter_mut().zip([1.0, -1.0]) {
                let moved = |i: usize| (f64::from(value.data()[i]) + sign * step * along(i)) as f32;
                self.set(index, Tensor::from_fn(value.shape(), moved));
                *end = self.loss()?;
            }
            let got = (ends[0] - ends[1]) / (2.0 * step);
            let apart = ((got - wanted).abs() - PRECISION * (1.0 + loss.abs()) / step).max(0.0);
            let error = if apart > 0.0 { apart / got.abs().max(wanted.abs()) } else { 0.0 };
            best = if error.is_nan() { best } else { best.min(error) };
        }
        self.set(index, value);
        Ok(best)
    }

    fn set(&mut self, index: usize, value: Tensor) {
        if let Some(param) = self.net.params_mut().nth(index) {
            param.value = value;
        }
    }

    /// Trains on the batch alone: the least loss, its step, and the steps taken.
    fn overfit(&mut self, first: f64, problems: &mut Vec<(String, String)>) -> Result<(f64, [usize; 2])> {
        let mut optimiser = Optimiser::boxed(self.job.settings.rule());
        let (mut least, mut at, mut learned) = (first, 0, false);
        let mut steps = 0;
        while steps < STEPS && !learned {
            let (loss, all_right, mut grads) = self.loss_and_grads(true)?;
            if !loss.is_finite() {
                problems.push((
                    format!("the loss of one batch is {loss} after {steps} steps"),
                    "a smaller learning rate, or inputs nearer to 0".into(),
                ));
                return Ok((least, [at, steps]));
            }
            if loss < least {
                (least, at) = (loss, steps);
            }
            learned = all_right && loss < 0.5 * first || loss < 0.2 * first;
            if learned {
                break;
            }
            if let Some(limit) = self.job.settings.clip {
                clip(&mut grads, limit);
            }
            optimiser.step(&mut self.net, &grads, self.job.settings.lr as f32)?;
            steps += 1;
        }
        if !learned {
            problems.push((
                format!("one batch is not learned: from a loss of {first:.4} to {least:.4} in {steps} steps"),
                "another learning rate; or the labels do not belong to the inputs".into(),
            ));
        }
        Ok((least, [at, steps]))
    }
}

/// The Euclidean norm.
fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Source;
    use crate::nn::train::Settings;

    /// Pictures with a bright half, left or right.
    struct Halves([String; 2]);

    impl Examples for Halves {
        fn len(&self) -> usize {
            20
        }

        fn classes(&self) -> &[String] {
            &self.0
        }

        fn label(&self, index: usize) -> usize {
            index % 2
        }

        fn read(&self, index: usize, [_, height, width]: [usize; 3], values: &mut [f32]) -> Result<()> {
            let rng = Rng::new(3).substream(index as u64);
            for (at, value) in values.iter_mut().enumerate().take(height * width) {
                let is_bright = (at % width < width / 2) == index.is_multiple_of(2);
                *value = 0.4 * rng.uniform(at as u64) + if is_bright { 0.5 } else { 0.0 };
            }
            Ok(())
        }
    }

    fn job(layers: &str) -> TrainNet {
        let text =
            format!("version = 1\nname = \"t\"\ninput = [1, 6, 6]\nmean = [0.4]\nstd = [0.3]\n{layers}");
        let settings = Settings { threads: 1, lr: 0.1, ..Settings::default() };
        TrainNet { arch: Source::new("t", text), init: None, settings, out: "unused".into(), resume: false }
    }

    const GOOD: &str = "[[layer]]\nuse = \"conv2d\"\nname = \"conv\"\nout = 4\nkernel = 3\n[[layer]]\nuse = \"batch-norm\"\n\
        [[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"max-pool\"\nkernel = 2\n[[layer]]\nuse = \"flatten\"\n\
        [[layer]]\nuse = \"dropout\"\np = 0.2\n[[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 2\n";

    fn halves() -> Halves {
        Halves(["left".into(), "right".into()])
    }

    #[test]
    fn a_sound_net_has_no_problems() {
        let found = check(&job(GOOD), &halves()).unwrap();
        assert_eq!(found.problems, []);
        assert_eq!(found.params.len(), 6);
        assert!(found.least_loss < 0.5 * found.first_loss && found.steps[1] < STEPS, "{found:?}");
        assert_eq!((found.samples, found.units.len()), (18, 1));
    }

    #[test]
    fn wrong_gradients_are_found() {
        let job = job(GOOD);
        let mut check = Check::new(&job, &halves()).unwrap();
        let (loss, _, mut grads) = check.loss_and_grads(true).unwrap();
        grads.scale(1.2);
        let mut problems = Vec::new();
        let rows = check.compare_gradients(loss, &grads, &mut problems).unwrap();
        // The bias before a batch norm has no gradient, which no factor changes.
        assert!(rows.iter().filter(|row| row.error > TOLERANCE).count() >= 4, "{rows:?}");
        assert!(problems.iter().any(|(what, _)| what.contains("`fc.weight` differs")), "{problems:?}");
    }

    #[test]
    fn a_dead_layer_and_a_net_that_cannot_learn_are_told() {
        let mut job = job(
            "[[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nname = \"a\"\nout = 5\n[[layer]]\nuse = \"relu\"\n\
             [[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 2\n",
        );
        // Weights that put every unit far below 0.
        let arch = crate::nn::arch::parse(&job.arch).unwrap();
        let mut net = Net::build(arch, 1).unwrap();
        for param in net.params_mut().filter(|param| param.name == "a.bias") {
            param.value.data_mut().fill(-100.0);
        }
        job.init = Some(net.to_safetensors().unwrap());
        let found = check(&job, &halves()).unwrap();
        assert_eq!(found.units, [("relu".to_owned(), 5, 5)]);
        let told = |what: &str| found.problems.iter().any(|(problem, _)| problem.contains(what));
        assert!(told("5 of 5 units of `relu` fire for no sample"), "{:?}", found.problems);
        assert!(told("the gradient of `a.weight` vanishes") && told("one batch is not learned"));
    }
}

//! Trains a net on labelled pictures: `train_net nets/lenet5.toml DATA runs/lenet5`.

#![allow(clippy::print_stdout, reason = "a program talks")]

use std::path::Path;

use lyncean::document::Source;
use lyncean::eval::dataset::{Dataset, Split};
use lyncean::nn::train::{Augment, EpochReport, Progress, Settings, TrainNet, evaluate, run};

struct Lines;

impl Progress for Lines {
    fn epoch(&mut self, report: &EpochReport) {
        println!(
            "epoch {}: loss {:.4}, training {:.2} %, validation {:.2} %",
            report.epoch,
            report.train_loss,
            100.0 * report.train_accuracy.unwrap_or(f64::NAN),
            100.0 * report.validation_accuracy.unwrap_or(f64::NAN)
        );
    }
}

fn main() -> lyncean::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [net, data, out] = args.as_slice() else {
        println!("usage: train_net NET.toml DATA OUT");
        return Ok(());
    };
    let settings = Settings { augment: Some(Augment::default()), threads: 1, ..Settings::default() };
    let arch = Source::read(Path::new(net))?;
    let job = TrainNet { arch, init: None, settings, out: out.into(), resume: true };
    let outcome = run(&job, &Dataset::open(Path::new(data), Split::Train)?, &mut Lines)?;
    let score = evaluate(&outcome.best, &Dataset::open(Path::new(data), Split::Test)?)?;
    println!("test: {} of {} right, epoch {}", score.correct, score.total, outcome.best_epoch);
    Ok(())
}

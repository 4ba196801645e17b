//! Training: it learns, threads change no bit, and a resumed run ends as one that was never stopped.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::Read as _;
use std::path::Path;

use lyncean::document::Source;
use lyncean::nn::Rng;
use lyncean::nn::train::{
    Algorithm, Augment, EpochReport, Examples, Loss, Progress, Schedule, Settings, StepReport, Target,
    TrainNet, evaluate, run,
};
use lyncean::{ErrorKind, Result};

/// Noisy pictures of bars that stand or lie.
struct Bars {
    count: usize,
    classes: Vec<String>,
}

fn bars(count: usize) -> Bars {
    Bars { count, classes: vec!["lying".into(), "standing".into()] }
}

impl Examples for Bars {
    fn len(&self) -> usize {
        self.count
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn label(&self, index: usize) -> usize {
        index % 2
    }

    fn read(&self, index: usize, shape: [usize; 3], values: &mut [f32]) -> Result<()> {
        assert_eq!(shape, [1, 7, 7]);
        let rng = Rng::new(11).substream(index as u64);
        let line = rng.below(100, 7);
        for (at, value) in values.iter_mut().enumerate() {
            let along = if self.label(index) == 0 { at / 7 } else { at % 7 };
            *value = rng.uniform(at as u64) * 0.5 + if along == line { 0.5 } else { 0.0 };
        }
        Ok(())
    }
}

const NET: &str = "version = 1\nname = \"bars\"\ninput = [1, 7, 7]\nmean = [0.3]\nstd = [0.2]\n\
    [[layer]]\nuse = \"conv2d\"\nname = \"conv\"\nout = 4\nkernel = 3\n[[layer]]\nuse = \"relu\"\n\
    [[layer]]\nuse = \"max-pool\"\nkernel = 3\nstride = 2\n[[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"dropout\"\np = 0.2\n\
    [[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 2\n";

fn job(out: &Path) -> TrainNet {
    let settings = Settings {
        epochs: 5,
        batch: 18,
        augment: Some(Augment { shift: 0.5, rotate: 5.0, scale: 0.05, ..Augment::default() }),
        nesterov: true,
        threads: 1,
        ..Settings::default()
    };
    TrainNet { arch: Source::new("bars.toml", NET), init: None, settings, out: out.to_owned(), resume: false }
}

/// Asks to stop at the second step after some epochs.
struct StopAfter {
    epochs: usize,
    step: usize,
    reports: Vec<EpochReport>,
}

impl Progress for StopAfter {
    fn step(&mut self, report: &StepReport) {
        self.step = report.step;
    }

    fn epoch(&mut self, report: &EpochReport) {
        self.reports.push(*report);
    }

    fn is_cancelled(&self) -> bool {
        self.reports.len() >= self.epochs && self.step == 2
    }
}

/// Names and bytes of all files of a run.
fn files(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn it_learns_and_leaves_a_whole_run() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("runs/bars");
    let mut job = job(&out);
    job.settings.epochs = 12;
    let outcome = run(&job, &bars(600), &mut ()).unwrap();
    let accuracy = evaluate(&outcome.best, &bars(1000)).unwrap().accuracy();
    assert!(accuracy > 0.95, "{accuracy}");
    assert_eq!(outcome.epochs.len(), 12);
    assert_eq!(outcome.best.arch().classes, ["lying", "standing"]);
    let best = outcome.epochs.iter().map(|report| report.validation_accuracy.unwrap()).fold(0.0, f64::max);
    assert_eq!(outcome.epochs[outcome.best_epoch - 1].validation_accuracy, Some(best));
    let names: Vec<String> = files(&out).into_iter().map(|(name, _)| name).collect();
    let wanted = [
        "best.safetensors",
        "confusion.csv",
        "confusion.svg",
        "curves.svg",
        "events.out.tfevents",
        "last.safetensors",
        "metrics.csv",
        "net.toml",
        "settings.json",
        "state.safetensors",
    ];
    assert_eq!(names, wanted);
    assert_eq!(std::fs::read_to_string(out.join("metrics.csv")).unwrap().lines().count(), 13);
    let error = run(&job, &bars(600), &mut ()).unwrap_err();
    assert!(error.message().ends_with("holds a run already"), "{error}");
}

#[test]
fn threads_change_no_bit() {
    let directory = tempfile::tempdir().unwrap();
    let runs = [1, 2, 5].map(|threads| {
        let mut job = job(&directory.path().join(threads.to_string()));
        job.settings.threads = threads;
        run(&job, &bars(150), &mut ()).unwrap();
        files(&job.out)
    });
    assert!(runs[0] == runs[1] && runs[0] == runs[2]);
}

#[test]
fn a_resumed_run_ends_as_one_that_was_not_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let whole = job(&directory.path().join("whole"));
    run(&whole, &bars(150), &mut ()).unwrap();
    let mut parted = job(&directory.path().join("parted"));
    for epochs in [2, 0, 1] {
        let mut stop = StopAfter { epochs, step: 0, reports: Vec::new() };
        let error = run(&parted, &bars(150), &mut stop).unwrap_err();
        assert_eq!((error.kind(), stop.reports.len()), (ErrorKind::Cancelled, epochs));
        parted.resume = true;
    }
    parted.settings.threads = 2;
    run(&parted, &bars(150), &mut ()).unwrap();
    assert!(files(&whole.out) == files(&parted.out));
    // Nothing is left to do, and nothing changes.
    assert_eq!(run(&parted, &bars(150), &mut ()).unwrap().epochs.len(), 5);
    assert!(files(&whole.out) == files(&parted.out));
}

#[test]
fn a_torn_events_file_is_mended_and_a_whole_one_is_kept_open() {
    let directory = tempfile::tempdir().unwrap();
    let whole = job(&directory.path().join("whole"));
    run(&whole, &bars(60), &mut ()).unwrap();
    let wanted = std::fs::read(whole.out.join("events.out.tfevents")).unwrap();
    let damages: [fn(Vec<u8>) -> Vec<u8>; 3] =
        [|old| old, |old| old[..old.len() - 5].to_vec(), |_| b"something else".to_vec()];
    for damage in damages {
        let folder = tempfile::tempdir_in(directory.path()).unwrap();
        let mut parted = job(folder.path());
        let mut stop = StopAfter { epochs: 2, step: 0, reports: Vec::new() };
        run(&parted, &bars(60), &mut stop).unwrap_err();
        let path = parted.out.join("events.out.tfevents");
        let found = damage(std::fs::read(&path).unwrap());
        let is_beginning = wanted.starts_with(&found);
        std::fs::write(&path, found).unwrap();
        let mut reader = std::fs::File::open(&path).unwrap();
        parted.resume = true;
        run(&parted, &bars(60), &mut ()).unwrap();
        assert!(std::fs::read(&path).unwrap() == wanted);
        // Who reads while the run goes on sees what is added.
        let mut seen = Vec::new();
        reader.read_to_end(&mut seen).unwrap();
        assert_eq!(seen == wanted, is_beginning);
    }
}

/// A net with a batch norm, whose statistics are part of a run, under everything that remembers.
const NORMED: &str = "version = 1\nname = \"normed\"\ninput = [1, 7, 7]\n\
    [[head]]\nlayer = \"early.fc\"\nweight = 0.3\n\
    [[layer]]\nuse = \"conv2d\"\nname = \"conv\"\nout = 4\nkernel = 3\nbias = false\n[[layer]]\nuse = \"batch-norm\"\nname = \"bn\"\n\
    [[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"global-avg-pool\"\nname = \"early.pool\"\n\
    [[layer]]\nuse = \"linear\"\nname = \"early.fc\"\nout = 2\n\
    [[layer]]\nuse = \"flatten\"\nin = \"relu\"\n[[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 2\n";

#[test]
fn everything_that_remembers_is_resumed() {
    let directory = tempfile::tempdir().unwrap();
    let named = |name: &str| {
        let mut job = job(&directory.path().join(name));
        job.arch = Source::new("normed.toml", NORMED);
        job.settings.optimiser = Algorithm::AdamW;
        job.settings.lr = 0.3;
        job.settings.schedule = Schedule::Plateau { patience: 0, factor: 0.5 };
        job.settings.clip = Some(1.0);
        job.settings.label_smoothing = 0.1;
        job.settings.noise = 0.05;
        job
    };
    let whole = named("whole");
    let outcome = run(&whole, &bars(150), &mut ()).unwrap();
    assert!(outcome.epochs.last().unwrap().rate < 0.3, "a plateau was met");
    let mut parted = named("parted");
    let mut stop = StopAfter { epochs: 3, step: 0, reports: Vec::new() };
    run(&parted, &bars(150), &mut stop).unwrap_err();
    parted.resume = true;
    parted.settings.threads = 3;
    run(&parted, &bars(150), &mut ()).unwrap();
    assert!(files(&whole.out) == files(&parted.out));
    let statistics = outcome.best.buffers().next().unwrap().value.data().to_vec();
    assert!(statistics.iter().all(|mean| *mean != 0.0), "{statistics:?}");
}

#[test]
fn frozen_weights_keep_their_bits_and_a_trunk_gets_a_new_head() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = job(&directory.path().join("first"));
    first.arch = Source::new("normed.toml", NORMED);
    let trunk = run(&first, &bars(150), &mut ()).unwrap().best;
    let mut second = job(&directory.path().join("second"));
    second.arch = Source::new("three.toml", NORMED.replace("name = \"fc\"", "name = \"other\""));
    second.init = Some(trunk.to_safetensors().unwrap());
    second.settings.freeze = vec!["conv.*".into(), "bn.*".into()];
    let outcome = run(&second, &bars(150), &mut ()).unwrap();
    for (name, same) in
        [("conv.weight", true), ("bn.weight", true), ("bn.bias", true), ("early.fc.weight", false)]
    {
        let of =
            |net: &lyncean::nn::Net| net.params().find(|param| param.name == name).unwrap().value.clone();
        assert_eq!(of(&trunk) == of(&outcome.best), same, "{name}");
    }
    assert!(trunk.buffers().eq(outcome.best.buffers()));
    second.out = directory.path().join("third");
    second.settings.freeze = vec!["cnv.*".into()];
    let error = run(&second, &bars(150), &mut ()).unwrap_err();
    assert_eq!(error.message(), "no parameter is called `cnv.*`");
}

#[test]
fn an_autoencoder_learns_its_input() {
    let directory = tempfile::tempdir().unwrap();
    let text = "version = 1\nname = \"auto\"\ninput = [1, 7, 7]\n[[layer]]\nuse = \"flatten\"\n\
        [[layer]]\nuse = \"linear\"\nname = \"code\"\nout = 20\n[[layer]]\nuse = \"linear\"\nname = \"back\"\nout = 49\n\
        [[layer]]\nuse = \"reshape\"\nshape = [1, 7, 7]\n";
    let mut job = job(&directory.path().join("auto"));
    job.arch = Source::new("auto.toml", text);
    job.settings = Settings {
        target: Target::Input,
        optimiser: Algorithm::Adam,
        weight_decay: 0.0,
        lr: 0.01,
        epochs: 15,
        ..job.settings
    };
    let outcome = run(&job, &bars(300), &mut ()).unwrap();
    let loss = |at: usize| outcome.epochs[at].validation_loss.unwrap();
    assert!(loss(14) < 0.5 * loss(0), "{} {}", loss(0), loss(14));
    assert_eq!(outcome.epochs[0].train_accuracy, None);
    assert_eq!(loss(outcome.best_epoch - 1), (0..15).map(loss).fold(f64::MAX, f64::min));
    job.out = directory.path().join("patient");
    job.settings.patience = Some(2);
    job.settings.lr = 1e-12;
    job.settings.loss = Some(Loss::AbsoluteError);
    assert!(run(&job, &bars(100), &mut ()).unwrap().epochs.len() < 15);
    job.settings.loss = Some(Loss::CrossEntropy);
    assert_eq!(run(&job, &bars(100), &mut ()).unwrap_err().kind(), ErrorKind::Pipeline);
}

#[test]
fn a_run_goes_on_with_the_settings_it_had() {
    let directory = tempfile::tempdir().unwrap();
    let mut job = job(directory.path());
    job.settings.epochs = 2;
    job.settings.schedule = Schedule::Constant;
    run(&job, &bars(60), &mut ()).unwrap();
    job.resume = true;
    let mut other = job.clone();
    other.settings.lr = 0.01;
    assert_eq!(run(&other, &bars(60), &mut ()).unwrap_err().kind(), ErrorKind::Input);
    // More epochs change nothing about the first ones where the rate is constant.
    job.settings.epochs = 3;
    assert_eq!(run(&job, &bars(60), &mut ()).unwrap().epochs.len(), 3);
}

#[test]
fn examples_that_do_not_fit_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let three = Bars { classes: vec!["a".into(), "b".into(), "c".into()], ..bars(20) };
    let error = run(&job(&directory.path().join("a")), &three, &mut ()).unwrap_err();
    assert_eq!(error.message(), "net `bars` gives [2], but the examples have 3 classes");
    assert!(run(&job(&directory.path().join("b")), &bars(0), &mut ()).is_err());
    let mut wild = job(&directory.path().join("c"));
    wild.settings.lr = 1e30;
    let error = run(&wild, &bars(100), &mut ()).unwrap_err();
    assert!(error.message().starts_with("the loss is"), "{error}");
}

//! A training from its inputs to a run directory.

use std::path::PathBuf;

use super::Photos;
use super::report::{self, Judged};
use super::rundir::RunDir;
use crate::ops::cascade::Cascade;
use crate::ops::cascade::train::{
    Crops, Depths, Negatives, StageReport, Stop, TrainProgress, TrainStep, Trainer, Training, roc,
};
use crate::{Error, Result, parallel};

/// What to train a cascade on, how, and where to put it.
pub struct TrainCascade<'a> {
    /// How.
    pub settings: Training,
    /// Windows with the object.
    pub objects: &'a Crops,
    /// Further ones that set the thresholds of the stages.
    pub validation: Option<&'a Crops>,
    /// Pictures without the object.
    pub negatives: &'a Photos,
    /// What the cascade is judged by, if anything.
    pub held_out: Option<HeldOut<'a>>,
    /// The run directory.
    pub out: PathBuf,
    /// Whether to go on where a run with the same settings and data stopped.
    pub resume: bool,
}

/// What a cascade is judged by.
#[derive(Clone, Copy)]
pub struct HeldOut<'a> {
    /// Windows with the object, of which none was trained on.
    pub objects: &'a Crops,
    /// Pictures without the object, of which none was trained on.
    pub negatives: &'a Photos,
}

/// What came of a training.
#[derive(Debug)]
pub struct CascadeOutcome {
    /// The cascade.
    pub cascade: Cascade,
    /// What is known of its stages.
    pub stages: Vec<StageReport>,
    /// Why there are no more.
    pub stop: Stop,
    /// How far the held-out objects get, and all windows of the held-out pictures.
    pub judged: Option<[Depths; 2]>,
}

/// Trains a cascade into a run directory: `cascade.xml`, which OpenCV loads too, `stages/NN.xml` with the first NN
/// stages, `stages.csv`, `settings.json`, `report.html` and `state.json`, from which a stopped run goes on. Nothing
/// in them tells times: the same settings and data give the same files. `hear` is told how it goes, and each new
/// stage; it says whether to go on.
///
/// # Errors
/// [`Pipeline`](crate::ErrorKind::Pipeline) for settings out of range or a directory that holds a run,
/// [`Input`](crate::ErrorKind::Input) for data from which nothing can be learned,
/// [`Cancelled`](crate::ErrorKind::Cancelled), and those of files.
///
/// ```
/// use lyncean::eval::{
///     CascadeOutcome, HeldOut, ObjectOptions, Photos, TrainCascade, read_objects, train_cascade,
/// };
/// use lyncean::ops::cascade::train::{Training, Turns};
///
/// // Sevens, and photographs without.
/// let sevens = read_objects("fixtures/digits/test/7".as_ref(), 10, 10, &ObjectOptions::default())?;
/// let photos = Photos::open(&["fixtures/photos/coins.png".into()])?;
/// let folder = tempfile::tempdir().unwrap();
/// let settings =
///     Training { width: 10, height: 10, stages: 2, negatives: 100, turns: Turns::None, ..Training::default() };
/// let job = TrainCascade {
///     settings,
///     objects: &sevens,
///     validation: None,
///     negatives: &photos,
///     held_out: Some(HeldOut { objects: &sevens, negatives: &photos }),
///     out: folder.path().join("run"),
///     resume: false,
/// };
/// let CascadeOutcome { cascade, stop, .. } = train_cascade(&job, &mut |_, _| true)?;
/// assert_eq!((cascade.stages().len(), stop.to_string().as_str()), (2, "all 2 stages are trained"));
/// # Ok::<(), lyncean::Error>(())
/// ```
pub fn train_cascade(
    job: &TrainCascade<'_>,
    hear: &mut (dyn FnMut(Option<TrainProgress>, &[StageReport]) -> bool + Send),
) -> Result<CascadeOutcome> {
    job.settings.check()?;
    let mut trainer = Trainer::new(&job.settings, job.objects, job.validation, job.negatives)?;
    let run = RunDir::new(&job.out, &job.settings, fingerprint(job), job.resume)?;
    if let Some((cascade, reports)) = run.restore()? {
        trainer.resume(cascade, reports)?;
    }
    parallel::in_threads(job.settings.threads, || {
        let stop = loop {
            let known = trainer.reports().to_vec();
            match trainer.next_stage(&mut |progress| hear(Some(progress), &known))? {
                TrainStep::Stop(stop) => break stop,
                TrainStep::Stage(_) => {
                    if let Some(cascade) = trainer.cascade() {
                        run.store(cascade, trainer.reports())?;
                    }
                    hear(None, trainer.reports());
                }
            }
        };
        let Some(cascade) = trainer.cascade().cloned() else {
            return Err(Error::input(format!("no stage could be trained: {stop}")));
        };
        let judged = match &job.held_out {
            None => None,
            Some(held_out) => {
                let objects = Depths::of_crops(&cascade, held_out.objects)?;
                let factor = job.settings.scale_factor;
                let pictures = Depths::of_pictures(&cascade, held_out.negatives, factor, &mut || {
                    hear(None, trainer.reports())
                })?;
                Some([objects, pictures])
            }
        };
        let points = judged.as_ref().map(|[objects, background]| roc(objects, background));
        // Threads change no result, nor what is told of it.
        let settings = Training { threads: 0, ..job.settings.clone() };
        let html = report::html(&report::Content {
            settings: &settings,
            cascade: &cascade,
            stages: trainer.reports(),
            mean: &trainer.mean_object(),
            stop: &stop,
            judged: judged.as_ref().zip(points.as_deref()).map(|([objects, background], roc)| Judged {
                objects,
                background,
                roc,
            }),
        });
        run.write("report.html", html.as_bytes())?;
        Ok(CascadeOutcome { cascade, stages: trainer.reports().to_vec(), stop, judged })
    })
}

/// What stages depend on besides the settings: the pixels of the objects, the names and sizes of the pictures.
fn fingerprint(job: &TrainCascade<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    for crops in std::iter::once(job.objects).chain(job.validation) {
        hasher.update(&(crops.len() as u64).to_le_bytes());
        for index in 0..crops.len() {
            hasher.update(crops.window(index));
        }
    }
    for (index, path) in job.negatives.paths().iter().enumerate() {
        hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        if let Ok(picture) = job.negatives.picture(index) {
            hasher.update(&(picture.width() as u64).to_le_bytes());
            hasher.update(picture.as_slice());
        }
    }
    hasher.finalize().to_hex().to_string()
}

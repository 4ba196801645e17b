//! The directory of a training run. Every file but the events' is written aside and put in place at
//! once, so a run that is killed leaves whole files, and `state.safetensors` is the moment to go on from.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ConfusionMatrix, EpochReport, Settings, curves, events};
use crate::nn::optim::Optimiser;
use crate::nn::{Net, weights};
use crate::{Error, Result};

/// How far a run is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) epochs: Vec<EpochReport>,
    pub(super) best_epoch: usize,
    /// The score of the best epoch: an intersection over union, an accuracy, or minus a loss.
    #[serde(alias = "best_accuracy")]
    pub(super) best_score: Option<f64>,
    #[serde(default)]
    pub(super) plateau: Plateau,
}

/// What a plateau's schedule remembers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Plateau {
    /// The least loss so far.
    pub(super) least: Option<f64>,
    /// Epochs since.
    pub(super) waited: usize,
    /// What the rate is multiplied by.
    pub(super) factor: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self { least: None, waited: 0, factor: 1.0 }
    }
}

/// What `state.safetensors` says besides its tensors.
#[derive(Serialize, Deserialize)]
struct Record {
    settings: Settings,
    architecture: String,
    state: State,
    #[serde(default)]
    steps: u64,
    /// What made the examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipe: Option<Recipe>,
}

/// What made examples out of their data, by name.
type Recipe = serde_json::Map<String, serde_json::Value>;

pub(super) struct RunDir {
    path: PathBuf,
    architecture: String,
    settings: Settings,
    recipe: Option<Recipe>,
}

impl RunDir {
    /// Makes the directory. Unless `resume`, a run that is there already is an error.
    pub(super) fn new(
        path: &Path,
        architecture: &str,
        settings: &Settings,
        recipe: Option<Recipe>,
        resume: bool,
    ) -> Result<Self> {
        // Threads change no result, and a resumed run may have others.
        let settings = Settings { threads: 0, ..settings.clone() };
        let architecture = architecture.to_owned();
        let run = Self { path: path.to_owned(), architecture, settings, recipe };
        if !resume && run.file("state.safetensors").exists() {
            return Err(Error::pipeline(format!("`{}` holds a run already", path.display()))
                .with_hint("resume it, or choose another folder"));
        }
        std::fs::create_dir_all(path).map_err(|error| Error::io(path.display(), error))?;
        run.write("net.toml", run.architecture.as_bytes())?;
        run.write("settings.json", json(&run.settings)?.as_bytes())?;
        Ok(run)
    }

    /// Writes what an epoch leaves, the state last.
    pub(super) fn store(&self, net: &Net, optimiser: &Optimiser, state: &State, is_best: bool) -> Result<()> {
        let weights = net.to_safetensors()?;
        if is_best {
            self.write("best.safetensors", &weights)?;
        }
        self.write("last.safetensors", &weights)?;
        self.write("metrics.csv", csv(&state.epochs).as_bytes())?;
        self.write("curves.svg", curves::svg(&state.epochs, state.best_epoch).as_bytes())?;
        self.extend("events.out.tfevents", &events::file(&state.epochs))?;
        let record = Record {
            settings: self.settings.clone(),
            architecture: self.architecture.clone(),
            state: state.clone(),
            steps: optimiser.steps(),
            recipe: self.recipe.clone(),
        };
        let stored = net.params().chain(net.buffers()).map(|param| (param.name.clone(), &param.value));
        self.write("state.safetensors", &weights::write(stored.chain(optimiser.state()), &json(&record)?)?)
    }

    /// Takes up where a run stopped; from the start, where there is no state yet.
    pub(super) fn restore(&self, net: &mut Net, optimiser: &mut Optimiser) -> Result<State> {
        let path = self.file("state.safetensors");
        if !path.exists() {
            return Ok(State::default());
        }
        let bytes = std::fs::read(&path).map_err(|error| Error::io(path.display(), error))?;
        let wrong = |message: String| Error::input(message).within(path.display().to_string());
        let (mut tensors, record) =
            weights::read(&bytes).map_err(|error| error.within(path.display().to_string()))?;
        let record: Record = serde_json::from_str(&record.unwrap_or_default())
            .map_err(|error| wrong(format!("not the state of a run: {error}")))?;
        if record.architecture != self.architecture || !resumable(&record.settings, &self.settings) {
            return Err(wrong("the run was started with another architecture or other settings".to_owned())
                .with_hint("repeat them, or choose another folder"));
        }
        if let Some(difference) = record.recipe.as_ref().and_then(|old| self.difference(old)) {
            return Err(wrong(format!("the run was started with {difference}"))
                .with_hint("repeat the data and its options, or choose another folder"));
        }
        // What the optimiser remembers has a colon in its name.
        let (memories, params): (weights::Tensors, weights::Tensors) =
            std::mem::take(&mut tensors).into_iter().partition(|(name, _)| name.contains(':'));
        net.take(params).map_err(|error| error.within(path.display().to_string()))?;
        for (name, memory) in memories {
            let fits = memory.is_ok_and(|memory| optimiser.restore(net, &name, memory));
            if !fits {
                return Err(wrong(format!("`{name}` does not fit the net and its optimiser")));
            }
        }
        optimiser.restore_steps(record.steps);
        Ok(record.state)
    }

    /// The first thing that the examples of a run were made with and those at hand were not, in words.
    fn difference(&self, old: &Recipe) -> Option<String> {
        let none = Recipe::new();
        let new = self.recipe.as_ref().unwrap_or(&none);
        let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
        let shown =
            |recipe: &Recipe, name: &str| recipe.get(name).map_or("nothing".to_owned(), ToString::to_string);
        names
            .filter(|name| old.get(*name) != new.get(*name))
            .map(String::as_str)
            .next()
            .map(|name| format!("`{name}` {}, now it is {}", shown(old, name), shown(new, name)))
    }

    /// Writes what the best net took each class for.
    pub(super) fn tell_confusion(&self, matrix: &ConfusionMatrix) -> Result<()> {
        self.write("confusion.csv", matrix.to_csv().as_bytes())?;
        self.write("confusion.svg", matrix.to_svg().as_bytes())
    }

    /// The best net so far.
    pub(super) fn best(&self) -> Result<Net> {
        Net::open(&self.file("best.safetensors"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a file these bytes by adding what it lacks, for readers that keep it open. What is something
    /// else is written anew.
    fn extend(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        let failed = |error| Error::io(path.display(), error);
        let old = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return self.write(name, bytes),
            old => old.map_err(failed)?,
        };
        let Some(rest) = bytes.strip_prefix(&old[..]) else { return self.write(name, bytes) };
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).map_err(failed)?;
        file.write_all(rest).map_err(failed)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        let failed = |error| Error::io(path.display(), error);
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // A temporary file is for its owner alone; a result is for whom the user's mask says.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(&self.path).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// Whether a run with `old` settings may go on with `new` ones: they are the same, or differ in the
/// number of epochs where no step depends on that.
fn resumable(old: &Settings, new: &Settings) -> bool {
    let same = Settings { epochs: new.epochs, ..old.clone() } == *new;
    same && (old.epochs == new.epochs || !new.schedule.needs_end())
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Error::new(crate::ErrorKind::Internal, format!("cannot write JSON: {error}")))
}

/// The table of the epochs, with two last columns where pixels have classes.
fn csv(epochs: &[EpochReport]) -> String {
    let has_iou = epochs.iter().any(|report| report.validation_iou.is_some());
    let mut text = String::from("epoch,rate,train_loss,train_accuracy,validation_loss,validation_accuracy");
    text.push_str(if has_iou { ",validation_iou,validation_dice\n" } else { "\n" });
    for report in epochs {
        let or_empty = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.6}"));
        let _ = write!(
            text,
            "{},{:.6},{:.6},{},{},{}",
            report.epoch,
            report.rate,
            report.train_loss,
            or_empty(report.train_accuracy),
            or_empty(report.validation_loss),
            or_empty(report.validation_accuracy)
        );
        if has_iou {
            for number in [report.validation_iou, report.validation_dice] {
                text.push(',');
                text += &or_empty(number);
            }
        }
        text.push('\n');
    }
    text
}

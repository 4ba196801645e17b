//! The directory of a training run. Files are written aside and put in place at once; `state.json` comes last, and
//! is the moment to go on from.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ops::cascade::Cascade;
use crate::ops::cascade::train::{StageReport, Training};
use crate::{Error, ErrorKind, Result};

/// How far a run is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct State {
    settings: Training,
    /// A fingerprint of objects and pictures.
    data: String,
    stages: Vec<StageReport>,
}

pub(super) struct RunDir {
    path: PathBuf,
    settings: Training,
    data: String,
}

impl RunDir {
    /// Makes the directory. Unless `resume`, a run that is there already is an error.
    pub(super) fn new(path: &Path, settings: &Training, data: String, resume: bool) -> Result<Self> {
        // Threads change no result, and a resumed run may have others.
        let settings = Training { threads: 0, ..settings.clone() };
        let run = Self { path: path.to_owned(), settings, data };
        if !resume && run.file("state.json").exists() {
            return Err(Error::pipeline(format!("`{}` holds a run already", path.display()))
                .with_hint("resume it, or choose another folder"));
        }
        let stages = run.file("stages");
        std::fs::create_dir_all(&stages).map_err(|error| Error::io(stages.display(), error))?;
        run.write("settings.json", json(&run.settings)?.as_bytes())?;
        Ok(run)
    }

    /// Where a run stopped; nothing where it has no stage yet.
    pub(super) fn restore(&self) -> Result<Option<(Cascade, Vec<StageReport>)>> {
        let path = self.file("state.json");
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(|error| Error::io(path.display(), error))?;
        let wrong = |message: String| Error::input(message).within(path.display().to_string());
        let state: State = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("not the state of a run: {error}")))?;
        let Training { stages, total_false_alarm, .. } = self.settings;
        // More stages may be asked for, where that changes none that are there.
        let free = |settings: &Training| settings.total_hit_rate.is_none();
        let same = Training { stages, total_false_alarm, ..state.settings.clone() } == self.settings
            && (free(&self.settings) || state.settings.stages == stages);
        if !same {
            return Err(wrong("the run was started with other settings".to_owned())
                .with_hint("repeat them, or choose another folder"));
        }
        if state.data != self.data {
            return Err(wrong("the run was started with other objects or pictures".to_owned())
                .with_hint("give the same again, or choose another folder"));
        }
        if state.stages.is_empty() {
            return Ok(None);
        }
        let path = self.checkpoint(state.stages.len());
        let bytes = std::fs::read(&path).map_err(|error| Error::io(path.display(), error))?;
        let cascade =
            Cascade::from_bytes(&bytes).map_err(|error| error.within(path.display().to_string()))?;
        Ok(Some((cascade, state.stages)))
    }

    /// Keeps the stages so far: `stages/NN.xml`, `cascade.xml`, `stages.csv`, and the state.
    pub(super) fn store(&self, cascade: &Cascade, stages: &[StageReport]) -> Result<()> {
        let xml = cascade.to_xml();
        write_whole(&self.checkpoint(stages.len()), xml.as_bytes())?;
        self.write("cascade.xml", xml.as_bytes())?;
        self.write("stages.csv", csv(stages).as_bytes())?;
        let (settings, data) = (self.settings.clone(), self.data.clone());
        self.write("state.json", json(&State { settings, data, stages: stages.to_vec() })?.as_bytes())
    }

    /// Writes a file of the run.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_whole(&self.file(name), bytes)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The cascade of the first `count` stages.
    fn checkpoint(&self, count: usize) -> PathBuf {
        self.file("stages").join(format!("{count:02}.xml"))
    }
}

/// Writes a file aside and puts it in place.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| Error::io(path.display(), error);
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // A temporary file is for its owner alone; a result is for whom the user's mask says.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Error::new(ErrorKind::Internal, format!("cannot write JSON: {error}")))
}

/// The table of the stages.
fn csv(stages: &[StageReport]) -> String {
    let mut text = String::from(
        "stage,weak,objects,negatives,hit_rate,validation_hit_rate,false_alarm,windows,false_alarm_before,\
         total_false_alarm,total_hit_rate,total_validation_hit_rate\n",
    );
    let or_empty = |rate: Option<f64>| rate.map_or_else(String::new, |rate| format!("{rate:.6}"));
    for stage in stages {
        let _ = writeln!(
            text,
            "{},{},{},{},{:.6},{},{:.6},{},{:.6e},{:.6e},{:.6},{}",
            stage.stage,
            stage.weak,
            stage.objects,
            stage.negatives,
            stage.hit_rate,
            or_empty(stage.validation_hit_rate),
            stage.false_alarm,
            stage.windows,
            stage.false_alarm_before,
            stage.total_false_alarm(),
            stage.total_hit_rate,
            or_empty(stage.total_validation_hit_rate)
        );
    }
    text
}

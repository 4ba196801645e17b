//! The output folder: its journal, its manifest `run.json`, and the list of what failed.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};
use walkdir::WalkDir;

use super::super::inputs::{Input, Place};
use super::args::{Args, Shard};
use super::journal::{self, Entry, Journal, Stamp};
use super::{layout, names, picture, shards};
use crate::pipeline::Pipeline;
use crate::{Error, ErrorKind, Result};

/// The output folder of a run.
pub(super) struct Output {
    folder: PathBuf,
    journal: Journal,
    manifest: Map<String, Json>,
    shard: Option<Shard>,
}

/// What the journal knows of an image.
pub(super) enum Known {
    /// It is done, and nothing has changed; its record.
    Done(Map<String, Json>),
    /// It was done, and is another picture by now.
    Changed,
    /// Nothing.
    Unknown,
}

impl Output {
    /// The folder that the command names, if it names one, ready to be written into.
    pub(super) fn open(
        args: &Args,
        pipeline: &Pipeline,
        saved: &[String],
        inputs: &[Input],
        numbers: &[usize],
    ) -> Result<Option<Self>> {
        let Some(folder) = args.output.clone() else { return Ok(None) };
        let shard = args.shard;
        let manifest = manifest(args, pipeline, saved, inputs.len());
        shards::check_others(&folder, shard, &manifest)?;
        let path = folder.join(journal::name(shard));
        let is_old = path.exists();
        if is_old && !args.resume && !args.overwrite {
            let message = format!("`{}` holds the results of a run", folder.display());
            return Err(Error::input(message).with_hint("`--resume` completes it, `--overwrite` begins anew"));
        }
        let is_used = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
        if is_used && !(args.resume && is_old) && !args.overwrite {
            layout::check_absent(numbers.iter().map(|&number| &inputs[number]), &folder, saved)?;
        }
        std::fs::create_dir_all(&folder).map_err(|error| Error::io(folder.display(), error))?;
        let journal = match args.resume && is_old {
            true => Journal::resume(&path, &manifest, args.durable)?,
            false => Journal::create(&path, &manifest, args.durable)?,
        };
        if shard.is_none() && is_used {
            remove_parts(&folder);
        }
        let output = Self { folder, journal, manifest, shard };
        let failures = output.failures();
        if failures.exists() {
            std::fs::remove_file(&failures).map_err(|error| Error::io(failures.display(), error))?;
        }
        if shard.is_none() {
            write_run(&output.folder, &output.manifest, None)?;
        }
        Ok(Some(output))
    }

    fn failures(&self) -> PathBuf {
        self.folder.join(match self.shard {
            None => "failures.jsonl".to_owned(),
            Some(Shard { index, count }) => format!("failures.{}-of-{count}.jsonl", index + 1),
        })
    }

    /// Whether an image needs no work: it is done, its files are there, and so is the picture it was
    /// made from.
    pub(super) fn is_done(&self, number: usize, input: &Input) -> Result<Known> {
        let Some(entry) = self.journal.entry(number)?.filter(Entry::is_ok) else { return Ok(Known::Unknown) };
        let is_it = entry.image() == input.name && entry.page() == input.page.map(|page| page as u64 + 1);
        if !is_it || !entry.files().all(|file| names::is_file(&self.folder, file)) {
            return Ok(Known::Unknown);
        }
        Ok(if is_same(&entry.stamp(), input) { Known::Done(entry.record()) } else { Known::Changed })
    }

    /// Notes a finished image.
    pub(super) fn note(
        &self,
        number: usize,
        stamp: &Stamp,
        files: &[String],
        record: &Map<String, Json>,
    ) -> Result<()> {
        self.journal.append(number, &Entry::new(number, stamp, files, record))
    }

    /// Notes why an image failed, for the reader.
    pub(super) fn failed(&self, name: &str, error: &Error) -> Result<()> {
        let path = self.failures();
        let line = failure(name, error.kind().as_str(), &super::one_line(error), error.hint());
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|error| Error::io(path.display(), error).with_hint(super::RESUME))
    }

    /// Whether an error means that nothing more can be written into the folder.
    pub(super) fn is_lost(&self, error: &Error) -> bool {
        use std::io::ErrorKind as K;
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            if let Some(error) = error.downcast_ref::<std::io::Error>()
                && matches!(error.kind(), K::StorageFull | K::QuotaExceeded | K::ReadOnlyFilesystem)
            {
                return true;
            }
            source = error.source();
        }
        error.kind() == ErrorKind::Io && !self.folder.is_dir()
    }

    /// Ends the run; where nothing is left to do, journal and manifest get their last form.
    pub(super) fn close(self, is_complete: bool) -> Result<()> {
        if !is_complete {
            return Ok(());
        }
        let mut hasher = blake3::Hasher::new();
        let resumable = |error: Error| error.with_hint(super::RESUME);
        self.journal.finish(|entry| fingerprint(&mut hasher, entry)).map_err(resumable)?;
        if self.shard.is_none() {
            write_run(&self.folder, &self.manifest, Some(&hasher)).map_err(resumable)?;
        }
        Ok(())
    }
}

/// Adds an image to the fingerprint of all inputs.
pub(super) fn fingerprint(hasher: &mut blake3::Hasher, entry: &Entry) {
    hasher.update(format!("{}\0{}\n", entry.image(), entry.stamp().hash).as_bytes());
}

/// A line of `failures.jsonl`.
pub(super) fn failure(name: &str, kind: &str, error: &str, hint: Option<&str>) -> String {
    let mut line = json!({ "image": name, "kind": kind, "error": error });
    if let Some(hint) = hint {
        line["hint"] = hint.into();
    }
    format!("{line}\n")
}

/// Writes `run.json`: what was run, on what, by what.
pub(super) fn write_run(
    folder: &Path,
    manifest: &Map<String, Json>,
    inputs: Option<&blake3::Hasher>,
) -> Result<()> {
    let mut run = manifest.clone();
    run.shift_remove("journal");
    if let Some(hasher) = inputs {
        run.insert("inputs-blake3".into(), hasher.finalize().to_hex().as_str().into());
    }
    run.insert("platform".into(), json!({ "os": std::env::consts::OS, "arch": std::env::consts::ARCH }));
    let path = folder.join("run.json");
    let failed = |error| Error::io(path.display(), error);
    let mut file = tempfile::Builder::new();
    let file = file.prefix(".lyncean-").suffix(".part").tempfile_in(folder);
    let mut file = file.map_err(failed)?;
    file.write_all(format!("{:#}\n", Json::Object(run)).as_bytes()).map_err(failed)?;
    journal::share(file.as_file());
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// All that results depend on, beside the pictures.
fn manifest(args: &Args, pipeline: &Pipeline, saved: &[String], inputs: usize) -> Map<String, Json> {
    let mut manifest = Map::new();
    manifest.insert("lyncean".into(), env!("CARGO_PKG_VERSION").into());
    manifest.insert("file".into(), args.pipeline.display().to_string().into());
    manifest.insert("pipeline".into(), pipeline.resolved());
    manifest.insert("resources".into(), json!(pipeline.resources()));
    manifest.insert("save".into(), json!(saved));
    manifest.insert(
        "format".into(),
        json!(args.format.map(|format| crate::image::codec::Format::from(format).extension())),
    );
    manifest.insert("inputs".into(), inputs.into());
    manifest
}

/// Temporary files of a run that was killed.
pub(super) fn remove_parts(folder: &Path) {
    let is_part =
        |name: &str| name.strip_prefix(".lyncean-").is_some_and(|rest| rest.strip_suffix(".part").is_some());
    for entry in WalkDir::new(folder).into_iter().flatten() {
        if entry.file_name().to_str().is_some_and(is_part) {
            // One that stays does no harm.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Whether a picture is the one with this fingerprint. Size and time of the last change decide where
/// both are as they were; where only the time differs, the content does.
fn is_same(before: &Stamp, input: &Input) -> bool {
    match &input.place {
        Place::Builtin(bytes) => blake3::hash(bytes).to_hex().as_str() == before.hash,
        Place::Unreadable(_) => false,
        Place::File(path) => {
            let Ok(meta) = path.metadata() else { return false };
            if meta.len() != before.bytes || before.modified.is_none() {
                return false;
            }
            picture::modified(&meta) == before.modified
                || picture::stamp(path).is_ok_and(|now| now.hash == before.hash)
        }
    }
}

/// The fingerprint of a picture that could not be read; what of it there is.
pub(super) fn stamp(input: &Input) -> Stamp {
    match &input.place {
        Place::File(path) if path.is_file() => picture::stamp(path).unwrap_or_default(),
        _ => Stamp::default(),
    }
}

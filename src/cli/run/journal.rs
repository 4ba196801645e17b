//! The journal of an output folder: what is done, so that a run that was ended can be completed.
//!
//! JSON lines. The first says what is done to every image (the manifest); each further one is a
//! finished image: its number, its fingerprint, the files written for it, its record. A line is
//! written once all of the image's files have their names. A torn last line, as `kill -9` may leave,
//! counts for nothing. When a run is complete its journal is put in input order, so that equal runs
//! leave equal folders.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Map, Value as Json, json};

use super::args::Shard;
use crate::{Error, Result};

/// The version of the journal's format.
const VERSION: u64 = 1;

/// Lines of the images that are done, by number.
pub(super) type Index = Vec<Option<(u64, usize)>>;

/// A journal that is being written.
pub(super) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    is_durable: bool,
    /// Where the lines of an earlier run stand.
    index: Mutex<Index>,
}

/// A finished image, as the journal tells it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// The whole line.
    json: Map<String, Json>,
}

impl Entry {
    pub(super) fn new(index: usize, stamp: &Stamp, files: &[String], record: &Map<String, Json>) -> Self {
        let Json::Object(json) = json!({
            "index": index,
            "image": record.get("image"),
            "bytes": stamp.bytes,
            "modified": stamp.modified,
            "blake3": stamp.hash,
            "files": files,
            "record": record,
        }) else {
            return Self { json: Map::new() };
        };
        Self { json }
    }

    pub(super) fn image(&self) -> &str {
        self.json.get("image").and_then(Json::as_str).unwrap_or_default()
    }

    /// The page, counted from 1, of a file of several.
    pub(super) fn page(&self) -> Option<u64> {
        self.json.get("record").and_then(|record| record.get("page")).and_then(Json::as_u64)
    }

    pub(super) fn record(&self) -> Map<String, Json> {
        self.json.get("record").and_then(Json::as_object).cloned().unwrap_or_default()
    }

    pub(super) fn is_ok(&self) -> bool {
        self.json.get("record").and_then(|record| record.get("status")).and_then(Json::as_str) == Some("ok")
    }

    pub(super) fn stamp(&self) -> Stamp {
        let number = |key: &str| self.json.get(key).and_then(Json::as_u64);
        let hash = self.json.get("blake3").and_then(Json::as_str).unwrap_or_default().to_owned();
        Stamp { bytes: number("bytes").unwrap_or_default(), modified: number("modified"), hash }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.json.get("files").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
    }
}

/// What tells whether a picture is the one it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Size.
    pub bytes: u64,
    /// Nanoseconds since 1970; `None` for what is no file.
    pub modified: Option<u64>,
    /// BLAKE3 of the content, in hexadecimal; empty where nothing could be read.
    pub hash: String,
}

/// The journal's name in an output folder.
pub(super) fn name(shard: Option<Shard>) -> String {
    match shard {
        None => "journal.jsonl".to_owned(),
        Some(Shard { index, count }) => format!("journal.{}-of-{count}.jsonl", index + 1),
    }
}

impl Journal {
    /// A new journal, in the place of any there is.
    pub(super) fn create(path: &Path, manifest: &Map<String, Json>, is_durable: bool) -> Result<Self> {
        let failed = |error| Error::io(path.display(), error);
        let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(failed)?;
        let journal = Self::locked(path, file, is_durable)?;
        {
            let mut file = journal.lock();
            file.set_len(0).map_err(failed)?;
            file.write_all(format!("{}\n", head(manifest)).as_bytes()).map_err(failed)?;
            if is_durable {
                file.sync_all().map_err(failed)?;
                sync_folder(path);
            }
        }
        Ok(journal)
    }

    /// The journal of an earlier run of the same, to go on with.
    pub(super) fn resume(path: &Path, manifest: &Map<String, Json>, is_durable: bool) -> Result<Self> {
        let failed = |error| Error::io(path.display(), error);
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(failed)?;
        let journal = Self::locked(path, file, is_durable)?;
        {
            let mut file = journal.lock();
            // Killed before its first line was written: nothing is done.
            let mut first = Vec::new();
            file.seek(SeekFrom::Start(0)).map_err(failed)?;
            BufReader::new(&*file).read_until(b'\n', &mut first).map_err(failed)?;
            if first.last() != Some(&b'\n') {
                file.set_len(0).map_err(failed)?;
                file.write_all(format!("{}\n", head(manifest)).as_bytes()).map_err(failed)?;
            }
            let (before, index, whole) = read(&mut file, path)?;
            if let Some(what) = difference(&before, manifest) {
                let message = format!("`{}` is of another run: {what}", path.display());
                return Err(Error::pipeline(message)
                    .with_hint("`--overwrite` begins anew, another folder keeps both"));
            }
            // The torn end of a line.
            file.set_len(whole).map_err(failed)?;
            *journal.index.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = index;
        }
        Ok(journal)
    }

    fn locked(path: &Path, file: File, is_durable: bool) -> Result<Self> {
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let message = format!("`{}`: another run is writing into this folder", path.display());
                return Err(Error::input(message));
            }
            // Some network folders know no locks.
            Err(std::fs::TryLockError::Error(_)) => {}
        }
        if !is_at(&file, path) {
            let message = format!("`{}`: another run has just ended in this folder", path.display());
            return Err(Error::input(message).with_hint("run it again"));
        }
        Ok(Self { path: path.to_path_buf(), file: Mutex::new(file), is_durable, index: Mutex::default() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Adds a finished image.
    pub(super) fn append(&self, index: usize, entry: &Entry) -> Result<()> {
        let failed = |error| Error::io(self.path.display(), error);
        let line = format!("{}\n", Json::Object(entry.json.clone()));
        let mut file = self.lock();
        let at = file.seek(SeekFrom::End(0)).map_err(failed)?;
        if let Err(error) = file.write_all(line.as_bytes()) {
            // What follows must not be glued to half a line.
            let _ = file.set_len(at);
            return Err(failed(error));
        }
        if self.is_durable {
            file.sync_data().map_err(failed)?;
        }
        put(&mut self.slots(), index, (at, line.len()));
        Ok(())
    }

    /// What is known of an image.
    pub(super) fn entry(&self, index: usize) -> Result<Option<Entry>> {
        let Some(place) = self.slots().get(index).copied().flatten() else { return Ok(None) };
        let mut file = self.lock();
        entry_at(&mut file, place).map(Some).map_err(|error| Error::io(self.path.display(), error))
    }

    /// Puts the journal in input order and takes out what was done twice. Calls `each` for every
    /// image on the way.
    pub(super) fn finish(self, mut each: impl FnMut(&Entry)) -> Result<()> {
        let failed = |error| Error::io(self.path.display(), error);
        let index = self.slots().clone();
        let mut file = self.lock();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut head = String::new();
        BufReader::new(&*file).read_line(&mut head).map_err(failed)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let ordered = tempfile::Builder::new().prefix(".lyncean-").suffix(".part").tempfile_in(folder);
        let mut out = BufWriter::new(ordered.map_err(failed)?);
        out.write_all(head.as_bytes()).map_err(failed)?;
        for place in index.into_iter().flatten() {
            let entry = entry_at(&mut file, place).map_err(failed)?;
            each(&entry);
            writeln!(out, "{}", Json::Object(entry.json)).map_err(failed)?;
        }
        let out = out.into_inner().map_err(|error| failed(error.into_error()))?;
        share(out.as_file());
        if self.is_durable {
            out.as_file().sync_all().map_err(failed)?;
        }
        // Windows moves nothing onto a file that is open.
        #[cfg(windows)]
        drop((file, self.file));
        out.persist(&self.path).map_err(|error| failed(error.error))?;
        if self.is_durable {
            sync_folder(&self.path);
        }
        Ok(())
    }
}

/// Makes the name of a file reach the disk. Not every system lets folders be opened.
pub(super) fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
}

/// Whether an open file is still the one of this name: a run that ended between opening and locking has
/// put another in its place.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (file.metadata(), path.metadata()) {
            (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

/// Temporary files are private; this one shall be what any new file is.
pub(super) fn share(file: &File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o644));
    }
    #[cfg(not(unix))]
    let _ = file;
}

pub(super) fn put(index: &mut Index, at: usize, place: (u64, usize)) {
    if index.len() <= at {
        index.resize(at + 1, None);
    }
    index[at] = Some(place);
}

fn head(manifest: &Map<String, Json>) -> Json {
    let mut head = Map::new();
    head.insert("journal".into(), VERSION.into());
    head.extend(manifest.clone());
    Json::Object(head)
}

pub(super) fn entry_at(file: &mut File, (at, length): (u64, usize)) -> std::io::Result<Entry> {
    let mut line = vec![0; length];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut line)?;
    let json = serde_json::from_slice(&line)?;
    Ok(Entry { json })
}

/// The manifest, where the lines of images stand, and how many bytes are whole lines.
pub(super) fn read(file: &mut File, path: &Path) -> Result<(Map<String, Json>, Index, u64)> {
    let failed = |error| Error::io(path.display(), error);
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    let mut at = 0;
    let mut manifest = None;
    let mut index = Index::new();
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line).map_err(failed)?;
        if length == 0 || line.last() != Some(&b'\n') {
            break;
        }
        // After a loss of power a line may have its length and not its content.
        let Ok(Json::Object(json)) = serde_json::from_slice(&line) else { break };
        match &manifest {
            None => manifest = Some(json),
            Some(_) => {
                let number = json.get("index").and_then(Json::as_u64);
                put(&mut index, number.unwrap_or_default() as usize, (at, length));
            }
        }
        at += length as u64;
    }
    let Some(manifest) = manifest.filter(|json| json.get("journal") == Some(&json!(VERSION))) else {
        let message = format!("`{}` is no journal of this version", path.display());
        return Err(Error::input(message).with_hint("`--overwrite` begins anew"));
    };
    Ok((manifest, index, at))
}

/// What a run does differently from the one that wrote a journal.
pub(super) fn difference(before: &Map<String, Json>, now: &Map<String, Json>) -> Option<String> {
    for (key, value) in now {
        let was = before.get(key).unwrap_or(&Json::Null);
        if was == value {
            continue;
        }
        return Some(match (key.as_str(), was, value) {
            ("pipeline", _, _) => "the pipeline has changed since".to_owned(),
            ("resources", Json::Object(was), Json::Object(value)) => {
                let changed = value.iter().find(|(name, hash)| was.get(*name) != Some(hash));
                let name = changed.map(|(name, _)| name.as_str()).unwrap_or_default();
                format!("`{name}`, which the pipeline uses, has changed since")
            }
            ("inputs", _, _) => format!("it had {was} inputs, this one has {value}"),
            _ => format!("`{key}` was {was}, and is {value}"),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(pipeline: &str) -> Map<String, Json> {
        json!({ "pipeline": pipeline, "inputs": 3 }).as_object().unwrap().clone()
    }

    fn entry(index: usize, status: &str) -> Entry {
        let record = json!({ "image": format!("{index}.png"), "status": status });
        let stamp = Stamp { bytes: 5, modified: Some(7), hash: "ab".into() };
        Entry::new(index, &stamp, &[format!("{index}.png")], record.as_object().unwrap())
    }

    #[test]
    fn torn_lines_count_for_nothing_and_order_comes_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::create(&path, &manifest("a"), false).unwrap();
        for index in [2, 0] {
            journal.append(index, &entry(index, "ok")).unwrap();
        }
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for torn in [&b"{\"index\":1,\"ima"[..], b"\0\0\0\0\n", b""] {
            std::fs::write(&path, [&whole[..], torn].concat()).unwrap();
            let journal = Journal::resume(&path, &manifest("a"), false).unwrap();
            assert_eq!(journal.entry(0).unwrap(), Some(entry(0, "ok")));
            assert_eq!(journal.entry(1).unwrap(), None);
            journal.append(1, &entry(1, "error")).unwrap();
            journal.append(1, &entry(1, "ok")).unwrap();
            let mut seen = Vec::new();
            journal.finish(|entry| seen.push(entry.image().to_owned())).unwrap();
            assert_eq!(seen, ["0.png", "1.png", "2.png"]);
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text.lines().count(), 4);
            assert!(text.lines().nth(2).unwrap().contains("\"status\":\"ok\""), "{text}");
        }
    }

    #[test]
    fn another_run_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        drop(Journal::create(&path, &manifest("a"), false).unwrap());
        let Err(error) = Journal::resume(&path, &manifest("b"), false) else { panic!("another pipeline") };
        assert!(error.message().ends_with("the pipeline has changed since"), "{error}");
        let first = Journal::resume(&path, &manifest("a"), false).unwrap();
        let Err(error) = Journal::resume(&path, &manifest("a"), false) else { panic!("two runs at once") };
        assert!(error.message().contains("another run is writing"), "{error}");
        drop(first);
        std::fs::write(&path, "something else\n").unwrap();
        assert!(Journal::resume(&path, &manifest("a"), false).is_err());
        // Killed in its first line.
        for torn in ["", "{\"journal\":1,\"pipel"] {
            std::fs::write(&path, torn).unwrap();
            drop(Journal::resume(&path, &manifest("c"), false).unwrap());
            assert!(Journal::resume(&path, &manifest("c"), false).is_ok());
        }
    }
}

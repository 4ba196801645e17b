//! Which format lies in a folder, or which a file has.

use std::path::{Path, PathBuf};

use super::super::csv::Csv;
use super::names::{ends, files, is_picture};
use super::voc::Voc;
use super::yolo::{Settings, Yolo, has_labels, names_in};
use super::{Split, info, table};
use crate::Result;

/// A format, and where its files are.
pub(super) enum Source {
    Coco(PathBuf),
    Voc(Voc),
    Yolo(Yolo),
    Table(PathBuf),
    Info(PathBuf),
}

impl Source {
    /// What was read, for messages.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Coco(path) | Self::Table(path) | Self::Info(path) => path,
            Self::Voc(voc) => &voc.annotations,
            Self::Yolo(yolo) => &yolo.root,
        }
    }
}

/// The names that the folders of a split have.
fn folders(split: Split) -> &'static [&'static str] {
    match split {
        Split::Train => &["train"],
        Split::Test => &["test", "val", "valid"],
    }
}

/// The boxes of a split in a folder or a file; nothing where there are none. What has no splits is for training.
pub(super) fn source(path: &Path, split: Split) -> Result<Option<Source>> {
    if path.is_file() {
        return of_file(path, split);
    }
    if !path.is_dir() {
        return Ok(None);
    }
    let inner =
        |split| folders(split).iter().map(|name| path.join(name)).filter(|folder: &PathBuf| folder.is_dir());
    for folder in inner(split) {
        if let Some(found) = of_folder(&folder, Split::Train)? {
            return Ok(Some(found));
        }
    }
    // The other part is never taken for this one.
    let other = if split == Split::Train { Split::Test } else { Split::Train };
    for folder in inner(other) {
        if of_folder(&folder, Split::Train)?.is_some() {
            return Ok(None);
        }
    }
    of_folder(path, split)
}

fn of_file(path: &Path, split: Split) -> Result<Option<Source>> {
    if ends(path, "yaml") || ends(path, "yml") {
        return of_settings(path, split);
    }
    if split == Split::Test {
        return Ok(None);
    }
    if ends(path, "json") {
        return Ok(Some(Source::Coco(path.to_owned())));
    }
    if ends(path, "csv") {
        let head = head(path);
        let header = head.lines().next().unwrap_or_default();
        let is_table = Csv::parse(header, path).is_ok_and(|csv| table::has_boxes(&csv));
        return Ok(is_table.then(|| Source::Table(path.to_owned())));
    }
    let is_info = ["dat", "info", "txt"].iter().any(|ending| ends(path, ending)) && info::begins(&head(path));
    Ok(is_info.then(|| Source::Info(path.to_owned())))
}

/// The first bytes of a file as text, up to the end of a line where there is one.
fn head(path: &Path) -> String {
    use std::io::Read;
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        // What cannot be read is no such file; who reads it says why.
        let _ = file.take(1 << 16).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn of_folder(folder: &Path, split: Split) -> Result<Option<Source>> {
    for name in ["data.yaml", "data.yml", "dataset.yaml"] {
        let path = folder.join(name);
        if path.is_file()
            && let Some(found) = of_settings(&path, split)?
        {
            return Ok(Some(found));
        }
    }
    if let Some(found) = coco(folder, split)?.or(voc(folder, split)?) {
        return Ok(Some(found));
    }
    if let Some(found) = yolo(folder, split)? {
        return Ok(Some(found));
    }
    let lists =
        files(folder, 0, &|path| ["csv", "dat", "info", "txt"].iter().any(|ending| ends(path, ending)))?;
    for path in lists {
        if let Some(found) = of_file(&path, split)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn of_settings(path: &Path, split: Split) -> Result<Option<Source>> {
    let settings = Settings::read(path)?;
    let pictures = match split {
        Split::Train => &settings.train,
        Split::Test if !settings.test.is_empty() => &settings.test,
        Split::Test => &settings.val,
    };
    if pictures.is_empty() {
        return Ok(None);
    }
    let pictures = pictures.iter().map(|name| settings.resolve(path, name)).collect();
    let root = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
    Ok(Some(Source::Yolo(Yolo { root, pictures, names: settings.names })))
}

/// COCO's files are known by their names: those for a split have its name in theirs.
fn coco(folder: &Path, split: Split) -> Result<Option<Source>> {
    // Other tools leave JSON beside pictures, too.
    let is_coco = |path: &Path| {
        let head = if ends(path, "json") { head(path) } else { return false };
        head.trim_start().starts_with('{')
            && ["\"images\"", "\"annotations\""].iter().any(|key| head.contains(key))
    };
    let mut found = files(folder, 0, &is_coco)?;
    if found.is_empty() && folder.join("annotations").is_dir() {
        found = files(&folder.join("annotations"), 0, &is_coco)?;
    }
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let of = |split: Split| {
        let named = |path: &&PathBuf| folders(split).iter().any(|name| stem(path).contains(name));
        // Of `instances`, `captions` and `person_keypoints` the first are what is meant.
        let all: Vec<&PathBuf> = found.iter().filter(named).collect();
        all.iter().find(|path| stem(path).contains("instances")).or(all.first()).map(|path| (*path).clone())
    };
    let is_split = of(Split::Train).is_some() || of(Split::Test).is_some();
    let path = match split {
        _ if is_split => of(split),
        Split::Train => found.into_iter().next(),
        Split::Test => None,
    };
    Ok(path.map(Source::Coco))
}

fn voc(folder: &Path, split: Split) -> Result<Option<Source>> {
    let own = folder.join("Annotations");
    let is_nested = own.is_dir();
    let annotations = if is_nested { own } else { folder.to_owned() };
    let depth = if is_nested { 4 } else { 0 };
    if files(&annotations, depth, &|path| ends(path, "xml"))?.is_empty() {
        return Ok(None);
    }
    let list = |name: &str| Some(folder.join("ImageSets/Main").join(name)).filter(|path| path.is_file());
    let (test, val) = (list("test.txt"), list("val.txt"));
    // `trainval` holds `val`, so it is for training only where `test` is there to judge by.
    let train = list("trainval.txt").filter(|_| test.is_some() || val.is_none()).or(list("train.txt"));
    let list = match split {
        Split::Train => train,
        Split::Test => match test.or(val) {
            Some(list) => Some(list),
            None => return Ok(None),
        },
    };
    Ok(Some(Source::Voc(Voc { annotations, list })))
}

fn yolo(folder: &Path, split: Split) -> Result<Option<Source>> {
    let (images, labels) = (folder.join("images"), folder.join("labels"));
    let pictures = if images.is_dir() && has_labels(&labels) {
        let parts = |split| folders(split).iter().map(|name| images.join(name)).find(|part| part.is_dir());
        match (parts(split), parts(Split::Train).or(parts(Split::Test))) {
            (Some(part), _) => part,
            (None, None) if split == Split::Train => images,
            _ => return Ok(None),
        }
    } else if split == Split::Train && has_labels(folder) && !files(folder, 2, &is_picture)?.is_empty() {
        folder.to_owned()
    } else {
        return Ok(None);
    };
    Ok(Some(Source::Yolo(Yolo {
        root: folder.to_owned(),
        pictures: vec![pictures],
        names: names_in(folder)?,
    })))
}

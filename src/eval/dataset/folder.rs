//! Class folders: one folder for each class, pictures inside.

use std::path::{Path, PathBuf};

use super::{Dataset, Pictures};
use crate::image::codec::Format;
use crate::{Error, Result};

/// The pictures of class folders, classes and files sorted by name. Hidden entries and files whose
/// names have no picture's ending are passed over.
pub(super) fn read(root: &Path) -> Result<Dataset> {
    let mut classes: Vec<PathBuf> = entries(root)?.into_iter().filter(|path| path.is_dir()).collect();
    classes.sort();
    let (mut names, mut labels, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for (label, class) in classes.iter().enumerate() {
        let name = class.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut files: Vec<PathBuf> = entries(class)?
            .into_iter()
            .filter(|path| path.is_file() && Format::from_name(path).is_some())
            .collect();
        files.sort();
        for file in files {
            labels.push(label);
            paths.push(file.strip_prefix(root).unwrap_or(&file).to_owned());
        }
        names.push(name);
    }
    if paths.is_empty() {
        return Err(Error::input(format!("`{}` has no pictures in class folders", root.display()))
            .with_hint("expected `CLASS/picture.png`, one folder for each class"));
    }
    Ok(Dataset { classes: names, labels, pictures: Pictures::Files { root: root.to_owned(), paths } })
}

pub(super) fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::io(directory.display(), error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

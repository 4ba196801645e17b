//! Where pictures lie.

use std::path::{Path, PathBuf};

use super::BoxOptions;
use crate::image::codec::Format;
use crate::{Error, Result};

/// Folders in which pictures are looked for.
pub(super) struct Folders {
    folders: Vec<PathBuf>,
    /// The folder in which the last picture was: the next one is most often there, too.
    last: usize,
}

impl Folders {
    /// The folder of the options, or the usual ones of a format.
    pub(super) fn new(options: &BoxOptions, usual: Vec<PathBuf>) -> Self {
        Self { folders: options.pictures.clone().map_or(usual, |folder| vec![folder]), last: 0 }
    }

    /// The file of a picture, or where it should be.
    pub(super) fn find(&mut self, name: &str) -> PathBuf {
        let name = name.replace('\\', "/");
        let order = std::iter::once(self.last).chain(0..self.folders.len());
        for at in order {
            let path = self.folders[at].join(&name);
            if path.is_file() {
                self.last = at;
                return path;
            }
        }
        self.folders[self.last].join(&name)
    }

    /// The picture whose name without its ending is `stem`.
    pub(super) fn find_stem(&mut self, stem: &str) -> Option<PathBuf> {
        let endings =
            Format::ALL.iter().map(|format| format.extension()).chain(["jpeg", "tif", "ppm", "pgm"]);
        endings
            .flat_map(|ending| [format!("{stem}.{ending}"), format!("{stem}.{}", ending.to_uppercase())])
            .map(|name| self.find(&name))
            .find(|path| path.is_file())
    }
}

/// The files below a folder, to some depth, for which `wanted` says so, sorted. Hidden ones are passed over.
pub(super) fn files(folder: &Path, depth: usize, wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    gather(folder, depth, wanted, &mut found)?;
    found.sort();
    Ok(found)
}

fn gather(
    folder: &Path,
    depth: usize,
    wanted: &dyn Fn(&Path) -> bool,
    found: &mut Vec<PathBuf>,
) -> Result<()> {
    let failed = |error| Error::io(folder.display(), error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            if depth > 0 {
                gather(&path, depth - 1, wanted, found)?;
            }
        } else if wanted(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a file has this ending.
pub(super) fn ends(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// Whether a file is a picture by its name.
pub(super) fn is_picture(path: &Path) -> bool {
    Format::from_name(path).is_some() && path.extension().is_some()
}

/// A path below a root as records have it, with `/` between its parts.
pub(super) fn below(path: &Path, root: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

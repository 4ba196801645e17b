//! Pictures without objects: folders, files, and lists of files as OpenCV's `bg.txt`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::image::codec::{self, Format, ReadOptions};
use crate::image::{Image, Plane};
use crate::ops::cascade::train::Negatives;
use crate::ops::convert::Depth;
use crate::ops::{Context, Convert, convert, gray};
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// Pixels that are kept in memory; pictures beyond are read anew each time.
const KEPT: usize = 1 << 30;
/// Folders inside of folders that are looked into.
const DEPTH: usize = 16;

/// Pictures in which there is no object, from folders, files and lists.
///
/// ```
/// use lyncean::eval::Photos;
/// use lyncean::ops::cascade::train::Negatives;
///
/// let photos = Photos::open(&["fixtures/photos".into()])?;
/// assert_eq!(photos.len(), 7);
/// assert!(photos.picture(0)?.width() > 100);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Debug)]
pub struct Photos {
    paths: Vec<PathBuf>,
    kept: Vec<Option<Arc<Plane<u8>>>>,
}

impl Photos {
    /// The pictures of folders, and of the folders in them, sorted by path; pictures; and texts with the path of a
    /// picture in each line, relative to the text. What fits in 1 GiB is read at once and kept in gray.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io), and [`Input`](crate::ErrorKind::Input) where there are none or one cannot be read.
    pub fn open(places: &[PathBuf]) -> Result<Self> {
        let mut paths = Vec::new();
        for place in places {
            if place.is_dir() {
                let before = paths.len();
                paths.extend(below(place)?);
                if paths.len() == before {
                    return Err(Error::input(format!("there are no pictures in `{}`", place.display())));
                }
            } else if place.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("txt")) {
                paths.extend(listed(place)?);
            } else {
                paths.push(place.clone());
            }
        }
        let sizes = paths.par_iter().map(|path| codec::probe(path)).collect::<Result<Vec<_>>>()?;
        let mut room = KEPT;
        let is_kept: Vec<bool> = sizes
            .iter()
            .map(|source| {
                let area = source.width.saturating_mul(source.height);
                let fits = area <= room;
                room -= if fits { area } else { 0 };
                fits
            })
            .collect();
        let numbers: Vec<usize> = (0..paths.len()).collect();
        let kept = numbers
            .par_iter()
            .map(|&number| is_kept[number].then(|| load(&paths[number]).map(Arc::new)).transpose())
            .collect::<Result<_>>()?;
        Ok(Self { paths, kept })
    }

    /// Their files.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

impl Negatives for Photos {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn picture(&self, index: usize) -> Result<Arc<Plane<u8>>> {
        match &self.kept[index] {
            Some(plane) => Ok(plane.clone()),
            None => load(&self.paths[index]).map(Arc::new),
        }
    }
}

/// A picture in gray, 8 bit.
pub(super) fn load(path: &Path) -> Result<Plane<u8>> {
    let cx = Context::default();
    let read = || {
        let image = codec::read_file(path, &ReadOptions::default())?.image;
        match gray(&convert(&image, &Convert::to(Depth::U8), &cx)?, &cx)? {
            Image::Gray8(plane) | Image::Mask(plane) => Ok(plane),
            other => Err(Error::shape(format!("expected a picture that becomes gray, got `{}`", other.ty()))),
        }
    };
    read().map_err(|error: Error| {
        // Reading names the file already, conversions do not.
        if error.to_string().contains(&*path.to_string_lossy()) {
            error
        } else {
            error.within(path.display().to_string())
        }
    })
}

/// The pictures in a folder and below, sorted.
pub(super) fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    gather(folder, DEPTH, &mut found)?;
    found.sort();
    Ok(found)
}

fn gather(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |error| Error::io(folder.display(), error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                gather(&path, depth - 1, found)?;
            }
        } else if path.extension().and_then(Format::from_name).is_some() {
            found.push(path);
        }
    }
    Ok(())
}

/// The pictures that a text lists, one in a line.
fn listed(list: &Path) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(list).map_err(|error| Error::io(list.display(), error))?;
    let own = list.parent().unwrap_or_else(|| Path::new(""));
    let mut paths = Vec::new();
    for (line, name) in (1..).zip(text.lines()) {
        let name = name.trim();
        if name.is_empty() || name.starts_with('#') {
            continue;
        }
        let path = own.join(name.replace('\\', "/"));
        if !path.is_file() {
            return Err(Error::input(format!(
                "{}:{line}: expected a picture, got `{name}`, which is not there",
                list.display()
            ))
            .with_hint("paths are relative to the list"));
        }
        paths.push(path);
    }
    if paths.is_empty() {
        return Err(Error::input(format!("`{}` lists no pictures", list.display())));
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::codec::WriteOptions;

    #[test]
    fn folders_files_and_lists_are_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, value: u8| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let image = Image::Gray8(Plane::filled(4, 3, value));
            codec::write(path, &image, Format::Png, &WriteOptions::default()).unwrap();
        };
        write("a/2.png", 2);
        write("a/deep/1.png", 1);
        write("b/3.png", 3);
        let list = folder.path().join("bg.txt");
        std::fs::write(&list, "b\\3.png\n\n# none\na/2.png\n").unwrap();
        let photos =
            Photos::open(&[folder.path().join("a"), list.clone(), folder.path().join("b/3.png")]).unwrap();
        let values: Vec<u8> = (0..photos.len()).map(|i| photos.picture(i).unwrap().get(0, 0)).collect();
        assert_eq!(values, [2, 1, 3, 2, 3]);
        assert!(photos.paths()[0].ends_with("a/2.png"));

        std::fs::write(&list, "a/2.png\nno.png\n").unwrap();
        let error = Photos::open(std::slice::from_ref(&list)).unwrap_err();
        assert!(error.message().ends_with("bg.txt:2: expected a picture, got `no.png`, which is not there"));
        std::fs::write(&list, "\n").unwrap();
        assert!(Photos::open(&[list]).unwrap_err().message().ends_with("lists no pictures"));
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        assert!(Photos::open(&[empty]).unwrap_err().message().starts_with("there are no pictures in"));
        std::fs::write(folder.path().join("b/3.png"), "broken").unwrap();
        let error = Photos::open(&[folder.path().join("b")]).unwrap_err();
        assert!(error.to_string().contains("3.png"), "{error}");
    }
}

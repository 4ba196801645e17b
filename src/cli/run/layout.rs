//! Which files a run writes, and that no two of them are the same.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::super::inputs::{Input, Place};
use crate::image::codec::Format;
use crate::{Error, Result};

/// `STEM.PART.ENDING`, or without a part `STEM.ENDING`, below the output folder.
pub(super) fn path(folder: &Path, stem: &Path, parts: &[&str], format: Format) -> PathBuf {
    let mut name = OsString::from(folder.join(stem));
    for part in parts.iter().copied().chain([format.extension()]) {
        name.push(".");
        name.push(part);
    }
    PathBuf::from(name)
}

/// Refuses inputs that would write the same file, and outputs that would replace an input.
///
/// Formats follow from pixels that nobody has read yet, so endings are left out of account.
pub(super) fn check(inputs: &[Input], folder: &Path, saved: &[String]) -> Result<()> {
    let mut taken: HashMap<PathBuf, &str> = HashMap::new();
    for input in inputs {
        let parts = std::iter::once(&[][..]).chain(saved.iter().map(std::slice::from_ref));
        for part in parts {
            let parts: Vec<&str> = part.iter().map(String::as_str).collect();
            let target = path(folder, &input.stem, &parts, Format::Png);
            if let Some(other) = taken.insert(target.clone(), &input.name) {
                let message =
                    format!("`{other}` and `{}` would both be written to `{}`", input.name, target.display());
                return Err(Error::input(message).with_hint("run them apart, into different folders"));
            }
        }
    }
    let file = |input: &Input| match &input.place {
        Place::File(path) => path.canonicalize().ok(),
        _ => None,
    };
    let read: HashSet<PathBuf> = inputs.iter().filter_map(file).collect();
    for target in taken.keys() {
        let written = Format::WRITE.map(|format| target.with_extension(format.extension()));
        for written in written {
            if written.canonicalize().is_ok_and(|path| read.contains(&path)) {
                let message = format!("`{}` would be replaced by its own result", written.display());
                return Err(Error::input(message).with_hint("give another folder with `-o`"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str) -> Input {
        let stem = Path::new(name).with_extension("");
        Input { name: name.into(), stem, place: Place::File(name.into()) }
    }

    #[test]
    fn same_names_are_refused_with_any_ending_and_any_stage() {
        let saved = ["sobel".to_owned()];
        let out = Path::new("no-such-folder");
        assert!(check(&[input("a.png"), input("b.png"), input("sub/a.png")], out, &saved).is_ok());
        for (one, two) in [("a.png", "a.jpg"), ("a.png", "a.png"), ("a.png", "a.sobel.tif")] {
            let error = check(&[input(one), input(two)], out, &saved).unwrap_err();
            assert!(error.message().contains("would both be written"), "{error}");
        }
        assert!(check(&[input("a.png"), input("a.sobel.png")], out, &[]).is_ok());
    }

    #[test]
    fn no_input_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("a.png");
        std::fs::write(&at, b"x").unwrap();
        let inputs = [Input { name: "a.png".into(), stem: "a".into(), place: Place::File(at) }];
        assert!(check(&inputs, folder.path(), &[]).is_err());
        assert!(check(&inputs, &folder.path().join("out"), &[]).is_ok());
    }

    #[test]
    fn dots_in_names_stay() {
        let path = path(Path::new("out"), Path::new("a/b.c"), &["sobel"], Format::Tiff);
        assert_eq!(path, Path::new("out/a/b.c.sobel.tiff"));
    }
}

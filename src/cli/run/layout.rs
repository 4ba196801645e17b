//! Which files a run writes, and that no two of them are the same.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use super::super::inputs::{Input, Place};
use super::args::Args;
use crate::image::codec::Format;
use crate::{Error, Result};

/// `STEM.PART.ENDING`, or without a part `STEM.ENDING`, below the output folder.
pub(in crate::cli) fn path(folder: &Path, stem: &Path, parts: &[&str], format: Format) -> PathBuf {
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
pub(in crate::cli) fn check(inputs: &[Input], folder: &Path, saved: &[String]) -> Result<()> {
    // Hashes, not paths: of a million pictures nothing shall be held that need not be.
    let state = RandomState::new();
    let hash = |path: &Path| state.hash_one(path);
    let mut taken: HashMap<u64, usize> = HashMap::new();
    for (index, input) in inputs.iter().enumerate() {
        for target in targets(input, folder, saved) {
            let place = folded(&target, IGNORES_CASE);
            let Some(other) = taken.insert(hash(&place), index).map(|other| &inputs[other]) else { continue };
            if targets(other, folder, saved).any(|target| folded(&target, IGNORES_CASE) == place) {
                let (other, name) = (&other.name, &input.name);
                let message =
                    format!("`{other}` and `{name}` would both be written to `{}`", target.display());
                return Err(Error::input(message).with_hint("run them apart, into different folders"));
            }
        }
    }
    drop(taken);
    let file = |input: &Input| match &input.place {
        Place::File(path) => path.canonicalize().ok().map(|path| hash(&path)),
        _ => None,
    };
    let read: HashSet<u64> = inputs.iter().filter_map(file).collect();
    for target in inputs.iter().flat_map(|input| targets(input, folder, saved)) {
        let written = Format::WRITE.map(|format| target.with_extension(format.extension()));
        for written in written {
            if written.canonicalize().is_ok_and(|path| read.contains(&hash(&path))) {
                let message = format!("`{}` would be replaced by its own result", written.display());
                return Err(Error::input(message).with_hint("give another folder with `-o`"));
            }
        }
    }
    Ok(())
}

/// Refuses to write over files that are there already.
pub(super) fn check_absent<'a>(
    inputs: impl IntoIterator<Item = &'a Input>,
    folder: &Path,
    saved: &[String],
) -> Result<()> {
    for target in inputs.into_iter().flat_map(|input| targets(input, folder, saved)) {
        let written = Format::WRITE.map(|format| target.with_extension(format.extension()));
        if let Some(old) = written.iter().find(|path| path.exists()) {
            let message = format!("`{}` is there already", old.display());
            return Err(Error::input(message).with_hint("`--overwrite` replaces it"));
        }
    }
    Ok(())
}

/// Refuses lists (records, objects, timings) that would be one file, or be written over something that is
/// read, or over what the output folder keeps itself.
pub(super) fn check_lists(args: &Args, inputs: &[Input]) -> Result<()> {
    let lists = [&args.records, &args.objects, &args.timings].into_iter().flatten();
    let mut taken: HashSet<PathBuf> = HashSet::new();
    let absolute = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
    for list in lists.filter(|list| list.as_os_str() != "-") {
        let Some(path) = absolute(list) else { continue };
        let words = |why: &str| Error::input(format!("`{}` {why}", list.display()));
        let is_read = |input: &Input| match &input.place {
            Place::File(file) => {
                file.file_name() == list.file_name() && absolute(file).as_ref() == Some(&path)
            }
            _ => false,
        };
        if absolute(&args.pipeline).as_ref() == Some(&path) || inputs.iter().any(is_read) {
            return Err(words("is read by this run, and would be written over"));
        }
        let folder = args.output.as_deref().and_then(absolute);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_own = name == "run.json"
            || ["journal.", "failures."]
                .iter()
                .any(|own| name.starts_with(own) && path.extension().is_some_and(|ending| ending == "jsonl"));
        if is_own && path.parent() == folder.as_deref() {
            return Err(words("is a file that the output folder keeps itself"));
        }
        if !taken.insert(path) {
            return Err(words("is asked for twice").with_hint("give each list a file of its own"));
        }
    }
    Ok(())
}

/// The files of an image, as if all were PNG.
fn targets(input: &Input, folder: &Path, saved: &[String]) -> impl Iterator<Item = PathBuf> {
    let parts = std::iter::once(&[][..]).chain(saved.iter().map(std::slice::from_ref));
    parts.map(move |part| {
        let parts: Vec<&str> = part.iter().map(String::as_str).collect();
        path(folder, &input.stem, &parts, Format::Png)
    })
}

/// Whether `A.png` and `a.png` are one file on this system, as a rule.
const IGNORES_CASE: bool = cfg!(any(windows, target_os = "macos"));

/// A path as the system compares it.
fn folded(path: &Path, ignores_case: bool) -> PathBuf {
    match path.to_str() {
        Some(text) if ignores_case => PathBuf::from(text.to_lowercase()),
        _ => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str) -> Input {
        let stem = Path::new(name).with_extension("");
        Input { name: name.into(), stem, place: Place::File(name.into()), page: None }
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
        let inputs = [Input { name: "a.png".into(), stem: "a".into(), place: Place::File(at), page: None }];
        assert!(check(&inputs, folder.path(), &[]).is_err());
        assert!(check(&inputs, &folder.path().join("out"), &[]).is_ok());
    }

    #[test]
    fn names_are_compared_as_the_system_does() {
        let (upper, lower) = (Path::new("out/Ärger.PNG"), Path::new("out/ärger.png"));
        assert_eq!(folded(upper, true), folded(lower, true));
        assert_ne!(folded(upper, false), folded(lower, false));
    }

    #[test]
    fn files_that_are_there_stay() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_absent(&[input("a.jpg")], folder.path(), &[]).is_ok());
        std::fs::write(folder.path().join("a.tiff"), b"x").unwrap();
        assert!(check_absent(&[input("a.jpg")], folder.path(), &[]).is_err());
        assert!(check_absent(&[input("b.jpg")], folder.path(), &[]).is_ok());
    }

    #[test]
    fn dots_in_names_stay() {
        let path = path(Path::new("out"), Path::new("a/b.c"), &["sobel"], Format::Tiff);
        assert_eq!(path, Path::new("out/a/b.c.sobel.tiff"));
    }
}

//! From the words of the command line to pictures: files, folders, patterns, built-ins.

use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;
use walkdir::{DirEntry, WalkDir};

use super::run::shown;
use crate::image::builtin;
use crate::image::codec::{self, Decode, Format, Picture, ReadOptions};
use crate::ops::row::Shape;
use crate::{Error, ErrorKind, Result};

/// A picture to read.
#[derive(Debug)]
pub(super) struct Input {
    /// What records and messages call it: the path as it follows from the command line, with `/`
    /// between its parts.
    pub name: String,
    /// Where its results go below the output folder, without an ending.
    pub stem: PathBuf,
    /// Where it is.
    pub place: Place,
    /// Which of the pictures in the file, counted from 0; `None` for the only one.
    pub page: Option<usize>,
}

/// Where a picture is.
#[derive(Debug)]
pub(super) enum Place {
    /// In a file.
    File(PathBuf),
    /// In the program.
    Builtin(&'static [u8]),
    /// In a folder that cannot be looked into; the error's words.
    Unreadable(String),
}

/// The pictures that `words` name, in their order, those of a folder or pattern sorted by path.
///
/// A word is a file, a folder (of which the pictures are taken, by their endings; with `recursive`
/// those in folders inside too), a pattern or `builtin:NAME`. Hidden files, and what lies in
/// `skip`, are not looked at in folders. A file that is not there is an input all the same: its
/// record will say so.
///
/// # Errors
/// Unknown built-ins, patterns that are wrong or match nothing, folders without pictures.
pub(super) fn collect(words: &[PathBuf], recursive: bool, skip: Option<&Path>) -> Result<Vec<Input>> {
    let skip = skip.and_then(|folder| folder.canonicalize().ok());
    let mut inputs = Vec::new();
    for word in words {
        let text = word.to_str().unwrap_or_default();
        if let Some(name) = text.strip_prefix("builtin:") {
            inputs.push(built_in(name)?);
        } else if word.is_dir() {
            folder(word, recursive, skip.as_deref(), &mut inputs)?;
        } else if text.contains(['*', '?', '[', '{']) && !word.exists() {
            pattern(text, &mut inputs)?;
        } else {
            let name = word.file_name().map(PathBuf::from).unwrap_or_default();
            inputs.push(file(word, &name));
        }
    }
    Ok(inputs)
}

fn file(path: &Path, below: &Path) -> Input {
    Input {
        name: shown(path),
        stem: below.with_extension(""),
        place: Place::File(path.to_path_buf()),
        page: None,
    }
}

fn built_in(name: &str) -> Result<Input> {
    let Some(bytes) = builtin::picture(name) else {
        let error = Error::new(ErrorKind::Input, format!("there is no built-in picture `{name}`"));
        let known = builtin::PICTURES.iter().map(|(name, _)| name.strip_suffix(".png").unwrap_or(name));
        return Err(match crate::document::did_you_mean(name, known) {
            Some(hint) => error.with_hint(hint),
            None => error,
        });
    };
    let stem = PathBuf::from(name.strip_suffix(".png").unwrap_or(name));
    Ok(Input { name: format!("builtin:{name}"), stem, place: Place::Builtin(bytes), page: None })
}

/// The picture that one word names: a file or `builtin:NAME`.
pub(super) fn read(word: &Path) -> Result<Picture> {
    read_for(word, Decode::Stored)
}

/// [`read`], as a pipeline wants it.
pub(super) fn read_for(word: &Path, decode: Decode) -> Result<Picture> {
    let options = ReadOptions { decode, ..ReadOptions::default() };
    match word.to_str().and_then(|text| text.strip_prefix("builtin:")) {
        Some(name) => match built_in(name)?.place {
            Place::Builtin(bytes) => codec::read_with(bytes, &shown(word), &options),
            _ => Err(Error::new(ErrorKind::Internal, "a built-in picture is a file")),
        },
        None => codec::read_file(word, &options),
    }
}

/// Type and size of the picture that one word names.
pub(super) fn probe(word: &Path) -> Result<Shape> {
    let source = match word.to_str().and_then(|text| text.strip_prefix("builtin:")) {
        Some(_) => read(word)?.source,
        None => codec::probe(word)?,
    };
    Ok(Shape::new(source.ty, source.width, source.height))
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn folder(word: &Path, recursive: bool, skip: Option<&Path>, inputs: &mut Vec<Input>) -> Result<()> {
    let before = inputs.len();
    let depth = if recursive { usize::MAX } else { 1 };
    let is_wanted = |entry: &DirEntry| {
        let may_be_skipped = skip.is_some() && entry.depth() > 0 && entry.file_type().is_dir();
        let is_skipped = may_be_skipped && entry.path().canonicalize().ok().as_deref() == skip;
        !is_hidden(entry) && !is_skipped
    };
    let walk = WalkDir::new(word).max_depth(depth).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(is_wanted) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                let path = entry.path();
                let below = path.strip_prefix(word).unwrap_or(path);
                if path.extension().and_then(Format::from_name).is_none() {
                    continue;
                }
                inputs.push(file(path, below));
                // Reading a pipe that nobody writes into would never end.
                if let (false, Some(input)) = (entry.file_type().is_file(), inputs.last_mut()) {
                    let words = format!("`{}`: a device or pipe, expected a file", input.name);
                    input.place = Place::Unreadable(words);
                }
            }
            // A link to nothing, by its ending to no picture.
            Err(error) if error.path().is_some_and(|path| path.is_symlink() && is_other(path)) => {}
            Err(error) => inputs.push(unreadable(word, error)),
        }
    }
    if inputs.len() == before {
        let error = Error::new(ErrorKind::Input, format!("there are no pictures in `{}`", word.display()));
        return Err(if recursive { error } else { error.with_hint("`-r` looks into the folders inside") });
    }
    Ok(())
}

fn is_other(path: &Path) -> bool {
    path.extension().is_some_and(|ending| Format::from_name(ending).is_none()) && !path.exists()
}

fn unreadable(word: &Path, error: walkdir::Error) -> Input {
    let path = error.path().unwrap_or(word).to_path_buf();
    let words = match error.into_io_error() {
        Some(error) => Error::io(path.display(), error).message().to_owned(),
        None => format!("`{}`: a link that leads back to a folder above it", path.display()),
    };
    let below = path.strip_prefix(word).unwrap_or(&path).to_path_buf();
    Input { name: shown(&path), stem: below, place: Place::Unreadable(words), page: None }
}

/// The files that a pattern matches, below the part of it that is plain.
fn pattern(text: &str, inputs: &mut Vec<Input>) -> Result<()> {
    let before = inputs.len();
    let is_plain = |part: &Component<'_>| {
        !part.as_os_str().to_str().is_some_and(|part| part.contains(['*', '?', '[', '{']))
    };
    let base: PathBuf = Path::new(text).components().take_while(is_plain).collect();
    let rest: PathBuf = Path::new(text).components().skip_while(is_plain).collect();
    let glob = GlobBuilder::new(&shown(&rest)).literal_separator(true).build().map_err(|error| {
        Error::new(ErrorKind::Input, format!("the pattern `{text}` is wrong: {}", error.kind()))
    })?;
    let matcher = glob.compile_matcher();
    let depth = if text.contains("**") { usize::MAX } else { rest.components().count() };
    let wants_hidden = rest.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
    let from = if base.as_os_str().is_empty() { Path::new(".") } else { &base };
    let walk = WalkDir::new(from).max_depth(depth).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| wants_hidden || !is_hidden(entry)) {
        // What cannot be looked into matches nothing, as in a shell.
        let Ok(entry) = entry else { continue };
        let below = entry.path().strip_prefix(from).unwrap_or(entry.path());
        if entry.file_type().is_file() && matcher.is_match(below) {
            inputs.push(file(&base.join(below), below));
        }
    }
    if inputs.len() == before {
        return Err(Error::new(ErrorKind::Input, format!("no file matches `{text}`")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[PathBuf], recursive: bool, root: &Path) -> Vec<(String, String)> {
        let root = format!("{}/", root.display());
        let inputs = collect(words, recursive, Some(&PathBuf::from(&root).join("out"))).unwrap();
        inputs.iter().map(|input| (input.name.replace(&root, ""), shown(&input.stem))).collect()
    }

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in
            ["b.png", "a.jpg", "notes.txt", ".hidden.png", "sub/c.tif", "sub/deep/d.png", "out/old.png"]
        {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        folder
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn folders_give_their_pictures_in_order() {
        let folder = tree();
        let words = [folder.path().to_path_buf()];
        let flat = [("a.jpg", "a"), ("b.png", "b")];
        assert_eq!(names(&words, false, folder.path()), pairs(&flat));
        let deep = [("a.jpg", "a"), ("b.png", "b"), ("sub/c.tif", "sub/c"), ("sub/deep/d.png", "sub/deep/d")];
        assert_eq!(names(&words, true, folder.path()), pairs(&deep));
    }

    #[test]
    fn patterns_keep_what_lies_below_their_plain_part() {
        let folder = tree();
        let at = |pattern: &str| [folder.path().join(pattern)];
        assert_eq!(names(&at("*.png"), false, folder.path()), pairs(&[("b.png", "b")]));
        assert_eq!(names(&at("sub/**/*.png"), false, folder.path()), pairs(&[("sub/deep/d.png", "deep/d")]));
        assert_eq!(names(&at("{a,b}.*"), false, folder.path()), pairs(&[("a.jpg", "a"), ("b.png", "b")]));
        for bad in ["*.bmp", "[a"] {
            assert!(collect(&at(bad), false, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missing_file_is_an_input_and_a_missing_builtin_is_not() {
        let inputs =
            collect(&[PathBuf::from("no/such.png"), PathBuf::from("builtin:coins")], false, None).unwrap();
        assert_eq!((inputs[0].name.as_str(), shown(&inputs[0].stem).as_str()), ("no/such.png", "such"));
        assert_eq!((inputs[1].name.as_str(), shown(&inputs[1].stem).as_str()), ("builtin:coins", "coins"));
        let error = collect(&[PathBuf::from("builtin:coin")], false, None).unwrap_err();
        assert_eq!(error.hint(), Some("did you mean `coins`?"));
    }
}

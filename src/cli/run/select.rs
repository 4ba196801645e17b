//! Which pictures a run takes.

use std::io::Read;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::super::inputs::{self, Input, Place};
use super::super::{Exit, Outcome, console};
use super::args::{Args, Pages, Shard};
use crate::image::codec;
use crate::{Error, Result};

/// The pictures that the command names, in order, less those it leaves out.
pub(super) fn inputs(args: &Args) -> Result<Vec<Input>> {
    let mut words = args.inputs.clone();
    if let Some(list) = &args.files_from {
        words.extend(listed(list)?);
    }
    let mut inputs = inputs::collect(&words, args.recursive, args.output.as_deref())?;
    let excluded = patterns(&args.exclude)?;
    if !excluded.is_empty() {
        inputs.retain(|input| !is_excluded(&excluded, &input.name));
    }
    if let Some(pages) = args.pages {
        inputs = inputs.into_iter().flat_map(|input| paged(input, pages)).collect();
    }
    inputs.truncate(args.limit.unwrap_or(usize::MAX));
    Ok(inputs)
}

/// The wanted pages of a file of several, or the file as it is.
fn paged(input: Input, pages: Pages) -> Vec<Input> {
    let Place::File(path) = &input.place else { return vec![input] };
    // What cannot be read is told when its turn comes.
    let count = codec::count_pages(path).unwrap_or(1);
    if count == 1 {
        return vec![input];
    }
    let wanted = pages.first..pages.last.map_or(count, |last| count.min(last + 1));
    let page = |page: usize| {
        let mut stem = input.stem.clone().into_os_string();
        stem.push(format!(".page-{}", page + 1));
        let place = Place::File(path.clone());
        Input { name: input.name.clone(), stem: stem.into(), place, page: Some(page) }
    };
    // One that is not there is told when its turn comes, and not passed over.
    if wanted.is_empty() { vec![page(pages.first)] } else { wanted.map(page).collect() }
}

/// The names in a list of files, one a line, or, where there is a NUL, one between two of them, as
/// `find -print0` writes. Blank lines are nothing.
fn listed(list: &Path) -> Result<Vec<PathBuf>> {
    let mut text = Vec::new();
    if list.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut text).map_err(|error| Error::io("stdin", error))?;
    } else {
        text = std::fs::read(list).map_err(|error| Error::io(list.display(), error))?;
    }
    let end = if text.contains(&0) { 0 } else { b'\n' };
    let lines = text.split(|&byte| byte == end).map(|line| match end {
        0 => line,
        _ => line.strip_suffix(b"\r").unwrap_or(line),
    });
    lines.filter(|line| !line.trim_ascii().is_empty()).map(|line| path_of(line, list)).collect()
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere names are text")]
fn path_of(line: &[u8], _list: &Path) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Ok(std::ffi::OsStr::from_bytes(line).into())
}

#[cfg(not(unix))]
fn path_of(line: &[u8], list: &Path) -> Result<PathBuf> {
    let wrong = |_| Error::input(format!("`{}`: a name that is not UTF-8", list.display()));
    std::str::from_utf8(line).map(PathBuf::from).map_err(wrong)
}

fn patterns(texts: &[String]) -> Result<GlobSet> {
    let wrong = |text: &str, error: &globset::Error| {
        Error::input(format!("the pattern `{text}` is wrong: {}", error.kind()))
    };
    let mut set = GlobSetBuilder::new();
    for text in texts {
        set.add(GlobBuilder::new(text).literal_separator(true).build().map_err(|error| wrong(text, &error))?);
    }
    set.build().map_err(|error| wrong(&texts.join(" "), &error))
}

/// As in `.gitignore`: the whole path, a name, or the path of a folder above.
fn is_excluded(patterns: &GlobSet, name: &str) -> bool {
    let path = Path::new(name);
    path.ancestors().any(|part| {
        let base = part.file_name().map(Path::new);
        patterns.is_match(part) || base.is_some_and(|base| patterns.is_match(base))
    })
}

/// The numbers of the inputs of a shard.
pub(super) fn numbers(inputs: usize, shard: Option<Shard>) -> Vec<usize> {
    let Shard { index, count } = shard.unwrap_or(Shard { index: 0, count: 1 });
    (index..inputs).step_by(count).collect()
}

/// Prints what would be done.
pub(super) fn show(inputs: &[Input], numbers: &[usize], folder: Option<&Path>) -> Outcome {
    let line = |&number: &usize| {
        let input = &inputs[number];
        match folder {
            Some(folder) => format!("{} -> {}.*\n", input.name, folder.join(&input.stem).display()),
            None => format!("{}\n", input.name),
        }
    };
    let text: String = numbers.iter().map(line).collect();
    if !text.is_empty() {
        console::print(&text)?;
    }
    console::say(&format!("{} would be run; nothing was done", super::number(numbers.len(), "image")));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_are_names_paths_and_folders() {
        let excluded =
            |pattern: &str, name: &str| is_excluded(&patterns(&[pattern.to_owned()]).unwrap(), name);
        assert!(excluded("*.tif", "a/b.tif") && excluded("b.tif", "a/b.tif") && excluded("a", "a/b.tif"));
        assert!(excluded("x/a", "x/a/b.tif") && excluded("x/**/b.*", "x/y/z/b.tif"));
        assert!(!excluded("a", "ab.tif") && !excluded("x/*.tif", "x/y/b.tif"));
        assert!(patterns(&["[".to_owned()]).is_err());
    }

    #[test]
    fn shards_take_every_input_once() {
        let of = |index| numbers(8, Some(Shard { index, count: 3 }));
        assert_eq!((of(0), of(1), of(2)), (vec![0, 3, 6], vec![1, 4, 7], vec![2, 5]));
        assert_eq!(numbers(3, None), [0, 1, 2]);
        assert!(numbers(1, Some(Shard { index: 1, count: 2 })).is_empty());
    }
}

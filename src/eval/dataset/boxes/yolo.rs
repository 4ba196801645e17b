//! YOLO (Redmon and others, 2016): a text file for each picture, with a line for each box: the number of its class, then
//! its centre and size as shares of the picture.

use std::path::{Path, PathBuf};

use super::super::csv::place;
use super::build::{Builder, Drawn, quoted, text_of};
use super::names::{below, ends, files, is_picture};
use crate::{Error, Result};

/// How far a share may lie outside of 0 to 1: what is lost when it is written with few digits.
const SLACK: f64 = 1e-3;
/// How deep folders in folders are read.
const DEPTH: usize = 6;

/// Where the files are.
pub(super) struct Yolo {
    /// What the places were read from.
    pub(super) root: PathBuf,
    /// Folders with pictures, or lists of them.
    pub(super) pictures: Vec<PathBuf>,
    /// The names of the classes; class numbers where there are none.
    pub(super) names: Vec<String>,
}

pub(super) fn read(yolo: &Yolo, builder: &mut Builder<'_>) -> Result<()> {
    for source in &yolo.pictures {
        let pictures = if source.is_dir() { files(source, DEPTH, &is_picture)? } else { listed(source)? };
        for path in pictures {
            one(yolo, &path, builder)?;
        }
    }
    Ok(())
}

/// The pictures of a list, relative to the list or to where the program runs.
fn listed(list: &Path) -> Result<Vec<PathBuf>> {
    let own = list.parent().unwrap_or_else(|| Path::new(""));
    let text = text_of(list)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines
        .map(|line| {
            let inside = own.join(line);
            if inside.is_file() || !Path::new(line).is_file() { inside } else { line.into() }
        })
        .collect())
}

/// The file with the boxes of a picture: in `labels` where that is in `images`, or beside it.
fn labels_of(picture: &Path) -> Option<PathBuf> {
    let beside = picture.with_extension("txt");
    let mut parts: Vec<_> = picture.iter().collect();
    let folder = parts.iter().rposition(|part| *part == "images");
    if let Some(at) = folder {
        parts[at] = "labels".as_ref();
        let path = parts.iter().collect::<PathBuf>().with_extension("txt");
        if path.is_file() {
            return Some(path);
        }
    }
    beside.is_file().then_some(beside)
}

fn one(yolo: &Yolo, path: &Path, builder: &mut Builder<'_>) -> Result<()> {
    let picture = builder.picture(path.to_owned(), &below(path, &yolo.root), None)?;
    // A picture without a file of labels shows no objects.
    let Some(labels) = labels_of(path) else { return Ok(()) };
    let [width, height] = builder.size(picture);
    let text = text_of(&labels)?;
    for (line, text) in (1..).zip(text.lines()) {
        let words: Vec<&str> = text.split_whitespace().take(6).collect();
        if words.is_empty() {
            continue;
        }
        let wrong = |message: String| Error::input(message).within(place(&labels, line));
        let &[class, x, y, w, h] = words.as_slice() else {
            let got = text.split_whitespace().count();
            return Err(wrong(format!("expected `class x y width height`, got {got} words"))
                .with_hint("lines of boxes are read, outlines and points are not"));
        };
        let number: usize = class
            .parse()
            .map_err(|_| wrong(format!("expected the number of a class, got `{}`", quoted(class))))?;
        let unnamed = number.to_string();
        let label = match yolo.names.get(number) {
            Some(name) => name,
            None if yolo.names.is_empty() => &unnamed,
            None => {
                let most = yolo.names.len() - 1;
                return Err(wrong(format!("expected a class from 0 to {most}, got {number}")));
            }
        };
        let share = |word: &str| -> Result<f64> {
            let value: Option<f64> = word.parse().ok();
            value.filter(|value| (-SLACK..=1.0 + SLACK).contains(value)).ok_or_else(|| {
                wrong(format!("expected a share of the picture from 0 to 1, got `{}`", quoted(word)))
                    .with_hint("YOLO counts in shares of the width and height, not in pixels")
            })
        };
        let (x, y, w, h) = (share(x)?, share(y)?, share(w)?, share(h)?);
        let bounds = [(x - w / 2.0) * width, (y - h / 2.0) * height, w * width, h * height];
        let drawn = Drawn { label, bounds, is_crowd: false, is_difficult: false };
        builder.add(picture, &drawn, || place(&labels, line))?;
    }
    Ok(())
}

/// The names of the classes that lie in a folder or in its `labels`.
pub(super) fn names_in(folder: &Path) -> Result<Vec<String>> {
    for place in [folder.to_owned(), folder.join("labels"), folder.join("..")] {
        for name in ["classes.txt", "obj.names"] {
            let path = place.join(name);
            if path.is_file() {
                let text = text_of(&path)?;
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                return Ok(lines.map(str::to_owned).collect());
            }
        }
        let path = place.join("data.yaml");
        if path.is_file() {
            return Ok(Settings::read(&path)?.names);
        }
    }
    Ok(Vec::new())
}

/// What is taken of `data.yaml`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) path: Option<String>,
    pub(super) train: Vec<String>,
    pub(super) val: Vec<String>,
    pub(super) test: Vec<String>,
    pub(super) names: Vec<String>,
}

impl Settings {
    pub(super) fn read(path: &Path) -> Result<Self> {
        Self::parse(&text_of(path)?, path)
    }

    /// The part of YAML that such files are written in: `key: value`, lists in brackets or with dashes, and numbered
    /// names. All other keys are passed over.
    fn parse(text: &str, path: &Path) -> Result<Self> {
        let mut settings = Self::default();
        let mut key = String::new();
        let mut numbered: Vec<(usize, String)> = Vec::new();
        let mut lines = (1..).zip(text.lines()).peekable();
        while let Some((line, full)) = lines.next() {
            let wrong = |message: String| {
                Error::input(message).within(place(path, line)).with_hint(
                    "write `names: [cat, dog]`, or `- cat` or `0: cat` in the lines below `names:`",
                )
            };
            let mut entry = uncommented(full).trim_end().to_owned();
            // A list in brackets may go over several lines.
            while entry.contains('[') && !entry.contains(']') {
                let Some((_, next)) = lines.next() else {
                    return Err(wrong("expected the end of a list, got the end of the file".into()));
                };
                entry.push(' ');
                entry.push_str(uncommented(next).trim());
            }
            let is_inner = entry.starts_with([' ', '\t', '-']);
            let entry = entry.trim();
            if entry.is_empty() {
                continue;
            }
            if let (true, Some(item)) = (is_inner, entry.strip_prefix('-')) {
                settings.push(&key, plain(item));
                continue;
            }
            let Some((name, value)) = entry.split_once(':') else {
                if ["names", "train", "val", "test", "path"].contains(&key.as_str()) {
                    return Err(wrong(format!("expected a key and `:`, got `{}`", quoted(entry))));
                }
                continue;
            };
            if is_inner {
                if key == "names" {
                    let number = plain(name);
                    let number = number.parse().map_err(|_| {
                        wrong(format!("expected the number of a class, got `{}`", quoted(&number)))
                    })?;
                    numbered.push((number, plain(value)));
                }
                continue;
            }
            key = plain(name);
            let value = value.trim();
            if key == "names" && value.starts_with('{') {
                return Err(wrong("names in braces are not read".into()));
            }
            match value.strip_prefix('[') {
                Some(list) => {
                    let list = list.split_once(']').map_or(list, |(inner, _)| inner);
                    let items = list.split(',').map(plain).filter(|item| !item.is_empty());
                    items.for_each(|item| settings.push(&key, item));
                }
                None if value.is_empty() => {}
                None => settings.push(&key, plain(value)),
            }
        }
        numbered.sort();
        for (index, (number, name)) in numbered.into_iter().enumerate() {
            if number != index {
                let message = format!("expected a name for class {index}, got one for {number}");
                return Err(Error::input(message).within(path.display().to_string()));
            }
            settings.names.push(name);
        }
        Ok(settings)
    }

    fn push(&mut self, key: &str, value: String) {
        match key {
            "path" => self.path = Some(value),
            "train" => self.train.push(value),
            "val" => self.val.push(value),
            "test" => self.test.push(value),
            "names" => self.names.push(value),
            _ => {}
        }
    }

    /// A folder or list that the settings of a file name. Exports write `../train/images` for `train/images`.
    pub(super) fn resolve(&self, file: &Path, name: &str) -> PathBuf {
        let own = file.parent().unwrap_or_else(|| Path::new(""));
        let base = self.path.as_ref().map_or_else(|| own.to_owned(), |path| own.join(path));
        let inner = name.strip_prefix("../").unwrap_or(name);
        let all = [base.join(name), own.join(name), base.join(inner), own.join(inner)];
        all.iter().find(|path| path.exists()).unwrap_or(&all[0]).clone()
    }
}

/// A line without what follows a `#` that no quote holds.
fn uncommented(line: &str) -> &str {
    let mut quote = None;
    for (at, sign) in line.char_indices() {
        match (sign, quote) {
            ('#', None) if at == 0 || line[..at].ends_with([' ', '\t']) => return &line[..at],
            ('"' | '\'', None) => quote = Some(sign),
            (_, Some(open)) if sign == open => quote = None,
            _ => {}
        }
    }
    line
}

/// A word without blanks and quotes around it.
fn plain(word: &str) -> String {
    let word = word.trim();
    let inner = ['"', '\''].iter().find_map(|&quote| word.strip_prefix(quote)?.strip_suffix(quote));
    inner.unwrap_or(word).to_owned()
}

/// Whether there are label files of this format in a folder, or in the folders in it.
pub(super) fn has_labels(folder: &Path) -> bool {
    let wanted = |path: &Path| ends(path, "txt") && begins(path);
    files(folder, 2, &wanted).is_ok_and(|found| !found.is_empty())
}

/// Whether the first line of a file is that of a box.
fn begins(path: &Path) -> bool {
    use std::io::{BufRead, BufReader, Read};
    let Ok(file) = std::fs::File::open(path) else { return false };
    let mut line = String::new();
    let is_read = BufReader::new(file.take(256)).read_line(&mut line).is_ok();
    let words: Vec<&str> = line.split_whitespace().collect();
    is_read
        && words.len() == 5
        && words[0].parse::<u32>().is_ok()
        && words.iter().all(|word| word.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_in_every_form() {
        let inline = "# data\npath: ../set # root\ntrain: images/train\nval: 'images/val'\nnc: 2\nnames: [cat, \"hot dog\"]\n";
        let dashes = "path: ../set\ntrain:\n  - images/train\nval: images/val\nnames:\n- cat\n- hot dog\n";
        let numbers = "path: \"../set\"\ntrain: images/train\nval: images/val\nroboflow:\n  url: x:y\nnames:\n  1: hot dog\n  0: cat\n";
        let long = "path: ../set\ntrain: images/train\nval: images/val\nnames: [cat,\n  'hot dog']\n";
        let wanted = Settings {
            path: Some("../set".into()),
            train: vec!["images/train".into()],
            val: vec!["images/val".into()],
            test: Vec::new(),
            names: vec!["cat".into(), "hot dog".into()],
        };
        for text in [inline, dashes, numbers, long] {
            assert_eq!(Settings::parse(text, Path::new("data.yaml")).unwrap(), wanted, "{text}");
        }
        let message = |text: &str| Settings::parse(text, Path::new("d.yaml")).unwrap_err().to_string();
        assert!(
            message("names:\n  x: cat\n").starts_with("d.yaml:2: expected the number of a class, got `x`")
        );
        assert_eq!(message("names:\n  0: a\n  2: b\n"), "d.yaml: expected a name for class 1, got one for 2");
        assert!(message("nc: 1\nnames: [a,\nb\n").starts_with("d.yaml:2: expected the end of a list"));
        assert!(message("names: {0: a}\n").starts_with("d.yaml:1: names in braces are not read"));
    }
}

//! Tables of boxes: CSV with a row for each box.

use std::collections::HashMap;
use std::path::Path;

use super::super::csv::{Csv, place};
use super::build::{Builder, Drawn, quoted, text_of};
use super::info::OBJECT;
use super::names::Folders;
use crate::{Error, Result};

/// The columns of a corner and a size, and of two corners.
const SIZED: [&str; 4] = ["x", "y", "width", "height"];
const EDGES: [&str; 4] = ["xmin", "ymin", "xmax", "ymax"];
/// What the columns of pictures and labels may be called.
const PATHS: [&str; 5] = ["path", "filename", "file_name", "file", "image"];
const LABELS: [&str; 3] = ["label", "class", "name"];

/// Whether a table has the columns of boxes.
pub(super) fn has_boxes(csv: &Csv) -> bool {
    let all = |names: [&str; 4]| names.iter().all(|name| csv.has(name));
    PATHS.iter().any(|name| csv.has(name)) && (all(EDGES) || all(SIZED))
}

/// Reads a table. A row without numbers says that its picture has no boxes.
pub(super) fn read(path: &Path, builder: &mut Builder<'_>) -> Result<()> {
    let csv = Csv::parse(&text_of(path)?, path)?;
    let named = |names: &'static [&'static str]| names.iter().find(|name| csv.has(name)).copied();
    let at = csv.column(named(&PATHS).unwrap_or(PATHS[0]), path)?;
    let label = named(&LABELS).map(|name| csv.column(name, path)).transpose()?;
    // Where a table has both, as TensorFlow's do, `width` and `height` are those of the picture.
    let is_edges = EDGES.iter().all(|name| csv.has(name));
    let mut columns = [0; 4];
    for (column, name) in columns.iter_mut().zip(if is_edges { EDGES } else { SIZED }) {
        *column = csv.column(name, path)?;
    }
    let own = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
    let mut folders = Folders::new(builder.options, vec![own.clone(), own.join("images")]);
    let mut pictures: HashMap<&str, usize> = HashMap::new();
    for (line, row) in csv.rows() {
        let wrong = |message: String| Error::input(message).within(place(path, line));
        let name = row[at].trim();
        if name.is_empty() {
            return Err(wrong("expected the path of a picture, got nothing".into()));
        }
        let picture = match pictures.get(name) {
            Some(&picture) => picture,
            None => {
                let picture = builder
                    .picture(folders.find(name), name, None)
                    .map_err(|error| error.within(place(path, line)))?;
                pictures.insert(name, picture);
                picture
            }
        };
        let words = columns.map(|column| row[column].trim());
        if words.iter().all(|word| word.is_empty()) {
            continue;
        }
        let mut numbers = [0.0; 4];
        for ((number, word), name) in numbers.iter_mut().zip(words).zip(if is_edges { EDGES } else { SIZED })
        {
            *number = word
                .parse()
                .map_err(|_| wrong(format!("expected a number for `{name}`, got `{}`", quoted(word))))?;
        }
        let [x, y, right, lower] = numbers;
        let bounds = if is_edges { [x, y, right - x, lower - y] } else { numbers };
        let label = label.map_or(OBJECT, |column| row[column].trim());
        if label.is_empty() {
            return Err(wrong("expected a label, got nothing".into()));
        }
        let drawn = Drawn { label, bounds, is_crowd: false, is_difficult: false };
        builder.add(picture, &drawn, || place(path, line))?;
    }
    Ok(())
}

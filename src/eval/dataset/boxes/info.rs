//! OpenCV's `info.dat`: `path n x y width height ...` in each line, all numbers whole.

use std::path::Path;

use super::super::csv::place;
use super::build::{Builder, Drawn, quoted, text_of};
use super::names::{Folders, is_picture};
use crate::{Error, Result};

/// The label of boxes in formats that have none.
pub(super) const OBJECT: &str = "object";

/// Whether the first line that is not empty is one of such a file.
pub(super) fn begins(text: &str) -> bool {
    let Some(line) = text.lines().find(|line| !line.trim().is_empty()) else { return false };
    let mut words = line.split_whitespace();
    let is_name = words.next().is_some_and(|name| is_picture(Path::new(name)));
    let Some(Ok(count)) = words.next().map(str::parse::<usize>) else { return false };
    let numbers = words.filter(|word| word.parse::<i64>().is_ok()).count();
    is_name && count.checked_mul(4) == Some(numbers)
}

pub(super) fn read(path: &Path, builder: &mut Builder<'_>) -> Result<()> {
    let text = text_of(path)?;
    let own = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
    let mut folders = Folders::new(builder.options, vec![own]);
    for (line, text) in (1..).zip(text.lines()) {
        let mut words = text.split_whitespace();
        let Some(name) = words.next() else { continue };
        let wrong = |message: String| {
            Error::input(message)
                .within(place(path, line))
                .with_hint("write `path n` and `x y width height` for each of the n boxes")
        };
        let count = words.next().unwrap_or_default();
        let count: usize = count.parse().map_err(|_| {
            wrong(format!("expected the number of boxes after the path, got `{}`", quoted(count)))
        })?;
        let numbers = words
            .map(|word| {
                let number: Option<i64> = word.parse().ok();
                number.ok_or_else(|| wrong(format!("expected a whole number, got `{}`", quoted(word))))
            })
            .collect::<Result<Vec<i64>>>()?;
        if count.checked_mul(4) != Some(numbers.len()) {
            let got = numbers.len();
            return Err(wrong(format!("expected 4 numbers for each of {count} boxes, got {got} numbers")));
        }
        let picture = builder
            .picture(folders.find(name), name, None)
            .map_err(|error| error.within(place(path, line)))?;
        for four in numbers.chunks_exact(4) {
            let bounds = [four[0], four[1], four[2], four[3]].map(|value| value as f64);
            let drawn = Drawn { label: OBJECT, bounds, is_crowd: false, is_difficult: false };
            builder.add(picture, &drawn, || place(path, line))?;
        }
    }
    Ok(())
}

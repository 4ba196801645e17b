//! What all formats have in common: the rules for boxes, and labels by number.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::{BoxOptions, BoxedPicture, Boxes, LabelledBox};
use crate::image::codec;
use crate::{Error, Result};

/// Gathers pictures and boxes.
pub(super) struct Builder<'a> {
    pub(super) options: &'a BoxOptions,
    /// Labels by the order in which they are met.
    labels: HashMap<String, usize>,
    pictures: Vec<BoxedPicture>,
    skipped: usize,
}

/// A box as a format says it.
pub(super) struct Drawn<'a> {
    pub(super) label: &'a str,
    /// `[x, y, width, height]` in pixels.
    pub(super) bounds: [f64; 4],
    pub(super) is_crowd: bool,
    pub(super) is_difficult: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(options: &'a BoxOptions) -> Self {
        Self { options, labels: HashMap::new(), pictures: Vec::new(), skipped: 0 }
    }

    /// Adds a picture, and gives its number. Its size is `[width, height]`, or that of the file.
    pub(super) fn picture(&mut self, path: PathBuf, name: &str, size: Option<[usize; 2]>) -> Result<usize> {
        let [width, height] = match size {
            Some(size) if size.iter().all(|&side| side > 0) => size,
            _ => size_of(&path)?,
        };
        self.pictures.push(BoxedPicture { path, name: name.to_owned(), width, height, boxes: Vec::new() });
        Ok(self.pictures.len() - 1)
    }

    /// Width and height of a picture.
    pub(super) fn size(&self, picture: usize) -> [f64; 2] {
        let picture = &self.pictures[picture];
        [picture.width as f64, picture.height as f64]
    }

    /// Adds a box, cut to its picture; `place` tells where it stands in the data.
    pub(super) fn add(
        &mut self,
        picture: usize,
        drawn: &Drawn<'_>,
        place: impl FnOnce() -> String,
    ) -> Result<()> {
        if !self.options.labels.is_empty() && !self.options.labels.iter().any(|label| label == drawn.label) {
            return Ok(());
        }
        let [x, y, width, height] = drawn.bounds;
        let picture = &mut self.pictures[picture];
        let cut = |start: f64, length: f64, limit: usize| {
            let from = start.max(0.0);
            [from, (start + length).min(limit as f64) - from]
        };
        let ([left, wide], [top, high]) = (cut(x, width, picture.width), cut(y, height, picture.height));
        let is_finite = drawn.bounds.iter().all(|value| value.is_finite());
        if !is_finite || width <= 0.0 || height <= 0.0 || wide <= 0.0 || high <= 0.0 {
            if self.options.skip_empty && is_finite {
                self.skipped += 1;
                return Ok(());
            }
            let got = format!("x {x}, y {y}, width {width}, height {height}");
            let message = if is_finite && width > 0.0 && height > 0.0 {
                let (name, [w, h]) = (&picture.name, [picture.width, picture.height]);
                format!("expected a box inside of its picture `{name}` of {w}x{h} pixels, got {got}")
            } else {
                format!("expected a box with a width and a height above 0, got {got}")
            };
            return Err(Error::input(message)
                .within(place())
                .with_hint("take the box out, or let boxes without a pixel be skipped"));
        }
        let next = self.labels.len();
        let label = match self.labels.get(drawn.label) {
            Some(&label) => label,
            None => *self.labels.entry(drawn.label.to_owned()).or_insert(next),
        };
        let Drawn { is_crowd, is_difficult, .. } = *drawn;
        picture.boxes.push(LabelledBox {
            label,
            x: left,
            y: top,
            width: wide,
            height: high,
            is_crowd,
            is_difficult,
        });
        Ok(())
    }

    /// All that was gathered, with the labels sorted.
    pub(super) fn finish(mut self, path: &Path) -> Result<Boxes> {
        if self.pictures.is_empty() {
            return Err(
                Error::input("expected pictures with boxes, got none").within(path.display().to_string())
            );
        }
        let sorted: BTreeMap<String, usize> = self.labels.into_iter().collect();
        let mut renamed = vec![0; sorted.len()];
        for (new, &old) in sorted.values().enumerate() {
            renamed[old] = new;
        }
        for found in self.pictures.iter_mut().flat_map(|picture| &mut picture.boxes) {
            found.label = renamed[found.label];
        }
        Ok(Boxes { labels: sorted.into_keys().collect(), pictures: self.pictures, skipped: self.skipped })
    }
}

/// Width and height of the picture in a file, upright.
fn size_of(path: &Path) -> Result<[usize; 2]> {
    let source = codec::probe(path)?;
    if source.width == 0 || source.height == 0 {
        return Err(Error::input(format!("`{}`: expected a picture with pixels", path.display())));
    }
    Ok([source.width, source.height])
}

/// The text of a file, which must be UTF-8; a byte order mark is taken off.
pub(super) fn text_of(path: &Path) -> Result<String> {
    let bytes = crate::document::read(path, super::MOST)?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|&byte| byte == b'\n').count();
        Error::input("expected UTF-8 text, got other bytes").within(super::super::csv::place(path, line))
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// A word of a file, short enough to be quoted.
pub(super) fn quoted(word: &str) -> String {
    const MOST: usize = 40;
    if word.chars().count() <= MOST {
        return word.to_owned();
    }
    word.chars().take(MOST).chain("...".chars()).collect()
}

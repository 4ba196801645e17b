//! Pascal VOC (Everingham and others, 2010): an XML file for each picture. Edges are counted from 1, and the pixels of
//! the right and lower edge are in the box.

use std::path::{Path, PathBuf};

use roxmltree::{Document, Node, ParsingOptions};

use super::super::csv::place;
use super::build::{Builder, Drawn, quoted, text_of};
use super::names::{Folders, below, ends, files};
use crate::document::check_attributes;
use crate::{Error, Result};

/// The most bytes and nodes of a file: that of a picture with thousands of objects.
const MOST: usize = 16 << 20;
const MOST_NODES: u32 = 1 << 20;

/// Where the files are.
pub(super) struct Voc {
    /// The folder with the XML files.
    pub(super) annotations: PathBuf,
    /// The names of a part, one a line; all files without it.
    pub(super) list: Option<PathBuf>,
}

pub(super) fn read(voc: &Voc, builder: &mut Builder<'_>) -> Result<()> {
    let files = match &voc.list {
        Some(list) => listed(voc, list)?,
        None => files(&voc.annotations, 4, &|path| ends(path, "xml"))?,
    };
    let outer = voc.annotations.join("..");
    let places = [outer.join("JPEGImages"), outer.join("images"), voc.annotations.clone(), outer];
    let mut folders = Folders::new(builder.options, places.to_vec());
    for file in files {
        one(&file, &voc.annotations, &mut folders, builder)?;
    }
    Ok(())
}

/// The files of a list. Lists of a class have a second word: -1 where the class is not in the picture.
fn listed(voc: &Voc, list: &Path) -> Result<Vec<PathBuf>> {
    let text = text_of(list)?;
    let mut found = Vec::new();
    for (line, name) in (1..).zip(text.lines()) {
        let Some(name) = name.split_whitespace().next() else { continue };
        let path = voc.annotations.join(format!("{name}.xml"));
        if !path.is_file() {
            let message = format!("expected the annotation `{}`, got none", path.display());
            return Err(Error::input(message).within(place(list, line)));
        }
        found.push(path);
    }
    Ok(found)
}

fn one(path: &Path, root: &Path, folders: &mut Folders, builder: &mut Builder<'_>) -> Result<()> {
    let text = text_of(path)?;
    let broken = |message: String| Error::input(message).within(path.display().to_string());
    if text.len() > MOST {
        return Err(Error::limit(format!("expected at most {MOST} bytes of XML, got {}", text.len()))
            .within(path.display().to_string()));
    }
    check_attributes(&text).map_err(|error| error.within(path.display().to_string()))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&text, options)
        .map_err(|error| broken(format!("expected XML: {error}")))?;
    let file = File { path, document: &document };
    let annotation = document.root_element();
    if !annotation.has_tag_name("annotation") {
        let name = quoted(annotation.tag_name().name());
        return Err(file.wrong(annotation, format!("expected the root `annotation`, got `{name}`")));
    }

    let stem = below(&path.with_extension(""), root);
    let name = child(annotation, "filename").and_then(word).map_or_else(|| stem.clone(), str::to_owned);
    // Tools that copy pictures leave the old name in the file; then it is the file's own.
    let found = folders.find(&name);
    let found = if found.is_file() { found } else { folders.find_stem(&stem).unwrap_or(found) };
    let mut size = [0; 2];
    if let Some(element) = child(annotation, "size") {
        for (side, key) in size.iter_mut().zip(["width", "height"]) {
            let Some(value) = child(element, key) else { continue };
            let text = word(value).unwrap_or_default();
            let pixels: Option<u32> = text.parse().ok();
            let pixels = pixels.ok_or_else(|| {
                file.wrong(value, format!("expected pixels for `{key}`, got `{}`", quoted(text)))
            })?;
            *side = pixels as usize;
        }
    }
    let picture = builder
        .picture(found, &name, Some(size))
        .map_err(|error| error.within(path.display().to_string()))?;

    for object in annotation.children().filter(|node| node.has_tag_name("object")) {
        let label = child(object, "name").and_then(|name| name.text()).map(str::trim).unwrap_or_default();
        if label.is_empty() {
            return Err(file.wrong(object, "expected the `name` of an object, got none".into()));
        }
        let is_difficult = match child(object, "difficult").and_then(word) {
            None | Some("0") => false,
            Some("1") => true,
            Some(other) => {
                return Err(
                    file.wrong(object, format!("expected 0 or 1 for `difficult`, got `{}`", quoted(other)))
                );
            }
        };
        let element = child(object, "bndbox").ok_or_else(|| {
            file.wrong(object, format!("expected a `bndbox` of `{}`, got none", quoted(label)))
        })?;
        let edge = |key: &str| -> Result<f64> {
            let text = child(element, key).and_then(word).unwrap_or_default();
            text.parse().map_err(|_| {
                file.wrong(element, format!("expected a number for `{key}`, got `{}`", quoted(text)))
            })
        };
        let (left, top, right, lower) = (edge("xmin")?, edge("ymin")?, edge("xmax")?, edge("ymax")?);
        let bounds = [left - 1.0, top - 1.0, right - left + 1.0, lower - top + 1.0];
        let drawn = Drawn { label, bounds, is_crowd: false, is_difficult };
        builder.add(picture, &drawn, || file.place(element))?;
    }
    Ok(())
}

/// A file, to tell where an element stands.
struct File<'a, 'input> {
    path: &'a Path,
    document: &'a Document<'input>,
}

impl File<'_, '_> {
    fn place(&self, element: Node<'_, '_>) -> String {
        place(self.path, self.document.text_pos_at(element.range().start).row as usize)
    }

    fn wrong(&self, element: Node<'_, '_>, message: String) -> Error {
        Error::input(message).within(self.place(element))
    }
}

fn child<'a, 'input>(parent: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    parent.children().find(|node| node.has_tag_name(name))
}

/// The text of an element without blanks around it, or nothing.
fn word<'a>(element: Node<'a, '_>) -> Option<&'a str> {
    element.text().map(str::trim).filter(|text| !text.is_empty())
}

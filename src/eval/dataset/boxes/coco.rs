//! COCO (Lin and others, 2014): one JSON file with `images`, `annotations` and `categories`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::build::{Builder, Drawn};
use super::field::{Field, Key};
use super::names::Folders;
use crate::{Error, Result};

#[derive(Deserialize)]
struct File {
    images: Vec<Picture>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    #[serde(default)]
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Picture {
    #[serde(default)]
    id: Field,
    #[serde(default)]
    file_name: Field,
    #[serde(default)]
    width: Field,
    #[serde(default)]
    height: Field,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    image_id: Field,
    #[serde(default)]
    category_id: Field,
    #[serde(default)]
    bbox: Field,
    #[serde(default)]
    iscrowd: Field,
}

#[derive(Deserialize)]
struct Category {
    #[serde(default)]
    id: Field,
    #[serde(default)]
    name: Field,
}

/// Where the pictures of a COCO file may be: beside it, in `images`, in the folder that its name tells, as
/// `train2017` for `annotations/instances_train2017.json`.
fn folders(path: &Path) -> Vec<PathBuf> {
    let own = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
    let outer = own.join("..");
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let part = stem.rsplit_once('_').map_or(stem.clone(), |(_, part)| part.to_owned());
    let mut folders = vec![own.clone(), own.join("images"), own.join(&stem), own.join(&part)];
    folders.extend([outer.join("images"), outer.join(&part), outer.join("images").join(&part), outer]);
    folders
}

pub(super) fn read(path: &Path, builder: &mut Builder<'_>) -> Result<()> {
    let bytes = crate::document::read(path, super::MOST)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let file: File = serde_json::from_slice(bytes).map_err(|error| {
        Error::input(format!("expected the JSON of COCO: {error}"))
            .within(path.display().to_string())
            .with_hint("an object with the lists `images`, `annotations` and `categories`")
    })?;
    let at =
        |list: &str, index: usize, key: &'static str| format!("{}: {list}[{index}].{key}", path.display());
    let wrong = |place: String, wanted: &str, got: &Field| {
        Error::input(format!("expected {wanted}, got {got}")).within(place)
    };

    let mut names: HashMap<Key, &str> = HashMap::new();
    for (index, category) in file.categories.iter().enumerate() {
        let place = |key| at("categories", index, key);
        let id = category.id.key().ok_or_else(|| wrong(place("id"), "a number", &category.id))?;
        let Field::Text(name) = &category.name else {
            return Err(wrong(place("name"), "a text", &category.name));
        };
        if names.insert(id, name).is_some() {
            return Err(wrong(place("id"), "a number of its own", &category.id));
        }
    }

    let mut folders = Folders::new(builder.options, folders(path));
    let mut pictures: HashMap<Key, usize> = HashMap::new();
    for (index, picture) in file.images.iter().enumerate() {
        let place = |key| at("images", index, key);
        let id = picture.id.key().ok_or_else(|| wrong(place("id"), "a number", &picture.id))?;
        let Field::Text(name) = &picture.file_name else {
            return Err(wrong(place("file_name"), "a text", &picture.file_name));
        };
        let mut size = [0; 2];
        for (side, (key, field)) in
            size.iter_mut().zip([("width", &picture.width), ("height", &picture.height)])
        {
            *side = match field {
                Field::Missing => 0,
                other => match other.key() {
                    Some(Key::Whole(value @ 0..=0xffff_ffff)) => value as usize,
                    _ => return Err(wrong(place(key), "pixels", other)),
                },
            };
        }
        let number = builder
            .picture(folders.find(name), name, Some(size))
            .map_err(|error| error.within(place("file_name")))?;
        if pictures.insert(id, number).is_some() {
            return Err(wrong(place("id"), "a number of its own", &picture.id));
        }
    }

    for (index, annotation) in file.annotations.iter().enumerate() {
        let place = |key| at("annotations", index, key);
        let unknown = |key: &'static str, list: &str, field: &Field| {
            wrong(place(key), &format!("an `id` of `{list}`"), field)
        };
        let picture = annotation.image_id.key().and_then(|id| pictures.get(&id));
        let picture = *picture.ok_or_else(|| unknown("image_id", "images", &annotation.image_id))?;
        let label = annotation.category_id.key().and_then(|id| names.get(&id));
        let label = label.ok_or_else(|| unknown("category_id", "categories", &annotation.category_id))?;
        let bounds = match &annotation.bbox {
            Field::List(numbers, 4) => <[f64; 4]>::try_from(numbers.as_slice()).ok(),
            _ => None,
        };
        let bounds = bounds
            .ok_or_else(|| wrong(place("bbox"), "four numbers `[x, y, width, height]`", &annotation.bbox))?;
        let is_crowd = match &annotation.iscrowd {
            Field::Missing | Field::Whole(0) | Field::Flag(false) => false,
            Field::Whole(1) | Field::Flag(true) => true,
            other => return Err(wrong(place("iscrowd"), "0 or 1", other)),
        };
        let drawn = Drawn { label, bounds, is_crowd, is_difficult: false };
        builder.add(picture, &drawn, || place("bbox"))?;
    }
    Ok(())
}

//! Records in other forms: a table of objects, and COCO's JSON.
//!
//! Both need to know all records before the first line can be written (which measures there are,
//! which categories), so records are read back from a file, twice, and never held all at once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::{Error, Result};

/// Records on their way into other forms: a temporary file that nobody sees.
pub(super) struct Spool(BufWriter<File>);

impl Spool {
    pub(super) fn new() -> Result<Self> {
        let file = tempfile::tempfile().map_err(|error| Error::io("a temporary file", error))?;
        Ok(Self(BufWriter::new(file)))
    }

    pub(super) fn add(&mut self, record: &Map<String, Json>) -> Result<()> {
        serde_json::to_writer(&mut self.0, record)
            .map_err(std::io::Error::from)
            .and_then(|()| self.0.write_all(b"\n"))
            .map_err(|error| Error::io("a temporary file", error))
    }

    /// Calls `each` for every record, in order.
    fn read(&mut self, mut each: impl FnMut(Map<String, Json>) -> std::io::Result<()>) -> Result<()> {
        let mut all = || -> std::io::Result<()> {
            self.0.flush()?;
            self.0.get_mut().seek(SeekFrom::Start(0))?;
            for line in BufReader::new(self.0.get_mut()).lines() {
                each(serde_json::from_str(&line?)?)?;
            }
            Ok(())
        };
        all().map_err(|error| Error::io("a temporary file", error))
    }

    /// Writes one line an object: picture, page, stage, label, score, box, and every measure that
    /// any object has.
    pub(super) fn write_objects(&mut self, path: &Path) -> Result<()> {
        let mut measures: Vec<String> = Vec::new();
        let mut known = BTreeSet::new();
        self.read(|record| {
            for (_, object) in objects(&record) {
                for (name, value) in object {
                    if value.is_number() && name != "score" && known.insert(name.clone()) {
                        measures.push(name.clone());
                    }
                }
            }
            Ok(())
        })?;
        let failed = |error| Error::io(path.display(), error);
        let mut out = BufWriter::new(File::create(path).map_err(failed)?);
        let mut header: Vec<String> =
            ["image", "page", "stage", "label", "score", "x", "y", "width", "height"]
                .map(str::to_owned)
                .into();
        header.extend(measures.iter().cloned());
        let mut written = writeln!(out, "{}", line(&header));
        self.read(|record| {
            for (stage, object) in objects(&record) {
                let text = |json: Option<&Json>| match json {
                    Some(Json::String(text)) => text.clone(),
                    Some(Json::Null) | None => String::new(),
                    Some(other) => other.to_string(),
                };
                let mut cells = vec![text(record.get("image")), text(record.get("page")), stage.to_owned()];
                cells.extend(["label", "score"].map(|key| text(object.get(key))));
                cells.extend((0..4).map(|k| text(object.get("box").and_then(|corner| corner.get(k)))));
                cells.extend(
                    measures.iter().map(|name| text(object.get(name).filter(|json| json.is_number()))),
                );
                if written.is_ok() {
                    written = writeln!(out, "{}", line(&cells));
                }
            }
            Ok(())
        })?;
        written.and_then(|()| out.flush()).map_err(failed)
    }

    /// Writes images, annotations and categories in the form of the COCO data set (Lin et al. 2014).
    /// An object's category is its label, or its stage where the label is but a number.
    pub(super) fn write_coco(&mut self, out: &mut dyn Write, name: &str) -> Result<()> {
        let failed = |error| Error::io(name, error);
        let mut categories = BTreeSet::new();
        self.read(|record| {
            categories.extend(objects(&record).map(|(stage, object)| category(stage, object)));
            Ok(())
        })?;
        let categories: Vec<String> = categories.into_iter().collect();
        let list = categories.iter().enumerate().map(|(id, name)| json!({ "id": id + 1, "name": name }));
        let mut written = write!(out, "{{\"categories\":{},\n\"images\":[", list.collect::<Json>());
        let mut id = 0;
        self.read(|record| {
            id += 1;
            let (width, height) = (record.get("width"), record.get("height"));
            let mut image =
                json!({ "id": id, "file_name": record.get("image"), "width": width, "height": height });
            if let Some(page) = record.get("page") {
                image["page"] = page.clone();
            }
            if written.is_ok() {
                written = write!(out, "{}\n{image}", if id == 1 { "" } else { "," });
            }
            Ok(())
        })?;
        written = written.and_then(|()| write!(out, "],\n\"annotations\":["));
        let (mut image, mut id) = (0, 0);
        self.read(|record| {
            image += 1;
            for (stage, object) in objects(&record) {
                id += 1;
                let number = |json: Option<&Json>| json.and_then(Json::as_f64).unwrap_or_default();
                let side = |k: usize| number(object.get("box").and_then(|corner| corner.get(k)));
                let area = object.get("area").map_or(side(2) * side(3), |area| number(Some(area)));
                let name = category(stage, object);
                let mut annotation = json!({
                    "id": id,
                    "image_id": image,
                    "category_id": categories.binary_search(&name).map_or(0, |at| at + 1),
                    "bbox": object.get("box"),
                    "area": area,
                    "iscrowd": 0,
                });
                if let Some(score) = object.get("score") {
                    annotation["score"] = score.clone();
                }
                // A polygon, in one list: x, y, x, y ...
                if let Some(outline) = object.get("outline").and_then(Json::as_array) {
                    let points = outline.iter().filter_map(Json::as_array).flatten().cloned();
                    annotation["segmentation"] = json!([points.collect::<Json>()]);
                }
                if written.is_ok() {
                    written = write!(out, "{}\n{annotation}", if id == 1 { "" } else { "," });
                }
            }
            Ok(())
        })?;
        written.and_then(|()| writeln!(out, "]}}")).and_then(|()| out.flush()).map_err(failed)
    }
}

/// Stage and object of all objects of a record.
fn objects(record: &Map<String, Json>) -> impl Iterator<Item = (&str, &Map<String, Json>)> {
    let stages = record.get("results").and_then(Json::as_object).into_iter().flatten();
    stages.flat_map(|(stage, results)| {
        let list = results.get("objects").and_then(Json::as_array).into_iter().flatten();
        list.filter_map(Json::as_object).map(move |object| (stage.as_str(), object))
    })
}

fn category(stage: &str, object: &Map<String, Json>) -> String {
    let label = object.get("label").and_then(Json::as_str).unwrap_or_default();
    let is_name = !label.is_empty() && label.parse::<f64>().is_err();
    if is_name { label.to_owned() } else { stage.to_owned() }
}

/// Cells as a line of CSV (RFC 4180).
fn line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    });
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool() -> Spool {
        let mut spool = Spool::new().unwrap();
        for record in [
            json!({"image": "a, \"b\".png", "width": 9, "height": 7, "results": {
                "coins": {"objects": [{"box": [1, 2, 3, 4], "label": "1", "area": 10, "angle": 0.5}]},
                "faces": {"objects": [{"box": [0, 0, 2, 2], "score": 3.5, "label": "face"}]},
            }}),
            json!({"image": "bad.png", "status": "error"}),
            json!({"image": "c.png", "page": 2, "width": 5, "height": 5, "results": {
                "coins": {"objects": [{"box": [0, 0, 1, 1], "label": "1", "radius": 4}]},
            }}),
        ] {
            spool.add(record.as_object().unwrap()).unwrap();
        }
        spool
    }

    #[test]
    fn objects_are_lines_with_every_measure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("objects.csv");
        spool().write_objects(&path).unwrap();
        let expected = "image,page,stage,label,score,x,y,width,height,area,angle,radius\n\
            \"a, \"\"b\"\".png\",,coins,1,,1,2,3,4,10,0.5,\n\
            \"a, \"\"b\"\".png\",,faces,face,3.5,0,0,2,2,,,\n\
            c.png,2,coins,1,,0,0,1,1,,,4\n";
        assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
    }

    #[test]
    fn coco_has_images_annotations_and_categories() {
        let mut text = Vec::new();
        spool().write_coco(&mut text, "memory").unwrap();
        let json: Json = serde_json::from_slice(&text).unwrap();
        assert_eq!(json["categories"], json!([{"id": 1, "name": "coins"}, {"id": 2, "name": "face"}]));
        assert_eq!(json["images"].as_array().unwrap().len(), 3);
        assert_eq!(json["images"][2]["file_name"], "c.png");
        let annotations = json["annotations"].as_array().unwrap();
        assert_eq!(annotations.len(), 3);
        assert_eq!(annotations[0]["area"], json!(10.0));
        assert_eq!(annotations[1]["area"], json!(4.0));
        assert_eq!((&annotations[1]["category_id"], &annotations[1]["score"]), (&json!(2), &json!(3.5)));
        assert_eq!((&annotations[2]["image_id"], &annotations[2]["id"]), (&json!(3), &json!(3)));
    }
}

//! The same boxes in every format, files that are broken, and what other readers say.

use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::image::codec::{Format, WriteOptions, write};
use crate::image::{Image, Plane};

/// Writes data in a format, and gives what is to be opened.
type Write = fn(&Path) -> PathBuf;

/// Pictures of 40 x 30 and 20 x 20, with two boxes and one, and a picture without any.
const NAMES: [&str; 3] = ["a.png", "b.png", "none.png"];

fn put(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn pictures(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, [width, height]) in NAMES.into_iter().zip([[40, 30], [20, 20], [10, 10]]) {
        let image = Image::Gray8(Plane::from_fn(width, height, |x, y| (x * 5 + y * 3) as u8));
        write(folder.join(name), &image, Format::Png, &WriteOptions::default()).unwrap();
    }
}

const COCO: &str = r#"{"images": [{"id": 7, "file_name": "a.png", "width": 40, "height": 30},
 {"id": "b", "file_name": "b.png"}, {"id": 9, "file_name": "none.png", "width": null}],
 "annotations": [{"id": 1, "image_id": 7, "category_id": 2, "bbox": [4, 6, 10.0, 12], "segmentation": [[1, 2]], "iscrowd": 0},
 {"id": 2, "image_id": "b", "category_id": 1, "bbox": [0, 0, 5, 5]},
 {"id": 3, "image_id": 7, "category_id": 1, "bbox": [30, 20, 16, 8], "iscrowd": 0}],
 "categories": [{"id": 2, "name": "cat"}, {"id": 1, "name": "bee"}]}"#;

fn write_coco(folder: &Path) -> PathBuf {
    pictures(folder);
    put(folder, "boxes.json", COCO);
    folder.join("boxes.json")
}

fn object(label: &str, edges: [u32; 4]) -> String {
    let [left, top, right, lower] = edges;
    format!(
        "<object>\n<name>{label}</name>\n<bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax>\n\
         <ymax>{lower}</ymax></bndbox></object>"
    )
}

fn xml(name: &str, objects: &str) -> String {
    format!("<annotation>\n<filename>{name}</filename>\n{objects}</annotation>\n")
}

fn write_voc(folder: &Path) -> PathBuf {
    pictures(&folder.join("JPEGImages"));
    let first = object("cat", [5, 7, 14, 18]) + &object("bee", [31, 21, 46, 28]);
    put(folder, "Annotations/a.xml", &xml("a.png", &first));
    // A name that is no longer true, and a size that nobody filled in.
    put(
        folder,
        "Annotations/b.xml",
        &xml("old.png", &(object("bee", [1, 1, 5, 5]) + "<size><width>0</width><height>0</height></size>")),
    );
    put(folder, "Annotations/none.xml", &xml("none.png", ""));
    folder.to_owned()
}

const YOLO: &str = "1 0.225 0.4 0.25 0.4\n0 0.95 0.8 0.4 0.26666666666666666\n\n";

fn write_yolo(folder: &Path) -> PathBuf {
    pictures(&folder.join("images"));
    put(folder, "labels/a.txt", YOLO);
    put(folder, "labels/b.txt", "0 0.125 0.125 .25 .25\n");
    put(folder, "data.yaml", "train: images\nval: images\nnames: [bee, cat]\n");
    folder.to_owned()
}

fn write_flat_yolo(folder: &Path) -> PathBuf {
    pictures(folder);
    put(folder, "a.txt", YOLO);
    put(folder, "b.txt", "0 0.125 0.125 .25 .25\n");
    put(folder, "classes.txt", "bee\ncat\n");
    folder.to_owned()
}

const TABLE: &str = "path,x,y,width,height,label\na.png,4,6,10,12,cat\nb.png,0,0,5,5,bee\na.png,30,20,16,8,bee\nnone.png,,,,,\n";

fn write_table(folder: &Path) -> PathBuf {
    pictures(folder);
    put(folder, "boxes.csv", TABLE);
    folder.join("boxes.csv")
}

fn write_edges(folder: &Path) -> PathBuf {
    pictures(&folder.join("images"));
    let rows = "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,40,30,cat,4,6,14,18\nb.png,20,20,bee,0,0,5,5\n\
        a.png,40,30,bee,30,20,46,28\nnone.png,10,10,,,,,\n";
    put(folder, "boxes.csv", rows);
    folder.to_owned()
}

const INFO: &str = "a.png 2 4 6 10 12  30 20 16 8\nb.png 1 0 0 5 5\nnone.png 0\n";

fn write_info(folder: &Path) -> PathBuf {
    pictures(folder);
    put(folder, "info.dat", INFO);
    folder.join("info.dat")
}

fn open(path: &Path) -> Result<Boxes> {
    Boxes::open(path, Split::Train, &BoxOptions::default())
}

/// Label, left, top, width and height.
type Row = (String, [f64; 4]);

fn rows(boxes: &Boxes) -> Vec<(String, [usize; 2], Vec<Row>)> {
    let row = |found: &LabelledBox| {
        let bounds = found.bounds().map(|value| (value * 1e6).round() / 1e6);
        (boxes.labels()[found.label].clone(), bounds)
    };
    let one = |picture: &BoxedPicture| {
        assert!(picture.path.is_file(), "{}", picture.path.display());
        let name = picture.path.file_name().unwrap().to_string_lossy().into_owned();
        (name, [picture.width, picture.height], picture.boxes.iter().map(row).collect())
    };
    boxes.pictures().iter().map(one).collect()
}

#[test]
fn every_format_gives_the_same_boxes() {
    let row = |label: &str, bounds| (label.to_owned(), bounds);
    // The second box is cut at the edge of its picture.
    let first = vec![row("cat", [4.0, 6.0, 10.0, 12.0]), row("bee", [30.0, 20.0, 10.0, 8.0])];
    let second = vec![row("bee", [0.0, 0.0, 5.0, 5.0])];
    let wanted = [
        ("a.png".to_owned(), [40, 30], first),
        ("b.png".to_owned(), [20, 20], second),
        ("none.png".to_owned(), [10, 10], Vec::new()),
    ];
    let formats: [(&str, Write); 7] = [
        ("coco", write_coco),
        ("voc", write_voc),
        ("yolo", write_yolo),
        ("flat yolo", write_flat_yolo),
        ("table", write_table),
        ("edges", write_edges),
        ("info", write_info),
    ];
    for (format, write) in formats {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path());
        assert!(Boxes::is_boxes(&path), "{format}");
        let mut wanted = wanted.clone();
        if format == "info" {
            let labels = wanted.iter_mut().flat_map(|(_, _, boxes)| boxes);
            labels.for_each(|(label, _)| *label = "object".into());
        }
        assert_eq!(rows(&open(&path).unwrap()), wanted, "{format}");
        // The folder tells the format as the file does.
        assert_eq!(rows(&open(folder.path()).unwrap()), wanted, "{format}");
    }
}

#[test]
fn parts_are_found_and_never_taken_for_each_other() {
    let opened = |path: &Path, split| Boxes::find(path, split, &BoxOptions::default()).unwrap();
    let count = |path: &Path, split| opened(path, split).map(|boxes| boxes.pictures().len());
    let folder = tempfile::tempdir().unwrap();
    write_coco(&folder.path().join("train"));
    assert_eq!((count(folder.path(), Split::Train), count(folder.path(), Split::Test)), (Some(3), None));
    write_voc(&folder.path().join("valid"));
    assert_eq!((count(folder.path(), Split::Train), count(folder.path(), Split::Test)), (Some(3), Some(3)));
    let options = BoxOptions::default();
    assert_eq!(Boxes::open_for_test(&folder.path().join("train"), &options).unwrap().pictures().len(), 3);
    let error = Boxes::open(&folder.path().join("train"), Split::Test, &options).unwrap_err();
    assert!(error.message().ends_with("has no pictures with boxes for the test split"), "{error}");

    // Lists of VOC; what judges is not trained on.
    let folder = tempfile::tempdir().unwrap();
    write_voc(folder.path());
    put(folder.path(), "ImageSets/Main/trainval.txt", "a\nb\nnone\n");
    put(folder.path(), "ImageSets/Main/train.txt", "a\nb\n");
    put(folder.path(), "ImageSets/Main/val.txt", "none\n");
    assert_eq!((count(folder.path(), Split::Train), count(folder.path(), Split::Test)), (Some(2), Some(1)));
    put(folder.path(), "ImageSets/Main/test.txt", "b 1\n");
    assert_eq!((count(folder.path(), Split::Train), count(folder.path(), Split::Test)), (Some(3), Some(1)));
    put(folder.path(), "ImageSets/Main/test.txt", "b\nc\n");
    let error = Boxes::find(folder.path(), Split::Test, &options).unwrap_err().to_string();
    assert!(error.contains("test.txt:2: expected the annotation `"), "{error}");

    // Folders in `images`, and the names of COCO's own layout.
    let folder = tempfile::tempdir().unwrap();
    pictures(&folder.path().join("images/train"));
    pictures(&folder.path().join("images/val"));
    put(folder.path(), "labels/train/a.txt", YOLO);
    assert_eq!((count(folder.path(), Split::Train), count(folder.path(), Split::Test)), (Some(3), Some(3)));
    let boxes = |split| opened(folder.path(), split).unwrap();
    assert_eq!(boxes(Split::Train).labels(), ["0", "1"]);
    assert_eq!(boxes(Split::Test).labels().len(), 0);

    let folder = tempfile::tempdir().unwrap();
    pictures(&folder.path().join("train2017"));
    put(folder.path(), "annotations/instances_train2017.json", COCO);
    put(folder.path(), "annotations/captions_train2017.json", "{\"annotations\": []}");
    assert_eq!((count(folder.path(), Split::Train), count(folder.path(), Split::Test)), (Some(3), None));

    // Data of other kinds is not taken for boxes.
    let folder = tempfile::tempdir().unwrap();
    pictures(&folder.path().join("train/cat"));
    put(folder.path(), "train.csv", "path,label\na.png,cat\n");
    put(folder.path(), "run.json", "{\"stages\": []}");
    put(folder.path(), "train.txt", "DESC how many words\n");
    assert!(!Boxes::is_boxes(folder.path()));
    assert!(
        !Boxes::is_boxes(&folder.path().join("train.txt")) && !Boxes::is_boxes(&folder.path().join("gone"))
    );
}

#[test]
fn options_choose_pictures_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    pictures(&folder.path().join("elsewhere"));
    put(folder.path(), "boxes.json", COCO);
    let path = folder.path().join("boxes.json");
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("boxes.json: images[1].file_name: ") && error.contains("no such file"), "{error}");
    let options = BoxOptions {
        pictures: Some(folder.path().join("elsewhere")),
        labels: vec!["bee".into()],
        ..BoxOptions::default()
    };
    let boxes = Boxes::open(&path, Split::Train, &options).unwrap();
    assert_eq!((boxes.labels().len(), boxes.pictures()[0].boxes.len(), boxes.pictures().len()), (1, 1, 3));
}

/// The error of a text in the place of another, written by `write`.
fn spoilt(write: Write, file: &str, from: &str, to: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path());
    let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
    assert!(text.contains(from), "{from}");
    put(folder.path(), file, &text.replacen(from, to, 1));
    let message = open(&path).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn problems_tell_the_place_what_was_expected_and_what_came() {
    let case = |write, file, from, to, wanted: &str| {
        let message = spoilt(write, file, from, to);
        assert!(message.starts_with(wanted), "got {message}\nwanted {wanted}");
    };
    let coco = |from, to, wanted| case(write_coco, "boxes.json", from, to, wanted);
    coco(
        "[0, 0, 5, 5]",
        "[0, 0, 5]",
        "boxes.json: annotations[1].bbox: expected four numbers `[x, y, width, height]`, got `[0.0, 0.0, 5.0]`",
    );
    coco(
        "[0, 0, 5, 5]",
        "[0, \"a\", 5, 5]",
        "boxes.json: annotations[1].bbox: expected four numbers `[x, y, width, height]`, got a list of 4",
    );
    coco(
        "[0, 0, 5, 5]",
        "{}",
        "boxes.json: annotations[1].bbox: expected four numbers `[x, y, width, height]`, got an object",
    );
    coco(
        "[0, 0, 5, 5]",
        "[0, 0, 5, 0]",
        "boxes.json: annotations[1].bbox: expected a box with a width and a height above 0, got x 0, y 0, width 5, height 0\nhint: ",
    );
    coco(
        "[0, 0, 5, 5]",
        "[20, 0, 5, 5]",
        "boxes.json: annotations[1].bbox: expected a box inside of its picture `b.png` of 20x20 pixels, got x 20",
    );
    coco(
        "\"category_id\": 2",
        "\"category_id\": 3",
        "boxes.json: annotations[0].category_id: expected an `id` of `categories`, got `3`",
    );
    coco(
        "\"image_id\": 7",
        "\"image\": 7",
        "boxes.json: annotations[0].image_id: expected an `id` of `images`, got nothing",
    );
    coco("\"iscrowd\": 0", "\"iscrowd\": 2", "boxes.json: annotations[0].iscrowd: expected 0 or 1, got `2`");
    coco("\"id\": 9", "\"id\": 7", "boxes.json: images[2].id: expected a number of its own, got `7`");
    coco("\"width\": 40", "\"width\": -4", "boxes.json: images[0].width: expected pixels, got `-4`");
    coco("\"name\": \"bee\"", "\"name\": 4", "boxes.json: categories[1].name: expected a text, got `4`");
    coco(
        "\"images\"",
        "\"pictures\"",
        "boxes.json: expected the JSON of COCO: missing field `images` at line",
    );

    let voc = |from, to, wanted| case(write_voc, "Annotations/a.xml", from, to, wanted);
    voc("<xmin>5", "<xmin>x", "Annotations/a.xml:5: expected a number for `xmin`, got `x`");
    voc(
        "<xmax>14",
        "<xmax>4",
        "Annotations/a.xml:5: expected a box with a width and a height above 0, got x 4, y 6, width 0",
    );
    voc("<bndbox>", "<box>", "Annotations/a.xml: expected XML: ");
    voc("<name>cat", "<name>", "Annotations/a.xml:3: expected the `name` of an object, got none");
    voc(
        "</name>",
        "</name><difficult>yes</difficult>",
        "Annotations/a.xml:3: expected 0 or 1 for `difficult`, got `yes`",
    );

    let yolo = |from, to, wanted| case(write_yolo, "labels/a.txt", from, to, wanted);
    yolo("0 0.95", "2 0.95", "labels/a.txt:2: expected a class from 0 to 1, got 2");
    yolo("0 0.95", "bee 0.95", "labels/a.txt:2: expected the number of a class, got `bee`");
    yolo("0.95", "12", "labels/a.txt:2: expected a share of the picture from 0 to 1, got `12`");
    yolo("0 0.95", "0 NaN", "labels/a.txt:2: expected a share of the picture from 0 to 1, got `NaN`");
    yolo("0.95", "0.95 0.5 0.5", "labels/a.txt:2: expected `class x y width height`, got 7 words");
    yolo("0.25 0.4\n", "0.25 0\n", "labels/a.txt:1: expected a box with a width and a height above 0");

    let table = |from, to, wanted| case(write_table, "boxes.csv", from, to, wanted);
    table("0,0,5,5", "0,0,5,x", "boxes.csv:3: expected a number for `height`, got `x`");
    table("0,0,5,5", "0,0,5,inf", "boxes.csv:3: expected a box with a width and a height above 0");
    table("0,0,5,5", "0,0,5", "boxes.csv:3: expected 6 fields");
    table("5,bee", "5,", "boxes.csv:3: expected a label, got nothing");
    table("b.png", "c.png", "boxes.csv:3: `c.png`: no such file or directory");

    let info = |from, to, wanted| case(write_info, "info.dat", from, to, wanted);
    info("b.png 1", "b.png 2", "info.dat:2: expected 4 numbers for each of 2 boxes, got 4 numbers");
    info("b.png 1", "b.png one", "info.dat:2: expected the number of boxes after the path, got `one`");
    info("0 0 5 5", "0 0 5 5.5", "info.dat:2: expected a whole number, got `5.5`");
    info("0 0 5 5", "0 0 5 0", "info.dat:2: expected a box with a width and a height above 0");
    info("b.png 1", "b.png 18446744073709551615", "info.dat:2: expected 4 numbers for each of");
}

#[test]
fn empty_boxes_can_be_skipped() {
    let folder = tempfile::tempdir().unwrap();
    write_info(folder.path());
    put(folder.path(), "info.dat", "a.png 3 1 1 0 5 2 2 3 3 90 0 4 4\n");
    let options = BoxOptions { skip_empty: true, ..BoxOptions::default() };
    let boxes = Boxes::open(folder.path(), Split::Train, &options).unwrap();
    assert_eq!((boxes.skipped(), boxes.pictures()[0].boxes.len()), (2, 1));
}

/// What the golden file says of a format.
fn agrees(boxes: &Boxes, kind: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/boxes");
    let golden: serde_json::Value =
        serde_json::from_slice(&std::fs::read(root.join("boxes.json")).unwrap()).unwrap();
    let golden = golden[kind].as_object().unwrap();
    assert_eq!(boxes.pictures().len(), golden.len());
    let mut count = 0;
    for picture in boxes.pictures() {
        let wanted = &golden[&picture.name];
        assert_eq!(json!([picture.width, picture.height]), wanted["size"]);
        let mut got: Vec<String> = Vec::new();
        for found in &picture.boxes {
            let [x, y, width, height] = found.bounds();
            let label = &boxes.labels()[found.label];
            got.push(json!([label, x, y, width, height, found.is_crowd, found.is_difficult]).to_string());
        }
        let as_floats = |row: &serde_json::Value| {
            let mut row = row.clone();
            for value in row.as_array_mut().unwrap() {
                if let Some(number) = value.as_f64() {
                    *value = json!(number);
                }
            }
            row.to_string()
        };
        let mut wanted: Vec<String> = wanted["boxes"].as_array().unwrap().iter().map(as_floats).collect();
        got.sort();
        wanted.sort();
        assert_eq!(got, wanted, "{}", picture.name);
        count += got.len();
    }
    assert!(count >= 10);
}

#[test]
fn coco_is_read_as_pycocotools_reads_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/boxes");
    agrees(&open(&root.join("coco.json")).unwrap(), "coco");
}

#[test]
fn voc_is_read_as_the_tree_of_its_elements_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/boxes");
    agrees(&open(&root.join("voc")).unwrap(), "voc");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Spoilt bytes give boxes inside of their pictures, or an error.
    #[test]
    fn spoilt_bytes_do_no_harm(
        which in 0usize..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let formats: [(Write, &str); 5] = [
            (write_coco, "boxes.json"),
            (write_voc, "Annotations/a.xml"),
            (write_yolo, "labels/a.txt"),
            (write_table, "boxes.csv"),
            (write_info, "info.dat"),
        ];
        let (write, file) = formats[which];
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path());
        let mut bytes = std::fs::read(folder.path().join(file)).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        std::fs::write(folder.path().join(file), bytes).unwrap();
        if let Ok(boxes) = open(&path) {
            for picture in boxes.pictures() {
                for found in &picture.boxes {
                    prop_assert!(found.label < boxes.labels().len());
                    prop_assert!(found.x >= 0.0 && found.y >= 0.0 && found.width > 0.0 && found.height > 0.0);
                    prop_assert!(found.x + found.width <= picture.width as f64 + 1e-9);
                    prop_assert!(found.y + found.height <= picture.height as f64 + 1e-9);
                }
            }
        }
    }
}

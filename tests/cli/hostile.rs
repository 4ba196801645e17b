//! Files that are broken, names that clash, commands that are wrong: one bad picture never stops
//! the others, and a wrong command writes nothing.

use lyncean::image::{Image, ImageType};
use serde_json::Value as Json;

use crate::support::pictures::picture;
use crate::support::program::{Room, fixture};

const EDGES: &str = "version = 1
[[stage]]
use = \"gray\"
[[stage]]
use = \"sobel\"
[[stage]]
use = \"threshold\"
level = 60
";

/// A folder of one good picture of each odd kind, and four that are none.
fn mixed() -> Room {
    let room = Room::new();
    room.write("p.toml", EDGES);
    let jpeg = fixture("gray.jpg");
    room.write("in/cut.jpg", &jpeg[..jpeg.len() / 2]);
    room.write("in/empty.png", "");
    room.write("in/text.png", "just words\n");
    room.write("in/notes.txt", "no picture, and never looked at\n");
    room.fixture("gray16.png", "in/deep.png");
    room.fixture("rgba8.png", "in/alpha.png");
    room.fixture("exif-6.jpg", "in/turned.jpg");
    room.fixture("exif-1.jpg", "in/upright.jpg");
    room
}

#[test]
fn bad_files_are_records_and_the_others_are_done() {
    let room = mixed();
    let said = room.run(&["run", "p.toml", "in", "-o", "out", "--records", "-", "-j", "4"]);
    assert_eq!(said.code, 1, "{said:?}");
    let records = said.records();
    let of = |key: &str| records.iter().map(|record| record[key].clone()).collect::<Vec<Json>>();
    let images = [
        "in/alpha.png",
        "in/cut.jpg",
        "in/deep.png",
        "in/empty.png",
        "in/text.png",
        "in/turned.jpg",
        "in/upright.jpg",
    ];
    assert_eq!(of("image"), images);
    assert_eq!(of("status"), ["ok", "error", "ok", "error", "error", "ok", "ok"]);
    assert_eq!(
        of("kind"),
        [Json::Null, "input".into(), Json::Null, "input".into(), "input".into(), Json::Null, Json::Null]
    );
    assert_eq!(records[3]["error"], "`in/empty.png`: expected a picture, got an empty file");
    assert_eq!(records[4]["error"], "`in/text.png`: expected a picture, got text");
    assert_eq!(records[5]["width"], records[6]["height"], "the same pixels, turned by 90 degrees");
    assert_eq!(records[5]["height"], records[6]["width"]);
    assert_ne!(records[5]["width"], records[5]["height"]);
    assert_eq!(room.files("out"), ["alpha.png", "deep.png", "turned.png", "upright.png"]);
    // Words name the file once, and nothing colours them for a file.
    assert!(
        said.err.contains("error: `in/empty.png`: expected a picture, got an empty file\n"),
        "{}",
        said.err
    );
    assert!(said.err.ends_with("4 images done, 3 failed; 4 files written to `out`\n"), "{}", said.err);
    assert!(!said.err.contains('\x1b'));
}

#[test]
fn fail_fast_begins_nothing_after_a_failure() {
    let room = mixed();
    let arguments = ["run", "p.toml", "in", "-o", "out", "--records", "-", "-j", "1", "--fail-fast"];
    let said = room.run(&arguments);
    assert_eq!(said.code, 1);
    assert_eq!(said.records().len(), 2);
    assert_eq!(room.files("out"), ["alpha.png"]);
    assert!(said.err.contains("1 image done, 1 failed, 5 not begun or given up"), "{}", said.err);
}

#[test]
fn missing_files_and_types_that_do_not_fit_are_records() {
    let room = Room::new();
    room.write(
        "p.toml",
        "version = 1\n[[stage]]\nuse = \"haar-detect\"\ncascade = \"builtin:frontalface-default\"\n",
    );
    room.picture("gray.png", &picture(ImageType::Gray8, 30, 30));
    room.picture("color.png", &picture(ImageType::Rgb8, 30, 30));
    let said = room.run(&["run", "p.toml", "no.png", "color.png", "gray.png"]);
    assert_eq!(said.code, 1);
    let records = said.records();
    assert_eq!(records[0]["kind"], "io");
    assert_eq!(records[0]["error"], "`no.png`: no such file or directory");
    assert_eq!(records[1]["kind"], "shape");
    assert_eq!(records[1]["error"], "the pipeline takes `gray8`, got `rgb8`");
    assert_eq!(records[2]["status"], "ok");
    assert!(
        said.err.contains("error: `color.png`: the pipeline takes `gray8`, got `rgb8`\nhint: "),
        "{}",
        said.err
    );
}

#[test]
fn large_pictures_are_refused_by_the_limit() {
    let room = Room::new();
    room.write("p.toml", EDGES);
    room.picture("a.png", &picture(ImageType::Gray8, 100, 100));
    let said = room.run(&["run", "p.toml", "a.png", "--max-pixels", "9999"]);
    assert_eq!((said.code, said.records()[0]["kind"].clone()), (1, "limit".into()));
    assert_eq!(room.run(&["run", "p.toml", "a.png", "--max-pixels", "10000"]).code, 0);
    // Rows need no room for the whole.
    assert_eq!(room.run(&["run", "p.toml", "a.png", "--max-pixels", "9", "--stream", "always"]).code, 0);
}

#[test]
fn clashes_are_refused_before_the_first_pixel() {
    let room = Room::new();
    room.write("p.toml", EDGES);
    for name in ["in/a.png", "in/a.tiff", "in/b.png", "other/b.png"] {
        room.picture(name, &picture(ImageType::Gray8, 9, 9));
    }
    let before = std::fs::read(room.path("in/a.png")).unwrap();
    for (inputs, words) in [
        (vec!["in"], "`in/a.png` and `in/a.tiff` would both be written to `out/a.png`"),
        (vec!["in/b.png", "other"], "`in/b.png` and `other/b.png` would both be written to `out/b.png`"),
        (vec!["in/b.png", "in/b.png"], "would both be written"),
    ] {
        let said = room.run(&[&["run", "p.toml"], &inputs[..], &["-o", "out", "--records", "r"]].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.contains(words), "{}", said.err);
    }
    let said = room.run(&["run", "p.toml", "in/a.png", "-o", "in"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("would be replaced by its own result"), "{}", said.err);
    assert!(!room.path("out").exists() && !room.path("r").exists());
    assert_eq!(std::fs::read(room.path("in/a.png")).unwrap(), before);
    // Without a folder nothing clashes.
    assert_eq!(room.run(&["run", "p.toml", "in", "in/b.png", "other"]).records().len(), 5);
}

#[test]
fn wrong_commands_end_with_2_and_a_hint() {
    let room = Room::new();
    room.write("p.toml", EDGES);
    room.write("empty/notes.txt", "no picture");
    room.picture("a.png", &picture(ImageType::Gray8, 9, 9));
    for (arguments, words) in [
        (&["run", "no.toml", "a.png"][..], "error: `no.toml`: no such file or directory\n"),
        (&["run", "edges", "a.png"], "hint: did you mean `builtin:edges`?\n"),
        (
            &["run", "builtin:edgse", "a.png"],
            "error: there is no built-in pipeline `edgse`\nhint: did you mean `edges`?\n",
        ),
        (&["run", "p.toml", "builtin:coin"], "hint: did you mean `coins`?\n"),
        (&["run", "p.toml", "empty"], "error: there are no pictures in `empty`\nhint: `-r`"),
        (&["run", "p.toml", "*.bmp"], "error: no file matches `*.bmp`\n"),
        (&["run", "p.toml", "a.png", "--save", "all"], "--output"),
        (&["run", "p.toml", "a.png", "-j", "0"], "0 is not in 1..=1024"),
        (
            &["run", "p.toml", "a.png", "-p", "threshold"],
            "error: `threshold` gives no value\nhint: write `-p stage.key=value`\n",
        ),
        (
            &["run", "p.toml", "a.png", "-p", "treshold.level=1"],
            "error[P002]: `treshold.level`: no stage is called `treshold`\nhint: did you mean `threshold`?\n",
        ),
        (
            &["run", "p.toml", "a.png", "-p", "threshold.level=high"],
            "error[P004]: `level` of stage `threshold` wants a number, got a string `\"high\"`\n",
        ),
        (
            &["run", "p.toml", "a.png", "-p", "threshold.levl=1"],
            "error[P002]: stage `threshold` has no `levl`\nhint: did you mean `level`?\n",
        ),
        (
            &["run", "p.toml", "a.png", "--records", "no/such/r.jsonl"],
            "error: `no/such/r.jsonl`: no such file",
        ),
    ] {
        let said = room.run(arguments);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?} {said:?}");
        assert!(said.err.contains(words), "{arguments:?}\n{}", said.err);
    }
    assert_eq!(room.files("."), ["a.png", "empty/notes.txt", "p.toml"]);
}

#[test]
fn outputs_that_cannot_be_written_are_records() {
    let room = Room::new();
    room.write("p.toml", EDGES);
    room.picture("a.png", &picture(ImageType::Gray8, 9, 9));
    room.picture("b.png", &picture(ImageType::Gray8, 9, 9));
    // Where `a.png` shall be written, a folder stands.
    room.write("out/a.png/inside", "");
    let said = room.run(&["run", "p.toml", "a.png", "b.png", "-o", "out"]);
    assert_eq!(said.code, 2, "what is there is not touched: {said:?}");
    let said = room.run(&["run", "p.toml", "a.png", "b.png", "-o", "out", "--records", "-", "--overwrite"]);
    assert_eq!(said.code, 1);
    let records = said.records();
    assert_eq!((&records[0]["kind"], &records[1]["status"]), (&"io".into(), &"ok".into()));
    assert_eq!(room.files("out"), ["a.png/inside", "b.png"], "and nothing half written is left");
    // A file where the folder shall be.
    room.write("file", "");
    let said = room.run(&["run", "p.toml", "a.png", "-o", "file/out"]);
    assert_eq!(said.code, 2, "{said:?}");
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_are_records() {
    let room = Room::new();
    room.write("p.toml", EDGES);
    room.picture("in/a.png", &picture(ImageType::Gray8, 9, 9));
    std::os::unix::fs::symlink(room.path("in"), room.path("in/loop")).unwrap();
    let said = room.run(&["run", "p.toml", "in", "-r"]);
    assert_eq!(said.code, 1);
    let records = said.records();
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!(records[0]["status"], "ok");
    assert!(records[1]["error"].as_str().unwrap().contains("a link that leads back"), "{records:?}");
}

#[cfg(unix)]
#[test]
fn folders_without_permission_are_records() {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::new();
    room.write("p.toml", EDGES);
    room.picture("in/a.png", &picture(ImageType::Gray8, 9, 9));
    room.picture("in/closed/b.png", &picture(ImageType::Gray8, 9, 9));
    let closed = room.path("in/closed");
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o000)).unwrap();
    // Who may do everything reads it all the same.
    let binds = std::fs::read_dir(&closed).is_err();
    let said = room.run(&["run", "p.toml", "in", "-r"]);
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o755)).unwrap();
    let records = said.records();
    assert_eq!((records.len(), &records[0]["status"]), (2, &"ok".into()));
    if binds {
        assert_eq!((said.code, &records[1]["kind"]), (1, &"io".into()));
        assert_eq!(records[1]["error"], "`in/closed`: permission denied");
    } else {
        assert_eq!((said.code, &records[1]["status"]), (0, &"ok".into()));
    }
}

#[test]
fn sixteen_bit_stays_sixteen_bit() {
    let room = Room::new();
    room.write("p.toml", "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"gaussian-blur\"\n");
    let deep = picture(ImageType::Gray16, 20, 20);
    room.picture("a.png", &deep);
    assert_eq!(room.run(&["run", "p.toml", "a.png", "-o", "out"]).code, 0);
    let Image::Gray16(plane) = room.read("out/a.png") else { panic!("not 16 bit") };
    assert!(plane.as_slice().iter().any(|&value| value > 255 && value % 251 != 0));
}

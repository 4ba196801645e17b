//! Folders as they are found: odd names, pipes, lists, several runs at once, and the stage cache.

use lyncean::image::ImageType;
use serde_json::{Value as Json, json};

use crate::support::pictures::picture;
use crate::support::program::Room;

const BRIGHT: &str = "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"gaussian-blur\"\nsigma = 2\n\
    [[stage]]\nuse = \"threshold\"\nlevel = 100\n";

fn room(names: &[&str]) -> Room {
    let room = Room::new();
    room.write("p.toml", BRIGHT);
    for name in names {
        room.picture(name, &picture(ImageType::Gray8, 40, 30));
    }
    room
}

#[test]
fn another_page_is_not_the_one_that_was_done() {
    let room = room(&[]);
    room.fixture("pages.tiff", "a.tiff");
    let run = |page: &str, more: &[&str]| {
        let words = ["run", "p.toml", "a.tiff", "-o", "out", "--records", "-", "--pages", page];
        room.run(&[&words[..], more].concat())
    };
    assert_eq!(run("1", &[]).records()[0]["page"], 1);
    let second = run("2", &["--resume"]);
    assert_eq!((&second.records()[0]["page"], &second.records()[0]["width"]), (&json!(2), &json!(30)));
    assert!(second.err.contains("1 image done;"), "{}", second.err);
    assert!(run("2", &["--resume"]).err.contains("0 images done, 1 done before"));
}

#[test]
fn pages_go_through_row_by_row_too() {
    let room = room(&[]);
    room.fixture("pages.tiff", "a.tiff");
    let mut seen = Vec::new();
    for when in ["always", "never"] {
        let words =
            ["run", "p.toml", "a.tiff", "--pages", "2-9", "-o", when, "--stream", when, "--records", "-"];
        let said = room.run(&words);
        assert_eq!(said.code, 0, "{said:?}");
        let images = [2, 3].map(|page| room.read(&format!("{when}/a.page-{page}.png")));
        // The journals agree: the same fingerprints, pages and records.
        let journal = std::fs::read_to_string(room.path(when).join("journal.jsonl")).unwrap();
        seen.push((said.out, images, journal));
    }
    assert!(seen[0] == seen[1], "{} {}", seen[0].2, seen[1].2);
    assert_eq!(room.run(&["run", "p.toml", "a.tiff", "--pages", "4"]).code, 1, "there is no fourth");
}

#[cfg(unix)]
#[test]
fn names_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let room = room(&["a.png"]);
    let bytes = std::fs::read(room.path("a.png")).unwrap();
    std::fs::create_dir(room.path("in")).unwrap();
    for name in [&b"a\xfe.png"[..], b"a\xff.png", b"line\nbreak.png", b"\\xff.png"] {
        std::fs::write(room.path("in").join(std::ffi::OsStr::from_bytes(name)), &bytes).unwrap();
    }
    let said = room.run(&["run", "p.toml", "in", "-o", "out", "--records", "-"]);
    assert_eq!(said.code, 0, "{said:?}");
    let names: Vec<Json> = said.records().iter().map(|record| record["image"].clone()).collect();
    assert_eq!(names, ["in/\\xff.png", "in/a\\xfe.png", "in/a\\xff.png", "in/line\nbreak.png"]);
    let said = room.run(&["run", "p.toml", "in", "-o", "out", "--resume"]);
    assert!(said.err.contains("0 images done, 4 done before"), "{}", said.err);
    // The same by a list, as `find -print0` writes it.
    room.write("list", b"in/a\xff.png\0in/line\nbreak.png\0");
    let said = room.run(&["run", "p.toml", "--files-from", "list"]);
    assert_eq!((said.code, said.records().len()), (0, 2), "{said:?}");
}

#[cfg(unix)]
#[test]
fn pipes_and_dangling_links_do_not_hang() {
    let room = room(&["in/a.png"]);
    let made = std::process::Command::new("mkfifo").arg(room.path("in/pipe.png")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("nowhere", room.path("in/link.png")).unwrap();
    std::os::unix::fs::symlink("nowhere", room.path("in/notes.txt")).unwrap();
    let said = room.run(&["run", "p.toml", "in"]);
    assert_eq!(said.code, 1);
    let errors: Vec<Json> = said.records().iter().map(|record| record["error"].clone()).collect();
    assert_eq!(
        errors,
        [
            Json::Null,
            json!("`in/link.png`: no such file or directory"),
            json!("`in/pipe.png`: a device or pipe, expected a file"),
        ]
    );
}

#[test]
fn runs_that_would_write_the_same_files_are_refused() {
    let room = room(&["in/a.png", "in/b.png", "in/c.png"]);
    let run = |more: &[&str]| room.run(&[&["run", "p.toml", "in", "-o", "out"], more].concat());
    assert_eq!(run(&["--shard", "1/2"]).code, 0);
    for (more, words) in [
        (
            &["--shard", "2/3"][..],
            "journal.1-of-2.jsonl` is of another run: it is not of a run of these shards",
        ),
        (&[], "is of another run"),
        (&["--overwrite"], "is of another run"),
        (&["--shard", "2/2", "-p", "threshold.level=7"], "is of another run: the pipeline has changed since"),
    ] {
        let said = run(more);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(words) && said.err.contains("hint: "), "{}", said.err);
    }
    assert_eq!(room.files("out"), ["a.png", "c.png", "journal.1-of-2.jsonl"]);
    assert_eq!(run(&["--shard", "2/2"]).code, 0);
    assert_eq!(room.run(&["merge", "out"]).records().len(), 3);
}

#[test]
fn lists_are_written_over_nothing_that_is_needed() {
    let room = room(&["a.png"]);
    let before = std::fs::read(room.path("a.png")).unwrap();
    for (more, words) in [
        (&["--records", "p.toml"][..], "`p.toml` is read by this run"),
        (&["--objects", "./a.png"], "`./a.png` is read by this run"),
        (&["--records", "x", "--timings", "./x"], "is asked for twice"),
        (&["-o", "out", "--records", "out/run.json"], "is a file that the output folder keeps itself"),
    ] {
        let said = room.run(&[&["run", "p.toml", "a.png"], more].concat());
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(words), "{}", said.err);
    }
    assert_eq!(std::fs::read(room.path("a.png")).unwrap(), before);
    assert_eq!(std::fs::read_to_string(room.path("p.toml")).unwrap(), BRIGHT);
    assert_eq!(room.files("."), ["a.png", "p.toml"]);
}

#[test]
fn the_cache_changes_no_byte() {
    let room = room(&["in/a.png", "in/b.png", "in/c.png"]);
    room.fixture("pages.tiff", "in/d.tiff");
    room.write("in/e.png", "no picture");
    let run = |out: &str, more: &[&str]| {
        let words = ["run", "p.toml", "in", "--pages", "all", "--json", "-o", out];
        let said = room.run(&[&words[..], more].concat());
        assert_eq!(said.code, 1, "{said:?}");
        let files = room.files(out);
        let bytes: Vec<Vec<u8>> =
            files.iter().map(|name| std::fs::read(room.path(out).join(name)).unwrap()).collect();
        let summary: Json = serde_json::from_str(&said.out).unwrap();
        (files, bytes, summary["cache"].clone())
    };
    let plain = run("plain", &[]);
    assert_eq!((plain.0.len(), &plain.2), (6, &Json::Null));
    let first = run("first", &["--cache", "cache", "-j", "1"]);
    assert_eq!((&first.0, &first.1), (&plain.0, &plain.1));
    // Two files are the same picture, and `gray` hands gray pictures on: the blurred ones and the masks.
    assert_eq!(first.2["loaded"], json!(2));
    assert_eq!(first.2["stored"], json!(2 * 4));
    let again = run("again", &["--cache", "cache", "-j", "1"]);
    assert_eq!((&again.0, &again.1), (&plain.0, &plain.1));
    assert_eq!(again.2, json!({ "loaded": 6, "stored": 0 }));
    // A changed level: blurred images come from the cache, once for each picture.
    let changed = run("changed", &["--cache", "cache", "-p", "threshold.level=50", "-j", "1"]);
    assert_eq!(changed.2, json!({ "loaded": 4 + 2, "stored": 4 }));
    let expected = run("expected", &["-p", "threshold.level=50"]);
    assert_eq!((&changed.0, &changed.1), (&expected.0, &expected.1));
}

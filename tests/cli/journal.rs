//! Runs that lose nothing: journals, resuming, shards, and what a run tells of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use lyncean::image::ImageType;
use serde_json::Value as Json;

use crate::support::pictures::picture;
use crate::support::program::Room;

const COUNT: &str = "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"gaussian-blur\"\nsigma = 2\n\
    [[stage]]\nuse = \"threshold\"\nmethod = \"otsu\"\n[[stage]]\nuse = \"label\"\nname = \"blobs\"\n";

/// A room with a pipeline and a tree of pictures, one of them broken.
fn room(pictures: usize) -> Room {
    let room = Room::new();
    room.write("p.toml", COUNT);
    for index in 0..pictures {
        let name = format!("in/{}/{index:03}.png", index % 3);
        room.picture(&name, &picture(ImageType::Rgb8, 90 + index % 7, 80));
    }
    room.write("in/1/broken.png", "no picture");
    room
}

/// Every file below a folder and its bytes.
fn bytes(room: &Room, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut all = room.files(folder);
    all.extend(["journal.jsonl", "run.json", "failures.jsonl"].map(str::to_owned));
    let read = |name: String| {
        let bytes = std::fs::read(room.path(folder).join(&name)).ok()?;
        Some((name, bytes))
    };
    all.into_iter().filter_map(read).collect()
}

fn json(room: &Room, name: &str) -> Json {
    serde_json::from_slice(&std::fs::read(room.path(name)).unwrap()).unwrap()
}

#[cfg(unix)]
#[test]
fn a_killed_run_is_completed_to_the_same_bytes() {
    let room = room(60);
    let whole =
        room.run(&["run", "p.toml", "in", "-r", "-o", "whole", "--records", "whole.jsonl", "-j", "2"]);
    assert_eq!(whole.code, 1, "{whole:?}");
    let expected = bytes(&room, "whole");
    assert_eq!(expected.len(), 60 + 3);
    for kill in 0..6 {
        let out = format!("out-{kill}");
        let arguments = ["run", "p.toml", "in", "-r", "-o", &out, "--records", "r.jsonl", "-j", "2"];
        let mut delay = 3 + 7 * kill;
        let mut child = room.command(&arguments).stderr(std::process::Stdio::null()).spawn().unwrap();
        // Killed once, and once more while it resumes.
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(delay));
            child.kill().unwrap();
            child.wait().unwrap();
            delay /= 2;
            let again = [&arguments[..], &["--resume"]].concat();
            child = room.command(&again).stderr(std::process::Stdio::null()).spawn().unwrap();
        }
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert_eq!(bytes(&room, &out), expected, "killed after {} ms", 3 + 7 * kill);
        assert_eq!(
            std::fs::read(room.path("r.jsonl")).unwrap(),
            std::fs::read(room.path("whole.jsonl")).unwrap()
        );
    }
}

#[test]
fn what_is_done_stays_and_what_changed_is_done_again() {
    let room = room(5);
    let run = |more: &[&str]| room.run(&[&["run", "p.toml", "in", "-r", "-o", "out"], more].concat());
    assert_eq!(run(&[]).code, 1);
    let refused = run(&[]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("hint: `--resume` completes it, `--overwrite` begins anew"),
        "{}",
        refused.err
    );

    let said = run(&["--resume"]);
    assert!(
        said.err.ends_with("0 images done, 5 done before, 1 failed; 0 files written to `out`\n"),
        "{}",
        said.err
    );
    // Another picture, a result that is gone, and a broken one that is mended.
    room.picture("in/0/000.png", &picture(ImageType::Gray8, 40, 40));
    std::fs::remove_file(room.path("out/1/001.png")).unwrap();
    room.picture("in/1/broken.png", &picture(ImageType::Gray8, 30, 30));
    let said = run(&["--resume"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("`in/0/000.png` has changed since: done again"), "{}", said.err);
    assert!(said.err.ends_with("3 images done, 3 done before; 3 files written to `out`\n"), "{}", said.err);
    assert!(!room.path("out/failures.jsonl").exists());
    // A time that changed and a content that did not.
    let again = std::fs::read(room.path("in/2/002.png")).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    room.write("in/2/002.png", again);
    assert!(run(&["--resume"]).err.contains("0 images done, 6 done before"));

    for (more, words) in [
        (&["-p", "gaussian-blur.sigma=3"][..], "the pipeline has changed since"),
        (&["--until", "threshold"], "the pipeline has changed since"),
        (&["--save", "gray"], "`save` was []"),
        (&["--limit", "2"], "it had 6 inputs, this one has 2"),
    ] {
        let said = run(&[&["--resume"], more].concat());
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(words), "{}", said.err);
    }
    assert_eq!(run(&["--overwrite", "-p", "gaussian-blur.sigma=3"]).code, 0);
}

#[test]
fn a_changed_resource_is_noticed() {
    let room = Room::new();
    room.write(
        "p.toml",
        "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"match-template\"\ntemplate = \"t.png\"\n",
    );
    room.picture("t.png", &picture(ImageType::Gray8, 5, 5));
    room.picture("a.png", &picture(ImageType::Gray8, 50, 50));
    assert_eq!(room.run(&["run", "p.toml", "a.png", "-o", "out"]).code, 0);
    let manifest = json(&room, "out/run.json");
    assert_eq!(manifest["resources"]["t.png"].as_str().unwrap().len(), 64);
    room.picture("t.png", &picture(ImageType::Gray8, 6, 5));
    let said = room.run(&["run", "p.toml", "a.png", "-o", "out", "--resume"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("`t.png`, which the pipeline uses, has changed since"), "{}", said.err);
}

#[test]
fn shards_are_put_together_in_order() {
    let room = room(10);
    let whole = room.run(&["run", "p.toml", "in", "-r", "-o", "whole", "--records", "whole.jsonl"]);
    assert_eq!(whole.code, 1);
    let merge = ["merge", "out", "--records", "merged.jsonl"];
    for shard in ["2/3", "1/3", "3/3"] {
        assert_eq!(room.run(&merge).code, 2, "not all shards are there");
        let said = room.run(&["run", "p.toml", "in", "-r", "-o", "out", "--shard", shard]);
        assert!(said.code < 2, "{said:?}");
    }
    let said = room.run(&merge);
    assert_eq!(said.code, 1, "{said:?}");
    for (ours, theirs) in [
        ("merged.jsonl", "whole.jsonl"),
        ("out/run.json", "whole/run.json"),
        ("out/2/008.png", "whole/2/008.png"),
    ] {
        assert_eq!(
            std::fs::read(room.path(ours)).unwrap(),
            std::fs::read(room.path(theirs)).unwrap(),
            "{ours}"
        );
    }
    let failures = std::fs::read_to_string(room.path("out/failures.jsonl")).unwrap();
    assert!(failures.contains("in/1/broken.png"), "{failures}");
    for wrong in ["0/2", "3/2", "x"] {
        assert_eq!(room.run(&["run", "p.toml", "in", "-o", "x", "--shard", wrong]).code, 2);
    }
}

#[test]
fn a_run_tells_what_it_was() {
    let room = room(4);
    let said = room.run(&[
        "run",
        "p.toml",
        "in",
        "-r",
        "-o",
        "out",
        "-p",
        "gaussian-blur.sigma=2.5",
        "--json",
        "-q",
        "--timings",
        "t.jsonl",
        "--durable",
    ]);
    assert_eq!((said.code, said.err.as_str()), (1, ""), "quiet");
    let summary: Json = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&summary["done"], &summary["failed"], &summary["files"]), (&4.into(), &1.into(), &4.into()));
    let manifest = json(&room, "out/run.json");
    assert_eq!(manifest["pipeline"]["stages"][1]["parameters"]["sigma"], 2.5);
    assert_eq!((&manifest["inputs"], &manifest["platform"]["os"]), (&5.into(), &std::env::consts::OS.into()));
    assert_eq!(manifest["inputs-blake3"].as_str().unwrap().len(), 64);
    let failures = json(&room, "out/failures.jsonl");
    assert_eq!((&failures["image"], &failures["kind"]), (&"in/1/broken.png".into(), &"input".into()));
    let timings = std::fs::read_to_string(room.path("t.jsonl")).unwrap();
    assert_eq!(timings.lines().count(), 4);
    let first: Json = serde_json::from_str(timings.lines().next().unwrap()).unwrap();
    assert!(first["work-ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn pictures_are_chosen() {
    let room = room(9);
    let names = |more: &[&str]| {
        let said = room.run(&[&["run", "p.toml", "--dry-run"], more].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&["in", "-r", "--exclude", "1", "--limit", "2"]), ["in/0/000.png", "in/0/003.png"]);
    assert_eq!(names(&["in", "-r", "--exclude", "00*", "--exclude", "in/2"]), ["in/1/broken.png"]);
    assert_eq!(names(&["in/2", "-o", "out"])[0], "in/2/002.png -> out/002.*");
    assert!(!room.path("out").exists(), "a dry run makes nothing");
    room.write("list.txt", "in/0/003.png\n\nin/2/005.png\n");
    assert_eq!(
        names(&["--files-from", "list.txt", "in/1/001.png"]),
        ["in/1/001.png", "in/0/003.png", "in/2/005.png"]
    );
    let mut child = room
        .command(&["run", "p.toml", "--files-from", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"in/0/000.png\n").unwrap();
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(out.starts_with("{\"image\":\"in/0/000.png\",\"status\":\"ok\""), "{out}");
    let until = room.run(&["run", "p.toml", "in/0/000.png", "--until", "threshold", "-o", "masks"]);
    assert_eq!((until.code, room.files("masks")), (0, vec!["000.png".to_owned()]));
    assert!(
        room.run(&["run", "p.toml", "in/0/000.png", "--until", "treshold"])
            .err
            .contains("did you mean `threshold`?")
    );
}

#[test]
fn objects_and_coco_hold_what_the_records_hold() {
    let room = room(3);
    let arguments = ["run", "p.toml", "in", "-r", "--records", "r.jsonl", "--objects", "o.csv"];
    assert_eq!(room.run(&arguments).code, 1);
    let records = std::fs::read_to_string(room.path("r.jsonl")).unwrap();
    let objects = |line: &str| {
        let json: Json = serde_json::from_str(line).unwrap();
        json["results"]["blobs"]["objects"].as_array().map_or(0, Vec::len)
    };
    let count: usize = records.lines().map(objects).sum();
    assert!(count > 3);
    let table = std::fs::read_to_string(room.path("o.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + count);
    assert!(table.starts_with("image,page,stage,label,score,x,y,width,height,area,"), "{table}");
    let coco = room.run(&["run", "p.toml", "in", "-r", "--records", "-", "--format-records", "coco"]);
    let json: Json = serde_json::from_str(&coco.out).unwrap();
    assert_eq!(json["annotations"].as_array().unwrap().len(), count);
    assert_eq!(
        (json["images"].as_array().unwrap().len(), &json["categories"][0]["name"]),
        (4, &"blobs".into())
    );
}

#[test]
fn pages_are_images_and_never_silently_the_first() {
    let room = Room::new();
    room.write("p.toml", COUNT);
    let three = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/files/pages.tiff");
    room.write("three.tiff", std::fs::read(three).unwrap());
    room.picture("one.png", &picture(ImageType::Gray8, 30, 30));
    let said = room.run(&["run", "p.toml", "three.tiff", "one.png"]);
    assert_eq!(said.code, 1);
    let error = said.records()[0]["error"].clone();
    assert_eq!(error, "`three.tiff`: a TIFF of 3 pages, expected one picture");
    assert!(said.err.contains("hint: `--pages all` takes every page"), "{}", said.err);

    let said = room.run(&[
        "run",
        "p.toml",
        "three.tiff",
        "one.png",
        "--pages",
        "all",
        "-o",
        "out",
        "--records",
        "-",
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    let pages: Vec<Json> = said.records().iter().map(|record| record["page"].clone()).collect();
    assert_eq!(pages, [1.into(), 2.into(), 3.into(), Json::Null]);
    assert_eq!(room.files("out"), ["one.png", "three.page-1.png", "three.page-2.png", "three.page-3.png"]);
    // Pages of different sizes: 20, 30 and 40 pixels wide. The smaller copy of the second one is no page.
    let widths: Vec<Json> = said.records().iter().map(|record| record["width"].clone()).collect();
    assert_eq!(widths[..3], [20, 30, 40].map(Json::from));
    let second = room.run(&["run", "p.toml", "three.tiff", "--pages", "2-2"]);
    assert_eq!((second.records().len(), &second.records()[0]["page"]), (1, &2.into()));
    assert!(room.run(&["run", "p.toml", "three.tiff", "--pages", "0"]).code == 2);
}

#[test]
fn failures_and_hours_have_limits() {
    let room = Room::new();
    room.write("p.toml", COUNT);
    let mut names: Vec<String> = (0..6).map(|index| format!("bad{index}.png")).collect();
    for name in &names {
        room.write(name, "no picture");
    }
    names.insert(0, "p.toml".into());
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let said = room.run(&[&["run"], &words[..], &["--max-failures", "3", "-j", "1"]].concat());
    assert_eq!((said.code, said.records().len()), (1, 3), "{said:?}");

    room.write(
        "slow.toml",
        "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"gaussian-blur\"\nsigma = 80\n",
    );
    room.picture("large.png", &picture(ImageType::Gray16, 3000, 2000));
    room.picture("small.png", &picture(ImageType::Gray16, 9, 9));
    let said = room.run(&["run", "slow.toml", "large.png", "small.png", "--timeout-per-image", "0.05"]);
    assert_eq!(said.code, 1, "{said:?}");
    let records = said.records();
    assert_eq!((&records[0]["kind"], &records[1]["status"]), (&"limit".into(), &"ok".into()));
    assert!(records[0]["error"].as_str().unwrap().ends_with("took longer than 0.05 s"), "{records:?}");
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let room = Room::new();
    let said = room.run(&["man"]);
    assert!(said.code == 0 && said.out.contains(".TH lyncean 1"), "{said:?}");
    assert_eq!(room.run(&["man", "-o", "man"]).code, 0);
    let pages = room.files("man");
    assert!(pages.contains(&"lyncean-run.1".to_owned()) && pages.len() > 10, "{pages:?}");
}

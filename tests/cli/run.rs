//! `lyncean run`: what is written, where, and in which order.

use lyncean::image::{Image, ImageType, Plane};

use crate::support::pictures::picture;
use crate::support::program::Room;

/// A mask of what is bright, after some smoothing.
const BRIGHT: &str = "version = 1
[[stage]]
use = \"gray\"
[[stage]]
use = \"gaussian-blur\"
[[stage]]
use = \"threshold\"
level = 100
";

fn gray(width: usize, height: usize) -> Image {
    picture(ImageType::Gray8, width, height)
}

#[test]
fn a_picture_in_a_mask_out() {
    let room = Room::new();
    room.write("p.toml", BRIGHT);
    room.picture("photo.png", &gray(61, 37));
    let said = room.run(&["run", "p.toml", "photo.png", "-o", "out", "--records", "-"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        said.out,
        "{\"image\":\"photo.png\",\"status\":\"ok\",\"width\":61,\"height\":37,\"results\":{}}\n"
    );
    assert_eq!(said.err, "1 image done; 1 file written to `out`\n");
    assert_eq!(room.files("out"), ["photo.png"]);
    let Image::Gray8(mask) = room.read("out/photo.png") else { panic!("a mask is read as gray8") };
    let marked = mask.as_slice().iter().filter(|&&value| value == 255).count();
    assert!(marked > 0 && marked < mask.as_slice().len());
    assert!(mask.as_slice().iter().all(|value| [0, 255].contains(value)));
}

#[test]
fn without_an_output_folder_records_go_to_stdout() {
    let room = Room::new();
    let said = room.run(&["run", "builtin:find-coin", "builtin:coins"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let record = &said.records()[0];
    assert_eq!((&record["image"], &record["status"]), (&"builtin:coins".into(), &"ok".into()));
    let found = record["results"]["matches"]["objects"].as_array().unwrap();
    assert!(found.len() > 10);
    assert_eq!(found[0]["label"], "coin");
    assert_eq!(found[0]["box"].as_array().unwrap().len(), 4);
    assert_eq!(room.files(".").len(), 0);
}

#[test]
fn records_and_files_are_the_same_for_any_number_of_jobs() {
    let room = Room::new();
    room.write("p.toml", BRIGHT);
    // Large and small in turn, so that later ones are done earlier.
    for index in 0..40 {
        let size = if index % 4 == 0 { 300 } else { 3 + index };
        room.picture(&format!("in/{index:02}.png"), &gray(size, size + 1));
    }
    let mut all = Vec::new();
    for (jobs, threads) in [("1", "1"), ("4", "1"), ("3", "2"), ("64", "1")] {
        let (out, records) = (format!("out-{jobs}"), format!("r-{jobs}.jsonl"));
        let said = room.run(&[
            "run",
            "p.toml",
            "in",
            "-o",
            &out,
            "-j",
            jobs,
            "--threads",
            threads,
            "--records",
            &records,
        ]);
        assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
        let text = std::fs::read_to_string(room.path(&records)).unwrap();
        let files = room.files(&out);
        assert_eq!(files.len(), 40);
        let bytes: Vec<Vec<u8>> =
            files.iter().map(|file| std::fs::read(room.path(&out).join(file)).unwrap()).collect();
        all.push((text, files, bytes));
    }
    let names: Vec<String> = all[0].0.lines().map(|line| line[10..19].to_owned()).collect();
    assert_eq!(names, (0..40).map(|index| format!("in/{index:02}.png")).collect::<Vec<_>>());
    assert!(all.iter().all(|one| *one == all[0]));
}

#[test]
fn the_tree_of_the_inputs_is_kept() {
    let room = Room::new();
    room.write("p.toml", BRIGHT);
    for name in ["in/b.png", "in/sub/a.png", "in/sub/deep/b.tiff"] {
        room.picture(name, &gray(8, 8));
    }
    let said = room.run(&["run", "p.toml", "in", "-o", "flat"]);
    assert_eq!((said.code, room.files("flat")), (0, vec!["b.png".to_owned()]));
    let said = room.run(&["run", "p.toml", "in", "-r", "-o", "in/out", "--records", "-"]);
    let images: Vec<_> = said.records().iter().map(|record| record["image"].clone()).collect();
    assert_eq!(images, ["in/b.png", "in/sub/a.png", "in/sub/deep/b.tiff"]);
    let tree = ["b.png", "sub/a.png", "sub/deep/b.png"];
    assert_eq!(room.files("in/out"), tree);
    // What is in the output folder is no input of the next run.
    let again = room.run(&["run", "p.toml", "in", "-r", "-o", "in/out", "--overwrite"]);
    assert_eq!((again.code, again.err.as_str()), (0, "3 images done; 3 files written to `in/out`\n"));
    let said = room.run(&["run", "p.toml", "in/**/[ab].{png,tiff}", "-o", "globbed"]);
    assert_eq!(
        (said.code, room.files("globbed")),
        (
            0,
            ["b.png", "out/b.png", "out/sub/a.png", "out/sub/deep/b.png", "sub/a.png", "sub/deep/b.png"]
                .map(str::to_owned)
                .to_vec()
        )
    );
}

#[test]
fn parameters_of_the_command_go_over_those_of_the_file() {
    let room = Room::new();
    room.write("p.toml", BRIGHT);
    room.picture("a.png", &gray(20, 20));
    let marked = |parameters: &[&str]| {
        let said = room.run(&[&["run", "p.toml", "a.png", "-o", "out", "--overwrite"], parameters].concat());
        assert_eq!(said.code, 0, "{said:?}");
        let Image::Gray8(mask) = room.read("out/a.png") else { panic!("no mask") };
        mask.as_slice().iter().filter(|&&value| value == 255).count()
    };
    let usual = marked(&[]);
    assert!(usual > 0 && usual < 400);
    assert_eq!(marked(&["-p", "threshold.level=0"]), 400);
    assert_eq!(marked(&["-p", "threshold.level=255"]), 0);
    assert_eq!(marked(&["-p", "threshold.type=binary-inv"]), 400 - usual);
    assert_eq!(marked(&["-p", "threshold.level=0", "-p", "threshold.type=\"binary-inv\""]), 0);
    assert_eq!(marked(&["-p", "schedule.fuse=false", "-p", "schedule.strip-rows=3"]), usual);
}

#[test]
fn saved_stages_stand_beside_the_final_image() {
    let room = Room::new();
    let stages = "version = 1
[[stage]]
use = \"gray\"
[[stage]]
use = \"sobel\"
output = \"gradient\"
[[stage]]
use = \"threshold\"
in = \"gray\"
level = 100
[[stage]]
use = \"label\"
name = \"parts\"
[[stage]]
use = \"to-f32\"
in = \"gray\"
";
    room.write("p.toml", stages);
    room.picture("a.png", &picture(ImageType::Rgb8, 31, 33));
    let said = room.run(&["run", "p.toml", "a.png", "-o", "out", "--save", "all"]);
    assert_eq!((said.code, said.err.as_str()), (0, "1 image done; 6 files written to `out`\n"));
    let saved = ["a.gray.png", "a.parts.png", "a.sobel.png", "a.threshold.png", "a.tiff", "a.to-f32.png"];
    assert_eq!(room.files("out"), saved);
    let types = saved.map(|name| room.read(&format!("out/{name}")).ty());
    use ImageType::{Gray8, GrayF32, Rgb8};
    assert_eq!(types, [Gray8, Rgb8, Gray8, Gray8, GrayF32, Gray8], "labels are coloured, floats stretched");

    let said = room.run(&["run", "p.toml", "a.png", "-o", "two", "--save", "gray", "--save", "parts"]);
    assert_eq!(said.code, 0);
    assert_eq!(room.files("two"), ["a.gray.png", "a.parts.png", "a.tiff"]);
    let said = room.run(&["run", "p.toml", "a.png", "-o", "two", "--save", "part"]);
    assert_eq!(said.code, 2);
    assert_eq!(said.err, "error: there is no stage `part` to save\nhint: did you mean `parts`?\n");
}

#[test]
fn final_images_keep_their_values() {
    let room = Room::new();
    let head = "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\n";
    room.write(
        "labels.toml",
        format!("{head}use = \"threshold\"\nlevel = 100\n[[stage]]\nuse = \"label\"\n"),
    );
    room.write("float.toml", format!("{head}use = \"sobel\"\n"));
    room.write("gradient.toml", format!("{head}use = \"sobel\"\noutput = \"gradient\"\n"));
    room.picture("a.png", &picture(ImageType::Rgb8, 60, 50));

    let said = room.run(&["run", "labels.toml", "a.png", "-o", "labels", "--records", "-"]);
    let Image::Gray16(labels) = room.read("labels/a.png") else { panic!("labels are 16 bit") };
    let most = usize::from(labels.as_slice().iter().copied().max().unwrap());
    assert!(most >= 2);
    assert_eq!(said.records()[0]["results"]["label"]["objects"].as_array().unwrap().len(), most);
    assert_eq!(
        room.run(&["run", "labels.toml", "a.png", "-o", "labels", "--format", "tiff", "--overwrite"]).code,
        0
    );
    let Image::Labels(wide) = room.read("labels/a.tiff") else { panic!("labels are 32 bit in TIFF") };
    assert_eq!(wide, labels.map(u32::from));

    assert_eq!(room.run(&["run", "float.toml", "a.png", "-o", "float"]).code, 0);
    assert_eq!(room.read("float/a.tiff").ty(), ImageType::GrayF32);

    for (pipeline, format, words) in [
        ("labels.toml", "jpeg", "JPEG cannot hold a `labels` image"),
        ("float.toml", "png", "PNG cannot hold a `gray-f32` image"),
        ("gradient.toml", "tiff", "TIFF cannot hold a `gradient` image"),
    ] {
        let said = room.run(&["run", pipeline, "a.png", "-o", "no", "--format", format]);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(words), "{}", said.err);
        assert_eq!(room.files("no").len(), 0);
    }
}

#[test]
fn rows_from_file_to_file_give_the_same_image() {
    let room = Room::new();
    room.write("p.toml", BRIGHT);
    room.write("otsu.toml", BRIGHT.replace("level = 100", "method = \"otsu\""));
    room.picture("a.png", &picture(ImageType::Rgb8, 101, 83));
    room.picture("b.tiff", &picture(ImageType::Gray16, 64, 47));
    for pipeline in ["p.toml", "otsu.toml"] {
        let mut seen = Vec::new();
        for when in ["always", "never"] {
            let out = format!("{pipeline}-{when}");
            let arguments =
                ["run", pipeline, "a.png", "b.tiff", "-o", &out, "--stream", when, "--records", "-"];
            let said = room.run(&arguments);
            assert_eq!(said.code, 0, "{said:?}");
            let images = ["a.png", "b.png"].map(|name| room.read(&format!("{out}/{name}")));
            seen.push((said.out, images));
        }
        assert!(seen[0] == seen[1], "{pipeline}");
        // Data alone need no folder.
        let said = room.run(&["run", pipeline, "a.png", "b.tiff", "--stream", "always"]);
        assert_eq!((said.code, said.out), (0, seen[0].0.clone()));
    }
    let records = room.run(&["run", "otsu.toml", "a.png", "--stream", "always"]).records();
    assert!(records[0]["results"]["threshold"]["level"].is_number(), "{records:?}");
}

#[test]
fn what_cannot_go_through_row_by_row_says_why() {
    let room = Room::new();
    room.write("p.toml", BRIGHT);
    room.write("whole.toml", format!("{BRIGHT}[[stage]]\nuse = \"label\"\n"));
    room.picture("a.jpg", &gray(16, 16));
    room.picture("a.png", &gray(16, 16));
    for (arguments, why) in [
        (vec!["p.toml", "a.jpg"], "only upright PNG and TIFF"),
        (vec!["whole.toml", "a.png"], "a stage needs the whole image"),
        (vec!["p.toml", "a.png", "-o", "out", "--save", "gray"], "`--save` holds whole images"),
    ] {
        let said = room.run(&[&["run"], &arguments[..], &["--stream", "always", "--records", "-"]].concat());
        assert_eq!(said.code, 1);
        let record = &said.records()[0];
        assert_eq!((&record["status"], &record["kind"]), (&"error".into(), &"unsupported".into()));
        assert!(record["error"].as_str().unwrap().contains(why), "{record}");
    }
}

#[test]
fn alpha_is_a_mask_of_the_input() {
    let room = Room::new();
    room.write("p.toml", "version = 1\n[[stage]]\nuse = \"label\"\nin = \"input.alpha\"\n");
    room.fixture("rgba8.png", "a.png");
    room.picture("plain.png", &gray(5, 4));
    let said = room.run(&["run", "p.toml", "a.png", "plain.png"]);
    assert_eq!(said.code, 0, "{said:?}");
    let records = said.records();
    let objects = |index: usize| records[index]["results"]["label"]["objects"].clone();
    assert_eq!(objects(1).as_array().unwrap().len(), 1, "without alpha all is opaque");
    assert_eq!(objects(1)[0]["box"], serde_json::json!([0, 0, 5, 4]));
    assert_ne!(objects(0), objects(1));
}

/// A picture of one pixel, and a large plane, both through the same plan cache.
#[test]
fn odd_sizes_in_one_run() {
    let room = Room::new();
    room.write("p.toml", BRIGHT);
    room.picture("a.png", &Image::Gray8(Plane::filled(1, 1, 200)));
    room.picture("b.png", &gray(1, 50));
    room.picture("c.png", &gray(50, 1));
    let said = room.run(&["run", "p.toml", "a.png", "b.png", "c.png", "-o", "out", "-j", "2"]);
    assert_eq!(said.code, 0, "{said:?}");
    let sizes = ["a", "b", "c"].map(|name| {
        let image = room.read(&format!("out/{name}.png"));
        (image.width(), image.height())
    });
    assert_eq!(sizes, [(1, 1), (1, 50), (50, 1)]);
    assert_eq!(room.read("out/a.png"), Image::Gray8(Plane::filled(1, 1, 255)));
}

/// A JPEG's luma is read alone, another picture turned to gray at once; `run.json` says so.
#[test]
fn pictures_can_be_decoded_as_gray() {
    use lyncean::image::codec::{self, Decode, Format, ReadOptions, WriteOptions};
    let room = Room::new();
    room.write("p.toml", "version = 1\n[[stage]]\nuse = \"invert\"\n");
    let colors = picture(ImageType::Rgb8, 61, 37);
    room.picture("a.png", &colors);
    room.write("b.jpg", codec::encode(&colors, Format::Jpeg, &WriteOptions::default()).unwrap());
    let gray = ["-p", "input.decode=gray"];
    let said =
        room.run(&[&["run", "p.toml", "a.png", "b.jpg", "-o", "out", "--records", "-"], &gray[..]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.records()[1]["width"], 61);
    let inverted = |image: &Image| image.plane_bytes(0).iter().map(|value| 255 - value).collect::<Vec<u8>>();
    let cx = lyncean::ops::Context::default();
    let expected = lyncean::ops::gray::gray(&colors, &cx).unwrap();
    assert_eq!(room.read("out/a.png").plane_bytes(0), inverted(&expected));
    let options = ReadOptions { decode: Decode::Luma, ..ReadOptions::default() };
    let luma = codec::read_file(room.path("b.jpg"), &options).unwrap().image;
    assert_eq!(room.read("out/b.png").plane_bytes(0), inverted(&luma));
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(room.path("out/run.json")).unwrap()).unwrap();
    assert_eq!(run["pipeline"]["input"], serde_json::json!({ "decode": "gray" }));
    // Row by row the same, and without the option another run.
    room.run(&[&["run", "p.toml", "a.png", "-o", "rows", "--stream", "always"], &gray[..]].concat());
    assert_eq!(
        std::fs::read(room.path("rows/a.png")).unwrap(),
        std::fs::read(room.path("out/a.png")).unwrap()
    );
    let said = room.run(&["run", "p.toml", "a.png", "b.jpg", "-o", "out", "--resume"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("the pipeline has changed since"), "{}", said.err);
}

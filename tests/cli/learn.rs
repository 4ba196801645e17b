//! `lyncean train net` on sentences and pictures, and `lyncean predict` with what came out.

use lyncean::image::codec::{Limits, read_numbers};
use lyncean::image::{Image, Plane};
use serde_json::json;

use crate::support::program::Room;

/// A small net in the form of Kim's.
const WORDS: &str = "version = 1\nname = \"tiny\"\ninput = [6]\n[[layer]]\nuse = \"embedding\"\nname = \"e\"\ncount = 3\n\
    size = 8\npadding = 0\n[[layer]]\nuse = \"conv1d\"\nname = \"c2\"\nout = 8\nkernel = 2\npadding = 1\n[[layer]]\n\
    use = \"relu\"\nname = \"r2\"\n[[layer]]\nuse = \"max-over-time\"\nname = \"m2\"\n[[layer]]\nuse = \"conv1d\"\n\
    name = \"c3\"\nin = \"e\"\nout = 8\nkernel = 3\npadding = 2\n[[layer]]\nuse = \"relu\"\nname = \"r3\"\n[[layer]]\n\
    use = \"max-over-time\"\nname = \"m3\"\n[[layer]]\nuse = \"concat\"\nin = [\"m2\", \"m3\"]\n[[layer]]\n\
    use = \"linear\"\nname = \"fc\"\nout = 2\n";

/// Sentences of three classes, told by one word each.
fn sentences(count: usize) -> String {
    const TOLD: [(&str, &str); 3] = [("NUM:count", "many"), ("HUM:ind", "who"), ("LOC:city", "where")];
    const OTHERS: [&str; 7] = ["the", "old", "river", "saw", "ships", "of", "iron"];
    let line = |i: usize| {
        let (label, word) = TOLD[i % 3];
        let mut words: Vec<&str> = (0..4).map(|k| OTHERS[(i * 5 + k * (i % 4 + 1)) % 7]).collect();
        words.insert(i % 5, word);
        format!("{label} {}\n", words.join(" "))
    };
    (0..count).map(line).collect()
}

#[test]
fn a_text_net_is_trained_and_tells_its_ngrams() {
    let room = Room::new();
    room.write("tiny.toml", WORDS);
    room.write("train.txt", sentences(120));
    room.write("test.txt", sentences(30));
    let train = ["train", "net", "tiny.toml", "--data", "train.txt", "--test", "test.txt", "-o", "run"];
    let how = ["--coarse-labels", "--epochs", "12", "--batch", "10", "--lr", "0.1", "--threads", "1"];
    let said = room.run(&[&train[..], &how].concat());
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("120 sentences in 3 classes, 12 words"), "{}", said.err);
    assert!(said.out.starts_with("test accuracy 100.00% (30 of 30;"), "{}", said.out);
    let table = std::fs::read_to_string(room.path("run/confusion-test.csv")).unwrap();
    assert_eq!(
        table,
        "class,HUM,LOC,NUM,recall\nHUM,10,0,0,1.000000\nLOC,0,10,0,1.000000\nNUM,0,0,10,1.000000\n"
    );

    let said = room.run(&["predict", "run/best.safetensors", "--json", "--text", "Ships saw: WHO?"]);
    assert_eq!(said.code, 0, "{said:?}");
    let record = &said.records()[0];
    assert_eq!(
        (&record["input"], &record["classes"][0]["label"]),
        (&json!("Ships saw: WHO?"), &json!("HUM"))
    );
    let best = &record["ngrams"][0];
    assert!(best["words"].as_str().unwrap().contains("who"), "{record}");
    // Lines come from stdin or from files; one that is not there is told, and the rest goes on.
    room.write("lines.txt", "where the river\n\nhow many ships\n");
    let said = room.run(&["predict", "run/best.safetensors", "none.txt", "lines.txt", "--top", "1"]);
    assert_eq!(said.code, 1, "{said:?}");
    let labels: Vec<&str> =
        said.out.lines().filter(|line| !line.starts_with(' ')).map(|line| &line[..3]).collect();
    assert_eq!(labels, ["LOC", "NUM"], "{}", said.out);
    assert!(said.err.contains("none.txt"), "{}", said.err);

    // A look before training, and nothing written.
    let check = ["train", "net", "tiny.toml", "--data", "train.txt", "--coarse-labels", "--check"];
    let said = room.run(&[&check[..], &["--lr", "0.1"]].concat());
    assert!(said.code == 0 && said.out.contains("fc.weight ") && said.out.contains(" of 8\n"), "{said:?}");
    let said = room.run(&[&check[..], &["--lr", "1e-9"]].concat());
    assert!(said.code == 1 && said.out.contains("problem: one batch is not learned"), "{said:?}");

    // A label that training has not seen, and sentences for a net of pictures.
    room.write("odd.txt", "ABBR:exp what is it\n");
    let said =
        room.run(&["train", "net", "tiny.toml", "--data", "train.txt", "--test", "odd.txt", "-o", "b"]);
    assert!(said.code == 2 && said.err.contains("odd.txt:1: expected a label of training"), "{said:?}");
    let said = room.run(&["train", "net", "lenet5", "--data", "train.txt", "-o", "c"]);
    assert!(said.code == 2 && said.err.contains("has no `embedding`"), "{said:?}");
}

#[test]
fn pictures_are_predicted_and_what_fails_is_named() {
    let room = Room::new();
    room.picture("in/a.png", &Image::Gray8(Plane::filled(28, 28, 0)));
    room.picture("in/b.png", &Image::Gray8(Plane::filled(56, 56, 0)));
    room.write("in/c.png", "no picture");
    let said = room.run(&["predict", "builtin:lenet5", "in", "--json", "--top", "2"]);
    assert_eq!(said.code, 1, "{said:?}");
    let records = said.records();
    assert_eq!((records.len(), records[0]["classes"].as_array().unwrap().len()), (3, 2), "{}", said.out);
    assert!(records[1]["error"].as_str().unwrap().contains("expected a picture of 28x28, got 56x56"));
    assert!(records[2]["error"].is_string() && said.err.contains("`--resize`"), "{said:?}");
    let said = room.run(&["predict", "builtin:lenet5", "in/a.png", "in/b.png", "--resize", "--top", "1"]);
    assert_eq!(said.code, 0, "{said:?}");
    let told: Vec<&str> = said.out.lines().map(|line| line.split_once('\t').unwrap().1).collect();
    assert_eq!(told[0], told[1], "black stays black");
    let said = room.run(&["predict", "builtin:lenet6", "in"]);
    assert!(said.code == 2 && said.err.contains("did you mean `lenet5`?"), "{said:?}");
    let said = room.run(&["predict", "builtin:lenet5", "--text", "a"]);
    assert!(said.code == 2 && said.err.contains("takes pictures"), "{said:?}");
}

/// A net of pixels that sees two pixels to each side.
const PIXELS: &str = "version = 1\nname = \"pixels\"\ninput = [1, 16, 16]\nmean = [0.4]\nstd = [0.25]\n[[layer]]\nuse = \"conv2d\"\n\
    name = \"a\"\nout = 8\nkernel = 3\npadding = 1\n[[layer]]\nuse = \"relu\"\nname = \"r\"\n[[layer]]\nuse = \"conv2d\"\n\
    name = \"b\"\nout = 2\nkernel = 3\npadding = 1\n";

#[test]
fn a_net_of_pixels_is_trained_and_run_on_pictures_of_another_size() {
    let room = Room::new();
    room.write("pixels.toml", PIXELS);
    // Bright squares on a dark ground that comes and goes.
    let square = |i: usize, side: usize, x: usize, y: usize| {
        let (left, top) = (2 + i * 3 % (side - 11), 1 + i * 5 % (side - 11));
        (left..left + 8).contains(&x) && (top..top + 8).contains(&y)
    };
    let draw = |i: usize, width: usize, height: usize| {
        let side = width.min(height);
        let noise = |x: usize, y: usize| ((x * 37 + y * 101 + i * 13) % 40) as u8;
        let bright = |x, y| if square(i, side, x, y) { 110 } else { 0 };
        let picture = Image::Gray8(Plane::from_fn(width, height, |x, y| 60 + noise(x, y) + bright(x, y)));
        let mask = Plane::from_fn(width, height, |x, y| if square(i, side, x, y) { 255 } else { 0 });
        (picture, Image::Gray8(mask))
    };
    for i in 0..8 {
        let split = if i < 6 { "train" } else { "test" };
        let (picture, mask) = draw(i, 24, 20);
        room.picture(&format!("data/{split}/images/{i}.png"), &picture);
        room.picture(&format!("data/{split}/masks/{i}.png"), &mask);
    }
    room.write("data/classes.txt", "ground\nsquare\n");
    let train = ["train", "net", "pixels.toml", "--data", "data", "--threads", "1"];
    let how = ["--optimiser", "adam", "--lr", "0.02", "--batch", "2"];
    let said = room.run(&[&train[..], &how, &["--check"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let said = room.run(&[&train[..], &how, &["--epochs", "12", "-o", "run"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("validation IoU"), "{}", said.err);
    let iou: f64 = said.out.split(['U', '%']).nth(1).unwrap().trim().parse().unwrap();
    assert!(iou > 90.0 && said.out.contains("(960 pixels of 2 pictures)"), "{}", said.out);
    let read = |name: &str| std::fs::read_to_string(room.path(name)).unwrap();
    assert!(read("run/confusion-test.csv").starts_with("class,ground,square,recall,iou\n"));
    let metrics = read("run/metrics.csv");
    assert!(metrics.starts_with(
        "epoch,rate,train_loss,train_accuracy,validation_loss,validation_accuracy,validation_iou,validation_dice\n"
    ));

    // The same net over a picture of another size, in tiles.
    let (picture, mask) = draw(9, 61, 43);
    room.picture("in/9.png", &picture);
    let stage =
        "version = 1\n[[stage]]\nuse = \"segment-net\"\nmodel = \"run/best.safetensors\"\ntile = 16\n";
    room.write("segment.toml", stage);
    let said = room.run(&["run", "segment.toml", "in", "-o", "out"]);
    assert_eq!(said.code, 0, "{said:?}");
    let found = read_numbers(room.path("out/9.png"), &Limits::default()).unwrap();
    let Image::Gray8(mask) = mask else { panic!("a mask is gray") };
    let right = found.as_slice().iter().zip(mask.as_slice()).filter(|(a, b)| a == b).count();
    assert!(right * 100 > 97 * 61 * 43, "{right} of {}", 61 * 43);

    // What does not fit is told.
    room.write("data/classes.txt", "ground\nsquare\ndisc\n");
    let said = room.run(&[&train[..], &["-o", "b"]].concat());
    assert!(
        said.code == 2 && said.err.contains("gives scores of 2 classes, but the masks have 3"),
        "{said:?}"
    );
    std::fs::remove_file(room.path("data/train/masks/3.png")).unwrap();
    let said = room.run(&[&train[..], &["-o", "b"]].concat());
    assert!(said.code == 2 && said.err.contains("picture `images/3.png` has no mask"), "{said:?}");
}

#[test]
fn pixels_are_predicted_as_shares_and_label_pictures() {
    let room = Room::new();
    let said = room.run(&["predict", "builtin:coins-unet", "builtin:coins", "--json", "--out", "labels"]);
    assert_eq!(said.code, 0, "{said:?}");
    let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let share = |at: usize| told["classes"][at]["share"].as_f64().unwrap();
    assert!(share(0) >= share(1) && (share(0) + share(1) - 1.0).abs() < 1e-6, "{told}");
    let coin = if told["classes"][0]["label"] == "coin" { share(0) } else { share(1) };
    let lyncean::image::Image::Gray8(mask) = room.read("labels/coins.png") else { panic!("expected a mask") };
    let pixels = mask.as_slice();
    let white = pixels.iter().filter(|pixel| **pixel == 255).count();
    assert_eq!(white + pixels.iter().filter(|pixel| **pixel == 0).count(), pixels.len());
    assert!((white as f64 / pixels.len() as f64 - coin).abs() < 1e-6, "{coin}");
    let said = room.run(&["predict", "builtin:lenet5", "builtin:coins", "--out", "labels"]);
    assert!(
        said.code == 2 && said.err.contains("tells no classes of pixels to write to `--out`"),
        "{said:?}"
    );
}

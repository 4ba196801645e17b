//! What is cut out, what is background, and a net that learns from both.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::background::is_background;
use super::*;
use crate::ErrorKind;
use crate::document::Source;
use crate::eval::dataset::{BoxOptions, Split};
use crate::image::codec::{Format, WriteOptions, write};
use crate::image::{Image, Plane};
use crate::nn::train::{Part, Settings, TrainNet, run};
use crate::nn::{Net, Rng, arch};

const SIZE: [usize; 2] = [64, 48];

fn save(folder: &Path, name: &str, image: &Image) {
    write(folder.join(name), image, Format::Png, &WriteOptions::default()).unwrap();
}

/// Bright squares in noise, and thin bright crosses that are none; the squares come as a table.
fn planted(folder: &Path, count: usize, seed: u64) -> Boxes {
    let mut table = String::from("path,x,y,width,height,label\n");
    for number in 0..count {
        let rng = Rng::new(seed).substream(number as u64);
        let side = 10 + rng.below(0, 8);
        // The square in the left half, the cross in the right one.
        let (x, y) = (rng.below(1, 32 - side), rng.below(2, SIZE[1] - side));
        let (cross_x, cross_y) = (40 + rng.below(3, 16), 8 + rng.below(4, 32));
        let is_bright = |px: usize, py: usize| {
            let in_square = (x..x + side).contains(&px) && (y..y + side).contains(&py);
            let (dx, dy) = (px.abs_diff(cross_x), py.abs_diff(cross_y));
            in_square || dx.max(dy) < 8 && dx.min(dy) < 3
        };
        let noise = rng.stream("noise");
        let image = Image::Gray8(Plane::from_fn(SIZE[0], SIZE[1], |px, py| {
            let grain = noise.below((py * SIZE[0] + px) as u64, 80) as u8;
            if is_bright(px, py) { 160 + grain } else { 20 + grain }
        }));
        save(folder, &format!("{number}.png"), &image);
        writeln!(table, "{number}.png,{x},{y},{side},{side},square").unwrap();
    }
    std::fs::write(folder.join("boxes.csv"), table).unwrap();
    Boxes::open(folder, Split::Train, &BoxOptions::default()).unwrap()
}

fn cut(boxes: &Boxes, shape: [usize; 3], options: &WindowOptions) -> Result<Windows> {
    Windows::cut(boxes, shape, None, options, &Context::default())
}

#[test]
fn windows_are_the_same_for_all_threads_and_others_for_other_seeds() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = planted(folder.path(), 70, 1);
    let options = WindowOptions::default();
    let threads = [1, 3]
        .map(|threads| crate::parallel::in_threads(threads, || cut(&boxes, [1, 12, 12], &options)).unwrap());
    assert!(threads[0] == threads[1]);
    let windows = &threads[0];
    assert_eq!((windows.counts(), windows.missed()), (vec![210, 70], 0));
    assert_eq!((windows.classes().join(" "), windows.bytes()), ("background square".into(), 280 * 144));
    for window in windows.windows() {
        let picture = &boxes.pictures()[window.picture];
        let [x, y, w, h] = window.bounds;
        assert!(x >= 0.0 && y >= 0.0 && x + w <= SIZE[0] as f64 && y + h <= SIZE[1] as f64);
        assert_eq!(window.label == 0, is_background(window.bounds, &picture.boxes, 0.3), "{window:?}");
        assert!(w == h && (w >= 12.0 || window.label == 1), "{window:?}");
    }
    let sizes = windows.windows().iter().filter(|window| window.label == 0).map(|window| window.bounds[2]);
    let (least, most) = (sizes.clone().fold(99.0, f64::min), sizes.fold(0.0, f64::max));
    assert!((12.0..14.0).contains(&least) && (40.0..=48.0).contains(&most), "{least} to {most}");
    let other = cut(&boxes, [1, 12, 12], &WindowOptions { seed: 1, ..options }).unwrap();
    assert!(other.windows() != windows.windows());
}

/// A picture of 20 x 10 whose pixels tell where they are, with one box.
fn slope(bounds: &str) -> (tempfile::TempDir, Boxes) {
    let folder = tempfile::tempdir().unwrap();
    let image = Image::Gray8(Plane::from_fn(20, 10, |x, y| (x * 10 + y) as u8));
    save(folder.path(), "a.png", &image);
    std::fs::write(folder.path().join("info.dat"), format!("a.png 1 {bounds}\n")).unwrap();
    let boxes = Boxes::open(folder.path(), Split::Train, &BoxOptions::default()).unwrap();
    (folder, boxes)
}

#[test]
fn boxes_are_cut_with_their_margin_in_the_shape_of_the_net() {
    let options = WindowOptions { negatives: 0, ..WindowOptions::default() };
    let first = |bounds: &str, shape, options: &WindowOptions| {
        let (_folder, boxes) = slope(bounds);
        let windows = cut(&boxes, shape, options).unwrap();
        (windows.windows()[0].bounds, windows.pixels)
    };
    // As it is.
    let (bounds, pixels) = first("4 2 2 2", [1, 2, 2], &options);
    assert_eq!((bounds, pixels), ([4.0, 2.0, 2.0, 2.0], vec![42, 52, 43, 53]));
    // Three channels of a gray picture.
    assert_eq!(first("4 2 2 2", [3, 2, 2], &options).1, [42, 52, 43, 53].repeat(3));
    // The shorter side grows around the middle, or the box is stretched: means of areas.
    assert_eq!(first("4 2 4 2", [1, 2, 2], &options).0, [4.0, 1.0, 4.0, 4.0]);
    let stretched = first("4 2 4 2", [1, 2, 2], &WindowOptions { stretch: true, ..options.clone() });
    assert_eq!(stretched, ([4.0, 2.0, 4.0, 2.0], vec![47, 67, 48, 68]));
    // A margin of half of the box on each side; beyond the picture its edge is repeated.
    let wide = WindowOptions { margin: 0.5, ..options.clone() };
    let (bounds, pixels) = first("0 8 2 2", [1, 4, 4], &wide);
    assert_eq!(bounds, [-1.0, 7.0, 4.0, 4.0]);
    assert_eq!(pixels, [7, 7, 17, 27, 8, 8, 18, 28, 9, 9, 19, 29, 9, 9, 19, 29]);
    // A net sees bytes as shares of 255.
    let (_folder, boxes) = slope("4 2 2 2");
    let windows = cut(&boxes, [1, 2, 2], &options).unwrap();
    let mut values = [0.0; 4];
    windows.read(0, [1, 2, 2], &mut values).unwrap();
    assert_eq!(values[3], 53.0 / 255.0);
    assert!(windows.read(0, [1, 4, 1], &mut values).is_err());
}

#[test]
fn what_is_ignored_is_neither_object_nor_background() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "a.png", &Image::Gray8(Plane::new(40, 40)));
    let object = |label: &str, difficult: u8, edges: [u8; 4]| {
        let [a, b, c, d] = edges;
        format!(
            "<object><name>{label}</name><difficult>{difficult}</difficult><bndbox><xmin>{a}</xmin><ymin>{b}</ymin>\
             <xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        )
    };
    let both = object("cat", 0, [1, 1, 8, 8]) + &object("dog", 1, [11, 1, 40, 40]);
    let text = format!("<annotation><filename>a.png</filename>{both}</annotation>");
    std::fs::write(folder.path().join("a.xml"), text).unwrap();
    let boxes = Boxes::open(folder.path(), Split::Train, &BoxOptions::default()).unwrap();
    let options = WindowOptions { negatives: 40, ..WindowOptions::default() };
    let windows = cut(&boxes, [1, 6, 6], &options).unwrap();
    assert_eq!(windows.classes(), [BACKGROUND, "cat"]);
    assert_eq!((windows.counts()[1], windows.counts()[0] + windows.missed()), (1, 40));
    for window in windows.windows().iter().filter(|window| window.label == 0) {
        let [x, _, w, _] = window.bounds;
        // Less than 0.3 of a window lies on the dog.
        assert!((x + w - 10.0).max(0.0) < 0.3 * w, "{window:?}");
    }
}

proptest! {
    /// The overlaps of windows with whole edges are counted pixel by pixel.
    #[test]
    fn background_is_what_pixels_say(
        window in (0u32..20, 0u32..20, 1u32..12, 1u32..12),
        found in (0u32..20, 0u32..20, 1u32..12, 1u32..12),
        is_crowd: bool,
        // No fraction of small whole numbers, so that rounding does not decide.
        overlap in prop::sample::select(vec![0.0501, 0.3003, 0.7007]),
    ) {
        let holds = |(x, y, w, h): (u32, u32, u32, u32), px: u32, py: u32| {
            (x..x + w).contains(&px) && (y..y + h).contains(&py)
        };
        let count = |wanted: &dyn Fn(bool, bool) -> bool| {
            let mut count = 0;
            for py in 0..40 {
                for px in 0..40 {
                    count += u32::from(wanted(holds(window, px, py), holds(found, px, py)));
                }
            }
            f64::from(count)
        };
        let both = count(&|a, b| a && b);
        let is_apart = both / count(&|a, b| a || b) < overlap && both / count(&|_, b| b) <= 0.5;
        let wanted = is_apart && (!is_crowd || both / count(&|a, _| a) < overlap);
        let bounds = |(x, y, w, h): (u32, u32, u32, u32)| [x, y, w, h].map(f64::from);
        let [x, y, width, height] = bounds(found);
        let found = LabelledBox { label: 0, x, y, width, height, is_crowd, is_difficult: false };
        prop_assert_eq!(is_background(bounds(window), &[found], overlap), wanted);
    }
}

const NET: &str = "version = 1\nname = \"squares\"\ninput = [1, 12, 12]\nmean = [0.4]\nstd = [0.3]\n\
    [[layer]]\nuse = \"conv2d\"\nname = \"c1\"\nout = 6\nkernel = 3\n[[layer]]\nuse = \"relu\"\n\
    [[layer]]\nuse = \"max-pool\"\nkernel = 2\n[[layer]]\nuse = \"conv2d\"\nname = \"c2\"\nout = 8\nkernel = 3\n\
    [[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 2\n";

#[test]
fn squares_are_learned_and_mining_leaves_fewer_false_alarms() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    std::fs::create_dir_all(&here).unwrap();
    std::fs::create_dir_all(&there).unwrap();
    let (training, test) = (planted(&here, 60, 1), planted(&there, 30, 2));
    let options = WindowOptions { negatives: 1, ..WindowOptions::default() };
    let cx = Context::default();
    let mut windows = cut(&training, [1, 12, 12], &options).unwrap();
    let train = |windows: &Windows, name: &str, init: Option<&Net>| {
        let settings = Settings { epochs: 10, batch: 10, lr: 0.03, threads: 1, ..Settings::default() };
        let arch = Source::new("net.toml", NET);
        let init = init.map(|net| net.to_safetensors().unwrap());
        let job = TrainNet { arch, init, settings, out: folder.path().join(name), resume: false };
        run(&job, windows, &mut ()).unwrap().best
    };
    let again = |net: &Net| Net::from_safetensors(&net.to_safetensors().unwrap()).unwrap();
    let first = train(&windows, "first", None);
    let judged = Windows::cut(&test, [1, 12, 12], Some(windows.classes()), &options, &cx).unwrap();
    let accuracy = crate::nn::train::evaluate(&first, &judged).unwrap().accuracy();
    assert!(accuracy > 0.9, "{accuracy}");

    let mining = Mining { count: 5, ..Mining::default() };
    let alarms = |net: &Net| judged.clone().mine(&test, again(net), &mining, &options, &cx).unwrap();
    let before = windows.counts();
    let found = windows.mine(&training, again(&first), &mining, &options, &cx).unwrap();
    assert!(found > 20 && windows.counts() == [before[0] + found, before[1]], "{found}");
    for window in &windows.windows()[before[0] + before[1]..] {
        assert!(
            window.label == 0
                && is_background(window.bounds, &training.pictures()[window.picture].boxes, 0.3)
        );
    }
    let second = train(&windows, "second", Some(&first));
    let (many, few) = (alarms(&first), alarms(&second));
    assert!(2 * few < many, "{few} of {many}");
    let recall =
        crate::nn::train::ConfusionMatrix::of(&second, &Part::all(&judged)).unwrap().recall(1).unwrap();
    assert!(recall > 0.9, "{recall}");

    // For any number of threads the same, and for another net an error.
    let mined = [1, 3].map(|threads| {
        let mut windows = judged.clone();
        crate::parallel::in_threads(threads, || windows.mine(&test, again(&first), &mining, &options, &cx))
            .unwrap();
        windows
    });
    assert!(mined[0] == mined[1]);
    let other =
        arch::parse(&Source::new("net.toml", NET)).unwrap().with_classes(&["a".into(), "b".into()]).unwrap();
    let error = windows.mine(&training, Net::build(other, 1).unwrap(), &mining, &options, &cx).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Shape);
    assert!(
        error
            .message()
            .contains("the classes `background`, `square`, `squares` is for [1, 12, 12] with `a`, `b`"),
        "{error}"
    );
}

#[test]
fn windows_of_a_picture_stay_in_one_part() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = planted(folder.path(), 20, 3);
    let windows = cut(&boxes, [1, 12, 12], &WindowOptions::default()).unwrap();
    let (training, kept) = Part::split(&windows, 0.2, Rng::new(4));
    assert_eq!((training.indices.len(), kept.indices.len()), (64, 16));
    let pictures = |part: &Part<'_>| part.indices.iter().map(|&at| windows.group(at)).collect::<Vec<_>>();
    let kept = pictures(&kept);
    assert!(pictures(&training).iter().all(|picture| !kept.contains(picture)));
    // One picture cannot be parted: all is trained on.
    let (_folder, boxes) = slope("4 2 2 2");
    let windows = cut(&boxes, [1, 2, 2], &WindowOptions::default()).unwrap();
    let (training, kept) = Part::split(&windows, 0.2, Rng::new(4));
    assert_eq!((training.indices.len(), kept.indices.len()), (4, 0));
}

#[test]
fn problems_are_told() {
    let (folder, boxes) = slope("4 2 2 2");
    let options = WindowOptions::default();
    let error = |shape, options: &WindowOptions| cut(&boxes, shape, options).unwrap_err();
    assert_eq!(error([2, 4, 4], &options).kind(), ErrorKind::Shape);
    for wrong in [
        WindowOptions { margin: f64::NAN, ..options.clone() },
        WindowOptions { negative_overlap: 0.0, ..options.clone() },
    ] {
        assert_eq!(error([1, 4, 4], &wrong).kind(), ErrorKind::Pipeline);
    }
    let small = WindowOptions { max_bytes: 63, ..options.clone() };
    assert_eq!(
        error([1, 4, 4], &small).message(),
        "4 windows of [1, 4, 4] take 64 bytes, more than the limit of 63"
    );
    assert!(cut(&boxes, [1, 4, 4], &WindowOptions { max_bytes: 64, ..options.clone() }).is_ok());
    let many = WindowOptions { negatives: usize::MAX, ..options.clone() };
    assert_eq!(error([1, 4, 4], &many).kind(), ErrorKind::Limit);

    let classes = [BACKGROUND.to_owned(), "cat".to_owned()];
    let cx = Context::default();
    let error = Windows::cut(&boxes, [1, 4, 4], Some(&classes), &options, &cx).unwrap_err();
    assert_eq!(error.to_string(), "a.png: expected a label of training, `cat`, got `object`");
    cx.cancel().cancel();
    assert_eq!(
        Windows::cut(&boxes, [1, 4, 4], None, &options, &cx).unwrap_err().kind(),
        ErrorKind::Cancelled
    );

    let open = |text: &str| {
        std::fs::write(folder.path().join("boxes.json"), text).unwrap();
        let boxes =
            Boxes::open(&folder.path().join("boxes.json"), Split::Train, &BoxOptions::default()).unwrap();
        cut(&boxes, [1, 4, 4], &options).unwrap_err().to_string()
    };
    let of = |images: &str, annotations: &str, name: &str| {
        format!(
            "{{\"images\": [{images}], \"annotations\": [{annotations}], \"categories\": [{{\"id\": 1, \"name\": \"{name}\"}}]}}"
        )
    };
    let (image, annotation) = (
        "{\"id\": 1, \"file_name\": \"a.png\", \"width\": 10, \"height\": 20}",
        "{\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 4, 4]}",
    );
    assert!(
        open(&of(image, annotation, "cat"))
            .starts_with("a.png: expected a picture of 10x20 as the boxes say, got 20x10\nhint: ")
    );
    assert!(open(&of(image, "", "cat")).starts_with("expected boxes around objects to learn from, got none"));
    assert!(
        open(&of(image, annotation, "background"))
            .starts_with("`background` is the class of windows without")
    );
}

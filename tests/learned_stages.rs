//! Stages with a net: what they say of pictures, and what they are made of.

use std::path::Path;
use std::sync::Arc;

use lyncean::document::Source;
use lyncean::eval::dataset::Dataset;
use lyncean::image::codec::Limits;
use lyncean::image::{Image, Plane};
use lyncean::nn::train::evaluate;
use lyncean::nn::{Net, Rng, Shape, Sliding, Tensor, arch};
use lyncean::pipeline::{Pipeline, RunOptions, Save};
use lyncean::stage::Object;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn model(name: &str) -> Net {
    Net::open(&root().join(format!("models/{name}.safetensors"))).unwrap()
}

fn net(text: &str) -> Net {
    Net::build(arch::parse(&Source::new("net.toml", text)).unwrap(), 3).unwrap()
}

fn normal(shape: &[usize]) -> Tensor {
    Tensor::from_fn(Shape::new(shape).unwrap(), |i| Rng::new(9).normal(i as u64))
}

fn read(path: impl AsRef<Path>) -> Image {
    lyncean::image::codec::read(root().join(path), &Limits::default()).unwrap().image
}

/// What a stage of a pipeline finds in a photograph.
fn objects(pipeline: &str, stage: &str, picture: &str) -> Vec<Object> {
    let photo = read(Path::new("fixtures/photos").join(picture));
    Pipeline::load(pipeline).unwrap().run(&photo).unwrap().objects(stage).unwrap().to_vec()
}

#[test]
fn the_net_and_the_cascade_find_the_face_and_nothing_else() {
    for pipeline in ["builtin:faces-cnn", "builtin:faces"] {
        let found = objects(pipeline, "faces", "astronaut.png");
        assert_eq!(found.len(), 1, "{pipeline}: {found:?}");
        let [x, y, w, h] = found[0].bbox;
        // Between the eyes and the mouth.
        let is_on_it = x < 165.0 && x + w > 178.0 && y < 78.0 && y + h > 100.0 && w < 90.0;
        assert!(is_on_it && found[0].score.is_some_and(|score| score > 0.9), "{pipeline}: {:?}", found[0]);
        for picture in
            ["camera.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png", "gravel.png"]
        {
            assert_eq!(objects(pipeline, "faces", picture), [], "{pipeline}: {picture}");
        }
    }
}

/// Mean intersection over union of two masks' foreground and background.
fn mean_iou(got: &Image, wanted: &Image) -> f64 {
    let pixels = |image: &Image| match image {
        Image::Mask(plane) | Image::Gray8(plane) => {
            plane.as_slice().iter().map(|&v| v > 0).collect::<Vec<_>>()
        }
        other => panic!("{}", other.ty()),
    };
    let (got, wanted) = (pixels(got), pixels(wanted));
    let of = |class: bool| {
        let count = |is: &dyn Fn(bool, bool) -> bool| {
            got.iter().zip(&wanted).filter(|&(&a, &b)| is(a == class, b == class)).count() as f64
        };
        count(&|a, b| a && b) / count(&|a, b| a || b)
    };
    f64::midpoint(of(true), of(false))
}

#[test]
fn a_u_net_and_otsu_without_the_light_find_the_coins_of_a_photograph() {
    let (photo, mask) = (read("fixtures/pictures/coins.png"), read("fixtures/masks/coins.png"));
    for (name, least) in [("builtin:coins", 0.97), ("builtin:segment-coins", 0.98)] {
        let pipeline = Pipeline::load(name).unwrap();
        let options = RunOptions { save: Save::All, ..RunOptions::default() };
        let results = pipeline.run_with(Arc::new(photo.clone()), None, &options).unwrap();
        let iou = mean_iou(results.image("fill-holes").unwrap(), &mask);
        assert!((least..least + 0.01).contains(&iou), "{name}: {iou}");
        assert_eq!(results.objects("coins").unwrap().len(), 24, "{name}");
    }
}

#[test]
fn segmentation_tells_the_probability_of_a_class() {
    let (photo, stage) =
        (read("fixtures/pictures/coins.png"), "use = \"segment-net\"\nmodel = \"builtin:coins-unet\"\n");
    let of = |more: &str| {
        let text = format!(
            "version = 1\n[[stage]]\nname = \"s\"\n{stage}{more}[[stage]]\nuse = \"arithmetic\"\n\
            in = \"s.probability\"\noperation = \"multiply\"\nconstant = 1\n"
        );
        let options = RunOptions { save: Save::All, ..RunOptions::default() };
        let results =
            Pipeline::from_toml(&text).unwrap().run_with(Arc::new(photo.clone()), None, &options).unwrap();
        let Image::GrayF32(sure) = &**results.output().unwrap() else { panic!("no floats") };
        let Image::Mask(mask) = &**results.image("s").unwrap() else { panic!("no mask") };
        (mask.as_slice().to_vec(), sure.as_slice().to_vec())
    };
    let (mask, coin) = of("");
    let (_, ground) = of("class = \"ground\"\n");
    for ((mask, coin), ground) in mask.iter().zip(&coin).zip(&ground) {
        assert!((coin + ground - 1.0).abs() < 1e-5 && (0.0..=1.0).contains(coin));
        assert!(*coin == 0.5 || (*mask == 255) == (*coin > 0.5), "{mask} {coin}");
    }
    let unknown = format!("version = 1\n[[stage]]\n{stage}class = \"disc\"\n");
    let error = Pipeline::from_toml(&unknown).err().unwrap().to_string();
    assert!(error.contains("has no class `disc`") && error.contains("classes are ground, coin"), "{error}");
}

#[test]
fn the_net_keeps_the_cascades_face_and_drops_its_false_alarm() {
    let proposed = objects("builtin:faces-verified", "proposed", "chelsea.png");
    assert!(!proposed.is_empty(), "nothing to drop");
    assert_eq!(objects("builtin:faces-verified", "faces", "chelsea.png"), []);
    let kept = objects("builtin:faces-verified", "faces", "astronaut.png");
    assert_eq!(kept.len(), 1);
    assert!(kept[0].measure("p").unwrap() > 0.99 && kept[0].measure("neighbors").unwrap() > 3.0);
}

#[test]
fn a_window_that_slides_scores_as_the_window_cut_out() {
    let text = "version = 1\nname = \"window\"\ninput = [2, 13, 11]\nclasses = [\"a\", \"b\", \"c\"]\n\
        [[block]]\nname = \"step\"\nparameters = [\"out\"]\n\
        [[block.layer]]\nuse = \"conv2d\"\nname = \"conv\"\nout = \"$out\"\nkernel = 3\nstride = 2\n\
        [[block.layer]]\nuse = \"batch-norm\"\nname = \"norm\"\n[[block.layer]]\nuse = \"relu\"\n\
        [[layer]]\nuse = \"step\"\nname = \"one\"\nout = 5\n\
        [[layer]]\nuse = \"max-pool\"\nkernel = 2\nstride = 1\n\
        [[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nout = 7\n[[layer]]\nuse = \"tanh\"\n\
        [[layer]]\nuse = \"dropout\"\n[[layer]]\nuse = \"linear\"\nname = \"last\"\nout = 3\n";
    let net = net(text);
    let sliding = Sliding::new(&net).unwrap();
    assert_eq!((sliding.window(), sliding.step()), ([13, 11], [2, 2]));
    let (height, width) = (20, 24);
    let picture = normal(&[1, 2, height, width]);
    let (inference, [rows, columns]) = sliding.over([height, width]).unwrap();
    assert_eq!([rows, columns], [4, 7]);
    let scores = inference.forward(&picture).unwrap();
    for at in 0..rows * columns {
        let (top, left) = (at / columns * 2, at % columns * 2);
        let cut = Tensor::from_fn(Shape::new(&[1, 2, 13, 11]).unwrap(), |i| {
            let (c, y, x) = (i / 143, i / 11 % 13, i % 11);
            picture.data()[(c * height + top + y) * width + left + x]
        });
        for (class, wanted) in net.forward(&cut).unwrap().data().iter().enumerate() {
            let got = scores.data()[class * rows * columns + at];
            assert!((got - wanted).abs() < 1e-5, "{at} {class}: {got} {wanted}");
        }
    }
    let error =
        Sliding::new(&self::net(&text.replace("use = \"dropout\"", "use = \"softmax\""))).unwrap_err();
    assert!(error.message().contains("layer `softmax` (`softmax`) works on whole pictures"), "{error}");
    assert!(sliding.over([12, 40]).is_err());
}

#[test]
fn a_mean_over_all_pixels_slides_as_a_window() {
    let text = "version = 1\nname = \"mean\"\ninput = [1, 8, 8]\n[[layer]]\nuse = \"conv2d\"\nout = 4\nkernel = 3\n\
        [[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"global-avg-pool\"\n[[layer]]\nuse = \"linear\"\nout = 2\n";
    let net = net(text);
    let picture = normal(&[1, 1, 8, 10]);
    let (inference, count) = Sliding::new(&net).unwrap().over([8, 10]).unwrap();
    assert_eq!(count, [1, 3]);
    let scores = inference.forward(&picture).unwrap();
    let cut = Tensor::from_fn(Shape::new(&[1, 1, 8, 8]).unwrap(), |i| picture.data()[i / 8 * 10 + i % 8 + 2]);
    let wanted = net.forward(&cut).unwrap();
    assert!((scores.data()[2] - wanted.data()[0]).abs() < 1e-5);
}

#[test]
fn the_gradient_at_a_layer_is_what_finite_differences_say() {
    let text = "version = 1\nname = \"two\"\ninput = [1, 5, 5]\n\
        [[layer]]\nuse = \"conv2d\"\nname = \"first\"\nout = 2\nkernel = 2\n[[layer]]\nuse = \"batch-norm\"\n\
        [[layer]]\nuse = \"tanh\"\n[[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nname = \"last\"\nout = 3\n";
    let mut whole = net(text);
    let x = normal(&[1, 1, 5, 5]);
    let one = |scores: &Tensor| Ok(Tensor::from_fn(scores.shape(), |i| f32::from(u8::from(i == 1))));
    let (maps, gradient) = whole.sensitivity(&x, "first", one).unwrap();
    assert_eq!(maps, whole.activations(&x, "first").unwrap());
    assert_eq!((&*maps.shape(), gradient.shape()), ([1, 2, 4, 4].as_slice(), maps.shape()));
    // A number that the first layer adds to all of a map changes the score by the sum of its gradient.
    let score = |net: &Net| net.forward(&x).unwrap().data()[1];
    for map in 0..2 {
        let mut at = |step: f32| {
            whole.params_mut().find(|param| param.name == "first.bias").unwrap().value.data_mut()[map] +=
                step;
            let found = score(&whole);
            whole.params_mut().find(|param| param.name == "first.bias").unwrap().value.data_mut()[map] -=
                step;
            found
        };
        let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
        let sum: f32 = gradient.data()[map * 16..][..16].iter().sum();
        assert!((slope - sum).abs() < 2e-3 * sum.abs().max(1.0), "{map}: {slope} {sum}");
    }
    let error = whole.activations(&x, "fist").unwrap_err();
    assert!(error.hint().unwrap().contains("first"), "{error}");
}

#[test]
fn digits_come_back_and_noise_does_not() {
    let net = model("autoencoder-conv");
    assert_eq!(net.arch().output(), net.arch().input);
    let pipeline = Pipeline::load("builtin:digit-oddity").unwrap();
    let mse = |picture: &Image| pipeline.run(picture).unwrap().measure("reconstruct", "mse").unwrap();
    let digits = root().join("fixtures/digits/test");
    let mut worst = 0.0f64;
    for class in 0..10 {
        let first =
            std::fs::read_dir(digits.join(class.to_string())).unwrap().map(|entry| entry.unwrap().path());
        let first = first.min().unwrap();
        worst = worst.max(mse(&read(first)));
    }
    let noise: Vec<u8> = (0..784).map(|i| (Rng::new(1).uniform(i) * 255.0) as u8).collect();
    let noise = mse(&Image::Gray8(Plane::from_vec(28, 28, noise).unwrap()));
    assert!(worst < 0.035 && noise > 0.08, "{worst} {noise}");
}

#[test]
fn the_residual_net_knows_the_clothes_that_ship() {
    let net = model("fashion-resnet14");
    let clothes = Dataset::open_for_test(&root().join("fixtures/clothes")).unwrap();
    assert_eq!((clothes.len(), clothes.classes().len()), (100, 10));
    let mut names = net.arch().classes.clone();
    names.sort();
    assert_eq!(names, clothes.classes());
    let pipeline = Pipeline::load("builtin:clothes").unwrap();
    let options = lyncean::eval::Options::default();
    let comparison = lyncean::eval::compare(&[pipeline], &clothes, &options, &mut |_, _| {}).unwrap();
    let right = comparison.contenders[0].accuracy().hits;
    assert!(right >= 90, "{right} of 100");
    let digits = Dataset::open_for_test(&root().join("fixtures/digits")).unwrap();
    assert!(evaluate(&model("lenet5"), &digits).unwrap().correct >= 297);
}

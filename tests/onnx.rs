//! ONNX files: nets there and back, files of other writers against ONNX Runtime, and files that mean harm.
//! `fixtures/golden/nn/onnx_files.py` says what the files hold.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use lyncean::ErrorKind;
use lyncean::document::{self, Source};
use lyncean::nn::layer::{self, Mode};
use lyncean::nn::loss::mean_squared_error;
use lyncean::nn::onnx::{ImportOptions, export, import};
use lyncean::nn::optim::{Optimiser, Sgd};
use lyncean::nn::{Net, Rng, Shape, Tensor, arch};
use safetensors::SafeTensors;

fn golden(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/golden/nn/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn tensor(file: &SafeTensors, name: &str) -> Tensor {
    let view = file.tensor(name).unwrap();
    let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    Tensor::from_vec(Shape::new(view.shape()).unwrap(), values.collect()).unwrap()
}

fn read(bytes: &[u8]) -> lyncean::Result<Net> {
    import(bytes, &ImportOptions::default())
}

/// The net of some layers, with other numbers in every parameter and buffer.
fn net(input: &[usize], layers: &str) -> Net {
    let text = format!("version = 1\nname = \"t\"\ninput = {input:?}\n{layers}");
    let mut net = Net::build(arch::parse(&Source::new("t", text)).unwrap(), 1).unwrap();
    let rng = Rng::new(3);
    for (at, param) in net.params_mut().enumerate() {
        param.value =
            Tensor::from_fn(param.value.shape(), |i| rng.between((at * 1000 + i) as u64, -0.6, 0.6));
    }
    for (at, buffer) in net.buffers_mut().filter(|buffer| buffer.name.contains("running")).enumerate() {
        buffer.value = Tensor::from_fn(buffer.value.shape(), |i| rng.between((at * 77 + i) as u64, 0.5, 1.5));
    }
    net
}

fn batch(shape: Shape) -> Tensor {
    let rng = Rng::new(4);
    Tensor::from_fn(shape.batched(2).unwrap(), |i| rng.between(i as u64, -1.0, 1.0))
}

#[track_caller]
fn check_close(what: &str, got: &Tensor, wanted: &Tensor) {
    assert_eq!(got.shape(), wanted.shape(), "{what}");
    let largest = wanted.data().iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    for (i, (got, wanted)) in got.data().iter().zip(wanted.data()).enumerate() {
        assert!((got - wanted).abs() <= 5e-6 * largest, "{what} {i}: {got}, wanted {wanted} of {largest}");
    }
}

#[test]
fn files_of_other_writers_give_what_onnx_runtime_gives() {
    let bytes = golden("onnx_io.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for name in ["onnx_torch", "onnx_old", "onnx_parts"] {
        let (x, y) = (tensor(&file, &format!("{name}.x")), tensor(&file, &format!("{name}.y")));
        let net = read(&golden(&format!("{name}.onnx"))).unwrap_or_else(|error| panic!("{name}: {error}"));
        check_close(name, &net.forward(&x).unwrap(), &y);
        // What is written from it is the same net, in both kinds of files.
        let again = Net::from_safetensors(&net.to_safetensors().unwrap()).unwrap();
        assert_eq!(again.forward(&x).unwrap(), net.forward(&x).unwrap(), "{name}");
        check_close(name, &read(&export(&net).unwrap()).unwrap().forward(&x).unwrap(), &y);
    }
}

#[test]
fn half_floats_are_widened() {
    let bytes = golden("onnx_more.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let net = read(&golden("onnx_half.onnx")).unwrap();
    let y = net.forward(&tensor(&file, "onnx_half.x")).unwrap();
    check_close("onnx_half", &y, &tensor(&file, "onnx_half.y"));
    // Values of 16 bits: the last 13 of a single's fraction are 0.
    let conv = net.params().find(|param| param.value.shape().len() == 4).unwrap();
    assert!(conv.value.data().iter().all(|value| value.to_bits().trailing_zeros() >= 13));
    assert!(conv.value.data().iter().any(|value| value.to_bits().trailing_zeros() == 13));
}

#[test]
fn several_outputs_are_joined_in_the_order_they_are_taken() {
    let bytes = golden("onnx_more.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let x = tensor(&file, "onnx_heads.x");
    let import_of = |outputs: &[&str]| {
        let outputs = outputs.iter().map(|&name| name.to_owned()).collect();
        import(
            &golden("onnx_heads.onnx"),
            &ImportOptions {
                input: Some(x.shape().sample()),
                outputs,
                name: Some("heads".into()),
                ..ImportOptions::default()
            },
        )
    };
    let net = import_of(&["bbox_8", "cls_8"]).unwrap();
    assert_eq!(net.arch().name, "heads");
    let y = net.forward(&x).unwrap();
    let wanted = [tensor(&file, "onnx_heads.bbox_8"), tensor(&file, "onnx_heads.cls_8")];
    let wanted: Vec<f32> = wanted.iter().flat_map(|output| output.data().to_vec()).collect();
    check_close("joined", &y, &Tensor::from_vec(Shape::new(&[1, 75]).unwrap(), wanted).unwrap());
    check_close(
        "alone",
        &import_of(&["kps_8"]).unwrap().forward(&x).unwrap(),
        &tensor(&file, "onnx_heads.kps_8"),
    );
    let told = |outputs: &[&str]| import_of(outputs).unwrap_err().to_string();
    assert!(told(&[]).contains("the file has `cls_8`, `obj_8`, `bbox_8`, `kps_8`"), "{}", told(&[]));
    assert!(told(&["cls_8", "box_8"]).contains("the file has no output `box_8`"));
    assert!(told(&["cls_8", "cls_8"]).contains("output `cls_8` is taken twice"));
}

#[test]
fn a_net_that_was_read_bears_the_names_of_the_file_and_learns() {
    let bytes = golden("onnx_io.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (x, y) = (tensor(&file, "onnx_torch.x"), tensor(&file, "onnx_torch.y"));
    let mut net = read(&golden("onnx_torch.onnx")).unwrap();
    let names: Vec<&str> = net.params().map(|param| param.name.as_str()).collect();
    for name in ["conv2.weight", "conv2.bias", "squeeze.weight", "fc.weight", "fc.bias"] {
        assert!(names.contains(&name), "{name} among {names:?}");
    }
    // The chain that follows the shape of the input has become one layer.
    let kinds: Vec<&str> = net.arch().layers.iter().map(|layer| layer.kind.name).collect();
    assert_eq!(kinds[kinds.len() - 2..], ["flatten", "linear"], "{kinds:?}");
    let wanted = Tensor::from_fn(y.shape(), |i| y.data()[i] * 0.9);
    let loss = |net: &Net| mean_squared_error(&net.forward(&x).unwrap(), &wanted).unwrap().loss;
    let before = loss(&net);
    net.freeze(&["conv*".to_owned()]).unwrap();
    let (scores, tape) = net.record(&x, &Mode::training(Rng::new(1))).unwrap();
    let grads = net.backward(&tape, mean_squared_error(&scores, &wanted).unwrap().gradient).unwrap();
    Optimiser::new(Sgd { momentum: 0.0, weight_decay: 0.0, nesterov: false })
        .step(&mut net, &grads, 1e-4)
        .unwrap();
    assert!(loss(&net) < before);
}

/// Layers beside those of the examples in the registry.
const LAYERS: &[(&[usize], &str)] = &[
    (
        &[4, 7, 9],
        "use = \"conv2d\"\nout = 6\nkernel = [3, 2]\npadding = [1, 0, 2, 1]\nstride = [2, 1]\ndilation = [1, 2]\ngroups = 2",
    ),
    (&[6, 5, 5], "use = \"conv2d\"\nout = 16\nkernel = 2\nbias = false\nconnections = \"lenet-c3\""),
    (
        &[4, 3, 4],
        "use = \"conv-transpose2d\"\nout = 6\nkernel = [3, 4]\nstride = [2, 3]\npadding = [1, 0, 2, 1]\noutput-padding = [1, 2]\ngroups = 2",
    ),
    (&[4, 9], "use = \"conv1d\"\nout = 4\nkernel = 3\npadding = 2\nstride = 2\ndilation = 2\ngroups = 2"),
    (&[3, 6, 8], "use = \"max-pool\"\nkernel = 3\nstride = [2, 3]\npadding = [0, 1, 0, 1]\nceil-mode = true"),
    (&[3, 6, 8], "use = \"max-pool\"\nkernel = [2, 3]\nstride = 1\npadding = 1\ndilation = [3, 2]"),
    (&[3, 6, 8], "use = \"avg-pool\"\nkernel = 3\nstride = [2, 3]\npadding = [0, 1, 0, 1]\nceil-mode = true"),
    (
        &[3, 5, 7],
        "use = \"avg-pool\"\nkernel = [3, 2]\nstride = 2\npadding = [1, 0, 1, 1]\ncount-include-pad = false",
    ),
    (&[3, 6, 4], "use = \"adaptive-avg-pool\"\nsize = [3, 2]"),
    (&[2, 3, 2], "use = \"upsample\"\nfactor = [2, 3]"),
    (&[2, 3, 2], "use = \"upsample\"\nfactor = [2, 3]\nmethod = \"bilinear\""),
    (&[2, 3, 4], "use = \"resize\"\nsize = [5, 2]\nplaces = \"align-corners\""),
    (
        &[2, 3, 4],
        "use = \"resize\"\nsize = [4, 7]\nmethod = \"bicubic\"\nscale = [1.5, 1.75]\nexclude-outside = true",
    ),
    (&[2, 7, 3], "use = \"resize\"\nsize = [3, 7]\nplaces = \"asymmetric\""),
    (&[2, 9, 7], "use = \"resize\"\nsize = [4, 3]\nantialias = true"),
    (
        &[2, 9, 7],
        "use = \"resize\"\nsize = [4, 10]\nmethod = \"bicubic\"\nantialias = true\nexclude-outside = true",
    ),
    (&[2, 6, 3], "use = \"slice\"\naxis = 1\nstart = 5\ncount = 3\nstep = -2"),
    (&[2, 6, 3], "use = \"slice\"\naxis = 1\nstart = 1\ncount = 2\nstep = 3"),
    (&[2, 3, 4], "use = \"transpose\"\norder = [2, 0, 1]"),
    (&[3, 4, 2], "use = \"pad\"\nbefore = [0, 2, 0]\nafter = [2, 1, 0]\nmode = \"reflect\""),
    (&[3, 4, 2], "use = \"pad\"\nbefore = [0, 2, 0]\nafter = [2, 1, 1]\nvalue = 0.5"),
    (&[3, 4, 5], "use = \"mean\"\naxes = [2, 0]"),
    (&[3, 4, 5], "use = \"softmax\""),
    (&[5], "use = \"clip\"\nmax = 0.25"),
    (&[5], "use = \"linear\"\nout = 4\nbias = false"),
    (&[3, 4, 5], "use = \"batch-norm\"\neps = 0.01\nmomentum = 0.3"),
    (&[6, 3, 2], "use = \"local-response-norm\"\nsize = 3\nalpha = 0.8\nbeta = 0.6\nk = 1.5"),
];

/// Kinds whose nets come back as others, which compute the same up to rounding.
const OTHERS: [&str; 3] = ["adaptive-avg-pool", "radial-basis", "subsample"];

#[test]
fn every_kind_of_layer_comes_back_with_the_same_bits() {
    let shapes: [&[usize]; 4] = [&[2, 9, 9], &[18], &[2, 9], &[2, 8, 8]];
    let mut cases: Vec<(Vec<usize>, String)> =
        LAYERS.iter().map(|(input, layer)| (input.to_vec(), (*layer).to_owned())).collect();
    for kind in layer::ALL {
        let table = document::parse(kind.example).unwrap();
        let count = table.get("in").and_then(document::Node::as_array).map_or(1, <[_]>::len);
        let spec = (kind.parse)(table.without(&["use", "in"]).to_json()).unwrap();
        // The size of an adaptive pool has to divide that of the image.
        let layer = if kind.name == "adaptive-avg-pool" {
            "use = \"adaptive-avg-pool\"\nsize = 3"
        } else {
            kind.example
        };
        let fits = |input: &&[usize]| spec.output(&vec![Shape::new(input).unwrap(); count]).is_ok();
        cases.push((shapes.into_iter().find(fits).unwrap().to_vec(), layer.to_owned()));
    }
    for (input, layer) in cases {
        let net = net(&input, &format!("[[layer]]\n{layer}\n"));
        let kind = net.arch().layers[0].kind.name;
        let x = batch(net.arch().input);
        let x = if kind == "embedding" { Tensor::from_fn(x.shape(), |i| (i * 5 % 7) as f32) } else { x };
        let again = read(&export(&net).unwrap()).unwrap_or_else(|error| panic!("{layer}: {error}"));
        let (y, wanted) = (again.forward(&x).unwrap(), net.forward(&x).unwrap());
        if OTHERS.contains(&kind) {
            check_close(&layer, &y, &wanted);
            continue;
        }
        assert_eq!(y, wanted, "{layer}");
        // A layer that does nothing to its input may be left out, and one stands for no layer.
        let kinds: Vec<&str> = again.arch().layers.iter().map(|layer| layer.kind.name).collect();
        assert!(kinds == ["scale"] || kinds.contains(&kind), "{layer}: {kinds:?}");
    }
}

#[test]
fn nets_come_back_with_the_same_bits_and_names() {
    let weights = lyncean::builtin::RESOURCES.iter().find(|(name, _)| *name == "lenet5").unwrap().1;
    let small = |name: &str| Net::build(arch::parse(&arch::builtin(name).unwrap()).unwrap(), 1).unwrap();
    for net in [
        Net::from_safetensors(weights).unwrap(),
        small("resnet20"),
        small("unet-small"),
        small("textcnn-rand"),
    ] {
        let (arch, again) = (net.arch(), read(&export(&net).unwrap()).unwrap());
        let x = batch(arch.input);
        let x = if arch.name.starts_with("textcnn") {
            Tensor::from_fn(x.shape(), |i| (i % 40) as f32)
        } else {
            x
        };
        assert_eq!(net.forward(&x).unwrap(), again.forward(&x).unwrap(), "{}", arch.name);
        let names = |net: &Net| net.params().map(|param| param.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&net), names(&again));
        let head = |net: &Net| {
            let arch = net.arch();
            (arch.name.clone(), arch.mean.clone(), arch.std.clone(), arch.classes.clone(), arch.layers.len())
        };
        assert_eq!(head(&net), head(&again));
    }
}

#[test]
fn numbers_spread_over_a_batch_and_are_repeated_where_nothing_spreads() {
    let layers = "[[layer]]\nuse = \"constant\"\nname = \"bias\"\nshape = [3, 1, 1]\n\
        [[layer]]\nuse = \"div\"\nin = [\"input\", \"bias\"]\n[[layer]]\nuse = \"add\"\nin = [\"bias\", \"div\", \"input\"]\n";
    let net = net(&[3, 2, 2], layers);
    let x = batch(net.arch().input);
    assert_eq!(read(&export(&net).unwrap()).unwrap().forward(&x).unwrap(), net.forward(&x).unwrap());
}

#[test]
fn what_has_no_operator_is_named() {
    let net = net(&[2, 9, 9], "[[layer]]\nuse = \"adaptive-avg-pool\"\nname = \"last\"\nsize = 4\n");
    let error = export(&net).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().starts_with("last: ONNX has no windows of uneven sizes"), "{error}");
}

/// Replaces bytes in a file, of equal length, so that its structure stays.
fn with(file: &str, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = golden(file);
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, part)| *part == from.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[test]
fn an_operator_that_is_not_read_is_named_with_what_would_replace_it() {
    let error = read(&with("onnx_old.onnx", "Dropout", "Hardmax")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "operator `Hardmax` (node `h`) is not read\nhint: in its place: `Relu`, `Elu` or `HardSwish`"
    );
    let error = read(&with("onnx_old.onnx", "reflect", "unknown")).unwrap_err();
    assert!(error.to_string().starts_with("operator `Pad` (node `e`): `mode = unknown`"), "{error}");
    let error = read(b"\x08\x08not onnx").unwrap_err();
    assert!(error.kind() == ErrorKind::Input && error.message().starts_with("not an ONNX file"), "{error}");
    assert!(read(b"").unwrap_err().message().starts_with("not an ONNX file"));
    // The output that is asked for must be there, and another size of the input must fit.
    let file = golden("onnx_torch.onnx");
    let options = ImportOptions { outputs: vec!["z".into()], ..ImportOptions::default() };
    assert_eq!(import(&file, &options).unwrap_err().hint(), Some("it has `y`"));
    let options = ImportOptions { input: Some(Shape::new(&[4, 8, 8]).unwrap()), ..ImportOptions::default() };
    let error = import(&file, &options).unwrap_err();
    assert!(error.to_string().contains("operator `Conv`"), "{error}");
}

#[test]
fn cut_and_changed_files_never_panic() {
    let mut refused = 0;
    for name in ["onnx_torch.onnx", "onnx_old.onnx", "onnx_parts.onnx"] {
        let bytes = golden(name);
        let step = bytes.len() / 150;
        for len in (0..bytes.len()).step_by(step) {
            refused += usize::from(read(&bytes[..len]).is_err());
        }
        let rng = Rng::new(9);
        for round in 0..600u64 {
            let mut bytes = bytes.clone();
            for change in 0..=round % 3 {
                let at = rng.uniform(round * 8 + change * 2) * bytes.len() as f32;
                let bit = rng.uniform(round * 8 + change * 2 + 1) * 8.0;
                let at = (at as usize).min(bytes.len() - 1);
                bytes[at] ^= 1 << (bit as u32).min(7);
            }
            match read(&bytes) {
                // A net that comes out runs, or says why not.
                Ok(net)
                    if net.arch().input.count() < 10_000
                        && net.arch().layers.iter().all(|layer| layer.output.count() < 100_000) =>
                {
                    drop(net.forward(&Tensor::zeros(net.arch().input.batched(1).unwrap())));
                }
                Ok(_) => {}
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 600, "{refused}");
}

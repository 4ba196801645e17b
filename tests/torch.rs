//! Agreement with PyTorch. `fixtures/golden/nn/make.py` says what the files hold.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use lyncean::document::Source;
use lyncean::kernel::Isa;
use lyncean::nn::conv2d::{conv2d, conv2d_bias_grad, conv2d_input_grad, conv2d_weight_grad};
use lyncean::nn::layer::{Kind, Mode};
use lyncean::nn::loss::{
    CrossEntropyOptions, IGNORED, binary_cross_entropy, cross_entropy, mean_absolute_error,
    mean_squared_error, pixel_cross_entropy, softmax_cross_entropy,
};
use lyncean::nn::optim::{Adadelta, Adam, Optimiser, RmsProp, Rule, Sgd};
use lyncean::nn::{Grads, Net, Param, Rng, Shape, Tensor, Window, arch};
use safetensors::{Dtype, SafeTensors};

fn golden(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/golden/nn/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    if Path::new(name).extension().is_none_or(|ending| ending != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
    unpacked
}

fn tensor(file: &SafeTensors, name: &str) -> Tensor {
    let view = file.tensor(name).unwrap();
    let values = match view.dtype() {
        Dtype::I8 => view.data().iter().map(|&byte| f32::from(byte.cast_signed())).collect(),
        Dtype::I16 => {
            view.data().as_chunks().0.iter().map(|&bytes| f32::from(i16::from_le_bytes(bytes))).collect()
        }
        Dtype::F32 => view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        other => panic!("{other:?}"),
    };
    Tensor::from_vec(Shape::new(view.shape()).unwrap(), values).unwrap()
}

#[test]
fn convolution_and_its_gradients_equal_pytorch_on_a_hundred_geometries() {
    let bytes = golden("conv2d.safetensors.gz");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 900);
    for problem in 0..100 {
        let get = |name: &str| tensor(&file, &format!("{problem}.{name}"));
        let (x, w, b, dy) = (get("x"), get("w"), get("b"), get("dy"));
        let geometry: Vec<usize> = get("geometry").data().iter().map(|&value| value as usize).collect();
        let &[sy, sx, top, left, bottom, right, down, across, groups] = &geometry[..] else {
            panic!("{geometry:?}")
        };
        let window = Window {
            kernel: [w.shape()[2], w.shape()[3]],
            stride: [sy, sx],
            padding: [top, left, bottom, right],
            dilation: [down, across],
        };
        for isa in Isa::available() {
            let place = format!("problem {problem}, {isa:?}");
            assert_eq!(conv2d(isa, &x, &w, Some(&b), &window, groups).unwrap(), get("y"), "{place}");
            let dx = conv2d_input_grad(isa, &dy, &w, x.shape(), &window, groups).unwrap();
            assert_eq!(dx, get("dx"), "{place}");
            let dw = conv2d_weight_grad(isa, &x, &dy, w.shape(), &window, groups).unwrap();
            assert_eq!(dw, get("dw"), "{place}");
        }
        assert_eq!(conv2d_bias_grad(&dy).unwrap(), get("db"), "problem {problem}");
    }
}

#[test]
fn layers_equal_pytorch_on_two_hundred_geometries() {
    let bytes = golden("layers.safetensors.gz");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let layers: Vec<serde_json::Value> =
        serde_json::from_str(&metadata.metadata().as_ref().unwrap()["layers"]).unwrap();
    assert_eq!(layers.len(), 200);
    for (at, mut parameters) in layers.into_iter().enumerate() {
        let kind = parameters.as_object_mut().unwrap().remove("use").unwrap();
        let place = |what: &str| format!("layer {at}, {kind}, {what}");
        let spec = (Kind::by_name(kind.as_str().unwrap()).unwrap().parse)(parameters).unwrap();
        let get = |name: &str| tensor(&file, &format!("{at}.{name}"));
        let x = get("x");
        let mut layer = spec.build("it", &[x.shape().sample()], Rng::new(0)).unwrap();
        for param in layer.params_mut() {
            let value = get(param.name.strip_prefix("it.").unwrap());
            assert_eq!(value.shape(), param.value.shape(), "{}", place(&param.name));
            param.value = value;
        }
        let (y, saved) = layer.forward(&[&x], &Mode::training(Rng::new(0))).unwrap();
        assert_eq!(y.shape(), get("y").shape(), "{}", place("y"));
        assert_eq!(y.shape().sample(), spec.output(&[x.shape().sample()]).unwrap());
        check_close(&place("y"), y.data().iter().copied(), &get("y"));
        let mut grads = Grads::default();
        let dx = layer.backward(&saved, &get("dy"), &mut grads, true).unwrap();
        if kind != "embedding" {
            check_close(&place("dx"), dx[0].data().iter().copied(), &get("dx"));
        }
        for param in layer.params() {
            let gradient = grads.get(&param.name).unwrap().data().iter().copied();
            check_close(&place(&param.name), gradient, &get(&param.name.replace("it.", "d")));
        }
        layer.commit(&saved);
        for buffer in layer.buffers() {
            let values = buffer.value.data().iter().copied();
            check_close(&place(&buffer.name), values, &get(buffer.name.strip_prefix("it.").unwrap()));
        }
    }
}

#[test]
fn the_nets_have_the_names_and_shapes_of_torchvision() {
    let text = String::from_utf8(golden("nets.txt.gz")).unwrap();
    let nets: Vec<&str> = text.split("# ").skip(1).collect();
    assert_eq!(nets.len(), 16);
    for lines in nets {
        let mut lines = lines.lines();
        let name = lines.next().unwrap();
        let wanted: BTreeSet<String> = lines.map(str::to_owned).collect();
        let net = Net::blank(arch::parse(&arch::builtin(name).unwrap()).unwrap()).unwrap();
        let line = |param: &Param| {
            let lengths: Vec<String> = param.value.shape().iter().map(ToString::to_string).collect();
            format!("{} {}", param.name, lengths.join("x"))
        };
        let got: BTreeSet<String> = net.params().chain(net.buffers()).map(line).collect();
        assert_eq!(got, wanted, "{name}");
    }
}

/// Equal up to the rounding of sums in another order, relative to the largest value.
fn check_close(what: &str, got: impl Iterator<Item = f32>, wanted: &Tensor) {
    let largest = wanted.data().iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let mut count = 0;
    for (i, (got, wanted)) in got.zip(wanted.data()).enumerate() {
        assert!(
            (got - wanted).abs() <= 5e-6 * largest,
            "{what} {i}: {got}, PyTorch {wanted}, largest {largest}"
        );
        count += 1;
    }
    assert_eq!(count, wanted.data().len(), "{what}");
}

#[test]
fn a_training_step_of_lenet_equals_pytorch() {
    let bytes = golden("lenet_step.safetensors.gz");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut net = Net::build(arch::parse(&arch::builtin("lenet5").unwrap()).unwrap(), 42).unwrap();
    let pictures = Rng::new(42).stream("pictures");
    let shape = Shape::new(&[16, 1, 28, 28]).unwrap();
    let x = Tensor::from_fn(shape, |i| pictures.uniform(i as u64) * 4.0 - 1.0);
    let labels: Vec<usize> = (0..16).map(|i| i % 10).collect();
    let mut optimiser = Optimiser::new(Sgd { momentum: 0.9, weight_decay: 0.01, nesterov: true });
    for step in 0..3 {
        let (scores, tape) = net.record(&x, &Mode::training(Rng::new(0))).unwrap();
        let result = softmax_cross_entropy(&scores, &labels).unwrap();
        let grads = net.backward(&tape, result.gradient).unwrap();
        if step == 0 {
            check_close("scores", scores.data().iter().copied(), &tensor(&file, "scores"));
            check_close("loss", std::iter::once(result.loss as f32), &tensor(&file, "loss"));
            assert_eq!(grads.iter().count(), 10);
            for (name, gradient) in grads.iter() {
                let every = if ["fc1.weight", "fc2.weight"].contains(&name) { 16 } else { 1 };
                let kept = gradient.data().iter().copied().step_by(every);
                check_close(name, kept, &tensor(&file, &format!("grad.{name}")));
            }
        }
        optimiser.step(&mut net, &grads, 0.1).unwrap();
    }
    let conv1 = net.params().find(|param| param.name == "conv1.weight").unwrap();
    check_close("after", conv1.value.data().iter().copied(), &tensor(&file, "after.conv1.weight"));
}

#[test]
fn the_state_dict_of_a_torch_model_loads() {
    let text = "version = 1\nname = \"tiny\"\ninput = [2, 8, 8]\n\
        [[layer]]\nuse = \"conv2d\"\nname = \"conv1\"\nout = 3\nkernel = 3\nstride = 2\npadding = 1\n\
        [[layer]]\nuse = \"tanh\"\n[[layer]]\nuse = \"avg-pool\"\nkernel = 2\n[[layer]]\nuse = \"flatten\"\n\
        [[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 4\n";
    let mut net = Net::build(arch::parse(&Source::new("tiny", text)).unwrap(), 1).unwrap();
    net.load_weights(&golden("tiny_state_dict.safetensors")).unwrap();
    let bytes = golden("tiny_io.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let y = net.forward(&tensor(&file, "x")).unwrap();
    check_close("y", y.data().iter().copied(), &tensor(&file, "y"));
    // A file without the architecture says so.
    let error = Net::from_safetensors(&golden("tiny_state_dict.safetensors")).unwrap_err();
    assert_eq!(error.message(), "the weights do not say which net they are for");
}

fn floats(value: &serde_json::Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

#[test]
fn optimisers_step_as_pytorchs() {
    let golden: serde_json::Value = serde_json::from_slice(&golden("optim.json")).unwrap();
    let (beta1, beta2, eps, weight_decay) = (0.8, 0.95, 1e-3, 0.1);
    let adam = Adam { beta1, beta2, eps, weight_decay, decoupled: false };
    let rules: [(&str, Box<dyn Rule>); 5] = [
        ("sgd", Box::new(Sgd { momentum: 0.9, weight_decay, nesterov: true })),
        ("adam", Box::new(adam)),
        ("adam-w", Box::new(Adam { weight_decay: 0.5, decoupled: true, ..adam })),
        ("rms-prop", Box::new(RmsProp { decay: 0.9, eps, weight_decay, momentum: 0.5 })),
        ("adadelta", Box::new(Adadelta { decay: 0.9, eps, weight_decay })),
    ];
    let text = "version = 1\nname = \"t\"\ninput = [6]\n[[layer]]\nuse = \"linear\"\nname = \"a\"\nout = 1\nbias = false\n";
    for (name, rule) in rules {
        let golden = &golden["rules"][name];
        let mut net = Net::blank(arch::parse(&Source::new("t", text)).unwrap()).unwrap();
        let shape = Shape::new(&[1, 6]).unwrap();
        net.params_mut().next().unwrap().value = Tensor::from_vec(shape, floats(&golden["first"])).unwrap();
        let mut optimiser = Optimiser::boxed(rule);
        for gradient in golden["gradients"].as_array().unwrap() {
            let mut grads = Grads::default();
            grads.add("a.weight", Tensor::from_vec(shape, floats(gradient)).unwrap()).unwrap();
            optimiser.step(&mut net, &grads, golden["rate"].as_f64().unwrap() as f32).unwrap();
        }
        let wanted = Tensor::from_vec(shape, floats(&golden["last"])).unwrap();
        check_close(name, net.params().next().unwrap().value.data().iter().copied(), &wanted);
    }
}

#[test]
fn losses_equal_pytorchs() {
    let golden: serde_json::Value = serde_json::from_slice(&golden("optim.json")).unwrap();
    let weights = floats(&golden["weights"]);
    for (name, golden) in golden["losses"].as_object().unwrap() {
        let lengths: Vec<usize> = floats(&golden["shape"]).iter().map(|&length| length as usize).collect();
        let shape = Shape::new(&lengths).unwrap();
        let tensor = |key: &str| Tensor::from_vec(shape, floats(&golden[key])).unwrap();
        let labels = || floats(&golden["targets"]).iter().map(|&label| label as usize).collect::<Vec<_>>();
        let y = tensor("outputs");
        let classes = |smoothing: f32, weights: &[f32]| {
            let options = CrossEntropyOptions { smoothing, weights: weights.to_vec() };
            cross_entropy(&y, &labels(), &options).unwrap()
        };
        let pixels = |smoothing: f32, weights: &[f32]| {
            let options = CrossEntropyOptions { smoothing, weights: weights.to_vec() };
            let known = |label: f32| if label < 0.0 { IGNORED } else { label as usize };
            let labels: Vec<usize> = floats(&golden["targets"]).into_iter().map(known).collect();
            assert!(labels.contains(&IGNORED));
            pixel_cross_entropy(&y, &labels, &options).unwrap()
        };
        let got = match name.as_str() {
            "pixels" => pixels(0.0, &[]),
            "pixels-both" => pixels(0.2, &weights),
            "smooth" => classes(0.2, &[]),
            "weighted" => classes(0.0, &weights),
            "both" => classes(0.2, &weights),
            "binary" => binary_cross_entropy(&y, &tensor("targets")).unwrap(),
            "squared" => mean_squared_error(&y, &tensor("targets")).unwrap(),
            "absolute" => mean_absolute_error(&y, &tensor("targets")).unwrap(),
            other => panic!("{other}"),
        };
        let wanted = golden["loss"].as_f64().unwrap();
        assert!((got.loss - wanted).abs() < 1e-6 * wanted, "{name}: {}, PyTorch {wanted}", got.loss);
        check_close(name, got.gradient.data().iter().copied(), &tensor("gradient"));
    }
}

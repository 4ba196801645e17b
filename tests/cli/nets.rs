//! `lyncean nets`, and nets drawn by `lyncean graph`.

use lyncean::nn::arch::BUILTIN;
use serde_json::{Value as Json, json};

use crate::support::program::Room;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn nets_are_listed() {
    let room = Room::new();
    let said = room.run(&["nets"]);
    assert_eq!((said.code, said.out.lines().count()), (0, BUILTIN.len() + 1), "{said:?}");
    let line = |name: &str| said.out.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("lenet5 ").contains(" 1x28x28 ") && line("lenet5 ").contains(" 61,706 "), "{}", said.out);
    let list = json(&room.run(&["nets", "--json"]).out);
    let of = |name: &str| list.as_array().unwrap().iter().find(|net| net["name"] == name).unwrap().clone();
    assert_eq!(list.as_array().unwrap().len(), BUILTIN.len());
    let net = of("googlenet");
    assert_eq!(
        (&net["parameters"], &net["parameters_with_aux"], &net["input"]),
        (&json!(6_998_552), &json!(13_378_280), &json!([3, 224, 224]))
    );
    assert_eq!(of("lenet5")["macs"], 416_520);
}

#[test]
fn a_net_is_told_layer_by_layer() {
    let room = Room::new();
    let said = room.run(&["nets", "googlenet-bn", "--input", "3x256x256"]);
    assert!(said.out.starts_with("googlenet-bn: input 3x256x256\n\nlayer "), "{}", said.out);
    assert!(said.out.contains("6,624,904 parameters, "), "{}", said.out);
    assert!(said.out.contains("13,004,888 parameters with the auxiliary heads"), "{}", said.out);
    let conv1 = said.out.lines().find(|line| line.starts_with("conv1.conv ")).unwrap();
    let words: Vec<&str> = conv1.split_whitespace().collect();
    assert_eq!(words, ["conv1.conv", "conv2d", "input", "64x128x128", "9,408", "154,140,672", "7x7"]);

    let net = json(&room.run(&["nets", "resnet18", "--json"]).out);
    assert_eq!((&net["parameters"], &net["rows"][0]["name"]), (&json!(11_689_512), &json!("conv1")));
    assert_eq!(net["rows"][0]["receptive_field"], json!([7.0, 7.0]));

    // A size that the layers do not take, and a name that nothing bears.
    let said = room.run(&["nets", "vgg16", "--input", "3x16x16"]);
    assert!(said.code == 2 && said.err.starts_with("error[P016]: layer `"), "{said:?}");
    let said = room.run(&["nets", "resnet19"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.starts_with("error: there is no net `resnet19`\nhint: did you mean `resnet1"),
        "{said:?}"
    );
    let said = room.run(&["nets", "vgg16", "--input", "3x2x"]);
    assert!(said.code == 2 && said.err.contains("expected whole numbers with `x` between them"), "{said:?}");
}

/// The example of the course: 32x32x3, 20 filters of 5x5, P = 1, S = 2.
#[test]
fn the_arithmetic_of_a_convolution() {
    let room = Room::new();
    let asked =
        ["nets", "--conv-arith", "--input", "32x32x3", "--filters", "20", "-k", "5", "-p", "1", "-s", "2"];
    let said = room.run(&asked);
    assert_eq!(said.code, 0, "{said:?}");
    let value = |row: &str| {
        let line = said.out.lines().find(|line| line.starts_with(row)).unwrap();
        line[row.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(
        ["output", "parameters", "multiply-adds", "receptive field"].map(value),
        ["15x15x20", "1,520", "337,500", "5x5"]
    );
    assert!(said.out.contains("15.5 is floored to 15"), "{}", said.out);
    let told = json(&room.run(&[&asked[..], &["--json"]].concat()).out);
    assert_eq!(
        (&told["output"], &told["parameters"], &told["weights"], &told["macs"]),
        (&json!([15, 15, 20]), &json!(1520), &json!(1500), &json!(337_500))
    );
    // Groups see a part of the channels; what does not divide is told.
    let grouped = |groups: &str| {
        let asked =
            ["nets", "--conv-arith", "--input", "8x8x4", "--filters", "6", "-k", "3", "-g", groups, "--json"];
        room.run(&asked)
    };
    assert_eq!(json(&grouped("2").out)["parameters"], 6 * (9 * 2 + 1));
    assert_eq!(grouped("4").code, 2);
    for [k, s, d, g] in
        [["0", "1", "1", "1"], ["3", "0", "1", "1"], ["3", "1", "0", "1"], ["3", "1", "1", "0"]]
    {
        let asked = [
            "nets",
            "--conv-arith",
            "--input",
            "8x8x4",
            "--filters",
            "6",
            "-k",
            k,
            "-s",
            s,
            "-d",
            d,
            "-g",
            g,
        ];
        let said = room.run(&asked);
        assert!(said.code == 2 && said.err.starts_with("error: "), "{asked:?}: {said:?}");
    }
    let said = room.run(&["nets", "--conv-arith", "--input", "8x8", "--filters", "6", "-k", "3"]);
    assert!(said.code == 2 && said.err.contains("HEIGHTxWIDTHxCHANNELS"), "{said:?}");
}

#[test]
fn nets_go_to_onnx_and_come_back() {
    let room = Room::new();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/lenet5.safetensors");
    let said = room.run(&["nets", "export", model, "-o", "lenet5.onnx"]);
    let wanted = "lenet5: 12 layers, 1x28x28 to 10, 61,706 parameters, written to lenet5.onnx\n";
    assert_eq!((said.code, said.out.as_str()), (0, wanted), "{said:?}");
    let said = room.run(&["nets", "import", "lenet5.onnx", "-o", "again.safetensors"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, wanted.replace("lenet5.onnx", "again.safetensors").as_str())
    );
    let open = |path: &std::path::Path| lyncean::nn::Net::open(path).unwrap();
    let (first, again) = (open(model.as_ref()), open(&room.path("again.safetensors")));
    assert!(first.params().eq(again.params()) && first.arch().classes == again.arch().classes);
    // A net without weights of its own gets first ones; what cannot be read is told with its file.
    let said = room.run(&["nets", "export", "mlp", "-o", "mlp.onnx"]);
    assert_eq!(said.code, 0, "{said:?}");
    room.write("bad.onnx", "no net");
    let said = room.run(&["nets", "import", "bad.onnx", "-o", "bad.safetensors"]);
    assert!(said.code == 2 && said.err.starts_with("error: bad.onnx: not an ONNX file"), "{said:?}");
    let said = room.run(&["nets", "import", "mlp.onnx", "--input", "1x2x2", "-o", "bad.safetensors"]);
    assert!(said.code == 2 && said.err.contains("operator `Gemm` (node `"), "{said:?}");
    let said = room.run(&["nets", "import", "mlp.onnx", "--take", "scores", "-o", "bad.safetensors"]);
    assert!(
        said.code == 2 && said.err.contains("the file has no output `scores`\nhint: it has `"),
        "{said:?}"
    );
}

#[test]
fn weights_are_stored_with_fewer_bits() {
    let room = Room::new();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/lenet5.safetensors");
    let size = |name: &str| std::fs::metadata(room.path(name)).unwrap().len() as f64;
    let full = std::fs::metadata(model).unwrap().len() as f64;
    for dtype in ["f16", "bf16"] {
        let name = format!("{dtype}.safetensors");
        let said = room.run(&["nets", "convert", model, "--dtype", dtype, "-o", &name]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("61,706 parameters, written to") && size(&name) < 0.52 * full, "{said:?}");
        // What was rounded is the same for ever.
        let again = format!("{dtype}-again.safetensors");
        let said = room.run(&["nets", "convert", &name, "--dtype", dtype, "-o", &again]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(std::fs::read(room.path(&name)).unwrap() == std::fs::read(room.path(&again)).unwrap());
        let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/digits/test/7");
        let said = room.run(&["predict", &name, digits, "--top", "1"]);
        assert!(said.code == 0 && said.out.lines().all(|line| line.contains("\t7 ")), "{said:?}");
    }
    let said = room.run(&["nets", "convert", model, "--dtype", "f64", "-o", "x.safetensors"]);
    assert!(said.code == 2 && said.err.contains("expected `f32`, `f16` or `bf16`"), "{said:?}");
}

#[test]
fn nets_are_drawn_as_pipelines_are() {
    let room = Room::new();
    let said = room.run(&["graph", "googlenet"]);
    assert!(said.code == 0 && said.out.starts_with("digraph net {\n"), "{said:?}");
    // Solid boxes for what inference computes, dashed ones for the two auxiliary classifiers.
    assert!(
        said.out.contains("[label=\"inception3a.branch2.0.conv\\nconv2d\\n96x28x28\"];\n"),
        "{}",
        said.out
    );
    assert_eq!(said.out.matches("style=\"rounded,dashed\"").count(), 16);
    let said = room.run(&["graph", "builtin:lenet5", "--format", "mermaid"]);
    assert!(said.out.starts_with("flowchart LR\n  n0([\"input<br>1x28x28\"])\n"), "{said:?}");
    room.write("net.toml", "version = 1\nname = \"t\"\ninput = [2]\n[[layer]]\nuse = \"relu\"\n");
    assert!(room.run(&["graph", "net.toml"]).out.ends_with("  n0 -> n1;\n}\n"));
    room.write("bad.toml", "version = 1\nname = \"t\"\ninput = [2]\n[[layer]]\nuse = \"relo\"\n");
    let said = room.run(&["graph", "bad.toml"]);
    assert!(said.code == 2 && said.err.starts_with("error[P006]: there is no layer `relo`\n"), "{said:?}");
    assert_eq!(room.run(&["graph", "lenet6"]).code, 2);
}

//! Architecture files: the nets that ship, blocks, includes, heads, and files that mean harm.

use std::time::{Duration, Instant};

use lyncean::document::Source;
use lyncean::nn::arch::{self, Arch, BUILTIN, Head};
use lyncean::nn::layer::Mode;
use lyncean::nn::{Net, Rng, Summary, Tensor, summary};

const TOP: &str = "version = 1\nname = \"t\"\ninput = [1, 8, 8]\n";

/// A convolution and a rectifier.
const CONV: &str = "[[block]]\nname = \"conv\"\nparameters = [\"out\"]\ndefaults = { kernel = 3 }\n\
    [[block.layer]]\nuse = \"conv2d\"\nname = \"conv\"\nout = \"$out\"\nkernel = \"$kernel\"\npadding = 1\n\
    [[block.layer]]\nuse = \"relu\"\n";

fn parse(text: &str) -> lyncean::Result<Arch> {
    arch::parse(&Source::new("t.toml", format!("{TOP}{text}")))
}

fn names(arch: &Arch) -> Vec<&str> {
    arch.layers.iter().map(|layer| layer.name.as_str()).collect()
}

/// Code, message, and the line that is shown, of every problem.
fn problems(text: &str) -> Vec<String> {
    let source = Source::new("t.toml", format!("{TOP}{text}"));
    let error = arch::parse(&source).unwrap_err();
    let told = error.diagnostics().unwrap().sorted().into_iter().map(|problem| {
        let text = problem.included.as_deref().unwrap_or(&source).text();
        let line = text.get(problem.span.start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        format!("{} {} | {line}", problem.code, problem.message)
    });
    told.collect()
}

fn shipped(name: &str) -> Summary {
    summary(&arch::parse(&arch::builtin(name).unwrap()).unwrap()).unwrap()
}

/// From the papers, from torchvision, and by hand; with auxiliary heads behind.
const COUNTS: [(&str, usize, usize); 40] = [
    ("alexnet", 61_100_840, 61_100_840),
    ("alexnet-grouped", 60_965_224, 60_965_224),
    // 784-128-32-128-784.
    ("autoencoder", 209_968, 209_968),
    ("autoencoder-conv", 65_025, 65_025),
    ("autoencoder-denoising", 13_265, 13_265),
    ("face", 23_538, 23_538),
    ("googlenet", 6_998_552, 13_378_280),
    ("googlenet-bn", 6_624_904, 13_004_888),
    // 14,714,688 of the trunk of VGG-16, 1,477 of the side outputs, 12 that join them.
    ("hed", 14_716_177, 14_716_177),
    ("inception-v3", 23_834_568, 27_161_264),
    ("lenet5", 61_706, 61_706),
    ("lenet5-original", 60_000, 60_000),
    // 784-128-10.
    ("mlp", 101_770, 101_770),
    ("plain110", 1_727_962, 1_727_962),
    ("plain20", 269_722, 269_722),
    ("plain56", 853_018, 853_018),
    ("resnet101", 44_549_160, 44_549_160),
    // Option B: 2,752 more than the plain net, in two projections.
    ("resnet110", 1_730_714, 1_730_714),
    ("resnet14-gray", 174_970, 174_970),
    ("resnet152", 60_192_808, 60_192_808),
    ("resnet18", 11_689_512, 11_689_512),
    ("resnet18-cifar", 11_173_962, 11_173_962),
    ("resnet20", 272_474, 272_474),
    ("resnet34", 21_797_672, 21_797_672),
    ("resnet50", 25_557_032, 25_557_032),
    ("resnet56", 855_770, 855_770),
    // 20,000 words, 300 filters of 3, 4 and 5 words, the last layer.
    ("textcnn-multichannel", 12_720_902, 12_720_902),
    ("textcnn-non-static", 6_360_902, 6_360_902),
    ("textcnn-rand", 6_360_902, 6_360_902),
    ("textcnn-static", 6_360_902, 6_360_902),
    ("unet-small", 482_466, 482_466),
    ("unet-tiny", 121_042, 121_042),
    ("vgg11", 132_863_336, 132_863_336),
    ("vgg11-bn", 132_868_840, 132_868_840),
    ("vgg13", 133_047_848, 133_047_848),
    ("vgg13-bn", 133_053_736, 133_053_736),
    ("vgg16", 138_357_544, 138_357_544),
    ("vgg16-bn", 138_365_992, 138_365_992),
    ("vgg19", 143_667_240, 143_667_240),
    ("vgg19-bn", 143_678_248, 143_678_248),
];

#[test]
fn every_net_that_ships_has_its_number_of_parameters() {
    let got: Vec<_> = BUILTIN
        .iter()
        .map(|(name, _)| {
            let net = shipped(name);
            (*name, net.parameters, net.parameters_with_aux)
        })
        .collect();
    assert_eq!(got, COUNTS);
}

/// Billions of multiply-adds, as torchvision tells them for its weights.
#[test]
fn multiply_adds_are_those_of_torchvision() {
    let told = [
        ("alexnet", 0.714),
        ("googlenet-bn", 1.498),
        ("inception-v3", 5.713),
        ("resnet18", 1.814),
        ("resnet34", 3.664),
        ("resnet50", 4.089),
        ("resnet101", 7.801),
        ("resnet152", 11.514),
        ("vgg11", 7.609),
        ("vgg13-bn", 11.308),
        ("vgg16", 15.47),
        ("vgg19", 19.632),
    ];
    for (name, wanted) in told {
        let got = shipped(name).multiply_adds as f64 / 1e9;
        assert!((got - wanted).abs() <= 0.0006, "{name}: {got}, torchvision {wanted}");
    }
}

/// Pixels that an output sees (Araujo, Norris and Sim, 2019).
#[test]
fn receptive_fields_are_those_of_the_literature() {
    for (name, layer, wanted) in [
        ("alexnet", "max-pool-3", 195.0),
        ("vgg16", "features.30", 212.0),
        ("resnet18", "layer4.1.end", 435.0),
    ] {
        let net = shipped(name);
        let row = net.rows.iter().find(|row| row.name == layer).unwrap();
        assert_eq!(row.receptive_field, [wanted; 2], "{name}");
    }
}

#[test]
fn blocks_are_written_out_under_their_names() {
    let text = format!(
        "{CONV}[[block]]\nname = \"pair\"\nparameters = [\"out\"]\n\
         [[block.layer]]\nuse = \"conv\"\nname = \"a.0\"\nout = \"$out\"\nkernel = 1\n\
         [[block.layer]]\nuse = \"conv\"\nname = \"b\"\nin = \"input\"\nout = \"$out\"\nkernel = 1\n\
         [[block.layer]]\nuse = \"concat\"\nin = [\"a.0\", \"b\"]\n\
         [[layer]]\nuse = \"conv\"\nname = \"stem\"\nout = 2\n\
         [[layer]]\nuse = \"pair\"\nname = \"p\"\nout = 3\nrepeat = 2\nfirst = 1\n\
         [[layer]]\nuse = \"concat\"\nin = [\"stem.conv\", \"stem\"]\n"
    );
    let net = parse(&text).unwrap();
    assert_eq!(
        names(&net),
        [
            "stem.conv",
            "stem.relu",
            "p.1.a.0.conv",
            "p.1.a.0.relu",
            "p.1.b.conv",
            "p.1.b.relu",
            "p.1.concat",
            "p.2.a.0.conv",
            "p.2.a.0.relu",
            "p.2.b.conv",
            "p.2.b.relu",
            "p.2.concat",
            "concat"
        ]
    );
    let inputs: Vec<Vec<usize>> =
        net.layers.iter().map(|layer| layer.inputs.iter().map(index).collect()).collect();
    let wanted: [&[usize]; 13] =
        [&[99], &[0], &[1], &[2], &[1], &[4], &[3, 5], &[6], &[7], &[6], &[9], &[8, 10], &[0, 1]];
    assert_eq!(inputs, wanted);
    // The default, and what a use says in its place.
    assert_eq!((&*net.layers[1].output, &*net.layers[6].output), (&[2, 8, 8][..], &[6, 10, 10][..]));
}

/// The number of a layer, 99 for the input.
fn index(source: &arch::Source) -> usize {
    match *source {
        arch::Source::Input => 99,
        arch::Source::Layer(index) => index,
    }
}

#[test]
fn a_block_is_given_several_inputs_by_number() {
    let text = "[[block]]\nname = \"join\"\n[[block.layer]]\nuse = \"relu\"\nin = \"input.1\"\n\
        [[block.layer]]\nuse = \"add\"\nin = [\"relu\", \"input.0\"]\n\
        [[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"tanh\"\n\
        [[layer]]\nuse = \"join\"\nname = \"j\"\nin = [\"relu\", \"tanh\"]\n";
    let net = parse(text).unwrap();
    assert_eq!(names(&net), ["relu", "tanh", "j.relu", "j.add"]);
    assert_eq!(net.layers[3].inputs.iter().map(index).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(
        problems(&text.replace("input.1", "input.2")),
        ["P008 no layer is called `input.2` | \"input.2\""]
    );
}

#[test]
fn problems_of_blocks_show_their_place() {
    // In the use.
    let used = |keys: &str| problems(&format!("{CONV}[[layer]]\nuse = \"conv\"\nname = \"c\"\n{keys}\n"));
    assert_eq!(used("out = 0"), ["P005 `out` of layer `c.conv` wants at least 1, got `0` | 0"]);
    assert_eq!(used("out = 2\nkernal = 5"), ["P002 block `conv` has no `kernal` | kernal = 5"]);
    assert_eq!(used(""), ["P003 block `conv` wants `out` | \"conv\""]);
    assert_eq!(
        used("out = 2\nrepeat = 0"),
        ["P004 `repeat` wants a whole number from 1 to 1000, got `0` | 0"]
    );
    assert_eq!(used("out = 2\nfirst = 1"), ["P014 `first` stands beside `repeat` | 1"]);
    assert_eq!(used("out = 2\nname2 = 1\n[[layer]]\nuse = \"con\"").len(), 2);
    // Two uses of one name: told once, at the second.
    let twice = "[[layer]]\nuse = \"conv\"\nname = \"c\"\nout = 2\n".repeat(2);
    assert_eq!(problems(&format!("{CONV}{twice}")), ["P009 two layers are called `c.conv` | \"c\""]);
    let read = format!(
        "{CONV}{}[[layer]]\nuse = \"relu\"\nin = \"c\"\n",
        twice.replacen("\"conv\"", "\"conv\"\nrepeat = 2", 1)
    );
    assert_eq!(problems(&read), ["P009 more than one layer above is called `c` | \"c\""]);

    // In the block: once, however often it is used.
    let block = |layer: &str| {
        let text = "[[block]]\nname = \"b\"\nparameters = [\"out\"]\n[[block.layer]]\n";
        problems(&format!("{text}{layer}\n[[layer]]\nuse = \"b\"\nname = \"x\"\nout = 2\nrepeat = 3\n"))
    };
    assert_eq!(
        block("use = \"conv2d\"\nout = \"$out\""),
        ["P003 layer `x.0.conv2d` wants `kernel` | \"conv2d\""]
    );
    assert_eq!(block("use = \"conv2\""), ["P006 there is no layer `conv2` | \"conv2\""]);
    assert_eq!(
        block("use = \"relu\"\nin = \"$ouut\"")[0],
        "P002 block `b` has no parameter `ouut` | \"$ouut\""
    );
    assert_eq!(block("use = \"relu\"\nin = \"stem\""), ["P008 no layer is called `stem` | \"stem\""]);
    assert_eq!(
        block("use = \"conv2d\"\nout = 2\nkernel = 4\nstride = 2"),
        [
            "P016 layer `x.1.conv2d`: expected an image of height 4 or more with its padding for a kernel of 4, got 3 \
          + 0 + 0 = 3 | \"conv2d\""
        ]
    );

    // In the definition.
    let defined = |keys: &str| {
        problems(&format!("[[block]]\n{keys}\n[[block.layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"relu\"\n"))
    };
    assert_eq!(defined(""), ["P003 a block wants `name`, a string | [[block]]"]);
    assert_eq!(
        defined("name = \"relu\""),
        ["P009 a block cannot be called `relu`, as a layer is | \"relu\""]
    );
    assert_eq!(defined("name = \"b\"\nparams = []"), ["P002 a block has no `params` | params = []"]);
    assert_eq!(
        defined("name = \"b\"\nparameters = [1]"),
        ["P004 `parameters` of block `b` wants a list of names | [1]"]
    );
    assert_eq!(defined("name = \"b\"\ndefaults = 1"), ["P004 `defaults` of block `b` wants a table | 1"]);
    assert_eq!(
        defined("name = \"b\"\nparameters = [\"in\"]"),
        ["P009 a parameter of block `b` cannot be called `in` | [\"in\"]"]
    );
    let twice = "[[block]]\nname = \"b\"\n[[block.layer]]\nuse = \"relu\"\n".repeat(2);
    assert_eq!(
        problems(&format!("{twice}[[layer]]\nuse = \"b\"\n")),
        ["P009 two blocks are called `b` | \"b\""]
    );
    assert_eq!(
        problems("[[block]]\nname = \"b\"\n[[layer]]\nuse = \"b\"\n")[0],
        "P015 block `b` wants at least one layer | \"b\""
    );
}

/// Files of a few lines that would grow without end.
#[test]
fn bombs_are_refused_in_no_time() {
    let start = Instant::now();
    let block = |name: &str, layers: &str| format!("[[block]]\nname = \"{name}\"\n{layers}");
    let layer = |keys: &str| format!("[[block.layer]]\n{keys}\n");
    let relu = layer("use = \"relu\"");
    let use_of = |name: &str, keys: &str| layer(&format!("use = \"{name}\"\n{keys}"));

    // A block that uses itself, alone or by way of others, often.
    let own = block("a", &use_of("a", "").repeat(20));
    assert_eq!(problems(&format!("{own}[[layer]]\nuse = \"a\"\n")).len(), 20);
    let ring = block("a", &use_of("b", "")) + &block("b", &use_of("a", ""));
    let error = parse(&format!("{ring}[[layer]]\nuse = \"a\"\n")).unwrap_err();
    let found = error.diagnostics().unwrap().sorted()[0].clone();
    assert_eq!(found.message, "block `a` uses itself");
    assert_eq!(found.hint.unwrap(), "`a` uses `b`, which uses `a`");

    // Deep ones: 16 in each other, each twenty of the next, whose last is right or not.
    let tower = |last: &str, depth: usize| {
        let inner = |at: usize| {
            block(&format!("b{at}"), &use_of(&format!("b{}", at + 1), "in = \"input\"").repeat(20))
        };
        let blocks: String = (0..depth).map(inner).collect();
        format!("{blocks}{}[[layer]]\nuse = \"b0\"\n", block(&format!("b{depth}"), last))
    };
    let full = "P016 the net has more than 10000 layers, uses of blocks, or values to match";
    for last in [relu.clone(), use_of("c", "") + &block("c", &format!("parameters = [\"x\"]\n{relu}"))] {
        let told = problems(&tower(&last, 12));
        assert!(told.iter().any(|problem| problem.starts_with(full)), "{told:?}");
    }
    let deep = problems(&tower(&relu, 16));
    assert!(
        deep.iter().any(|told| told.starts_with("P016 block `b16` stands more than 16 blocks deep")),
        "{deep:?}"
    );

    // Repetition in repetition.
    let many = block("a", &relu) + &block("b", &use_of("a", "name = \"x\"\nrepeat = 1000"));
    let told = problems(&format!("{many}[[layer]]\nuse = \"b\"\nname = \"y\"\nrepeat = 1000\n"));
    assert!(told.len() == 1 && told[0].starts_with(full), "{told:?}");

    // Lists of lists of lists, as parameters.
    let laugh = |at: usize| {
        let list = vec!["\"$v\""; 40].join(", ");
        let head =
            format!("parameters = [\"v\"]\n{}", use_of(&format!("b{}", at + 1), &format!("v = [{list}]")));
        block(&format!("b{at}"), &head)
    };
    let end = block("b9", &format!("parameters = [\"v\"]\n{}", layer("use = \"reshape\"\nshape = \"$v\"")));
    let lists = (0..9).map(laugh).collect::<String>() + &end;
    let told = problems(&format!("{lists}[[layer]]\nuse = \"b0\"\nv = 1\n"));
    assert!(told[0].starts_with(full), "{told:?}");

    // Inputs of inputs of inputs.
    let fan = |at: usize| {
        let list = vec!["\"input\""; 40].join(", ");
        block(&format!("b{at}"), &use_of(&format!("b{}", at + 1), &format!("in = [{list}]")))
    };
    let fans = (0..9).map(fan).collect::<String>() + &block("b9", &layer("use = \"add\""));
    let told = problems(&format!("{fans}[[layer]]\nuse = \"b0\"\n"));
    assert!(told[0].starts_with(full), "{told:?}");

    // Many layers without names, in a file that is long itself.
    let told = problems(&"[[layer]]\nuse = \"relu\"\n".repeat(10_001));
    assert!(told.len() == 1 && told[0].starts_with(full), "{told:?}");
    assert!(start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
}

#[test]
fn blocks_of_another_file_are_included_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("blocks.toml", &format!("# Blocks.\nversion = 1\n{CONV}"));
    let net = |layers: &str| {
        write("net.toml", &format!("{TOP}include = [\"blocks.toml\", \"builtin:resnet\"]\n{layers}"));
        arch::parse(&Source::read(&folder.path().join("net.toml")).unwrap())
    };
    let layers = "[[layer]]\nuse = \"conv\"\nname = \"c\"\nout = 4\n\
        [[layer]]\nuse = \"basic\"\nname = \"b\"\nout = 4\n";
    let whole = net(layers).unwrap();
    assert_eq!(names(&whole)[..3], ["c.conv", "c.relu", "b.conv1"]);

    // What is stored with weights needs no other file.
    let stored = arch::parse(&Source::new("stored", &*whole.text)).unwrap();
    assert_eq!((names(&stored), stored.text.contains("include")), (names(&whole), false));
    let other = whole.with_input(&[1, 32, 32]).unwrap();
    assert_eq!((names(&other), &*other.output()), (names(&whole), &[4, 32, 32][..]));
    let error = arch::parse(&Source::new("stored", format!("{TOP}include = \"blocks.toml\"\n{layers}")));
    assert!(error.unwrap_err().message().contains("cannot be included: the net is not in a file"));

    // A problem in a block is shown in the block's file.
    let shown = |layers: &str| {
        let text = net(layers).unwrap_err().to_string();
        text.replace(folder.path().to_str().unwrap(), "DIR").replace('\\', "/")
    };
    let narrow = layers.replace("out = 4\n[[layer]]\nuse = \"basic\"", "out = 3\n[[layer]]\nuse = \"basic\"");
    let told = shown(&narrow);
    assert!(told.starts_with("error[P016]: layer `b.add`: "), "{told}");
    assert!(told.contains("--> builtin:resnet:"), "{told}");
    write("blocks.toml", &format!("# Blocks.\nversion = 1\n{}", CONV.replace("padding", "pading")));
    assert_eq!(
        shown(layers).lines().take(3).collect::<Vec<_>>(),
        ["error[P002]: layer `c.conv` has no `pading`", "  --> DIR/blocks.toml:12:1", "   |"]
    );
    write("blocks.toml", "version = 1\n[[layer]]\nuse = \"relu\"\n[[block]]\n");
    let told = shown("[[layer]]\nuse = \"relu\"\n");
    assert!(told.contains("a file of blocks has no `layer`") && told.contains("DIR/blocks.toml:2"), "{told}");
    assert!(told.contains("a block wants `name`") && told.contains("DIR/blocks.toml:4"), "{told}");
    write("blocks.toml", "version = 2\n");
    assert!(
        shown("[[layer]]\nuse = \"relu\"\n")
            .starts_with("error[P010]: version `2` is not understood\n --> DIR/b")
    );
    write("blocks.toml", "block = \n");
    assert!(shown("[[layer]]\nuse = \"relu\"\n").contains("--> DIR/blocks.toml:1:"));
    // Files of blocks include none, so that there are no circles.
    write("blocks.toml", "version = 1\ninclude = \"blocks.toml\"\n");
    assert!(shown("[[layer]]\nuse = \"relu\"\n").contains("a file of blocks has no `include`"));
    std::fs::remove_file(folder.path().join("blocks.toml")).unwrap();
    assert!(shown("[[layer]]\nuse = \"relu\"\n").starts_with("error[P012]: `DIR/blocks.toml`: no such file"));
}

#[test]
fn includes_that_cannot_be_are_told() {
    let relu = "[[layer]]\nuse = \"relu\"\n";
    let told = |include: &str| problems(&format!("include = {include}\n{relu}"));
    assert_eq!(told("1"), ["P004 `include` wants names of files, got an integer `1` | 1"]);
    assert_eq!(told("\"builtin:resnt\""), ["P012 there are no blocks `resnt` | \"builtin:resnt\""]);
    assert!(
        told(&format!("[{}]", vec!["\"builtin:resnet\""; 33].join(", ")))[0]
            .starts_with("P016 `include` names 33")
    );
}

const HEADS: &str = "[[head]]\nlayer = \"early\"\nweight = 0.3\n\
    [[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nname = \"hidden\"\nout = 5\n\
    [[layer]]\nuse = \"linear\"\nname = \"early\"\nout = 3\n\
    [[layer]]\nuse = \"linear\"\nname = \"late\"\nin = \"flatten\"\nout = 3\n";

#[test]
fn heads_are_for_training_only() {
    let arch = parse(HEADS).unwrap();
    assert_eq!(arch.heads, [Head { layer: 2, weight: 0.3 }]);
    assert_eq!(arch.needed(), [true, false, false, true]);
    let costs = summary(&arch).unwrap();
    assert_eq!(
        (costs.parameters, costs.parameters_with_aux),
        (64 * 3 + 3, 64 * 3 + 3 + 64 * 5 + 5 + 5 * 3 + 3)
    );
    assert_eq!(costs.multiply_adds, 64 * 3);

    let net = Net::build(arch, 1).unwrap();
    let shape = net.arch().input.batched(2).unwrap();
    let x = Tensor::from_fn(shape, |i| Rng::new(3).uniform(i as u64));
    let (y, tape) = net.record(&x, &Mode::training(Rng::new(1))).unwrap();
    assert_eq!(y, net.forward(&x).unwrap());
    assert_eq!((tape.heads().len(), &*tape.heads()[0].shape()), (1, &[2, 3][..]));
}

#[test]
fn problems_of_heads_are_told() {
    let told = |from: &str, to: &str| problems(&HEADS.replacen(from, to, 1));
    assert_eq!(told("\"early\"", "\"earli\""), ["P008 no layer is called `earli` | \"earli\""]);
    assert_eq!(told("\"early\"", "\"late\""), ["P008 `late` is the output of the net already | \"late\""]);
    assert_eq!(told("0.3", "-1.0"), ["P005 `weight` of a head wants at least 0, got `-1.0` | -1.0"]);
    assert_eq!(told("weight = 0.3\n", ""), ["P003 a head wants `weight` | [[head]]"]);
}

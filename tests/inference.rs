//! Nets made ready for inference against their layers one by one.

use lyncean::document::Source;
use lyncean::kernel::Isa;
use lyncean::nn::{Inference, Net, PixelNet, Rng, Shape, Tensor, arch};
use proptest::prelude::*;

fn net(text: &str) -> Net {
    Net::build(arch::parse(&Source::new("net.toml", text)).unwrap(), 5).unwrap()
}

/// Small whole numbers for weights and statistics, so that every sum is exact.
fn whole(net: &mut Net) {
    let number = |i: usize, salt: usize| ((i * 7919 + salt * 31) % 5) as f32 - 2.0;
    for (salt, param) in net.params_mut().enumerate() {
        let values = param.value.data_mut().iter_mut().enumerate();
        values.for_each(|(i, value)| *value = number(i, salt));
    }
}

fn input(shape: Shape, samples: usize) -> Tensor {
    Tensor::from_fn(shape.batched(samples).unwrap(), |i| ((i * 104_729) % 7) as f32 - 3.0)
}

/// How far two outputs are apart, relative to the largest.
fn apart(got: &Tensor, wanted: &Tensor) -> f32 {
    assert_eq!(got.shape(), wanted.shape());
    let largest = wanted.data().iter().fold(0.0f32, |largest, y| largest.max(y.abs()));
    let differences = got.data().iter().zip(wanted.data()).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max) / largest.max(f32::MIN_POSITIVE)
}

/// Compares on every instruction set.
fn agree(build: impl Fn() -> Net, samples: usize, within: f32) {
    let reference = build();
    let x = input(reference.arch().input, samples);
    let wanted = reference.forward(&x).unwrap();
    assert!(wanted.data().iter().any(|y| *y != 0.0), "an output that tells nothing");
    for isa in Isa::available() {
        let ready = Inference::with_isa(build(), isa).unwrap();
        // Twice, because memory that was used must not matter.
        for _ in 0..2 {
            let got = ready.forward(&x).unwrap();
            let name = &reference.arch().name;
            assert!(apart(&got, &wanted) <= within, "{name} on {isa:?}: {}", apart(&got, &wanted));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Any geometry, then everything that can be joined to a convolution: exact on whole numbers.
    #[test]
    fn convolutions_are_exact_on_whole_numbers(
        channels in 1usize..6, filters in 1usize..40, groups in 1usize..3,
        height in 1usize..12, width in 1usize..40,
        kernel in (1usize..4, 1usize..5), stride in (1usize..3, 1usize..4), dilation in (1usize..3, 1usize..3),
        padding in (0usize..3, 0usize..3, 0usize..3, 0usize..3),
        samples in 1usize..4,
    ) {
        let (channels, filters) = (channels * groups, filters * groups);
        let fits = |len: usize, k: usize, d: usize, p: usize| len + p > (k - 1) * d;
        prop_assume!(fits(height, kernel.0, dilation.0, padding.0 + padding.2));
        prop_assume!(fits(width, kernel.1, dilation.1, padding.1 + padding.3));
        let text = format!(
            "version = 1\nname = \"any\"\ninput = [{channels}, {height}, {width}]\n\
            [[layer]]\nuse = \"conv2d\"\nname = \"a\"\nout = {filters}\nkernel = [{}, {}]\nstride = [{}, {}]\n\
            dilation = [{}, {}]\npadding = [{}, {}, {}, {}]\ngroups = {groups}\n\
            [[layer]]\nuse = \"relu\"\n\
            [[layer]]\nuse = \"conv2d\"\nname = \"b\"\nout = {filters}\nkernel = 1\n\
            [[layer]]\nuse = \"add\"\nin = [\"relu\", \"b\"]\n\
            [[layer]]\nuse = \"leaky-relu\"\nslope = 0.5\n",
            kernel.0, kernel.1, stride.0, stride.1, dilation.0, dilation.1,
            padding.0, padding.1, padding.2, padding.3,
        );
        let build = || {
            let mut net = net(&text);
            whole(&mut net);
            net
        };
        let x = input(build().arch().input, samples);
        let wanted = build().forward(&x).unwrap();
        for isa in Isa::available() {
            let got = Inference::with_isa(build(), isa).unwrap().forward(&x).unwrap();
            prop_assert_eq!(&got, &wanted, "{:?}", isa);
        }
    }

    /// Winograd's sums: bounded for any size, channel count and padding.
    #[test]
    fn winograd_is_close(
        channels in 16usize..40, filters in 16usize..50, height in 1usize..30, width in 1usize..30,
        padding in (0usize..3, 0usize..3, 0usize..3, 0usize..3), samples in 1usize..3,
    ) {
        prop_assume!(height + padding.0 + padding.2 >= 3 && width + padding.1 + padding.3 >= 3);
        let text = format!(
            "version = 1\nname = \"three\"\ninput = [{channels}, {height}, {width}]\n\
            [[layer]]\nuse = \"conv2d\"\nname = \"a\"\nout = {filters}\nkernel = 3\npadding = [{}, {}, {}, {}]\n\
            [[layer]]\nuse = \"batch-norm\"\n[[layer]]\nuse = \"relu\"\n",
            padding.0, padding.1, padding.2, padding.3,
        );
        agree(|| net(&text), samples, 3e-5);
    }
}

const BRANCHES: &str = "version = 1\nname = \"branches\"\ninput = [3, 13, 11]\n\
    [[layer]]\nuse = \"conv2d\"\nname = \"stem\"\nout = 20\nkernel = 3\nstride = 2\npadding = 1\n\
    [[layer]]\nuse = \"max-pool\"\nname = \"p\"\nkernel = 3\nstride = 1\npadding = 1\nin = \"stem\"\n\
    [[layer]]\nuse = \"avg-pool\"\nname = \"q\"\nkernel = 3\nstride = 1\npadding = 1\ncount-include-pad = false\nin = \"stem\"\n\
    [[layer]]\nuse = \"conv2d\"\nname = \"c\"\nout = 33\nkernel = 3\npadding = 1\nin = \"stem\"\n\
    [[layer]]\nuse = \"batch-norm\"\nname = \"n\"\nin = \"p\"\n\
    [[layer]]\nuse = \"tanh\"\nname = \"t\"\nin = \"c\"\n\
    [[layer]]\nuse = \"concat\"\nname = \"all\"\nin = [\"p\", \"q\", \"c\", \"n\", \"t\", \"stem\"]\n\
    [[layer]]\nuse = \"dropout\"\n\
    [[layer]]\nuse = \"conv2d\"\nname = \"d\"\nout = 8\nkernel = 2\npadding = [1, 0, 0, 1]\n\
    [[layer]]\nuse = \"add\"\nname = \"s\"\nin = [\"d\", \"d\", \"d\"]\n\
    [[layer]]\nuse = \"avg-pool\"\nkernel = 2\nstride = 2\nceil-mode = true\npadding = 1\n\
    [[layer]]\nuse = \"flatten\"\n\
    [[layer]]\nuse = \"linear\"\nout = 300\n\
    [[layer]]\nuse = \"relu\"\n\
    [[layer]]\nuse = \"linear\"\nname = \"last\"\nout = 7\n\
    [[layer]]\nuse = \"softmax\"\n";

#[test]
fn branches_pools_and_layers_without_a_form_of_their_own() {
    for samples in [0, 1, 2, 17] {
        if samples == 0 {
            let ready = Inference::new(net(BRANCHES)).unwrap();
            let x = input(ready.arch().input, 0);
            assert_eq!(&*ready.forward(&x).unwrap().shape(), [0, 7]);
        } else {
            agree(|| net(BRANCHES), samples, 1e-5);
        }
    }
}

#[test]
fn nets_that_ship() {
    for name in ["lenet5", "lenet5-original", "resnet20", "plain20", "autoencoder-conv", "unet-small", "mlp"]
    {
        let build = || Net::build(arch::parse(&arch::builtin(name).unwrap()).unwrap(), 1).unwrap();
        agree(build, 1, 1e-5);
    }
    // Blocks of branches, at a size that a test can afford.
    let text = arch::builtin("googlenet-bn").unwrap();
    let small = || arch::parse(&text).unwrap().with_input(&[3, 65, 65]).unwrap();
    agree(|| Net::build(small(), 1).unwrap(), 1, 1e-5);
}

#[test]
fn channels_that_fill_half_a_page_are_exact_too() {
    let text = "version = 1\nname = \"wide\"\ninput = [512, 3, 4]\n\
        [[layer]]\nuse = \"conv2d\"\nname = \"a\"\nout = 1024\nkernel = 1\n\
        [[layer]]\nuse = \"relu\"\n\
        [[layer]]\nuse = \"max-pool\"\nkernel = 2\nstride = 1\n\
        [[layer]]\nuse = \"conv2d\"\nname = \"b\"\nout = 5\nkernel = 2\npadding = 1\n\
        [[layer]]\nuse = \"conv2d\"\nname = \"c\"\nout = 512\nkernel = 1\n\
        [[layer]]\nuse = \"conv2d\"\nname = \"d\"\nout = 512\nkernel = 1\nin = \"b\"\n\
        [[layer]]\nuse = \"concat\"\nin = [\"c\", \"d\"]\n[[layer]]\nuse = \"global-avg-pool\"\n";
    let build = || {
        let mut net = net(text);
        whole(&mut net);
        net
    };
    agree(build, 2, 1e-6);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let text = arch::builtin("resnet20").unwrap();
    let ready = Inference::new(Net::build(arch::parse(&text).unwrap(), 1).unwrap()).unwrap();
    let x = |samples: usize| {
        let shape = ready.arch().input.batched(samples).unwrap();
        Tensor::from_fn(shape, |i| Rng::new(3).normal(i as u64))
    };
    for samples in [1, 3] {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| ready.forward(&x(samples)).unwrap())
        };
        let wanted = with(1);
        assert!((2..6).all(|threads| with(threads) == wanted));
        // A sample is the same in any batch.
        assert_eq!(wanted.sample(0), with(1).sample(0));
    }
}

#[test]
fn nan_comes_through_rectifiers_and_pools() {
    let text = "version = 1\nname = \"nan\"\ninput = [1, 4, 4]\n[[layer]]\nuse = \"conv2d\"\nout = 3\nkernel = 3\n\
        padding = 1\n[[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"max-pool\"\nkernel = 2\nstride = 2\n";
    let mut x = input(Shape::new(&[1, 4, 4]).unwrap(), 1);
    x.data_mut()[0] = f32::NAN;
    for isa in Isa::available() {
        let y = Inference::with_isa(net(text), isa).unwrap().forward(&x).unwrap();
        assert!(y.data()[0].is_nan() && !y.data()[3].is_nan(), "{isa:?} {y:?}");
    }
}

#[test]
fn inputs_of_another_shape_and_cancelled_calls_are_errors() {
    let ready = Inference::new(net(BRANCHES)).unwrap();
    let error = ready.forward(&Tensor::zeros(Shape::new(&[1, 3, 12, 11]).unwrap())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "net `branches` wants a batch `[n, ...]` of [3, 13, 11], got [1, 3, 12, 11]"
    );
    let x = input(ready.arch().input, 1);
    assert_eq!(ready.forward_until(&x, &|| true).unwrap_err().kind(), lyncean::ErrorKind::Cancelled);
}

/// Scores of a picture in tiles, put together.
fn in_tiles(
    pixels: &PixelNet,
    picture: &[f32],
    [height, width]: [usize; 2],
    tile: usize,
) -> (Vec<f32>, usize) {
    let classes = pixels.classes();
    let (mut scores, mut tiles) = (vec![f32::NAN; classes * height * width], 0);
    pixels
        .over([height, width], tile)
        .unwrap()
        .each(picture, &|| false, &mut |place, planes| {
            tiles += 1;
            for (at, &score) in planes.iter().enumerate() {
                let (class, at) = (at / (place.width * place.height), at % (place.width * place.height));
                let (y, x) = (place.y + at / place.width, place.x + at % place.width);
                scores[(class * height + y) * width + x] = score;
            }
        })
        .unwrap();
    (scores, tiles)
}

/// Two scales, with everything by which tiles could go wrong: padding, pooling, strides, what goes on from above.
const SCALES: &str = "version = 1\nname = \"scales\"\ninput = [2, 8, 8]\n[[layer]]\nuse = \"conv2d\"\nname = \"a\"\nout = 5\n\
    kernel = 3\npadding = 1\n[[layer]]\nuse = \"max-pool\"\nkernel = 2\n[[layer]]\nuse = \"conv2d\"\nname = \"b\"\nout = 6\n\
    kernel = 3\nstride = 2\npadding = 1\n[[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"upsample\"\nfactor = 2\n\
    method = \"bilinear\"\n[[layer]]\nuse = \"conv-transpose2d\"\nname = \"c\"\nout = 4\nkernel = 2\nstride = 2\n[[layer]]\n\
    use = \"concat\"\nin = [\"c\", \"a\"]\n[[layer]]\nuse = \"conv2d\"\nname = \"d\"\nout = 3\nkernel = 3\npadding = 1\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn tiles_give_the_scores_of_the_whole_picture(
        height in 1usize..90, width in 1usize..90, tile in 1usize..40, seed in 0u64..99,
    ) {
        let net = net(SCALES);
        let pixels = PixelNet::new(&net).unwrap();
        prop_assert_eq!(pixels.multiple(), [4, 4]);
        let area = height * width;
        let picture: Vec<f32> = (0..2 * area).map(|i| Rng::new(seed).normal(i as u64)).collect();
        let (tiled, count) = in_tiles(&pixels, &picture, [height, width], tile);
        let (whole, one) = in_tiles(&pixels, &picture, [height, width], 4096);
        prop_assert!(one == 1 && (count > 1 || height.max(width) <= tile + 2 * pixels.margin()[0] + 3));

        // By the layers one by one, over the picture mirrored up to multiples of 4.
        let [high, wide] = [height, width].map(|len| len.div_ceil(4) * 4);
        let mirror = |at: usize, len: usize| {
            let period = (2 * len - 2).max(1);
            let at = at % period;
            if at < len { at } else { period - at }
        };
        let shape = Shape::new(&[1, 2, high, wide]).unwrap();
        let x = Tensor::from_fn(shape, |i| {
            let (channel, y, x) = (i / (high * wide), i / wide % high, i % wide);
            picture[channel * area + mirror(y, height) * width + mirror(x, width)]
        });
        let mut larger = Net::blank(net.arch().with_input(&[2, high, wide]).unwrap()).unwrap();
        larger.params_mut().zip(net.params()).for_each(|(to, from)| to.value = from.value.clone());
        let y = larger.forward(&x).unwrap();
        for (i, (tiled, whole)) in tiled.iter().zip(&whole).enumerate() {
            let (class, v, u) = (i / area, i / width % height, i % width);
            let wanted = y.data()[(class * high + v) * wide + u];
            prop_assert!((tiled - whole).abs() < 1e-5, "{i}: {tiled} {whole}");
            prop_assert!((whole - wanted).abs() < 1e-5, "{i}: {whole} {wanted}");
        }
    }
}

#[test]
fn a_u_net_in_tiles_is_the_u_net_whole_and_fixed_nets_take_their_size() {
    let arch = arch::parse(&arch::builtin("unet-tiny").unwrap()).unwrap();
    let pixels = PixelNet::new(&Net::build(arch, 3).unwrap()).unwrap();
    let size = [300, 330];
    let picture: Vec<f32> = (0..size[0] * size[1]).map(|i| Rng::new(4).normal(i as u64)).collect();
    let (tiled, count) = in_tiles(&pixels, &picture, size, 64);
    let (whole, one) = in_tiles(&pixels, &picture, size, 4096);
    assert!(count > 4 && one == 1, "{count} tiles, margins of {:?}", pixels.margin());
    let largest = whole.iter().fold(0.0f32, |largest, y| largest.max(y.abs()));
    assert!(tiled.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-4 * largest));

    let fixed = "version = 1\nname = \"t\"\ninput = [1, 4, 4]\n[[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\n\
        out = 32\n[[layer]]\nuse = \"reshape\"\nshape = [2, 4, 4]\n";
    let fixed = PixelNet::new(&net(fixed)).unwrap();
    assert!(fixed.over([4, 4], 64).is_ok());
    let error = fixed.over([8, 8], 64).unwrap_err().to_string();
    assert!(error.contains("the net wants images of 4x4, got 8x8"), "{error}");
    assert!(
        PixelNet::new(&net("version = 1\nname = \"t\"\ninput = [1, 4, 4]\n[[layer]]\nuse = \"relu\"\n"))
            .is_err()
    );
}

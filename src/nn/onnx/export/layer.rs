//! What each kind of layer becomes.

use std::any::Any;

use super::{Place, Writer, float, int, ints, word};
use crate::nn::layer::{
    AdaptiveAvgPool, AvgPool, BatchNorm, Clip, Conv1d, Conv2d, ConvTranspose2d, Dropout, Elu, LeakyRelu,
    LocalResponseNorm, MaxPool, Mean, Pad, PadMode, Places, Reshape, Resize, ResizeMethod, Scale, Slice,
    Subsample, Transpose, Upsample, UpsampleMethod,
};
use crate::nn::{Padding, Pair, Shape, Tensor};
use crate::{Error, Result};

/// Numbers of the element types that `Cast` takes.
const TO_INT64: i64 = 7;

/// The parameters of a layer as those of its kind.
fn spec<'a, S: 'static>(place: &Place<'a>) -> Result<&'a S> {
    let spec: &'a dyn Any = &*place.layer.spec;
    spec.downcast_ref().ok_or_else(|| {
        let kind = place.layer.kind.name;
        Error::new(crate::ErrorKind::Internal, format!("the parameters are not those of `{kind}`"))
    })
}

/// Adds the nodes of a layer.
pub(super) fn write(writer: &mut Writer<'_>, place: &Place<'_>) -> Result<()> {
    let inputs: Vec<&str> = place.inputs.iter().map(String::as_str).collect();
    let (x, y) = (inputs[0], place.output.as_str());
    let plain = match place.layer.kind.name {
        "add" => Some(if inputs.len() == 2 { "Add" } else { "Sum" }),
        "div" => Some("Div"),
        "mul" => Some("Mul"),
        "relu" => Some("Relu"),
        "sigmoid" => Some("Sigmoid"),
        "sub" => Some("Sub"),
        "tanh" => Some("Tanh"),
        _ => None,
    };
    if let Some(op) = plain {
        writer.node(op, &inputs, y, Vec::new());
        return Ok(());
    }
    match place.layer.kind.name {
        "adaptive-avg-pool" => adaptive(writer, place)?,
        "avg-pool" => {
            let pool: &AvgPool = spec(place)?;
            let mut attributes = window(pool.kernel, pool.stride.unwrap_or(pool.kernel), pool.padding);
            attributes.push(int("ceil_mode", pool.ceil_mode.into()));
            attributes.push(int("count_include_pad", pool.count_include_pad.into()));
            writer.node("AveragePool", &[x], y, attributes);
        }
        "batch-norm" => {
            let mut names = vec![x.to_owned()];
            for name in ["weight", "bias", "running_mean", "running_var"] {
                names.push(writer.weight(place, name)?);
            }
            let norm: &BatchNorm = spec(place)?;
            // ONNX tells the share that stays.
            let attributes = vec![float("epsilon", norm.eps), float("momentum", 1.0 - norm.momentum)];
            writer.node(
                "BatchNormalization",
                &names.iter().map(String::as_str).collect::<Vec<_>>(),
                y,
                attributes,
            );
        }
        "clip" => {
            let clip: &Clip = spec(place)?;
            let one = |value: f32| Tensor::from_vec(Shape::default(), vec![value]);
            let mut bound = |what: &str, value: Option<f32>| match value {
                Some(value) => Ok(writer.numbers(place, what, &one(value)?)),
                None => Ok::<_, Error>(String::new()),
            };
            let (min, max) = (bound("min", clip.min)?, bound("max", clip.max)?);
            writer.node("Clip", &[x, &min, &max], y, Vec::new());
        }
        "concat" => writer.node("Concat", &inputs, y, vec![int("axis", 1)]),
        "constant" => constant(writer, place)?,
        "conv-transpose2d" => {
            let conv: &ConvTranspose2d = spec(place)?;
            let mut attributes = window(conv.kernel, conv.stride, conv.padding);
            attributes.push(ints("dilations", &conv.dilation.both()));
            attributes.push(ints("output_padding", &conv.output_padding.both()));
            attributes.push(int("group", conv.groups as i64));
            weighted(writer, place, "ConvTranspose", attributes)?;
        }
        "conv1d" => {
            let conv: &Conv1d = spec(place)?;
            let attributes = vec![
                ints("kernel_shape", &[conv.kernel]),
                ints("strides", &[conv.stride]),
                ints("pads", &[conv.padding; 2]),
                ints("dilations", &[conv.dilation]),
                int("group", conv.groups as i64),
            ];
            weighted(writer, place, "Conv", attributes)?;
        }
        "conv2d" => convolution(writer, place)?,
        "dropout" => {
            let ratio = Tensor::from_vec(Shape::default(), vec![spec::<Dropout>(place)?.p])?;
            let ratio = writer.numbers(place, "ratio", &ratio);
            writer.node("Dropout", &[x, &ratio], y, Vec::new());
        }
        "elu" => writer.node("Elu", &[x], y, vec![float("alpha", spec::<Elu>(place)?.alpha)]),
        "embedding" => {
            let words = writer.step("Cast", &[x], place, vec![int("to", TO_INT64)]);
            let vectors = writer.weight(place, "weight")?;
            let found = writer.step("Gather", &[&vectors, &words], place, vec![int("axis", 0)]);
            writer.node("Transpose", &[&found], y, vec![ints("perm", &[0, 2, 1])]);
        }
        "flatten" => writer.node("Flatten", &[x], y, vec![int("axis", 1)]),
        "global-avg-pool" => {
            let means = writer.step("GlobalAveragePool", &[x], place, Vec::new());
            writer.node("Flatten", &[&means], y, vec![int("axis", 1)]);
        }
        "leaky-relu" => {
            writer.node("LeakyRelu", &[x], y, vec![float("alpha", spec::<LeakyRelu>(place)?.slope)]);
        }
        "linear" => weighted(writer, place, "Gemm", vec![int("transB", 1)])?,
        "local-response-norm" => {
            let norm: &LocalResponseNorm = spec(place)?;
            if norm.size.is_multiple_of(2) {
                return Err(Error::unsupported(format!(
                    "ONNX has more channels after a value than before where `size` is even, got {}",
                    norm.size
                ))
                .with_hint("an odd `size`"));
            }
            let attributes = vec![
                int("size", norm.size as i64),
                float("alpha", norm.alpha),
                float("beta", norm.beta),
                float("bias", norm.k),
            ];
            writer.node("LRN", &[x], y, attributes);
        }
        "max-over-time" => {
            let largest = writer.step("GlobalMaxPool", &[x], place, Vec::new());
            writer.node("Flatten", &[&largest], y, vec![int("axis", 1)]);
        }
        "max-pool" => {
            let pool: &MaxPool = spec(place)?;
            let mut attributes = window(pool.kernel, pool.stride.unwrap_or(pool.kernel), pool.padding);
            attributes.push(int("ceil_mode", pool.ceil_mode.into()));
            attributes.push(ints("dilations", &pool.dilation.both()));
            writer.node("MaxPool", &[x], y, attributes);
        }
        "mean" => {
            let axes: Vec<usize> = spec::<Mean>(place)?.axes.iter().map(|axis| axis + 1).collect();
            if writer.opset < 18 {
                writer.node("ReduceMean", &[x], y, vec![ints("axes", &axes), int("keepdims", 1)]);
            } else {
                let axes: Vec<i64> = axes.iter().map(|&axis| axis as i64).collect();
                let axes = writer.integers(place, "axes", &axes);
                writer.node("ReduceMean", &[x, &axes], y, vec![int("keepdims", 1)]);
            }
        }
        "pad" => {
            let pad: &Pad = spec(place)?;
            let side = |counts: &[usize]| {
                std::iter::once(0).chain(counts.iter().map(|&count| count as i64)).collect::<Vec<_>>()
            };
            let pads = writer.integers(place, "pads", &[side(&pad.before), side(&pad.after)].concat());
            let value = writer.numbers(place, "value", &Tensor::from_vec(Shape::default(), vec![pad.value])?);
            let mode = match pad.mode {
                PadMode::Constant => "constant",
                PadMode::Reflect => "reflect",
                PadMode::Edge => "edge",
            };
            writer.node("Pad", &[x, &pads, &value], y, vec![word("mode", mode)]);
        }
        "radial-basis" => radial_basis(writer, place)?,
        "reshape" => {
            // A length of 0 is that of the input, and -1 what is left, as in a net's file.
            let lengths = [&[0], &*spec::<Reshape>(place)?.shape].concat();
            let lengths = writer.integers(place, "shape", &lengths);
            writer.node("Reshape", &[x, &lengths], y, Vec::new());
        }
        "scale" => {
            let Scale { factor, offset } = *spec(place)?;
            let number = |value: f32| Tensor::from_vec(Shape::default(), vec![value]);
            let factor = writer.numbers(place, "factor", &number(factor)?);
            let offset = writer.numbers(place, "offset", &number(offset)?);
            let product = writer.step("Mul", &[x, &factor], place, Vec::new());
            writer.node("Add", &[&product, &offset], y, Vec::new());
        }
        "slice" => slice(writer, place)?,
        "softmax" => writer.node("Softmax", &[x], y, vec![int("axis", 1)]),
        "subsample" => subsample(writer, place)?,
        "transpose" => {
            let order = &spec::<Transpose>(place)?.order;
            let order: Vec<usize> = std::iter::once(0).chain(order.iter().map(|axis| axis + 1)).collect();
            writer.node("Transpose", &[x], y, vec![ints("perm", &order)]);
        }
        "resize" => resize(writer, place)?,
        "upsample" => upsample(writer, place)?,
        kind => {
            return Err(Error::unsupported(format!("a layer of kind `{kind}` has no operator of ONNX"))
                .with_hint("save the net as safetensors"));
        }
    }
    Ok(())
}

fn window(kernel: Pair, stride: Pair, padding: Padding) -> Vec<super::Attribute> {
    vec![
        ints("kernel_shape", &kernel.both()),
        ints("strides", &stride.both()),
        ints("pads", &padding.sides()),
    ]
}

/// A node of input, weight and bias.
fn weighted(
    writer: &mut Writer<'_>,
    place: &Place<'_>,
    op: &str,
    attributes: Vec<super::Attribute>,
) -> Result<()> {
    let weights = writer.weights(place)?;
    let inputs: Vec<&str> = place.inputs.iter().chain(&weights).map(String::as_str).collect();
    writer.node(op, &inputs, &place.output, attributes);
    Ok(())
}

fn convolution(writer: &mut Writer<'_>, place: &Place<'_>) -> Result<()> {
    let conv: &Conv2d = spec(place)?;
    let mut attributes = window(conv.kernel, conv.stride, conv.padding);
    attributes.push(ints("dilations", &conv.dilation.both()));
    attributes.push(int("group", conv.groups as i64));
    weighted(writer, place, "Conv", attributes)?;
    // ONNX knows no table of connections: zeros stand where there is none.
    if let (Some(connections), Some(kernels)) = (conv.connections, writer.param(place, "weight")) {
        let name = format!("{}.weight", place.layer.name);
        writer.initializers.insert(name.clone(), super::floats(&name, &connections.dense(&kernels)?));
    }
    Ok(())
}

/// Windows that lie side by side are an average pool.
fn adaptive(writer: &mut Writer<'_>, place: &Place<'_>) -> Result<()> {
    let size = spec::<AdaptiveAvgPool>(place)?.size.both();
    let input = [place.shapes[0][1], place.shapes[0][2]];
    if [0, 1].iter().any(|&axis| !input[axis].is_multiple_of(size[axis])) {
        return Err(Error::unsupported(format!(
            "ONNX has no windows of uneven sizes, which {}x{} pixels from {}x{} want",
            size[0], size[1], input[0], input[1]
        ))
        .with_hint("an input whose size is a multiple of `size`"));
    }
    let kernel = Pair::Two([input[0] / size[0], input[1] / size[1]]);
    let attributes = window(kernel, kernel, Padding::All(0));
    writer.node("AveragePool", &[&place.inputs[0]], &place.output, attributes);
    Ok(())
}

/// Numbers for one sample, which spread over a batch where arithmetic reads them, and are repeated for it
/// elsewhere.
fn constant(writer: &mut Writer<'_>, place: &Place<'_>) -> Result<()> {
    let value = writer.param(place, "value").unwrap_or_else(|| Tensor::zeros(place.layer.output));
    let name = format!("{}.value", place.layer.name);
    writer
        .initializers
        .insert(name.clone(), super::floats(&name, &value.reshaped(value.shape().batched(1)?)?));
    if place.spreads {
        return Ok(());
    }
    let batch = vec![int("start", 0), int("end", 1)];
    let batch = writer.step("Shape", &[&place.inputs[0]], place, batch);
    let lengths: Vec<i64> = place.layer.output.iter().map(|&len| len as i64).collect();
    let lengths = writer.integers(place, "shape", &lengths);
    let lengths = writer.step("Concat", &[&batch, &lengths], place, vec![int("axis", 0)]);
    writer.node("Expand", &[&name, &lengths], &place.output, Vec::new());
    Ok(())
}

/// Minus half of the mean square of the differences, times how many they are.
fn radial_basis(writer: &mut Writer<'_>, place: &Place<'_>) -> Result<()> {
    let features = place.shapes[0].count();
    let lengths = writer.integers(place, "row", &[0, 1, features as i64]);
    let row = writer.step("Reshape", &[&place.inputs[0], &lengths], place, Vec::new());
    let codes = writer.weight(place, "codes")?;
    let apart = writer.step("Sub", &[&row, &codes], place, Vec::new());
    let squares = writer.step("Mul", &[&apart, &apart], place, Vec::new());
    let mean = writer.step("ReduceMean", &[&squares], place, vec![ints("axes", &[2]), int("keepdims", 0)]);
    let factor = Tensor::from_vec(Shape::default(), vec![-0.5 * features as f32])?;
    let factor = writer.numbers(place, "factor", &factor);
    writer.node("Mul", &[&mean, &factor], &place.output, Vec::new());
    Ok(())
}

fn slice(writer: &mut Writer<'_>, place: &Place<'_>) -> Result<()> {
    let slice: &Slice = spec(place)?;
    let end = slice.start as i64 + slice.count as i64 * slice.step;
    // Counting backwards, the place before the first is no number but the least there is.
    let end = if end < 0 { i64::MIN } else { end };
    let mut names = vec![place.inputs[0].clone()];
    for (what, value) in
        [("start", slice.start as i64), ("end", end), ("axis", slice.axis as i64 + 1), ("step", slice.step)]
    {
        names.push(writer.integers(place, what, &[value]));
    }
    writer.node("Slice", &names.iter().map(String::as_str).collect::<Vec<_>>(), &place.output, Vec::new());
    Ok(())
}

/// The sum of a window times a weight: a convolution of each channel with equal taps.
fn subsample(writer: &mut Writer<'_>, place: &Place<'_>) -> Result<()> {
    let factor = spec::<Subsample>(place)?.factor;
    let names = writer.weights(place)?;
    let weight = writer.param(place, "weight").unwrap_or_else(|| Tensor::zeros(Shape::default()));
    let channels = weight.shape().count();
    let taps = weight.data().iter().flat_map(|&weight| std::iter::repeat_n(weight, factor * factor));
    let filters = Tensor::from_vec(Shape::new(&[channels, 1, factor, factor])?, taps.collect())?;
    writer.initializers.insert(names[0].clone(), super::floats(&names[0], &filters));
    let mut attributes = window(Pair::One(factor), Pair::One(factor), Padding::All(0));
    attributes.push(int("group", channels as i64));
    writer.node("Conv", &[&place.inputs[0], &names[0], &names[1]], &place.output, attributes);
    Ok(())
}

fn resize(writer: &mut Writer<'_>, place: &Place<'_>) -> Result<()> {
    let resize: &Resize = spec(place)?;
    let input = place.shapes[0];
    let ratio = |axis: usize| {
        let (size, len) = (resize.size.both()[axis], input[axis + 1]);
        // Rounded up, so that the length times it is no less than the size.
        let scale = (size as f64 / len as f64) as f32;
        if (f64::from(scale) * len as f64) < size as f64 { scale.next_up() } else { scale }
    };
    let [down, across] = resize.scale.unwrap_or_else(|| [ratio(0), ratio(1)]);
    let scales = Tensor::from_vec(Shape::new(&[4])?, vec![1.0, 1.0, down, across])?;
    let scales = writer.numbers(place, "scales", &scales);
    let mode = if resize.method == ResizeMethod::Bilinear { "linear" } else { "cubic" };
    let places = match resize.places {
        Places::HalfPixel => "half_pixel",
        Places::HalfPixelSymmetric => "half_pixel_symmetric",
        Places::HalfPixelOrFirst => "pytorch_half_pixel",
        Places::AlignCorners => "align_corners",
        Places::Asymmetric => "asymmetric",
    };
    let mut attributes = vec![
        word("mode", mode),
        word("coordinate_transformation_mode", places),
        float("cubic_coeff_a", resize.cubic),
        int("exclude_outside", i64::from(resize.exclude_outside)),
    ];
    if resize.antialias {
        attributes.push(int("antialias", 1));
    }
    writer.node("Resize", &[&place.inputs[0], "", &scales], &place.output, attributes);
    Ok(())
}

fn upsample(writer: &mut Writer<'_>, place: &Place<'_>) -> Result<()> {
    let upsample: &Upsample = spec(place)?;
    let [down, across] = upsample.factor.both().map(|factor| factor as f32);
    let scales = Tensor::from_vec(Shape::new(&[4])?, vec![1.0, 1.0, down, across])?;
    let scales = writer.numbers(place, "scales", &scales);
    let words: &[(&str, &str)] = match upsample.method {
        UpsampleMethod::Nearest => &[
            ("mode", "nearest"),
            ("coordinate_transformation_mode", "asymmetric"),
            ("nearest_mode", "floor"),
        ],
        UpsampleMethod::Bilinear => &[("mode", "linear"), ("coordinate_transformation_mode", "half_pixel")],
    };
    let attributes = words.iter().map(|(name, value)| word(name, value)).collect();
    writer.node("Resize", &[&place.inputs[0], "", &scales], &place.output, attributes);
    Ok(())
}

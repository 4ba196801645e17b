//! Operators that add and multiply: arithmetic of values, products with weights, norms, means.

use super::build::Builder;
use super::call::Call;
use super::value::{Flow, Known, Value};
use crate::Result;
use crate::nn::layer::{
    Add, BatchNorm, Conv2d, Div, GlobalAvgPool, Linear, LocalResponseNorm, Mean, Mul, Scale, Sub,
};
use crate::nn::{Shape, Tensor};

/// The value of such a node.
pub(super) fn of(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    match call.op() {
        "Sum" => sum(builder, call),
        "Add" | "Sub" | "Mul" | "Div" => arithmetic(builder, call),
        "Gemm" => gemm(builder, call),
        "MatMul" => product(builder, call),
        "BatchNormalization" => batch_norm(builder, call),
        "LRN" => {
            let norm = LocalResponseNorm {
                size: call.size("size")?,
                alpha: call.float("alpha", 1e-4),
                beta: call.float("beta", 0.75),
                k: call.float("bias", 1.0),
            };
            if norm.size.is_multiple_of(2) {
                return Err(call
                    .unsupported("an even `size`, which has one channel more after a value than before")
                    .with_hint("an odd `size`"));
            }
            builder.layer("local-response-norm", &norm, &[call.flow(0)?], Vec::new())
        }
        _ => reduce(builder, call),
    }
}

fn sum(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let of = |value: &Value| if let Value::Flow(flow) = value { Some(*flow) } else { None };
    let beside = call.inputs.iter().flatten().find_map(of).ok_or_else(|| call.unsupported("no input"))?;
    let mut flows = Vec::new();
    for value in call.inputs.iter().flatten() {
        flows.push(match value {
            Value::Flow(flow) => *flow,
            Value::Known(known) => constant(builder, call, known, beside)?,
        });
    }
    match flows[..] {
        [flow] => Ok(flow),
        _ => builder.layer("add", &Add {}, &flows, Vec::new()),
    }
}

fn arithmetic(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    match (call.input(0), call.input(1)) {
        (Some(Value::Flow(a)), Some(Value::Flow(b))) => pair(builder, call, *a, *b),
        (Some(Value::Flow(x)), Some(Value::Known(known))) => {
            let known = &aligned(call, known, *x)?;
            if known.count() == 1 && known.dims.len() <= x.shape.len() + 1 {
                let value = known.number()?;
                let (factor, offset) = match call.op() {
                    "Add" => (1.0, value),
                    "Sub" => (1.0, -value),
                    "Mul" => (value, 0.0),
                    _ => (1.0 / value, 0.0),
                };
                return scale(builder, call, *x, factor, offset);
            }
            if call.op() == "Add" && call.is_only_reader && add_bias(builder, *x, known)? {
                return Ok(*x);
            }
            let constant = constant(builder, call, known, *x)?;
            pair(builder, call, *x, constant)
        }
        (Some(Value::Known(known)), Some(Value::Flow(x))) => {
            if known.count() == 1 && known.dims.len() <= x.shape.len() + 1 && call.op() != "Div" {
                let value = known.number()?;
                let (factor, offset) = match call.op() {
                    "Add" => (1.0, value),
                    "Sub" => (-1.0, value),
                    _ => (value, 0.0),
                };
                return scale(builder, call, *x, factor, offset);
            }
            let constant = constant(builder, call, known, *x)?;
            pair(builder, call, constant, *x)
        }
        _ => Err(call.unsupported("an input is missing")),
    }
}

/// Before opset 7 an axis says where the second input begins.
fn aligned(call: &Call<'_>, known: &Known, x: Flow) -> Result<Known> {
    let rank = x.shape.len() + 1;
    if call.opset >= 7 || call.int("broadcast", 0) == 0 || call.int("axis", -1) < 0 {
        return Ok(known.clone());
    }
    let axis = call.axis(call.int("axis", 0), rank)?;
    let after = rank.saturating_sub(axis + known.dims.len());
    known.reshaped([vec![1; axis], known.dims.clone(), vec![1; after]].concat())
}

/// Known numbers as a layer, named as they are.
fn constant(builder: &mut Builder, call: &Call<'_>, known: &Known, beside: Flow) -> Result<Flow> {
    let wanted = builder.wanted.clone();
    let name = call.node.input.iter().find_map(|name| name.strip_suffix(".value"));
    builder.wanted = name.map_or_else(|| format!("{wanted}.constant"), str::to_owned);
    let constant = builder.constant(known, beside.shape.len());
    builder.wanted = wanted;
    constant
}

fn pair(builder: &mut Builder, call: &Call<'_>, a: Flow, b: Flow) -> Result<Flow> {
    match call.op() {
        "Add" => builder.layer("add", &Add {}, &[a, b], Vec::new()),
        "Sub" => builder.layer("sub", &Sub {}, &[a, b], Vec::new()),
        "Mul" => builder.layer("mul", &Mul {}, &[a, b], Vec::new()),
        _ => builder.layer("div", &Div {}, &[a, b], Vec::new()),
    }
}

/// A factor or an offset for all values. After a factor that nothing else reads an offset joins it.
fn scale(builder: &mut Builder, call: &Call<'_>, x: Flow, factor: f32, offset: f32) -> Result<Flow> {
    if factor == 1.0
        && call.is_only_reader
        && let Some(before) = builder.origin(x, "scale")
        && before.table.get("offset").and_then(toml::Value::as_float) == Some(0.0)
    {
        let wide = offset.to_string().parse::<f64>().unwrap_or_else(|_| offset.into());
        before.table.insert("offset".into(), wide.into());
        return Ok(x);
    }
    builder.layer("scale", &Scale { factor, offset }, &[x], Vec::new())
}

/// A number for each output that is added to what a layer of weights gives is its bias.
fn add_bias(builder: &mut Builder, x: Flow, known: &Known) -> Result<bool> {
    let wanted: Vec<usize> = match *x.shape {
        [out] => vec![out],
        [out, _, _] => vec![out, 1, 1],
        _ => return Ok(false),
    };
    let extra = known.dims.len().saturating_sub(wanted.len());
    if extra > 1 || known.dims[..extra] != vec![1; extra] || known.dims[extra..] != wanted {
        return Ok(false);
    }
    for kind in ["linear", "conv2d"] {
        if let Some(layer) = builder.origin(x, kind)
            && layer.table.get("bias") == Some(&toml::Value::Boolean(false))
        {
            layer.table.insert("bias".into(), true.into());
            let bias = Tensor::from_vec(Shape::new(&[x.shape[0]])?, known.floats())?;
            layer.weights.push(("bias", bias));
            return Ok(true);
        }
    }
    Ok(false)
}

/// A matrix with its axes changed.
fn transposed(matrix: &Tensor) -> Result<Tensor> {
    let (rows, columns) = (matrix.shape()[0], matrix.shape()[1]);
    let shape = Shape::new(&[columns, rows])?;
    Ok(Tensor::from_fn(shape, |i| matrix.data()[i % rows.max(1) * columns + i / rows.max(1)]))
}

fn matrix(call: &Call<'_>, known: &Known) -> Result<Tensor> {
    match known.dims.len() {
        2 => known.tensor(),
        _ => Err(call.unsupported(format!("expected a matrix of weights, got {:?}", known.dims))),
    }
}

fn gemm(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let (x, mut weight) = (call.flow(0)?, matrix(call, call.known(1)?)?);
    if call.int("transA", 0) != 0 {
        return Err(call
            .unsupported("`transA`, which puts the batch behind")
            .with_hint("`Transpose` of the weights"));
    }
    if call.int("transB", 0) == 0 {
        weight = transposed(&weight)?;
    }
    let (alpha, beta) = (call.float("alpha", 1.0), call.float("beta", 1.0));
    if alpha != 1.0 {
        weight.data_mut().iter_mut().for_each(|value| *value *= alpha);
    }
    let out = weight.shape()[0];
    let mut weights = vec![("weight", weight)];
    if let Some(bias) = call.known_or_none(2)? {
        let rows = bias.count() / bias.dims.last().copied().unwrap_or(1).max(1);
        let mut values = bias.floats();
        if values.len() == 1 {
            values = vec![values[0]; out];
        }
        if values.len() != out || rows > 1 {
            return Err(call.unsupported(format!("a bias of {:?} for {out} outputs", bias.dims)));
        }
        for value in &mut values {
            *value *= beta;
        }
        weights.push(("bias", Tensor::from_vec(Shape::new(&[out])?, values)?));
    }
    builder.layer("linear", &Linear { out, bias: weights.len() > 1 }, &[x], weights)
}

/// The product with a matrix along the last axis.
fn product(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let (x, weight) = (call.flow(0)?, transposed(&matrix(call, call.known(1)?)?)?);
    let (out, features) = (weight.shape()[0], weight.shape()[1]);
    let rank = x.shape.len();
    if x.shape[rank - 1] != features {
        return Err(call.unsupported(format!("samples of {} and {features} rows of weights", x.shape)));
    }
    if rank == 1 {
        return builder.layer("linear", &Linear { out, bias: false }, &[x], vec![("weight", weight)]);
    }
    // Each position by itself: a convolution with filters of one pixel over the last axis as channels.
    let (there, back) = super::map::first(rank - 1, rank);
    let y = builder.transpose(x, &there)?;
    let mut lengths = y.shape.to_vec();
    let y = builder.reshape(y, &[features, lengths[1..].iter().product(), 1])?;
    let conv = Conv2d { bias: false, ..Conv2d::new(out, 1) };
    let weight = weight.reshaped(Shape::new(&[out, features, 1, 1])?)?;
    let y = builder.layer("conv2d", &conv, &[y], vec![("weight", weight)])?;
    lengths[0] = out;
    let y = builder.reshape(y, &lengths)?;
    builder.transpose(y, &back)
}

fn batch_norm(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    call.one_output()?;
    if call.int("training_mode", 0) != 0 || call.int("spatial", 1) == 0 {
        return Err(call
            .unsupported("`training_mode` or `spatial = 0`")
            .with_hint("export the model for inference"));
    }
    let x = call.flow(0)?;
    let names = ["weight", "bias", "running_mean", "running_var"];
    let mut weights = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        weights.push((name, call.known(index + 1)?.tensor()?));
    }
    // ONNX tells the share that stays, in floats: 0.9 is meant to leave 0.1.
    let momentum = 1.0 - f64::from(call.float("momentum", 0.9));
    let momentum = ((momentum * 1e6).round() / 1e6).clamp(0.0, 1.0) as f32;
    builder.layer("batch-norm", &BatchNorm { eps: call.float("epsilon", 1e-5), momentum }, &[x], weights)
}

fn reduce(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let x = call.flow(0)?;
    let axes = call.list("axes", 1)?.unwrap_or_default();
    if axes.is_empty() {
        if call.int("noop_with_empty_axes", 0) != 0 {
            return Ok(x);
        }
        return Err(call.unsupported("all axes at once, that of the batch too").with_hint("axes from 1 on"));
    }
    let mut axes = axes.iter().map(|&axis| call.sample_axis(axis, x)).collect::<Result<Vec<_>>>()?;
    axes.sort_unstable();
    axes.dedup();
    let count: usize = axes.iter().map(|&axis| x.shape[axis]).product();
    let kept: Vec<usize> =
        (0..x.shape.len()).map(|axis| if axes.contains(&axis) { 1 } else { x.shape[axis] }).collect();
    let mut y = if x.shape.len() > 1 && axes.iter().copied().eq(1..x.shape.len()) {
        builder.layer("global-avg-pool", &GlobalAvgPool {}, &[x], Vec::new())?
    } else {
        builder.layer("mean", &Mean { axes: axes.clone() }, &[x], Vec::new())?
    };
    if call.op() == "ReduceSum" {
        y = builder.step("scale", &Scale { factor: count as f32, offset: 0.0 }, &[y])?;
    }
    if call.int("keepdims", 1) != 0 {
        return builder.reshape(y, &kept);
    }
    let left: Vec<usize> =
        (0..x.shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| x.shape[axis]).collect();
    if left.is_empty() {
        return Err(call
            .unsupported("a sample would be one number without axes")
            .with_hint("`keepdims = 1`"));
    }
    builder.reshape(y, &left)
}

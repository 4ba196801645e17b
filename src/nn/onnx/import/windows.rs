//! Operators whose windows slide: convolutions and pools.

use super::build::Builder;
use super::call::Call;
use super::value::{Flow, Known};
use crate::nn::layer::{AvgPool, Conv1d, Conv2d, ConvTranspose2d, GlobalAvgPool, MaxOverTime, MaxPool};
use crate::nn::{Padding, Pair, Shape, Tensor};
use crate::{Error, Result};

/// The value of such a node.
pub(super) fn of(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let x = call.flow(0)?;
    match call.op() {
        "GlobalAveragePool" | "GlobalMaxPool" => {
            let channels = x.shape[0];
            let y = if call.op() == "GlobalMaxPool" {
                let line = builder.reshape(x, &[channels, x.shape.sample().count()])?;
                builder.layer("max-over-time", &MaxOverTime {}, &[line], Vec::new())?
            } else {
                builder.layer("global-avg-pool", &GlobalAvgPool {}, &[x], Vec::new())?
            };
            let lengths: Vec<usize> =
                x.shape.iter().enumerate().map(|(axis, &len)| if axis == 0 { len } else { 1 }).collect();
            builder.reshape(y, &lengths)
        }
        "Conv" => conv(builder, call, x),
        "ConvTranspose" => transposed(builder, call, x),
        _ => pool(builder, call, x),
    }
}

/// A window over an image, or over a sequence as an image of one row.
struct Window {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Top, left, bottom, right.
    sides: [usize; 4],
    is_line: bool,
}

/// Vertical and horizontal, where a sequence has the latter alone.
fn both(values: &[usize], default: usize) -> [usize; 2] {
    match *values {
        [across] => [default, across],
        [down, across, ..] => [down, across],
        [] => [default; 2],
    }
}

/// One number where both are the same.
fn short([down, across]: [usize; 2]) -> Pair {
    if down == across { Pair::One(down) } else { Pair::Two([down, across]) }
}

fn padding(sides: [usize; 4]) -> Padding {
    if sides.iter().all(|&side| side == sides[0]) { Padding::All(sides[0]) } else { Padding::Sides(sides) }
}

impl Window {
    /// The window of a node with filters of this size, over samples of this shape.
    fn of(call: &Call<'_>, kernel: &[usize], shape: Shape) -> Result<Self> {
        let rank = kernel.len();
        if shape.len() != rank + 1 || !(1..=2).contains(&rank) {
            return Err(call
                .unsupported(format!("windows of {kernel:?} over samples of {shape}"))
                .with_hint(
                    "sequences `[channels, length]` and images `[channels, height, width]` are read",
                ));
        }
        let (stride, dilation) = (call.sizes("strides", rank, 1)?, call.sizes("dilations", rank, 1)?);
        if stride.contains(&0) || dilation.contains(&0) || kernel.contains(&0) {
            return Err(call.unsupported("a kernel, stride or dilation of 0"));
        }
        let pads = match call.word("auto_pad", "NOTSET").as_str() {
            "NOTSET" => call.sizes("pads", 2 * rank, 0)?,
            "VALID" => vec![0; 2 * rank],
            same @ ("SAME_UPPER" | "SAME_LOWER") => {
                let mut pads = vec![0; 2 * rank];
                for axis in 0..rank {
                    let len = shape[axis + 1];
                    let reach = dilation[axis].saturating_mul(kernel[axis] - 1).saturating_add(1);
                    let way = (len.div_ceil(stride[axis]).max(1) - 1).saturating_mul(stride[axis]);
                    let total = way.saturating_add(reach).saturating_sub(len);
                    let (less, more) = (total / 2, total - total / 2);
                    (pads[axis], pads[axis + rank]) =
                        if same == "SAME_UPPER" { (less, more) } else { (more, less) };
                }
                pads
            }
            other => return Err(call.unsupported(format!("`auto_pad = {other}`"))),
        };
        let sides = if rank == 1 { [0, pads[0], 0, pads[1]] } else { [pads[0], pads[1], pads[2], pads[3]] };
        Ok(Self {
            kernel: both(kernel, 1),
            stride: both(&stride, 1),
            dilation: both(&dilation, 1),
            sides,
            is_line: rank == 1,
        })
    }

    /// A sequence as an image of one row.
    fn lifted(&self, builder: &mut Builder, x: Flow) -> Result<Flow> {
        if self.is_line { builder.reshape(x, &[x.shape[0], 1, x.shape[1]]) } else { Ok(x) }
    }

    /// And back.
    fn lowered(&self, builder: &mut Builder, y: Flow) -> Result<Flow> {
        if self.is_line { builder.reshape(y, &[y.shape[0], y.shape[2]]) } else { Ok(y) }
    }
}

/// The weights of a convolution, whose size has to be what the node says, and the bias.
fn filters<'a>(call: &'a Call<'_>) -> Result<(&'a Known, Option<Tensor>)> {
    let weight = call.known(1)?;
    if weight.dims.len() < 3 {
        return Err(call.unsupported(format!("weights of {:?}", weight.dims)));
    }
    let kernel = &weight.dims[2..];
    if call.sizes("kernel_shape", kernel.len(), 0)? != kernel && call.ints("kernel_shape").is_some() {
        return Err(Error::input(format!("weights of {:?} for another `kernel_shape`", weight.dims)));
    }
    Ok((weight, call.known_or_none(2)?.map(Known::tensor).transpose()?))
}

fn weights(weight: Tensor, bias: Option<Tensor>) -> Vec<(&'static str, Tensor)> {
    std::iter::once(("weight", weight)).chain(bias.map(|bias| ("bias", bias))).collect()
}

fn groups(call: &Call<'_>) -> Result<usize> {
    usize::try_from(call.int("group", 1)).map_err(|_| call.unsupported("a `group` below 0"))
}

fn conv(builder: &mut Builder, call: &Call<'_>, x: Flow) -> Result<Flow> {
    let (weight, bias) = filters(call)?;
    let (out, kernel) = (weight.dims[0], &weight.dims[2..]);
    let window = Window::of(call, kernel, x.shape)?;
    let (has_bias, weight, groups) = (bias.is_some(), weight.tensor()?, groups(call)?);
    let [_, left, _, right] = window.sides;
    if window.is_line && left == right {
        let conv = Conv1d {
            padding: left,
            stride: window.stride[1],
            dilation: window.dilation[1],
            groups,
            bias: has_bias,
            ..Conv1d::new(out, window.kernel[1])
        };
        return builder.layer("conv1d", &conv, &[x], weights(weight, bias));
    }
    let conv = Conv2d {
        out,
        kernel: short(window.kernel),
        padding: padding(window.sides),
        stride: short(window.stride),
        dilation: short(window.dilation),
        groups,
        bias: has_bias,
        connections: None,
    };
    let shape = weight.shape();
    let weight = weight.reshaped(Shape::new(&[out, shape[1], window.kernel[0], window.kernel[1]])?)?;
    let y = window.lifted(builder, x)?;
    let y = builder.layer("conv2d", &conv, &[y], weights(weight, bias))?;
    window.lowered(builder, y)
}

fn transposed(builder: &mut Builder, call: &Call<'_>, x: Flow) -> Result<Flow> {
    let (weight, bias) = filters(call)?;
    let kernel = &weight.dims[2..];
    let rank = kernel.len();
    let auto = call.word("auto_pad", "NOTSET");
    let mut window = Window::of(call, kernel, x.shape)?;
    let mut growth = both(&call.sizes("output_padding", rank, 0)?, 0);
    let size = match call.ints("output_shape") {
        // Some writers list batch and channels too.
        Some(size) => Some(size[size.len().saturating_sub(rank)..].to_vec()),
        None if auto.starts_with("SAME") => {
            let axes = 0..rank;
            Some(axes.map(|axis| (x.shape[axis + 1] * both_axis(&window, axis, rank).1) as i64).collect())
        }
        None => None,
    };
    if let Some(size) = size {
        if size.len() != rank {
            return Err(call.unsupported(format!("`output_shape` of {size:?}")));
        }
        for axis in 0..rank {
            let at = axis + 2 - rank;
            let (reach, stride) = both_axis(&window, axis, rank);
            let full = (x.shape[axis + 1].max(1) - 1).saturating_mul(stride).saturating_add(reach);
            let total = (full.saturating_add(growth[at])) as i64 - size[axis];
            let (pad, grow) = (total.max(0) as usize, total.saturating_neg().max(0) as usize);
            growth[at] = growth[at].saturating_add(grow);
            let (less, more) = (pad / 2, pad - pad / 2);
            (window.sides[at], window.sides[at + 2]) =
                if auto == "SAME_UPPER" { (less, more) } else { (more, less) };
        }
    }
    let (weight, groups) = (weight.tensor()?, groups(call)?);
    let shape = weight.shape();
    let conv = ConvTranspose2d {
        out: shape[1].saturating_mul(groups),
        kernel: short(window.kernel),
        padding: padding(window.sides),
        output_padding: short(growth),
        stride: short(window.stride),
        dilation: short(window.dilation),
        groups,
        bias: bias.is_some(),
    };
    let weight = weight.reshaped(Shape::new(&[shape[0], shape[1], window.kernel[0], window.kernel[1]])?)?;
    let y = window.lifted(builder, x)?;
    let y = builder.layer("conv-transpose2d", &conv, &[y], weights(weight, bias))?;
    window.lowered(builder, y)
}

/// How far the taps along one of `rank` axes reach, and the stride.
fn both_axis(window: &Window, axis: usize, rank: usize) -> (usize, usize) {
    let at = axis + 2 - rank;
    (window.dilation[at].saturating_mul(window.kernel[at] - 1).saturating_add(1), window.stride[at])
}

fn pool(builder: &mut Builder, call: &Call<'_>, x: Flow) -> Result<Flow> {
    call.one_output()?;
    let kernel = call.ints("kernel_shape").ok_or_else(|| call.unsupported("it says no `kernel_shape`"))?;
    let kernel = call.sizes("kernel_shape", kernel.len(), 1)?;
    let window = Window::of(call, &kernel, x.shape)?;
    if window.dilation != [1, 1] && call.op() != "MaxPool" {
        return Err(call
            .unsupported("taps with `dilations`")
            .with_hint("a pool whose taps lie side by side"));
    }
    let (size, stride, sides) = (short(window.kernel), short(window.stride), padding(window.sides));
    let ceil_mode = call.int("ceil_mode", 0) != 0;
    let stride = (stride != size).then_some(stride);
    let y = window.lifted(builder, x)?;
    let y = if call.op() == "MaxPool" {
        let pool =
            MaxPool { kernel: size, stride, padding: sides, ceil_mode, dilation: short(window.dilation) };
        builder.layer("max-pool", &pool, &[y], Vec::new())?
    } else {
        let count_include_pad = call.int("count_include_pad", 0) != 0;
        let pool = AvgPool { kernel: size, stride, padding: sides, ceil_mode, count_include_pad };
        builder.layer("avg-pool", &pool, &[y], Vec::new())?
    };
    window.lowered(builder, y)
}

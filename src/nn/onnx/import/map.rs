//! Operators that work value by value, and softmax.

use super::build::Builder;
use super::call::Call;
use super::value::{Flow, Value};
use crate::Result;
use crate::nn::layer::{Clip, Dropout, Elu, LeakyRelu, Mul, Relu, Scale, Sigmoid, Softmax, Sub, Tanh};

/// The value of such a node.
pub(super) fn of(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let x = call.flow(0)?;
    match call.op() {
        "Relu" => builder.layer("relu", &Relu {}, &[x], Vec::new()),
        "Sigmoid" => builder.layer("sigmoid", &Sigmoid {}, &[x], Vec::new()),
        "Tanh" => builder.layer("tanh", &Tanh {}, &[x], Vec::new()),
        "LeakyRelu" => {
            let slope = call.float("alpha", 0.01);
            builder.layer("leaky-relu", &LeakyRelu { slope }, &[x], Vec::new())
        }
        "Elu" => builder.layer("elu", &Elu { alpha: call.float("alpha", 1.0) }, &[x], Vec::new()),
        "Selu" => {
            // The numbers of Klambauer et al. (2017).
            let (alpha, gamma) = (call.float("alpha", 1.673_263_2), call.float("gamma", 1.050_701));
            let y = builder.layer("elu", &Elu { alpha }, &[x], Vec::new())?;
            builder.step("scale", &Scale { factor: gamma, offset: 0.0 }, &[y])
        }
        "Neg" => builder.layer("scale", &Scale { factor: -1.0, offset: 0.0 }, &[x], Vec::new()),
        "HardSigmoid" => hard_sigmoid(builder, x, call.float("alpha", 0.2), call.float("beta", 0.5)),
        "HardSwish" => {
            let gate = hard_sigmoid(builder, x, 1.0 / 6.0, 0.5)?;
            builder.layer("mul", &Mul {}, &[x, gate], Vec::new())
        }
        "PRelu" => {
            // relu(x) - slope * relu(-x), with the slope as a constant that learns.
            let mut known = call.known(1)?.clone();
            // Before opset 7 one slope is that of a channel.
            if call.opset < 7 && known.dims == [x.shape[0]] {
                let dims = std::iter::once(x.shape[0]).chain(x.shape.iter().skip(1).map(|_| 1)).collect();
                known = known.reshaped(dims)?;
            }
            let up = builder.layer("relu", &Relu {}, &[x], Vec::new())?;
            let down = builder.step("scale", &Scale { factor: -1.0, offset: 0.0 }, &[x])?;
            let down = builder.step("relu", &Relu {}, &[down])?;
            let slope = builder.constant(&known, x.shape.len())?;
            let down = builder.step("mul", &Mul {}, &[down, slope])?;
            builder.step("sub", &Sub {}, &[up, down])
        }
        "Clip" => {
            let bound = |name: &str, index: usize| -> Result<Option<f32>> {
                let attribute = call.node.attribute.iter().find(|attribute| attribute.name == name);
                match attribute.and_then(|attribute| attribute.f) {
                    Some(value) => Ok(Some(value)),
                    None => call.known_or_none(index)?.map(super::value::Known::number).transpose(),
                }
            };
            let (min, max) = (bound("min", 1)?, bound("max", 2)?);
            let clip =
                Clip { min: min.filter(|&min| min > f32::MIN), max: max.filter(|&max| max < f32::MAX) };
            builder.layer("clip", &clip, &[x], Vec::new())
        }
        "Dropout" => dropout(builder, call, x),
        _ => softmax(builder, call, x),
    }
}

fn hard_sigmoid(builder: &mut Builder, x: Flow, factor: f32, offset: f32) -> Result<Flow> {
    let y = builder.step("scale", &Scale { factor, offset }, &[x])?;
    builder.layer("clip", &Clip { min: Some(0.0), max: Some(1.0) }, &[y], Vec::new())
}

fn dropout(builder: &mut Builder, call: &Call<'_>, x: Flow) -> Result<Flow> {
    call.one_output()?;
    if let Some(Value::Known(training)) = call.input(2)
        && training.number()? != 0.0
    {
        return Err(call.unsupported("it drops values outside of training"));
    }
    let ratio = call.known_or_none(1)?.map(super::value::Known::number).transpose()?;
    let p = ratio.unwrap_or_else(|| call.float("ratio", 0.5));
    builder.layer("dropout", &Dropout { p }, &[x], Vec::new())
}

fn softmax(builder: &mut Builder, call: &Call<'_>, x: Flow) -> Result<Flow> {
    let lengths = x.shape.to_vec();
    if call.opset >= 13 {
        let axis = call.sample_axis(call.int("axis", -1), x)?;
        return softmax_along(builder, x, axis);
    }
    // Before opset 13 all axes from one on are taken together.
    let axis = call.sample_axis(call.int("axis", 1), x)?;
    let (before, rest) = (lengths[..axis].iter().product(), lengths[axis..].iter().product());
    let flat = if before == 1 { vec![rest] } else { vec![before, rest] };
    let y = builder.reshape(x, &flat)?;
    let y = softmax_along(builder, y, flat.len() - 1)?;
    builder.reshape(y, &lengths)
}

/// Softmax along any axis of a sample: that of the channels after a change of places.
fn softmax_along(builder: &mut Builder, x: Flow, axis: usize) -> Result<Flow> {
    let (there, back) = first(axis, x.shape.len());
    let y = builder.transpose(x, &there)?;
    let y = builder.layer("softmax", &Softmax {}, &[y], Vec::new())?;
    builder.transpose(y, &back)
}

/// The order of axes that puts one of them first, and the one that puts it back.
pub(super) fn first(axis: usize, rank: usize) -> (Vec<usize>, Vec<usize>) {
    let there: Vec<usize> = std::iter::once(axis).chain((0..rank).filter(|&other| other != axis)).collect();
    let back = (0..rank).filter_map(|axis| there.iter().position(|&from| from == axis)).collect();
    (there, back)
}

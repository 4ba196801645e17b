//! Operators that move values: other shapes, parts, and what is joined.

use super::super::proto::ty;
use super::build::Builder;
use super::call::Call;
use super::fold;
use super::map::first;
use super::value::{Flow, Known, Value};
use crate::Result;
use crate::nn::layer::{Concat, Embedding, Pad, PadMode, Slice};

/// The most indices of a `Gather` that do not lie evenly.
const MOST_PICKED: usize = 64;

/// The value of such a node.
pub(super) fn of(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    match call.op() {
        "Concat" => concat(builder, call),
        "Gather" => gather(builder, call),
        "Pad" => pad(builder, call),
        "Slice" => slice(builder, call),
        "Identity" => call.flow(0),
        "Cast" => cast(call),
        "Transpose" => {
            let x = call.flow(0)?;
            let order = fold::permutation(call, x.shape.len() + 1)?;
            if order[0] != 0 {
                return Err(call
                    .unsupported("it moves the axis of the batch")
                    .with_hint("keep that axis first"));
            }
            builder.transpose(x, &order[1..].iter().map(|axis| axis - 1).collect::<Vec<_>>())
        }
        _ => reshape(builder, call),
    }
}

fn cast(call: &Call<'_>) -> Result<Flow> {
    let x = call.flow(0)?;
    match i32::try_from(call.int("to", 1)).unwrap_or_default() {
        // Computed with singles, whatever the file says.
        ty::FLOAT | ty::FLOAT16 | ty::DOUBLE | ty::BFLOAT16 => Ok(Flow { is_words: false, ..x }),
        ty::INT32 | ty::INT64 => Ok(Flow { is_words: true, ..x }),
        other => Err(call.unsupported(format!("type {other}, which rounds")).with_hint("a net in float")),
    }
}

/// `Reshape`, `Flatten`, `Squeeze` and `Unsqueeze`.
fn reshape(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let x = call.flow(0)?;
    let batch = builder.batch;
    let dims: Vec<i64> = std::iter::once(batch).chain(x.shape.iter().map(|&len| len as i64)).collect();
    let mut open = None;
    let lengths: Vec<i64> = match call.op() {
        "Reshape" => {
            let told = match call.ints("shape") {
                Some(shape) => shape,
                None => call.known(1)?.whole()?.to_vec(),
            };
            open = told.iter().skip(1).position(|len| *len == -1);
            fold::reshape(call, &dims, &told)?
        }
        "Flatten" => {
            let axis = call.int("axis", 1);
            let axis = if axis == dims.len() as i64 { dims.len() } else { call.axis(axis, dims.len())? };
            let product = |dims: &[i64]| dims.iter().product::<i64>();
            vec![product(&dims[..axis]), product(&dims[axis..])]
        }
        "Squeeze" => {
            let axes = match call.list("axes", 1)? {
                Some(axes) => axes.iter().map(|&axis| call.axis(axis, dims.len())).collect::<Result<_>>()?,
                None => (0..dims.len()).filter(|&axis| dims[axis] == 1).collect::<Vec<_>>(),
            };
            if axes.iter().any(|&axis| dims[axis] != 1) {
                return Err(call.unsupported(format!("axes {axes:?} of {} are not all of length 1", x.shape)));
            }
            (0..dims.len()).filter(|axis| !axes.contains(axis)).map(|axis| dims[axis]).collect()
        }
        _ => {
            let lengths: Vec<usize> = dims.iter().map(|&len| len as usize).collect();
            fold::unsqueezed(call, &lengths)?.into_iter().map(|len| len as i64).collect()
        }
    };
    let sample: Option<Vec<usize>> = lengths.iter().skip(1).map(|&len| usize::try_from(len).ok()).collect();
    match sample {
        Some(sample) if lengths.first() == Some(&batch) && !sample.is_empty() => {
            let y = builder.reshape(x, &sample)?;
            if let Some(axis) = open {
                builder.leave_open(y, axis);
            }
            Ok(y)
        }
        _ => Err(call
            .unsupported("the first axis would no longer be that of the batch, or the only one")
            .with_hint("export the model with an open batch axis")),
    }
}

/// A slice as a layer, where it is not the whole axis.
fn part(builder: &mut Builder, x: Flow, slice: Slice) -> Result<Flow> {
    if slice.start == 0 && slice.step == 1 && x.shape.get(slice.axis) == Some(&slice.count) {
        return Ok(x);
    }
    builder.layer("slice", &slice, &[x], Vec::new())
}

fn slice(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let x = call.flow(0)?;
    let batch = builder.batch as usize;
    let dims: Vec<usize> = std::iter::once(batch).chain(x.shape.iter().copied()).collect();
    let mut y = x;
    for slice in slicing(call, &dims)? {
        if slice.axis == 0 {
            if slice.start == 0 && slice.step == 1 && slice.count == batch {
                continue;
            }
            return Err(call.unsupported("it takes samples of the batch"));
        }
        if slice.count == 0 {
            return Err(call.unsupported("nothing is left"));
        }
        y = part(builder, y, Slice { axis: slice.axis - 1, ..slice })?;
    }
    Ok(y)
}

/// The parts of a `Split`.
pub(super) fn split(builder: &mut Builder, call: &Call<'_>) -> Result<Vec<Flow>> {
    let x = call.flow(0)?;
    let axis = call.sample_axis(call.int("axis", 0), x)?;
    let len = x.shape[axis];
    let parts = call.node.output.len();
    let counts: Vec<usize> = match call.list("split", 1)? {
        Some(list) => list.iter().map(|&count| usize::try_from(count).unwrap_or(usize::MAX)).collect(),
        None => {
            let each = len.div_ceil(parts.max(1));
            (0..parts).map(|part| len.saturating_sub(part * each).min(each)).collect()
        }
    };
    if counts.len() != parts
        || counts.iter().try_fold(0usize, |sum, &count| sum.checked_add(count)) != Some(len)
    {
        return Err(call.unsupported(format!("an axis of {len} in parts of {counts:?}")));
    }
    let mut start = 0;
    let mut flows = Vec::new();
    for count in counts {
        if count == 0 {
            return Err(call.unsupported("a part without values"));
        }
        flows.push(part(builder, x, Slice { axis, start, count, step: 1 })?);
        start += count;
    }
    Ok(flows)
}

/// Joins along any axis of a sample: that of the channels after a change of places.
fn join(builder: &mut Builder, flows: &[Flow], axis: usize) -> Result<Flow> {
    if let [flow] = flows {
        return Ok(*flow);
    }
    let (there, back) = first(axis, flows[0].shape.len());
    let mut turned = Vec::new();
    for &flow in flows {
        turned.push(builder.transpose(flow, &there)?);
    }
    let y = builder.layer("concat", &Concat {}, &turned, Vec::new())?;
    builder.transpose(y, &back)
}

fn concat(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let of = |value: &Value| if let Value::Flow(flow) = value { Some(*flow) } else { None };
    let beside = call.inputs.iter().flatten().find_map(of).ok_or_else(|| call.unsupported("no input"))?;
    let axis = call.sample_axis(call.int("axis", 1), beside)?;
    let mut flows = Vec::new();
    for value in call.inputs.iter().flatten() {
        flows.push(match value {
            Value::Flow(flow) => *flow,
            Value::Known(known) => builder.constant(known, beside.shape.len())?,
        });
    }
    if let Some(other) = flows.iter().find(|flow| flow.shape.len() != beside.shape.len()) {
        return Err(call.unsupported(format!("samples of {} and {}", beside.shape, other.shape)));
    }
    join(builder, &flows, axis)
}

fn gather(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    match (call.input(0), call.input(1)) {
        (Some(Value::Known(vectors)), Some(Value::Flow(words))) => embedding(builder, call, vectors, *words),
        _ => picked(builder, call, call.flow(0)?, call.known(1)?),
    }
}

/// Vectors of words.
fn embedding(builder: &mut Builder, call: &Call<'_>, vectors: &Known, words: Flow) -> Result<Flow> {
    let &[count, size] = &vectors.dims[..] else {
        return Err(call.unsupported(format!("vectors of {:?}", vectors.dims)));
    };
    if call.int("axis", 0) != 0 {
        return Err(call.unsupported("vectors along another axis than the first"));
    }
    let name = call.node.input.first().and_then(|name| name.strip_suffix(".weight"));
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        name.clone_into(&mut builder.wanted);
    }
    let line = builder.reshape(words, &[words.shape.count()])?;
    let spec = Embedding { count, size, padding: None };
    let y = builder.layer("embedding", &spec, &[line], vec![("weight", vectors.tensor()?)])?;
    let y = builder.transpose(y, &[1, 0])?;
    builder.reshape(y, &[&*words.shape, &[size]].concat())
}

/// Places of an axis in any order: where they lie evenly one slice, else one for each, joined.
pub(super) fn pick(
    builder: &mut Builder,
    call: &Call<'_>,
    x: Flow,
    axis: usize,
    places: &[usize],
) -> Result<Flow> {
    let [start, ..] = *places else { return Err(call.unsupported("no indices")) };
    let steps: Vec<i64> = places.windows(2).map(|pair| pair[1] as i64 - pair[0] as i64).collect();
    let step = steps.first().copied().unwrap_or(1);
    if step != 0 && steps.iter().all(|&other| other == step) {
        return part(builder, x, Slice { axis, start, count: places.len(), step });
    }
    if places.len() > MOST_PICKED {
        return Err(call.unsupported(format!("{} places that do not lie evenly", places.len())));
    }
    let mut parts = Vec::new();
    for &start in places {
        parts.push(part(builder, x, Slice { axis, start, count: 1, step: 1 })?);
    }
    join(builder, &parts, axis)
}

/// Known places of an axis.
fn picked(builder: &mut Builder, call: &Call<'_>, x: Flow, indices: &Known) -> Result<Flow> {
    let axis = call.sample_axis(call.int("axis", 0), x)?;
    let len = x.shape[axis];
    let places = indices.whole()?.iter().map(|&at| call.axis(at, len)).collect::<Result<Vec<_>>>()?;
    let y = pick(builder, call, x, axis, &places)?;
    let lengths = [&x.shape[..axis], &indices.dims[..], &x.shape[axis + 1..]].concat();
    if lengths.is_empty() {
        return Err(call
            .unsupported("a sample would be one number without axes")
            .with_hint("a list of one index"));
    }
    builder.reshape(y, &lengths)
}

fn pad(builder: &mut Builder, call: &Call<'_>) -> Result<Flow> {
    let x = call.flow(0)?;
    let rank = x.shape.len() + 1;
    let listed = match call.ints("paddings") {
        Some(pads) => pads,
        None => call.list("pads", 1)?.ok_or_else(|| call.unsupported("it says no `pads`"))?,
    };
    let axes = match call.known_or_none(3)? {
        Some(axes) => axes.whole()?.iter().map(|&axis| call.axis(axis, rank)).collect::<Result<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    if listed.len() != 2 * axes.len() {
        return Err(call.unsupported(format!("{} `pads` for {} axes", listed.len(), axes.len())));
    }
    let (mut before, mut after) = (vec![0; rank], vec![0; rank]);
    for (index, &axis) in axes.iter().enumerate() {
        (before[axis], after[axis]) = (listed[index], listed[index + axes.len()]);
    }
    if before[0] != 0 || after[0] != 0 {
        return Err(call.unsupported("more or fewer samples in the batch"));
    }
    let mode = match call.word("mode", "constant").as_str() {
        "constant" => PadMode::Constant,
        "reflect" => PadMode::Reflect,
        "edge" => PadMode::Edge,
        other => return Err(call.unsupported(format!("`mode = {other}`")).with_hint("`reflect` or `edge`")),
    };
    let value = match call.known_or_none(2)? {
        Some(known) => known.number()?,
        None => call.float("value", 0.0),
    };
    // Fewer places than none are a part of the axis.
    let mut y = x;
    for axis in 0..x.shape.len() {
        let cut = |pad: i64| usize::try_from(pad.saturating_neg()).unwrap_or(0);
        let (first, last) = (cut(before[axis + 1]), cut(after[axis + 1]));
        if first + last > 0 {
            let count = y.shape[axis].saturating_sub(first.saturating_add(last));
            y = part(builder, y, Slice { axis, start: first, count, step: 1 })?;
        }
    }
    let grow =
        |pads: &[i64]| pads[1..].iter().map(|&pad| usize::try_from(pad).unwrap_or(0)).collect::<Vec<_>>();
    let (before, after) = (grow(&before), grow(&after));
    if before.iter().chain(&after).all(|&count| count == 0) {
        return Ok(y);
    }
    builder.layer("pad", &Pad { before, after, mode, value }, &[y], Vec::new())
}

/// The parts that a `Slice` takes of axes of these lengths.
pub(super) fn slicing(call: &Call<'_>, dims: &[usize]) -> Result<Vec<Slice>> {
    let missing = || call.unsupported("it says not where it starts and ends");
    let starts = call.list("starts", 1)?.ok_or_else(missing)?;
    let ends = call.list("ends", 2)?.ok_or_else(missing)?;
    let axes = call.list("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.list("steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(call.unsupported("its lists are of unlike lengths"));
    }
    let mut slices = Vec::new();
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let axis = call.axis(axis, dims.len())?;
        let len = dims[axis] as i64;
        if step == 0 {
            return Err(call.unsupported("a step of 0"));
        }
        let from_end = |at: i64| if at < 0 { at.saturating_add(len) } else { at };
        // Forwards an end may be the length, backwards the place before the first.
        let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
        let start = from_end(start).clamp(low.max(0), high.max(0));
        let end = from_end(end).clamp(low, high);
        let way = if step > 0 { end - start } else { start - end };
        let count = if way > 0 { (way - 1) / step.saturating_abs() + 1 } else { 0 };
        slices.push(Slice { axis, start: start as usize, count: count as usize, step });
    }
    Ok(slices)
}

//! Nodes whose inputs are all known: they are computed at once.

use super::call::Call;
use super::instead::unknown;
use super::moves::slicing;
use super::value::{Data, Known, Value, count};
use crate::Result;

/// The value of a node whose inputs are all known.
pub(super) fn fold(call: &Call<'_>) -> Result<Known> {
    match call.op() {
        "Constant" => constant(call),
        "ConstantOfShape" => constant_of_shape(call),
        "Identity" | "Dropout" => call.known(0).cloned(),
        "Add" | "Sub" | "Mul" | "Div" => arithmetic(call, call.known(0)?, call.known(1)?),
        "Neg" => arithmetic(call, &Known::list(vec![0]), call.known(0)?),
        "Cast" => Ok(cast(call.known(0)?, call.int("to", 1))),
        "Floor" | "Ceil" => {
            let x = call.known(0)?;
            let round = if call.op() == "Floor" { f32::floor } else { f32::ceil };
            let values = x.floats().into_iter().map(round).collect();
            Known::new(x.dims.clone(), Data::Floats(values))
        }
        "Concat" => concat(call),
        "Gather" => gather(call),
        "Shape" => {
            let dims: Vec<i64> = call.known(0)?.dims.iter().map(|&len| len as i64).collect();
            Ok(Known::list(part(call, &dims)))
        }
        "Reshape" => {
            let (x, shape) = (call.known(0)?, call.known(1)?.whole()?);
            let dims: Vec<i64> = x.dims.iter().map(|&len| len as i64).collect();
            let dims = reshape(call, &dims, shape)?;
            let dims: Option<Vec<usize>> = dims.into_iter().map(|len| usize::try_from(len).ok()).collect();
            x.reshaped(dims.ok_or_else(|| call.unsupported("a length is below 0"))?)
        }
        "Transpose" => {
            let x = call.known(0)?;
            let perm = permutation(call, x.dims.len())?;
            let axes: Vec<_> = perm.into_iter().map(|axis| (axis, (0..x.dims[axis]).collect())).collect();
            x.picked(&axes)
        }
        "Unsqueeze" => {
            let x = call.known(0)?;
            x.reshaped(unsqueezed(call, &x.dims)?)
        }
        "Squeeze" => {
            let x = call.known(0)?;
            let axes = match call.list("axes", 1)? {
                Some(axes) => {
                    axes.iter().map(|&axis| call.axis(axis, x.dims.len())).collect::<Result<_>>()?
                }
                None => (0..x.dims.len()).filter(|&axis| x.dims[axis] == 1).collect::<Vec<_>>(),
            };
            let left = x.dims.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
            x.reshaped(left.map(|(_, &len)| len).collect())
        }
        "Slice" => {
            let x = call.known(0)?;
            let mut axes: Vec<(usize, Vec<usize>)> =
                x.dims.iter().enumerate().map(|(axis, &len)| (axis, (0..len).collect())).collect();
            for slice in slicing(call, &x.dims)? {
                let place = |i: usize| (slice.start as i64 + i as i64 * slice.step) as usize;
                axes[slice.axis].1 = (0..slice.count).map(place).collect();
            }
            x.picked(&axes)
        }
        _ => Err(unknown(call.node)),
    }
}

fn constant(call: &Call<'_>) -> Result<Known> {
    let [attribute, ..] = &call.node.attribute[..] else {
        return Err(call.unsupported("it has no value"));
    };
    match attribute.name.as_str() {
        "value" => Known::read(attribute.t.clone().ok_or_else(|| call.unsupported("it has no value"))?),
        "value_float" => Known::new(Vec::new(), Data::Floats(vec![attribute.f.unwrap_or_default()])),
        "value_floats" => Known::new(vec![attribute.floats.len()], Data::Floats(attribute.floats.clone())),
        "value_int" => Known::new(Vec::new(), Data::Whole(vec![attribute.i.unwrap_or_default()])),
        "value_ints" => Ok(Known::list(attribute.ints.clone())),
        other => Err(call.unsupported(format!("constants with `{other}` are not provided"))),
    }
}

fn constant_of_shape(call: &Call<'_>) -> Result<Known> {
    let dims: Option<Vec<usize>> =
        call.known(0)?.whole()?.iter().map(|&len| usize::try_from(len).ok()).collect();
    let dims = dims.ok_or_else(|| call.unsupported("a length is below 0"))?;
    let len = count(&dims)?;
    let value = call.node.attribute.iter().find_map(|attribute| attribute.t.clone());
    let data = match value.map(Known::read).transpose()?.map(|value| value.data) {
        Some(Data::Whole(values)) if values.len() == 1 => Data::Whole(vec![values[0]; len]),
        Some(Data::Floats(values)) if values.len() == 1 => Data::Floats(vec![values[0]; len]),
        Some(_) => return Err(call.unsupported("expected one number as its value")),
        None => Data::Floats(vec![0.0; len]),
    };
    Known::new(dims, data)
}

fn cast(x: &Known, to: i64) -> Known {
    let is_float = [1, 10, 11, 16].contains(&to);
    let data = match &x.data {
        Data::Whole(_) if is_float => Data::Floats(x.floats()),
        Data::Floats(values) if !is_float => Data::Whole(values.iter().map(|&value| value as i64).collect()),
        same => same.clone(),
    };
    Known { dims: x.dims.clone(), data }
}

/// Value by value, where lengths of 1 and missing axes in front spread.
fn arithmetic(call: &Call<'_>, a: &Known, b: &Known) -> Result<Known> {
    let rank = a.dims.len().max(b.dims.len());
    let full = |dims: &[usize]| [vec![1; rank - dims.len()], dims.to_vec()].concat();
    let (da, db) = (full(&a.dims), full(&b.dims));
    let mut dims = Vec::with_capacity(rank);
    for (&a, &b) in da.iter().zip(&db) {
        if a != b && a != 1 && b != 1 {
            return Err(call.unsupported(format!("constants of {da:?} and {db:?} do not go together")));
        }
        dims.push(if a == 1 { b } else { a });
    }
    let spread = |x: &Known, of: &[usize]| {
        let axes = dims.iter().zip(of).enumerate();
        let places = |len: usize, own: usize| if own == 1 { vec![0; len] } else { (0..len).collect() };
        let axes: Vec<_> = axes.map(|(axis, (&len, &own))| (axis, places(len, own))).collect();
        x.reshaped(of.to_vec())?.picked(&axes)
    };
    let (a, b) = (spread(a, &da)?, spread(b, &db)?);
    let op = call.op();
    let data = if let (Data::Whole(a), Data::Whole(b)) = (&a.data, &b.data) {
        let of = |(&a, &b): (&i64, &i64)| match op {
            "Add" => a.checked_add(b),
            "Mul" => a.checked_mul(b),
            "Div" => a.checked_div(b),
            _ => a.checked_sub(b),
        };
        let values: Option<Vec<i64>> = a.iter().zip(b).map(of).collect();
        Data::Whole(values.ok_or_else(|| call.unsupported("whole numbers overflow"))?)
    } else {
        let of = |(a, b): (f32, f32)| match op {
            "Add" => a + b,
            "Mul" => a * b,
            "Div" => a / b,
            _ => a - b,
        };
        Data::Floats(a.floats().into_iter().zip(b.floats()).map(of).collect())
    };
    Known::new(dims, data)
}

fn concat(call: &Call<'_>) -> Result<Known> {
    let first = call.known(0)?;
    let axis = call.axis(call.int("axis", 0), first.dims.len())?;
    let (outer, mut dims) = (first.dims[..axis].iter().product::<usize>(), first.dims.clone());
    let parts = (0..call.inputs.len()).map(|index| call.known(index)).collect::<Result<Vec<_>>>()?;
    dims[axis] = 0;
    for part in &parts {
        let mut own = part.dims.clone();
        if own.len() != dims.len() {
            return Err(call.unsupported("constants of unlike ranks do not go together"));
        }
        dims[axis] += own[axis];
        own[axis] = dims[axis];
        if own != dims {
            return Err(call.unsupported("constants of unlike shapes do not go together"));
        }
    }
    count(&dims)?;
    let whole: Option<Vec<&[i64]>> = parts.iter().map(|part| part.whole().ok()).collect();
    let data = match whole {
        Some(parts) => Data::Whole(interleaved(&parts, outer)),
        None => {
            let parts: Vec<Vec<f32>> = parts.iter().map(|part| part.floats()).collect();
            Data::Floats(interleaved(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>(), outer))
        }
    };
    Known::new(dims, data)
}

fn interleaved<T: Copy>(parts: &[&[T]], outer: usize) -> Vec<T> {
    let rows = |part: &&[T]| part.len() / outer.max(1);
    (0..outer)
        .flat_map(|at| {
            parts.iter().flat_map(move |part| part[at * rows(part)..][..rows(part)].iter().copied())
        })
        .collect()
}

fn gather(call: &Call<'_>) -> Result<Known> {
    let (x, indices) = (call.known(0)?, call.known(1)?);
    let axis = call.axis(call.int("axis", 0), x.dims.len())?;
    let places =
        indices.whole()?.iter().map(|&at| call.axis(at, x.dims[axis])).collect::<Result<Vec<_>>>()?;
    let mut axes: Vec<(usize, Vec<usize>)> =
        x.dims.iter().enumerate().map(|(axis, &len)| (axis, (0..len).collect())).collect();
    axes[axis].1 = places;
    let picked = x.picked(&axes)?;
    let dims = [&x.dims[..axis], &indices.dims, &x.dims[axis + 1..]].concat();
    picked.reshaped(dims)
}

/// The lengths that `Shape` gives: from `start` to `end`.
pub(super) fn part(call: &Call<'_>, dims: &[i64]) -> Vec<i64> {
    let rank = dims.len() as i64;
    let bound = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
    let (start, end) = (bound(call.int("start", 0)), bound(call.int("end", rank)));
    dims.get(start..end.max(start)).unwrap_or_default().to_vec()
}

/// The lengths that `Reshape` asks for: 0 takes that of the input, -1 what is left.
pub(super) fn reshape(call: &Call<'_>, dims: &[i64], shape: &[i64]) -> Result<Vec<i64>> {
    let product = |dims: &[i64]| dims.iter().try_fold(1i64, |count, &len| count.checked_mul(len));
    let total = product(dims).ok_or_else(|| call.unsupported("the shape is too large"))?;
    let keeps_zeros = call.int("allowzero", 0) != 0;
    let mut lengths = Vec::with_capacity(shape.len());
    for (axis, &len) in shape.iter().enumerate() {
        lengths.push(match len {
            0 if !keeps_zeros => {
                *dims.get(axis).ok_or_else(|| call.unsupported("there is no length to take"))?
            }
            len if len < -1 => return Err(call.unsupported(format!("a length of {len}"))),
            len => len,
        });
    }
    let open: Vec<usize> = (0..lengths.len()).filter(|&axis| lengths[axis] == -1).collect();
    if let [axis] = open[..] {
        lengths[axis] = 1;
        let rest = product(&lengths).unwrap_or(0);
        if rest == 0 || total % rest != 0 {
            return Err(call.unsupported(format!("{dims:?} does not become {shape:?}")));
        }
        lengths[axis] = total / rest;
    }
    if open.len() > 1 || product(&lengths) != Some(total) {
        return Err(call.unsupported(format!("{dims:?} does not become {shape:?}")));
    }
    Ok(lengths)
}

/// The order of axes that `Transpose` asks for.
pub(super) fn permutation(call: &Call<'_>, rank: usize) -> Result<Vec<usize>> {
    let Some(perm) = call.ints("perm") else { return Ok((0..rank).rev().collect()) };
    let order = perm.iter().map(|&axis| call.axis(axis, rank)).collect::<Result<Vec<_>>>()?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted.into_iter().eq(0..rank) {
        Ok(order)
    } else {
        Err(call.unsupported(format!("an order of {perm:?}")))
    }
}

/// The lengths with axes of length 1 put in.
pub(super) fn unsqueezed(call: &Call<'_>, dims: &[usize]) -> Result<Vec<usize>> {
    let axes = call.list("axes", 1)?.ok_or_else(|| call.unsupported("it names no axes"))?;
    let rank = dims.len() + axes.len();
    let axes = axes.iter().map(|&axis| call.axis(axis, rank)).collect::<Result<Vec<_>>>()?;
    let mut rest = dims.iter();
    let lengths = (0..rank).map(|axis| if axes.contains(&axis) { Some(1) } else { rest.next().copied() });
    let lengths: Option<Vec<usize>> = lengths.collect();
    lengths.filter(|_| rest.next().is_none()).ok_or_else(|| call.unsupported("it names an axis twice"))
}

/// Whether all inputs of a node are known.
pub(super) fn is_known(inputs: &[Option<Value>]) -> bool {
    inputs.iter().flatten().all(|value| matches!(value, Value::Known(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::onnx::proto::{Attribute, Node};

    fn call(op: &str, inputs: Vec<Known>, ints: &[(&str, Vec<i64>)], int: &[(&str, i64)]) -> Result<Known> {
        let lists = ints.iter().map(|(name, ints)| Attribute {
            name: (*name).to_owned(),
            ints: ints.clone(),
            ..Attribute::default()
        });
        let numbers = int.iter().map(|(name, i)| Attribute {
            name: (*name).to_owned(),
            i: Some(*i),
            ..Attribute::default()
        });
        let node =
            Node { op_type: op.to_owned(), attribute: lists.chain(numbers).collect(), ..Node::default() };
        let inputs = inputs.into_iter().map(|known| Some(Value::Known(known))).collect();
        fold(&Call { node: &node, inputs, opset: 17, is_only_reader: true })
    }

    fn whole(dims: &[usize]) -> Known {
        let len: usize = dims.iter().product();
        Known::new(dims.to_vec(), Data::Whole((0..len as i64).collect())).unwrap()
    }

    #[test]
    fn constants_are_moved_as_onnx_says() {
        let x = whole(&[2, 3]);
        let values = |known: Result<Known>| {
            let known = known.unwrap();
            (known.dims.clone(), known.whole().unwrap().to_vec())
        };
        assert_eq!(
            values(call("Transpose", vec![x.clone()], &[], &[])),
            (vec![3, 2], vec![0, 3, 1, 4, 2, 5])
        );
        let at = |list| Known::list(list);
        assert_eq!(
            values(call("Gather", vec![x.clone(), at(vec![-1, 0])], &[], &[("axis", 1)])),
            (vec![2, 2], vec![2, 0, 5, 3])
        );
        assert_eq!(
            values(call("Concat", vec![x.clone(), x.clone()], &[], &[("axis", 1)])),
            (vec![2, 6], vec![0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
        );
        assert_eq!(
            values(call("Mul", vec![x.clone(), at(vec![1, 10, 100])], &[], &[])).1,
            [0, 10, 200, 3, 40, 500]
        );
        assert_eq!(values(call("Reshape", vec![x.clone(), at(vec![0, 1, -1])], &[], &[])).0, [2, 1, 3]);
        assert_eq!(values(call("Unsqueeze", vec![x.clone(), at(vec![-1, 0])], &[], &[])).0, [1, 2, 3, 1]);
        let slice = vec![x.clone(), at(vec![-1]), at(vec![i64::MIN]), at(vec![1]), at(vec![-2])];
        assert_eq!(values(call("Slice", slice, &[], &[])), (vec![2, 2], vec![2, 0, 5, 3]));
        assert_eq!(values(call("Shape", vec![x.clone()], &[], &[("start", -1)])).1, [3]);
        assert_eq!(values(call("Squeeze", vec![whole(&[1, 3, 1])], &[], &[])).0, [3]);
    }

    #[test]
    fn what_does_not_go_together_is_an_error() {
        let x = whole(&[2, 3]);
        let list = Known::list;
        assert!(call("Add", vec![x.clone(), list(vec![1, 2])], &[], &[]).is_err());
        assert!(call("Div", vec![x.clone(), list(vec![0])], &[], &[]).is_err());
        assert!(call("Mul", vec![list(vec![i64::MAX]), list(vec![2])], &[], &[]).is_err());
        assert!(call("Gather", vec![x.clone(), list(vec![2])], &[], &[]).is_err());
        assert!(call("Reshape", vec![x.clone(), list(vec![-1, -1])], &[], &[]).is_err());
        assert!(call("Reshape", vec![x.clone(), list(vec![4, -1])], &[], &[]).is_err());
        assert!(call("Transpose", vec![x.clone()], &[("perm", vec![0, 0])], &[]).is_err());
        assert!(call("ConstantOfShape", vec![list(vec![1 << 40, 1 << 40])], &[], &[]).is_err());
        assert!(call("Unsqueeze", vec![x.clone(), list(vec![0, 0])], &[], &[]).is_err());
        let none: Vec<Known> = Vec::new();
        assert!(call("Transpose", none, &[], &[]).is_err());
        assert!(call("Concat", vec![x, whole(&[3])], &[], &[("axis", 0)]).is_err());
    }
}

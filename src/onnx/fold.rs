//! What a file computes from constants and shapes alone: weights that are turned or dequantized first, and the dimensions that older
//! exporters work out node by node. A batch counts as one image.

use super::graph::{Constant, attribute, int, ints};
use super::proto::Node;

/// The most numbers that are made of constants.
const MOST: usize = 1 << 24;

/// What a node makes of constants (`None` for an input that is left out); `None` where it is of a kind that is not known here, or
/// they do not fit.
pub fn fold(node: &Node, inputs: &[Option<&Constant>]) -> Option<Constant> {
    let at = |place: usize| inputs.get(place).copied().flatten();
    let first = at(0)?;
    // Newer files have these as an input.
    let axes = || ints(node, "axes").or_else(|| at(1).map(Constant::ints));
    match node.kind.as_str() {
        "Identity" | "Cast" | "Dropout" => Some(first.clone()),
        "Add" => arithmetic(first, at(1)?, |a, b| a + b),
        "Sub" => arithmetic(first, at(1)?, |a, b| a - b),
        "Mul" => arithmetic(first, at(1)?, |a, b| a * b),
        "Div" => arithmetic(first, at(1)?, |a, b| a / b),
        "Pow" => arithmetic(first, at(1)?, f32::powf),
        "Max" => arithmetic(first, at(1)?, f32::max),
        "Min" => arithmetic(first, at(1)?, f32::min),
        "Sqrt" => Some(each(first, f32::sqrt)),
        "Neg" => Some(each(first, |x| -x)),
        "Reciprocal" => Some(each(first, |x| 1.0 / x)),
        "Exp" => Some(each(first, f32::exp)),
        "Floor" => Some(each(first, f32::floor)),
        "Ceil" => Some(each(first, f32::ceil)),
        "DequantizeLinear" => dequantize(node, first, at(1)?, at(2)),
        "Transpose" => transpose(node, first),
        "Reshape" => reshape(first, &at(1)?.ints()),
        "Flatten" => {
            let axis = place(int(node, "axis", 1), first.dims.len() + 1)?;
            let rows: usize = first.dims[..axis].iter().product();
            let dims = vec![rows, first.values.len() / rows.max(1)];
            Some(Constant { dims, ..first.clone() })
        }
        "Unsqueeze" => {
            let axes = axes()?;
            let rank = first.dims.len() + axes.len();
            let axes = axes.iter().map(|axis| place(*axis, rank)).collect::<Option<Vec<_>>>()?;
            let mut rest = first.dims.iter();
            let dims = (0..rank).map(|i| if axes.contains(&i) { Some(1) } else { rest.next().copied() });
            Some(Constant { dims: dims.collect::<Option<_>>()?, ..first.clone() })
        }
        "Squeeze" => {
            let rank = first.dims.len();
            let axes = match axes() {
                Some(axes) => axes.iter().map(|axis| place(*axis, rank)).collect::<Option<Vec<_>>>()?,
                None => (0..rank).filter(|i| first.dims[*i] == 1).collect(),
            };
            let kept = (0..rank).filter(|i| !axes.contains(i)).map(|i| first.dims[i]);
            Some(Constant { dims: kept.collect(), ..first.clone() })
        }
        "ConstantOfShape" => {
            let dims = first.ints().into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>().ok()?;
            let value = attribute(node, "value").and_then(|value| value.t.as_ref());
            let value = value
                .map_or(Some(0.0), |tensor| super::graph::constant(tensor).ok()?.values.first().copied());
            Some(Constant::new(dims.clone(), vec![value?; count(&dims)?]))
        }
        "Expand" => {
            let wanted =
                at(1)?.ints().into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>().ok()?;
            let ones = Constant::new(wanted.clone(), vec![1.0; count(&wanted)?]);
            arithmetic(first, &ones, |a, _| a)
        }
        "Concat" => {
            let all = inputs.iter().copied().collect::<Option<Vec<_>>>()?;
            concat(int(node, "axis", 0), &all)
        }
        // Of lists of whole numbers, which is what shapes are.
        "Gather" if first.dims.len() <= 1 => {
            let indices = at(1)?;
            let one = |i: &i64| first.values.get(place(*i, first.values.len())?).copied();
            let values = indices.ints().iter().map(one).collect::<Option<Vec<_>>>()?;
            Some(Constant::new(indices.dims.clone(), values))
        }
        "Slice" => {
            let of = |name: &str, place: usize| ints(node, name).or_else(|| at(place).map(Constant::ints));
            if (1..inputs.len()).any(|place| at(place).is_none() && !node.input[place].is_empty()) {
                return None;
            }
            let (starts, ends) = (of("starts", 1)?, of("ends", 2)?);
            let axes = of("axes", 3).unwrap_or_else(|| (0..starts.len() as i64).collect());
            let steps = of("steps", 4).unwrap_or_else(|| vec![1; starts.len()]);
            let mut sliced = first.clone();
            for (((from, to), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
                sliced = slice(&sliced, place(axis, first.dims.len())?, from, to, step)?;
            }
            Some(sliced)
        }
        "ReduceProd" if first.dims.len() == 1 => {
            Some(Constant::new(vec![1], vec![first.values.iter().product()]))
        }
        _ => None,
    }
    .filter(|made| made.values.iter().all(|x| x.is_finite()))
}

/// An axis that may be counted from the end.
pub fn place(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(axis).ok().filter(|axis| *axis < rank)
}

fn count(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1usize, |product, n| product.checked_mul(*n)).filter(|count| *count <= MOST)
}

fn each(of: &Constant, f: impl Fn(f32) -> f32) -> Constant {
    Constant::new(of.dims.clone(), of.values.iter().map(|x| f(*x)).collect())
}

/// The dimensions that two tensors have together (numpy's broadcasting).
fn together(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let side = |dims: &[usize], i: usize| (i + dims.len()).checked_sub(rank).map_or(1, |i| dims[i]);
    let one = |i: usize| match (side(a, i), side(b, i)) {
        (n, m) if n == m => Some(n),
        (1, n) | (n, 1) => Some(n),
        _ => None,
    };
    (0..rank).map(one).collect()
}

/// A constant over larger dimensions: for each of these in their order, its number. `None` where it does not fit them.
pub fn spread(of: &Constant, dims: &[usize]) -> Option<Vec<f32>> {
    if together(&of.dims, dims)? != dims {
        return None;
    }
    let skipped = dims.len() - of.dims.len();
    let all = count(dims)?;
    let one = |mut i: usize| {
        let (mut at, mut step) = (0, 1);
        for (axis, n) in dims.iter().enumerate().rev() {
            let index = i % n;
            i /= n;
            if let Some(own) = axis.checked_sub(skipped).map(|axis| of.dims[axis]) {
                at += if own == 1 { 0 } else { index * step };
                step *= own;
            }
        }
        of.values[at]
    };
    Some((0..all).map(one).collect())
}

fn arithmetic(a: &Constant, b: &Constant, f: impl Fn(f32, f32) -> f32) -> Option<Constant> {
    let dims = together(&a.dims, &b.dims)?;
    count(&dims)?;
    let (x, y) = (spread(a, &dims)?, spread(b, &dims)?);
    Some(Constant::new(dims, x.into_iter().zip(y).map(|(x, y)| f(x, y)).collect()))
}

/// `(x - zero) scale`, with one of each for all or for each index of an axis.
fn dequantize(node: &Node, x: &Constant, scale: &Constant, zero: Option<&Constant>) -> Option<Constant> {
    let length = scale.values.len();
    let row = if length == 1 {
        x.values.len().max(1)
    } else {
        let axis = place(int(node, "axis", 1), x.dims.len())?;
        if x.dims[axis] != length {
            return None;
        }
        x.dims[axis + 1..].iter().product()
    };
    let zero = |i: usize| match zero {
        None => Some(0.0),
        Some(zero) => zero.values.get(if zero.values.len() == 1 { 0 } else { i }).copied(),
    };
    let one = |(i, x): (usize, &f32)| {
        let index = i / row % length;
        Some((x - zero(index)?) * scale.values[index])
    };
    let values = x.values.iter().enumerate().map(one).collect::<Option<Vec<_>>>()?;
    Some(Constant::new(x.dims.clone(), values))
}

fn transpose(node: &Node, x: &Constant) -> Option<Constant> {
    let rank = x.dims.len();
    let perm = ints(node, "perm").unwrap_or_else(|| (0..rank as i64).rev().collect());
    let perm = perm.iter().map(|axis| place(*axis, rank)).collect::<Option<Vec<_>>>()?;
    let mut seen = vec![false; rank];
    perm.iter().for_each(|axis| seen[*axis] = true);
    if perm.len() != rank || seen.contains(&false) {
        return None;
    }
    let dims: Vec<usize> = perm.iter().map(|axis| x.dims[*axis]).collect();
    let steps: Vec<usize> = (0..rank).map(|axis| x.dims[axis + 1..].iter().product()).collect();
    let one = |mut i: usize| {
        let mut at = 0;
        for (n, axis) in dims.iter().zip(&perm).rev() {
            at += i % n * steps[*axis];
            i /= n;
        }
        x.values[at]
    };
    Some(Constant::new(dims.clone(), (0..x.values.len()).map(one).collect()))
}

/// Dimensions as a Reshape names them: 0 for one that stays, -1 for the rest.
pub fn dims_as_asked(from: &[usize], wanted: &[i64]) -> Option<Vec<usize>> {
    let all = count(from)?;
    let mut dims = Vec::new();
    for (i, n) in wanted.iter().enumerate() {
        dims.push(match n {
            0 => *from.get(i)?,
            -1 => 1,
            n => usize::try_from(*n).ok()?,
        });
    }
    if wanted.iter().filter(|n| **n == -1).count() > 1 {
        return None;
    }
    if let Some(open) = wanted.iter().position(|n| *n == -1) {
        let known = count(&dims)?;
        dims[open] = all.checked_div(known)?;
    }
    (count(&dims)? == all).then_some(dims)
}

fn reshape(x: &Constant, wanted: &[i64]) -> Option<Constant> {
    Some(Constant { dims: dims_as_asked(&x.dims, wanted)?, ..x.clone() })
}

/// Every `step`-th index of an axis, as numpy counts them.
fn slice(x: &Constant, axis: usize, from: i64, to: i64, step: i64) -> Option<Constant> {
    let length = x.dims[axis] as i64;
    let end = |n: i64| if n < 0 { n.saturating_add(length) } else { n };
    let kept: Vec<i64> = match step {
        0 => return None,
        1.. => (end(from).clamp(0, length)..end(to).clamp(0, length))
            .step_by(usize::try_from(step).ok()?)
            .collect(),
        _ => {
            let (from, to) = (end(from).clamp(-1, length - 1), end(to).clamp(-1, length - 1));
            let steps = usize::try_from(step.unsigned_abs()).ok()?;
            (to + 1..=from).rev().step_by(steps).collect()
        }
    };
    let after: usize = x.dims[axis + 1..].iter().product();
    let whole = x.dims[axis] * after;
    let mut dims = x.dims.clone();
    dims[axis] = kept.len();
    let mut values = Vec::with_capacity(count(&dims)?);
    for block in x.values.chunks_exact(whole.max(1)) {
        for index in &kept {
            values.extend_from_slice(&block[*index as usize * after..][..after]);
        }
    }
    Some(Constant { dims, values, signed: x.signed })
}

fn concat(axis: i64, all: &[&Constant]) -> Option<Constant> {
    let first = all.first()?;
    let axis = place(axis, first.dims.len())?;
    let fits = |other: &&Constant| {
        other.dims.len() == first.dims.len()
            && other.dims.iter().zip(&first.dims).enumerate().all(|(i, (n, m))| i == axis || n == m)
    };
    if !all.iter().all(fits) {
        return None;
    }
    let mut dims = first.dims.clone();
    dims[axis] = all.iter().map(|one| one.dims[axis]).sum();
    let rows: usize = dims[..axis].iter().product();
    let mut values = Vec::with_capacity(count(&dims)?);
    for row in 0..rows {
        for one in all {
            let own = one.values.len() / rows.max(1);
            values.extend_from_slice(one.values.get(row * own..(row + 1) * own)?);
        }
    }
    Some(Constant::new(dims, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_numpys() {
        let x = Constant::new(vec![2, 4], (0..8).map(|i| i as f32).collect());
        let of = |axis, from, to, step| slice(&x, axis, from, to, step).map(|made| (made.dims, made.values));
        assert_eq!(of(1, 1, 3, 1), Some((vec![2, 2], vec![1.0, 2.0, 5.0, 6.0])));
        assert_eq!(of(1, -1, i64::MIN, -2), Some((vec![2, 2], vec![3.0, 1.0, 7.0, 5.0])));
        assert_eq!(of(0, -1, i64::MAX, 1), Some((vec![1, 4], vec![4.0, 5.0, 6.0, 7.0])));
        assert_eq!(of(0, 1, 0, 1), Some((vec![0, 4], vec![])));
        assert_eq!(of(0, 0, 1, 0), None);
    }

    #[test]
    fn what_is_spread_is_numpys() {
        let of = |dims: &[usize], to: &[usize]| {
            let count: usize = dims.iter().product();
            spread(&Constant::new(dims.to_vec(), (0..count).map(|i| i as f32).collect()), to)
        };
        assert_eq!(of(&[2, 1], &[1, 2, 3]), Some(vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0]));
        assert_eq!(of(&[3], &[2, 3]), Some(vec![0.0, 1.0, 2.0, 0.0, 1.0, 2.0]));
        assert_eq!(of(&[], &[2]), Some(vec![0.0, 0.0]));
        assert_eq!(of(&[2], &[2, 3]), None);
        assert_eq!(of(&[2, 3], &[3]), None);
    }

    #[test]
    fn dimensions_are_read_as_asked() {
        assert_eq!(dims_as_asked(&[1, 4, 5], &[0, -1]), Some(vec![1, 20]));
        assert_eq!(dims_as_asked(&[1, 4, 5], &[-1, 2, 10]), Some(vec![1, 2, 10]));
        assert_eq!(dims_as_asked(&[1, 4, 5], &[1, 7]), None);
        assert_eq!(dims_as_asked(&[1, 4, 5], &[-1, -1, 4]), None);
        assert_eq!(dims_as_asked(&[1, 4, 5], &[-1, 0, 0, 0]), None);
        assert_eq!(dims_as_asked(&[1, 4, 5], &[i64::MAX, i64::MAX]), None);
    }
}

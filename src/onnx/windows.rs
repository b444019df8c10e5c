//! Where the windows of convolutions and poolings lie.

use super::builder::Builder;
use super::graph::{ints, text};
use super::proto::Node;
use super::value::Value;
use crate::error::Result;

/// Rows and columns of a window with the gaps between, from one to the next, and beyond the image: above, left, below, right.
pub struct Sides {
    pub size: [usize; 2],
    pub stride: [usize; 2],
    pub pad: [usize; 4],
}

/// What a node says of its windows of so many rows and columns on an image.
///
/// # Errors
/// Where it says what is not possible.
pub fn sides(builder: &Builder<'_>, node: &Node, window: [usize; 2], value: Value) -> Result<Sides> {
    let two = |name: &str| -> Result<[usize; 2]> {
        let given = ints(node, name).unwrap_or_else(|| vec![1, 1]);
        let whole: Vec<usize> =
            given.iter().filter_map(|n| usize::try_from(*n).ok()).filter(|n| *n > 0).collect();
        let wrong = || builder.refuse(node, &format!("its {name} are not like 1, 1: {given:?}"));
        whole.try_into().map_err(|_| wrong())
    };
    let (stride, apart) = (two("strides")?, two("dilations")?);
    let mut size = [0; 2];
    for axis in 0..2 {
        let gaps = window[axis].checked_sub(1).and_then(|gaps| gaps.checked_mul(apart[axis]));
        let far = || builder.refuse(node, "its windows are empty, or beyond all measure");
        size[axis] = gaps.map(|gaps| gaps + 1).filter(|size| *size <= 1024).ok_or_else(far)?;
    }
    // So much that there is one window for each step, more below and on the right, or above and on the left.
    let same = |axis: usize| {
        let n = value.shape[axis];
        let all = ((n.div_ceil(stride[axis]).max(1) - 1) * stride[axis] + size[axis]).saturating_sub(n);
        (all / 2, all - all / 2)
    };
    let ((fewer_rows, more_rows), (fewer_cols, more_cols)) = (same(0), same(1));
    let pad = match text(node, "auto_pad", "NOTSET") {
        "NOTSET" => {
            let given = ints(node, "pads").unwrap_or_else(|| vec![0; 4]);
            let whole: Vec<usize> =
                given.iter().filter_map(|n| usize::try_from(*n).ok()).filter(|n| *n <= 1024).collect();
            let wrong = || builder.refuse(node, &format!("its padding is not like 1, 1, 1, 1: {given:?}"));
            whole.try_into().map_err(|_| wrong())?
        }
        "VALID" => [0; 4],
        "SAME_UPPER" => [fewer_rows, fewer_cols, more_rows, more_cols],
        "SAME_LOWER" => [more_rows, more_cols, fewer_rows, fewer_cols],
        other => return Err(builder.refuse(node, &format!("the padding {other} is not known"))),
    };
    Ok(Sides { size, stride, pad })
}

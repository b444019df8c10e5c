//! Every level beside plain loops.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// The oracle: plain loops in f64. Returns the output and, for a loss `sum(d * output)`, its gradients with respect to
/// the input and to the weights.
fn oracle(s: ConvShape, weight: &[f32], bias: &[f32], x: &[f32], d: &[f32]) -> [Vec<f64>; 3] {
    let [h, w, _] = s.unpooled();
    let [oh, ow, _] = s.output();
    let [_, in_w, depth] = s.input;
    let input_at = |i: usize, j: usize, r: usize, k: usize, c: usize| {
        ((i * s.stride + r) * in_w + j * s.stride + k) * depth + c
    };
    let weight_at = |o: usize, r: usize, k: usize, c: usize| ((o * depth + c) * s.kernel + r) * s.kernel + k;
    let taps: Vec<(usize, usize, usize)> = (0..s.kernel * s.kernel * depth)
        .map(|t| (t / depth / s.kernel, t / depth % s.kernel, t % depth))
        .collect();
    let pre = |i: usize, j: usize, o: usize| {
        let sum = |&(r, k, c): &(usize, usize, usize)| {
            x[input_at(i, j, r, k, c)] as f64 * weight[weight_at(o, r, k, c)] as f64
        };
        bias[o] as f64 + taps.iter().map(sum).sum::<f64>()
    };
    let (mut out, mut gradient, mut of_weights) = (Vec::new(), vec![0.0; x.len()], vec![0.0; weight.len()]);
    for i in 0..oh {
        for j in 0..ow {
            for o in 0..s.channels {
                let window: Vec<(usize, usize)> = if s.pool {
                    [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(r, k)| (2 * i + r, 2 * j + k)).to_vec()
                } else {
                    vec![(i, j)]
                };
                assert!(window.iter().all(|&(i, j)| i < h && j < w));
                let (mut best, mut at) = (f64::NEG_INFINITY, (0, 0));
                for (i, j) in window {
                    let value = pre(i, j, o);
                    if value > best + f64::from(TIE) {
                        (best, at) = (value, (i, j));
                    }
                }
                if s.relu && best <= 0.0 {
                    out.push(0.0);
                    continue;
                }
                for &(r, k, c) in &taps {
                    gradient[input_at(at.0, at.1, r, k, c)] +=
                        d[out.len()] as f64 * weight[weight_at(o, r, k, c)] as f64;
                    of_weights[weight_at(o, r, k, c)] +=
                        d[out.len()] as f64 * x[input_at(at.0, at.1, r, k, c)] as f64;
                }
                out.push(best);
            }
        }
    }
    [out, gradient, of_weights]
}

#[test]
fn every_level_matches_the_oracle_at_sizes_around_the_tiles() {
    let mut rng = fastrand::Rng::with_seed(2);
    let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
    for (side, depth, kernel, stride) in
        [(6, 1, 3, 1), (7, 3, 3, 1), (9, 4, 3, 2), (5, 8, 4, 1), (8, 2, 1, 1)]
    {
        for channels in [1, 3, 4, 8, 12, 13, 16, 20, 24, 32, 33] {
            for (relu, pool) in [(false, false), (true, false), (false, true), (true, true)] {
                let shape =
                    ConvShape { input: [side, side + 1, depth], channels, kernel, stride, relu, pool };
                let size = |s: [usize; 3]| s.iter().product::<usize>();
                let (inputs, outputs) = (size(shape.input), size(shape.output()));
                let weight = random(channels * depth * kernel * kernel);
                let (bias, x, d) = (random(channels), random(inputs), random(outputs));
                let [expected, expected_gradient, expected_weights] = oracle(shape, &weight, &bias, &x, &d);
                for level in Level::available() {
                    let mut conv = Conv::new(level, shape, &weight, &bias);
                    let (mut y, mut winners) = (vec![0.0; outputs], vec![0; outputs]);
                    conv.forward(&x, &mut y, &mut winners);
                    let mut gradient = vec![0.0; inputs + conv.slack()];
                    conv.input_gradient(&winners, &d, &mut gradient);
                    for (a, e) in y.iter().zip(&expected) {
                        assert!((*a as f64 - e).abs() < 1e-5, "{level:?} {shape:?}: {a} and {e}");
                    }
                    for (a, e) in gradient.iter().zip(&expected_gradient) {
                        assert!((*a as f64 - e).abs() < 1e-5, "{level:?} {shape:?}: gradient {a} and {e}");
                    }
                    assert!(gradient[inputs..].iter().all(|&v| v == 0.0));
                    let mut padded = x.clone();
                    padded.resize(inputs + conv.slack(), 7.0);
                    let mut sums = vec![0.0; conv.weight_sums()];
                    conv.weight_gradient(&padded, &winners, &d, &mut sums);
                    for (a, e) in conv.unpack_weights(&sums).iter().zip(&expected_weights) {
                        assert!((*a as f64 - e).abs() < 1e-4, "{level:?} {shape:?}: of a weight {a} and {e}");
                    }
                }
            }
        }
    }
}

/// In blocks of whatever width: what a pixel gains comes in one order, so that machines of different vectors agree.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn a_gradient_is_summed_in_one_order_at_every_level() {
    use crate::kernel::simd::Isa;

    let mut rng = fastrand::Rng::with_seed(3);
    let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
    for (pool, kernel, stride, depth) in
        [(false, 6, 2, 3), (true, 5, 1, 11), (false, 3, 1, 40), (true, 3, 2, 30)]
    {
        let shape = ConvShape { input: [13, 15, depth], channels: 20, kernel, stride, relu: true, pool };
        let size = |s: [usize; 3]| s.iter().product::<usize>();
        let (weight, x) = (random(shape.channels * depth * kernel * kernel), random(size(shape.input)));
        let (bias, d) = (vec![0.0; shape.channels], random(size(shape.output())));
        for level in Level::available() {
            let mut conv = Conv::new(level, shape, &weight, &bias);
            assert!(matches!(conv.backward, Backward::Strips(_)));
            let (mut y, mut winners) = (vec![0.0; d.len()], vec![0; d.len()]);
            conv.forward(&x, &mut y, &mut winners);
            let mut gradient = vec![0.0; x.len() + conv.slack()];
            conv.input_gradient(&winners, &d, &mut gradient);
            let fused =
                |a: f32, b: f32, c: f32| if level.0 == Isa::Scalar { a * b + c } else { a.mul_add(b, c) };
            // By rising rows and columns of the kernel, at each the channels that passed, by themselves.
            let ([rows, cols, _], [_, width, channels]) = (shape.unpooled(), shape.output());
            for (pixel, gained) in gradient[..x.len()].iter().enumerate() {
                let (i, j, c) =
                    (pixel / depth / shape.input[1], pixel / depth % shape.input[1], pixel % depth);
                let mut expected = 0.0;
                for (r, k) in (0..kernel * kernel).map(|t| (t / kernel, t % kernel)) {
                    let (Some(i), Some(j)) = (i.checked_sub(r), j.checked_sub(k)) else { continue };
                    let (row, col) = (i / stride, j / stride);
                    if i % stride + j % stride > 0 || row >= rows || col >= cols {
                        continue;
                    }
                    let (at, p) = if pool {
                        ((row / 2) * width + col / 2, (row % 2 * 2 + col % 2) as u32)
                    } else {
                        (row * width + col, ((row * width + col) % TILE) as u32)
                    };
                    // A window that is not whole has no output.
                    if pool && (row / 2 >= rows / 2 || col / 2 >= cols / 2) {
                        continue;
                    }
                    let outputs = (0..channels).filter(|o| winners[at * channels + o] == p);
                    let list: Vec<usize> = outputs.collect();
                    if !list.is_empty() {
                        expected += list.iter().fold(0.0, |sum, o| {
                            let w = weight[((o * depth + c) * kernel + r) * kernel + k];
                            fused(d[at * channels + o], w, sum)
                        });
                    }
                }
                assert_eq!(gained.to_bits(), expected.to_bits(), "{level:?} {shape:?} at {pixel}");
            }
        }
    }
}

#[test]
fn ties_in_a_window_go_to_the_first() {
    let shape = ConvShape { input: [2, 2, 1], channels: 1, kernel: 1, stride: 1, relu: true, pool: true };
    for level in Level::available() {
        let mut conv = Conv::new(level, shape, &[2.0], &[0.0]);
        let (mut y, mut winners) = ([0.0], [0]);
        // Ties but for rounding.
        conv.forward(&[0.5, 0.5 + f32::EPSILON, 0.5, 0.5 + f32::EPSILON], &mut y, &mut winners);
        let mut gradient = vec![0.0; 4 + conv.slack()];
        conv.input_gradient(&winners, &[1.0], &mut gradient);
        assert_eq!((y[0], &gradient[..4]), (1.0, &[2.0, 0.0, 0.0, 0.0][..]), "{level:?}");
    }
}

#[test]
fn what_is_zero_takes_no_part_in_a_transposed_convolution_and_the_rest_has_its_place_in_its_tile() {
    let mut winners = [9; 12];
    Conv::winners_of(&[1.0, 0.0, 2.0, -1.0, 0.0, 3.0, 1.0, 1.0, 0.0, 5.0, 0.0, 0.0], 2, &mut winners);
    assert_eq!(winners, [0, OFF, 1, 1, OFF, 2, 3, 3, OFF, 0, OFF, OFF]);
}

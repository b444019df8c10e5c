//! Small dense systems, as large as twice the memory of L-BFGS.

/// A factored square matrix, `P A = L U`, with partial pivoting.
#[derive(Clone, Debug)]
pub struct Lu {
    size: usize,
    values: Vec<f64>,
    pivots: Vec<usize>,
}

impl Lu {
    /// Factors a matrix of `size` rows, row after row. `None` when it is singular.
    pub fn new(size: usize, mut values: Vec<f64>) -> Option<Self> {
        assert_eq!(values.len(), size * size);
        let mut pivots = Vec::with_capacity(size);
        for k in 0..size {
            let pivot = (k..size)
                .max_by(|&i, &j| values[i * size + k].abs().total_cmp(&values[j * size + k].abs()))?;
            pivots.push(pivot);
            if pivot != k {
                for column in 0..size {
                    values.swap(k * size + column, pivot * size + column);
                }
            }
            let diagonal = values[k * size + k];
            if diagonal == 0.0 || !diagonal.is_finite() {
                return None;
            }
            for i in k + 1..size {
                let factor = values[i * size + k] / diagonal;
                values[i * size + k] = factor;
                for column in k + 1..size {
                    values[i * size + column] -= factor * values[k * size + column];
                }
            }
        }
        Some(Self { size, values, pivots })
    }

    /// The solution of `A x = b`.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (n, a) = (self.size, &self.values);
        let mut x = b.to_vec();
        for (k, &pivot) in self.pivots.iter().enumerate() {
            x.swap(k, pivot);
        }
        for i in 0..n {
            for j in 0..i {
                x[i] -= a[i * n + j] * x[j];
            }
        }
        for i in (0..n).rev() {
            for j in i + 1..n {
                x[i] -= a[i * n + j] * x[j];
            }
            x[i] /= a[i * n + i];
        }
        x
    }
}

/// The inner product of two short vectors.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_system_that_needs_pivots_is_solved() {
        let a = vec![0.0, 2.0, 1.0, 1.0, 0.0, 0.0, 3.0, 1.0, 4.0];
        let x = [1.0, -2.0, 3.0];
        let b: Vec<f64> = a.chunks(3).map(|row| dot(row, &x)).collect();
        let solved = Lu::new(3, a).unwrap().solve(&b);
        assert!(solved.iter().zip(x).all(|(a, b)| (a - b).abs() < 1e-12), "{solved:?}");
        assert!(Lu::new(2, vec![1.0, 2.0, 2.0, 4.0]).is_none());
        assert_eq!(Lu::new(0, vec![]).unwrap().solve(&[]), Vec::<f64>::new());
    }
}

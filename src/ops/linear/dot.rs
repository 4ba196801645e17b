//! Sums of products in one fixed order, on every machine the same.

/// Parts that a sum is taken in.
const LANES: usize = 8;

/// The sum of products, in `f64`.
pub(super) fn dot<W: Copy + Into<f64>>(weights: &[W], vector: &[f32]) -> f64 {
    let (weight_parts, weight_rest) = weights.as_chunks::<LANES>();
    let (vector_parts, vector_rest) = vector.as_chunks::<LANES>();
    let mut sums = [0.0f64; LANES];
    for (weights, values) in weight_parts.iter().zip(vector_parts) {
        for lane in 0..LANES {
            sums[lane] += weights[lane].into() * f64::from(values[lane]);
        }
    }
    let rest = weight_rest.iter().zip(vector_rest).map(|(&weight, &value)| weight.into() * f64::from(value));
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

/// Adds a multiple of a vector to weights.
pub(super) fn add(weights: &mut [f64], times: f64, vector: &[f32]) {
    weights.iter_mut().zip(vector).for_each(|(weight, value)| *weight += times * f64::from(*value));
}

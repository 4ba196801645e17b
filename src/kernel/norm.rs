//! Sums over planes for the layers that normalise, each in sixteen interleaved parts, which are the same
//! for every instruction set and vectorise.

use super::Isa;

/// Parts of a sum.
const PARTS: usize = 16;

/// The sum of `f` of the indices below `len`.
#[inline(always)]
fn parts(len: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut sums = [0.0f32; PARTS];
    let whole = len / PARTS * PARTS;
    for start in (0..whole).step_by(PARTS) {
        for (l, sum) in sums.iter_mut().enumerate() {
            *sum += f(start + l);
        }
    }
    let rest: f32 = (whole..len).map(&f).sum();
    sums.iter().sum::<f32>() + rest
}

/// The sum of the values.
pub fn sum_of(isa: Isa, values: &[f32]) -> f32 {
    isa.run(
        #[inline(always)]
        || parts(values.len(), |i| values[i]),
    )
}

/// The sum of `(value - mean)^2`.
pub fn squares_from(isa: Isa, values: &[f32], mean: f32) -> f32 {
    isa.run(
        #[inline(always)]
        || parts(values.len(), |i| (values[i] - mean) * (values[i] - mean)),
    )
}

/// The sum of `(x - mean) * y`.
///
/// # Panics
/// When `y` is shorter than `x`.
pub fn dot_of(isa: Isa, x: &[f32], y: &[f32], mean: f32) -> f32 {
    let y = &y[..x.len()];
    isa.run(
        #[inline(always)]
        || parts(x.len(), |i| (x[i] - mean) * y[i]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_small_integers_are_exact() {
        for len in [0, 1, 15, 16, 17, 100] {
            let x: Vec<f32> = (0..len).map(|i| ((i * 7) % 13) as f32 - 5.0).collect();
            let y: Vec<f32> = (0..len).map(|i| ((i * 5) % 11) as f32 - 4.0).collect();
            for isa in Isa::available() {
                assert_eq!(sum_of(isa, &x), x.iter().sum::<f32>());
                assert_eq!(squares_from(isa, &x, 2.0), x.iter().map(|x| (x - 2.0) * (x - 2.0)).sum::<f32>());
                let wanted = x.iter().zip(&y).map(|(x, y)| (x + 1.0) * y).sum::<f32>();
                assert_eq!(dot_of(isa, &x, &y, -1.0), wanted);
            }
        }
    }
}

//! Taking kernels of integers apart: into integers of a common unit, and into a column times a row.

/// The weights as integers times `2^-shift`, when they all are and `shift` is at most 24.
///
/// Box, binomial and Sobel kernels are, and any other with few binary digits; 1/9 is not.
pub fn integers(weights: &[f32]) -> Option<(Vec<i32>, u32)> {
    let is_whole = |weight: f64| weight.fract() == 0.0 && weight.abs() < f64::from(1 << 30);
    let shift = (0..=24u32).find(|&shift| {
        let unit = f64::from(1u32 << shift);
        weights.iter().all(|&weight| is_whole(f64::from(weight) * unit))
    })?;
    let unit = f64::from(1u32 << shift);
    Some((weights.iter().map(|&weight| (f64::from(weight) * unit) as i32).collect(), shift))
}

/// A column and a row of integers whose products are the kernel, of `width` weights a row, exactly.
pub fn factors(kernel: &[i32], width: usize) -> Option<(Vec<i32>, Vec<i32>)> {
    let rows = kernel.chunks_exact(width);
    let pivot = rows.clone().find(|row| row.iter().any(|&weight| weight != 0))?;
    let divisor = pivot.iter().fold(0, |divisor, &weight| greatest_common_divisor(divisor, weight));
    let across: Vec<i32> = pivot.iter().map(|weight| weight / divisor).collect();
    let first = across.iter().position(|&weight| weight != 0)?;
    let mut down = Vec::with_capacity(rows.len());
    for row in rows {
        let factor = row[first] / across[first];
        let product = |weight: i32| i64::from(weight) * i64::from(factor);
        if row.iter().zip(&across).any(|(&weight, &across)| i64::from(weight) != product(across)) {
            return None;
        }
        down.push(factor);
    }
    Some((down, across))
}

fn greatest_common_divisor(a: i32, b: i32) -> i32 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_taken_apart_and_others_are_not() {
        let sobel = [-1, 0, 1, -2, 0, 2, -1, 0, 1];
        assert_eq!(factors(&sobel, 3), Some((vec![1, 2, 1], vec![-1, 0, 1])));
        let doubled: Vec<i32> = sobel.iter().map(|weight| 2 * weight).collect();
        assert_eq!(factors(&doubled, 3), Some((vec![2, 4, 2], vec![-1, 0, 1])));
        assert_eq!(factors(&[0, 0, 3, 6, 0, 0], 2), Some((vec![0, 3, 0], vec![1, 2])));
        assert_eq!(factors(&[0, 1, 0, 1, -4, 1, 0, 1, 0], 3), None);
        assert_eq!(factors(&[0, 0, 0, 0], 2), None);
    }

    #[test]
    fn a_common_unit_is_found_where_there_is_one() {
        assert_eq!(integers(&[0.25, -0.5, 3.0]), Some((vec![1, -2, 12], 2)));
        assert_eq!(integers(&[1.0 / 9.0]), None);
        assert_eq!(integers(&[f32::NAN]), None);
        assert_eq!(integers(&[f32::INFINITY]), None);
    }
}

//! Softmax with cross-entropy, and its gradient.

/// The mean over samples of `ln(sum of exp(score)) - score[label]`; scores are `[n, classes]`.
pub fn softmax_cross_entropy(classes: usize, scores: &[f64], labels: &[usize]) -> f64 {
    let of =
        |(row, &label): (&[f64], &usize)| row.iter().map(|score| score.exp()).sum::<f64>().ln() - row[label];
    scores.chunks(classes).zip(labels).map(of).sum::<f64>() / labels.len() as f64
}

/// Its gradient: `(softmax - 1 at the label) / n`.
pub fn softmax_cross_entropy_grad(classes: usize, scores: &[f64], labels: &[usize]) -> Vec<f64> {
    let mut gradient = Vec::new();
    for (row, &label) in scores.chunks(classes).zip(labels) {
        let total: f64 = row.iter().map(|score| score.exp()).sum();
        for (class, score) in row.iter().enumerate() {
            let target = if class == label { 1.0 } else { 0.0 };
            gradient.push((score.exp() / total - target) / labels.len() as f64);
        }
    }
    gradient
}

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

/// The same for pixels: scores are `[n, classes, area]`, labels `[n, area]`, none where a pixel is ignored, and the mean is
/// weighted by the weight of each label.
pub fn pixel_cross_entropy(
    [classes, area]: [usize; 2],
    scores: &[f64],
    labels: &[Option<usize>],
    weights: &[f64],
) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (at, label) in labels.iter().enumerate() {
        let Some(label) = *label else { continue };
        let score = |class: usize| scores[(at / area * classes + class) * area + at % area];
        let all: f64 = (0..classes).map(|class| score(class).exp()).sum();
        sum += weights[label] * (all.ln() - score(label));
        total += weights[label];
    }
    sum / total
}

/// Its gradient: `weight (softmax - 1 at the label) / sum of weights`, 0 at ignored pixels.
pub fn pixel_cross_entropy_grad(
    [classes, area]: [usize; 2],
    scores: &[f64],
    labels: &[Option<usize>],
    weights: &[f64],
) -> Vec<f64> {
    let total: f64 = labels.iter().flatten().map(|&label| weights[label]).sum();
    let place = |at: usize, class: usize| (at / area * classes + class) * area + at % area;
    let mut gradient = vec![0.0; scores.len()];
    for (at, label) in labels.iter().enumerate() {
        let Some(label) = *label else { continue };
        let all: f64 = (0..classes).map(|class| scores[place(at, class)].exp()).sum();
        for class in 0..classes {
            let target = if class == label { 1.0 } else { 0.0 };
            gradient[place(at, class)] =
                weights[label] * (scores[place(at, class)].exp() / all - target) / total;
        }
    }
    gradient
}

//! Dice's coefficient (Dice, 1945) of the classes of pixels, as a loss.

/// 1 less the mean over the classes that occur of twice what prediction and truth share, over what both have. Scores are
/// `[n, classes, area]`, labels `[n, area]`, none where a pixel is ignored.
pub fn loss([classes, area]: [usize; 2], scores: &[f64], labels: &[Option<usize>]) -> f64 {
    let mut losses = Vec::new();
    for class in 0..classes {
        let (mut shared, mut predicted, mut labelled) = (0.0, 0.0, 0.0);
        for (at, label) in labels.iter().enumerate().filter(|(_, label)| label.is_some()) {
            let exp = |class: usize| scores[(at / area * classes + class) * area + at % area].exp();
            let probability = exp(class) / (0..classes).map(exp).sum::<f64>();
            predicted += probability;
            if *label == Some(class) {
                shared += probability;
                labelled += 1.0;
            }
        }
        if labelled > 0.0 {
            losses.push(1.0 - 2.0 * shared / (predicted + labelled));
        }
    }
    if losses.is_empty() { 0.0 } else { losses.iter().sum::<f64>() / losses.len() as f64 }
}

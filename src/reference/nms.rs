//! Non-maximum suppression as a sentence: a box stays when no better box that stays covers it.

/// The indices of the boxes that stay, best first; an earlier box is better than a later one of
/// the same score.
pub fn nms(boxes: &[[f64; 4]], scores: &[f64], max_overlap: f64) -> Vec<usize> {
    let mut stays: Vec<Option<bool>> = vec![None; boxes.len()];
    let mut kept: Vec<usize> =
        (0..boxes.len()).filter(|i| stays_on(*i, boxes, scores, max_overlap, &mut stays)).collect();
    kept.sort_by(|a, b| {
        scores[*b].partial_cmp(&scores[*a]).unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(b))
    });
    kept
}

fn stays_on(i: usize, boxes: &[[f64; 4]], scores: &[f64], limit: f64, known: &mut [Option<bool>]) -> bool {
    if let Some(answer) = known[i] {
        return answer;
    }
    let better = |j: usize| scores[j] > scores[i] || (scores[j] == scores[i] && j < i);
    let answer = (0..boxes.len()).all(|j| {
        !(better(j) && overlap(boxes[i], boxes[j]) > limit && stays_on(j, boxes, scores, limit, known))
    });
    known[i] = Some(answer);
    answer
}

/// Common area over covered area.
fn overlap([ax, ay, aw, ah]: [f64; 4], [bx, by, bw, bh]: [f64; 4]) -> f64 {
    let width = (ax + aw).min(bx + bw) - ax.max(bx);
    let height = (ay + ah).min(by + bh) - ay.max(by);
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    width * height / (aw * ah + bw * bh - width * height)
}

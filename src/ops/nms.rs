//! Greedy non-maximum suppression of boxes.

/// Intersection over union of two boxes `[x, y, width, height]`; 0 where they do not meet or one
/// is empty.
///
/// ```
/// use lyncean::ops::nms::iou;
///
/// assert_eq!(iou([0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 4.0]), 0.5);
/// ```
pub fn iou(a: [f64; 4], b: [f64; 4]) -> f64 {
    let side = |axis: usize| {
        let (start, end) = (a[axis].max(b[axis]), (a[axis] + a[axis + 2]).min(b[axis] + b[axis + 2]));
        (end - start).max(0.0)
    };
    let both = side(0) * side(1);
    if both > 0.0 { both / (a[2] * a[3] + b[2] * b[3] - both) } else { 0.0 }
}

/// The indices of the boxes that stay, best score first.
///
/// From the best score down, a box stays unless a better one that stays overlaps it by more than
/// `max_overlap` (intersection over union, 0..=1); at most `max_count` stay. Of equal scores the
/// earlier box goes first. Boxes whose score is not a number never stay.
///
/// ```
/// use lyncean::ops::nms::nms;
///
/// let boxes = [[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 4.0], [9.0, 9.0, 4.0, 4.0]];
/// assert_eq!(nms(&boxes, &[0.9, 0.8, 0.5], 0.3, 10), [0, 2]);
/// ```
///
/// # Panics
/// When there are not as many scores as boxes.
pub fn nms(boxes: &[[f64; 4]], scores: &[f64], max_overlap: f64, max_count: usize) -> Vec<usize> {
    assert_eq!(boxes.len(), scores.len(), "one score a box");
    let mut order: Vec<usize> = (0..boxes.len()).filter(|i| !scores[*i].is_nan()).collect();
    // Stable: equal scores keep the order of the boxes. Adding zero makes -0 equal to 0.
    order.sort_by(|a, b| (scores[*b] + 0.0).total_cmp(&(scores[*a] + 0.0)));
    let mut kept: Vec<usize> = Vec::new();
    for i in order {
        if kept.len() == max_count {
            break;
        }
        if kept.iter().all(|k| iou(boxes[*k], boxes[i]) <= max_overlap) {
            kept.push(i);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference;

    proptest! {
        #[test]
        fn what_stays_is_what_the_definition_says(
            scored in prop::collection::vec(((0u8..20, 0u8..20, 0u8..12, 0u8..12), 0u8..6), 0..25),
            max_overlap in 0u8..10,
            max_count in 0usize..30,
        ) {
            let boxes: Vec<_> =
                scored.iter().map(|((x, y, w, h), _)| [*x, *y, *w, *h].map(|v| f64::from(v) / 2.0)).collect();
            let scores: Vec<_> = scored.iter().map(|(_, score)| f64::from(*score) - 2.0).collect();
            let max_overlap = f64::from(max_overlap) / 10.0;
            let mut expected = reference::nms::nms(&boxes, &scores, max_overlap);
            expected.truncate(max_count);
            prop_assert_eq!(nms(&boxes, &scores, max_overlap, max_count), expected);
        }
    }

    #[test]
    fn ties_and_numbers_that_are_none() {
        let boxes = [[0.0, 0.0, 2.0, 2.0]; 3];
        assert_eq!(nms(&boxes, &[f64::NAN, 1.0, 1.0], 0.5, 9), [1]);
        assert_eq!(nms(&boxes, &[-0.0, 0.0, 0.0], 1.0, 9), [0, 1, 2]);
        assert_eq!(iou([0.0, 0.0, 0.0, 3.0], [0.0, 0.0, 0.0, 3.0]), 0.0);
        assert_eq!(iou([0.0, 0.0, 2.0, 2.0], [1.0, 0.0, 2.0, 2.0]), 2.0 / 6.0);
    }
}

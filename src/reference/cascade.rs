//! Cascade detection as defined: pixels summed one by one, trees walked question by question, boxes
//! joined until nothing changes. The roundings to `f32` are part of the definition.

use crate::image::{Plane, View};

/// A rectangle of a Haar feature inside a window, and its weight.
#[derive(Clone, Copy, Debug)]
pub struct HaarRect {
    /// Corner and size: `x`, `y`, `width`, `height`. Tilted ones start at their top corner, run
    /// `width` columns down to the right and `height` columns down to the left.
    pub place: [i64; 4],
    /// The weight of the sum of its pixels.
    pub weight: f32,
}

/// A decision tree.
#[derive(Clone, Debug)]
pub enum Vote {
    /// The answer.
    Leaf(f32),
    /// A question: is the feature below the threshold?
    Ask {
        /// The feature's rectangles.
        rects: Vec<HaarRect>,
        /// Whether they are tilted.
        tilted: bool,
        /// The threshold.
        threshold: f32,
        /// What follows below it, and otherwise.
        branches: Box<[Vote; 2]>,
    },
    /// A question: is the pattern of 3x3 cells among some?
    Pattern {
        /// The top left cell: `x`, `y`, `width`, `height`.
        cell: [i64; 4],
        /// A bit for each pattern.
        patterns: [u32; 8],
        /// What follows if it is, and otherwise.
        branches: Box<[Vote; 2]>,
    },
}

/// The sum of the pixels of the window at `corner` that a rectangle covers.
pub fn rect_sum(picture: View<u8>, corner: (usize, usize), place: [i64; 4], tilted: bool) -> i64 {
    let [x, y, width, height] = place;
    pixels(picture)
        .filter(|&(i, j, _)| {
            let (i, j) = (i - corner.0 as i64, j - corner.1 as i64);
            if tilted {
                (x + y - 1..x + y + 2 * width - 1).contains(&(i + j))
                    && (y - x + 1..y - x + 2 * height + 1).contains(&(j - i))
            } else {
                (x..x + width).contains(&i) && (y..y + height).contains(&j)
            }
        })
        .map(|(.., value)| value)
        .sum()
}

/// A feature's weighted sum, rounded after each operation.
pub fn feature_value(picture: View<u8>, corner: (usize, usize), rects: &[HaarRect], tilted: bool) -> f32 {
    let mut value = 0.0f32;
    for rect in rects {
        value += rect.weight * rect_sum(picture, corner, rect.place, tilted) as f32;
    }
    value
}

/// What features are multiplied by: one over the window's standard deviation times the area, measured
/// inside its rim of one pixel. Nothing for a window too flat to look at.
pub fn contrast_factor(picture: View<u8>, corner: (usize, usize), size: (usize, usize)) -> Option<f32> {
    let (mut sum, mut squares) = (0i64, 0i64);
    for y in 1..size.1 - 1 {
        for x in 1..size.0 - 1 {
            let value = i64::from(picture.get(corner.0 + x, corner.1 + y));
            sum += value;
            squares += value * value;
        }
    }
    let area = ((size.0 - 2) * (size.1 - 2)) as i64;
    let variance = area * squares - sum * sum;
    let factor = (1.0 / (variance as f64).sqrt()) as f32;
    (variance > 0 && area as f64 * f64::from(factor) < 0.1).then_some(factor)
}

/// How many stages a window passes, each a list of trees and a threshold; nothing if it is flat, where the features
/// are `divided` by the contrast.
pub fn stages_passed(
    picture: View<u8>,
    corner: (usize, usize),
    size: (usize, usize),
    stages: &[(Vec<Vote>, f32)],
    divided: bool,
) -> Option<usize> {
    let factor = if divided { contrast_factor(picture, corner, size)? } else { 0.0 };
    let passes = |(trees, threshold): &(Vec<Vote>, f32)| {
        let votes: f64 = trees.iter().map(|tree| f64::from(vote(picture, corner, tree, factor))).sum();
        votes >= f64::from(threshold - 1e-5)
    };
    Some(stages.iter().take_while(|stage| passes(stage)).count())
}

fn vote(picture: View<u8>, corner: (usize, usize), tree: &Vote, factor: f32) -> f32 {
    match tree {
        Vote::Leaf(vote) => *vote,
        Vote::Ask { rects, tilted, threshold, branches } => {
            let value = feature_value(picture, corner, rects, *tilted) * factor;
            vote(picture, corner, &branches[usize::from(value >= *threshold)], factor)
        }
        Vote::Pattern { cell, patterns, branches } => {
            let pattern = pattern(picture, corner, *cell);
            let is_among = patterns[pattern / 32] & 1 << (pattern % 32) != 0;
            vote(picture, corner, &branches[usize::from(!is_among)], factor)
        }
    }
}

/// The local binary pattern of 3x3 cells: clockwise from the top left, whether each is as bright as the middle one.
pub fn pattern(picture: View<u8>, corner: (usize, usize), cell: [i64; 4]) -> usize {
    let [x, y, width, height] = cell;
    let sum = |column: i64, row: i64| {
        rect_sum(picture, corner, [x + column * width, y + row * height, width, height], false)
    };
    let around = [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)];
    around.iter().fold(0, |pattern, &(column, row)| 2 * pattern + usize::from(sum(column, row) >= sum(1, 1)))
}

/// Sum and sum of squares of the pixels left of column `x` and above row `y`.
pub fn quarter_sums(picture: View<u8>, x: usize, y: usize) -> (i64, i64) {
    pixels(picture)
        .filter(|&(i, j, _)| i < x as i64 && j < y as i64)
        .fold((0, 0), |(sum, squares), (.., value)| (sum + value, squares + value * value))
}

/// Sum of the pixels in the triangle that opens upwards from the pixel at `(x - 1, y - 1)`.
pub fn triangle_sum(picture: View<u8>, x: usize, y: usize) -> i64 {
    let (tip_x, tip_y) = (x as i64 - 1, y as i64 - 1);
    pixels(picture).filter(|&(i, j, _)| (i - tip_x).abs() <= tip_y - j).map(|(.., value)| value).sum()
}

fn pixels(picture: View<u8>) -> impl Iterator<Item = (i64, i64, i64)> {
    (0..picture.height())
        .flat_map(move |y| (0..picture.width()).map(move |x| (x as i64, y as i64, picture.get(x, y).into())))
}

/// Bilinear resizing with weights in units of 1/256, and one rounding, half up, at the end.
pub fn resize_exact(picture: View<u8>, width: usize, height: usize) -> Plane<u8> {
    if picture.width() == 0 || picture.height() == 0 {
        return Plane::new(width, height);
    }
    // Where an output pixel's centre falls among the input's, and the weight of the right neighbour.
    let split = |position: usize, output: usize, input: usize| {
        let ratio = 1.0 / (output as f64 / input as f64);
        let centre = (position as f64 + 0.5) * ratio - 0.5;
        (centre.floor() as i64, ((centre - centre.floor()) * 256.0).round_ties_even() as i64)
    };
    let pixel = |x: i64, y: i64| {
        let x = x.clamp(0, picture.width() as i64 - 1) as usize;
        let y = y.clamp(0, picture.height() as i64 - 1) as usize;
        i64::from(picture.get(x, y))
    };
    Plane::from_fn(width, height, |x, y| {
        let (i, right) = split(x, width, picture.width());
        let (j, low) = split(y, height, picture.height());
        let upper = pixel(i, j) * (256 - right) + pixel(i + 1, j) * right;
        let lower = pixel(i, j + 1) * (256 - right) + pixel(i + 1, j + 1) * right;
        ((upper * (256 - low) + lower * low + 32768) / 65536) as u8
    })
}

/// Groups boxes `[x, y, width, height]`: similar ones share a class, a class's box is their average,
/// classes of `min_neighbors` boxes or fewer go, and so do those inside a stronger one. Returns boxes
/// and counts, in no order that means anything.
pub fn group_boxes(boxes: &[[i64; 4]], min_neighbors: usize) -> Vec<([i64; 4], usize)> {
    let similar = |a: &[i64; 4], b: &[i64; 4]| {
        let delta = 0.2 * (a[2].min(b[2]) + a[3].min(b[3])) as f64 * 0.5;
        let edges = |r: &[i64; 4]| [r[0], r[1], r[0] + r[2], r[1] + r[3]];
        edges(a).iter().zip(edges(b)).all(|(p, q)| (p - q).abs() as f64 <= delta)
    };
    let mut labels: Vec<usize> = (0..boxes.len()).collect();
    loop {
        let before = labels.clone();
        for i in 0..boxes.len() {
            for j in 0..boxes.len() {
                if similar(&boxes[i], &boxes[j]) {
                    labels[i] = labels[i].min(labels[j]);
                }
            }
        }
        if labels == before {
            break;
        }
    }
    let averages: Vec<([i64; 4], usize)> = (0..boxes.len())
        .filter_map(|label| {
            let members: Vec<_> = boxes.iter().zip(&labels).filter(|&(_, &l)| l == label).collect();
            let edge = |k: usize| members.iter().map(|(b, _)| b[k]).sum::<i64>() as f32;
            let share = 1.0 / members.len() as f32;
            let mean = [0, 1, 2, 3].map(|k| (edge(k) * share).round_ties_even() as i64);
            (members.len() > min_neighbors).then_some((mean, members.len()))
        })
        .collect();
    let hidden = |&(a, n): &([i64; 4], usize), (b, m): &([i64; 4], usize)| {
        let dx = (b[2] as f64 * 0.2).round_ties_even() as i64;
        let dy = (b[3] as f64 * 0.2).round_ties_even() as i64;
        let inside = a[0] >= b[0] - dx
            && a[1] >= b[1] - dy
            && a[0] + a[2] <= b[0] + b[2] + dx
            && a[1] + a[3] <= b[1] + b[3] + dy;
        inside && (*m > n.max(3) || n < 3)
    };
    (0..averages.len())
        .filter(|&i| (0..averages.len()).all(|j| i == j || !hidden(&averages[i], &averages[j])))
        .map(|i| averages[i])
        .collect()
}

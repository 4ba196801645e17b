//! Scores of levels as their definitions have them. Bins are values from 0 up.

/// Both classes of a level, which have pixels.
fn classes(counts: &[u64], level: usize) -> Option<[Vec<(f64, f64)>; 2]> {
    let total: u64 = counts.iter().sum();
    let class = |above: bool| -> Vec<(f64, f64)> {
        let of_class = |(value, &count): (usize, &u64)| {
            ((value > level) == above && count > 0).then(|| (value as f64, count as f64 / total as f64))
        };
        counts.iter().enumerate().filter_map(of_class).collect()
    };
    let classes = [class(false), class(true)];
    classes.iter().all(|class| !class.is_empty()).then_some(classes)
}

fn share(class: &[(f64, f64)]) -> f64 {
    class.iter().map(|(_, p)| p).sum()
}

fn mean(class: &[(f64, f64)]) -> f64 {
    class.iter().map(|(value, p)| value * p).sum::<f64>() / share(class)
}

/// Yen's criterion, less its logarithm.
pub fn yen(counts: &[u64], level: usize) -> Option<f64> {
    let [low, high] = classes(counts, level)?;
    let squares = |class: &[(f64, f64)]| class.iter().map(|(_, p)| p * p).sum::<f64>();
    Some((share(&low) * share(&high)).powi(2) / (squares(&low) * squares(&high)))
}

/// The entropy of the values of one class, plus that of the other.
pub fn entropy(counts: &[u64], level: usize) -> Option<f64> {
    let of = |class: &[(f64, f64)]| {
        let share = share(class);
        -class.iter().map(|(_, p)| p / share * (p / share).ln()).sum::<f64>()
    };
    classes(counts, level).map(|[low, high]| of(&low) + of(&high))
}

/// Whether the middle of both means is the level, or less than one above it. Sums are whole numbers: means that
/// meet at a level exactly do so here.
pub fn is_isodata(counts: &[u64], level: usize) -> bool {
    let mean = |above: bool| {
        let class = || counts.iter().enumerate().filter(|(value, _)| (*value > level) == above);
        let number: u64 = class().map(|(_, count)| count).sum();
        let sum: u64 = class().map(|(value, count)| value as u64 * count).sum();
        (number > 0).then(|| sum as f64 / number as f64)
    };
    let (Some(low), Some(high)) = (mean(false), mean(true)) else { return false };
    (0.0..1.0).contains(&(f64::midpoint(low, high) - level as f64))
}

/// The bin of the longer tail (of equal ones the lower) that lies farthest below the line from the tail's end, at
/// height 0, to the peak; of equal ones the outermost.
pub fn triangle(counts: &[u64]) -> usize {
    let first = counts.iter().position(|&count| count > 0).unwrap_or(0);
    let last = counts.iter().rposition(|&count| count > 0).unwrap_or(0);
    let most = counts.iter().copied().max().unwrap_or(0);
    let peak = counts.iter().position(|&count| count == most).unwrap_or(0);
    let (end, tail): (usize, Vec<usize>) = if last - peak > peak - first {
        (last, (peak + 1..=last).rev().collect())
    } else {
        (first, (first..peak).collect())
    };
    let below = |bin: usize| {
        i128::from(most) * bin.abs_diff(end) as i128 - peak.abs_diff(end) as i128 * i128::from(counts[bin])
    };
    let farthest = tail.iter().map(|&bin| below(bin)).max();
    tail.iter().copied().find(|&bin| Some(below(bin)) == farthest).unwrap_or(first)
}

/// One step of Li's iteration, or none where a class is empty or has no value above the least.
pub fn li_step(counts: &[u64], level: f64) -> Option<f64> {
    let least = counts.iter().position(|&count| count > 0)? as f64;
    let [low, high] = classes(counts, level.floor() as usize)?;
    let (low, high) = (mean(&low) - least, mean(&high) - least);
    (low > 0.0).then(|| (low - high) / (low.ln() - high.ln()) + least)
}

/// The sum of squares about the means of the classes between rising levels.
pub fn variance_within(counts: &[u64], levels: &[usize]) -> f64 {
    let class = |value: usize| levels.iter().filter(|&&level| value > level).count();
    (0..=levels.len())
        .map(|index| {
            let values: Vec<(f64, f64)> = (0..counts.len())
                .filter(|&value| class(value) == index)
                .map(|v| (v as f64, counts[v] as f64))
                .collect();
            let number: f64 = values.iter().map(|(_, count)| count).sum();
            let mean = values.iter().map(|(value, count)| value * count).sum::<f64>() / number.max(1.0);
            values.iter().map(|(value, count)| count * (value - mean) * (value - mean)).sum::<f64>()
        })
        .sum()
}

/// The least of [`variance_within`] over every choice of levels.
pub fn least_variance_within(counts: &[u64], classes: usize) -> f64 {
    fn search(counts: &[u64], levels: &mut Vec<usize>, missing: usize) -> f64 {
        if missing == 0 {
            return variance_within(counts, levels);
        }
        let mut best = f64::INFINITY;
        for level in levels.last().map_or(0, |last| last + 1)..counts.len() {
            levels.push(level);
            best = best.min(search(counts, levels, missing - 1));
            levels.pop();
        }
        best
    }
    search(counts, &mut Vec::new(), classes - 1)
}

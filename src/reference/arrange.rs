//! Values in other places: parts of axes, orders of axes, edges, means; and arithmetic that spreads. Every
//! place is a list of coordinates.

/// All coordinates of a shape, the last axis fastest.
fn coordinates(shape: &[usize]) -> Vec<Vec<usize>> {
    let count: usize = shape.iter().product();
    let of = |mut index: usize| {
        let mut at = vec![0; shape.len()];
        for axis in (0..shape.len()).rev() {
            at[axis] = index % shape[axis];
            index /= shape[axis];
        }
        at
    };
    (0..count).map(of).collect()
}

/// The index of coordinates in a shape.
fn index(shape: &[usize], at: &[usize]) -> usize {
    assert_eq!(shape.len(), at.len());
    let mut index = 0;
    for (&len, &at) in shape.iter().zip(at) {
        assert!(at < len, "{at} lies outside of {len}");
        index = index * len + at;
    }
    index
}

/// Where each output comes from, if from anywhere: the meaning of a layer that moves values.
pub type Origin<'a> = &'a dyn Fn(&[usize]) -> Option<Vec<usize>>;

/// A batch of samples of `input`, moved to `output`; `fill` where nothing comes from.
pub fn moved(input: &[usize], output: &[usize], fill: f64, from: Origin<'_>, x: &[f64]) -> Vec<f64> {
    let places = coordinates(output);
    x.chunks(input.iter().product())
        .flat_map(|x| {
            places.iter().map(|to| from(to).map_or(fill, |from| x[index(input, &from)])).collect::<Vec<_>>()
        })
        .collect()
}

/// Its gradient.
pub fn moved_grad(input: &[usize], output: &[usize], from: Origin<'_>, dy: &[f64]) -> Vec<f64> {
    let (area, places) = (input.iter().product(), coordinates(output));
    let mut dx = Vec::new();
    for dy in dy.chunks(places.len()) {
        let mut sample = vec![0.0; area];
        for (to, dy) in places.iter().zip(dy) {
            if let Some(from) = from(to) {
                sample[index(input, &from)] += dy;
            }
        }
        dx.extend(sample);
    }
    dx
}

/// The place that a padding mirrors, one step after another: about the outermost place on both sides.
pub fn reflected(mut at: i64, len: usize) -> usize {
    let last = len as i64 - 1;
    while at < 0 || at > last {
        at = if at < 0 { -at } else { 2 * last - at };
    }
    at as usize
}

/// The coordinates that remain of a place where lengths of 1 spread.
fn spread(small: &[usize], at: &[usize]) -> Vec<usize> {
    small.iter().zip(at).map(|(&len, &at)| if len == 1 { 0 } else { at }).collect()
}

/// Means over all places that are one place of the output, whose lengths are those of the input or 1.
pub fn mean(input: &[usize], output: &[usize], x: &[f64]) -> Vec<f64> {
    let share = (input.iter().product::<usize>() / output.iter().product::<usize>()) as f64;
    let of = |x: &[f64]| {
        let mut y = vec![0.0; output.iter().product()];
        for (at, x) in coordinates(input).iter().zip(x) {
            y[index(output, &spread(output, at))] += x / share;
        }
        y
    };
    x.chunks(input.iter().product()).flat_map(of).collect()
}

/// Its gradient.
pub fn mean_grad(input: &[usize], output: &[usize], dy: &[f64]) -> Vec<f64> {
    let share = (input.iter().product::<usize>() / output.iter().product::<usize>()) as f64;
    let of = |dy: &[f64]| {
        let at = |at: &Vec<usize>| dy[index(output, &spread(output, at))] / share;
        coordinates(input).iter().map(at).collect::<Vec<_>>()
    };
    dy.chunks(output.iter().product()).flat_map(of).collect()
}

/// Samples of two shapes, and the shape that both spread to.
#[derive(Clone, Copy, Debug)]
pub struct PairSizes<'a> {
    /// The shape of a sample of the first input.
    pub first: &'a [usize],
    /// That of the second.
    pub second: &'a [usize],
    /// That of the output.
    pub output: &'a [usize],
}

impl PairSizes<'_> {
    fn meet(&self, a: &[f64], b: &[f64], mut meet: impl FnMut(usize, usize, usize)) {
        let areas = [self.first, self.second, self.output].map(|shape| shape.iter().product::<usize>());
        assert_eq!(a.len() / areas[0], b.len() / areas[1]);
        for n in 0..a.len() / areas[0] {
            for (to, at) in coordinates(self.output).iter().enumerate() {
                let i = index(self.first, &spread(self.first, at));
                let j = index(self.second, &spread(self.second, at));
                meet(n * areas[0] + i, n * areas[1] + j, n * areas[2] + to);
            }
        }
    }
}

/// A function of two values, for all of two inputs.
pub fn pairwise(sizes: &PairSizes<'_>, f: impl Fn(f64, f64) -> f64, a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut y = Vec::new();
    sizes.meet(a, b, |i, j, _| y.push(f(a[i], b[j])));
    y
}

/// Its gradients for both, from the derivatives of the function.
pub fn pairwise_grad(
    sizes: &PairSizes<'_>,
    slopes: impl Fn(f64, f64) -> [f64; 2],
    a: &[f64],
    b: &[f64],
    dy: &[f64],
) -> [Vec<f64>; 2] {
    let (mut da, mut db) = (vec![0.0; a.len()], vec![0.0; b.len()]);
    sizes.meet(a, b, |i, j, to| {
        let [slope_a, slope_b] = slopes(a[i], b[j]);
        da[i] += slope_a * dy[to];
        db[j] += slope_b * dy[to];
    });
    [da, db]
}

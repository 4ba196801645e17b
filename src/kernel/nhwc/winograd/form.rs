//! The transforms of F(2x2, 3x3) and F(4x4, 3x3) along one axis.

/// Channels that are transformed at once.
pub(super) const LANES: usize = 16;
pub(super) type Lanes = [f32; LANES];

/// The transforms along one axis, of `N` inputs to `M` outputs.
pub(super) trait Form<const N: usize, const M: usize> {
    const FILTER: [[f64; 3]; N];
    fn input(d: [Lanes; N]) -> [Lanes; N];
    fn output(m: [Lanes; N]) -> [Lanes; M];
    /// The adjoint of `output`.
    fn spread(d: [Lanes; M]) -> [Lanes; N];
}

/// A sum of multiples of lanes.
#[inline(always)]
pub(super) fn sum<const K: usize>(terms: [(f32, &Lanes); K]) -> Lanes {
    let mut sum = [0.0; LANES];
    for (i, (factor, lanes)) in terms.iter().enumerate() {
        for l in 0..LANES {
            let term = factor * lanes[l];
            sum[l] = if i == 0 { term } else { sum[l] + term };
        }
    }
    sum
}

pub(super) struct Two;

impl Form<4, 2> for Two {
    const FILTER: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];

    #[inline(always)]
    fn input([a, b, c, d]: [Lanes; 4]) -> [Lanes; 4] {
        [
            sum([(1.0, &a), (-1.0, &c)]),
            sum([(1.0, &b), (1.0, &c)]),
            sum([(1.0, &c), (-1.0, &b)]),
            sum([(1.0, &b), (-1.0, &d)]),
        ]
    }

    #[inline(always)]
    fn output([a, b, c, d]: [Lanes; 4]) -> [Lanes; 2] {
        [sum([(1.0, &a), (1.0, &b), (1.0, &c)]), sum([(1.0, &b), (-1.0, &c), (-1.0, &d)])]
    }

    #[inline(always)]
    fn spread([a, b]: [Lanes; 2]) -> [Lanes; 4] {
        [a, sum([(1.0, &a), (1.0, &b)]), sum([(1.0, &a), (-1.0, &b)]), sum([(-1.0, &b)])]
    }
}

pub(super) struct Four;

impl Form<6, 4> for Four {
    const FILTER: [[f64; 3]; 6] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];

    #[inline(always)]
    fn input([a, b, c, d, e, f]: [Lanes; 6]) -> [Lanes; 6] {
        let (even, odd) = (sum([(1.0, &e), (-4.0, &c)]), sum([(1.0, &d), (-4.0, &b)]));
        let (near, far) = (sum([(1.0, &e), (-1.0, &c)]), sum([(2.0, &d), (-2.0, &b)]));
        [
            sum([(4.0, &a), (-5.0, &c), (1.0, &e)]),
            sum([(1.0, &even), (1.0, &odd)]),
            sum([(1.0, &even), (-1.0, &odd)]),
            sum([(1.0, &near), (1.0, &far)]),
            sum([(1.0, &near), (-1.0, &far)]),
            sum([(4.0, &b), (-5.0, &d), (1.0, &f)]),
        ]
    }

    #[inline(always)]
    fn output([a, b, c, d, e, f]: [Lanes; 6]) -> [Lanes; 4] {
        let (near, far) = (sum([(1.0, &b), (1.0, &c)]), sum([(1.0, &d), (1.0, &e)]));
        let (left, right) = (sum([(1.0, &b), (-1.0, &c)]), sum([(1.0, &d), (-1.0, &e)]));
        [
            sum([(1.0, &a), (1.0, &near), (1.0, &far)]),
            sum([(1.0, &left), (2.0, &right)]),
            sum([(1.0, &near), (4.0, &far)]),
            sum([(1.0, &left), (8.0, &right), (1.0, &f)]),
        ]
    }

    #[inline(always)]
    fn spread([a, b, c, d]: [Lanes; 4]) -> [Lanes; 6] {
        let (even, odd) = (sum([(1.0, &a), (1.0, &c)]), sum([(1.0, &b), (1.0, &d)]));
        let (near, far) = (sum([(1.0, &a), (4.0, &c)]), sum([(2.0, &b), (8.0, &d)]));
        [
            a,
            sum([(1.0, &even), (1.0, &odd)]),
            sum([(1.0, &even), (-1.0, &odd)]),
            sum([(1.0, &near), (1.0, &far)]),
            sum([(1.0, &near), (-1.0, &far)]),
            d,
        ]
    }
}

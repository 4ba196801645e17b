use super::super::model::{self, Stage, Tree};
use super::*;
use crate::image::{Plane, Rect};
use crate::reference::cascade::{self as reference, HaarRect, Vote};
use proptest::collection::vec;
use proptest::prelude::*;

const WINDOW: (usize, usize) = (9, 11);

fn rect(tilted: bool) -> impl Strategy<Value = FeatureRect> {
    let (wide, high) = WINDOW;
    let size = if tilted { (0..=4usize, 0..=5usize) } else { (0..=wide, 0..=high) };
    size.prop_flat_map(move |(width, height)| {
        let (x, y) = if tilted {
            (height..=wide - width, 0..=high - width - height)
        } else {
            (0..=wide - width, 0..=high - height)
        };
        (x, y, -3i8..=3).prop_map(move |(x, y, weight)| FeatureRect {
            x,
            y,
            width,
            height,
            weight: f32::from(weight) / 7.0,
        })
    })
}

fn feature() -> impl Strategy<Value = Feature> {
    any::<bool>()
        .prop_flat_map(|tilted| vec(rect(tilted), 1..=3).prop_map(move |rects| Feature { rects, tilted }))
}

/// Trees of one to three nodes over ten features.
fn tree(nodes: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Tree> {
    nodes.prop_flat_map(|count| {
        let node = (0usize..10, -0.2f32..0.2, any::<[bool; 2]>(), [-1.0f32..1.0, -1.0f32..1.0]);
        vec(node, count).prop_map(move |nodes| {
            let nodes = nodes.into_iter().enumerate().map(|(i, (feature, threshold, deeper, votes))| {
                let branch = |side: usize| {
                    if deeper[side] && i + 1 + side < count {
                        Branch::Node(i + 1 + side)
                    } else {
                        Branch::Leaf(votes[side])
                    }
                };
                let question = Question::Below(threshold);
                model::Node { feature, question, left: branch(0), right: branch(1) }
            });
            Tree { nodes: nodes.collect() }
        })
    })
}

/// A cascade of patterns over the same windows.
fn lbp_cascade() -> impl Strategy<Value = Cascade> {
    let block = (1usize..=3, 1usize..=3).prop_flat_map(|(width, height)| {
        (0..=WINDOW.0 - 3 * width, 0..=WINDOW.1 - 3 * height).prop_map(move |(x, y)| PatternBlock {
            x,
            y,
            width,
            height,
        })
    });
    let stages = vec((vec((tree(1..=3), vec(any::<[u32; 8]>(), 3)), 1..4), -1.0f32..0.5), 1..4);
    (vec(block, 10), stages).prop_map(|(blocks, stages)| {
        let stages = stages.into_iter().map(|(trees, threshold)| Stage {
            trees: trees
                .into_iter()
                .map(|(mut tree, patterns)| {
                    for (node, patterns) in tree.nodes.iter_mut().zip(patterns) {
                        node.question = Question::Among(patterns);
                    }
                    tree
                })
                .collect(),
            threshold,
        });
        Cascade::new(WINDOW.0, WINDOW.1, blocks, stages.collect()).unwrap()
    })
}

fn cascade() -> impl Strategy<Value = Cascade> {
    let stages = |nodes| {
        vec((vec(tree(nodes), 1..4), -1.0f32..0.5), 1..4).prop_map(|stages| {
            stages.into_iter().map(|(trees, threshold)| Stage { trees, threshold }).collect::<Vec<_>>()
        })
    };
    (vec(feature(), 10), prop_oneof![stages(1..=1), stages(1..=3)])
        .prop_map(|(features, stages)| Cascade::new(WINDOW.0, WINDOW.1, features, stages).unwrap())
}

/// A picture inside a larger one, contrasty or nearly flat.
fn picture() -> impl Strategy<Value = (Plane<u8>, Rect)> {
    (0usize..16, 0usize..16, 0usize..3, prop_oneof![Just(255u8), Just(36), Just(0)]).prop_flat_map(
        |(w, h, margin, top)| {
            let size = (w + margin, h + margin);
            vec(0..=top, size.0 * size.1).prop_map(move |data| {
                (Plane::from_vec(size.0, size.1, data).unwrap(), Rect::new(margin, margin, w, h))
            })
        },
    )
}

fn plain_rects(feature: &Feature) -> Vec<HaarRect> {
    let place = |r: &FeatureRect| [r.x, r.y, r.width, r.height].map(|edge| edge as i64);
    feature.rects.iter().map(|r| HaarRect { place: place(r), weight: r.weight }).collect()
}

fn plain_tree(cascade: &Cascade, tree: &Tree, at: usize) -> Vote {
    let node = &tree.nodes[at];
    let branch = |branch| match branch {
        Branch::Leaf(vote) => Vote::Leaf(vote),
        Branch::Node(next) => plain_tree(cascade, tree, next),
    };
    let branches = Box::new([branch(node.left), branch(node.right)]);
    match (cascade.features(), node.question) {
        (Features::Haar(features), Question::Below(threshold)) => {
            let feature = &features[node.feature];
            Vote::Ask { rects: plain_rects(feature), tilted: feature.tilted, threshold, branches }
        }
        (Features::Lbp(blocks), Question::Among(patterns)) => {
            let PatternBlock { x, y, width, height } = blocks[node.feature];
            Vote::Pattern { cell: [x, y, width, height].map(|edge| edge as i64), patterns, branches }
        }
        _ => unreachable!(),
    }
}

fn plain_stages(cascade: &Cascade) -> Vec<(Vec<Vote>, f32)> {
    let trees = |stage: &Stage| stage.trees.iter().map(|tree| plain_tree(cascade, tree, 0)).collect();
    cascade.stages().iter().map(|stage| (trees(stage), stage.threshold)).collect()
}

/// Corners of all windows in a picture.
fn corners(rect: Rect) -> impl Iterator<Item = (usize, usize)> {
    let count = |length: usize, window: usize| (length + 1).saturating_sub(window);
    let (across, down) = (count(rect.width, WINDOW.0), count(rect.height, WINDOW.1));
    (0..down).flat_map(move |y| (0..across).map(move |x| (x, y)))
}

proptest! {
    #[test]
    fn features_are_weighted_sums_of_pixels((plane, rect) in picture(), feature in feature()) {
        let view = plane.view().crop(rect).unwrap();
        let integrals = Integrals::new(view, Wants { tilted: true, squares: true }, 1, Isa::best());
        let baked = bake(&feature, &integrals.layout);
        for (x, y) in corners(rect) {
            let value = baked.value(&integrals.sums[integrals.layout.at(x, y)..]);
            let expected = reference::feature_value(view, (x, y), &plain_rects(&feature), feature.tilted);
            prop_assert_eq!(value, expected, "at ({}, {})", x, y);
        }
    }

    #[test]
    fn verdicts_are_those_of_the_definition(
        (plane, rect) in picture(),
        cascade in prop_oneof![2 => cascade(), 1 => lbp_cascade()],
    ) {
        let view = plane.view().crop(rect).unwrap();
        let (windows, stages) = (Windows::new(&cascade, view), plain_stages(&cascade));
        for (x, y) in corners(rect) {
            let passed = match windows.verdict(x, y).unwrap() {
                Verdict::Flat => None,
                Verdict::Rejected(stage) => Some(stage),
                Verdict::Accepted(margin) => {
                    prop_assert!(margin >= 0.0);
                    Some(stages.len())
                }
            };
            let is_haar = matches!(cascade.features(), Features::Haar(_));
            let expected = reference::stages_passed(view, (x, y), WINDOW, &stages, is_haar);
            prop_assert_eq!(passed, expected, "at ({}, {})", x, y);
        }
    }
}

proptest! {
    /// Together or one by one, on every instruction set, with the columns in any order.
    #[test]
    fn windows_side_by_side_have_the_verdicts_that_they_have_alone(
        data in vec(any::<u8>(), 90 * 14),
        flat in vec(0usize..90, 0..3),
        cascade in prop_oneof![2 => cascade(), 1 => lbp_cascade()],
        step in 1usize..4,
        width in WINDOW.0..90,
        picked in vec(any::<u16>(), 90usize.div_ceil(LANES)),
    ) {
        let mut plane = Plane::from_vec(90, 14, data).unwrap();
        for y in 0..14 {
            for &x in &flat {
                plane.row_mut(y)[x..(x + 20).min(90)].fill(7);
            }
        }
        let view = plane.view().crop(Rect::new(0, 0, width, 14)).unwrap();
        let alone = Windows::new(&cascade, view);
        let integrals = Integrals::new(view, Wants::of(&cascade), step, Isa::best());
        let baked = Baked::new(&cascade, &integrals.layout);
        for y in 0..=14 - WINDOW.1 {
            let mut expected = Vec::new();
            let mut x = 0;
            while let Some(verdict) = alone.verdict(x, y) {
                match verdict {
                    Verdict::Rejected(0) => x += step,
                    Verdict::Accepted(score) => expected.push((x, score)),
                    _ => {}
                }
                x += step;
            }
            let count = (width + 1 - WINDOW.0).div_ceil(step);
            for isa in Isa::available() {
                let mut found = Vec::new();
                baked.verdicts(isa, &integrals, integrals.layout.at(0, y), count, |place, score| {
                    found.push((place * step, score));
                });
                prop_assert_eq!(&found, &expected, "{:?}, row {}", isa, y);
            }
            // None is passed over, and none looked at that is not wanted.
            let wanted: Vec<u32> =
                picked.iter().map(|&bits| if bits < 9000 { 0 } else { u32::from(bits) }).collect();
            let is_wanted = |x: &usize| wanted[x / LANES] >> (x % LANES) & 1 == 1;
            let accepted = |x: &usize| matches!(alone.verdict(*x, y), Some(Verdict::Accepted(_)));
            let expected: Vec<usize> =
                (0..=width - WINDOW.0).filter(|x| is_wanted(x) && accepted(x)).collect();
            for isa in Isa::available() {
                let mut found = Vec::new();
                alone.passing(isa, y, &wanted, |x| found.push(x));
                prop_assert_eq!(&found, &expected, "{:?}, row {}", isa, y);
            }
        }
    }
}

#[test]
fn trees_of_many_nodes_are_walked_lane_by_lane() {
    let rect = |x| FeatureRect { x, y: 0, width: 1, height: 3, weight: 1.0 };
    let features: Vec<_> = (0..9).map(|x| Feature { rects: vec![rect(x)], tilted: false }).collect();
    let nodes = (0..40).map(|i| {
        let right = if i < 39 { Branch::Node(i + 1) } else { Branch::Leaf(0.75) };
        let question = Question::Below(0.002 * i as f32);
        model::Node { feature: i % 9, question, left: Branch::Leaf(i as f32 - 20.0), right }
    });
    let trees = vec![Tree { nodes: nodes.collect() }];
    let cascade = Cascade::new(9, 11, features, vec![Stage { trees, threshold: -3.0 }]).unwrap();
    let picture = Plane::from_fn(60, 11, |x, y| (x * x * 7 + y * 13) as u8);
    let alone = Windows::new(&cascade, picture.view());
    let integrals = Integrals::new(picture.view(), Wants::of(&cascade), 1, Isa::best());
    let baked = Baked::new(&cascade, &integrals.layout);
    for isa in Isa::available() {
        let mut found = 0;
        baked.verdicts(isa, &integrals, 0, 52, |x, score| {
            assert_eq!(alone.verdict(x, 0), Some(Verdict::Accepted(score)), "{isa:?}");
            found += 1;
        });
        assert!((5..50).contains(&found), "{found}");
    }
}

#[test]
fn windows_that_leave_the_picture_have_no_verdict() {
    let feature =
        Feature { rects: vec![FeatureRect { x: 0, y: 0, width: 1, height: 1, weight: 1.0 }], tilted: false };
    let (left, right) = (Branch::Leaf(0.0), Branch::Leaf(0.0));
    let trees =
        vec![Tree { nodes: vec![model::Node { feature: 0, question: Question::Below(0.0), left, right }] }];
    let cascade = Cascade::new(9, 11, vec![feature], vec![Stage { trees, threshold: 0.0 }]).unwrap();
    let picture = Plane::from_fn(10, 11, |x, y| ((x * 7 + y * 13) % 2 * 255) as u8);
    let windows = Windows::new(&cascade, picture.view());
    assert_eq!(windows.verdict(1, 0).map(|v| matches!(v, Verdict::Accepted(_))), Some(true));
    assert_eq!(windows.verdict(2, 0), None);
    assert_eq!(windows.verdict(0, 1), None);
    assert_eq!(windows.verdict(usize::MAX, 0), None);
}

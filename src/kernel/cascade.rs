//! Votes of boosted trees on neighbouring windows at once (Viola and Jones, 2001).
//!
//! Windows side by side read neighbouring entries of the integral image, so every corner of a rectangle is one
//! vector for [`LANES`] of them. Whoever looks at every other window keeps the integral image with its even columns
//! first, and the odd ones behind.
//!
//! The order of operations is OpenCV's, each rounded on its own: what a node asks is in [`haar`] and [`lbp`], and
//! votes are summed in `f64`, tree after tree.
#![allow(unsafe_code, reason = "a bounds check for every corner would take as long as the corner")]

pub mod haar;
pub mod lbp;
mod wide;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Range;

use super::Isa;
pub use wide::Wide;

/// Windows that are looked at together.
pub const LANES: usize = 16;
/// The most nodes of a tree that windows go through together.
const TOGETHER: usize = 16;

/// What a node of a tree asks of a window.
pub trait Question: Clone {
    /// Offsets from a window's first entry in the integral image.
    fn corners(&self) -> &[u32];

    /// The answer of the window whose entries begin with `sums`, and whose contrast factor is `factor`.
    fn ask(&self, sums: &[u32], factor: f32) -> bool;

    /// The answers of windows side by side.
    ///
    /// # Safety
    /// The corners, and [`LANES`] entries from each, lie in `sums`.
    unsafe fn ask_all<W: Wide>(&self, wide: W, sums: &[u32], factors: W::Floats) -> W::Mask;
}

/// A node of a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<Q> {
    /// What is asked.
    pub question: Q,
    /// After yes and after no: a later node, counted from the root, or 0 for a leaf.
    pub next: [u32; 2],
    /// The vote of a leaf.
    pub votes: [f32; 2],
}

/// Trees, the weak classifiers of a cascade.
#[derive(Clone, Debug)]
pub struct Trees<Q> {
    nodes: Vec<Node<Q>>,
    /// Where each tree begins, and behind the last one where it ends.
    roots: Vec<u32>,
    /// One more than the largest offset of a corner.
    reach: usize,
    /// Nodes of the largest tree.
    largest: usize,
}

impl<Q: Question> Trees<Q> {
    /// No trees.
    #[allow(clippy::new_without_default, reason = "a loop adds trees to it")]
    pub fn new() -> Self {
        Self { nodes: Vec::new(), roots: vec![0], reach: 0, largest: 0 }
    }

    /// Adds a tree.
    ///
    /// # Panics
    /// Where there are no nodes, or a branch does not lead to a later one.
    pub fn push(&mut self, tree: &[Node<Q>]) {
        assert!(!tree.is_empty(), "a tree has a node");
        for (index, node) in tree.iter().enumerate() {
            for next in node.next.map(|next| next as usize) {
                assert!(next == 0 || (next > index && next < tree.len()), "branches lead on");
            }
            let furthest = node.question.corners().iter().fold(0, |last, &offset| last.max(offset));
            self.reach = self.reach.max(furthest as usize + 1);
        }
        self.nodes.extend_from_slice(tree);
        self.roots.push(self.nodes.len() as u32);
        self.largest = self.largest.max(tree.len());
    }

    /// Trees there are.
    pub fn len(&self) -> usize {
        self.roots.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The votes of some trees on the window whose entries begin with `sums`.
    #[inline(always)]
    pub fn votes_of_one(&self, trees: Range<usize>, sums: &[u32], factor: f32) -> f64 {
        let mut votes = 0.0;
        // As an index: branches here would be mispredicted half the time.
        if self.largest == 1 {
            for node in &self.nodes[trees] {
                votes += f64::from(node.votes[usize::from(!node.question.ask(sums, factor))]);
            }
            return votes;
        }
        for &root in &self.roots[trees] {
            votes += f64::from(vote_of_one(&self.nodes[root as usize..], sums, factor));
        }
        votes
    }

    /// The same for windows side by side: that of lane `i` begins with `sums[i]`. What stands in lanes nobody asks
    /// for does no harm.
    ///
    /// # Panics
    /// Where `sums` ends less than [`LANES`] entries behind the furthest corner.
    #[inline(always)]
    pub fn votes<W: Wide>(
        &self,
        wide: W,
        trees: Range<usize>,
        sums: &[u32],
        factors: W::Floats,
    ) -> W::Doubles {
        assert!(sums.len() >= self.reach + LANES, "an integral image that holds the windows");
        let mut votes = wide.no_votes();
        if self.largest == 1 {
            for node in &self.nodes[trees] {
                // SAFETY: `reach` is beyond every corner, and `sums` has `LANES` entries behind it.
                let yes = unsafe { node.question.ask_all(wide, sums, factors) };
                votes = wide.vote(votes, yes, node.votes[0].into(), node.votes[1].into());
            }
            return votes;
        }
        for tree in trees {
            let tree = &self.nodes[self.roots[tree] as usize..self.roots[tree + 1] as usize];
            let vote = if tree.len() <= TOGETHER {
                // SAFETY: as above.
                unsafe { vote_together(tree, wide, sums, factors) }
            } else {
                vote_apart(tree, wide, sums, factors)
            };
            votes = wide.plus_votes(votes, vote);
        }
        votes
    }
}

/// The vote of a tree of many nodes, lane by lane.
fn vote_apart<Q: Question, W: Wide>(
    tree: &[Node<Q>],
    wide: W,
    sums: &[u32],
    factors: W::Floats,
) -> W::Doubles {
    let factors = wide.to_array(factors);
    let mut vote = wide.no_votes();
    for lane in 0..LANES {
        vote = wide.put(vote, wide.mask(1 << lane), vote_of_one(tree, &sums[lane..], factors[lane]).into());
    }
    vote
}

/// The vote of a tree on one window.
#[inline(always)]
fn vote_of_one<Q: Question>(tree: &[Node<Q>], sums: &[u32], factor: f32) -> f32 {
    let mut node = &tree[0];
    loop {
        let side = usize::from(!node.question.ask(sums, factor));
        match node.next[side] {
            0 => return node.votes[side],
            next => node = &tree[next as usize],
        }
    }
}

/// The vote of a tree: all its nodes are asked, and each lane goes its way through the answers.
///
/// # Safety
/// The corners of the nodes, and [`LANES`] entries from each, lie in `sums`.
#[inline(always)]
unsafe fn vote_together<Q: Question, W: Wide>(
    tree: &[Node<Q>],
    wide: W,
    sums: &[u32],
    factors: W::Floats,
) -> W::Doubles {
    let mut reached = [wide.mask(0); TOGETHER];
    reached[0] = wide.mask(u32::MAX);
    let mut vote = wide.no_votes();
    for (index, node) in tree.iter().enumerate() {
        // SAFETY: handed on.
        let yes = unsafe { node.question.ask_all(wide, sums, factors) };
        let here = reached[index];
        for (side, taken) in [wide.and(here, yes), wide.and_not(here, yes)].into_iter().enumerate() {
            match node.next[side] as usize {
                0 => vote = wide.put(vote, taken, node.votes[side].into()),
                next => reached[next] = wide.or(reached[next], taken),
            }
        }
    }
    vote
}

/// The sum over a rectangle from the sums at its corners.
#[inline(always)]
fn corner_sum(sums: &[u32], corners: [u32; 4]) -> u32 {
    let [a, b, c, d] = corners.map(|offset| sums[offset as usize]);
    a.wrapping_sub(b).wrapping_sub(c).wrapping_add(d)
}

/// The same for windows side by side.
///
/// # Safety
/// The corners, and [`LANES`] entries from each, lie in `sums`.
#[inline(always)]
unsafe fn corner_sums<W: Wide>(wide: W, sums: &[u32], corners: [u32; 4]) -> W::Sums {
    debug_assert!(corners.iter().all(|&offset| offset as usize + LANES <= sums.len()));
    let [a, b, c, d] = corners.map(|offset| sums.as_ptr().wrapping_add(offset as usize));
    // SAFETY: as said above.
    unsafe { wide.add(wide.sub(wide.sub(wide.load(a), wide.load(b)), wide.load(c)), wide.load(d)) }
}

/// Of windows in a row, those that are looked at: whoever follows one that is looked at and `rejected` is passed
/// over. `skip` says whether the first one is, and becomes whether the first one of the next lanes is.
#[inline(always)]
pub fn visited(rejected: u32, skip: &mut bool) -> u32 {
    let mut bits = 0;
    let mut skipped = u32::from(*skip);
    for lane in 0..LANES {
        let looked_at = skipped ^ 1;
        bits |= looked_at << lane;
        skipped = looked_at & (rejected >> lane);
    }
    *skip = skipped != 0;
    bits
}

/// What is done with sixteen windows at once.
pub trait Job {
    /// Does it.
    fn run<W: Wide>(self, wide: W);
}

/// Does a job with the instructions of a set.
pub fn dispatch(isa: Isa, job: impl Job) {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(wide) = x86::Avx512::new(isa) {
            return isa.run(
                #[inline(always)]
                || job.run(wide),
            );
        }
        if let Some(wide) = x86::Avx2::new(isa) {
            return isa.run(
                #[inline(always)]
                || job.run(wide),
            );
        }
    }
    isa.run(
        #[inline(always)]
        || job.run(wide::Portable),
    );
}

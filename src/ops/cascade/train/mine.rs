//! Windows without objects that a cascade takes for objects (bootstrapping: Sung and Poggio, 1998).
//!
//! Every window of every picture, at every scale and in every form, has a number that is random and fixed for
//! the stage. A round looks at the windows of one form whose numbers lie in a range as wide as the number of
//! windows still wanted asks for, so that what is found is spread over all pictures, no window is met twice, and
//! what was looked at is counted. When all ranges are used up, there is no more to be found.

use std::sync::Arc;

use super::TrainProgress;
use super::samples::Crops;
use super::settings::Training;
use crate::image::{Plane, View};
use crate::kernel::Isa;
use crate::kernel::cascade::LANES;
use crate::ops::cascade::model::{Branch, Feature, FeatureRect, Node, Question, Stage, Tree};
use crate::ops::cascade::pyramid::resize;
use crate::ops::cascade::{Cascade, Windows};
use crate::parallel::prelude::*;
use crate::random::Random;
use crate::{Error, Result};

/// Pictures searched before somebody is asked whether to go on.
const CHUNK: usize = 16;
/// How many more windows are planned for than are wanted, because the rate is a guess.
const RESERVE: f64 = 1.3;
/// A round ends early when it has found so many times what is wanted.
const PLENTY: usize = 4;

/// Pictures in which there is no object.
///
/// ```
/// use std::sync::Arc;
/// use lyncean::image::Plane;
/// use lyncean::ops::cascade::train::Negatives;
///
/// struct Ramps;
///
/// impl Negatives for Ramps {
///     fn len(&self) -> usize {
///         2
///     }
///
///     fn picture(&self, index: usize) -> lyncean::Result<Arc<Plane<u8>>> {
///         Ok(Arc::new(Plane::from_fn(64, 48, |x, y| (x * (index + 1) + y) as u8)))
///     }
/// }
///
/// assert!(!Ramps.is_empty());
/// ```
pub trait Negatives: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A picture in gray. It is asked for again and again, from all threads.
    ///
    /// # Errors
    /// When it cannot be read.
    fn picture(&self, index: usize) -> Result<Arc<Plane<u8>>>;
}

/// What was found.
pub(super) struct Mined {
    /// Windows that pass, at most as many as wanted.
    pub(super) crops: Crops,
    /// Windows that were looked at.
    pub(super) seen: u64,
    /// How many of them pass.
    pub(super) passed: u64,
}

/// A window that passes, and its random number.
type Found = (u64, Vec<u8>);

/// Looks for windows that pass all stages so far; `expected` is the share of them that probably does.
pub(super) fn mine(
    cascade: Option<&Cascade>,
    settings: &Training,
    negatives: &dyn Negatives,
    stage: usize,
    expected: f64,
    isa: Isa,
    hear: &mut dyn FnMut(TrainProgress) -> bool,
) -> Result<Mined> {
    let all;
    let cascade = match cascade {
        Some(cascade) => cascade,
        None => {
            all = everything(settings.width, settings.height)?;
            &all
        }
    };
    let random = Random::new(settings.seed).stream(1).stream(stage as u64);
    let wanted = settings.negatives;
    let forms = settings.turns.count();
    // Where the next range of each form begins; nothing when all was looked at.
    let mut starts = vec![Some(0u64); forms];
    let mut windows = None;
    let (mut found, mut seen): (Vec<Found>, u64) = (Vec::new(), 0);
    while found.len() < wanted {
        // The form that was searched least; stages begin with different ones.
        let next = (0..forms)
            .map(|turn| (turn + stage) % forms)
            .filter_map(|form| starts[form].map(|start| (start, form)))
            .min_by_key(|&(start, _)| start);
        let Some((start, form)) = next else { break };
        let windows = match windows {
            Some(windows) => windows,
            None => *windows.insert(count_windows(settings, negatives)?),
        };
        let rate = if found.is_empty() { expected } else { found.len() as f64 / seen as f64 };
        let share = RESERVE * (wanted - found.len()) as f64 / (windows as f64 * rate).max(1.0);
        let width = if share < 1.0 { (share * 2f64.powi(64)) as u64 } else { u64::MAX };
        let end = start.saturating_add(width);
        starts[form] = (end < u64::MAX).then(|| end + 1);
        let mut order: Vec<usize> = (0..negatives.len()).collect();
        order.sort_by_key(|&picture| random.stream(2).bits(picture as u64));
        for pictures in order.chunks(CHUNK) {
            let progress =
                TrainProgress::Mining { stage, found: found.len().min(wanted), wanted, windows: seen };
            if !hear(progress) {
                return Err(Error::cancelled());
            }
            let parts: Vec<(u64, Vec<Found>)> = pictures
                .to_vec()
                .into_par_iter()
                .map(|picture| {
                    let turned = turned(negatives.picture(picture)?.view(), form);
                    let random = random.stream(3 + form as u64).stream(picture as u64);
                    Ok(search(cascade, turned.view(), settings, random, start..=end, isa))
                })
                .collect::<Result<_>>()?;
            for (looked, part) in parts {
                seen += looked;
                found.extend(part);
            }
            if found.len() > PLENTY * wanted {
                // The rest of this range is not looked at any more, which only makes it later that none is left.
                break;
            }
        }
    }
    let passed = found.len() as u64;
    found.sort();
    let mut crops = Crops::new(settings.width, settings.height);
    for (_, pixels) in found.into_iter().take(wanted) {
        crops.push(View::new(&pixels, settings.width, settings.height, settings.width)?)?;
    }
    Ok(Mined { crops, seen, passed })
}

/// A cascade that takes everything but flat windows.
fn everything(width: usize, height: usize) -> Result<Cascade> {
    let rect = FeatureRect { x: 0, y: 0, width: 1, height: 1, weight: 1.0 };
    let (left, right) = (Branch::Leaf(0.0), Branch::Leaf(0.0));
    let trees = vec![Tree { nodes: vec![Node { feature: 0, question: Question::Below(0.0), left, right }] }];
    let feature = Feature { rects: vec![rect], tilted: false };
    Cascade::new(width, height, vec![feature], vec![Stage { trees, threshold: 0.0 }])
}

/// The sizes of a picture at all scales, down to that of the window.
pub(super) fn ladder(size: [usize; 2], window: [usize; 2], factor: f64) -> Vec<[usize; 2]> {
    let mut sizes = Vec::new();
    let mut scale = 1.0f64;
    loop {
        let scaled = size.map(|side| (side as f64 / scale).round_ties_even() as usize);
        if scaled[0] < window[0] || scaled[1] < window[1] {
            return sizes;
        }
        sizes.push(scaled);
        scale *= factor;
    }
}

/// All windows of all pictures in one form.
fn count_windows(settings: &Training, negatives: &dyn Negatives) -> Result<u64> {
    let window = [settings.width, settings.height];
    let mut count = 0;
    for index in 0..negatives.len() {
        let picture = negatives.picture(index)?;
        let sizes = ladder([picture.width(), picture.height()], window, settings.scale_factor);
        count +=
            sizes.into_iter().map(|[w, h]| ((w - window[0] + 1) * (h - window[1] + 1)) as u64).sum::<u64>();
    }
    if count == 0 {
        let [width, height] = window;
        return Err(Error::input(format!(
            "expected pictures without objects of at least {width}x{height} pixels, got none"
        )));
    }
    Ok(count)
}

/// The windows of a picture with numbers in a range: how many there are, and those that pass.
fn search(
    cascade: &Cascade,
    picture: View<u8>,
    settings: &Training,
    random: Random,
    range: std::ops::RangeInclusive<u64>,
    isa: Isa,
) -> (u64, Vec<Found>) {
    let (width, height) = (settings.width, settings.height);
    let size = [picture.width(), picture.height()];
    let (mut seen, mut found) = (0, Vec::new());
    let mut wanted: Vec<u32> = Vec::new();
    for (level, [wide, high]) in ladder(size, [width, height], settings.scale_factor).into_iter().enumerate()
    {
        let random = random.stream(level as u64);
        let scaled = resize(picture, wide, high, isa);
        let windows = Windows::with(cascade, scaled.view(), isa);
        for y in 0..=high - height {
            let number = |x: usize| random.bits((y * wide + x) as u64);
            let bit = |x: usize| u32::from(range.contains(&number(x))) << (x % LANES);
            let columns = wide - width + 1;
            wanted.clear();
            wanted.extend(
                (0..columns).step_by(LANES).map(|x| (x..columns.min(x + LANES)).map(bit).sum::<u32>()),
            );
            seen += wanted.iter().map(|bits| u64::from(bits.count_ones())).sum::<u64>();
            windows.passing(isa, y, &wanted, |x| {
                let rows = (y..y + height).flat_map(|y| &scaled.row(y)[x..x + width]);
                found.push((number(x), rows.copied().collect()));
            });
        }
    }
    (seen, found)
}

/// A picture in one of eight forms: mirrored where the number is odd, turned by as many quarters as its half.
fn turned(picture: View<u8>, form: usize) -> Plane<u8> {
    let (width, height) = (picture.width(), picture.height());
    let (is_mirrored, quarters) = (form % 2 == 1, form / 2);
    let (wide, high) = if quarters % 2 == 1 { (height, width) } else { (width, height) };
    Plane::from_fn(wide, high, |x, y| {
        let (x, y) = match quarters {
            0 => (x, y),
            1 => (y, height - 1 - x),
            2 => (width - 1 - x, height - 1 - y),
            _ => (width - 1 - y, x),
        };
        picture.get(if is_mirrored { width - 1 - x } else { x }, y)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::settings::Turns;
    use super::*;

    /// Noise of several sizes.
    struct Noise(Vec<[usize; 2]>);

    impl Negatives for Noise {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn picture(&self, index: usize) -> Result<Arc<Plane<u8>>> {
            let random = Random::new(9).stream(index as u64);
            let [width, height] = self.0[index];
            Ok(Arc::new(Plane::from_fn(width, height, |x, y| random.bits((y * width + x) as u64) as u8)))
        }
    }

    fn settings(negatives: usize, turns: Turns) -> Training {
        Training { width: 6, height: 5, negatives, turns, scale_factor: 1.5, ..Training::default() }
    }

    fn found(settings: &Training, stage: usize, expected: f64) -> Mined {
        let pictures = Noise(vec![[9, 8], [4, 30], [13, 11], [6, 5]]);
        mine(None, settings, &pictures, stage, expected, Isa::best(), &mut |_| true).unwrap()
    }

    #[test]
    fn every_window_is_found_once_and_counted() {
        // The windows of 9x8 and 6x5, none of 4x30, those of 13x11, 9x7 and 6x5, that of 6x5.
        let one = (16 + 1) + (56 + 12 + 1) + 1;
        for (turns, forms) in [(Turns::None, 1), (Turns::Mirror, 2)] {
            let mined = found(&settings(10_000, turns), 0, 1.0);
            assert_eq!((mined.seen, mined.passed), (one * forms, one * forms));
            let windows: BTreeSet<&[u8]> = (0..mined.crops.len()).map(|i| mined.crops.window(i)).collect();
            assert_eq!(windows.len() as u64, one * forms, "no window is met twice");
        }
        // A wrong guess of the rate changes what is looked at first, and not that all is found.
        assert_eq!(found(&settings(10_000, Turns::Mirror), 3, 1e-3).seen, 2 * one);
        let few = found(&settings(20, Turns::Mirror), 0, 1.0);
        assert_eq!(few.crops.len(), 20);
        assert!(few.seen < one, "{}", few.seen);
    }

    #[test]
    fn stages_see_different_windows_and_threads_change_nothing() {
        let settings = settings(20, Turns::All);
        let first = found(&settings, 0, 1.0);
        assert_ne!(first.crops, found(&settings, 1, 1.0).crops);
        assert_eq!(first.crops, found(&settings, 0, 1.0).crops);
        #[cfg(feature = "parallel")]
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let again = pool.install(|| found(&settings, 0, 1.0));
            assert_eq!((again.crops, again.seen), (first.crops.clone(), first.seen));
        }
    }

    #[test]
    fn forms_are_the_symmetries_of_the_square() {
        let picture = Plane::from_fn(3, 2, |x, y| (10 * y + x) as u8);
        let rows = |form| {
            let plane = turned(picture.view(), form);
            (0..plane.height()).map(|y| plane.row(y).to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(rows(0), [[0, 1, 2], [10, 11, 12]]);
        assert_eq!(rows(1), [[2, 1, 0], [12, 11, 10]]);
        assert_eq!(rows(2), [[10, 0], [11, 1], [12, 2]]);
        assert_eq!(rows(4), [[12, 11, 10], [2, 1, 0]]);
        let all: BTreeSet<_> = (0..8).map(rows).collect();
        assert_eq!(all.len(), 8);
    }

    #[test]
    fn nothing_to_search_and_giving_up_are_told() {
        let none = Noise(vec![[5, 5]]);
        let settings = settings(5, Turns::None);
        let mined = mine(None, &settings, &none, 0, 1.0, Isa::best(), &mut |_| true);
        assert!(mined.is_err_and(|error| error.message().contains("at least 6x5 pixels, got none")));
        let mined = mine(None, &settings, &Noise(vec![[9, 9]]), 0, 1.0, Isa::best(), &mut |_| false);
        assert!(mined.is_err_and(|error| error.kind() == crate::ErrorKind::Cancelled));
    }
}

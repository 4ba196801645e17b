//! Mutated cascades for the reader: `fuzz_cascades SECONDS FOLDER` changes the XML files of a folder at random, plain or
//! gzipped, reads each and searches a small picture with what was read. A panic or more memory than the text
//! accounts for ends it, with the text in `fuzz-case.xml`. Without arguments: a second, on a cascade of its own.
#![allow(unsafe_code, reason = "an allocator cannot be written without")]
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::io::Read;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lyncean::image::Plane;
use lyncean::nn::Rng;
use lyncean::ops::cascade::{
    Branch, Calibration, Cascade, Feature, FeatureRect, Node, Params, Question, Stage, Tree,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The bytes in use, and the most that were.
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

struct Measuring;

fn grow(size: usize) {
    let now = NOW.fetch_add(size, Ordering::Relaxed) + size;
    MOST.fetch_max(now, Ordering::Relaxed);
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// What reading may take: so many bytes, and so many for each byte of text.
const FIXED: usize = 4 << 20;
const EACH: usize = 64;
/// Windows are larger than the picture that is searched from here on.
const SIDE: usize = 48;

/// Numbers and words that a reader may stumble over.
const ODD: &[&[u8]] = &[
    b"",
    b"0",
    b"-1",
    b"-0.",
    b"1",
    b"255",
    b"2147483647",
    b"-2147483648",
    b"4294967296",
    b"18446744073709551616",
    b"1e999",
    b"-1e38",
    b"1e-45",
    b".Inf",
    b"nan",
    b"0x10",
    b"24 24 24",
    b"<_/>",
    b"<_>",
    b"</_>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"&amp;",
    b"&#0;",
    b"&lol;",
    b"<!DOCTYPE a [<!ENTITY lol 'x'>]>",
    b"\xc3\xa9",
    b"\xff",
    b"<tilted>1</tilted>",
    b"<size>9 9</size>",
    b" type_id=\"opencv-haar-classifier\"",
    b"HAAR",
    b"LBP",
    b"HOG",
];

struct Mutator {
    rng: Rng,
    at: u64,
}

impl Mutator {
    fn below(&mut self, limit: usize) -> usize {
        self.at += 1;
        (self.rng.bits(self.at) % limit.max(1) as u64) as usize
    }

    /// A piece of a text, mostly short and often from one tag to another.
    fn piece(&mut self, text: &[u8]) -> std::ops::Range<usize> {
        let longest = [4, 40, 400, 20_000][self.below(4)];
        let (start, length) = (self.below(text.len()), 1 + self.below(longest));
        let range = start..(start + length).min(text.len());
        if self.below(3) == 0 {
            return range;
        }
        let tag =
            |from: usize| text[from..].iter().position(|&b| b == b'<').map_or(text.len(), |at| from + at);
        let start = tag(range.start);
        start..tag(range.end.max(start)).max(start)
    }

    /// The text between two tags, or a number in it.
    fn word(&mut self, text: &[u8]) -> std::ops::Range<usize> {
        let from = self.below(text.len());
        let is_inner = |b: &u8| b.is_ascii_alphanumeric() || b"+-._\"".contains(b);
        let start = text[from..].iter().position(is_inner).map_or(text.len(), |at| from + at);
        let length = text[start..].iter().position(|b| !is_inner(b)).unwrap_or(text.len() - start);
        start..start + length
    }

    fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let which = self.below(seeds.len());
        let mut text = seeds[which].clone();
        for _ in 0..=self.below(4) {
            if text.is_empty() {
                break;
            }
            match self.below(8) {
                0 => {
                    let at = self.below(text.len());
                    text[at] ^= 1 << self.below(8);
                }
                1 => drop(text.drain(self.piece(&text.clone()))),
                2 => {
                    let piece = self.piece(&text);
                    let copy = text[piece.clone()].to_vec();
                    text.splice(piece.end..piece.end, copy);
                }
                3 => {
                    let which = self.below(seeds.len());
                    let (from, to) = (self.piece(&seeds[which]), self.piece(&text));
                    text.splice(to, seeds[which][from].iter().copied());
                }
                4 => text.truncate(self.below(text.len())),
                _ => {
                    let (word, odd) = (self.word(&text), ODD[self.below(ODD.len())]);
                    text.splice(word, odd.iter().copied());
                }
            }
        }
        text
    }
}

/// A cascade of every kind of node, small enough for changes to meet what matters.
fn own() -> Outcome<Vec<u8>> {
    let rect = |x, y, width, height, weight| FeatureRect { x, y, width, height, weight };
    let features = vec![
        Feature { rects: vec![rect(0, 0, 6, 6, -1.0), rect(0, 0, 3, 6, 2.0)], tilted: false },
        Feature { rects: vec![rect(4, 1, 2, 2, -1.0), rect(4, 1, 1, 2, 2.0)], tilted: true },
    ];
    let node = |feature, left, right| Node { feature, question: Question::Below(0.01), left, right };
    let leaf = Branch::Leaf;
    let stump = Tree { nodes: vec![node(0, leaf(1.0), leaf(-1.0))] };
    let tree = Tree { nodes: vec![node(1, Branch::Node(1), leaf(0.5)), node(0, leaf(-0.25), leaf(0.25))] };
    let stages = vec![
        Stage { trees: vec![stump.clone(), tree], threshold: -0.5 },
        Stage { trees: vec![stump], threshold: 0.5 },
    ];
    let cascade = Cascade::new(10, 10, features, stages)?;
    Ok(cascade.with_calibration(Calibration { slope: 1.0, intercept: 0.0 })?.to_xml().into_bytes())
}

fn seeds(folder: Option<&str>) -> Outcome<Vec<Vec<u8>>> {
    let mut seeds = vec![own()?];
    for entry in folder.map(std::fs::read_dir).transpose()?.into_iter().flatten() {
        let path = entry?.path();
        let bytes = std::fs::read(&path)?;
        match path.extension().and_then(|e| e.to_str()) {
            Some("gz") => {
                let mut text = Vec::new();
                flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut text)?;
                seeds.push(text);
            }
            Some("xml") => seeds.push(bytes),
            _ => {}
        }
    }
    // The small one as often as all others together.
    let own = seeds[0].clone();
    seeds.extend(std::iter::repeat_n(own, seeds.len().saturating_sub(2)));
    Ok(seeds)
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().map_or(Ok(1), |word| word.parse())?;
    let seeds = seeds(arguments.next().as_deref())?;
    let picture = Plane::from_fn(SIDE, SIDE, |x, y| ((x * 5) ^ (y * 3)) as u8);
    let mut mutator = Mutator { rng: Rng::new(seconds), at: 0 };
    let (start, mut told) = (Instant::now(), Duration::ZERO);
    let (mut cases, mut read, mut worst) = (0u64, 0u64, 0f64);
    let mut faults = BTreeMap::<String, u64>::new();
    while start.elapsed().as_secs() < seconds {
        let text = mutator.mutated(&seeds);
        MOST.store(NOW.load(Ordering::Relaxed), Ordering::Relaxed);
        let before = NOW.load(Ordering::Relaxed);
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let cascade = Cascade::from_bytes(&text);
            let taken = MOST.load(Ordering::Relaxed) - before;
            if let Ok(cascade) = &cascade {
                let found = cascade.detect(picture.view(), &Params { min_neighbors: 0, ..Params::default() });
                // What was read is written and read again as it was.
                let again = Cascade::from_bytes(cascade.to_xml().as_bytes());
                assert!(again.is_ok(), "{:?} {:?}", again.err(), found.err());
            }
            (cascade.map(drop), taken)
        }));
        cases += 1;
        let allowed = FIXED + EACH * text.len();
        match outcome {
            Ok((outcome, taken)) if taken <= allowed => {
                worst = worst.max(taken as f64 / allowed as f64);
                match outcome {
                    Ok(()) => read += 1,
                    Err(error) => *faults.entry(format!("{:?}", error.kind())).or_default() += 1,
                }
            }
            other => {
                std::fs::write(Path::new("fuzz-case.xml"), &text)?;
                return Err(match other {
                    Ok((_, taken)) => format!("{taken} bytes for a text of {}", text.len()).into(),
                    Err(_) => "a panic, see fuzz-case.xml".into(),
                });
            }
        }
        if start.elapsed() > told + Duration::from_mins(1) {
            told = start.elapsed();
            println!("{} s: {cases} texts, {read} read, refused {faults:?}", told.as_secs());
        }
    }
    println!(
        "{cases} texts, {read} read, refused {faults:?}; at most {:.0} % of the memory allowed",
        100.0 * worst
    );
    Ok(())
}

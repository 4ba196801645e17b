//! A loop over pictures of one size allocates nothing once it is warm. A binary of its own: it counts every
//! allocation of the process, so nothing else may run beside it.

#![allow(unsafe_code, reason = "an allocator cannot be written without")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test without a harness")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use lyncean::image::{Image, ImageType, PixelFormat};
use lyncean::ops::Context;
use lyncean::pipeline::{Pipeline, RunOptions};
use lyncean::stage::ALL;

#[path = "support/feeders.rs"]
mod feeders;

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(size, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const FRAMES: usize = 100;
/// For stages that allocate with every frame, and are slow.
const FEW: usize = 10;

/// The bytes of a camera's frame, another one for each number; blue first, rows filled up to 64 bytes.
fn refill(buffer: &mut [u8], number: usize) {
    for (i, byte) in buffer.iter_mut().enumerate() {
        *byte = ((i / 7 + 13 * number) ^ (i >> 9)) as u8;
    }
}

/// Allocations and bytes of a loop of [`FRAMES`] frames after a fifth of them to warm up.
fn count(stages: &str, size: (usize, usize), cx: Context) -> (usize, usize) {
    let pipeline = Pipeline::from_toml(&format!("version = 1\n{stages}")).unwrap();
    count_in(&pipeline, size, cx, FRAMES)
}

fn count_in(
    pipeline: &Pipeline,
    (width, height): (usize, usize),
    cx: Context,
    frames: usize,
) -> (usize, usize) {
    let mut session = pipeline.session(RunOptions { context: cx, ..RunOptions::default() });
    let stride = (3 * width).next_multiple_of(64);
    let mut buffer = vec![0; stride * height];
    let (ty, format) = match pipeline.accepted().contains(&ImageType::Rgb8) {
        true => (ImageType::Rgb8, PixelFormat::Bgr8),
        false => (ImageType::Gray8, PixelFormat::Gray8),
    };
    let mut frame = Image::new(ty, width, height);
    let mut before = (0, 0);
    for number in 0..frames + frames / 5 {
        if number == frames / 5 {
            before = (COUNT.load(Ordering::Relaxed), BYTES.load(Ordering::Relaxed));
        }
        refill(&mut buffer, number);
        frame.update_from_raw(&buffer, stride, format).unwrap();
        session.run(&frame).unwrap();
    }
    let counted = (COUNT.load(Ordering::Relaxed) - before.0, BYTES.load(Ordering::Relaxed) - before.1);
    // What was measured was done: the last frame gives what a run on its own gives.
    let alone = pipeline.run(&frame).unwrap();
    assert_eq!(session.results().output(), alone.output());
    assert_eq!(session.results().record(), alone.record());
    counted
}

const EDGES: &str = "[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"gaussian-blur\"\nsigma = 1.1\nsize = 5\n\
    [[stage]]\nuse = \"sobel\"\n[[stage]]\nuse = \"threshold\"\nlevel = 100\n";
const OTSU: &str = "[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"threshold\"\nmethod = \"otsu\"\n";

fn main() {
    let one = Context::default;
    let sizes = [(640, 480), (32, 32), (31, 17)];
    for (name, stages) in [("edges", EDGES), ("otsu", OTSU)] {
        for size in sizes {
            let (allocations, _) = count(stages, size, one());
            println!("{name} {size:?}: {allocations} allocations in {FRAMES} frames");
            assert_eq!(allocations, 0, "{name} {size:?}");
            let (allocations, _) = count(stages, size, one().with_strip_rows(8));
            assert_eq!(allocations, 0, "{name} {size:?} in strips");
        }
    }

    // Two threads. What is left is rayon's: a block of its queue for every 63 jobs that come from outside of
    // the pool; inside of the pool there are none.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for (name, stages) in [("edges", EDGES), ("otsu", OTSU)] {
        let (allocations, _) = pool.install(|| count(stages, (640, 480), one().with_threads(2)));
        println!("{name}, two threads, in the pool: {allocations} allocations in {FRAMES} frames");
        assert_eq!(allocations, 0, "{name} in two threads");
    }

    // Every stage, with the parameters of its example.
    for kind in ALL {
        let pipeline = feeders::pipeline_for(kind).unwrap();
        let known = EXCEPTIONS.iter().find(|(name, _)| *name == kind.name);
        let frames = if known.is_some() { FEW } else { FRAMES };
        let (allocations, bytes) = count_in(&pipeline, (320, 240), one(), frames);
        if let Some((name, why)) = known {
            println!("{name}: {} allocations, {} bytes a frame: {why}", allocations / frames, bytes / frames);
        }
        // Lists of runs grow now and then, with a picture that has more of them than all before.
        assert_eq!(allocations > 3, known.is_some(), "{}: {allocations} allocations", kind.name);
    }
    assert!(EXCEPTIONS.iter().all(|(name, _)| ALL.iter().any(|kind| kind.name == *name)));
}

/// Stages that allocate in a loop, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("clahe", "a table for each tile"),
    ("classify", "the tensors of a net, and the list of classes"),
    ("classify-linear", "the list of classes, and the vector before it"),
    ("cnn-detect", "a net for each scale, and the list of what was found"),
    ("cnn-verify", "the tensors of a net, and the list of what was kept"),
    ("contours", "the list of what was found"),
    ("encode", "the tensors of a net, and the vector"),
    ("feature-maps", "the tensors of a net, and the sheet"),
    ("flat-field", "a new map for each light"),
    ("haar-detect", "pictures of all scales, and the list of what was found"),
    ("hog", "the vector"),
    ("label", "the list of what was found"),
    ("match-template", "the spectra, and the list of what was found"),
    ("multi-otsu", "the list of levels"),
    ("nearest-template", "the list of classes"),
    ("reconstruct", "the tensors of a net"),
    ("rolling-ball", "the ball, and the ground it rolls on"),
    ("saliency", "the tensors of a net and their gradients"),
    ("segment-net", "the tensors of a net"),
    ("try-thresholds", "a sheet of pictures, for the eye"),
    ("watershed", "queues of pixels, and the list of what was found"),
];

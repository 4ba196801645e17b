//! The library inside of a program: pools, threads, sessions, cancellation, own stages, examples.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lyncean::prelude::*;
use lyncean::stage::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};

/// The threads that the stage `whoami` ran on.
static THREADS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Leaves pixels as they are, and notes the thread it runs on.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct WhoAmI {}

impl Stage for WhoAmI {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>, Error> {
        let note = |value: u8| {
            let name = std::thread::current().name().unwrap_or("nameless").to_owned();
            THREADS.lock().unwrap().insert(name);
            value
        };
        Ok(vec![graph.map_pixels("whoami", inputs[0], ImageType::Gray8, note)?])
    }
}

static WHO_AM_I: Kind =
    Kind::new::<WhoAmI>("whoami", Family::Points, &[Port::new("image", &[types::GRAY8])], "use = \"whoami\"");

const OTSU: &str = "version = 1\n[[stage]]\nuse = \"gaussian-blur\"\nsigma = 1\n[[stage]]\nuse = \"threshold\"\n\
    method = \"otsu\"\n[[stage]]\nuse = \"label\"\n[[stage]]\nuse = \"draw\"\nin = [\"input\", \"label\"]\n";

fn picture(width: usize, height: usize, seed: usize) -> Image {
    Image::Gray8(Plane::from_fn(width, height, |x, y| {
        let spot = (x / 9 + y / 7 + seed).is_multiple_of(3);
        if spot { 200 + (x % 7) as u8 } else { 20 + ((x * y) % 11) as u8 }
    }))
}

#[test]
fn work_runs_on_the_pool_of_the_caller() {
    let text = "version = 1\n[[stage]]\nuse = \"whoami\"\n[[stage]]\nuse = \"invert\"";
    let pipeline = Loader::new().with_kinds(&[&WHO_AM_I]).parse(Source::new("own", text)).unwrap();
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(3).thread_name(|i| format!("own-{i}")).build().unwrap();
    let options = RunOptions { context: Context::default().with_threads(3), ..RunOptions::default() };
    let image = Arc::new(picture(40, 200, 0));
    let results = pool.install(|| pipeline.run_with(image.clone(), None, &options)).unwrap();
    assert_eq!(results.output(), pipeline.run(&image).unwrap().output());
    let threads = THREADS.lock().unwrap().clone();
    let here = std::thread::current().name().unwrap_or("nameless").to_owned();
    assert!(threads.iter().any(|name| name.starts_with("own-")), "{threads:?}");
    // The second run was on this thread; nothing was on a pool of the library's own.
    assert!(threads.iter().all(|name| name.starts_with("own-") || *name == here), "{threads:?}");
}

#[test]
fn one_pipeline_serves_many_threads() {
    let pipeline = Arc::new(Pipeline::from_toml(OTSU).unwrap());
    let wanted: Vec<_> = (0..4)
        .map(|seed| Pipeline::from_toml(OTSU).unwrap().run(&picture(90, 70 + seed, seed)).unwrap())
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..12 {
                    let seed = round % 4;
                    let got = pipeline.run(&picture(90, 70 + seed, seed)).unwrap();
                    assert_eq!(got.output(), wanted[seed].output());
                    assert_eq!(got.record(), wanted[seed].record());
                }
            });
        }
    });
}

/// Every stage's example, in a session: what the picture before left counts for nothing.
#[test]
fn a_session_gives_what_single_runs_give() {
    let mut tried = 0;
    for kind in lyncean::stage::ALL {
        let text = format!("version = 1\n[[stage]]\n{}\n", kind.example);
        let Ok(pipeline) = Pipeline::from_toml(&text) else { continue };
        let ty = pipeline.accepted()[0];
        for save in [Save::Nothing, Save::All] {
            let options = RunOptions { save, ..RunOptions::default() };
            let mut session = pipeline.session(options.clone());
            for (seed, (width, height)) in
                [(28, 28), (28, 28), (28, 28), (64, 48), (28, 28)].into_iter().enumerate()
            {
                let mut image = Image::new(ty, width, height);
                for plane in image.planes_bytes_mut() {
                    let bytes = plane.iter_mut().enumerate();
                    bytes.for_each(|(i, byte)| *byte = ((i * (seed + 3)) % 61) as u8);
                }
                let alone = pipeline.run_with(Arc::new(image.clone()), None, &options);
                match (session.run(&image), alone) {
                    (Ok(got), Ok(wanted)) => {
                        assert_eq!(format!("{got:?}"), format!("{wanted:?}"), "{} {seed}", kind.name);
                        tried += 1;
                    }
                    (Err(got), Err(wanted)) => {
                        assert_eq!(got.to_string(), wanted.to_string(), "{}", kind.name);
                    }
                    (got, wanted) => panic!("{}: {:?} and {:?}", kind.name, got.err(), wanted.err()),
                }
            }
        }
    }
    assert!(tried > 300, "{tried} runs went well");
}

#[test]
fn a_session_goes_on_after_it_was_cancelled() {
    let pipeline = Pipeline::from_toml(OTSU).unwrap();
    let stop_at = Arc::new(AtomicUsize::new(usize::MAX));
    let cancel = Cancel::default();
    let (flag, limit, calls) = (cancel.clone(), stop_at.clone(), AtomicUsize::new(0));
    let hook = move |_: Progress<'_>| {
        if calls.fetch_add(1, Ordering::Relaxed) >= limit.load(Ordering::Relaxed) {
            flag.cancel();
        }
    };
    let context = Context::default().with_cancel(cancel).with_progress(hook);
    let mut session = pipeline.session(RunOptions { context, ..RunOptions::default() });
    let image = picture(90, 70, 0);
    let wanted = pipeline.run(&image).unwrap();
    assert_eq!(session.run(&image).unwrap().record(), wanted.record());
    // The hook is called within the run too, so that it stops in the middle.
    stop_at.store(0, Ordering::Relaxed);
    assert_eq!(session.run(&image).unwrap_err().kind(), ErrorKind::Cancelled);
    let mut session = pipeline.session(RunOptions::default());
    assert_eq!(session.run(&image).unwrap().record(), wanted.record());
}

#[test]
fn progress_rises_to_the_end() {
    let pipeline = Pipeline::from_toml(OTSU).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let list = heard.clone();
    let hook = move |progress: Progress<'_>| {
        list.lock().unwrap().push((progress.stage.to_owned(), progress.overall()));
    };
    let options = RunOptions { context: Context::default().with_progress(hook), ..RunOptions::default() };
    pipeline.run_with(Arc::new(picture(90, 300, 0)), None, &options).unwrap();
    let heard = heard.lock().unwrap();
    assert!(heard.is_sorted_by(|a, b| a.1 <= b.1), "{heard:?}");
    assert_eq!(heard.last().unwrap(), &("draw".to_owned(), 1.0));
    assert!(["threshold", "label", "draw"].iter().all(|stage| heard.iter().any(|(name, _)| name == stage)));
    assert!(heard.len() > 6, "runs tell how far they are, too: {heard:?}");
}

#[test]
fn examples_are_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 40, "{}: {lines} lines", path.display());
        count += 1;
    }
    assert!(count >= 12, "{count} examples");
}

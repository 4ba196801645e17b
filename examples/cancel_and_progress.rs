//! Hearing of progress, and stopping: from another thread, or at an hour.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use lyncean::prelude::*;

fn main() -> Result<(), Error> {
    let pipeline = Pipeline::load("builtin:coins")?;
    let image = Arc::new(Image::Gray8(Plane::from_fn(800, 600, |x, y| (x * y / 64) as u8)));

    let calls = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&calls);
    let context = Context::default().with_progress(move |progress| {
        if heard.fetch_add(1, Ordering::Relaxed).is_multiple_of(16) {
            println!("{:>3.0} %  {}", 100.0 * progress.overall(), progress.stage);
        }
    });
    pipeline.run_with(Arc::clone(&image), None, &RunOptions { context, ..RunOptions::default() })?;
    assert!(calls.load(Ordering::Relaxed) > 3);

    // A flag that any thread may set, here by who hears of progress, and a deadline that is over.
    let cancel = Cancel::default();
    let flag = cancel.clone();
    let stopped = Context::default().with_cancel(cancel).with_progress(move |_| flag.cancel());
    let late = Context::default().with_cancel(Cancel::default().with_deadline(Instant::now()));
    for context in [stopped, late] {
        let options = RunOptions { context, ..RunOptions::default() };
        let error = pipeline.run_with(Arc::clone(&image), None, &options).err();
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Cancelled));
    }
    Ok(())
}

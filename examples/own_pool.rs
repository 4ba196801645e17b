//! Work runs on the rayon pool it is called from: yours, if you have one. The results never depend on it.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::sync::Arc;

use lyncean::prelude::*;

const EDGES: &str = include_str!("../pipelines/edges.toml");

fn main() -> Result<(), Error> {
    let image = Arc::new(Image::Rgb8(Plane::from_fn(640, 480, |x, y| [(x ^ y) as u8, x as u8, y as u8])));
    let pipeline = Pipeline::from_toml(EDGES)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .thread_name(|index| format!("vision-{index}"))
        .build()
        .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?;

    // How many threads one image may take of the pool is the context's business.
    let context = Context::default().with_threads(3);
    let options = RunOptions { context, ..RunOptions::default() };
    let pooled = pool.install(|| pipeline.run_with(Arc::clone(&image), None, &options))?;

    let alone = pipeline.run(&image)?;
    assert_eq!(pooled.output(), alone.output());
    println!("the same bits from three threads and from one");
    Ok(())
}

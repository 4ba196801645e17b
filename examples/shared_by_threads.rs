//! One pipeline, many threads: it is checked and planned once, and `run` takes `&self`.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::sync::Arc;
use std::thread;

use lyncean::prelude::*;

const COUNT: &str = "version = 1\n[[stage]]\nuse = \"threshold\"\nlevel = 100\n[[stage]]\nuse = \"label\"";

fn main() -> Result<(), Error> {
    let pipeline = Arc::new(Pipeline::from_toml(COUNT)?);
    let workers: Vec<_> = (1..=4usize)
        .map(|dots| {
            let pipeline = Arc::clone(&pipeline);
            thread::spawn(move || {
                let dot = |x: usize, y: usize| if y == 5 && x % 4 == 1 && x < 4 * dots { 200 } else { 0 };
                let image = Image::Gray8(Plane::from_fn(64, 10, dot));
                pipeline.run(&image)?.objects("label").map(<[Object]>::len)
            })
        })
        .collect();
    for (worker, dots) in workers.into_iter().zip(1..) {
        let found = worker.join().map_err(|_| Error::input("a thread panicked"))??;
        println!("{found} dots");
        assert_eq!(found, dots);
    }
    Ok(())
}

//! `lyncean bench`: how long a pipeline takes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use serde_json::json;

use super::{Exit, Outcome, console, inputs, load};
use crate::ops::Context;
use crate::pipeline::RunOptions;
use crate::{Error, ErrorKind};

/// Measure a pipeline on pictures held in memory: reading and writing are not counted.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Pipeline file, or `builtin:NAME`
    pipeline: PathBuf,
    /// Pictures: files, or `builtin:NAME`
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// Runs of each picture, after one that is not counted
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Threads in one image
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Set a parameter over what the file says: `stage.key=value`
    #[arg(short, long = "parameter", value_name = "STAGE.KEY=VALUE")]
    parameters: Vec<String>,
    /// Write a JSON list, one object a picture
    #[arg(long)]
    json: bool,
}

struct Measured {
    image: String,
    width: usize,
    height: usize,
    /// Sorted.
    times: Vec<Duration>,
}

impl Measured {
    fn least(&self) -> Duration {
        self.times.first().copied().unwrap_or_default()
    }

    /// The one in the middle, of an even number the mean of two.
    fn median(&self) -> Duration {
        let (below, above) = ((self.times.len().max(1) - 1) / 2, self.times.len() / 2);
        let at = |index: usize| self.times.get(index).copied().unwrap_or_default();
        (at(below) + at(above)) / 2
    }

    fn nanoseconds_a_pixel(&self) -> f64 {
        self.median().as_nanos() as f64 / ((self.width * self.height).max(1) as f64)
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let parameters = [args.parameters.as_slice(), &[format!("schedule.threads={}", args.threads)]].concat();
    let pipeline = load::pipeline(&args.pipeline, &parameters)?;
    let threads = usize::from(args.threads);
    let options = RunOptions { context: Context::default().with_threads(threads), ..RunOptions::default() };
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::new(ErrorKind::Io, format!("cannot start threads: {error}")))?;
    let mut all = Vec::new();
    for word in &args.images {
        let picture = inputs::read_for(word, pipeline.decode())?;
        let image = Arc::new(picture.image);
        let mut times = Vec::new();
        for _ in 0..=args.runs {
            let image = Arc::clone(&image);
            let (elapsed, result) = pool.install(|| {
                let start = Instant::now();
                let result = pipeline.run_with(image, picture.alpha.as_ref(), &options);
                (start.elapsed(), result)
            });
            let results = result.map_err(|error| error.within(format!("`{}`", word.display())))?;
            results.reuse(&options.context);
            times.push(elapsed);
        }
        // The first one makes the plan and warms the caches.
        times.remove(0);
        times.sort_unstable();
        let (width, height) = (image.width(), image.height());
        all.push(Measured { image: word.display().to_string(), width, height, times });
    }
    let isa = pipeline.context(&options).isa;
    if args.json {
        let list = all.iter().map(|one| {
            json!({
                "image": one.image,
                "width": one.width,
                "height": one.height,
                "runs": one.times.len(),
                "threads": threads,
                "isa": isa.name(),
                "min-ms": milliseconds(one.least()),
                "median-ms": milliseconds(one.median()),
                "ns-per-pixel": one.nanoseconds_a_pixel(),
            })
        });
        console::print_json(&list.collect())?;
    } else {
        let rows = all.iter().map(|one| {
            let nanoseconds = one.nanoseconds_a_pixel();
            [
                one.image.clone(),
                format!("{}x{}", one.width, one.height),
                format!("{:.3}", milliseconds(one.least())),
                format!("{:.3}", milliseconds(one.median())),
                format!("{nanoseconds:.3}"),
                format!("{:.1}", 1e3 / nanoseconds),
            ]
        });
        let header = ["image", "size", "min ms", "median ms", "ns/pixel", "Mpixel/s"];
        console::print(&console::table(header, rows))?;
        let words = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
        console::say(&format!("{} runs each, {words}, {}", args.runs, isa.name()));
    }
    Ok(Exit::Done)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_even_and_odd_numbers() {
        let measured = |times: &[u64]| Measured {
            image: String::new(),
            width: 10,
            height: 10,
            times: times.iter().map(|&n| Duration::from_nanos(n)).collect(),
        };
        assert_eq!(measured(&[1, 2, 10]).median(), Duration::from_nanos(2));
        assert_eq!(measured(&[1, 2, 10, 20]).median(), Duration::from_nanos(6));
        assert_eq!(measured(&[500]).nanoseconds_a_pixel(), 5.0);
        assert_eq!(measured(&[3, 4]).least(), Duration::from_nanos(3));
    }
}

//! `lyncean merge`: the shards of a run put together.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::super::{Exit, Outcome, console};
use super::args::RecordFormat;
use super::output::{failure, fingerprint, remove_parts, write_run};
use super::records::Records;
use super::shards::Shards;
use crate::Error;

/// Put the records of all shards of a run together, in input order.
///
/// The folder is the one that `lyncean run --shard I/N -o DIR` wrote into, once for every I. Writes
/// `run.json` and `failures.jsonl` there, and records where they are asked for. Exit code 1 when
/// images failed.
#[derive(clap::Args)]
pub(in super::super) struct Args {
    /// Output folder of the shards
    folder: PathBuf,
    /// Write one JSON object a line and an image, in input order, to a file, or to stdout with `-`
    #[arg(long, value_name = "FILE", default_value = "-")]
    records: PathBuf,
    /// What records are written as
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    format_records: RecordFormat,
    /// Write a table of all objects, one a line, with every measure: CSV
    #[arg(long, value_name = "FILE")]
    objects: Option<PathBuf>,
}

/// Runs the command.
pub(in super::super) fn run(args: &Args) -> Outcome {
    let mut shards = Shards::open(&args.folder)?;
    remove_parts(&args.folder);
    let manifest = shards.manifest.clone();
    let mut records = Records::to(&args.records, args.format_records, args.objects.clone())?;
    let mut hasher = blake3::Hasher::new();
    let (mut done, mut failures) = (0, String::new());
    let mut failed = 0;
    for entry in shards.entries() {
        let entry = entry?;
        fingerprint(&mut hasher, &entry);
        let record = entry.record();
        if entry.is_ok() {
            done += 1;
        } else {
            failed += 1;
            let text = |key: &str| record.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
            failures += &failure(entry.image(), text("kind"), text("error"), None);
        }
        records.write(&record)?;
    }
    records.close()?;
    write_run(&args.folder, &manifest, Some(&hasher))?;
    let path = args.folder.join("failures.jsonl");
    if !failures.is_empty() {
        let write = || {
            let mut file = BufWriter::new(File::create(&path)?);
            file.write_all(failures.as_bytes())?;
            file.flush()
        };
        write().map_err(|error| Error::io(path.display(), error))?;
    }
    console::say(&format!("{} done, {failed} failed", super::number(done, "image")));
    Ok(if failed == 0 { Exit::Done } else { Exit::Imperfect })
}

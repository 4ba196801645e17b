//! Where the records of a run go.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::super::console::Failure;
use super::args::{Args, RecordFormat};
use super::export::Spool;
use super::job::Times;
use crate::{Error, Result};

/// Records, and what is made of them.
pub(super) struct Records {
    lines: Lines,
    /// Kept where another form is wanted, too.
    spool: Option<Spool>,
    objects: Option<PathBuf>,
    coco: Option<Lines>,
    timings: Lines,
}

/// A place for lines.
enum Lines {
    None,
    Stdout,
    File(Box<BufWriter<File>>, String),
}

impl Lines {
    fn create(path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let file = File::create(path).map_err(|error| Error::io(path.display(), error))?;
        Ok(Self::File(Box::new(BufWriter::new(file)), path.display().to_string()))
    }

    /// Writes a line and makes it visible: who follows the file sees every image at once.
    fn write(&mut self, json: &Map<String, Json>) -> Result<(), Failure> {
        let line = || serde_json::to_string(json).map(|line| line + "\n").unwrap_or_default();
        match self {
            Self::None => Ok(()),
            Self::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(line().as_bytes())?;
                Ok(out.flush()?)
            }
            Self::File(file, name) => {
                let written = file.write_all(line().as_bytes()).and_then(|()| file.flush());
                Ok(written.map_err(|error| Error::io(name, error))?)
            }
        }
    }
}

impl Records {
    /// What the command asks for; stdout where it asks for nothing and writes no images.
    pub(super) fn open(args: &Args) -> Result<Self> {
        let asked = match &args.records {
            Some(path) => Lines::create(path)?,
            None if args.output.is_none() && !args.json && args.objects.is_none() => Lines::Stdout,
            None => Lines::None,
        };
        let timings = args.timings.as_deref().map_or(Ok(Lines::None), Lines::create)?;
        Self::new(asked, args.format_records, args.objects.clone(), timings)
    }

    /// Records alone.
    pub(super) fn to(path: &Path, format: RecordFormat, objects: Option<PathBuf>) -> Result<Self> {
        Self::new(Lines::create(path)?, format, objects, Lines::None)
    }

    fn new(asked: Lines, format: RecordFormat, objects: Option<PathBuf>, timings: Lines) -> Result<Self> {
        let is_coco = format == RecordFormat::Coco && !matches!(asked, Lines::None);
        let spool = if is_coco || objects.is_some() { Some(Spool::new()?) } else { None };
        let (lines, coco) = if is_coco { (Lines::None, Some(asked)) } else { (asked, None) };
        Ok(Self { lines, spool, objects, coco, timings })
    }

    /// The record of the next image.
    pub(super) fn write(&mut self, record: &Map<String, Json>) -> Result<(), Failure> {
        if let Some(spool) = &mut self.spool {
            spool.add(record)?;
        }
        self.lines.write(record)
    }

    /// How long an image took, if anybody wants to know.
    pub(super) fn time(&mut self, name: &str, times: Times) -> Result<(), Failure> {
        if matches!(self.timings, Lines::None) {
            return Ok(());
        }
        let milliseconds = |time: std::time::Duration| (1e6 * time.as_secs_f64()).round() / 1e3;
        let line = json!({
            "image": name,
            "read-ms": milliseconds(times.read),
            "work-ms": milliseconds(times.work),
            "write-ms": milliseconds(times.write),
        });
        self.timings.write(line.as_object().unwrap_or(&Map::new()))
    }

    /// Writes what needs all records.
    pub(super) fn close(self) -> Result<(), Failure> {
        let Some(mut spool) = self.spool else { return Ok(()) };
        if let Some(path) = self.objects {
            spool.write_objects(&path)?;
        }
        match self.coco {
            Some(Lines::Stdout) => spool.write_coco(&mut io::stdout().lock(), "stdout")?,
            Some(Lines::File(mut file, name)) => spool.write_coco(&mut file, &name)?,
            _ => {}
        }
        Ok(())
    }
}

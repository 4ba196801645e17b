//! A picture on its way in: its bytes, its fingerprint, and that both belong together.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::super::inputs::{Input, Place};
use super::job::Job;
use super::journal::Stamp;
use crate::image::codec::{self, ReadOptions};
use crate::pipeline::Decoded;
use crate::{Error, ErrorKind, Result};

/// A picture that is not decoded yet.
pub(super) enum Stored<'i> {
    Bytes(Cow<'static, [u8]>),
    /// A page of a file that may be larger than memory.
    Page(&'i Path),
}

thread_local! {
    /// The bytes of a file: workers read one after the other into the same memory.
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Stored<'_> {
    fn drop(&mut self) {
        /// What of that memory is kept from one file to the next.
        const KEPT: usize = 1 << 24;
        if let Stored::Bytes(Cow::Owned(bytes)) = self
            && bytes.capacity() <= KEPT
        {
            BYTES.set(std::mem::take(bytes));
        }
    }
}

impl Stored<'_> {
    /// What the picture says of itself.
    pub(super) fn probe(&self, input: &Input) -> Result<codec::Source> {
        match self {
            Stored::Bytes(bytes) => codec::probe_bytes_page(bytes, &input.name, input.page),
            Stored::Page(path) => codec::probe_page(path, input.page),
        }
    }

    /// The picture with its alpha; an error where its file is no longer what `stamp` says.
    pub(super) fn decode(&self, stamp: &Stamp, input: &Input, options: &ReadOptions<'_>) -> Result<Decoded> {
        let picture = match self {
            Stored::Bytes(bytes) => codec::read_with(bytes, &input.name, options)?,
            Stored::Page(path) => {
                let picture = codec::read_page_of(path, options);
                // Damage may come from a change: then that is what is to be told.
                check_unchanged(path, stamp, input)?;
                picture?
            }
        };
        Ok((Arc::new(picture.image), picture.alpha))
    }
}

impl Job<'_> {
    /// The bytes of a picture, or its place where it is but a page, and the fingerprint of the file.
    pub(super) fn read<'i>(&self, input: &'i Input) -> Result<(Stored<'i>, Stamp)> {
        let path = match &input.place {
            Place::Builtin(bytes) => {
                let hash = blake3::hash(bytes).to_hex().to_string();
                let stamp = Stamp { bytes: bytes.len() as u64, modified: None, hash };
                return Ok((Stored::Bytes(Cow::Borrowed(bytes)), stamp));
            }
            Place::Unreadable(words) => return Err(Error::new(ErrorKind::Io, words.as_str())),
            Place::File(path) => path,
        };
        if input.page.is_some() {
            return Ok((Stored::Page(path), self.stamp_of_pages(path)?));
        }
        let before = path.metadata();
        let mut bytes = BYTES.take();
        codec::read_into(path, &self.limits, &mut bytes)?;
        // A pipe has no fingerprint.
        let Some(before) = before.ok().filter(std::fs::Metadata::is_file) else {
            return Ok((Stored::Bytes(bytes.into()), Stamp::default()));
        };
        let hash = blake3::hash(&bytes).to_hex().to_string();
        let stamp = Stamp { bytes: before.len(), modified: modified(&before), hash };
        if bytes.len() as u64 != before.len() {
            return Err(changed(input));
        }
        check_unchanged(path, &stamp, input)?;
        Ok((Stored::Bytes(bytes.into()), stamp))
    }

    /// The fingerprint of a file of many pages: hashed once, not once a page.
    pub(super) fn stamp_of_pages(&self, path: &Path) -> Result<Stamp> {
        let meta = path.metadata().map_err(|error| Error::io(path.display(), error))?;
        let last = self.last_stamp.lock().ok().and_then(|last| last.clone());
        let is_it = |(known, stamp): &(PathBuf, Stamp)| {
            known == path && (stamp.bytes, stamp.modified) == (meta.len(), modified(&meta))
        };
        if let Some((_, stamp)) = last.filter(is_it) {
            return Ok(stamp);
        }
        let found = stamp(path)?;
        if let Ok(mut last) = self.last_stamp.lock() {
            *last = Some((path.to_path_buf(), found.clone()));
        }
        Ok(found)
    }
}

/// Words for a file that is being written.
pub(super) fn changed(input: &Input) -> Error {
    Error::input(format!("`{}`: changed while it was read", input.name))
        .with_hint("run again once it is written: `--resume` does what is missing")
}

/// Refuses a file that is not what it was when its fingerprint was taken.
pub(super) fn check_unchanged(path: &Path, stamp: &Stamp, input: &Input) -> Result<()> {
    let meta = path.metadata().map_err(|error| Error::io(&input.name, error))?;
    let is_same = (meta.len(), modified(&meta)) == (stamp.bytes, stamp.modified);
    if is_same { Ok(()) } else { Err(changed(input)) }
}

/// The fingerprint of a file, read in pieces.
pub(super) fn stamp(path: &Path) -> Result<Stamp> {
    let failed = |error| Error::io(path.display(), error);
    let mut file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; 1 << 18];
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => break,
            length => hasher.update(&piece[..length]),
        };
    }
    let hash = hasher.finalize().to_hex().to_string();
    Ok(Stamp { bytes: meta.len(), modified: modified(&meta), hash })
}

/// When a file was last written, in nanoseconds since 1970.
pub(super) fn modified(meta: &std::fs::Metadata) -> Option<u64> {
    let since = meta.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

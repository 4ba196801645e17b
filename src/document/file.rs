//! The one place where files that the host names are read.

use std::path::Path;

use crate::{Error, Result};

/// The bytes of a file of at most `limit` bytes.
///
/// # Errors
/// [`Io`](crate::ErrorKind::Io), [`Limit`](crate::ErrorKind::Limit), and without the feature `files`
/// [`Unsupported`](crate::ErrorKind::Unsupported).
#[cfg(feature = "files")]
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = |error| Error::io(path.display(), error);
    let meta = std::fs::metadata(path).map_err(failed)?;
    if meta.len() > limit {
        let (path, size) = (path.display(), meta.len());
        return Err(Error::limit(format!("`{path}`: {size} bytes, at most {limit} are read")));
    }
    std::fs::read(path).map_err(failed)
}

#[cfg(not(feature = "files"))]
pub(crate) fn read(path: &Path, _limit: u64) -> Result<Vec<u8>> {
    Err(Error::unsupported(format!("`{}`: this build of lyncean reads no files", path.display()))
        .with_hint("switch the feature `files` on, or give the bytes"))
}

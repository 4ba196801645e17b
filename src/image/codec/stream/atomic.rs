//! Files that appear whole or not at all.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::{Error, Result};

/// A file written beside its place, under a name that begins with a dot, and moved there by
/// [`persist`](Self::persist). Dropped before, it vanishes.
pub(in super::super) struct AtomicFile {
    out: BufWriter<NamedTempFile>,
    target: PathBuf,
    name: String,
}

impl AtomicFile {
    pub(in super::super) fn create(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error| Error::io(&name, error);
        // Through a link the file it points at is replaced, and the link stays.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if target.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if target.exists() && !target.is_file() {
            return Err(Error::unsupported(format!("`{name}` is a device or pipe, expected a file"))
                .with_hint("pictures are written beside their place and then moved there"));
        }
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = Builder::new();
        builder.prefix(".lyncean-").suffix(".part");
        // Temporary files are private by default; this one shall be what any new file is.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(failed)?;
        Ok(Self { out: BufWriter::with_capacity(1 << 18, file), target, name })
    }

    /// Moves the file to its place.
    pub(in super::super) fn persist(self) -> Result<()> {
        let file = self.out.into_inner().map_err(|error| Error::io(&self.name, error.into_error()))?;
        file.persist(&self.target).map_err(|error| Error::io(&self.name, error.error))?;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.out.seek(to)
    }
}

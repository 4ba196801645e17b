//! How much a picture may ask for.

use super::Source;
use crate::{Error, Result};

/// How large a picture may be. Checked against the header, before its pixels get memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels, width times height.
    pub max_pixels: u64,
    /// Most bytes, of the file and of the decoded picture, each for itself.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 2^28 pixels, as much as 16,384 x 16,384, and 2^32 bytes.
    fn default() -> Self {
        Self { max_pixels: 1 << 28, max_bytes: 1 << 32 }
    }
}

impl Limits {
    /// No limits but those of the formats: for streams, whose memory does not grow with height.
    pub const NONE: Self = Self { max_pixels: u64::MAX, max_bytes: u64::MAX };

    pub(super) fn check_file(&self, size: u64, name: &str) -> Result<()> {
        if size > self.max_bytes {
            let max = self.max_bytes;
            return Err(Error::limit(format!(
                "`{name}`: a file of {size} bytes is larger than the limit of {max}"
            ))
            .with_hint("raise the limit on bytes"));
        }
        Ok(())
    }

    pub(super) fn check(&self, source: &Source, name: &str) -> Result<()> {
        let (width, height) = (source.width, source.height);
        let pixels = (width as u64).saturating_mul(height as u64);
        if pixels > self.max_pixels {
            let max = self.max_pixels;
            return Err(Error::limit(format!(
                "`{name}`: {width}x{height} is {pixels} pixels, more than the limit of {max}"
            ))
            .with_hint("raise the limit on pixels"));
        }
        let bytes = source.bytes();
        if bytes > self.max_bytes || usize::try_from(bytes).is_err() {
            let max = self.max_bytes;
            return Err(Error::limit(format!(
                "`{name}`: {width}x{height} `{}` takes {bytes} bytes, more than the limit of {max}",
                source.ty
            ))
            .with_hint("raise the limit on bytes"));
        }
        Ok(())
    }
}

//! IDX, the format of MNIST: big-endian sizes, then bytes (LeCun, Cortes and Burges, 1998).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::Split;
use crate::{Error, Result};

/// The most bytes of a file: 4 GiB.
const MAX_BYTES: u64 = 1 << 32;

/// How the files of a split begin.
pub(super) fn prefix(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Test => "t10k",
    }
}

/// The pictures and labels of a split, where both are there.
pub(super) fn find(directory: &Path, split: Split) -> Option<(PathBuf, PathBuf)> {
    let file = |what: &str| {
        let name = format!("{}-{what}-ubyte", prefix(split));
        [name.clone(), format!("{name}.gz")]
            .into_iter()
            .map(|name| directory.join(name))
            .find(|path| path.is_file())
    };
    Some((file("images-idx3")?, file("labels-idx1")?))
}

/// The sizes of the axes and the bytes of a file with `AXES` axes, plain or gzip.
pub(super) fn read<const AXES: usize>(path: &Path) -> Result<([usize; AXES], Vec<u8>)> {
    let file = File::open(path).map_err(|error| Error::io(path.display(), error))?;
    let result = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz")) {
        decode(MultiGzDecoder::new(file))
    } else {
        decode(file)
    };
    result.map_err(|error| error.within(path.display().to_string()))
}

fn decode<const AXES: usize>(mut source: impl Read) -> Result<([usize; AXES], Vec<u8>)> {
    let broken = |error: std::io::Error| Error::input(format!("cannot read IDX: {error}")).with_source(error);
    let mut word = [0; 4];
    source.read_exact(&mut word).map_err(broken)?;
    if word != [0, 0, 8, AXES as u8] {
        return Err(Error::input(format!(
            "expected IDX bytes with {AXES} axes (magic {:?}), got {word:?}",
            [0, 0, 8, AXES]
        )));
    }
    let mut sizes = [0; AXES];
    let mut count = 1u64;
    for size in &mut sizes {
        source.read_exact(&mut word).map_err(broken)?;
        let len = u32::from_be_bytes(word);
        // Both fit: the limit is far below 2^64.
        count = count.saturating_mul(u64::from(len));
        *size = len as usize;
    }
    if count > MAX_BYTES || sizes.iter().any(|&size| size as u64 > MAX_BYTES) {
        return Err(Error::limit(format!("{sizes:?} are more than {MAX_BYTES} bytes")));
    }
    // Grows with what comes, so that a header alone cannot ask for memory.
    let mut bytes = Vec::new();
    source.take(count + 1).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 != count {
        let got = if bytes.len() as u64 > count { "more".to_owned() } else { bytes.len().to_string() };
        return Err(Error::input(format!("expected {count} bytes for {sizes:?}, got {got}")));
    }
    Ok((sizes, bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn idx(sizes: &[u32], bytes: usize) -> Vec<u8> {
        let mut file = vec![0, 0, 8, sizes.len() as u8];
        file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        file.extend((0..bytes).map(|i| i as u8));
        file
    }

    #[test]
    fn sizes_and_bytes_come_back_plain_and_compressed() {
        let directory = tempfile::tempdir().unwrap();
        let plain = directory.path().join("a");
        std::fs::write(&plain, idx(&[2, 1, 3], 6)).unwrap();
        assert_eq!(read::<3>(&plain).unwrap(), ([2, 1, 3], vec![0, 1, 2, 3, 4, 5]));
        let packed = directory.path().join("a.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&idx(&[2, 1, 3], 6)).unwrap();
        std::fs::write(&packed, encoder.finish().unwrap()).unwrap();
        assert_eq!(read::<3>(&packed).unwrap(), read::<3>(&plain).unwrap());
    }

    #[test]
    fn broken_files_are_errors() {
        let good = idx(&[2, 1, 3], 6);
        assert!(decode::<3>(&good[..]).is_ok());
        for len in 0..good.len() {
            assert!(decode::<3>(&good[..len]).is_err(), "{len}");
        }
        assert!(decode::<3>(&[&good[..], &[0]].concat()[..]).is_err());
        assert!(decode::<1>(&good[..]).unwrap_err().message().contains("1 axes"));
        assert_eq!(decode::<3>(&idx(&[u32::MAX; 3], 0)[..]).unwrap_err().kind(), crate::ErrorKind::Limit);
        assert!(decode::<3>(&idx(&[1 << 10, 1 << 10, 1 << 10], 0)[..]).is_err());
        assert_eq!(
            decode::<3>(&idx(&[0, u32::MAX, u32::MAX], 0)[..]).map(|(_, bytes)| bytes.len()).unwrap(),
            0
        );
    }
}

//! TIFF directories that the decoder refuses, made such that it reads them.
//!
//! The `tiff` crate knows neither palettes nor samples of 9 to 15 bits. A palette's numbers are gray
//! values to it once the directory says so, and packed samples are bytes once the directory tells a row
//! of bytes. So a reader stands between file and decoder that shows other entries in the directory; the
//! meaning is given to the numbers afterwards.

use std::io::{self, Read, Seek, SeekFrom};

/// A reader with some bytes replaced.
pub(super) struct Disguise<R> {
    inner: R,
    at: u64,
    patches: Vec<(u64, Vec<u8>)>,
}

impl<R: Read + Seek> Disguise<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, at: 0, patches: Vec::new() }
    }

    /// Shows these numbers for these tags of the directory at `ifd`, each as one unsigned 32-bit number.
    /// A tag that is not in the directory stays away.
    pub(super) fn show(&mut self, ifd: u64, tags: &[(u16, u32)]) -> io::Result<()> {
        let mut head = [0; 4];
        self.seek(SeekFrom::Start(0))?;
        self.read_exact(&mut head)?;
        let (little, big) = (head[0] == b'I', head[2..].contains(&43));
        let number = |bytes: &[u8]| {
            let digits: Box<dyn Iterator<Item = &u8>> =
                if little { Box::new(bytes.iter().rev()) } else { Box::new(bytes.iter()) };
            digits.fold(0, |sum, &byte| sum << 8 | u64::from(byte))
        };
        let (count_bytes, entry_bytes) = if big { (8, 20) } else { (2, 12) };
        self.seek(SeekFrom::Start(ifd))?;
        let mut entry = [0; 20];
        self.read_exact(&mut entry[..count_bytes])?;
        // More entries than there are tags would be damage.
        let count = number(&entry[..count_bytes]).min(1 << 16);
        let mut patches = Vec::new();
        for index in 0..count {
            let entry = &mut entry[..entry_bytes];
            self.read_exact(entry)?;
            let tag = number(&entry[..2]);
            let Some(&(_, value)) = tags.iter().find(|(known, _)| u64::from(*known) == tag) else { continue };
            let place = ifd + count_bytes as u64 + index * entry_bytes as u64;
            // Type LONG, count 1, the number in the first bytes of the value.
            let mut shown = Vec::with_capacity(entry_bytes);
            let mut put = |value: u64, bytes: usize| {
                let all = value.to_le_bytes();
                if little { shown.extend(&all[..bytes]) } else { shown.extend(all[..bytes].iter().rev()) }
            };
            put(tag, 2);
            put(4, 2);
            put(1, if big { 8 } else { 4 });
            put(value.into(), 4);
            shown.resize(entry_bytes, 0);
            patches.push((place, shown));
        }
        self.patches = patches;
        Ok(())
    }
}

impl<R: Read> Read for Disguise<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        for (place, shown) in &self.patches {
            for (offset, &byte) in shown.iter().enumerate() {
                let place = place + offset as u64;
                if let Some(at) = place.checked_sub(self.at).filter(|&at| at < length as u64) {
                    buffer[at as usize] = byte;
                }
            }
        }
        self.at += length as u64;
        Ok(length)
    }
}

impl<R: Seek> Seek for Disguise<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.inner.seek(to)?;
        Ok(self.at)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        self.inner.stream_position()
    }
}

impl<R: Read + Seek> Disguise<io::BufReader<R>> {
    /// Moves on without throwing away what is buffered.
    pub(super) fn seek_relative(&mut self, step: i64) -> io::Result<()> {
        self.inner.seek_relative(step)?;
        self.at = self.at.wrapping_add_signed(step);
        Ok(())
    }
}

/// The numbers of a row of packed bits, the first in the highest bits.
pub(super) fn unpacked(row: &[u8], bits: u32) -> impl Iterator<Item = u16> {
    let mut bytes = row.iter();
    let (mut held, mut left) = (0u32, 0);
    std::iter::from_fn(move || {
        while left < bits {
            held = held << 8 | u32::from(*bytes.next()?);
            left += 8;
        }
        left -= bits;
        Some((held >> left & ((1 << bits) - 1)) as u16)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_out_in_order() {
        let twelve: Vec<u16> = unpacked(&[0xab, 0xcd, 0xef, 0x12, 0x30], 12).collect();
        assert_eq!(twelve, [0xabc, 0xdef, 0x123]);
        assert_eq!(unpacked(&[0b1010_0000], 1).take(3).collect::<Vec<_>>(), [1, 0, 1]);
        assert_eq!(unpacked(&[0x12, 0x34], 4).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn only_the_entries_differ() {
        // A directory at 8 with two entries, little-endian.
        let mut file = b"II*\0\x08\0\0\0\x02\0".to_vec();
        file.extend([0, 1, 3, 0, 1, 0, 0, 0, 7, 0, 0, 0]);
        file.extend([6, 1, 3, 0, 1, 0, 0, 0, 3, 0, 0, 0]);
        file.extend([1, 2, 3]);
        let mut reader = Disguise::new(io::Cursor::new(file.clone()));
        reader.show(8, &[(0x106, 1), (0x999, 5)]).unwrap();
        reader.seek(SeekFrom::Start(0)).unwrap();
        let mut shown = Vec::new();
        // In small pieces, so that entries are cut.
        let mut piece = [0; 5];
        while let length @ 1.. = reader.read(&mut piece).unwrap() {
            shown.extend(&piece[..length]);
        }
        let differ: Vec<usize> = (0..file.len()).filter(|&at| file[at] != shown[at]).collect();
        assert_eq!((differ, shown[24], shown[30]), (vec![24, 30], 4, 1));
    }
}

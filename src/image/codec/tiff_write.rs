//! TIFF, written strip by strip: baseline tags, the directory at the end.

use std::io::{self, Seek, SeekFrom, Write};

use flate2::write::ZlibEncoder;

use super::Compression;
use crate::image::{Element, ImageType};

/// Bytes of a strip before compression, unless one row alone is more.
const STRIP_BYTES: usize = 1 << 18;

/// Writes rows to strips. Numbers are in the byte order of the machine, as the format allows.
pub(super) struct TiffRows<W> {
    out: W,
    ty: ImageType,
    width: u32,
    height: u32,
    big: bool,
    level: Option<flate2::Compression>,
    rows_per_strip: u32,
    row_bytes: usize,
    strip: Vec<u8>,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    position: u64,
}

impl<W: Write + Seek> TiffRows<W> {
    pub(super) fn new(
        out: W,
        ty: ImageType,
        width: u32,
        height: u32,
        compression: Compression,
    ) -> io::Result<Self> {
        let row_bytes = width as usize * ty.pixel_size();
        let big =
            needs_big(row_bytes as u64, u64::from(height), u64::from(rows_per_strip(row_bytes, height)));
        Self::with_offsets(out, ty, width, height, compression, big)
    }

    /// With offsets of 64 bits when `big`, else of 32.
    fn with_offsets(
        mut out: W,
        ty: ImageType,
        width: u32,
        height: u32,
        compression: Compression,
        big: bool,
    ) -> io::Result<Self> {
        let row_bytes = width as usize * ty.pixel_size();
        let rows_per_strip = rows_per_strip(row_bytes, height);
        let level = match compression {
            // Floats hardly get smaller at this level.
            Compression::Fast if ty.element() == Element::F32 => None,
            Compression::None => None,
            Compression::Fast => Some(flate2::Compression::new(1)),
            Compression::Small => Some(flate2::Compression::new(9)),
        };
        let mut header = Vec::with_capacity(16);
        header.extend(if cfg!(target_endian = "little") { b"II" } else { b"MM" });
        // The place of the directory is filled in by `finish`.
        if big {
            for value in [43u16, 8, 0] {
                header.extend(value.to_ne_bytes());
            }
            header.extend([0; 8]);
        } else {
            header.extend(42u16.to_ne_bytes());
            header.extend([0; 4]);
        }
        out.write_all(&header)?;
        Ok(Self {
            out,
            ty,
            width,
            height,
            big,
            level,
            rows_per_strip,
            row_bytes,
            strip: Vec::with_capacity(row_bytes * rows_per_strip as usize),
            offsets: Vec::new(),
            lengths: Vec::new(),
            position: header.len() as u64,
        })
    }

    pub(super) fn write_row(&mut self, row: &[u8]) -> io::Result<()> {
        self.strip.extend_from_slice(row);
        if self.strip.len() >= self.row_bytes * self.rows_per_strip as usize { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let length = match self.level {
            None => {
                self.out.write_all(&self.strip)?;
                self.strip.len()
            }
            Some(level) => {
                for row in self.strip.chunks_exact_mut(self.row_bytes) {
                    predict(row, self.ty);
                }
                let mut encoder = ZlibEncoder::new(Vec::with_capacity(self.strip.len() / 2), level);
                encoder.write_all(&self.strip)?;
                let packed = encoder.finish()?;
                self.out.write_all(&packed)?;
                packed.len()
            }
        };
        self.strip.clear();
        self.offsets.push(self.position);
        self.lengths.push(length as u64);
        self.position += length as u64;
        // Strips and the directory begin on even offsets.
        if !self.position.is_multiple_of(2) {
            self.out.write_all(&[0])?;
            self.position += 1;
        }
        Ok(())
    }

    /// Writes what is left, the directory, and its place into the header.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if !self.strip.is_empty() {
            self.flush()?;
        }
        let start = self.position;
        let directory = self.directory();
        self.out.write_all(&directory)?;
        self.out.seek(SeekFrom::Start(if self.big { 8 } else { 4 }))?;
        self.out.write_all(&self.offset_bytes(start))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn offset_bytes(&self, value: u64) -> Vec<u8> {
        // Not being big was decided by a bound on the file's size.
        if self.big { value.to_ne_bytes().to_vec() } else { (value as u32).to_ne_bytes().to_vec() }
    }

    fn directory(&self) -> Vec<u8> {
        const SHORT: u16 = 3;
        const LONG: u16 = 4;
        const LONG8: u16 = 16;
        let channels = self.ty.channels();
        let shorts = |values: &[u16]| values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>();
        let longs = |values: &[u64]| values.iter().flat_map(|&v| self.offset_bytes(v)).collect::<Vec<u8>>();
        let place = if self.big { LONG8 } else { LONG };
        let float = self.ty.element() == Element::F32;
        let bits = 8 * self.ty.element().size() as u16;
        let mut entries = vec![
            (256u16, LONG, 1, self.width.to_ne_bytes().to_vec()),
            (257, LONG, 1, self.height.to_ne_bytes().to_vec()),
            (258, SHORT, channels, shorts(&vec![bits; channels])),
            (259, SHORT, 1, shorts(&[if self.level.is_some() { 8 } else { 1 }])),
            (262, SHORT, 1, shorts(&[if channels == 3 { 2 } else { 1 }])),
            (273, place, self.offsets.len(), longs(&self.offsets)),
            (277, SHORT, 1, shorts(&[channels as u16])),
            (278, LONG, 1, self.rows_per_strip.to_ne_bytes().to_vec()),
            (279, place, self.lengths.len(), longs(&self.lengths)),
            (284, SHORT, 1, shorts(&[1])),
            (317, SHORT, 1, shorts(&[2])),
            (339, SHORT, channels, shorts(&vec![if float { 3 } else { 1 }; channels])),
        ];
        // Without differences the tag has no business here, and libtiff says so.
        entries.retain(|&(tag, ..)| tag != 317 || self.level.is_some() && !float);
        // A count, the entries, the place of the next directory: none.
        let (inline, count, entry) = if self.big { (8, 8, 20) } else { (4, 2, 12) };
        let mut beyond = self.position + (count + entry * entries.len() + inline) as u64;
        let mut directory = Vec::new();
        let mut values = Vec::new();
        if self.big {
            directory.extend((entries.len() as u64).to_ne_bytes());
        } else {
            directory.extend((entries.len() as u16).to_ne_bytes());
        }
        for (tag, kind, count, mut value) in entries {
            directory.extend(tag.to_ne_bytes());
            directory.extend(kind.to_ne_bytes());
            directory.extend(self.offset_bytes(count as u64));
            if value.len() <= inline {
                value.resize(inline, 0);
                directory.extend(value);
            } else {
                value.resize(value.len().next_multiple_of(2), 0);
                directory.extend(self.offset_bytes(beyond));
                beyond += value.len() as u64;
                values.extend(value);
            }
        }
        directory.extend(self.offset_bytes(0));
        directory.extend(values);
        directory
    }
}

fn rows_per_strip(row_bytes: usize, height: u32) -> u32 {
    (STRIP_BYTES / row_bytes).clamp(1, height as usize) as u32
}

/// Whether offsets may pass 32 bits. Deflate makes incompressible strips a little larger.
fn needs_big(row_bytes: u64, height: u64, rows_per_strip: u64) -> bool {
    let data = row_bytes.saturating_mul(height);
    let strips = height.div_ceil(rows_per_strip);
    data.saturating_add(data >> 10).saturating_add(strips.saturating_mul(64)).saturating_add(4096)
        > u64::from(u32::MAX)
}

/// Replaces the channels of a row by their differences to the pixel on the left.
fn predict(row: &mut [u8], ty: ImageType) {
    macro_rules! differences {
        ($number:ty, $size:literal) => {{
            let values = row.as_chunks_mut::<$size>().0;
            for i in (ty.channels()..values.len()).rev() {
                let left = <$number>::from_ne_bytes(values[i - ty.channels()]);
                values[i] = <$number>::from_ne_bytes(values[i]).wrapping_sub(left).to_ne_bytes();
            }
        }};
    }
    match ty.element() {
        Element::U8 => differences!(u8, 1),
        Element::U16 => differences!(u16, 2),
        Element::U32 => differences!(u32, 4),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::codec::{Limits, read_bytes};
    use crate::image::{Image, Plane};

    #[test]
    fn big_begins_at_four_gigabytes() {
        assert!(!needs_big(20_000, 200_000, 13));
        assert!(needs_big(20_000, 214_748, 13));
        assert!(needs_big(4 << 30, 1, 1));
    }

    #[test]
    fn big_files_are_read_again() {
        let pixel = |x: u32, y: u32, c: u32| (x * 31 + y * 7 + c * 101) as u16;
        for (width, height) in [(3, 2), (300, 700)] {
            for compression in [Compression::None, Compression::Fast] {
                let out = io::Cursor::new(Vec::new());
                let ty = ImageType::Rgb16;
                let mut rows = TiffRows::with_offsets(out, ty, width, height, compression, true).unwrap();
                let mut pixels = Vec::new();
                for y in 0..height {
                    let row: Vec<_> = (0..width).map(|x| [0, 1, 2].map(|c| pixel(x, y, c))).collect();
                    rows.write_row(bytemuck::cast_slice(&row)).unwrap();
                    pixels.extend(row);
                }
                let bytes = rows.finish().unwrap().into_inner();
                assert!(bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+"));
                let picture = read_bytes(&bytes, "big.tiff", &Limits::default()).unwrap();
                let plane = Plane::from_vec(width as usize, height as usize, pixels).unwrap();
                assert_eq!(picture.image, Image::Rgb16(plane));
            }
        }
    }

    #[test]
    fn differences_of_rgb() {
        let mut row = [1, 2, 3, 3, 2, 1, 4, 0, 255];
        predict(&mut row, ImageType::Rgb8);
        assert_eq!(row, [1, 2, 3, 2, 0, 254, 1, 254, 254]);
    }
}

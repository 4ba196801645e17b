//! TIFF, row by row, in.

use std::io::{Read, Seek, SeekFrom};

use tiff::decoder::ChunkType;
use tiff::tags::{ByteOrder, Tag};

use super::reader::Input;
use crate::Result;
use crate::image::codec::tiff_read::{self, Samples, TiffDecoder};
use crate::image::codec::{Format, Limits, Orientation, Source, fail};

/// Most bytes of a strip that is decoded as a whole.
const STRIP_BYTES: usize = 16 << 20;

pub(super) struct Strips {
    decoder: TiffDecoder<Input>,
    rows_per_strip: usize,
    height: usize,
    row_bytes: usize,
    mode: Mode,
}

enum Mode {
    /// Strips are decoded one at a time; `at` is the one in the buffer.
    Decode { buffer: Vec<u8>, at: Option<usize> },
    /// Large strips of plain numbers: rows are read from where they lie.
    Plain { offsets: Vec<u64>, element: usize, swap: bool },
}

impl Strips {
    /// The strips of a file, or `None` when rows cannot be had one after the other.
    pub(super) fn open(
        input: Input,
        name: &str,
        limits: &Limits,
        page: Option<usize>,
    ) -> Result<Option<(Self, Source)>> {
        let wrong = |error| fail::from_tiff(name, error);
        let (mut decoder, source, samples) = tiff_read::open(input, name, limits, page)?;
        let planar = tag(&mut decoder, Tag::PlanarConfiguration, 1, name)?;
        if decoder.get_chunk_type() != ChunkType::Strip
            || samples != Samples::Plain
            || source.alpha
            || source.orientation != Orientation::Upright
            || planar != 1
        {
            return Ok(None);
        }
        let row_bytes = source.width.saturating_mul(source.ty.pixel_size());
        let (_, rows) = decoder.chunk_dimensions();
        let rows_per_strip = fail::size(rows, name, Format::Tiff)?.clamp(1, source.height);
        let strip = row_bytes.saturating_mul(rows_per_strip);
        let channels = u16::try_from(source.ty.channels()).ok();
        let plain = tag(&mut decoder, Tag::Compression, 1, name)? == 1
            && tag(&mut decoder, Tag::Predictor, 1, name)? == 1
            && tag(&mut decoder, Tag::PhotometricInterpretation, 1, name)? != 0
            && Some(tag(&mut decoder, Tag::SamplesPerPixel, 1, name)?) == channels;
        let mode = if strip <= STRIP_BYTES {
            Mode::Decode { buffer: vec![0; strip], at: None }
        } else if plain {
            let offsets = decoder.get_tag_u64_vec(Tag::StripOffsets).map_err(wrong)?;
            let little = decoder.byte_order() == ByteOrder::LittleEndian;
            let swap = little != cfg!(target_endian = "little");
            Mode::Plain { offsets, element: source.ty.element().size(), swap }
        } else {
            return Ok(None);
        };
        Ok(Some((Self { decoder, rows_per_strip, height: source.height, row_bytes, mode }, source)))
    }

    /// Row `y` into `out`.
    pub(super) fn row(&mut self, y: usize, name: &str, out: &mut [u8]) -> Result<()> {
        let strip = y / self.rows_per_strip;
        let inside = y % self.rows_per_strip;
        match &mut self.mode {
            Mode::Decode { buffer, at } => {
                if *at != Some(strip) {
                    let rows = self.rows_per_strip.min(self.height - strip * self.rows_per_strip);
                    let bytes = &mut buffer[..rows * self.row_bytes];
                    let result = self.decoder.read_chunk_bytes(strip as u32, bytes);
                    result.map_err(|error| fail::from_tiff(name, error))?;
                    *at = Some(strip);
                }
                out.copy_from_slice(&buffer[inside * self.row_bytes..][..self.row_bytes]);
            }
            Mode::Plain { offsets, element, swap } => {
                let offset = offsets
                    .get(strip)
                    .and_then(|start| start.checked_add((inside as u64).checked_mul(self.row_bytes as u64)?))
                    .ok_or_else(|| fail::broken(name, Format::Tiff, "a strip without a place"))?;
                let input = self.decoder.inner();
                let here =
                    input.stream_position().map_err(|error| fail::from_io(name, Format::Tiff, error))?;
                let result = match i64::try_from(i128::from(offset) - i128::from(here)) {
                    // Keeps what is buffered where rows follow one another.
                    Ok(step) => input.seek_relative(step),
                    Err(_) => input.seek(SeekFrom::Start(offset)).map(|_| ()),
                };
                result
                    .and_then(|()| input.read_exact(out))
                    .map_err(|error| fail::from_io(name, Format::Tiff, error))?;
                if *swap && *element > 1 {
                    out.chunks_exact_mut(*element).for_each(<[u8]>::reverse);
                }
            }
        }
        Ok(())
    }
}

fn tag(decoder: &mut TiffDecoder<Input>, tag: Tag, default: u16, name: &str) -> Result<u16> {
    let value = decoder.find_tag_unsigned::<u16>(tag).map_err(|error| fail::from_tiff(name, error))?;
    Ok(value.unwrap_or(default))
}

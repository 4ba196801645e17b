//! The `.vec` files of OpenCV's `opencv_createsamples`.
//!
//! A header of 12 bytes: the number of samples and the pixels of each as 32-bit integers, and twice 16 bits that
//! mean nothing. Then for each sample a byte that means nothing and its pixels, row after row, 16 bits each. All
//! is little-endian. The width is not told.

use std::path::Path;

use crate::image::View;
use crate::ops::cascade::train::Crops;
use crate::{Error, Result};

const HEADER: usize = 12;
/// The most bytes of a file: 4 GiB.
const MOST: u64 = 4 << 30;

/// The samples of a file, of a width and height.
pub(super) fn read(path: &Path, width: usize, height: usize) -> Result<Crops> {
    let bytes = crate::document::read(path, MOST)?;
    parse(&bytes, width, height).map_err(|error| error.within(path.display().to_string()))
}

fn parse(bytes: &[u8], width: usize, height: usize) -> Result<Crops> {
    let number = |at: usize| -> Result<usize> {
        let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(i32::from_le_bytes);
        four.and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| Error::input(format!("expected the header of a `.vec` file of {HEADER} bytes")))
    };
    let (count, area) = (number(0)?, number(4)?);
    if area != width * height {
        return Err(Error::input(format!(
            "expected samples of {width}x{height}, which are {} pixels, got {area} pixels",
            width * height
        ))
        .with_hint("set `width` and `height` to what the samples were made with: the file does not tell"));
    }
    let one = 1 + 2 * area;
    let body = bytes.get(HEADER..).unwrap_or_default();
    if count.checked_mul(one) != Some(body.len()) {
        return Err(Error::input(format!(
            "expected {count} samples of {one} bytes after the header, got {} bytes",
            body.len()
        )));
    }
    let mut crops = Crops::new(width, height);
    let mut pixels = vec![0u8; area];
    for (index, sample) in body.chunks_exact(one).enumerate() {
        for (pixel, two) in pixels.iter_mut().zip(sample[1..].chunks_exact(2)) {
            let value = i16::from_le_bytes([two[0], two[1]]);
            *pixel = u8::try_from(value).map_err(|_| {
                Error::input(format!("sample {index}: expected gray values from 0 to 255, got {value}"))
            })?;
        }
        crops.push(View::new(&pixels, width, height, width)?)?;
    }
    Ok(crops)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(count: i32, area: i32, samples: &[&[i16]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(count.to_le_bytes());
        bytes.extend(area.to_le_bytes());
        bytes.extend([0; 4]);
        for sample in samples {
            bytes.push(0);
            sample.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        }
        bytes
    }

    #[test]
    fn samples_are_read_as_they_were_written() {
        let crops = parse(&file(2, 6, &[&[0, 1, 2, 3, 4, 255], &[9; 6]]), 3, 2).unwrap();
        assert_eq!(
            (crops.len(), crops.window(0), crops.window(1)),
            (2, &[0, 1, 2, 3, 4, 255][..], &[9; 6][..])
        );
    }

    #[test]
    fn faults_are_told() {
        let said = |bytes: &[u8], width, height| parse(bytes, width, height).unwrap_err().to_string();
        assert!(said(&[1, 0, 0], 3, 2).contains("expected the header of a `.vec` file"));
        assert!(said(&file(-1, 6, &[]), 3, 2).contains("expected the header"));
        assert!(said(&file(1, 6, &[&[0; 6]]), 3, 3).contains("3x3, which are 9 pixels, got 6 pixels\nhint:"));
        assert!(said(&file(2, 6, &[&[0; 6]]), 3, 2).contains("expected 2 samples of 13 bytes"));
        assert!(said(&file(1, 6, &[&[0, 0, 300, 0, 0, 0]]), 3, 2).contains("from 0 to 255, got 300"));
        assert!(said(&file(i32::MAX, 6, &[]), 3, 2).contains("got 0 bytes"));
    }
}

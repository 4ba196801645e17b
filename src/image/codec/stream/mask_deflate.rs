//! The pixels of a mask as the compressed stream of a PNG.
//!
//! Rows of 0 and 255, each less the one above (PNG's filter `Up`), hold three values only, in runs. A
//! run is coded as its first value and, from four on, a copy from one byte back. One Huffman code, made
//! once from the runs of edges, thresholds and smooth regions, serves all masks; `docs/decisions` has
//! the figures.

/// Literals 0 to 255, the end, 29 lengths of copies.
const SYMBOLS: usize = 286;
const END: usize = 256;
/// The longest copy of deflate.
const LONGEST: usize = 258;
/// A first value and the longest copy.
const LONGEST_RUN: usize = LONGEST + 1;
/// The modulus of Adler-32.
const ADLER: u64 = 65521;

/// Bits of the codes of the lengths of copies, 257 to 285.
const COPY_BITS: [u8; 29] =
    [6, 7, 7, 7, 8, 8, 8, 8, 7, 8, 8, 8, 7, 7, 8, 8, 7, 7, 8, 8, 7, 7, 7, 8, 7, 7, 8, 8, 4];

/// A code in the order in which its bits are written: the lowest first.
#[derive(Clone, Copy)]
struct Code {
    bits: u32,
    length: u32,
}

impl Code {
    const NONE: Self = Self { bits: 0, length: 0 };

    const fn then(self, next: Self) -> Self {
        Self { bits: self.bits | next.bits << self.length, length: self.length + next.length }
    }
}

const LENGTHS: [u8; SYMBOLS] = lengths();
const CODES: [Code; SYMBOLS] = codes(&LENGTHS);
/// By value (0, 1, 255) and length: the whole run.
static RUNS: [[Code; LONGEST_RUN + 1]; 3] = [runs(0), runs(1), runs(255)];

const fn lengths() -> [u8; SYMBOLS] {
    let mut lengths = [15; SYMBOLS];
    // What `Up` gives of masks, its own number, and the end; three codes make the code complete.
    (lengths[0], lengths[1], lengths[255], lengths[2]) = (2, 2, 2, 7);
    (lengths[3], lengths[4], lengths[END]) = (14, 14, 14);
    let mut index = 0;
    while index < COPY_BITS.len() {
        lengths[END + 1 + index] = COPY_BITS[index];
        index += 1;
    }
    lengths
}

/// The canonical code of these lengths (RFC 1951, 3.2.2).
const fn codes(lengths: &[u8; SYMBOLS]) -> [Code; SYMBOLS] {
    let mut codes = [Code::NONE; SYMBOLS];
    let (mut next, mut length) = (0u32, 1u32);
    while length <= 15 {
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if lengths[symbol] as u32 == length {
                codes[symbol] = Code { bits: next.reverse_bits() >> (32 - length), length };
                next += 1;
            }
            symbol += 1;
        }
        next <<= 1;
        length += 1;
    }
    codes
}

/// A copy of 3 to 258 bytes from one byte back.
const fn copy(count: usize) -> Code {
    /// The bit that says one byte back: the only distance there is.
    const BACK: Code = Code { bits: 0, length: 1 };
    let (symbol, extra, rest) = match count {
        LONGEST => (285, 0, 0),
        3..=10 => (254 + count, 0, 0),
        _ => {
            let above = count as u32 - 3;
            let extra = above.ilog2() - 2;
            (
                265 + (extra as usize - 1) * 4 + (above >> extra & 3) as usize,
                extra,
                above & ((1 << extra) - 1),
            )
        }
    };
    CODES[symbol].then(Code { bits: rest, length: extra }).then(BACK)
}

/// `count` times the same value behind that value: at most 258.
const fn more(value: u8, count: usize) -> Code {
    let literal = CODES[value as usize];
    match count {
        0 => Code::NONE,
        1 => literal,
        2 => literal.then(literal),
        _ => copy(count),
    }
}

const fn runs(value: u8) -> [Code; LONGEST_RUN + 1] {
    let mut runs = [Code::NONE; LONGEST_RUN + 1];
    let mut count = 1;
    while count <= LONGEST_RUN {
        runs[count] = CODES[value as usize].then(more(value, count - 1));
        count += 1;
    }
    runs
}

/// Takes rows, gives a zlib stream.
pub(super) struct MaskDeflate {
    /// What is ready; the owner may take it away at any time.
    pub(super) ready: Vec<u8>,
    bits: u64,
    count: u32,
    /// The two sums of Adler-32.
    sums: [u64; 2],
    /// Rows as bits, the first pixel lowest: this one and the one above.
    row: Vec<u64>,
    above: Vec<u64>,
    /// Whether the row above holds nothing but 0 and 255.
    above_is_mask: bool,
}

impl MaskDeflate {
    pub(super) fn new(width: usize) -> Self {
        let words = vec![0; width.div_ceil(64)];
        // A zlib stream of one block with a code of its own.
        let mut new = Self {
            ready: vec![0x78, 0x01],
            bits: 0,
            count: 0,
            sums: [1, 0],
            row: words.clone(),
            above: words,
            above_is_mask: true,
        };
        new.put(Code { bits: 0b101, length: 3 });
        new.put(Code { bits: (SYMBOLS - 257) as u32, length: 5 });
        // One distance; 19 lengths, of which those for 0 to 15 have four bits each, so that the
        // lengths of the code are written as they are.
        new.put(Code { bits: 0, length: 5 });
        new.put(Code { bits: 15, length: 4 });
        for index in 0..19 {
            new.put(Code { bits: if index < 3 { 0 } else { 4 }, length: 3 });
        }
        for length in LENGTHS.into_iter().chain([1]) {
            new.put(Code { bits: u32::from(length).reverse_bits() >> 28, length: 4 });
        }
        new
    }

    pub(super) fn write_row(&mut self, row: &[u8]) {
        std::mem::swap(&mut self.row, &mut self.above);
        let above_was_mask = std::mem::replace(&mut self.above_is_mask, pack(row, &mut self.row));
        if self.above_is_mask && above_was_mask {
            self.literal(2);
            self.write_difference(row.len());
        } else {
            // The filter that changes nothing.
            self.literal(0);
            row.chunk_by(|a, b| a == b).for_each(|run| self.any_run(run[0], run.len()));
        }
        self.reduce();
    }

    /// The end of the stream; all of it is ready then.
    pub(super) fn finish(&mut self) {
        self.put(CODES[END]);
        let bytes = self.count.div_ceil(8) as usize;
        self.ready.extend(&self.bits.to_le_bytes()[..bytes]);
        self.ready.extend(((self.sums[1] << 16 | self.sums[0]) as u32).to_be_bytes());
    }

    /// This row less the one above.
    fn write_difference(&mut self, width: usize) {
        let (row, above) = (std::mem::take(&mut self.row), std::mem::take(&mut self.above));
        // What a pixel differs from: the filter's number is like none of them.
        let (mut last_changed, mut last_row) = (0, 0);
        let (mut start, mut kind) = (0, 3);
        for (word, (&row, &above)) in row.iter().zip(&above).enumerate() {
            let changed = row ^ above;
            let mut starts =
                (changed ^ (changed << 1 | last_changed)) | changed & (row ^ (row << 1 | last_row));
            (last_changed, last_row) = (changed >> 63, row >> 63);
            starts |= u64::from(word == 0);
            while starts != 0 {
                let bit = starts.trailing_zeros();
                let at = word * 64 + bit as usize;
                if at >= width {
                    break;
                }
                self.run(kind, at - start);
                (start, kind) = (at, ((changed >> bit & 1) * (1 + (row >> bit & 1))) as usize);
                starts &= starts - 1;
            }
            if word % 1024 == 1023 {
                self.reduce();
            }
        }
        self.run(kind, width - start);
        (self.row, self.above) = (row, above);
    }

    /// A run of 0, 1 or 255; of nothing, if its length is 0.
    #[inline]
    fn run(&mut self, kind: usize, count: usize) {
        const VALUES: [u8; 3] = [0, 1, 255];
        if (1..=LONGEST_RUN).contains(&count) {
            self.sum(VALUES[kind], count);
            self.put(RUNS[kind][count]);
        } else if count > 0 {
            self.any_run(VALUES[kind], count);
        }
    }

    /// A run of any value and length.
    fn any_run(&mut self, value: u8, count: usize) {
        self.literal(value);
        let mut left = count - 1;
        while left > 0 {
            let now = left.min(LONGEST);
            self.sum(value, now);
            self.put(more(value, now));
            self.reduce();
            left -= now;
        }
    }

    fn literal(&mut self, value: u8) {
        self.sum(value, 1);
        self.put(CODES[usize::from(value)]);
    }

    /// Adds to the checksum; [`reduce`](Self::reduce) has to follow before 2^31 pixels have.
    #[inline]
    fn sum(&mut self, value: u8, count: usize) {
        let (value, count) = (u64::from(value), count as u64);
        self.sums[1] += count * self.sums[0] + value * (count * (count + 1) / 2);
        self.sums[0] += value * count;
    }

    fn reduce(&mut self) {
        self.sums = self.sums.map(|sum| sum % ADLER);
    }

    #[inline]
    fn put(&mut self, code: Code) {
        self.bits |= u64::from(code.bits) << self.count;
        self.count += code.length;
        if self.count >= 32 {
            self.ready.extend((self.bits as u32).to_le_bytes());
            self.bits >>= 32;
            self.count -= 32;
        }
    }
}

/// Pixels as bits; whether all are 0 or 255.
fn pack(row: &[u8], words: &mut [u64]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    /// Moves the lowest bits of eight bytes together, into the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut is_mask = true;
    let mut eight = |pixels: [u8; 8]| {
        let pixels = u64::from_le_bytes(pixels);
        let bits = pixels & ONES;
        is_mask &= bits * 255 == pixels;
        bits.wrapping_mul(GATHER) >> 56
    };
    for (pixels, word) in row.chunks(64).zip(words) {
        let (whole, rest) = pixels.as_chunks();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        *word = 0;
        for (index, pixels) in whole.iter().enumerate() {
            *word |= eight(*pixels) << (8 * index);
        }
        if !rest.is_empty() {
            *word |= eight(last) << (8 * whole.len());
        }
    }
    is_mask
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    /// The filtered rows that a stream holds.
    fn inflated(rows: &[Vec<u8>]) -> Vec<u8> {
        let mut deflate = MaskDeflate::new(rows[0].len());
        for row in rows {
            deflate.write_row(row);
        }
        deflate.finish();
        let mut bytes = Vec::new();
        // Checks the sum as well.
        flate2::read::ZlibDecoder::new(deflate.ready.as_slice()).read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn unfiltered(bytes: &[u8], width: usize) -> Vec<Vec<u8>> {
        let mut above = vec![0; width];
        let row = |line: &[u8]| {
            let row: Vec<u8> = match line[0] {
                0 => line[1..].to_vec(),
                2 => line[1..].iter().zip(&above).map(|(v, above)| v.wrapping_add(*above)).collect(),
                other => panic!("filter {other}"),
            };
            above.clone_from(&row);
            row
        };
        bytes.chunks(width + 1).map(row).collect()
    }

    #[test]
    fn the_code_is_complete() {
        let sum: u32 = LENGTHS.iter().map(|&length| 1 << (15 - length)).sum();
        assert_eq!(sum, 1 << 15);
    }

    proptest! {
        /// Runs of all lengths, and now and then a value that is no mask's.
        #[test]
        fn every_row_comes_back(
            width in prop_oneof![1usize..200, 200usize..1400],
            runs in prop::collection::vec((0u8..40, 1usize..300), 1..80),
            height in 1usize..6,
        ) {
            let value = |v: u8| match v { 0 => 7, 1..20 => 0, _ => 255 };
            let pixels: Vec<u8> =
                runs.iter().cycle().flat_map(|&(v, n)| std::iter::repeat_n(value(v), n)).take(width * height).collect();
            let rows: Vec<Vec<u8>> = pixels.chunks(width).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(unfiltered(&inflated(&rows), width), rows);
        }

        #[test]
        fn noise_comes_back(width in 1usize..300, seed in any::<u64>()) {
            let mut state = seed | 1;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                if state >> 40 & 1 == 1 { 255 } else { 0 }
            };
            let rows: Vec<Vec<u8>> = (0..4).map(|_| (0..width).map(|_| next()).collect()).collect();
            prop_assert_eq!(unfiltered(&inflated(&rows), width), rows);
        }
    }

    #[test]
    fn rows_longer_than_the_sums_hold() {
        let rows = vec![
            vec![255; 200_000],
            vec![0; 200_000],
            (0..200_000).map(|x| if x % 3 == 0 { 255 } else { 0 }).collect(),
        ];
        assert_eq!(unfiltered(&inflated(&rows), 200_000), rows);
    }
}

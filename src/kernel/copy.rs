//! Copies of rows.
#![allow(unsafe_code, reason = "a hint to the processor is an intrinsic")]

/// Copies a row, and asks for what follows it in memory: the next row of an image, which comes while
/// others work on this one.
///
/// # Panics
/// When the lengths differ.
pub fn copy_row(from: &[u8], to: &mut [u8]) {
    const LINE: usize = 64;
    assert_eq!(from.len(), to.len(), "rows of one length");
    let (lines, rest) = from.as_chunks::<LINE>();
    let (places, tail) = to.as_chunks_mut::<LINE>();
    for (line, place) in lines.iter().zip(places) {
        prefetch(line, from.len());
        *place = *line;
    }
    tail.copy_from_slice(rest);
}

/// Asks for the bytes that lie `ahead` of a slice, whether they are part of it or not.
#[inline(always)]
fn prefetch(from: &[u8], ahead: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let at = from.as_ptr().cast::<i8>().wrapping_add(ahead);
        // SAFETY: a hint reads nothing, and no address is wrong for it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, ahead);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_copied_whole() {
        for length in [0, 1, 63, 64, 65, 200] {
            let from: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut to = vec![7; length];
            copy_row(&from, &mut to);
            assert_eq!(to, from);
        }
    }
}

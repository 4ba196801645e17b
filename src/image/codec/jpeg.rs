//! The marker structure of JPEG files, as far as decoders forgive what they should not.

/// Whether the segments and scans of a JPEG reach to its end-of-image marker.
///
/// Decoders fill the missing part of a cut-off file with gray. Segments are stepped over by their
/// lengths, so the end marker of a thumbnail does not count.
pub(super) fn ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    let mut in_scan = false;
    loop {
        // The next marker: any number of 0xff, then a code that is not 0.
        let Some(skip) = bytes.get(at..).and_then(|rest| memchr::memchr(0xff, rest)) else {
            return false;
        };
        at += skip;
        while bytes.get(at) == Some(&0xff) {
            at += 1;
        }
        let Some(&code) = bytes.get(at) else { return false };
        at += 1;
        match code {
            0xd9 => return true,
            // A stuffed zero inside a scan, restart markers, and markers that stand alone.
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            // A number-of-lines marker may follow a scan, everything else has a length as well.
            _ => {
                let Some(&[high, low]) = bytes.get(at..at + 2) else { return false };
                let length = usize::from(u16::from_be_bytes([high, low]));
                // Inside a scan an odd marker may be damage: looking on is all that can be done.
                if !in_scan || (0xc0..=0xfe).contains(&code) {
                    at += length.max(2);
                }
                in_scan = code == 0xda;
            }
        }
    }
}

/// How a JPEG's components are spread over its scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scans {
    /// All in one that is not refined later.
    One,
    /// Sequential, each in one of its own, and not all of the same height.
    ApartAndUneven,
    /// Any other way: apart and of one height, progressive, or unknown.
    Other,
}

/// How the components are spread: from the segments before the first scan.
pub(super) fn scans(bytes: &[u8]) -> Scans {
    let mut rest = bytes.get(2..).unwrap_or_default();
    // Of a sequential file: the vertical sampling of each component.
    let mut heights: Option<Vec<u8>> = None;
    while let [0xff, code, tail @ ..] = rest {
        let [high, low, segment @ ..] = tail else { break };
        match code {
            0xff => {
                rest = &rest[1..];
                continue;
            }
            0xc0 | 0xc1 => {
                let count = segment.get(5).copied().unwrap_or_default();
                let components = segment.get(6..).unwrap_or_default().as_chunks::<3>().0;
                heights = Some(components.iter().take(count.into()).map(|[_, by, _]| by & 15).collect());
            }
            0xda => {
                let Some(heights) = heights else { break };
                let count = segment.first().copied().map_or(0, usize::from);
                let is_even = heights.iter().all(|height| *height == heights[0]);
                return match (count == heights.len(), is_even) {
                    (true, _) => Scans::One,
                    (false, false) => Scans::ApartAndUneven,
                    (false, true) => Scans::Other,
                };
            }
            _ => {}
        }
        rest = tail.get(usize::from(u16::from_be_bytes([*high, *low]))..).unwrap_or_default();
    }
    Scans::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end() {
        let whole = [
            0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd9, 1, 1, 0xff, 0xda, 0, 2, 7, 0xff, 0, 8, 0xff, 0xd0, 9,
            0xff, 0xff, 0xd9,
        ];
        assert!(ends(&whole));
        for end in 2..whole.len() {
            assert!(!ends(&whole[..end]), "cut at {end}");
        }
    }
}

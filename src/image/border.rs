//! What lies beyond the edge of an image.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How pixels beyond the edge are made up. The names are OpenCV's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BorderMode {
    /// One fixed value: `iiii|abcdefgh|iiii`.
    Constant,
    /// The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
    Replicate,
    /// Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
    Reflect,
    /// Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
    #[default]
    #[serde(rename = "reflect-101")]
    Reflect101,
    /// The opposite side: `efgh|abcdefgh|abcd`.
    Wrap,
    /// Nothing: the output shrinks to where the window fits.
    Valid,
}

impl BorderMode {
    /// All modes, for tests.
    pub const ALL: [Self; 6] =
        [Self::Constant, Self::Replicate, Self::Reflect, Self::Reflect101, Self::Wrap, Self::Valid];

    /// The coordinate inside `0..len` that stands for `i`, or `None` where a constant stands.
    ///
    /// `Valid` never asks for outside pixels; it answers like `Constant`. Coordinates that are
    /// many image lengths away bounce as often as needed.
    ///
    /// # Panics
    /// In debug builds, when `len` is zero.
    #[inline]
    pub fn map(self, i: isize, len: usize) -> Option<usize> {
        debug_assert!(len > 0);
        let n = len as isize;
        if (0..n).contains(&i) {
            return Some(i as usize);
        }
        let mapped = match self {
            Self::Constant | Self::Valid => return None,
            Self::Replicate => i.clamp(0, n - 1),
            // Less than an image away nothing has to be divided.
            Self::Reflect if -n <= i && i < 2 * n => {
                if i < 0 {
                    -1 - i
                } else {
                    2 * n - 1 - i
                }
            }
            Self::Reflect101 if -n < i && i < 2 * n - 1 => {
                if i < 0 {
                    -i
                } else {
                    2 * n - 2 - i
                }
            }
            Self::Wrap => i.rem_euclid(n),
            Self::Reflect => {
                let k = i.rem_euclid(2 * n);
                if k < n { k } else { 2 * n - 1 - k }
            }
            Self::Reflect101 if n == 1 => 0,
            Self::Reflect101 => {
                let k = i.rem_euclid(2 * n - 2);
                if k < n { k } else { 2 * n - 2 - k }
            }
        };
        Some(mapped as usize)
    }
}

/// A border mode and, for [`BorderMode::Constant`], its value in the units of the image.
///
/// ```
/// use lyncean::image::{Border, BorderMode};
///
/// assert_eq!(Border::default().mode, BorderMode::Reflect101);
/// assert_eq!(BorderMode::Reflect101.map(-2, 8), Some(2));
/// assert_eq!(BorderMode::Wrap.map(-2, 8), Some(6));
/// assert_eq!((Border::constant(9.0).mode.map(-2, 8), Border::constant(9.0).value), (None, 9.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Border {
    /// How outside pixels are made up.
    pub mode: BorderMode,
    /// The value of outside pixels of a constant border, the same for every channel.
    pub value: f32,
}

impl Border {
    /// A border without a constant.
    pub const fn new(mode: BorderMode) -> Self {
        Self { mode, value: 0.0 }
    }

    /// A constant border.
    pub const fn constant(value: f32) -> Self {
        Self { mode: BorderMode::Constant, value }
    }
}

impl From<BorderMode> for Border {
    fn from(mode: BorderMode) -> Self {
        Self::new(mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(mode: BorderMode) -> String {
        (-4..12).map(|i| mode.map(i, 8).map_or('i', |k| char::from(b'a' + k as u8))).collect()
    }

    #[test]
    fn the_pictures_in_the_docs_are_true() {
        assert_eq!(spell(BorderMode::Constant), "iiiiabcdefghiiii");
        assert_eq!(spell(BorderMode::Replicate), "aaaaabcdefghhhhh");
        assert_eq!(spell(BorderMode::Reflect), "dcbaabcdefghhgfe");
        assert_eq!(spell(BorderMode::Reflect101), "edcbabcdefghgfed");
        assert_eq!(spell(BorderMode::Wrap), "efghabcdefghabcd");
    }

    #[test]
    fn far_coordinates_bounce() {
        for mode in BorderMode::ALL {
            for len in 1..5 {
                for i in -20..20 {
                    assert!(mode.map(i, len).is_none_or(|k| k < len));
                }
            }
        }
        assert_eq!(BorderMode::Reflect101.map(-3, 2), Some(1));
        assert_eq!(BorderMode::Reflect.map(-3, 2), Some(1));
    }
}

//! Alpha of any depth as 0 to 255.

/// A number type that alpha comes in.
pub(crate) trait Alpha: bytemuck::Pod {
    /// 16 bit is divided by 257 and rounded, floats are clamped to 0..=1 and multiplied by 255.
    fn to_u8(self) -> u8;
}

impl Alpha for u8 {
    fn to_u8(self) -> u8 {
        self
    }
}

impl Alpha for u16 {
    fn to_u8(self) -> u8 {
        // The quotient is at most 255.
        ((u32::from(self) + 128) / 257) as u8
    }
}

impl Alpha for f32 {
    fn to_u8(self) -> u8 {
        // NaN becomes 0 in the cast.
        (self.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_is_rounded_to_the_nearest() {
        for v in 0..=u16::MAX {
            assert_eq!(f64::from(v.to_u8()), (f64::from(v) / 257.0).round(), "{v}");
        }
        for (value, byte) in [(-1.0, 0), (0.0, 0), (0.5, 128), (1.0, 255), (7.0, 255), (f32::NAN, 0)] {
            assert_eq!(value.to_u8(), byte, "{value}");
        }
    }
}

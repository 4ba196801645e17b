//! What both sets of vectors are written with.
#![allow(unsafe_code, reason = "instructions beyond the target's baseline")]

use bytemuck::Pod;

/// A pointer to the front of a slice that has so many bytes.
#[inline(always)]
pub(super) fn front<T: Pod, const BYTES: usize>(from: &[T]) -> *const T {
    assert!(size_of_val(from) >= BYTES);
    from.as_ptr()
}

/// [`front`], to write to.
#[inline(always)]
pub(super) fn front_mut<T: Pod, const BYTES: usize>(to: &mut [T]) -> *mut T {
    assert!(size_of_val(to) >= BYTES);
    to.as_mut_ptr()
}

/// High halves of unsigned products.
// As an intrinsic it is a product of wider numbers to the compiler, which moves the widening of what
// stays the same out of a loop, and then no longer knows the instruction again.
macro_rules! mul_high {
    ($name:ident, $features:literal, $class:ident, $vector:ty) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn $name(a: $vector, b: $vector) -> $vector {
            let product: $vector;
            // SAFETY: the instruction reads and writes these registers alone.
            unsafe {
                std::arch::asm!(
                    "vpmulhuw {product}, {a}, {b}",
                    product = lateout($class) product,
                    a = in($class) a,
                    b = in($class) b,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            product
        }
    };
}
pub(super) use mul_high;

/// Methods that are one instruction on values.
macro_rules! values {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: $ty),*) -> $out {
            // SAFETY: a value of this type exists only where the instructions do.
            unsafe { $body }
        }
    )*};
}
pub(super) use values;

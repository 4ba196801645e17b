//! What sixteen windows are looked at with: vectors of sums, features and votes, on each instruction set.

use super::LANES;

/// A set of instructions that takes [`LANES`] windows at once; a value is proof that they may be used.
pub trait Wide: Copy {
    /// Whole numbers of 32 bits, which wrap.
    type Sums: Copy;
    /// Single floats.
    type Floats: Copy;
    /// Double floats.
    type Doubles: Copy;
    /// A truth value for each lane.
    type Mask: Copy;

    /// The entries from `place` on.
    ///
    /// # Safety
    /// [`LANES`] entries can be read there.
    unsafe fn load(self, place: *const u32) -> Self::Sums;
    /// `a + b`.
    fn add(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;
    /// `a - b`.
    fn sub(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;
    /// As floats, of numbers with a sign.
    fn floats(self, sums: Self::Sums) -> Self::Floats;
    /// One value in all lanes.
    fn splat(self, value: f32) -> Self::Floats;
    /// `a + b`.
    fn plus(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a * b`.
    fn times(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// Whether `a < b`.
    fn below(self, a: Self::Floats, b: Self::Floats) -> Self::Mask;
    /// `2 * pattern`, and one more where `cell >= middle`; sums here are below 2^31.
    fn push_bit(self, pattern: Self::Sums, cell: Self::Sums, middle: Self::Sums) -> Self::Sums;
    /// Whether the bit is set whose number is the pattern, from the lowest of the first word on.
    fn among(self, pattern: Self::Sums, bits: &[u32; 8]) -> Self::Mask;
    /// Floats one by one.
    fn to_array(self, floats: Self::Floats) -> [f32; LANES];
    /// A mask of a bit for each lane.
    fn mask(self, bits: u32) -> Self::Mask;
    /// Where both are.
    fn and(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Where `a` is and `b` is not.
    fn and_not(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Where one is.
    fn or(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// No votes.
    fn no_votes(self) -> Self::Doubles;
    /// `votes + yes` where `mask` is, `votes + no` elsewhere.
    fn vote(self, votes: Self::Doubles, mask: Self::Mask, yes: f64, no: f64) -> Self::Doubles;
    /// `value` where `mask` is, else what was there.
    fn put(self, votes: Self::Doubles, mask: Self::Mask, value: f64) -> Self::Doubles;
    /// `a + b`.
    fn plus_votes(self, a: Self::Doubles, b: Self::Doubles) -> Self::Doubles;
    /// A bit for each lane that is `threshold` or more.
    fn reached(self, votes: Self::Doubles, threshold: f64) -> u32;
    /// Votes one by one.
    fn votes_to_array(self, votes: Self::Doubles) -> [f64; LANES];
    /// One over the root of `area * squares - sums * sums`, in double and then rounded; and a bit for each lane in
    /// which that, times `area`, is below `flat`. Sums have a sign, squares have none.
    fn contrast(self, sums: Self::Sums, squares: Self::Sums, area: f64, flat: f64) -> (Self::Floats, u32);
}

/// Plain loops.
#[derive(Clone, Copy)]
pub(super) struct Portable;

/// `out[lane] = value(lane)`.
#[inline(always)]
fn each<T>(value: impl FnMut(usize) -> T) -> [T; LANES] {
    std::array::from_fn(value)
}

#[inline(always)]
fn bits(of: impl Fn(usize) -> bool) -> u32 {
    (0..LANES).fold(0, |bits, lane| bits | u32::from(of(lane)) << lane)
}

impl Wide for Portable {
    type Sums = [u32; LANES];
    type Floats = [f32; LANES];
    type Doubles = [f64; LANES];
    type Mask = u32;

    #[inline(always)]
    unsafe fn load(self, place: *const u32) -> Self::Sums {
        // SAFETY: as the trait says.
        unsafe { place.cast::<[u32; LANES]>().read() }
    }
    #[inline(always)]
    fn add(self, a: Self::Sums, b: Self::Sums) -> Self::Sums {
        each(|i| a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    fn sub(self, a: Self::Sums, b: Self::Sums) -> Self::Sums {
        each(|i| a[i].wrapping_sub(b[i]))
    }
    #[inline(always)]
    fn floats(self, sums: Self::Sums) -> Self::Floats {
        each(|i| (sums[i] as i32) as f32)
    }
    #[inline(always)]
    fn splat(self, value: f32) -> Self::Floats {
        [value; LANES]
    }
    #[inline(always)]
    fn plus(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        each(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn times(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        each(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn below(self, a: Self::Floats, b: Self::Floats) -> u32 {
        bits(|i| a[i] < b[i])
    }
    #[inline(always)]
    fn push_bit(self, pattern: Self::Sums, cell: Self::Sums, middle: Self::Sums) -> Self::Sums {
        each(|i| pattern[i] << 1 | u32::from(cell[i] as i32 >= middle[i] as i32))
    }
    #[inline(always)]
    fn among(self, pattern: Self::Sums, set: &[u32; 8]) -> u32 {
        bits(|i| set[(pattern[i] >> 5 & 7) as usize] >> (pattern[i] & 31) & 1 != 0)
    }
    #[inline(always)]
    fn to_array(self, floats: Self::Floats) -> [f32; LANES] {
        floats
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> u32 {
        bits
    }
    #[inline(always)]
    fn and(self, a: u32, b: u32) -> u32 {
        a & b
    }
    #[inline(always)]
    fn and_not(self, a: u32, b: u32) -> u32 {
        a & !b
    }
    #[inline(always)]
    fn or(self, a: u32, b: u32) -> u32 {
        a | b
    }
    #[inline(always)]
    fn no_votes(self) -> Self::Doubles {
        [0.0; LANES]
    }
    #[inline(always)]
    fn vote(self, votes: Self::Doubles, mask: u32, yes: f64, no: f64) -> Self::Doubles {
        each(|i| votes[i] + if mask >> i & 1 != 0 { yes } else { no })
    }
    #[inline(always)]
    fn put(self, votes: Self::Doubles, mask: u32, value: f64) -> Self::Doubles {
        each(|i| if mask >> i & 1 != 0 { value } else { votes[i] })
    }
    #[inline(always)]
    fn plus_votes(self, a: Self::Doubles, b: Self::Doubles) -> Self::Doubles {
        each(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn reached(self, votes: Self::Doubles, threshold: f64) -> u32 {
        bits(|i| votes[i] >= threshold)
    }
    #[inline(always)]
    fn votes_to_array(self, votes: Self::Doubles) -> [f64; LANES] {
        votes
    }
    #[inline(always)]
    fn contrast(self, sums: Self::Sums, squares: Self::Sums, area: f64, flat: f64) -> (Self::Floats, u32) {
        let factors = each(|i| {
            let (sum, square) = (f64::from(sums[i] as i32), f64::from(squares[i]));
            (1.0 / (area * square - sum * sum).sqrt()) as f32
        });
        // Of a variance below 0 the root is not a number, of 0 the factor is infinite: neither is less.
        (factors, bits(|i| area * f64::from(factors[i]) < flat))
    }
}

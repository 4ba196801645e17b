//! The surface that a ball rolled under an image reaches.
//!
//! Every result is the least of `value + depth` over the ball's disk, where `depth` is how far the ball's
//! surface lies below its top. The work is cut into tiles of one row; rows and groups of columns whose
//! least value cannot lower any pixel of the tile are passed over, which changes nothing but the time.

use super::Isa;

/// Pixels of a tile.
pub const TILE: usize = 64;
/// Pixels of a block whose least value is known, and columns that are tried together.
pub const BLOCK: usize = 16;

/// Values a ball can roll under.
pub trait Height: Copy + PartialOrd {
    /// No value is above it.
    const HIGHEST: Self;
    /// `self + depth`, not beyond the highest.
    #[must_use]
    fn raised(self, depth: Self) -> Self;
    /// `self - ground`.
    #[must_use]
    fn above(self, ground: Self) -> Self;
    /// How far a point of the ball lies below its top: of integers the whole part, which settles the whole
    /// part of every sum.
    fn depth(top: f64, height: f64) -> Self;
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Height for $integer {
            const HIGHEST: Self = Self::MAX;
            #[inline(always)]
            fn raised(self, depth: Self) -> Self {
                self.saturating_add(depth)
            }
            #[inline(always)]
            fn above(self, ground: Self) -> Self {
                self.saturating_sub(ground)
            }
            fn depth(top: f64, height: f64) -> Self {
                (top - height) as Self
            }
        }
    )*};
}
integers!(u8, u16);

impl Height for f32 {
    const HIGHEST: Self = Self::INFINITY;
    #[inline(always)]
    fn raised(self, depth: Self) -> Self {
        self + depth
    }
    #[inline(always)]
    fn above(self, ground: Self) -> Self {
        self - ground
    }
    fn depth(top: f64, height: f64) -> Self {
        top as Self - height as Self
    }
}

/// The lower of two; the first where they cannot be compared.
#[inline(always)]
fn lower<T: PartialOrd>(a: T, b: T) -> T {
    if b < a { b } else { a }
}

/// One row of the disk: the depth at each column from the middle to the edge, the same on both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskRow<T> {
    /// The distance of the row from the middle one, up and down.
    pub distance: usize,
    /// Depths, rising; at least one.
    pub depths: Vec<T>,
}

/// An image with room on both sides, and the least value of every [`BLOCK`].
pub struct Ground<T> {
    values: Vec<T>,
    blocks: Vec<T>,
    /// Values of a row.
    pitch: usize,
    /// Values in front of the first pixel.
    lead: usize,
    height: usize,
}

impl<T: Height> Ground<T> {
    /// Room for an image, all of it at the highest value; `reach` is the disk's half width.
    pub fn new(width: usize, height: usize, reach: usize) -> Self {
        let lead = reach.next_multiple_of(BLOCK) + BLOCK;
        let pitch = (lead + width.next_multiple_of(TILE) + reach + 2 * BLOCK).next_multiple_of(BLOCK);
        let (values, blocks) = (vec![T::HIGHEST; pitch * height], vec![T::HIGHEST; pitch / BLOCK * height]);
        Self { values, blocks, pitch, lead, height }
    }

    /// Puts a row of the image in.
    pub fn set_row(&mut self, isa: Isa, y: usize, row: &[T]) {
        let values = &mut self.values[y * self.pitch..][..self.pitch];
        values[self.lead..][..row.len()].copy_from_slice(row);
        let blocks = &mut self.blocks[y * (self.pitch / BLOCK)..][..self.pitch / BLOCK];
        isa.run(
            #[inline(always)]
            || {
                for (block, least) in values.as_chunks::<BLOCK>().0.iter().zip(blocks) {
                    *least = block.iter().copied().fold(T::HIGHEST, lower);
                }
            },
        );
    }

    fn row(&self, y: usize) -> &[T] {
        &self.values[y * self.pitch..][..self.pitch]
    }

    /// The least value of a row in `start..end`, or of a little more.
    #[inline(always)]
    fn least(&self, y: usize, start: usize, end: usize) -> T {
        let blocks = &self.blocks[y * (self.pitch / BLOCK)..][..self.pitch / BLOCK];
        blocks[start / BLOCK..end.div_ceil(BLOCK)].iter().copied().fold(T::HIGHEST, lower)
    }
}

/// Row `y` of the surface. `disk` holds the rows of the disk from the middle one outwards.
pub fn rolling_ball_row<T: Height>(
    isa: Isa,
    ground: &Ground<T>,
    disk: &[DiskRow<T>],
    y: usize,
    out: &mut [T],
) {
    isa.run(
        #[inline(always)]
        || {
            for (tile, out) in out.chunks_mut(TILE).enumerate() {
                let start = ground.lead + tile * TILE;
                let surface = roll(ground, disk, start, y);
                out.copy_from_slice(&surface[..out.len()]);
            }
        },
    );
}

#[inline(always)]
fn roll<T: Height>(ground: &Ground<T>, disk: &[DiskRow<T>], start: usize, y: usize) -> [T; TILE] {
    let mut surface = [T::HIGHEST; TILE];
    // The first row of the disk looks at the pixels themselves first of all.
    let own = &ground.row(y)[start..start + TILE];
    for (surface, &value) in surface.iter_mut().zip(own) {
        *surface = value;
    }
    for row in disk {
        let below = if row.distance == 0 { None } else { y.checked_add(row.distance) };
        for at in [y.checked_sub(row.distance), below.filter(|&at| at < ground.height)].into_iter().flatten()
        {
            let highest = surface.iter().copied().fold(surface[0], |a, b| if b > a { b } else { a });
            let reach = row.depths.len() - 1;
            let least = ground.least(at, start - reach, start + TILE + reach);
            if least.raised(row.depths[0]) < highest {
                columns(ground, row, start, at, highest, &mut surface);
            }
        }
    }
    surface
}

/// Lowers a tile by one row of the image.
#[inline(always)]
fn columns<T: Height>(
    ground: &Ground<T>,
    row: &DiskRow<T>,
    start: usize,
    y: usize,
    highest: T,
    surface: &mut [T; TILE],
) {
    let values = ground.row(y);
    for (group, depths) in row.depths.chunks(BLOCK).enumerate() {
        let nearest = group * BLOCK;
        let farthest = nearest + depths.len() - 1;
        for side in [start + nearest, start - farthest] {
            let least = ground.least(y, side, side + depths.len() - 1 + TILE);
            // What is not below the highest pixel of the tile lowers none.
            let may_lower = least.raised(depths[0]) < highest;
            if !may_lower {
                continue;
            }
            for (i, &depth) in depths.iter().enumerate() {
                let from = if side >= start { side + i } else { start - nearest - i };
                let window: &[T; TILE] = match values[from..].first_chunk() {
                    Some(window) => window,
                    None => return,
                };
                for (surface, &value) in surface.iter_mut().zip(window) {
                    *surface = lower(*surface, value.raised(depth));
                }
            }
        }
    }
}

/// Pixels without the surface below them.
pub fn subtract_row<T: Height>(isa: Isa, pixels: &[T], surface: &mut [T]) {
    isa.run(
        #[inline(always)]
        || {
            for (&pixel, surface) in pixels.iter().zip(surface) {
                *surface = pixel.above(*surface);
            }
        },
    );
}

//! Inference on images whose channels are neighbours in memory (batch, row, column, channel).
//!
//! Here a convolution is one product without any packing of pixels: a register tile takes some output
//! pixels and a panel of filters, and walks the depth, which is some runs of values that are
//! neighbours in the padded image, one run for each row of taps or each tap. The pixels of a tile
//! need not be neighbours (Dukhan's indirect convolution, 2019, with the pointers computed, not
//! stored). Filters are packed once, with batch norms folded in; what follows a convolution (bias,
//! a residual connection, a rectifier) happens to the sums in registers.
//!
//! Three by three filters with stride 1 may go through Winograd's algorithm ([`winograd`]), whose
//! products are the same kind of tile over transformed images.
//!
//! The sums of an output run over depth in ascending order and are fused, wherever the tile begins and
//! however wide it is: bits depend on the operands and the instruction set alone.

mod depthwise;
mod layout;
mod outer;
mod pack;
mod pool;
mod product;
mod tile;
pub mod winograd;

pub use depthwise::depthwise;
pub use layout::transpose;
pub use outer::Outer;
pub use pack::{pack, pack_turned, unpack};
pub use pool::{Pool, PoolKind, pool};
pub use product::{Grid, Panels, Pixels, Residual, Target, product};
pub use tile::Activation;

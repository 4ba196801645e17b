//! Nets made ready for inference alone.
//!
//! [`Inference`] takes a net apart and puts it together for speed: batch norms go into the filters before
//! them, rectifiers and residual connections happen while a convolution's sums are in registers, filters
//! are packed once, channels are neighbours in memory, three by three filters go through Winograd's algorithm
//! where that is faster, branches write straight into what joins them, and memory is planned once and used
//! again. Layers that have no such form are called as they are. Sums are rounded in another order than in
//! [`Net::forward`]: outputs agree to about 1e-5 of the largest. Any number of threads gives the same bits.
//!
//! ```
//! use lyncean::nn::{Inference, Net, Shape, Tensor, arch};
//!
//! let net = Net::build(arch::parse(&arch::builtin("resnet20").unwrap())?, 1)?;
//! let x = Tensor::from_fn(Shape::new(&[1, 3, 32, 32])?, |i| (i % 11) as f32 / 11.0);
//! let slow = net.forward(&x)?;
//! let fast = Inference::new(net)?;
//! let largest = slow.data().iter().fold(0.0f32, |largest, y| largest.max(y.abs()));
//! for (a, b) in fast.forward(&x)?.data().iter().zip(slow.data()) {
//!     assert!((a - b).abs() < 1e-4 * largest);
//! }
//! assert_eq!(fast.arch().name, "resnet20");
//! # Ok::<(), lyncean::Error>(())
//! ```

mod conv;
mod fuse;
mod image;
mod plan;
mod step;

use std::sync::Mutex;

use super::arch::Arch;
use super::{Net, Tensor};
use crate::kernel::Isa;
use crate::{Error, Result};
use plan::Plan;

/// A net that is ready for inference. Threads can share it.
#[derive(Debug)]
pub struct Inference {
    arch: Arch,
    plan: Plan,
    /// Rooms of earlier calls.
    rooms: Mutex<Vec<Room>>,
}

/// The memory of one call.
#[derive(Debug, Default)]
struct Room {
    slots: Vec<Vec<f32>>,
}

impl Inference {
    /// Makes a net ready. Its weights are packed, and freed as they were.
    ///
    /// # Errors
    /// What the layers report.
    pub fn new(net: Net) -> Result<Self> {
        Self::with_isa(net, Isa::best())
    }

    /// As [`new`](Self::new), for an instruction set.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_isa(net: Net, isa: Isa) -> Result<Self> {
        let (arch, layers) = net.into_layers();
        let plan = Plan::new(isa, &arch, layers)?;
        Ok(Self { arch, plan, rooms: Mutex::default() })
    }

    /// The architecture.
    pub fn arch(&self) -> &Arch {
        &self.arch
    }

    /// The output for a batch.
    ///
    /// # Shapes
    /// `[n, ...input]` to `[n, ...output]`.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the input is not a batch of what the net takes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.forward_until(x, &|| false)
    }

    /// As [`forward`](Self::forward), given up between two steps once `cancelled` says so.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn forward_until(&self, x: &Tensor, cancelled: &dyn Fn() -> bool) -> Result<Tensor> {
        let wanted = self.arch.input;
        if x.shape().is_empty() || x.shape().sample() != wanted {
            let name = &self.arch.name;
            return Err(Error::shape(format!(
                "net `{name}` wants a batch `[n, ...]` of {wanted}, got {}",
                x.shape()
            )));
        }
        let mut room = self.rooms.lock().map(|mut rooms| rooms.pop()).ok().flatten().unwrap_or_default();
        let result = self.plan.run(x, &mut room.slots, cancelled);
        if let Ok(mut rooms) = self.rooms.lock() {
            rooms.push(room);
        }
        result
    }
}

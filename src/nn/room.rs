//! Memory of tensors that is used again.
//!
//! Training makes the same tensors in every step. Giving their memory back in between costs a page fault
//! for each four kilobytes, a quarter of the time of a small net's step.

use std::cell::RefCell;
use std::marker::PhantomData;

thread_local! {
    static ROOM: RefCell<Room> = const { RefCell::new(Room { guards: 0, free: Vec::new(), used: 0, idle: 0, most: 0 }) };
}

/// Values below which the allocator is as good.
const SMALL: usize = 1 << 12;

/// Values that may lie idle beside what was ever used at once.
const SPARE: usize = 1 << 20;

/// What a thread keeps; all counts are of values.
struct Room {
    guards: usize,
    /// The longest unused first.
    free: Vec<Vec<f32>>,
    used: usize,
    idle: usize,
    /// The most that was used at once.
    most: usize,
}

/// As long as this lives, the memory of tensors that this thread made is kept for its next ones, and given back
/// when the last guard of the thread goes. At most a sixteenth and 4 MiB more is held than the tensors had at once.
/// [`train::run`](super::train::run) has one; a training loop of one's own wants one too.
///
/// ```
/// use lyncean::nn::{Reuse, Shape, Tensor};
///
/// let _reuse = Reuse::new();
/// for step in 0..3 {
///     // The second and the third tensor lie where the first did.
///     let activations = Tensor::from_fn(Shape::new(&[64, 6, 28, 28])?, |i| (i + step) as f32);
///     assert_eq!(activations.data()[7], 7.0 + step as f32);
/// }
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Debug)]
pub struct Reuse {
    /// Of this thread.
    not_send: PhantomData<*const ()>,
}

impl Reuse {
    /// Begins to keep memory.
    #[expect(clippy::new_without_default, reason = "a guard that nobody binds does nothing")]
    #[must_use = "memory is kept while the guard lives"]
    pub fn new() -> Self {
        ROOM.with_borrow_mut(|room| room.guards += 1);
        Self { not_send: PhantomData }
    }
}

impl Drop for Reuse {
    fn drop(&mut self) {
        ROOM.with_borrow_mut(|room| {
            room.guards -= 1;
            if room.guards == 0 {
                *room = Room { guards: 0, free: Vec::new(), used: 0, idle: 0, most: 0 };
            }
        });
    }
}

impl Room {
    /// A buffer that has room for `len`, but for little more.
    fn find(&mut self, len: usize) -> Option<Vec<f32>> {
        let fits = |buffer: &Vec<f32>| (len..=len + len / 8).contains(&buffer.capacity());
        let found = self.free.iter().enumerate().filter(|(_, buffer)| fits(buffer));
        // The last of equal ones was used last, and may be in a cache.
        let (at, _) = found.rev().min_by_key(|(_, buffer)| buffer.capacity())?;
        let buffer = self.free.remove(at);
        self.idle -= buffer.capacity();
        Some(buffer)
    }

    /// Drops what has lain idle longest, until no more is held than is allowed.
    fn shrink(&mut self) {
        while self.idle > 0 && self.used + self.idle > self.most + self.most / 16 + SPARE {
            self.idle -= self.free.remove(0).capacity();
        }
    }
}

/// `len` values, whatever they are: those of a tensor that is gone, or zeros.
pub(super) fn unset(len: usize) -> Vec<f32> {
    take(len).map_or_else(
        || vec![0.0; len],
        |mut buffer| {
            buffer.resize(len, 0.0);
            buffer
        },
    )
}

/// `len` zeros.
pub(super) fn zeros(len: usize) -> Vec<f32> {
    take(len).map_or_else(
        || vec![0.0; len],
        |mut buffer| {
            buffer.clear();
            buffer.resize(len, 0.0);
            buffer
        },
    )
}

/// A kept buffer of this thread.
fn take(len: usize) -> Option<Vec<f32>> {
    if len < SMALL {
        return None;
    }
    ROOM.with_borrow_mut(|room| room.find(len))
}

/// Counts what a tensor has now.
pub(super) fn hold(buffer: &Vec<f32>) {
    let size = buffer.capacity();
    if size < SMALL {
        return;
    }
    ROOM.with_borrow_mut(|room| {
        if room.guards > 0 {
            room.used += size;
            room.most = room.most.max(room.used);
            room.shrink();
        }
    });
}

/// Takes back what a tensor had.
pub(super) fn give(buffer: Vec<f32>) {
    let size = buffer.capacity();
    if size < SMALL {
        return;
    }
    // A thread that ends has no room any more.
    let _ = ROOM.try_with(|room| {
        // Dropped in here, a buffer goes to the allocator: nothing borrows twice.
        let Ok(mut room) = room.try_borrow_mut() else { return };
        if room.guards > 0 {
            room.used = room.used.saturating_sub(size);
            room.idle += size;
            room.free.push(buffer);
            room.shrink();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_zeros(len: usize) -> Vec<f32> {
        let buffer = zeros(len);
        hold(&buffer);
        buffer
    }

    fn held() -> (usize, usize) {
        ROOM.with_borrow(|room| (room.used, room.idle))
    }

    #[test]
    fn buffers_come_back_while_a_guard_lives() {
        give(vec![1.0; SMALL]);
        assert_eq!(held(), (0, 0));
        let guard = Reuse::new();
        let inner = Reuse::new();
        let first = held_zeros(2 * SMALL);
        let place = first.as_ptr();
        give(first);
        drop(inner);
        let mut second = unset(2 * SMALL - 5);
        hold(&second);
        assert_eq!((second.as_ptr(), second.len(), held()), (place, 2 * SMALL - 5, (2 * SMALL, 0)));
        second.fill(3.0);
        give(second);
        // Too large for a tensor of half the size.
        let half = unset(SMALL);
        assert_ne!(half.as_ptr(), place);
        let zeroed = zeros(2 * SMALL);
        assert!(zeroed.as_ptr() == place && zeroed.iter().all(|&value| value == 0.0));
        give(zeroed);
        drop(guard);
        assert_eq!(held(), (0, 0));
    }

    #[test]
    fn little_more_is_held_than_was_used_at_once() {
        let _guard = Reuse::new();
        // Ever larger buffers, none of which fits the next one.
        for step in 0..60 {
            let buffer = held_zeros(SMALL << (step % 10));
            give(buffer);
            let (used, idle) = held();
            assert!(used + idle <= (SMALL << 9) + (SMALL << 5) + SPARE, "{used} {idle}");
        }
    }
}

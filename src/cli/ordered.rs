//! Work on many things at once, results in order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

struct Claims {
    next: usize,
    delivered: usize,
    stopped: bool,
}

/// Does `work` for the numbers up to `count`, a thread for each of `workers`, and hands the results
/// to `deliver` on this thread, in order.
///
/// Nobody works more than `window` numbers ahead of what was delivered, so what waits for its turn
/// stays bounded. Numbers are begun in order; when `go_on` says no, or `deliver` breaks, nothing
/// new is begun, and what is under way is finished. What was begun is delivered without gaps,
/// unless `deliver` broke.
pub(super) fn in_order<W: Sync, T: Send>(
    workers: &[W],
    count: usize,
    window: usize,
    go_on: impl Fn() -> bool + Sync,
    work: impl Fn(&W, usize) -> T + Sync,
    mut deliver: impl FnMut(usize, T) -> ControlFlow<()>,
) {
    let claims = Mutex::new(Claims { next: 0, delivered: 0, stopped: false });
    let moved = Condvar::new();
    let claim = || {
        let lock = claims.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = |claims: &mut Claims| !claims.stopped && claims.next >= claims.delivered + window.max(1);
        let mut claims = moved.wait_while(lock, ahead).unwrap_or_else(PoisonError::into_inner);
        if claims.stopped || claims.next >= count || !go_on() {
            return None;
        }
        claims.next += 1;
        Some(claims.next - 1)
    };
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        for worker in workers {
            let (send, claim, work) = (send.clone(), &claim, &work);
            scope.spawn(move || {
                while let Some(index) = claim() {
                    if send.send((index, work(worker, index))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (index, result) in receive {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&next) {
                let flow = deliver(next, result);
                next += 1;
                let mut claims = claims.lock().unwrap_or_else(PoisonError::into_inner);
                claims.delivered = next;
                claims.stopped |= flow.is_break();
                let stopped = claims.stopped;
                drop(claims);
                moved.notify_all();
                if stopped && flow.is_break() {
                    // What is still under way finds nobody listening, and that is fine.
                    return;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_order_and_nobody_runs_ahead() {
        let delivered = AtomicUsize::new(0);
        let mut seen = Vec::new();
        let work = |(): &(), index: usize| {
            assert!(index < delivered.load(Ordering::SeqCst) + 5, "a window of 4, and one in delivery");
            // The first of every group is the slowest.
            std::thread::sleep(Duration::from_millis(if index.is_multiple_of(4) { 12 } else { 1 }));
            index * 10
        };
        in_order(
            &[(), (), ()],
            23,
            4,
            || true,
            work,
            |index, result| {
                seen.push((index, result));
                delivered.store(index + 1, Ordering::SeqCst);
                ControlFlow::Continue(())
            },
        );
        assert_eq!(seen, (0..23).map(|index| (index, index * 10)).collect::<Vec<_>>());
    }

    #[test]
    fn what_was_begun_is_delivered_when_it_has_to_stop() {
        let begun = AtomicUsize::new(0);
        let mut seen = 0;
        let work = |(): &(), _| begun.fetch_add(1, Ordering::SeqCst);
        let go_on = || begun.load(Ordering::SeqCst) < 6;
        in_order(&[(), ()], 100, 8, go_on, work, |index, _| {
            assert_eq!(index, seen);
            seen += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(seen, begun.load(Ordering::SeqCst));
        assert!((6..=8).contains(&seen), "{seen}");
    }

    #[test]
    fn a_break_ends_it() {
        let mut seen = 0;
        in_order(
            &[(), ()],
            1000,
            4,
            || true,
            |(): &(), index| index,
            |_, _| {
                seen += 1;
                if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!(seen, 3);
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        in_order(&[()], 0, 1, || true, |(): &(), _| (), |_, ()| ControlFlow::Continue(()));
    }
}

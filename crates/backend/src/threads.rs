//! Programs inside the thread pool.
//!
//! Kernels are many short parallel regions. A thread outside rayon's pool sleeps through each of them and is woken after
//! it, and a pool's threads sleep in between: on a virtual machine a wake costs some 50 us, as much as a small kernel.
//! [`run_inside`] runs a whole program, or a training loop, on a thread of the pool, which then takes part in the work, and
//! keeps the others looking for more while kernels follow one another, as OpenMP's threads do.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rayon::Yield;

/// What the other threads of the pool do between two kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// They sleep: for programs that share the cores with others.
    Sleep,
    /// They look for work, for up to a millisecond after the last kernel, and let other programs go first.
    LookForWork,
}

/// Kernels often follow one another within a few microseconds; operations of burn that lie between take up to this long.
const PATIENCE: Duration = Duration::from_millis(1);

thread_local! {
    /// On the thread of a program inside the pool: the watch that it last called.
    static CALLED: Cell<Option<u64>> = const { Cell::new(None) };
}
/// The watch that may look for work now. One that has seen no kernel for long ends itself.
static WATCH: AtomicU64 = AtomicU64::new(1);
/// How many kernels have started.
static KERNELS: AtomicU64 = AtomicU64::new(0);

/// Runs `work` on a thread of rayon's global pool and returns what it returns. Values do not depend on it. For one program
/// at a time: of two, both run, but only one of them keeps threads awake.
pub fn run_inside<R: Send>(between: Between, work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| {
        let awake = between == Between::LookForWork && has_a_core_for_each_thread();
        let _watched = awake.then(Watched::begin);
        work()
    })
}

/// Threads that look for work on another's core are in its way.
fn has_a_core_for_each_thread() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (2..=cores).contains(&rayon::current_num_threads())
}

/// While it lives, kernels of this thread call the watch.
struct Watched;

impl Watched {
    fn begin() -> Self {
        CALLED.set(Some(0));
        Self
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        CALLED.set(None);
        WATCH.fetch_add(1, Ordering::Relaxed);
    }
}

/// Before a kernel: the other threads look for work from now on, if this one's program wants them to.
pub(crate) fn call_watch() {
    let Some(called) = CALLED.get() else { return };
    KERNELS.fetch_add(1, Ordering::Relaxed);
    let watch = WATCH.load(Ordering::Relaxed);
    if called != watch {
        CALLED.set(Some(watch));
        let me = rayon::current_thread_index();
        rayon::spawn_broadcast(move |thread| {
            if Some(thread.index()) != me {
                look_for_work(watch);
            }
        });
    }
}

/// Until there is another watch.
fn look_for_work(watch: u64) {
    let (mut kernels, mut since) = (KERNELS.load(Ordering::Relaxed), Instant::now());
    while WATCH.load(Ordering::Relaxed) == watch {
        let started = KERNELS.load(Ordering::Relaxed);
        if rayon::yield_now() == Some(Yield::Executed) || started != kernels {
            (kernels, since) = (started, Instant::now());
        } else if since.elapsed() > PATIENCE {
            end(watch);
        }
        std::thread::yield_now();
    }
}

/// Where several threads lose patience at once, one of them ends the watch.
fn end(watch: u64) {
    // That it has ended already is what is wanted.
    let _ = WATCH.compare_exchange(watch, watch + 1, Ordering::Relaxed, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn work_runs_in_the_pool_gives_its_result_and_the_watch_ends() {
        for between in [Between::Sleep, Between::LookForWork] {
            let sum = run_inside(between, || {
                assert!(rayon::current_thread_index().is_some());
                let kernel = |_| {
                    call_watch();
                    (0..1000u64).into_par_iter().sum::<u64>()
                };
                (0..100).map(kernel).sum::<u64>()
            });
            assert_eq!(sum, 100 * 999 * 1000 / 2);
        }
        // A thread that looked for work for good would keep this from ending.
        rayon::broadcast(|_| ());
    }

    #[test]
    fn a_panic_comes_out_and_the_thread_is_as_before() {
        let outcome = std::panic::catch_unwind(|| run_inside(Between::LookForWork, || panic!("in the pool")));
        assert!(outcome.is_err());
        assert!(rayon::broadcast(|_| CALLED.get().is_none()).into_iter().all(|none| none));
    }
}

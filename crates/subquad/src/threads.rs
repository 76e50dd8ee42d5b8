//! Programs inside the thread pool.
//!
//! Kernels are many short parallel regions. A thread outside rayon's pool sleeps through each of them and is woken after
//! it, and a pool's threads sleep in between: on a virtual machine a wake costs some 50 us, as much as a small kernel.
//! [`run_inside`] runs the whole program on a thread of the pool, which then takes part in the work, and keeps the other threads
//! looking for more while kernels follow one another, as OpenMP's threads do. That is a decision for a whole process, so it is made
//! here and not in the library that the kernels are in.

use std::cell::Cell;
#[cfg(test)]
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rayon::Yield;
use subquad_backend::kernel;

/// What the other threads of the pool do between two kernels, in the words of OpenMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitPolicy {
    /// They sleep, for programs that share the cores with others.
    Passive,
    /// They look for work for up to a millisecond after they last had some, and let other programs go first.
    Active,
}

/// Kernels often follow one another within a few microseconds; burn's operations in between take up to this long.
const PATIENCE: Duration = Duration::from_millis(1);

thread_local! {
    /// The watch that this thread last called, if it runs a program inside the pool that wants the other threads to
    /// stay awake.
    static CALLED: Cell<Option<u64>> = const { Cell::new(None) };
}
/// The watch that may look for work now. A watch that has seen no kernel for a while ends itself.
static WATCH: AtomicU64 = AtomicU64::new(1);
/// How many kernels have started.
static KERNELS: AtomicU64 = AtomicU64::new(0);
/// Threads that are looking for work now.
#[cfg(test)]
static LOOKING: AtomicUsize = AtomicUsize::new(0);

/// Runs `work` on a thread of rayon's pool, the global one unless the caller is in another, and returns what it returns. Values do
/// not depend on it. Meant for one program at a time: a thread that waits for a kernel may take up a second program and
/// end it before it continues with the first.
pub(crate) fn run_inside<R: Send>(wait_policy: WaitPolicy, work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| {
        let awake = wait_policy == WaitPolicy::Active && has_a_core_for_each_thread();
        kernel::set_hook(call_watch);
        let _watched = Watched::begin(awake);
        work()
    })
}

/// A thread that looks for work on another thread's core slows that thread down.
fn has_a_core_for_each_thread() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (2..=cores).contains(&rayon::current_num_threads())
}

/// While it lives, it sets whether kernels of this thread call the watch. It holds the previous setting.
struct Watched(Option<u64>);

impl Watched {
    fn begin(awake: bool) -> Self {
        Self(CALLED.replace(awake.then_some(0)))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        CALLED.set(self.0);
        WATCH.fetch_add(1, Ordering::Relaxed);
    }
}

/// Called before a kernel: the other threads look for work from now on, if this one's program wants them to.
fn call_watch() {
    let Some(called) = CALLED.get() else { return };
    KERNELS.fetch_add(1, Ordering::Relaxed);
    let watch = WATCH.load(Ordering::Relaxed);
    if called != watch {
        CALLED.set(Some(watch));
        rayon::spawn_broadcast(move |_| {
            let has_a_program = CALLED.get().is_some();
            if !has_a_program {
                look_for_work(watch);
            }
        });
    }
}

/// Looks for work until there is another watch.
fn look_for_work(watch: u64) {
    #[cfg(test)]
    LOOKING.fetch_add(1, Ordering::Relaxed);
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
    #[cfg(test)]
    LOOKING.fetch_sub(1, Ordering::Relaxed);
}

/// Where several threads lose patience at once, one of them ends the watch.
fn end(watch: u64) {
    // It does not matter which thread ended it.
    let _ = WATCH.compare_exchange(watch, watch + 1, Ordering::Relaxed, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use burn::tensor::{Device, Tensor};
    use rayon::ThreadPool;

    use subquad_backend::{Form, swap_axes};

    use super::*;

    /// Tests count the threads of the whole process.
    static ALONE: Mutex<()> = Mutex::new(());

    fn alone(test: impl FnOnce(ThreadPool) + Send) {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        test(rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool"));
    }

    /// Whether `count` threads soon look for work while `meanwhile` is called again and again.
    fn looking_becomes(count: usize, meanwhile: fn()) -> bool {
        let since = Instant::now();
        while LOOKING.load(Ordering::Relaxed) != count && since.elapsed() < Duration::from_secs(20) {
            meanwhile();
        }
        LOOKING.load(Ordering::Relaxed) == count
    }

    fn kernel() {
        let x = Tensor::<3>::ones([1, 2, 3], &Device::flex());
        assert_eq!(swap_axes(x, Form::Fused).dims(), [1, 3, 2]);
    }

    /// Two threads need two cores.
    fn others() -> usize {
        usize::from(has_a_core_for_each_thread())
    }

    #[test]
    fn kernels_keep_the_other_thread_awake_and_a_while_after_the_last_it_sleeps() {
        alone(|pool| {
            let answer = pool.install(|| {
                run_inside(WaitPolicy::Active, || {
                    for _ in 0..3 {
                        assert!(looking_becomes(others(), kernel));
                        assert!(looking_becomes(0, std::thread::yield_now), "it does not lose patience");
                    }
                    42
                })
            });
            assert_eq!(answer, 42);
        });
    }

    #[test]
    fn a_program_inside_another_leaves_it_as_it_was() {
        alone(|pool| {
            pool.install(|| {
                let inner = || {
                    kernel();
                    assert_eq!(CALLED.get(), None);
                };
                run_inside(WaitPolicy::Active, || {
                    run_inside(WaitPolicy::Passive, inner);
                    assert!(looking_becomes(others(), kernel));
                });
                assert_eq!(CALLED.get(), None);
            });
            assert!(looking_becomes(0, std::thread::yield_now), "it goes on after the program");
        });
    }

    #[test]
    fn a_panic_comes_out_and_the_thread_is_as_before() {
        alone(|pool| {
            let program = || pool.install(|| run_inside(WaitPolicy::Active, || panic!("in the pool")));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(program)).is_err());
            assert!(pool.broadcast(|_| CALLED.get().is_none()).into_iter().all(|none| none));
        });
    }
}

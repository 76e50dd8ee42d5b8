//! Asking a command to stop: Ctrl-C, and the signals of terminals and batch systems.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A signal that asks a command to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    number: u8,
    name: &'static str,
    urgency: Urgency,
}

/// What a signal means if another one came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgency {
    /// A person who asks again has lost patience.
    Person,
    /// A system asks again, or asks process and process group, or two systems ask.
    System,
    /// The signal only announces that another will follow.
    Notice,
}

/// Ctrl-C. Its number is the same on every system.
pub const CTRL_C: Signal = Signal { number: 2, name: "SIGINT", urgency: Urgency::Person };

impl Signal {
    /// The exit code that shells report for a program ended by the signal.
    pub fn exit_code(self) -> u8 {
        128 + self.number
    }

    /// Such as `SIGTERM`.
    pub fn name(self) -> &'static str {
        self.name
    }
}

/// Whether a command should stop soon, and what asked for it. Clones share the answer.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<OnceLock<Signal>>,
}

impl Stop {
    /// A stop that is asked for by Ctrl-C; on Unix also by SIGTERM, SIGUSR1, and by SIGHUP unless the program was
    /// started with that ignored, as `nohup` does. A second Ctrl-C ends the program at once, as does a second signal
    /// that is not an echo of the first; a SIGUSR1 never does, and the signal after it counts as the first.
    ///
    /// A process that `says` so announces on standard error that it will stop.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn on_signals(says: bool) -> io::Result<Self> {
        let stop = Self::default();
        let (own, earlier) = (stop.clone(), Mutex::new(Earlier::default()));
        let hear = Arc::new(move |signal| {
            if own.hear(signal, &earlier) && says {
                // After the terminal has closed, nobody reads this.
                let _ = writeln!(io::stderr(), "\n{}", announcement(signal));
            }
        });
        let on_ctrl_c = hear.clone();
        ctrlc::set_handler(move || on_ctrl_c(CTRL_C)).map_err(io::Error::other)?;
        #[cfg(unix)]
        unix::listen(move |signal| hear(signal))?;
        Ok(stop)
    }

    /// Asks to stop, without a signal.
    pub(crate) fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Whether anything has asked to stop.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// A flag that becomes true when a stop is asked for.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.asked.clone()
    }

    /// The first signal that asked for it; Ctrl-C if it was not a signal.
    pub fn signal(&self) -> Signal {
        *self.signal.get().unwrap_or(&CTRL_C)
    }

    /// Whether the signal is the first.
    fn hear(&self, signal: Signal, earlier: &Mutex<Earlier>) -> bool {
        let will_not_wait =
            earlier.lock().unwrap_or_else(PoisonError::into_inner).will_not_wait(signal, Instant::now());
        if will_not_wait {
            std::process::exit(i32::from(signal.exit_code()));
        }
        let is_first = self.signal.set(signal).is_ok();
        self.ask();
        is_first
    }
}

fn announcement(signal: Signal) -> String {
    match signal.urgency {
        Urgency::Person => "stopping after this step; press Ctrl-C again to stop at once".into(),
        Urgency::System | Urgency::Notice => format!("{}: stopping after this step", signal.name),
    }
}

/// Signals of systems that come so close together are one request: a terminal that closes sends SIGHUP as does its shell,
/// systemd sends SIGHUP right after SIGTERM, and others signal the process as well as its group.
const ECHO: Duration = Duration::from_secs(1);

/// When the program was first asked to stop.
#[derive(Debug, Default)]
struct Earlier(Option<Instant>);

impl Earlier {
    /// Whether `signal`, which comes `now`, ends the program at once.
    fn will_not_wait(&mut self, signal: Signal, now: Instant) -> bool {
        let Some(first) = self.0 else {
            self.0 = Some(now).filter(|_| signal.urgency != Urgency::Notice);
            return false;
        };
        match signal.urgency {
            Urgency::Person => true,
            Urgency::System => now.duration_since(first) > ECHO,
            Urgency::Notice => false,
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::io;

    use signal_hook::consts::{SIGHUP, SIGTERM, SIGUSR1};
    use signal_hook::iterator::Signals;

    use super::{Signal, Urgency};

    const SIGNALS: [Signal; 3] = [
        Signal { number: SIGTERM as u8, name: "SIGTERM", urgency: Urgency::System },
        Signal { number: SIGHUP as u8, name: "SIGHUP", urgency: Urgency::System },
        Signal { number: SIGUSR1 as u8, name: "SIGUSR1", urgency: Urgency::Notice },
    ];

    /// Calls `hear`, in a separate thread, with each signal that arrives.
    pub(super) fn listen(hear: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
        let numbers = SIGNALS.map(|signal| i32::from(signal.number));
        let mut signals =
            Signals::new(numbers.into_iter().filter(|&number| number != SIGHUP || !hang_up_is_ignored()))?;
        let forward = move || {
            for number in signals.forever() {
                SIGNALS.into_iter().filter(|signal| i32::from(signal.number) == number).for_each(&hear);
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(forward)?;
        Ok(())
    }

    /// Only Linux reports this to safe code. Elsewhere it counts as ignored, so that `nohup` keeps its meaning.
    fn hang_up_is_ignored() -> bool {
        fs_err::read_to_string("/proc/self/status").map_or(true, |status| ignores_hang_up(&status))
    }

    /// Reads the mask in the text of `/proc/self/status`, whose lowest bit is signal 1.
    fn ignores_hang_up(status: &str) -> bool {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_none_or(|mask| mask >> (SIGHUP - 1) & 1 == 1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_mask_of_ignored_signals_tells_of_a_hang_up() {
            assert!(ignores_hang_up(
                "Name:\tsubquad\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n"
            ));
            assert!(!ignores_hang_up("SigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n"));
            assert!(ignores_hang_up("Name:\tsubquad\n"), "a system that does not tell");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: Signal = Signal { number: 15, name: "SIGTERM", urgency: Urgency::System };
    const NOTICE: Signal = Signal { number: 10, name: "SIGUSR1", urgency: Urgency::Notice };

    /// Which of these signals, each this many milliseconds after the start, end the program at once.
    fn at_once(signals: &[(Signal, u64)]) -> Vec<bool> {
        let (mut earlier, start) = (Earlier::default(), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        signals.iter().map(|(signal, when)| earlier.will_not_wait(*signal, at(*when))).collect()
    }

    #[test]
    fn a_second_ctrl_c_ends_the_program_at_once_however_soon() {
        assert_eq!(at_once(&[(CTRL_C, 0), (CTRL_C, 1)]), [false, true]);
        assert_eq!(at_once(&[(TERM, 0), (CTRL_C, 1)]), [false, true]);
    }

    #[test]
    fn a_second_signal_of_a_system_ends_the_program_unless_it_is_an_echo() {
        assert_eq!(at_once(&[(TERM, 0), (TERM, 10), (TERM, 900), (TERM, 1100)]), [false, false, false, true]);
        assert_eq!(at_once(&[(CTRL_C, 0), (TERM, 2000)]), [false, true]);
    }

    #[test]
    fn a_notice_never_ends_the_program_and_is_no_first_signal() {
        assert_eq!(at_once(&[(NOTICE, 0), (NOTICE, 5000), (TERM, 60_000), (NOTICE, 99_000)]), [false; 4]);
    }

    #[test]
    fn the_first_signal_is_the_cause() {
        let (stop, earlier) = (Stop::default(), Mutex::default());
        assert_eq!((stop.is_asked(), stop.signal()), (false, CTRL_C));
        stop.hear(NOTICE, &earlier);
        stop.hear(TERM, &earlier);
        assert_eq!(
            (stop.is_asked(), stop.signal().name(), stop.signal().exit_code()),
            (true, "SIGUSR1", 138)
        );
    }
}

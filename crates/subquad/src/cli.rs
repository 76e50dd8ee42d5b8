//! The command line.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Parser, Subcommand};
use subquad_backend::threads::{Between, run_inside};

use crate::Failure;
use crate::commands::{bench, check, generate, list, plot, run, verify};

const OUTPUT: &str = "\
Results go to standard output, progress and messages to standard error.
Exit codes: 0 done, 1 something ran and failed, 2 wrong use or wrong input, 130 interrupted.";

/// Threads for the pool: one a core, or `RAYON_NUM_THREADS`.
const ALL: usize = 0;
const STACK: usize = 8 << 20;

/// Train and compare attention, S4D and Monarch Mixer across sequence lengths from config files
#[derive(Debug, Parser)]
#[command(name = "subquad", version, after_help = OUTPUT)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Bench(bench::Args),
    Check(check::Args),
    Verify(verify::Args),
    Generate(generate::Args),
    Plot(plot::Args),
    List(list::Args),
}

/// Reads the command line, runs the command, answers with its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.run_in_pool() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                // Nobody is left to tell if standard error is closed.
                let _ = writeln!(io::stderr(), "{message}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

impl Cli {
    /// In a thread of the pool, so that kernels neither put this one to sleep nor wait for others to wake.
    fn run_in_pool(&self) -> Result<(), Failure> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads().unwrap_or(ALL));
        // As deep as the main thread's.
        pool.stack_size(STACK)
            .build_global()
            .map_err(|error| Failure::failed(format!("threads: {error}")))?;
        run_inside(self.between_kernels(), || self.run(&mut io::stdout().lock()))
    }

    /// As asked for.
    fn threads(&self) -> Option<usize> {
        match &self.command {
            Command::Run(args) => args.threads,
            Command::Bench(args) => args.threads.map(usize::from),
            _ => None,
        }
    }

    /// The runs of `--jobs` share the cores.
    fn between_kernels(&self) -> Between {
        match &self.command {
            Command::Run(args) if args.only_run.is_some() => Between::Sleep,
            _ => Between::LookForWork,
        }
    }

    /// Runs the command; results go to `out`.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        match &self.command {
            Command::Run(args) => run::run(args, stop_on_interrupt()?, out),
            Command::Bench(args) => bench::run(args, out),
            Command::Check(args) => check::run(args, out),
            Command::Verify(args) => verify::run(args, out),
            Command::Generate(args) => generate::run(args, stop_on_interrupt()?, out),
            Command::Plot(args) => plot::run(args, out),
            Command::List(args) => list::run(args, out),
        }
    }
}

/// A flag that the first Ctrl-C sets; the second ends the program at once.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    // Not the flag itself: a parent process may have set that already.
    let pressed = AtomicBool::new(false);
    let handler = move || {
        if pressed.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Failure::Interrupted.exit_code()));
        }
        flag.store(true, Ordering::Relaxed);
        let _ = writeln!(io::stderr(), "\nstopping after this step; press Ctrl-C again to stop at once");
    };
    ctrlc::set_handler(handler).map_err(Failure::failed)?;
    Ok(stop)
}

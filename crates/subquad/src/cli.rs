//! The command line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use subquad_bench::available::STACK_BYTES;

use crate::Failure;
use crate::commands::flags::ThreadsFlag;
use crate::commands::{bench, check, generate, list, plot, run, verify};
use crate::program::Program;
use crate::stop::Stop;
use crate::threads::{WaitPolicy, run_inside};

const OUTPUT: &str = "\
Results go to standard output, progress and messages to standard error.
Exit codes: 0 success, 1 something ran and failed, 2 wrong usage or input, 130 interrupted,
128 + n stopped by signal n.";

/// The pool's builder reads this number as one thread for each core, or `RAYON_NUM_THREADS`.
const ONE_A_CORE: usize = 0;

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

/// Reads the command line, runs the command, and returns its exit code.
pub fn main(program: &Program) -> ExitCode {
    let command =
        Cli::command().mut_subcommand("bench", |command| command.after_help(bench::after_help(program)));
    let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    match cli.run_in_pool(program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                // If standard error is closed, nobody is left to read this.
                let _ = writeln!(io::stderr(), "{message}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

impl Cli {
    /// If this thread belongs to the pool, kernels neither put it to sleep nor wait for others to wake.
    fn run_in_pool(&self, program: &Program) -> Result<(), Failure> {
        let run = || self.run(program, &mut io::stdout().lock());
        match self.command.pool() {
            None => run(),
            Some((threads, wait_policy)) => {
                make_pool(threads.count.map(usize::from))?;
                run_inside(wait_policy, run)
            }
        }
    }

    /// Runs the command; results go to `out`.
    ///
    /// # Errors
    /// See [`Failure`].
    fn run(&self, program: &Program, out: &mut dyn Write) -> Result<(), Failure> {
        match &self.command {
            // The parent announces a stop for its children as well.
            Command::Run(args) => run::run(program, args, Stop::on_signals(!args.is_child())?, out),
            Command::Bench(args) => bench::run(program, args, out),
            Command::Check(args) => check::run(program, args, out),
            Command::Verify(args) => verify::run(args, out),
            Command::Generate(args) => (program.generate)(program, args, Stop::on_signals(true)?, out),
            Command::Plot(args) => plot::run(args, out),
            Command::List(args) => list::run(program, args, out),
        }
    }
}

impl Command {
    /// What it asks of the thread pool: how many threads, one for each core or `RAYON_NUM_THREADS` unless it says so, and what they do
    /// between kernels. `None` if it does not train or measure.
    fn pool(&self) -> Option<(&ThreadsFlag, WaitPolicy)> {
        match self {
            // The runs of `--jobs` share the cores.
            Self::Run(args) if args.only_run.as_ref().is_some_and(|run| run.jobs > 1) => {
                Some((&args.threads, WaitPolicy::Passive))
            }
            Self::Run(args) => Some((&args.threads, WaitPolicy::Active)),
            Self::Bench(args) => Some((&args.threads, WaitPolicy::Active)),
            Self::Check(_) | Self::Verify(_) | Self::Generate(_) | Self::Plot(_) | Self::List(_) => None,
        }
    }
}

/// Makes the thread pool of the process.
fn make_pool(threads: Option<usize>) -> Result<(), Failure> {
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(ONE_A_CORE)).stack_size(STACK_BYTES);
    let pool = pool.thread_name(|index| format!("subquad-{index}"));
    pool.build_global().map_err(|error| {
        Failure::failed(match threads {
            Some(threads) => format!("--threads {threads}: {error}"),
            None => format!("the thread pool: {error}; --threads asks for fewer threads"),
        })
    })
}

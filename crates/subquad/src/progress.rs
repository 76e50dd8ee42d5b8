//! Progress on standard error: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use subquad_data::brief;
use subquad_record::{MakeFiles, Row, Sink};

use subquad_bench::memory::Meter;

/// The time between two plain lines of one run.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Where messages go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Messages {
    quiet: bool,
    /// Whether progress bars are all that is shown.
    only_bars: bool,
}

impl Messages {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, only_bars: false }
    }

    pub(crate) fn only_bars(self) -> Self {
        Self { only_bars: true, ..self }
    }

    /// A line on standard error, even when quiet, for anything that changes how results must be read.
    pub(crate) fn warn(&self, message: impl std::fmt::Display) {
        let _ = writeln!(io::stderr(), "warning: {message}");
    }

    /// A line on standard error, unless quiet. If nobody reads it, training goes on.
    pub(crate) fn say(&self, message: impl std::fmt::Display) {
        if !self.quiet && !self.only_bars {
            let _ = writeln!(io::stderr(), "{message}");
        }
    }
}

/// Follows one run, passing everything on to the sink that keeps it.
pub(crate) struct Progress<'a, S> {
    sink: &'a mut S,
    messages: Messages,
    bar: Option<ProgressBar>,
    steps: usize,
    last_line: Instant,
}

impl<'a, S: Sink> Progress<'a, S> {
    /// Starts following a run that has done `done` of its `steps` steps.
    pub(crate) fn new(sink: &'a mut S, messages: Messages, title: &str, done: usize, steps: usize) -> Self {
        let bar = (!messages.quiet && io::stderr().is_terminal()).then(|| bar(title, steps));
        if let Some(bar) = &bar {
            bar.set_position(done as u64);
        }
        if bar.is_none() {
            messages.say(title);
        }
        Self { sink, messages, bar, steps, last_line: Instant::now() }
    }

    /// Ends the display with the run's result.
    pub(crate) fn end(self, title: &str, result: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            self.messages.say(title);
        }
        self.messages.say(format!("    {result}"));
    }

    fn show(&mut self, row: &Row) {
        let Some(speed) = row.tokens_per_second else { return };
        let text = format!(
            "loss {}, {} tokens/s, {:#} left",
            brief(row.loss),
            HumanCount(speed as u64),
            self.left(row)
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(row.step as u64);
                bar.set_message(text);
            }
            None if self.last_line.elapsed() >= LINE_EVERY => {
                self.last_line = Instant::now();
                self.messages.say(format!("    step {}/{}, {text}", row.step, self.steps));
            }
            None => {}
        }
    }

    fn left(&self, row: &Row) -> HumanDuration {
        let per_step = row.elapsed_seconds / row.step as f64;
        let seconds = per_step * self.steps.saturating_sub(row.step) as f64;
        HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

fn bar(title: &str, steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix}\n    {bar:20} step {pos}/{len}, {wide_msg}")
        .expect("the template is a constant that is shown in a test");
    let bar = ProgressBar::new(steps as u64).with_style(style).with_prefix(title.to_owned());
    bar.set_message("starting");
    bar
}

impl<S: Sink> Sink for Progress<'_, S> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.show(row);
        self.sink.row(row)
    }

    /// The memory that a checkpoint needs briefly is not counted as memory of training.
    fn checkpoint(&mut self, step: usize, files: &MakeFiles<'_>) -> io::Result<()> {
        Meter::uncounted(|| self.sink.checkpoint(step, files))
    }

    fn should_stop(&mut self) -> bool {
        self.sink.should_stop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_a_valid_template() {
        assert_eq!(bar("[1/2] a run", 600).length(), Some(600));
    }
}

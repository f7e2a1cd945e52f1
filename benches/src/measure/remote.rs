//! Competitors in other processes: other languages, other compilations of our own.
//!
//! A server reads requests line by line, each the words of a piece of work. It does a slice of that work and answers with the nanoseconds of
//! one go, or with `none` if it doesn't know the work. What it builds for a request it keeps until the request `clear`.

use super::{Clock, Repeated, Work};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A process that does slices of work on request.
pub struct Server {
    child: RefCell<Child>,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Server {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let pipes = input.zip(output).ok_or_else(|| std::io::Error::other("a process without pipes"))?;
        let pipes = (pipes.0, BufReader::new(pipes.1));
        Ok(Server { child: RefCell::new(child), pipes: RefCell::new(pipes) })
    }

    /// Nanoseconds of one go of what `request` stands for; None if the server doesn't know it, or has died.
    pub fn turn(&self, request: &str) -> Option<f64> {
        self.ask(request)?.trim().parse().ok()
    }

    /// Lets the server forget what it has built.
    pub fn clear(&self) {
        self.ask("clear");
    }

    fn ask(&self, request: &str) -> Option<String> {
        let (input, output) = &mut *self.pipes.borrow_mut();
        writeln!(input, "{request}").ok()?;
        input.flush().ok()?;
        let mut answer = String::new();
        (output.read_line(&mut answer).ok()? > 0).then_some(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended by itself is as good.
        let _ = self.child.get_mut().kill();
        let _ = self.child.get_mut().wait();
    }
}

/// A server's work: what was asked for before is ready.
#[derive(Default)]
pub struct Calibrated<'a>(HashMap<String, Option<Repeated<'a>>>);

impl<'a> Calibrated<'a> {
    /// Serves until the requests end. `build` makes the work of a request, if it knows it.
    pub fn serve(slice: Duration, build: impl Fn(&[&str]) -> Option<Work<'a>>) -> std::io::Result<()> {
        let mut all = Calibrated::default();
        let mut output = std::io::stdout().lock();
        for request in std::io::stdin().lock().lines() {
            let request = request?;
            if request == "clear" {
                all.0.clear();
                writeln!(output, "cleared")?;
            } else {
                match all.turn(&request, slice, &build) {
                    Some(time) => writeln!(output, "{time}")?,
                    None => writeln!(output, "none")?,
                }
            }
            output.flush()?;
        }
        Ok(())
    }

    fn turn(
        &mut self,
        request: &str,
        slice: Duration,
        build: impl Fn(&[&str]) -> Option<Work<'a>>,
    ) -> Option<f64> {
        let work = self.0.entry(request.to_owned()).or_insert_with(|| {
            let words: Vec<&str> = request.split_whitespace().collect();
            Some(Repeated::calibrate(build(&words)?, slice, Clock::Cpu))
        });
        work.as_mut().map(Repeated::turn)
    }
}

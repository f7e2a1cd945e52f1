//! Competitors in other processes: other languages, and our own code in other builds.
//!
//! A server reads requests line by line; each request names a piece of work. The server runs a
//! slice of that work and answers with the nanoseconds per repetition, or with `none` if it does
//! not support the work. It keeps the work it has built until the request `clear`.

use super::{Clock, Repeated, Work};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A process that runs slices of work on request.
pub struct Server {
    child: RefCell<Child>,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Server {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let pipes = input.zip(output).ok_or_else(|| std::io::Error::other("the process has no pipes"))?;
        let pipes = (pipes.0, BufReader::new(pipes.1));
        Ok(Server { child: RefCell::new(child), pipes: RefCell::new(pipes) })
    }

    /// Requests one slice of work. Returns the nanoseconds per repetition, or `None` if the server
    /// does not support the request or has exited.
    pub fn turn(&self, request: &str) -> Option<f64> {
        self.ask(request)?.trim().parse().ok()
    }

    /// Requests that the server drop the work that it has built.
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
        // The server may have exited already.
        let _ = self.child.get_mut().kill();
        let _ = self.child.get_mut().wait();
    }
}

/// The work of a server, calibrated and kept by request.
#[derive(Default)]
pub struct Calibrated<'a>(HashMap<String, Option<Repeated<'a>>>);

impl<'a> Calibrated<'a> {
    /// Serves until the requests end. `build` creates the work of a supported request.
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

//! The command line of the benchmark commands.

use crate::measure::Effort;
use lexopt::{Arg, Parser, ValueExt};
use std::path::PathBuf;

const USAGE: &str = "options:
  --quick          a quick overview
  --only TEXT      only rows whose name contains TEXT, such as `LSTM` or `(1, 32)`; if repeated, all of them
  --json FILE      appends a line of JSON per row, with every competitor's nanoseconds
  --python PATH    a Python with PyTorch, JAX or ONNX Runtime to compare with
  --peers LIST     Rust libraries to compare with: any of nexus,candle,burn,tract
  --native         also nexus-inference compiled for this processor";

/// The options of a run.
pub struct Options {
    pub effort: Effort,
    pub json: Option<PathBuf>,
    pub python: Option<PathBuf>,
    pub peers: String,
    pub native: bool,
    only: Vec<String>,
}

impl Options {
    /// Reads the command line.
    pub fn read() -> Result<Self, String> {
        Self::parse(Parser::from_env()).map_err(|error| format!("{error}\n{USAGE}"))
    }

    fn parse(mut arguments: Parser) -> Result<Self, lexopt::Error> {
        let mut options = Options {
            effort: Effort::quick(false),
            json: None,
            python: None,
            peers: String::new(),
            native: false,
            only: vec![],
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("quick") => options.effort = Effort::quick(true),
                Arg::Long("native") => options.native = true,
                Arg::Long("peers") => options.peers = arguments.value()?.string()?,
                Arg::Long("only") => options.only.push(arguments.value()?.string()?),
                Arg::Long("json") => options.json = Some(arguments.value()?.into()),
                Arg::Long("python") => options.python = Some(arguments.value()?.into()),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(options)
    }

    /// Returns whether the options select a row of this name.
    pub fn wants(&self, id: &str) -> bool {
        self.only.iter().all(|text| id.contains(text.as_str()))
    }
}

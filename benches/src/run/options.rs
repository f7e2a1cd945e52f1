//! The command line of a command that measures.

use crate::measure::Effort;
use std::path::PathBuf;

const USAGE: &str = "options:
  --quick          for a glance
  --only TEXT      only rows whose name contains TEXT, such as `LSTM` or `(1, 32)`; of several, all
  --json FILE      appends a line of JSON a row: every competitor's nanoseconds
  --python PATH    a Python with PyTorch, JAX or ONNX Runtime, to take turns with ours
  --peers LIST     Rust libraries, to take turns with ours: any of nexus,candle,burn,tract
  --native         also nexus-inference compiled for this processor";

/// What was asked for.
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
        let mut options = Options {
            effort: Effort::quick(false),
            json: None,
            python: None,
            peers: String::new(),
            native: false,
            only: vec![],
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` needs a value\n{USAGE}"));
            match argument.as_str() {
                "--quick" => options.effort = Effort::quick(true),
                "--native" => options.native = true,
                "--peers" => options.peers = value()?,
                "--only" => options.only.push(value()?),
                "--json" => options.json = Some(value()?.into()),
                "--python" => options.python = Some(value()?.into()),
                _ => return Err(format!("no option `{argument}`\n{USAGE}")),
            }
        }
        Ok(options)
    }

    /// Whether a row of this name was asked for.
    pub fn wants(&self, id: &str) -> bool {
        self.only.iter().all(|text| id.contains(text.as_str()))
    }
}

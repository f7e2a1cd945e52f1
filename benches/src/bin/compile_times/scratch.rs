//! The compiled crates, in a temporary folder.

use crate::definitions::Definition;
use benches::measure::median;
use std::fmt::Write;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

/// The way a crate is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `cargo check` of a crate with definitions only.
    CheckDefined,
    /// `cargo build` of a crate with definitions only.
    DevDefined,
    /// `cargo build` of a program that uses every cell.
    DevUsed,
    /// `cargo build --release` of that program.
    ReleaseUsed,
}

/// The cost of an expansion.
pub struct Expansion {
    /// The time of the expansion.
    pub milliseconds: f64,
    /// The number of lines of the expansion.
    pub lines: usize,
}

/// The temporary folder with the crates.
pub struct Scratch {
    folder: PathBuf,
    target: PathBuf,
}

const MANIFEST: &str =
    "[package]\nname = 'scratch'\nversion = '0.0.0'\nedition = '2024'\n[workspace]\n[dependencies]\n";

/// The number of times that a crate is compiled.
const REPETITIONS: usize = 3;
/// The seconds above which a crate is compiled only once.
const LONG: f64 = 20.0;

impl Scratch {
    /// Creates the folder.
    pub fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join("rnn-cell-compile-times");
        for name in ["cells", "expansion", "definitions"] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["cells", "expansion"] {
            std::fs::copy(benches.join("../Cargo.lock"), folder.join(name).join("Cargo.lock"))?;
        }
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| benches.join("../target"), PathBuf::from);
        let scratch = Scratch { folder, target: target.join("compile-times") };
        let runtime = format!("rnn-cell = {{ path = {:?} }}\n", benches.join("../runtime"));
        scratch.write("cells/Cargo.toml", &format!("{MANIFEST}{runtime}[lib]\npath = 'lib.rs'\n"))?;
        let compiler = format!(
            "rnn-cell-compiler = {{ path = {:?} }}\nproc-macro2 = '1'\nprettyplease = '0.3'\nquote = '1'\nsyn = {{ version = '3', features = ['full'] }}\n",
            benches.join("../compiler")
        );
        let main = "[[bin]]\nname = 'expansion'\npath = 'main.rs'\n";
        scratch.write("expansion/Cargo.toml", &format!("{MANIFEST}{compiler}{main}"))?;
        scratch.write("expansion/main.rs", include_str!("expansion.rs"))?;
        Ok(scratch)
    }

    /// Expands each definition.
    pub fn expand(&self, cells: &[Definition]) -> Result<Vec<Expansion>> {
        let folder = self.folder.join("definitions");
        std::fs::remove_dir_all(&folder)?;
        std::fs::create_dir(&folder)?;
        for (index, cell) in cells.iter().enumerate() {
            std::fs::write(folder.join(format!("{index}.txt")), &cell.text)?;
        }
        self.cargo("expansion", &["build"])?;
        let program = self.target.join("debug/expansion");
        let output = checked(Command::new(program).arg(&folder).output()?)?;
        let expansion = |line: &str| {
            let (time, lines) = line.split_once(' ')?;
            Some(Expansion { milliseconds: time.parse().ok()?, lines: lines.parse().ok()? })
        };
        let all: Option<Vec<Expansion>> =
            String::from_utf8_lossy(&output.stdout).lines().map(expansion).collect();
        let all = all.filter(|all| all.len() == cells.len());
        all.ok_or_else(|| {
            Error::other(format!("the expansions of {} cells have unexpected output", cells.len()))
        })
    }

    /// Returns the seconds to compile a crate of these cells.
    pub fn time(&self, cells: &[Definition], kind: Kind) -> Result<f64> {
        let arguments: &[&str] = match kind {
            Kind::CheckDefined => &["check"],
            Kind::DevDefined | Kind::DevUsed => &["build"],
            Kind::ReleaseUsed => &["build", "--release"],
        };
        // Compile an empty crate first, so that its dependencies are built.
        self.write("cells/lib.rs", "")?;
        self.cargo("cells", arguments)?;
        let used = matches!(kind, Kind::DevUsed | Kind::ReleaseUsed);
        let mut times = vec![];
        for repetition in 0..REPETITIONS {
            self.write("cells/lib.rs", &format!("{}// {repetition}\n", source(cells, used)))?;
            let start = Instant::now();
            self.cargo("cells", arguments)?;
            times.push(start.elapsed().as_secs_f64());
            if times[0] > LONG {
                break;
            }
        }
        Ok(median(&times))
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        std::fs::write(self.folder.join(path), text)
    }

    fn cargo(&self, name: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).arg("--quiet").arg("--target-dir").arg(&self.target);
        command.current_dir(self.folder.join(name)).env("CARGO_INCREMENTAL", "0");
        checked(command.output()?).map(drop)
    }
}

fn checked(output: Output) -> Result<Output> {
    if output.status.success() {
        return Ok(output);
    }
    Err(Error::other(String::from_utf8_lossy(&output.stderr)))
}

/// Returns the source of a library of cells. If `used` is set, a function that is compiled with the
/// library runs each of them.
fn source(cells: &[Definition], used: bool) -> String {
    let mut text = "pub use rnn_cell::prelude::*;\n".to_owned();
    for cell in cells {
        let _ = writeln!(text, "rnn_cell! {{ {} }}", cell.text);
    }
    let mut calls = String::new();
    if used {
        for cell in cells {
            let _ = writeln!(calls, "    exercise(&*{}::<8, 16>::init_boxed(&mut rng), &xs);", cell.title);
        }
        text += USE;
        text += &format!("pub fn every_cell() {{\n{SETUP}{calls}}}\n");
    }
    text
}

const SETUP: &str = "    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let xs = vec![SMatrix::<f32, 8, 1>::repeat(0.5); 10];
";

const USE: &str = "
fn exercise<L: Cell<1, Context = ()>>(cell: &L, xs: &[L::Input]) {
    let mut state = cell.zero_state();
    cell.step(&xs[0], &mut state);
    let (mut tape, mut grads) = (cell.tape(), cell.zero_gradients());
    let dys = cell.forward(xs, &mut state, &mut tape).to_vec();
    cell.backward(xs, &mut tape, &dys, &mut grads);
}
";

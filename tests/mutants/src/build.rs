//! Builds an executable that contains all mutants.

use crate::instrument::{Instrumented, Mutant, instrument};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The part of the workspace that is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Compiler,
    Kernels,
}

impl Part {
    pub fn name(self) -> &'static str {
        match self {
            Part::Compiler => "compiler",
            Part::Kernels => "kernels",
        }
    }

    /// Returns the name and the folder of the package in the workspace, and the package that
    /// contains the mutants.
    fn package(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Part::Compiler => ("rnn-cell-compiler", "compiler", "compiler"),
            Part::Kernels => ("rnn-cell", "runtime", "kernels"),
        }
    }

    /// Returns the optimisation level. Optimising the kernels would take minutes, since they are
    /// compiled for each size and instruction set.
    fn level(self) -> &'static str {
        match self {
            Part::Compiler => "1",
            Part::Kernels => "0",
        }
    }

    /// Returns the examined files: those that determine the computation of a cell and the
    /// diagnostics. The parser and the code generators are left out because damaged definitions,
    /// rustc, and the tests of whole cells cover them.
    fn files(self) -> &'static [&'static str] {
        match self {
            Part::Compiler => &[
                "compiler/src/analysis/**",
                "compiler/src/diagnostics/**",
                "compiler/src/dim.rs",
                "compiler/src/graph/**",
                "compiler/src/lower/**",
                "compiler/src/plan/**",
                "compiler/src/text/jacobian/**",
            ],
            Part::Kernels => &["runtime/src/kernels/**"],
        }
    }
}

/// All mutants in one executable.
pub struct Program {
    pub mutants: Vec<Mutant>,
    /// The indices of the mutants in the executable.
    pub placed: BTreeSet<usize>,
    /// The indices of the mutants that do not compile.
    pub unviable: BTreeSet<usize>,
    pub executable: PathBuf,
    /// The working directory of the tests.
    pub package: PathBuf,
}

pub fn build(root: &Path, folder: &Path, part: Part) -> Program {
    let (listed, from, to) = part.package();
    let mut list = Command::new("cargo");
    // Functions that generate Rust are left out: rustc and the tests of whole cells cover them.
    list.args([
        "mutants",
        "--list",
        "--json",
        "--package",
        listed,
        "--exclude-re",
        r"(replace|in) (\w+(<.*>)?::)*emit(_\w+)?( |$)",
    ]);
    list.current_dir(root);
    for file in part.files() {
        list.args(["--file", file]);
    }
    let list: Value = serde_json::from_slice(&output(&mut list)).expect("cargo mutants gives JSON");
    let list = list.as_array().expect("a list");
    let mutants: Vec<Mutant> = list.iter().filter_map(Mutant::read).collect();
    // The mutants of each file.
    let mut files: BTreeMap<String, Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (id, mutant) in mutants.iter().enumerate() {
        files.entry(mutant.file.replacen(from, to, 1)).or_default().push((id, mutant));
    }

    let mut tree = tree(root, part);
    let sources: HashMap<&str, String> =
        files.keys().map(|file| (file.as_str(), tree[file].clone())).collect();
    // Mutants that did not compile last time are skipped, since detecting them takes one build per
    // round.
    let memory = folder.join("unviable.txt");
    let known = fs::read_to_string(&memory).unwrap_or_default();
    let known: BTreeSet<&str> = known.lines().collect();
    let mut unviable: BTreeSet<usize> =
        (0..mutants.len()).filter(|id| known.contains(mutants[*id].name.as_str())).collect();
    loop {
        let mut written: HashMap<&str, Instrumented> = HashMap::new();
        for (file, all) in &files {
            let left: Vec<_> = all.iter().copied().filter(|(id, _)| !unviable.contains(id)).collect();
            let instrumented = instrument(&sources[file.as_str()], &left).expect("the sources can be parsed");
            tree.insert(file.clone(), instrumented.text.clone());
            written.insert(file, instrumented);
        }
        for (file, text) in &tree {
            write(&folder.join(file), text);
        }
        let (executable, errors) = compile(folder, part);
        let names: BTreeSet<&str> =
            known.iter().copied().chain(unviable.iter().map(|id| mutants[*id].name.as_str())).collect();
        write(&memory, &names.into_iter().collect::<Vec<_>>().join("\n"));
        if let Some(executable) = executable {
            let placed = written.values().flat_map(|file| file.placed.iter().copied()).collect();
            return Program { mutants, placed, unviable, executable, package: folder.join(to) };
        }
        let failing: BTreeSet<usize> = errors
            .iter()
            .flat_map(|error| &error.places)
            .filter_map(|(file, line)| written.get(file.as_str())?.lines.get(line).copied())
            .collect();
        let text = || errors.iter().map(|error| error.text.as_str()).collect::<String>();
        assert!(!failing.is_empty(), "an error outside of the mutants:\n{}", text());
        eprintln!("{} mutants do not compile", failing.len());
        unviable.extend(failing);
    }
}

struct CompileError {
    /// The files and lines of the error.
    places: Vec<(String, usize)>,
    text: String,
}

/// Compiles the tests and returns the executable, or the errors.
fn compile(folder: &Path, part: Part) -> (Option<PathBuf>, Vec<CompileError>) {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--lib", "--no-run", "--message-format=json"]).current_dir(folder);
    cargo.env("CARGO_TARGET_DIR", folder.join("target")).env("RUSTFLAGS", "-Awarnings");
    cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", part.level()).env("CARGO_PROFILE_DEV_DEBUG", "0");
    let output = cargo.stderr(Stdio::inherit()).output().expect("cargo runs");
    let (mut executable, mut errors) = (None, vec![]);
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        if let Some(path) = message["executable"].as_str() {
            executable = Some(PathBuf::from(path));
        }
        let message = &message["message"];
        if message["level"] == "error" {
            let spans = message["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
            let place = |span: &Value| {
                let line = usize::try_from(span["line_start"].as_u64()?).ok()?;
                Some((span["file_name"].as_str()?.to_owned(), line))
            };
            let text = message["rendered"].as_str().unwrap_or_default().to_owned();
            errors.push(CompileError { places: spans.iter().filter_map(place).collect(), text });
        }
    }
    (executable, errors)
}

/// Returns the files of the workspace to build, by path. It contains the whole compiler, or the
/// kernels with the few parts of the runtime that they need. These compile in half a minute, the
/// whole runtime in several minutes.
fn tree(root: &Path, part: Part) -> BTreeMap<String, String> {
    let mut tree = BTreeMap::new();
    let here = root.join("tests/mutants");
    let (_, _, member) = part.package();
    match part {
        Part::Compiler => {
            // The compiler's tests read the cells, the guide, the generator of random cells and the
            // messages.
            for name in ["compiler", "runtime/src", "tests/generator", "ui-tests/fail"] {
                read_all(&root.join(name), name, &mut tree);
            }
        }
        Part::Kernels => {
            read_all(&root.join("runtime/src"), "kernels/src", &mut tree);
            tree.insert("kernels/src/lib.rs".to_owned(), read(&here.join("kernels.rs")));
            tree.insert("kernels/Cargo.toml".to_owned(), read(&here.join("kernels.toml")));
            // Layers need the rest of the runtime. They are behind the feature `alloc`.
            let cell = tree.get_mut("kernels/src/cell/mod.rs").expect("the runtime has traits of cells");
            *cell = cell.replace("feature = \"alloc\"", "any()");
        }
    }
    let library = tree.get_mut(&format!("{member}/src/lib.rs")).expect("a package has a root");
    library.push_str("\nmod __mutants;\n");
    tree.insert(format!("{member}/src/__mutants.rs"), include_str!("switch.rs").to_owned());
    let manifest = read(&root.join("Cargo.toml"));
    let lines = manifest.lines().filter(|line| !line.starts_with("exclude = "));
    let lines = lines.take_while(|line| *line != "[profile.dev.package.tests]");
    let lines: Vec<String> = lines
        .map(|line| {
            if line.starts_with("members = ") { format!("members = [\"{member}\"]") } else { line.to_owned() }
        })
        .collect();
    tree.insert("Cargo.toml".to_owned(), lines.join("\n"));
    tree.insert("Cargo.lock".to_owned(), read(&root.join("Cargo.lock")));
    tree
}

/// Reads the text files of a folder.
fn read_all(folder: &Path, name: &str, tree: &mut BTreeMap<String, String>) {
    for entry in
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten()
    {
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_all(&entry.path(), &name, tree);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            tree.insert(name, text);
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes a file unless it has this text already, since cargo rebuilds files with a new
/// modification time.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    let written = fs::create_dir_all(path.parent().expect("a file is in a folder"))
        .and_then(|()| fs::write(path, text));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

pub fn output(command: &mut Command) -> Vec<u8> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", output.status);
    output.stdout
}

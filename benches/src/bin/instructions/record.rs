//! The recorded counts: a text file beside this one, one line per workload.

use std::fmt::Write;
use std::path::PathBuf;

/// The counts of all workloads.
pub struct Record {
    /// The names of instruction set and workload, and the number of instructions.
    pub counts: Vec<(String, u64)>,
}

impl Record {
    fn path() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/bin/instructions/record.txt")
    }

    /// Reads the record.
    pub fn load() -> Result<Record, String> {
        let path = Self::path();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut record = Record { counts: vec![] };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let wrong = || format!("{}: `{line}` is not `name: count`", path.display());
            let (name, count) = line.rsplit_once(": ").ok_or_else(wrong)?;
            record.counts.push((name.to_owned(), count.parse().map_err(|_| wrong())?));
        }
        Ok(record)
    }

    /// Writes the record.
    pub fn save(&self) -> Result<(), String> {
        let mut text = "# Instructions of one step and sample. Written by `cargo run --release -p benches --bin instructions -- \
                        --record`.\n"
            .to_owned();
        for (name, count) in &self.counts {
            let _ = writeln!(text, "{name}: {count}");
        }
        let path = Self::path();
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Returns the count of a workload.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.counts.iter().find(|(own, _)| own == name).map(|(_, count)| *count)
    }
}

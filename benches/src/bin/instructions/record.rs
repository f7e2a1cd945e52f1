//! The counts on record: a text file beside this one, a line a workload.

use std::fmt::Write;
use std::path::PathBuf;

/// Counts of all workloads under one instruction set.
pub struct Record {
    /// As [`benches::machine::instruction_set`] calls it.
    pub instruction_set: String,
    /// Names and instructions.
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
        let mut record = Record { instruction_set: String::new(), counts: vec![] };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let wrong = || format!("{}: `{line}` is not `name: value`", path.display());
            let (name, value) = line.rsplit_once(": ").ok_or_else(wrong)?;
            if name == "instruction set" {
                value.clone_into(&mut record.instruction_set);
            } else {
                record.counts.push((name.to_owned(), value.parse().map_err(|_| wrong())?));
            }
        }
        Ok(record)
    }

    /// Writes the record.
    pub fn save(&self) -> Result<(), String> {
        let mut text = "# Instructions of one step and sample. Written by `cargo run --release -p benches --bin instructions -- \
                        --record`.\n"
            .to_owned();
        let _ = writeln!(text, "instruction set: {}", self.instruction_set);
        for (name, count) in &self.counts {
            let _ = writeln!(text, "{name}: {count}");
        }
        let path = Self::path();
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// A workload's count.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.counts.iter().find(|(own, _)| own == name).map(|(_, count)| *count)
    }
}

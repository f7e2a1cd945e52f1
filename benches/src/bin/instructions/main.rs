//! The instructions of a step and of a training pass, counted by callgrind and compared with the
//! record.
//!
//! `cargo run --release -p benches --bin instructions` fails if a workload takes more than
//! [`TOLERANCE`] times its record, because a kernel no longer vectorises or a schedule has grown.
//! `-- --record` updates the record after an intended change. Counts do not depend on the load of
//! the machine, so this can be a test, unlike measurements of time.
//!
//! The program runs itself under valgrind, which supports AVX2 and FMA but not AVX-512, so it
//! counts the AVX2 code and the portable code.

mod callgrind;
mod record;
mod workloads;

use benches::machine;
use benches::run::exit_code;
use benches::table::Table;
use lexopt::{Arg, Parser};
use record::Record;
use std::error::Error;
use std::process::ExitCode;
use workloads::Workload;

/// The option of the process that runs under callgrind.
const WATCHED: &str = "watched";

/// The maximal ratio of a count and its record. Compilers differ by a few per cent; a loop that no
/// longer vectorises takes at least twice as many instructions.
const TOLERANCE: f64 = 1.12;

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut work: fn() -> Result<(), String> = compare;
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        work = match argument {
            Arg::Long("record") => || count()?.save(),
            Arg::Long(WATCHED) => be_watched,
            _ => return Err(argument.unexpected().into()),
        };
    }
    Ok(work()?)
}

/// Runs every workload for callgrind to count.
fn be_watched() -> Result<(), String> {
    println!("{}", machine::instruction_set());
    workloads::all().iter_mut().for_each(|workload| callgrind::counted(&mut *workload.work));
    Ok(())
}

/// The counted instruction sets, with their names for `RNN_CELL_ISA` and in
/// [`machine::instruction_set`].
const SETS: [(&str, &str); 2] = [("avx2", "AVX2 + FMA"), ("portable", "portable")];

/// Counts every workload under every instruction set.
fn count() -> Result<Record, String> {
    let workloads = workloads::all();
    let mut record = Record { counts: vec![] };
    for (set, name) in SETS {
        let report = callgrind::run(&format!("--{WATCHED}"), set)?;
        if report.printed.trim() != name {
            return Err(format!(
                "expected {name}, but valgrind has {} on this machine",
                report.printed.trim()
            ));
        }
        if report.counts.len() != workloads.len() {
            return Err(format!(
                "callgrind counted {} workloads of {}",
                report.counts.len(),
                workloads.len()
            ));
        }
        for (workload, count) in workloads.iter().zip(&report.counts) {
            record.counts.push((key(set, workload), count / workload.units));
        }
    }
    Ok(record)
}

fn key(set: &str, workload: &Workload) -> String {
    format!("{set}, {}", workload.name)
}

fn compare() -> Result<(), String> {
    let (now, before) = (count()?, Record::load()?);
    let mut failed = vec![];
    for (set, name) in SETS {
        let note = "Per step and sample; training is forward and backward. A multiply-add of 8 lanes is one instruction of 16 FLOP.";
        let columns = ["workload", "instructions", "FLOP per instruction", "on record", "ratio", ""];
        let mut table = Table::new(&format!("Instructions: {name}"), note, columns);
        for workload in workloads::all() {
            let key = key(set, &workload);
            let count = now.get(&key).unwrap_or(0);
            let recorded = before.get(&key);
            let ratio = recorded.map(|recorded| count as f64 / recorded as f64);
            let verdict = match ratio {
                Some(ratio) if ratio <= TOLERANCE => "",
                Some(_) => "too many",
                None => "not on record",
            };
            if !verdict.is_empty() {
                failed.push(format!("{key}: {verdict}"));
            }
            table.row([
                workload.name.clone(),
                count.to_string(),
                format!("{:.1}", workload.flops as f64 / count as f64),
                recorded.map_or(String::new(), |recorded| recorded.to_string()),
                ratio.map_or(String::new(), |ratio| format!("{ratio:.2}")),
                verdict.to_owned(),
            ]);
        }
        table.print();
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\nthe limit is {TOLERANCE} times the record; if the change is intended, update the record with `-- --record`",
        failed.join("\n")
    ))
}

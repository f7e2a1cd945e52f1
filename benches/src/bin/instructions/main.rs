//! How many instructions a step and a training pass take, counted by callgrind and held against what is on record.
//!
//! `cargo run --release -p benches --bin instructions` fails if a workload takes more than [`TOLERANCE`] above its record: a kernel
//! has stopped vectorising, or a schedule has grown. `-- --record` writes the record anew, for a change that is meant to
//! be. Counts don't depend on how busy the machine is, so this is a test where a clock couldn't be one.
//!
//! It runs itself under valgrind. Valgrind knows AVX2 and FMA but not AVX-512, so it is the AVX2 code that is counted.

mod callgrind;
mod record;
mod workloads;

use benches::machine;
use benches::measure::Table;
use record::Record;
use workloads::Workload;

/// The argument under which this program is what callgrind watches.
const WATCHED: &str = "--watched";

/// How far above its record a count may be. Compilers differ by a few per cent; a loop that loses its vectors takes twice as many
/// instructions and more.
const TOLERANCE: f64 = 1.12;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match *arguments {
        [WATCHED] => {
            println!("{}", machine::instruction_set());
            workloads::all().iter_mut().for_each(|workload| callgrind::counted(&mut *workload.work));
            Ok(())
        }
        [] => compare(),
        ["--record"] => count().and_then(|record| record.save()),
        _ => Err("usage: instructions [--record]".to_owned()),
    };
    if let Err(reason) = outcome {
        eprintln!("error: {reason}");
        std::process::exit(1);
    }
}

/// Counts every workload.
fn count() -> Result<Record, String> {
    let report = callgrind::run(WATCHED)?;
    let workloads = workloads::all();
    if report.counts.len() != workloads.len() {
        return Err(format!("callgrind counted {} workloads of {}", report.counts.len(), workloads.len()));
    }
    let per_unit = |(workload, count): (&Workload, &u64)| (workload.name.clone(), count / workload.units);
    let counts = workloads.iter().zip(&report.counts).map(per_unit).collect();
    Ok(Record { instruction_set: report.printed.trim().to_owned(), counts })
}

fn compare() -> Result<(), String> {
    let (now, before) = (count()?, Record::load()?);
    if now.instruction_set != before.instruction_set {
        let (now, before) = (now.instruction_set, before.instruction_set);
        return Err(format!("the record is of {before}; under valgrind this machine has {now}"));
    }
    let note = "Of one step and sample; training is forward and backward. A multiply-add of 8 lanes is one instruction of 16 FLOP.";
    let columns = ["workload", "instructions", "FLOP an instruction", "on record", "ratio", ""];
    let mut table = Table::new("Instructions", note, columns);
    let mut failed = vec![];
    for (workload, (name, count)) in workloads::all().iter().zip(&now.counts) {
        let recorded = before.get(name);
        let ratio = recorded.map(|recorded| *count as f64 / recorded as f64);
        let verdict = match ratio {
            Some(ratio) if ratio <= TOLERANCE => "",
            Some(_) => "too many",
            None => "not on record",
        };
        if !verdict.is_empty() {
            failed.push(format!("{name}: {verdict}"));
        }
        table.row([
            name.clone(),
            count.to_string(),
            format!("{:.1}", workload.flops as f64 / *count as f64),
            recorded.map_or(String::new(), |recorded| recorded.to_string()),
            ratio.map_or(String::new(), |ratio| format!("{ratio:.2}")),
            verdict.to_owned(),
        ]);
    }
    table.print();
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\nthe limit is {TOLERANCE} times the record; if the change is meant to be, write the record anew with `-- --record`",
        failed.join("\n")
    ))
}

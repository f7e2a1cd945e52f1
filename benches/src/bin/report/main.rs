//! Everything side by side in one run, as Markdown tables.
//!
//! `cargo run --release -p benches --bin report -- [--quick] [growth] [steps] [training] [cells]`: the named topics, or all.

mod cells;
mod growth;
mod steps;
mod training;

use benches::machine;
use benches::measure::{Contest, Effort, Times};
use std::process::Command;

/// What a topic needs to know of the run.
pub struct Run {
    effort: Effort,
    /// Unrest of every contest so far.
    unrest: Vec<f64>,
    /// Peak of multiply-adds, operations a nanosecond.
    peak: f64,
}

impl Run {
    /// Measures, and remembers how restless the machine was.
    fn measure(&mut self, contest: Contest) -> Times {
        let times = contest.run();
        self.unrest.push(times.unrest());
        times
    }
}

/// A name on the command line, and what prints its tables.
type Topic = (&'static str, fn(&mut Run));

/// Growth comes first: a tape must not find memory that another topic has freed.
const TOPICS: [Topic; 4] = [
    ("growth", growth::report),
    ("steps", steps::report),
    ("training", training::report),
    ("cells", cells::report),
];

fn main() {
    if alone() {
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let topics: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| *argument != "--quick").collect();
    if let Some(unknown) = topics.iter().find(|topic| TOPICS.iter().all(|(name, _)| name != *topic)) {
        eprintln!("no topic `{unknown}`; there are growth, steps, training, cells, and --quick");
        std::process::exit(2);
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let mut run = Run { effort: if quick { Effort::QUICK } else { Effort::FULL }, unrest: vec![], peak: 0.0 };
    header(&mut run);
    // Layers by hand pass their parameters through the stack.
    let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(move || {
        for (name, topic) in TOPICS {
            if topics_include(&arguments, name) {
                topic(&mut run);
            }
        }
        let unrest = benches::measure::median(&run.unrest);
        println!("\nIn the middle, a median slice took {unrest:.2} times as long as the fastest one.");
    });
    let finished = worker.expect("the system gives a thread").join();
    if finished.is_err() {
        std::process::exit(1);
    }
}

fn topics_include(arguments: &[String], name: &str) -> bool {
    let mut named = arguments.iter().filter(|argument| *argument != "--quick").peekable();
    named.peek().is_none() || named.any(|argument| argument == name)
}

/// Libraries that would take several threads are held to one, which only the environment of a new process can do.
fn alone() -> bool {
    const THREADS: &str = "RAYON_NUM_THREADS";
    if !cfg!(feature = "candle") || std::env::var_os(THREADS).is_some() {
        return false;
    }
    let program = std::env::current_exe().expect("the running program has a path");
    let status = Command::new(program).args(std::env::args_os().skip(1)).env(THREADS, "1").status();
    std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(1));
}

fn header(run: &mut Run) {
    let numbers = vec![1.0f32; machine::READ_BYTES / 4];
    let mut contest = Contest::new(run.effort);
    contest.enter("peak", machine::PEAK_FLOPS, machine::multiply_add);
    contest.enter("read", machine::READ_BYTES, || machine::read(&numbers));
    let times = run.measure(contest);
    run.peak = 1.0 / times.get("peak").expect("entered above");
    let read = 1.0 / times.get("read").expect("entered above");
    println!("# Report\n\n{}, {}, one thread.", machine::processor(), machine::instruction_set());
    println!("Peak of multiply-adds in f32: {:.1} GFLOP/s; second-level cache: {read:.0} GB/s.", run.peak);
    println!("Wall time of the fastest slice; in each row all competitors take turns.");
}

//! Valgrind's callgrind: counts instructions within one function, a count a call.

use std::path::Path;
use std::process::Command;

/// What callgrind looks for: within [`collected`] it counts, after [`counted`] it writes down. Of two options for one function it
/// would heed one.
const COLLECT: &str = "--toggle-collect=*callgrind::collected*";
const DUMP: &str = "--dump-after=*callgrind::counted*";

/// Does `work`. Only what happens in here is counted.
#[inline(never)]
pub fn counted(work: &mut dyn FnMut()) {
    collected(work);
    not_last();
}

#[inline(never)]
fn collected(work: &mut dyn FnMut()) {
    work();
    not_last();
}

/// Were a call the last thing in a function, it would be a jump, and the function would seem never to return.
fn not_last() {
    std::hint::black_box(());
}

/// What a run under callgrind gave.
pub struct Report {
    /// What the program printed.
    pub printed: String,
    /// Instructions of each call of [`counted`], in their order.
    pub counts: Vec<u64>,
}

/// Runs this program under callgrind, its kernels under an instruction set.
pub fn run(argument: &str, set: &str) -> Result<Report, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program's path: {error}"))?;
    let folder = std::env::temp_dir().join(format!("instructions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let out = folder.join("callgrind");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", COLLECT, DUMP])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .arg(argument)
        .env("RNN_CELL_ISA", set)
        .output()
        .map_err(|error| format!("`valgrind` can't be run: {error} (Debian: `apt-get install valgrind`)"))?;
    let counts = output.status.success().then(|| parts(&out)).transpose();
    // What was read is no longer needed; what can't be removed lies in a folder for temporary files.
    let _ = std::fs::remove_dir_all(&folder);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    match counts? {
        Some(counts) => Ok(Report { printed, counts }),
        None => Err(format!("callgrind failed:\n{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// The sums of the profiles `out.1`, `out.2`, ..: one a call.
fn parts(out: &Path) -> Result<Vec<u64>, String> {
    let mut counts = vec![];
    loop {
        let path = out.with_extension((counts.len() + 1).to_string());
        let Ok(profile) = std::fs::read_to_string(&path) else { return Ok(counts) };
        let total = profile.lines().find_map(|line| line.strip_prefix("totals: "));
        let total = total.and_then(|total| total.trim().parse().ok());
        let total = total.filter(|total| *total > 0);
        counts.push(total.ok_or_else(|| format!("{}: no total, or zero", path.display()))?);
    }
}

//! Valgrind's callgrind, which counts instructions within one function, with one count per call.

use std::path::Path;
use std::process::Command;

/// The option that counts only within [`collected`].
const COLLECT: &str = "--toggle-collect=*callgrind::collected*";
/// The option that writes the count after [`counted`]. Callgrind would use only one of two options
/// for the same function.
const DUMP: &str = "--dump-after=*callgrind::counted*";

/// Runs `work`. Only the instructions in this function are counted.
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

/// Keeps a call from being the last instruction of a function. It would become a jump, and the
/// function would seem never to return.
fn not_last() {
    std::hint::black_box(());
}

/// The results of a run under callgrind.
pub struct Report {
    /// The output of the program.
    pub printed: String,
    /// The instructions of each call of [`counted`], in order.
    pub counts: Vec<u64>,
}

/// Runs this program under callgrind, with kernels for the given instruction set.
pub fn run(argument: &str, set: &str) -> Result<Report, String> {
    let program =
        std::env::current_exe().map_err(|error| format!("cannot determine this program's path: {error}"))?;
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
        .map_err(|error| format!("cannot run `valgrind`: {error} (Debian: `apt-get install valgrind`)"))?;
    let counts = output.status.success().then(|| parts(&out)).transpose();
    // The files are no longer needed. If they cannot be removed, they stay in a temporary folder.
    let _ = std::fs::remove_dir_all(&folder);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    match counts? {
        Some(counts) => Ok(Report { printed, counts }),
        None => Err(format!("callgrind failed:\n{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// Reads the totals of the profiles `out.1`, `out.2`, .., one per call.
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

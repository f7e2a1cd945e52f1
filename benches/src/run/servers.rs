//! Libraries that are measured in separate processes.

use super::options::Options;
use crate::measure::Server;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

/// The running processes.
pub struct Servers(Vec<Rc<Server>>);

/// The variable that limits multi-threaded libraries to one thread.
const THREADS: &str = "RAYON_NUM_THREADS";

impl Servers {
    pub fn start(options: &Options) -> Result<Self, String> {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut commands = vec![];
        if !options.peers.is_empty() {
            commands.push(Command::new(peers(benches, &options.peers, "peers", "")?));
        }
        if options.native {
            commands.push(Command::new(peers(benches, "nexus", "native", "-C target-cpu=native")?));
        }
        if let Some(path) = &options.python {
            let mut command = Command::new(path);
            command.arg(benches.join("peers.py"));
            commands.push(command);
        }
        let start = |mut command: Command| {
            let server = Server::start(command.env(THREADS, "1"));
            server.map(Rc::new).map_err(|error| format!("{}: {error}", command.get_program().display()))
        };
        commands.into_iter().map(start).collect::<Result<_, _>>().map(Servers)
    }

    /// Returns an iterator over the processes.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Server>> {
        self.0.iter()
    }

    /// Requests that all processes drop the work that they have built.
    pub fn clear(&self) {
        self.0.iter().for_each(|server| server.clear());
    }
}

/// Builds the package `peers` with the features. Returns the path of the program.
fn peers(benches: &Path, features: &str, folder: &str, flags: &str) -> Result<PathBuf, String> {
    eprintln!("building {features}{}{flags}", if flags.is_empty() { "" } else { " with " });
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| benches.join("../target"), PathBuf::from);
    let target = target.join(folder);
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--features", features, "--target-dir"])
        .arg(&target)
        .current_dir(benches.join("peers"))
        .env("RUSTFLAGS", flags)
        .status();
    match status {
        Ok(status) if status.success() => Ok(target.join("release/peers")),
        Ok(_) => Err(format!("cannot build `{features}`")),
        Err(error) => Err(format!("cannot run cargo: {error}")),
    }
}

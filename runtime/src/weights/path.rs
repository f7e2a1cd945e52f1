//! Files on disk.

use alloc::string::ToString;
use alloc::vec;
#[cfg(any(feature = "safetensors", feature = "nam"))]
use alloc::vec::Vec;
use std::path::Path;

use super::error::{Error, Problem};

/// What `read` makes of the file at `path`; its error names the path.
pub(super) fn read<V>(path: &Path, read: impl FnOnce(&[u8]) -> Result<V, Error>) -> Result<V, Error> {
    let bytes = std::fs::read(path).map_err(|error| at(path, system(true, &error)))?;
    read(&bytes).map_err(|error| at(path, error))
}

/// Replaces the file at `path` by what `bytes` gives, once that is complete: whoever reads it sees the one or the other.
#[cfg(any(feature = "safetensors", feature = "nam"))]
pub(super) fn write(path: &Path, bytes: impl FnOnce() -> Result<Vec<u8>, Error>) -> Result<(), Error> {
    let bytes = bytes().map_err(|error| at(path, error))?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(alloc::format!(".{}.partial", std::process::id()));
    let result = std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path));
    result.map_err(|error| {
        // Best effort: what matters is the error above.
        let _ = std::fs::remove_file(&beside);
        at(path, system(false, &error))
    })
}

fn at(path: &Path, error: Error) -> Error {
    Error { path: Some(path.display().to_string()), ..error }
}

fn system(loading: bool, error: &std::io::Error) -> Error {
    Error { loading, path: None, problems: vec![Problem::File { message: error.to_string() }] }
}

//! Reading and writing whole files on disk.

use alloc::string::ToString;
#[cfg(any(feature = "safetensors", feature = "nam"))]
use alloc::vec::Vec;
use std::path::Path;

use super::error::{Error, Problem};

/// Calls `read` with the bytes of the file at `path`. Errors name the path.
pub(super) fn read<V>(path: &Path, read: impl FnOnce(&[u8]) -> Result<V, Error>) -> Result<V, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::loading([problem(&error)]));
    bytes.and_then(|bytes| read(&bytes)).map_err(|error| error.at(path))
}

/// Replaces the file at `path` by the result of `bytes`. Other programs see either the old file or
/// the complete new one. Errors name the path.
#[cfg(any(feature = "safetensors", feature = "nam"))]
pub(super) fn write(path: &Path, bytes: impl FnOnce() -> Result<Vec<u8>, Error>) -> Result<(), Error> {
    let bytes = bytes().map_err(|error| error.at(path))?;
    let mut partial = path.as_os_str().to_owned();
    partial.push(alloc::format!(".{}.partial", std::process::id()));
    let result = std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, path));
    result.map_err(|error| {
        // Best effort: the caller needs the error above.
        let _ = std::fs::remove_file(&partial);
        Error::saving([problem(&error)]).at(path)
    })
}

fn problem(error: &std::io::Error) -> Problem {
    Problem::File { message: error.to_string() }
}

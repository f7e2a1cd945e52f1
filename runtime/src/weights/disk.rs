//! Reading and writing whole files on disk.

use alloc::string::ToString;
#[cfg(any(feature = "safetensors", feature = "nam"))]
use alloc::vec::Vec;
use std::path::Path;
#[cfg(any(feature = "safetensors", feature = "nam"))]
use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::error::{Error, Problem};

/// Calls `read` with the bytes of the file at `path`. Errors name the path.
pub(crate) fn read<V>(path: &Path, read: impl FnOnce(&[u8]) -> Result<V, Error>) -> Result<V, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::loading([problem(&error)]));
    bytes.and_then(|bytes| read(&bytes)).map_err(|error| error.at(path))
}

/// Replaces the file at `path` by the result of `bytes`. Other programs, and this one after a
/// crash, see either the old file or the complete new one. Errors name the path.
#[cfg(any(feature = "safetensors", feature = "nam"))]
pub(crate) fn write(path: &Path, bytes: impl FnOnce() -> Result<Vec<u8>, Error>) -> Result<(), Error> {
    let bytes = bytes().map_err(|error| error.at(path))?;
    saved(path, replace(path, &bytes))
}

/// Adds the path to the error of a write.
#[cfg(any(feature = "safetensors", feature = "nam"))]
pub(crate) fn saved(path: &Path, result: io::Result<()>) -> Result<(), Error> {
    result.map_err(|error| Error::saving([problem(&error)]).at(path))
}

/// Writes a temporary file in the same folder, and renames it once its bytes are on the disk.
#[cfg(any(feature = "safetensors", feature = "nam"))]
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = partial(path);
    let written = fs::File::create(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&partial, path)).inspect_err(|_| {
        // Best effort: the caller needs the error above.
        let _ = fs::remove_file(&partial);
    })?;
    sync_folder(path);
    Ok(())
}

/// Returns the path of a temporary file beside `path` that no other write of this program uses.
#[cfg(any(feature = "safetensors", feature = "nam"))]
fn partial(path: &Path) -> PathBuf {
    static WRITES: AtomicUsize = AtomicUsize::new(0);
    let mut partial = path.as_os_str().to_owned();
    partial.push(alloc::format!(
        ".{}.{}.partial",
        std::process::id(),
        WRITES.fetch_add(1, Ordering::Relaxed)
    ));
    partial.into()
}

/// Removes the temporary files of programs that were killed while they wrote the file at `path`.
#[cfg(feature = "safetensors")]
pub(crate) fn remove_partial(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let own = file.file_name().into_encoded_bytes();
        let rest = own.strip_prefix(name.as_encoded_bytes());
        if rest.is_some_and(|rest| rest.starts_with(b".") && rest.ends_with(b".partial")) {
            // Best effort: the files are never read.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Waits until the new name of the file is on the disk, where the system can. The file is complete
/// in any case, so a failure is not reported.
#[cfg(any(feature = "safetensors", feature = "nam"))]
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let _ = fs::File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
}

fn problem(error: &std::io::Error) -> Problem {
    Problem::File { message: error.to_string() }
}

//! `unsafe` stands in the kernels alone, and the list of it there is true.

use std::collections::BTreeMap;
use std::path::Path;

/// How often a file says `unsafe`, comments and strings of one line aside.
fn count(file: &Path) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| *word == "unsafe")
        .count()
}

/// The files below a folder that say it, and how often.
fn found(root: &Path, folder: &Path, counts: &mut BTreeMap<String, usize>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            found(root, &path, counts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("a file below its root").to_string_lossy().into_owned();
            match count(&path) {
                0 => {}
                n => drop(counts.insert(name, n)),
            }
        }
    }
}

/// The rows of the table in `kernels/UNSAFE.md`.
fn listed(text: &str) -> BTreeMap<String, usize> {
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let file = cells.next()?.strip_suffix('`')?;
        Some((file.to_owned(), cells.next()?.parse().ok()?))
    });
    rows.collect()
}

#[test]
fn the_list_of_unsafe_code_is_true() {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src");
    let kernels = runtime.join("kernels");
    let mut counts = BTreeMap::new();
    found(&kernels, &kernels, &mut counts);
    let list =
        std::fs::read_to_string(kernels.join("UNSAFE.md")).expect("the list stands beside the kernels");
    assert_eq!(counts, listed(&list), "found beside listed: say in UNSAFE.md why, and what exercises it");

    let mut others = BTreeMap::new();
    found(&runtime, &runtime, &mut others);
    others.retain(|file, _| !file.starts_with("kernels"));
    assert_eq!(others, BTreeMap::new(), "beside the kernels");
}

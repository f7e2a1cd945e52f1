//! Collects the cells of the gallery from the sources of the library and of its tests, as
//! `gallery.rs` in the build's folder: `&[(heading, &[(name, definition)])]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The cells of the library, whose page lists them by kind.
const LIBRARY: &str = "../../runtime/src/cells";
/// The other cells, each list with a heading and a source file.
const OTHERS: &[(&str, &str)] = &[("From papers", "../../tests/papers/cells.rs")];

fn main() {
    let mut cells = BTreeMap::new();
    for file in rust_files(Path::new(LIBRARY)) {
        cells.extend(definitions(&file));
    }
    let mut gallery = vec![];
    for (heading, names) in headings(&read(&Path::new(LIBRARY).join("mod.rs"))) {
        let listed: Vec<(String, String)> =
            names.into_iter().filter_map(|name| cells.remove_entry(&name)).collect();
        gallery.push((heading, listed));
    }
    let unlisted: Vec<&String> = cells.keys().collect();
    assert!(unlisted.is_empty(), "{LIBRARY}/mod.rs doesn't list the cells {unlisted:?}");
    for (heading, file) in OTHERS {
        gallery.push((heading.to_string(), definitions(Path::new(file))));
    }
    let folder = env::var_os("OUT_DIR").expect("cargo names the folder");
    let sections: String =
        gallery.iter().map(|(heading, cells)| format!("    ({heading:?}, &{cells:?}),\n")).collect();
    fs::write(Path::new(&folder).join("gallery.rs"), format!("&[\n{sections}]\n"))
        .expect("the folder can be written");
    println!("cargo::rerun-if-changed={LIBRARY}");
    OTHERS.iter().for_each(|(_, file)| println!("cargo::rerun-if-changed={file}"));
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = vec![];
    for entry in entries {
        let path = entry.expect("an entry of the folder").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Returns the headings of a module's page, with the names in code below each.
fn headings(source: &str) -> Vec<(String, Vec<String>)> {
    let mut headings: Vec<(String, Vec<String>)> = vec![];
    for line in source.lines().filter_map(|line| line.strip_prefix("//! ")) {
        if let Some(heading) = line.strip_prefix("# ") {
            headings.push((heading.to_owned(), vec![]));
        } else if let Some((_, names)) = headings.last_mut()
            && line.starts_with("| `")
        {
            let cell = line.split(" | ").next().unwrap_or_default();
            names.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    headings
}

/// Returns the names and definitions of the cells in a file.
fn definitions(file: &Path) -> Vec<(String, String)> {
    let source = read(file);
    let tokens: TokenStream = source.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut found = vec![];
    collect(&source, tokens, &mut found);
    proc_macro2::extra::invalidate_current_thread_spans();
    found
}

fn collect(source: &str, tokens: TokenStream, found: &mut Vec<(String, String)>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else { continue };
        let is_call = index >= 2
            && group.delimiter() == Delimiter::Brace
            && matches!(&trees[index - 2], TokenTree::Ident(name) if name == "rnn_cell");
        if is_call {
            found.extend(cells(source, group.stream()));
        } else {
            collect(source, group.stream(), found);
        }
    }
}

/// Splits the contents of one `rnn_cell!`. Each cell ends with its braces.
fn cells(source: &str, tokens: TokenStream) -> Vec<(String, String)> {
    let mut cells = vec![];
    let mut start = None;
    let (mut name, mut is_next) = (String::new(), false);
    for tree in tokens {
        let place = tree.span().byte_range();
        let first = *start.get_or_insert(place.start);
        match &tree {
            TokenTree::Ident(ident) if is_next => {
                name = ident.to_string();
                is_next = false;
            }
            TokenTree::Ident(ident) => is_next = ident == "cell",
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                cells.push((name.clone(), outdented(&source[first..place.end])));
                start = None;
            }
            _ => {}
        }
    }
    cells
}

/// Removes the indentation of the definition's last line from all lines.
fn outdented(definition: &str) -> String {
    let last = definition.lines().last().unwrap_or_default();
    let indentation = &last[..last.len() - last.trim_start().len()];
    let lines = definition.lines().map(|line| line.strip_prefix(indentation).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

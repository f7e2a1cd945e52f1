//! Tests that the reference of the language, and the comments that editors show, list the functions
//! and initialisers of the compiler's tables.
//!
//! After a change of a table, run `GUIDE=overwrite cargo test -p rnn-cell-compiler guide`.

use crate::analysis::initialisers;
use crate::graph::ops::{self, Operation, ShapeRule};

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime/src/language.md");
const FOR_EDITORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime/src/language.rs");

/// The column where prose ends.
const WIDTH: usize = 100;

/// Replaces the lines between `begin` and the next line `end`.
fn between(text: &str, begin: &str, end: &str, new: &str) -> String {
    let (before, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no `{begin}`"));
    // The lines that are replaced may be none.
    let at = if rest.starts_with(end) { 0 } else { 1 + rest.find(&format!("\n{end}")).expect("the end") };
    format!("{before}{begin}{new}{}", &rest[at..])
}

/// Writes a Markdown table.
fn table(rows: impl Iterator<Item = (&'static str, &'static str)>) -> String {
    rows.map(|(signature, doc)| format!("| `{signature}` | {doc} |\n")).collect()
}

/// Writes a doc comment of a trait's item. Lines break between words, not within code.
fn comment(doc: &str) -> String {
    let mut lines = vec![String::from("    ///")];
    let mut is_code = false;
    let words = doc.split(|character: char| {
        is_code ^= character == '`';
        character == ' ' && !is_code
    });
    for word in words {
        let last = lines.last_mut().expect("there is a line");
        if last.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("    /// {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Writes a function of the language as an item of a trait.
fn method(operation: &Operation) -> String {
    let arguments = match operation.shape {
        ShapeRule::Where => "condition: bool, u: Self, v: Self".to_owned(),
        _ => {
            // The longest form is the last of the signature.
            let (_, arguments) = operation.signature.rsplit_once('(').expect("a call");
            let written: Vec<String> = arguments
                .trim_end_matches(')')
                .split(", ")
                .enumerate()
                .map(|(index, argument)| {
                    if index < operation.arity.0 {
                        format!("{argument}: Self")
                    } else {
                        format!("{argument}: Option<Self>")
                    }
                })
                .collect();
            assert_eq!(written.len(), operation.arity.1, "{}", operation.name);
            written.join(", ")
        }
    };
    // `where` is a keyword of Rust.
    let raw = if operation.shape == ShapeRule::Where { "r#" } else { "" };
    format!("{}    fn {raw}{}({arguments}) -> Self;\n", comment(operation.doc), operation.name)
}

fn check(path: &str, update: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(path).expect("the file is in the repository");
    let updated = update(&text);
    if std::env::var_os("GUIDE").is_some_and(|value| value == "overwrite") {
        std::fs::write(path, &updated).expect("the file can be written");
        return;
    }
    assert!(text == updated, "{path}: run the test with `GUIDE=overwrite` and read the changes");
}

#[test]
fn the_guide_to_the_language_lists_every_function_and_initialiser() {
    check(REFERENCE, |text| {
        let functions = table(ops::all().map(|operation| (operation.signature, operation.doc)));
        let text = between(text, "| function | meaning |\n| --- | --- |\n", "\n", &functions);
        let initialisers = table(initialisers::TABLE.iter().map(|known| (known.signature, known.doc)));
        between(&text, "| initialiser | entries |\n| --- | --- |\n", "\n", &initialisers)
    });
}

#[test]
fn the_guide_in_editors_describes_every_function() {
    check(FOR_EDITORS, |text| {
        let methods: String = ops::all().map(method).collect();
        between(text, "pub trait Function: Sized {\n", "}\n", &methods)
    });
}

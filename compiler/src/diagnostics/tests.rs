//! A check of the cases in `ui-tests/fail` without rustc. It compares every message word for word,
//! the start of its span, and the number of messages. It takes a second, whereas the compile-fail
//! tests take minutes. The compile-fail tests also compare rustc's own errors.

use crate::derive::derive;
use crate::emit::context::Runtime;
use crate::expand::expand;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::fs;
use std::path::{Path, PathBuf};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ui-tests/fail");

/// The line and column, and the text without white space. rustc and `proc_macro2` differ in the
/// spaces of quoted code.
type Message = ((usize, usize), String);

/// Returns the definitions in a Rust file.
fn definitions(tokens: TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = vec![];
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let is_macro = at >= 2
            && matches!(&tokens[at - 1], TokenTree::Punct(punct) if punct.as_char() == '!')
            && matches!(&tokens[at - 2], TokenTree::Ident(name) if name == "rnn_cell");
        if is_macro { found.push(group.stream()) } else { found.extend(definitions(group.stream())) }
    }
    found
}

fn message((line, column): (usize, usize), text: &str) -> Message {
    let words: String = text.split_whitespace().collect();
    // Outside a compiler, the position right behind a token has no span.
    let column = if words.starts_with("expected`;`") { 0 } else { column };
    ((line, column), words)
}

/// Returns the items of a Rust file with `#[derive(Model)]`.
fn models(tokens: TokenStream) -> Vec<TokenStream> {
    let file: syn::File = syn::parse2(tokens).expect("a case is a Rust file");
    let derives = |attributes: &[syn::Attribute]| {
        attributes.iter().any(|attribute| *attribute == syn::parse_quote!(#[derive(Model)]))
    };
    let mut found = vec![];
    for item in file.items {
        let attributes = match &item {
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Enum(item) => &item.attrs,
            syn::Item::Union(item) => &item.attrs,
            _ => continue,
        };
        if derives(attributes) {
            found.push(item.to_token_stream());
        }
    }
    found
}

/// Returns the messages at the front of an expansion. Each is the string in the braces of a
/// `::core::compile_error!`.
fn reported(expansion: TokenStream) -> Vec<Message> {
    let mut start = None;
    let mut found = vec![];
    for token in expansion {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#') {
            break;
        }
        let place = token.span().start();
        let first = *start.get_or_insert((place.line, place.column + 1));
        if let TokenTree::Group(group) = token {
            let text: syn::LitStr = syn::parse2(group.stream()).expect("a message is a string");
            found.push(message(first, &text.value()));
            start = None;
        }
    }
    found
}

/// Returns the messages in a `.stderr` file, each with the position that rustc points at.
fn in_snapshot(stderr: &str) -> Vec<Message> {
    let mut found = vec![];
    for block in stderr.split("error: ").skip(1) {
        let (text, rest) = block.split_once("--> ").expect("a message has a place");
        let place = rest.lines().next().unwrap_or_default();
        let mut numbers = place.rsplit(':').map(|number| number.parse().expect("a line and a column"));
        let (column, line) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        found.push(message((line, column), text));
    }
    found
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).expect("the cases are in the repository").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(cases(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_message_word_for_word() {
    let mut checked = 0;
    for case in cases(Path::new(CASES)) {
        let source = fs::read_to_string(&case).expect("a case is text");
        // A file that is not a sequence of tokens never reaches a macro.
        let Ok(tokens) = source.parse::<TokenStream>() else { continue };
        let cells = definitions(tokens.clone()).into_iter();
        let expansions = cells.map(|cell| expand(&Runtime::new(quote!(::rnn_cell)), cell).errors);
        let is_derived = source.contains("derive(Model)");
        let derived = is_derived.then(|| models(tokens)).into_iter().flatten().map(derive);
        let mut found: Vec<Message> = expansions.chain(derived).flat_map(reported).collect();
        let stderr = fs::read_to_string(case.with_extension("stderr")).expect("a case has a `.stderr` file");
        let mut expected = in_snapshot(&stderr);
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{}", case.display());
        checked += 1;
    }
    assert!(checked > 150, "{checked}");
}

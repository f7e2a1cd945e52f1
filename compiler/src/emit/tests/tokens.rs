//! Which words an expansion uses.

use super::{LSTM, expand, parse};
use crate::testing::samples::SAMPLES;
use crate::testing::source::read_all;
use proc_macro2::{Spacing, TokenStream, TokenTree};

/// All tokens in order, those within brackets too; without lifetimes and literals.
fn flat(tokens: TokenStream, into: &mut Vec<String>) {
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            // `::`, beside `x: ::T`
            TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint => {
                tokens.next();
                into.push("::".to_owned());
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                tokens.next();
            }
            TokenTree::Group(group) => {
                into.push("(".to_owned());
                flat(group.stream(), into);
                into.push(")".to_owned());
            }
            TokenTree::Literal(_) => into.push("1".to_owned()),
            other => into.push(other.to_string()),
        }
    }
}

fn words(source: &str) -> Vec<String> {
    let expansion = expand(source);
    parse(&expansion);
    let mut words = vec![];
    flat(expansion, &mut words);
    words
}

fn all() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().copied().chain([LSTM])
}

#[test]
fn nothing_is_unsafe() {
    for source in all() {
        let words = words(source);
        for word in ["unsafe", "unwrap", "expect", "panic", "todo", "unimplemented", "compile_error"] {
            assert!(!words.iter().any(|other| other == word), "`{word}` of {source}");
        }
    }
}

#[test]
fn an_expansion_is_always_the_same() {
    for source in all() {
        assert_eq!(expand(source).to_string(), expand(source).to_string());
    }
}

/// A path starts at the root of a crate or at `Self`, so that no item of the user's can come between; only what is
/// ours by its name (`__Step`) stands alone.
#[test]
fn paths_are_absolute() {
    for source in all() {
        let words = words(source);
        for at in 1..words.len() - 1 {
            // A lifetime before a root (`&'p ::core::..`) is no path.
            let is_start = words[at + 1] == "::" && !["::", ".", "'"].contains(&words[at - 1].as_str());
            // What stands before a path that starts at a crate's root, and what needs no root; `crate` is the user's.
            let others = [
                "Self", "crate", "f64", "clippy", "rustdoc", "as", "dyn", "for", "if", "impl", "in", "let",
                "match", "mut", "return", "use",
            ];
            let word = words[at].as_str();
            let is_word = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
            if is_start && is_word && !others.contains(&word) && !word.starts_with("__") {
                let context = words[at.saturating_sub(12)..(at + 12).min(words.len())].join(" ");
                panic!("a path starts with `{word}`: {context}, in {source}");
            }
        }
    }
}

/// What the prelude brings into scope may mean something else where the macro is used.
#[test]
fn nothing_of_the_prelude_is_used_by_its_name_alone() {
    let prelude = [
        "Some",
        "None",
        "Ok",
        "Err",
        "Option",
        "Result",
        "Vec",
        "String",
        "Box",
        "Default",
        "Clone",
        "Copy",
        "Send",
        "Sync",
        "Sized",
        "Drop",
        "Fn",
        "FnMut",
        "FnOnce",
        "From",
        "Into",
        "AsRef",
        "AsMut",
        "Iterator",
        "IntoIterator",
        "PartialEq",
        "Eq",
        "PartialOrd",
        "Ord",
        "Debug",
        "ToOwned",
        "ToString",
        "drop",
        "vec",
        "format",
        "assert",
        "debug_assert",
        "assert_eq",
        "matches",
        "println",
    ];
    for source in all() {
        let words = words(source);
        for at in 1..words.len() {
            let is_alone = !["::", ".", "fn"].contains(&words[at - 1].as_str());
            // A type that the user derives stands as the user wrote it.
            let is_derived = source.contains(&format!("derive({}", words[at]));
            let context = words[at.saturating_sub(8)..(at + 8).min(words.len())].join(" ");
            assert!(
                !is_alone || is_derived || !prelude.contains(&words[at].as_str()),
                "{context} in {source}"
            );
        }
    }
}

/// Made-up names give way to the user's, and to each other.
#[test]
fn names_are_unique() {
    let confusing = "cell Confusing<H> { input x: [H], h_prev_2: [H]; state h: [H]; param W: [H, H], h_prev: [H];
        i_pre = W @ h[t-1] + h_prev; i = sigmoid(i_pre + x); h = i * tanh(i) + h_prev_2; i_bar = h * i; output i_bar, h; }";
    for definition in all().chain([confusing]).flat_map(read_all) {
        let plan = definition.plan();
        let names = &plan.names;
        let mut texts: Vec<&str> = plan.graph.ids().map(|id| names.text(id)).collect();
        texts.sort_unstable();
        let twice = texts.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None, "{}", definition.cell.name);
    }
}

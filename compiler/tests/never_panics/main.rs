//! The macro never panics on random tokens or on valid definitions with random damage.
//!
//! In every case, the expansion must also be valid Rust, since rustc could not show the errors in
//! it otherwise, and it must not be empty.
//!
//! The default is 2,000 cases. This command runs a million:
//!
//! ```text
//! RNN_CELL_CASES=1000000 cargo test --release -p rnn-cell-compiler --test never_panics
//! ```
//!
//! `RNN_CELL_SEED=7` uses another seed, `RNN_CELL_FIRST=5000` continues from that case. A failing
//! case is shrunk and printed as source that can be pasted into a definition.

use proc_macro2::TokenStream;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

mod damage;
mod random;

use damage::{damaged, random_program, shrink};
use random::Random;

/// Reads a number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|_| panic!("{name} must be a whole number, not {value:?}")),
        Err(_) => default,
    }
}

/// Returns the valid definitions, sorted by file name.
fn corpus() -> Vec<(String, TokenStream)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let mut corpus: Vec<(String, TokenStream)> = std::fs::read_dir(folder)
        .expect("the folder of right definitions")
        .map(|entry| {
            let path = entry.expect("an entry of the folder").path();
            let text = std::fs::read_to_string(&path).expect("a definition");
            (path.display().to_string(), text.parse().expect("a definition that is tokens"))
        })
        .collect();
    corpus.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(corpus.len() >= 20, "only {} definitions in {folder}", corpus.len());
    corpus
}

thread_local! {
    /// A flag that suppresses the messages of panics in the macro, which shrinking would print a
    /// thousand times.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |cause| {
            if !QUIET.get() {
                loud(cause);
            }
        }));
    });
}

fn expand(definition: TokenStream) -> TokenStream {
    rnn_cell_compiler::expand(quote::quote!(::rnn_cell), definition)
}

/// Returns a description of the mistake in the expansion of `tokens`, if there is one.
fn complaint(tokens: &TokenStream) -> Option<String> {
    install_hook();
    QUIET.set(true);
    let expansion = panic::catch_unwind(AssertUnwindSafe(|| expand(tokens.clone())));
    QUIET.set(false);
    let expansion = match expansion {
        Ok(expansion) => expansion,
        Err(cause) => {
            let text = cause.downcast_ref::<String>().cloned();
            let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| text.to_string()));
            return Some(format!("the macro panicked: {}", text.unwrap_or_default()));
        }
    };
    match syn::parse2::<syn::File>(expansion) {
        Err(error) => Some(format!("the expansion is not valid Rust: {error}")),
        Ok(file) if file.items.is_empty() && !tokens.is_empty() => {
            Some("the expansion is empty: neither a cell nor an error".to_owned())
        }
        Ok(_) => None,
    }
}

/// Runs `cases` cases from `make`. Shrinks the first failing case and panics with it.
fn hold(what: &str, cases: u64, make: impl Fn(&mut Random) -> TokenStream) {
    let seed = setting("RNN_CELL_SEED", 1);
    for case in setting("RNN_CELL_FIRST", 0)..cases {
        let tokens = make(&mut Random::new(seed, case));
        if let Some(complaint_found) = complaint(&tokens) {
            let least = shrink(tokens, |smaller| complaint(smaller).is_some());
            panic!(
                "{what}, case {case} of seed {seed}: {complaint_found}\nshrunk to: {least}\nof which: {}",
                complaint(&least).unwrap_or_default(),
            );
        }
    }
}

#[test]
fn right_definitions_have_no_mistakes() {
    for (name, tokens) in corpus() {
        let expansion = expand(tokens).to_string();
        assert!(!expansion.contains("compile_error"), "{name}: {expansion:.2000}");
    }
}

#[test]
fn random_tokens() {
    let corpus: Vec<TokenStream> = corpus().into_iter().map(|(_, tokens)| tokens).collect();
    hold("random tokens", setting("RNN_CELL_CASES", 2_000) / 2, |random| random_program(random, &corpus));
}

#[test]
fn damaged_definitions() {
    let corpus: Vec<TokenStream> = corpus().into_iter().map(|(_, tokens)| tokens).collect();
    hold("damage", setting("RNN_CELL_CASES", 2_000).div_ceil(2), |random| damaged(random, &corpus));
}

/// Failing cases of long runs, shrunk.
#[test]
fn found_before() {
    for text in ["Random { h = | let | }", "cell C { h = r#match { t }; }", "Clock { h = h [t - struct] }"] {
        assert_eq!(complaint(&text.parse().expect("tokens")), None, "{text}");
    }
}

/// Deep nesting must not overflow the stack, which would abort rustc and which `catch_unwind`
/// cannot catch.
#[test]
fn depth_and_length_have_an_end() {
    let elman = |value: &str| -> TokenStream {
        format!("cell Deep<H> {{ state h: [H]; h = {value}; output h; }}").parse().expect("tokens")
    };
    let nested = |open: &str, close: &str| format!("{}h[t-1]{}", open.repeat(400), close.repeat(400));
    let cases = [
        nested("(", ")"),
        nested("tanh(", ")"),
        nested("[", "]"),
        nested("-", ""),
        nested("", ".T"),
        nested("1 + ", ""),
        nested("", " - 1"),
        nested("where(1 > 0, 1, ", ")"),
        format!("h[t-1]{}", " * 2 + 1".repeat(2_000)),
    ];
    for value in cases {
        // The stack size of a thread of rustc.
        let tokens = elman(&value).to_string();
        let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(move || {
            let tokens: TokenStream = tokens.parse().expect("tokens");
            complaint(&tokens)
        });
        let complaint = thread.expect("a thread").join().expect("no panic");
        assert_eq!(complaint, None, "{value:.60}");
    }
}

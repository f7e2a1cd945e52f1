//! Tests that an erroneous definition expands to the same items, with the same signatures, as a
//! correct one.

use super::{expand, expand_for, parse};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// Returns every type with its fields, every method and every implementation of a trait, without
/// bodies.
fn signatures(source: &str) -> Vec<String> {
    let mut found = vec![];
    for item in parse(&expand(source)).items {
        collect(&item, &mut found);
    }
    found
}

fn collect(item: &syn::Item, found: &mut Vec<String>) {
    match item {
        syn::Item::Struct(item) => {
            let mut item = item.clone();
            item.attrs.clear();
            let is_private = matches!(item.vis, syn::Visibility::Inherited);
            // Private fields may differ.
            for field in &mut item.fields {
                field.attrs.clear();
            }
            let name = item.ident.to_string();
            let is_opaque =
                is_private || name.ends_with("Tape") || name.ends_with("Live") || name.starts_with("__");
            let has_private = item.fields.iter().any(|field| matches!(field.vis, syn::Visibility::Inherited));
            let text = match is_opaque || has_private {
                true => format!("struct {name} {}", item.generics.to_token_stream()),
                false => item.to_token_stream().to_string(),
            };
            found.push(text);
        }
        syn::Item::Impl(item) => {
            let of = item.trait_.as_ref().map(|(path, ..)| path.to_token_stream().to_string());
            let head = format!(
                "{} for {} {}",
                of.clone().unwrap_or_default(),
                item.self_ty.to_token_stream(),
                item.generics.to_token_stream()
            );
            if of.is_some() {
                found.push(head.clone());
            }
            for inner in &item.items {
                match inner {
                    syn::ImplItem::Fn(method)
                        if of.is_some() || matches!(method.vis, syn::Visibility::Public(_)) =>
                    {
                        found.push(format!("{head}: {}", method.sig.to_token_stream()));
                    }
                    syn::ImplItem::Type(kind) => found.push(format!("{head}: {}", kind.to_token_stream())),
                    syn::ImplItem::Const(value) => found.push(format!("{head}: const {}", value.ident)),
                    _ => {}
                }
            }
        }
        syn::Item::Const(item) => {
            if let syn::Expr::Block(block) = &*item.expr {
                for statement in &block.block.stmts {
                    if let syn::Stmt::Item(item) = statement {
                        collect(item, found);
                    }
                }
            }
        }
        _ => {}
    }
}

#[test]
fn skeletons_have_every_item() {
    for (right, mistake, wrong) in [
        (
            "cell Right<I, H> { input x: [I]; state h: [H]; param W: [H, H + I], b: [H]; h = tanh(W @ [h[t-1], x] + b); output h; }",
            "tanh(W @ [h[t-1], x] + b)",
            "tanh(W @ [h[t-1], x] + b + nothing)",
        ),
        (
            "cell Right<I, H> { input x: [I]; state h: [H]; param W: [H, H + I], b: [H]; h = tanh(W @ [h[t-1], x] + b); output h; }",
            "W @ [h[t-1], x]",
            "W @ [x, h[t-1]]",
        ),
        (
            "cell Right<I, H> { input x: [I], m: [H]; state h: [H] = h0; param W: [H, I], h0: [H]; h = m * h[t-1] + W @ x; y = sum(h); output h, y; }",
            "W @ x",
            "W * x",
        ),
        (
            "cell Right<E, S> { context M: [E, S]; input q: [E]; a = softmax(M.T @ q); y = M @ a; output y; }",
            "softmax(M.T @ q)",
            "softmax(M.T @ q",
        ),
    ] {
        assert!(right.contains(mistake));
        let wrong = right.replace(mistake, wrong);
        // rustc reports an unclosed bracket.
        if wrong.parse::<proc_macro2::TokenStream>().is_err() {
            continue;
        }
        let text = expand(&wrong).to_string();
        assert!(text.contains("compile_error"), "{wrong}");
        let (mut expected, mut found) = (signatures(right), signatures(&wrong));
        expected.sort();
        found.sort();
        // Without a plan the initial state is zero, which is the default of the traits.
        let provided =
            ["fn start_on", "fn start_backward_on", "fn initial_state_with", "fn chunk", "type CleanInputs"];
        let is_provided = |item: &str| provided.iter().any(|name| item.contains(name));
        let missing: Vec<&String> =
            expected.iter().filter(|item| !found.contains(item) && !is_provided(item)).collect();
        assert!(missing.is_empty(), "{wrong} lacks {missing:#?}");
    }
}

#[test]
fn signatures_are_found() {
    let found =
        signatures("pub cell Right<H> { input x: [H]; state h: [H]; h = tanh(x + h[t-1]); output h; }");
    for name in ["pub struct Right <", "pub struct RightState <", "fn step", "fn forward", "fn backward"] {
        assert!(found.iter().any(|item| item.contains(name)), "{name}: {found:#?}");
    }
}

/// Collects every identifier of an expansion.
fn words(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => words(group.stream(), found),
            TokenTree::Ident(word) => found.push(word.to_string()),
            _ => {}
        }
    }
}

#[test]
fn expansions_without_a_heap_do_not_mention_it() {
    let source = "pub cell Right<I, H> { context k: [H]; input x: [I]; state h: [H] = tanh(h0 * k); param W: [H, H + I], h0: [H]; h = tanh(W @ [h[t-1], x] + exp(k)); y = sum(h); output h, y; }";
    let of = |runtime: TokenStream| {
        let mut found = vec![];
        words(expand_for(runtime, source), &mut found);
        found
    };
    let (with, without) = (of(quote!(::rnn_cell)), of(quote!(::rnn_cell no_alloc)));
    for word in ["Series", "RightTape", "forward_on", "backward_on", "Layer", "layer_methods"] {
        assert!(with.iter().any(|found| found == word), "{word}");
        assert!(!without.iter().any(|found| found == word), "{word}");
    }
    for word in [
        "RightState",
        "RightPrepared",
        "step",
        "prepare",
        "initial_state_with",
        "state",
        "model",
        "EQUATIONS",
    ] {
        assert!(without.iter().any(|found| found == word), "{word}");
    }
    assert!(!without.contains(&"no_alloc".to_owned()));
}

#[test]
fn quantised_copies_exist_only_on_request() {
    let source = "pub cell Right<I, H, V> { context k: [H]; input x: [I], w: one_hot[V]; state h: [H] = tanh(h0 * k); \
        param W: [H, H + I], E: [H, V], D: [I, H], h0: [H]; h = tanh(W @ [h[t-1], x] + E @ w + D.T @ x + exp(k)); output h; }";
    let of = |runtime: TokenStream, source: &str| {
        let (mut found, expansion) = (vec![], expand_for(runtime, source));
        parse(&expansion);
        words(expansion, &mut found);
        found
    };
    let (asked, plain) = (of(quote!(::rnn_cell quantised), source), of(quote!(::rnn_cell), source));
    for word in
        ["RightQuantised", "RightQuantisedPrepared", "narrow_products", "narrow_gather", "store_turned"]
    {
        assert!(asked.iter().any(|found| found == word), "{word}");
        assert!(!plain.iter().any(|found| found == word), "{word}");
    }
    assert!(!asked.contains(&"unsafe".to_owned()));
    // The steps of the cell itself do not change.
    let count = |found: &[String], word: &str| found.iter().filter(|found| *found == word).count();
    assert_eq!(count(&asked, "pull_back"), count(&plain, "pull_back"));

    // An erroneous definition has the types and signatures of a copy as well.
    let wrong = of(
        quote!(::rnn_cell quantised),
        "pub cell Wrong<H> { input x: [H]; param W: [H, H]; y = z; output y; }",
    );
    assert!(wrong.contains(&"WrongQuantised".to_owned()) && wrong.contains(&"compile_error".to_owned()));
}

/// A cell without values that depend on parameters or context alone has no struct of them.
#[test]
fn only_cells_with_prepared_values_have_a_struct_for_them() {
    let found = |equation: &str| {
        let source =
            format!("pub cell Right<H> {{ input x: [H]; param a: [H]; y = {equation} * x; output y; }}");
        let mut found = vec![];
        words(expand_for(quote!(::rnn_cell quantised), &source), &mut found);
        (found.contains(&"RightPrepared".to_owned()), found.contains(&"RightQuantisedPrepared".to_owned()))
    };
    assert_eq!(found("a"), (false, false));
    assert_eq!(found("exp(a)"), (true, false));
}

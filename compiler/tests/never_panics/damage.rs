//! Random token streams, random damage to valid definitions, and shrinking of failing cases.

use crate::random::Random;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The words and operators of the language and of Rust, and literals of every kind.
const VOCABULARY: &str = r##"
    cell pub input context state param buffer fn output one_hot t T H I h x c W b tanh sigmoid softmax where
    layer_norm clamp sum stop_gradient xavier_uniform uniform normal identity from_fn zeros orthogonal
    h_prev h_t np torch dot cat matmul let if else for return const usize lambda as in loop match type struct self Self crate
    super true false _ r#type r#match σ é let unsafe impl dyn mut ref static async await
    + - * / @ = . , ; : < > ! | & ^ % # $ ? ~ += -= == != <= >= :: .. => -> && || ** ..= << >>
    0 1 2 3.5 1e-3 1e999 0x1F 0b1 1_000 18446744073709551615 99999999999999999999999 1.0f32 1u8 2x 1e 0.
    'a' 'life "text" "" b"bytes" r"raw" c"c" /** doc */ /*! inner */
"##;

const DELIMITERS: [Delimiter; 4] =
    [Delimiter::Parenthesis, Delimiter::Bracket, Delimiter::Brace, Delimiter::None];

fn vocabulary() -> Vec<TokenTree> {
    // Words that are not tokens in some version of the lexer are left out.
    VOCABULARY
        .split_whitespace()
        .filter_map(|word| word.parse::<TokenStream>().ok())
        .flatten()
        .chain("/** doc */ struct X;".parse::<TokenStream>().into_iter().flatten())
        .collect()
}

fn random_tokens(random: &mut Random, vocabulary: &[TokenTree], depth: usize) -> TokenStream {
    let length = random.below(12);
    (0..length)
        .map(|_| {
            if depth < 5 && random.once_in(5) {
                let inner = random_tokens(random, vocabulary, depth + 1);
                Group::new(*random.pick(&DELIMITERS), inner).into()
            } else {
                random.pick(vocabulary).clone()
            }
        })
        .collect()
}

/// Returns random tokens: at top level, as the items of a cell, or as the values of equations.
pub fn random_program(random: &mut Random, corpus: &[TokenStream]) -> TokenStream {
    let mut vocabulary = vocabulary();
    vocabulary.extend(flat(random.pick(corpus).clone()));
    let tokens = |random: &mut Random| random_tokens(random, &vocabulary, 0);
    match random.below(4) {
        0 => (0..1 + random.below(3)).map(|_| tokens(random)).collect(),
        1 => {
            let body: TokenStream = (0..random.below(6)).map(|_| tokens(random)).collect();
            quote::quote!(pub cell Random<I, H> { #body })
        }
        2 => {
            let (shape, initial, value) = (tokens(random), tokens(random), tokens(random));
            quote::quote!(cell Random<I, H> {
                input x: [I];
                state h: [H];
                param W: [#shape] = #initial;
                h = #value;
                output h;
            })
        }
        _ => {
            let (dimensions, argument, value) = (tokens(random), tokens(random), tokens(random));
            quote::quote!(cell Random<#dimensions> {
                state h: [H];
                fn f(#argument) = #value;
                [a, b] = #value;
                h = f(#argument) + a + b;
                output h, a;
            })
        }
    }
}

/// Returns every token that is not a group.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => flat(group.stream()),
            token => vec![token],
        })
        .collect()
}

/// Returns a valid definition that is damaged in one to four places.
pub fn damaged(random: &mut Random, corpus: &[TokenStream]) -> TokenStream {
    let mut tokens = random.pick(corpus).clone();
    let mut donors = vocabulary();
    donors.extend(flat(tokens.clone()));
    donors.extend(flat(random.pick(corpus).clone()));
    for _ in 0..1 + random.below(4) {
        tokens = damage(random, tokens, &donors);
    }
    tokens
}

/// Damages one place, mostly inside a group, since most tokens are inside groups.
fn damage(random: &mut Random, tokens: TokenStream, donors: &[TokenTree]) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let groups: Vec<usize> = (0..tokens.len())
        .filter(|at| matches!(&tokens[*at], TokenTree::Group(group) if !group.stream().is_empty()))
        .collect();
    if !groups.is_empty() && !random.once_in(4) {
        // The last group is usually the body of a cell, which is the longest.
        let at = if random.once_in(2) { groups[groups.len() - 1] } else { *random.pick(&groups) };
        if let TokenTree::Group(group) = tokens[at].clone() {
            let mut inner = Group::new(group.delimiter(), damage(random, group.stream(), donors));
            inner.set_span(group.span());
            tokens[at] = inner.into();
        }
        return tokens.into_iter().collect();
    }
    if tokens.is_empty() {
        return donors.get(random.below(donors.len())).cloned().into_iter().collect();
    }
    let at = random.below(tokens.len());
    let to = at + random.below((tokens.len() - at).min(8) + 1);
    match random.below(9) {
        0 => drop(tokens.remove(at)),
        1 => drop(tokens.drain(at..to)),
        2 => tokens.insert(at, random.pick(donors).clone()),
        3 => tokens[at] = random.pick(donors).clone(),
        4 => {
            let other = random.below(tokens.len());
            tokens.swap(at, other);
        }
        5 => {
            let copy = tokens[at..to].to_vec();
            let other = random.below(tokens.len() + 1);
            tokens.splice(other..other, copy);
        }
        6 => {
            let inner: TokenStream = tokens.drain(at..to).collect();
            tokens.insert(at, Group::new(*random.pick(&DELIMITERS), inner).into());
        }
        7 => {
            if let TokenTree::Group(group) = tokens[at].clone() {
                tokens.splice(at..=at, group.stream());
            } else {
                tokens.truncate(at);
            }
        }
        _ => {
            if let TokenTree::Group(group) = tokens[at].clone() {
                tokens[at] = Group::new(*random.pick(&DELIMITERS), group.stream()).into();
            } else {
                tokens.insert(at, tokens[at].clone());
            }
        }
    }
    tokens.into_iter().collect()
}

/// Removes tokens as long as `fails` returns `true`.
pub fn shrink(tokens: TokenStream, fails: impl Fn(&TokenStream) -> bool) -> TokenStream {
    let mut least = tokens;
    while let Some(smaller) = smaller(&least).into_iter().find(|smaller| fails(smaller)) {
        least = smaller;
    }
    least
}

/// Returns all variants with a run of tokens removed, at the top level or inside a group. Long runs
/// come first.
fn smaller(tokens: &TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut found: Vec<TokenStream> = vec![];
    for length in [64, 16, 4, 1] {
        let starts = (0..trees.len()).step_by(length).filter(|start| start + length <= trees.len());
        for start in starts {
            let rest = trees[..start].iter().chain(&trees[start + length..]);
            found.push(rest.cloned().collect());
        }
    }
    for (at, tree) in trees.iter().enumerate() {
        if let TokenTree::Group(group) = tree {
            for inner in smaller(&group.stream()) {
                let replaced = TokenTree::from(Group::new(group.delimiter(), inner));
                let before = trees[..at].iter().cloned();
                found.push(before.chain([replaced]).chain(trees[at + 1..].iter().cloned()).collect());
            }
        }
    }
    found
}

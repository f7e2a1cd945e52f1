//! Tests that an editor finds the definition of a name: a token of the expansion with the same span
//! that is the definition, or that resolves to it.
//!
//! An editor maps a token of the source to the tokens of the expansion with the same span, and
//! resolves these as Rust. These tests do the same, as far as the generated mentions require it.

use super::{LSTM, parse};
use crate::analysis::resolve::key;
use crate::diagnostics::Diagnostics;
use crate::emit::context::Runtime;
use crate::expand::expand;
use crate::graph::ops;
use crate::syntax::ast::Cell;
use crate::testing::samples::SAMPLES;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The byte range of a name in the source. Names with the span of the macro call have none.
type SourceRange = Range<usize>;

fn range(span: Span) -> Option<SourceRange> {
    Some(span.byte_range()).filter(|range| !range.is_empty())
}

fn words(tokens: TokenStream, into: &mut Vec<Ident>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => into.push(word),
            TokenTree::Group(group) => words(group.stream(), into),
            _ => {}
        }
    }
}

/// The meaning of a name of the expansion to an editor.
#[derive(Debug, Clone, PartialEq)]
enum Meaning {
    /// Defined by the user at this place.
    Own(SourceRange),
    /// A function of the language or an initialiser.
    BuiltIn(String),
}

/// The definitions and mentions of generated code with spans of names.
#[derive(Default)]
struct Read {
    /// Places by struct and field.
    fields: HashMap<(String, String), SourceRange>,
    /// Generic parameters of the cell and the user's functions.
    items: HashMap<String, SourceRange>,
    definitions: Vec<SourceRange>,
    mentions: Vec<(SourceRange, Meaning)>,
}

impl Read {
    fn define(&mut self, name: &Ident) -> Option<SourceRange> {
        let range = range(name.span())?;
        self.definitions.push(range.clone());
        Some(range)
    }

    fn structure(&mut self, item: &syn::ItemStruct) {
        self.define(&item.ident);
        for field in &item.fields {
            let name = field.ident.as_ref().expect("generated structs have named fields");
            if let Some(range) = self.define(name) {
                self.fields.insert((item.ident.to_string(), key(name)), range);
            }
        }
        for parameter in item.generics.const_params() {
            self.define(&parameter.ident);
        }
    }

    /// Reads the method that mentions every name.
    fn method(&mut self, item: &syn::ItemImpl, method: &syn::ImplItemFn) {
        for parameter in item.generics.const_params() {
            let range = self.define(&parameter.ident).expect("a dimension of the cell has a range");
            self.items.insert(key(&parameter.ident), range);
        }
        let mut types = HashMap::new();
        let cell = type_name(&item.self_ty);
        for argument in &method.sig.inputs {
            let syn::FnArg::Typed(argument) = argument else { panic!("`self`") };
            types.insert(
                argument.pat.to_token_stream().to_string(),
                type_name(&argument.ty).replace("Self", &cell),
            );
        }
        let [.., syn::Stmt::Expr(syn::Expr::Assign(assign), _)] = &method.block.stmts[..] else {
            panic!("no mentions")
        };
        for statement in &method.block.stmts {
            match statement {
                syn::Stmt::Item(syn::Item::Struct(item)) => self.structure(item),
                syn::Stmt::Item(syn::Item::Impl(item)) => self.functions(item),
                _ => {}
            }
        }
        let syn::Expr::Closure(closure) = &*assign.right else { panic!("no closure") };
        let Some(syn::Pat::Type(values)) = closure.inputs.first() else { panic!("no values") };
        types.insert("__values".to_owned(), type_name(&values.ty));
        let syn::Expr::Block(body) = &*closure.body else { panic!("no body") };
        let locals = self.items.clone();
        body.block.stmts.iter().for_each(|statement| self.statement(statement, &types, &locals));
    }

    fn functions(&mut self, item: &syn::ItemImpl) {
        let methods = || {
            item.items.iter().map(|item| match item {
                syn::ImplItem::Fn(method) => method,
                other => panic!("{}", other.to_token_stream()),
            })
        };
        for method in methods() {
            let range = self.define(&method.sig.ident).expect("the user's function has a range");
            self.items.insert(format!("fn {}", method.sig.ident), range);
        }
        for method in methods() {
            let mut locals = HashMap::new();
            for argument in &method.sig.inputs {
                let syn::FnArg::Typed(argument) = argument else { panic!("`self`") };
                let syn::Pat::Ident(name) = &*argument.pat else { panic!("no name") };
                locals.insert(key(&name.ident), self.define(&name.ident).expect("an argument has a range"));
            }
            let [mentions @ .., _] = &method.block.stmts[..] else { panic!("no body") };
            mentions.iter().for_each(|statement| self.statement(statement, &HashMap::new(), &locals));
        }
    }

    /// Reads `_ = &__cell.W;`, `_ = H;`, `_ = <T as Function>::tanh;`, `_ = <Step<..>>::swish;` or
    /// `use init::orthogonal as _;`.
    fn statement(
        &mut self,
        statement: &syn::Stmt,
        types: &HashMap<String, String>,
        locals: &HashMap<String, SourceRange>,
    ) {
        let (name, meaning) = match statement {
            syn::Stmt::Item(syn::Item::Use(item)) => {
                let mut inside = vec![];
                words(item.to_token_stream(), &mut inside);
                let name = inside[inside.len() - 3].clone();
                let meaning = Meaning::BuiltIn(name.to_string());
                (name, meaning)
            }
            syn::Stmt::Expr(syn::Expr::Assign(assign), Some(_)) => match &*assign.right {
                syn::Expr::Reference(reference) => {
                    let syn::Expr::Field(field) = &*reference.expr else { panic!("no field") };
                    let syn::Member::Named(name) = &field.member else { panic!("no name") };
                    let of = types[&field.base.to_token_stream().to_string()].clone();
                    let range = self.fields.get(&(of.clone(), key(name)));
                    let range = range.unwrap_or_else(|| panic!("no field `{name}` of `{of}` has a range"));
                    (name.clone(), Meaning::Own(range.clone()))
                }
                syn::Expr::Path(path) => {
                    let name = path.path.segments.last().expect("a path has segments").ident.clone();
                    let meaning = match (&path.qself, path.path.segments.len()) {
                        (Some(_), 1) => Meaning::Own(self.items[&format!("fn {name}")].clone()),
                        (Some(_), _) => Meaning::BuiltIn(key(&name)),
                        (None, _) => Meaning::Own(locals[&key(&name)].clone()),
                    };
                    (name, meaning)
                }
                other => panic!("{}", other.to_token_stream()),
            },
            other => panic!("{}", other.to_token_stream()),
        };
        let range = range(name.span()).unwrap_or_else(|| panic!("`{name}` is mentioned without a span"));
        self.mentions.push((range, meaning));
    }
}

/// Returns `PeepholeState` for `&PeepholeState<{ H }, { B }, T>`.
fn type_name(kind: &syn::Type) -> String {
    match kind {
        syn::Type::Reference(reference) => type_name(&reference.elem),
        syn::Type::Path(path) => path.path.segments.last().expect("a path has segments").ident.to_string(),
        other => other.to_token_stream().to_string(),
    }
}

/// Expands the definition of one cell. Returns the expansion and its definitions and mentions.
fn read(source: &str) -> (TokenStream, Read) {
    let tokens = source.parse().unwrap_or_else(|error| panic!("{error}: {source}"));
    let expansion = expand(&Runtime::new(quote!(::rnn_cell)), tokens).into_token_stream();
    let mut read = Read::default();
    let items = parse(&expansion).items;
    for item in &items {
        if let syn::Item::Struct(item) = item {
            read.structure(item);
        }
    }
    for item in &items {
        if let syn::Item::Impl(item) = item
            && let [syn::ImplItem::Fn(method)] = &item.items[..]
        {
            read.method(item, method);
        }
    }
    (expansion, read)
}

/// Returns the place of each name of a cell, by its text: functions as `fn name`, their arguments
/// as `fn name argument`.
fn declared(cell: &Cell) -> HashMap<String, SourceRange> {
    let mut names = HashMap::new();
    let mut add = |text: String, name: &Ident| {
        names.entry(text).or_insert_with(|| name.span().byte_range());
    };
    cell.dimensions.iter().for_each(|name| add(key(name), name));
    cell.declarations.iter().for_each(|declaration| add(key(&declaration.name), &declaration.name));
    cell.equations.iter().flat_map(|equation| &equation.targets).for_each(|name| add(key(name), name));
    for function in &cell.functions {
        add(format!("fn {}", function.name), &function.name);
        let of = |argument: &Ident| format!("fn {} {argument}", function.name);
        function.arguments.iter().for_each(|argument| add(of(argument), argument));
    }
    names
}

fn cells(source: &str) -> Vec<Cell> {
    let mut diagnostics = Diagnostics::default();
    crate::syntax::parse::parse(source.parse().expect("brackets"), &mut diagnostics).cells
}

/// Returns the samples of one cell each.
fn samples() -> Vec<&'static str> {
    SAMPLES.iter().copied().chain([LSTM]).filter(|source| cells(source).len() == 1).collect()
}

/// The meaning of every name in the language is its meaning to an editor.
#[test]
fn names_lead_to_their_definitions() {
    let mut count = 0;
    for source in samples() {
        let cell = cells(source).remove(0);
        let (_, read) = read(source);
        let declared = declared(&cell);
        let bodies = cell.functions.iter().map(|function| {
            (
                function.name.to_string(),
                function.body.extent.first.byte_range().start..function.body.extent.last.byte_range().end,
            )
        });
        let bodies: Vec<(String, SourceRange)> = bodies.collect();
        for (at, meaning) in &read.mentions {
            let text = source.get(at.clone()).expect("within the source");
            let inside =
                bodies.iter().find(|(_, body)| body.contains(&at.start)).map_or("", |(name, _)| name);
            let own = [format!("fn {inside} {text}"), text.to_owned(), format!("fn {text}")];
            let expected = match own.iter().find_map(|text| declared.get(text)) {
                // A function and a value may share a name. A call refers to the function.
                Some(range) => Meaning::Own(match declared.get(&own[2]) {
                    Some(function) if source[at.end..].starts_with('(') => function.clone(),
                    _ => range.clone(),
                }),
                None if ops::find(text).is_some() => Meaning::BuiltIn(
                    ops::find(text).expect("it is a function of the language").name.to_owned(),
                ),
                None => Meaning::BuiltIn(text.to_owned()),
            };
            assert_eq!(*meaning, expected, "`{text}` at {at:?} of {source}");
            count += 1;
        }
    }
    assert!(count > 300, "{count}");
}

/// Every name of the source is a definition or a mention.
#[test]
fn every_name_is_defined_or_mentioned() {
    // The keywords of the language, and words of paths, attributes and time indices.
    let others = [
        "pub",
        "crate",
        "cell",
        "input",
        "context",
        "state",
        "param",
        "buffer",
        "output",
        "fn",
        "one_hot",
        "and",
        "or",
        "not",
        "heads",
        "head",
        "t",
        "T",
        "from_fn",
        "reservoir",
        "derive",
        "Debug",
        "cfg",
        "all",
        "allow",
        "dead_code",
        "doc",
    ];
    for source in samples() {
        let (_, read) = read(source);
        let known: HashSet<SourceRange> =
            read.definitions.iter().chain(read.mentions.iter().map(|(range, _)| range)).cloned().collect();
        let mut all = vec![];
        words(source.parse().expect("brackets"), &mut all);
        for name in all.iter().filter(|name| !others.contains(&name.to_string().as_str())) {
            assert!(
                known.contains(&name.span().byte_range()),
                "`{name}` at {:?} of {source}",
                name.span().byte_range()
            );
        }
    }
}

/// An editor examines every token with the span of a name: only the definition and the mention may
/// have it.
#[test]
fn spans_of_names_are_not_used_elsewhere() {
    for source in samples() {
        let cell = cells(source).remove(0);
        let (expansion, read) = read(source);
        let names: HashSet<SourceRange> =
            declared(&cell).into_values().chain([cell.name.span().byte_range()]).collect();
        let mut all = vec![];
        words(expansion, &mut all);
        let mut counts: HashMap<SourceRange, usize> = HashMap::new();
        for range in all.iter().filter_map(|word| range(word.span())) {
            *counts.entry(range).or_default() += 1;
        }
        for (range, _) in &read.mentions {
            // An output that is a state is mentioned where its own field is defined.
            let expected = 1 + read.definitions.iter().filter(|other| *other == range).count();
            assert_eq!(counts[range], expected, "`{}` at {range:?} of {source}", &source[range.clone()]);
        }
        for range in &names {
            let expected = read.definitions.iter().filter(|other| *other == range).count()
                + read.mentions.iter().filter(|(other, _)| other == range).count();
            assert_eq!(counts[range], expected, "`{}` at {range:?} of {source}", &source[range.clone()]);
        }
    }
}

/// The correct names of an erroneous definition keep their meaning.
#[test]
fn errors_do_not_affect_other_names() {
    let source = "cell Wrong<I, H> { input x: [I]; state h: [H]; param W: [H, I]; g = tanh(W @ x) * nothing; h = g + W * x; output h; }";
    let (expansion, read) = read(source);
    assert!(expansion.to_string().contains("compile_error"));
    let declared = declared(&cells(source).remove(0));
    let found: Vec<(&str, &Meaning)> =
        read.mentions.iter().map(|(at, meaning)| (&source[at.clone()], meaning)).collect();
    for (name, times) in [("W", 2), ("x", 2), ("g", 1), ("h", 2), ("H", 2), ("I", 2)] {
        let meaning = Meaning::Own(declared[name].clone());
        assert_eq!(
            found.iter().filter(|mention| **mention == (name, &meaning)).count(),
            times,
            "{name}: {found:?}"
        );
    }
    assert!(!found.iter().any(|(name, _)| *name == "nothing"));
}

/// A name for which the user's types have a field is defined there, and only there.
#[test]
fn fields_belong_to_the_generated_types() {
    let (_, read) = read(
        "pub cell Everything<I, H> { input x: [I], w: one_hot[I]; context m: [H]; state h: [H]; param W: [H, I]; buffer k: [];
            g = W @ x + W @ w + m; h = g * k + h[t-1]; y = 2 * h; output h, y; }",
    );
    let mut found: Vec<String> = read.fields.keys().map(|(of, name)| format!("{of}.{name}")).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "Everything.W",
            "Everything.k",
            "EverythingContext.m",
            "EverythingInput.w",
            "EverythingInput.x",
            "EverythingInputBar.x",
            "EverythingOutput.h",
            "EverythingOutput.y",
            "EverythingState.h",
            "EverythingStep.g",
        ]
    );
}

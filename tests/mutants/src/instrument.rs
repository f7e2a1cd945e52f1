//! Puts all mutants of a source file into the file, each behind a switch.

use proc_macro2::{LineColumn, Span};
use serde_json::Value;
use std::collections::HashMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// One of the mutants that `cargo mutants` lists.
#[derive(Debug, Clone)]
pub struct Mutant {
    pub name: String,
    pub file: String,
    genre: String,
    /// The line, counted from 1, and the column, counted from 0.
    start: (usize, usize),
    replacement: String,
}

impl Mutant {
    pub fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
        let start = value.get("span")?.get("start")?;
        let number = |key: &str| usize::try_from(start.get(key)?.as_u64()?).ok();
        Some(Mutant {
            name: text("name")?,
            file: text("file")?,
            genre: text("genre")?,
            start: (number("line")?, number("column")? - 1),
            replacement: text("replacement")?,
        })
    }
}

/// A range of the source and the mutants that change it.
#[derive(Debug, Default)]
struct Site {
    place: Range<usize>,
    /// Mutants that replace the expression.
    instead: Vec<(usize, String)>,
    /// Mutants that return a value at the start of a function body.
    returned: Vec<(usize, String)>,
    /// Mutants that disable the match arm whose pattern ends here.
    closed: Vec<usize>,
}

/// A file with its mutants, and the mutant of each line.
pub struct Instrumented {
    pub text: String,
    pub lines: HashMap<usize, usize>,
    pub placed: Vec<usize>,
}

/// Puts the mutants of a file into its `source`.
pub fn instrument(source: &str, mutants: &[(usize, &Mutant)]) -> syn::Result<Instrumented> {
    let file = syn::parse_file(source)?;
    let mut find = Find {
        source,
        lines: source
            .split_inclusive('\n')
            .scan(0, |at, line| Some((std::mem::replace(at, *at + line.len()), line)))
            .collect(),
        mutants: HashMap::new(),
        sites: vec![],
        placed: vec![],
    };
    for (id, mutant) in mutants {
        let key = (mutant.genre.as_str(), mutant.start);
        find.mutants.entry(key).or_default().push((*id, *mutant));
    }
    find.visit_file(&file);
    let Find { mut sites, placed, .. } = find;
    // Outer ranges come before inner ranges.
    sites.sort_by_key(|site| (site.place.start, std::cmp::Reverse(site.place.end)));
    let mut out = Out { text: String::new(), line: 1, lines: HashMap::new() };
    let mut sites = merged(sites);
    sites.reverse();
    out.render(source, 0..source.len(), &mut sites);
    Ok(Instrumented { text: out.text, lines: out.lines, placed })
}

fn merged(sites: Vec<Site>) -> Vec<Site> {
    let mut merged: Vec<Site> = vec![];
    for site in sites {
        match merged.last_mut() {
            Some(last) if last.place == site.place => {
                last.instead.extend(site.instead);
                last.returned.extend(site.returned);
                last.closed.extend(site.closed);
            }
            _ => merged.push(site),
        }
    }
    merged
}

struct Out {
    text: String,
    line: usize,
    lines: HashMap<usize, usize>,
}

impl Out {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.line += text.matches('\n').count();
    }

    /// Writes a mutant on separate lines, so that errors of the compiler can be assigned to it.
    fn mutant(&mut self, id: usize, text: &str) {
        self.push("\n");
        let first = self.line;
        self.push(text);
        for line in first..=self.line {
            self.lines.insert(line, id);
        }
        self.push("\n");
    }

    fn render(&mut self, source: &str, place: Range<usize>, sites: &mut Vec<Site>) {
        let mut at = place.start;
        while let Some(site) =
            sites.pop_if(|site| site.place.end <= place.end && site.place.start < place.end)
        {
            self.push(&source[at..site.place.start]);
            at = site.place.end;
            for id in &site.closed {
                self.push(&format!(" if !crate::__mutants::is({id})"));
            }
            for (id, value) in &site.returned {
                self.mutant(*id, &format!("if crate::__mutants::is({id}) {{ return {value}; }}"));
            }
            if site.place.is_empty() {
                continue;
            }
            self.push("(");
            for (id, value) in &site.instead {
                self.mutant(*id, &format!("if crate::__mutants::is({id}) {{ {value} }} else"));
            }
            self.push("{");
            self.render(source, site.place, sites);
            self.push("})");
        }
        self.push(&source[at..place.end]);
    }
}

type Key<'a> = (&'a str, (usize, usize));

struct Find<'a> {
    source: &'a str,
    /// The offset and the text of each line.
    lines: Vec<(usize, &'a str)>,
    mutants: HashMap<Key<'a>, Vec<(usize, &'a Mutant)>>,
    sites: Vec<Site>,
    placed: Vec<usize>,
}

impl<'a> Find<'a> {
    fn offset(&self, place: LineColumn) -> usize {
        let (start, line) = self.lines[place.line - 1];
        start + line.char_indices().nth(place.column).map_or(line.len(), |(at, _)| at)
    }

    fn place(&self, span: Span) -> Range<usize> {
        self.offset(span.start())..self.offset(span.end())
    }

    fn text(&self, spanned: &impl Spanned) -> &'a str {
        &self.source[self.place(spanned.span())]
    }

    fn of(&mut self, genre: &'static str, span: Span) -> Vec<(usize, &'a Mutant)> {
        let start = span.start();
        let found = self.mutants.remove(&(genre, (start.line, start.column))).unwrap_or_default();
        self.placed.extend(found.iter().map(|(id, _)| *id));
        found
    }

    fn site(&mut self, place: Range<usize>, instead: Vec<(usize, String)>) {
        if !instead.is_empty() {
            self.sites.push(Site { place, instead, ..Site::default() });
        }
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        // A constant function cannot read the switch.
        if signature.constness.is_some() {
            return;
        }
        // A function that returns `impl Trait` cannot return values of two types.
        let is_opaque = matches!(&signature.output, syn::ReturnType::Type(_, output) if matches!(**output, syn::Type::ImplTrait(_)));
        if let Some(first) = block.stmts.first().filter(|_| !is_opaque) {
            let end = self.offset(block.brace_token.span.open().end());
            let found = self.of("FnValue", first.span());
            let returned = found.iter().map(|(id, mutant)| (*id, mutant.replacement.clone())).collect();
            self.sites.push(Site { place: end..end, returned, ..Site::default() });
        }
        self.visit_block(block);
    }
}

fn has_let(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Find<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
    }

    // Constants cannot read the switch.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_path(&mut self, _: &'ast syn::Path) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        if !has_let(&binary.left) && !has_let(&binary.right) {
            let found = self.of("BinaryOperator", binary.op.span());
            let (left, right) = (self.text(&*binary.left), self.text(&*binary.right));
            let instead = found
                .iter()
                .map(|(id, mutant)| (*id, format!("{left} {} {right}", mutant.replacement)))
                .collect();
            self.site(self.place(binary.span()), instead);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let found = self.of("UnaryOperator", unary.op.span());
        let inner = self.text(&*unary.expr);
        self.site(self.place(unary.span()), found.iter().map(|(id, _)| (*id, inner.to_owned())).collect());
        visit::visit_expr_unary(self, unary);
    }

    // A disabled arm has a guard, so it does not count for exhaustiveness. A match without a
    // wildcard would not compile and gets no such mutants.
    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        if !expr.arms.iter().any(|arm| matches!(arm.pat, syn::Pat::Wild(_))) {
            for arm in &expr.arms {
                let start = arm.span().start();
                self.mutants.remove(&("MatchArm", (start.line, start.column)));
            }
        }
        visit::visit_expr_match(self, expr);
    }

    // For an arm with a guard, the guard is replaced. An arm without one is disabled.
    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if let syn::Pat::Guard(syn::PatGuard { guard, .. }) = &arm.pat {
            let found = self.of("MatchArmGuard", guard.span());
            let instead = found.iter().map(|(id, mutant)| (*id, mutant.replacement.clone())).collect();
            self.site(self.place(guard.span()), instead);
            self.visit_expr(guard);
        } else {
            let closed: Vec<usize> = self.of("MatchArm", arm.span()).iter().map(|(id, _)| *id).collect();
            let end = self.offset(arm.pat.span().end());
            if !closed.is_empty() {
                self.sites.push(Site { place: end..end, closed, ..Site::default() });
            }
        }
        self.visit_expr(&arm.body);
    }
}

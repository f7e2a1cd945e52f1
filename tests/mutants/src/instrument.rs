//! A source file with all its mutants in it, each behind a question: is it the one that runs?

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
    /// Line from one, column from zero.
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

/// Where mutants go: the text that stays where none of them runs, and what they put instead.
#[derive(Debug, Default)]
struct Site {
    place: Range<usize>,
    /// Instead of the expression that stands there.
    instead: Vec<(usize, String)>,
    /// Returned at the start of a body.
    returned: Vec<(usize, String)>,
    /// The arm of the pattern that ends there is not taken.
    closed: Vec<usize>,
}

/// The file with its mutants, and of each line of it the mutant that it belongs to.
pub struct Instrumented {
    pub text: String,
    pub lines: HashMap<usize, usize>,
    pub placed: Vec<usize>,
}

/// Puts those of `mutants` that belong to the file into its `source`.
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
    // What contains others comes first.
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

    /// On lines of its own, so that what the compiler says of it can be told from the rest.
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
    /// Each line and where it starts.
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
        // A constant function can't ask which mutant runs.
        if signature.constness.is_some() {
            return;
        }
        // Nor can a function return now one iterator, now another.
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

    // What is computed at compile time asks nothing.
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

    // An arm that is switched off covers nothing: something else must cover all.
    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        if !expr.arms.iter().any(|arm| matches!(arm.pat, syn::Pat::Wild(_))) {
            for arm in &expr.arms {
                let start = arm.span().start();
                self.mutants.remove(&("MatchArm", (start.line, start.column)));
            }
        }
        visit::visit_expr_match(self, expr);
    }

    // An arm has a guard or can be deleted: to delete the guarded one is to replace its guard.
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

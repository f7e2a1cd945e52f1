//! Notations of other languages inside expressions: prefixes, methods, closures, `if`, and
//! functions for operators. If the meaning is clear, the tree contains the intended expression, so
//! that the rest of the definition is checked accordingly.

use super::ast::{BinaryOp, Expr, ExprKind, Time};
use super::cursor::Cursor;
use super::delays::later_step;
use super::operands::{Index, shown_list};
use super::recover::Parser;
use crate::diagnostics::Extent;
use crate::graph::ops;
use crate::syntax::text;
use proc_macro2::{Delimiter, Group, Ident, TokenTree};

/// The modules that users prefix functions with.
const MODULES: [&str; 20] = [
    "np",
    "numpy",
    "jnp",
    "jax",
    "lax",
    "torch",
    "nn",
    "functional",
    "tf",
    "tensorflow",
    "keras",
    "math",
    "cp",
    "mx",
    "scipy",
    "special",
    "std",
    "f32",
    "f64",
    "self",
];

/// Returns the operator that replaces a function of another library.
fn operator(function: &str) -> Option<BinaryOp> {
    Some(match function {
        "matmul" | "dot" | "mm" | "mv" | "bmm" | "matvec" => BinaryOp::MatMul,
        "mul" | "multiply" | "hadamard" | "component_mul" => BinaryOp::Mul,
        "add" => BinaryOp::Add,
        "sub" | "subtract" => BinaryOp::Sub,
        "div" | "divide" | "component_div" => BinaryOp::Div,
        _ => return None,
    })
}

fn is_transposition(function: &str) -> bool {
    matches!(function, "T" | "t" | "transpose" | "mT" | "tr")
}

fn is_concatenation(function: &str) -> bool {
    matches!(function, "cat" | "concat" | "concatenate" | "stack" | "vstack" | "hstack")
}

impl Parser<'_> {
    /// Parses an operand that begins with a name but is not part of the language. The name has not
    /// been taken.
    pub fn foreign_operand(&mut self, c: &mut Cursor, name: &Ident) -> Option<Expr> {
        let word = name.to_string();
        let extent = c.here();
        if c.at(1, "::") {
            return Some(self.rust_path(c));
        }
        if c.at(1, "!") && c.any_group(2).is_some() {
            let extent = c.skip(2).to(c.here());
            self.diagnostics.error(extent, "macros aren't allowed in an equation");
            self.pass(c);
            return Some(self.error(extent));
        }
        if self.cell.poisoned.contains(name) {
            // A reserved name that is defined nevertheless, which has been reported.
            return None;
        }
        let is_lambda = word == "lambda" && (c.ident(1).is_some() || c.at(1, ":"));
        let (fact, help) = match word.as_str() {
            "if" => {
                let help = "`where(a >= b, u, v)` is `u` where the comparison holds and `v` elsewhere";
                ("there is no `if`", help.to_owned())
            }
            "not" => (
                "`not` can only be before a comparison, in the first argument of `where`",
                "`where(not a > b, u, v)` is `u` where the comparison doesn't hold".to_owned(),
            ),
            "and" | "or" => (
                "expected a comparison before `and` or `or`",
                "comparisons combine in `where`: `where(a > b and c > d, u, v)`".to_owned(),
            ),
            "match" => ("there is no `match`", "`where(a >= b, u, v)` chooses entry by entry".to_owned()),
            "for" | "while" | "loop" => (
                "there are no loops",
                "an equation works on whole vectors and matrices; the cell runs the steps of the sequence"
                    .to_owned(),
            ),
            "let" | "return" | "move" | "mut" | "unsafe" | "async" => {
                ("Rust keywords aren't allowed in an expression", format!("remove `{word}`"))
            }
            "lambda" if is_lambda => {
                ("there are no closures", "define a function of the cell: `fn f(u) = ..;`".to_owned())
            }
            _ => return None,
        };
        c.skip(1);
        self.diagnostics.error(extent, fact).help(help);
        if is_lambda {
            while !c.at_end() && !c.at(0, ":") && !c.at(0, ";") {
                self.pass(c);
            }
        }
        self.skip_expr(c);
        Some(self.error(extent.to(c.previous())))
    }

    /// Parses `f32::tanh(u)` or `std::f64::consts::PI`.
    fn rust_path(&mut self, c: &mut Cursor) -> Expr {
        let first = c.here();
        while c.ident(0).is_some() && c.at(1, "::") {
            c.skip(3);
        }
        if let (Some(function), Some(group)) = (c.ident(0).cloned(), c.parenthesis(1).cloned()) {
            let extent = first.to(c.skip(2));
            return self.prefixed(first.to(Extent::from(&function)), function, &group, extent);
        }
        let extent = if c.ident(0).is_some() { first.to(c.skip(1)) } else { first.to(c.previous()) };
        self.diagnostics
            .error(extent, "Rust paths aren't allowed in an equation")
            .help("a constant is a number or a `buffer`");
        self.error(extent)
    }

    /// Parses `np.tanh(u)`. `shown` is the extent to underline, and `extent` that of the whole
    /// call.
    fn prefixed(&mut self, shown: Extent, function: Ident, group: &Group, extent: Extent) -> Expr {
        if let Some(expr) = self.foreign_call(&function, group, extent) {
            return expr;
        }
        let arguments = self.arguments(group, function == "where");
        self.diagnostics
            .error(shown, "functions have no prefix and are not methods")
            .help(format!("write `{function}({})`", shown_list(&arguments)));
        self.node(ExprKind::Call { function, arguments }, extent)
    }

    /// Parses a `.` behind an operand.
    pub fn dotted(&mut self, c: &mut Cursor, base: Expr) -> Expr {
        let dot = c.here();
        let u = text::operand(&base);
        if let Some(group) = c.parenthesis(1).cloned() {
            let extent = base.extent.to(c.skip(2));
            if let ExprKind::Name { name, .. } = &base.kind {
                let function = name.clone();
                let arguments = self.arguments(&group, function == "where");
                self.diagnostics
                    .error(dot, "a function is called without `.`: all functions work entry by entry")
                    .help(format!("write `{function}({})`", shown_list(&arguments)));
                return self.node(ExprKind::Call { function, arguments }, extent);
            }
            self.diagnostics.error(dot, "unexpected `.`");
            self.mention_tokens(group.stream());
            return self.error_of(extent, &[&base]);
        }
        let Some(name) = c.ident(1).cloned() else {
            let at = c.skip(1);
            let literal = c.literal(0).is_some();
            let extent = base.extent.to(if literal { c.skip(1) } else { at });
            if literal {
                self.diagnostics
                    .error(at.to(extent), "values have no fields")
                    .help(format!("split a vector with `[a, b] = {u};`"));
            } else {
                self.diagnostics
                    .error(at, "expected `T` after `.`")
                    .help(format!("the transpose is `{u}.T`"));
            }
            return self.error_of(extent, &[&base]);
        };
        let word = name.to_string();
        let group = c.parenthesis(2).cloned();
        if word == "T" && group.as_ref().is_none_or(|group| !group.stream().is_empty()) {
            let extent = base.extent.to(c.skip(2));
            return self.node(ExprKind::Transpose(Box::new(base)), extent);
        }
        if word == "head" && group.is_none() {
            let extent = base.extent.to(c.skip(2));
            return self.head_of(base, extent);
        }
        let module = match &base.kind {
            ExprKind::Name { name, time: Time::Implicit } => MODULES.contains(&name.to_string().as_str()),
            _ => false,
        };
        if let Some(group) = group {
            let at = c.skip(3);
            return self.method(base, module, name, &group, at);
        }
        if module && c.at(2, ".") {
            // In `torch.nn.functional.tanh(u)`, only the last name matters.
            c.skip(2);
            return base;
        }
        let at = c.skip(2);
        let extent = base.extent.to(at);
        if module && u == "self" {
            self.diagnostics.error(extent, "there is no `self` in a cell").help(format!("write `{word}`"));
            return self.named(c, name);
        }
        let error = self.diagnostics.error(at, "values have no fields");
        if is_transposition(&word) {
            error.help(format!("the transpose is `{u}.T`"));
            return self.node(ExprKind::Transpose(Box::new(base)), extent);
        }
        if ops::find(&word).is_some() || self.functions.contains(&word) {
            error.help(format!("write `{word}({})`", text::short(&base)));
        } else {
            error.help(format!("`.T`, the transpose, is all that can follow `{u}`"));
        }
        self.error_of(extent, &[&base])
    }

    /// Parses `u.tanh()`, `W.dot(x)` or `np.tanh(u)`.
    fn method(&mut self, base: Expr, module: bool, method: Ident, group: &Group, at: Extent) -> Expr {
        let word = method.to_string();
        let extent = base.extent.to(at);
        if module {
            let shown = base.extent.to(Extent::from(&method));
            return self.prefixed(shown, method, group, extent);
        }
        let built_in = ops::find(&word);
        let mut arguments = self.arguments(group, false);
        if arguments.is_empty() && is_transposition(&word) {
            let u = text::operand(&base);
            self.diagnostics.error(at, "values have no methods").help(format!("the transpose is `{u}.T`"));
            return self.node(ExprKind::Transpose(Box::new(base)), extent);
        }
        if let (Some(op), 1) = (operator(&word), arguments.len()) {
            let right = arguments.swap_remove(0);
            return self.operation(at, "values have no methods".to_owned(), op, base, right, extent);
        }
        if built_in.is_none() && !self.functions.contains(&word) {
            let u = text::short(&base);
            self.diagnostics
                .error(at, "values have no methods")
                .help(format!("a function comes before its argument: `f({u})`"));
            for argument in &arguments {
                self.mention_expr(argument);
            }
            return self.error_of(extent, &[&base]);
        }
        // `F.tanh(u)` has all its arguments, so `F` is a prefix. `u.tanh()` lacks the first.
        let is_prefix = built_in.is_some_and(|op| (op.arity.0..=op.arity.1).contains(&arguments.len()));
        let shown = if is_prefix { base.extent.to(Extent::from(&method)) } else { at };
        if is_prefix {
            self.mention_expr(&base);
        } else {
            arguments.insert(0, base);
        }
        self.diagnostics
            .error(shown, "functions have no prefix and are not methods")
            .help(format!("write `{word}({})`", shown_list(&arguments)));
        self.node(ExprKind::Call { function: method, arguments }, extent)
    }

    /// Reports an operator that was written as a function, and returns the operation.
    fn operation(
        &mut self,
        at: Extent,
        fact: String,
        op: BinaryOp,
        left: Expr,
        right: Expr,
        extent: Extent,
    ) -> Expr {
        let (a, sign, b) = (text::operand(&left), text::binary(op), text::operand(&right));
        let what = match op {
            BinaryOp::MatMul => "the matrix product",
            BinaryOp::Mul => "the element-wise product",
            BinaryOp::Div => "the element-wise quotient",
            BinaryOp::Add => "the sum",
            BinaryOp::Sub => "the difference",
        };
        self.diagnostics.error(at, fact).help(format!("{what} is `{a} {sign} {b}`"));
        let kind = ExprKind::Binary { op, op_extent: at, left: Box::new(left), right: Box::new(right) };
        let mut node = self.node(kind, extent);
        node.parenthesised = true;
        node
    }

    /// Parses a call of a function that is not in the language. Returns `None` if it is, or if the
    /// name is unknown.
    pub fn foreign_call(&mut self, name: &Ident, group: &Group, extent: Extent) -> Option<Expr> {
        let word = name.to_string();
        if self.functions.contains(&word) || ops::find(&word).is_some() {
            return None;
        }
        if let Index::Time(offset) = Index::read(group) {
            return Some(self.called_time(name, offset, group, extent));
        }
        let fact = format!("there is no function `{word}`");
        if is_concatenation(&word) {
            let mut c = Cursor::inside(group);
            let first = c.any_group(0).filter(|_| c.peek(1).is_none() || c.at(1, ",")).cloned();
            let parts = match first {
                // In `cat((h, x), 0)`, the tuple is followed by an axis.
                Some(tuple) if tuple.delimiter() != Delimiter::Brace => {
                    c.skip(1);
                    while !c.at_end() {
                        self.pass(&mut c);
                    }
                    self.arguments(&tuple, false)
                }
                _ => self.list(&mut c, false),
            };
            if parts.is_empty() {
                return None;
            }
            self.diagnostics.error(name, fact).help(format!("a stack is written `[{}]`", shown_list(&parts)));
            return Some(self.node(ExprKind::Stack(parts), extent));
        }
        let commas = top_level_commas(group);
        if let (Some(op), 1) = (operator(&word), commas) {
            let mut arguments = self.arguments(group, false);
            if arguments.len() == 2 {
                let right = arguments.swap_remove(1);
                let left = arguments.swap_remove(0);
                return Some(self.operation(name.into(), fact, op, left, right, extent));
            }
            let arguments: Vec<&Expr> = arguments.iter().collect();
            self.diagnostics.error(name, fact).help("the matrix product is `W @ x`");
            return Some(self.error_of(extent, &arguments));
        }
        if is_transposition(&word) && commas == 0 && !group.stream().is_empty() {
            let mut arguments = self.arguments(group, false);
            let inner = arguments.pop()?;
            self.diagnostics
                .error(name, fact)
                .help(format!("the transpose is `{}.T`", text::operand(&inner)));
            return Some(self.node(ExprKind::Transpose(Box::new(inner)), extent));
        }
        None
    }

    /// Parses a time index in parentheses: `h(t-1)`.
    fn called_time(&mut self, name: &Ident, offset: i64, group: &Group, extent: Extent) -> Expr {
        let at = Extent::new(group.span_open(), group.span_close());
        if offset <= 0 {
            let time = Time::Offset(offset);
            self.diagnostics
                .error(at, "a time index is written in brackets")
                .help(format!("write `{}`", text::timed(name, &time)));
            return self.node(ExprKind::Name { name: name.clone(), time }, extent);
        }
        let (at, fact, help) = later_step(name, offset, at);
        self.diagnostics.error(at, fact).help(help);
        let named = self.node(ExprKind::Name { name: name.clone(), time: Time::Implicit }, extent);
        self.error_of(extent, &[&named])
    }

    /// Reports a closure: `|u| ..`.
    pub fn closure(&mut self, c: &mut Cursor) -> Expr {
        let first = c.here();
        let arguments = closure_arguments(c).map(|(arguments, length)| {
            c.skip(length);
            arguments
        });
        let head = match &arguments {
            Some(_) => first.to(c.previous()),
            None => c.skip(1),
        };
        let arguments = arguments.filter(|text| !text.is_empty()).unwrap_or_else(|| "u".to_owned());
        self.diagnostics
            .error(head, "there are no closures")
            .help(format!("define a function of the cell: `fn f({arguments}) = ..;`"));
        self.skip_expr(c);
        self.error(head.to(c.previous()))
    }
}

/// Returns the text between the bars of a closure, and the number of tokens including the bars.
pub fn closure_arguments(c: &Cursor) -> Option<(String, usize)> {
    if c.at(0, "||") {
        return Some((String::new(), 2));
    }
    let mut names = vec![];
    for ahead in 1..c.len() {
        match c.peek(ahead)? {
            TokenTree::Ident(name) => names.push(name.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == '|' => return Some((names.join(", "), ahead + 1)),
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ':' | '&') => {}
            _ => return None,
        }
    }
    None
}

fn top_level_commas(group: &Group) -> usize {
    let c = Cursor::inside(group);
    (0..c.len()).filter(|ahead| c.at(*ahead, ",") && c.peek(ahead + 1).is_some()).count()
}

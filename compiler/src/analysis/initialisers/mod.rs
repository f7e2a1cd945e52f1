//! Initialisers of parameters and buffers: the expressions after `=`, and the defaults.
//!
//! `identity(a)` and `orthogonal` are for matrices of any shape, not only square ones. Initialisers
//! that scale with the fan-in and fan-out of a matrix (`xavier_uniform` and others) are not for
//! vectors, which have none. A `[H, 1]` counts as a matrix here.

mod recurrent;

use crate::analysis::resolve::Resolved;
use crate::analysis::shapes::Shapes;
use crate::diagnostics::Diagnostics;
use crate::graph::ir::Unary;
use crate::syntax::ast::{BinaryOp, Cell, Declaration, DeclarationKind, Expr, ExprKind, ShapeKind, Time};
use crate::syntax::suggest::{foreign_initialiser, nearest};
use crate::syntax::text;
use proc_macro2::Ident;

/// The initial value of a parameter or buffer.
#[derive(Debug, Clone)]
pub enum Initialiser {
    Constant(f64),
    /// `a` on the diagonal, zero elsewhere
    Identity(f64),
    Uniform(f64, f64),
    Normal(f64),
    XavierUniform,
    XavierNormal,
    KaimingUniform,
    LecunNormal,
    Orthogonal,
    /// `fn(row, column) -> f64`
    FromFn(syn::Path),
}

const NAMES: &[(&str, &str)] = &[
    ("zeros", "zeros"),
    ("ones", "ones"),
    ("identity", "identity(a)"),
    ("uniform", "uniform(a)` or `uniform(lo, hi)"),
    ("normal", "normal(s)"),
    ("xavier_uniform", "xavier_uniform"),
    ("xavier_normal", "xavier_normal"),
    ("kaiming_uniform", "kaiming_uniform"),
    ("lecun_normal", "lecun_normal"),
    ("orthogonal", "orthogonal"),
    ("from_fn", "from_fn(path)"),
];

/// Returns whether a name is that of an initialiser.
pub fn is_initialiser(name: &str) -> bool {
    NAMES.iter().any(|(known, _)| *known == name)
}

/// Returns, by declaration, the initialiser of a parameter or buffer, the default value of a
/// context, or the constant initial value of a state. The entry is `None` for a state whose initial
/// value is an expression, and for a state or context without one.
pub fn initialisers(
    cell: &Cell,
    resolved: &Resolved,
    shapes: &Shapes,
    diagnostics: &mut Diagnostics,
) -> Vec<Option<Initialiser>> {
    let recurrent = recurrent::matrices(cell, resolved);
    let mut found = vec![];
    for (index, declaration) in cell.declarations.iter().enumerate() {
        let mut written = Written { cell, declaration, diagnostics };
        found.push(match (declaration.kind, &declaration.initial) {
            // The parser has reported it.
            (DeclarationKind::Input, Some(_)) => None,
            (DeclarationKind::State, Some(initial)) => filling(initial, resolved).map(Initialiser::Constant),
            (DeclarationKind::Context, Some(initial)) => written.context(initial, resolved),
            (DeclarationKind::Param | DeclarationKind::Buffer, Some(initial)) => written.initialiser(initial),
            (DeclarationKind::Param | DeclarationKind::Buffer, None) => {
                let is_square =
                    shapes.declarations[index].as_ref().is_some_and(|shape| shape.rows == shape.columns);
                Some(match (is_matrix(declaration), recurrent[index] && is_square) {
                    (true, true) => Initialiser::Orthogonal,
                    (true, false) => Initialiser::XavierUniform,
                    (false, _) => Initialiser::Constant(0.0),
                })
            }
            (DeclarationKind::Input | DeclarationKind::State | DeclarationKind::Context, None) => None,
        });
    }
    found
}

/// Returns the value of all entries if the expression is a constant: `0`, `-1e30`, `1/2`, `ones`.
pub fn filling(initial: &Expr, resolved: &Resolved) -> Option<f64> {
    match &initial.kind {
        ExprKind::Name { name, time: Time::Implicit } => {
            let is_declared = resolved.symbols.get(initial.id).is_some_and(Option::is_some);
            match name.to_string().as_str() {
                "zeros" if !is_declared => Some(0.0),
                "ones" if !is_declared => Some(1.0),
                _ => None,
            }
        }
        _ => constant(initial),
    }
}

/// Returns the value of an expression that consists only of numbers.
pub fn constant(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number(value) => Some(*value),
        ExprKind::Neg(inner) => Some(-constant(inner)?),
        ExprKind::Binary { op, left, right, .. } => {
            let (left, right) = (constant(left)?, constant(right)?);
            match op {
                BinaryOp::Add => Some(left + right),
                BinaryOp::Sub => Some(left - right),
                BinaryOp::Mul => Some(left * right),
                BinaryOp::Div => Some(left / right),
                BinaryOp::MatMul => None,
            }
        }
        ExprKind::Call { function, arguments } => {
            let [argument] = arguments.as_slice() else { return None };
            let argument = constant(argument)?;
            let known = [Unary::Sqrt, Unary::Exp, Unary::Ln]
                .into_iter()
                .find(|known| function == known.row().name)?;
            Some((known.row().value)(argument))
        }
        _ => None,
    }
}

fn is_matrix(declaration: &Declaration) -> bool {
    matches!(&declaration.shape.kind, ShapeKind::Dense(dimensions) if dimensions.len() == 2)
}

/// The initialiser of one declaration, as the user wrote it.
struct Written<'a> {
    cell: &'a Cell,
    declaration: &'a Declaration,
    diagnostics: &'a mut Diagnostics,
}

impl Written<'_> {
    fn context(&mut self, initial: &Expr, resolved: &Resolved) -> Option<Initialiser> {
        if matches!(initial.kind, ExprKind::Error) {
            return None;
        }
        let number = filling(initial, resolved).filter(|number| number.is_finite());
        if number.is_none() {
            self.diagnostics
                .error(
                    initial.extent,
                    format!("the default of context `{}` is not a number", self.declaration.name),
                )
                .help(format!("`{} = 1` fills it with ones", text::declaration(self.declaration)));
        }
        number.map(Initialiser::Constant)
    }

    fn initialiser(&mut self, initial: &Expr) -> Option<Initialiser> {
        match &initial.kind {
            ExprKind::Error => None,
            ExprKind::Name { name, time: Time::Implicit } => self.named(name, initial, &[]),
            ExprKind::Call { function, arguments } if constant(initial).is_none() => {
                self.named(function, initial, arguments)
            }
            _ => match constant(initial) {
                Some(value) => self.finite(initial, value).map(Initialiser::Constant),
                None => {
                    self.no_initialiser(initial);
                    None
                }
            },
        }
    }

    fn finite(&mut self, at: &Expr, value: f64) -> Option<f64> {
        if !value.is_finite() {
            self.diagnostics.error(at.extent, format!("`{}` is not finite", text::short(at)));
        }
        Some(value).filter(|value| value.is_finite())
    }

    fn no_initialiser(&mut self, initial: &Expr) {
        let kind = text::kind(self.declaration.kind);
        self.diagnostics
            .error(
                initial.extent,
                format!("a {kind} starts from a number or an initialiser, not an expression"),
            )
            .note(known_initialisers());
    }

    fn named(&mut self, name: &Ident, initial: &Expr, arguments: &[Expr]) -> Option<Initialiser> {
        let written = name.to_string();
        let Some((_, signature)) = NAMES.iter().find(|(known, _)| *known == written) else {
            self.unknown(name);
            return None;
        };
        let (least, most) = match written.as_str() {
            "uniform" => (1, 2),
            "identity" | "normal" | "from_fn" => (1, 1),
            _ => (0, 0),
        };
        if !(least..=most).contains(&arguments.len()) {
            let expected = match (least, most) {
                (0, 0) => "no argument".to_owned(),
                (1, 1) => "1 argument".to_owned(),
                _ => format!("{least} or {most} arguments"),
            };
            let mistake =
                self.diagnostics.error(name, format!("`{name}` takes {expected}, not {}", arguments.len()));
            mistake.help(format!("`{signature}`"));
            return None;
        }
        self.needs_matrix(name, initial, &written)?;
        if written == "from_fn" {
            return self.path(arguments.first()?).map(Initialiser::FromFn);
        }
        let mut numbers = vec![];
        for argument in arguments {
            numbers.push(self.number(name, argument));
        }
        let numbers = numbers.into_iter().collect::<Option<Vec<f64>>>()?;
        self.build(&written, &numbers, initial)
    }

    fn needs_matrix(&mut self, name: &Ident, initial: &Expr, written: &str) -> Option<()> {
        let any_shape = ["zeros", "ones", "uniform", "normal", "from_fn"].contains(&written);
        if any_shape
            || is_matrix(self.declaration)
            || matches!(self.declaration.shape.kind, ShapeKind::Unknown)
        {
            return Some(());
        }
        let declared = text::declaration(self.declaration);
        self.diagnostics
            .error(initial.extent, format!("`{name}` is for matrices"))
            .note(format!("`{}` is declared as `{declared}`", self.declaration.name))
            .help("for a vector write a number, `uniform(a)` or `normal(s)`");
        None
    }

    fn number(&mut self, name: &Ident, argument: &Expr) -> Option<f64> {
        if matches!(argument.kind, ExprKind::Error) {
            return None;
        }
        match constant(argument) {
            Some(value) => self.finite(argument, value),
            None => {
                self.diagnostics
                    .error(argument.extent, format!("the argument of `{name}` is not a number"))
                    .note(
                        "initialisers take numbers only; the `xavier`, `kaiming` and `lecun` ones scale \
                         with the dimensions",
                    );
                None
            }
        }
    }

    fn path(&mut self, argument: &Expr) -> Option<syn::Path> {
        match &argument.kind {
            ExprKind::RustPath(path) => Some(path.clone()),
            ExprKind::Name { name, time: Time::Implicit } => Some(name.clone().into()),
            ExprKind::Error => None,
            _ => {
                self.diagnostics
                    .error(argument.extent, "the argument of `from_fn` is the path of a Rust function")
                    .help("`from_fn(my_module::entry)` with `fn entry(row: usize, column: usize) -> f64`");
                None
            }
        }
    }

    fn build(&mut self, written: &str, numbers: &[f64], initial: &Expr) -> Option<Initialiser> {
        Some(match (written, numbers) {
            ("zeros", _) => Initialiser::Constant(0.0),
            ("ones", _) => Initialiser::Constant(1.0),
            ("identity", [a]) => Initialiser::Identity(*a),
            ("uniform", [a]) if *a >= 0.0 => Initialiser::Uniform(-a, *a),
            ("uniform", [lo, hi]) if lo <= hi => Initialiser::Uniform(*lo, *hi),
            ("normal", [s]) if *s >= 0.0 => Initialiser::Normal(*s),
            ("uniform", [a]) => {
                let help = format!(
                    "`uniform({})` is between {} and {}",
                    text::number(-a),
                    text::number(*a),
                    text::number(-a)
                );
                self.diagnostics.error(initial.extent, "`uniform(a)` of a negative number").help(help);
                return None;
            }
            ("uniform", [lo, hi]) => {
                let help = format!("`uniform({}, {})`", text::number(*hi), text::number(*lo));
                self.diagnostics.error(initial.extent, "the lower bound is above the upper").help(help);
                return None;
            }
            ("normal", [s]) => {
                let help = format!("`normal({})`", text::number(-s));
                self.diagnostics.error(initial.extent, "a negative standard deviation").help(help);
                return None;
            }
            ("xavier_uniform", _) => Initialiser::XavierUniform,
            ("xavier_normal", _) => Initialiser::XavierNormal,
            ("kaiming_uniform", _) => Initialiser::KaimingUniform,
            ("lecun_normal", _) => Initialiser::LecunNormal,
            ("orthogonal", _) => Initialiser::Orthogonal,
            _ => return None,
        })
    }

    fn unknown(&mut self, name: &Ident) {
        if let Some(declared) = self.cell.declarations.iter().find(|declared| declared.name == *name) {
            let (kind, what) = (text::a_kind(declared.kind), text::kind(self.declaration.kind));
            self.diagnostics
                .error(name, format!("`{name}` is {kind}, not an initialiser"))
                .note(format!("a {what} starts from a number or an initialiser"))
                .note(known_initialisers());
            return;
        }
        let written = name.to_string();
        let near = foreign_initialiser(&written)
            .or_else(|| nearest(&written, NAMES.iter().map(|(known, _)| *known)));
        let mistake = self.diagnostics.error(name, format!("unknown initialiser `{name}`"));
        match near {
            Some(near) => mistake.help(format!("should this be `{near}`?")),
            None => mistake.note(known_initialisers()),
        };
    }
}

fn known_initialisers() -> String {
    let known: Vec<String> = NAMES.iter().map(|(_, signature)| format!("`{signature}`")).collect();
    format!("the initialisers are {}", known.join(", "))
}

#[cfg(test)]
mod tests;

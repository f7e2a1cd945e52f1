//! Initialisers of parameters and buffers: the expressions after `=`, and the defaults.
//!
//! `identity(a)` and `orthogonal` are for matrices of any shape, and `identity` without an argument
//! for square ones. Initialisers that scale with the fan-in and fan-out of a matrix
//! (`xavier_uniform` and others) are not for vectors, which have none. A `[H, 1]` counts as a
//! matrix here.

mod amount;
mod check;
mod recurrent;
mod table;

use crate::analysis::resolve::Resolved;
use crate::analysis::shapes::Shapes;
use crate::diagnostics::Diagnostics;
use crate::syntax::ast::{Cell, Declaration, DeclarationKind, Expr, ExprKind, ShapeKind, Time};
use crate::syntax::suggest::{foreign_initialiser, nearest};
use crate::syntax::text;
use proc_macro2::Ident;

use amount::is_arithmetic;
pub use amount::{Amount, constant};
use check::InitialiserCheck;
pub use table::{Named, TABLE, is_initialiser};

/// The initial value of a parameter or buffer.
#[derive(Debug, Clone)]
pub enum Initialiser {
    Constant(Amount),
    /// `a` on the diagonal, zero elsewhere
    Identity(Amount),
    Uniform(Amount, Amount),
    Normal(Amount),
    XavierUniform,
    XavierNormal,
    KaimingUniform,
    KaimingNormal,
    LecunNormal,
    Orthogonal,
    /// `fn(row, column) -> f64`
    FromFn(syn::Path),
}

/// Returns, for each declaration, the initialiser of a parameter or buffer, the default value of a
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
        let shape = shapes.declarations[index].as_ref();
        let is_square = shape.is_none_or(|shape| shape.rows == shape.columns);
        let mut check = InitialiserCheck { cell, declaration, resolved, is_square, diagnostics };
        found.push(match (declaration.kind, &declaration.initial) {
            // The parser has reported it.
            (DeclarationKind::Input, Some(_)) => None,
            (DeclarationKind::State, Some(initial)) => {
                filling(initial, resolved).map(Amount::Number).map(Initialiser::Constant)
            }
            (DeclarationKind::Context, Some(initial)) => check.context(initial),
            (DeclarationKind::Param | DeclarationKind::Buffer, Some(initial)) => check.initialiser(initial),
            (DeclarationKind::Param | DeclarationKind::Buffer, None) => Some(if !is_matrix(declaration) {
                Initialiser::Constant(Amount::Number(0.0))
            } else if recurrent[index] && is_square {
                Initialiser::Orthogonal
            } else {
                Initialiser::XavierUniform
            }),
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

fn is_matrix(declaration: &Declaration) -> bool {
    matches!(&declaration.shape.kind, ShapeKind::Dense(dimensions) if dimensions.len() == 2)
}

impl InitialiserCheck<'_> {
    fn context(&mut self, initial: &Expr) -> Option<Initialiser> {
        if matches!(initial.kind, ExprKind::Error) {
            return None;
        }
        let number = filling(initial, self.resolved).filter(|number| number.is_finite());
        if number.is_none() {
            self.diagnostics
                .error(
                    initial.extent,
                    format!("the default of context `{}` is not a number", self.declaration.name),
                )
                .help(format!("`{} = 1` fills it with ones", text::declaration(self.declaration)));
        }
        number.map(Amount::Number).map(Initialiser::Constant)
    }

    fn initialiser(&mut self, initial: &Expr) -> Option<Initialiser> {
        match &initial.kind {
            ExprKind::Error => None,
            ExprKind::Name { name, time: Time::Implicit } if self.dimension(initial).is_none() => {
                self.named(name, initial, &[])
            }
            ExprKind::Call { function, arguments } if !is_arithmetic(function) => {
                self.named(function, initial, arguments)
            }
            _ if self.reads_a_value(initial) => {
                self.report_no_initialiser(initial);
                None
            }
            _ => self.amount(initial, None).map(Initialiser::Constant),
        }
    }

    fn report_no_initialiser(&mut self, initial: &Expr) {
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
        let Some(Named { signature, arity: (least, most), .. }) =
            TABLE.iter().find(|known| known.name == written)
        else {
            self.unknown(name);
            return None;
        };
        if !(least..=most).contains(&&arguments.len()) {
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
        if written == "identity" && arguments.is_empty() && !self.is_square {
            self.diagnostics
                .error(initial.extent, "`identity` is for square matrices")
                .note(format!(
                    "`{}` is declared as `{}`",
                    self.declaration.name,
                    text::declaration(self.declaration)
                ))
                .help("`identity(1)` sets the diagonal of any matrix to 1");
            return None;
        }
        let mut numbers = vec![];
        for argument in arguments {
            numbers.push(self.amount(argument, Some(name)));
        }
        let numbers = numbers.into_iter().collect::<Option<Vec<Amount>>>()?;
        self.build(&written, &numbers, initial)
    }

    fn needs_matrix(&mut self, name: &Ident, initial: &Expr, written: &str) -> Option<()> {
        let any_shape = ["zeros", "ones", "constant", "uniform", "normal", "from_fn"].contains(&written);
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

    /// Returns the initialiser. It does not check the signs and the order of amounts that depend on
    /// dimensions, which are not known here.
    fn build(&mut self, written: &str, numbers: &[Amount], initial: &Expr) -> Option<Initialiser> {
        use Amount::Number;
        Some(match (written, numbers) {
            ("zeros", _) => Initialiser::Constant(Number(0.0)),
            ("ones", _) => Initialiser::Constant(Number(1.0)),
            ("constant", [a]) => Initialiser::Constant(a.clone()),
            ("identity", []) => Initialiser::Identity(Number(1.0)),
            ("identity", [a]) => Initialiser::Identity(a.clone()),
            ("uniform", [Number(a)]) if *a < 0.0 => {
                let help = format!(
                    "`uniform({})` is between {} and {}",
                    text::number(-a),
                    text::number(*a),
                    text::number(-a)
                );
                self.diagnostics.error(initial.extent, "`uniform(a)` of a negative number").help(help);
                return None;
            }
            ("uniform", [Number(lo), Number(hi)]) if lo > hi => {
                let help = format!("`uniform({}, {})`", text::number(*hi), text::number(*lo));
                self.diagnostics.error(initial.extent, "the lower bound is above the upper").help(help);
                return None;
            }
            ("normal", [Number(s)]) if *s < 0.0 => {
                let help = format!("`normal({})`", text::number(-s));
                self.diagnostics.error(initial.extent, "a negative standard deviation").help(help);
                return None;
            }
            ("uniform", [a]) => Initialiser::Uniform(a.negated(), a.clone()),
            ("uniform", [lo, hi]) => Initialiser::Uniform(lo.clone(), hi.clone()),
            ("normal", [s]) => Initialiser::Normal(s.clone()),
            ("xavier_uniform", _) => Initialiser::XavierUniform,
            ("xavier_normal", _) => Initialiser::XavierNormal,
            ("kaiming_uniform", _) => Initialiser::KaimingUniform,
            ("kaiming_normal", _) => Initialiser::KaimingNormal,
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
        let near =
            foreign_initialiser(&written).or_else(|| nearest(&written, TABLE.iter().map(|known| known.name)));
        let mistake = self.diagnostics.error(name, format!("unknown initialiser `{name}`"));
        match near {
            Some(near) => mistake.help(format!("should this be `{near}`?")),
            None => mistake.note(known_initialisers()),
        };
    }
}

fn known_initialisers() -> String {
    let known: Vec<String> = TABLE.iter().map(|known| format!("`{}`", known.signature)).collect();
    format!("the initialisers are {}", known.join(", "))
}

#[cfg(test)]
mod tests;

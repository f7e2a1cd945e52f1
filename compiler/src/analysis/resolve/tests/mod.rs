//! Tests of name resolution: one test per mistake, with the whole message, and valid definitions
//! with the results.

mod defined;
mod order;
mod random;
mod read;
mod unused;

use crate::analysis::initialisers::Initialiser;
use crate::analysis::resolve::Resolved;
use crate::analysis::shapes::Shapes;
use crate::analysis::{initialisers, resolve, shapes};
use crate::diagnostics::Diagnostics;
use crate::syntax::ast::{Cell, DeclarationKind, Expr, ExprKind};
use crate::syntax::parse::parse;

/// A cell with all results of the analysis.
pub struct Checked {
    pub cell: Cell,
    pub resolved: Resolved,
    pub shapes: Shapes,
    pub initialisers: Vec<Option<Initialiser>>,
    pub messages: Vec<String>,
}

/// Checks a cell with these dimensions and items: `<H> input x: [H]; ..`.
pub fn check(source: &str) -> Checked {
    let (head, body) = match source.split_once('>') {
        Some((head, body)) if head.starts_with('<') => (format!("{head}>"), body),
        _ => (String::new(), source),
    };
    let tokens =
        format!("pub cell Test{head} {{ {body} }}").parse().expect("the test's source has balanced brackets");
    let mut diagnostics = Diagnostics::default();
    let cell = parse(tokens, &mut diagnostics).cells.pop().expect("the test's source is one cell");
    let resolved = resolve::resolve(&cell, &mut diagnostics);
    let shapes = shapes::infer(&cell, &resolved, &mut diagnostics);
    let initialisers = initialisers::initialisers(&cell, &resolved, &shapes, &mut diagnostics);
    // The results have an entry for everything, whatever the mistakes.
    assert_eq!(resolved.symbols.len(), cell.expression_count);
    assert_eq!(resolved.callees.len(), cell.expression_count);
    assert_eq!(resolved.outputs.len(), cell.outputs.len());
    assert_eq!(resolved.state_values.len(), cell.declarations.len());
    assert_eq!(shapes.expressions.len(), cell.expression_count);
    assert_eq!(initialisers.len(), cell.declarations.len());
    let mut order = resolved.order.clone();
    order.sort_unstable();
    assert!(order.into_iter().eq(0..cell.equations.len()));
    let messages: Vec<String> =
        diagnostics.messages().iter().map(|message| message.replace("\n\n", "\n")).collect();
    let checked = Checked { cell, resolved, shapes, initialisers, messages };
    if checked.messages.is_empty() {
        checked.assert_known(source);
    }
    checked
}

/// Checks a definition without mistakes.
pub fn check_valid(source: &str) -> Checked {
    let checked = check(source);
    assert_eq!(checked.messages, Vec::<String>::new(), "{source}");
    checked
}

impl Checked {
    /// Asserts that everything is known in a definition without mistakes.
    fn assert_known(&self, source: &str) {
        assert!(self.shapes.targets.iter().flatten().all(Option::is_some), "{source}");
        assert!(self.shapes.declarations.iter().all(Option::is_some), "{source}");
        assert!(self.resolved.outputs.iter().all(Option::is_some), "{source}");
        for equation in &self.cell.equations {
            self.assert_expression_known(&equation.value, source);
        }
        for (index, declaration) in self.cell.declarations.iter().enumerate() {
            match declaration.kind {
                DeclarationKind::Param | DeclarationKind::Buffer => {
                    assert!(self.initialisers[index].is_some(), "{source}");
                }
                DeclarationKind::State => assert!(self.resolved.state_values[index].is_some(), "{source}"),
                DeclarationKind::Input | DeclarationKind::Context => {}
            }
        }
    }

    fn assert_expression_known(&self, expr: &Expr, source: &str) {
        let has_shape = self.shapes.expressions[expr.id].is_some();
        assert!(has_shape || matches!(expr.kind, ExprKind::Compare { .. }), "{source}");
        match &expr.kind {
            ExprKind::Name { .. } => assert!(self.resolved.symbols[expr.id].is_some(), "{source}"),
            ExprKind::Call { arguments, .. } => {
                assert!(self.resolved.callees[expr.id].is_some(), "{source}");
                for argument in arguments {
                    self.assert_expression_known(argument, source);
                }
            }
            ExprKind::Neg(inner) | ExprKind::Transpose(inner) | ExprKind::Head(inner) => {
                self.assert_expression_known(inner, source)
            }
            ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                self.assert_expression_known(left, source);
                self.assert_expression_known(right, source);
            }
            ExprKind::Stack(parts) => {
                for part in parts {
                    self.assert_expression_known(part, source);
                }
            }
            ExprKind::Number(_) => {}
            ExprKind::RustPath(_) | ExprKind::Error => {
                panic!("no diagnostic for a failed expression: {source}")
            }
        }
    }

    /// Returns the shape of the value with this name, in the user's notation.
    pub fn shape(&self, name: &str) -> String {
        let names: Vec<String> = self.cell.dimensions.iter().map(ToString::to_string).collect();
        for (equation, shapes) in self.cell.equations.iter().zip(&self.shapes.targets) {
            for (target, shape) in equation.targets.iter().zip(shapes) {
                if target == name {
                    return shape.as_ref().map_or_else(|| "?".to_owned(), |shape| shape.display(&names));
                }
            }
        }
        "no value has this name".to_owned()
    }

    /// Returns the names of the equations in the order of evaluation.
    pub fn order(&self) -> Vec<String> {
        self.resolved.order.iter().map(|index| self.cell.equations[*index].targets[0].to_string()).collect()
    }

    /// Returns the `Debug` text of a declaration's initialiser.
    pub fn initialiser(&self, name: &str) -> String {
        let index = self.cell.declarations.iter().position(|declared| declared.name == name);
        let initialiser = index.and_then(|index| self.initialisers[index].as_ref());
        initialiser.map_or_else(|| "none".to_owned(), |initialiser| format!("{initialiser:?}"))
    }
}

/// Defines one test per mistake, from its name, the definition and all messages.
macro_rules! mistakes {
    ($($name:ident: $source:literal => [$($message:literal),* $(,)?];)*) => {
        $(
            #[test]
            fn $name() {
                let expected: &[&str] = &[$($message),*];
                assert_eq!($crate::analysis::resolve::tests::check($source).messages, expected);
            }
        )*
    };
}
pub(crate) use mistakes;

#[test]
fn cells_whose_types_have_the_same_name_are_reported() {
    let tokens = "cell A<H> { input x: [H]; y = tanh(x); output y; }
        cell A<H> { input x: [H]; y = tanh(x); output y; }
        cell AState<H> { input x: [H]; y = tanh(x); output y; }";
    let mut diagnostics = Diagnostics::default();
    let program = parse(tokens.parse().expect("balanced brackets"), &mut diagnostics);
    resolve::check_cells(&program.cells, &mut diagnostics);
    let expected = [
        "cell `A` is defined twice\n\nhelp: rename one of them",
        "`AState` is the name of a type that cell `A` generates\n\nhelp: rename one of them",
    ];
    assert_eq!(diagnostics.messages(), expected);
}

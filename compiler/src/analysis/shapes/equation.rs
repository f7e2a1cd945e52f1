//! Equations: the shapes of values against declared and asserted shapes, and the initial values of
//! states.

use super::infer::Infer;
use crate::analysis::initialisers;
use crate::analysis::resolve::Target;
use crate::dim::Shape;
use crate::syntax::ast::{DeclarationKind, Equation, Expr, ExprKind};
use crate::syntax::text;

impl Infer<'_> {
    pub(super) fn equation(&mut self, index: usize) {
        let cell = self.cell;
        let equation = &cell.equations[index];
        self.heads_block = equation.heads_block;
        let value = self.expression(&equation.value);
        let asserted = equation.shape.as_ref().map(|shape| self.shape(shape));
        let Some(mut value) = value else { return self.meant(index, asserted.flatten()) };
        if let Some(asserted) = asserted {
            // If the assertion itself is wrong, the intended shape is unknown.
            let Some(asserted) = asserted else { return };
            if asserted != value {
                self.broken_assertion(equation, &value, &asserted);
                return;
            }
            value = asserted;
        }
        let parts = if equation.is_split { self.split(equation, &value) } else { Some(vec![value]) };
        let Some(parts) = parts else { return };
        for (target, part) in parts.into_iter().enumerate() {
            self.target(Target { equation: index, index: target }, part);
        }
    }

    /// Sets the shapes of an equation to the declared or asserted ones, after a mistake in its
    /// value has been reported.
    fn meant(&mut self, index: usize, asserted: Option<Shape>) {
        let equation = &self.cell.equations[index];
        for (position, name) in equation.targets.iter().enumerate() {
            let state = self
                .cell
                .declarations
                .iter()
                .position(|declared| declared.kind == DeclarationKind::State && declared.name == *name);
            let declared = state.and_then(|state| self.shapes.declarations[state].clone());
            self.shapes.targets[index][position] = declared.or_else(|| asserted.clone());
        }
    }

    fn target(&mut self, target: Target, value: Shape) {
        let Some(entry) =
            self.shapes.targets.get_mut(target.equation).and_then(|targets| targets.get_mut(target.index))
        else {
            return;
        };
        *entry = Some(value.clone());
        // The state that the name refers to. A second equation of a state is checked like the
        // first.
        let equation = &self.cell.equations[target.equation];
        let name = &equation.targets[target.index];
        let state = self
            .cell
            .declarations
            .iter()
            .position(|declared| declared.kind == DeclarationKind::State && declared.name == *name);
        if let Some(state) = state
            && let Some(declared) = self.shapes.declarations[state].clone()
        {
            if declared != value {
                self.wrong_state(target, state, &value, &declared);
            }
            self.shapes.targets[target.equation][target.index] = Some(declared);
        }
    }

    fn broken_assertion(&mut self, equation: &Equation, value: &Shape, asserted: &Shape) {
        let Some(shape) = &equation.shape else { return };
        if self.report_star(&equation.value, value, asserted) {
            return;
        }
        let targets = text::targets(equation);
        let fact = format!(
            "`{targets}` is declared as `{}`, its value is `{}`",
            self.show(asserted),
            self.show(value)
        );
        let note = self.describe(&equation.value, value);
        let help = match initialisers::constant(&equation.value) {
            Some(number) => Some(format!(
                "a constant of that shape is a `buffer {targets}: {} = {};`",
                text::shape(shape),
                text::number(number)
            )),
            None => self.shape_help(&equation.value, value, asserted),
        };
        let mistake = self.diagnostics.error(shape.extent, fact);
        mistake.note(note);
        if let Some(help) = help {
            mistake.help(help);
        }
    }

    fn wrong_state(&mut self, target: Target, state: usize, value: &Shape, declared: &Shape) {
        let equation = &self.cell.equations[target.equation];
        if !equation.is_split && self.report_star(&equation.value, value, declared) {
            return;
        }
        let name = &equation.targets[target.index];
        let fact =
            format!("state `{name}` is `{}`, its equation gives `{}`", self.show(declared), self.show(value));
        let mut notes =
            vec![format!("it is declared as `{}`", text::declaration(&self.cell.declarations[state]))];
        if equation.is_split {
            notes.extend(self.shapes.expressions.get(equation.value.id).and_then(Option::as_ref).map(
                |whole| {
                    format!(
                        "{}, split among {} names",
                        self.describe(&equation.value, whole),
                        equation.targets.len()
                    )
                },
            ));
        } else {
            notes.push(self.describe(&equation.value, value));
        }
        let help = if equation.is_split { None } else { self.shape_help(&equation.value, value, declared) };
        let mistake = self.diagnostics.error(name, fact);
        for note in notes {
            mistake.note(note);
        }
        if let Some(help) = help {
            mistake.help(help);
        }
    }

    fn shape_help(&self, value: &Expr, found: &Shape, expected: &Shape) -> Option<String> {
        if found.is_scalar() {
            return Some(format!(
                "a scalar is not repeated automatically: multiply it by a `buffer one: {} = ones;`",
                self.show(expected)
            ));
        }
        if found.transposed() == *expected {
            return Some(format!("its transpose fits: `{}`", text::transposed(value)));
        }
        if super::broadcast::ordered_help(&found.rows, &expected.rows) {
            return Some(
                "the terms of a sum are ordered like its blocks: write both in the same order".to_owned(),
            );
        }
        None
    }

    /// Checks the initial values that are expressions. A scalar fills a state of any shape.
    pub(super) fn initial_states(&mut self) {
        let cell = self.cell;
        for (index, declaration) in cell.declarations.iter().enumerate() {
            let Some(initial) = &declaration.initial else { continue };
            if declaration.kind != DeclarationKind::State
                || initialisers::filling(initial, self.resolved).is_some()
            {
                continue;
            }
            self.heads_block = declaration.heads_block;
            let value = self.expression(initial);
            let (Some(value), Some(declared)) = (value, self.shapes.declarations[index].clone()) else {
                continue;
            };
            if value == declared || value.is_scalar() {
                continue;
            }
            let name = &declaration.name;
            let fact = format!(
                "state `{name}` is `{}`, its initial value `{}`",
                self.show(&declared),
                self.show(&value)
            );
            let note = self.describe(initial, &value);
            let help = self.shape_help(initial, &value, &declared).or_else(|| match &initial.kind {
                ExprKind::Name { name, .. } => Some(format!("declare `{name}: {}`", self.show(&declared))),
                _ => None,
            });
            let mistake = self.diagnostics.error(initial.extent, fact);
            mistake.note(format!("it is declared as `{}`", text::declaration(declaration))).note(note);
            if let Some(help) = help {
                mistake.help(help);
            }
        }
    }
}

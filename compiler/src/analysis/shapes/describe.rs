//! Notes that describe an operand and the origin of its shape.

use super::infer::Infer;
use crate::analysis::resolve::Symbol;
use crate::dim::Shape;
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::text;

/// The largest number of names within an operand whose declarations are shown.
const NAMES_SHOWN: usize = 4;

impl Infer<'_> {
    /// Returns a note on each of two operands, or a single one if the notes are the same.
    pub(super) fn describe_both(&self, left: (&Expr, &Shape), right: (&Expr, &Shape)) -> Vec<String> {
        let mut notes = vec![self.describe(left.0, left.1)];
        let second = self.describe(right.0, right.1);
        if !notes.contains(&second) {
            notes.push(second);
        }
        notes
    }

    /// Returns a note such as "`W` is declared as `param W: [H, I]`", "`z` is `[H]`, by the
    /// equation `z = ..`" or "`W @ x` is `[H]`, with ..".
    pub(super) fn describe(&self, expr: &Expr, shape: &Shape) -> String {
        if let ExprKind::Name { name, .. } = &expr.kind
            && let Some(declared) = self.declaration_of(expr)
        {
            return format!("`{name}` is declared as `{declared}`");
        }
        let written = text::short(expr);
        let subject = if written == ".." { "the operand".to_owned() } else { format!("`{written}`") };
        let is = format!("{subject} is `{}`", self.show(shape));
        if let Some(Symbol::Target(target)) = self.symbol(expr) {
            let value = text::short(&self.cell.equations[target.equation].value);
            let name = text::targets(&self.cell.equations[target.equation]);
            return format!("{is}, by the equation `{name} = {value}`");
        }
        let mut declared = vec![];
        self.collect(expr, &mut declared);
        if declared.is_empty() {
            return is;
        }
        let declared: Vec<String> = declared.iter().map(|declared| format!("`{declared}`")).collect();
        format!("{is}, with {}", declared.join(", "))
    }

    /// Returns the declaration of a name that has one: `param W: [H, I]`.
    fn declaration_of(&self, expr: &Expr) -> Option<String> {
        let index = match self.symbol(expr)? {
            Symbol::Declaration(index) | Symbol::Previous(index) => index,
            Symbol::Target(target) => self.resolved.state_of(target)?,
            Symbol::Dimension(_) | Symbol::Argument(_) => return None,
        };
        Some(text::declaration(&self.cell.declarations[index]))
    }

    fn collect(&self, expr: &Expr, found: &mut Vec<String>) {
        if found.len() >= NAMES_SHOWN {
            return;
        }
        match &expr.kind {
            ExprKind::Name { name, .. } => {
                let declared = self.declaration_of(expr).or_else(|| {
                    let Some(Symbol::Target(target)) = self.symbol(expr) else { return None };
                    let shape = self.shapes.targets[target.equation][target.index].as_ref()?;
                    Some(format!("{name}: {}", self.show(shape)))
                });
                if let Some(declared) = declared.filter(|declared| !found.contains(declared)) {
                    found.push(declared);
                }
            }
            ExprKind::Neg(inner) | ExprKind::Transpose(inner) | ExprKind::Head(inner) => {
                self.collect(inner, found)
            }
            ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                self.collect(left, found);
                self.collect(right, found);
            }
            ExprKind::Stack(parts) | ExprKind::Call { arguments: parts, .. } => {
                for part in parts {
                    self.collect(part, found);
                }
            }
            ExprKind::Number(_) | ExprKind::RustPath(_) | ExprKind::Error => {}
        }
    }
}

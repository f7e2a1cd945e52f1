//! Calls: the shape rule of each function, and arguments that do not fit it.

use super::broadcast::common;
use super::infer::Infer;
use crate::analysis::resolve::Callee;
use crate::dim::Shape;
use crate::graph::ops::{Operation, ShapeRule};
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::text;

pub(super) type Argument<'e> = (&'e Expr, Shape);

impl Infer<'_> {
    pub(super) fn call(&mut self, expr: &Expr, arguments: &[Expr]) -> Option<Shape> {
        let callee = self.resolved.callees.get(expr.id).copied().flatten();
        // The compared values broadcast like separate arguments.
        let arguments: Vec<&Expr> = arguments.iter().flat_map(Expr::compared).collect();
        if let Some(Callee::BuiltIn(operation)) = callee
            && matches!(operation.shape, ShapeRule::Window | ShapeRule::Present)
        {
            return self.past(operation, &arguments);
        }
        if let Some(Callee::BuiltIn(operation)) = callee
            && matches!(operation.shape, ShapeRule::Blocks | ShapeRule::Heads)
        {
            return self.parts(expr, operation, &arguments);
        }
        let shapes: Vec<Option<Shape>> = arguments.iter().map(|argument| self.expression(argument)).collect();
        let known: Option<Vec<Argument>> =
            arguments.into_iter().zip(shapes).map(|(argument, shape)| Some((argument, shape?))).collect();
        let known = known?;
        let name = match &expr.kind {
            ExprKind::Call { function, .. } => function.to_string(),
            _ => return None,
        };
        match callee? {
            Callee::User(function) => {
                self.all_common(&name, &known)?;
                let reaching = self.reaching.get(function)?.as_ref()?.clone();
                let read =
                    known.iter().zip(&reaching).filter(|(_, reaches)| **reaches).map(|((_, shape), _)| shape);
                read.cloned().try_fold(Shape::scalar(), |all, shape| common(&all, &shape))
            }
            Callee::BuiltIn(operation) => self.built_in(expr, operation, &name, known),
        }
    }

    fn built_in(
        &mut self,
        expr: &Expr,
        operation: &Operation,
        name: &str,
        arguments: Vec<Argument>,
    ) -> Option<Shape> {
        match operation.shape {
            ShapeRule::ElementWise | ShapeRule::Where => self.all_common(name, &arguments),
            ShapeRule::Reduce => Some(Shape::scalar()),
            ShapeRule::Same => arguments.into_iter().next().map(|(_, shape)| shape),
            ShapeRule::RowSum => self.row_sum(&arguments),
            ShapeRule::Softmax => self.softmax(&arguments),
            ShapeRule::Normalise => self.normalise(name, &arguments),
            ShapeRule::Vec => self.vec(expr, &arguments),
            ShapeRule::Window | ShapeRule::Present | ShapeRule::Blocks | ShapeRule::Heads => None,
        }
    }

    fn all_common(&mut self, name: &str, arguments: &[Argument]) -> Option<Shape> {
        let (first, rest) = arguments.split_first()?;
        let mut shape = first.1.clone();
        for argument in rest {
            match common(&shape, &argument.1) {
                Some(both) => shape = both,
                None => {
                    let clash = arguments
                        .iter()
                        .find(|other| common(&other.1, &argument.1).is_none())
                        .unwrap_or(first);
                    self.arguments_clash(name, clash, argument);
                    return None;
                }
            }
        }
        Some(shape)
    }

    fn arguments_clash(&mut self, name: &str, first: &Argument, second: &Argument) {
        let fact = format!("`{name}` can't combine `{}` and `{}`", self.show(&first.1), self.show(&second.1));
        let notes = self.describe_both((first.0, &first.1), (second.0, &second.1));
        let are_vectors = first.1.columns.is_one() && second.1.columns.is_one();
        let is_transposed = !are_vectors && common(&first.1, &second.1.transposed()).is_some();
        let mistake = self.diagnostics.error(second.0.extent, fact);
        for note in notes {
            mistake.note(note);
        }
        if is_transposed {
            mistake.help(format!("its transpose fits: `{}`", text::transposed(second.0)));
        } else {
            mistake.help(format!(
                "`{name}` is element-wise: its arguments must have the same shape, apart from scalars"
            ));
        }
    }

    fn row_sum(&mut self, arguments: &[Argument]) -> Option<Shape> {
        let (argument, shape) = arguments.first()?;
        if shape.columns.is_one() {
            let note = self.describe(argument, shape);
            let written = text::short(argument);
            let what = if shape.is_scalar() { "a scalar" } else { "a vector" };
            let mistake = self.diagnostics.error(argument.extent, format!("`row_sum` of {what}"));
            mistake.note(note).note("`row_sum` adds up the columns of a matrix `[n, s]` to a vector `[n]`");
            if !shape.is_scalar() {
                mistake.help(format!("the sum of all entries is `sum({written})`"));
            }
            return None;
        }
        Some(Shape::vector(shape.rows.clone()))
    }

    fn softmax(&mut self, arguments: &[Argument]) -> Option<Shape> {
        let (argument, shape) = arguments.first()?;
        let is_vector = shape.columns.is_one() || shape.rows.is_one();
        if !is_vector || shape.is_scalar() {
            let fact = if shape.is_scalar() {
                "`softmax` of a scalar is always 1".to_owned()
            } else {
                format!("`softmax` of a matrix `{}`", self.show(shape))
            };
            let note = self.describe(argument, shape);
            self.diagnostics
                .error(argument.extent, fact)
                .note(note)
                .help("`softmax` is over the entries of a vector `[s]` or a row `[1, s]`");
            return None;
        }
        let fits = |mask: &Shape| mask == shape || mask.transposed() == *shape;
        if let Some((mask, mask_shape)) = arguments.get(1).filter(|(_, mask)| !fits(mask)) {
            let fact = format!(
                "the mask of `softmax` is `{}`, the scores `{}`",
                self.show(mask_shape),
                self.show(shape)
            );
            let notes = self.describe_both((argument, shape), (mask, mask_shape));
            let mistake = self.diagnostics.error(mask.extent, fact);
            for note in notes {
                mistake.note(note);
            }
            mistake.help("the mask must have one entry per score");
            return None;
        }
        Some(shape.clone())
    }

    fn normalise(&mut self, name: &str, arguments: &[Argument]) -> Option<Shape> {
        let (first, rest) = arguments.split_first()?;
        if first.1.is_scalar() {
            let note = self.describe(first.0, &first.1);
            self.diagnostics
                .error(first.0.extent, format!("`{name}` of a scalar"))
                .note(note)
                .help(format!("`{name}` normalises over the entries of a vector"));
            return None;
        }
        let mut fits = true;
        for (argument, shape) in rest {
            if common(&first.1, shape).as_ref() != Some(&first.1) {
                let fact = format!("`{name}` of `{}` can't take `{}`", self.show(&first.1), self.show(shape));
                let notes = self.describe_both((first.0, &first.1), (argument, shape));
                let mistake = self.diagnostics.error(argument.extent, fact);
                for note in notes {
                    mistake.note(note);
                }
                mistake.help("gain and bias must have the shape of the normalised value, or be scalars");
                fits = false;
            }
        }
        fits.then(|| first.1.clone())
    }
}

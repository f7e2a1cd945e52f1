//! The walk over every expression, which resolves its names and calls.

use super::findings::{Reader, UserCall, Walk};
use super::names::{Definition, Lookup, key};
use super::symbols::{Callee, Delayed, Symbol};
use crate::diagnostics::{Extent, Missing};
use crate::graph::ops;
use crate::graph::ops::ShapeRule;
use crate::syntax::ast::{BinaryOp, DeclarationKind, Expr, ExprKind, Time};
use proc_macro2::Ident;

impl Walk<'_> {
    pub fn equations(&mut self) {
        for (index, equation) in self.cell.equations.iter().enumerate() {
            self.expression(&equation.value, Reader::Equation(index));
        }
    }

    pub fn initial_states(&mut self) {
        for (index, declaration) in self.cell.declarations.iter().enumerate() {
            if declaration.kind != DeclarationKind::State {
                continue;
            }
            if let Some(initial) = declaration.initial.as_ref().filter(|initial| !self.is_filling(initial)) {
                self.expression(initial, Reader::Initial(index));
            }
        }
    }

    /// Visits the initialisers of parameters and buffers, which can read dimensions, but no values.
    /// A value that is named in one is a mistake, but it counts as used.
    pub fn initialisers(&mut self) {
        for (index, declaration) in self.cell.declarations.iter().enumerate() {
            if declaration.kind != DeclarationKind::State
                && let Some(initial) = &declaration.initial
            {
                self.named_in_initialiser(initial, Reader::Initial(index));
            }
        }
    }

    fn named_in_initialiser(&mut self, expr: &Expr, reader: Reader) {
        if let ExprKind::Name { name, .. } = &expr.kind
            && let Lookup::Found(definition) = self.names.look_up(name)
        {
            self.read(reader, definition, None, expr);
            if let Definition::Dimension(index) = definition {
                self.set(expr, Symbol::Dimension(index));
            }
        }
        if let ExprKind::Call { function, .. } = &expr.kind
            && let Some(operation) = ops::find(&key(function))
        {
            self.set_callee(expr, Callee::BuiltIn(operation));
        }
        expr.children().into_iter().for_each(|child| self.named_in_initialiser(child, reader));
    }

    /// Returns whether the expression is `zeros` or `ones`, the only initialisers that states
    /// allow.
    fn is_filling(&self, initial: &Expr) -> bool {
        match &initial.kind {
            ExprKind::Name { name, .. } => {
                (name == "zeros" || name == "ones") && self.names.look_up(name) == Lookup::Unknown
            }
            _ => false,
        }
    }

    pub fn functions(&mut self) {
        for (index, function) in self.cell.functions.iter().enumerate() {
            self.expression(&function.body, Reader::Function(index));
        }
    }

    fn expression(&mut self, expr: &Expr, reader: Reader) {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Error => {}
            ExprKind::Name { name, time } => self.name(expr, name, time, reader),
            ExprKind::Neg(inner) => self.expression(inner, reader),
            ExprKind::Binary { op, op_extent, left, right } => {
                if *op == BinaryOp::MatMul {
                    self.only_outside_functions(*op_extent, "`@`", reader);
                }
                self.expression(left, reader);
                self.expression(right, reader);
            }
            ExprKind::Transpose(inner) => {
                self.only_outside_functions(expr.extent, "`.T`", reader);
                self.expression(inner, reader);
            }
            ExprKind::Head(inner) => {
                self.only_outside_functions(expr.extent, "`.head`", reader);
                let is_outside = match reader {
                    Reader::Equation(index) => self.cell.equations[index].heads_block.is_none(),
                    Reader::Initial(index) => self.cell.declarations[index].heads_block.is_none(),
                    Reader::Function(_) => false,
                };
                if is_outside {
                    self.head_outside(expr.extent, inner);
                }
                self.expression(inner, reader);
            }
            ExprKind::Stack(parts) => {
                self.only_outside_functions(expr.extent, "a stack", reader);
                for part in parts {
                    self.expression(part, reader);
                }
            }
            ExprKind::Call { function, arguments } => self.call(expr, function, arguments, reader),
            ExprKind::Compare { .. } | ExprKind::Logic { .. } | ExprKind::Not(_) => {
                expr.children().into_iter().for_each(|child| self.expression(child, reader));
            }
            // The parser has reported it if it isn't the argument of an initialiser.
            ExprKind::RustPath(_) => {}
        }
    }

    fn only_outside_functions(&mut self, extent: Extent, what: &str, reader: Reader) {
        let Reader::Function(index) = reader else { return };
        let function = &self.cell.functions[index].name;
        self.diagnostics
            .error(extent, format!("{what} is not element-wise"))
            .note(format!("`fn {function}` is applied to each entry of its arguments by itself"))
            .help("write it in an equation");
    }

    fn name(&mut self, expr: &Expr, name: &Ident, time: &Time, reader: Reader) {
        self.read_delay(expr, time, reader);
        if let Reader::Function(function) = reader
            && let Some(argument) = self.argument(function, name)
        {
            if *time != Time::Implicit {
                self.argument_at_time(expr, name);
            } else {
                self.set(expr, Symbol::Argument(argument));
            }
            return;
        }
        match self.names.look_up(name) {
            Lookup::Poisoned => {}
            Lookup::Unknown => self.unknown_name(expr, name, time, reader),
            Lookup::Found(definition) => {
                let symbol = self.known_name(expr, name, time, reader, definition);
                if let Some(symbol) = symbol {
                    self.set(expr, symbol);
                }
                self.read(reader, definition, symbol, expr);
            }
        }
    }

    fn argument(&self, function: usize, name: &Ident) -> Option<usize> {
        self.cell.functions[function].arguments.iter().position(|argument| key(argument) == key(name))
    }

    fn known_name(
        &mut self,
        expr: &Expr,
        name: &Ident,
        time: &Time,
        reader: Reader,
        definition: Definition,
    ) -> Option<Symbol> {
        let is_now = matches!(time, Time::Implicit | Time::Offset(0));
        let kind = match definition {
            Definition::Declaration(index) => Some(self.cell.declarations[index].kind),
            _ => None,
        };
        let is_constant =
            matches!(kind, Some(DeclarationKind::Param | DeclarationKind::Buffer | DeclarationKind::Context))
                || matches!(definition, Definition::Dimension(_));
        if is_constant && *time != Time::Implicit {
            self.constant_at_time(expr, name, definition);
            return None;
        }
        match reader {
            Reader::Function(function) if !matches!(definition, Definition::Dimension(_)) => {
                self.value_in_function(expr, name, definition, function);
                return None;
            }
            Reader::Initial(state) if !is_constant => {
                self.step_value_in_initial(expr, name, definition, state);
                return None;
            }
            _ => {}
        }
        if let Time::Delay { dimension, .. } = time {
            self.delay(expr, name, dimension, reader)?;
        }
        match definition {
            Definition::Dimension(index) => Some(Symbol::Dimension(index)),
            Definition::Declaration(index) if kind == Some(DeclarationKind::State) => match time {
                _ if is_now => self.names.state_values[index].map(Symbol::Target),
                Time::Offset(-1) => Some(Symbol::Previous(index)),
                _ => Some(Symbol::Delayed(Delayed::Declaration(index))),
            },
            Definition::Declaration(index) if !is_now => Some(Symbol::Delayed(Delayed::Declaration(index))),
            Definition::Target(target) if !is_now => Some(Symbol::Delayed(Delayed::Target(target))),
            Definition::Declaration(index) => Some(Symbol::Declaration(index)),
            Definition::Target(target) => Some(Symbol::Target(target)),
        }
    }

    fn call(&mut self, expr: &Expr, function: &Ident, arguments: &[Expr], reader: Reader) {
        if let Some(index) = self.names.function(function) {
            self.called(UserCall { reader, function: index, extent: function.into() });
            let expected = self.cell.functions[index].arguments.len();
            if self.count_arguments(function, arguments, (expected, expected), &self.signature(index)) {
                self.set_callee(expr, Callee::User(index));
            }
        } else if let Some(operation) = ops::find(&key(function)) {
            let is_element_wise =
                matches!(operation.shape, ShapeRule::ElementWise | ShapeRule::Where | ShapeRule::Same);
            if !is_element_wise {
                self.only_outside_functions(function.into(), &format!("`{function}`"), reader);
            }
            if let (ShapeRule::Window | ShapeRule::Present, Reader::Initial(state)) =
                (operation.shape, reader)
            {
                self.past_in_initial(function, state);
            }
            if self.count_arguments(function, arguments, operation.arity, operation.signature) {
                self.set_callee(expr, Callee::BuiltIn(operation));
            }
        } else if !self.names.is_poisoned(function) {
            self.unknown_function(function, arguments, reader, expr);
        }
        for argument in arguments {
            self.expression(argument, reader);
        }
    }

    /// Returns whether the number of arguments is right. Reports the call otherwise.
    fn count_arguments(
        &mut self,
        function: &Ident,
        arguments: &[Expr],
        (least, most): (usize, usize),
        signature: &str,
    ) -> bool {
        let given = arguments.len();
        if (least..=most).contains(&given) {
            return true;
        }
        let plural = if most == 1 { "" } else { "s" };
        let expected = if least == most { most.to_string() } else { format!("{least} or {most}") };
        let mistake = self
            .diagnostics
            .error(function, format!("`{function}` takes {expected} argument{plural}, not {given}"));
        mistake.help(format!("`{signature}`"));
        if given < least {
            mistake.leaves_out(Missing::Read);
        }
        false
    }

    fn signature(&self, function: usize) -> String {
        let function = &self.cell.functions[function];
        let arguments: Vec<String> = function.arguments.iter().map(Ident::to_string).collect();
        format!("{}({})", function.name, arguments.join(", "))
    }
}

//! The inferred shapes of a cell.

use crate::dim::{Dim, Shape};
use crate::syntax::ast::Cell;
use proc_macro2::Ident;

/// The inferred shapes. An entry is `None` if the shape is unknown because of a mistake that has
/// been reported.
#[derive(Debug)]
pub struct Shapes {
    /// The shape of each declaration. A one-hot input has the shape `[V]` of the vector that it
    /// represents.
    pub declarations: Vec<Option<Shape>>,
    /// The size `V` of each declaration that is a one-hot input.
    pub one_hot: Vec<Option<Dim>>,
    /// The shape of each expression. Entries inside the user's functions are `None`, since these
    /// are element-wise and accept any shape.
    pub expressions: Vec<Option<Shape>>,
    /// The shape of each target of each equation.
    pub targets: Vec<Vec<Option<Shape>>>,
}

/// A cell with its shapes, from which its values can be written as text.
#[derive(Debug, Clone, Copy)]
pub struct Shaped<'a> {
    pub cell: &'a Cell,
    pub shapes: &'a Shapes,
}

impl Shaped<'_> {
    /// Returns the names of the dimensions as the user wrote them.
    pub fn dim_names(&self) -> Vec<String> {
        self.cell.dimensions.iter().map(Ident::to_string).collect()
    }
}

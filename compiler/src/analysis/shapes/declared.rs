//! The shapes of declarations.

use super::infer::Infer;
use crate::dim::{Atom, Dim, Shape};
use crate::syntax::ast::{DimSyntax, ShapeKind, ShapeSyntax};

impl Infer<'_> {
    pub(super) fn declarations(&mut self) {
        for (index, declaration) in self.cell.declarations.iter().enumerate() {
            self.heads_block = declaration.heads_block;
            if let ShapeKind::OneHot(size) = &declaration.shape.kind {
                let size =
                    self.dimension(size).filter(|size| self.can_be_a_range(declaration.shape.extent, size));
                self.shapes.declarations[index] = size.clone().map(Shape::vector);
                self.shapes.one_hot[index] = size;
            } else {
                self.shapes.declarations[index] = self.shape(&declaration.shape);
            }
        }
    }

    /// Returns the shape as written. Returns `None` if it is wrong, which is reported.
    pub(super) fn shape(&mut self, shape: &ShapeSyntax) -> Option<Shape> {
        match &shape.kind {
            ShapeKind::Unknown => None,
            ShapeKind::OneHot(_) => {
                self.diagnostics
                    .error(shape.extent, "only an input can be one-hot")
                    .help("write the shape of the value: `[H]`");
                None
            }
            ShapeKind::Dense(dimensions) => {
                let found: Vec<Option<Dim>> =
                    dimensions.iter().map(|dimension| self.dimension(dimension)).collect();
                let found = found.into_iter().collect::<Option<Vec<Dim>>>()?;
                let mut found = found.into_iter();
                let found = Shape {
                    rows: found.next().unwrap_or_else(Dim::one),
                    columns: found.next().unwrap_or_else(Dim::one),
                };
                self.can_be_declared(shape.extent, &found).then_some(found)
            }
        }
    }

    fn dimension(&mut self, dimension: &DimSyntax) -> Option<Dim> {
        let mut atoms = vec![];
        for term in &dimension.terms {
            match &term.name {
                None => atoms.push(Atom::Literal(term.count)),
                Some(name) => {
                    let index = self.cell.dimensions.iter().position(|known| known == name)?;
                    // The parser limits the count.
                    let (count, atom) = self.product_of_names(term, Atom::Name(index))?;
                    atoms.extend((0..count).map(|_| atom));
                }
            }
        }
        Some(Dim::sum(atoms))
    }
}

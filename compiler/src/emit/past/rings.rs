//! The rings in the state: their types, their fields and their lengths.

use crate::analysis::past::RingField;
use crate::dim::Atom;
use crate::emit::context::EmitContext;
use crate::emit::hygiene::ident;
use crate::graph::ir::{Level, Piece};
use crate::syntax::ast::{DeclarationKind, declared};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

impl EmitContext<'_> {
    /// Returns the length of a ring as a `usize` expression.
    pub fn depth(&self, ring: usize) -> TokenStream {
        let (count, [n, m]) = self.ring_lengths(ring);
        quote!((#count * #n * #m))
    }

    /// Returns the factors whose product is the length of a ring.
    fn ring_lengths(&self, ring: usize) -> (TokenStream, [TokenStream; 2]) {
        let ring = &self.past.rings[ring];
        let dimension = |index: usize| {
            self.atom(ring.dimensions.get(index).map_or(Atom::ONE, |dimension| Atom::Name(*dimension)))
        };
        (self.atom(Atom::Literal(ring.count)), [dimension(0), dimension(1)])
    }

    /// Returns the type of a field of the state that holds a ring.
    pub fn ring_type(&self, field: &RingField) -> TokenStream {
        let (k, batch) = (&self.k, &self.batch);
        let (count, [n, m]) = self.ring_lengths(field.ring);
        let lengths = quote!({ #batch }, { #count }, { #n }, { #m });
        let value = &self.past.values[self.past.rings[field.ring].value];
        if value.is_one_hot {
            return quote!(#k::IndexRing<#lengths>);
        }
        let block = self.block_type(value.block(field.row, field.column), Level::Time);
        quote!(#k::Ring<#block, #lengths>)
    }

    /// Returns the type of a recorded block at one step.
    pub fn recorded_type(&self, piece: Piece) -> TokenStream {
        let value = &self.past.values[piece.of];
        if value.is_one_hot {
            return self.index_type();
        }
        self.block_type(value.block(piece.row, piece.column), Level::Time)
    }

    /// Returns the field of the state that holds a block of a ring.
    pub fn ring_field(&self, piece: Piece, ring: usize) -> Ident {
        let is_it =
            |field: &&RingField| field.ring == ring && (field.row, field.column) == (piece.row, piece.column);
        ident(self.ring_fields.iter().find(is_it).map_or("", |field| field.name.as_str()))
    }

    /// Returns the fields of the state for earlier values, with their types and comments.
    pub fn past_fields(&self) -> Vec<(Ident, TokenStream, String)> {
        let k = &self.k;
        let mut fields: Vec<(Ident, TokenStream, String)> = self
            .ring_fields
            .iter()
            .map(|field| {
                let value = &self.past.values[self.past.rings[field.ring].value];
                let doc = format!("The last values of `{}`, for the steps that read them.", value.name);
                (ident(&field.name), self.ring_type(field), doc)
            })
            .collect();
        if self.past.counts_steps {
            let batch = &self.batch;
            let doc = "The number of steps since the start of the sequence.".to_owned();
            fields.push((ident(&self.steps_field), quote!(#k::Steps<{ #batch }>), doc));
        }
        fields
    }

    /// Returns the dimensions that the state uses.
    pub fn state_dims(&self) -> Vec<usize> {
        let states = declared(self.cell, DeclarationKind::State);
        let mut dims = self.dims_of_declared(&states);
        let values = self.past.rings.iter().map(|ring| &self.past.values[ring.value]);
        let values: Vec<_> = values.filter(|value| !value.is_one_hot).collect();
        dims.extend(self.dims_of(values.iter().map(|value| &value.shape)));
        dims.extend(values.iter().flat_map(|value| value.heads.names()));
        dims.extend(self.past.rings.iter().flat_map(|ring| &ring.dimensions));
        dims.sort_unstable();
        dims.dedup();
        dims
    }

    /// Returns a delay as a number of steps.
    pub(super) fn delay(&self, count: u64, dimension: Option<usize>) -> TokenStream {
        let count = self.atom(Atom::Literal(count));
        match dimension {
            None => count,
            Some(dimension) => {
                let dimension = self.atom(Atom::Name(dimension));
                quote!((#count * #dimension))
            }
        }
    }

    /// Returns the lengths of all rings.
    pub fn depths(&self) -> Vec<TokenStream> {
        (0..self.past.rings.len()).map(|ring| self.depth(ring)).collect()
    }

    /// Returns the number of scalars of one sample that the rings hold, and the number of integers.
    pub fn ring_sizes(&self) -> (TokenStream, TokenStream) {
        let (mut scalars, mut integers) = (quote!(0), quote!(0));
        for field in &self.ring_fields {
            let depth = self.depth(field.ring);
            let value = &self.past.values[self.past.rings[field.ring].value];
            integers.extend(quote!(+ 1));
            if value.is_one_hot {
                integers.extend(quote!(+ #depth));
                continue;
            }
            let size = self.block_size(value.block(field.row, field.column));
            scalars.extend(quote!(+ #depth * #size));
        }
        if self.past.counts_steps {
            integers.extend(quote!(+ 1));
        }
        (scalars, integers)
    }
}

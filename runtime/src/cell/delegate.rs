//! Macros that implement [`Model`](super::Model) and [`ModelMut`](super::ModelMut) by the methods
//! of other models.

/// Implements the visiting methods of `Model` by those of another model: `this => this.layer`.
macro_rules! visit_as {
    ($this:ident => $model:expr) => {
        fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>)) {
            let $this = self;
            $model.visit(visitor);
        }

        fn visit_buffers<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>)) {
            let $this = self;
            $model.visit_buffers(visitor);
        }

        fn visit_layers(&self, visitor: &mut dyn FnMut($crate::cell::LayerInfo<'_>)) {
            let $this = self;
            $model.visit_layers(visitor);
        }

        fn depth(&self) -> usize {
            let $this = self;
            $model.depth()
        }
    };
}

/// Implements the visiting methods of `Model`, apart from `depth`, by those of several parts, each
/// with its place in paths: `this, (a, b) = (FIRST, SECOND) => (a, this.first), (b, this.second)`.
macro_rules! visit_parts {
    ($this:ident, $places:pat = $value:expr => $(($place:expr, $part:expr)),+) => {
        fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>)) {
            let $this = self;
            let $places = $value;
            $($part.visit(&mut $place.of(visitor));)+
        }

        fn visit_buffers<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>)) {
            let $this = self;
            let $places = $value;
            $($part.visit_buffers(&mut $place.of(visitor));)+
        }

        fn visit_layers(&self, visitor: &mut dyn FnMut($crate::cell::LayerInfo<'_>)) {
            let $this = self;
            let $places = $value;
            $($part.visit_layers(&mut $place.of_layers(visitor));)+
        }
    };
}

/// Implements the methods of `ModelMut` by those of several parts: see [`visit_parts`].
macro_rules! visit_mut_parts {
    ($this:ident, $places:pat = $value:expr => $(($place:expr, $part:expr)),+) => {
        fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>)) {
            let $this = self;
            let $places = $value;
            $($part.visit_mut(&mut $place.of_mut(visitor));)+
        }

        fn visit_buffers_mut<'v>(
            &'v mut self,
            visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>),
        ) {
            let $this = self;
            let $places = $value;
            $($part.visit_buffers_mut(&mut $place.of_mut(visitor));)+
        }

        fn set_zero(&mut self) {
            let $this = self;
            $($part.set_zero();)+
        }
    };
}

/// Implements the methods of `ModelMut` by those of another model: `this => this.layer`.
macro_rules! visit_mut_as {
    ($this:ident => $model:expr) => {
        fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>)) {
            let $this = self;
            $model.visit_mut(visitor);
        }

        fn visit_buffers_mut<'v>(
            &'v mut self,
            visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>),
        ) {
            let $this = self;
            $model.visit_buffers_mut(visitor);
        }

        fn set_zero(&mut self) {
            let $this = self;
            $model.set_zero();
        }
    };
}

pub(crate) use visit_as;
pub(crate) use visit_mut_as;
pub(crate) use visit_mut_parts;
pub(crate) use visit_parts;

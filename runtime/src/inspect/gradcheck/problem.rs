//! A layer at a point: its loss as a function of every varying scalar, and its gradient by
//! `backward`.
//!
//! All scalars are flattened into one vector: parameters, inputs, initial state, context. A
//! [`Group`] is a part of it that is checked as a whole.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use nalgebra::ComplexField;

use super::difference::{Difference, differentiate};
use super::report::{Check, Kink, Report};
use super::{Checked, Gradcheck};
use crate::cell::{Bars, Layer, LayerPass, Model, Pass};
use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};
use crate::types::varying::Varying;

pub(super) struct Problem<'a, L: Layer<B>, const B: usize> {
    layer: &'a mut L,
    /// Buffers for the shifted point. The shifted parameters are in `layer`.
    xs: Vec<L::Input>,
    context: L::Context,
    state: L::State,
    lengths: Option<[usize; B]>,
    tape: L::Tape,
    groups: Vec<Group>,
    point: Vec<f64>,
    dys: Vec<L::Output>,
    dstate: L::State,
    rng: Xoshiro256PlusPlus,
}

/// A function that calls its argument with each of some scalars.
type Visit<'f> = dyn Fn(&mut dyn FnMut(f64)) + 'f;

struct Group {
    name: String,
    range: Range<usize>,
}

/// The result of one run of `backward`.
struct Pulled<L: Layer<B>, const B: usize> {
    grads: Box<L::Gradients>,
    dxs: Vec<L::InputBar>,
    dcontext: L::Context,
    dstate: L::State,
}

impl<'a, L, const B: usize> Problem<'a, L, B>
where
    L: Checked<B>,
{
    pub(super) fn new(layer: &'a mut L, pass: LayerPass<'_, L, B>, state: &L::State, seed: u64) -> Self {
        let Pass { xs, context, lengths } = pass;
        let mut point = Vec::new();
        let mut groups: Vec<Group> = Vec::new();
        layer.visit(&mut |block| {
            let start = point.len();
            point.extend_from_slice(block.values);
            match groups.last_mut() {
                Some(group) if group.name == block.name => group.range.end = point.len(),
                _ => groups.push(Group { name: block.name.into(), range: start..point.len() }),
            }
        });
        let mut group = |name: &str, scalars: &Visit| {
            let start = point.len();
            scalars(&mut |x| point.push(x));
            groups.push(Group { name: name.into(), range: start..point.len() });
        };
        group("input", &|f| xs.iter().for_each(|x| x.scalars(f)));
        group("initial state", &|f| state.scalars(f));
        group("context", &|f| context.scalars(f));

        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut tape = L::Tape::default();
        let mut dstate = state.clone();
        layer.forward_pass(pass, &mut dstate, &mut tape);
        let mut dys = layer.outputs(&tape).to_vec();
        let shared = lengths.map_or(dys.len(), |lengths| lengths.iter().copied().min().unwrap_or(0));
        for (t, dy) in dys.iter_mut().enumerate() {
            let mut draw = |x: &mut f64| *x = rng::normal(&mut rng);
            if t < shared {
                dy.scalars_mut(&mut draw);
                continue;
            }
            // Outputs in the padding carry no cotangent.
            dy.scalars_mut(&mut |x| *x = 0.0);
            for sample in (0..B).filter(|&sample| lengths.is_some_and(|lengths| t < lengths[sample])) {
                dy.sample_mut(sample, B, &mut draw);
            }
        }
        dstate.scalars_mut(&mut |x| *x = rng::normal(&mut rng));
        let (xs, context, state) = (xs.to_vec(), context.clone(), state.clone());
        Problem { layer, xs, context, state, lengths, tape, groups, point, dys, dstate, rng }
    }

    pub(super) fn check(mut self, settings: &Gradcheck) -> Report {
        let mut violations = Vec::new();
        let gradient = self.contract(&mut violations);
        let groups = core::mem::take(&mut self.groups);
        let checks = match gradient {
            Some(gradient) => groups
                .iter()
                .filter(|group| !group.range.is_empty())
                .map(|group| self.check_group(group, &gradient[group.range.clone()], settings))
                .collect(),
            None => Vec::new(),
        };
        let point = self.point.clone();
        self.move_to(&point);
        Report { checks, violations, tolerance: settings.tolerance }
    }

    fn check_group(&mut self, group: &Group, gradient: &[f64], settings: &Gradcheck) -> Check {
        let scalars = group.range.len();
        let mut check = Check {
            name: group.name.clone(),
            scalars,
            compared: 0,
            error: 0.0,
            analytic: 0.0,
            numeric: 0.0,
            kinks: Vec::new(),
        };
        let point = self.point.clone();
        for _ in 0..settings.directions {
            let direction = self.direction(scalars);
            let analytic = dot(gradient, &direction);
            let mut shifted = point.clone();
            let mut along = |by: f64| {
                for (i, d) in group.range.clone().zip(&direction) {
                    shifted[i] = point[i] + by * d;
                }
                self.move_to(&shifted);
                self.loss()
            };
            // At the point itself the loss may be zero and free of rounding errors.
            let magnitude = [0.0, -2.0, 2.0].map(|steps| along(steps * settings.step).1);
            let magnitude =
                magnitude.into_iter().filter(|magnitude| magnitude.is_finite()).fold(0.0, f64::max);
            // The typical size of a derivative in a random direction, and the rounding error of a
            // zero derivative.
            let typical = norm(gradient) / ComplexField::sqrt(scalars as f64);
            let rounding = 1e-14 * magnitude / settings.step;
            let scale = typical.max(analytic.abs()).max(rounding / settings.tolerance);
            let agreed = 0.1 * settings.tolerance * scale;
            let relative = |numeric: f64| match (analytic - numeric).abs() {
                // This also covers the case in which both are zero and the scale is too.
                0.0 => 0.0,
                difference => difference / scale.max(numeric.abs()),
            };
            let mut along = |by: f64| along(by).0;
            let mut found = differentiate(&mut along, settings.step, agreed, false);
            if matches!(found, Difference::Smooth { derivative } if relative(derivative) > settings.tolerance)
            {
                found = differentiate(&mut along, settings.step, agreed, true);
            }
            match found {
                Difference::Smooth { derivative } => {
                    let error = relative(derivative);
                    check.compared += 1;
                    // NaN counts as the largest error, although every comparison with it is false.
                    if check.compared == 1 || error.is_nan() || error > check.error {
                        (check.error, check.analytic, check.numeric) = (error, analytic, derivative);
                    }
                }
                Difference::Kink { left, right } => check.kinks.push(Kink { analytic, left, right }),
            }
        }
        check
    }

    /// Draws a random direction of length one.
    fn direction(&mut self, scalars: usize) -> Vec<f64> {
        let mut direction: Vec<f64> = (0..scalars).map(|_| rng::normal(&mut self.rng)).collect();
        let length = norm(&direction);
        direction.iter_mut().for_each(|d| *d /= length);
        direction
    }

    fn move_to(&mut self, point: &[f64]) {
        let mut next = point.iter();
        let mut set = |x: &mut f64| *x = *next.next().expect("a point has one scalar per varying scalar");
        self.layer.visit_mut(&mut |block| block.values.iter_mut().for_each(&mut set));
        self.xs.iter_mut().for_each(|x| x.scalars_mut(&mut set));
        self.state.scalars_mut(&mut set);
        self.context.scalars_mut(&mut set);
    }

    /// Returns the loss and the sum of the magnitudes of its terms, which bounds its rounding
    /// error.
    fn loss(&mut self) -> (f64, f64) {
        let mut last = self.state.clone();
        let pass = Pass { xs: &self.xs, context: &self.context, lengths: self.lengths };
        self.layer.forward_pass(pass, &mut last, &mut self.tape);
        let (mut loss, mut magnitude) = (0.0, 0.0);
        let mut add = |cotangents: &Visit, values: &Visit| {
            for (bar, value) in listed(cotangents).into_iter().zip(listed(values)) {
                loss += bar * value;
                magnitude += (bar * value).abs();
            }
        };
        for (dy, y) in self.dys.iter().zip(self.layer.outputs(&self.tape)) {
            add(&|f| dy.scalars(f), &|f| y.scalars(f));
        }
        add(&|f| self.dstate.scalars(f), &|f| last.scalars(f));
        (loss, magnitude)
    }

    /// Runs a forward pass, then a backward pass with `dys` into `pulled`, whose `dstate` becomes
    /// the cotangent of the initial state.
    fn pull(&mut self, dys: &[L::Output], pulled: &mut Pulled<L, B>, only_parameters: bool) {
        let mut last = self.state.clone();
        let pass = Pass { xs: &self.xs, context: &self.context, lengths: self.lengths };
        self.layer.forward_pass(pass, &mut last, &mut self.tape);
        pulled.dstate = self.dstate.clone();
        let Pulled { grads, dxs, dcontext, dstate } = pulled;
        let mut bars = Bars::of(&mut **grads).context(dcontext).state(dstate).inputs(dxs);
        if only_parameters {
            (bars.inputs, bars.context) = (None, None);
        }
        self.layer.backward_pass(pass, &mut self.tape, dys, bars);
    }

    fn nothing_pulled(&self) -> Pulled<L, B> {
        Pulled {
            grads: self.layer.zero_gradients(),
            dxs: self.xs.iter().map(|_| L::InputBar::zero()).collect(),
            dcontext: L::Context::zero(),
            dstate: self.dstate.clone(),
        }
    }

    /// Returns the gradient, group by group, or `None` if its shape does not match the point.
    fn contract(&mut self, violations: &mut Vec<String>) -> Option<Vec<f64>> {
        let (once, again) = (self.loss().0, self.loss().0);
        if !once.is_finite() {
            violations.push("the outputs or the final state are not finite".into());
            return None;
        }
        if once.to_bits() != again.to_bits() {
            violations.push("two forward passes over one sequence differ".into());
        }
        let dys = self.dys.clone();
        let mut pulled = self.nothing_pulled();
        self.pull(&dys, &mut pulled, false);
        let gradient = pulled.flat();
        let sizes: Vec<usize> = self.groups.iter().map(|group| group.range.len()).collect();
        if sizes_of(&*self.layer) != sizes_of(&*pulled.grads) {
            violations.push(
                "the gradients are not visited in the names and shapes of the model's parameters".into(),
            );
            return None;
        }
        let parts = [gradient[1].len(), gradient[2].len(), gradient[3].len()];
        for (part, (&expected, name)) in
            parts.iter().zip(sizes[sizes.len() - 3..].iter().zip(["inputs", "initial state", "context"]))
        {
            if *part != expected {
                violations
                    .push(format!("the cotangents of the {name} have {part} scalars, the values {expected}"));
                return None;
            }
        }

        // A second run into the same buffers: parameters and context add up, inputs are
        // overwritten.
        pulled.dxs.iter_mut().for_each(|dx| dx.scalars_mut(&mut |x| *x = f64::NAN));
        self.pull(&dys, &mut pulled, false);
        let again = pulled.flat();
        let twice = |part: usize| gradient[part].iter().map(|g| 2.0 * g).collect::<Vec<_>>();
        if !agree(&again[0], &twice(0)) {
            violations.push("`backward` does not add to the gradients it is given".into());
        }
        if !agree(&again[1], &gradient[1]) {
            violations.push("`backward` does not overwrite the cotangents of the inputs".into());
        }
        if !agree(&again[2], &gradient[2]) {
            violations.push("two runs give different cotangents of the initial state".into());
        }
        if !agree(&again[3], &twice(3)) {
            violations.push("`backward` does not add to the cotangent of the context".into());
        }

        let mut alone = self.nothing_pulled();
        self.pull(&dys, &mut alone, true);
        if !agree(&alone.flat()[0], &gradient[0]) || !agree(&alone.flat()[2], &gradient[2]) {
            violations.push(
                "the gradients change when the cotangents of inputs and context are not requested".into(),
            );
        }

        let mut padded = dys.clone();
        for (t, dy) in padded.iter_mut().enumerate() {
            for sample in Pass::of(&self.xs).lengths(self.lengths).ended(t) {
                dy.sample_mut(sample, B, &mut |x| *x = 1.0);
            }
        }
        let mut ignored = self.nothing_pulled();
        self.pull(&padded, &mut ignored, false);
        if ignored.flat().iter().zip(&gradient).any(|(padded, gradient)| !agree(padded, gradient)) {
            violations.push("`dys` past a sample's end are not ignored".into());
        }

        let mut zeros = dys;
        zeros.iter_mut().for_each(|dy| dy.scalars_mut(&mut |x| *x = 0.0));
        let (mut of_zeros, mut of_none) = (self.nothing_pulled(), self.nothing_pulled());
        self.pull(&zeros, &mut of_zeros, false);
        self.pull(&[], &mut of_none, false);
        if of_zeros.flat().iter().zip(&of_none.flat()).any(|(zeros, none)| !agree(zeros, none)) {
            violations.push("empty `dys` are not treated as zeros".into());
        }
        Some(gradient.concat())
    }
}

impl<L, const B: usize> Pulled<L, B>
where
    L: Checked<B>,
{
    /// Returns the cotangents of parameters, inputs, initial state and context.
    fn flat(&self) -> [Vec<f64>; 4] {
        let mut parameters = vec![];
        self.grads.visit(&mut |block| parameters.extend_from_slice(block.values));
        [
            parameters,
            listed(&|f| self.dxs.iter().for_each(|dx| dx.scalars(f))),
            listed(&|f| self.dstate.scalars(f)),
            listed(&|f| self.dcontext.scalars(f)),
        ]
    }
}

fn sizes_of(model: &impl Model) -> Vec<(String, (usize, usize))> {
    let mut sizes = Vec::new();
    model.visit(&mut |block| sizes.push((block.name.into(), block.shape.size)));
    sizes
}

fn listed(scalars: &Visit) -> Vec<f64> {
    let mut list = Vec::new();
    scalars(&mut |x| list.push(x));
    list
}

/// Returns whether two lists are equal up to the rounding of sums in another order. A NaN equals a
/// NaN, which is an error of another kind.
fn agree(a: &[f64], b: &[f64]) -> bool {
    let size = a.iter().chain(b).fold(0.0_f64, |largest, x| largest.max(x.abs()));
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-10 * size || a.is_nan() && b.is_nan())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    ComplexField::sqrt(dot(a, a))
}

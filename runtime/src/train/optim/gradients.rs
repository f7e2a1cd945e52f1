//! Operations on gradients between `backward` and an optimiser's step: clearing, adding, norms,
//! clipping.

use alloc::vec::Vec;

use nalgebra::ComplexField;

use super::{gather, update};
use crate::Scalar;
use crate::cell::{Model, ModelMut};

/// Multiplies every parameter by `factor`. This turns the sum of gradients of several batches into
/// their mean.
pub fn scale<M: ModelMut>(gradients: &mut M, factor: f64) {
    let factor = M::Scalar::of(factor);
    gradients.visit_mut(&mut |block| block.values.iter_mut().for_each(|g| *g *= factor));
}

/// Adds `other` to `gradients`, for example the gradients of another thread.
///
/// # Panics
/// Panics if the two have different shapes.
pub fn add<M: ModelMut>(gradients: &mut M, other: &M) {
    let mut flat = Vec::new();
    gather(other, &mut flat);
    update(gradients, &flat, |_, sum, g| sum.iter_mut().zip(g).for_each(|(sum, &g)| *sum += g));
}

/// Returns the Euclidean norm of all parameters together, computed in `f64`.
pub fn global_norm<M: Model>(gradients: &M) -> f64 {
    let (mut sum, mut largest) = (0.0, 0.0_f64);
    gradients.visit(&mut |block| {
        for g in block.values {
            let g = g.as_f64();
            sum += g * g;
            largest = largest.max(g.abs());
        }
    });
    // Squares overflow or underflow long before the norm does.
    if (sum.is_finite() && sum > 1e-280) || largest == 0.0 || !largest.is_finite() {
        return ComplexField::sqrt(sum);
    }
    let mut scaled = 0.0;
    gradients.visit(&mut |block| {
        scaled += block.values.iter().map(|g| (g.as_f64() / largest) * (g.as_f64() / largest)).sum::<f64>();
    });
    largest * ComplexField::sqrt(scaled)
}

/// Scales gradients whose norm is above `max` down to `max` (Pascanu, Mikolov & Bengio 2013).
/// Returns the norm before scaling.
///
/// Gradients whose norm is NaN or infinite are not changed, and that norm is returned: scaling
/// cannot repair them. Skip the step then;
/// [`check_finite`](crate::inspect::finite::check_finite) finds the parameter at fault.
///
/// # Panics
/// Panics if `max` is not a positive number.
#[track_caller]
pub fn clip_global_norm<M: ModelMut>(gradients: &mut M, max: f64) -> f64 {
    assert!(max > 0.0, "gradients can't be clipped to a norm of {max}");
    let norm = global_norm(gradients);
    if norm.is_finite() && norm > max {
        scale(gradients, max / norm);
    }
    norm
}

/// Clips every entry of the gradients to the range from `-max` to `max` (Mikolov 2012; Graves
/// 2013). Returns the number of entries that were outside.
///
/// This changes the direction of the gradient; [`clip_global_norm`] keeps it. Infinities are
/// clipped and counted. NaN stays NaN and is not counted.
///
/// # Panics
/// Panics if `max` is not a positive number.
#[track_caller]
pub fn clip_values<M: ModelMut>(gradients: &mut M, max: f64) -> usize {
    assert!(max > 0.0, "gradients can't be clipped to ±{max}");
    let (max, mut outside) = (M::Scalar::of(max), 0);
    gradients.visit_mut(&mut |block| {
        for g in block.values.iter_mut() {
            if *g > max || *g < -max {
                outside += 1;
                *g = if *g > max { max } else { -max };
            }
        }
    });
    outside
}

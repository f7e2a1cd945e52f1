//! Derivatives of functions of one variable by finite differences, and the detection of kinks.

/// The result of finite differences of `f` around 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Difference {
    /// A derivative on which two step sizes agree.
    Smooth { derivative: f64 },
    /// No derivative: the derivatives from the left and from the right differ, or no two step sizes
    /// agree.
    Kink { left: f64, right: f64 },
}

/// The number of step sizes and the factor between them: from 1e-3 down to 1e-6, where rounding
/// errors dominate.
const LEVELS: usize = 6;
const SHRINK: f64 = 0.25;

/// Differentiates `f` at 0. Step sizes shrink from `step` on until two successive differences agree
/// to `tolerance`.
///
/// A central difference also converges at a kink, to the mean of both sides. With `suspect`, the
/// result is therefore only [`Difference::Smooth`] if the derivatives from both sides agree too.
pub(super) fn differentiate(
    f: &mut dyn FnMut(f64) -> f64,
    step: f64,
    tolerance: f64,
    suspect: bool,
) -> Difference {
    let mut h = step;
    let mut coarse = central(f, h);
    let mut best = (f64::INFINITY, coarse);
    for _ in 1..LEVELS {
        h *= SHRINK;
        let fine = central(f, h);
        let disagreement = (fine - coarse).abs();
        if disagreement < best.0 {
            best = (disagreement, fine);
        }
        if disagreement <= tolerance {
            break;
        }
        coarse = fine;
    }
    let (disagreement, derivative) = best;
    if disagreement <= tolerance && !suspect {
        return Difference::Smooth { derivative };
    }
    let mut jump = |h: f64| {
        let (left, right) = (one_sided(f, -h), one_sided(f, h));
        ((right - left).abs(), left, right)
    };
    // The difference between the two sides shrinks with the square of the step for a smooth
    // function, but not at a kink.
    let (wide, ..) = jump(h);
    let (narrow, left, right) = jump(SHRINK * h);
    let apart = narrow > 100.0 * tolerance && narrow > 0.5 * wide;
    if disagreement <= tolerance && !apart {
        Difference::Smooth { derivative }
    } else {
        Difference::Kink { left, right }
    }
}

fn central(f: &mut dyn FnMut(f64) -> f64, h: f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// Computes the derivative from the side given by the sign of `h`.
fn one_sided(f: &mut dyn FnMut(f64) -> f64, h: f64) -> f64 {
    (4.0 * f(h) - 3.0 * f(0.0) - f(2.0 * h)) / (2.0 * h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_functions_have_a_derivative() {
        for suspect in [false, true] {
            let Difference::Smooth { derivative } =
                differentiate(&mut |x| (2.0 * x + 1.0).sin(), 1e-3, 1e-9, suspect)
            else {
                panic!("sin has no kink");
            };
            assert!((derivative - 2.0 * 1.0_f64.cos()).abs() < 1e-10, "{derivative}");
        }
        // A scale of 1e-3 needs smaller steps than the first.
        let Difference::Smooth { derivative } = differentiate(&mut |x| (300.0 * x).sin(), 1e-3, 1e-5, false)
        else {
            panic!("sin has no kink");
        };
        assert!((derivative - 300.0).abs() < 1e-5, "{derivative}");
    }

    #[test]
    fn strong_curvature_is_not_a_kink() {
        // The slope is zero and the third derivative large: one-sided differences are inaccurate,
        // but still converge.
        assert!(matches!(
            differentiate(&mut |x| 1e4 * x * x * x, 1e-3, 1e-9, true),
            Difference::Smooth { .. }
        ));
    }

    #[test]
    fn a_kink_nearby_is_avoided_by_smaller_steps() {
        let Difference::Smooth { derivative } = differentiate(&mut |x| (x - 1e-4).abs(), 1e-3, 1e-9, true)
        else {
            panic!("the kink is not at the point");
        };
        assert!((derivative + 1.0).abs() < 1e-9, "{derivative}");
    }

    #[test]
    fn a_kink_at_the_point_is_found_only_when_suspected() {
        let mut relu = |x: f64| x.max(0.0) + x;
        assert!(matches!(differentiate(&mut relu, 1e-3, 1e-9, false), Difference::Smooth { .. }));
        let Difference::Kink { left, right } = differentiate(&mut relu, 1e-3, 1e-9, true) else {
            panic!("relu has a kink");
        };
        assert!((left - 1.0).abs() < 1e-9 && (right - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_jump_at_the_point_has_no_derivative() {
        assert!(matches!(differentiate(&mut f64::signum, 1e-3, 1e-9, false), Difference::Kink { .. }));
        assert!(matches!(differentiate(&mut |_| f64::NAN, 1e-3, 1e-9, false), Difference::Kink { .. }));
    }
}

//! The derivative of a function of one variable by finite differences, and whether there is one.

/// What the differences of `f` around 0 say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Difference {
    /// Two step sizes agree.
    Smooth { derivative: f64 },
    /// The derivatives from the left and from the right differ, or no two step sizes agree.
    Kink { left: f64, right: f64 },
}

/// How often the step shrinks, and by how much: from 1e-3 down to 1e-6, where rounding takes over.
const LEVELS: usize = 6;
const SHRINK: f64 = 0.25;

/// Differentiates `f` at 0. Step sizes shrink from `step` on until two successive differences agree to `tolerance`.
///
/// With `suspect` the result is doubted, and only what is also smooth from both sides is [`Difference::Smooth`]: a central
/// difference converges at a kink as well, to the mean of both sides.
pub(super) fn differentiate(
    mut f: impl FnMut(f64) -> f64,
    step: f64,
    tolerance: f64,
    suspect: bool,
) -> Difference {
    let mut h = step;
    let mut coarse = central(&mut f, h);
    let mut best = (f64::INFINITY, coarse);
    for _ in 1..LEVELS {
        h *= SHRINK;
        let fine = central(&mut f, h);
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
        let (left, right) = (one_sided(&mut f, -h), one_sided(&mut f, h));
        ((right - left).abs(), left, right)
    };
    // The two sides of a smooth function meet as the square of the step; those of a kink stay apart.
    let (wide, ..) = jump(h);
    let (narrow, left, right) = jump(SHRINK * h);
    let apart = narrow > 100.0 * tolerance && narrow > 0.5 * wide;
    if disagreement <= tolerance && !apart {
        Difference::Smooth { derivative }
    } else {
        Difference::Kink { left, right }
    }
}

fn central(f: &mut impl FnMut(f64) -> f64, h: f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// The derivative to the side of `h`'s sign.
fn one_sided(f: &mut impl FnMut(f64) -> f64, h: f64) -> f64 {
    (4.0 * f(h) - 3.0 * f(0.0) - f(2.0 * h)) / (2.0 * h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_functions() {
        for suspect in [false, true] {
            let Difference::Smooth { derivative } =
                differentiate(|x| (2.0 * x + 1.0).sin(), 1e-3, 1e-9, suspect)
            else {
                panic!("sin has no kink");
            };
            assert!((derivative - 2.0 * 1.0_f64.cos()).abs() < 1e-10, "{derivative}");
        }
        // A scale of 1e-3 wants smaller steps than the first.
        let Difference::Smooth { derivative } = differentiate(|x| (300.0 * x).sin(), 1e-3, 1e-5, false)
        else {
            panic!("sin has no kink");
        };
        assert!((derivative - 300.0).abs() < 1e-5, "{derivative}");
    }

    #[test]
    fn strong_curvature_is_no_kink() {
        // The slope is zero and the third derivative large: one-sided differences are far off, and still meet.
        assert!(matches!(differentiate(|x| 1e4 * x * x * x, 1e-3, 1e-9, true), Difference::Smooth { .. }));
    }

    #[test]
    fn a_kink_nearby_is_stepped_around() {
        let Difference::Smooth { derivative } = differentiate(|x| (x - 1e-4).abs(), 1e-3, 1e-9, true) else {
            panic!("the kink is not at the point");
        };
        assert!((derivative + 1.0).abs() < 1e-9, "{derivative}");
    }

    #[test]
    fn a_kink_at_the_point_is_seen_by_the_suspicious_alone() {
        let relu = |x: f64| x.max(0.0) + x;
        assert!(matches!(differentiate(relu, 1e-3, 1e-9, false), Difference::Smooth { .. }));
        let Difference::Kink { left, right } = differentiate(relu, 1e-3, 1e-9, true) else {
            panic!("relu has a kink");
        };
        assert!((left - 1.0).abs() < 1e-9 && (right - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_jump_at_the_point_is_no_derivative() {
        assert!(matches!(differentiate(f64::signum, 1e-3, 1e-9, false), Difference::Kink { .. }));
        assert!(matches!(differentiate(|_| f64::NAN, 1e-3, 1e-9, false), Difference::Kink { .. }));
    }
}

//! Normalisation over all entries of a value: `layer_norm` (Ba et al. 2016), `rms_norm` (Zhang &
//! Sennrich 2019).

use super::operation::{Operation, ShapeRule};
use crate::graph::grid::Grid;
use crate::graph::ir::{Graph, Unary};
use crate::graph::ops::reduce::mean_of;

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[
    Operation::whole(
        "layer_norm",
        (3, 3),
        "layer_norm(u, gain, bias)",
        ShapeRule::Normalise,
        layer_norm,
        "Computes `gain * (u - mean(u)) / sqrt(variance + 1e-5) + bias`, over all entries. The \
         variance is biased: the mean of the squared deviations.",
    ),
    Operation::whole(
        "rms_norm",
        (2, 2),
        "rms_norm(u, gain)",
        ShapeRule::Normalise,
        rms_norm,
        "Computes `gain * u / sqrt(mean(square(u)) + 1e-5)`, over all entries.",
    ),
];

/// The term that prevents a division by zero: PyTorch's default.
const EPSILON: f64 = 1e-5;

/// Returns `gain * (u - mean) / sqrt(variance + ε) + bias`. The variance is a mean of squares
/// (biased).
pub fn layer_norm(graph: &mut Graph, args: &[Grid]) -> Option<Grid> {
    let [u, gain, bias] = args else { return None };
    let mean = mean_of(graph, u)?;
    let mean = Grid::single(graph, mean);
    let centred = Grid::elementwise(graph, &[u, &mean], |g, ids| g.sub(ids[0], ids[1]))?;
    let scaled = over_root_mean_square(graph, &centred, gain)?;
    Grid::elementwise(graph, &[&scaled, bias], |g, ids| g.add(ids[0], ids[1]))
}

/// Returns `gain * u / sqrt(mean(u^2) + ε)`.
pub fn rms_norm(graph: &mut Graph, args: &[Grid]) -> Option<Grid> {
    let [u, gain] = args else { return None };
    over_root_mean_square(graph, u, gain)
}

fn over_root_mean_square(graph: &mut Graph, u: &Grid, gain: &Grid) -> Option<Grid> {
    let squares = Grid::elementwise(graph, &[u], |g, ids| g.mul(ids[0], ids[0]))?;
    let variance = mean_of(graph, &squares)?;
    let epsilon = graph.constant(EPSILON);
    let shifted = graph.add(variance, epsilon);
    let deviation = graph.unary(Unary::Sqrt, shifted);
    let scale = graph.unary(Unary::Recip, deviation);
    let scale = Grid::single(graph, scale);
    let normalised = Grid::elementwise(graph, &[u, &scale], |g, ids| g.mul(ids[0], ids[1]))?;
    Grid::elementwise(graph, &[gain, &normalised], |g, ids| g.mul(ids[0], ids[1]))
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ops::tests::{Case, SHAPES, case, check_all};
    use crate::testing::matrix::Matrix;

    fn mean(u: &Matrix) -> f64 {
        u.entries.iter().sum::<f64>() / u.entries.len() as f64
    }

    fn rms_norm(u: &Matrix, gain: &Matrix) -> Matrix {
        let scale = (mean(&u.map(|x| x * x)) + 1e-5).sqrt();
        Matrix::elementwise(&[u.clone(), gain.clone()], |args| args[1] * args[0] / scale)
    }

    fn layer_norm(u: &Matrix, gain: &Matrix, bias: &Matrix) -> Matrix {
        let centre = mean(u);
        let scaled = rms_norm(&u.map(|x| x - centre), gain);
        Matrix::elementwise(&[scaled, bias.clone()], |args| args[0] + args[1])
    }

    pub fn cases() -> Vec<Case> {
        let mut cases = vec![];
        for shape in SHAPES.into_iter().filter(|shape| *shape != "[]") {
            for small in [shape, "[]"] {
                cases.push(case("rms_norm", "y = rms_norm(u, v)", &[shape, small], (-2.0, 2.0), |args| {
                    rms_norm(&args[0], &args[1])
                }));
                let body = "y = layer_norm(u, v, w)";
                cases.push(case("layer_norm", body, &[shape, small, shape], (-2.0, 2.0), |args| {
                    layer_norm(&args[0], &args[1], &args[2])
                }));
            }
        }
        cases
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }
}

//! The fixed matrices of the Legendre memory unit (Voelker et al. 2019, equations 1 and 2),
//! discretised by zero-order hold.

/// The number of Legendre polynomials.
pub const ORDER: usize = 6;
/// The length of the window in steps.
pub const WINDOW: f64 = 8.0;

type Matrix<const N: usize> = [[f64; N]; N];

/// Returns an entry of the discrete state matrix.
pub fn state_matrix(row: usize, column: usize) -> f64 {
    discrete()[row][column]
}

/// Returns an entry of the discrete input matrix.
pub fn input_matrix(row: usize, _: usize) -> f64 {
    discrete()[row][ORDER]
}

/// Computes `exp([A B; 0 0] / WINDOW)`, whose upper rows are the discrete `A` and `B` of zero-order
/// hold.
fn discrete() -> Matrix<{ ORDER + 1 }> {
    let mut generator = [[0.0; ORDER + 1]; ORDER + 1];
    for (i, row) in generator.iter_mut().enumerate().take(ORDER) {
        let scale = (2 * i + 1) as f64 / WINDOW;
        let alternating = |power: usize| if power.is_multiple_of(2) { 1.0 } else { -1.0 };
        for (j, entry) in row.iter_mut().enumerate().take(ORDER) {
            *entry = scale * if i < j { -1.0 } else { alternating(i - j + 1) };
        }
        row[ORDER] = scale * alternating(i);
    }
    exponential(&generator)
}

/// Computes the exponential by scaling and squaring: the Taylor series of the matrix divided by
/// 2^10, squared ten times.
fn exponential<const N: usize>(matrix: &Matrix<N>) -> Matrix<N> {
    const SQUARINGS: i32 = 10;
    let small = matrix.map(|row| row.map(|entry| entry / 2.0_f64.powi(SQUARINGS)));
    let identity: Matrix<N> = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    let mut sum = identity;
    for k in (1..=12).rev() {
        let product = multiply(&small, &sum);
        sum = std::array::from_fn(|i| std::array::from_fn(|j| identity[i][j] + product[i][j] / f64::from(k)));
    }
    (0..SQUARINGS).fold(sum, |power, _| multiply(&power, &power))
}

fn multiply<const N: usize>(a: &Matrix<N>, b: &Matrix<N>) -> Matrix<N> {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..N).map(|k| a[i][k] * b[k][j]).sum()))
}

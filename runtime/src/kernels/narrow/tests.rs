use super::*;
use crate::kernels::testing::{Random, for_each_isa, product};

struct Kept<Q: Format, T> {
    size: (usize, usize),
    entries: Vec<Q::Entry>,
    scales: Vec<T>,
}

impl<Q: Format, T: Scalar> Kept<Q, T> {
    fn of(size: (usize, usize), numbers: &[T]) -> Self {
        let mut entries = vec![Q::Entry::default(); size.0 * size.1];
        let mut scales = vec![T::ZERO; Q::SCALES * size.0];
        assert!(narrow::<Q, T>(size, |r, c| numbers[r + c * size.0], &mut entries, &mut scales));
        Kept { size, entries, scales }
    }

    fn view(&self) -> Narrow<'_, Q, T> {
        Narrow { entries: &self.entries, scales: &self.scales }
    }

    fn numbers(&self) -> Vec<T> {
        let (rows, columns) = self.size;
        (0..rows * columns).map(|at| entry(self.size, self.view(), at % rows, at / rows)).collect()
    }
}

/// Checks two sums of two products each against the stored numbers in double precision.
#[inline(always)]
fn check<S: Isa, Q: Format, T: Scalar, const M: usize>(isa: S, k: [usize; 2], n: usize) {
    let mut random = Random::new((M * 10_000 + k[0] * 100 + n) as u64);
    let a: [[Kept<Q, T>; 2]; 2] = k.map(|k| [0, 1].map(|_| Kept::of((M, k), &random.scalars(M * k))));
    let x: [Vec<T>; 2] = k.map(|k| random.scalars(k * n));
    let old: [Vec<T>; 2] = [0, 1].map(|_| random.scalars(M * n));
    for accumulate in [false, true] {
        let mut y = if accumulate { old.clone() } else { [0, 1].map(|_| vec![T::NOT_A_NUMBER; M * n]) };
        let [y0, y1] = &mut y;
        let views = [0, 1].map(|p| [0, 1].map(|g| a[p][g].view()));
        narrow_products(isa, Size::<M>, views, [&x[0], &x[1]], [y0, y1], accumulate);
        for g in 0..2 {
            let start = if accumulate { old[g].clone() } else { vec![T::ZERO; M * n] };
            let first = product(M, k[0], n, &a[0][g].numbers(), &x[0], &start);
            let second = product(M, k[1], n, &a[1][g].numbers(), &x[1], &vec![T::ZERO; M * n]);
            let expected: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a + b).collect();
            // A sum of integers up to 127, times the scale, is as accurate as a sum of products.
            crate::kernels::testing::assert_near(&y[g], &expected, 2 * (k[0] + k[1]));
        }
    }
}

/// Checks one size per function, because a single function with all sizes takes minutes to compile.
macro_rules! products {
    ($($format:ident $scalar:ident $rows:literal),* $(,)?) => {$(
        for_each_isa!(isa => {
            for (k, n) in [([1, 5], 1), ([2, 8], 3), ([7, 33], 4), ([16, 1], 9)] {
                check::<_, $format, $scalar, $rows>(isa, k, n);
            }
        });
    )*};
}

#[test]
fn products_of_bytes() {
    products!(Int8 f32 1, Int8 f32 7, Int8 f32 20, Int8 f32 79, Int8 f32 207, Int8 f64 3, Int8 f64 100);
}

#[test]
fn products_of_halves() {
    products!(Bf16 f32 1, Bf16 f32 7, Bf16 f32 20, Bf16 f32 79, Bf16 f32 207, Bf16 f64 3, Bf16 f64 100);
}

/// Computes the product of a stored matrix with one vector, in plain integers of 64 bits.
fn integer_product<T: Scalar>(kept: &Kept<Int8By16, T>, x: &[T], y: &mut [T], mut accumulate: bool) {
    let (rows, columns) = kept.size;
    let starts = (0..columns.max(1)).step_by(128);
    for part in starts.map(|start| start..columns.min(start + 128)) {
        let x = part.clone().map(|column| x[column].as_f64() as f32);
        let largest = x.clone().fold(2f32.powi(-100), |largest, x| largest.max(x.abs()));
        let whole: Vec<i64> = x.map(|x| (x * (32767.0 / largest)).round_ties_even() as i64).collect();
        for row in 0..rows {
            let entry = |column| i64::from(kept.entries[Int8By16::place(kept.size, row, column)]);
            let sum: i64 = part.clone().zip(&whole).map(|(column, x)| entry(column) * x).sum();
            let unit = T::of(f64::from(largest / 32767.0));
            let term = T::of(f64::from(i32::try_from(sum).unwrap() as f32)) * (kept.scales[row] * unit);
            y[row] = if accumulate { y[row] + term } else { term };
        }
        accumulate = true;
    }
}

/// Checks two sums of two products each: the bits against `integer_product`, the values against
/// exact products of the stored numbers.
#[inline(always)]
fn check_integers<S: Isa, T: Scalar, const M: usize>(isa: S, k: [usize; 2], n: usize) {
    let mut random = Random::new((M * 10_000 + k[0] * 100 + n) as u64);
    let a = k.map(|k| [0, 1].map(|_| Kept::<Int8By16, T>::of((M, k), &random.scalars(M * k))));
    let x: [Vec<T>; 2] = k.map(|k| random.scalars(k * n));
    let old: [Vec<T>; 2] = [0, 1].map(|_| random.scalars(M * n));
    for accumulate in [false, true] {
        let mut y = if accumulate { old.clone() } else { [0, 1].map(|_| vec![T::NOT_A_NUMBER; M * n]) };
        let [y0, y1] = &mut y;
        let views = [0, 1].map(|p| [0, 1].map(|g| a[p][g].view()));
        narrow_products(isa, Size::<M>, views, [&x[0], &x[1]], [y0, y1], accumulate);
        for g in 0..2 {
            let mut expected = old[g].clone();
            let mut exact: Vec<f64> =
                old[g].iter().map(|y| if accumulate { y.as_f64() } else { 0.0 }).collect();
            for (p, k) in k.into_iter().enumerate() {
                for j in 0..n {
                    let (x, y) = (&x[p][j * k..(j + 1) * k], &mut expected[j * M..(j + 1) * M]);
                    integer_product(&a[p][g], x, y, accumulate || p > 0);
                }
                let terms = product(M, k, n, &a[p][g].numbers(), &x[p], &vec![T::ZERO; M * n]);
                exact.iter_mut().zip(terms).for_each(|(exact, term)| *exact += term);
            }
            assert_eq!(y[g], expected, "{M} x {k:?} x {n}");
            for (y, exact) in y[g].iter().zip(exact) {
                // An entry of the vector is off by at most half of 1 / 32767.
                let bound = (k[0] + k[1]) as f64 / 65534.0 * 1.01;
                assert!((y.as_f64() - exact).abs() <= bound, "{y} instead of {exact}");
            }
        }
    }
}

#[test]
fn products_in_integers() {
    macro_rules! sizes {
        ($($scalar:ident $rows:literal),*) => {$(
            for_each_isa!(isa => {
                for (k, n) in [([1, 4], 1), ([2, 11], 1), ([128, 3], 2), ([129, 300], 1), ([7, 0], 3)] {
                    check_integers::<_, $scalar, $rows>(isa, k, n);
                }
            });
        )*};
    }
    sizes!(f32 1, f32 2, f32 7, f32 12, f32 27, f32 64, f64 20);
}

/// Covers the largest possible sums, and entries of every size and sign.
#[test]
fn integers_are_rounded_like_numbers() {
    fn multiply(row: &[f32], x: &[f32]) -> f32 {
        let kept = Kept::<Int8By16, f32>::of((1, row.len()), row);
        let mut y = vec![];
        both_at(&mut |product| y.push(product), &kept, x);
        let mut expected = [0.0];
        integer_product(&kept, x, &mut expected, false);
        assert!(y.iter().all(|y| y.to_bits() == expected[0].to_bits() || y.is_nan()), "{y:?}");
        y[0]
    }
    fn both_at(visit: &mut dyn FnMut(f32), kept: &Kept<Int8By16, f32>, x: &[f32]) {
        struct Multiply<'a>(&'a Kept<Int8By16, f32>, &'a [f32]);
        impl crate::kernels::isa::Job for Multiply<'_> {
            type Out = f32;
            #[inline(always)]
            fn run<S: Isa>(self, isa: S) -> f32 {
                let mut y = [f32::NAN];
                narrow_products(isa, Size::<1>, [[self.0.view()]], [self.1], [&mut y], false);
                y[0]
            }
        }
        for level in crate::kernels::isa::available() {
            visit(crate::kernels::isa::run_at(level, Multiply(kept, x)));
        }
    }
    for size in [1.0, -1.0, 1e-20, 1e20, -1e36] {
        let exact = 128.0 * 0.5 * f64::from(size);
        let found = f64::from(multiply(&[0.5; 128], &[size; 128]));
        assert!((found / exact - 1.0).abs() < 1e-6, "{found} instead of {exact}");
    }
    assert_eq!(multiply(&[1.0, 1.0], &[0.0, -0.0]), 0.0);
    assert_eq!(multiply(&[1.0], &[1e-45]), 0.0);
    // An entry that is small compared with another one is a multiple of a 32767th of it.
    let step = 1.0 / 32767.0;
    assert_eq!(multiply(&[0.0, 1.0], &[1.0, 0.4 * step]), 0.0);
    assert!((multiply(&[0.0, 1.0], &[1.0, 0.6 * step]) / step - 1.0).abs() < 1e-6);
    assert!((multiply(&[0.0, 1.0], &[-1.0, -1.0]) + 1.0).abs() < 1e-6);
    for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for place in [0, 4] {
            let mut x = [1.0; 5];
            x[place] = bad;
            assert!(multiply(&[1.0; 5], &x).is_nan() && multiply(&[0.0; 5], &x).is_nan(), "{bad}");
        }
    }
}

#[test]
fn every_entry_has_its_own_position() {
    fn check<Q: Format>() {
        for rows in [1, 2, 15, 16, 64, 79, 80, 130, 144, 200, 513] {
            for columns in [1, 2, 4, 5, 133] {
                let mut places: Vec<usize> =
                    (0..rows * columns).map(|at| Q::place((rows, columns), at % rows, at / rows)).collect();
                places.sort_unstable();
                assert!(places.into_iter().eq(0..rows * columns), "{rows} x {columns}");
            }
        }
    }
    check::<Int8>();
    check::<Bf16>();
    check::<Int8By16>();
}

#[test]
fn columns_are_gathered() {
    let numbers: Vec<f32> = Random::new(1).scalars(70 * 9);
    let kept = Kept::<Int8, f32>::of((70, 9), &numbers);
    let mut y = vec![1.0; 70 * 3];
    narrow_gather(Size::<70>, kept.view(), &[5, 11, 3], 3, &mut y, true);
    let stored = kept.numbers();
    for r in 0..70 {
        let expected = [1.0 + stored[r + 2 * 70], 1.0 + stored[r + 8 * 70], 1.0 + stored[r]];
        assert_eq!([y[r], y[r + 70], y[r + 140]], expected);
    }
    narrow_gather(Size::<70>, kept.view(), &[2, 12, u32::MAX], 3, &mut y, false);
    assert!(y.iter().all(|y| *y == 0.0));
}

/// The error of an entry is at most half a step.
#[test]
fn entries_are_rounded_to_the_nearest() {
    let numbers: Vec<f64> = Random::new(2).scalars(33 * 40);
    let (bytes, halves) =
        (Kept::<Int8, f64>::of((33, 40), &numbers), Kept::<Bf16, f64>::of((33, 40), &numbers));
    let (mut rounded, mut halved) = (numbers.clone(), numbers.clone());
    let size = (33, 40);
    assert!(fits::<Int8, f64>(size, false, &rounded) && fits::<Bf16, f64>(size, false, &halved));
    round::<Int8, f64>(size, false, &mut rounded);
    round::<Bf16, f64>(size, false, &mut halved);
    assert_eq!((bytes.numbers(), halves.numbers()), (rounded, halved));
    // The transpose of the stored matrix has one scale per column.
    let transposed =
        |numbers: &[f64]| -> Vec<f64> { (0..33 * 40).map(|at| numbers[at / 40 + 33 * (at % 40)]).collect() };
    let mut columns = transposed(&numbers);
    assert!(fits::<Int8, f64>((40, 33), true, &columns));
    round::<Int8, f64>((40, 33), true, &mut columns);
    assert_eq!(columns, transposed(&bytes.numbers()));
    for (at, number) in numbers.iter().enumerate() {
        let row = (0..40).map(|c| numbers[at % 33 + 33 * c].abs()).fold(0.0, f64::max);
        let (byte, half) = (bytes.numbers()[at], halves.numbers()[at]);
        assert!((byte - number).abs() <= row / 254.0 * (1.0 + 1e-12));
        assert!((half - number).abs() <= number.abs() / 256.0);
    }
}

#[test]
fn special_numbers_are_stored_or_refused() {
    let row = |numbers: &[f32]| Kept::<Int8, f32>::of((1, numbers.len()), numbers).numbers();
    assert_eq!(row(&[0.0, -0.0, 0.0]), [0.0; 3]);
    assert_eq!(row(&[1e-45, -1e-45]), [0.0; 2]);
    assert_eq!(row(&[254.0, 3.0, -3.0, 1.0, -254.0]), [254.0, 4.0, -4.0, 0.0, -254.0]);
    assert_eq!(
        Kept::<Bf16, f32>::of((1, 2), &[f32::MIN_POSITIVE, 1.0 + 1.0 / 256.0]).numbers(),
        [f32::MIN_POSITIVE, 1.0]
    );
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert!(!narrow::<Int8, f32>((1, 2), |_, c| [1.0, bad][c], &mut [0; 2], &mut [0.0]));
        assert!(!narrow::<Bf16, f32>((1, 2), |_, c| [1.0, bad][c], &mut [0; 2], &mut []));
        assert!(!fits::<Int8, f32>((1, 2), false, &[1.0, bad]));
    }
    // The nearest number with eight bits of precision is infinite.
    assert!(!narrow::<Bf16, f32>((1, 1), |_, _| f32::MAX, &mut [0], &mut []));
    // 127 times the scale would be infinite.
    assert!(!narrow::<Int8, f32>((1, 1), |_, _| f32::MAX, &mut [0], &mut [0.0]));
    for (large, fits) in [(f32::MAX, false), (0.999 * f32::MAX, true)] {
        assert_eq!(narrow::<Int8, f32>((1, 1), |_, _| large, &mut [0], &mut [0.0]), fits);
        assert_eq!(super::fits::<Int8, f32>((1, 1), false, &[large]), fits);
    }
}

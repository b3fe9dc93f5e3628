//! The two functions of the C library's mathematics that the program calls, under the names that compiled code calls them by.
//!
//! The C library has them in a second shared library (`libm.so`), and to map and relocate that at each start costs a twentieth of a
//! launch, for the estimate of a progress bar and the entropy of a possible secret. What is defined here is not looked for
//! there. The price: who calls a third such function brings the library back, and the test `cli` says so.

/// `x` to the power of `y`, `pow(3)`.
// SAFETY: the name, the arguments and the result are those of the C standard (7.12.7.4), which is what callers rely on.
#[unsafe(no_mangle)]
extern "C" fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// The logarithm of `x` to the base 2, `log2(3)`.
// SAFETY: as above (7.12.6.10).
#[unsafe(no_mangle)]
extern "C" fn log2(x: f64) -> f64 {
    libm::log2(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are correctly rounded ones, of a library of arbitrary precision.
    #[test]
    fn they_are_what_the_standard_says() {
        for (x, y, expected) in [
            (0.1, 0.5, 0.316_227_766_016_837_94),
            (0.1, 1e-9, 0.999_999_997_697_414_9),
            (2.0, -3.0, 0.125),
            (-2.0, 3.0, -8.0),
            (0.0, 0.0, 1.0),
            (f64::INFINITY, -1.0, 0.0),
        ] {
            assert!((pow(x, y) - expected).abs() <= expected.abs() * f64::EPSILON);
        }
        assert!(pow(-1.0, 0.5).is_nan());
        for (x, expected) in [
            (1.0, 0.0),
            (0.125, -3.0),
            (3.0, 1.584_962_500_721_156),
            (0.0, f64::NEG_INFINITY),
        ] {
            assert!(
                log2(x) == expected || (log2(x) - expected).abs() <= expected.abs() * f64::EPSILON
            );
        }
        assert!(log2(-1.0).is_nan());
    }

    /// What the compiler calls for its own functions, here and everywhere else in the program.
    #[test]
    fn the_compiler_means_them() {
        let (x, y) = std::hint::black_box((0.3_f64, 0.7_f64));
        assert_eq!(x.powf(y).to_bits(), libm::pow(x, y).to_bits());
        assert_eq!(x.log2().to_bits(), libm::log2(x).to_bits());
    }
}

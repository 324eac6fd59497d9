//! The two number types a field may have.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// `f32` or `f64`, with the constants that the formulas need.
pub trait Real:
    parallel::Element
    + cuda::Float
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + PartialOrd
    + std::fmt::Display
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// 1/2
    const HALF: Self;
    /// 1/4
    const QUARTER: Self;
    /// Added to denominators that may be zero, as PyMPDATA and libmpdata++ do: 1e-15.
    const EPSILON: Self;
    /// A little less than 1: what the limiter leaves for the rounding of the sums that follow it.
    const MARGIN: Self;
    /// Amounts smaller than this are none: so little that it never counts, yet so much that the products in the
    /// formulas stay normal numbers. Processors take a hundred times longer for subnormal ones, and every front of a
    /// tracer ends in them.
    const TRACE: Self;
    /// Largest amount whose products still fit the type.
    const LARGEST: f64;

    /// The nearest value.
    fn of(value: f64) -> Self;
    /// The value without loss.
    fn to_f64(self) -> f64;
    /// Absolute value.
    fn abs(self) -> Self;
}

macro_rules! real {
    ($type:ident, $trace:expr, $largest:expr) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const HALF: Self = 0.5;
            const QUARTER: Self = 0.25;
            const EPSILON: Self = 1e-15;
            const MARGIN: Self = 1.0 - 16.0 * $type::EPSILON;
            const TRACE: Self = $trace;
            const LARGEST: f64 = $largest;

            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $type
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn abs(self) -> Self {
                $type::abs(self)
            }
        }
    };
}

real!(f32, 1e-20, 1e15);
real!(f64, 1e-250, 1e140);

/// The larger of two numbers: one instruction, unlike `max`, which must look for NaN.
#[inline(always)]
pub fn larger<T: Real>(a: T, b: T) -> T {
    if a < b { b } else { a }
}

/// The smaller of two numbers.
#[inline(always)]
pub fn smaller<T: Real>(a: T, b: T) -> T {
    if b < a { b } else { a }
}

//! Runs a piece of work compiled for the processor at hand; every level computes the same bits.
//!
//! The compiler vectorises the same source three times. It never contracts `a * b + c` and never approximates a
//! quotient, so only the number of elements per instruction differs.

#![allow(
    unsafe_code,
    reason = "a function compiled for AVX may be called only after a look at the processor"
)]

use std::{fmt, str::FromStr};

/// Work that is compiled once per level; `run` and all it calls must be `#[inline(always)]`.
pub trait Kernel {
    /// What it yields.
    type Output;
    /// Does the work.
    fn run(self) -> Self::Output;
}

/// Which instructions are used. A value exists only if this processor has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    /// What the target promises: SSE2 on x86-64, NEON on AArch64.
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// Every level of this processor, the widest last.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut, reason = "there is one level there"))]
    pub fn available() -> Vec<Level> {
        let mut levels = vec![Level(Instructions::Baseline)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                levels.push(Level(Instructions::Avx2));
            }
            if is_x86_feature_detected!("avx512f") {
                levels.push(Level(Instructions::Avx512));
            }
        }
        levels
    }

    /// The widest level of this processor.
    pub fn widest() -> Level {
        Self::available().pop().unwrap_or(Level(Instructions::Baseline))
    }

    /// Does `kernel`'s work with these instructions.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Instructions::Baseline => kernel.run(),
            // SAFETY: `available` makes this value only where the processor has AVX2.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { with_avx2(kernel) },
            // SAFETY: `available` makes this value only where the processor has AVX-512 F.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { with_avx512(kernel) },
        }
    }
}

/// Bytes of a cache line.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Has a row fetched that is needed soon; other processors than x86-64 are left to guess it.
///
/// Their own guesses begin anew on every page, and a row of a large grid is about a page.
#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables, reason = "nothing is done there"))]
pub fn fetch<T>(row: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(LINE / size_of::<T>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: this is a hint at an entry of the slice, which is neither read nor written.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Instructions::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512",
        })
    }
}

/// The name is not that of a level of this processor.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{asked}' is not a level of this processor, which has {available}")]
pub struct LevelError {
    asked: String,
    available: String,
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(asked: &str) -> Result<Self, LevelError> {
        let levels = Self::available();
        if let Some(level) = levels.iter().find(|level| level.to_string() == asked) {
            return Ok(*level);
        }
        let names: Vec<String> = levels.iter().map(Level::to_string).collect();
        Err(LevelError { asked: asked.into(), available: names.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_found_by_its_name() {
        for level in Level::available() {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
    }

    #[test]
    fn an_unknown_level_is_answered_with_the_known_ones() {
        let error = "sse9".parse::<Level>().unwrap_err().to_string();
        assert!(error.starts_with("'sse9' is not a level of this processor, which has baseline"));
    }
}

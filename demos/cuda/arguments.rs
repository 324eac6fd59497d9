//! What a kernel is given: typed, by name, and comparable with what its PTX takes.

use std::{fmt, marker::PhantomData};

use cust::memory::{DeviceCopy, bytemuck::Zeroable};

/// Most arguments of a kernel.
const MOST: usize = 24;

/// What a parameter of a kernel is in PTX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An address.
    U64,
    /// A number of cells, or a switch.
    U32,
    /// A number.
    F32,
    /// A number.
    F64,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::U64 => "u64",
            Kind::U32 => "u32",
            Kind::F32 => "f32",
            Kind::F64 => "f64",
        })
    }
}

/// Numbers that may lie in the GPU's memory.
pub trait Number: DeviceCopy + Zeroable + Copy + 'static {
    /// 0
    const NOTHING: Self;
    /// How the names of the kernels for it end.
    const SUFFIX: &str;
}

macro_rules! numbers {
    ($($type:ty, $zero:expr, $suffix:expr;)*) => {
        $(impl Number for $type {
            const NOTHING: Self = $zero;
            const SUFFIX: &str = $suffix;
        })*
    };
}

numbers! {
    f32, 0.0, "f32";
    f64, 0.0, "f64";
    u32, 0, "u32";
    u8, 0, "u8";
}

/// Numbers that a kernel computes with, and takes as they are.
pub trait Float: Number + Arguments {}

impl Float for f32 {}
impl Float for f64 {}

/// The values of one launch, as the driver takes them.
pub struct Packed {
    pub(crate) values: [u64; MOST],
    pub(crate) count: usize,
}

impl Packed {
    pub(crate) fn new() -> Self {
        Self { values: [0; MOST], count: 0 }
    }

    fn push(&mut self, bits: u64) {
        // The host is little-endian, as the GPU is: a narrower value is the first bytes of its slot.
        self.values[self.count] = bits;
        self.count += 1;
    }
}

/// One argument or several.
pub trait Arguments {
    /// The same with nothing borrowed: which kernel they are for.
    type Key: 'static;
    /// What they are, in order.
    fn kinds(to: &mut Vec<Kind>);
    /// Appends them.
    fn pack(&self, to: &mut Packed);
}

macro_rules! argument {
    ($($type:ty, $kind:ident, |$value:ident| $bits:expr;)*) => {
        $(impl Arguments for $type {
            type Key = $type;
            fn kinds(to: &mut Vec<Kind>) {
                to.push(Kind::$kind);
            }
            fn pack(&self, to: &mut Packed) {
                let $value = *self;
                to.push($bits);
            }
        })*
    };
}

argument! {
    u32, U32, |value| u64::from(value);
    f32, F32, |value| u64::from(value.to_bits());
    f64, F64, |value| value.to_bits();
}

/// Memory that a kernel reads.
#[derive(Clone, Copy)]
pub struct In<'a, T>(u64, PhantomData<&'a T>);

/// Memory that a kernel writes.
pub struct Out<'a, T>(u64, PhantomData<&'a mut T>);

impl<T> In<'_, T> {
    pub(crate) fn new(address: u64) -> Self {
        Self(address, PhantomData)
    }
}

impl<T> Out<'_, T> {
    pub(crate) fn new(address: u64) -> Self {
        Self(address, PhantomData)
    }
}

impl<T: Number> Arguments for In<'_, T> {
    type Key = In<'static, T>;
    fn kinds(to: &mut Vec<Kind>) {
        to.push(Kind::U64);
    }
    fn pack(&self, to: &mut Packed) {
        to.push(self.0);
    }
}

impl<T: Number> Arguments for Out<'_, T> {
    type Key = Out<'static, T>;
    fn kinds(to: &mut Vec<Kind>) {
        to.push(Kind::U64);
    }
    fn pack(&self, to: &mut Packed) {
        to.push(self.0);
    }
}

/// Declares the arguments of a kernel by name, in the order in which its C++ function takes them.
///
/// Every field is itself [`Arguments`]: a number, memory to read or to write, or a group declared in the same way.
#[macro_export]
macro_rules! arguments {
    ($(#[$doc:meta])* pub struct $name:ident<'a, T> {
        $($(#[$about:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        pub struct $name<'a, T> {
            $($(#[$about])* pub $field: $type,)*
        }

        impl<'a, T: $crate::Float> $crate::Arguments for $name<'a, T> {
            type Key = $name<'static, T>;
            fn kinds(to: &mut Vec<$crate::Kind>) {
                $(<$type as $crate::Arguments>::kinds(to);)*
            }
            fn pack(&self, to: &mut $crate::Packed) {
                $($crate::Arguments::pack(&self.$field, to);)*
            }
        }
    };
    ($(#[$doc:meta])* pub struct $name:ident {
        $($(#[$about:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name {
            $($(#[$about])* pub $field: $type,)*
        }

        impl $crate::Arguments for $name {
            type Key = $name;
            fn kinds(to: &mut Vec<$crate::Kind>) {
                $(<$type as $crate::Arguments>::kinds(to);)*
            }
            fn pack(&self, to: &mut $crate::Packed) {
                $($crate::Arguments::pack(&self.$field, to);)*
            }
        }
    };
}

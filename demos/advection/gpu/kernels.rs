//! The kernels of `kernels/mpdata.cu` and what each takes, in the order of its parameters there.

use cuda::{Error, Gpu, In, Kernel, Module, Out, arguments};

use crate::real::Real;

/// What clang makes of `kernels/mpdata.cu`; a test makes it again and compares.
pub const PTX: &str = include_str!("../kernels/mpdata.ptx");

arguments! {
    /// Which cells a launch computes.
    pub struct Window {
        /// Entries from row to row.
        pitch: u32,
        /// Entries before the first cell of a row.
        lead: u32,
        /// Cells of a row.
        cells: u32,
        /// The first row.
        first: u32,
        /// How many rows.
        count: u32,
    }
}

arguments! {
    /// What moves the field.
    pub struct Flow<'a, T> {
        /// The flow at full strength, on x faces.
        steady_x: In<'a, T>,
        /// The same on y faces.
        steady_y: In<'a, T>,
        /// What fingers add, on x faces.
        stir_x: In<'a, T>,
        /// The same on y faces.
        stir_y: In<'a, T>,
        /// The flow's strength now.
        strength: T,
        /// The share of the stirring that is allowed.
        share: T,
        /// Whether anything is stirred.
        stirred: u32,
    }
}

arguments! {
    /// The donor-cell pass.
    pub struct Donor<'a, T> {
        /// The field before.
        psi: In<'a, T>,
        /// The field after.
        out: Out<'a, T>,
        /// What moves it.
        flow: Flow<'a, T>,
        /// The cells.
        window: Window,
    }
}

arguments! {
    /// A last corrective pass without limiter.
    pub struct Corrected<'a, T> {
        /// The field that the pass before has left.
        psi: In<'a, T>,
        /// The field after.
        out: Out<'a, T>,
        /// Whether the gauge is infinite.
        gauge: u32,
        /// What the pass before moved it with.
        flow: Flow<'a, T>,
        /// The cells.
        window: Window,
    }
}

arguments! {
    /// Corrective velocities.
    pub struct Velocities<'a, T> {
        /// The field that the pass before has left.
        psi: In<'a, T>,
        /// Velocities on x faces.
        x: Out<'a, T>,
        /// Velocities on y faces.
        y: Out<'a, T>,
        /// Whether the gauge is infinite.
        gauge: u32,
        /// What the pass before moved it with.
        flow: Flow<'a, T>,
        /// The cells.
        window: Window,
    }
}

arguments! {
    /// What a cell can take without a new extremum.
    pub struct Limits<'a, T> {
        /// The field at the beginning of the step.
        old: In<'a, T>,
        /// The field that the pass before has left.
        psi: In<'a, T>,
        /// Corrective velocities on x faces.
        x: In<'a, T>,
        /// Corrective velocities on y faces.
        y: In<'a, T>,
        /// The share of what enters.
        up: Out<'a, T>,
        /// The share of what leaves.
        down: Out<'a, T>,
        /// Whether the gauge is infinite.
        gauge: u32,
        /// The cells.
        window: Window,
    }
}

arguments! {
    /// The budget of a corrective pass.
    pub struct Carried<'a, T> {
        /// The field that the pass before has left.
        psi: In<'a, T>,
        /// The field after.
        out: Out<'a, T>,
        /// Corrective velocities on x faces.
        x: In<'a, T>,
        /// Corrective velocities on y faces.
        y: In<'a, T>,
        /// The share of what enters a cell.
        up: In<'a, T>,
        /// The share of what leaves it.
        down: In<'a, T>,
        /// Whether the gauge is infinite.
        gauge: u32,
        /// Whether nothing is limited.
        unlimited: u32,
        /// Whether another pass follows.
        keep: u32,
        /// The cells.
        window: Window,
    }
}

arguments! {
    /// Limited velocities for another pass.
    pub struct Limited<'a, T> {
        /// Corrective velocities on x faces.
        x: In<'a, T>,
        /// Corrective velocities on y faces.
        y: In<'a, T>,
        /// The share of what enters a cell.
        up: In<'a, T>,
        /// The share of what leaves it.
        down: In<'a, T>,
        /// The limited ones on x faces.
        limited_x: Out<'a, T>,
        /// The limited ones on y faces.
        limited_y: Out<'a, T>,
        /// The cells.
        window: Window,
    }
}

arguments! {
    /// The tile of the picture.
    pub struct Painted<'a, T> {
        /// The field.
        psi: In<'a, T>,
        /// The pixels.
        tile: Out<'a, u8>,
        /// Pixels along the first dimension of the field.
        width: u32,
        /// Pixels along the second.
        height: u32,
        /// Cells along each side of a pixel.
        fine: u32,
        /// Entries from row to row.
        pitch: u32,
        /// Entries before the first cell of a row.
        lead: u32,
        /// The first row.
        first: u32,
    }
}

/// All kernels for numbers of type `T`.
pub struct Kernels<T: Real> {
    /// The donor-cell pass.
    pub donor: Kernel<Donor<'static, T>>,
    /// A last corrective pass without limiter.
    pub corrected: Kernel<Corrected<'static, T>>,
    /// Corrective velocities.
    pub velocities: Kernel<Velocities<'static, T>>,
    /// What a cell can take.
    pub limits: Kernel<Limits<'static, T>>,
    /// The budget of a corrective pass.
    pub carried: Kernel<Carried<'static, T>>,
    /// Limited velocities.
    pub limited: Kernel<Limited<'static, T>>,
    /// The tile of the picture.
    pub painted: Kernel<Painted<'static, T>>,
}

impl<T: Real> Kernels<T> {
    /// Lets the driver compile them.
    ///
    /// # Errors
    /// If it refuses.
    pub fn load(gpu: &Gpu) -> Result<Self, Error> {
        let module = Module::load(gpu, PTX)?;
        let name = |kernel: &str| format!("{kernel}_{}", T::SUFFIX);
        Ok(Self {
            donor: module.kernel::<Donor<'_, T>>(&name("donor"))?,
            corrected: module.kernel::<Corrected<'_, T>>(&name("corrected"))?,
            velocities: module.kernel::<Velocities<'_, T>>(&name("velocities"))?,
            limits: module.kernel::<Limits<'_, T>>(&name("limits"))?,
            carried: module.kernel::<Carried<'_, T>>(&name("carried"))?,
            limited: module.kernel::<Limited<'_, T>>(&name("limited"))?,
            painted: module.kernel::<Painted<'_, T>>(&name("painted"))?,
        })
    }
}

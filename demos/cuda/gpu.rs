//! One device with one context, that of the thread that opened it.

use std::{marker::PhantomData, rc::Rc};

use cust::{
    CudaApiVersion, CudaFlags,
    context::legacy::{Context, ContextFlags},
    device::{Device, DeviceAttribute},
};

use crate::{
    driver,
    error::{Error, Request},
};

/// A GPU that this thread may use; what it gives out keeps it open.
#[derive(Clone)]
pub struct Gpu {
    name: Rc<str>,
    device: Device,
    context: Rc<Opened>,
}

/// What a driver says of its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The version of CUDA that the driver has, major and minor.
    pub driver: (u32, u32),
    /// The generation of the device, such as (5, 3) for sm_53.
    pub compute_capability: (u32, u32),
    /// How many multiprocessors it has.
    pub multiprocessors: u32,
    /// Its memory.
    pub memory_bytes: u64,
    /// Clock and width of its memory multiplied out; 0 where the driver does not know, and wrong on some Jetsons, whose memory
    /// is that of the board.
    pub memory_bytes_per_s: u64,
}

/// The context; it must be closed on the thread that opened it, hence the pointer, which is not `Send`.
pub(crate) struct Opened(
    #[expect(dead_code, reason = "open while it is held")] Context,
    PhantomData<*const ()>,
);

impl Gpu {
    /// Opens a device; with several of them the `local_rank`th process of a machine gets the one whose turn it is.
    ///
    /// # Errors
    /// If this machine has no driver or no device, or the device is not to be had.
    pub fn open(local_rank: usize) -> Result<Self, Error> {
        if !driver::is_present() {
            return Err(Error::own(Request::Driver));
        }
        cust::init(CudaFlags::empty()).map_err(Request::Start.failed())?;
        let count = Device::num_devices().map_err(Request::Device.failed())?;
        let ordinal = local_rank % (count as usize).max(1);
        let device = Device::get_device(ordinal as u32).map_err(Request::Device.failed())?;
        let name = device.name().map_err(Request::Device.failed())?;
        // Not the primary context: to give that back is a function of CUDA 11. A rank that waits for the GPU sleeps.
        let flags = ContextFlags::MAP_HOST | ContextFlags::SCHED_BLOCKING_SYNC;
        let context = Context::create_and_push(flags, device).map_err(Request::Context.failed())?;
        Ok(Self { name: name.into(), device, context: Rc::new(Opened(context, PhantomData)) })
    }

    /// The device's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the driver says of the device.
    ///
    /// # Errors
    /// If it does not say it.
    pub fn facts(&self) -> Result<Facts, Error> {
        let version = CudaApiVersion::get().map_err(Request::Device.failed())?;
        let ask = |attribute| {
            let value = self.device.get_attribute(attribute).map_err(Request::Device.failed())?;
            // What cannot be negative is unsigned here; a driver that says otherwise does not know.
            Ok(u64::try_from(value).unwrap_or(0))
        };
        Ok(Facts {
            driver: (version.major() as u32, version.minor() as u32),
            compute_capability: (
                ask(DeviceAttribute::ComputeCapabilityMajor)? as u32,
                ask(DeviceAttribute::ComputeCapabilityMinor)? as u32,
            ),
            multiprocessors: ask(DeviceAttribute::MultiprocessorCount)? as u32,
            memory_bytes: self.device.total_memory().map_err(Request::Device.failed())? as u64,
            // Two transfers in a clock, as all memory of GPUs since sm_53 has it; the driver's clock is in kHz.
            memory_bytes_per_s: ask(DeviceAttribute::MemoryClockRate)?
                * 2000
                * ask(DeviceAttribute::GlobalMemoryBusWidth)?
                / 8,
        })
    }

    pub(crate) fn opened(&self) -> Rc<Opened> {
        self.context.clone()
    }
}

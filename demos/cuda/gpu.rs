//! One device with one context, that of the thread that opened it.

use std::{marker::PhantomData, rc::Rc};

use cust::{
    CudaFlags,
    context::legacy::{Context, ContextFlags},
    device::Device,
};

use crate::{
    driver,
    error::{Error, Request},
};

/// A GPU that this thread may use; what it gives out keeps it open.
#[derive(Clone)]
pub struct Gpu {
    name: Rc<str>,
    context: Rc<Opened>,
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
        Ok(Self { name: name.into(), context: Rc::new(Opened(context, PhantomData)) })
    }

    /// The device's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn opened(&self) -> Rc<Opened> {
        self.context.clone()
    }
}

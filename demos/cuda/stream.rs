//! Work that the GPU does in order, and moments in it for which another stream waits.

#![allow(unsafe_code, reason = "cust's own events cannot be used twice, so they are made here")]

use std::{ptr, rc::Rc};

use cust::{
    stream::{Stream as CustStream, StreamFlags},
    sys,
};

use crate::{Error, Gpu, error::Request, gpu::Opened};

/// The time is taken. `CU_EVENT_DEFAULT`.
const TIMES: u32 = 0;
/// No times are taken: cheaper. `CU_EVENT_DISABLE_TIMING`.
const NO_TIMES: u32 = 2;

/// A queue of copies and kernels; those of two streams run at the same time.
pub struct Stream {
    inner: CustStream,
    _context: Rc<Opened>,
}

impl Stream {
    /// An empty one.
    ///
    /// # Errors
    /// If the GPU offers none.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        let inner =
            CustStream::new(StreamFlags::DEFAULT, None).map_err(Request::Stream.failed())?;
        Ok(Self { inner, _context: gpu.opened() })
    }

    /// Waits until all that was queued is done.
    ///
    /// # Errors
    /// If any of it failed.
    pub fn wait(&self) -> Result<(), Error> {
        self.inner.synchronize().map_err(Request::Wait.failed())
    }

    /// Lets what is queued from now on wait for the moment that `event` recorded last.
    ///
    /// # Errors
    /// If the GPU fails, now or with what was queued before.
    pub fn wait_for(&self, event: &Event) -> Result<(), Error> {
        // SAFETY: both handles are alive and of the same context.
        let code = unsafe { sys::cuStreamWaitEvent(self.inner.as_inner(), event.handle, 0) };
        Request::Event.check(code)
    }

    pub(crate) fn inner(&self) -> &CustStream {
        &self.inner
    }
}

/// A moment in a stream.
pub struct Event {
    handle: sys::CUevent,
    _context: Rc<Opened>,
}

impl Event {
    /// One that nothing has recorded yet.
    ///
    /// # Errors
    /// If the GPU offers none.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Self::create(gpu, NO_TIMES)
    }

    /// The same, with the time of the moment.
    ///
    /// # Errors
    /// If the GPU offers none.
    pub fn timed(gpu: &Gpu) -> Result<Self, Error> {
        Self::create(gpu, TIMES)
    }

    fn create(gpu: &Gpu, flags: u32) -> Result<Self, Error> {
        let mut handle = ptr::null_mut();
        // SAFETY: the driver writes the handle.
        Request::Event.check(unsafe { sys::cuEventCreate(&mut handle, flags) })?;
        Ok(Self { handle, _context: gpu.opened() })
    }

    /// The time from the moment of `earlier` to this one, s, by the GPU's clock of half a microsecond; both are timed and
    /// have happened.
    ///
    /// # Errors
    /// If either is not timed or has not happened yet.
    pub fn seconds_since(&self, earlier: &Event) -> Result<f64, Error> {
        let mut milliseconds = 0.0;
        // SAFETY: both handles are alive and of the same context; the driver writes the time.
        let code =
            unsafe { sys::cuEventElapsedTime(&mut milliseconds, earlier.handle, self.handle) };
        Request::Event.check(code)?;
        Ok(f64::from(milliseconds) * 1e-3)
    }

    /// Records the moment when all that was queued in `stream` is done.
    ///
    /// # Errors
    /// If the GPU fails, now or with what was queued before.
    pub fn record(&self, stream: &Stream) -> Result<(), Error> {
        // SAFETY: both handles are alive and of the same context.
        let code = unsafe { sys::cuEventRecord(self.handle, stream.inner.as_inner()) };
        Request::Event.check(code)
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the handle is alive and used by nobody after this. There is nothing to be done about a failure.
        let _ = unsafe { sys::cuEventDestroy_v2(self.handle) };
    }
}

//! Memory of the GPU, and memory of the host that the GPU reads and writes by itself.

#![allow(unsafe_code, reason = "copies run while the program goes on")]

use std::{
    ops::{Deref, DerefMut, Range},
    rc::Rc,
};

use cust::memory::{AsyncCopyDestination, CopyDestination, DeviceBuffer, LockedBuffer};

use crate::{Error, Gpu, In, Number, Out, Stream, error::Request, gpu::Opened};

/// Numbers in the GPU's memory. Dropped before the context it is in.
pub struct Buffer<T: Number> {
    numbers: DeviceBuffer<T>,
    _context: Rc<Opened>,
}

impl<T: Number> Buffer<T> {
    /// `length` zeros.
    ///
    /// # Errors
    /// If the GPU has not so much memory.
    pub fn zeroed(gpu: &Gpu, length: usize) -> Result<Self, Error> {
        let bytes = length * size_of::<T>();
        let numbers = DeviceBuffer::zeroed(length).map_err(Request::Memory { bytes }.failed())?;
        Ok(Self { numbers, _context: gpu.opened() })
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// For a kernel that reads it.
    pub fn read(&self) -> In<'_, T> {
        In::new(self.numbers.as_device_ptr().as_raw())
    }

    /// For a kernel that writes it.
    pub fn write(&mut self) -> Out<'_, T> {
        Out::new(self.numbers.as_device_ptr().as_raw())
    }

    /// Copies all numbers from the host and waits for that, and for all streams.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn upload(&mut self, from: &[T]) -> Result<(), Error> {
        let bytes = size_of_val(from);
        assert_eq!(from.len(), self.len(), "as many as there is room for");
        CopyDestination::copy_from(&mut *self.numbers, from)
            .map_err(Request::Copy { bytes }.failed())
    }

    /// Copies all numbers to the host and waits for that, and for all streams.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn download(&self, to: &mut [T]) -> Result<(), Error> {
        let bytes = size_of_val(to);
        assert_eq!(to.len(), self.len(), "as many as there are");
        CopyDestination::copy_to(&*self.numbers, to).map_err(Request::Copy { bytes }.failed())
    }

    /// Copies the first `length` numbers of locked memory to those from `start` on, in the order of `stream`.
    ///
    /// `from` must not be changed until the stream is waited for.
    ///
    /// # Errors
    /// If the GPU fails, now or with what the stream did before.
    pub fn send(
        &mut self,
        start: usize,
        from: &Locked<T>,
        length: usize,
        stream: &Stream,
    ) -> Result<(), Error> {
        let bytes = length * size_of::<T>();
        let mut part = self.numbers.index(start..start + length);
        // SAFETY: locked memory stays where it is; both ends outlive the copy, because to free either waits for it.
        unsafe { part.async_copy_from(&from.memory[..length], stream.inner()) }
            .map_err(Request::Copy { bytes }.failed())
    }

    /// Copies `length` numbers from `start` on to locked memory, in the order of `stream`; there when that is waited for.
    ///
    /// # Errors
    /// If the GPU fails, now or with what the stream did before.
    pub fn fetch(
        &self,
        start: usize,
        to: &mut Locked<T>,
        length: usize,
        stream: &Stream,
    ) -> Result<(), Error> {
        let bytes = length * size_of::<T>();
        let part = self.numbers.index(start..start + length);
        // SAFETY: as in `send`.
        unsafe { part.async_copy_to(&mut to.memory[..length], stream.inner()) }
            .map_err(Request::Copy { bytes }.failed())
    }

    /// Copies the numbers `from` to those from `start` on, in the order of `stream`.
    ///
    /// # Errors
    /// If the GPU fails, now or with what the stream did before.
    ///
    /// # Panics
    /// If they overlap.
    pub fn repeat(
        &mut self,
        from: Range<usize>,
        start: usize,
        stream: &Stream,
    ) -> Result<(), Error> {
        let (length, bytes) = (from.len(), from.len() * size_of::<T>());
        assert!(from.end <= start || start + length <= from.start, "no overlap");
        let source = self.numbers.index(from);
        let mut target = self.numbers.index(start..start + length);
        // SAFETY: both parts are in this buffer, to free which waits for the copy.
        unsafe { target.async_copy_from(&source, stream.inner()) }
            .map_err(Request::Copy { bytes }.failed())
    }
}

/// Numbers in memory of the host that stays where it is, so the GPU copies it by itself.
pub struct Locked<T: Number> {
    memory: LockedBuffer<T>,
    _context: Rc<Opened>,
}

impl<T: Number> Locked<T> {
    /// `length` zeros.
    ///
    /// # Errors
    /// If so much cannot be locked.
    pub fn zeroed(gpu: &Gpu, length: usize) -> Result<Self, Error> {
        let bytes = length * size_of::<T>();
        let memory = LockedBuffer::new(&T::NOTHING, length)
            .map_err(Request::HostMemory { bytes }.failed())?;
        Ok(Self { memory, _context: gpu.opened() })
    }
}

impl<T: Number> Deref for Locked<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory
    }
}

impl<T: Number> DerefMut for Locked<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory
    }
}

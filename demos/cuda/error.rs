//! What can go wrong with a GPU, in words: which request failed, and what the driver says.

use std::fmt;

use cust::error::CudaError;

/// A request that the GPU or its driver did not fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    request: Request,
    answer: Option<CudaError>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Driver,
    Start,
    Device,
    Context,
    Module,
    Kernel(String),
    Arguments { kernel: String, wanted: String, given: String },
    Memory { bytes: usize },
    HostMemory { bytes: usize },
    Copy { bytes: usize },
    Stream,
    Event,
    Launch(String),
    Wait,
}

impl Error {
    /// Whether this machine has no GPU that could be used, which is no fault.
    pub fn is_absence(&self) -> bool {
        self.request == Request::Driver || self.answer == Some(CudaError::NoDevice)
    }

    /// Whether memory ran out.
    pub fn is_out_of_memory(&self) -> bool {
        self.answer == Some(CudaError::OutOfMemory)
    }

    pub(crate) fn own(request: Request) -> Self {
        Self { request, answer: None }
    }
}

impl Request {
    /// For `map_err`: the driver's answer to this request.
    pub(crate) fn failed(self) -> impl FnOnce(CudaError) -> Error {
        move |answer| Error { request: self, answer: Some(answer) }
    }

    /// An error unless the driver's `code` is that of success.
    pub(crate) fn check(self, code: cust::sys::cudaError_enum) -> Result<(), Error> {
        if code == cust::sys::cudaError_enum::CUDA_SUCCESS {
            return Ok(());
        }
        Err(Error { request: self, answer: Some(answer(code)) })
    }
}

/// cust's name for a code; those that a running program does not meet are [`CudaError::UnknownError`].
fn answer(code: cust::sys::cudaError_enum) -> CudaError {
    use CudaError as E;
    let answers = [
        E::InvalidValue,
        E::OutOfMemory,
        E::NotInitialized,
        E::Deinitialized,
        E::NoDevice,
        E::InvalidDevice,
        E::InvalidContext,
        E::EccUncorrectable,
        E::SharedObjectSymbolNotFound,
        E::OperatingSystemError,
        E::InvalidHandle,
        E::NotFound,
        E::NotReady,
        E::IllegalAddress,
        E::LaunchOutOfResources,
        E::LaunchTimeout,
        E::ContextIsDestroyed,
        E::HardwareStackError,
        E::IllegalInstruction,
        E::MisalignedAddress,
        E::InvalidAddressSpace,
        E::InvalidProgramCounter,
        E::LaunchFailed,
        E::NotPermitted,
        E::NotSupported,
    ];
    let code = code as u32;
    answers.into_iter().find(|answer| *answer as u32 == code).unwrap_or(E::UnknownError)
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Driver => f.write_str("this machine has no NVIDIA driver (libcuda.so.1)"),
            Request::Start => f.write_str("the NVIDIA driver does not start"),
            Request::Device => f.write_str("the GPU does not answer"),
            Request::Context => f.write_str("the GPU lets nobody in"),
            Request::Module => f.write_str("the GPU does not take the program's kernels"),
            Request::Kernel(name) => write!(f, "the kernels have none named {name}"),
            Request::Arguments { kernel, wanted, given } => {
                write!(f, "the kernel {kernel} takes {wanted}, not {given}")
            }
            Request::Memory { bytes } => {
                write!(f, "the GPU cannot set {:.1} MB aside", *bytes as f64 * 1e-6)
            }
            Request::HostMemory { bytes } => {
                write!(f, "{:.1} MB cannot be locked for the GPU", *bytes as f64 * 1e-6)
            }
            Request::Copy { bytes } => {
                write!(f, "{:.1} MB cannot be copied to or from the GPU", *bytes as f64 * 1e-6)
            }
            Request::Stream => f.write_str("the GPU offers no stream"),
            Request::Event => f.write_str("the GPU offers no event"),
            Request::Launch(kernel) => write!(f, "the GPU does not start the kernel {kernel}"),
            Request::Wait => f.write_str("the GPU's work failed"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)?;
        match self.answer {
            // Not CudaError's own text: it asks the driver for it and panics if that fails.
            Some(answer) => write!(f, ": {answer:?} (CUDA error {})", answer as u32),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

//! Kernels: found by name in PTX, compared with what the program passes, and launched.

#![allow(unsafe_code, reason = "the driver takes the arguments of a kernel as bare addresses")]

use std::{ffi::c_void, marker::PhantomData, ptr, rc::Rc};

use cust::{module::Module as CustModule, sys};

use crate::{Arguments, Error, Gpu, Kind, Stream, arguments::Packed, error::Request, gpu::Opened};

/// Kernels on the GPU.
pub struct Module {
    ptx: &'static str,
    loaded: Rc<Loaded>,
}

struct Loaded {
    module: CustModule,
    _context: Rc<Opened>,
}

impl Module {
    /// Gives PTX to the driver, which compiles it for its device.
    ///
    /// # Errors
    /// If the driver refuses it.
    pub fn load(gpu: &Gpu, ptx: &'static str) -> Result<Self, Error> {
        let module = CustModule::from_ptx(ptx, &[]).map_err(Request::Module.failed())?;
        Ok(Self { ptx, loaded: Rc::new(Loaded { module, _context: gpu.opened() }) })
    }

    /// The kernel of that name, which takes the arguments `A`.
    ///
    /// # Errors
    /// If there is none, or it takes others.
    pub fn kernel<A: Arguments>(&self, name: &str) -> Result<Kernel<A::Key>, Error> {
        let missing = || Request::Kernel(name.into());
        let wanted = parameters(self.ptx, name).ok_or_else(|| Error::own(missing()))?;
        let mut given = Vec::new();
        A::kinds(&mut given);
        let given: Vec<String> = given.iter().map(Kind::to_string).collect();
        if wanted != given {
            let (kernel, wanted, given) = (name.into(), wanted.join(" "), given.join(" "));
            return Err(Error::own(Request::Arguments { kernel, wanted, given }));
        }
        let function = self.loaded.module.get_function(name).map_err(missing().failed())?.to_raw();
        Ok(Kernel {
            name: name.into(),
            function,
            _module: self.loaded.clone(),
            arguments: PhantomData,
        })
    }
}

/// The types of the parameters of a kernel, as its PTX declares them.
fn parameters<'a>(ptx: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let (_, rest) = ptx.split_once(&format!(".entry {name}("))?;
    let (list, _) = rest.split_once(')')?;
    let kind = |parameter: &'a str| Some(parameter.split_whitespace().nth(1)?.trim_matches('.'));
    list.split(',').map(kind).collect()
}

/// A kernel that takes arguments of one type and no other.
pub struct Kernel<K> {
    name: String,
    function: sys::CUfunction,
    _module: Rc<Loaded>,
    arguments: PhantomData<K>,
}

impl<K: 'static> Kernel<K> {
    /// Its name in the PTX.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Queues a run with at least `threads` threads along x and y, in blocks of `block`; it must do nothing in threads
    /// beyond.
    ///
    /// # Errors
    /// If the GPU fails, now or with what was queued before.
    pub fn launch<A: Arguments<Key = K>>(
        &self,
        stream: &Stream,
        threads: (u32, u32),
        block: (u32, u32),
        arguments: &A,
    ) -> Result<(), Error> {
        if threads.0 == 0 || threads.1 == 0 {
            return Ok(());
        }
        let mut packed = Packed::new();
        arguments.pack(&mut packed);
        let values = packed.values.as_mut_ptr();
        let mut addresses = packed.values.map(|_| ptr::null_mut::<c_void>());
        for (k, address) in addresses[..packed.count].iter_mut().enumerate() {
            *address = values.wrapping_add(k).cast();
        }
        let grid = (threads.0.div_ceil(block.0), threads.1.div_ceil(block.1));
        // SAFETY: the function takes as many arguments of these kinds (`Module::kernel`); the driver reads them before
        // this returns. The memory they name is alive, and to free it waits for the kernel.
        let code = unsafe {
            sys::cuLaunchKernel(
                self.function,
                grid.0,
                grid.1,
                1,
                block.0,
                block.1,
                1,
                0,
                stream.inner().as_inner(),
                addresses.as_mut_ptr(),
                ptr::null_mut(),
            )
        };
        if code == sys::cudaError_enum::CUDA_SUCCESS {
            return Ok(());
        }
        Request::Launch(self.name.clone()).check(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_a_kernel_are_read_off_its_ptx() {
        let ptx =
            ".visible .entry f(\n\t.param .u64 f_param_0,\n\t.param .f32 f_param_1\n)\n{ret;}";
        assert_eq!(parameters(ptx, "f"), Some(vec!["u64", "f32"]));
        assert_eq!(parameters(ptx, "g"), None);
    }
}

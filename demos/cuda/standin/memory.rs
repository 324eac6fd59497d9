//! The device's memory: every access is checked for bounds, alignment, something to read, and races between threads.

use std::collections::HashMap;

use crate::machine::Code;

/// The number of the first allocation; addresses below are nobody's.
const FIRST: u64 = 16;
/// Fresh memory, and memory that was freed: as floating-point numbers these bytes are none.
pub const POISON: u8 = 0xff;
/// Several threads have read it.
const MANY: u32 = u32::MAX;

/// What is wrong with an access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    OutOfBounds,
    Misaligned,
    NeverWritten,
    Race,
    Endless,
}

impl Fault {
    pub fn code(&self) -> Code {
        match self {
            Fault::OutOfBounds => Code::ILLEGAL_ADDRESS,
            Fault::Misaligned => Code::MISALIGNED_ADDRESS,
            Fault::NeverWritten | Fault::Race => Code::LAUNCH_FAILED,
            Fault::Endless => Code::LAUNCH_TIMEOUT,
        }
    }

    pub fn words(&self) -> &'static str {
        match self {
            Fault::OutOfBounds => "out of bounds",
            Fault::Misaligned => "misaligned",
            Fault::NeverWritten => "reads what nothing has written",
            Fault::Race => "races with another thread of the same launch",
            Fault::Endless => "does not end",
        }
    }
}

/// Who touched four bytes during the launch `launch`; threads count from 1.
#[derive(Clone, Copy, Default)]
struct Mark {
    launch: u32,
    writer: u32,
    reader: u32,
    written: bool,
}

struct Allocation {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
}

/// All allocations; the number of one is the upper half of its addresses.
#[derive(Default)]
pub struct Memory {
    allocations: Vec<Option<Allocation>>,
    used_bytes: usize,
    launch: u32,
    /// The marks of single bytes, of this launch.
    small: HashMap<u64, Mark>,
}

/// Who accesses memory.
pub type Thread = u32;

impl Memory {
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// The sizes of all that is allocated.
    pub fn sizes(&self) -> impl Iterator<Item = usize> {
        self.allocations.iter().flatten().map(|allocation| allocation.bytes.len())
    }

    pub fn allocate(&mut self, bytes: usize) -> u64 {
        let marks = vec![Mark::default(); bytes.div_ceil(4)];
        self.allocations.push(Some(Allocation { bytes: vec![POISON; bytes], marks }));
        self.used_bytes += bytes;
        (FIRST + self.allocations.len() as u64 - 1) << 32
    }

    pub fn free(&mut self, address: u64) -> Result<(), Code> {
        let slot = self.slot(address).filter(|_| address as u32 == 0);
        let slot = slot.and_then(|number| self.allocations.get_mut(number));
        let freed = slot.and_then(Option::take).ok_or(Code::INVALID_VALUE)?;
        self.used_bytes -= freed.bytes.len();
        Ok(())
    }

    fn slot(&self, address: u64) -> Option<usize> {
        (address >> 32).checked_sub(FIRST).map(|number| number as usize)
    }

    fn part(&mut self, address: u64, bytes: usize) -> Result<(&mut Allocation, usize), Code> {
        let number = self.slot(address).ok_or(Code::INVALID_VALUE)?;
        let slot = self.allocations.get_mut(number).and_then(Option::as_mut);
        let (allocation, at) = (slot.ok_or(Code::INVALID_VALUE)?, address as u32 as usize);
        if allocation.bytes.len() < at + bytes {
            return Err(Code::INVALID_VALUE);
        }
        Ok((allocation, at))
    }

    /// For a copy.
    pub fn read(&mut self, address: u64, bytes: usize) -> Result<&[u8], Code> {
        let (allocation, at) = self.part(address, bytes)?;
        Ok(&allocation.bytes[at..at + bytes])
    }

    /// For a copy.
    pub fn write(&mut self, address: u64, bytes: usize) -> Result<&mut [u8], Code> {
        let (allocation, at) = self.part(address, bytes)?;
        for mark in &mut allocation.marks[at / 4..(at + bytes).div_ceil(4)] {
            mark.written = true;
        }
        Ok(&mut allocation.bytes[at..at + bytes])
    }

    /// Where an address of the device really is; `None` for what is no address.
    pub fn really(&mut self, address: u64) -> Option<*mut u8> {
        let (allocation, at) = self.part(address, 0).ok()?;
        Some(allocation.bytes[at..].as_mut_ptr())
    }

    /// Another kernel begins: what went before cannot race with it.
    pub fn begin_launch(&mut self) {
        self.launch += 1;
        self.small.clear();
    }

    fn touch<const BYTES: usize>(
        &mut self,
        address: u64,
        touch: impl Fn(&mut Mark) -> Option<Fault>,
    ) -> Result<&mut [u8; BYTES], Fault> {
        let launch = self.launch;
        let number = self.slot(address).ok_or(Fault::OutOfBounds)?;
        let slot = self.allocations.get_mut(number).and_then(Option::as_mut);
        let (allocation, at) = (slot.ok_or(Fault::OutOfBounds)?, address as u32 as usize);
        if at % BYTES != 0 {
            return Err(Fault::Misaligned);
        }
        let bytes = allocation.bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut());
        let bytes: &mut [u8; BYTES] = bytes.ok_or(Fault::OutOfBounds)?;
        let mut fault = None;
        if BYTES < 4 {
            let mark = self.small.entry(address).or_default();
            *mark = Mark { launch, ..*mark };
            mark.written |= allocation.marks[at / 4].written;
            fault = touch(mark);
            allocation.marks[at / 4].written |= mark.written;
        } else {
            for mark in &mut allocation.marks[at / 4..(at + BYTES) / 4] {
                if mark.launch != launch {
                    *mark = Mark { launch, writer: 0, reader: 0, written: mark.written };
                }
                fault = fault.or(touch(mark));
            }
        }
        fault.map_or(Ok(bytes), Err)
    }

    /// For a thread of a kernel.
    pub fn load<const BYTES: usize>(
        &mut self,
        thread: Thread,
        address: u64,
    ) -> Result<[u8; BYTES], Fault> {
        let touch = |mark: &mut Mark| {
            if !mark.written {
                return Some(Fault::NeverWritten);
            }
            if mark.writer != 0 && mark.writer != thread {
                return Some(Fault::Race);
            }
            mark.reader = if mark.reader == 0 || mark.reader == thread { thread } else { MANY };
            None
        };
        self.touch(address, touch).copied()
    }

    /// For a thread of a kernel.
    pub fn store<const BYTES: usize>(
        &mut self,
        thread: Thread,
        address: u64,
        value: [u8; BYTES],
    ) -> Result<(), Fault> {
        let touch = |mark: &mut Mark| {
            let other = |who: u32| who != 0 && who != thread;
            if other(mark.writer) || other(mark.reader) {
                return Some(Fault::Race);
            }
            (mark.writer, mark.written) = (thread, true);
            None
        };
        *self.touch(address, touch)? = value;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four() -> (Memory, u64) {
        let mut memory = Memory::default();
        let address = memory.allocate(8);
        memory.begin_launch();
        (memory, address)
    }

    #[test]
    fn memory_must_be_written_before_it_is_read() {
        let (mut memory, at) = four();
        assert_eq!(memory.load::<4>(1, at), Err(Fault::NeverWritten));
        memory.store(1, at, [1, 2, 3, 4]).unwrap();
        assert_eq!(memory.load(1, at), Ok([1, 2, 3, 4]));
        assert_eq!(memory.load::<8>(1, at), Err(Fault::NeverWritten));
    }

    #[test]
    fn threads_of_a_launch_must_not_meet() {
        let (mut memory, at) = four();
        memory.store(1, at, [0; 4]).unwrap();
        assert_eq!(memory.store(2, at, [0; 4]), Err(Fault::Race));
        assert_eq!(memory.load::<4>(2, at), Err(Fault::Race));
        memory.begin_launch();
        memory.load::<4>(1, at).unwrap();
        memory.load::<4>(2, at).unwrap();
        assert_eq!(memory.store(2, at, [0; 4]), Err(Fault::Race));
    }

    #[test]
    fn neighbouring_bytes_belong_to_different_threads() {
        let (mut memory, at) = four();
        memory.store(1, at, [7]).unwrap();
        memory.store(2, at + 1, [7]).unwrap();
        assert_eq!(memory.store(2, at, [7]), Err(Fault::Race));
    }

    #[test]
    fn what_is_beyond_is_out_of_bounds() {
        let (mut memory, at) = four();
        assert_eq!(memory.store(1, at + 8, [0; 4]), Err(Fault::OutOfBounds));
        assert_eq!(memory.store(1, at - 4, [0; 4]), Err(Fault::OutOfBounds));
        assert_eq!(memory.store(1, at + 2, [0; 4]), Err(Fault::Misaligned));
        memory.free(at).unwrap();
        assert_eq!(memory.load::<4>(1, at), Err(Fault::OutOfBounds));
    }
}

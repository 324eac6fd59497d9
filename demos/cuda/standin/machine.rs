//! The driver's state: contexts, modules, streams whose work runs as late as may be, and what is to be told of it.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt::Write,
    fs,
    rc::Rc,
    time::Instant,
};

use crate::{
    host::Host,
    memory::{Memory, POISON},
    plan::Plan,
    ptx::{self, Kernel},
    threads::{self, Launch},
};

/// The driver's answer to a call; the numbers of cuda.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u32);

impl Code {
    pub const INVALID_VALUE: Code = Code(1);
    pub const OUT_OF_MEMORY: Code = Code(2);
    pub const DEINITIALIZED: Code = Code(4);
    pub const NO_DEVICE: Code = Code(100);
    pub const INVALID_DEVICE: Code = Code(101);
    pub const INVALID_CONTEXT: Code = Code(201);
    pub const INVALID_PTX: Code = Code(218);
    pub const INVALID_HANDLE: Code = Code(400);
    pub const NOT_FOUND: Code = Code(500);
    pub const NOT_READY: Code = Code(600);
    pub const ILLEGAL_ADDRESS: Code = Code(700);
    pub const LAUNCH_TIMEOUT: Code = Code(702);
    pub const MISALIGNED_ADDRESS: Code = Code(716);
    pub const LAUNCH_FAILED: Code = Code(719);
    pub const NOT_SUPPORTED: Code = Code(801);

    /// After such an error the context is lost: every further call is answered with it.
    fn is_sticky(self) -> bool {
        (700..800).contains(&self.0)
    }
}

/// Something that a stream does.
pub enum Work {
    FromHost {
        to: u64,
        from: u64,
        bytes: usize,
    },
    ToHost {
        to: u64,
        from: u64,
        bytes: usize,
    },
    OnDevice {
        to: u64,
        from: u64,
        bytes: usize,
    },
    Kernel(Launch),
    /// What the event recorded as its `nth` moment must have happened before.
    Wait {
        event: u64,
        nth: u64,
    },
    Record {
        event: u64,
        nth: u64,
    },
}

#[derive(Default)]
struct Event {
    /// How often it was recorded, and the last moment that has happened.
    recorded: u64,
    happened: u64,
    /// The stream that recorded it last.
    stream: u64,
    is_timed: bool,
    /// When the last moment was.
    when: Option<Instant>,
}

/// All of it.
pub struct Machine {
    pub plan: Plan,
    pub memory: Memory,
    host: Option<Host>,
    context: Option<u64>,
    lost: Option<Code>,
    handles: u64,
    modules: BTreeMap<u64, Vec<Rc<Kernel>>>,
    functions: HashMap<u64, Rc<Kernel>>,
    locked: BTreeMap<u64, Box<[u64]>>,
    streams: BTreeMap<u64, VecDeque<Work>>,
    events: BTreeMap<u64, Event>,
    launches: BTreeMap<String, u64>,
    /// What went wrong, in words.
    notes: Vec<String>,
}

impl Machine {
    pub fn new(plan: Plan) -> Self {
        Self {
            host: plan.host.as_deref().map(Host::open),
            plan,
            memory: Memory::default(),
            context: None,
            lost: None,
            handles: 0x1000,
            modules: BTreeMap::new(),
            functions: HashMap::new(),
            locked: BTreeMap::new(),
            streams: BTreeMap::new(),
            events: BTreeMap::new(),
            launches: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// Before every call.
    pub fn enter(&mut self, call: &str) -> Result<(), Code> {
        if let Some(code) = self.plan.failure(call) {
            self.notes.push(format!("failed as planned: {call} with {code}"));
            return Err(Code(code));
        }
        match self.lost {
            // The context of a lost device can still be given up.
            Some(code) if call != "cuCtxDestroy_v2" => Err(code),
            _ => Ok(()),
        }
    }

    /// After every call.
    pub fn leave(&mut self, done: Result<(), Code>) -> u32 {
        let Err(code) = done else { return 0 };
        if code.is_sticky() && self.lost.is_none() {
            self.lost = Some(code);
        }
        self.publish();
        code.0
    }

    /// What happened, a line each: `launch KERNEL COUNT`, `note WORDS`, `open` while a context is.
    pub fn report(&self) -> String {
        let mut text = String::new();
        for (kernel, count) in &self.launches {
            let _ = writeln!(text, "launch {kernel} {count}");
        }
        for note in &self.notes {
            let _ = writeln!(text, "note {note}");
        }
        if self.context.is_some() {
            text.push_str("open\n");
        }
        text
    }

    fn publish(&self) {
        if let Some(path) = &self.plan.report {
            let written = fs::write(path, self.report());
            written.unwrap_or_else(|error| eprintln!("stand-in: {}: {error}", path.display()));
        }
    }

    fn handle(&mut self) -> u64 {
        self.handles += 16;
        self.handles
    }

    pub fn open(&mut self) -> Result<u64, Code> {
        if self.context.is_some() {
            self.notes.push("a second context is opened beside the first".into());
        }
        let handle = self.handle();
        self.context = Some(handle);
        self.publish();
        Ok(handle)
    }

    /// Ends the context; what is still there then has leaked.
    pub fn close(&mut self, context: u64) -> Result<(), Code> {
        if self.context.take() != Some(context) {
            return Err(Code::INVALID_CONTEXT);
        }
        // What a lost context holds can only go with it.
        if self.lost.is_some() {
            self.publish();
            return Ok(());
        }
        for bytes in self.memory.sizes() {
            self.notes.push(format!("leaked: {bytes} bytes of the device"));
        }
        let others = [
            (self.locked.len(), "pieces of locked memory"),
            (self.streams.len(), "streams"),
            (self.events.len(), "events"),
            (self.modules.len(), "modules"),
        ];
        for (count, what) in others.into_iter().filter(|(count, _)| *count != 0) {
            self.notes.push(format!("leaked: {count} {what}"));
        }
        self.publish();
        Ok(())
    }

    fn opened(&self) -> Result<(), Code> {
        self.context.map(|_| ()).ok_or(Code::INVALID_CONTEXT)
    }

    pub fn load(&mut self, text: &str) -> Result<u64, Code> {
        self.opened()?;
        let kernels = ptx::read(text).map_err(|error| {
            self.notes.push(format!("PTX {error}"));
            Code::INVALID_PTX
        })?;
        let handle = self.handle();
        self.modules.insert(handle, kernels.into_iter().map(Rc::new).collect());
        Ok(handle)
    }

    pub fn function(&mut self, module: u64, name: &str) -> Result<u64, Code> {
        let kernels = self.modules.get(&module).ok_or(Code::INVALID_HANDLE)?;
        let kernel = kernels.iter().find(|kernel| kernel.name() == name);
        let kernel = kernel.cloned().ok_or(Code::NOT_FOUND)?;
        let handle = self.handle();
        self.functions.insert(handle, kernel);
        Ok(handle)
    }

    pub fn discard(&mut self, _what: &str, module: u64) -> Result<(), Code> {
        self.modules.remove(&module).map(|_| ()).ok_or(Code::INVALID_HANDLE)
    }

    pub fn kernel(&self, function: u64) -> Result<Rc<Kernel>, Code> {
        self.functions.get(&function).cloned().ok_or(Code::INVALID_HANDLE)
    }

    pub fn allocate(&mut self, bytes: usize) -> Result<u64, Code> {
        self.opened()?;
        if bytes == 0 {
            return Err(Code::INVALID_VALUE);
        }
        if self.plan.memory_bytes < self.memory.used_bytes() + bytes {
            return Err(Code::OUT_OF_MEMORY);
        }
        Ok(self.memory.allocate(bytes))
    }

    pub fn free(&mut self, address: u64) -> Result<(), Code> {
        self.finish_all()?;
        self.memory.free(address)
    }

    pub fn lock(&mut self, bytes: usize) -> Result<u64, Code> {
        self.opened()?;
        let poison = u64::from_le_bytes([POISON; 8]);
        let memory = vec![poison; bytes.div_ceil(8)].into_boxed_slice();
        let address = memory.as_ptr() as u64;
        self.locked.insert(address, memory);
        Ok(address)
    }

    pub fn unlock(&mut self, address: u64) -> Result<(), Code> {
        self.finish_all()?;
        self.locked.remove(&address).map(|_| ()).ok_or(Code::INVALID_VALUE)
    }

    /// Copies that go on by themselves need locked memory at the host's end, or they do not.
    pub fn is_locked(&mut self, address: u64, bytes: usize) -> Result<(), Code> {
        let before = self.locked.range(..=address).next_back();
        let inside = before.is_some_and(|(start, memory)| {
            address + bytes as u64 <= start + 8 * memory.len() as u64
        });
        if !inside {
            self.notes.push("a copy that nobody waits for uses memory that is not locked".into());
            return Err(Code::INVALID_VALUE);
        }
        Ok(())
    }

    pub fn add_stream(&mut self) -> Result<u64, Code> {
        self.opened()?;
        let handle = self.handle();
        self.streams.insert(handle, VecDeque::new());
        Ok(handle)
    }

    pub fn remove_stream(&mut self, stream: u64) -> Result<(), Code> {
        self.finish(stream)?;
        self.streams.remove(&stream).map(|_| ()).ok_or(Code::INVALID_HANDLE)
    }

    pub fn add_event(&mut self, is_timed: bool) -> Result<u64, Code> {
        self.opened()?;
        let handle = self.handle();
        self.events.insert(handle, Event { is_timed, ..Event::default() });
        Ok(handle)
    }

    pub fn remove_event(&mut self, event: u64) -> Result<(), Code> {
        self.finish_all()?;
        self.events.remove(&event).map(|_| ()).ok_or(Code::INVALID_HANDLE)
    }

    /// The time between two moments, by this machine's clock: how long the stand-in took.
    pub fn elapsed_ms(&self, start: u64, end: u64) -> Result<f32, Code> {
        let moment = |event| {
            let event = self.events.get(&event).filter(|event| event.is_timed);
            let event = event.ok_or(Code::INVALID_HANDLE)?;
            let when = event.when.ok_or(Code::INVALID_HANDLE)?;
            if event.happened < event.recorded { Err(Code::NOT_READY) } else { Ok(when) }
        };
        let (start, end) = (moment(start)?, moment(end)?);
        let ms = |later: Instant, earlier| later.duration_since(earlier).as_secs_f32() * 1e3;
        Ok(if start <= end { ms(end, start) } else { -ms(start, end) })
    }

    pub fn record(&mut self, event: u64, stream: u64) -> Result<(), Code> {
        let entry = self.events.get_mut(&event).ok_or(Code::INVALID_HANDLE)?;
        entry.recorded += 1;
        entry.stream = stream;
        let nth = entry.recorded;
        self.queue(stream, Work::Record { event, nth })
    }

    pub fn wait_for(&mut self, stream: u64, event: u64) -> Result<(), Code> {
        let nth = self.events.get(&event).ok_or(Code::INVALID_HANDLE)?.recorded;
        self.queue(stream, Work::Wait { event, nth })
    }

    pub fn launch(
        &mut self,
        stream: u64,
        kernel: Rc<Kernel>,
        grid: [u32; 2],
        block: [u32; 2],
        values: Vec<u64>,
    ) -> Result<(), Code> {
        if grid.contains(&0) || block.contains(&0) || 1024 < block[0] * block[1] {
            return Err(Code::INVALID_VALUE);
        }
        let how = if self.host.is_some() { "host-built " } else { "" };
        *self.launches.entry(format!("{how}{}", kernel.name())).or_default() += 1;
        self.queue(stream, Work::Kernel(Launch { kernel, grid, block, values }))
    }

    pub fn queue(&mut self, stream: u64, work: Work) -> Result<(), Code> {
        let queue = self.streams.get_mut(&stream).ok_or(Code::INVALID_HANDLE)?;
        queue.push_back(work);
        let nth = self.streams.keys().position(|known| *known == stream).map(|k| k + 1);
        if nth == self.plan.hurry { self.finish(stream) } else { Ok(()) }
    }

    /// Does what a stream has queued, and what that waits for, but nothing else.
    pub fn finish(&mut self, stream: u64) -> Result<(), Code> {
        loop {
            let queue = self.streams.get_mut(&stream).ok_or(Code::INVALID_HANDLE)?;
            let Some(work) = queue.pop_front() else {
                self.publish();
                return Ok(());
            };
            if let Work::Wait { event, nth } = work {
                self.happen(event, nth)?;
            } else {
                self.run(work)?;
            }
        }
    }

    /// Lets the stream that recorded an event go on until that moment.
    fn happen(&mut self, event: u64, nth: u64) -> Result<(), Code> {
        while let Some(entry) = self.events.get(&event).filter(|entry| entry.happened < nth) {
            let stream = entry.stream;
            let work = self.streams.get_mut(&stream).and_then(VecDeque::pop_front);
            match work.ok_or(Code::INVALID_HANDLE)? {
                Work::Wait { event, nth } => self.happen(event, nth)?,
                work => self.run(work)?,
            }
        }
        Ok(())
    }

    /// Does what all streams have queued, the youngest stream first.
    pub fn finish_all(&mut self) -> Result<(), Code> {
        let streams: Vec<u64> = self.streams.keys().rev().copied().collect();
        streams.into_iter().try_for_each(|stream| self.finish(stream))
    }

    pub fn run(&mut self, work: Work) -> Result<(), Code> {
        match work {
            Work::FromHost { to, from, bytes } => {
                let to = self.memory.write(to, bytes)?;
                // SAFETY: the caller of the copy promised as many bytes, until it is done.
                unsafe { to.as_mut_ptr().copy_from_nonoverlapping(from as *const u8, bytes) };
            }
            Work::ToHost { to, from, bytes } => {
                let from = self.memory.read(from, bytes)?;
                // SAFETY: the caller of the copy promised room for as many bytes, until it is done.
                unsafe { from.as_ptr().copy_to_nonoverlapping(to as *mut u8, bytes) };
            }
            Work::OnDevice { to, from, bytes } => {
                let copy = self.memory.read(from, bytes)?.to_vec();
                self.memory.write(to, bytes)?.copy_from_slice(&copy);
            }
            Work::Kernel(launch) => {
                if let Some(host) = &self.host {
                    let is_there = host.run(&launch, &mut self.memory);
                    return is_there.then_some(()).ok_or(Code::NOT_FOUND);
                }
                self.memory.begin_launch();
                threads::run(&launch, &mut self.memory).map_err(|stop| {
                    self.notes.push(stop.words(&launch));
                    stop.fault.code()
                })?;
            }
            Work::Record { event, nth } => {
                let entry = self.events.get_mut(&event).ok_or(Code::INVALID_HANDLE)?;
                entry.happened = entry.happened.max(nth);
                entry.when = Some(Instant::now());
            }
            Work::Wait { event, nth } => self.happen(event, nth)?,
        }
        Ok(())
    }
}

//! Runs the threads of a kernel one after the other, instruction by instruction.

use std::rc::Rc;

use crate::{
    memory::{Fault, Memory, Thread},
    ptx::{Instruction, Kernel, Operation, Order, SPECIAL, Type},
};

/// Instructions after which a thread is taken to hang.
const MOST_STEPS: u64 = 10_000_000;

/// A kernel with its arguments.
pub struct Launch {
    pub kernel: Rc<Kernel>,
    pub grid: [u32; 2],
    pub block: [u32; 2],
    pub values: Vec<u64>,
}

/// Why a kernel did not end.
#[derive(Debug)]
pub struct Stop {
    pub fault: Fault,
    line: usize,
    block: [u32; 2],
    thread: [u32; 2],
}

impl Stop {
    pub fn words(&self, launch: &Launch) -> String {
        let Self { fault, line, block, thread } = self;
        format!(
            "{}: PTX line {line}: {} in block {block:?} thread {thread:?}",
            launch.kernel.name(),
            fault.words()
        )
    }
}

/// Runs all threads.
pub fn run(launch: &Launch, memory: &mut Memory) -> Result<(), Stop> {
    let kernel = &launch.kernel;
    let ([grid_x, grid_y], [block_x, block_y]) = (launch.grid, launch.block);
    let mut slots = kernel.slots.clone();
    let mut number: Thread = 0;
    // The last block first: who counts on an order counts on another.
    for block in (0..grid_x * grid_y).rev() {
        let block = [block % grid_x, block / grid_x];
        for thread in 0..block_x * block_y {
            let thread = [thread % block_x, thread / block_x];
            number += 1;
            slots.copy_from_slice(&kernel.slots);
            let place = [thread, launch.block, block, launch.grid].concat();
            for (slot, value) in slots.iter_mut().zip(place) {
                *slot = value.into();
            }
            slots[SPECIAL.len()..][..launch.values.len()].copy_from_slice(&launch.values);
            let ended = run_thread(&kernel.code, &mut slots, number, memory);
            ended.map_err(|(fault, line)| Stop { fault, line, block, thread })?;
        }
    }
    Ok(())
}

fn run_thread(
    code: &[Instruction],
    slots: &mut [u64],
    thread: Thread,
    memory: &mut Memory,
) -> Result<(), (Fault, usize)> {
    let mut next = 0;
    for _ in 0..MOST_STEPS {
        let Some(instruction) = code.get(next) else { return Ok(()) };
        next += 1;
        let Instruction { operation, guard, to, operands, line } = *instruction;
        if guard.is_some_and(|(slot, wanted)| (slots[slot] != 0) != wanted) {
            continue;
        }
        let [a, b, c] = operands.map(|slot| slots[slot]);
        slots[to] = match operation {
            Operation::Return => return Ok(()),
            Operation::Branch => {
                next = to;
                continue;
            }
            Operation::Load(kind) => {
                load(memory, kind, thread, a.wrapping_add(b)).map_err(|fault| (fault, line))?
            }
            Operation::Store(kind) => {
                let address = a.wrapping_add(b);
                store(memory, kind, thread, address, c).map_err(|fault| (fault, line))?;
                continue;
            }
            arithmetic => compute(arithmetic, a, b, c),
        };
    }
    Err((Fault::Endless, code.get(next).map_or(0, |instruction| instruction.line)))
}

fn load(memory: &mut Memory, kind: Type, thread: Thread, address: u64) -> Result<u64, Fault> {
    Ok(match kind {
        Type::F64 | Type::U64 | Type::S64 => u64::from_le_bytes(memory.load(thread, address)?),
        Type::U8 => memory.load::<1>(thread, address)?[0].into(),
        Type::F32 | Type::U32 | Type::S32 => {
            u32::from_le_bytes(memory.load(thread, address)?).into()
        }
    })
}

fn store(
    memory: &mut Memory,
    kind: Type,
    thread: Thread,
    address: u64,
    value: u64,
) -> Result<(), Fault> {
    match kind {
        Type::F64 | Type::U64 | Type::S64 => memory.store(thread, address, value.to_le_bytes()),
        Type::U8 => memory.store(thread, address, [value as u8]),
        Type::F32 | Type::U32 | Type::S32 => {
            memory.store(thread, address, (value as u32).to_le_bytes())
        }
    }
}

#[inline(always)]
fn f32_of(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

#[inline(always)]
fn single(value: f32) -> u64 {
    value.to_bits().into()
}

/// A 32-bit result; the upper half of its slot is nothing.
#[inline(always)]
fn word(value: u32) -> u64 {
    value.into()
}

#[inline(always)]
fn compute(operation: Operation, a: u64, b: u64, c: u64) -> u64 {
    use Operation as O;
    let (x, y) = (f32_of(a), f32_of(b));
    let (v, w) = (f64::from_bits(a), f64::from_bits(b));
    let is_wide = |kind: Type| matches!(kind, Type::U64 | Type::S64);
    match operation {
        O::Move => a,
        O::Add(Type::F32) => single(x + y),
        O::Add(Type::F64) => (v + w).to_bits(),
        O::Add(kind) if is_wide(kind) => a.wrapping_add(b),
        O::Add(_) => word((a as u32).wrapping_add(b as u32)),
        O::Subtract(Type::F32) => single(x - y),
        O::Subtract(Type::F64) => (v - w).to_bits(),
        O::Subtract(kind) if is_wide(kind) => a.wrapping_sub(b),
        O::Subtract(_) => word((a as u32).wrapping_sub(b as u32)),
        O::Multiply(Type::F32) => single(x * y),
        O::Multiply(Type::F64) => (v * w).to_bits(),
        O::Multiply(kind) if is_wide(kind) => a.wrapping_mul(b),
        O::Multiply(_) => word((a as u32).wrapping_mul(b as u32)),
        O::MultiplyWide(Type::S32) => (i64::from(a as i32) * i64::from(b as i32)) as u64,
        O::MultiplyWide(_) => u64::from(a as u32) * u64::from(b as u32),
        O::MultiplyAdd(kind) if is_wide(kind) => a.wrapping_mul(b).wrapping_add(c),
        O::MultiplyAdd(_) => word((a as u32).wrapping_mul(b as u32).wrapping_add(c as u32)),
        O::Divide(Type::F32) => single(x / y),
        O::Divide(_) => (v / w).to_bits(),
        O::SquareRoot(Type::F32) => single(x.sqrt()),
        O::SquareRoot(_) => v.sqrt().to_bits(),
        O::Absolute(Type::F32) => single(x.abs()),
        O::Absolute(_) => v.abs().to_bits(),
        O::Negate(Type::F32) => single(-x),
        O::Negate(_) => (-v).to_bits(),
        // Of a number and no number it is the number, in PTX as in Rust.
        O::Smaller(Type::F32) => single(x.min(y)),
        O::Smaller(_) => v.min(w).to_bits(),
        O::Larger(Type::F32) => single(x.max(y)),
        O::Larger(_) => v.max(w).to_bits(),
        O::And => a & b,
        O::Or => a | b,
        O::ExclusiveOr => a ^ b,
        O::NotPredicate => u64::from(a == 0),
        // A shift by more than there is leaves nothing.
        O::ShiftLeft(Type::U32) => word((a as u32).checked_shl(b as u32).unwrap_or(0)),
        O::ShiftLeft(_) => a.checked_shl(b as u32).unwrap_or(0),
        O::ShiftRight(Type::U32) => word((a as u32).checked_shr(b as u32).unwrap_or(0)),
        O::ShiftRight(Type::S32) => word((a as i32 >> (b as u32).min(31)) as u32),
        O::ShiftRight(Type::S64) => (a as i64 >> (b as u32).min(63)) as u64,
        O::ShiftRight(_) => a.checked_shr(b as u32).unwrap_or(0),
        O::Convert { to: Type::U64, .. } => word(a as u32),
        O::Convert { to: Type::S64, .. } => i64::from(a as i32) as u64,
        O::Convert { to: Type::F64, .. } => f64::from(x).to_bits(),
        O::Convert { to: Type::F32, from: Type::F64 } => single(v as f32),
        O::Convert { to: Type::F32, .. } => single(a as u32 as f32),
        // Saturates, and no number is 0, in PTX as in Rust.
        O::Convert { .. } => word(x as u32),
        O::Compare(order, kind) => u64::from(compare(order, kind, a, b)),
        O::Select => {
            if c != 0 {
                a
            } else {
                b
            }
        }
        O::Load(_) | O::Store(_) | O::Branch | O::Return => 0,
    }
}

#[inline(always)]
fn compare(order: Order, kind: Type, a: u64, b: u64) -> bool {
    fn by<T: PartialOrd>(order: Order, a: T, b: T) -> bool {
        match order {
            Order::Less => a < b,
            Order::LessEqual => a <= b,
            Order::Greater => a > b,
            Order::GreaterEqual => a >= b,
            Order::Equal => a == b,
            // Of numbers that do not compare neither order is so; integers always compare.
            Order::NotEqual => a < b || b < a,
        }
    }
    match kind {
        Type::F32 => by(order, f32_of(a), f32_of(b)),
        Type::F64 => by(order, f64::from_bits(a), f64::from_bits(b)),
        Type::S32 => by(order, a as i32, b as i32),
        Type::S64 => by(order, a as i64, b as i64),
        Type::U32 => by(order, a as u32, b as u32),
        Type::U64 | Type::U8 => by(order, a, b),
    }
}

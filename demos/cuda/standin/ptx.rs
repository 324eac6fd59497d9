//! Reads PTX, one instruction a line as clang writes it; what it does not know is an error, never a wrong result.

use std::{collections::HashMap, fmt};

/// The newest PTX that a CUDA 10.2 driver takes, and the newest target of a Jetson Nano.
const NEWEST_VERSION: (u32, u32) = (6, 5);
const NEWEST_TARGET: u32 = 53;

/// Where a thread finds its place: these come first among its slots.
pub const SPECIAL: [&str; 8] =
    ["%tid.x", "%tid.y", "%ntid.x", "%ntid.y", "%ctaid.x", "%ctaid.y", "%nctaid.x", "%nctaid.y"];

/// A number of bytes and how they are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    F32,
    F64,
    U32,
    S32,
    U64,
    S64,
    U8,
}

/// How two numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

/// What an instruction does with its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Move,
    Add(Type),
    Subtract(Type),
    Multiply(Type),
    MultiplyWide(Type),
    MultiplyAdd(Type),
    Divide(Type),
    SquareRoot(Type),
    Absolute(Type),
    Negate(Type),
    Smaller(Type),
    Larger(Type),
    And,
    Or,
    ExclusiveOr,
    NotPredicate,
    ShiftLeft(Type),
    ShiftRight(Type),
    Convert { to: Type, from: Type },
    Compare(Order, Type),
    Select,
    Load(Type),
    Store(Type),
    Branch,
    Return,
}

/// An instruction; its operands are slots of the thread, constants among them.
#[derive(Clone, Copy, Debug)]
pub struct Instruction {
    pub operation: Operation,
    /// The slot that must be as wanted for the instruction to count.
    pub guard: Option<(usize, bool)>,
    /// The result, or of a branch the instruction where it goes on.
    pub to: usize,
    pub operands: [usize; 3],
    /// In the PTX.
    pub line: usize,
}

/// A kernel, ready to run.
pub struct Kernel {
    name: String,
    parameters: Vec<usize>,
    pub code: Vec<Instruction>,
    /// What a thread begins with: places and parameters first, constants where they are, the rest nothing.
    pub slots: Vec<u64>,
}

impl Kernel {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The size of every parameter.
    pub fn parameter_bytes(&self) -> &[usize] {
        &self.parameters
    }
}

/// What cannot be read, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct PtxError {
    line: usize,
    about: String,
}

impl fmt::Display for PtxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.about)
    }
}

/// The kernels of a module.
pub fn read(text: &str) -> Result<Vec<Kernel>, PtxError> {
    let mut kernels = Vec::new();
    let mut reader: Option<Reader> = None;
    for (k, line) in text.lines().enumerate() {
        let at = |about: String| PtxError { line: k + 1, about };
        let line = line.split("//").next().unwrap_or("").trim();
        if line.is_empty() || line == "{" || line == ")" || line == "(" {
            continue;
        }
        match &mut reader {
            None => {
                check_header(line).map_err(at)?;
                let name = line.split_once(".entry ").map(|(_, name)| name.trim_end_matches('('));
                reader = name.map(Reader::new);
            }
            Some(done) if line == "}" => {
                kernels.push(std::mem::replace(done, Reader::new("")).finish().map_err(at)?);
                reader = None;
            }
            Some(reader) => reader.read(line, k + 1).map_err(at)?,
        }
    }
    if reader.is_some() {
        return Err(PtxError { line: text.lines().count(), about: "a kernel does not end".into() });
    }
    Ok(kernels)
}

fn check_header(line: &str) -> Result<(), String> {
    if let Some(version) = line.strip_prefix(".version ") {
        let parts =
            version.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        if parts.is_none_or(|parts| NEWEST_VERSION < parts) {
            return Err(format!("PTX {version} is newer than a CUDA 10.2 driver"));
        }
    } else if let Some(target) = line.strip_prefix(".target sm_") {
        if target.parse().map_or(true, |target: u32| NEWEST_TARGET < target) {
            return Err(format!("the device is an sm_{NEWEST_TARGET}, not an sm_{target}"));
        }
    } else if !line.starts_with(".address_size 64") && !line.starts_with(".visible .entry ") {
        return Err(format!("'{line}' is not known"));
    }
    Ok(())
}

struct Reader {
    kernel: Kernel,
    names: HashMap<String, usize>,
    labels: HashMap<String, usize>,
    /// Branches by the label where they go.
    branches: Vec<(usize, String)>,
}

impl Reader {
    fn new(name: &str) -> Self {
        let names = SPECIAL.iter().enumerate().map(|(k, name)| ((*name).to_owned(), k)).collect();
        let slots = vec![0; SPECIAL.len()];
        let kernel = Kernel { name: name.into(), parameters: Vec::new(), code: Vec::new(), slots };
        Self { kernel, names, labels: HashMap::new(), branches: Vec::new() }
    }

    fn finish(mut self) -> Result<Kernel, String> {
        for (at, label) in self.branches {
            let target = self.labels.get(&label).ok_or_else(|| format!("there is no {label}"))?;
            self.kernel.code[at].to = *target;
        }
        Ok(self.kernel)
    }

    fn read(&mut self, line: &str, number: usize) -> Result<(), String> {
        if let Some(parameter) = line.strip_prefix(".param ") {
            return self.parameter(parameter.trim_end_matches(','));
        }
        if line.starts_with(".reg ") || line == ".pragma \"nounroll\";" {
            return Ok(());
        }
        if let Some(label) = line.strip_suffix(':') {
            self.labels.insert(label.into(), self.kernel.code.len());
            return Ok(());
        }
        let known = line.strip_suffix(';').and_then(|line| self.instruction(line, number));
        let instruction = known.ok_or_else(|| format!("'{line}' is not known"))?;
        self.kernel.code.push(instruction);
        Ok(())
    }

    fn parameter(&mut self, text: &str) -> Result<(), String> {
        let (kind, name) = text.split_once(' ').ok_or("a parameter without a name")?;
        let bytes = match kind {
            ".u64" | ".f64" => 8,
            ".u32" | ".f32" => 4,
            _ => return Err(format!("a parameter of type {kind} is not known")),
        };
        self.kernel.parameters.push(bytes);
        self.slot(name);
        Ok(())
    }

    /// The slot of a register, a parameter, or a constant.
    fn slot(&mut self, name: &str) -> usize {
        if let Some(slot) = self.names.get(name) {
            return *slot;
        }
        self.kernel.slots.push(constant(name).unwrap_or(0));
        self.names.insert(name.into(), self.kernel.slots.len() - 1);
        self.kernel.slots.len() - 1
    }

    fn instruction(&mut self, line: &str, number: usize) -> Option<Instruction> {
        let (guard, line) = match line.strip_prefix('@') {
            Some(rest) => {
                let (name, rest) = rest.split_once(char::is_whitespace)?;
                let wanted = !name.starts_with('!');
                (Some((self.slot(name.trim_start_matches('!')), wanted)), rest.trim())
            }
            None => (None, line),
        };
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let operation = operation(name)?;
        let names: Vec<&str> =
            rest.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let mut instruction =
            Instruction { operation, guard, to: 0, operands: [0; 3], line: number };
        match operation {
            Operation::Branch => {
                let [label] = names[..] else { return None };
                self.branches.push((self.kernel.code.len(), label.into()));
            }
            Operation::Load(_) => {
                let [to, from] = names[..] else { return None };
                (instruction.to, [instruction.operands[0], instruction.operands[1]]) =
                    (self.slot(to), self.address(from)?);
            }
            Operation::Store(_) => {
                let [to, from] = names[..] else { return None };
                let [address, offset] = self.address(to)?;
                instruction.operands = [address, offset, self.slot(from)];
            }
            Operation::Return => {}
            _ => {
                let (to, operands) = names.split_first()?;
                if operands.len() != operation.operands() {
                    return None;
                }
                instruction.to = self.slot(to);
                for (slot, name) in instruction.operands.iter_mut().zip(operands) {
                    *slot = self.slot(name.trim_start_matches('[').trim_end_matches(']'));
                }
            }
        }
        Some(instruction)
    }

    /// The slots of the two parts of `[%rd1+8]`.
    fn address(&mut self, text: &str) -> Option<[usize; 2]> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let (register, offset) = inner.split_once('+').unwrap_or((inner, "0"));
        constant(offset)?;
        Some([self.slot(register), self.slot(offset)])
    }
}

/// The bits of a number as PTX writes it.
fn constant(text: &str) -> Option<u64> {
    if let Some(bits) = text.strip_prefix("0f") {
        return u32::from_str_radix(bits, 16).ok().map(u64::from);
    }
    if let Some(bits) = text.strip_prefix("0d") {
        return u64::from_str_radix(bits, 16).ok();
    }
    text.parse::<i64>().ok().map(|number| number as u64)
}

impl Operation {
    /// How many operands there are beside the result.
    fn operands(self) -> usize {
        match self {
            Operation::MultiplyAdd(_) | Operation::Select => 3,
            Operation::Move
            | Operation::SquareRoot(_)
            | Operation::Absolute(_)
            | Operation::Negate(_)
            | Operation::NotPredicate
            | Operation::Convert { .. } => 1,
            _ => 2,
        }
    }
}

/// The instruction of that name; floating-point arithmetic must say that it rounds to nearest.
fn operation(name: &str) -> Option<Operation> {
    use Operation as O;
    let parts: Vec<&str> = name.split('.').collect();
    let operation = match parts[..] {
        ["ret"] => O::Return,
        ["bra"] | ["bra", "uni"] => O::Branch,
        ["mov", _] | ["cvta", "to", "global", "u64"] | ["ld", "param", _] => O::Move,
        ["ld", "global", kind] => O::Load(kind_of(kind)?),
        ["st", "global", kind] => O::Store(kind_of(kind)?),
        ["add", kind] => O::Add(integer(kind)?),
        ["sub", kind] => O::Subtract(integer(kind)?),
        ["mul", "lo", kind] => O::Multiply(integer(kind)?),
        ["mul", "wide", kind] => O::MultiplyWide(integer(kind)?),
        ["mad", "lo", kind] => O::MultiplyAdd(integer(kind)?),
        ["add", "rn", kind] => O::Add(float(kind)?),
        ["sub", "rn", kind] => O::Subtract(float(kind)?),
        ["mul", "rn", kind] => O::Multiply(float(kind)?),
        ["div", "rn", kind] => O::Divide(float(kind)?),
        ["sqrt", "rn", kind] => O::SquareRoot(float(kind)?),
        ["abs", kind] => O::Absolute(float(kind)?),
        ["neg", kind] => O::Negate(float(kind)?),
        ["min", kind] => O::Smaller(float(kind)?),
        ["max", kind] => O::Larger(float(kind)?),
        ["and", "pred" | "b32" | "b64"] => O::And,
        ["or", "pred" | "b32" | "b64"] => O::Or,
        ["xor", "pred" | "b32" | "b64"] => O::ExclusiveOr,
        ["not", "pred"] => O::NotPredicate,
        ["shl", "b32"] => O::ShiftLeft(Type::U32),
        ["shl", "b64"] => O::ShiftLeft(Type::U64),
        ["shr", kind] => O::ShiftRight(integer(kind)?),
        ["selp", _] => O::Select,
        ["setp", order, kind] => O::Compare(order_of(order)?, kind_of(kind)?),
        ["cvt", to, from] => O::Convert { to: kind_of(to)?, from: kind_of(from)? },
        ["cvt", "rn" | "rzi", to, from] => O::Convert { to: kind_of(to)?, from: kind_of(from)? },
        _ => return None,
    };
    if let O::Convert { to, from } = operation
        && !CONVERSIONS.contains(&(to, from))
    {
        return None;
    }
    Some(operation)
}

/// Conversions that there are: widening, rounding to nearest, and towards zero to whole numbers.
const CONVERSIONS: [(Type, Type); 6] = [
    (Type::U64, Type::U32),
    (Type::S64, Type::S32),
    (Type::F64, Type::F32),
    (Type::F32, Type::F64),
    (Type::F32, Type::U32),
    (Type::U32, Type::F32),
];

fn kind_of(name: &str) -> Option<Type> {
    Some(match name {
        "f32" => Type::F32,
        "f64" => Type::F64,
        "u32" | "b32" => Type::U32,
        "s32" => Type::S32,
        "u64" | "b64" => Type::U64,
        "s64" => Type::S64,
        "u8" | "b8" => Type::U8,
        _ => return None,
    })
}

fn integer(name: &str) -> Option<Type> {
    kind_of(name).filter(|kind| matches!(kind, Type::U32 | Type::S32 | Type::U64 | Type::S64))
}

fn float(name: &str) -> Option<Type> {
    kind_of(name).filter(|kind| matches!(kind, Type::F32 | Type::F64))
}

fn order_of(name: &str) -> Option<Order> {
    Some(match name {
        "lt" => Order::Less,
        "le" => Order::LessEqual,
        "gt" => Order::Greater,
        "ge" => Order::GreaterEqual,
        "eq" => Order::Equal,
        "ne" => Order::NotEqual,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_a_cuda_10_2_driver_would_refuse_is_refused() {
        assert!(error(".version 7.8\n").contains("PTX 7.8 is newer"));
        assert!(error(".version 4.2\n.target sm_70\n").contains("line 2: the device is an sm_53"));
    }

    #[test]
    fn an_unknown_instruction_is_an_error() {
        let kernel = |line: &str| format!(".visible .entry f(\n)\n{{\n{line}\n}}\n");
        for line in ["fma.rn.f32 %f1, %f2, %f3, %f4;", "add.f32 %f1, %f2, %f3;", "bra $L;"] {
            assert!(error(&kernel(line)).starts_with("line "), "{line}");
        }
        assert_eq!(error(&kernel("add.rn.f32 %f1, %f2, 0f3F800000;")), "");
    }
}

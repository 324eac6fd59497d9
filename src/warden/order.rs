//! What a warden on another computer is told over its standard input: the program, its arguments and its environment,
//! byte for byte. So no shell ever reads them, and they stand in no arguments of the program that leads
//! there.
//!
//! An order is items of a kind, a length in bytes and the bytes: `argument 5\nhello\n`; the last one is `go 0\n\n`.
//! What comes after it is the warden's ordinary input.

use std::{ffi::OsString, fmt::Write, os::unix::ffi::OsStringExt, path::PathBuf, str};

/// Most bytes of an order.
pub const MAX_ORDER: usize = 64 * 1024;

/// What to start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// A path, or a name to be looked up in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What its environment has beyond the warden's, `NAME=VALUE` each.
    pub environment: Vec<OsString>,
    /// A folder of this run alone: made before, removed afterwards.
    pub folder: Option<PathBuf>,
}

/// The bytes are no order.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// There is more than a run needs.
    #[error("the order is longer than {MAX_ORDER} bytes")]
    TooLong,
    /// An item is not one.
    #[error("there is no order in it: {0}")]
    Malformed(&'static str),
}

impl Order {
    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut item = |kind: &str, value: &[u8]| {
            let mut head = String::new();
            // Writing into a string does not fail.
            let _ = writeln!(head, "{kind} {}", value.len());
            bytes.extend_from_slice(head.as_bytes());
            bytes.extend_from_slice(value);
            bytes.push(b'\n');
        };
        item("program", self.program.as_encoded_bytes());
        self.arguments.iter().for_each(|argument| item("argument", argument.as_encoded_bytes()));
        self.environment.iter().for_each(|entry| item("variable", entry.as_encoded_bytes()));
        if let Some(folder) = &self.folder {
            item("folder", folder.as_os_str().as_encoded_bytes());
        }
        item("go", &[]);
        bytes
    }

    /// The order at the start of `bytes` and how long it is; `None` while it is not complete.
    ///
    /// # Errors
    /// If it cannot become one.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, OrderError> {
        let mut order = Self::default();
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let Some(end) = rest.iter().take(32).position(|byte| *byte == b'\n') else {
                return match rest.len() {
                    0..32 => Ok(None),
                    _ => Err(OrderError::Malformed("an item does not begin with its kind")),
                };
            };
            let head = str::from_utf8(&rest[..end]).ok().and_then(|head| head.split_once(' '));
            let (kind, length) = head.ok_or(OrderError::Malformed("an item has no length"))?;
            let length: usize =
                length.parse().map_err(|_| OrderError::Malformed("a length is no number"))?;
            if MAX_ORDER < at + end + 2 || MAX_ORDER - at - end - 2 < length {
                return Err(OrderError::TooLong);
            }
            let value = &rest[end + 1..];
            if value.len() <= length {
                return Ok(None);
            }
            if value[length] != b'\n' {
                return Err(OrderError::Malformed("an item is longer than it says"));
            }
            let value = OsString::from_vec(value[..length].to_vec());
            at += end + 1 + length + 1;
            match kind {
                "program" => order.program = value,
                "argument" => order.arguments.push(value),
                "variable" => order.environment.push(value),
                "folder" => order.folder = Some(value.into()),
                "go" if order.program.is_empty() => {
                    return Err(OrderError::Malformed("it names no program"));
                }
                "go" => return Ok(Some((order, at))),
                _ => return Err(OrderError::Malformed("an item is of an unknown kind")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order {
            program: "mpirun".into(),
            arguments: vec!["a b".into(), "".into(), OsString::from_vec(b"\xff\n'$(x)".to_vec())],
            environment: vec!["NAME=va lue\nstop\n".into()],
            folder: Some("/tmp/hpc-kiosk-x".into()),
        }
    }

    #[test]
    fn what_is_written_is_read_whatever_is_in_it() {
        let mut bytes = order().encode();
        let length = bytes.len();
        bytes.extend_from_slice(b"stop\n");
        assert_eq!(Order::decode(&bytes), Ok(Some((order(), length))));
    }

    #[test]
    fn an_order_that_is_cut_short_is_waited_for() {
        let bytes = order().encode();
        for length in 0..bytes.len() {
            assert_eq!(Order::decode(&bytes[..length]), Ok(None), "{length}");
        }
    }

    #[test]
    fn what_is_no_order_is_refused_before_it_is_waited_for() {
        for (bytes, problem) in [
            (&b"program 99999999\n"[..], OrderError::TooLong),
            (b"program 18446744073709551616\n", OrderError::Malformed("a length is no number")),
            (b"program -1\n", OrderError::Malformed("a length is no number")),
            (b"program\n", OrderError::Malformed("an item has no length")),
            (b"program 1\nab\n", OrderError::Malformed("an item is longer than it says")),
            (b"shell 2\nrm\n", OrderError::Malformed("an item is of an unknown kind")),
            (b"go 0\n\n", OrderError::Malformed("it names no program")),
            (&[b'x'; 64], OrderError::Malformed("an item does not begin with its kind")),
        ] {
            assert_eq!(Order::decode(bytes), Err(problem), "{}", String::from_utf8_lossy(bytes));
        }
        let endless = b"variable 1\nx\n".repeat(MAX_ORDER);
        assert_eq!(Order::decode(&endless), Err(OrderError::TooLong));
    }
}

//! What a warden says when its run is over: one line, written there and read by the kiosk.

use std::{fmt, str::FromStr};

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It left with this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It did not end in the time given, not even when killed.
    Unknown,
}

/// The last word of a warden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The program could not be started; the system's reason.
    NotStarted(String),
    /// The program ran and is over.
    Ended {
        /// How it ended.
        exit: Exit,
        /// How many processes had to be killed.
        killed: usize,
        /// How many could not be; the run is verifiably over only if this is 0.
        left: usize,
    },
}

impl Report {
    /// The status that a shell would give for this end.
    pub fn status(&self) -> u8 {
        match self {
            Report::NotStarted(_) => 127,
            Report::Ended { exit: Exit::Code(code), .. } => *code as u8,
            Report::Ended { exit: Exit::Signal(signal), .. } => 128_u8.wrapping_add(*signal as u8),
            Report::Ended { exit: Exit::Unknown, .. } => 124,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "exit={code}"),
            Exit::Signal(signal) => write!(f, "signal={signal}"),
            Exit::Unknown => write!(f, "exit=unknown"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::NotStarted(why) => write!(f, "not-started {}", why.replace('\n', " ")),
            Report::Ended { exit, killed, left } => {
                write!(f, "ended {exit} killed={killed} left={left}")
            }
        }
    }
}

/// The line is not a warden's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a warden's report")]
pub struct ReportError(String);

impl FromStr for Report {
    type Err = ReportError;

    fn from_str(line: &str) -> Result<Self, ReportError> {
        parse(line).ok_or_else(|| ReportError(line.into()))
    }
}

fn parse(line: &str) -> Option<Report> {
    let (word, rest) = line.trim_end().split_once(' ')?;
    if word == "not-started" {
        return Some(Report::NotStarted(rest.into()));
    }
    let (exit, rest) = rest.split_once(' ').filter(|_| word == "ended")?;
    let (killed, left) = rest.split_once(' ')?;
    let exit = match exit.split_once('=')? {
        ("exit", "unknown") => Exit::Unknown,
        ("exit", code) => Exit::Code(code.parse().ok()?),
        ("signal", signal) => Exit::Signal(signal.parse().ok()?),
        _ => return None,
    };
    Some(Report::Ended {
        exit,
        killed: killed.strip_prefix("killed=")?.parse().ok()?,
        left: left.strip_prefix("left=")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_warden_writes_the_kiosk_reads() {
        let ended = |exit| Report::Ended { exit, killed: 3, left: 0 };
        for (report, line, status) in [
            (ended(Exit::Code(0)), "ended exit=0 killed=3 left=0", 0),
            (ended(Exit::Signal(9)), "ended signal=9 killed=3 left=0", 137),
            (ended(Exit::Unknown), "ended exit=unknown killed=3 left=0", 124),
            (Report::NotStarted("no such file".into()), "not-started no such file", 127),
        ] {
            assert_eq!(report.to_string(), line);
            assert_eq!(line.parse(), Ok(report.clone()));
            assert_eq!(report.status(), status);
        }
    }

    #[test]
    fn anything_else_is_no_report() {
        for line in [
            "",
            "ended",
            "ended exit=0",
            "ended exit=x killed=0 left=0",
            "ended exit=0 left=0 killed=0",
        ] {
            assert_eq!(line.parse::<Report>(), Err(ReportError(line.into())));
        }
    }
}

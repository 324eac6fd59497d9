//! What the machine has, which calls fail, and which stream is early: words such as
//! `memory=1000000 devices=2 fail=cuMemAlloc_v2:3:2 clock=13000 hurry=1 host=/tmp/libkernels.so`.

/// The plan, and how often each call was made.
pub struct Plan {
    pub devices: i32,
    pub memory_bytes: usize,
    /// What the driver says of the memory's clock, which is wrong on some Jetsons.
    pub memory_clock_khz: i32,
    /// The stream, counted from 1, whose work runs at once, while that of the others runs as late as may be. Of two streams
    /// that nothing orders, either may be first.
    pub hurry: Option<usize>,
    /// A library of the kernels compiled for this machine (kernels/host.h), which then runs instead of the PTX.
    pub host: Option<std::path::PathBuf>,
    failures: Vec<Failure>,
    /// The file for the report, if there is one.
    pub report: Option<std::path::PathBuf>,
}

/// The `nth` call of that name, counted from 1, is answered with `code`.
struct Failure {
    call: String,
    nth: u32,
    made: u32,
    code: u32,
}

impl Plan {
    /// From `STANDIN_PLAN`; the report goes to a file in the folder `STANDIN_REPORTS`.
    pub fn from_environment() -> Self {
        let mut plan = Self::read(&std::env::var("STANDIN_PLAN").unwrap_or_default());
        let file = format!("{}.txt", std::process::id());
        plan.report = std::env::var_os("STANDIN_REPORTS")
            .map(|folder| std::path::Path::new(&folder).join(file));
        plan
    }

    /// From words.
    pub fn read(words: &str) -> Self {
        let mut plan = Self {
            devices: 1,
            memory_bytes: 1 << 30,
            memory_clock_khz: 1_600_000,
            hurry: None,
            host: None,
            failures: Vec::new(),
            report: None,
        };
        for word in words.split_whitespace() {
            plan.add(word).unwrap_or_else(|| panic!("'{word}' is no word of a plan"));
        }
        plan
    }

    fn add(&mut self, word: &str) -> Option<()> {
        let (key, value) = word.split_once('=')?;
        match key {
            "devices" => self.devices = value.parse().ok()?,
            "memory" => self.memory_bytes = value.parse().ok()?,
            "clock" => self.memory_clock_khz = value.parse().ok()?,
            "hurry" => self.hurry = Some(value.parse().ok()?),
            "host" => self.host = Some(value.into()),
            "fail" => {
                let mut parts = value.split(':');
                let call = parts.next()?.to_owned();
                let (nth, code) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
                self.failures.push(Failure { call, nth, made: 0, code });
            }
            _ => return None,
        }
        Some(())
    }

    /// The code with which this call fails, if it does.
    pub fn failure(&mut self, call: &str) -> Option<u32> {
        let mut code = None;
        for failure in self.failures.iter_mut().filter(|failure| failure.call == call) {
            failure.made += 1;
            if failure.made == failure.nth {
                code = Some(failure.code);
            }
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_fails_and_no_other() {
        let mut plan = Plan::read("fail=cuMemAlloc_v2:2:2 memory=7");
        assert_eq!(plan.memory_bytes, 7);
        let answers = [1, 2, 3].map(|_| plan.failure("cuMemAlloc_v2"));
        assert_eq!(answers, [None, Some(2), None]);
        assert_eq!(plan.failure("cuInit"), None);
    }
}

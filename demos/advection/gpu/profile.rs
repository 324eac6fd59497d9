//! How long each kernel takes, by the GPU's own clock: a launch by itself is too short for it, so each is repeated.

use cuda::{Buffer, Error, Event, Gpu, Stream};

/// What a kernel took.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelTime {
    /// Its name in the PTX.
    pub kernel: String,
    /// How many cells a launch computed.
    pub cells: usize,
    /// Time of a launch, s.
    pub seconds: f64,
}

/// Times launches between two events.
pub struct Timer {
    begin: Event,
    end: Event,
    launches: u32,
    /// What was timed so far.
    pub times: Vec<KernelTime>,
}

impl Timer {
    /// One that repeats every launch that often.
    ///
    /// # Errors
    /// If the GPU offers no events.
    pub fn new(gpu: &Gpu, launches: u32) -> Result<Self, Error> {
        let (begin, end) = (Event::timed(gpu)?, Event::timed(gpu)?);
        Ok(Self { begin, end, launches: launches.max(1), times: Vec::new() })
    }

    /// Queues `launch` again and again, and waits; no kernel here reads what it writes, so that changes nothing.
    ///
    /// # Errors
    /// If the GPU fails, now or with what was queued before.
    pub fn time(
        &mut self,
        stream: &Stream,
        kernel: &str,
        cells: usize,
        launch: impl Fn() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.begin.record(stream)?;
        for _ in 0..self.launches {
            launch()?;
        }
        self.end.record(stream)?;
        stream.wait()?;
        let seconds = self.end.seconds_since(&self.begin)? / f64::from(self.launches);
        self.times.push(KernelTime { kernel: kernel.into(), cells, seconds });
        Ok(())
    }
}

/// What the GPU's memory gives: bytes read and written per second by copies of `bytes` within it, the best of `repeats`.
///
/// # Errors
/// If the GPU fails or has not twice as much memory.
pub fn copy_bytes_per_s(gpu: &Gpu, bytes: usize, repeats: u32) -> Result<f64, Error> {
    let numbers = (bytes / size_of::<f32>()).max(1);
    let mut buffer = Buffer::<f32>::zeroed(gpu, 2 * numbers)?;
    let stream = Stream::new(gpu)?;
    let (begin, end) = (Event::timed(gpu)?, Event::timed(gpu)?);
    let mut best = 0.0_f64;
    for _ in 0..repeats.max(1) {
        begin.record(&stream)?;
        buffer.repeat(0..numbers, numbers, &stream)?;
        end.record(&stream)?;
        stream.wait()?;
        let seconds = end.seconds_since(&begin)?.max(f64::MIN_POSITIVE);
        best = best.max((2 * numbers * size_of::<f32>()) as f64 / seconds);
    }
    Ok(best)
}

/// Bytes that a kernel reads and writes per cell, with numbers of `size` bytes: each of its fields once, nothing stirred.
pub fn bytes_per_cell(kernel: &str, size: usize) -> Option<usize> {
    let (name, _) = kernel.rsplit_once('_')?;
    let numbers = match name {
        // Read: the field and the flow on two faces. Written: the field.
        "donor" | "corrected" => 4,
        // Written: two velocities.
        "velocities" => 5,
        // Read: two fields, two velocities. Written: two shares.
        "limits" => 6,
        // Read: the field, two velocities, two shares. Written: the field.
        "carried" => 6,
        // Read: two velocities, two shares. Written: two velocities.
        "limited" => 6,
        // Read: the field. Written: a byte.
        "painted" => return Some(size + 1),
        _ => return None,
    };
    Some(numbers * size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::PTX;

    #[test]
    fn the_bytes_of_every_kernel_are_those_of_the_fields_that_it_is_given() {
        let entries = PTX.split(".entry ").skip(1);
        let mut kernels = 0;
        for entry in entries {
            let (name, rest) = entry.split_once('(').unwrap();
            let (list, _) = rest.split_once(')').unwrap();
            let mut fields = list.matches(".u64").count();
            // Those that move with the flow are given what is stirred, too: two fields more.
            if ["donor", "corrected", "velocities"].iter().any(|moved| name.starts_with(moved)) {
                fields -= 2;
            }
            let size = if name.ends_with("_f32") { 4 } else { 8 };
            let bytes = if name.starts_with("painted") { size + 1 } else { fields * size };
            assert_eq!(bytes_per_cell(name, size), Some(bytes), "{name}");
            kernels += 1;
        }
        assert_eq!(kernels, 14, "seven for either kind of numbers");
        assert_eq!(bytes_per_cell("other_f32", 4), None);
    }
}

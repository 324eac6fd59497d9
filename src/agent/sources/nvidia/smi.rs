//! What `nvidia-smi --format=csv` prints, as a pure function: columns are found by their heading, units by theirs.

use super::Gpu;

/// What is asked for.
pub const QUERY: &str = "index,name,utilization.gpu,temperature.gpu,power.draw,fan.speed,memory.used,memory.total,\
    clocks.sm";
/// Bytes of a MiB.
const MEBIBYTE: f64 = 1024.0 * 1024.0;
/// Most lines.
const MOST: usize = 64;

/// The processors it tells of. A value without a number, such as `[N/A]` or `[Not Supported]`, is absent.
pub fn gpus(said: &str) -> Vec<Gpu> {
    let mut lines = said.lines();
    let Some(heading) = lines.next() else { return Vec::new() };
    let headings: Vec<&str> = heading.split(',').map(column).collect();
    let whole = |line: &&str| line.split(',').count() == headings.len();
    let lines = lines.filter(whole).take(MOST).enumerate();
    lines.map(|(place, line)| gpu(&headings, line, place)).collect()
}

/// A heading without its unit, which the values repeat.
fn column(heading: &str) -> &str {
    heading.split('[').next().unwrap_or_default().trim()
}

fn gpu(headings: &[&str], line: &str, place: usize) -> Gpu {
    let mut gpu = Gpu { id: place.to_string(), ..Gpu::default() };
    for (heading, value) in headings.iter().zip(line.split(',').map(str::trim)) {
        match *heading {
            "index" if value.parse::<u32>().is_ok() => gpu.id = value.into(),
            "name" if !value.is_empty() && !value.starts_with('[') => gpu.name = Some(value.into()),
            "utilization.gpu" => gpu.load_percent = quantity(value, "%"),
            "temperature.gpu" => gpu.celsius = quantity(value, ""),
            "power.draw" => gpu.watts = quantity(value, "W"),
            "fan.speed" => gpu.fan_percent = quantity(value, "%"),
            "memory.used" => gpu.memory_used_bytes = quantity(value, "MiB").map(|m| m * MEBIBYTE),
            "memory.total" => gpu.memory_total_bytes = quantity(value, "MiB").map(|m| m * MEBIBYTE),
            "clocks.current.sm" | "clocks.sm" => {
                gpu.hertz = quantity(value, "MHz").map(|megahertz| megahertz * 1e6);
            }
            _ => {}
        }
    }
    gpu
}

/// A number with this unit behind it, not negative.
fn quantity(value: &str, unit: &str) -> Option<f64> {
    let number: f64 = value.strip_suffix(unit)?.trim_end().parse().ok()?;
    (number.is_finite() && 0.0 <= number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Printed for an issue of ksysguard-gpu (github.com/lestofante/ksysguard-gpu/issues/27, driver 520.56.06).
    const BUSY: &str = "index, temperature.gpu, utilization.gpu [%], utilization.memory [%], fan.speed [%], pstate, \
        power.draw [W], clocks.current.sm [MHz], clocks.current.memory [MHz], clocks.current.graphics [MHz]\n\
        0, 56, 26 %, 4 %, 34 %, P3, 83.92 W, 1320 MHz, 5001 MHz, 1320 MHz\n";

    // Printed for an issue of System Monitoring Center
    // (github.com/hakandundar34coding/system-monitoring-center/issues/57, GeForce RTX 2060, driver 460.91.03).
    const MEMORY: &str = "name, pci.bus_id, driver_version, utilization.gpu [%], utilization.memory [%], \
        memory.total [MiB], memory.free [MiB], memory.used [MiB], temperature.gpu, clocks.current.graphics [MHz], \
        clocks.max.graphics [MHz]\n\
        GeForce RTX 2060, 00000000:09:00.0, 460.91.03, 20 %, 8 %, 5934 MiB, 5252 MiB, 682 MiB, 36, 300 MHz, 2160 MHz\n";

    #[test]
    fn columns_are_found_by_their_heading() {
        let busy = Gpu {
            id: "0".into(),
            load_percent: Some(26.0),
            celsius: Some(56.0),
            watts: Some(83.92),
            fan_percent: Some(34.0),
            hertz: Some(1.32e9),
            ..Gpu::default()
        };
        assert_eq!(gpus(BUSY), [busy]);
        let memory = Gpu {
            id: "0".into(),
            name: Some("GeForce RTX 2060".into()),
            load_percent: Some(20.0),
            celsius: Some(36.0),
            memory_used_bytes: Some(715_128_832.0),
            memory_total_bytes: Some(6_222_249_984.0),
            ..Gpu::default()
        };
        assert_eq!(gpus(MEMORY), [memory]);
    }

    #[test]
    fn what_is_not_supported_is_absent() {
        let heading = "index, name, power.draw [W], fan.speed [%], utilization.gpu [%]\n";
        for word in
            ["[N/A]", "[Not Supported]", "N/A", "", "-1 W", "nan W", "83.92", "[Unknown Error]"]
        {
            let all = gpus(&format!("{heading}0, GeForce MX150, {word}, [N/A], [N/A]\n"));
            let expected =
                Gpu { id: "0".into(), name: Some("GeForce MX150".into()), ..Gpu::default() };
            assert_eq!(all, [expected], "{word}");
        }
    }

    #[test]
    fn a_failure_is_no_processor() {
        for said in [
            "",
            "No devices were found\n",
            "NVIDIA-SMI has failed because it couldn't communicate\n",
        ] {
            assert_eq!(gpus(said), [], "{said}");
        }
        assert_eq!(gpus(&BUSY[..BUSY.len() - 20]), [], "a line that is cut");
    }
}

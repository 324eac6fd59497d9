//! The samples of an answer that the kiosk knows, every one within its range and none of them twice.

use std::{
    borrow::Cow,
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::LazyLock,
};

use wire::metrics::{
    self, Labels, MetricsError, Sample,
    family::{self, Family},
};

use crate::telemetry::range::{self, Range};

/// Most values of a family that are looked at, but for those of the processors: enough for every real node, and little
/// enough to be compared with one another.
const MAX_VALUES: usize = 512;
/// Most bytes of a series' labels; those of a kernel's version or a mount point are shorter.
const MAX_LABELS: usize = 1024;
/// Most characters of a series in a message.
const MAX_SERIES: usize = 120;

/// Why an answer is refused as a whole; the text follows "its answer is refused: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is not in a format of metrics.
    #[error("{0}")]
    Metrics(#[from] MetricsError),
    /// One series has two values: neither can be believed.
    #[error("the series {0} stands there twice")]
    Duplicate(String),
    /// Metrics, but none of a node.
    #[error(
        "there is no metric of a node in it; write the address of an agent or a node_exporter into [[node]]"
    )]
    Nothing,
}

macro_rules! known {
    ($( $known:ident $family:expr, $range:ident; )*) => {
        /// The families that the kiosk reads.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Known { $( #[doc = stringify!($family)] $known ),* }

        /// Each with its family and what its values may be, in the order of the enumeration.
        const KNOWN: &[(Known, &Family, Range)] = &[$( (Known::$known, &$family, range::$range) ),*];
    };
}

known! {
    CpuSeconds family::CPU_SECONDS, COUNTER;
    CpuFrequency family::CPU_FREQUENCY, HERTZ;
    CpuFrequencyMax family::CPU_FREQUENCY_MAX, HERTZ;
    Load1 family::LOAD1, RUN_QUEUE;
    Load5 family::LOAD5, RUN_QUEUE;
    Load15 family::LOAD15, RUN_QUEUE;
    MemoryTotal family::MEMORY_TOTAL, BYTES;
    MemoryAvailable family::MEMORY_AVAILABLE, BYTES;
    SwapTotal family::SWAP_TOTAL, BYTES;
    SwapFree family::SWAP_FREE, BYTES;
    NetworkReceived family::NETWORK_RECEIVED, COUNTER;
    NetworkSent family::NETWORK_SENT, COUNTER;
    NetworkSpeed family::NETWORK_SPEED, LINK_BYTES_PER_S;
    NetworkUp family::NETWORK_UP, FLAG;
    FilesystemSize family::FILESYSTEM_SIZE, BYTES;
    FilesystemAvailable family::FILESYSTEM_AVAILABLE, BYTES;
    ThermalZone family::THERMAL_ZONE, CELSIUS;
    CoolingState family::COOLING_STATE, COOLING_STATE;
    CoolingStateMax family::COOLING_STATE_MAX, COOLING_STATE;
    HwmonChip family::HWMON_CHIP, FLAG;
    HwmonLabel family::HWMON_LABEL, FLAG;
    HwmonCelsius family::HWMON_CELSIUS, CELSIUS;
    HwmonFanRpm family::HWMON_FAN_RPM, RPM;
    HwmonPwm family::HWMON_PWM, PWM;
    HwmonVolts family::HWMON_VOLTS, VOLTS;
    HwmonAmperes family::HWMON_AMPERES, AMPERES;
    HwmonWatts family::HWMON_WATTS, WATTS;
    HwmonWattsAverage family::HWMON_WATTS_AVERAGE, WATTS;
    HwmonLowCriticalAlarm family::HWMON_LOW_CRITICAL_ALARM, FLAG;
    RaplPackageJoules family::RAPL_PACKAGE_JOULES, COUNTER;
    RaplDramJoules family::RAPL_DRAM_JOULES, COUNTER;
    Uname family::UNAME, FLAG;
    BootTime family::BOOT_TIME, UNIX_TIME;
    Board family::BOARD, FLAG;
    PowerMode family::POWER_MODE, FLAG;
    Gpu family::GPU, FLAG;
    GpuLoad family::GPU_LOAD, SHARE;
    GpuFrequency family::GPU_FREQUENCY, HERTZ;
    GpuMemoryUsed family::GPU_MEMORY_USED, BYTES;
    GpuMemoryTotal family::GPU_MEMORY_TOTAL, BYTES;
    GpuCelsius family::GPU_CELSIUS, CELSIUS;
    GpuWatts family::GPU_WATTS, WATTS;
    GpuFan family::GPU_FAN, SHARE;
    Fan family::FAN, SHARE;
    RailVolts family::RAIL_VOLTS, VOLTS;
    RailAmperes family::RAIL_AMPERES, AMPERES;
    RailWatts family::RAIL_WATTS, WATTS;
    NodeWatts family::NODE_WATTS, WATTS;
    SupplyVolts family::SUPPLY_VOLTS, VOLTS;
    Flag family::FLAG, FLAG;
    SourceUp family::SOURCE_UP, FLAG;
    AgentCpuSeconds family::AGENT_CPU_SECONDS, COUNTER;
    AgentMemory family::AGENT_MEMORY, BYTES;
    AgentBuild family::AGENT_BUILD, FLAG;
}

impl Known {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Known> {
        KNOWN.iter().map(|(known, _, _)| *known)
    }

    /// Its name, kind and explanation.
    pub fn family(self) -> &'static Family {
        KNOWN[self as usize].1
    }

    fn range(self) -> Range {
        KNOWN[self as usize].2
    }

    /// Whether it tells of the node, rather than of the program that tells.
    fn is_of_the_node(self) -> bool {
        !matches!(
            self,
            Known::SourceUp | Known::AgentCpuSeconds | Known::AgentMemory | Known::AgentBuild
        )
    }
}

static BY_NAME: LazyLock<HashMap<&str, Known>> =
    LazyLock::new(|| KNOWN.iter().map(|(known, family, _)| (family.name, *known)).collect());

/// Told by nobody outside, so that nobody can make two series look like one.
static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// One value of a known family.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// Its family.
    pub known: Known,
    /// What tells it from the others of its family.
    pub labels: Labels<'a>,
    /// Within the range of its family.
    pub value: f64,
}

impl<'a> Value<'a> {
    /// The text of a label.
    pub fn label(&self, name: &str) -> Option<Cow<'a, str>> {
        self.labels.get(name)
    }
}

/// What an answer says.
#[derive(Debug)]
pub struct Said<'a> {
    /// By family.
    values: Vec<Value<'a>>,
    /// How many values are left out because nothing real can have them.
    pub refused: u64,
}

impl<'a> Said<'a> {
    /// Reads a text of either format; what the kiosk does not know is skipped.
    ///
    /// # Errors
    /// If it is no text of metrics, has a series twice, or tells nothing of a node.
    pub fn read(text: &'a str) -> Result<Self, AnswerError> {
        let mut said = Self { values: Vec::with_capacity(128), refused: 0 };
        let mut series = Vec::with_capacity(128);
        // The samples of a family stand together, so its name is looked up once.
        let mut before: (&str, Option<Known>) = ("", None);
        for sample in metrics::samples(text) {
            let Sample { name, labels, value } = sample?;
            if name != before.0 {
                before = (name, BY_NAME.get(name).copied());
            }
            let Some(known) = before.1 else { continue };
            series.push(fingerprint(known, labels));
            if known.range().holds(value) && labels.as_written().len() <= MAX_LABELS {
                said.values.push(Value { known, labels, value });
            } else {
                said.refused += 1;
            }
        }
        series.sort_unstable();
        if series.is_sorted_by(|one, next| one < next) {
            said.values.sort_by_key(|value| value.known);
        } else {
            return Err(AnswerError::Duplicate(duplicate(text)));
        }
        let tells =
            said.refused != 0 || said.values.iter().any(|value| value.known.is_of_the_node());
        if tells { Ok(said) } else { Err(AnswerError::Nothing) }
    }

    /// The values of a family, in the order of the answer; as many as are looked at.
    pub fn of(&self, known: Known) -> &[Value<'a>] {
        let values = self.all_of(known);
        let is_processors =
            matches!(known, Known::CpuSeconds | Known::CpuFrequency | Known::CpuFrequencyMax);
        if is_processors { values } else { &values[..values.len().min(MAX_VALUES)] }
    }

    /// All the values of a family.
    pub fn all_of(&self, known: Known) -> &[Value<'a>] {
        let start = self.values.partition_point(|value| value.known < known);
        let count = self.values[start..].partition_point(|value| value.known == known);
        &self.values[start..start + count]
    }

    /// The value of a family that has one series.
    pub fn one(&self, known: Known) -> Option<f64> {
        self.of(known).first().map(|value| value.value)
    }

    /// Every value that is within its range, by family.
    pub fn values(&self) -> &[Value<'a>] {
        &self.values
    }
}

/// The same for the same series, whatever the order of its labels.
fn fingerprint(known: Known, labels: Labels<'_>) -> u64 {
    labels
        .iter()
        .map(|label| SECRET.hash_one(label))
        .fold(SECRET.hash_one(known as usize), u64::wrapping_add)
}

/// The first series that the text has twice, for a message.
fn duplicate(text: &str) -> String {
    let mut seen = std::collections::HashSet::new();
    let twice = metrics::samples(text).map_while(Result::ok).find(|sample| {
        let known = BY_NAME.get(sample.name);
        known.is_some_and(|known| !seen.insert(fingerprint(*known, sample.labels)))
    });
    let series = twice.map_or_else(String::new, |sample| match sample.labels.as_written() {
        "" => sample.name.to_owned(),
        labels => format!("{}{{{labels}}}", sample.name),
    });
    series.chars().filter(|character| !character.is_control()).take(MAX_SERIES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_of_ours_is_known() {
        for family in family::ALL {
            assert!(BY_NAME.contains_key(family.name), "{}", family.name);
        }
        assert!(KNOWN.iter().enumerate().all(|(place, (known, _, _))| *known as usize == place));
    }

    #[test]
    fn absurd_values_are_left_out_and_counted() {
        let said = Said::read(
            "node_load1 NaN\nnode_load5 1e30\nnode_load15 0.5\n\
             node_thermal_zone_temp{type=\"a\",zone=\"0\"} -256\nhpc_gpu_load_ratio{gpu=\"0\"} +Inf\n\
             unknown_thing NaN\n",
        )
        .unwrap();
        assert_eq!((said.refused, said.values().len()), (4, 1));
        assert_eq!(said.one(Known::Load15), Some(0.5));
        assert_eq!(said.one(Known::Load1), None);
    }

    #[test]
    fn a_series_that_stands_there_twice_refuses_the_answer_by_its_name() {
        let twice = "node_load1 1\nnode_network_up{a=\"1\",device=\"eth0\"} 1\n\
                     node_network_up{device=\"eth0\",a=\"1\"} 0\n";
        assert_eq!(
            Said::read(twice).unwrap_err().to_string(),
            "the series node_network_up{device=\"eth0\",a=\"1\"} stands there twice"
        );
        let even_if_absurd = "node_load1 NaN\nnode_load1 1\n";
        assert!(matches!(Said::read(even_if_absurd), Err(AnswerError::Duplicate(_))));
        // Families that the kiosk does not use are not its business.
        assert!(Said::read("node_load1 1\nother 1\nother 1\n").is_ok());
    }

    #[test]
    fn an_answer_without_metrics_of_a_node_is_refused() {
        for text in ["", "# nothing\n", "other 1\n", "process_cpu_seconds_total 1\n"] {
            assert_eq!(Said::read(text).unwrap_err(), AnswerError::Nothing, "{text}");
        }
        let message = Said::read("<html>\n").unwrap_err().to_string();
        assert_eq!(message, "line 1 is no metric: it does not start with a name");
    }
}

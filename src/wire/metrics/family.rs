//! The metric families by their names: node_exporter's where it has one for the thing, ours begin `hpc_`.
//!
//! One constant for each thing; the agent writes them, the kiosk reads and offers them. Base units throughout.
//! Label `origin` of ours: `measured`, `estimated`, `inferred` or `simulated`.

/// What the values of a family do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They go up and down.
    Gauge,
    /// They only rise, until the process or the machine starts anew.
    Counter,
}

/// A set of series that differ in their labels only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The name in both formats; a counter's ends in `_total`.
    pub name: &'static str,
    /// What its values do.
    pub kind: Kind,
    /// One line for people.
    pub help: &'static str,
}

impl Family {
    /// A family whose values go up and down.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, help }
    }

    /// A family whose values only rise; its name ends in `_total`.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, help }
    }
}

macro_rules! families {
    ($( $kind:ident $constant:ident $name:literal $labels:literal $help:literal; )*) => {
        $(
            #[doc = concat!($help, " Labels: ", $labels, ".")]
            pub const $constant: Family = Family::$kind($name, $help);
        )*
        /// Every family that our programs write.
        pub const ALL: &[Family] = &[$($constant),*];
    };
}

families! {
    // As node_exporter 1.5 names them.
    counter CPU_SECONDS "node_cpu_seconds_total" "cpu, mode" "Seconds the CPUs spent in each mode.";
    gauge CPU_FREQUENCY "node_cpu_scaling_frequency_hertz" "cpu" "Current scaled CPU thread frequency in hertz.";
    gauge CPU_FREQUENCY_MAX "node_cpu_scaling_frequency_max_hertz" "cpu" "Maximum scaled CPU thread frequency in hertz.";
    gauge LOAD1 "node_load1" "none" "1m load average.";
    gauge LOAD5 "node_load5" "none" "5m load average.";
    gauge LOAD15 "node_load15" "none" "15m load average.";
    gauge MEMORY_TOTAL "node_memory_MemTotal_bytes" "none" "Memory information field MemTotal_bytes.";
    gauge MEMORY_AVAILABLE "node_memory_MemAvailable_bytes" "none" "Memory information field MemAvailable_bytes.";
    gauge SWAP_TOTAL "node_memory_SwapTotal_bytes" "none" "Memory information field SwapTotal_bytes.";
    gauge SWAP_FREE "node_memory_SwapFree_bytes" "none" "Memory information field SwapFree_bytes.";
    counter NETWORK_RECEIVED "node_network_receive_bytes_total" "device" "Network device statistic receive_bytes.";
    counter NETWORK_SENT "node_network_transmit_bytes_total" "device" "Network device statistic transmit_bytes.";
    gauge NETWORK_SPEED "node_network_speed_bytes" "device" "Link speed in bytes per second.";
    gauge NETWORK_UP "node_network_up" "device" "1 if operstate is 'up', 0 otherwise.";
    gauge FILESYSTEM_SIZE "node_filesystem_size_bytes" "device, fstype, mountpoint" "Filesystem size in bytes.";
    gauge FILESYSTEM_AVAILABLE "node_filesystem_avail_bytes" "device, fstype, mountpoint" "Filesystem space available to non-root users in bytes.";
    gauge THERMAL_ZONE "node_thermal_zone_temp" "type, zone" "Zone temperature in degrees Celsius.";
    gauge COOLING_STATE "node_cooling_device_cur_state" "name, type" "Current throttle state of the cooling device.";
    gauge COOLING_STATE_MAX "node_cooling_device_max_state" "name, type" "Maximum throttle state of the cooling device.";
    gauge HWMON_CHIP "node_hwmon_chip_names" "chip, chip_name" "Annotation of a hardware monitor: its human-readable name; always 1.";
    gauge HWMON_LABEL "node_hwmon_sensor_label" "chip, label, sensor" "Annotation of a sensor: its human-readable label; always 1.";
    gauge HWMON_CELSIUS "node_hwmon_temp_celsius" "chip, sensor" "Hardware monitor for temperature (input).";
    gauge HWMON_FAN_RPM "node_hwmon_fan_rpm" "chip, sensor" "Hardware monitor for fan revolutions per minute (input).";
    gauge HWMON_PWM "node_hwmon_pwm" "chip, sensor" "Hardware monitor element pwm, 0 to 255.";
    gauge HWMON_VOLTS "node_hwmon_in_volts" "chip, sensor" "Hardware monitor for voltage (input).";
    gauge HWMON_AMPERES "node_hwmon_curr_amps" "chip, sensor" "Hardware monitor for current (input).";
    gauge HWMON_WATTS "node_hwmon_power_watt" "chip, sensor" "Hardware monitor for power usage in watts (input).";
    gauge HWMON_WATTS_AVERAGE "node_hwmon_power_average_watt" "chip, sensor" "Hardware monitor for power usage in watts (average).";
    gauge HWMON_LOW_CRITICAL_ALARM "node_hwmon_in_lcrit_alarm_volts" "chip, sensor" "Hardware monitor: above 0 if a voltage is below its low critical limit; node_exporter writes the 1 of the file as 0.001.";
    counter RAPL_PACKAGE_JOULES "node_rapl_package_joules_total" "index, path" "Current RAPL package value in joules.";
    counter RAPL_DRAM_JOULES "node_rapl_dram_joules_total" "index, path" "Current RAPL dram value in joules.";
    gauge UNAME "node_uname_info" "domainname, machine, nodename, release, sysname, version" "System information as uname(2) gives it; always 1.";
    gauge BOOT_TIME "node_boot_time_seconds" "none" "Node boot time, in unixtime.";
    // Ours.
    gauge BOARD "hpc_board_info" "model, release" "The board and the release of its maker's software; always 1.";
    gauge POWER_MODE "hpc_power_mode_info" "mode" "The power mode the board is set to; always 1.";
    gauge GPU "hpc_gpu_info" "gpu, name" "A graphics processor; always 1.";
    gauge GPU_LOAD "hpc_gpu_load_ratio" "gpu" "Share of time the graphics processor was busy, averaged since about the previous scrape.";
    gauge GPU_FREQUENCY "hpc_gpu_frequency_hertz" "gpu" "Current clock of the graphics processor.";
    gauge GPU_MEMORY_USED "hpc_gpu_memory_used_bytes" "gpu" "Memory of the graphics processor in use; absent where it shares the main memory.";
    gauge GPU_MEMORY_TOTAL "hpc_gpu_memory_size_bytes" "gpu" "Memory of the graphics processor; absent where it shares the main memory.";
    gauge GPU_CELSIUS "hpc_gpu_temperature_celsius" "gpu" "Temperature of a graphics processor that reports its own.";
    gauge GPU_WATTS "hpc_gpu_power_watts" "gpu, origin" "Power of a graphics processor that reports its own.";
    gauge GPU_FAN "hpc_gpu_fan_ratio" "gpu" "Fan of a graphics processor, as a share of its full speed.";
    gauge FAN "hpc_fan_ratio" "fan" "What a fan is told to do, as a share of full speed: the truth where its revolutions are not reported or not trustworthy.";
    gauge RAIL_VOLTS "hpc_rail_volts" "origin, rail" "Voltage of a supply rail.";
    gauge RAIL_AMPERES "hpc_rail_amperes" "origin, rail" "Current of a supply rail.";
    gauge RAIL_WATTS "hpc_rail_watts" "origin, rail" "Power of a supply rail.";
    gauge NODE_WATTS "hpc_node_power_watts" "origin, scope, source" "Power of the node. Scope 'board': the whole board without USB devices; 'processors': CPU and GPU packages only.";
    gauge SUPPLY_VOLTS "hpc_supply_volts" "origin" "Voltage at the board's supply input.";
    gauge FLAG "hpc_throttled" "reason, since" "Whether the board holds itself back, 0 or 1. Reason: under-voltage, frequency-capped, throttled, soft-temperature-limit, over-current. Since: now, boot.";
    gauge SOURCE_UP "hpc_agent_source_up" "source" "1 if the agent could read this source at this scrape, 0 if reading it failed or takes too long.";
    counter AGENT_CPU_SECONDS "process_cpu_seconds_total" "none" "Total user and system CPU time spent in seconds.";
    gauge AGENT_MEMORY "process_resident_memory_bytes" "none" "Resident memory size in bytes.";
    gauge AGENT_BUILD "hpc_agent_build_info" "version" "The agent's version; always 1.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_counters_end_in_total() {
        for (index, family) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != family.name), "{}", family.name);
            assert_eq!(
                family.kind == Kind::Counter,
                family.name.ends_with("_total"),
                "{}",
                family.name
            );
        }
    }
}

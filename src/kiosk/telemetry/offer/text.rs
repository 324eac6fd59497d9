//! What all nodes said, as one text: every series with its node's name, and how fresh the node is; pure.

use std::{fmt::Write, sync::Arc, time::Instant};

use wire::metrics::{Format, Writer, family::Family};

use crate::telemetry::{
    Freshness, Node,
    mapping::{Known, Said, Value},
};

/// The label that tells the nodes apart.
const NODE: &str = "node";

const UP: Family =
    Family::gauge("hpc_node_up", "1 if what the kiosk knows of the node is current, 0 otherwise.");
const AGE: Family = Family::gauge(
    "hpc_node_reading_age_seconds",
    "Time since the newest usable answer of the node, by the kiosk's monotonic clock; absent before the first.",
);
const REFUSED: Family = Family::counter(
    "hpc_node_refused_values_total",
    "Values of the node that were refused because nothing real can have them.",
);

/// What the offer has beside the families of the nodes.
pub const FAMILIES: [&Family; 3] = [&UP, &AGE, &REFUSED];

/// What a node said, in the words of the formats: every known series that has a value within its range.
#[derive(Debug)]
pub struct Told(Box<str>);

impl Told {
    /// Keeps what may be told on.
    pub fn of(said: &Said<'_>) -> Self {
        let mut text = String::new();
        for value in said.values().iter().filter(|value| may_be_told(value)) {
            let (name, labels) = (value.known.family().name, value.labels.as_written());
            // Writing into a string does not fail.
            let _ = writeln!(text, "{name}{{{labels}}} {}", value.value);
        }
        Self(text.into())
    }
}

/// One bad series would make a Prometheus drop the text as a whole: labels that stand there twice, that are its own, or
/// that are ours.
fn may_be_told(value: &Value<'_>) -> bool {
    let mut names: Vec<&str> = value.labels.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.iter().all(|name| *name != NODE && !name.starts_with("__"))
        && names.is_sorted_by(|one, next| one < next)
}

/// Everything that is known of `nodes` at `now`; of a node whose reading is stale there is only that it is.
pub fn metrics(nodes: &[(Arc<Node>, Option<Arc<Told>>)], format: Format, now: Instant) -> String {
    let mut text = String::new();
    let mut writer = Writer::new(format, &mut text);

    writer.family(&UP);
    for (node, _) in nodes {
        let is_up = node.freshness(now) == Freshness::Fresh;
        writer.sample(&[(NODE, &node.name)], f64::from(u8::from(is_up)));
    }
    writer.family(&AGE);
    for (node, _) in nodes {
        if let Some(reading) = &node.reading {
            let age = now.saturating_duration_since(reading.at).as_secs_f64();
            writer.sample(&[(NODE, &node.name)], age);
        }
    }
    writer.family(&REFUSED);
    for (node, _) in nodes {
        writer.sample(&[(NODE, &node.name)], node.refused as f64);
    }

    let fresh = nodes.iter().filter(|(node, _)| node.freshness(now) == Freshness::Fresh);
    // What was kept was read before, so it can be read again.
    let said: Vec<(&str, Said<'_>)> = fresh
        .filter_map(|(node, told)| Some((&node.name[..], Said::read(&told.as_deref()?.0).ok()?)))
        .collect();
    for known in Known::all() {
        let mut begun = false;
        for (name, said) in &said {
            for value in said.all_of(known) {
                if !begun {
                    writer.family(known.family());
                    begun = true;
                }
                let labels: Vec<_> = value.labels.iter().collect();
                let named = std::iter::once((NODE, *name));
                let others = labels.iter().map(|(label, text)| (*label, &text[..]));
                writer.sample(&named.chain(others).collect::<Vec<_>>(), value.value);
            }
        }
    }
    writer.finish();
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::reading::Reading;

    fn node(name: &str, answered: Option<Instant>, refused: u64) -> Arc<Node> {
        Arc::new(Node {
            name: name.into(),
            colour: 0,
            since: answered.unwrap_or_else(Instant::now),
            reading: answered.map(|at| Arc::new(Reading::empty(at))),
            trouble: None,
            refused,
        })
    }

    fn told(text: &str) -> Option<Arc<Told>> {
        Some(Arc::new(Told::of(&Said::read(text).unwrap())))
    }

    #[test]
    fn every_series_has_its_nodes_name_and_families_stand_together() {
        let now = Instant::now();
        let one = told("node_load1 0.5\nnode_network_up{ device=\"a\\\\b\", } 1\n");
        let two = told("node_load1 1.5\nother 7\nnode_load5 NaN\n");
        let nodes = [(node("a", Some(now), 0), one), (node("b\"", Some(now), 1), two)];
        let text = metrics(&nodes, Format::OpenMetrics, now);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("# HELP")).collect();
        assert_eq!(
            lines,
            [
                "# TYPE hpc_node_up gauge",
                "hpc_node_up{node=\"a\"} 1",
                "hpc_node_up{node=\"b\\\"\"} 1",
                "# TYPE hpc_node_reading_age_seconds gauge",
                "hpc_node_reading_age_seconds{node=\"a\"} 0",
                "hpc_node_reading_age_seconds{node=\"b\\\"\"} 0",
                "# TYPE hpc_node_refused_values counter",
                "hpc_node_refused_values_total{node=\"a\"} 0",
                "hpc_node_refused_values_total{node=\"b\\\"\"} 1",
                "# TYPE node_load1 gauge",
                "node_load1{node=\"a\"} 0.5",
                "node_load1{node=\"b\\\"\"} 1.5",
                "# TYPE node_network_up gauge",
                "node_network_up{node=\"a\",device=\"a\\\\b\"} 1",
                "# EOF",
            ]
        );
    }

    #[test]
    fn what_is_stale_is_absent() {
        let then = Instant::now();
        let nodes = [
            (node("old", Some(then), 0), told("node_load1 0.5\n")),
            (node("silent", None, 0), None),
        ];
        let text = metrics(&nodes, Format::Prometheus, then + Duration::from_secs(4));
        assert!(!text.contains("node_load1"), "{text}");
        assert!(text.contains("hpc_node_up{node=\"old\"} 0\n"), "{text}");
        assert!(text.contains("hpc_node_reading_age_seconds{node=\"old\"} 4\n"), "{text}");
        assert!(!text.contains("hpc_node_reading_age_seconds{node=\"silent\"}"), "{text}");
        let fresh = metrics(&nodes, Format::Prometheus, then);
        assert!(fresh.contains("node_load1{node=\"old\"} 0.5\n"), "{fresh}");
    }

    #[test]
    fn a_series_that_a_prometheus_would_choke_on_is_not_told_on() {
        let told = told(
            "node_load1 1\nnode_network_up{device=\"a\",device=\"b\"} 1\n\
             node_network_up{device=\"c\",node=\"x\"} 1\nnode_network_up{__name__=\"d\"} 1\n",
        );
        assert_eq!(&*told.unwrap().0, "node_load1{} 1\n");
    }
}

//! What was read at one moment, as samples of the families; knows neither format nor source.

use std::borrow::Cow;

use wire::metrics::{Format, Writer, family::Family};

/// A label's name and value.
pub type Label = (&'static str, Cow<'static, str>);

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What it is a value of.
    pub family: &'static Family,
    /// What tells it from the others of its family.
    pub labels: Vec<Label>,
    /// Always finite.
    pub value: f64,
}

impl Sample {
    /// The value of a label; empty if it has none of that name.
    pub fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| *label == name).map_or("", |(_, value)| value)
    }
}

/// Samples in the order they were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Adds one value; what is not finite was not read.
    pub fn add(&mut self, family: &'static Family, labels: impl Into<Vec<Label>>, value: f64) {
        if value.is_finite() {
            self.0.push(Sample { family, labels: labels.into(), value });
        }
    }

    /// Adds one value if there is one.
    pub fn add_some(
        &mut self,
        family: &'static Family,
        labels: impl Into<Vec<Label>>,
        value: Option<f64>,
    ) {
        if let Some(value) = value {
            self.add(family, labels, value);
        }
    }

    /// Adds all of `other`, which is empty then.
    pub fn append(&mut self, other: &mut Samples) {
        self.0.append(&mut other.0);
    }

    /// The samples of one family.
    pub fn of(&self, family: &'static Family) -> impl Iterator<Item = &Sample> {
        self.0.iter().filter(move |sample| sample.family.name == family.name)
    }

    /// Removes the samples of one family and gives them.
    pub fn take(&mut self, family: &'static Family) -> Vec<Sample> {
        self.0.extract_if(.., |sample| sample.family.name == family.name).collect()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the samples of a family together and drops a series that is there twice: neither format allows it.
    pub fn settle(&mut self) {
        self.0.sort_by(|a, b| (a.family.name, &a.labels).cmp(&(b.family.name, &b.labels)));
        self.0.dedup_by(|a, b| a.family.name == b.family.name && a.labels == b.labels);
    }

    /// Appends them to `out`; they have been settled.
    pub fn write(&self, format: Format, out: &mut String) {
        let mut writer = Writer::new(format, out);
        let mut begun = "";
        for sample in &self.0 {
            if begun != sample.family.name {
                writer.family(sample.family);
                begun = sample.family.name;
            }
            // The most labels a family has are the six of node_uname_info.
            let mut labels = [("", ""); 6];
            let count = sample.labels.len().min(labels.len());
            for (slot, (name, value)) in labels.iter_mut().zip(&sample.labels) {
                *slot = (name, value);
            }
            writer.sample(&labels[..count], sample.value);
        }
        writer.finish();
    }
}

#[cfg(test)]
mod tests {
    use wire::metrics::family;

    use super::*;

    #[test]
    fn a_family_stands_together_and_a_series_once() {
        let mut samples = Samples::default();
        samples.add(&family::LOAD1, [], 1.0);
        samples.add(&family::CPU_FREQUENCY, [("cpu", "1".into())], 3.0);
        samples.add(&family::LOAD1, [], 2.0);
        samples.add(&family::CPU_FREQUENCY, [("cpu", "0".into())], f64::NAN);
        samples.add(&family::CPU_FREQUENCY, [("cpu", "0".into())], 4.0);
        samples.settle();
        let mut text = String::new();
        samples.write(Format::Prometheus, &mut text);
        let values: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            values,
            [
                "node_cpu_scaling_frequency_hertz{cpu=\"0\"} 4",
                "node_cpu_scaling_frequency_hertz{cpu=\"1\"} 3",
                "node_load1 1"
            ]
        );
        assert_eq!(text.matches("# TYPE node_load1 ").count(), 1);
    }
}

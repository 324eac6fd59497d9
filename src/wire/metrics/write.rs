//! Writes metrics into a text, in either format.

use std::fmt::Write;

use super::{
    Format,
    family::{Family, Kind},
};

/// Writes families one after the other; every sample belongs to the family begun last.
pub struct Writer<'a> {
    format: Format,
    out: &'a mut String,
    family: Option<&'a Family>,
}

impl<'a> Writer<'a> {
    /// Appends to `out`.
    pub fn new(format: Format, out: &'a mut String) -> Self {
        Self { format, out, family: None }
    }

    /// Begins a family: a family is begun once, and its samples stand together.
    pub fn family(&mut self, family: &'a Family) -> &mut Self {
        let (name, kind) = match (self.format, family.kind) {
            // OpenMetrics names the family of a counter without the ending of its samples.
            (Format::OpenMetrics, Kind::Counter) => {
                (family.name.strip_suffix("_total").unwrap_or(family.name), "counter")
            }
            (Format::Prometheus, Kind::Counter) => (family.name, "counter"),
            (_, Kind::Gauge) => (family.name, "gauge"),
        };
        let _ = write!(self.out, "# HELP {name} ");
        escape(self.out, family.help, self.format == Format::OpenMetrics);
        let _ = write!(self.out, "\n# TYPE {name} {kind}\n");
        self.family = Some(family);
        self
    }

    /// One sample of the family begun last; label values may be any text.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let Some(family) = self.family else { return self };
        self.out.push_str(family.name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let _ = write!(self.out, "{}{label}=\"", if index == 0 { '{' } else { ',' });
            escape(self.out, value, true);
            self.out.push('"');
        }
        if !labels.is_empty() {
            self.out.push('}');
        }
        let _ = if value.is_nan() {
            writeln!(self.out, " NaN")
        } else if value.is_infinite() {
            writeln!(self.out, " {}Inf", if value < 0.0 { '-' } else { '+' })
        } else {
            writeln!(self.out, " {value}")
        };
        self
    }

    /// Ends the text as its format wants.
    pub fn finish(self) {
        if self.format == Format::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
    }
}

/// Backslash and line feed always, the quote where the format says so.
fn escape(out: &mut String, text: &str, quote: bool) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quote => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JIFFIES: Family = Family::counter("a_seconds_total", "Seconds of \"a\".");
    const HEAT: Family = Family::gauge("b_celsius", "Degrees.");

    fn written(format: Format) -> String {
        let mut text = String::new();
        let mut writer = Writer::new(format, &mut text);
        writer.family(&JIFFIES).sample(&[("cpu", "0"), ("mode", "a\\b\"c\nd")], 1.5);
        writer.family(&HEAT).sample(&[], f64::NAN).sample(&[("x", "ż")], 1e21);
        writer.finish();
        text
    }

    #[test]
    fn the_prometheus_text_is_as_its_specification_writes_it() {
        assert_eq!(
            written(Format::Prometheus),
            "# HELP a_seconds_total Seconds of \"a\".\n# TYPE a_seconds_total counter\n\
             a_seconds_total{cpu=\"0\",mode=\"a\\\\b\\\"c\\nd\"} 1.5\n\
             # HELP b_celsius Degrees.\n# TYPE b_celsius gauge\nb_celsius NaN\n\
             b_celsius{x=\"ż\"} 1000000000000000000000\n"
        );
    }

    #[test]
    fn open_metrics_names_a_counter_without_its_ending_and_has_an_end() {
        let text = written(Format::OpenMetrics);
        assert!(text.starts_with(
            "# HELP a_seconds Seconds of \\\"a\\\".\n# TYPE a_seconds counter\na_seconds_total{"
        ));
        assert!(text.ends_with("\n# EOF\n"));
    }
}

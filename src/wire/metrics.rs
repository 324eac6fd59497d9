//! Metrics between nodes, kiosk and Prometheus: the families with their names, and the two text formats they are
//! written in, as pure functions of text.
//!
//! The formats are Prometheus text 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) and OpenMetrics 1.0
//! (github.com/prometheus/OpenMetrics, specification/OpenMetrics.md).

pub mod family;
mod read;
mod write;

pub use read::{Labels, MetricsError, Sample, samples};
pub use write::Writer;

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The value of HTTP's `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format that a client prefers by its HTTP `Accept` (RFC 9110, 12.5.1); Prometheus text where it names neither.
    pub fn accepted(accept: &str) -> Self {
        let mut open = 0.0;
        let mut text = 0.0;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .filter_map(|part| part.strip_prefix("q="))
                .find_map(|weight| weight.trim().parse::<f64>().ok())
                .unwrap_or(1.0);
            match &media[..] {
                "application/openmetrics-text" => open = weight.max(open),
                "text/plain" | "text/*" | "*/*" => text = weight.max(text),
                _ => {}
            }
        }
        if 0.0 < open && text <= open { Format::OpenMetrics } else { Format::Prometheus }
    }

    /// The format of an answer, by its `Content-Type`; `None` if it is neither.
    pub fn of(content_type: &str) -> Option<Self> {
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match &media[..] {
            "application/openmetrics-text" => Some(Format::OpenMetrics),
            "text/plain" => Some(Format::Prometheus),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_the_format() {
        // As Prometheus 2.42 (Debian 12) asks.
        let prometheus = "application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        assert_eq!(Format::accepted("text/plain;version=0.0.4"), Format::Prometheus);
        assert_eq!(Format::accepted("*/*"), Format::Prometheus);
        assert_eq!(Format::accepted(""), Format::Prometheus);
        assert_eq!(Format::accepted("application/openmetrics-text;q=0, */*"), Format::Prometheus);
    }

    #[test]
    fn an_answer_that_is_neither_format_is_told_apart() {
        for format in [Format::Prometheus, Format::OpenMetrics] {
            assert_eq!(Format::of(format.content_type()), Some(format));
        }
        assert_eq!(Format::of("text/html"), None);
        assert_eq!(Format::of(""), None);
    }
}

//! Reads either format without copying: one sample after the other, every limit checked.

use std::borrow::Cow;

/// Most bytes of one line.
pub const MAX_LINE: usize = 16 * 1024;
/// Most samples of one text; a node_exporter on a machine with 1,000 cores stays below.
pub const MAX_SAMPLES: usize = 50_000;

/// Why a text is not metrics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// A line is far longer than metrics have them.
    #[error("line {line} is longer than {MAX_LINE} bytes")]
    LineTooLong {
        /// Which line, from 1.
        line: usize,
    },
    /// There are more samples than any node has.
    #[error("there are more than {MAX_SAMPLES} samples")]
    TooMany,
    /// A line is not as the format writes them.
    #[error("line {line} is no metric: {problem}")]
    Malformed {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// One sample; its timestamp and exemplar, if it has them, are not kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// The family's name; a counter's with its `_total`.
    pub name: &'a str,
    /// What tells it from the others of its family.
    pub labels: Labels<'a>,
    /// Any number, infinities and NaN included.
    pub value: f64,
}

/// The text between the braces, known to be well formed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Labels<'a>(&'a str);

impl<'a> Labels<'a> {
    /// The value of the label with this name.
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.iter().find(|(label, _)| *label == name).map(|(_, value)| value)
    }

    /// Names and values in the order they are written in.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (name, value, after) = label(rest).ok()??;
            rest = after;
            Some((name, unescape(value)))
        })
    }

    /// As they are written: equal text is the same series.
    pub fn as_written(self) -> &'a str {
        self.0
    }
}

/// The samples of a text, in its order; after the first error nothing more comes.
pub fn samples(text: &str) -> impl Iterator<Item = Result<Sample<'_>, MetricsError>> {
    let mut lines = text.split('\n').enumerate();
    let mut count = 0;
    let mut over = false;
    std::iter::from_fn(move || {
        while !over {
            let (index, line) = lines.next()?;
            let number = index + 1;
            if MAX_LINE < line.len() {
                over = true;
                return Some(Err(MetricsError::LineTooLong { line: number }));
            }
            let line = line.trim_end_matches('\r').trim_matches([' ', '\t']);
            if line == "# EOF" {
                break;
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            count += 1;
            if MAX_SAMPLES < count {
                over = true;
                return Some(Err(MetricsError::TooMany));
            }
            let sample =
                sample(line).map_err(|problem| MetricsError::Malformed { line: number, problem });
            over = sample.is_err();
            return Some(sample);
        }
        None
    })
}

fn sample(line: &str) -> Result<Sample<'_>, &'static str> {
    let (name, rest) = line.split_at(name_length(line, true));
    if name.is_empty() {
        return Err("it does not start with a name");
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::default(), rest),
    };
    if !rest.starts_with([' ', '\t']) {
        return Err("no space before its value");
    }
    let value = rest.split_ascii_whitespace().next().ok_or("it has no value")?;
    let value = number(value).ok_or("its value is no number")?;
    Ok(Sample { name, labels, value })
}

/// Go's and Rust's numbers agree on everything that the formats allow, but for hexadecimal ones, which nobody writes.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Everything up to the closing brace, checked, and what follows it.
fn labels(text: &str) -> Result<(Labels<'_>, &str), &'static str> {
    let mut rest = text;
    while let Some((_, _, after)) = label(rest)? {
        rest = after;
    }
    let end = text.len() - rest.len();
    let rest = rest.strip_prefix('}').ok_or("its labels do not end")?;
    Ok((Labels(&text[..end]), rest))
}

type Label<'a> = (&'a str, &'a str, &'a str);

/// The next label's name, its value still escaped, and what follows the comma, if there is one.
fn label(text: &str) -> Result<Option<Label<'_>>, &'static str> {
    let text = text.trim_start_matches([' ', '\t']);
    if text.is_empty() || text.starts_with('}') {
        return Ok(None);
    }
    let (name, rest) = text.split_at(name_length(text, false));
    if name.is_empty() {
        return Err("a label has no name");
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix('=').ok_or("a label has no value")?;
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix('"').ok_or("a label's value does not start with a quote")?;
    let end = closing_quote(rest).ok_or("a label's value does not end")?;
    let (value, rest) = (&rest[..end], rest[end + 1..].trim_start_matches([' ', '\t']));
    match rest.strip_prefix(',') {
        Some(rest) => Ok(Some((name, value, rest.trim_start_matches([' ', '\t'])))),
        None if rest.is_empty() || rest.starts_with('}') => Ok(Some((name, value, rest))),
        None => Err("labels are not set apart by a comma"),
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn name_length(text: &str, colon: bool) -> usize {
    let part = |(index, byte): (usize, u8)| {
        byte.is_ascii_alphabetic()
            || byte == b'_'
            || (colon && byte == b':')
            || (0 < index && byte.is_ascii_digit())
    };
    text.bytes().enumerate().take_while(|at| part(*at)).count()
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
            (other, false) => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (String, Vec<(String, String)>, f64);

    fn only(line: &str) -> Result<Read, MetricsError> {
        let sample = samples(line).next().unwrap()?;
        let labels =
            sample.labels.iter().map(|(name, value)| (name.to_owned(), value.into_owned()));
        Ok((sample.name.to_owned(), labels.collect(), sample.value))
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn the_examples_of_the_prometheus_format_are_read() {
        // prometheus.io/docs/instrumenting/exposition_formats, "Text format example".
        let text = r#"# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

http_request_duration_seconds_bucket{le="+Inf"} 144320
"#;
        let found: Vec<_> = samples(text).map(Result::unwrap).collect();
        assert_eq!(found.len(), 6);
        assert_eq!((found[1].labels.get("code").unwrap().as_ref(), found[1].value), ("400", 3.0));
        let error = found[2].labels.get("error").unwrap();
        assert_eq!(error, "Cannot find file:\n\"FILE.TXT\"");
        assert_eq!(found[2].labels.get("path").unwrap(), "C:\\DIR\\FILE.TXT");
        assert_eq!(found[4].value, f64::INFINITY);
        assert_eq!(found[5].labels.get("none"), None);
    }

    #[test]
    fn open_metrics_with_timestamps_exemplars_and_an_end_is_read() {
        // From the OpenMetrics 1.0 specification, "Overall structure" and "Exemplars".
        let text = "# TYPE acme_http_router_request_seconds summary\n# UNIT acme_http_router_request_seconds seconds\n\
            acme_http_router_request_seconds_sum{path=\"/api/v1\",method=\"GET\"} 9036.32\n\
            foo_bucket{le=\"0.1\"} 8 # {} 0.054\n\
            foo_bucket{le=\"1\"} 11 # {trace_id=\"KOO5S4vxi0o\"} 0.67\n\
            go_goroutines 69 1520879607.789\n# EOF\nafter the end\n";
        let values: Vec<f64> = samples(text).map(|sample| sample.unwrap().value).collect();
        assert_eq!(values, [9036.32, 8.0, 11.0, 69.0]);
    }

    #[test]
    fn spaces_commas_and_numbers_may_stand_as_the_formats_allow() {
        let labels = vec![pair("a", "1"), pair("b", "x,}\"")];
        assert_eq!(
            only("m{ a = \"1\" , b=\"x,}\\\"\", } 1e-3").unwrap(),
            ("m".into(), labels, 1e-3)
        );
        assert!(only("m NaN").unwrap().2.is_nan());
        assert_eq!(only("m:n -Inf").unwrap().2, f64::NEG_INFINITY);
    }

    #[test]
    fn what_is_no_metric_names_its_line_and_ends_the_text() {
        for line in [
            "<html>",
            "m",
            "m{",
            "m{a}",
            "m{a=1} 1",
            "m{a=\"1} 1",
            "m{a=\"1\"b=\"2\"} 1",
            "m{=\"1\"} 1",
            "m{a=\"\\\"} 1",
            "m x",
            "m{a=\"1\"}1",
            "m {a=\"1\"} 1",
            "1m 1",
            "\u{0}",
        ] {
            let text = format!("good 1\n{line}\ngood 2\n");
            let found: Vec<_> = samples(&text).collect();
            assert_eq!(found.len(), 2, "{line}");
            assert!(
                matches!(found[1], Err(MetricsError::Malformed { line: 2, .. })),
                "{line}: {:?}",
                found[1]
            );
        }
    }

    #[test]
    fn long_lines_and_endless_samples_are_refused() {
        let long = format!("m{{a=\"{}\"}} 1\n", "x".repeat(MAX_LINE));
        assert_eq!(only(&long).unwrap_err(), MetricsError::LineTooLong { line: 1 });
        let many = "m 1\n".repeat(MAX_SAMPLES + 1);
        assert_eq!(samples(&many).last().unwrap().unwrap_err(), MetricsError::TooMany);
    }
}

//! Reads a TOML file that a person wrote, and says what is wrong with it: file, line, key and the nearest known word.
//! Knows nothing of what the keys mean.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum TomlFileError {
    /// The file is missing or may not be read.
    #[error("{} cannot be read: {source}; check the path and its permissions", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is a folder, a device or a pipe.
    #[error("{} is not a file; write a text file of that name", file.display())]
    NotAFile {
        /// What is not a file.
        file: PathBuf,
    },
    /// The file is far larger than people write them.
    #[error("{} is larger than {limit} bytes; shorten it", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Bytes it may have.
        limit: u64,
    },
    /// The file is no text.
    #[error("{} is not UTF-8 text; save it as UTF-8", file.display())]
    NotText {
        /// The file.
        file: PathBuf,
    },
    /// A line of it is wrong.
    #[error("{}, line {line}{}: {problem}", file.display(), at(key))]
    Wrong {
        /// The file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// The key, empty where the line has none.
        key: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

fn at(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!(", key '{key}'") }
}

/// The text of a file of at most `limit` bytes.
///
/// # Errors
/// If it is not there, not a file, too large or not text.
pub fn read(file: &Path, limit: u64) -> Result<String, TomlFileError> {
    let failed = |source| TomlFileError::Read { file: file.into(), source };
    // Asked before it is opened: to open a pipe would wait for a writer.
    if !std::fs::metadata(file).map_err(failed)?.is_file() {
        return Err(TomlFileError::NotAFile { file: file.into() });
    }
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|open| open.take(limit + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if limit < bytes.len() as u64 {
        return Err(TomlFileError::TooLarge { file: file.into(), limit });
    }
    String::from_utf8(bytes).map_err(|_| TomlFileError::NotText { file: file.into() })
}

/// A text and the name of the file it came from, for messages.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The name of the file.
    pub file: &'a Path,
    /// What is in it.
    pub text: &'a str,
}

impl Source<'_> {
    /// Reads the text as a `T`, whose tables are expected to refuse unknown keys.
    ///
    /// # Errors
    /// Names the first wrong line.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, TomlFileError> {
        toml::from_str(self.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let (subject, problem) = explain(error.message());
            let key = subject.unwrap_or_else(|| self.key_at(span.start));
            self.wrong(span, &key, problem)
        })
    }

    /// The error for a value that stands at `span` and is not what it should be.
    pub fn wrong(
        &self,
        span: Range<usize>,
        key: &str,
        problem: impl Into<String>,
    ) -> TomlFileError {
        TomlFileError::Wrong {
            file: self.file.into(),
            line: self.line_at(span.start),
            key: key.into(),
            problem: problem.into(),
        }
    }

    fn line_at(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    /// The key of the line that holds `offset`; empty if there is none.
    fn key_at(&self, offset: usize) -> String {
        let line = self.text.lines().nth(self.line_at(offset) - 1).unwrap_or_default();
        line.split_once('=').map_or("", |(key, _)| key).trim().into()
    }
}

/// Puts a message of serde in our words; the key it is about, if it names one.
///
/// The messages are those of `serde::de::Error::{unknown_field, unknown_variant, missing_field}`: words in backticks,
/// the wrong one first.
fn explain(message: &str) -> (Option<String>, String) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let Some((word, known)) = quoted.split_first() else { return (None, message.into()) };
    let suggestion = match nearest(word, known) {
        Some(nearest) => format!("the nearest known one is '{nearest}'"),
        None => "nothing may stand here".into(),
    };
    if message.starts_with("unknown field") {
        return (Some((*word).into()), format!("there is no such key; {suggestion}"));
    }
    if message.starts_with("unknown variant") {
        return (None, format!("'{word}' is not a known value; {suggestion}"));
    }
    if message.starts_with("missing field") {
        return (Some((*word).into()), "the key is missing; add it".into());
    }
    (None, message.into())
}

fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known.iter().min_by_key(|known| strsim::damerau_levenshtein(word, known)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Sample {
        order: i32,
        program: String,
        kind: Option<Kind>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        Choice,
        Slider,
    }

    fn message(text: &str) -> String {
        Source { file: Path::new("x.toml"), text }.parse::<Sample>().unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_answered_with_the_nearest_known_one() {
        assert_eq!(
            message("order = 1\nporgram = 'x'\n"),
            "x.toml, line 2, key 'porgram': there is no such key; the nearest known one is 'program'"
        );
    }

    #[test]
    fn an_unknown_value_is_answered_with_the_nearest_known_one() {
        assert_eq!(
            message("order = 1\nprogram = 'x'\nkind = 'sldier'\n"),
            "x.toml, line 3, key 'kind': 'sldier' is not a known value; the nearest known one is 'slider'"
        );
        let text = "order = 1\nprogram = 'x'\nkind = 'choice'\n";
        let sample = Source { file: Path::new("x.toml"), text }.parse::<Sample>().unwrap();
        assert!(matches!(sample.kind, Some(Kind::Choice)));
    }

    #[test]
    fn a_missing_key_and_a_wrong_type_are_named() {
        assert_eq!(
            message("order = 1\n"),
            "x.toml, line 1, key 'program': the key is missing; add it"
        );
        let wrong = message("order = 'first'\n");
        assert!(wrong.starts_with("x.toml, line 1, key 'order': invalid type: string"), "{wrong}");
    }

    #[test]
    fn broken_toml_names_its_line() {
        assert!(message("order = 1\nprogram = 'x\n").starts_with("x.toml, line 2, key 'program':"));
    }

    #[test]
    fn what_is_no_readable_file_is_said_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("demo.toml");
        let message = || read(&file, 8).unwrap_err().to_string();
        assert!(message().contains("cannot be read: No such file"), "{}", message());
        std::fs::write(&file, "123456789").unwrap();
        assert!(message().ends_with("is larger than 8 bytes; shorten it"), "{}", message());
        std::fs::write(&file, b"\xff\xfe").unwrap();
        assert!(message().ends_with("is not UTF-8 text; save it as UTF-8"), "{}", message());
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(message().contains("is not a file"), "{}", message());
        assert!(read(Path::new("/dev/zero"), 8).unwrap_err().to_string().contains("is not a file"));
    }
}

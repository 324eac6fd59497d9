//! demo.toml: its tables as they stand in the file, and the checks that turn them into a [`Demo`]. Pure.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Range,
    path::{Component, Path},
    time::Duration,
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use toml::Spanned;

use super::{
    Audience, ControlKind, DEMO_FILE, Demo, FALLBACK, Gpu, Ranks, Text, control_table::ControlTable,
};
use toml_file::{Source, TomlFileError};

/// Most MPI ranks.
const MAX_RANKS: i64 = wire::demo::MAX_RANKS as i64;
/// Longest title, line and other texts, characters.
const MAX_TITLE: usize = 60;
const MAX_LINE: usize = 160;
const MAX_TEXT: usize = 4000;
/// Most languages and arguments, and what the drawer of controls has room for: three rows and, below them beside
/// the plate that closes it, a button.
const MAX_LANGUAGES: usize = wire::demo::Text::MAX_LANGUAGES;
const MAX_ARGUMENTS: usize = 64;
const MAX_CONTROLS: usize = 4;
const MAX_ROWS: usize = 3;
/// Longest argument, bytes.
const MAX_ARGUMENT: usize = 4096;

impl Demo {
    /// Reads the text of the demo.toml in `folder`, whose name is `id`, for a machine of this `architecture`.
    ///
    /// # Errors
    /// Names file, line and key of the first thing that is wrong, and what would be right.
    pub fn parse(
        id: &str,
        folder: &Path,
        architecture: &str,
        text: &str,
    ) -> Result<Self, TomlFileError> {
        let file = folder.join(DEMO_FILE);
        let source = Source { file: &file, text };
        let tables: DemoTables = source.parse()?;
        let ranks = tables.ranks(&source)?;
        let program = tables.program(&source, architecture)?;
        let first_frame_s =
            seconds(&source, "first_frame_s", tables.first_frame_s, 10.0, 0.1..=120.0)?;
        let progress_s = seconds(&source, "progress_s", tables.progress_s, 2.5, 0.5..=60.0)?;
        let picture = match tables.picture {
            Some(name) if !is_file_name(name.get_ref()) => {
                return Err(source.wrong(name.span(), "picture", NOT_A_FILE_NAME));
            }
            picture => picture.map(|name| folder.join(name.into_inner())),
        };
        for argument in &tables.arguments {
            let fits =
                argument.get_ref().len() <= MAX_ARGUMENT && !argument.get_ref().contains('\0');
            ensure(
                fits,
                &source,
                argument.span(),
                "arguments",
                "an argument is too long or has a zero byte",
            )?;
        }
        let count = tables.arguments.len();
        ensure(
            count <= MAX_ARGUMENTS,
            &source,
            0..0,
            "arguments",
            "there are more than 64; give fewer",
        )?;

        let bench =
            tables.bench.map(|words| bench(&source, words)).transpose()?.unwrap_or_default();

        let mut texts = BTreeMap::new();
        for (language, table) in tables.text {
            check_language(&source, &language, table.span(), texts.len())?;
            let text = table.get_ref().check(&source, table.span())?;
            texts.insert(language, text);
        }
        ensure(
            texts.contains_key(FALLBACK),
            &source,
            0..0,
            "text.en",
            "the table is missing; add it",
        )?;

        let mut controls = Vec::new();
        for table in tables.control {
            let span = table.span();
            let is_few = controls.len() < MAX_CONTROLS;
            ensure(is_few, &source, span.clone(), "control", "there are more than 4; give fewer")?;
            let control = table.into_inner().check(&source, span.clone())?;
            let is_new = controls.iter().all(|other: &super::Control| other.name != control.name);
            ensure(
                is_new,
                &source,
                span,
                &control.name,
                "another control has this name; rename one",
            )?;
            controls.push(control);
        }
        let last_row = controls.get(MAX_ROWS).filter(|control| control.kind != ControlKind::Button);
        if let Some(control) = last_row {
            let problem = "the fourth control can only be a button; the others fill the screen";
            ensure(false, &source, 0..0, &control.name, problem)?;
        }
        Ok(Self {
            id: id.into(),
            folder: folder.into(),
            order: tables.order,
            audience: tables.audience,
            program,
            arguments: tables.arguments.into_iter().map(Spanned::into_inner).collect(),
            bench,
            mpi: tables.mpi,
            ranks,
            resumes: tables.resumes,
            threads: tables.threads,
            gpu: tables.gpu,
            first_frame: Duration::from_secs_f64(first_frame_s),
            progress: Duration::from_secs_f64(progress_s),
            picture,
            texts,
            controls,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoTables {
    order: i64,
    audience: Audience,
    program: Spanned<ProgramNames>,
    #[serde(default)]
    arguments: Vec<Spanned<String>>,
    bench: Option<Spanned<Vec<String>>>,
    mpi: bool,
    ranks: Option<Spanned<RanksTable>>,
    #[serde(default)]
    resumes: bool,
    #[serde(default)]
    threads: bool,
    #[serde(default)]
    gpu: Gpu,
    first_frame_s: Option<Spanned<f64>>,
    progress_s: Option<Spanned<f64>>,
    picture: Option<Spanned<String>>,
    text: BTreeMap<String, Spanned<TextTable>>,
    #[serde(default)]
    control: Vec<Spanned<ControlTable>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct RanksTable {
    default: i64,
    min: i64,
    max: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextTable {
    title: String,
    line: String,
    #[serde(default)]
    visitor: String,
    #[serde(default)]
    student: String,
}

/// One file name for every architecture, or one for each.
enum ProgramNames {
    Same(String),
    PerArchitecture(BTreeMap<String, String>),
}

impl<'de> Deserialize<'de> for ProgramNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = ProgramNames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file name, or a table such as { x86_64 = \"a\", aarch64 = \"b\" }")
            }

            fn visit_str<E>(self, name: &str) -> Result<ProgramNames, E> {
                Ok(ProgramNames::Same(name.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ProgramNames, A::Error> {
                let mut names = BTreeMap::new();
                while let Some((architecture, name)) = map.next_entry()? {
                    names.insert(architecture, name);
                }
                Ok(ProgramNames::PerArchitecture(names))
            }
        }
        deserializer.deserialize_any(Names)
    }
}

impl DemoTables {
    fn program(&self, source: &Source<'_>, architecture: &str) -> Result<String, TomlFileError> {
        let span = self.program.span();
        let name = match self.program.get_ref() {
            ProgramNames::Same(name) => Some(name),
            ProgramNames::PerArchitecture(names) => names.get(architecture),
        };
        let Some(name) = name else {
            let problem =
                format!("there is no program for this machine; add one for {architecture}");
            return Err(source.wrong(span, "program", problem));
        };
        ensure(is_file_name(name), source, span, "program", NOT_A_FILE_NAME)?;
        Ok(name.clone())
    }

    fn ranks(&self, source: &Source<'_>) -> Result<Ranks, TomlFileError> {
        let Some(table) = &self.ranks else {
            let problem =
                "the key is missing; with mpi = true write { default = 3, min = 1, max = 4 }";
            ensure(!self.mpi, source, 0..0, "ranks", problem)?;
            return Ok(Ranks { default: 1, min: 1, max: 1 });
        };
        let RanksTable { default, min, max } = *table.get_ref();
        let is_ordered = 1 <= min && min <= default && default <= max && max <= MAX_RANKS;
        let problem = "write 1 <= min <= default <= max <= 256";
        ensure(is_ordered, source, table.span(), "ranks", problem)?;
        let problem = "without MPI there is one rank; write mpi = true or remove the key";
        ensure(self.mpi || max == 1, source, table.span(), "ranks", problem)?;
        Ok(Ranks { default: default as u16, min: min as u16, max: max as u16 })
    }
}

impl TextTable {
    fn check(&self, source: &Source<'_>, span: Range<usize>) -> Result<Text, TomlFileError> {
        for (key, text, limit, may_be_empty) in [
            ("title", &self.title, MAX_TITLE, false),
            ("line", &self.line, MAX_LINE, false),
            ("visitor", &self.visitor, MAX_TEXT, true),
            ("student", &self.student, MAX_TEXT, true),
        ] {
            ensure(
                may_be_empty || !text.trim().is_empty(),
                source,
                span.clone(),
                key,
                "is empty; write it",
            )?;
            let problem = format!("is longer than {limit} characters; shorten it");
            ensure(text.chars().count() <= limit, source, span.clone(), key, &problem)?;
            let is_plain = text.chars().all(|c| !c.is_control() || c == '\n');
            ensure(is_plain, source, span.clone(), key, "has control characters; remove them")?;
        }
        Ok(Text {
            title: self.title.trim().into(),
            line: self.line.trim().into(),
            visitor: self.visitor.trim().into(),
            student: self.student.trim().into(),
        })
    }
}

/// The arguments with which a program measures a computer; ssh hands them to a shell.
fn bench(source: &Source<'_>, words: Spanned<Vec<String>>) -> Result<Vec<String>, TomlFileError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._=/-".contains(&byte);
    let is_word =
        |word: &String| (1..=MAX_ARGUMENT).contains(&word.len()) && word.bytes().all(is_plain);
    let holds =
        (1..=MAX_ARGUMENTS).contains(&words.get_ref().len()) && words.get_ref().iter().all(is_word);
    let problem = "is no list of words of letters, digits and . _ = / -; write [\"bench\"]";
    ensure(holds, source, words.span(), "bench", problem)?;
    Ok(words.into_inner())
}

const NOT_A_FILE_NAME: &str =
    "is not a file name; write the name of a file in the demo's folder, without a path";

/// Whether joining it to a folder stays in that folder.
fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let is_one = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    is_one && name.len() <= 255 && !name.contains(['/', '\0'])
}

/// Refuses what is no language code, and a language too many.
pub(super) fn check_language(
    source: &Source<'_>,
    language: &str,
    span: Range<usize>,
    before: usize,
) -> Result<(), TomlFileError> {
    let is_code = language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase());
    let problem = "is not a language; write two letters such as en";
    ensure(is_code, source, span.clone(), &format!("text.{language}"), problem)?;
    ensure(
        before < MAX_LANGUAGES,
        source,
        span,
        "text",
        "there are more than 16 languages; give fewer",
    )
}

/// An error about `key` unless `holds`.
pub(super) fn ensure(
    holds: bool,
    source: &Source<'_>,
    span: Range<usize>,
    key: &str,
    problem: &str,
) -> Result<(), TomlFileError> {
    if holds { Ok(()) } else { Err(source.wrong(span, key, problem)) }
}

fn seconds(
    source: &Source<'_>,
    key: &str,
    value: Option<Spanned<f64>>,
    default: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<f64, TomlFileError> {
    let Some(value) = value else { return Ok(default) };
    let problem = format!("is {}, outside {} to {}", value.get_ref(), range.start(), range.end());
    ensure(range.contains(value.get_ref()), source, value.span(), key, &problem)?;
    Ok(value.into_inner())
}

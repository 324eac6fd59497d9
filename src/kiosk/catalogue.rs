//! The demos that are installed: folders with a demo.toml. Finds and describes them; starts nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    env::consts::ARCH,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

mod control_table;
mod demo_file;

/// The owner's own demos and ours, on an installed kiosk.
pub const INSTALLED: [&str; 2] = ["/etc/hpc-kiosk/demos", "/usr/lib/hpc-kiosk/demos"];
/// The file that makes a folder a demo.
pub const DEMO_FILE: &str = "demo.toml";
/// Most bytes of it.
const MAX_BYTES: u64 = 256 * 1024;
/// Most demos.
const MAX_DEMOS: usize = 64;
/// Most entries of a folder that are looked at.
const MAX_ENTRIES: usize = 1024;

/// What was found, in the order of the tiles.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Every usable demo, by `order`, then by id.
    pub demos: Vec<Arc<Demo>>,
    /// What is wrong with the others: a sentence each, for the owner.
    pub problems: Vec<String>,
}

/// One demo, as its demo.toml describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Demo {
    /// The name of its folder.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its place among the tiles; the smallest comes first.
    pub order: i64,
    /// Who may start it.
    pub audience: Audience,
    /// The file name of its program on this architecture, to be found in its folder or beside the kiosk's.
    pub program: String,
    /// What the program is given.
    pub arguments: Vec<String>,
    /// The arguments with which it measures a computer and prints one JSON object; none if it cannot.
    pub bench: Vec<String>,
    /// Whether it is started through `mpirun`.
    pub mpi: bool,
    /// How many ranks it wants; 1 without MPI.
    pub ranks: Ranks,
    /// Whether it can be started in advance, and go on where another run of it was.
    pub resumes: bool,
    /// Whether a rank of it computes with several cores.
    pub threads: bool,
    /// What it does with a graphics processor.
    pub gpu: Gpu,
    /// Time from its start to its first picture; after it the run counts as failed.
    pub first_frame: Duration,
    /// Longest time between two signs of progress; after it the run counts as hung.
    pub progress: Duration,
    /// The picture on its tile.
    pub picture: Option<PathBuf>,
    /// Its texts by language (two letters); English is always there.
    pub texts: BTreeMap<String, Text>,
    /// What a visitor may set, in the order of the file.
    pub controls: Vec<Control>,
}

/// Who may start a demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Everybody: it has a tile.
    Visitor,
    /// It stands in the owner's menu only and never starts by itself.
    Owner,
}

/// How many MPI ranks a demo wants and can do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranks {
    /// Where there are cores enough.
    pub default: u16,
    /// Fewest.
    pub min: u16,
    /// Most.
    pub max: u16,
}

/// What a demo does with a graphics processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gpu {
    /// Uses it where there is one.
    Use,
    /// Cannot do without.
    Need,
    /// Ignores it.
    #[default]
    No,
}

/// What a demo says about itself in one language.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// Its name on the tile.
    pub title: String,
    /// One line below it.
    pub line: String,
    /// What there is to see, for everybody; may be empty.
    pub visitor: String,
    /// How it works, for students; may be empty.
    pub student: String,
}

/// What a visitor may set while a demo runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// Its name in the protocol.
    pub name: String,
    /// How it is drawn.
    pub kind: ControlKind,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Value at the start of a run.
    pub default: f64,
    /// Unit of the value, empty if it has none.
    pub unit: String,
    /// Its words by language; English is always there.
    pub texts: BTreeMap<String, ControlText>,
}

/// How a control is drawn, and what its value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlKind {
    /// One of several; the value is the number of the choice, from 0.
    Choice,
    /// Anything in the range.
    Slider,
    /// To be pressed; every press sends the largest value.
    Button,
}

/// The words of a control in one language.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlText {
    /// What it sets.
    pub label: String,
    /// The names of its choices, from 0; empty for other kinds.
    pub choices: Vec<String>,
}

/// The language that every text is there in.
const FALLBACK: &str = "en";

impl Demo {
    /// Its texts in `language`, or in English.
    pub fn text(&self, language: &str) -> Option<&Text> {
        self.texts.get(language).or_else(|| self.texts.get(FALLBACK))
    }
}

impl Control {
    /// Its words in `language`, or in English.
    pub fn text(&self, language: &str) -> Option<&ControlText> {
        self.texts.get(language).or_else(|| self.texts.get(FALLBACK))
    }
}

/// The folders to look in, in this order: those of `--demos`, the owner's, ours, a checkout's.
///
/// `executable` is the path of this program; a checkout is known by a `Cargo.toml` beside `demos/` above it.
pub fn folders(arguments: &[PathBuf], executable: &Path) -> Vec<PathBuf> {
    let mut folders = arguments.to_vec();
    folders.extend(INSTALLED.map(PathBuf::from));
    let is_checkout =
        |folder: &&Path| folder.join("Cargo.toml").is_file() && folder.join("demos").is_dir();
    folders.extend(executable.ancestors().find(is_checkout).map(|root| root.join("demos")));
    folders
}

impl Catalogue {
    /// Looks through `folders`; of several demos with the same id the first usable one counts.
    ///
    /// A folder that is not there is a problem only if it is one of the first `named`, which a person asked for.
    pub fn find(folders: &[PathBuf], named: usize) -> Self {
        let mut catalogue = Catalogue::default();
        let mut ids = BTreeSet::new();
        for (number, folder) in folders.iter().enumerate() {
            let entries = match entries(folder) {
                Ok(entries) => entries,
                Err(error) => {
                    if number < named {
                        let folder = folder.display();
                        catalogue
                            .problems
                            .push(format!("no demos in {folder}: {error}; check --demos"));
                    }
                    continue;
                }
            };
            for folder in entries {
                catalogue.take(folder, &mut ids);
            }
        }
        catalogue.demos.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        catalogue
    }

    /// The demo of this id.
    pub fn demo(&self, id: &str) -> Option<&Arc<Demo>> {
        self.demos.iter().find(|demo| demo.id == id)
    }

    fn take(&mut self, folder: PathBuf, ids: &mut BTreeSet<String>) {
        let Some(id) = folder.file_name().and_then(|name| name.to_str()).map(String::from) else {
            return self.problems.push(format!("{} has a name that is not text", folder.display()));
        };
        if ids.contains(&id) {
            return;
        }
        let file = folder.join(DEMO_FILE);
        let read = toml_file::read(&file, MAX_BYTES)
            .and_then(|text| Demo::parse(&id, &folder, ARCH, &text));
        let mut demo = match read {
            Ok(demo) => demo,
            Err(error) => return self.problems.push(error.to_string()),
        };
        if self.demos.len() == MAX_DEMOS {
            return self
                .problems
                .push(format!("{} is one demo too many: {MAX_DEMOS} are shown", file.display()));
        }
        if let Some(missing) = demo.picture.take_if(|picture| !picture.is_file()) {
            let missing = missing.display();
            self.problems.push(format!(
                "{missing} is not there, although {DEMO_FILE} names it as the picture"
            ));
        }
        ids.insert(id);
        self.demos.push(Arc::new(demo));
    }
}

/// The folders in `folder` that hold a demo.toml, by name.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.take(MAX_ENTRIES).flatten().map(|entry| entry.path()).collect();
    entries.retain(|entry| entry.join(DEMO_FILE).exists());
    entries.sort();
    Ok(entries)
}

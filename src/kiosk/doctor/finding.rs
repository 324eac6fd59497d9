//! What an examination says of each piece: for a terminal as text, for the screen as values that it has sentences for.

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something does not work.
    Wrong,
    /// It works, and yet is worth knowing.
    Note,
    /// All is well.
    Well,
}

/// The pieces that are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Piece {
    /// One that the screen has no word for: what the terminal says is shown.
    #[default]
    Other,
    /// kiosk.toml.
    Settings,
    /// The demos and their programs.
    Demos,
    /// The program that owns each run.
    Warden,
    /// The display.
    Screen,
    /// The touch screen and the keys.
    Input,
    /// The graphics processor of this machine.
    Graphics,
    /// Where the files of a run go.
    RunFolder,
    /// Open MPI.
    OpenMpi,
    /// The other computers as such.
    Computers,
    /// What tells how a computer is.
    Agent,
    /// The way to another computer.
    Ssh,
    /// The way from one of them to another.
    Among,
    /// The demos' programs on the other computers.
    Programs,
    /// The folder that they lie in.
    Folder,
    /// A computer's clock.
    Clock,
    /// What Slurm knows its users by.
    Munge,
    /// The queue of the cluster.
    Slurm,
    /// The part of the cluster that runs are for.
    Partition,
    /// A computer in the queue's eyes.
    InQueue,
    /// The wall power meter.
    Meter,
    /// The sensor of the room's air.
    Room,
}

/// What is the matter with a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matter {
    /// Nothing, or what the screen has no sentence for.
    #[default]
    Unsaid,
    /// A file of the owner's has a wrong line.
    WrongLine,
    /// There is no demo.
    NoDemo,
    /// A program is not there.
    NoProgram,
    /// No display is connected.
    NoDisplay,
    /// The user of the kiosk may not use it.
    Denied,
    /// There is no such device.
    NoDevice,
    /// No folder can be made.
    NoRoom,
    /// Open MPI is not there.
    NoMpi,
    /// The versions differ.
    Versions,
    /// No other computer is named.
    Alone,
    /// The network does not know its name.
    NoSuchName,
    /// It does not answer.
    NoAnswer,
    /// It is on, and its agent does not answer.
    NoAgent,
    /// Its answer makes no sense.
    BadAnswer,
    /// ssh asks for a password, or fails.
    NoLogin,
    /// A folder does not answer.
    Hangs,
    /// Programs are missing there.
    NoPrograms,
    /// The programs are not the same everywhere.
    OtherPrograms,
    /// Every computer has a folder of its own.
    OwnFolders,
    /// A clock is wrong.
    ClockOff,
    /// munge gives out no credential.
    NoCredential,
    /// Slurm does not answer.
    NoQueue,
    /// There is no such partition.
    NoPartition,
    /// The partition takes no jobs.
    ClosedPartition,
    /// Slurm gives the computer to nobody.
    OutOfService,
    /// Slurm does not know the computer.
    UnknownToQueue,
    /// The owner has not set it up.
    NotSetUp,
}

/// What was found about one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// Which piece.
    pub piece: Piece,
    /// Which one of its kind: a computer, a demo; empty if there is only one.
    pub of: String,
    /// What is the matter with it.
    pub matter: Matter,
    /// A number, a name or a version that the sentence of the matter names.
    pub detail: String,
    /// The piece, in English.
    pub what: String,
    /// What it is like, in English.
    pub found: String,
    /// What to do, in English; `None` if there is nothing to do.
    pub remedy: Option<String>,
}

impl Finding {
    fn new(level: Level, what: String, found: String, remedy: Option<String>) -> Self {
        let (piece, of, matter, detail) =
            (Piece::Other, String::new(), Matter::Unsaid, String::new());
        Self { level, piece, of, matter, detail, what, found, remedy }
    }

    /// One that is as it should be.
    pub(super) fn well(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Level::Well, what.into(), found.into(), None)
    }

    /// One that is worth knowing.
    pub(super) fn note(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Level::Note, what.into(), found.into(), None)
    }

    /// One that does not work.
    pub(super) fn wrong(
        what: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(Level::Wrong, what.into(), found.into(), Some(remedy.into()))
    }

    /// What could be done about a note.
    pub(super) fn with(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Says which piece it is about.
    pub(super) fn about(mut self, piece: Piece, of: impl Into<String>) -> Self {
        (self.piece, self.of) = (piece, of.into());
        self
    }

    /// Says what is the matter.
    pub(super) fn because(mut self, matter: Matter, detail: impl Into<String>) -> Self {
        (self.matter, self.detail) = (matter, detail.into());
        self
    }
}

/// The findings as lines for a terminal.
pub fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { level, what, found, remedy, .. } in findings {
        let mark = match level {
            Level::Well => "ok   ",
            Level::Note => "note ",
            Level::Wrong => "WRONG",
        };
        text += &format!("{mark} {what}: {found}\n");
        if let Some(remedy) = remedy {
            text += &format!("      what to do: {remedy}\n");
        }
    }
    text += &match findings.iter().filter(|finding| finding.level == Level::Wrong).count() {
        0 => "All is well.\n".to_owned(),
        1 => "One thing is wrong.\n".to_owned(),
        several => format!("{several} things are wrong.\n"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_what_is_wrong_and_says_what_to_do() {
        let well = Finding::well("screen", "a window");
        let note = Finding::note("clock of a", "2.5 s behind").with("set it");
        let wrong = Finding::wrong("ssh to a", "no answer", "switch it on");
        assert_eq!(
            report(&[well.clone(), note]),
            "ok    screen: a window\nnote  clock of a: 2.5 s behind\n      what to do: set it\nAll is well.\n"
        );
        assert_eq!(
            report(&[well, wrong]),
            "ok    screen: a window\nWRONG ssh to a: no answer\n      what to do: switch it on\nOne thing is wrong.\n"
        );
    }
}

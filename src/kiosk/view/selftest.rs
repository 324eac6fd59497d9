//! The page of the self-test: what is wrong first, what is well merged piece by piece, a page at a time.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use slint::{ComponentHandle, ModelRc, VecModel};

use super::{cluster, navigation::Navigation, nodes, numbers::Language};
use crate::{
    doctor::{Examination, Finding, LONGEST, Level, Matter, Piece},
    ui,
};

/// Findings on one page.
const ROWS: usize = 5;

/// What is kept from one refresh of the page to the next.
pub struct SelftestPage {
    rows: Rc<VecModel<ui::FindingRow>>,
}

impl SelftestPage {
    /// Connects the page of `app`.
    pub fn new(app: &ui::App) -> Self {
        let rows = Rc::new(VecModel::default());
        app.global::<ui::SelftestView>().set_rows(ModelRc::from(Rc::clone(&rows)));
        Self { rows }
    }

    /// Shows what is known at `now`.
    pub fn show(
        &self,
        app: &ui::App,
        examination: &Examination,
        navigation: &Navigation,
        now: Instant,
    ) {
        let view = app.global::<ui::SelftestView>();
        let language = navigation.language;
        let (findings, at) = match examination {
            Examination::Done { findings, at } => (&findings[..], Some(*at)),
            Examination::Never | Examination::Going { .. } => (&[][..], None),
        };
        view.set_going(at.is_none());
        if let Examination::Going { since, awaited } = examination {
            let waited = now.saturating_duration_since(*since).as_secs_f64();
            view.set_waited(language.decimal(waited, 1).into());
            view.set_waited_share((waited / LONGEST.as_secs_f64()) as f32);
            view.set_awaited(awaited.join(", ").into());
        } else {
            view.set_waited(language.decimal(0.0, 1).into());
            view.set_waited_share(0.0);
            view.set_awaited("".into());
        }
        let age = at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        view.set_age(nodes::age(age).into());
        let wrong = findings.iter().filter(|finding| finding.level == Level::Wrong).count();
        view.set_wrong(i32::try_from(wrong).unwrap_or(i32::MAX));
        let leaf = match navigation.leaves {
            0 | 1 => String::new(),
            leaves => format!("{}/{leaves}", navigation.leaf + 1),
        };
        view.set_leaf(leaf.into());
        let rows = merged(findings).into_iter().skip(navigation.leaf * ROWS).take(ROWS);
        cluster::update(&self.rows, rows.map(|finding| row(&finding, language)));
    }
}

/// How many pages the findings need.
pub fn leaves(examination: &Examination) -> usize {
    match examination {
        Examination::Done { findings, .. } => merged(findings).len().div_ceil(ROWS),
        Examination::Never | Examination::Going { .. } => 0,
    }
}

/// The findings, the wrong ones first, the notes next; what is well of a piece is one.
fn merged(findings: &[Finding]) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    let of_level = |level| findings.iter().filter(move |finding| finding.level == level);
    for finding in of_level(Level::Wrong).chain(of_level(Level::Note)).chain(of_level(Level::Well))
    {
        let is_like = |other: &&mut Finding| {
            finding.level == Level::Well
                && (other.level, other.piece) == (Level::Well, finding.piece)
                && finding.piece != Piece::Other
        };
        match merged.iter_mut().find(is_like) {
            Some(like) => {
                let comma = if like.of.is_empty() || finding.of.is_empty() { "" } else { ", " };
                like.of = format!("{}{comma}{}", like.of, finding.of);
            }
            None => merged.push(finding.clone()),
        }
    }
    merged
}

fn row(finding: &Finding, language: Language) -> ui::FindingRow {
    let Finding { level, piece, of, matter, detail, what, found, remedy } = finding;
    let detail = match (matter, language) {
        (Matter::ClockOff, Language::Polish) => detail.replace('.', ","),
        _ => detail.clone(),
    };
    ui::FindingRow {
        level: match level {
            Level::Wrong => ui::FindingLevel::Wrong,
            Level::Note => ui::FindingLevel::Note,
            Level::Well => ui::FindingLevel::Well,
        },
        piece: self::piece(*piece),
        of: of.as_str().into(),
        matter: self::matter(*matter),
        detail: detail.into(),
        what: what.as_str().into(),
        found: found.as_str().into(),
        remedy: remedy.as_deref().unwrap_or_default().into(),
    }
}

fn piece(piece: Piece) -> ui::FindingPiece {
    match piece {
        Piece::Other => ui::FindingPiece::Other,
        Piece::Settings => ui::FindingPiece::Settings,
        Piece::Demos => ui::FindingPiece::Demos,
        Piece::Warden => ui::FindingPiece::Warden,
        Piece::Screen => ui::FindingPiece::Screen,
        Piece::Input => ui::FindingPiece::Input,
        Piece::Graphics => ui::FindingPiece::Graphics,
        Piece::RunFolder => ui::FindingPiece::RunFolder,
        Piece::OpenMpi => ui::FindingPiece::OpenMpi,
        Piece::Computers => ui::FindingPiece::Computers,
        Piece::Agent => ui::FindingPiece::Agent,
        Piece::Ssh => ui::FindingPiece::Ssh,
        Piece::Among => ui::FindingPiece::Among,
        Piece::Programs => ui::FindingPiece::Programs,
        Piece::Folder => ui::FindingPiece::Folder,
        Piece::Clock => ui::FindingPiece::Clock,
        Piece::Munge => ui::FindingPiece::Munge,
        Piece::Slurm => ui::FindingPiece::Slurm,
        Piece::Partition => ui::FindingPiece::Partition,
        Piece::InQueue => ui::FindingPiece::InQueue,
        Piece::Meter => ui::FindingPiece::Meter,
        Piece::Room => ui::FindingPiece::Room,
    }
}

fn matter(matter: Matter) -> ui::FindingMatter {
    match matter {
        Matter::Unsaid => ui::FindingMatter::Unsaid,
        Matter::WrongLine => ui::FindingMatter::WrongLine,
        Matter::NoDemo => ui::FindingMatter::NoDemo,
        Matter::NoProgram => ui::FindingMatter::NoProgram,
        Matter::NoDisplay => ui::FindingMatter::NoDisplay,
        Matter::Denied => ui::FindingMatter::Denied,
        Matter::NoDevice => ui::FindingMatter::NoDevice,
        Matter::NoRoom => ui::FindingMatter::NoRoom,
        Matter::NoMpi => ui::FindingMatter::NoMpi,
        Matter::Versions => ui::FindingMatter::Versions,
        Matter::Alone => ui::FindingMatter::Alone,
        Matter::NoSuchName => ui::FindingMatter::NoSuchName,
        Matter::NoAnswer => ui::FindingMatter::NoAnswer,
        Matter::NoAgent => ui::FindingMatter::NoAgent,
        Matter::BadAnswer => ui::FindingMatter::BadAnswer,
        Matter::NoLogin => ui::FindingMatter::NoLogin,
        Matter::Hangs => ui::FindingMatter::Hangs,
        Matter::NoPrograms => ui::FindingMatter::NoPrograms,
        Matter::OtherPrograms => ui::FindingMatter::OtherPrograms,
        Matter::OwnFolders => ui::FindingMatter::OwnFolders,
        Matter::ClockOff => ui::FindingMatter::ClockOff,
        Matter::NoCredential => ui::FindingMatter::NoCredential,
        Matter::NoQueue => ui::FindingMatter::NoQueue,
        Matter::NoPartition => ui::FindingMatter::NoPartition,
        Matter::ClosedPartition => ui::FindingMatter::ClosedPartition,
        Matter::OutOfService => ui::FindingMatter::OutOfService,
        Matter::UnknownToQueue => ui::FindingMatter::UnknownToQueue,
        Matter::NotSetUp => ui::FindingMatter::NotSetUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(level: Level, piece: Piece, of: &str) -> Finding {
        let (matter, remedy) = (Matter::Unsaid, None);
        let text = String::new;
        let (detail, what, found) = (text(), text(), text());
        Finding { level, piece, of: of.into(), matter, detail, what, found, remedy }
    }

    #[test]
    fn what_is_wrong_comes_first_and_what_is_well_of_a_piece_is_one_line() {
        let findings = [
            finding(Level::Well, Piece::Settings, ""),
            finding(Level::Well, Piece::Agent, "a"),
            finding(Level::Note, Piece::Clock, "b"),
            finding(Level::Wrong, Piece::Agent, "b"),
            finding(Level::Well, Piece::Agent, "c"),
            finding(Level::Well, Piece::Other, ""),
            finding(Level::Well, Piece::Other, ""),
        ];
        let merged = merged(&findings);
        let lines: Vec<(Level, Piece, &str)> =
            merged.iter().map(|finding| (finding.level, finding.piece, &finding.of[..])).collect();
        let expected = [
            (Level::Wrong, Piece::Agent, "b"),
            (Level::Note, Piece::Clock, "b"),
            (Level::Well, Piece::Settings, ""),
            (Level::Well, Piece::Agent, "a, c"),
            (Level::Well, Piece::Other, ""),
            (Level::Well, Piece::Other, ""),
        ];
        assert_eq!(lines, expected);
    }
}

//! What is plugged into the graphics cards, as the kernel's files tell: whether there is a screen, and whether it is still
//! the same one.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::fs::{Access, access};

/// How often the connectors are looked at; the kernel keeps their state, so that this asks no screen anything.
const LOOK: Duration = Duration::from_millis(250);
/// Most connectors that are looked at.
const MAX_CONNECTORS: usize = 64;

/// A screen that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The connector, such as "HDMI-A-1".
    pub connector: String,
    /// The mode that its screen wants, such as "800x480"; empty where it says none.
    pub mode: String,
}

/// The screens below `root` whose card this process may use, of the connector `wanted` alone if there is one.
pub fn connected(root: &Path, wanted: Option<&str>) -> Vec<Connected> {
    let Ok(listing) = fs::read_dir(root.join("sys/class/drm")) else { return Vec::new() };
    let mut found: Vec<Connected> = listing
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| look(root, &name))
        .filter(|screen| wanted.is_none_or(|wanted| wanted == screen.connector))
        .take(MAX_CONNECTORS)
        .collect();
    found.sort_by(|one, other| one.connector.cmp(&other.connector));
    found
}

/// The screen of a connector's folder, such as "card0-HDMI-A-1".
fn look(root: &Path, name: &str) -> Option<Connected> {
    let (card, connector) = name.split_once('-').filter(|(card, _)| card.starts_with("card"))?;
    let folder = root.join("sys/class/drm").join(name);
    if fs::read_to_string(folder.join("status")).ok()?.trim() != "connected" {
        return None;
    }
    // udev gives the card to its group a moment after the kernel has made it.
    access(root.join("dev/dri").join(card), Access::READ_OK | Access::WRITE_OK).ok()?;
    let modes = fs::read_to_string(folder.join("modes")).unwrap_or_default();
    let mode = modes.lines().next().unwrap_or_default().to_owned();
    Some(Connected { connector: connector.to_owned(), mode })
}

/// Returns when there is a screen; `waiting` is told of every look that found none, with the number of looks before it.
pub fn wait(root: &Path, wanted: Option<&str>, mut waiting: impl FnMut(u32)) -> Vec<Connected> {
    let mut looks = 0;
    loop {
        let screens = connected(root, wanted);
        if !screens.is_empty() {
            return screens;
        }
        waiting(looks);
        looks = looks.saturating_add(1);
        thread::sleep(LOOK);
    }
}

/// Whether the screen is there, for whoever hears fingers: those of a screen that shows something else mean nothing.
#[derive(Clone, Debug)]
pub struct Presence(Arc<AtomicBool>);

impl Default for Presence {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Presence {
    /// Whether there is a screen.
    pub fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What has become of the screens since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// They were unplugged, or an HDMI switch was turned away.
    Gone,
    /// The same ones are back.
    Back,
    /// Other ones are there: the picture was made for those before.
    Other,
}

/// Compares what is there `now` with what the picture was made for, `shown`.
fn change(shown: &[Connected], was_there: bool, now: &[Connected]) -> Option<Change> {
    match (was_there, now) {
        (true, []) => Some(Change::Gone),
        (false, []) => None,
        (false, now) if now == shown => Some(Change::Back),
        (true, now) if now == shown => None,
        _ => Some(Change::Other),
    }
}

/// Looks at the connectors for as long as the program runs, keeps `presence`, and tells `changed`.
///
/// # Errors
/// If there is no thread for it.
pub fn watch(
    root: PathBuf,
    wanted: Option<String>,
    shown: Vec<Connected>,
    presence: &Presence,
    changed: impl Fn(Change) + Send + 'static,
) -> io::Result<()> {
    let presence = presence.clone();
    let look = move || {
        loop {
            thread::sleep(LOOK);
            let now = connected(&root, wanted.as_deref());
            let change = change(&shown, presence.is_there(), &now);
            presence.0.store(!now.is_empty(), Ordering::Relaxed);
            if let Some(change) = change {
                changed(change);
            }
        }
    };
    thread::Builder::new().name("connectors".into()).spawn(look).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plug(root: &Path, name: &str, status: &str, modes: &str) {
        let folder = root.join("sys/class/drm").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("status"), status).unwrap();
        fs::write(folder.join("modes"), modes).unwrap();
    }

    fn screen(connector: &str, mode: &str) -> Connected {
        Connected { connector: connector.into(), mode: mode.into() }
    }

    #[test]
    fn a_screen_is_what_is_connected_to_a_card_that_may_be_used() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(connected(root.path(), None), []);
        fs::create_dir_all(root.path().join("sys/class/drm/renderD128")).unwrap();
        plug(root.path(), "card1-HDMI-A-1", "connected\n", "800x480\n1024x768\n");
        plug(root.path(), "card1-HDMI-A-2", "disconnected\n", "");
        plug(root.path(), "card1-Writeback-1", "unknown\n", "");
        assert_eq!(connected(root.path(), None), [], "its card is not there yet");
        fs::create_dir_all(root.path().join("dev/dri")).unwrap();
        fs::write(root.path().join("dev/dri/card1"), "").unwrap();
        assert_eq!(connected(root.path(), None), [screen("HDMI-A-1", "800x480")]);
        assert_eq!(connected(root.path(), Some("DSI-1")), []);
    }

    #[test]
    fn a_screen_that_comes_later_is_waited_for() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("dev/dri")).unwrap();
        fs::write(root.path().join("dev/dri/card0"), "").unwrap();
        let mut looks = Vec::new();
        let screens = wait(root.path(), None, |look| {
            looks.push(look);
            if look == 1 {
                plug(root.path(), "card0-Virtual-1", "connected\n", "800x480\n");
            }
        });
        assert_eq!((screens, looks), (vec![screen("Virtual-1", "800x480")], vec![0, 1]));
    }

    #[test]
    fn gone_back_and_another_one_are_told_apart() {
        let (ours, other) = ([screen("HDMI-A-1", "800x480")], [screen("HDMI-A-1", "1920x1080")]);
        assert_eq!(change(&ours, true, &ours), None);
        assert_eq!(change(&ours, true, &[]), Some(Change::Gone));
        assert_eq!(change(&ours, false, &[]), None);
        assert_eq!(change(&ours, false, &ours), Some(Change::Back));
        assert_eq!(change(&ours, false, &other), Some(Change::Other));
        assert_eq!(change(&ours, true, &other), Some(Change::Other));
    }
}

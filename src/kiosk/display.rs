//! Which screen there is: a window under X or Wayland, else the whole display by KMS, else a clear sentence.

use std::{env, fmt::Write, fs, os::unix::fs::MetadataExt, path::Path, rc::Rc};

use slint::ComponentHandle;

use crate::{
    appliance::ways_out::WaysOut,
    ui,
    view::{Slots, View},
};

/// How the kiosk gets its picture to an eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// A window of a desktop that draws the mouse pointer itself.
    Window,
    /// The display itself, without a desktop; nothing draws a pointer there.
    Kms,
}

/// Picks the display from the environment: `SLINT_BACKEND` if it is set, else a desktop if there is one.
pub fn choose(variable: impl Fn(&str) -> Option<String>) -> Display {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match set("SLINT_BACKEND") {
        Some(backend) if backend.to_lowercase().starts_with("linuxkms") => Display::Kms,
        Some(_) => Display::Window,
        None if set("WAYLAND_DISPLAY").or(set("WAYLAND_SOCKET")).or(set("DISPLAY")).is_some() => {
            Display::Window
        }
        None => Display::Kms,
    }
}

/// A touch as the system reports it: finger, phase, place as a share of the screen's width and height.
pub type RawTouch = (usize, wire::kiosk::Phase, (f64, f64));

/// What a KMS display hears before Slint does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RawInput {
    /// A finger.
    Touch(RawTouch),
    /// A mouse has moved or was pressed.
    Mouse,
    /// A key went down, by Linux' number (input-event-codes.h); a held one does so once.
    Key(u32),
}

/// Readies Slint for `display`; `hear` is told of all fingers and mice of a KMS display and says which it takes.
///
/// # Errors
/// Says what was tried, what is missing and what to do.
pub fn open(display: Display, hear: impl Fn(RawInput) -> bool + 'static) -> anyhow::Result<()> {
    let selector = match display {
        Display::Window => slint::BackendSelector::new().backend_name("winit".into()),
        Display::Kms => slint::BackendSelector::new()
            .backend_name("linuxkms".into())
            .with_libinput_event_hook({
                let ways_out = WaysOut::default();
                move |event| ends(&ways_out, event) || raw_input(event).is_some_and(&hear)
            }),
    };
    let selected = selector.renderer_name("software".into()).select();
    selected.map_err(|error| no_screen(display, &error.to_string()))
}

/// Scales the 800x480 screen up to the display it is on; bigger displays scale, they do not rearrange.
///
/// # Errors
/// If the window does not take its new size.
pub fn fit(app: &ui::App) -> Result<(), slint::PlatformError> {
    use slint::platform::WindowEvent;
    let (window, theme) = (app.window(), app.global::<ui::Theme>());
    let size = window.size();
    let wide = size.width as f32 / theme.get_screen_width();
    let high = size.height as f32 / theme.get_screen_height();
    let scale_factor = wide.min(high);
    if scale_factor <= 1.0 || scale_factor == window.scale_factor() {
        return Ok(());
    }
    window.dispatch_event_with_result(WindowEvent::ScaleFactorChanged { scale_factor })?;
    let size = size.to_logical(scale_factor);
    window.dispatch_event_with_result(WindowEvent::Resized { size })?;
    Ok(())
}

/// Takes the raw touches of a desktop's window, which come another way than those of a KMS display.
pub fn watch_window(app: &ui::App, view: &Rc<View>) {
    use slint::winit_030::{EventResult, WinitWindowAccessor, winit::event};
    use wire::kiosk::Phase;
    let view = Rc::clone(view);
    let mut slots = Slots::default();
    app.window().on_winit_window_event(move |window, event| {
        let event::WindowEvent::Touch(touch) = event else { return EventResult::Propagate };
        let size = window.size();
        let at =
            (touch.location.x / f64::from(size.width), touch.location.y / f64::from(size.height));
        let phase = match touch.phase {
            event::TouchPhase::Started => Phase::Down,
            event::TouchPhase::Moved => Phase::Moved,
            event::TouchPhase::Ended | event::TouchPhase::Cancelled => Phase::Up,
        };
        let own = slots.of(touch.id, phase).is_some_and(|slot| view.touched((slot, phase, at)));
        if own { EventResult::PreventDefault } else { EventResult::Propagate }
    });
}

/// Turns a platform's error into a sentence with a remedy.
pub fn no_screen(display: Display, error: &str) -> anyhow::Error {
    match display {
        Display::Window => anyhow::anyhow!(
            "no window can be opened on the desktop that DISPLAY or WAYLAND_DISPLAY names ({})\n\
             what to do: start it from a terminal on that desktop, or unset both variables to use the display itself",
            first_line(error)
        ),
        Display::Kms => {
            let report = kms_report(Path::new("/"));
            anyhow::anyhow!(
                "no screen: there is no X or Wayland desktop (DISPLAY and WAYLAND_DISPLAY are empty), \
                 and the display itself cannot be used\n{report}"
            )
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

/// What there is of KMS below `root`, and the remedy for what is missing.
fn kms_report(root: &Path) -> String {
    let mut report = String::new();
    let cards = names(&root.join("dev/dri"), "card");
    if cards.is_empty() {
        report.push_str(
            "tried: /dev/dri has no card\n\
             what to do: run it on a machine with a display, or in a container give it /dev/dri; \
             to see the pages without any display: ./kiosk screens DIR",
        );
        return report;
    }
    let connectors: Vec<(String, String)> = names(&root.join("sys/class/drm"), "card")
        .into_iter()
        .filter(|name| name.contains('-'))
        .map(|name| {
            let status = fs::read_to_string(root.join("sys/class/drm").join(&name).join("status"));
            (name, status.unwrap_or_default().trim().to_owned())
        })
        .collect();
    let listed: Vec<String> =
        connectors.iter().map(|(name, status)| format!("{name} {status}")).collect();
    let _ =
        writeln!(report, "tried: {} with the connectors {}", cards.join(", "), listed.join(", "));
    let denied: Vec<&String> = cards
        .iter()
        .filter(|card| {
            fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open(root.join("dev/dri").join(card))
                .is_err()
        })
        .collect();
    if let Some(card) = denied.first() {
        let group = fs::metadata(root.join("dev/dri").join(card)).map_or(0, |file| file.gid());
        let _ = write!(
            report,
            "what to do: /dev/dri/{card} belongs to group {group} (usually 'video'): add the user to it \
             and to 'input' (sudo usermod -aG video,input,render $USER), then log in again"
        );
    } else if !connectors.iter().any(|(_, status)| status == "connected") {
        report.push_str(
            "what to do: no connector is connected: plug the screen in, turn the HDMI switch to this host, \
             or force the connector with video=HDMI-A-1:800x480M@60D on the kernel's command line",
        );
    } else {
        report.push_str(
            "what to do: another program may hold the display (a desktop on another console, another kiosk): \
             end it, or start this from that desktop",
        );
    }
    report
}

fn names(folder: &Path, prefix: &str) -> Vec<String> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = listing
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .take(64)
        .collect();
    names.sort();
    names
}

/// Whether it is the key of a chord on which Slint would end.
fn ends(ways_out: &WaysOut, event: &input::Event) -> bool {
    use input::event::keyboard::{KeyState, KeyboardEventTrait};
    let input::Event::Keyboard(key) = event else { return false };
    ways_out.closes(key.key(), key.key_state() == KeyState::Pressed)
}

fn raw_input(event: &input::Event) -> Option<RawInput> {
    match event {
        input::Event::Touch(touch) => raw_touch(touch).map(RawInput::Touch),
        input::Event::Pointer(_) => Some(RawInput::Mouse),
        input::Event::Keyboard(input::event::KeyboardEvent::Key(key)) => raw_key(key),
        _ => None,
    }
}

fn raw_key(key: &input::event::keyboard::KeyboardKeyEvent) -> Option<RawInput> {
    use input::event::keyboard::{KeyState, KeyboardEventTrait};
    (key.key_state() == KeyState::Pressed).then(|| RawInput::Key(key.key()))
}

fn raw_touch(touch: &input::event::TouchEvent) -> Option<RawTouch> {
    use input::event::touch::{TouchEvent, TouchEventPosition, TouchEventSlot};
    use wire::kiosk::Phase;
    // One unit wide and high: the share of the screen.
    let share = |x: f64, y: f64| (x / SCALE, y / SCALE);
    const SCALE: f64 = 65_536.0;
    let slot = |slot: Option<u32>| slot.unwrap_or(0) as usize;
    match touch {
        TouchEvent::Down(down) => Some((
            slot(down.slot()),
            Phase::Down,
            share(down.x_transformed(SCALE as u32), down.y_transformed(SCALE as u32)),
        )),
        TouchEvent::Motion(motion) => Some((
            slot(motion.slot()),
            Phase::Moved,
            share(motion.x_transformed(SCALE as u32), motion.y_transformed(SCALE as u32)),
        )),
        TouchEvent::Up(up) => Some((slot(up.slot()), Phase::Up, (0.0, 0.0))),
        TouchEvent::Cancel(cancel) => Some((slot(cancel.slot()), Phase::Up, (0.0, 0.0))),
        _ => None,
    }
}

/// The environment of this process, for [`choose`].
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(set: &[(&str, &str)]) -> Display {
        choose(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_desktop_is_used_where_there_is_one_and_the_display_itself_elsewhere() {
        assert_eq!(chosen(&[]), Display::Kms);
        assert_eq!(chosen(&[("DISPLAY", ":0")]), Display::Window);
        assert_eq!(chosen(&[("WAYLAND_DISPLAY", "wayland-0")]), Display::Window);
        assert_eq!(chosen(&[("DISPLAY", "")]), Display::Kms);
        assert_eq!(
            chosen(&[("DISPLAY", ":0"), ("SLINT_BACKEND", "linuxkms-software")]),
            Display::Kms
        );
    }

    #[test]
    fn a_machine_without_a_display_is_told_what_to_do() {
        let root = tempfile::tempdir().unwrap();
        assert!(kms_report(root.path()).contains("./kiosk screens DIR"));
    }

    #[test]
    fn a_screen_that_is_switched_away_is_named() {
        let root = tempfile::tempdir().unwrap();
        let connector = root.path().join("sys/class/drm/card1-HDMI-A-1");
        fs::create_dir_all(&connector).unwrap();
        fs::write(connector.join("status"), "disconnected\n").unwrap();
        fs::create_dir_all(root.path().join("dev/dri")).unwrap();
        fs::write(root.path().join("dev/dri/card1"), "").unwrap();
        let report = kms_report(root.path());
        assert!(report.contains("card1-HDMI-A-1 disconnected"), "{report}");
        assert!(report.contains("HDMI switch"), "{report}");
    }
}

//! What the kiosk may use as the user that it runs as, and which devices are there at all. Below a root, so that tests can
//! bring their own.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::{fs::MetadataExt, net::UnixStream},
    path::{Path, PathBuf},
};

use super::finding::{Finding, Matter, Piece};
use crate::{
    config::{Config, RoomSource},
    display::Display,
    room::iio,
    supervisor::run_folder::RunFolder,
};

/// Most entries of a folder that are looked at.
const MAX_ENTRIES: usize = 256;

/// The devices that the screen needs; a desktop opens them itself.
pub fn devices(root: &Path, display: Display, findings: &mut Vec<Finding>) {
    if display == Display::Kms {
        screen(root, findings);
        input(root, findings);
    }
    let nodes = entries(&root.join("dev/dri"), "renderD");
    if let Some((node, denied)) = first_denied(&nodes, true) {
        let finding = Finding::note("graphics processor", format!("{}: {denied}", node.display()));
        findings.push(group(finding, &node, "render", Piece::Graphics));
    }
}

fn screen(root: &Path, findings: &mut Vec<Finding>) {
    let cards = entries(&root.join("dev/dri"), "card");
    // That there is none is said by who looks for the display.
    if let Some((card, denied)) = first_denied(&cards, true) {
        let found = format!("{}: {denied}", card.display());
        findings.push(group(
            Finding::wrong("rights to the screen", found, ""),
            &card,
            "video",
            Piece::Screen,
        ));
    }
}

fn input(root: &Path, findings: &mut Vec<Finding>) {
    let what = "touch screen and keys";
    let events = entries(&root.join("dev/input"), "event");
    findings.push(match first_denied(&events, false) {
        Some((event, denied)) => {
            let found = format!("{}: {denied}", event.display());
            group(Finding::wrong(what, found, ""), &event, "input", Piece::Input)
        }
        None if events.is_empty() => Finding::wrong(
            what,
            format!("there is no device in {}", root.join("dev/input").display()),
            "plug in the USB cable of the touch screen; ls /dev/input must show event0",
        )
        .about(Piece::Input, "")
        .because(Matter::NoDevice, ""),
        None => Finding::well(what, format!("{} devices may be read", events.len()))
            .about(Piece::Input, ""),
    });
}

/// Names the group that the device belongs to.
fn group(finding: Finding, device: &Path, usual: &str, piece: Piece) -> Finding {
    let group = fs::metadata(device).ok().and_then(|file| group_name(file.gid()));
    let group = group.unwrap_or_else(|| usual.to_owned());
    finding
        .with(format!("sudo usermod -aG {group} $USER, then log in again or restart the service"))
        .about(piece, "")
        .because(Matter::Denied, group)
}

/// The name of a group other than root's, as /etc/group has it.
fn group_name(id: u32) -> Option<String> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    let mut named = groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id)).then(|| name.to_owned())
    });
    named.next().filter(|_| id != 0)
}

/// Where the files of a run go; one is made and goes again.
pub fn run_folder(places: &[PathBuf], findings: &mut Vec<Finding>) {
    let what = "folder of a run";
    findings.push(match RunFolder::new(places) {
        Ok(folder) => {
            let place = folder.path().parent().unwrap_or(folder.path()).display().to_string();
            Finding::well(what, format!("can be made in {place}")).about(Piece::RunFolder, "")
        }
        Err(error) => Finding::wrong(
            what,
            error.to_string(),
            "free space there, or give the kiosk a runtime folder (RuntimeDirectory=hpc-kiosk in its unit)",
        )
        .about(Piece::RunFolder, "")
        .because(Matter::NoRoom, ""),
    });
}

/// The Bluetooth that a power meter needs, and the sensor of the room: wrong only where kiosk.toml wants them.
pub fn meters(root: &Path, config: &Config, findings: &mut Vec<Finding>) {
    let what = "power meter";
    let adapters = entries(&root.join("sys/class/bluetooth"), "hci");
    let adapter = match adapters.first() {
        None => Err("there is no Bluetooth adapter".to_owned()),
        Some(adapter) => {
            let name = adapter.file_name().unwrap_or_default().to_string_lossy();
            match UnixStream::connect(root.join("run/dbus/system_bus_socket")) {
                Ok(_) => {
                    Ok(format!("the Bluetooth adapter {name} and the system's D-Bus are there"))
                }
                Err(error) => Err(format!(
                    "the Bluetooth adapter {name} is there, the system's D-Bus cannot be reached: {error}"
                )),
            }
        }
    };
    let finding = match (&config.meter, adapter) {
        (None, Ok(found) | Err(found)) => {
            let note = Finding::note(what, format!("not configured; {found}"));
            note.because(Matter::NotSetUp, "")
        }
        (Some(_), Ok(found)) => {
            Finding::well(what, format!("{found}; hpc-kiosk watch meter shows what it says"))
        }
        (Some(_), Err(found)) => {
            let remedy = "switch Bluetooth on (config.txt without dtoverlay=disable-bt, rfkill unblock bluetooth), or take [meter] out of kiosk.toml";
            Finding::wrong(what, found, remedy).because(Matter::NoDevice, "")
        }
    };
    findings.push(finding.about(Piece::Meter, ""));
    findings.push(room(root, config).about(Piece::Room, ""));
}

fn room(root: &Path, config: &Config) -> Finding {
    let what = "room sensor";
    let sensor = match iio::find(root) {
        None => Err("there is no sensor dht11 among the IIO devices".to_owned()),
        Some(device) => {
            let name = fs::read_to_string(device.join("name")).unwrap_or_default();
            match fs::File::open(device.join("in_temp_input")) {
                Ok(_) => Ok(format!("the sensor {} is there and may be read", name.trim())),
                Err(error) => {
                    Err(format!("the sensor {} is there and may not be read: {error}", name.trim()))
                }
            }
        }
    };
    match (config.room.map(|entry| entry.source), sensor) {
        (None, Ok(found) | Err(found)) => {
            let note = Finding::note(what, format!("not configured; {found}"));
            note.because(Matter::NotSetUp, "")
        }
        (Some(RoomSource::Gpio), Ok(found)) => Finding::wrong(
            what,
            format!("{found}, and the kiosk is told to read it at a pin as well"),
            "write source = \"iio\" into [room] of kiosk.toml",
        ),
        (Some(_), Ok(found)) => Finding::well(what, found),
        (Some(RoomSource::Iio), Err(found)) => {
            let remedy = "dtoverlay=dht11,gpiopin=4 in /boot/firmware/config.txt, then restart";
            Finding::wrong(what, found, remedy).because(Matter::NoDevice, "")
        }
        (Some(_), Err(found)) => {
            Finding::note(what, format!("{found}; the kiosk reads it at a pin"))
        }
    }
}

fn entries(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let listing = fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_ENTRIES);
    let named = listing.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    let mut paths: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The first of `devices` that may not be opened, and what the system says.
fn first_denied(devices: &[PathBuf], write: bool) -> Option<(PathBuf, io::Error)> {
    devices.iter().find_map(|device| {
        let denied = OpenOptions::new().read(true).write(write).open(device).err()?;
        let is_denied = denied.kind() == io::ErrorKind::PermissionDenied;
        is_denied.then(|| (device.clone(), denied))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "dht11@4\n").unwrap();
        }
        root
    }

    fn found(look: impl FnOnce(&mut Vec<Finding>)) -> Vec<Finding> {
        let mut findings = Vec::new();
        look(&mut findings);
        findings
    }

    #[test]
    fn a_machine_without_keys_is_told_so_only_where_the_kiosk_reads_them_itself() {
        let root = tree(&[]);
        let findings = found(|findings| devices(root.path(), Display::Kms, findings));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].level, findings[0].matter), (Level::Wrong, Matter::NoDevice));
        assert_eq!(found(|findings| devices(root.path(), Display::Window, findings)), []);
        let root = tree(&["dev/input/event0", "dev/input/event7", "dev/dri/card1"]);
        let findings = found(|findings| devices(root.path(), Display::Kms, findings));
        assert_eq!((findings.len(), &findings[0].found[..]), (1, "2 devices may be read"));
    }

    #[test]
    fn a_device_that_is_denied_names_the_group_to_join() {
        let finding = Finding::wrong("rights to the screen", "denied", "");
        let finding = group(finding, Path::new("/nonexistent"), "video", Piece::Screen);
        assert_eq!((finding.matter, &finding.detail[..]), (Matter::Denied, "video"));
        assert!(finding.remedy.unwrap().contains("usermod -aG video $USER"));
    }

    #[test]
    fn a_run_without_a_place_is_wrong_and_a_place_is_left_as_it_was() {
        let place = tempfile::tempdir().unwrap();
        let findings = found(|findings| run_folder(&[place.path().into()], findings));
        assert_eq!(findings[0].level, Level::Well);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        let findings = found(|findings| run_folder(&["/nonexistent".into()], findings));
        assert_eq!((findings[0].level, findings[0].matter), (Level::Wrong, Matter::NoRoom));
    }

    #[test]
    fn meter_and_sensor_are_said_to_be_not_configured_with_what_is_there() {
        let root = tree(&[]);
        let findings = found(|findings| meters(root.path(), &Config::default(), findings));
        let said: Vec<&str> = findings.iter().map(|finding| &finding.found[..]).collect();
        let none = "not configured; there is no sensor dht11 among the IIO devices";
        assert_eq!(said, ["not configured; there is no Bluetooth adapter", none]);
        let device = "sys/bus/iio/devices/iio:device0";
        let files = [format!("{device}/name"), format!("{device}/in_temp_input")];
        let root = tree(&[&files[0], &files[1], "sys/class/bluetooth/hci0"]);
        let findings = found(|findings| meters(root.path(), &Config::default(), findings));
        assert!(findings[0].found.contains("hci0 is there, the system's D-Bus cannot be reached"));
        assert!(findings[1].found.ends_with("the sensor dht11@4 is there and may be read"));
        assert!(findings.iter().all(|finding| finding.level == Level::Note));
    }
    #[test]
    fn a_meter_and_a_sensor_that_are_wanted_and_not_there_are_wrong() {
        let meter = Some(Default::default());
        let room = Some(crate::config::RoomEntry { source: RoomSource::Iio, gpio: 4 });
        let config = Config { meter, room, ..Config::default() };
        let root = tree(&[]);
        let findings = found(|findings| meters(root.path(), &config, findings));
        let said: Vec<_> = findings.iter().map(|it| (it.level, it.matter)).collect();
        assert_eq!(said, [(Level::Wrong, Matter::NoDevice); 2]);
        let device = "sys/bus/iio/devices/iio:device0";
        let files = [format!("{device}/name"), format!("{device}/in_temp_input")];
        let root = tree(&[&files[0], &files[1]]);
        let findings = found(|findings| meters(root.path(), &config, findings));
        assert_eq!(findings[1].level, Level::Well);
        let at_pin = RoomSource::Gpio;
        let config = Config {
            room: config.room.map(|it| crate::config::RoomEntry { source: at_pin, ..it }),
            ..config
        };
        let findings = found(|findings| meters(root.path(), &config, findings));
        assert!(findings[1].level == Level::Wrong, "never both on one pin");
    }
}

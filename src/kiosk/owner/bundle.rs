//! One file for whoever helps: versions, addresses, settings, the self-test, the log. Never the PIN.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    command::{self, Limits},
    config::INSTALLED,
    doctor::{self, Subject},
    journal,
};

/// What the system's own journal may take.
const JOURNAL: Limits = Limits { time: Duration::from_secs(5), bytes: 1 << 20 };
/// Most bytes of the settings that are copied.
const MAX_SETTINGS: usize = 256 << 10;

/// Writes it into `folder`, over the one before; where it is.
///
/// # Errors
/// In a sentence, if it cannot be written.
pub async fn write(folder: &Path, subject: &Subject) -> Result<PathBuf, String> {
    let findings = doctor::examine(subject, |_| {}).await;
    let settings = subject.config.as_deref().unwrap_or(Path::new(INSTALLED));
    let settings = match fs::read(settings) {
        Ok(bytes) => String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_SETTINGS)]).into_owned(),
        Err(error) => format!("{}: {error}", settings.display()),
    };
    let arguments = ["--unit=hpc-kiosk", "--lines=2000", "--no-pager", "--quiet"];
    let system = match command::ask("journalctl", arguments, JOURNAL).await {
        Ok(said) if said.is_content => said.output,
        Ok(said) => said.complaint,
        Err(why) => why,
    };
    let machine = rustix::system::uname();
    let text = format!(
        "hpc-kiosk {} on {} {} {}, {}\n\n== addresses\n{}\n\n== self-test\n{}\n== settings\n{settings}\n\
         == log of this kiosk\n{}\n\n== log of the system\n{system}\n",
        env!("CARGO_PKG_VERSION"),
        machine.sysname().to_string_lossy(),
        machine.release().to_string_lossy(),
        machine.machine().to_string_lossy(),
        jiff::Zoned::now().strftime("%Y-%m-%d %H:%M %z"),
        super::addresses::addresses(Path::new("/")).join("\n"),
        doctor::report(&findings),
        journal::lines(usize::MAX).join("\n"),
    );
    let file = folder.join("hpc-kiosk-bundle.txt");
    let beside = folder.join("hpc-kiosk-bundle.new");
    let written = fs::File::create(&beside).and_then(|mut beside| {
        beside.write_all(text.as_bytes())?;
        beside.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, &file))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(file)
}

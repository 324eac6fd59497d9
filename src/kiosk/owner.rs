//! What the owner may ask for behind a PIN. Runs beside the supervisor; the screen tells it what to do and shows what it says.

mod addresses;
mod bundle;
mod door;
pub mod pin;
pub mod shutdown;

use std::{
    path::{Path, PathBuf},
    pin::Pin,
    time::Instant,
};

use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
};

use crate::{config::Owner, doctor::Subject};
use door::Door;
use pin::Answer;
use shutdown::{ShutDown, Switches};

/// One wish of whoever stands before the owner's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Open the menu for this PIN.
    Enter(String),
    /// Close it.
    Leave,
    /// Write all that helps to find a fault into one file.
    Bundle,
    /// End the kiosk, so that it begins anew.
    Restart,
    /// Switch all computers off, this one last.
    ShutDown,
    /// Do not, after all.
    StayUp,
    /// Switch this one off although others have not gone.
    GoOn,
}

/// Whether the menu is open, and if not, why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entrance {
    /// Nobody has asked.
    #[default]
    Closed,
    /// The PIN is being looked at.
    Looking,
    /// It was wrong; the next is looked at from then on, or at once.
    Wrong(Option<Instant>),
    /// There is no PIN, so that none is right.
    NotSet,
    /// It was right.
    Open,
}

/// The one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bundle {
    /// Nobody has asked for it.
    #[default]
    None,
    /// It is being written.
    Writing,
    /// It is there.
    Written(PathBuf),
    /// It cannot be written.
    Failed(String),
}

/// What the owner's menu shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Whether it is open.
    pub entrance: Entrance,
    /// This machine's addresses.
    pub addresses: Vec<String>,
    /// The newest lines of the log, the oldest of them first.
    pub log: Vec<String>,
    /// The file for whoever helps.
    pub bundle: Bundle,
    /// How far the shut-down is.
    pub shut_down: ShutDown,
}

/// Lines of the log that have room on the screen.
const LINES: usize = 14;

/// Does what is asked, until nobody can ask any more; `restart` is called when the kiosk is to begin anew.
pub async fn run(
    owner: Owner,
    switches: Switches,
    subject: Subject,
    mut orders: mpsc::Receiver<Order>,
    told: watch::Sender<Told>,
    restart: impl Fn(),
) {
    let mut door = Door::default();
    let (go_on, heard) = watch::channel(0_u32);
    let tell = |stage| told.send_modify(|told| told.shut_down = stage);
    let mut leaving: Option<Pin<Box<dyn Future<Output = ()> + '_>>> = None;
    loop {
        let order = tokio::select! {
            order = orders.recv() => order,
            () = async { if let Some(leaving) = &mut leaving { leaving.await } }, if leaving.is_some() => {
                leaving = None;
                continue;
            }
        };
        let Some(order) = order else { return };
        let is_open = told.borrow().entrance == Entrance::Open;
        match order {
            Order::Enter(text) => {
                told.send_modify(|told| told.entrance = Entrance::Looking);
                let entrance = enter(&mut door, text, &owner.pin_file).await;
                let is_open = entrance == Entrance::Open;
                let (addresses, log) = match is_open {
                    true => (addresses::addresses(Path::new("/")), crate::journal::lines(LINES)),
                    false => Default::default(),
                };
                told.send_replace(Told { entrance, addresses, log, ..Told::default() });
            }
            Order::Leave => {
                leaving = None;
                told.send_replace(Told::default());
            }
            Order::Bundle if is_open => {
                told.send_modify(|told| told.bundle = Bundle::Writing);
                let bundle = match bundle::write(&owner.bundle_folder, &subject).await {
                    Ok(file) => Bundle::Written(file),
                    Err(why) => Bundle::Failed(why),
                };
                told.send_modify(|told| {
                    told.bundle = bundle;
                    told.log = crate::journal::lines(LINES);
                });
            }
            Order::Restart if is_open => {
                log::info!("the owner starts the kiosk anew");
                restart();
            }
            // A second press changes nothing.
            Order::ShutDown if is_open && leaving.is_some() => {}
            Order::ShutDown if is_open => {
                log::info!("the owner shuts the cluster down");
                leaving = Some(Box::pin(switches.run(tell, heard.clone())));
            }
            Order::StayUp => {
                if leaving.take().is_some() {
                    log::info!("the owner does not shut the cluster down after all");
                }
                tell(ShutDown::None);
            }
            Order::GoOn if is_open => go_on.send_modify(|count| *count += 1),
            Order::Bundle | Order::Restart | Order::ShutDown | Order::GoOn => {
                log::warn!("refused without a PIN: {order:?}");
            }
        }
    }
}

/// Looks at a PIN, if it is time for that.
async fn enter(door: &mut Door, text: String, file: &Path) -> Entrance {
    if let Some(until) = door.shut_until(Instant::now()) {
        return Entrance::Wrong(Some(until));
    }
    let file = file.to_owned();
    let answer = spawn_blocking(move || pin::verify(&text, &file)).await;
    match answer.unwrap_or(Answer::Wrong) {
        Answer::Right => {
            door.right();
            Entrance::Open
        }
        Answer::Wrong => {
            log::warn!("a wrong PIN was entered for the owner's menu");
            Entrance::Wrong(door.wrong(Instant::now()))
        }
        Answer::NotSet => Entrance::NotSet,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Config;
    use shutdown::Pace;

    /// What is told after these orders, with the PIN 1234, and how often the kiosk was started anew.
    fn told(orders: &[Order]) -> (Told, usize) {
        let folder = tempfile::tempdir().unwrap();
        let pin_file = folder.path().join("pin");
        pin::set("1234", &pin_file).unwrap();
        let owner = Owner { pin_file, bundle_folder: folder.path().into(), ..Owner::default() };
        let config = Config {
            owner: Owner { shut_down: vec!["/nonexistent/off".into()], ..owner.clone() },
            ..Config::default()
        };
        let pace = Pace { countdown: Duration::ZERO, ..Pace::default() };
        let switches = Switches::new(&config, pace);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (sender, receiver) = mpsc::channel(16);
        orders.iter().for_each(|order| sender.try_send(order.clone()).unwrap());
        drop(sender);
        let (tell, told) = watch::channel(Told::default());
        let restarts = std::cell::Cell::new(0);
        let restart = || restarts.set(restarts.get() + 1);
        let subject = Subject {
            config: Some(folder.path().join("kiosk.toml")),
            executable: folder.path().join("hpc-kiosk"),
            demos: Vec::new(),
        };
        runtime.block_on(run(owner, switches, subject, receiver, tell, restart));
        if let Bundle::Written(file) = &told.borrow().bundle {
            let text = std::fs::read_to_string(file).unwrap();
            assert!(text.contains("hpc-kiosk") && text.contains("self-test"), "{text}");
        }
        (told.borrow().clone(), restarts.get())
    }

    fn enter(pin: &str) -> Order {
        Order::Enter(pin.into())
    }

    #[test]
    fn only_the_right_pin_opens_and_only_an_open_menu_obeys() {
        let (shut, restarts) =
            told(&[Order::Restart, Order::Bundle, enter("1235"), Order::Restart]);
        assert_eq!((shut.entrance, restarts), (Entrance::Wrong(None), 0));
        assert_eq!((shut.bundle, shut.log, shut.addresses), (Bundle::None, vec![], vec![]));
        let (open, restarts) = told(&[enter("1234"), Order::Restart]);
        assert_eq!((open.entrance, restarts), (Entrance::Open, 1));
        let (left, restarts) = told(&[enter("1234"), Order::Leave, Order::Restart]);
        assert_eq!((left, restarts), (Told::default(), 0));
    }

    #[test]
    fn after_three_wrong_pins_even_the_right_one_has_to_wait() {
        let wrong = [enter("1"), enter("2"), enter("3"), enter("1234")];
        let (told, _) = told(&wrong);
        let Entrance::Wrong(Some(until)) = told.entrance else { panic!("{told:?}") };
        let wait = until - Instant::now();
        assert!(Duration::from_secs(5) < wait && wait <= Duration::from_secs(10), "{wait:?}");
    }

    #[test]
    fn only_an_open_menu_shuts_down_and_who_leaves_it_has_cancelled() {
        let (shut, _) = told(&[Order::ShutDown, Order::GoOn]);
        assert_eq!(shut, Told::default());
        for cancel in [Order::StayUp, Order::Leave] {
            let (told, _) = told(&[enter("1234"), Order::ShutDown, cancel]);
            assert_eq!(told.shut_down, ShutDown::None);
        }
    }

    #[test]
    fn the_bundle_is_one_file() {
        let (told, _) = told(&[enter("1234"), Order::Bundle]);
        assert!(matches!(told.bundle, Bundle::Written(_)), "{told:?}");
    }
}

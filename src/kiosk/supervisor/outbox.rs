//! What waits to be sent to a demo. Pure: somebody else writes.
//!
//! A demo that reads slowly, or never, gets fewer moves and fewer touches, but no touch in part: whoever gets a
//! finger's `Down` gets its `Up`. Memory stays bounded.

use std::collections::{HashMap, VecDeque};

use wire::kiosk::{Command, Control, Phase, Pointer};

/// Most waiting commands; beyond it new touches are left out whole.
const MAX_WAITING: usize = 256;

/// Commands on their way to a demo.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Command>,
    /// Fingers whose `Down` has been taken and whose `Up` has not, and where they are.
    down: HashMap<u8, (f32, f32)>,
    /// Number of the newest pointer event.
    sequence: u32,
    bytes: Vec<u8>,
    written: usize,
}

impl Outbox {
    /// A finger did something.
    pub fn pointer(&mut self, finger: u8, phase: Phase, x: f32, y: f32) {
        if !(x.is_finite() && y.is_finite()) {
            return;
        }
        let is_full = MAX_WAITING <= self.waiting.len();
        let is_wanted = match phase {
            Phase::Down => !is_full && !self.down.contains_key(&finger),
            Phase::Moved => self.down.contains_key(&finger),
            Phase::Up => self.down.remove(&finger).is_some(),
        };
        if is_wanted && phase != Phase::Up {
            self.down.insert(finger, (x, y));
        }
        if !is_wanted {
            return;
        }
        // A move that has not left yet is overtaken by the next one of the same finger.
        let newest = self.waiting.iter().rposition(
            |command| matches!(command, Command::Pointer(pointer) if pointer.finger == finger),
        );
        let overtaken = newest.filter(|place| phase == Phase::Moved && self.is_move(*place));
        if let Some(place) = overtaken {
            self.waiting.remove(place);
        } else if is_full && phase == Phase::Moved {
            return;
        }
        self.sequence = self.sequence.wrapping_add(1);
        let event = Pointer { sequence: self.sequence, finger, phase, x, y };
        self.waiting.push_back(Command::Pointer(event));
    }

    /// A control has a new value; one that has not left yet is overtaken.
    pub fn control(&mut self, control: Control) {
        self.waiting.retain(|command| match command {
            Command::Control(waiting) => waiting.name != control.name,
            _ => true,
        });
        self.waiting.push_back(Command::Control(control));
    }

    /// Something that is neither a finger nor a control, and that nothing overtakes.
    pub fn send(&mut self, command: Command) {
        self.waiting.push_back(command);
    }

    /// The fingers that are down, with where each was last, in picture pixels.
    pub fn fingers(&self) -> impl Iterator<Item = (u8, f32, f32)> {
        self.down.iter().map(|(finger, (x, y))| (*finger, *x, *y))
    }

    /// The run is to end: nothing else that waits matters any more.
    pub fn stop(&mut self) {
        self.waiting.clear();
        self.waiting.push_back(Command::Stop);
    }

    /// The bytes to be written next; empty if there is nothing to say.
    pub fn bytes(&mut self) -> &[u8] {
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.written = 0;
            if let Some(command) = self.waiting.pop_front() {
                command.encode(&mut self.bytes);
            }
        }
        &self.bytes[self.written..]
    }

    /// `count` of [`Self::bytes`] have been written.
    pub fn wrote(&mut self, count: usize) {
        self.written += count;
    }

    fn is_move(&self, place: usize) -> bool {
        let moved =
            |command: &Command| matches!(command, Command::Pointer(p) if p.phase == Phase::Moved);
        self.waiting.get(place).is_some_and(moved)
    }
}

#[cfg(test)]
mod tests {
    use wire::record::{HEADER_LEN, Header};

    use std::collections::HashSet;

    use super::*;

    /// Reads everything that waits, `piece` bytes at a time.
    fn read(outbox: &mut Outbox, piece: usize) -> Vec<Command> {
        let mut stream = Vec::new();
        loop {
            let bytes = outbox.bytes();
            if bytes.is_empty() {
                break;
            }
            let count = bytes.len().min(piece);
            stream.extend_from_slice(&bytes[..count]);
            outbox.wrote(count);
        }
        let mut commands = Vec::new();
        let mut rest = stream.as_slice();
        while let Some((header, after)) = rest.split_first_chunk::<HEADER_LEN>() {
            let header = Header::decode(*header).unwrap();
            let (payload, after) = after.split_at(header.length as usize);
            commands.extend(Command::decode(header, payload).unwrap());
            rest = after;
        }
        commands
    }

    fn phases(commands: &[Command]) -> Vec<(u8, Phase)> {
        let phase = |command: &Command| match command {
            Command::Pointer(pointer) => Some((pointer.finger, pointer.phase)),
            _ => None,
        };
        commands.iter().filter_map(phase).collect()
    }

    #[test]
    fn commands_leave_in_order_and_whole() {
        for piece in [1, 5, 1000] {
            let mut outbox = Outbox::default();
            outbox.control(Control { name: "speed".into(), value: 2.0 });
            outbox.pointer(0, Phase::Down, 1.0, 2.0);
            outbox.pointer(0, Phase::Up, 3.0, 4.0);
            let pointer = |sequence, phase, x, y| {
                Command::Pointer(Pointer { sequence, finger: 0, phase, x, y })
            };
            assert_eq!(
                read(&mut outbox, piece),
                [
                    Command::Control(Control { name: "speed".into(), value: 2.0 }),
                    pointer(1, Phase::Down, 1.0, 2.0),
                    pointer(2, Phase::Up, 3.0, 4.0),
                ]
            );
        }
    }

    #[test]
    fn moves_that_have_not_left_are_overtaken_finger_by_finger() {
        let mut outbox = Outbox::default();
        for finger in [0, 1] {
            outbox.pointer(finger, Phase::Down, 0.0, 0.0);
        }
        for x in 0_u8..100 {
            outbox.pointer(x % 2, Phase::Moved, f32::from(x), 0.0);
        }
        let commands = read(&mut outbox, 1000);
        let last: Vec<f32> = commands
            .iter()
            .filter_map(|command| match command {
                Command::Pointer(pointer) if pointer.phase == Phase::Moved => Some(pointer.x),
                _ => None,
            })
            .collect();
        assert_eq!(last, [98.0, 99.0]);
        let Some(Command::Pointer(newest)) = commands.last() else { panic!("{commands:?}") };
        assert_eq!(newest.sequence, 102);
    }

    #[test]
    fn a_demo_that_never_reads_costs_no_memory_and_gets_no_touch_in_part() {
        let mut outbox = Outbox::default();
        for touch in 0..10_000 {
            let finger = (touch % 3) as u8;
            outbox.pointer(finger, Phase::Down, 0.0, 0.0);
            outbox.pointer(finger, Phase::Moved, 1.0, 1.0);
            outbox.pointer(finger, Phase::Up, 0.0, 0.0);
        }
        let commands = read(&mut outbox, 1000);
        assert!((250..=260).contains(&commands.len()), "{}", commands.len());
        let mut down = HashSet::new();
        for (finger, phase) in phases(&commands) {
            match phase {
                Phase::Down => assert!(down.insert(finger)),
                Phase::Moved => assert!(down.contains(&finger)),
                Phase::Up => assert!(down.remove(&finger)),
            }
        }
        assert!(down.is_empty());
    }

    #[test]
    fn a_finger_that_was_down_before_is_ignored_until_it_touches_again() {
        let mut outbox = Outbox::default();
        outbox.pointer(0, Phase::Moved, 0.0, 0.0);
        outbox.pointer(0, Phase::Up, 0.0, 0.0);
        outbox.pointer(0, Phase::Down, f32::NAN, 0.0);
        assert_eq!(read(&mut outbox, 1000), []);
    }

    #[test]
    fn only_the_newest_value_of_a_control_is_sent() {
        let mut outbox = Outbox::default();
        for value in [1.0, 2.0, 3.0] {
            outbox.control(Control { name: "speed".into(), value });
        }
        let expected = Command::Control(Control { name: "speed".into(), value: 3.0 });
        assert_eq!(read(&mut outbox, 1000), [expected]);
    }

    #[test]
    fn a_stop_overtakes_everything_but_the_record_that_is_half_written() {
        let mut outbox = Outbox::default();
        outbox.pointer(0, Phase::Down, 0.0, 0.0);
        let half = outbox.bytes().len() / 2;
        let front = outbox.bytes()[..half].to_vec();
        outbox.wrote(half);
        outbox.pointer(0, Phase::Moved, 0.0, 0.0);
        outbox.stop();
        let rest = outbox.bytes().to_vec();
        outbox.wrote(rest.len());
        let header = Header::decode(front[..8].try_into().unwrap()).unwrap();
        assert_eq!(header.length as usize, front.len() + rest.len() - 8);
        assert_eq!(read(&mut outbox, 1000), [Command::Stop]);
    }
}

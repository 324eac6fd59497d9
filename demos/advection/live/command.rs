//! What rank 0 tells all ranks before each frame, in one broadcast of fixed size.

use advection::{flows::Pattern, mpdata::Options, stroke::Stroke};

/// Most fingers at a time.
pub const MAX_FINGERS: usize = 10;

/// The schemes that a visitor may compare, as the control `scheme` counts them.
pub const SCHEMES: [Options; 3] = [Options::UPWIND, Options::BASIC, Options::GAUGE_NON_OSCILLATORY];
/// The flows, as the control `flow` counts them.
pub const PATTERNS: [Pattern; 3] = [Pattern::Swirl, Pattern::Rotation, Pattern::Translation];
/// Number of pictures: the pipe, the cone and the board, as the control `picture` counts them.
pub const MOTIFS: usize = 3;

/// What is shown: indices into [`SCHEMES`] and [`PATTERNS`], and one of [`MOTIFS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// How the picture is carried.
    pub scheme: usize,
    /// By which flow.
    pub flow: usize,
    /// Which picture.
    pub motif: usize,
}

impl Choice {
    /// What a visitor sees first: the pipe in the swirl, with the best scheme.
    pub const FIRST: Choice = Choice { scheme: 2, flow: 0, motif: 0 };
}

/// What happens until the next frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Command {
    /// The run is over; nothing else counts then.
    pub stop: bool,
    /// Nothing moves: sleep for a while afterwards.
    pub held: bool,
    /// Begin with the picture anew, before anything else.
    pub restart: bool,
    /// Begin the flow's time anew.
    pub rewind: bool,
    /// Bring the picture to rank 0.
    pub paint: bool,
    /// Bring the statistics to rank 0.
    pub statistics: bool,
    /// Bring the whole field to rank 0, as it is after this command.
    pub save: bool,
    /// What is shown from now on.
    pub choice: Choice,
    /// Steps to compute.
    pub batch: u32,
    /// The share of earlier stirring that has not faded.
    pub kept: f64,
    /// The ways of the fingers since the last frame; the first [`Self::fingers`] count.
    pub strokes: [Stroke; MAX_FINGERS],
    /// Number of strokes.
    pub fingers: usize,
}

impl Command {
    /// Numbers in a message.
    pub const LEN: usize = 13 + 4 * MAX_FINGERS;

    /// A command to do nothing, as a first value.
    pub const NOTHING: Command = Command {
        stop: false,
        held: false,
        restart: false,
        rewind: false,
        paint: false,
        statistics: false,
        save: false,
        choice: Choice::FIRST,
        batch: 0,
        kept: 1.0,
        strokes: [Stroke { from: [0.0; 2], to: [0.0; 2] }; MAX_FINGERS],
        fingers: 0,
    };

    /// The message.
    pub fn encode(&self) -> [f64; Self::LEN] {
        let flags = [
            self.stop,
            self.held,
            self.restart,
            self.rewind,
            self.paint,
            self.statistics,
            self.save,
        ];
        let numbers = [
            self.choice.scheme as f64,
            self.choice.flow as f64,
            self.choice.motif as f64,
            f64::from(self.batch),
            self.kept,
            self.fingers as f64,
        ];
        let mut message = [0.0; Self::LEN];
        message[..7].copy_from_slice(&flags.map(|flag| f64::from(u8::from(flag))));
        message[7..13].copy_from_slice(&numbers);
        for (stroke, to) in self.strokes.iter().zip(message[13..].chunks_exact_mut(4)) {
            to[..2].copy_from_slice(&stroke.from);
            to[2..].copy_from_slice(&stroke.to);
        }
        message
    }

    /// The command in a message of [`Self::encode`]; rank 0 is trusted.
    pub fn decode(message: &[f64; Self::LEN]) -> Self {
        let flag = |k: usize| message[k] != 0.0;
        let mut command = Command {
            stop: flag(0),
            held: flag(1),
            restart: flag(2),
            rewind: flag(3),
            paint: flag(4),
            statistics: flag(5),
            save: flag(6),
            choice: Choice {
                scheme: message[7] as usize,
                flow: message[8] as usize,
                motif: message[9] as usize,
            },
            batch: message[10] as u32,
            kept: message[11],
            fingers: message[12] as usize,
            ..Self::NOTHING
        };
        for (stroke, from) in command.strokes.iter_mut().zip(message[13..].chunks_exact(4)) {
            *stroke = Stroke { from: [from[0], from[1]], to: [from[2], from[3]] };
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_survive_the_broadcast() {
        let mut command = Command {
            held: true,
            rewind: true,
            statistics: true,
            save: true,
            choice: Choice { scheme: 1, flow: 2, motif: 1 },
            batch: 17,
            kept: 0.25,
            fingers: 2,
            ..Command::NOTHING
        };
        command.strokes[1] = Stroke { from: [1.5, 2.0], to: [3.0, 4.25] };
        assert_eq!(Command::decode(&command.encode()), command);
        let other = Command { stop: true, restart: true, paint: true, ..Command::NOTHING };
        assert_eq!(Command::decode(&other.encode()), other);
    }

    #[test]
    fn the_controls_of_demo_toml_are_those_of_the_program() {
        let demo: toml::Table = include_str!("../demo.toml").parse().unwrap();
        let controls = demo["control"].as_array().unwrap();
        let first = Choice::FIRST;
        for (name, count, default) in [
            ("scheme", SCHEMES.len(), first.scheme),
            ("flow", PATTERNS.len(), first.flow),
            ("picture", MOTIFS, first.motif),
        ] {
            let control =
                controls.iter().find(|control| control["name"].as_str() == Some(name)).unwrap();
            assert_eq!(control["default"].as_integer(), Some(default as i64), "{name}");
            for language in ["pl", "en"] {
                let choices = control["text"][language]["choices"].as_array().unwrap();
                assert_eq!(choices.len(), count, "{name} {language}");
            }
        }
        assert!(controls.iter().any(|control| control["name"].as_str() == Some("restart")));
        assert_eq!(controls.len(), 4);
    }
}

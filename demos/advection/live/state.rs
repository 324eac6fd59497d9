//! The state of a run, as one run hands it over and another goes on from: a header and the whole field. Pure.

use super::{
    command::{Choice, MOTIFS, PATTERNS, SCHEMES},
    director::Score,
};

const MAGIC: [u8; 8] = *b"pipe 1\0\0";
/// Magic, size, choice, clock, untouched, step.
const HEADER: usize = 8 + 8 + 3 + 1 + 3 * 8;

/// Everything that a run goes on from.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// What the director knows.
    pub score: Score,
    /// Steps since the start.
    pub step: u64,
    /// The field, row by row, first index x.
    pub field: Vec<f32>,
}

/// The bytes are not the state of such a picture.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state that another run handed over cannot be used ({0}); the picture begins anew")]
pub struct StateError(&'static str);

impl State {
    /// The bytes, for a field of `size` cells.
    pub fn encode(&self, size: (usize, usize)) -> Vec<u8> {
        let Score { choice, clock, untouched_for } = self.score;
        let mut bytes = Vec::with_capacity(HEADER + 4 * self.field.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&(size.0 as u32).to_le_bytes());
        bytes.extend_from_slice(&(size.1 as u32).to_le_bytes());
        bytes.extend_from_slice(&[choice.scheme as u8, choice.flow as u8, choice.motif as u8]);
        bytes.push(u8::from(untouched_for.is_some()));
        for number in [clock, untouched_for.unwrap_or(0), self.step] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend(self.field.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// The state in `bytes`, which must be that of a field of `size` cells.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn decode(bytes: &[u8], size: (usize, usize)) -> Result<Self, StateError> {
        let Some((head, field)) = bytes.split_at_checked(HEADER) else {
            return Err(StateError("it is too short"));
        };
        if head[..8] != MAGIC {
            return Err(StateError("it is of another program or version"));
        }
        let side = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|k| head[at + k])) as usize;
        if (side(8), side(12)) != size || field.len() != 4 * size.0 * size.1 {
            return Err(StateError("it is of another size"));
        }
        let [scheme, flow, motif] = [16, 17, 18].map(|at| usize::from(head[at]));
        if SCHEMES.len() <= scheme || PATTERNS.len() <= flow || MOTIFS <= motif {
            return Err(StateError("it shows what there is not"));
        }
        let number = |at: usize| u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|k| head[at + k]));
        let untouched_for = (head[19] != 0).then(|| number(28));
        let score =
            Score { choice: Choice { scheme, flow, motif }, clock: number(20), untouched_for };
        let field: Vec<f32> =
            field.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        if field.iter().any(|value| !value.is_finite()) {
            return Err(StateError("it has numbers that are none"));
        }
        Ok(Self { score, step: number(36), field })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let choice = Choice { scheme: 1, flow: 2, motif: 1 };
        let score = Score { choice, clock: 77, untouched_for: Some(5) };
        State { score, step: 1 << 40, field: (0..12_u8).map(f32::from).collect() }
    }

    #[test]
    fn a_state_survives_being_handed_over() {
        for untouched_for in [None, Some(0), Some(9)] {
            let mut state = state();
            state.score.untouched_for = untouched_for;
            assert_eq!(State::decode(&state.encode((3, 4)), (3, 4)), Ok(state));
        }
    }

    #[test]
    fn what_is_no_state_of_this_picture_is_refused() {
        let bytes = state().encode((3, 4));
        for length in 0..bytes.len() {
            assert!(State::decode(&bytes[..length], (3, 4)).is_err(), "{length}");
        }
        assert_eq!(State::decode(&bytes, (4, 3)), Err(StateError("it is of another size")));
        let changed = |at: usize, byte: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            State::decode(&bytes, (3, 4))
        };
        assert!(changed(0, b'x').is_err());
        assert!(changed(16, 3).is_err());
        // The highest byte of an f32 that becomes infinite or no number.
        let mut infinite = bytes.clone();
        infinite[HEADER..HEADER + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
        assert!(State::decode(&infinite, (3, 4)).is_err());
    }
}

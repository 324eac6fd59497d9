use super::{
    super::{air::Air, trust::Trust},
    *,
};

/// 65.2 % and 35.1 degrees, the data sheet's example.
const GOOD: [u8; 5] = [0x02, 0x8c, 0x01, 0x5f, 0xee];

/// The lengths of an answer's pulses, low first, us.
fn lengths(bytes: [u8; 5]) -> Vec<f64> {
    let mut lengths = vec![80.0, 80.0];
    for bit in 0..40 {
        let is_one = bytes[bit / 8] >> (7 - bit % 8) & 1 == 1;
        lengths.extend([50.0, if is_one { 70.0 } else { 27.0 }]);
    }
    lengths.push(50.0);
    lengths
}

/// The edges around such pulses, after the line was let go of for 30 us.
fn edges(lengths: &[f64]) -> Vec<Edge> {
    let mut at_us = 2030.0;
    let mut edges = vec![Edge { at: Duration::from_micros(2000), rose: true }];
    let mut rose = false;
    for length in lengths.iter().chain([&0.0]) {
        edges.push(Edge { at: Duration::from_secs_f64(at_us / 1e6), rose });
        at_us += length;
        rose = !rose;
    }
    edges
}

/// Chance without a library: xorshift64* (Vigna 2016), the same at every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[test]
fn good_answers_are_read_with_and_without_our_own_edge() {
    for bytes in [GOOD, [0x02, 0x8c, 0x80, 0x65, 0x73], [0xff; 5], [0; 5]] {
        let all = edges(&lengths(bytes));
        assert_eq!(decode(&all), Ok(bytes));
        assert_eq!(decode(&all[1..]), Ok(bytes), "let go of before it was looked at");
        assert_eq!(decode(&all[..all.len() - 1]), Ok(bytes), "the end was not waited for");
    }
}

#[test]
fn the_extremes_of_the_data_sheet_are_read() {
    for (low, zero, one) in [(48.0, 22.0, 68.0), (55.0, 30.0, 75.0)] {
        let mut all = lengths(GOOD);
        for length in &mut all[2..] {
            *length = match *length as u32 {
                27 => zero,
                70 => one,
                _ => low,
            };
        }
        assert_eq!(decode(&edges(&all)), Ok(GOOD));
    }
}

#[test]
fn a_stuck_line_is_no_answer() {
    assert_eq!(decode(&[]), Err(Trouble::NoAnswer));
    assert_eq!(decode(&edges(&[])), Err(Trouble::NoAnswer), "high for ever");
    assert_eq!(decode(&edges(&[80.0])), Err(Trouble::NoAnswer), "low for ever");
}

#[test]
fn a_missing_edge_is_never_an_answer() {
    let good = edges(&lengths(GOOD));
    for missing in 1..good.len() - 2 {
        let mut bad = good.clone();
        bad.remove(missing);
        assert_eq!(decode(&bad), Err(Trouble::Damaged), "edge {missing}");
        // The reader looked away for a whole pulse: two edges are gone.
        let mut bad = good.clone();
        bad.drain(missing..missing + 2);
        assert!(decode(&bad).is_err(), "edges {missing} and the next");
    }
}

#[test]
fn a_lost_first_bit_does_not_shift_the_others() {
    let mut lost = lengths(GOOD);
    lost.drain(2..4);
    assert_eq!(decode(&edges(&lost)), Err(Trouble::Damaged));
    // Nor does one more.
    let mut more = lengths(GOOD);
    more.splice(2..2, [50.0, 27.0]);
    assert_eq!(decode(&edges(&more)), Err(Trouble::Damaged));
}

/// A reader that sees every edge up to 3 us late, and is away from time to time.
fn preempted(lengths: &[f64], chance: &mut Chance) -> Vec<Edge> {
    let mut seen: Vec<Edge> = Vec::new();
    let mut away_until = Duration::ZERO;
    for edge in edges(lengths) {
        let late = Duration::from_secs_f64(3e-6 * chance.share());
        if chance.below(400) == 0 {
            away_until = edge.at + Duration::from_secs_f64(1e-4 * chance.share());
        }
        let at = (edge.at + late).max(away_until);
        match seen.last() {
            // Two changes while it was away are none, or one that is late.
            Some(last) if at <= last.at => {
                seen.pop();
            }
            _ => seen.push(Edge { at, ..edge }),
        }
    }
    seen
}

#[test]
fn a_preempted_reader_fails_now_and_then_and_never_lies() {
    let mut chance = Chance(1);
    let (mut read, mut failed) = (0, 0);
    for _ in 0..20_000 {
        match decode(&preempted(&lengths(GOOD), &mut chance)).map(Air::decode) {
            Ok(Ok(air)) => {
                assert_eq!((air.humidity_percent, air.celsius), (65.2, 35.1));
                read += 1;
            }
            _ => failed += 1,
        }
    }
    println!("preempted 1 edge in 400: {read} read, {failed} failed");
    assert!(15_000 < read && 1_000 < failed);
}

/// Makes something else of the pulses: changed lengths, lost, added and moved ones, noise.
fn corrupt(pulses: &mut Vec<f64>, chance: &mut Chance) {
    let place = |pulses: &[f64], chance: &mut Chance| chance.below(pulses.len().max(1));
    match chance.below(6) {
        0 => {
            // Bits the other way round: what a checksum is for.
            for _ in 0..=chance.below(8) {
                let bit = 3 + 2 * chance.below(40);
                if let Some(length) = pulses.get_mut(bit) {
                    *length = if *length < 49.0 { 70.0 } else { 27.0 };
                }
            }
        }
        1 => {
            for _ in 0..=chance.below(4) {
                let at = place(pulses, chance);
                pulses.remove(at);
            }
        }
        2 => {
            for _ in 0..=chance.below(4) {
                let at = place(pulses, chance);
                pulses.insert(at, 100.0 * chance.share());
            }
        }
        3 => {
            for _ in 0..=chance.below(40) {
                let at = place(pulses, chance);
                pulses[at] = 120.0 * chance.share();
            }
        }
        4 => {
            // An edge that is seen late moves time from one pulse to the next.
            for _ in 0..=chance.below(10) {
                let at = place(pulses, chance);
                let late = 60.0 * chance.share();
                pulses[at] += late;
                if let Some(next) = pulses.get_mut(at + 1) {
                    *next = (*next - late).max(0.0);
                }
            }
        }
        _ => {
            // Another answer altogether in the middle of this one.
            let from = chance.below(78) + 2;
            for at in (from..pulses.len()).filter(|at| at % 2 == 1) {
                pulses[at] = if chance.below(2) == 0 { 27.0 } else { 70.0 };
            }
        }
    }
}

#[test]
fn of_a_million_corruptions_only_colliding_sums_pass_and_none_far_from_the_truth_is_believed() {
    const COUNT: u32 = 1_000_000;
    let mut chance = Chance(20_260_701);
    let good = Air::decode(GOOD).unwrap();
    let (mut passed, mut believed, mut refused) = (0u32, 0u32, 0u32);
    for _ in 0..COUNT {
        let mut pulses = lengths(GOOD);
        corrupt(&mut pulses, &mut chance);
        let Ok(bytes) = decode(&edges(&pulses)) else {
            refused += 1;
            continue;
        };
        let Ok(air) = Air::decode(bytes) else {
            refused += 1;
            continue;
        };
        if air == good {
            continue;
        }
        passed += 1;
        let sum = bytes[..4].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        assert_eq!(sum, bytes[4], "only a colliding sum may pass");
        // The sensor has been at `good` for a while.
        let mut trust = Trust::default();
        assert!(trust.judge(good).is_none() && trust.judge(good).is_some());
        if trust.judge(air).is_some() {
            believed += 1;
            // What is believed all the same is as near as two good readings are.
            assert!((air.celsius - good.celsius).abs() <= 1.0, "{air:?}");
        }
    }
    println!("{refused} refused, {passed} wrong with a right sum, {believed} of them believed");
    // One in 256 of the answers whose pulses are clear would pass by chance alone.
    assert!(passed < COUNT / 500, "{passed}");
    assert!(believed * 2 < passed, "{believed} of {passed}");
}

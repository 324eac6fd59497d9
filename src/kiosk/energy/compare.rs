//! What an energy is like: something of its own size, so that a visitor can think of it. All constants stand here.

/// Standard gravity, m/s² (CGPM 1901).
const GRAVITY: f64 = 9.806_65;
/// A child of seven years, kg (WHO weight-for-age, median 22.9 kg at 7 years).
const CHILD_KG: f64 = 22.9;
/// A battery of a telephone when it is full: 4000 mAh at 3.85 V are 15.4 Wh.
const PHONE_JOULES: f64 = 15.4 * 3600.0;
/// Water from 20 to 100 °C, J/g: 80 K times 4.186 J/(g K) (the calorie of 15 °C).
const TEA_JOULES_PER_GRAM: f64 = 80.0 * 4.186;
/// A cup, g.
const CUP_GRAMS: f64 = 250.0;

/// Something that takes the same energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    /// Lifts a child so high, m.
    Child(f64),
    /// Fills so many telephones' batteries, a share of one below 1.
    Phones(f64),
    /// Boils so many cups of tea.
    Cups(f64),
}

/// The comparison whose number is easiest to think of; none below a hundredth of a metre.
pub fn compare(joules: f64) -> Option<Comparison> {
    let metres = joules / (CHILD_KG * GRAVITY);
    let phones = joules / PHONE_JOULES;
    match joules {
        _ if !(0.01..).contains(&metres) => None,
        // Up to the height of a house.
        _ if metres < 30.0 => Some(Comparison::Child(metres)),
        _ if phones < 3.0 => Some(Comparison::Phones(phones)),
        _ => Some(Comparison::Cups(joules / (TEA_JOULES_PER_GRAM * CUP_GRAMS))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_its_own_picture() {
        assert_eq!(compare(0.0), None);
        assert_eq!(compare(-5.0), None);
        assert_eq!(compare(f64::NAN), None);
        assert!(
            matches!(compare(450.0), Some(Comparison::Child(metres)) if (metres - 2.0).abs() < 0.01)
        );
        assert!(
            matches!(compare(27_720.0), Some(Comparison::Phones(part)) if (part - 0.5).abs() < 1e-9)
        );
        assert!(
            matches!(compare(837_200.0), Some(Comparison::Cups(cups)) if (cups - 10.0).abs() < 1e-9)
        );
    }
}

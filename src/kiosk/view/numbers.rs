//! Numbers as a language writes them: Polish has a decimal comma, both keep the unit on the number's line.

/// A language the screens speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Polish, the visitors' first.
    #[default]
    Polish,
    /// English.
    English,
}

impl Language {
    /// Two letters, ISO 639-1, as in file names and demo.toml.
    pub fn code(self) -> &'static str {
        match self {
            Language::Polish => "pl",
            Language::English => "en",
        }
    }

    /// The language with these two letters.
    pub fn from_code(code: &str) -> Option<Self> {
        [Language::Polish, Language::English].into_iter().find(|language| language.code() == code)
    }

    /// The one that the language button and key switch to.
    pub fn other(self) -> Self {
        match self {
            Language::Polish => Language::English,
            Language::English => Language::Polish,
        }
    }

    /// `value` with so many decimals.
    pub fn decimal(self, value: f64, decimals: usize) -> String {
        let text = format!("{value:.decimals$}");
        match self {
            Language::Polish => text.replace('.', ","),
            Language::English => text,
        }
    }

    /// A whole number, its thousands set apart from 10 000 on.
    pub fn whole(self, value: f64) -> String {
        let digits = format!("{:.0}", value.max(0.0));
        if digits.len() < 5 {
            return digits;
        }
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if 0 < index && (digits.len() - index) % 3 == 0 {
                text.push('\u{a0}');
            }
            text.push(digit);
        }
        text
    }

    /// Three significant digits, for a number that is read from two metres.
    pub fn three_digits(self, value: f64) -> String {
        let decimals = if value < 10.0 {
            2
        } else if value < 100.0 {
            1
        } else {
            0
        };
        self.decimal(value, decimals)
    }
}

/// A share as whole percents.
pub fn percent(share: f64) -> String {
    format!("{:.0}\u{a0}%", 100.0 * share)
}

/// A temperature.
pub fn celsius(value: f64) -> String {
    format!("{value:.0}\u{a0}°C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_follow_the_language() {
        assert_eq!(Language::Polish.decimal(1.25, 1), "1,2");
        assert_eq!(Language::English.decimal(0.06, 1), "0.1");
    }

    #[test]
    fn thousands_are_set_apart_from_ten_thousand_on() {
        assert_eq!(Language::Polish.whole(9999.0), "9999");
        assert_eq!(Language::Polish.whole(10_000.4), "10\u{a0}000");
        assert_eq!(Language::English.whole(1_234_567.0), "1\u{a0}234\u{a0}567");
    }

    #[test]
    fn a_hero_number_has_three_digits() {
        let shown = |value| Language::English.three_digits(value);
        assert_eq!([shown(4.321), shown(43.21), shown(432.1)], ["4.32", "43.2", "432"]);
    }
}

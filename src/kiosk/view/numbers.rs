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

/// A clock, from MHz on.
pub fn hertz(value: f64, language: Language) -> String {
    if value < 1e9 {
        return format!("{:.0}\u{a0}MHz", value / 1e6);
    }
    format!("{}\u{a0}GHz", language.decimal(value / 1e9, 2))
}

/// An amount of data in decimal units (ISO/IEC 80000-13).
pub fn bytes(value: f64, language: Language) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut scaled = value.max(0.0);
    let mut unit = 0;
    while 999.5 <= scaled && unit + 1 < units.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let decimals = usize::from(0 < unit && scaled < 9.95);
    format!("{}\u{a0}{}", language.decimal(scaled, decimals), units[unit])
}

/// Data per second.
pub fn rate(bytes_per_s: f64, language: Language) -> String {
    format!("{}/s", bytes(bytes_per_s, language))
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
    fn data_and_clocks_have_the_unit_that_leaves_few_digits() {
        let shown = |value| bytes(value, Language::Polish);
        assert_eq!(shown(0.0), "0\u{a0}B");
        assert_eq!(shown(999.6), "1,0\u{a0}kB");
        assert_eq!(shown(4.156e9), "4,2\u{a0}GB");
        assert_eq!(rate(117e6, Language::English), "117\u{a0}MB/s");
        assert_eq!(hertz(921.6e6, Language::English), "922\u{a0}MHz");
        assert_eq!(hertz(1.479e9, Language::English), "1.48\u{a0}GHz");
    }

    #[test]
    fn a_hero_number_has_three_digits() {
        let shown = |value| Language::English.three_digits(value);
        assert_eq!([shown(4.321), shown(43.21), shown(432.1)], ["4.32", "43.2", "432"]);
    }
}

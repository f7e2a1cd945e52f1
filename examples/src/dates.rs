//! Dates and their many written forms.

use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use std::fmt;

/// The characters of written dates. The position of a character is its [index](indices).
pub const ALPHABET: &str = " ',-./0123456789abcdefghijklmnopqrstuvwxyz";
/// The number of characters in the alphabet.
pub const CHARACTERS: usize = ALPHABET.len();
/// The length of the longest written date, in characters.
pub const LONGEST: usize = 106;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const ROMAN: [&str; 12] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"];
const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const SMALL: [&str; 20] = [
    "",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// A day from 1950 to 2049. In this century, two digits determine the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    year: usize,
    /// The month, from 1.
    month: usize,
    /// The day of the month, from 1.
    day: usize,
    /// The day of the week; Sunday is 0.
    weekday: usize,
}

/// The number of different [`Date`]s.
pub const DAYS: usize = 36_525;

impl Date {
    /// Returns the day `number` days after 1 January 1950, a Sunday.
    pub fn new(number: usize) -> Self {
        let (mut year, mut rest) = (1950, number);
        let days_in = |year: usize, month: usize| match month {
            2 => 28 + usize::from(year.is_multiple_of(4)), // 2000 was a leap year.
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let of_year = |year| (1..=12).map(|month| days_in(year, month)).sum::<usize>();
        while rest >= of_year(year) {
            rest -= of_year(year);
            year += 1;
        }
        let mut month = 1;
        while rest >= days_in(year, month) {
            rest -= days_in(year, month);
            month += 1;
        }
        Self { year, month, day: rest + 1, weekday: number % 7 }
    }

    /// Returns the date in a random form, from eight characters to [`LONGEST`].
    pub fn written(&self, rng: &mut impl Rng) -> String {
        let Self { year, month, day, .. } = *self;
        let (name, weekday) = (MONTHS[month - 1], WEEKDAYS[self.weekday]);
        let (short, short_weekday) = (&name[..3], &weekday[..3]);
        let (century, two) = (year, year % 100);
        let nth = format!("{day}{}", ending(day));
        let word = ordinal(day);
        match below(rng, 16) {
            0 => format!("{day}.{month}.{century}"),
            1 => format!("{day}.{}.{century}", ROMAN[month - 1]),
            2 => format!("{day}-{short}-{two:02}"),
            3 => format!("{day} {short} {century}"),
            4 => format!("{short} {day}, '{two:02}"),
            5 => format!("{name} {nth}, {century}"),
            6 => format!("{short_weekday}, {day} {short} {century}"),
            7 => format!("{weekday}, {day} {name} {century}"),
            8 => format!("the {nth} of {name}, {century}"),
            9 => format!("in {century}, on {weekday}, {name} {nth}"),
            10 => format!("{name} the {word}, {}", words(year, rng)),
            11 => format!("the {word} of {name}, {}", words(year, rng)),
            12 => format!("{weekday}, {name} the {word}, {}", words(year, rng)),
            13 => format!("on the {word} day of {name} in the year {}", words(year, rng)),
            14 => format!("in the year {}, on {weekday}, the {word} of {name}", words(year, rng)),
            _ => {
                let year = words(year, rng);
                format!("{weekday}, the {word} day of the month of {name} in the year {year}")
            }
        }
    }
}

/// Writes the date in the form of ISO 8601.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Returns the indices of the characters of a written date.
pub fn indices(written: &str) -> Vec<u32> {
    let index = |c: char| ALPHABET.find(c).expect("dates are written with the alphabet") as u32;
    written.chars().map(index).collect()
}

fn ending(day: usize) -> &'static str {
    match (day / 10, day % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

fn ordinal(day: usize) -> String {
    let small = |n: usize| match n {
        1 => "first".to_string(),
        2 => "second".into(),
        3 => "third".into(),
        5 => "fifth".into(),
        8 => "eighth".into(),
        9 => "ninth".into(),
        12 => "twelfth".into(),
        n => format!("{}th", SMALL[n]),
    };
    match day {
        20 => "twentieth".into(),
        30 => "thirtieth".into(),
        1..20 => small(day),
        _ => format!("{}-{}", TENS[day / 10], small(day % 10)),
    }
}

/// Returns a year in words, in a random form.
fn words(year: usize, rng: &mut impl Rng) -> String {
    let below_hundred = |n: usize| match (n / 10, n % 10) {
        (0 | 1, _) => SMALL[n].to_string(),
        (tens, 0) => TENS[tens].into(),
        (tens, ones) => format!("{}-{}", TENS[tens], SMALL[ones]),
    };
    let two = below_hundred(year % 100);
    let other = below(rng, 2) == 0;
    match year {
        2000 => "two thousand".into(),
        2001..2010 => format!("two thousand and {two}"),
        2010.. if other => format!("twenty {two}"),
        2010.. => format!("two thousand and {two}"),
        _ if other => format!("nineteen {two}"),
        _ => format!("nineteen hundred and {two}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_numbers_become_dates() {
        for (number, iso, weekday) in [
            (0, "1950-01-01", "sunday"),
            (58, "1950-02-28", "tuesday"),
            (59, "1950-03-01", "wednesday"),
            (7_141, "1969-07-21", "monday"),
            (18_321, "2000-02-29", "tuesday"),
            (18_322, "2000-03-01", "wednesday"),
            (DAYS - 1, "2049-12-31", "friday"),
        ] {
            let date = Date::new(number);
            assert_eq!((date.to_string().as_str(), WEEKDAYS[date.weekday]), (iso, weekday));
        }
    }

    #[test]
    fn numbers_become_words() {
        let said: Vec<String> = [1, 3, 12, 13, 20, 22, 25, 31].map(ordinal).into();
        assert_eq!(
            said,
            [
                "first",
                "third",
                "twelfth",
                "thirteenth",
                "twentieth",
                "twenty-second",
                "twenty-fifth",
                "thirty-first"
            ]
        );
        let endings: Vec<&str> = [1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30].map(ending).into();
        assert_eq!(endings, ["st", "nd", "rd", "th", "th", "th", "th", "st", "nd", "rd", "th"]);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        for (year, ways) in [
            (1950, ["nineteen fifty", "nineteen hundred and fifty"]),
            (1999, ["nineteen ninety-nine", "nineteen hundred and ninety-nine"]),
            (2000, ["two thousand", "two thousand"]),
            (2007, ["two thousand and seven", "two thousand and seven"]),
            (2013, ["twenty thirteen", "two thousand and thirteen"]),
        ] {
            let mut said: Vec<String> = (0..20).map(|_| words(year, &mut rng)).collect();
            said.sort();
            said.dedup();
            assert!(ways.iter().all(|way| said.iter().any(|said| said == way)), "{year}: {said:?}");
            assert!(said.iter().all(|said| ways.contains(&said.as_str())), "{year}: {said:?}");
        }
    }

    #[test]
    fn written_forms_have_valid_lengths_and_are_unambiguous() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let mut meant = std::collections::HashMap::new();
        let mut check = |number| {
            let written = Date::new(number).written(&mut rng);
            let length = written.len();
            assert_eq!(indices(&written).len(), length);
            assert!((8..=LONGEST).contains(&length), "{written}");
            assert_eq!(*meant.entry(written).or_insert(number), number, "one form stands for two days");
            length
        };
        let mut days: Vec<(usize, usize)> =
            (0..2 * DAYS).map(|number| (check(number % DAYS), number % DAYS)).collect();
        days.sort_unstable();
        let long = days.iter().rev().take(1000).flat_map(|(_, number)| [*number; 50]);
        let longest = long.map(check).max().unwrap();
        assert_eq!(longest, LONGEST);
    }
}

//! [`Decimal`]: an exact decimal, kept as its digits.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

/// How many digits a decimal of a declared field may have before the point.
pub(crate) const WHOLE_MAX: usize = 35;

/// How many digits a decimal of a declared field may have behind the point.
pub(crate) const FRACTION_MAX: usize = 30;

/// An exact decimal: what a field of type [`FieldType::Decimal`](crate::FieldType::Decimal) holds.
///
/// It is its digits, those at the end among them: `1.50` stays `1.50`. In the order of values it is a number, so that it
/// equals `1.5` and comes before `10`. In JSON it is text, since readers of JSON make floats of numbers.
///
/// ```
/// use remex_core::{Decimal, Value};
///
/// let price = Decimal::new("1.50").expect("a decimal");
/// assert_eq!(price.as_str(), "1.50");
/// assert!(price.compare(&Decimal::new("10").expect("a decimal")).is_lt());
/// assert!(Value::from(price).equals(&Value::from(1.5)));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(Box<str>);

impl Decimal {
    /// Reads a decimal: digits, with a minus before them and a point among them or without, as JSON writes numbers that
    /// have no exponent. Zeros at the front go (`007` is `7`), and zero has no sign.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
        let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all(whole) || !fraction.is_none_or(all) {
            return None;
        }
        let zeros = whole.bytes().take_while(|byte| *byte == b'0').count().min(whole.len() - 1);
        let negative = digits.len() < text.len() && digits.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        let sign = if negative { "-" } else { "" };
        Some(Self(format!("{sign}{}", &digits[zeros..]).into()))
    }

    /// Returns the digits.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares two decimals by what they are worth, exactly.
    ///
    /// It is no `Ord`, since `==` tells `1.5` from `1.50`.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self.0.starts_with('-'), other.0.starts_with('-')) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude().cmp(&other.magnitude()),
            (true, true) => other.magnitude().cmp(&self.magnitude()),
        }
    }

    /// Compares the decimal with a float, by what that is worth to its last bit.
    pub(crate) fn compare_float(&self, float: f64) -> Ordering {
        /// No float has more digits behind the point.
        const DIGITS: usize = 1074;
        match Self::new(&format!("{float:.DIGITS$}")) {
            Some(other) => self.compare(&other),
            // Infinite, which no float of a value is.
            None if float.is_sign_negative() => Ordering::Greater,
            None => Ordering::Less,
        }
    }

    /// Returns what orders decimals without their sign: how many digits are before the point, these, and those behind it.
    /// As nothing but digits of a number stands at either end, the order of texts is that of numbers.
    fn magnitude(&self) -> (usize, &str, &str) {
        let (whole, fraction) = self.parts();
        (whole.len(), whole, fraction.trim_end_matches('0'))
    }

    /// Returns the digits before the point, without the sign, and those behind it.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        let digits = self.0.strip_prefix('-').unwrap_or(&self.0);
        digits.split_once('.').unwrap_or((digits, ""))
    }

    /// Returns the decimal with nothing behind the last digit that counts: `1.5` for `1.50`, the same for equal ones.
    #[must_use]
    pub fn shortest(&self) -> &str {
        if self.0.contains('.') { self.0.trim_end_matches('0').trim_end_matches('.') } else { &self.0 }
    }

    /// Returns whether every store can keep it: up to 35 digits before the point and 30 behind it.
    pub(crate) fn fits(&self) -> bool {
        let (whole, fraction) = self.parts();
        whole.len() <= WHOLE_MAX && fraction.len() <= FRACTION_MAX
    }

    /// Returns the decimal that a float was written as, if that is certain.
    pub(crate) fn from_float(float: f64) -> Option<Self> {
        /// So many digits come through a float as they were, whichever they are (`DBL_DIG` of C).
        const CERTAIN: usize = 15;
        let decimal = Self::new(&float.to_string())?;
        let digits = decimal.0.trim_start_matches(['-', '0', '.']);
        let count = digits.bytes().filter(u8::is_ascii_digit).count();
        // Zeros before the point are none that the float had to keep.
        let zeros = if digits.contains('.') { 0 } else { digits.len() - digits.trim_end_matches('0').len() };
        (count - zeros <= CERTAIN).then_some(decimal)
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(number.to_string().into())
    }
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        Self(number.to_string().into())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_kept_in_one_form() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(Decimal::new(text).as_ref().map(Decimal::as_str), expected, "{text}");
        };
        for text in ["0", "1.50", "-0.05", "0.00", "123456789012345678901234567890.0123"] {
            check(text, Some(text));
        }
        check("007.50", Some("7.50"));
        check("-0", Some("0"));
        check("-0.00", Some("0.00"));
        check("000", Some("0"));
        for text in ["", "-", ".", "1.", ".5", "+1", "1e3", " 1", "1,5", "١", "--1", "1.2.3", "NaN"] {
            check(text, None);
        }
    }

    #[test]
    fn decimals_compare_as_numbers() {
        let in_order = ["-10", "-9.55", "-9.5", "-0.05", "0", "0.05", "0.5", "9.45", "9.5", "10", "10.01", "100"];
        let decimal = |text: &str| Decimal::new(text).expect("a decimal");
        for (at, one) in in_order.iter().enumerate() {
            for (place, other) in in_order.iter().enumerate() {
                let (one, other) = (decimal(one), decimal(other));
                assert_eq!(one.compare(&other), at.cmp(&place), "{one} {other}");
                let padded = if other.as_str().contains('.') { format!("{other}00") } else { format!("{other}.0") };
                assert_eq!(one.compare(&decimal(&padded)), at.cmp(&place), "{one} {padded}");
            }
        }
    }

    #[test]
    fn floats_compare_to_their_last_bit() {
        let check = |text: &str, float: f64, expected| {
            assert_eq!(Decimal::new(text).expect("a decimal").compare_float(float), expected, "{text} {float}");
        };
        check("1.5", 1.5, Ordering::Equal);
        check("0.1", 0.1, Ordering::Less);
        check("0.1000000000000000055511151231257827021181583404541015625", 0.1, Ordering::Equal);
        check("0", -0.0, Ordering::Equal);
        check("0", 5e-324, Ordering::Less);
        check("99999999999999999999999999999999999", 1e300, Ordering::Less);
        check("-1", f64::NEG_INFINITY, Ordering::Greater);
    }

    #[test]
    fn floats_that_may_have_lost_digits_are_no_decimals() {
        let check = |float: f64, expected: Option<&str>| {
            assert_eq!(Decimal::from_float(float).as_ref().map(Decimal::as_str), expected, "{float}");
        };
        check(1.5, Some("1.5"));
        check(0.1, Some("0.1"));
        check(-0.0, Some("0"));
        check(12.0, Some("12"));
        check(123_456_789.012_345, Some("123456789.012345"));
        check(1e20, Some("100000000000000000000"));
        check(0.1 + 0.2, None);
        check(9_007_199_254_740_993.0, None);
        check(f64::NAN, None);
    }
}

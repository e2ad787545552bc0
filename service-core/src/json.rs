//! JSON text to documents, refusing what a reader would otherwise lose in silence.

use serde::de::DeserializeOwned;

use crate::{Error, Result, Value};

/// Reads a document, a list of them, or any value from JSON text.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    if let Some(number) = inexact_integer(text) {
        return Err(Error::bad_request(format!(
            "the number {number} is past the range of 64-bit integers; send it as a string to keep its digits"
        )));
    }
    serde_json::from_slice(text).map_err(|error| Error::bad_request(format!("malformed JSON: {error}")))
}

/// Reads any JSON value.
///
/// # Errors
/// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) where the text is not JSON, nests deeper than
/// [`DEPTH_MAX`](crate::DEPTH_MAX), names a field twice in one object, or holds an integer past 64 bits.
pub fn read_json(text: &[u8]) -> Result<Value> {
    read(text)
}

/// Finds the first integer that 64 bits cannot hold: a JSON reader would make a float of it and lose digits.
fn inexact_integer(text: &[u8]) -> Option<&str> {
    /// The digits of `i64::MIN`; anything shorter fits.
    const DIGITS_THAT_FIT: usize = 18;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => {
                at += 1;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let start = at;
                at += 1;
                while at < text.len() && matches!(text[at], b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') {
                    at += 1;
                }
                if at - start > DIGITS_THAT_FIT {
                    let number = std::str::from_utf8(&text[start..at]).ok()?;
                    let integer = number.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9'));
                    if integer && number.parse::<i64>().is_err() && number.parse::<u64>().is_err() {
                        return Some(number.get(..64).unwrap_or(number));
                    }
                }
            }
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_past_64_bits_are_found() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(inexact_integer(text.as_bytes()), expected, "{text}");
        check(r#"{"a":18446744073709551615,"b":-9223372036854775808}"#, None);
        check(r#"{"a":18446744073709551616}"#, Some("18446744073709551616"));
        check(r#"{"a":-9223372036854775809}"#, Some("-9223372036854775809"));
        check(r#"{"a":"18446744073709551616","b\"":"\\"}"#, None);
        check(r#"{"a":123456789012345678901e2,"b":1234567890.12345678901234}"#, None);
        check("\"", None);
        check("\"\\", None);
    }
}

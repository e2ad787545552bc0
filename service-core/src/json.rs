//! JSON text to documents, refusing what a reader would otherwise lose in silence, and documents to JSON text.

use serde::de::DeserializeOwned;

use crate::{Document, Error, Result, Value};

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

/// Writes a document as serde would, only faster: its names are ready-made.
pub(crate) fn write_document(document: &Document, json: &mut Vec<u8>) -> serde_json::Result<()> {
    json.push(b'{');
    for (at, (key, value)) in document.shape().json_keys().iter().zip(document.values()).enumerate() {
        if at > 0 {
            json.push(b',');
        }
        json.extend_from_slice(key.as_bytes());
        write_value(value, json)?;
    }
    json.push(b'}');
    Ok(())
}

fn write_value(value: &Value, json: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        Value::Text(text) => write_json_text(text, json),
        Value::Array(values) => {
            json.push(b'[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    json.push(b',');
                }
                write_value(value, json)?;
            }
            json.push(b']');
            Ok(())
        }
        Value::Document(document) => write_document(document, json),
        simple => serde_json::to_writer(json, simple),
    }
}

/// Writes a text as JSON behind what is in the buffer.
///
/// Most texts have nothing to escape, and it is quick to see that.
///
/// # Errors
/// None today; they are `serde_json`'s, which writes the other texts.
pub fn write_json_text(text: &str, json: &mut Vec<u8>) -> serde_json::Result<()> {
    // What RFC 8259, section 7, has escaped.
    let escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if text.bytes().fold(false, |any, byte| any | escaped(byte)) {
        return serde_json::to_writer(json, text);
    }
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
    Ok(())
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
    fn documents_are_written_as_serde_does() {
        for text in [
            "{}",
            r#"{"a":1,"b\"c":-2,"d":18446744073709551615,"e":1.0,"f":-0.5,"g":null,"h":true,"i":[],"j":[1,[2],{"k":{}}]}"#,
            r#"{"a":"","b":"\"\\/\b\f\n\r\t\u0001\u007f","c":"é\u2028😀","d":"a long text with nothing to escape in it"}"#,
        ] {
            let document = Document::from_json(text.as_bytes()).expect("a document");
            let mut json = Vec::new();
            write_document(&document, &mut json).expect("JSON");
            assert_eq!(String::from_utf8(json).expect("text"), document.to_string());
        }
    }

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

//! Reads any bytes as a document. What is read must come back the same when it is written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use remex_core::Document;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::from_json(bytes) else { return };
    let text = document.to_string();
    match Document::from_json(text.as_bytes()) {
        Ok(again) => assert_eq!(again, document, "written as {text}"),
        Err(error) => panic!("{error}, reading what was written: {text}"),
    }
});

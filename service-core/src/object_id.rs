//! Ids in the form of MongoDB's ObjectId.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use time::OffsetDateTime;
use uuid::Uuid;

/// How many hexadecimal digits an id has.
const DIGITS: usize = 24;

/// What tells the ids of this process from those of others, and a counter that begins anywhere.
static PROCESS: LazyLock<([u8; 5], AtomicU32)> = LazyLock::new(|| {
    // Of a UUID of version 7, the last 62 bits are random.
    let [.., a, b, c, d, e, x, y] = Uuid::now_v7().into_bytes();
    ([a, b, c, d, e], AtomicU32::new(u32::from_be_bytes([0, x & 0x7f, y, a])))
});

/// Makes an id: four bytes of time in seconds, five that are random for each process, three that count up. See
/// [ObjectId](https://www.mongodb.com/docs/manual/reference/bson-types/#objectid).
pub(crate) fn make() -> String {
    let (process, counter) = &*PROCESS;
    // The four bytes last until 2106, and wrap then.
    let [.., s1, s2, s3, s4] = OffsetDateTime::now_utc().unix_timestamp().to_be_bytes();
    let [_, c1, c2, c3] = counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let [p1, p2, p3, p4, p5] = *process;
    let bytes = [s1, s2, s3, s4, p1, p2, p3, p4, p5, c1, c2, c3];
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads an id, in either case, and writes it in lower case.
pub(crate) fn read(text: &str) -> Option<String> {
    let is_one = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_can_be_read() {
        let (one, two) = (make(), make());
        assert_ne!(one, two);
        assert_eq!(one[8..18], two[8..18], "both are of this process");
        assert_eq!(read(&one.to_uppercase()), Some(one));
        for text in ["", "0123456789abcdef0123456", "0123456789abcdef0123456g", "0123456789abcdef012345678"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

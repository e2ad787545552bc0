//! Patterns of the query language as regular expressions. Pure.

/// How long a regular expression may be. See the
/// [manual](https://www.mongodb.com/docs/manual/reference/operator/query/regex/#regex-and-string-length).
pub(crate) const PATTERN_BYTES_MAX: usize = 32_000;

/// Writes a text as a regular expression that is found wherever the text is.
pub(crate) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut pattern, character| {
        push_escaped(&mut pattern, character);
        pattern
    })
}

fn push_escaped(pattern: &mut String, character: char) {
    if character.is_ascii_punctuation() {
        pattern.push('\\');
    }
    pattern.push(character);
}

/// Writes a pattern of the query language as a regular expression.
///
/// Each piece between two `%` is looked for at its earliest place and nowhere else (`(?>…)`), as the evaluator does: nothing
/// is tried twice, so that no pattern takes longer than the text times itself.
pub(crate) fn like(pattern: &str) -> String {
    let mut pieces = vec![String::new()];
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match (character, pieces.last_mut()) {
            ('%', _) => pieces.push(String::new()),
            ('_', Some(piece)) => piece.push('.'),
            ('\\', Some(piece)) => push_escaped(piece, characters.next().unwrap_or('\\')),
            (other, Some(piece)) => push_escaped(piece, other),
            (_, None) => {}
        }
    }
    match pieces.as_slice() {
        [whole] => format!(r"^{whole}\z"),
        [first, between @ .., last] => {
            let mut written = format!("^{first}");
            for piece in between.iter().filter(|piece| !piece.is_empty()) {
                written.push_str(&format!("(?>.*?{piece})"));
            }
            if !last.is_empty() {
                written.push_str(&format!(r".*{last}\z"));
            }
            written
        }
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_try_nothing_twice() {
        assert_eq!(like("a_%b.%%c"), r"^a.(?>.*?b\.).*c\z");
        assert_eq!(like("100\\%"), r"^100\%\z");
        assert_eq!(like("%"), "^");
        assert_eq!(escaped("a.b ä"), r"a\.b ä");
    }
}

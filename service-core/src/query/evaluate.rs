//! The evaluator: does a record match a filter? Which of two comes first?
//!
//! It is what the memory adapter runs, and the oracle that the other adapters are tested against.

use std::cmp::Ordering;

use super::order::bracket;
use super::{Condition, Direction, Filter, Sort};
use crate::{Document, Path, Value};

static ABSENT: Value = Value::Null;

impl Filter {
    /// Returns whether a record matches.
    ///
    /// ```
    /// use remex_core::{Document, Filter};
    ///
    /// let alice = Document::new().with("name", "Alice").with("tags", ["admin", "staff"]);
    /// assert!(Filter::eq("tags", "staff").matches(&alice));
    /// assert!(Filter::ne("age", 19).matches(&alice)); // absent is not 19
    /// ```
    #[must_use]
    pub fn matches(&self, record: &Document) -> bool {
        match self {
            Self::All => true,
            Self::Field(path, condition) => reach(record, path, |value| condition.holds(value)),
            Self::And(filters) => filters.iter().all(|filter| filter.matches(record)),
            Self::Or(filters) => filters.iter().any(|filter| filter.matches(record)),
            Self::Nor(filters) => !filters.iter().any(|filter| filter.matches(record)),
            Self::Not(filter) => !filter.matches(record),
        }
    }

    /// Returns whether a record matches by every element of its lists, and not only by one of them, as far as it is about
    /// the fields for which the closure says so. Denials are tested as ever.
    pub(crate) fn matches_wholly(&self, record: &Document, concerns: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Field(path, condition) => {
                let wholly = concerns(path.first());
                reach(
                    record,
                    path,
                    |value| if wholly { condition.holds_for::<true>(value) } else { condition.holds(value) },
                )
            }
            Self::And(filters) => filters.iter().all(|filter| filter.matches_wholly(record, concerns)),
            Self::Or(filters) => filters.iter().any(|filter| filter.matches_wholly(record, concerns)),
            Self::Nor(_) | Self::Not(_) => self.matches(record),
        }
    }
}

/// How the values that a path reaches make one answer: a condition holds if it holds for one of them, and one that
/// denies holds if it holds for all.
fn reach(record: &Document, path: &Path, holds: impl Fn(&[&Value]) -> bool) -> bool {
    let first = record.get(path.first()).unwrap_or(&ABSENT);
    if path.is_single() {
        return holds(&[first]);
    }
    let rest: Vec<&str> = path.rest().collect();
    let mut reached = Vec::new();
    descend(first, &rest, &mut reached);
    if reached.is_empty() {
        reached.push(&ABSENT);
    }
    holds(&reached)
}

/// Follows the rest of a path. In a list, a number is a position, and any name goes on into each object, as in MongoDB.
fn descend<'a>(value: &'a Value, names: &[&str], reached: &mut Vec<&'a Value>) {
    let [name, rest @ ..] = names else {
        reached.push(value);
        return;
    };
    match value {
        Value::Document(document) => descend(document.get(name).unwrap_or(&ABSENT), rest, reached),
        Value::Array(values) => {
            if let Some(value) = name.parse::<usize>().ok().and_then(|position| values.get(position)) {
                descend(value, rest, reached);
            }
            for value in values {
                if let Value::Document(document) = value {
                    descend(document.get(name).unwrap_or(&ABSENT), rest, reached);
                }
            }
        }
        _ => {}
    }
}

impl Condition {
    fn holds(&self, values: &[&Value]) -> bool {
        self.holds_for::<false>(values)
    }

    /// As [`holds`](Self::holds), for every element of a list or for one.
    fn holds_for<const EVERY: bool>(&self, values: &[&Value]) -> bool {
        match self {
            Self::Eq(wanted) => test::<EVERY>(values, |value| value.equals(wanted)),
            Self::Ne(wanted) => !any(values, |value| value.equals(wanted)),
            Self::In(wanted) => test::<EVERY>(values, |value| wanted.iter().any(|wanted| value.equals(wanted))),
            Self::Nin(wanted) => !any(values, |value| wanted.iter().any(|wanted| value.equals(wanted))),
            Self::Gt(bound) => test::<EVERY>(values, |value| compared(value, bound).is_some_and(Ordering::is_gt)),
            Self::Gte(bound) => test::<EVERY>(values, |value| compared(value, bound).is_some_and(Ordering::is_ge)),
            Self::Lt(bound) => test::<EVERY>(values, |value| compared(value, bound).is_some_and(Ordering::is_lt)),
            Self::Lte(bound) => test::<EVERY>(values, |value| compared(value, bound).is_some_and(Ordering::is_le)),
            Self::Exists(wanted) => values.iter().any(|value| !value.is_null()) == *wanted,
            Self::Like(pattern) => test::<EVERY>(values, |value| text(value).is_some_and(|text| like(text, pattern))),
            Self::StartsWith(start) => {
                test::<EVERY>(values, |value| text(value).is_some_and(|text| text.starts_with(start.as_str())))
            }
            Self::Contains(part) => {
                test::<EVERY>(values, |value| text(value).is_some_and(|text| text.contains(part.as_str())))
            }
        }
    }
}

/// Returns the text of a value. The digits of a decimal are none: it is a number.
fn text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

/// Tests each value, and each element of one that is a list.
fn any(values: &[&Value], test: impl Fn(&Value) -> bool) -> bool {
    values.iter().any(|value| test(value) || value.as_array().is_some_and(|elements| elements.iter().any(&test)))
}

fn test<const EVERY: bool>(values: &[&Value], test: impl Fn(&Value) -> bool) -> bool {
    if EVERY { every(values, test) } else { any(values, test) }
}

/// Tests that all values hold, each as a whole or by all of its elements.
fn every(values: &[&Value], test: impl Fn(&Value) -> bool) -> bool {
    values.iter().all(|value| {
        test(value) || value.as_array().is_some_and(|elements| !elements.is_empty() && elements.iter().all(&test))
    })
}

/// Compares values of one kind; values of two kinds are neither before nor after one another in a filter.
fn compared(value: &Value, bound: &Value) -> Option<Ordering> {
    (bracket(value) == bracket(bound)).then(|| value.compare(bound))
}

/// Matches `%` (any characters), `_` (one character) and `\` (the next character as it is).
///
/// The pattern is cut at its `%`: the first piece must start the text, the last one end it, and each between is looked
/// for behind the one before. The earliest place will do, so that nothing is tried twice.
fn like(text: &str, pattern: &str) -> bool {
    let pieces = pieces(pattern);
    let [first, rest @ ..] = pieces.as_slice() else { return false };
    let Some(mut text) = strip_start(text, first) else { return false };
    let [between @ .., last] = rest else { return text.is_empty() };
    for piece in between {
        match find(text, piece) {
            Some(behind) => text = behind,
            None => return false,
        }
    }
    // The last piece takes as many characters as it has, from the end.
    match last.iter().map(|_| ()).zip(text.char_indices().rev()).last() {
        _ if last.is_empty() => true,
        Some((_, (start, _))) => strip_start(&text[start..], last).is_some_and(str::is_empty),
        None => false,
    }
}

/// One character of a pattern; `None` is any.
type Wanted = Option<char>;

fn pieces(pattern: &str) -> Vec<Vec<Wanted>> {
    let mut pieces = vec![Vec::new()];
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let wanted = match character {
            '%' => {
                pieces.push(Vec::new());
                continue;
            }
            '_' => None,
            '\\' => Some(characters.next().unwrap_or('\\')),
            other => Some(other),
        };
        if let Some(piece) = pieces.last_mut() {
            piece.push(wanted);
        }
    }
    pieces
}

/// Returns what is left of a text that starts with a piece.
fn strip_start<'a>(text: &'a str, piece: &[Wanted]) -> Option<&'a str> {
    let mut characters = text.chars();
    for wanted in piece {
        let found = characters.next()?;
        if wanted.is_some_and(|wanted| wanted != found) {
            return None;
        }
    }
    Some(characters.as_str())
}

/// Returns what is behind the earliest place of a piece in a text.
fn find<'a>(text: &'a str, piece: &[Wanted]) -> Option<&'a str> {
    if let Some(literal) = piece.iter().copied().collect::<Option<String>>() {
        // The standard library looks for a text in linear time.
        return text.find(&literal).map(|start| &text[start + literal.len()..]);
    }
    text.char_indices().find_map(|(start, _)| strip_start(&text[start..], piece))
}

/// Compares two records by what each holds under the keys of a sort; equal ones are told apart by the caller, by id.
#[must_use]
pub fn compare_by(sort: &[Sort], one: &Document, other: &Document) -> Ordering {
    sort.iter()
        .map(|key| {
            let order = key.value_in(one).compare(key.value_in(other));
            if key.direction == Direction::Descending { order.reverse() } else { order }
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl Sort {
    /// Returns what a record holds under this key, null where it holds nothing.
    #[must_use]
    pub fn value_in<'a>(&self, record: &'a Document) -> &'a Value {
        record.get_path(&self.path).unwrap_or(&ABSENT)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn like_is_anchored_and_counts_case() {
        let check = |text: &str, pattern: &str, expected: bool| {
            assert_eq!(like(text, pattern), expected, "{text} like {pattern}");
        };
        check("Alice", "Al%", true);
        check("Alice", "al%", false);
        check("Alice", "%ice", true);
        check("Alice", "A_ice", true);
        check("Alice", "lic", false);
        check("Alice", "%l%c%", true);
        check("", "", true);
        check("", "%", true);
        check("", "_", false);
        check("100%", "100\\%", true);
        check("1000", "100\\%", false);
        check("é", "_", true);
        check("a\\", "a\\", true);
        check("aXbXc", "a%X_", true);
        check(&"a".repeat(5000), &format!("{}b", "%a".repeat(500)), false);
        check("abcab", "%ab", true);
        check("ab", "ab%ab", false);
        check("éé", "%_é", true);
        check("a_c", "%\\_c", true);
    }

    proptest! {
        #[test]
        fn like_agrees_with_a_plain_one(text in "[ab]{0,6}", pattern in "[ab%_]{0,6}") {
            fn plain(text: &[u8], pattern: &[u8]) -> bool {
                match pattern {
                    [] => text.is_empty(),
                    [b'%', rest @ ..] => (0..=text.len()).any(|taken| plain(&text[taken..], rest)),
                    [b'_', rest @ ..] => !text.is_empty() && plain(&text[1..], rest),
                    [first, rest @ ..] => text.first() == Some(first) && plain(&text[1..], rest),
                }
            }
            prop_assert_eq!(like(&text, &pattern), plain(text.as_bytes(), pattern.as_bytes()));
        }

        #[test]
        fn every_condition_has_its_opposite(age in proptest::option::of(-2..3_i64), wanted in -2..3_i64) {
            let record: Document = age.map(|age| ("age", age)).into_iter().collect();
            let check = |one: Filter, other: Filter| assert_ne!(one.matches(&record), other.matches(&record));
            check(Filter::eq("age", wanted), Filter::ne("age", wanted));
            check(Filter::is_in("age", [wanted]), Filter::not_in("age", [wanted]));
            check(Filter::exists("age", true), Filter::eq("age", Value::Null));
            check(Filter::gt("age", wanted), !Filter::gt("age", wanted));
            check(Filter::Or(vec![Filter::lt("age", wanted)]), Filter::Nor(vec![Filter::lt("age", wanted)]));
            let within = Filter::gte("age", wanted).and(Filter::lte("age", wanted));
            prop_assert_eq!(within.matches(&record), Filter::eq("age", wanted).matches(&record));
        }
    }

    #[test]
    fn conditions_hold_as_in_mongodb() {
        let record = Document::from_json(
            r#"{"a":null,"n":5,"t":"x","l":[1,"y",[2]],"o":{"p":{"q":1}},"r":[{"s":1},{"s":2},{}],"b":true}"#
                .as_bytes(),
        )
        .expect("a document");
        let check = |filter: Filter, expected: bool| assert_eq!(filter.matches(&record), expected, "{filter:?}");
        check(Filter::eq("a", Value::Null), true);
        check(Filter::eq("absent", Value::Null), true);
        check(Filter::eq("n", Value::Null), false);
        check(Filter::eq("n", 5.0), true);
        check(Filter::gt("n", "a"), false);
        check(Filter::gt("a", 0), false);
        check(Filter::gte("a", Value::Null), true);
        check(Filter::lt("b", true), false);
        check(Filter::eq("l", "y"), true);
        check(Filter::eq("l", vec![Value::from(1), "y".into(), vec![2].into()]), true);
        check(Filter::eq("l", 2), false);
        check(Filter::ne("l", "y"), false);
        check(Filter::is_in("l", [7, 1]), true);
        check(Filter::gt("l", 0), true);
        check(Filter::eq("o.p.q", 1), true);
        check(Filter::eq("o.p", Document::new().with("q", 1)), true);
        check(Filter::eq("o.x.q", Value::Null), true);
        check(Filter::eq("n.x", Value::Null), true);
        check(Filter::eq("r.s", 2), true);
        check(Filter::eq("r.1.s", 2), true);
        check(Filter::eq("r.0.s", 2), false);
        check(Filter::ne("r.s", 3), true);
        check(Filter::exists("r.s", true), true);
        check(Filter::is_in("n", Vec::<Value>::new()), false);
        check(Filter::not_in("n", Vec::<Value>::new()), true);
        check(Filter::not_in("a", [1]), true);
        check(Filter::is_in("absent", [Value::Null, 1.into()]), true);
        check(Filter::any([]), false);
        check(Filter::all([]), true);
    }
}

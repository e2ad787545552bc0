//! The query written: as JSON, in the form of Feathers, and in brackets.
//!
//! A filter is first brought into the form in which the reader leaves one: no [`Filter::And`] in another or of less than
//! two, and no [`Filter::All`] but alone. Whatever is in that form is the same when it is read again. A filter that
//! nothing matches by its form alone, such as an empty [`Filter::Or`], has no form of its own in the language; it is
//! written as `{"id":{"$in":[]}}`, which nothing matches either, whether or not there is such a field.

use std::collections::HashSet;
use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Condition, Direction, Filter, Query};
use crate::error::shown;
use crate::{Document, Error, Path, Result, Text, Value};

/// A name and what is under it.
type Pair = (Text, Value);

/// Writes a query as one JSON object.
pub(super) fn json(query: &Query) -> Document {
    let mut pairs = members(&normal(&query.filter));
    let mut add = |name: &str, value: Value| pairs.push((name.into(), value));
    if !query.sort.is_empty() {
        add("$sort", Value::Document(sort(query).map(|(path, direction)| (path.as_str(), direction)).collect()));
    }
    if let Some(limit) = query.limit {
        add("$limit", limit.into());
    }
    if let Some(skip) = query.skip {
        add("$skip", skip.into());
    }
    if let Some(paths) = &query.select {
        add("$select", paths.iter().map(Path::as_str).collect::<Vec<_>>().into());
    }
    if let Some(after) = &query.after {
        add("$after", after.encode().into());
    }
    if let Some(total) = query.total {
        add("$total", total.into());
    }
    for (name, value) in query.extra.iter() {
        // A further parameter does not displace a part of the language.
        if !pairs.iter().any(|(other, _)| other == name) {
            pairs.push((name.into(), value.clone()));
        }
    }
    pairs.into_iter().collect()
}

/// Writes a filter as one JSON object.
pub(super) fn filter_json(filter: &Filter) -> Document {
    members(&normal(filter)).into_iter().collect()
}

/// Lists the keys of the sort. A path that comes again orders nothing.
fn sort(query: &Query) -> impl Iterator<Item = (&Path, i64)> {
    let mut seen = HashSet::new();
    query.sort.iter().filter(move |key| seen.insert(&key.path)).map(|key| {
        let direction = match key.direction {
            Direction::Ascending => 1,
            Direction::Descending => -1,
        };
        (&key.path, direction)
    })
}

/// A filter in the form in which the reader leaves one.
enum Normal<'f> {
    All,
    Nothing,
    Field(&'f Path, &'f Condition),
    And(Vec<Self>),
    Or(Vec<Self>),
    Nor(Vec<Self>),
    Not(Box<Self>),
}

fn normal(filter: &Filter) -> Normal<'_> {
    match filter {
        Filter::All => Normal::All,
        Filter::Field(path, condition) => Normal::Field(path, condition),
        Filter::And(filters) => {
            let mut all = Vec::with_capacity(filters.len());
            for filter in filters {
                match normal(filter) {
                    Normal::All => {}
                    Normal::Nothing => return Normal::Nothing,
                    Normal::And(inner) => all.extend(inner),
                    one => all.push(one),
                }
            }
            match (all.len(), all.pop()) {
                (1, Some(one)) => one,
                (_, Some(last)) => {
                    all.push(last);
                    Normal::And(all)
                }
                (_, None) => Normal::All,
            }
        }
        Filter::Or(filters) => match alternatives(filters) {
            None => Normal::All,
            Some(any) if any.is_empty() => Normal::Nothing,
            Some(any) => Normal::Or(any),
        },
        Filter::Nor(filters) => match alternatives(filters) {
            None => Normal::Nothing,
            Some(any) if any.is_empty() => Normal::All,
            Some(any) => Normal::Nor(any),
        },
        Filter::Not(filter) => match normal(filter) {
            Normal::All => Normal::Nothing,
            Normal::Nothing => Normal::All,
            one => Normal::Not(Box::new(one)),
        },
    }
}

/// Lists the filters of which one must match, without those that never do; none, where one always does.
fn alternatives(filters: &[Filter]) -> Option<Vec<Normal<'_>>> {
    let mut any = Vec::with_capacity(filters.len());
    for filter in filters {
        match normal(filter) {
            Normal::All => return None,
            Normal::Nothing => {}
            one => any.push(one),
        }
    }
    Some(any)
}

/// Writes a filter as the members of an object.
fn members(filter: &Normal<'_>) -> Vec<Pair> {
    match filter {
        Normal::All => Vec::new(),
        Normal::Nothing => vec![("id".into(), object("$in", Value::Array(Box::default())))],
        Normal::And(filters) => conjunction(filters),
        one => conjunction(std::slice::from_ref(one)),
    }
}

/// Writes filters that must all match. The object takes them in their order until one would need a name that is taken;
/// that one and the rest go into a list of objects under `$and`, so that their order is kept.
fn conjunction(filters: &[Normal<'_>]) -> Vec<Pair> {
    let mut objects = vec![Members::default()];
    for filter in filters {
        let taken = objects.last_mut().is_some_and(|object| object.take(filter));
        if !taken {
            let mut object = Members::default();
            object.take(filter);
            objects.push(object);
        }
    }
    let mut objects = objects.into_iter().map(Members::finish);
    let mut first = objects.next().unwrap_or_default();
    let rest: Vec<Value> = objects.map(document).collect();
    if !rest.is_empty() {
        first.push(("$and".into(), rest.into()));
    }
    first
}

fn document(pairs: Vec<Pair>) -> Value {
    Value::Document(pairs.into_iter().collect())
}

fn object(name: &str, value: Value) -> Value {
    Value::Document(Document::new().with(name, value))
}

/// The members of one object, while it is written.
#[derive(Default)]
struct Members<'f> {
    pairs: Vec<Pair>,
    names: HashSet<&'f str>,
    /// The field that came last, which may take further operators.
    open: Option<(&'f Path, Vec<(&'static str, Value)>)>,
}

impl<'f> Members<'f> {
    /// Adds a filter, or returns that its name is taken.
    fn take(&mut self, filter: &Normal<'f>) -> bool {
        let list = |filters: &[Normal<'_>]| filters.iter().map(|filter| document(members(filter))).collect::<Vec<_>>();
        match filter {
            Normal::Field(path, condition) => self.field(path, condition.operator(), || condition.operand()),
            Normal::Not(inner) => match inner.as_ref() {
                Normal::Field(path, condition) => {
                    self.field(path, "$not", || said(vec![(condition.operator(), condition.operand())]))
                }
                other => self.combining("$not", || document(members(other))),
            },
            Normal::Or(filters) => self.combining("$or", || list(filters).into()),
            Normal::Nor(filters) => self.combining("$nor", || list(filters).into()),
            // None of these is within a list of filters that must all match.
            Normal::All | Normal::Nothing | Normal::And(_) => {
                self.close();
                self.pairs.extend(members(filter));
                true
            }
        }
    }

    fn field(&mut self, path: &'f Path, operator: &'static str, operand: impl FnOnce() -> Value) -> bool {
        match &mut self.open {
            Some((open, operators)) if *open == path => {
                let free = !operators.iter().any(|(other, _)| *other == operator);
                if free {
                    operators.push((operator, operand()));
                }
                free
            }
            _ => {
                let free = self.names.insert(path.as_str());
                if free {
                    self.close();
                    self.open = Some((path, vec![(operator, operand())]));
                }
                free
            }
        }
    }

    fn combining(&mut self, name: &'static str, operand: impl FnOnce() -> Value) -> bool {
        let free = self.names.insert(name);
        if free {
            self.close();
            self.pairs.push((name.into(), operand()));
        }
        free
    }

    fn close(&mut self) {
        if let Some((path, operators)) = self.open.take() {
            self.pairs.push((path.as_str().into(), said(operators)));
        }
    }

    fn finish(mut self) -> Vec<Pair> {
        self.close();
        self.pairs
    }
}

/// Writes what is said of a field: equality alone as the bare value, but for an object, which could be taken for
/// operators.
fn said(mut operators: Vec<(&'static str, Value)>) -> Value {
    match operators.as_mut_slice() {
        [("$eq", value)] if value.as_document().is_none() => std::mem::take(value),
        _ => Value::Document(operators.into_iter().collect()),
    }
}

/// What is written as it is: the characters that RFC 3986 leaves unreserved, and those that are readable in a query and
/// mean nothing to a reader of pairs.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'[')
    .remove(b']')
    .remove(b'$')
    .remove(b',')
    .remove(b':')
    .remove(b'/')
    .remove(b'@')
    .remove(b'!')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Writes a query string in brackets.
pub(super) fn brackets(query: &Query) -> Result<String> {
    let mut text = Brackets(String::new());
    text.filter("", &members(&normal(&query.filter)))?;
    for (path, direction) in sort(query) {
        text.pair(&within("$sort", path.as_str())?, &direction.to_string());
    }
    if let Some(limit) = query.limit {
        text.pair("$limit", &limit.to_string());
    }
    if let Some(skip) = query.skip {
        text.pair("$skip", &skip.to_string());
    }
    match query.select.as_deref() {
        Some([]) => text.pair("$select[]", ""),
        paths => paths.into_iter().flatten().for_each(|path| text.pair("$select[]", path.as_str())),
    }
    if let Some(after) = &query.after {
        text.pair("$after", &after.encode());
    }
    if let Some(total) = query.total {
        text.pair("$total", &total.to_string());
    }
    for (name, value) in query.extra.iter() {
        text.extra(&within("", name)?, value)?;
    }
    Ok(text.0)
}

/// Puts a name into brackets behind what it is under.
fn within(outer: &str, name: &str) -> Result<String> {
    let refused =
        |why: &str| Error::unsupported(format!("`{}` cannot be written in brackets: {why}; JSON can", shown(name)));
    if name.is_empty() {
        return Err(refused("it is empty"));
    }
    if name.contains(['[', ']', '\0']) {
        return Err(refused("it holds a bracket or a NUL character"));
    }
    if outer.is_empty() {
        return Ok(name.to_owned());
    }
    // A reader takes digits in brackets for the number of a list entry.
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused("it is a number"));
    }
    Ok(format!("{outer}[{name}]"))
}

fn unsupported(key: &str, what: &str) -> Error {
    Error::unsupported(format!("`{}` holds {what}, which brackets cannot say; write the query as JSON", shown(key)))
}

/// A query string, while it is written.
struct Brackets(String);

impl Brackets {
    fn pair(&mut self, key: &str, value: &str) {
        let between = if self.0.is_empty() { "" } else { "&" };
        let (key, value) = (utf8_percent_encode(key, ESCAPED), utf8_percent_encode(value, ESCAPED));
        // Writing to a string does not fail.
        let _ = write!(self.0, "{between}{key}={value}");
    }

    fn filter<'p>(&mut self, outer: &str, pairs: impl IntoIterator<Item = &'p Pair>) -> Result<()> {
        for (name, value) in pairs {
            let key = within(outer, name)?;
            match (name.as_str(), value) {
                ("$or" | "$and" | "$nor", Value::Array(filters)) => {
                    for (position, filter) in filters.iter().enumerate() {
                        self.object(&format!("{key}[{position}]"), filter)?;
                    }
                }
                ("$not", filter) => self.object(&key, filter)?,
                (_, said) => self.field(&key, said)?,
            }
        }
        Ok(())
    }

    fn object(&mut self, key: &str, filter: &Value) -> Result<()> {
        let pairs: Vec<Pair> = match filter {
            Value::Document(document) => document.clone().into_iter().collect(),
            _ => return Err(unsupported(key, filter.type_name())),
        };
        self.filter(key, &pairs)
    }

    /// Writes what is said of a field.
    fn field(&mut self, key: &str, said: &Value) -> Result<()> {
        match said {
            Value::Document(operators) => operators.iter().try_for_each(|(operator, operand)| {
                let key = format!("{key}[{operator}]");
                match (operator, operand) {
                    ("$not", said) => self.field(&key, said),
                    ("$eq" | "$ne" | "$in" | "$nin", Value::Array(values)) => self.list(&key, values),
                    ("$like" | "$startsWith" | "$contains", Value::Text(text)) => self.text(&key, text),
                    (_, value) => self.value(&key, value),
                }
            }),
            Value::Array(values) => self.list(key, values),
            // Such a pair would make the whole be read as JSON.
            Value::Text(text) if matches!(key, "query" | "sort") && super::json::is_object(text) => {
                self.text(&format!("{key}[$eq]"), text)
            }
            value => self.value(key, value),
        }
    }

    fn list(&mut self, key: &str, values: &[Value]) -> Result<()> {
        if values.is_empty() {
            return Err(unsupported(key, "an empty list"));
        }
        let key = format!("{key}[]");
        values.iter().try_for_each(|value| self.value(&key, value))
    }

    /// Writes one value, which a reader has to give its type.
    fn value(&mut self, key: &str, value: &Value) -> Result<()> {
        match value {
            Value::Text(text) if text.is_empty() => Err(unsupported(key, "an empty text, which may be read as null")),
            Value::Text(text) if text == "null" => Err(unsupported(key, "the text `null`, which may be read as null")),
            Value::Text(text) => self.text(key, text),
            Value::Decimal(decimal) => self.text(key, decimal.as_str()),
            Value::Null | Value::Array(_) | Value::Document(_) => Err(unsupported(key, value.type_name())),
            Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => {
                self.pair(key, &value.to_string());
                Ok(())
            }
        }
    }

    fn text(&mut self, key: &str, text: &str) -> Result<()> {
        if text.contains('\0') {
            return Err(unsupported(key, "a NUL character"));
        }
        self.pair(key, text);
        Ok(())
    }

    /// Writes a further parameter, in which every value is text.
    fn extra(&mut self, key: &str, value: &Value) -> Result<()> {
        match value {
            Value::Text(text) => self.text(key, text),
            Value::Document(document) if !document.is_empty() => {
                document.iter().try_for_each(|(name, value)| self.extra(&within(key, name)?, value))
            }
            Value::Array(values) if !values.is_empty() => (values.iter().enumerate())
                .try_for_each(|(position, value)| self.extra(&format!("{key}[{position}]"), value)),
            other => self.value(key, other),
        }
    }
}

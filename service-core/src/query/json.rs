//! The query as JSON: one object in the form of Feathers, or parameters of which `query` and `sort` are objects, as
//! Kinvey's clients write them.

use super::bracket::{Node, Pair, Tree};
use super::syntax::{Reader, join, misplaced, refuse};
use super::{Direction, Filter, Query, QuerySyntax, Sort};
use crate::{Document, Path, Result, Value};

/// The parameters beside which no other may stand.
const PARAMETERS: [&str; 7] = ["query", "sort", "limit", "skip", "fields", "after", "total"];

/// Reads one JSON object, `{"done":false,"$sort":{"title":1},"$limit":5}`.
pub(super) fn read(document: &Document, syntax: &QuerySyntax) -> Result<Query> {
    check(document, syntax)?;
    Reader::new(syntax).query(Node::Json(&document.clone().into()))
}

/// Returns whether pairs are the JSON form: only an object under `query` or `sort` says so, since either may be the name
/// of a field.
pub(super) fn is_meant(pairs: &[Pair<'_>]) -> bool {
    pairs.iter().any(|(name, value)| matches!(name.as_ref(), "query" | "sort") && is_object(value))
}

/// Returns whether text is to be read as an object.
pub(super) fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads the parameters `?query={"done":false}&sort={"title":1}&limit=5&skip=5&fields=title`.
pub(super) fn parse(pairs: &[Pair<'_>], syntax: &QuerySyntax) -> Result<Query> {
    let mut reader = Reader::new(syntax);
    let mut query = Query::default();
    let mut seen: Vec<&str> = Vec::with_capacity(PARAMETERS.len());
    for (name, value) in pairs {
        let (name, value) = (name.as_ref(), value.as_ref());
        if seen.contains(&name) {
            return Err(refuse(name, "mixed", "is there twice"));
        }
        let plain = Tree::Plain(value);
        let node = Node::Tree(&plain);
        match name {
            "query" => {
                let document = object(name, value, syntax)?;
                let mut filters = Vec::new();
                for (member, value) in document.iter() {
                    reader.member(member, Node::Json(value), &mut filters)?;
                }
                // An empty filter that is said matches every record, but is not the absence of one.
                query.filter = if filters.is_empty() { Filter::And(filters) } else { join(filters) };
            }
            "sort" if is_object(value) => {
                query.sort = reader.sort(name, Node::Json(&object(name, value, syntax)?.into()))?;
            }
            "sort" => {
                let (path, direction) = match value.strip_prefix('-') {
                    Some(path) => (path, Direction::Descending),
                    None => (value, Direction::Ascending),
                };
                query.sort = vec![Sort { path: reader.path(path)?, direction }];
            }
            "limit" => query.limit = Some(reader.whole(name, node)?),
            "skip" => query.skip = Some(reader.skip(name, node)?),
            "fields" => {
                let paths = value.split(',').filter(|_| !value.is_empty());
                query.select = Some(paths.map(|path| reader.path(path)).collect::<Result<_>>()?);
            }
            "after" => query.after = Some(reader.after(name, node)?),
            "total" => query.total = Some(reader.flag(name, "", node)?),
            _ => {
                let known = PARAMETERS.map(|name| format!("`{name}`")).join(", ");
                return Err(refuse(name, "unknown", format_args!("cannot stand beside JSON; what can is {known}")));
            }
        }
        seen.push(name);
    }
    Ok(query)
}

fn object(name: &str, text: &str, syntax: &QuerySyntax) -> Result<Document> {
    let document: Document = crate::json::read(text.as_bytes())
        .map_err(|error| refuse(name, "malformed", format_args!("is not an object: {}", error.message())))?;
    check(&document, syntax)?;
    Ok(document)
}

/// Refuses what nests too deep or lists too much, before anything is made of it.
fn check(document: &Document, syntax: &QuerySyntax) -> Result<()> {
    // Every bracket of a query string is at most an object in a list in JSON; the rest is the query itself and a value.
    let levels = syntax.bounds.depth_max.saturating_mul(2).saturating_add(1);
    let list_max = syntax.bounds.list_max;
    for (name, value) in document.iter() {
        match fault(value, levels, list_max) {
            Some(Fault::Deep) => {
                return Err(refuse(name, "bound", format_args!("nests deeper than {} levels", levels + 1)));
            }
            Some(Fault::Long) => {
                return Err(refuse(name, "bound", format_args!("holds a list of more than {list_max} entries")));
            }
            None => {}
        }
    }
    Ok(())
}

enum Fault {
    Deep,
    Long,
}

/// Finds out whether a value nests deeper than so many levels or holds a list that is too long. It goes no deeper than
/// those levels, however deep the value is.
fn fault(value: &Value, levels: usize, list_max: usize) -> Option<Fault> {
    match value {
        Value::Document(_) | Value::Array(_) if levels == 0 => Some(Fault::Deep),
        Value::Document(document) => document.iter().find_map(|(_, value)| fault(value, levels - 1, list_max)),
        Value::Array(values) if values.len() > list_max => Some(Fault::Long),
        Value::Array(values) => values.iter().find_map(|value| fault(value, levels - 1, list_max)),
        _ => None,
    }
}

/// Takes a value as it is, or in the one form in which its field keeps it.
pub(super) fn typed(path: &Path, value: &Value, syntax: &QuerySyntax) -> Result<Value> {
    check_value(path, value, syntax)?;
    let kind = syntax.fields.as_ref().and_then(|fields| fields.find_path(path)).map(|field| field.kind);
    match kind {
        // What does not fit stays: it equals nothing, as a value of another kind would.
        Some(kind) if kind.has_one_form() => Ok(kind.keep(value.clone()).unwrap_or_else(|| value.clone())),
        _ => Ok(value.clone()),
    }
}

/// Refuses operators inside values, where a store might take them for its own, and text that no store keeps.
fn check_value(path: &Path, value: &Value, syntax: &QuerySyntax) -> Result<()> {
    match value {
        Value::Document(document) => document.iter().try_for_each(|(name, value)| {
            if name.starts_with('$') { Err(misplaced(name, syntax)) } else { check_value(path, value, syntax) }
        }),
        Value::Array(values) => values.iter().try_for_each(|value| check_value(path, value, syntax)),
        Value::Text(text) if text.contains('\0') => Err(refuse(path.as_str(), "malformed", "holds a NUL character")),
        _ => Ok(()),
    }
}

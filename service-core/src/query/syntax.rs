//! [`QuerySyntax`]: what a query string of a service may say, and within which bounds; and the reader that makes a
//! [`Query`] of it, the same for brackets and for JSON.
//!
//! What is read is in normal form: no [`Filter::And`] holds another, nor less than two; [`Filter::All`] stands alone, if
//! at all. Written as JSON and read again, it is the same.

use std::collections::HashSet;
use std::fmt;

use super::bracket::{self, Node, Operand, Tree};
use super::{Condition, Cursor, Direction, Filter, Query, Sort, json};
use crate::error::shown;
use crate::{Document, Error, Fields, Path, Result, Text, Value};

/// What a query from outside may say: the types of the fields it names, further parameters, and bounds.
#[derive(Clone, Debug, Default)]
pub struct QuerySyntax {
    /// The fields with their types, to which texts are turned. Where they are not known, a bare literal in a query
    /// string equals the string, the number and the boolean that are written so.
    pub fields: Option<Fields>,
    /// Whether texts in a query string are turned into other types at all. Defaults to yes.
    pub coerce: Coerce,
    /// Parameters with a `$` that the service allows beyond the language; they arrive in [`Query::extra`].
    pub extra: Vec<Text>,
    /// Parameters that are not part of the query and belong to somebody else, such as `token`.
    pub ignored: Vec<Text>,
    /// How large a query may be.
    pub bounds: QueryBounds,
}

/// Whether the texts of a query string are turned into other types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coerce {
    /// Into the type of their field, where it is known; else a literal equals whatever is written so.
    #[default]
    On,
    /// Never: `age=25` is the text `25`.
    Off,
}

/// How large a query from outside may be. Past each of these it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryBounds {
    /// Bytes of a query string. Defaults to 64,000, since a request line of HTTP, with the path, ends at 65,534.
    pub bytes_max: usize,
    /// Pairs of a query string, and conditions of a query in JSON. Defaults to 2,000.
    pub pairs_max: usize,
    /// Elements of one list. Defaults to 2,000.
    pub list_max: usize,
    /// Levels of brackets behind a name, and of objects and lists in JSON. Defaults to 5.
    pub depth_max: usize,
    /// Branches of all `$or`, `$and` and `$nor` together. Defaults to 50.
    pub branches_max: usize,
    /// Bytes of the pattern under `$like`. Defaults to 256.
    pub pattern_bytes_max: usize,
    /// Keys of a sort. Defaults to 8.
    pub sort_keys_max: usize,
    /// The largest `$skip`. Defaults to 1,000,000.
    pub skip_max: u64,
}

impl Default for QueryBounds {
    fn default() -> Self {
        Self {
            bytes_max: 64_000,
            pairs_max: 2_000,
            list_max: 2_000,
            depth_max: 5,
            branches_max: 50,
            pattern_bytes_max: 256,
            sort_keys_max: 8,
            skip_max: 1_000_000,
        }
    }
}

/// Parses a query string in either form.
pub(super) fn parse(text: &str, syntax: &QuerySyntax) -> Result<Query> {
    let text = text.strip_prefix('?').unwrap_or(text);
    let max = syntax.bounds.bytes_max;
    if text.len() > max {
        return Err(Error::bad_request(format!("the query is longer than {max} bytes")));
    }
    let pairs = bracket::pairs(text, syntax)?;
    if json::is_meant(&pairs) {
        return json::parse(&pairs, syntax);
    }
    let tree = Tree::read(&pairs, &syntax.bounds)?;
    Reader::new(syntax).query(Node::Tree(&tree))
}

/// The operators that stand beside the names of fields. `$not` stands under one as well.
const COMBINING: [&str; 4] = ["$and", "$or", "$nor", "$not"];

/// What stands at the top of a query only.
const TOP: [&str; 6] = ["$sort", "$limit", "$skip", "$select", "$after", "$total"];

/// Refuses a key of a query, which the message and the field of the error name.
pub(super) fn refuse(key: &str, code: &str, what: impl fmt::Display) -> Error {
    let key = shown(key).to_string();
    Error::bad_request(format!("`{key}` {what}")).with_field(&key, code, what.to_string())
}

/// Combines filters that must all match.
pub(super) fn join(mut filters: Vec<Filter>) -> Filter {
    match filters.len() {
        0 => Filter::All,
        1 => filters.remove(0),
        _ => Filter::And(filters),
    }
}

/// Refuses an operator that is unknown, or that is known and stands where it says nothing.
pub(super) fn misplaced(name: &str, syntax: &QuerySyntax) -> Error {
    let place = if Condition::OPERATORS.contains(&name) {
        "under the name of a field"
    } else if TOP.contains(&name) {
        "at the top of a query"
    } else if COMBINING.contains(&name) {
        "beside the names of fields"
    } else {
        let further = syntax.extra.iter().map(Text::as_str);
        let known: Vec<_> = Condition::OPERATORS.into_iter().chain(COMBINING).chain(TOP).chain(further).collect();
        let (name, known) = (shown(name).to_string(), known.join(", "));
        return Error::bad_request(format!("unknown operator `{name}`; known are {known}")).with_field(
            &name,
            "unknown",
            "unknown operator",
        );
    };
    refuse(name, "misplaced", format_args!("stands in a wrong place; it goes {place}"))
}

/// Reads a query within the bounds of a syntax, and counts what it has read.
pub(super) struct Reader<'s> {
    syntax: &'s QuerySyntax,
    branches: usize,
    conditions: usize,
}

impl<'s> Reader<'s> {
    pub(super) const fn new(syntax: &'s QuerySyntax) -> Self {
        Self { syntax, branches: 0, conditions: 0 }
    }

    /// Reads the whole: a filter with what else stands at the top.
    pub(super) fn query(&mut self, root: Node<'_>) -> Result<Query> {
        let mut query = Query::default();
        let mut filters = Vec::new();
        let mut extra = Vec::new();
        for (name, node) in root.members().into_iter().flatten() {
            match name {
                "$sort" => query.sort = self.sort(name, node)?,
                "$limit" => query.limit = Some(self.whole(name, node)?),
                "$skip" => query.skip = Some(self.skip(name, node)?),
                "$select" => query.select = Some(self.select(name, node)?),
                "$after" => query.after = Some(self.after(name, node)?),
                "$total" => query.total = Some(self.flag(name, "", node)?),
                _ if self.syntax.extra.iter().any(|extra| extra == name) => extra.push((name, node.to_value())),
                _ => self.member(name, node, &mut filters)?,
            }
        }
        query.filter = join(filters);
        if !extra.is_empty() {
            query.extra = extra.into_iter().collect::<Document>();
        }
        Ok(query)
    }

    /// Reads one member of a filter: a field, or an operator that combines filters.
    pub(super) fn member(&mut self, name: &str, node: Node<'_>, filters: &mut Vec<Filter>) -> Result<()> {
        match name {
            "$and" => {
                for filter in self.branches(name, node)? {
                    match filter {
                        Filter::And(all) => filters.extend(all),
                        one => filters.push(one),
                    }
                }
            }
            "$or" => filters.push(Filter::Or(self.branches(name, node)?)),
            "$nor" => filters.push(Filter::Nor(self.branches(name, node)?)),
            "$not" => filters.push(!self.object(name, node)?),
            _ => self.field(&self.path(name)?, node, filters)?,
        }
        Ok(())
    }

    fn branches(&mut self, key: &str, node: Node<'_>) -> Result<Vec<Filter>> {
        let Some((count, elements)) = node.elements() else {
            return Err(refuse(key, "type", format_args!("takes a list of objects, not {node}")));
        };
        if count == 0 {
            return Err(refuse(key, "empty", "takes a list that holds something"));
        }
        let max = self.syntax.bounds.branches_max;
        self.branches += count;
        if self.branches > max {
            return Err(refuse(key, "bound", format_args!("makes more than {max} branches in the query")));
        }
        elements.map(|element| self.object(key, element)).collect()
    }

    fn object(&mut self, key: &str, node: Node<'_>) -> Result<Filter> {
        let Some(members) = node.members() else {
            return Err(refuse(key, "type", format_args!("takes objects, not {node}")));
        };
        let mut filters = Vec::new();
        for (name, node) in members {
            self.member(name, node, &mut filters)?;
        }
        // Whoever sends an empty filter has lost one: it would match every record.
        if filters.is_empty() { Err(refuse(key, "empty", "holds an empty object")) } else { Ok(join(filters)) }
    }

    /// Reads the path of a field.
    pub(super) fn path(&self, name: &str) -> Result<Path> {
        if let Some(operator) = name.split('.').find(|name| name.starts_with('$')) {
            return Err(misplaced(operator, self.syntax));
        }
        Path::new(name).map_err(|error| {
            let message = error.message().to_owned();
            error.with_field(&shown(name).to_string(), "malformed", message)
        })
    }

    /// Reads what is said of a field.
    fn field(&mut self, path: &Path, node: Node<'_>, filters: &mut Vec<Filter>) -> Result<()> {
        match node {
            Node::Tree(Tree::Named(named)) => {
                for (name, tree) in named.iter() {
                    if name.starts_with('$') {
                        self.operator(path, name, Node::Tree(tree), filters)?;
                    } else {
                        self.field(&self.path(&format!("{path}.{name}"))?, Node::Tree(tree), filters)?;
                    }
                }
                Ok(())
            }
            Node::Json(Value::Document(document)) if document.names().any(|name| name.starts_with('$')) => {
                for (name, value) in document.iter() {
                    if !name.starts_with('$') {
                        return Err(refuse(
                            path.as_str(),
                            "mixed",
                            format_args!("holds `{}` beside operators", shown(name)),
                        ));
                    }
                    self.operator(path, name, Node::Json(value), filters)?;
                }
                Ok(())
            }
            _ => self.operator(path, "$eq", node, filters),
        }
    }

    fn operator(&mut self, path: &Path, name: &str, node: Node<'_>, filters: &mut Vec<Filter>) -> Result<()> {
        if name == "$not" {
            let mut inner = Vec::new();
            self.field(path, node, &mut inner)?;
            filters.push(!join(inner));
            return Ok(());
        }
        let key = path.as_str();
        let max = self.syntax.bounds.pairs_max;
        self.conditions += 1;
        if self.conditions > max {
            return Err(refuse(key, "bound", format_args!("is past the {max} conditions that a query may have")));
        }
        let condition = match name {
            "$eq" => match self.operand(path, name, node)? {
                Operand::One(value) => Condition::Eq(value),
                Operand::Either(one, other) => Condition::In(vec![one, other]),
            },
            "$ne" => match self.operand(path, name, node)? {
                Operand::One(value) => Condition::Ne(value),
                Operand::Either(one, other) => Condition::Nin(vec![one, other]),
            },
            "$gt" | "$gte" | "$lt" | "$lte" => {
                if let Node::Tree(Tree::List(_)) = node {
                    return Err(refuse(key, "type", format_args!("takes one value under `{name}`, not a list")));
                }
                let condition = match name {
                    "$gt" => Condition::Gt,
                    "$gte" => Condition::Gte,
                    "$lt" => Condition::Lt,
                    _ => Condition::Lte,
                };
                let field = |value| Filter::Field(path.clone(), condition(value));
                filters.push(match self.operand(path, name, node)? {
                    Operand::One(value) => field(value),
                    Operand::Either(one, other) => Filter::Or(vec![field(one), field(other)]),
                });
                return Ok(());
            }
            "$in" => Condition::In(self.list(path, name, node)?),
            "$nin" => Condition::Nin(self.list(path, name, node)?),
            "$exists" => Condition::Exists(self.flag(key, name, node)?),
            "$like" => {
                let pattern = text(key, name, node)?;
                let max = self.syntax.bounds.pattern_bytes_max;
                if pattern.len() > max {
                    return Err(refuse(key, "bound", format_args!("takes a pattern of {max} bytes at most")));
                }
                Condition::Like(pattern)
            }
            "$startsWith" => Condition::StartsWith(text(key, name, node)?),
            "$contains" => Condition::Contains(text(key, name, node)?),
            _ => return Err(misplaced(name, self.syntax)),
        };
        filters.push(Filter::Field(path.clone(), condition));
        Ok(())
    }

    /// Reads what one operator is given.
    fn operand(&self, path: &Path, name: &str, node: Node<'_>) -> Result<Operand> {
        match node {
            Node::Json(value) => json::typed(path, value, self.syntax).map(Operand::One),
            Node::Tree(Tree::Plain(literal)) => bracket::literal(path, literal, self.syntax),
            Node::Tree(Tree::List(list)) => {
                // Of a list whose types nobody knows there are two readings: as texts, and each element as what it may
                // be. All mixtures would be two to the power of its length.
                let (mut texts, mut read, mut differ) = (Vec::new(), Vec::new(), false);
                for element in list.iter() {
                    let (text, value) = match self.element(path, name, Node::Tree(element))? {
                        Operand::One(value) => (value.clone(), value),
                        Operand::Either(text, value) => {
                            differ = true;
                            (text, value)
                        }
                    };
                    texts.push(text);
                    read.push(value);
                }
                Ok(if differ { Operand::Either(texts.into(), read.into()) } else { Operand::One(texts.into()) })
            }
            Node::Tree(_) => {
                let what = format_args!("takes a value under `{name}`; an object can be given in JSON only");
                Err(refuse(path.as_str(), "type", what))
            }
        }
    }

    /// Reads an element of a list.
    fn element(&self, path: &Path, name: &str, node: Node<'_>) -> Result<Operand> {
        if let Some((operator, _)) =
            node.members().and_then(|mut members| members.find(|(name, _)| name.starts_with('$')))
            && let Node::Tree(_) = node
        {
            return Err(misplaced(operator, self.syntax));
        }
        if let Node::Tree(Tree::List(_) | Tree::Named(_)) = node {
            let what =
                format_args!("takes a list of values under `{name}`; {node} in a list can be given in JSON only");
            return Err(refuse(path.as_str(), "type", what));
        }
        self.operand(path, name, node)
    }

    /// Reads the list that `$in` and `$nin` are given.
    fn list(&self, path: &Path, name: &str, node: Node<'_>) -> Result<Vec<Value>> {
        let Some((count, elements)) = node.elements() else {
            // In a query string, a list of one may look like its element.
            return match node {
                Node::Tree(Tree::Plain(literal)) => Ok(match bracket::literal(path, literal, self.syntax)? {
                    Operand::One(value) => vec![value],
                    Operand::Either(one, other) => vec![one, other],
                }),
                _ => Err(refuse(path.as_str(), "type", format_args!("takes a list under `{name}`, not {node}"))),
            };
        };
        let mut values = Vec::with_capacity(count);
        let mut seen = HashSet::new();
        let any = bracket::is_any(path, self.syntax);
        for element in elements {
            if let (true, Node::Tree(Tree::Plain(literal))) = (any, element)
                && !seen.insert(*literal)
            {
                continue;
            }
            match self.element(path, name, element)? {
                Operand::One(value) => values.push(value),
                Operand::Either(one, other) => values.extend([one, other]),
            }
        }
        Ok(values)
    }

    /// Reads the keys of a sort, in their order.
    pub(super) fn sort(&self, key: &str, node: Node<'_>) -> Result<Vec<Sort>> {
        let Some(members) = node.members() else {
            return Err(refuse(key, "type", format_args!("takes fields with 1 or -1, not {node}")));
        };
        let max = self.syntax.bounds.sort_keys_max;
        let mut sort: Vec<Sort> = Vec::new();
        for (name, node) in members {
            let path = self.path(name)?;
            let number = match node {
                Node::Json(value) if value.equals(&Value::Int(1)) => Some("1"),
                Node::Json(value) if value.equals(&Value::Int(-1)) => Some("-1"),
                _ => node.text(),
            };
            let direction = match number {
                Some("1") => Direction::Ascending,
                Some("-1") => Direction::Descending,
                _ => return Err(refuse(key, "type", format_args!("takes 1 or -1 for `{}`, not {node}", shown(name)))),
            };
            if sort.iter().any(|other| other.path == path) {
                return Err(refuse(key, "mixed", format_args!("names `{}` twice", shown(name))));
            }
            if sort.len() == max {
                return Err(refuse(key, "bound", format_args!("has more than {max} keys")));
            }
            sort.push(Sort { path, direction });
        }
        Ok(sort)
    }

    fn select(&self, key: &str, node: Node<'_>) -> Result<Vec<Path>> {
        let Some((count, elements)) = node.elements() else {
            return match node.text() {
                Some("") => Ok(Vec::new()),
                Some(name) => Ok(vec![self.path(name)?]),
                None => Err(refuse(key, "type", format_args!("takes a list of fields, not {node}"))),
            };
        };
        let mut paths = Vec::with_capacity(count);
        for element in elements {
            match element.text() {
                // A query string has no other way to say the empty list.
                Some("") if count == 1 => {}
                Some(name) => paths.push(self.path(name)?),
                None => return Err(refuse(key, "type", format_args!("takes names of fields, not {element}"))),
            }
        }
        Ok(paths)
    }

    /// Reads an integer that is not negative.
    pub(super) fn whole(&self, key: &str, node: Node<'_>) -> Result<u64> {
        let number = match node {
            Node::Json(Value::Int(number)) => u64::try_from(*number).ok(),
            Node::Json(Value::UInt(number)) => Some(*number),
            _ => node
                .text()
                .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|text| text.parse().ok()),
        };
        number.ok_or_else(|| refuse(key, "type", format_args!("takes an integer that is not negative, not {node}")))
    }

    pub(super) fn skip(&self, key: &str, node: Node<'_>) -> Result<u64> {
        let (skip, max) = (self.whole(key, node)?, self.syntax.bounds.skip_max);
        if skip > max { Err(refuse(key, "bound", format_args!("is at most {max}"))) } else { Ok(skip) }
    }

    pub(super) fn after(&self, key: &str, node: Node<'_>) -> Result<Cursor> {
        let Some(text) = node.text() else {
            return Err(refuse(key, "type", format_args!("takes a cursor, not {node}")));
        };
        Cursor::decode(text)
            .map_err(|error| error.with_field(key, "malformed", "is not a cursor that this service gave"))
    }

    /// Reads `true` or `false`.
    pub(super) fn flag(&self, key: &str, operator: &str, node: Node<'_>) -> Result<bool> {
        let flag = match node {
            Node::Json(value) => value.as_bool(),
            Node::Tree(Tree::Plain("true")) => Some(true),
            Node::Tree(Tree::Plain("false")) => Some(false),
            Node::Tree(_) => None,
        };
        let under = if operator.is_empty() { String::new() } else { format!(" under `{operator}`") };
        flag.ok_or_else(|| refuse(key, "type", format_args!("takes true or false{under}, not {node}")))
    }
}

fn text(key: &str, operator: &str, node: Node<'_>) -> Result<Text> {
    let text = node.text().map(Text::from);
    text.ok_or_else(|| refuse(key, "type", format_args!("takes one text under `{operator}`, not {node}")))
}

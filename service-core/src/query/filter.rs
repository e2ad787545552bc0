//! [`Filter`] and [`Condition`]: which records a query is about.

use crate::{Path, Text, Value};

/// Which records a query is about: closed data that every adapter translates whole.
///
/// Every filter answers yes or no, never "unknown": null and absent are the same value, `$ne` and `$nin` include it, and
/// [`Filter::Not`] turns any answer round. A condition on a field that holds a list holds when it holds for an element
/// (or for the list as a whole); a dotted path that meets a list goes on into each object in it.
///
/// ```
/// use remex_core::Filter;
///
/// let filter = Filter::eq("done", false).and(Filter::gte("priority", 3).or(Filter::is_in("tag", ["a", "b"])));
/// assert_eq!(filter.to_string(), r#"{"done":false,"$or":[{"priority":{"$gte":3}},{"tag":{"$in":["a","b"]}}]}"#);
/// ```
#[derive(Debug, Default, PartialEq)]
pub enum Filter {
    /// Every record.
    #[default]
    All,
    /// The records whose field is so.
    Field(Path, Condition),
    /// The records that match every one of these.
    ///
    /// Of an empty list that is every record; it is what a client says with `?query={}`. Unlike [`Filter::All`] it is
    /// refused where many records are to be changed: whoever sends an empty filter has lost one.
    And(Vec<Self>),
    /// The records that match at least one of these; none, where the list is empty.
    Or(Vec<Self>),
    /// The records that match none of these.
    Nor(Vec<Self>),
    /// The records that do not match this.
    Not(Box<Self>),
}

impl Clone for Filter {
    #[inline]
    fn clone(&self) -> Self {
        // Of most calls, and copied with the params of each that has hooks.
        if let Self::All = self { Self::All } else { self.copy() }
    }
}

/// What must hold for the value of a field.
///
/// Ordered conditions compare values of the same kind only (numbers with numbers, text with text): `age > "a"` matches
/// nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Is equal; null equals absent. `$eq`
    Eq(Value),
    /// Is not equal; null and absent are not equal to any value but null. `$ne`
    Ne(Value),
    /// Comes after. `$gt`
    Gt(Value),
    /// Comes after or is equal. `$gte`
    Gte(Value),
    /// Comes before. `$lt`
    Lt(Value),
    /// Comes before or is equal. `$lte`
    Lte(Value),
    /// Is equal to one of these; nothing is, where the list is empty. `$in`
    In(Vec<Value>),
    /// Is equal to none of these; everything is not, where the list is empty. `$nin`
    Nin(Vec<Value>),
    /// Is neither null nor absent, or is either. `$exists`
    Exists(bool),
    /// Is text of this pattern, where `%` stands for any characters, `_` for one, and `\` takes the next as it is.
    /// Case counts. `$like`
    Like(Text),
    /// Is text that starts so. Case counts. `$startsWith`
    StartsWith(Text),
    /// Is text that holds this somewhere. Case counts. `$contains`
    Contains(Text),
}

impl Condition {
    /// The operators of the query language, in the order in which errors list them.
    pub const OPERATORS: [&str; 12] =
        ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$like", "$startsWith", "$contains"];

    /// Returns the operator that says this condition in a query.
    #[must_use]
    pub const fn operator(&self) -> &'static str {
        match self {
            Self::Eq(_) => "$eq",
            Self::Ne(_) => "$ne",
            Self::Gt(_) => "$gt",
            Self::Gte(_) => "$gte",
            Self::Lt(_) => "$lt",
            Self::Lte(_) => "$lte",
            Self::In(_) => "$in",
            Self::Nin(_) => "$nin",
            Self::Exists(_) => "$exists",
            Self::Like(_) => "$like",
            Self::StartsWith(_) => "$startsWith",
            Self::Contains(_) => "$contains",
        }
    }

    /// Returns what the operator is given, as a value.
    #[must_use]
    pub fn operand(&self) -> Value {
        match self {
            Self::Eq(value)
            | Self::Ne(value)
            | Self::Gt(value)
            | Self::Gte(value)
            | Self::Lt(value)
            | Self::Lte(value) => value.clone(),
            Self::In(values) | Self::Nin(values) => Value::Array(values.clone().into_boxed_slice()),
            Self::Exists(flag) => Value::Bool(*flag),
            Self::Like(text) | Self::StartsWith(text) | Self::Contains(text) => Value::Text(text.clone()),
        }
    }
}

/// What can be given as the name of a field in a builder: a [`Path`], or text that is one.
///
/// # Panics
/// Text that is no path panics, as an index out of range does: in a builder it is written by the programmer. Paths from
/// outside go through [`Path::new`], which answers an error.
pub trait IntoPath {
    /// Turns it into a path.
    fn into_path(self) -> Path;
}

impl IntoPath for Path {
    fn into_path(self) -> Path {
        self
    }
}

impl IntoPath for &Path {
    fn into_path(self) -> Path {
        self.clone()
    }
}

impl IntoPath for &str {
    #[track_caller]
    fn into_path(self) -> Path {
        match Path::new(self) {
            Ok(path) => path,
            Err(error) => panic!("{error}"),
        }
    }
}

impl Filter {
    fn copy(&self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Field(path, condition) => Self::Field(path.clone(), condition.clone()),
            Self::And(all) => Self::And(all.clone()),
            Self::Or(any) => Self::Or(any.clone()),
            Self::Nor(none) => Self::Nor(none.clone()),
            Self::Not(filter) => Self::Not(filter.clone()),
        }
    }

    /// Matches records whose field is so.
    #[track_caller]
    pub fn field(path: impl IntoPath, condition: Condition) -> Self {
        Self::Field(path.into_path(), condition)
    }

    /// Matches records whose field equals the value; null equals absent.
    #[track_caller]
    pub fn eq(path: impl IntoPath, value: impl Into<Value>) -> Self {
        Self::field(path, Condition::Eq(value.into()))
    }

    /// Matches records whose field does not equal the value.
    #[track_caller]
    pub fn ne(path: impl IntoPath, value: impl Into<Value>) -> Self {
        Self::field(path, Condition::Ne(value.into()))
    }

    /// Matches records whose field comes after the value.
    #[track_caller]
    pub fn gt(path: impl IntoPath, value: impl Into<Value>) -> Self {
        Self::field(path, Condition::Gt(value.into()))
    }

    /// Matches records whose field comes after the value or equals it.
    #[track_caller]
    pub fn gte(path: impl IntoPath, value: impl Into<Value>) -> Self {
        Self::field(path, Condition::Gte(value.into()))
    }

    /// Matches records whose field comes before the value.
    #[track_caller]
    pub fn lt(path: impl IntoPath, value: impl Into<Value>) -> Self {
        Self::field(path, Condition::Lt(value.into()))
    }

    /// Matches records whose field comes before the value or equals it.
    #[track_caller]
    pub fn lte(path: impl IntoPath, value: impl Into<Value>) -> Self {
        Self::field(path, Condition::Lte(value.into()))
    }

    /// Matches records whose field equals one of the values.
    #[track_caller]
    pub fn is_in<V: Into<Value>>(path: impl IntoPath, values: impl IntoIterator<Item = V>) -> Self {
        Self::field(path, Condition::In(values.into_iter().map(Into::into).collect()))
    }

    /// Matches records whose field equals none of the values.
    #[track_caller]
    pub fn not_in<V: Into<Value>>(path: impl IntoPath, values: impl IntoIterator<Item = V>) -> Self {
        Self::field(path, Condition::Nin(values.into_iter().map(Into::into).collect()))
    }

    /// Matches records whose field is neither null nor absent (`true`), or is either (`false`).
    #[track_caller]
    pub fn exists(path: impl IntoPath, exists: bool) -> Self {
        Self::field(path, Condition::Exists(exists))
    }

    /// Matches records whose field is text of the pattern, see [`Condition::Like`].
    #[track_caller]
    pub fn like(path: impl IntoPath, pattern: impl Into<Text>) -> Self {
        Self::field(path, Condition::Like(pattern.into()))
    }

    /// Matches records whose field is text that starts so.
    #[track_caller]
    pub fn starts_with(path: impl IntoPath, start: impl Into<Text>) -> Self {
        Self::field(path, Condition::StartsWith(start.into()))
    }

    /// Matches records whose field is text that holds this somewhere.
    #[track_caller]
    pub fn contains(path: impl IntoPath, part: impl Into<Text>) -> Self {
        Self::field(path, Condition::Contains(part.into()))
    }

    /// Matches records that match this filter and the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, one) | (one, Self::All) => one,
            (Self::And(mut all), Self::And(others)) => {
                all.extend(others);
                Self::And(all)
            }
            (Self::And(mut all), other) => {
                all.push(other);
                Self::And(all)
            }
            (one, Self::And(others)) => Self::And(std::iter::once(one).chain(others).collect()),
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// Matches records that match this filter or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut any) => {
                any.push(other);
                Self::Or(any)
            }
            one => Self::Or(vec![one, other]),
        }
    }

    /// Matches records that match at least one of the filters; none, where there is no filter.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::Or(filters.into_iter().collect())
    }

    /// Matches records that match all of the filters; every record, where there is no filter.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        filters.into_iter().fold(Self::All, Self::and)
    }

    /// Returns whether this is a filter that says nothing, but is there: [`Filter::And`] of an empty list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::And(filters) if filters.is_empty())
    }

    /// Returns whether this is [`Filter::All`].
    #[must_use]
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Calls the closure for the path of every condition, as deep as they are.
    pub fn each_path<'a>(&'a self, visit: &mut impl FnMut(&'a Path)) {
        match self {
            Self::All => {}
            Self::Field(path, _) => visit(path),
            Self::And(filters) | Self::Or(filters) | Self::Nor(filters) => {
                filters.iter().for_each(|filter| filter.each_path(visit));
            }
            Self::Not(filter) => filter.each_path(visit),
        }
    }

    /// Calls the closure for every value that a field is compared with, to change it.
    pub(crate) fn each_value(&mut self, visit: &mut impl FnMut(&Path, &mut Value)) {
        match self {
            Self::All => {}
            Self::Field(path, condition) => match condition {
                Condition::Eq(value)
                | Condition::Ne(value)
                | Condition::Gt(value)
                | Condition::Gte(value)
                | Condition::Lt(value)
                | Condition::Lte(value) => visit(path, value),
                Condition::In(values) | Condition::Nin(values) => {
                    values.iter_mut().for_each(|value| visit(path, value));
                }
                Condition::Exists(_) | Condition::Like(_) | Condition::StartsWith(_) | Condition::Contains(_) => {}
            },
            Self::And(filters) | Self::Or(filters) | Self::Nor(filters) => {
                filters.iter_mut().for_each(|filter| filter.each_value(visit));
            }
            Self::Not(filter) => filter.each_value(visit),
        }
    }

    /// Lists the equalities that every matching record fulfils: the fields that a scope stamps into new records.
    pub fn equalities(&self) -> Vec<(&Path, &Value)> {
        match self {
            Self::Field(path, Condition::Eq(value)) => vec![(path, value)],
            Self::And(filters) => filters.iter().flat_map(Self::equalities).collect(),
            _ => Vec::new(),
        }
    }
}

/// Turns the filter round.
impl std::ops::Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

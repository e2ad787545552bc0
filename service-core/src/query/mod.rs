//! [`Query`]: which records, in which order, how many, and which of their fields.
//!
//! A query is parsed once, at the edge, into the closed data of this module; adapters translate the whole of it.

mod bracket;
mod cursor;
mod evaluate;
mod filter;
mod json;
mod order;
mod syntax;
mod write;

#[cfg(test)]
mod tests;

pub use cursor::Cursor;
pub use evaluate::compare_by;
pub use filter::{Condition, Filter, IntoPath};
pub use syntax::{Coerce, QueryBounds, QuerySyntax};

use crate::{Document, Path, Result};

/// Which records, in which order, how many, and which of their fields.
///
/// ```
/// use remex_core::{Filter, Query};
///
/// let query = Query::new()
///     .filter(Filter::eq("done", false))
///     .filter(Filter::gte("priority", 3))
///     .sort_descending("priority")
///     .sort("title")
///     .limit(5);
/// assert_eq!(
///     query.to_brackets()?,
///     "done=false&priority[$gte]=3&$sort[priority]=-1&$sort[title]=1&$limit=5",
/// );
/// # Ok::<(), remex_core::Error>(())
/// ```
#[derive(Debug, Default, PartialEq)]
pub struct Query {
    /// Which records.
    pub filter: Filter,
    /// In which order; records that are equal in it are ordered by id.
    pub sort: Vec<Sort>,
    /// How many of them to leave out first.
    pub skip: Option<u64>,
    /// How many to answer at most.
    pub limit: Option<u64>,
    /// Which fields to answer besides the id; all, where it is `None`. It is for the wire: a typed caller inside the
    /// program gets whole records.
    pub select: Option<Vec<Path>>,
    /// Where the page before this one ended.
    pub after: Option<Cursor>,
    /// Whether to count all that match; a paginated service does, unless this says no.
    pub total: Option<bool>,
    /// Further parameters that the service allows ([`Options::allow_parameter`](crate::Options::allow_parameter)),
    /// for hooks to read; stores look past them.
    pub extra: Document,
}

impl Clone for Query {
    fn clone(&self) -> Self {
        let Self { filter, sort, skip, limit, select, after, total, extra } = self;
        Self {
            filter: filter.clone(),
            // Most queries have none, and params are copied for every call with hooks.
            sort: if sort.is_empty() { Vec::new() } else { sort.clone() },
            skip: *skip,
            limit: *limit,
            select: select.clone(),
            after: after.clone(),
            total: *total,
            extra: extra.clone(),
        }
    }
}

/// One key of a sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub path: Path,
    /// Which way.
    pub direction: Direction,
}

/// Which way a sort goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Null first, then small before large. `1`
    Ascending,
    /// Large before small, null last. `-1`
    Descending,
}

impl Query {
    /// Returns the query for every record in the order of ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Narrows the query to records that match this filter as well.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }

    /// Sorts by a field, small before large; further calls order what the first left equal.
    #[must_use]
    #[track_caller]
    pub fn sort(mut self, path: impl IntoPath) -> Self {
        self.sort.push(Sort { path: path.into_path(), direction: Direction::Ascending });
        self
    }

    /// Sorts by a field, large before small.
    #[must_use]
    #[track_caller]
    pub fn sort_descending(mut self, path: impl IntoPath) -> Self {
        self.sort.push(Sort { path: path.into_path(), direction: Direction::Descending });
        self
    }

    /// Leaves out so many records first.
    #[must_use]
    pub const fn skip(mut self, skip: u64) -> Self {
        self.skip = Some(skip);
        self
    }

    /// Answers so many records at most.
    #[must_use]
    pub const fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Answers these fields, and the id, only.
    #[must_use]
    #[track_caller]
    pub fn select<P: IntoPath>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.select = Some(paths.into_iter().map(IntoPath::into_path).collect());
        self
    }

    /// Goes on where the page with this cursor ended.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Says whether to count all that match.
    #[must_use]
    pub const fn total(mut self, total: bool) -> Self {
        self.total = Some(total);
        self
    }

    /// Parses a query string, with or without the question mark, in brackets
    /// (`?done=false&priority[$gte]=3&$sort[title]=1`) or as JSON
    /// (`?query={"done":false}&sort={"title":1}&limit=5&skip=5&fields=title`).
    ///
    /// The syntax knows the types of fields, to which the texts of a query string are turned, and the bounds.
    ///
    /// ```
    /// use remex_core::{Filter, Query, QuerySyntax};
    ///
    /// let query = Query::parse("?name[$in][]=Alice&name[$in][]=Bob&$limit=2", &QuerySyntax::default())?;
    /// assert_eq!(query, Query::new().filter(Filter::is_in("name", ["Alice", "Bob"])).limit(2));
    /// # Ok::<(), remex_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest), naming the key, for an unknown operator, a value that
    /// does not fit its field, a malformed limit, skip or sort, a list that holds nothing where something must be, text
    /// that is not UTF-8, and whatever is past the bounds.
    pub fn parse(text: &str, syntax: &QuerySyntax) -> Result<Self> {
        syntax::parse(text, syntax)
    }

    /// Reads a query from one JSON object in Feathers' form: `{"done":false,"$sort":{"title":1},"$limit":5}`.
    ///
    /// # Errors
    /// As [`Query::parse`].
    pub fn from_json(document: &Document, syntax: &QuerySyntax) -> Result<Self> {
        json::read(document, syntax)
    }

    /// Writes the query as one JSON object, as [`Query::from_json`] reads it.
    #[must_use]
    pub fn to_json(&self) -> Document {
        write::json(self)
    }

    /// Writes the query as a query string in brackets, percent-encoded where it must be, without the question mark.
    ///
    /// Texts and numbers look alike there: it is read back as it was where the types of the fields are known.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for what brackets cannot say and JSON can: an empty
    /// list, an object as a value, null and text that would read as null or as nothing.
    pub fn to_brackets(&self) -> Result<String> {
        write::brackets(self)
    }
}

/// Writes the filter as JSON, as in a query.
impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", write::filter_json(self))
    }
}

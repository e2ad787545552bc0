//! [`QuerySyntax`]: what a query string of a service may say, and within which bounds.

use super::Query;
use crate::{Fields, Result, Text};

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
    /// Bytes of a query string. Defaults to 65,536.
    pub bytes_max: usize,
    /// Pairs of a query string, and conditions of a query in JSON. Defaults to 2,000.
    pub pairs_max: usize,
    /// Elements of one list. Defaults to 2,000.
    pub list_max: usize,
    /// Levels of brackets behind a name, and of objects and lists in JSON. Defaults to 5.
    pub depth_max: usize,
    /// Branches of all `$or`, `$and` and `$nor` together. Defaults to 50.
    pub branches_max: usize,
    /// Keys of a sort. Defaults to 8.
    pub sort_keys_max: usize,
    /// The largest `$skip`. Defaults to 1,000,000.
    pub skip_max: u64,
}

impl Default for QueryBounds {
    fn default() -> Self {
        Self {
            bytes_max: 65_536,
            pairs_max: 2_000,
            list_max: 2_000,
            depth_max: 5,
            branches_max: 50,
            sort_keys_max: 8,
            skip_max: 1_000_000,
        }
    }
}

pub(super) fn parse(text: &str, syntax: &QuerySyntax) -> Result<Query> {
    let _ = (text, syntax);
    unimplemented!()
}

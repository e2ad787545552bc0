//! [`Key`]: what a store was asked.

use std::fmt::Display;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use remex_core::{Call, Filter, Missing, Operation, Paginate, Params, Provider, Query, RouteValues};

/// What a store was asked: all of a call that its answer may depend on.
#[derive(Debug)]
pub(super) struct Key {
    question: Question,
    /// Of the question as text, which is longer than itself. It only spreads the keys: they are told apart by `==`.
    hash: u64,
    bytes: u64,
}

#[derive(Debug, PartialEq)]
struct Question {
    operation: Operation,
    json: bool,
    /// As they stand in URLs, which is what tells ids apart.
    ids: Vec<String>,
    query: Query,
    provider: Option<Provider>,
    scope: Filter,
    route: RouteValues,
    paginate: Option<Paginate>,
    missing: Option<Missing>,
    skip_missing: bool,
    silent: bool,
    whole: bool,
}

impl Key {
    /// Returns the key of a call that reads.
    pub(super) fn new<I: Display, T>(call: &Call<I, T>, json: bool, params: &Params, hasher: &RandomState) -> Self {
        // Every field has its name here, so that a new one is not forgotten.
        let Params {
            query,
            provider,
            scope,
            route,
            headers: _,
            extensions: _,
            paginate,
            missing,
            skip_missing,
            silent,
            whole,
            // Says something of data, which is not read.
            vetted: _,
        } = params;
        let ids = match call {
            Call::Read(id) => std::slice::from_ref(id),
            Call::ReadMany(ids) => ids,
            _ => &[],
        };
        let question = Question {
            operation: call.operation(),
            json,
            ids: ids.iter().map(ToString::to_string).collect(),
            query: query.clone(),
            provider: provider.clone(),
            scope: scope.clone(),
            route: route.clone(),
            paginate: *paginate,
            missing: *missing,
            skip_missing: *skip_missing,
            silent: *silent,
            whole: *whole,
        };
        let text = format!("{question:?}");
        Self { question, hash: hasher.hash_one(&text), bytes: text.len() as u64 }
    }

    /// Returns about how many bytes the key takes.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.question == other.question
    }
}

/// A question that is not equal to itself, such as one about a number that is none, is never found again.
impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

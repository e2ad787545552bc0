//! [`Plan`]: a call as the store is to run it, after the options had their say.
//!
//! This is the one place where options meet params: whether a query is applied, which fields it may name, how many
//! records it answers, who may touch many records at once. An adapter asks here and decides nothing of it again.

use std::borrow::Cow;

use crate::description::Description;
use crate::options::{AllowQuery, ClientIds, Missing, Paginate};
use crate::{Cursor, Direction, Error, Filter, Method, Params, Path, Query, Result, Sort};

/// What a caller wants to do, as far as options decide about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// List records.
    Index,
    /// Count records.
    Count,
    /// Answer one record, or those of a list of ids.
    Read,
    /// Make a record.
    Create,
    /// Make so many records.
    CreateMany(usize),
    /// Merge into one record.
    Modify,
    /// Merge into every record that matches.
    ModifyMany,
    /// Replace one record.
    Update,
    /// Take one record away.
    Remove,
    /// Take every record away that matches.
    RemoveMany,
}

/// A call as the store is to run it.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Which records exist for the call: those of its query within its scope.
    pub filter: Cow<'a, Filter>,
    /// In which order; the store orders equal ones by id, ascending.
    pub sort: &'a [Sort],
    /// How many to leave out.
    pub skip: u64,
    /// How many to answer at most.
    pub limit: Option<u64>,
    /// Which fields to answer besides the id; all, where it is `None`.
    pub select: Option<&'a [Path]>,
    /// Where the page before ended.
    pub after: Option<&'a Cursor>,
    /// Whether to count all that match.
    pub total: bool,
    /// Whether the answer is a page.
    pub paginated: bool,
    /// What `modify` and `update` do about an id without a record.
    pub missing: Missing,
}

static NO_QUERY: std::sync::LazyLock<Query> = std::sync::LazyLock::new(Query::default);

impl Description {
    /// Decides what a call may do and how the store is to run it.
    ///
    /// # Errors
    /// - [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for a field that is not known, hidden from the caller or
    ///   not open to its queries; for a multi-record change with paging or without a filter; for a batch past its bound.
    /// - [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) where a client may not remove many records.
    /// - [`ErrorKind::MethodNotAllowed`](crate::ErrorKind::MethodNotAllowed) where a client may not create or modify many
    ///   records at once.
    pub fn plan<'a>(&self, intent: Intent, params: &'a Params) -> Result<Plan<'a>> {
        let options = &self.options;
        let applied = match options.allow_query {
            AllowQuery::Everyone => true,
            AllowQuery::ServerOnly => !params.is_client(),
            AllowQuery::Nobody => false,
        };
        self.permit(intent, params, applied)?;
        let query: &'a Query = if applied { &params.query } else { &NO_QUERY };
        self.check_fields(query, params.is_client())?;

        let filter = match intent {
            // A query says nothing about a record that is yet to be made.
            Intent::Create | Intent::CreateMany(_) => self.kept(&params.scope),
            _ => match (&query.filter, &params.scope) {
                (filter, Filter::All) => self.kept(filter),
                (Filter::All, scope) => self.kept(scope),
                (filter, scope) => Cow::Owned(self.kept(scope).into_owned().and(self.kept(filter).into_owned())),
            },
        };
        let mut plan = Plan {
            filter,
            sort: &[],
            skip: 0,
            limit: None,
            select: query.select.as_deref(),
            after: None,
            total: false,
            paginated: false,
            missing: self.missing(params),
        };
        if intent == Intent::Index {
            self.page(&mut plan, query, params)?;
        }
        Ok(plan)
    }

    /// Puts the values of a filter into the form in which their fields are kept, where the program or a scope wrote a
    /// time, a decimal or a UUID in another.
    pub(crate) fn kept<'a>(&self, filter: &'a Filter) -> Cow<'a, Filter> {
        let Some(fields) = &self.options.fields else { return Cow::Borrowed(filter) };
        let mut concerned = false;
        filter
            .each_path(&mut |path| concerned |= fields.find_path(path).is_some_and(|field| field.kind.has_one_form()));
        if !concerned {
            return Cow::Borrowed(filter);
        }
        let mut filter = filter.clone();
        filter.each_value(&mut |path, value| {
            let kind = fields.find_path(path).map(|field| field.kind).filter(|kind| kind.has_one_form());
            if let Some(kept) = kind.and_then(|kind| kind.keep(value.clone())) {
                *value = kept;
            }
        });
        Cow::Owned(filter)
    }

    /// Decides what `modify` and `update` do about an id without a record.
    #[must_use]
    pub fn missing(&self, params: &Params) -> Missing {
        // A client whose ids are not taken cannot make a record under one.
        if params.is_client() && self.options.client_ids == ClientIds::Ignore {
            return Missing::NotFound;
        }
        params.missing.unwrap_or(self.options.missing)
    }

    fn page<'a>(&self, plan: &mut Plan<'a>, query: &'a Query, params: &Params) -> Result<()> {
        plan.sort = &query.sort;
        plan.skip = query.skip.unwrap_or(0);
        if let Some(cursor) = &query.after {
            cursor.check_sort(&query.sort)?;
            plan.after = Some(cursor);
        }
        match params.paginate.unwrap_or(self.options.paginate) {
            Paginate::Off => {
                plan.limit = query.limit;
                plan.total = query.total == Some(true);
            }
            Paginate::On { default, max, total } => {
                plan.limit = Some(query.limit.unwrap_or(default).min(max));
                // A client may save the count, but not ask for one that the service does not offer.
                plan.total = match query.total {
                    Some(wanted) if !params.is_client() => wanted,
                    Some(wanted) => wanted && total,
                    None => total,
                };
                plan.paginated = true;
            }
        }
        Ok(())
    }

    /// Decides who may touch many records at once.
    fn permit(&self, intent: Intent, params: &Params, applied: bool) -> Result<()> {
        let (client, query, name) = (params.is_client(), &params.query, self.name());
        let permitted = |method| !client || self.options.multi.contains(method);
        match intent {
            Intent::CreateMany(count) => {
                if !permitted(Method::Create) {
                    return Err(Error::method_not_allowed(format!(
                        "can not create multiple entries of `{name}` at once"
                    )));
                }
                if client && count > self.options.batch_max {
                    let max = self.options.batch_max;
                    return Err(Error::bad_request(format!(
                        "at most {max} records of `{name}` can be created at once"
                    )));
                }
                Ok(())
            }
            Intent::ModifyMany => {
                if !permitted(Method::Modify) {
                    return Err(Error::method_not_allowed(format!(
                        "can not modify multiple entries of `{name}` at once"
                    )));
                }
                if !applied && (client || !query.filter.is_all()) {
                    return Err(Error::forbidden(format!("`{name}` may not be modified by a query")));
                }
                if client && query.filter.is_all() || query.filter.is_empty() {
                    return Err(Error::bad_request("to modify many records, say which: the query has no filter"));
                }
                no_paging(query, "modify")
            }
            Intent::RemoveMany => {
                // A query that is looked past must never widen what is removed.
                let said = if client { *query != *NO_QUERY } else { !query.filter.is_all() };
                if !applied && said {
                    return Err(Error::forbidden(format!("`{name}` may not be removed by a query")));
                }
                let all = query.filter.is_all();
                if client && all && said || query.filter.is_empty() {
                    return Err(Error::bad_request("to remove many records, say which: the query has no filter"));
                }
                if client && !(self.options.allow_remove_all || !all && permitted(Method::Remove)) {
                    return Err(Error::forbidden(if all {
                        format!("clients may not remove all records of `{name}`")
                    } else {
                        format!("clients may not remove many records of `{name}` at once")
                    }));
                }
                no_paging(query, "remove")
            }
            _ => Ok(()),
        }
    }

    /// Refuses fields that are not there, not for this caller, or not to be queried by it.
    fn check_fields(&self, query: &Query, client: bool) -> Result<()> {
        let mut refused: Option<Error> = None;
        let mut check = |path: &Path, queried: bool| {
            if refused.is_none() {
                refused = self.check_field(path, client, queried).err();
            }
        };
        query.filter.each_path(&mut |path| check(path, true));
        query.sort.iter().for_each(|key| check(&key.path, true));
        query.select.iter().flatten().for_each(|path| check(path, false));
        refused.map_or(Ok(()), Err)
    }

    fn check_field(&self, path: &Path, client: bool, queried: bool) -> Result<()> {
        let options = &self.options;
        let unknown = options.fields.as_ref().is_some_and(|fields| fields.find_path(path).is_none());
        // To a client a hidden field is one that is not there.
        if unknown || client && options.hidden_fields.iter().any(|name| name.as_str() == path.first()) {
            let known = ["limit", "skip", "select", "sort", "after", "total"].contains(&path.as_str());
            let hint = if known { format!("; did you mean `${path}`?") } else { String::new() };
            return Err(Error::bad_request(format!("`{}` has no field `{path}`{hint}", self.name())).with_field(
                path.as_str(),
                "unknown",
                "there is no such field",
            ));
        }
        let open = |names: &Vec<crate::Text>| names.iter().any(|name| name.as_str() == path.first());
        if client && queried && path.as_str() != self.id_field() && !options.query_fields.as_ref().is_none_or(open) {
            return Err(Error::bad_request(format!("`{}` cannot be filtered or sorted by `{path}`", self.name()))
                .with_field(path.as_str(), "not_queryable", "cannot be filtered or sorted by"));
        }
        Ok(())
    }
}

fn no_paging(query: &Query, verb: &str) -> Result<()> {
    let parameter =
        [("$limit", query.limit.is_some()), ("$skip", query.skip.is_some()), ("$after", query.after.is_some())];
    match parameter.into_iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(Error::bad_request(format!("`{name}` does not go with a call to {verb} many records"))),
        None => Ok(()),
    }
}

impl Plan<'_> {
    /// Compares two records in the order of the plan; equal ones are told apart by the caller, by id.
    #[must_use]
    pub fn compare(&self, one: &crate::Document, other: &crate::Document) -> std::cmp::Ordering {
        crate::compare_by(self.sort, one, other)
    }

    /// Returns the direction and field of the sort, if it is by one field.
    #[must_use]
    pub const fn single_sort(&self) -> Option<(&Path, Direction)> {
        match self.sort {
            [Sort { path, direction }] => Some((path, *direction)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, FieldType, Fields, Options, Provider};

    fn plan_error(options: Options, intent: Intent, params: &Params) -> Option<(ErrorKind, String)> {
        let description = Description::new(options).expect("options");
        description.plan(intent, params).err().map(|error| (error.kind(), error.message().to_owned()))
    }

    fn client(query: Query) -> Params {
        Params::client(Provider::Rest).with_query(query)
    }

    #[test]
    fn removing_many_is_for_whom_it_is_permitted() {
        let all = Query::new();
        let some = Query::new().filter(Filter::eq("a", 1));
        let kind =
            |options: Options, params: &Params| plan_error(options, Intent::RemoveMany, params).map(|(kind, _)| kind);
        let people = || Options::new("people");
        assert_eq!(kind(people(), &client(all.clone())), Some(ErrorKind::Forbidden));
        assert_eq!(kind(people(), &client(some.clone())), Some(ErrorKind::Forbidden));
        assert_eq!(kind(people().multi([Method::Remove]), &client(some.clone())), None);
        assert_eq!(kind(people().multi([Method::Remove]), &client(all.clone())), Some(ErrorKind::Forbidden));
        assert_eq!(kind(people().allow_remove_all(true), &client(all.clone())), None);
        assert_eq!(kind(people().allow_remove_all(true), &client(Query::new().limit(1))), Some(ErrorKind::BadRequest));
        assert_eq!(kind(people().allow_remove_all(true), &client(some.clone().limit(1))), Some(ErrorKind::BadRequest));
        assert_eq!(kind(people().allow_remove_all(true).allow_query(false), &client(some)), Some(ErrorKind::Forbidden));
        assert_eq!(kind(people().allow_remove_all(true).allow_query(false), &client(all.clone())), None);
        assert_eq!(kind(people(), &Params::from(all)), None);
        assert_eq!(kind(people(), &Params::from(Query::new().limit(1))), Some(ErrorKind::BadRequest));
    }

    #[test]
    fn scope_holds_where_queries_do_not() {
        let description = Description::new(Options::new("people").allow_query(AllowQuery::Nobody)).expect("options");
        let params = Params::from(Query::new().filter(Filter::eq("a", 1))).with_scope(Filter::eq("owner", 7));
        let plan = description.plan(Intent::Read, &params).expect("a plan");
        assert_eq!(*plan.filter, Filter::eq("owner", 7));
    }

    #[test]
    fn hidden_and_unknown_fields_look_alike() {
        let fields = Fields::new().optional("name", FieldType::Text).optional("password", FieldType::Text);
        let options = Options::new("people").fields(fields).hidden_field("password");
        let queries = |name: &str| {
            [
                Query::new().filter(Filter::eq("name", 1).or(!Filter::eq(name, 1))),
                Query::new().sort(name),
                Query::new().select([name]),
            ]
        };
        for (hidden, unknown) in queries("password").into_iter().zip(queries("pass")) {
            let hidden_error = plan_error(options.clone(), Intent::Index, &client(hidden.clone())).expect("refused");
            let unknown_error = plan_error(options.clone(), Intent::Index, &client(unknown)).expect("refused");
            assert_eq!(hidden_error.1.replace("password", "pass"), unknown_error.1);
            assert_eq!(plan_error(options.clone(), Intent::Index, &Params::from(hidden)), None);
        }
        let hint = plan_error(options, Intent::Index, &client(Query::new().filter(Filter::eq("limit", 5))));
        assert_eq!(hint.expect("refused").1, "`people` has no field `limit`; did you mean `$limit`?");
    }

    #[test]
    fn pages_are_bounded_by_the_service() {
        let description = Description::new(Options::new("people").paginate(Paginate::new(1, 2))).expect("options");
        let limit = |query: Query, paginate: Option<Paginate>| {
            let params = Params { paginate, ..client(query) };
            let plan = description.plan(Intent::Index, &params).expect("a plan");
            (plan.limit, plan.total, plan.paginated)
        };
        assert_eq!(limit(Query::new(), None), (Some(1), true, true));
        assert_eq!(limit(Query::new().limit(4), None), (Some(2), true, true));
        assert_eq!(limit(Query::new().limit(0), None), (Some(0), true, true));
        assert_eq!(limit(Query::new().total(false), None), (Some(1), false, true));
        assert_eq!(limit(Query::new(), Some(Paginate::Off)), (None, false, false));
        assert_eq!(limit(Query::new(), Some(Paginate::max(3).without_total())), (Some(3), false, true));
    }
}

//! [`Params`]: what goes with a call besides id and data.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Extensions;

use crate::{Filter, Headers, Missing, Paginate, Query, Text};

/// What goes with a call besides id and data.
///
/// Of all this only [`query`](Self::query) comes from a client, and the headers that it sent; everything else is set by
/// the server: by the transport, by layers and by hooks. `Params::default()` is a call from inside the program.
///
/// ```
/// use remex_core::{Filter, Params, Query};
///
/// let params = Params::from(Query::new().filter(Filter::eq("done", false)).limit(10));
/// assert!(!params.is_client());
/// ```
#[derive(Clone, Default)]
pub struct Params {
    /// Which records, in which order, how many, and which of their fields.
    pub query: Query,
    /// Through what a client came in; `None` is a call from inside the program.
    pub provider: Option<Provider>,
    /// What the server adds to the call and no query can widen: records outside do not exist for it.
    pub scope: Filter,
    /// The values of parameters in the path under which the service is mounted, such as `user_id`.
    pub route: RouteValues,
    /// The headers that the client sent.
    pub headers: Headers,
    /// Whatever else layers and hooks hand on, by type: the user, the tenant, a span.
    pub extensions: Extensions,
    /// Overrides the service's own [`Paginate`] for this call.
    ///
    /// Layers of a transport set it in time. A hook sets it in time for calls inside the program; over HTTP a list that nothing
    /// bounds is streamed, without an envelope, as was decided before hooks ran.
    pub paginate: Option<Paginate>,
    /// Overrides the service's own [`Missing`] for this call.
    pub missing: Option<Missing>,
    /// Whether `read_many` leaves out ids without a record instead of answering 404.
    pub skip_missing: bool,
    /// Whether the call passes over all hooks and has no events; see [`ServiceExt::silent`](crate::ServiceExt::silent).
    pub silent: bool,
    /// The service for which the client's data has been looked through for what it may not set: what is there of it now was
    /// set by hooks. Set where hooks begin; of no meaning to any other service that the params are handed on to.
    pub vetted: Option<Text>,
    /// Whether records are answered whole, with what the client may not see and did not select: for a caller inside the
    /// program that has a type for them and reveals on the way out what is the client's. [`Typed`](crate::Typed) sets it.
    pub whole: bool,
}

impl Params {
    /// Returns params for a call from inside the program.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns params for a call from a client that came in through the provider.
    #[must_use]
    pub fn client(provider: Provider) -> Self {
        Self { provider: Some(provider), ..Self::default() }
    }

    /// Returns whether the call comes from a client, through whatever provider.
    #[must_use]
    pub const fn is_client(&self) -> bool {
        self.provider.is_some()
    }

    /// Sets the query.
    #[must_use]
    pub fn with_query(mut self, query: Query) -> Self {
        self.query = query;
        self
    }

    /// Returns a copy of all that a store looks at, which is cheap: without headers, extensions and values of the path.
    ///
    /// For adapters whose work outlives the call that asked for it.
    #[must_use]
    pub fn for_store(&self) -> Self {
        Self {
            query: self.query.clone(),
            provider: self.provider.clone(),
            scope: self.scope.clone(),
            paginate: self.paginate,
            missing: self.missing,
            skip_missing: self.skip_missing,
            silent: self.silent,
            vetted: self.vetted.clone(),
            whole: self.whole,
            ..Self::default()
        }
    }

    /// Narrows the scope: only records that match this filter as well exist for the call.
    #[must_use]
    pub fn with_scope(mut self, scope: Filter) -> Self {
        self.scope = self.scope.and(scope);
        self
    }
}

impl From<Query> for Params {
    fn from(query: Query) -> Self {
        Self { query, ..Self::default() }
    }
}

impl fmt::Debug for Params {
    /// Headers are left out: they hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Params")
            .field("query", &self.query)
            .field("provider", &self.provider)
            .field("scope", &self.scope)
            .field("route", &self.route)
            .field("paginate", &self.paginate)
            .field("missing", &self.missing)
            .field("skip_missing", &self.skip_missing)
            .field("silent", &self.silent)
            .field("vetted", &self.vetted)
            .field("whole", &self.whole)
            .finish_non_exhaustive()
    }
}

/// Through what a client came in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// HTTP requests.
    Rest,
    /// A WebSocket.
    WebSocket,
    /// GraphQL.
    GraphQl,
    /// Something else, by its own name.
    Other(Cow<'static, str>),
}

impl Provider {
    /// Names the provider: `rest`, `websocket`, `graphql`, or its own name.
    #[must_use]
    pub fn via(&self) -> &str {
        match self {
            Self::Rest => "rest",
            Self::WebSocket => "websocket",
            Self::GraphQl => "graphql",
            Self::Other(name) => name,
        }
    }
}

/// The address from which a client's connection came: transports that know it put it into [`Params::extensions`].
///
/// Behind a proxy it is the proxy's. A layer that knows better, and whom to believe, puts in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

/// The values of parameters in the path under which a service is mounted.
///
/// A service under `users/{user_id}/notes` finds `user_id` here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteValues(
    /// None where the path has no parameters; shared, so that params are copied fast.
    Option<Arc<Vec<(Text, Text)>>>,
);

impl RouteValues {
    /// Returns the value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Sets a parameter.
    pub fn insert(&mut self, name: impl Into<Text>, value: impl Into<Text>) {
        let (name, value) = (name.into(), value.into());
        let values = Arc::make_mut(self.0.get_or_insert_default());
        match values.iter_mut().find(|(other, _)| *other == name) {
            Some((_, slot)) => *slot = value,
            None => values.push((name, value)),
        }
    }

    /// Lists names and values in the order of the path.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.as_deref().map_or(&[][..], Vec::as_slice).iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

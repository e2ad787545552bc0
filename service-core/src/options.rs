//! [`Options`]: how a service behaves, the same for every adapter.

use crate::{Coerce, Fields, Method, MethodSet, QueryBounds, Text};

/// How a service behaves. Every adapter takes the same options and respects all of them.
///
/// ```
/// use remex_core::{FieldType, Fields, IdKind, Options, Paginate, Timestamps};
///
/// let options = Options::new("people")
///     .id_kind(IdKind::Uuid)
///     .fields(Fields::new().required("name", FieldType::Text).optional("age", FieldType::Integer))
///     .unique("name")
///     .index("age")
///     .paginate(Paginate::new(10, 100))
///     .timestamps(Timestamps::Snake)
///     .hidden_field("password");
/// ```
///
/// Mistakes in them, such as an index over a field that does not exist, are errors when a service is built from them.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) name: Text,
    pub(crate) id_field: Text,
    pub(crate) id_kind: IdKind,
    pub(crate) fields: Option<Fields>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) allow_query: AllowQuery,
    pub(crate) allow_remove_all: bool,
    pub(crate) multi: MethodSet,
    pub(crate) batch_max: usize,
    pub(crate) paginate: Paginate,
    pub(crate) missing: Missing,
    pub(crate) client_ids: ClientIds,
    pub(crate) timestamps: Timestamps,
    pub(crate) query_fields: Option<Vec<Text>>,
    pub(crate) hidden_fields: Vec<Text>,
    pub(crate) coerce: Coerce,
    pub(crate) extra_parameters: Vec<Text>,
    pub(crate) ignored_parameters: Vec<Text>,
    pub(crate) bounds: QueryBounds,
}

/// Of which kind a service's ids are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IdKind {
    /// Integers of 64 bits, counted up.
    #[default]
    Integer,
    /// UUIDs of version 7, which sort by the time they were made.
    Uuid,
    /// Ids as MongoDB makes them, 24 hexadecimal digits, which sort by the second they were made in.
    ObjectId,
    /// Text that the caller makes up; `create` without one is refused.
    Text,
}

/// An index over one field of the records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Index {
    /// The field.
    pub field: Text,
    /// Whether two records may not hold the same value there. Null and absent are no value: any number may have them.
    pub unique: bool,
}

/// Whose queries a service applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AllowQuery {
    /// Everybody's.
    #[default]
    Everyone,
    /// Those from inside the program; a client's filter, sort, select and paging are looked past.
    ServerOnly,
    /// Nobody's; scopes still hold.
    Nobody,
}

impl From<bool> for AllowQuery {
    fn from(allow: bool) -> Self {
        if allow { Self::Everyone } else { Self::ServerOnly }
    }
}

/// Whether `index` answers pages, and how large ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paginate {
    /// All that match, as a plain list; `$limit` and `$skip` still hold.
    #[default]
    Off,
    /// Pages, as `{ total, limit, skip, data }`.
    On {
        /// How many records where the query says nothing.
        default: u64,
        /// How many records at most, whatever the query says.
        max: u64,
        /// Whether to count all that match. A client may turn it off for a call, not on.
        total: bool,
    },
}

impl Paginate {
    /// Answers pages of `default` records where the query says nothing, and of `max` at most, with the total.
    #[must_use]
    pub const fn new(default: u64, max: u64) -> Self {
        Self::On { default: if default < max { default } else { max }, max, total: true }
    }

    /// Answers pages of `max` records, at most and where the query says nothing, with the total.
    #[must_use]
    pub const fn max(max: u64) -> Self {
        Self::new(max, max)
    }

    /// Leaves the total out: a page then costs the page, not a count of all that match.
    #[must_use]
    pub const fn without_total(self) -> Self {
        match self {
            Self::Off => Self::Off,
            Self::On { default, max, .. } => Self::On { default, max, total: false },
        }
    }
}

/// What `modify` and `update` do about an id without a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// Create the record, with exactly that id.
    #[default]
    Create,
    /// Answer 404.
    NotFound,
}

/// What becomes of an id that a client sends in the data of `create`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientIds {
    /// It is kept; one that is there already is a conflict.
    #[default]
    Accept,
    /// It is replaced by one that the service makes, and an id without a record is 404 to `modify` and `update`.
    Ignore,
}

/// Whether the service keeps the times at which a record was made and last changed, and under which names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timestamps {
    /// It does not.
    #[default]
    Off,
    /// `created_at` and `updated_at`.
    Snake,
    /// `createdAt` and `updatedAt`.
    Camel,
}

impl Timestamps {
    /// Returns the names of the two fields: made at, changed at.
    #[must_use]
    pub const fn names(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Off => None,
            Self::Snake => Some(("created_at", "updated_at")),
            Self::Camel => Some(("createdAt", "updatedAt")),
        }
    }
}

impl Options {
    /// Returns the options of a service of this name, all with their defaults.
    ///
    /// The name stands in messages, and is that of the table or collection where there is one.
    #[must_use]
    pub fn new(name: impl Into<Text>) -> Self {
        Self {
            name: name.into(),
            id_field: "id".into(),
            id_kind: IdKind::default(),
            fields: None,
            indexes: Vec::new(),
            allow_query: AllowQuery::default(),
            allow_remove_all: false,
            multi: MethodSet::NONE,
            batch_max: 100,
            paginate: Paginate::default(),
            missing: Missing::default(),
            client_ids: ClientIds::default(),
            timestamps: Timestamps::default(),
            query_fields: None,
            hidden_fields: Vec::new(),
            coerce: Coerce::default(),
            extra_parameters: Vec::new(),
            ignored_parameters: Vec::new(),
            bounds: QueryBounds::default(),
        }
    }

    /// Sets the name of the field that holds the id. Defaults to `id`.
    #[must_use]
    pub fn id_field(mut self, name: impl Into<Text>) -> Self {
        self.id_field = name.into();
        self
    }

    /// Sets of which kind the ids are. Defaults to [`IdKind::Integer`].
    #[must_use]
    pub const fn id_kind(mut self, kind: IdKind) -> Self {
        self.id_kind = kind;
        self
    }

    /// Sets the fields of the records with their types. Others are then refused, and texts in query strings become of
    /// their field's type. The id and managed timestamps need not be among them. Defaults to any fields.
    #[must_use]
    pub fn fields(mut self, fields: Fields) -> Self {
        self.fields = Some(fields);
        self
    }

    /// Adds an index, which filters and sorts by that field then use. Defaults to none.
    #[must_use]
    pub fn index(mut self, field: impl Into<Text>) -> Self {
        self.indexes.push(Index { field: field.into(), unique: false });
        self
    }

    /// Adds an index over a field in which no two records may hold the same value. Defaults to none.
    #[must_use]
    pub fn unique(mut self, field: impl Into<Text>) -> Self {
        self.indexes.push(Index { field: field.into(), unique: true });
        self
    }

    /// Sets whose queries are applied; `false` is [`AllowQuery::ServerOnly`]. Defaults to everyone's.
    #[must_use]
    pub fn allow_query(mut self, allow: impl Into<AllowQuery>) -> Self {
        self.allow_query = allow.into();
        self
    }

    /// Sets whether clients may remove all records, or many by a query. Defaults to no.
    #[must_use]
    pub const fn allow_remove_all(mut self, allow: bool) -> Self {
        self.allow_remove_all = allow;
        self
    }

    /// Lets clients create, modify or remove (by a query) many records at once. Defaults to none of them.
    #[must_use]
    pub fn multi(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.multi = methods.into_iter().collect();
        self
    }

    /// Sets how many records a client may create in one call. Defaults to 100.
    #[must_use]
    pub const fn batch_max(mut self, records: usize) -> Self {
        self.batch_max = records;
        self
    }

    /// Sets whether `index` answers pages. Defaults to [`Paginate::Off`].
    #[must_use]
    pub const fn paginate(mut self, paginate: Paginate) -> Self {
        self.paginate = paginate;
        self
    }

    /// Sets what `modify` and `update` do about an id without a record. Defaults to [`Missing::Create`].
    #[must_use]
    pub const fn missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// Sets what becomes of ids that clients send with `create`. Defaults to [`ClientIds::Accept`].
    #[must_use]
    pub const fn client_ids(mut self, client_ids: ClientIds) -> Self {
        self.client_ids = client_ids;
        self
    }

    /// Sets whether the service keeps times of creation and change. Defaults to [`Timestamps::Off`].
    #[must_use]
    pub const fn timestamps(mut self, timestamps: Timestamps) -> Self {
        self.timestamps = timestamps;
        self
    }

    /// Sets the fields by which clients may filter and sort, with all that is inside them. Defaults to all.
    #[must_use]
    pub fn query_fields<N: Into<Text>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.query_fields = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Hides a field from clients: they neither see nor set it, nor filter or sort by it. Defaults to none.
    #[must_use]
    pub fn hidden_field(mut self, name: impl Into<Text>) -> Self {
        self.hidden_fields.push(name.into());
        self
    }

    /// Sets whether texts of a query string are turned into other types. Defaults to [`Coerce::On`].
    #[must_use]
    pub const fn coerce(mut self, coerce: Coerce) -> Self {
        self.coerce = coerce;
        self
    }

    /// Allows a parameter with a `$` beyond the query language; it arrives in [`Query::extra`](crate::Query::extra).
    #[must_use]
    pub fn allow_parameter(mut self, name: impl Into<Text>) -> Self {
        self.extra_parameters.push(name.into());
        self
    }

    /// Leaves a parameter of the query string to others, such as a `token` that a layer reads. Defaults to none.
    #[must_use]
    pub fn ignore_parameter(mut self, name: impl Into<Text>) -> Self {
        self.ignored_parameters.push(name.into());
        self
    }

    /// Sets how large a query from outside may be. Defaults to [`QueryBounds::default`].
    #[must_use]
    pub const fn bounds(mut self, bounds: QueryBounds) -> Self {
        self.bounds = bounds;
        self
    }
}

//! What goes into calls and what comes out: [`Patch`], [`Stored`], [`Call`] and [`Answer`]; and [`Operation`], which call
//! it is.

use std::fmt;

use bytes::Bytes;

use crate::{Document, Id, Method, PageInfo};

/// What `modify` merges into a record.
///
/// ```
/// use remex_core::{Document, Patch};
///
/// let patch = Patch::from(Document::new().with("done", true));
/// assert!(matches!(patch, Patch::Merge(_)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// Fields that replace the record's, whole; null sets null.
    Merge(Document),
    /// A merge patch of [RFC 7396](https://www.rfc-editor.org/rfc/rfc7396): objects are merged at every depth, and null
    /// takes a field away.
    MergeDeep(Document),
}

impl Patch {
    /// Returns the fields.
    #[must_use]
    pub const fn data(&self) -> &Document {
        match self {
            Self::Merge(data) | Self::MergeDeep(data) => data,
        }
    }

    /// Returns the fields to change.
    #[must_use]
    pub const fn data_mut(&mut self) -> &mut Document {
        match self {
            Self::Merge(data) | Self::MergeDeep(data) => data,
        }
    }

    /// Merges the fields into a record.
    pub fn apply(self, record: &mut Document) {
        match self {
            Self::Merge(data) => record.merge(data),
            Self::MergeDeep(data) => record.merge_deep(data),
        }
    }
}

impl From<Document> for Patch {
    fn from(data: Document) -> Self {
        Self::Merge(data)
    }
}

/// What `modify` and `update` did: changed a record, or made one that was missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored<T> {
    /// There was no record with this id, and now there is.
    Created(T),
    /// The record was there and is now so.
    Changed(T),
}

impl<T> Stored<T> {
    /// Returns the record.
    pub fn into_inner(self) -> T {
        match self {
            Self::Created(record) | Self::Changed(record) => record,
        }
    }

    /// Returns the record to look at.
    pub const fn get(&self) -> &T {
        match self {
            Self::Created(record) | Self::Changed(record) => record,
        }
    }

    /// Returns whether the record was made.
    pub const fn is_created(&self) -> bool {
        matches!(self, Self::Created(_))
    }

    /// Returns the same with another record.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Stored<U> {
        match self {
            Self::Created(record) => Stored::Created(convert(record)),
            Self::Changed(record) => Stored::Changed(convert(record)),
        }
    }

    /// Returns the same with another record, or the error.
    ///
    /// # Errors
    /// Whatever the closure answers.
    pub fn try_map<U, E>(self, convert: impl FnOnce(T) -> Result<U, E>) -> Result<Stored<U>, E> {
        Ok(match self {
            Self::Created(record) => Stored::Created(convert(record)?),
            Self::Changed(record) => Stored::Changed(convert(record)?),
        })
    }
}

/// A call with its id and data, whichever method it is of.
#[derive(Clone, Debug, PartialEq)]
pub enum Call<I, T> {
    /// [`Service::index`](crate::Service::index)
    Index,
    /// [`Service::find_one`](crate::Service::find_one)
    FindOne,
    /// [`Service::count`](crate::Service::count)
    Count,
    /// [`Service::read`](crate::Service::read)
    Read(I),
    /// [`Service::read_many`](crate::Service::read_many)
    ReadMany(Vec<I>),
    /// [`Service::create`](crate::Service::create)
    Create(T),
    /// [`Service::create_many`](crate::Service::create_many)
    CreateMany(Vec<T>),
    /// [`Service::modify`](crate::Service::modify)
    Modify(I, Patch),
    /// [`Service::modify_many`](crate::Service::modify_many)
    ModifyMany(Patch),
    /// [`Service::update`](crate::Service::update)
    Update(I, T),
    /// [`Service::remove`](crate::Service::remove)
    Remove(I),
    /// [`Service::remove_many`](crate::Service::remove_many)
    RemoveMany,
}

impl<I, T> Call<I, T> {
    /// Returns which call it is.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Index => Operation::Index,
            Self::FindOne => Operation::FindOne,
            Self::Count => Operation::Count,
            Self::Read(_) => Operation::Read,
            Self::ReadMany(_) => Operation::ReadMany,
            Self::Create(_) => Operation::Create,
            Self::CreateMany(_) => Operation::CreateMany,
            Self::Modify(..) => Operation::Modify,
            Self::ModifyMany(_) => Operation::ModifyMany,
            Self::Update(..) => Operation::Update,
            Self::Remove(_) => Operation::Remove,
            Self::RemoveMany => Operation::RemoveMany,
        }
    }

    /// Returns which of the six methods it is.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.operation().method()
    }

    /// Returns the same call with its ids and data turned into something else, or the first error.
    ///
    /// # Errors
    /// Whatever the closures answer.
    pub fn try_map<J, U, E>(
        self,
        id: impl Fn(I) -> Result<J, E>,
        data: impl Fn(T) -> Result<U, E>,
    ) -> Result<Call<J, U>, E> {
        Ok(match self {
            Self::Index => Call::Index,
            Self::FindOne => Call::FindOne,
            Self::Count => Call::Count,
            Self::Read(one) => Call::Read(id(one)?),
            Self::ReadMany(ids) => Call::ReadMany(ids.into_iter().map(id).collect::<Result<_, E>>()?),
            Self::Create(one) => Call::Create(data(one)?),
            Self::CreateMany(many) => Call::CreateMany(many.into_iter().map(data).collect::<Result<_, E>>()?),
            Self::Modify(one, patch) => Call::Modify(id(one)?, patch),
            Self::ModifyMany(patch) => Call::ModifyMany(patch),
            Self::Update(one, new) => Call::Update(id(one)?, data(new)?),
            Self::Remove(one) => Call::Remove(id(one)?),
            Self::RemoveMany => Call::RemoveMany,
        })
    }
}

/// Which call it is: one of the six methods, or one of the meta-methods that go with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Service::index`](crate::Service::index)
    Index,
    /// [`Service::find_one`](crate::Service::find_one)
    FindOne,
    /// [`Service::count`](crate::Service::count)
    Count,
    /// [`Service::read`](crate::Service::read)
    Read,
    /// [`Service::read_many`](crate::Service::read_many)
    ReadMany,
    /// [`Service::create`](crate::Service::create)
    Create,
    /// [`Service::create_many`](crate::Service::create_many)
    CreateMany,
    /// [`Service::modify`](crate::Service::modify)
    Modify,
    /// [`Service::modify_many`](crate::Service::modify_many)
    ModifyMany,
    /// [`Service::update`](crate::Service::update)
    Update,
    /// [`Service::remove`](crate::Service::remove)
    Remove,
    /// [`Service::remove_many`](crate::Service::remove_many)
    RemoveMany,
}

impl Operation {
    /// Returns the one of the six methods that it goes with: rules and hooks of that method are its own.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Index | Self::FindOne | Self::Count => Method::Index,
            Self::Read | Self::ReadMany => Method::Read,
            Self::Create | Self::CreateMany => Method::Create,
            Self::Modify | Self::ModifyMany => Method::Modify,
            Self::Update => Method::Update,
            Self::Remove | Self::RemoveMany => Method::Remove,
        }
    }

    /// Returns the name of the trait's method.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FindOne => "find_one",
            Self::Count => "count",
            Self::ReadMany => "read_many",
            Self::CreateMany => "create_many",
            Self::ModifyMany => "modify_many",
            Self::RemoveMany => "remove_many",
            _ => self.method().name(),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a call answers, ready for the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The record, or the list of records, as JSON text.
    pub json: Bytes,
    /// The id of the one record that the answer is about, if it has one.
    pub id: Option<Id>,
    /// Whether the call made records.
    pub created: bool,
    /// Where a list stands among all that match; `None` for every method but `index`.
    pub page: Option<PageInfo>,
}

//! What goes into calls and what comes out: [`Patch`], [`Stored`], [`Call`] and [`Answer`].

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

/// A call of one of the methods that a transport passes on, with its id and data.
#[derive(Clone, Debug, PartialEq)]
pub enum Call<I, T> {
    /// [`Service::index`](crate::Service::index)
    Index,
    /// [`Service::read`](crate::Service::read)
    Read(I),
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
    /// Returns which of the six methods it is.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self {
            Self::Index => Method::Index,
            Self::Read(_) => Method::Read,
            Self::Create(_) | Self::CreateMany(_) => Method::Create,
            Self::Modify(..) | Self::ModifyMany(_) => Method::Modify,
            Self::Update(..) => Method::Update,
            Self::Remove(_) | Self::RemoveMany => Method::Remove,
        }
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

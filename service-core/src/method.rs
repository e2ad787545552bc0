//! [`Method`], the six names, and [`MethodSet`], some of them.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// One of the six methods of a service, always in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Lists the records that match a query; `GET /`. Elsewhere called find or list.
    Index,
    /// Answers one record; `GET /{id}`. Elsewhere called get or show.
    Read,
    /// Makes a record; `POST /`. Elsewhere called insert.
    Create,
    /// Merges fields into a record; `PATCH /{id}`. Elsewhere called patch.
    Modify,
    /// Replaces a record; `PUT /{id}`. Elsewhere called replace.
    Update,
    /// Takes a record away; `DELETE /{id}`. Elsewhere called delete or destroy.
    Remove,
}

impl Method {
    /// All six, in their order.
    pub const ALL: [Self; 6] = [Self::Index, Self::Read, Self::Create, Self::Modify, Self::Update, Self::Remove];

    /// Returns the method's name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Read => "read",
            Self::Create => "create",
            Self::Modify => "modify",
            Self::Update => "update",
            Self::Remove => "remove",
        }
    }

    /// Returns whether the method changes records.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Index | Self::Read)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some of the six methods: those that a service offers, or that an option permits.
///
/// ```
/// use remex_core::{Method, MethodSet};
///
/// let readable = MethodSet::NONE.with(Method::Index).with(Method::Read);
/// assert!(readable.contains(Method::Read) && !readable.contains(Method::Remove));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MethodSet(u8);

impl MethodSet {
    /// No method.
    pub const NONE: Self = Self(0);
    /// All six methods.
    pub const ALL: Self = Self(0b11_1111);
    /// Those that read records: `index` and `read`.
    pub const READS: Self = Self::NONE.with(Method::Index).with(Method::Read);
    /// Those that change records: `create`, `modify`, `update` and `remove`.
    pub const WRITES: Self = Self::ALL.without(Method::Index).without(Method::Read);

    /// Returns the set with one more method.
    #[must_use]
    pub const fn with(self, method: Method) -> Self {
        Self(self.0 | 1 << method as u8)
    }

    /// Returns the set with one method less.
    #[must_use]
    pub const fn without(self, method: Method) -> Self {
        Self(self.0 & !(1 << method as u8))
    }

    /// Returns whether a method is in the set.
    #[must_use]
    pub const fn contains(self, method: Method) -> bool {
        self.0 & (1 << method as u8) != 0
    }

    /// Lists the methods in their order.
    pub fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(move |method| self.contains(*method))
    }
}

/// A set that may be exchanged while others look at it.
#[derive(Debug, Default)]
pub(crate) struct AtomicMethodSet(AtomicU8);

impl AtomicMethodSet {
    pub(crate) fn load(&self) -> MethodSet {
        MethodSet(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn store(&self, methods: MethodSet) {
        self.0.store(methods.0, Ordering::Release);
    }
}

impl From<Method> for MethodSet {
    fn from(method: Method) -> Self {
        Self::NONE.with(method)
    }
}

impl<const N: usize> From<[Method; N]> for MethodSet {
    fn from(methods: [Method; N]) -> Self {
        methods.into_iter().collect()
    }
}

impl FromIterator<Method> for MethodSet {
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> Self {
        methods.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for MethodSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

//! [`Path`], the name of a field or a dotted way through nested objects.

use std::fmt;

use crate::{Error, Result, Text};

/// The name of a field, or a dotted way through nested objects: `name`, `address.city`.
///
/// ```
/// use remex_core::Path;
///
/// let city = Path::new("address.city")?;
/// assert_eq!(city.names().collect::<Vec<_>>(), ["address", "city"]);
/// assert_eq!(city.first(), "address");
/// # Ok::<(), remex_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    text: Text,
    /// How long the first name is. Every record that is looked at is asked for it, so it is not looked for again.
    first: usize,
}

/// How long a path may be, in bytes.
pub const PATH_BYTES_MAX: usize = 1024;

/// How many names a path may go through. Each list on the way is entered for all of its elements, so a long path is
/// work that grows much faster than itself.
pub const PATH_NAMES_MAX: usize = 16;

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) where it is empty, one of its names is empty, begins with
    /// `$` or holds a NUL, it is longer than [`PATH_BYTES_MAX`] or goes through more than [`PATH_NAMES_MAX`] names.
    pub fn new(text: impl Into<Text>) -> Result<Self> {
        let text = text.into();
        if text.len() > PATH_BYTES_MAX {
            return Err(Error::bad_request(format!("the name of a field is longer than {PATH_BYTES_MAX} bytes")));
        }
        if text.contains('\0') {
            return Err(Error::bad_request("the name of a field holds a NUL character"));
        }
        if text.split('.').count() > PATH_NAMES_MAX {
            return Err(Error::bad_request(format!(
                "the path of a field goes through more than {PATH_NAMES_MAX} names"
            )));
        }
        for name in text.split('.') {
            if name.is_empty() {
                return Err(Error::bad_request(format!("`{text}` is not the name of a field: a part of it is empty")));
            }
            if name.starts_with('$') {
                return Err(Error::bad_request(format!("unknown operator `{name}`")));
            }
        }
        let first = text.find('.').unwrap_or(text.len());
        Ok(Self { text, first })
    }

    /// Returns the path as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// Lists the names that the path goes through.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.text.split('.')
    }

    /// Returns the first name, which is that of a field of the record.
    #[must_use]
    pub fn first(&self) -> &str {
        &self.text[..self.first]
    }

    /// Returns whether the path is the name of a field and goes no further.
    pub(crate) fn is_single(&self) -> bool {
        self.first == self.text.len()
    }

    /// Lists the names behind the first.
    pub(crate) fn rest(&self) -> impl Iterator<Item = &str> {
        self.text.get(self.first + 1..).into_iter().flat_map(|rest| rest.split('.'))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::str::FromStr for Path {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl PartialEq<str> for Path {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_bounds() {
        let deep = |names: usize| Path::new(vec!["a"; names].join("."));
        assert!(deep(PATH_NAMES_MAX).is_ok() && deep(PATH_NAMES_MAX + 1).is_err());
        assert!(Path::new("a".repeat(PATH_BYTES_MAX)).is_ok() && Path::new("a".repeat(PATH_BYTES_MAX + 1)).is_err());
        for text in ["", ".", "a.", ".a", "a..b", "$a", "a.$b", "a\0"] {
            assert!(Path::new(text).is_err(), "{text:?}");
        }
    }
}

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
pub struct Path(Text);

/// How long a path may be, in bytes.
pub const PATH_BYTES_MAX: usize = 1024;

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) where it is empty, one of its names is empty, begins with
    /// `$` or holds a NUL, or it is longer than [`PATH_BYTES_MAX`].
    pub fn new(text: impl Into<Text>) -> Result<Self> {
        let text = text.into();
        if text.len() > PATH_BYTES_MAX {
            return Err(Error::bad_request(format!("the name of a field is longer than {PATH_BYTES_MAX} bytes")));
        }
        if text.contains('\0') {
            return Err(Error::bad_request("the name of a field holds a NUL character"));
        }
        for name in text.split('.') {
            if name.is_empty() {
                return Err(Error::bad_request(format!("`{text}` is not the name of a field: a part of it is empty")));
            }
            if name.starts_with('$') {
                return Err(Error::bad_request(format!("unknown operator `{name}`")));
            }
        }
        Ok(Self(text))
    }

    /// Returns the path as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Lists the names that the path goes through.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.split('.')
    }

    /// Returns the first name, which is that of a field of the record.
    #[must_use]
    pub fn first(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
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

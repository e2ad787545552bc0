//! [`Page`]: the records that `index` answers, and where they stand among all that match.

use crate::Cursor;

/// The records that `index` answers, and where they stand among all that match.
///
/// ```
/// use remex_core::Page;
///
/// let page = Page::from(vec!["a", "b"]);
/// assert_eq!(page.data.len(), 2);
/// assert_eq!(page.info.total, None);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The records.
    pub data: Vec<T>,
    /// Where they stand.
    pub info: PageInfo,
}

/// Where the records of a page stand among all that match.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageInfo {
    /// Whether the service paginates: clients then get `{ total, limit, skip, data }` and not a plain array.
    pub paginated: bool,
    /// How many records match, if they were counted.
    pub total: Option<u64>,
    /// How many records the page could hold, if there was a limit.
    pub limit: Option<u64>,
    /// How many matching records were left out before it.
    pub skip: u64,
    /// Where the next page begins, if the page was full and there is more.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Returns the page with every record turned into something else.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(convert).collect(), info: self.info }
    }

    /// Returns the page with every record turned into something else, or the first error.
    ///
    /// # Errors
    /// Whatever the closure answers.
    pub fn try_map<U, E>(self, convert: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        Ok(Page { data: self.data.into_iter().map(convert).collect::<Result<_, E>>()?, info: self.info })
    }
}

impl<T> From<Vec<T>> for Page<T> {
    fn from(data: Vec<T>) -> Self {
        Self { data, info: PageInfo::default() }
    }
}

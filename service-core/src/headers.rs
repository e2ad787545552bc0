//! [`Headers`]: the headers that a client sent.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

use http::HeaderMap;

/// The headers that a client sent: an [`http::HeaderMap`] that costs nothing to hand on.
///
/// It is read and changed as the map that it holds. A copy shares the map until one of the two is changed.
///
/// ```
/// use remex_core::{Headers, Params};
///
/// let mut params = Params::new();
/// params.headers.insert("x-tenant", "a".parse().expect("a header value"));
/// assert_eq!(params.headers.get("x-tenant").and_then(|tenant| tenant.to_str().ok()), Some("a"));
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("x-tenant", "b".parse().expect("a header value"));
/// params.headers = Headers::from(headers);
/// assert_eq!(params.headers["x-tenant"], "b");
/// ```
#[derive(Clone, Default)]
pub struct Headers(Option<Arc<HeaderMap>>);

/// What there is where a client sent none, and inside the program.
static NONE: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

impl Deref for Headers {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        self.0.as_deref().unwrap_or_else(|| &NONE)
    }
}

impl DerefMut for Headers {
    fn deref_mut(&mut self) -> &mut HeaderMap {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl From<HeaderMap> for Headers {
    fn from(headers: HeaderMap) -> Self {
        Self((!headers.is_empty()).then(|| Arc::new(headers)))
    }
}

impl fmt::Debug for Headers {
    /// Only their names: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_the_map_until_it_is_changed() {
        let mut headers = Headers::default();
        assert!(headers.is_empty() && headers.0.is_none());
        headers.insert("authorization", "secret".parse().expect("a header"));
        let mut copy = headers.clone();
        assert!(std::ptr::eq(&*headers, &*copy));
        copy.remove("authorization");
        assert_eq!(headers["authorization"], "secret");
        assert!(copy.is_empty());
        assert_eq!(format!("{headers:?}"), r#"["authorization"]"#);
    }
}

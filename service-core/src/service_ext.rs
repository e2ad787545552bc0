//! [`ServiceExt`]: conveniences for whoever calls or shapes a service.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Document, Error, Hooked, Map, Params, Result, Service, Silent, Typed, Untyped};

/// Conveniences for whoever calls or shapes a service. Every [`Service`] has them; nothing implements them.
pub trait ServiceExt: Service {
    /// Answers the first record that matches the query, in its order.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where none matches; else as [`Service::find_one`].
    fn require_one(&self, params: &Params) -> impl Future<Output = Result<Self::Data>> + Send {
        async move {
            self.find_one(params).await?.ok_or_else(|| Error::not_found("no record was found matching the given query"))
        }
    }

    /// Returns a view of the service with another record type.
    ///
    /// `encode` turns a record into the view's type, `decode` turns that into what the service takes. Queries, patches
    /// and ids go through as they are: their fields are the service's.
    ///
    /// ```
    /// # use remex_core::{FnService, Id, Page, Params, Service, ServiceExt};
    /// # async fn example() -> remex_core::Result<()> {
    /// let lower = FnService::<Id, String, String>::new("names").on_index(|_| async { Ok(vec!["alice".to_owned()].into()) });
    /// let upper = lower.map(|name: String| Ok(name.to_uppercase()), |name: String| Ok(name.to_lowercase()));
    /// assert_eq!(upper.index(&Params::new()).await?.data, ["ALICE"]);
    /// # Ok(())
    /// # }
    /// ```
    fn map<T, E, D>(self, encode: E, decode: D) -> Map<Self, T, E, D>
    where
        Self: Sized,
        T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
        E: Fn(Self::Data) -> Result<T> + Send + Sync,
        D: Fn(T) -> Result<Self::Input> + Send + Sync,
    {
        Map::new(self, encode, decode)
    }

    /// Returns a view of a service of documents that speaks your own types.
    fn typed<T, In>(self) -> Typed<Self, T, In>
    where
        Self: Sized + Service<Data = Document, Input = Document>,
        T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
        In: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    {
        Typed::new(self)
    }

    /// Puts hooks around the service; there are none yet.
    fn hooked(self) -> Hooked<Self>
    where
        Self: Sized + 'static,
    {
        Hooked::new(self)
    }

    /// Returns a view of the service whose calls pass over all hooks and have no events.
    ///
    /// ```
    /// # use remex_core::{DynService, Params, Result, Service, ServiceExt};
    /// async fn really_all(notes: &DynService) -> Result<u64> {
    ///     notes.silent().count(&Params::new()).await
    /// }
    /// ```
    fn silent(&self) -> Silent<&Self> {
        Silent::new(self)
    }

    /// Returns a view of a typed service that speaks documents.
    fn untyped(self) -> Untyped<Self>
    where
        Self: Sized,
    {
        Untyped::new(self)
    }
}

impl<S: Service + ?Sized> ServiceExt for S {}

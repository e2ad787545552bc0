//! [`Store`]: where records are kept, chosen by a URL.

use remex_core::{Document, Error, Id, Options, Result, Service};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A service of whatever store, with records of type `T` that are made from `In`.
pub type StoreService<T = Document, In = T> = Box<dyn Service<Id = Id, Data = T, Input = In>>;

/// Where records are kept, chosen by a URL when the program starts: swapping stores is another URL.
///
/// | URL | store | feature |
/// | --- | --- | --- |
/// | `memory:` | this process; gone with it | `memory` |
/// | `sqlite://todos.db`, `sqlite::memory:` | SQLite; the file is made if it is not there | `sqlite` |
/// | `postgres://user:password@host/database` | PostgreSQL | `postgres` |
/// | `mysql://user:password@host/database`, `mariadb://…` | MariaDB | `mysql` |
/// | `mongodb://user:password@host/database`, `mongodb+srv://…` | MongoDB | `mongodb` |
///
/// It makes tables and collections that are not there, of the fields in the options; without fields, records may have any. What only one
/// store can do is in its own adapter ([`SqlService`](crate::SqlService) and the others); both can be used side by side.
///
/// ```
/// use remex::{App, Document, Options, Params, Result, Service, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "memory:".to_owned());
/// # let url = "memory:";
/// let store = Store::connect(&url).await?;
/// let app = App::new();
/// app.mount("todos", store.service::<Document, Document>(Options::new("todos")).await?)?;
/// app.documents("todos")?.create(Document::new().with("title", "Preen"), &Params::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Store(Kind);

#[derive(Clone, Debug)]
enum Kind {
    #[cfg(feature = "memory")]
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(crate::SqlPool<crate::Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(crate::SqlPool<crate::Postgres>),
    #[cfg(feature = "mysql")]
    MySql(crate::SqlPool<crate::MySql>),
    #[cfg(feature = "mongodb")]
    MongoDb(remex_mongo::mongodb::Database),
}

impl Store {
    /// Opens the store of a URL.
    ///
    /// # Errors
    /// - [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) where the database cannot be reached.
    /// - [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a URL of no store, or of one whose feature is off.
    pub async fn connect(url: &str) -> Result<Self> {
        let scheme = url.split(':').next().unwrap_or_default();
        Ok(Self(match scheme {
            #[cfg(feature = "memory")]
            "memory" => Kind::Memory,
            #[cfg(feature = "sqlite")]
            "sqlite" => Kind::Sqlite(crate::SqlPool::connect(url).await?),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Kind::Postgres(crate::SqlPool::connect(url).await?),
            #[cfg(feature = "mysql")]
            "mysql" => Kind::MySql(crate::SqlPool::connect(url).await?),
            #[cfg(feature = "mysql")]
            "mariadb" => Kind::MySql(crate::SqlPool::connect(&url.replacen("mariadb", "mysql", 1)).await?),
            #[cfg(feature = "mongodb")]
            "mongodb" | "mongodb+srv" => Kind::MongoDb(remex_mongo::open_database(url).await?),
            _ => return Err(unknown(scheme)),
        }))
    }

    /// Makes a service whose records are kept here: in a table or collection that has the options' name.
    ///
    /// # Errors
    /// What the adapter answers: options that contradict themselves or what is there, a database that is away.
    pub async fn service<T, In>(&self, options: Options) -> Result<StoreService<T, In>>
    where
        T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
        In: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    {
        match &self.0 {
            #[cfg(feature = "memory")]
            Kind::Memory => Ok(Box::new(crate::MemoryService::<T, In>::new(options)?)),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(pool) => table(pool, options).await,
            #[cfg(feature = "postgres")]
            Kind::Postgres(pool) => table(pool, options).await,
            #[cfg(feature = "mysql")]
            Kind::MySql(pool) => table(pool, options).await,
            #[cfg(feature = "mongodb")]
            Kind::MongoDb(database) => {
                Ok(Box::new(crate::MongoService::<T, In>::new(database.clone(), options).await?))
            }
        }
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
async fn table<DB, T, In>(pool: &crate::SqlPool<DB>, options: Options) -> Result<StoreService<T, In>>
where
    DB: remex_sqlx::Dialect,
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    In: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    let options = crate::SqlOptions::from(options).create_table_if_missing(true);
    Ok(Box::new(crate::SqlService::<DB, T, In>::new(pool.clone(), options).await?))
}

/// The stores that there are, with the feature of each.
const STORES: [(&str, &str); 8] = [
    ("memory", "memory"),
    ("sqlite", "sqlite"),
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
    ("mysql", "mysql"),
    ("mariadb", "mysql"),
    ("mongodb", "mongodb"),
    ("mongodb+srv", "mongodb"),
];

fn unknown(scheme: &str) -> Error {
    match STORES.iter().find(|(name, _)| *name == scheme) {
        Some((_, feature)) => Error::unsupported(format!(
            "there is no store for `{scheme}:` in this build: it is in the feature `{feature}` of remex"
        )),
        None => {
            let names = STORES.map(|(name, _)| format!("`{name}:`")).join(", ");
            Error::unsupported(format!("a store's URL begins with one of {names}, not with `{scheme}:`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[tokio::test]
    async fn urls_of_no_store_are_refused_by_name() {
        let error = Store::connect("oracle://localhost/x").await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("`postgres:`") && error.message().contains("`oracle:`"), "{error}");
        assert!(Store::connect("").await.is_err());
        assert!(Store::connect("todos.db").await.is_err());
    }
}

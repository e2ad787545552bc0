//! [`MongoOptions`]: how a service behaves, and what of that only a collection has.

use std::time::Duration;

use mongodb::IndexModel;
use mongodb::bson::Document;
use remex_core::Options;

/// How a service over a collection behaves: the [`Options`] of every service, and what only a collection has.
///
/// ```
/// use remex_core::{IdKind, Options};
/// use remex_mongo::MongoOptions;
///
/// let options = MongoOptions::from(Options::new("todos").id_kind(IdKind::ObjectId).index("done"));
/// ```
#[derive(Clone, Debug)]
pub struct MongoOptions {
    pub(crate) options: Options,
    pub(crate) indexes: Vec<IndexModel>,
    pub(crate) json_schema: Option<Document>,
    pub(crate) estimated_count: bool,
    pub(crate) time_max: Duration,
}

impl From<Options> for MongoOptions {
    fn from(options: Options) -> Self {
        Self {
            options,
            indexes: Vec::new(),
            json_schema: None,
            estimated_count: false,
            time_max: Duration::from_secs(10),
        }
    }
}

impl MongoOptions {
    /// Adds an index of MongoDB's own making: over several fields, for some documents only (a
    /// [partial one](https://www.mongodb.com/docs/manual/core/index-partial/)), for a time. It is made when the service is,
    /// beside those of [`Options::index`] and [`Options::unique`]. Defaults to none.
    ///
    /// ```
    /// use remex_core::Options;
    /// use remex_mongo::MongoOptions;
    /// use remex_mongo::mongodb::IndexModel;
    /// use remex_mongo::mongodb::bson::doc;
    /// use remex_mongo::mongodb::options::IndexOptions;
    ///
    /// let open = IndexOptions::builder().partial_filter_expression(doc! { "done": false }).unique(true).build();
    /// let index = IndexModel::builder().keys(doc! { "title": 1 }).options(open).build();
    /// let options = MongoOptions::from(Options::new("todos")).with_index(index);
    /// ```
    #[must_use]
    pub fn with_index(mut self, index: IndexModel) -> Self {
        self.indexes.push(index);
        self
    }

    /// Sets what documents the collection takes, as a
    /// [JSON Schema](https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/) that MongoDB holds them
    /// against, whoever writes them. A record that breaks it is refused with the fields that do. Defaults to any.
    #[must_use]
    pub fn json_schema(mut self, schema: Document) -> Self {
        self.json_schema = Some(schema);
        self
    }

    /// Sets whether a count of all records is read off the collection's metadata, which takes no time and may be off after
    /// a crash. Counts of what matches a filter are exact in any case. Defaults to no.
    #[must_use]
    pub const fn estimated_count(mut self, estimated: bool) -> Self {
        self.estimated_count = estimated;
        self
    }

    /// Sets how long the server may work on one call, past which the call answers 503; streams are not bounded. Defaults to
    /// ten seconds.
    #[must_use]
    pub const fn time_max(mut self, time: Duration) -> Self {
        self.time_max = time;
        self
    }
}

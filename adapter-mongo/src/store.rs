//! [`Store`]: a collection, and the service over documents in it. What a record's own type has to say, it says through one
//! function.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use mongodb::bson::{Bson, RawDocument, doc};
use mongodb::options::IndexOptions;
use mongodb::{Database, IndexModel};
use remex_core::{Description, Document, Error, FieldType, Id, IdKind, Result, Value};
use tokio::sync::{Mutex, MutexGuard};

use crate::driver::{Driver, Reading};
use crate::error::{Failure, Indexes, failure};
use crate::options::MongoOptions;
use crate::spelled::id_to_bson;
use crate::value::{Decoder, fits};

/// Makes sure that a document is a record of the service's type before it is stored.
pub(crate) type Conform = fn(&Description, Document) -> Result<Document>;

/// A collection, and the service over documents in it.
pub(crate) struct Store {
    pub(crate) driver: Driver,
    pub(crate) description: Arc<Description>,
    pub(crate) conform: Option<Conform>,
    pub(crate) estimated_count: bool,
    indexes: Indexes,
    turns: Turns,
}

/// Integer ids that callers make up do not move the counter past this one, so that a single one of them cannot use up
/// those that every client can read exactly: half of the integers up to 2^53 are left then.
pub(crate) const COUNTED_MAX: i64 = 1 << 52;

impl Store {
    pub(crate) async fn open(database: &Database, options: MongoOptions, conform: Option<Conform>) -> Result<Self> {
        let MongoOptions { options, indexes, json_schema, estimated_count, time_max } = options;
        let description = Description::new(options)?.with_streaming(true);
        let told = |error| failure(&description, &Indexes::new(), error).into_error();
        let driver = Driver::open(database, description.name(), time_max).await.map_err(told)?;
        driver.make_collection(json_schema.as_ref()).await.map_err(told)?;
        driver.make_indexes(declared_indexes(&description).chain(indexes).collect()).await.map_err(told)?;
        let indexes = driver.unique_indexes().await.map_err(told)?;
        let turns = Turns::new();
        let store = Self { driver, description: Arc::new(description), conform, estimated_count, indexes, turns };
        if store.description.id_kind() == IdKind::Integer {
            store.count_past_those_there().await.map_err(Failure::into_error)?;
        }
        Ok(store)
    }

    /// Sees to it that the ids of records which other programs made are not made again.
    async fn count_past_those_there(&self) -> Result<(), Failure> {
        let filter = doc! { "_id": { "$lte": COUNTED_MAX } };
        let reading = Reading { fields: Some(doc! { "_id": 1 }), wanted: Some(1), unbounded: true };
        let rows = self.driver.find(None, filter, doc! { "_id": -1 }, 0, Some(1), reading).await;
        let mut rows = rows.map_err(|error| self.failure(error))?;
        let mut last = 0;
        if rows.advance().await.map_err(|error| self.failure(error))? {
            last = self.decode(rows.current())?[self.description.id_field()].as_i64().unwrap_or(0);
        }
        self.driver.count_past(last.max(0)).await.map_err(|error| self.failure(error))
    }

    pub(crate) fn failure(&self, error: mongodb::error::Error) -> Failure {
        failure(&self.description, &self.indexes, error)
    }

    pub(crate) fn missing(&self, id: &Id) -> Error {
        Error::no_record(self.description.name(), id)
    }

    /// Refuses decimals that the collection cannot hold to their last digit.
    pub(crate) fn check_decimals(&self, data: &Document) -> Result<()> {
        let unfit = |(_, value): &(&str, &Value)| value.as_decimal().is_some_and(|decimal| !fits(decimal));
        let Some((name, _)) = data.iter().find(unfit) else { return Ok(()) };
        let says = "has more than the 34 digits that a decimal may have here";
        Err(Error::unprocessable(format!("`{name}` {says}")).with_field(name, "size", says))
    }

    /// Turns an id into what the collection holds.
    pub(crate) fn key(&self, id: &Value) -> Result<Bson> {
        // `Description` reads ids by the same kind.
        id_to_bson(self.description.id_kind(), id).ok_or_else(|| Error::internal("an id is not of its kind"))
    }

    pub(crate) fn decoder(&self) -> Decoder<'_> {
        Decoder::of(&self.description)
    }

    pub(crate) fn decode(&self, raw: &RawDocument) -> Result<Document> {
        self.decoder().decode(raw)
    }

    /// Waits until no other call of this process changes the record in two steps.
    pub(crate) async fn turn(&self, key: &Bson) -> MutexGuard<'_, ()> {
        self.turns.of(key).await
    }

    /// Waits until no other call of this process changes many records.
    pub(crate) async fn turn_of_many(&self) -> MutexGuard<'_, ()> {
        self.turns.many.lock().await
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("name", &self.description.name()).finish_non_exhaustive()
    }
}

/// Whose turn it is among the calls of this process that read before they write.
///
/// What makes these right is that they write only what is still as it was read, whoever else writes; the turns keep calls of
/// one process from trying in vain because of one another.
struct Turns {
    hasher: RandomState,
    one: [Mutex<()>; 64],
    many: Mutex<()>,
}

impl Turns {
    fn new() -> Self {
        Self { hasher: RandomState::new(), one: std::array::from_fn(|_| Mutex::new(())), many: Mutex::new(()) }
    }

    async fn of(&self, key: &Bson) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one(key.to_string());
        let count = self.one.len() as u64;
        // Less than the number of turns, which fits every integer.
        let position = usize::try_from(hash % count).unwrap_or(0);
        self.one[position].lock().await
    }
}

/// Makes the indexes that the options of every service speak of.
fn declared_indexes(description: &Description) -> impl Iterator<Item = IndexModel> {
    description.indexes().iter().map(|index| {
        let field = index.field.as_str();
        let name = if field == description.id_field() { "_id" } else { field };
        let unique = (index.unique && name != "_id").then(|| {
            let held = doc! { name: some_value(description, field) };
            IndexOptions::builder().unique(true).partial_filter_expression(held).build()
        });
        IndexModel::builder().keys(doc! { name: 1 }).options(unique).build()
    })
}

/// Says that there is a value: null and absent are none, and any number of records may have none.
///
/// An index serves those filters that imply what it says, see
/// [Partial Indexes](https://www.mongodb.com/docs/manual/core/index-partial/#query-coverage). Where the type of the field is
/// declared, a comparison with such a value does; else filters say of which types the value is, as the index does.
fn some_value(description: &Description, field: &str) -> mongodb::bson::Document {
    let kind = description.fields().and_then(|fields| fields.find(field)).map(|field| field.kind);
    match kind {
        Some(
            FieldType::Text
            | FieldType::Date
            | FieldType::DateTime
            | FieldType::Time
            | FieldType::Uuid
            | FieldType::Binary,
        ) => doc! { "$gte": "" },
        Some(FieldType::Integer | FieldType::Number | FieldType::Decimal) => doc! { "$gte": f64::NEG_INFINITY },
        Some(FieldType::Boolean) => doc! { "$gte": false },
        Some(FieldType::Json) | None => {
            let said = crate::query::not_null(field);
            said.get_document(field).cloned().unwrap_or_default()
        }
    }
}

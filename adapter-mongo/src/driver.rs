//! [`Driver`]: every call of the driver's, in one place, each on its own or within a transaction.

use std::time::Duration;

use mongodb::bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use mongodb::error::Result;
use mongodb::options::{
    Acknowledgment, Collation, CollectionOptions, CountOptions, FindOneAndDeleteOptions, FindOneAndUpdateOptions,
    FindOptions, ReadConcern, ReturnDocument, WriteConcern,
};
use mongodb::{Client, ClientSession, Collection, Cursor, Database, IndexModel, SessionCursor};

use crate::error::{Indexes, is_there_already};
use crate::order::bounded;

/// The transaction that a call runs in, if it runs in one.
pub(crate) type Session<'a> = Option<&'a mut ClientSession>;

/// A collection and what is known of where it lies.
#[derive(Clone, Debug)]
pub(crate) struct Driver {
    pub(crate) collection: Collection<RawDocumentBuf>,
    /// Where the last integer id of each collection is kept.
    counters: Collection<Document>,
    /// Whether several documents can be changed as a whole: on replica sets and sharded clusters.
    pub(crate) has_transactions: bool,
    time_max: Duration,
}

/// The collection that counts ids, one document for each collection that has integer ids.
const COUNTERS: &str = "remex_counters";

/// How documents are read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// The names to read; all, where it is `None`.
    pub(crate) fields: Option<Document>,
    /// How many documents are wanted, where that is known: they come in one message then.
    pub(crate) wanted: Option<u64>,
    /// Whether the time of the call is left to whoever reads.
    pub(crate) unbounded: bool,
}

/// Texts compare to the letter, whatever the collection was made with.
fn to_the_letter() -> Collation {
    Collation::builder().locale("simple".to_owned()).build()
}

/// How many documents come in one message at most, where so many are wanted.
const BATCH_MAX: u64 = 10_000;

impl Driver {
    pub(crate) async fn open(database: &Database, name: &str, time_max: Duration) -> Result<Self> {
        // What a majority has written is not lost when a primary is; but a majority may be away.
        let majority = || WriteConcern::builder().w(Acknowledgment::Majority).w_timeout(time_max).build();
        let concern = database.write_concern().cloned().unwrap_or_else(majority);
        let options = CollectionOptions::builder().write_concern(concern).build();
        let hello = database.run_command(doc! { "hello": 1 }).await?;
        let has_transactions = hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        Ok(Self {
            collection: database.collection_with_options(name, options.clone()),
            counters: database.collection_with_options(COUNTERS, options),
            has_transactions,
            time_max,
        })
    }

    pub(crate) fn client(&self) -> &Client {
        self.collection.client()
    }

    fn database(&self) -> Database {
        self.client().database(&self.collection.namespace().db)
    }

    /// Makes the collection if it is not there, and gives it its rules.
    pub(crate) async fn make_collection(&self, json_schema: Option<&Document>) -> Result<()> {
        let (database, name) = (self.database(), self.collection.name());
        match database.create_collection(name).await {
            Err(error) if !is_there_already(&error) => return Err(error),
            _ => {}
        }
        if let Some(schema) = json_schema {
            database.run_command(doc! { "collMod": name, "validator": { "$jsonSchema": schema.clone() } }).await?;
        }
        Ok(())
    }

    pub(crate) async fn make_indexes(&self, indexes: Vec<IndexModel>) -> Result<()> {
        if indexes.is_empty() { Ok(()) } else { self.collection.create_indexes(indexes).await.map(drop) }
    }

    /// Lists the unique indexes that there are, whoever made them.
    pub(crate) async fn unique_indexes(&self) -> Result<Indexes> {
        let mut cursor = self.collection.list_indexes().await?;
        let mut found = Indexes::new();
        while cursor.advance().await? {
            let index = cursor.deserialize_current()?;
            if let Some(name) = index.options.and_then(|options| options.name.filter(|_| options.unique == Some(true)))
            {
                found.insert(name, index.keys.keys().cloned().collect());
            }
        }
        Ok(found)
    }

    /// Reads what matches, in order.
    pub(crate) async fn find<'a>(
        &self,
        session: Session<'a>,
        filter: Document,
        sort: Document,
        skip: u64,
        limit: Option<u64>,
        reading: Reading,
    ) -> Result<Rows<'a>> {
        let options = FindOptions::builder()
            .sort(sort)
            .skip((skip > 0).then_some(skip))
            .limit(limit.map(bounded))
            .projection(reading.fields)
            .batch_size(batch_size(reading.wanted))
            .max_time((!reading.unbounded).then_some(self.time_max))
            .allow_disk_use(true)
            .collation(to_the_letter())
            .build();
        let find = self.collection.find(filter).with_options(options);
        Ok(match session {
            None => Rows::Free(find.await?),
            Some(session) => Rows::Within(find.session(&mut *session).await?, session),
        })
    }

    /// Reads what comes out of a pipeline.
    pub(crate) async fn aggregate<'a>(
        &self,
        session: Session<'a>,
        mut pipeline: Vec<Document>,
        reading: Reading,
    ) -> Result<Rows<'a>> {
        pipeline.extend(reading.fields.map(|fields| doc! { "$project": fields }));
        let options = mongodb::options::AggregateOptions::builder()
            .batch_size(batch_size(reading.wanted))
            .max_time((!reading.unbounded).then_some(self.time_max))
            .allow_disk_use(true)
            .collation(to_the_letter())
            .build();
        let aggregate = self.collection.aggregate(pipeline).with_type::<RawDocumentBuf>().with_options(options);
        Ok(match session {
            None => Rows::Free(aggregate.await?),
            Some(session) => Rows::Within(aggregate.session(&mut *session).await?, session),
        })
    }

    pub(crate) async fn count(&self, session: Session<'_>, filter: Document) -> Result<u64> {
        let options = CountOptions::builder().max_time(self.time_max).collation(to_the_letter()).build();
        let count = self.collection.count_documents(filter).with_options(options);
        match session {
            None => count.await,
            Some(session) => count.session(session).await,
        }
    }

    pub(crate) async fn estimated_count(&self) -> Result<u64> {
        self.collection.estimated_document_count().max_time(self.time_max).await
    }

    pub(crate) async fn insert(&self, session: Session<'_>, document: RawDocumentBuf) -> Result<()> {
        let insert = self.collection.insert_one(document);
        match session {
            None => insert.await.map(drop),
            Some(session) => insert.session(session).await.map(drop),
        }
    }

    pub(crate) async fn insert_many(&self, session: Session<'_>, documents: Vec<RawDocumentBuf>) -> Result<()> {
        let insert = self.collection.insert_many(documents);
        match session {
            None => insert.await.map(drop),
            Some(session) => insert.session(session).await.map(drop),
        }
    }

    /// Changes the one document that matches, and answers it as it is then.
    pub(crate) async fn change(
        &self,
        session: Session<'_>,
        filter: Document,
        stages: Vec<Document>,
    ) -> Result<Option<RawDocumentBuf>> {
        let options = FindOneAndUpdateOptions::builder()
            .return_document(ReturnDocument::After)
            .max_time(self.time_max)
            .collation(to_the_letter())
            .build();
        let change = self.collection.find_one_and_update(filter, stages).with_options(options);
        match session {
            None => change.await,
            Some(session) => change.session(session).await,
        }
    }

    /// Takes the one document away that matches, and answers it as it was.
    pub(crate) async fn take(&self, session: Session<'_>, filter: Document) -> Result<Option<RawDocumentBuf>> {
        let options = FindOneAndDeleteOptions::builder().max_time(self.time_max).collation(to_the_letter()).build();
        let take = self.collection.find_one_and_delete(filter).with_options(options);
        match session {
            None => take.await,
            Some(session) => take.session(session).await,
        }
    }

    /// Changes every document that matches, all alike.
    pub(crate) async fn change_all(&self, session: Session<'_>, filter: Document, stages: Vec<Document>) -> Result<()> {
        let change = self.collection.update_many(filter, stages);
        match session {
            None => change.await.map(drop),
            Some(session) => change.session(session).await.map(drop),
        }
    }

    /// Takes every document away that matches.
    pub(crate) async fn take_all(&self, session: Session<'_>, filter: Document) -> Result<()> {
        let take = self.collection.delete_many(filter);
        match session {
            None => take.await.map(drop),
            Some(session) => take.session(session).await.map(drop),
        }
    }

    /// Counts so many ids further, and answers the last of them.
    ///
    /// Outside of any transaction: ids that it would give back when it fails might have been seen, and a counter within it
    /// would let one transaction wait for another.
    pub(crate) async fn count_ids(&self, count: i64) -> Result<i64> {
        let options = FindOneAndUpdateOptions::builder().upsert(true).return_document(ReturnDocument::After).build();
        let change = doc! { "$inc": { "last": count } };
        let counter = self.counters.find_one_and_update(self.counter(), change).with_options(options).await?;
        Ok(counter.and_then(|counter| counter.get_i64("last").ok()).unwrap_or(count))
    }

    /// Sees to it that ids up to this one are not counted to later.
    pub(crate) async fn count_past(&self, id: i64) -> Result<()> {
        self.counters.update_one(self.counter(), doc! { "$max": { "last": id } }).upsert(true).await.map(drop)
    }

    fn counter(&self) -> Document {
        doc! { "_id": self.collection.name() }
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self) -> Result<ClientSession> {
        let mut session = self.client().start_session().await?;
        let transaction = session.start_transaction().read_concern(ReadConcern::snapshot());
        match self.collection.write_concern() {
            Some(concern) => transaction.write_concern(concern.clone()).await?,
            None => transaction.await?,
        }
        Ok(session)
    }
}

fn batch_size(wanted: Option<u64>) -> Option<u32> {
    wanted.and_then(|wanted| u32::try_from(wanted.clamp(1, BATCH_MAX)).ok())
}

/// Documents on their way from the server.
pub(crate) enum Rows<'a> {
    Free(Cursor<RawDocumentBuf>),
    Within(SessionCursor<RawDocumentBuf>, &'a mut ClientSession),
}

impl Rows<'_> {
    /// Goes on to the next document, if there is one.
    pub(crate) async fn advance(&mut self) -> Result<bool> {
        match self {
            Self::Free(cursor) => cursor.advance().await,
            Self::Within(cursor, session) => cursor.advance(session).await,
        }
    }

    /// Returns the document that was gone on to.
    pub(crate) fn current(&self) -> &RawDocument {
        match self {
            Self::Free(cursor) => cursor.current(),
            Self::Within(cursor, _) => cursor.current(),
        }
    }
}

/// Says that the id is one of these.
pub(crate) fn among(ids: Vec<Bson>) -> Document {
    doc! { "_id": { "$in": ids } }
}

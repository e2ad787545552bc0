//! The collections that the suite is run on: documents of any fields and of those of `people_fields`, and typed records,
//! with ids of every kind.
//!
//! The server is that of `REMEX_TEST_MONGODB_URL`. One that is not there makes every case fail; where no address is given,
//! nothing is tried, which is printed, and said at the end of `./test` as well.

use std::sync::Arc;

use remex_conformance::{Backend, NewPerson, Person, RecordKind};
use remex_core::{Document, DynService, IdKind, Options, Result, ServiceExt, async_trait};
use remex_mongo::MongoService;
use remex_mongo::mongodb::{Client, Database};
use tokio::sync::OnceCell;

/// Where the server is.
const VARIABLE: &str = "REMEX_TEST_MONGODB_URL";

/// Returns them all.
#[allow(clippy::print_stdout, reason = "what is left out is not left out in silence")]
pub(crate) fn backends() -> Vec<Arc<dyn Backend>> {
    if std::env::var_os(VARIABLE).is_none() {
        println!("not tried: {VARIABLE} is not set");
        return Vec::new();
    }
    let all = [
        (IdKind::ObjectId, RecordKind::Documents, "mongodb, documents, object ids"),
        (IdKind::Integer, RecordKind::Documents, "mongodb, documents, integer ids"),
        (IdKind::Uuid, RecordKind::Documents, "mongodb, documents, uuid ids"),
        (IdKind::Text, RecordKind::Documents, "mongodb, documents, text ids"),
        (IdKind::Integer, RecordKind::Columns, "mongodb, declared fields, integer ids"),
        (IdKind::Integer, RecordKind::Typed, "mongodb, typed, integer ids"),
        (IdKind::ObjectId, RecordKind::Typed, "mongodb, typed, object ids"),
    ];
    let backend = |(kind, record, name)| -> Arc<dyn Backend> {
        Arc::new(Collections { name, kind, record, database: OnceCell::new() })
    };
    all.into_iter().map(backend).collect()
}

struct Collections {
    name: &'static str,
    kind: IdKind,
    record: RecordKind,
    database: OnceCell<Database>,
}

/// Opens the database of this run.
async fn open() -> Database {
    let url = std::env::var(VARIABLE).expect("asked for only where it is given");
    let client = Client::with_uri_str(url).await.expect("an address");
    client.database(&format!("remex_{}", std::process::id()))
}

#[async_trait]
impl Backend for Collections {
    fn name(&self) -> &str {
        self.name
    }

    fn id_kind(&self) -> IdKind {
        self.kind
    }

    fn record(&self) -> RecordKind {
        self.record
    }

    fn not_applicable(&self, case: &str) -> Option<&'static str> {
        match case {
            // https://www.mongodb.com/docs/manual/reference/bson-types/#decimal128
            "decimal::digits_are_kept_up_to_the_bound" => {
                Some("decimals of MongoDB have 34 digits; a longer one is 422")
            }
            // https://www.mongodb.com/docs/manual/core/transactions/
            "transaction::a_call_that_fails_leaves_the_rest" => {
                Some("MongoDB ends a transaction with the first command that it refuses; later calls of it are 503")
            }
            _ => None,
        }
    }

    async fn service(&self, options: Options) -> Result<Arc<DynService>> {
        let database = self.database.get_or_init(open).await.clone();
        Ok(match self.record {
            RecordKind::Typed => Arc::new(MongoService::<Person, NewPerson>::new(database, options).await?.untyped()),
            _ => Arc::new(MongoService::<Document>::new(database, options).await?),
        })
    }
}

/// Takes away what was made.
pub(crate) fn clean_up() {
    if std::env::var_os(VARIABLE).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        // What cannot be removed does no harm.
        let _ = open().await.drop().await;
    });
}

//! What happens when something goes wrong between the service and its server.

use std::time::{Duration, Instant};

use remex_core::{Document, ErrorKind, Filter, Id, Options, Params, Patch, Query, Service};
use remex_mongo::MongoService;
use remex_mongo::mongodb::bson::{self, doc};
use remex_mongo::mongodb::{Client, Database};

use crate::server;

/// A service whose client has a name of its own, so that a command that is told to fail fails for nobody else.
async fn alone(name: &str) -> Option<(MongoService, Database)> {
    let url = std::env::var("REMEX_TEST_MONGODB_URL").ok()?;
    let mark = if url.contains('?') { '&' } else { '?' };
    let settings = format!("appName={name}&serverSelectionTimeoutMS=2000&heartbeatFrequencyMS=1000");
    let client = Client::with_uri_str(format!("{url}{mark}{settings}")).await.expect("an address");
    let database = client.database(&format!("remex_it_{}", std::process::id()));
    let service = MongoService::new(database.clone(), Options::new(server::collection_name())).await;
    Some((service.expect("a service"), database))
}

/// Tells the server how often a command is to fail for this client, and how.
async fn fail(name: &str, mode: bson::Bson, mut how: bson::Document) {
    let Some(database) = server::database().await else { return };
    how.insert("appName", name);
    let command = doc! { "configureFailPoint": "failCommand", "mode": mode, "data": how };
    database.client().database("admin").run_command(command).await.expect("a server with test commands");
}

fn times(count: i32) -> bson::Bson {
    doc! { "times": count }.into()
}

/// One after the other, since the server has one such wish at a time.
#[tokio::test]
async fn a_server_that_fails_is_asked_again_or_said_to_be_away() {
    let name = "remex-faults";
    // What an earlier run may have left behind.
    fail(name, "off".into(), doc! { "failCommands": ["find"] }).await;
    let Some((service, _)) = alone(name).await else { return };
    let params = Params::new();
    let made = service.create(Document::new().with("n", 1), &params).await.expect("made");
    let id = Id::from_value(&made["id"]).expect("an id");

    // A connection that is cut, and a primary that is none any more: the driver asks once more.
    for how in [doc! { "closeConnection": true }, doc! { "errorCode": 10107, "errorLabels": ["RetryableWriteError"] }] {
        for command in ["find", "findAndModify", "insert", "aggregate"] {
            let mut how = how.clone();
            how.insert("failCommands", vec![command]);
            fail(name, times(1), how).await;
            match command {
                "find" => drop(service.read(&id, &params).await.expect("read")),
                "findAndModify" => {
                    let patch = Patch::from(Document::new().with("n", 2));
                    assert!(!service.modify(&id, patch, &params).await.expect("changed").is_created());
                }
                "insert" => {
                    let before = service.count(&params).await.expect("a count");
                    service.create(Document::new(), &params).await.expect("made");
                    assert_eq!(service.count(&params).await.expect("a count"), before + 1);
                }
                _ => assert!(service.count(&params).await.expect("a count") > 0),
            }
        }
    }

    // It goes on: 503, when to come again, and no word of the driver's.
    let all = ["find", "findAndModify", "insert", "aggregate", "delete", "update"];
    fail(name, "alwaysOn".into(), doc! { "failCommands": all.to_vec(), "errorCode": 91 }).await;
    for call in ["read", "create", "remove", "count", "remove many"] {
        let started = Instant::now();
        let error = match call {
            "read" => service.read(&id, &params).await.map(drop),
            "create" => service.create(Document::new(), &params).await.map(drop),
            "remove" => service.remove(&id, &params).await.map(drop),
            "count" => service.count(&params).await.map(drop),
            _ => service.remove_many(&params).await.map(drop),
        };
        let error = error.expect_err("away");
        assert!(started.elapsed() < Duration::from_secs(6), "{call} took {:?}", started.elapsed());
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(error.retry_after().is_some());
        assert_eq!(error.message(), "the store cannot be reached at present");
    }

    // A server that takes too long. In this collection: it looks for what it knows of a session by itself.
    let namespace = service.collection().namespace().to_string();
    let too_long = doc! { "failCommands": ["find"], "errorCode": 50, "namespace": namespace };
    fail(name, "alwaysOn".into(), too_long).await;
    let error = service.read(&id, &params).await.expect_err("too long");
    assert_eq!((error.kind(), error.retry_after().is_some()), (ErrorKind::Unavailable, true));

    // Nothing is read before a record is changed: each of these is one command.
    let inside = Document::new().with("deep", Document::new().with("x.y", 1).with("gone", remex_core::Value::Null));
    service.modify(&id, Patch::from(Document::new().with("deep", 1)), &params).await.expect("merged");
    let merged = service.modify(&id, Patch::MergeDeep(inside), &params).await.expect("merged").into_inner();
    assert_eq!(merged["deep"].to_string(), r#"{"x.y":1}"#);
    let scoped = Params::from(Query::new().filter(Filter::exists("deep", true))).with_scope(Filter::ne("n", 7));
    service.modify(&id, Patch::from(Document::new().with("m", 3)), &scoped).await.expect("merged");
    let replaced = service.update(&id, Document::new().with("n", 4), &params).await.expect("replaced").into_inner();
    assert_eq!(replaced, Document::new().with("id", made["id"].clone()).with("n", 4));
    assert_eq!(service.remove(&id, &params).await.expect("removed"), replaced);
    service.create(Document::new().with("id", made["id"].clone()), &params).await.expect("made again");

    // A transaction that has to begin again.
    let again = doc! { "failCommands": ["delete"], "errorCode": 112, "errorLabels": ["TransientTransactionError"] };
    fail(name, times(3), again).await;
    let removed = service.remove_many(&params).await.expect("removed at the fourth attempt");
    assert_eq!(removed.len(), 3);

    // One whose end is not known.
    service.create_many(vec![Document::new(); 2], &params).await.expect("made");
    fail(name, times(1), doc! { "failCommands": ["commitTransaction"], "closeConnection": true }).await;
    assert_eq!(service.remove_many(&params).await.expect("removed").len(), 2);
    assert_eq!(service.count(&params).await.expect("a count"), 0);

    fail(name, "off".into(), doc! { "failCommands": ["find"] }).await;
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_waited_for_long() {
    let started = Instant::now();
    let url = "mongodb://secret:word@127.0.0.1:9/x";
    let error = MongoService::<Document>::connect(url, Options::new("x")).await.expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.retry_after().is_some());
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// Clients that hang up in the middle of a call leave the driver as it should be.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_that_hang_up_do_no_harm() {
    let Some((service, _)) = alone("remex-hang-up").await else { return };
    let service = std::sync::Arc::new(service);
    let data: Vec<_> = (0..2_000).map(|n| Document::new().with("n", n).with("text", "x".repeat(200))).collect();
    service.create_many(data, &Params::new()).await.expect("made");
    for round in 0..3 {
        let calls = (0..100_u64).map(|client| {
            let service = service.clone();
            let call = async move {
                let params = Params::from(Query::new().filter(Filter::gte("n", 10)).sort("text"));
                let id = Id::from(i64::try_from(client % 20).unwrap_or(0) + 1);
                match client % 5 {
                    0 => drop(service.index(&params).await),
                    1 => drop(service.create(Document::new().with("hung", true), &Params::new()).await),
                    2 => drop(service.modify(&id, Document::new().with("c", 1).into(), &Params::new()).await),
                    3 => drop(service.modify_many(Document::new().with("m", 1).into(), &params).await),
                    _ => drop(service.read(&id, &Params::new()).await),
                }
            };
            // Each hangs up after a time of its own, before the call can have ended or after it.
            tokio::spawn(tokio::time::timeout(Duration::from_micros(client * 50), call))
        });
        futures::future::join_all(calls).await;
        let started = Instant::now();
        service.read(&Id::from(1), &Params::new()).await.expect("read");
        let elapsed = started.elapsed();
        assert!(elapsed < Duration::from_secs(1), "the first read of round {round} took {elapsed:?}");
    }
    remex_core::finish_detached().await;
    // What was begun has ended as a whole.
    let changed = Params::from(Query::new().filter(Filter::eq("m", 1)));
    let count = service.count(&changed).await.expect("a count");
    assert!(count == 0 || count >= 1_990, "{count} of 1990 were changed");
    let started = Instant::now();
    for _ in 0..20 {
        service.read(&Id::from(1), &Params::new()).await.expect("read");
    }
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(1), "twenty reads took {elapsed:?}");
    service.collection().drop().await.expect("dropped");
}

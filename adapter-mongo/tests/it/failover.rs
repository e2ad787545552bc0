//! A primary that is stepped down and one that is killed under load.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use remex_core::{Document, ErrorKind, Id, IdKind, Options, Params, Service};
use remex_mongo::MongoService;
use remex_mongo::mongodb::Client;
use remex_mongo::mongodb::bson::{self, doc};

/// How long it may take until calls succeed again.
const RECOVERY_MAX: Duration = Duration::from_secs(20);

/// What the clients have seen.
#[derive(Default)]
struct Seen {
    succeeded: AtomicU64,
    away: AtomicU64,
    ended: AtomicBool,
}

/// Makes records and changes each of them a few times, and answers what was acknowledged of each.
async fn client(service: Arc<MongoService>, number: u64, seen: Arc<Seen>) -> HashMap<String, i64> {
    let params = Params::new();
    let mut acknowledged = HashMap::new();
    for round in 0_u64.. {
        if seen.ended.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("{number}-{round}");
        for step in 0..4_i64 {
            let data = Document::new().with("step", step);
            let outcome = match step {
                0 => service.create(data.with("id", id.as_str()), &params).await.map(drop),
                _ => service.modify(&Id::from(id.as_str()), data.into(), &params).await.map(drop),
            };
            match outcome {
                Ok(()) => {
                    acknowledged.insert(id.clone(), step);
                    seen.succeeded.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    // A first attempt that was not answered may have made the record.
                    let made = step == 0 && error.kind() == ErrorKind::Conflict;
                    assert!(made || error.kind() == ErrorKind::Unavailable, "{error:?}");
                    assert!(made || error.retry_after().is_some(), "{error:?}");
                    seen.away.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
    acknowledged
}

/// Waits until calls have succeeded again, a good many of them.
async fn until_calls_succeed(seen: &Seen, what: &str) {
    let (before, started) = (seen.succeeded.load(Ordering::Relaxed), Instant::now());
    while seen.succeeded.load(Ordering::Relaxed) < before + 200 {
        assert!(
            started.elapsed() < RECOVERY_MAX,
            "no calls succeed {:?} after the primary was {what}",
            started.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn run(client: &Client, command: bson::Document) -> Option<bson::Document> {
    client.database("admin").run_command(command).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_acknowledged_write_is_lost_with_a_primary() {
    let Ok(url) = std::env::var("REMEX_TEST_MONGODB_SET_URL") else { return };
    let options = Options::new("failover").id_kind(IdKind::Text);
    let service = Arc::new(MongoService::<Document>::connect(&url, options).await.expect("a service"));
    service.remove_many(&Params::new()).await.expect("an empty collection");
    let seen = Arc::new(Seen::default());
    let clients = (0..8).map(|number| tokio::spawn(client(service.clone(), number, seen.clone())));
    let clients: Vec<_> = clients.collect();
    until_calls_succeed(&seen, "left alone").await;

    let observer = Client::with_uri_str(&url).await.expect("an address");
    // It hangs up on everybody while it does so, which may be its answer.
    run(&observer, doc! { "replSetStepDown": 10, "force": true }).await;
    until_calls_succeed(&seen, "stepped down").await;

    let status = run(&observer, doc! { "serverStatus": 1 }).await.expect("the status of the primary");
    let pid = status.get_i64("pid").expect("the number of its process").to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().expect("a signal").success());
    until_calls_succeed(&seen, "killed").await;

    seen.ended.store(true, Ordering::Relaxed);
    let mut acknowledged = HashMap::new();
    for client in clients {
        acknowledged.extend(client.await.expect("no call was refused in another way"));
    }
    assert!(acknowledged.len() > 100, "{} records", acknowledged.len());
    let stored = service.index(&Params::new()).await.expect("a list").data;
    let stored: HashMap<&str, i64> =
        stored.iter().filter_map(|record| Some((record["id"].as_str()?, record["step"].as_i64()?))).collect();
    for (id, step) in &acknowledged {
        // A later change that was not acknowledged may have been made.
        let found = stored.get(id.as_str()).copied();
        assert!(found.is_some_and(|found| found >= *step), "{id}: step {step} was acknowledged, found {found:?}");
    }
}

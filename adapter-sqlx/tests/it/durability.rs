//! What a SQLite file holds when the program is killed in the middle of writing, and how many may use it at once.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use remex_core::{Document, FieldType, Fields, Id, Options, Params, Service};
use remex_sqlx::{SqlOptions, SqlService, Sqlite};

use crate::urls;

/// Says to a process of this test that it is the one that writes, and where.
const WRITER: &str = "REMEX_TEST_WRITES_TO";

fn folder() -> PathBuf {
    // On a disk, where there is something to be lost.
    let folder = std::env::temp_dir().join(urls::table_name());
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

async fn notes(file: &Path) -> Arc<SqlService<Sqlite>> {
    let fields = Fields::new().required("writer", FieldType::Integer).optional("number", FieldType::Integer);
    let options = SqlOptions::from(Options::new("notes").fields(fields).index("writer")).create_table_if_missing(true);
    Arc::new(SqlService::connect(&format!("sqlite://{}", file.display()), options).await.expect("a service"))
}

fn note(writer: i64, number: i64) -> Document {
    Document::new().with("writer", writer).with("number", number)
}

/// Writes until the process is killed, and says each time what was acknowledged: a record, and what its number is now.
async fn write(file: &Path) {
    let notes = notes(file).await;
    join_all((0..4).map(|writer| {
        let notes = notes.clone();
        async move {
            let params = Params::new();
            loop {
                let made = notes.create(note(writer, 0), &params).await.expect("made");
                let id = made["id"].as_i64().expect("an id");
                for number in 1..4 {
                    notes.modify(&Id::from(id), note(writer, number).into(), &params).await.expect("changed");
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "\nacknowledged {id} {number}").and_then(|()| out.flush()).expect("somebody reads");
                }
            }
        }
    }))
    .await;
}

/// Reads what a writer says, for a while, and kills it.
fn acknowledged(file: &Path, time: Duration) -> Vec<(i64, i64)> {
    let mut writer = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "durability::what_was_acknowledged_outlives_the_program", "--nocapture"])
        .env(WRITER, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let lines = BufReader::new(writer.stdout.take().expect("a pipe")).lines();
    let (mut acknowledged, mut until) = (Vec::new(), None);
    for line in lines.map_while(Result::ok) {
        if let Some(said) = line.strip_prefix("acknowledged ") {
            let (id, number) = said.split_once(' ').expect("two numbers");
            acknowledged.push((id.parse().expect("an id"), number.parse().expect("a number")));
            // Killed, as by SIGKILL; what is still in the pipe was acknowledged before.
            if *until.get_or_insert_with(|| Instant::now() + time) < Instant::now() {
                writer.kill().expect("killed");
            }
        }
    }
    writer.wait().expect("ended");
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_the_program() {
    if let Some(file) = std::env::var_os(WRITER) {
        return write(Path::new(&file)).await;
    }
    let folder = folder();
    let file = folder.join("notes.db");
    for round in 0..5 {
        let acknowledged = acknowledged(&file, Duration::from_millis(100 + 70 * round));
        assert!(acknowledged.len() > 20, "the writer wrote: {acknowledged:?}");
        let notes = notes(&file).await;
        for (id, number) in &acknowledged {
            let found = notes.read(&Id::from(*id), &Params::new()).await.expect("what was acknowledged is there");
            assert!(found["number"].as_i64() >= Some(*number), "{found}: {number} was acknowledged");
        }
        let sound: String =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_one(notes.pool().pool()).await.expect("an answer");
        assert_eq!(sound, "ok");
    }
    std::fs::remove_dir_all(folder).expect("a folder that goes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_use_one_file_at_once() {
    let folder = folder();
    let notes = notes(&folder.join("notes.db")).await;
    let clients = (0..32).map(|client| {
        let notes = notes.clone();
        tokio::spawn(async move {
            let params = Params::new();
            for number in 0..20 {
                let made = notes.create(note(client, number), &params).await?;
                let id = Id::from(made["id"].as_i64().unwrap_or_default());
                notes.modify(&id, note(client, number + 1).into(), &params).await?;
                notes.read(&id, &params).await?;
                notes.count(&params).await?;
            }
            Ok::<_, remex_core::Error>(())
        })
    });
    for outcome in join_all(clients).await {
        outcome.expect("no panic").expect("no lock in the way");
    }
    assert_eq!(notes.count(&Params::new()).await.expect("a count"), 32 * 20);
    drop(notes);
    std::fs::remove_dir_all(folder).expect("a folder that goes");
}

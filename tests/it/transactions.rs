//! Transactions across services: what hooks, events and caches have to do with them.

use std::sync::Arc;

use parking_lot::Mutex;
use remex::hooks::{CacheOptions, CachedExt};
use remex::{
    App, Document, DynService, Error, ErrorKind, Id, MemoryService, Method, Options, Params, Received, Result, Service,
    ServiceExt, Subscription,
};

fn memory(name: &str) -> MemoryService<Document> {
    MemoryService::new(Options::new(name)).expect("options")
}

/// An app of accounts and entries.
fn bank() -> App {
    let app = App::new();
    app.mount("accounts", memory("accounts")).expect("mounted");
    app.mount("entries", memory("entries")).expect("mounted");
    app
}

fn named(name: &str) -> Document {
    Document::new().with("name", name)
}

async fn count(service: &DynService) -> u64 {
    service.count(&Params::new()).await.expect("a count")
}

/// Takes the events that have been sent.
fn sent(events: &mut Subscription) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some(Some(Received::Event(event))) = futures::FutureExt::now_or_never(events.next()) {
        sent.push(format!("{} {} {}", event.path, event.name, event.sequence));
    }
    sent
}

#[tokio::test]
async fn events_are_sent_when_all_is_kept_and_only_then() -> Result<()> {
    let app = bank();
    let mut events = app.subscribe("*")?;
    let (accounts, entries) = (app.documents("accounts")?, app.documents("entries")?);
    let undone = app.transaction(|| async {
        accounts.create(named("a"), &Params::new()).await?;
        entries.create(named("b"), &Params::new()).await?;
        app.emit("entries", "audited", Document::new())?;
        Err::<(), _>(Error::conflict("no"))
    });
    assert_eq!(undone.await.expect_err("undone").kind(), ErrorKind::Conflict);
    assert!(sent(&mut events).is_empty());
    assert_eq!((count(&accounts).await, count(&entries).await), (0, 0));

    let seen_inside = Arc::new(Mutex::new(app.subscribe("*")?));
    let inside = seen_inside.clone();
    app.transaction(|| async {
        accounts.create(named("a"), &Params::new()).await?;
        entries.create(named("b"), &Params::new()).await?;
        app.emit("entries", "audited", Document::new())?;
        accounts.create(named("c"), &Params::new()).await?;
        assert!(sent(&mut inside.lock()).is_empty(), "nobody is told before all is kept");
        Ok(())
    })
    .await?;
    let expected = ["accounts created 1", "entries created 1", "entries audited 2", "accounts created 2"];
    assert_eq!(sent(&mut events), expected);
    Ok(())
}

#[tokio::test]
async fn hooks_that_call_other_services_have_part_in_it() -> Result<()> {
    let app = bank();
    app.hooks("accounts", |hooks| {
        hooks.after(Method::Create, |ctx| async {
            let entries = ctx.app().expect("an app").documents("entries")?;
            entries.create(named("opened"), &Params::new()).await?;
            Ok(ctx)
        })
    })?;
    let (accounts, entries) = (app.documents("accounts")?, app.documents("entries")?);
    let undone = app.transaction(|| async {
        accounts.create(named("a"), &Params::new()).await?;
        assert_eq!(count(&entries).await, 1);
        Err::<(), _>(Error::conflict("no"))
    });
    assert!(undone.await.is_err());
    assert_eq!((count(&accounts).await, count(&entries).await), (0, 0));

    app.transaction(async || accounts.create(named("a"), &Params::new()).await).await?;
    assert_eq!((count(&accounts).await, count(&entries).await), (1, 1));
    Ok(())
}

#[tokio::test]
async fn detached_hooks_begin_when_all_is_kept() -> Result<()> {
    let app = bank();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    app.hooks("accounts", move |hooks| {
        let noted = noted.clone();
        hooks.detached(Method::Create, move |ctx| {
            let noted = noted.clone();
            async move {
                let accounts = ctx.app().expect("an app").documents("accounts")?;
                // It belongs to no transaction, and finds what was kept.
                let there = count(&accounts).await;
                noted.lock().push(there);
                Ok(ctx)
            }
        })
    })?;
    let accounts = app.documents("accounts")?;
    let undone = app.transaction(|| async {
        accounts.create(named("a"), &Params::new()).await?;
        Err::<(), _>(Error::conflict("no"))
    });
    assert!(undone.await.is_err());
    app.stop().await?;
    assert!(seen.lock().is_empty());

    app.transaction(|| async {
        accounts.create(named("a"), &Params::new()).await?;
        accounts.create(named("b"), &Params::new()).await
    })
    .await?;
    app.stop().await?;
    assert_eq!(*seen.lock(), [2, 2]);
    Ok(())
}

#[tokio::test]
async fn a_cache_never_keeps_what_may_be_undone() -> Result<()> {
    let app = App::new();
    app.mount("notes", memory("notes").cached(CacheOptions::new()).hooked())?;
    let notes = app.documents("notes")?;
    let one = notes.create(named("a"), &Params::new()).await?;
    let id = Id::from(one["id"].as_i64().expect("an id"));
    let name = || async { notes.read(&id, &Params::new()).await.map(|note| note["name"].clone()) };
    assert_eq!(name().await?.as_str(), Some("a"));
    let undone = app.transaction(|| async {
        notes.modify(&id, named("b").into(), &Params::new()).await?;
        assert_eq!(name().await?.as_str(), Some("b"), "a transaction sees what it has done");
        let (others, id) = (notes.clone(), id.clone());
        let outside = tokio::spawn(async move { others.read(&id, &Params::new()).await });
        let outside = outside.await.expect("joined")?;
        assert_eq!(outside["name"].as_str(), Some("a"), "and nobody else does");
        Err::<(), _>(Error::conflict("no"))
    });
    assert!(undone.await.is_err());
    assert_eq!(name().await?.as_str(), Some("a"));
    app.transaction(async || notes.modify(&id, named("c").into(), &Params::new()).await).await?;
    assert_eq!(name().await?.as_str(), Some("c"));
    Ok(())
}

#[tokio::test]
async fn whoever_writes_outside_waits_for_the_end() -> Result<()> {
    let app = bank();
    let accounts = app.documents("accounts")?;
    let (writer, reader) = (accounts.clone(), accounts.clone());
    let outside = app
        .transaction(|| async {
            accounts.create(named("a"), &Params::new()).await?;
            let writer = writer.clone();
            let waiting = tokio::spawn(async move { writer.create(named("b"), &Params::new()).await });
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            assert!(!waiting.is_finished());
            Ok(waiting)
        })
        .await?;
    outside.await.expect("joined")?;
    let all = reader.index(&Params::new()).await?.data;
    let names: Vec<_> = all.iter().filter_map(|account| account["name"].as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    Ok(())
}

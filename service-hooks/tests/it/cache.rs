//! The cache: what it keeps, for whom and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::TryStreamExt;
use remex_core::{
    Call, Document, Error, Filter, FnService, Id, Method, Missing, Options, Paginate, Params, Provider, Query, Result,
    RouteValues, Service, ServiceExt,
};
use remex_hooks::{CacheOptions, CacheStatistics, Cached, CachedExt};
use remex_memory::MemoryService;

fn program() -> Params {
    Params::new()
}

fn client() -> Params {
    Params::client(Provider::Rest)
}

/// A store with the notes 1, 2 and 3.
async fn notes(options: CacheOptions) -> Cached<MemoryService> {
    let notes = MemoryService::<Document>::new(Options::new("notes").hidden_field("secret")).expect("options");
    for number in 1..=3 {
        let note = Document::new().with("number", number).with("secret", "x");
        notes.create(note, &program()).await.expect("created");
    }
    notes.cached(options)
}

/// Makes every call that reads, by records and as JSON.
async fn read_all(notes: &impl Service<Id = Id, Data = Document, Input = Document>, params: &Params) -> Result<()> {
    let id = Id::from(1);
    notes.index(params).await?;
    notes.find_one(params).await?;
    notes.read(&id, params).await?;
    notes.read_many(&[1.into(), 3.into()], params).await?;
    notes.count(params).await?;
    for call in [Call::Index, Call::FindOne, Call::Read(id), Call::ReadMany(vec![2.into()]), Call::Count] {
        notes.answer(call, params).await?;
    }
    Ok(())
}

/// How many calls [`read_all`] makes.
const READS: u64 = 10;

fn hits_and_misses(CacheStatistics { hits, misses, .. }: CacheStatistics) -> (u64, u64) {
    (hits, misses)
}

#[tokio::test]
async fn what_is_kept_is_the_same_as_what_the_store_says() -> Result<()> {
    let notes = notes(CacheOptions::new()).await;
    let (id, ids) = (Id::from(2), [Id::from(3), Id::from(1)]);
    for params in [program(), client()] {
        let first = (notes.index(&params).await?, notes.read(&id, &params).await?);
        let more = (notes.find_one(&params).await?, notes.read_many(&ids, &params).await?, notes.count(&params).await?);
        let json = notes.answer(Call::Index, &params).await?;
        assert_eq!((notes.index(&params).await?, notes.read(&id, &params).await?), first);
        assert_eq!(notes.find_one(&params).await?, more.0);
        assert_eq!(notes.read_many(&ids, &params).await?, more.1);
        assert_eq!(notes.count(&params).await?, more.2);
        assert_eq!(notes.answer(Call::Index, &params).await?, json);
        assert_eq!(notes.inner().index(&params).await?, first.0);
    }
    assert_eq!(hits_and_misses(notes.statistics()), (12, 12));
    Ok(())
}

#[tokio::test]
async fn every_write_forgets_everything() -> Result<()> {
    let notes = notes(CacheOptions::new()).await;
    let (id, data, params) = (Id::from(1), || Document::new().with("number", 9), program());
    let some = Params::from(Query::new().filter(Filter::eq("number", 2)));
    let mut writes = 0;
    loop {
        read_all(&notes, &params).await?;
        let before = notes.statistics();
        read_all(&notes, &params).await?;
        assert_eq!(notes.statistics().hits, before.hits + READS, "behind write {writes}");
        match writes {
            0 => drop(notes.create(data(), &params).await?),
            1 => drop(notes.create_many(vec![data()], &params).await?),
            2 => drop(notes.modify(&id, data().into(), &params).await?),
            3 => drop(notes.modify_many(data().into(), &some).await?),
            4 => drop(notes.update(&id, data(), &params).await?),
            5 => drop(notes.remove(&4.into(), &params).await?),
            6 => drop(notes.remove_many(&some).await?),
            7 => drop(notes.answer(Call::Create(data()), &params).await?),
            8 => drop(notes.answer(Call::Modify(id.clone(), data().into()), &params).await?),
            9 => assert!(notes.remove(&99.into(), &params).await.is_err()),
            10 => notes.forget(),
            _ => return Ok(()),
        }
        writes += 1;
        let before = notes.statistics();
        assert_eq!((before.entries, before.bytes), (0, 0), "behind write {writes}");
        // The first of each finds nothing.
        let missed = notes.index(&params).await.map(|_| notes.statistics().misses);
        assert_eq!(missed?, before.misses + 1, "behind write {writes}");
        if writes == 5 {
            notes.update(&4.into(), data(), &params).await?;
        }
        notes.update(&2.into(), Document::new().with("number", 2), &params).await?;
        notes.update(&3.into(), data(), &params).await?;
    }
}

#[tokio::test]
async fn errors_and_streams_are_not_kept() -> Result<()> {
    let notes = notes(CacheOptions::new()).await;
    for _ in 0..2 {
        assert!(notes.read(&99.into(), &program()).await.is_err());
        assert_eq!(notes.index_stream(program()).try_collect::<Vec<_>>().await?.len(), 3);
    }
    assert_eq!(notes.statistics().entries, 0);
    notes.update(&99.into(), Document::new(), &program()).await?;
    assert!(notes.read(&99.into(), &program()).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn calls_that_differ_in_anything_have_answers_of_their_own() -> Result<()> {
    let notes = notes(CacheOptions::new()).await;
    let query = |query: Query| Params::from(query);
    let filter = |filter: Filter| Params::from(Query::new().filter(filter));
    let page = Params { paginate: Some(Paginate::max(1)), ..program() };
    let cursor = notes.index(&page).await?.info.next.expect("there is a next page");
    notes.forget();
    let mut route = RouteValues::default();
    route.insert("user", "1");
    let mut different = vec![
        program(),
        client(),
        Params::client(Provider::WebSocket),
        Params::client(Provider::Other("mail".into())),
        program().with_scope(Filter::eq("number", 1)),
        program().with_scope(Filter::eq("number", 2)),
        client().with_scope(Filter::eq("number", 1)),
        filter(Filter::eq("number", 1)),
        filter(Filter::eq("number", 1.0)),
        filter(Filter::eq("number", "1")),
        filter(Filter::eq("number", true)),
        filter(Filter::ne("number", 1)),
        filter(Filter::eq("other", 1)),
        filter(!Filter::eq("number", 1)),
        filter(Filter::Nor(vec![Filter::eq("number", 1)])),
        filter(Filter::is_in("number", [1])),
        filter(Filter::is_in("id", Vec::<i64>::new())),
        filter(Filter::Or(Vec::new())),
        filter(Filter::And(Vec::new())),
        query(Query::new().sort("number")),
        query(Query::new().sort_descending("number")),
        query(Query::new().sort("number").sort("id")),
        query(Query::new().limit(1)),
        query(Query::new().limit(2)),
        query(Query::new().skip(1)),
        query(Query::new().select(["number"])),
        query(Query::new().select(["id"])),
        query(Query::new().total(true)),
        query(Query::new().total(false)),
        query(Query::new().after(cursor)),
        query(Query { extra: Document::new().with("$search", "a"), ..Query::new() }),
        Params { paginate: Some(Paginate::max(1)), ..program() },
        Params { paginate: Some(Paginate::max(2)), ..program() },
        Params { paginate: Some(Paginate::Off), ..program() },
        Params { missing: Some(Missing::NotFound), ..program() },
        Params { skip_missing: true, ..program() },
        Params { silent: true, ..program() },
        Params { whole: true, ..client() },
        Params { route: route.clone(), ..program() },
    ];
    route.insert("user", "2");
    different.push(Params { route, ..program() });
    for params in &different {
        let direct = notes.inner().answer(Call::Index, params).await?;
        assert_eq!(notes.answer(Call::Index, params).await?, direct, "{params:?}");
        assert_eq!(notes.statistics().hits, 0, "{params:?}");
    }
    let calls =
        [Call::FindOne, Call::Count, Call::Read(1.into()), Call::Read(2.into()), Call::ReadMany(vec![1.into()])];
    for call in calls.into_iter().chain([Call::ReadMany(vec![1.into(), 2.into()]), Call::ReadMany(Vec::new())]) {
        notes.answer(call, &program()).await?;
    }
    notes.index(&program()).await?;
    assert_eq!(notes.statistics().hits, 0, "another call");
    for params in &different {
        notes.answer(Call::Index, params).await?;
    }
    assert_eq!(notes.statistics().hits, different.len() as u64);
    Ok(())
}

#[tokio::test]
async fn nobody_gets_what_another_may_see() -> Result<()> {
    let notes = notes(CacheOptions::new()).await;
    for _ in 0..2 {
        assert!(notes.read(&1.into(), &program()).await?.contains("secret"));
        assert!(!notes.read(&1.into(), &client()).await?.contains("secret"));
        let scoped = client().with_scope(Filter::eq("number", 2));
        assert!(notes.read(&1.into(), &scoped).await.is_err());
        assert_eq!(notes.answer(Call::Index, &scoped).await?.json, r#"[{"id":2,"number":2}]"#);
        assert_eq!(notes.count(&scoped).await?, 1);
    }
    Ok(())
}

#[tokio::test]
#[should_panic(expected = "a cache goes inside the hooks")]
async fn it_is_not_for_what_looks_at_who_calls() {
    let hooked = MemoryService::<Document>::new(Options::new("notes")).expect("options").hooked();
    drop(hooked.cached(CacheOptions::new()));
}

#[tokio::test(start_paused = true)]
async fn answers_live_for_their_time() -> Result<()> {
    let notes = notes(CacheOptions::new().time_to_live(Duration::from_secs(10))).await;
    let past_it =
        async |number: i64| notes.inner().update(&1.into(), Document::new().with("number", number), &program()).await;
    let number = async || Ok::<_, Error>(notes.read(&1.into(), &program()).await?["number"].as_i64());
    assert_eq!(number().await?, Some(1));
    past_it(7).await?;
    tokio::time::advance(Duration::from_millis(9_999)).await;
    assert_eq!(number().await?, Some(1));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(number().await?, Some(7));
    past_it(8).await?;
    notes.forget();
    assert_eq!(number().await?, Some(8));
    Ok(())
}

#[tokio::test]
async fn it_is_bounded() -> Result<()> {
    let ask = async |notes: &Cached<MemoryService>, limit: u64| {
        notes.index(&Params::from(Query::new().limit(limit))).await.map(drop)
    };
    let few = notes(CacheOptions::new().entries_max(10)).await;
    for limit in 1..=10 {
        ask(&few, limit).await?;
    }
    let full = few.statistics().entries;
    assert!((9..=10).contains(&full), "{full}");
    for limit in 1..=1_000 {
        ask(&few, limit).await?;
        assert!(few.statistics().entries <= 10);
    }
    let small = notes(CacheOptions::new().bytes_max(10_000)).await;
    for limit in 1..=1_000 {
        ask(&small, limit).await?;
        assert!(small.statistics().bytes <= 10_000);
    }
    assert!(small.statistics().entries > 5);
    // What is larger than all of it is not kept, and takes nothing's place.
    let entries = small.statistics().entries;
    small.inner().create(Document::new().with("text", "x".repeat(10_000)), &program()).await?;
    small.index(&program()).await?;
    small.answer(Call::Index, &program()).await?;
    assert_eq!(small.statistics().entries, entries);
    let none = notes(CacheOptions::new().entries_max(0).bytes_max(0)).await;
    read_all(&none, &program()).await?;
    assert_eq!(none.statistics().entries, 0);
    Ok(())
}

#[tokio::test]
async fn it_goes_under_hooks() -> Result<()> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let store = FnService::<Id, Document>::new("notes").on_index(move |params: Params| {
        counter.fetch_add(1, Ordering::SeqCst);
        let owner = params.scope.to_string();
        async move { Ok(vec![Document::new().with("scope", owner)].into()) }
    });
    // Each user has a scope, which a hook puts in.
    let notes = store.cached(CacheOptions::new()).hooked().before(Method::Index, |mut ctx| async move {
        let user = ctx.params().headers.get("x-user").and_then(|user| user.to_str().ok()).unwrap_or("none").to_owned();
        let scope = std::mem::take(&mut ctx.params_mut().scope);
        ctx.params_mut().scope = scope.and(Filter::eq("owner", user));
        Ok(ctx)
    });
    for _ in 0..2 {
        for user in ["ann", "bob"] {
            let mut params = client();
            params.headers.insert("x-user", user.parse().expect("a header"));
            let scope = &notes.index(&params).await?.data[0]["scope"];
            assert_eq!(scope.as_str(), Some(format!(r#"{{"owner":"{user}"}}"#).as_str()));
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    Ok(())
}

//! The cache among many calls: it never answers what was before an acknowledged write.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use futures::FutureExt;
use remex_core::{
    Call, Description, Document, Error, Id, Options, Page, Params, Patch, Provider, Result, Service, Stored,
    async_trait,
};
use remex_hooks::{CacheOptions, CacheStatistics, Cached, CachedExt};
use remex_memory::MemoryService;
use tokio::sync::watch;
use tokio::task::yield_now;

fn program() -> Params {
    Params::new()
}

fn client() -> Params {
    Params::client(Provider::Rest)
}

/// A way that can be shut, where whoever comes by waits.
struct Gate(watch::Sender<bool>);

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(true))
    }
}

impl Gate {
    fn shut(&self) {
        self.0.send_replace(false);
    }

    fn open(&self) {
        self.0.send_replace(true);
    }

    async fn pass(&self) {
        self.0.subscribe().wait_for(|open| *open).await.expect("the gate is still there");
    }
}

/// A store of one number, with a gate before and behind each of its accesses.
#[derive(Default)]
struct Number {
    number: AtomicI64,
    before_read: Gate,
    behind_read: Gate,
    before_write: Gate,
    behind_write: Gate,
}

#[async_trait]
impl Service for Number {
    type Id = i64;
    type Data = i64;
    type Input = i64;

    async fn read(&self, _: &i64, _: &Params) -> Result<i64> {
        self.before_read.pass().await;
        let number = self.number.load(Ordering::SeqCst);
        self.behind_read.pass().await;
        Ok(number)
    }

    async fn update(&self, _: &i64, number: i64, _: &Params) -> Result<Stored<i64>> {
        assert_ne!(number, 13, "a panic of the store");
        self.before_write.pass().await;
        self.number.store(number, Ordering::SeqCst);
        self.behind_write.pass().await;
        if number < 0 { Err(Error::unavailable("the line is cut")) } else { Ok(Stored::Changed(number)) }
    }
}

type Shared = Arc<Cached<Number>>;

fn number() -> Shared {
    Arc::new(Number::default().cached(CacheOptions::new()))
}

async fn read(number: Shared) -> i64 {
    number.read(&0, &program()).await.expect("read")
}

async fn write(number: Shared, value: i64) -> Result<i64> {
    Ok(number.update(&0, value, &program()).await?.into_inner())
}

/// Lets all tasks go on until each waits.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[tokio::test]
async fn what_was_read_before_a_write_is_not_kept_behind_it() -> Result<()> {
    let number = number();
    number.inner().behind_read.shut();
    let reader = tokio::spawn(read(number.clone()));
    settle().await;
    write(number.clone(), 1).await?;
    number.inner().behind_read.open();
    assert_eq!(reader.await.expect("joined"), 0);
    assert_eq!(read(number).await, 1);
    Ok(())
}

#[tokio::test]
async fn what_is_read_during_a_write_is_not_kept() -> Result<()> {
    let number = number();
    number.inner().before_write.shut();
    let writer = tokio::spawn(write(number.clone(), 1));
    settle().await;
    assert_eq!((read(number.clone()).await, read(number.clone()).await), (0, 0));
    // One that ends behind the write, too, and one that begins when the number is new already.
    number.inner().behind_read.shut();
    let reader = tokio::spawn(read(number.clone()));
    settle().await;
    number.inner().behind_write.shut();
    number.inner().before_write.open();
    settle().await;
    let late = tokio::spawn(read(number.clone()));
    settle().await;
    number.inner().behind_write.open();
    writer.await.expect("joined")?;
    number.inner().behind_read.open();
    assert_eq!((reader.await.expect("joined"), late.await.expect("joined")), (0, 1));
    assert_eq!(number.statistics().entries, 0);
    assert_eq!(read(number).await, 1);
    Ok(())
}

#[tokio::test]
async fn writes_at_once_are_all_waited_for() -> Result<()> {
    let number = number();
    number.inner().behind_write.shut();
    let first = tokio::spawn(write(number.clone(), 1));
    settle().await;
    number.inner().before_write.shut();
    let second = tokio::spawn(write(number.clone(), 2));
    settle().await;
    number.inner().behind_write.open();
    first.await.expect("joined")?;
    // The second is still to come.
    assert_eq!(read(number.clone()).await, 1);
    assert_eq!(number.statistics().entries, 0);
    number.inner().before_write.open();
    second.await.expect("joined")?;
    assert_eq!(read(number).await, 2);
    Ok(())
}

#[tokio::test]
async fn a_write_that_fails_or_panics_forgets_and_ends() {
    let number = number();
    assert_eq!(read(number.clone()).await, 0);
    assert!(write(number.clone(), -1).await.is_err());
    assert_eq!(read(number.clone()).await, -1);
    assert_eq!(number.statistics().entries, 1);
    assert!(tokio::spawn(write(number.clone(), 13)).await.is_err());
    assert_eq!(number.statistics().entries, 0);
    assert_eq!(read(number.clone()).await, -1);
    assert_eq!(number.statistics().entries, 1);
}

#[tokio::test]
async fn a_write_that_is_given_up_goes_on_to_its_end() {
    let number = number();
    assert_eq!(read(number.clone()).await, 0);
    number.inner().before_write.shut();
    let writer = tokio::spawn(write(number.clone(), 1));
    settle().await;
    writer.abort();
    assert!(writer.await.expect_err("given up").is_cancelled());
    // Nobody knows when the store will have written.
    assert_eq!(read(number.clone()).await, 0);
    assert_eq!(number.statistics().entries, 0);
    number.inner().before_write.open();
    settle().await;
    assert_eq!(read(number.clone()).await, 1);
    assert_eq!((read(number.clone()).await, number.statistics().hits), (1, 1));
}

#[test]
fn without_a_runtime_a_write_that_is_given_up_has_ended() {
    let number = number();
    assert_eq!(read(number.clone()).now_or_never(), Some(0));
    number.inner().before_write.shut();
    assert!(write(number.clone(), 1).now_or_never().is_none());
    assert_eq!(number.statistics().entries, 0);
    assert_eq!(read(number.clone()).now_or_never(), Some(0));
    assert_eq!(number.statistics().entries, 1);
}

/// Records in memory where every access takes its time, before and behind, so that calls come in between.
struct Slow {
    records: MemoryService,
    turn: AtomicUsize,
}

impl Slow {
    async fn wait(&self) {
        for _ in 0..self.turn.fetch_add(1, Ordering::Relaxed) % 4 {
            yield_now().await;
        }
    }
}

#[async_trait]
impl Service for Slow {
    type Id = Id;
    type Data = Document;
    type Input = Document;

    async fn index(&self, params: &Params) -> Result<Page<Document>> {
        self.wait().await;
        let page = self.records.index(params).await;
        self.wait().await;
        page
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<Document> {
        self.wait().await;
        let record = self.records.read(id, params).await;
        self.wait().await;
        record
    }

    async fn modify(&self, id: &Id, patch: Patch, params: &Params) -> Result<Stored<Document>> {
        self.wait().await;
        let stored = self.records.modify(id, patch, params).await;
        self.wait().await;
        stored
    }

    fn describe(&self) -> Arc<Description> {
        self.records.describe()
    }
}

/// Many writers count up a record each, and tell how far they are once it is acknowledged. Many readers look that up first
/// and then ask the cache, which must not answer less.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_stale_behind_an_acknowledged_write() -> Result<()> {
    const RECORDS: usize = 3;
    const WRITES: i64 = 1_000;
    let records = MemoryService::<Document>::new(Options::new("notes"))?;
    for _ in 0..RECORDS {
        records.create(Document::new().with("number", 0), &program()).await?;
    }
    let notes = Arc::new(Slow { records, turn: AtomicUsize::new(0) }.cached(CacheOptions::new()));
    let acknowledged: Arc<Vec<AtomicI64>> = Arc::new((0..RECORDS).map(|_| AtomicI64::new(0)).collect());
    let id = |record: usize| Id::from(record as i64 + 1);

    let mut writers = Vec::new();
    for record in 0..RECORDS {
        let (notes, acknowledged) = (notes.clone(), acknowledged.clone());
        writers.push(tokio::spawn(async move {
            for number in 1..=WRITES {
                let change = |field: &str| Patch::from(Document::new().with(field, number));
                // Some writes are given up, and nobody knows when they come to their end.
                if number % 50 == 0 {
                    let other = notes.modify(&id(record), change("other"), &program()).now_or_never();
                    drop(other);
                } else {
                    let patch = change("number");
                    notes.modify(&id(record), patch, &program()).await?;
                    acknowledged[record].store(number, Ordering::SeqCst);
                }
                // Readers have a while in which nothing is written.
                for _ in 0..number % 16 {
                    yield_now().await;
                }
            }
            Ok::<_, Error>(())
        }));
    }
    let mut readers = Vec::new();
    for reader in 0..8 {
        let (notes, acknowledged) = (notes.clone(), acknowledged.clone());
        readers.push(tokio::spawn(async move {
            let mut stale = 0;
            while acknowledged.iter().any(|number| number.load(Ordering::SeqCst) < WRITES - 1) {
                for record in 0..RECORDS {
                    let least = acknowledged[record].load(Ordering::SeqCst);
                    let found = match reader % 3 {
                        0 => notes.read(&id(record), &program()).await?["number"].as_i64(),
                        1 => notes.index(&program()).await?.data[record]["number"].as_i64(),
                        _ => {
                            let json = notes.answer(Call::Read(id(record)), &client()).await?.json;
                            remex_core::read_json(&json)?.as_document().and_then(|record| record["number"].as_i64())
                        }
                    };
                    stale += i32::from(found < Some(least));
                }
                yield_now().await;
            }
            Ok::<_, Error>(stale)
        }));
    }
    for writer in writers {
        writer.await.expect("joined")?;
    }
    for reader in readers {
        assert_eq!(reader.await.expect("joined")?, 0, "answers older than an acknowledged write");
    }
    let CacheStatistics { hits, misses, .. } = notes.statistics();
    assert!(hits > 1_000 && misses > 1_000, "hits {hits}, misses {misses}: neither is put to the test");
    Ok(())
}

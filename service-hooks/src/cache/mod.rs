//! [`Cached`]: a store whose answers are kept until something is written.

mod change;
mod key;
mod options;

use std::fmt;
use std::hash::RandomState;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::stream::BoxStream;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use remex_core::{
    Answer, Call, Description, Error, Output, Page, Params, Patch, Result, Service, Shield, Site, Stored, Transaction,
    async_trait, perform,
};
use serde::Serialize;
use tokio::time::Instant;

use change::{Change, Changes};
use key::Key;
pub use options::{CacheOptions, CacheStatistics};

/// Puts a cache around a store. Every service has it; nothing implements it.
pub trait CachedExt: Service {
    /// Keeps what the service answers until something is written through it; see [`Cached`].
    ///
    /// # Panics
    /// Where the service has hooks: a cache goes inside them.
    fn cached(self, options: CacheOptions) -> Cached<Self>
    where
        Self: Sized + 'static,
    {
        Cached::new(self, options)
    }
}

impl<S: Service> CachedExt for S {}

/// A store whose answers are kept until something is written through it; made by [`CachedExt::cached`].
///
/// It goes around the store and inside all hooks: what the store is asked has then every scope in it, so that nobody is
/// answered with what somebody else may see.
///
/// ```
/// use remex_core::{Document, Options, Params, Service, ServiceExt};
/// use remex_hooks::{CacheOptions, CachedExt};
/// use remex_memory::MemoryService;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> remex_core::Result<()> {
/// let notes = MemoryService::<Document>::new(Options::new("notes"))?.cached(CacheOptions::new()).hooked();
/// notes.create(Document::new().with("text", "sing"), &Params::new()).await?;
/// notes.index(&Params::new()).await?;
/// notes.index(&Params::new()).await?;
/// assert_eq!(notes.inner().statistics().hits, 1);
/// # Ok(())
/// # }
/// ```
///
/// # What is kept
/// What `index`, `find_one`, `read`, `read_many` and `count` answer, as records and as JSON. Errors are not, and
/// `index_stream` goes past it. Two calls get the same answer where everything in their [`Params`] is the same but headers
/// and extensions: the wrapped service must not look at these. Stores do not. One of your own that does, such as a
/// [`FnService`](remex_core::FnService) that asks who the user is, is not for a cache.
///
/// # When it is forgotten
/// Every write through it makes all that was kept until then unusable, whatever it writes, also if it fails. While one is
/// under way nothing is kept, and what was read before it is not kept behind it: whoever calls when a write has been
/// acknowledged sees it. A write that nobody waits for any longer goes on to its end, since a store may do it regardless.
///
/// What is written past it, by another program or another service over the same table, is not noticed. The same is true of
/// a store that answers an error and writes nevertheless, later, as a database behind a broken connection may. For these
/// there are [`CacheOptions::time_to_live`] and [`forget`](Self::forget).
pub struct Cached<S: Service + 'static> {
    service: Arc<S>,
    options: CacheOptions,
    kept: Cache<Key, Arc<Kept<S::Data>>, ByBytes, RandomState>,
    hasher: RandomState,
    changes: Arc<Changes>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// An answer that is kept.
struct Kept<T> {
    output: Output<T>,
    /// The version of the records that it is of.
    version: u64,
    /// When the store was asked.
    asked: Instant,
    bytes: u64,
}

#[derive(Clone)]
struct ByBytes;

impl<T> Weighter<Key, Arc<Kept<T>>> for ByBytes {
    fn weight(&self, _: &Key, kept: &Arc<Kept<T>>) -> u64 {
        kept.bytes
    }
}

impl<S: Service + 'static> Cached<S> {
    /// Puts a cache around a service.
    ///
    /// # Panics
    /// Where the service has hooks: a cache goes inside them.
    pub fn new(service: S, options: CacheOptions) -> Self {
        // Hooks look at who calls, which is no part of the key.
        assert!(!service.describe().has_hooks(), "a cache goes inside the hooks: `.cached(…).hooked()`");
        let bounds = OptionsBuilder::new()
            // Of one piece, so that the bounds are exact and an answer may be as large on one machine as on another.
            .shards(1)
            .estimated_items_capacity(options.entries_max)
            .weight_capacity(options.bytes_max)
            .build();
        let bounds = bounds.expect("the bounds are given");
        let hasher = RandomState::new();
        Self {
            service: Arc::new(service),
            options,
            kept: Cache::with_options(bounds, ByBytes, hasher.clone(), DefaultLifecycle::default()),
            hasher,
            changes: Arc::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Returns the service inside.
    pub const fn inner(&self) -> &Arc<S> {
        &self.service
    }

    /// Makes all that is kept unusable: for writes that went past it.
    pub fn forget(&self) {
        drop(self.change());
    }

    /// Tells what it has done so far, and what it holds.
    pub fn statistics(&self) -> CacheStatistics {
        CacheStatistics {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: self.kept.len(),
            bytes: self.kept.weight(),
        }
    }

    /// Answers a call that reads, out of what is kept or by the store.
    async fn look(&self, call: Call<S::Id, S::Input>, json: bool, params: &Params) -> Result<Output<S::Data>> {
        // What a transaction sees is nobody else's, and what it changed is not to be found here.
        let version = if Transaction::current().is_some() { None } else { self.changes.settled() };
        let Some(version) = version else {
            self.misses.fetch_add(1, Ordering::Relaxed);
            return make(&*self.service, call, json, params).await;
        };
        let key = Key::new(&call, json, params, &self.hasher);
        let asked = Instant::now();
        if let Some(kept) = self.kept.get(&key)
            && kept.version == version
            && self.options.time_to_live.is_none_or(|time| asked.duration_since(kept.asked) < time)
        {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(kept.output.clone());
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let output = make(&*self.service, call, json, params).await?;
        // Of another version it would be of no use; that it is of this one is looked at again whenever it is asked for.
        if self.changes.settled() == Some(version) {
            let bytes = self.options.bytes_min().max(bytes_of(&output).saturating_add(key.bytes()));
            self.kept.insert(key, Arc::new(Kept { output: output.clone(), version, asked, bytes }));
        }
        Ok(output)
    }

    /// Makes a call that writes.
    async fn write(&self, call: Call<S::Id, S::Input>, json: bool, params: &Params) -> Result<Output<S::Data>> {
        let (service, params, change) = (self.service.clone(), params.clone(), self.change());
        let work = async move {
            let made = make(&*service, call, json, &params).await;
            match Transaction::current() {
                // Under way until all is kept or undone.
                Some(transaction) => transaction.after_commit(move || async move { drop(change) }),
                None => drop(change),
            }
            made
        };
        Shield::new(work).await
    }

    fn change(&self) -> Change {
        let change = Change::begin(&self.changes);
        // It is of no use to anybody from here on.
        self.kept.clear();
        change
    }
}

/// Makes a call; what comes of it is JSON text if that is asked for.
async fn make<S: Service>(
    service: &S,
    call: Call<S::Id, S::Input>,
    json: bool,
    params: &Params,
) -> Result<Output<S::Data>> {
    if json { service.answer(call, params).await.map(Output::Answer) } else { perform(service, call, params).await }
}

/// Returns how long an answer is as JSON text, which what it takes in memory goes along with.
fn bytes_of<T: Serialize>(output: &Output<T>) -> u64 {
    match output {
        Output::Answer(answer) => answer.json.len() as u64,
        other => {
            let mut length = Length(0);
            let written = other.records().iter().try_for_each(|record| serde_json::to_writer(&mut length, record));
            // A record that cannot be written has no length, and is not kept.
            written.map_or(u64::MAX, |()| length.0)
        }
    }
}

/// Counts what is written.
struct Length(u64);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Service + fmt::Debug + 'static> fmt::Debug for Cached<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("service", &self.service).field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Service + 'static> Service for Cached<S> {
    type Id = S::Id;
    type Data = S::Data;
    type Input = S::Input;

    async fn index(&self, params: &Params) -> Result<Page<S::Data>> {
        self.look(Call::Index, false, params).await?.into_page()
    }

    async fn read(&self, id: &S::Id, params: &Params) -> Result<S::Data> {
        self.look(Call::Read(id.clone()), false, params).await?.into_record()
    }

    async fn create(&self, data: S::Input, params: &Params) -> Result<S::Data> {
        self.write(Call::Create(data), false, params).await?.into_record()
    }

    async fn modify(&self, id: &S::Id, patch: Patch, params: &Params) -> Result<Stored<S::Data>> {
        self.write(Call::Modify(id.clone(), patch), false, params).await?.into_stored()
    }

    async fn update(&self, id: &S::Id, data: S::Input, params: &Params) -> Result<Stored<S::Data>> {
        self.write(Call::Update(id.clone(), data), false, params).await?.into_stored()
    }

    async fn remove(&self, id: &S::Id, params: &Params) -> Result<S::Data> {
        self.write(Call::Remove(id.clone()), false, params).await?.into_record()
    }

    async fn find_one(&self, params: &Params) -> Result<Option<S::Data>> {
        self.look(Call::FindOne, false, params).await?.into_found()
    }

    async fn read_many(&self, ids: &[S::Id], params: &Params) -> Result<Vec<S::Data>> {
        self.look(Call::ReadMany(ids.to_vec()), false, params).await?.into_records()
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        self.look(Call::Count, false, params).await?.into_count()
    }

    async fn create_many(&self, data: Vec<S::Input>, params: &Params) -> Result<Vec<S::Data>> {
        self.write(Call::CreateMany(data), false, params).await?.into_records()
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<S::Data>> {
        self.write(Call::ModifyMany(patch), false, params).await?.into_records()
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<S::Data>> {
        self.write(Call::RemoveMany, false, params).await?.into_records()
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<S::Data>> {
        self.service.index_stream(params)
    }

    async fn answer(&self, call: Call<S::Id, S::Input>, params: &Params) -> Result<Answer> {
        let output = match call.method().writes() {
            true => self.write(call, true, params).await?,
            false => self.look(call, true, params).await?,
        };
        match output {
            Output::Answer(answer) => Ok(answer),
            _ => Err(Error::internal("JSON text was asked for, and records came")),
        }
    }

    fn describe(&self) -> Arc<Description> {
        self.service.describe()
    }

    fn mounted(&self, site: &Site) {
        self.service.mounted(site);
    }

    fn begins_with_hooks(&self) -> bool {
        // It refuses those that do.
        false
    }
}

//! [`Store`]: the service over documents. What a record's own type has to say, it says through one function.
//!
//! Records leave the store whole; what of them a caller gets to see is applied on the way out of the adapter.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use remex_core::{
    Cursor, Description, Document, Error, Id, IdKind, Intent, Missing, NewRecord, Options, Page, PageInfo, Params,
    Patch, Plan, Result, Service, Stored, Value,
};
use uuid::Uuid;

use crate::glance::Glance;
use crate::key::Key;
use crate::page::{Behind, Best};
use crate::records::{Held, Record};
use crate::scan::{Scan, give_way};
use crate::table::{Table, Undo};
use crate::transaction::Home;

/// Makes sure that a document is a record of the service's type before it is stored.
pub(crate) type Conform = fn(&Description, Document) -> Result<Document>;

/// The records of a service as documents, which are packed while they are here.
pub(crate) struct Store {
    pub(crate) home: Arc<Home>,
    next_id: AtomicI64,
    description: Arc<Description>,
    conform: Conform,
}

/// Integer ids that callers make up do not move the counter past this one, so that a single one of them cannot use up
/// those that every client can read exactly: half of the integers up to 2^53 are left then.
const COUNTED_MAX: i64 = 1 << 52;

impl Store {
    pub(crate) fn new(options: Options, conform: Conform) -> Result<Self> {
        let description = Description::new(options)?.with_streaming(true);
        let home = Home::new(Table::new(&description));
        Ok(Self { home, next_id: AtomicI64::new(1), description: Arc::new(description), conform })
    }

    pub(crate) fn description(&self) -> &Description {
        &self.description
    }

    /// Makes an id that no record had before.
    fn make_key(&self) -> Result<Key> {
        match self.description.id_kind() {
            IdKind::Integer => {
                let next = self.next_id.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |id| id.checked_add(1));
                next.map(Key::Integer).map_err(|_| Error::internal("the integer ids are used up"))
            }
            IdKind::Uuid => Ok(Key::Uuid(Uuid::now_v7())),
            kind @ IdKind::ObjectId => {
                let made = kind.make().and_then(|id| Key::from_value(kind, &id));
                made.ok_or_else(|| Error::internal("an ObjectId was not made"))
            }
            IdKind::Text => Err(Error::internal("text ids are made by the caller")),
        }
    }

    /// Sees to it that an id which a caller made up is not counted to later.
    fn count_past(&self, table: &mut Table, key: &Key) {
        match key {
            Key::Integer(id @ ..=COUNTED_MAX) => {
                self.next_id.fetch_max(id + 1, Ordering::Relaxed);
            }
            Key::Integer(id) => {
                table.given.insert(*id);
            }
            Key::Uuid(_) | Key::Text(_) => {}
        }
    }

    fn key(&self, id: &Value) -> Result<Key> {
        // `Description` reads ids by the same kind.
        Key::from_value(self.description.id_kind(), id).ok_or_else(|| Error::internal("an id is not of its kind"))
    }

    /// Completes the data of a record with its id, and checks it as a whole.
    fn complete(&self, key: &Key, mut data: Document, params: &Params) -> Result<Document> {
        data.insert_first(self.description.id_field(), key.to_value());
        let record = (self.conform)(&self.description, data)?;
        self.description.check_scope(&record, params)?;
        Ok(record)
    }

    fn missing(&self, id: &Id) -> Error {
        Error::no_record(self.description.name(), id)
    }

    /// Makes the record that `modify` or `update` found missing.
    fn make_missing(&self, table: &mut Table, key: Key, data: Document, params: &Params) -> Result<Stored<Document>> {
        let data = self.description.prepare_missing(&key.to_value(), data, params)?;
        let record = self.complete(&key, data, params)?;
        self.count_past(table, &key);
        table.set(key, &record)?;
        Ok(Stored::Created(record))
    }

    /// Decides under which id a record is added, the one that was given for it or one that is made.
    fn choose_key(&self, table: &mut Table, id: Option<&Value>) -> Result<Key> {
        let Some(id) = id else {
            loop {
                let key = self.make_key()?;
                // An id past the counter may be somebody's already, or may have been.
                let given = matches!(key, Key::Integer(id) if table.given.contains(&id));
                if !given && !table.records.contains(&key) {
                    return Ok(key);
                }
            }
        };
        let key = self.key(id)?;
        if table.records.contains(&key) {
            return Err(table.id_taken(self.description.id_field(), id));
        }
        self.count_past(table, &key);
        Ok(key)
    }

    /// Adds records, all or none.
    async fn add(&self, new: Vec<NewRecord>, params: &Params) -> Result<Vec<Document>> {
        let mut table = self.home.write().await?;
        // What a record's own type does comes before the first change, since it may fail in every way, or panic.
        let mut completed = Vec::with_capacity(new.len());
        for new in new {
            let key = self.choose_key(&mut table, new.id.as_ref())?;
            let record = self.complete(&key, new.data, params)?;
            completed.push((key, record));
        }
        let mut undo = Undo::default();
        let id_field = self.description.id_field();
        for (key, record) in &completed {
            // The same id may have been given twice in one call.
            if table.records.contains(key) {
                table.undo(undo);
                return Err(table.id_taken(id_field, &key.to_value()));
            }
            table.set_or_undo(&mut undo, key.clone(), record)?;
        }
        Ok(completed.into_iter().map(|(_, record)| record).collect())
    }

    /// Goes through the records that match, in whatever order the way is, until the visitor has enough. It gets to see a
    /// record as it is kept, and of its fields those that the plan looks at.
    ///
    /// Answers whether it went well: along an index, a record that is changed meanwhile may move from what is yet to come
    /// to what has been, and be left out.
    async fn each_match(
        &self,
        scan: &mut Scan,
        plan: &Plan<'_>,
        mut visit: impl FnMut(Record<'_>, &Document) -> ControlFlow<()> + Send,
    ) -> bool {
        let (mut version, mut glance) = (None, Glance::new(plan));
        let view = self.home.view();
        loop {
            let step = {
                let table = view.read();
                if scan.is_walk() && *version.get_or_insert(table.version) != table.version {
                    return false;
                }
                scan.step(&table, &mut |record| {
                    let seen = glance.at(record);
                    if plan.filter.matches(seen) { visit(record, seen) } else { ControlFlow::Continue(()) }
                })
            };
            if step.is_break() {
                return true;
            }
            give_way().await;
        }
    }

    fn scan(&self, plan: &Plan<'_>) -> Scan {
        self.scan_of(&self.home.view().read(), plan)
    }

    fn scan_of(&self, table: &Table, plan: &Plan<'_>) -> Scan {
        Scan::choose(table, plan, self.description.id_field(), self.description.id_kind())
    }

    /// Lists the records that match, under a lock that is held.
    fn matching(&self, table: &Table, plan: &Plan<'_>) -> Vec<(Key, Document)> {
        let mut scan = self.scan_of(table, plan);
        let (mut found, mut glance) = (Vec::new(), Glance::new(plan));
        let mut visit = |record: Record<'_>| {
            if plan.filter.matches(glance.at(record)) {
                found.push((record.key().clone(), record.document()));
            }
            ControlFlow::Continue(())
        };
        while scan.step(table, &mut visit).is_continue() {}
        found
    }

    /// Finds the records of a page, and one more if there is one, and counts all that match if that is wanted.
    async fn find(&self, plan: &Plan<'_>) -> (Vec<Held>, u64) {
        let wanted = plan.limit.map(|limit| plan.skip.saturating_add(limit).saturating_add(1));
        let behind = Behind::new(plan, &self.description);
        let mut scan = self.scan(plan);
        if scan.is_sorted(plan) {
            let (mut found, mut total) = (Vec::new(), 0);
            let whole = self.each_match(&mut scan, plan, |record, seen| {
                total += 1;
                let enough = |found: &Vec<_>| wanted.is_some_and(|wanted| found.len() as u64 >= wanted);
                if !enough(&found) && behind.holds(record.key(), seen) {
                    found.push(record.hold());
                }
                if enough(&found) && !plan.total { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            if whole.await {
                return (found, total);
            }
            scan = Scan::by_id();
        }
        let (mut best, mut total) = (Best::new(plan, wanted), 0);
        // By id nothing is left out, so that there is no second try.
        self.each_match(&mut scan, plan, |record, seen| {
            total += 1;
            if behind.holds(record.key(), seen) {
                best.offer(record, seen);
            }
            ControlFlow::Continue(())
        })
        .await;
        (best.into_sorted(), total)
    }

    /// Finds the records that `index` answers.
    pub(crate) async fn page(&self, params: &Params) -> Result<Page<Held>> {
        let plan = self.description.plan(Intent::Index, params)?;
        self.home.enter().await?;
        let (mut found, total) = self.find(&plan).await;
        let skip = usize::try_from(plan.skip).unwrap_or(usize::MAX).min(found.len());
        found.drain(..skip);
        let limit = plan.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let more = found.len() > limit;
        found.truncate(limit);
        let behind = |last: &Held| Cursor::behind(&last.record().document(), plan.sort, self.description.id_field());
        let info = PageInfo {
            paginated: plan.paginated,
            total: plan.total.then_some(total),
            limit: plan.limit,
            skip: plan.skip,
            next: found.last().filter(|_| more).map(behind),
        };
        Ok(Page { data: found, info })
    }

    /// Finds the record that `read` answers.
    pub(crate) fn one(&self, id: &Id, params: &Params) -> Result<Held> {
        let plan = self.description.plan(Intent::Read, params)?;
        let key = self.key(&self.description.read_id(id)?)?;
        let held = self.home.view().read().records.get(&key).map(Record::hold);
        held.filter(|held| matches(&plan, held.record())).ok_or_else(|| self.missing(id))
    }
}

/// Returns whether a single record matches. Where there are many, a [`Glance`] makes less of each.
fn matches(plan: &Plan<'_>, record: Record<'_>) -> bool {
    plan.filter.is_all() || plan.filter.matches(&record.document())
}

#[async_trait]
impl Service for Store {
    type Id = Id;
    type Data = Document;
    type Input = Document;

    async fn index(&self, params: &Params) -> Result<Page<Document>> {
        Ok(self.page(params).await?.map(|held| held.record().document()))
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<Document> {
        self.home.enter().await?;
        Ok(self.one(id, params)?.record().document())
    }

    async fn create(&self, data: Document, params: &Params) -> Result<Document> {
        self.description.plan(Intent::Create, params)?;
        let new = self.description.prepare_create(data, params)?;
        let added = self.add(vec![new], params).await?;
        added.into_iter().next().ok_or_else(|| Error::internal("a record was added and is not there"))
    }

    async fn modify(&self, id: &Id, patch: Patch, params: &Params) -> Result<Stored<Document>> {
        let plan = self.description.plan(Intent::Modify, params)?;
        let key = self.key(&self.description.read_id(id)?)?;
        let prepared = self.description.prepare_modify(patch.clone(), params)?;
        let mut table = self.home.write().await?;
        match table.document(&key) {
            Some(old) if plan.filter.matches(&old) => {
                let record = self.modified(old, prepared, params)?;
                table.set(key, &record)?;
                Ok(Stored::Changed(record))
            }
            None if plan.missing == Missing::Create => {
                let mut data = Document::new();
                patch.apply(&mut data);
                self.make_missing(&mut table, key, data, params)
            }
            _ => Err(self.missing(id)),
        }
    }

    async fn update(&self, id: &Id, data: Document, params: &Params) -> Result<Stored<Document>> {
        let plan = self.description.plan(Intent::Update, params)?;
        let key = self.key(&self.description.read_id_to_update(id, plan.missing)?)?;
        let mut prepared = self.description.prepare_update(data.clone(), params)?;
        let mut table = self.home.write().await?;
        match table.document(&key) {
            Some(old) if plan.filter.matches(&old) => {
                self.description.carry_over(&old, &mut prepared, params);
                let record = self.complete(&key, prepared, params)?;
                table.set(key, &record)?;
                Ok(Stored::Changed(record))
            }
            None if plan.missing == Missing::Create => self.make_missing(&mut table, key, data, params),
            _ => Err(self.missing(id)),
        }
    }

    async fn remove(&self, id: &Id, params: &Params) -> Result<Document> {
        let plan = self.description.plan(Intent::Remove, params)?;
        let key = self.key(&self.description.read_id(id)?)?;
        let mut table = self.home.write().await?;
        if !table.records.get(&key).is_some_and(|record| matches(&plan, record)) {
            return Err(self.missing(id));
        }
        table.remove(&key).ok_or_else(|| self.missing(id))
    }

    async fn find_one(&self, params: &Params) -> Result<Option<Document>> {
        let mut plan = self.description.plan(Intent::Index, params)?;
        (plan.limit, plan.skip, plan.after, plan.total) = (Some(1), 0, None, false);
        self.home.enter().await?;
        Ok(self.find(&plan).await.0.first().map(|held| held.record().document()))
    }

    async fn read_many(&self, ids: &[Id], params: &Params) -> Result<Vec<Document>> {
        let plan = self.description.plan(Intent::Read, params)?;
        self.home.enter().await?;
        let view = self.home.view();
        let table = view.read();
        let find = |id: &Id| {
            let key = self.key(&self.description.read_id(id).ok()?).ok()?;
            table.document(&key).filter(|record| plan.filter.matches(record))
        };
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            match find(id) {
                Some(record) => records.push(record),
                None if params.skip_missing => {}
                None => return Err(self.missing(id)),
            }
        }
        Ok(records)
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        let plan = self.description.plan(Intent::Count, params)?;
        self.home.enter().await?;
        if plan.filter.is_all() {
            return Ok(self.home.view().read().records.len() as u64);
        }
        let mut count = 0;
        self.each_match(&mut self.scan(&plan), &plan, |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })
        .await;
        Ok(count)
    }

    async fn create_many(&self, data: Vec<Document>, params: &Params) -> Result<Vec<Document>> {
        self.description.plan(Intent::CreateMany(data.len()), params)?;
        let prepare = |data| self.description.prepare_create(data, params);
        let new = data.into_iter().map(prepare).collect::<Result<Vec<_>>>()?;
        self.add(new, params).await
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<Document>> {
        let plan = self.description.plan(Intent::ModifyMany, params)?;
        let patch = self.description.prepare_modify(patch, params)?;
        let mut table = self.home.write().await?;
        let matching = self.matching(&table, &plan);
        let changed = matching
            .into_iter()
            .map(|(key, record)| Ok((key, self.modified(record, patch.clone(), params)?)))
            .collect::<Result<Vec<_>>>()?;
        let mut undo = Undo::default();
        for (key, record) in &changed {
            table.set_or_undo(&mut undo, key.clone(), record)?;
        }
        Ok(changed.into_iter().map(|(_, record)| record).collect())
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<Document>> {
        let plan = self.description.plan(Intent::RemoveMany, params)?;
        if plan.filter.is_all() {
            let records = self.home.write().await?.clear();
            return Ok(records.behind(None).map(Record::document).collect());
        }
        let mut table = self.home.write().await?;
        let matching = self.matching(&table, &plan);
        Ok(matching.iter().filter_map(|(key, _)| table.remove(key)).collect())
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<Document>> {
        stream::once(async move { self.pieces(params).await }).flatten().boxed()
    }

    fn describe(&self) -> Arc<Description> {
        self.description.clone()
    }
}

impl Store {
    fn modified(&self, mut record: Document, patch: Patch, params: &Params) -> Result<Document> {
        if patch.data().is_empty() {
            return Ok(record);
        }
        patch.clone().apply(&mut record);
        let record = (self.conform)(&self.description, record)?;
        self.description.check_scope_changed(&record, &patch, params)?;
        Ok(record)
    }

    /// Streams a list: piece by piece where records are met in order and no page is asked for, else what `index` finds.
    async fn pieces(&self, params: Params) -> BoxStream<'_, Result<Document>> {
        if let Err(error) = self.home.enter().await {
            return stream::once(async { Err(error) }).boxed();
        }
        let whole = match self.description.plan(Intent::Index, &params) {
            Err(error) => return stream::once(async { Err(error) }).boxed(),
            Ok(plan) => plan.sort.is_empty() && plan.limit.is_none() && plan.after.is_none(),
        };
        if !whole {
            return match self.index(&params).await {
                Ok(page) => stream::iter(page.data).map(Ok).boxed(),
                Err(error) => stream::once(async { Err(error) }).boxed(),
            };
        }
        let start = (params, None::<Scan>, 0_u64, false);
        let pieces = stream::unfold(start, move |(params, scan, mut skipped, ended)| async move {
            if ended {
                return None;
            }
            let mut piece = Vec::new();
            let (scan, ended) = {
                // The plan was made of the same params before, so that it does not fail now.
                let plan = self.description.plan(Intent::Index, &params).ok()?;
                let mut scan = scan.unwrap_or_else(|| self.scan(&plan));
                let mut glance = Glance::new(&plan);
                let step = scan.step(&self.home.view().read(), &mut |record| {
                    if plan.filter.matches(glance.at(record)) {
                        if skipped < plan.skip {
                            skipped += 1;
                        } else {
                            piece.push(record.hold());
                        }
                    }
                    ControlFlow::Continue(())
                });
                (scan, step.is_break())
            };
            give_way().await;
            Some((stream::iter(piece).map(|held| Ok(held.record().document())), (params, Some(scan), skipped, ended)))
        });
        pieces.flatten().boxed()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("name", &self.description.name()).finish_non_exhaustive()
    }
}

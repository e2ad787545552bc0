//! Reading: lists, pages, counts, single records.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use futures::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use mongodb::bson::{self, Bson, doc};
use remex_core::{Cursor, Document, Error, Id, Intent, Page, PageInfo, Params, Plan, Result, Shield, Transaction};
use tokio::sync::mpsc;

use crate::driver::{Reading, Rows, Session, among};
use crate::error::Failure;
use crate::order::{Order, say_after};
use crate::query::{Said, compare_ids, holds_object, say};
use crate::store::Store;
use crate::transaction::Held;
use crate::value::Decoder;

/// How many records are on their way from a cursor to whoever streams them.
const ON_THE_WAY: usize = 64;

/// A plan as far as the server knows it.
struct Selection {
    filter: Said,
    after: Option<Said>,
    order: Order,
}

impl Selection {
    /// Returns whether the server finds exactly the records of the plan.
    fn is_exact(&self) -> bool {
        self.filter.is_exact() && self.after.as_ref().is_none_or(Said::is_exact)
    }
}

/// The window of a list that the server is to cut out.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    skip: u64,
    limit: Option<u64>,
}

impl Store {
    /// Answers `index`.
    pub(crate) async fn page(&self, session: Session<'_>, params: &Params) -> Result<Page<Document>, Failure> {
        let plan = self.description.plan(Intent::Index, params)?;
        let mut session = session;
        let total = if plan.total { Some(self.count(session.as_deref_mut(), &plan.filter).await?) } else { None };
        let mut found = self.find(session, &plan, params).await?;
        let limit = plan.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let more = found.len() > limit;
        found.truncate(limit);
        let behind = |last| Cursor::behind(last, plan.sort, self.description.id_field());
        let info = PageInfo {
            paginated: plan.paginated,
            total,
            limit: plan.limit,
            skip: plan.skip,
            next: found.last().filter(|_| more).map(behind),
        };
        Ok(Page { data: found, info })
    }

    /// Answers the first record of a query.
    pub(crate) async fn first(&self, session: Session<'_>, params: &Params) -> Result<Option<Document>, Failure> {
        let mut plan = self.description.plan(Intent::Index, params)?;
        (plan.limit, plan.skip, plan.after, plan.total) = (Some(1), 0, None, false);
        Ok(self.find(session, &plan, params).await?.into_iter().next())
    }

    /// Answers one record.
    pub(crate) async fn one(&self, session: Session<'_>, id: &Id, params: &Params) -> Result<Document, Failure> {
        let plan = self.description.plan(Intent::Read, params)?;
        let key = self.key(&self.description.read_id(id)?)?;
        let reading = Reading { wanted: Some(1), ..self.reading(&plan, params, false) };
        let mut rows = self.rows(session, doc! { "_id": key }, Some(1), reading).await?;
        let found = if self.advance(&mut rows).await? { Some(self.decode(rows.current())?) } else { None };
        Ok(found.filter(|record| plan.filter.matches(record)).ok_or_else(|| self.missing(id))?)
    }

    /// Answers records in the order of their ids.
    pub(crate) async fn many(
        &self,
        session: Session<'_>,
        ids: &[Id],
        params: &Params,
    ) -> Result<Vec<Document>, Failure> {
        let plan = self.description.plan(Intent::Read, params)?;
        let keys: Vec<Bson> = ids.iter().filter_map(|id| self.key(&self.description.read_id(id).ok()?).ok()).collect();
        let mut found: HashMap<String, Document> = HashMap::with_capacity(keys.len());
        if !keys.is_empty() {
            let wanted = Some(keys.len() as u64);
            let reading = Reading { wanted, ..self.reading(&plan, params, false) };
            let mut rows = self.rows(session, among(keys), wanted, reading).await?;
            let mut decoder = self.decoder();
            while self.advance(&mut rows).await? {
                let record = decoder.decode(rows.current())?;
                if plan.filter.matches(&record) {
                    found.insert(record[self.description.id_field()].to_string(), record);
                }
            }
        }
        let mut answer = Vec::with_capacity(ids.len());
        for id in ids {
            let key = self.description.read_id(id).ok().map(|id| id.to_string());
            match key.and_then(|key| found.get(&key)) {
                Some(record) => answer.push(record.clone()),
                None if params.skip_missing => {}
                None => return Err(self.missing(id).into()),
            }
        }
        Ok(answer)
    }

    /// Counts what matches.
    pub(crate) async fn total(&self, session: Session<'_>, params: &Params) -> Result<u64, Failure> {
        let plan = self.description.plan(Intent::Count, params)?;
        self.count(session, &plan.filter).await
    }

    async fn count(&self, session: Session<'_>, filter: &remex_core::Filter) -> Result<u64, Failure> {
        if filter.is_all() && self.estimated_count && session.is_none() {
            return self.driver.estimated_count().await.map_err(|error| self.failure(error));
        }
        let said = say(&self.description, filter);
        if said == Said::None {
            return Ok(0);
        }
        if said.is_exact() {
            let count = self.driver.count(session, said.into_document()).await;
            return count.map_err(|error| self.failure(error));
        }
        let mut names = bson::Document::new();
        filter.each_path(&mut |path| {
            names.insert(path.first(), 1);
        });
        let reading = Reading { fields: Some(self.fields(names)), ..Reading::default() };
        let mut rows = self.rows(session, said.into_document(), None, reading).await?;
        let (mut count, mut decoder) = (0, self.decoder());
        while self.advance(&mut rows).await? {
            count += u64::from(filter.matches(&decoder.decode(rows.current())?));
        }
        Ok(count)
    }

    /// Lists the records that match, by id and whole.
    pub(crate) async fn matching(
        &self,
        session: Session<'_>,
        filter: &remex_core::Filter,
    ) -> Result<Vec<(Document, bson::RawDocumentBuf)>, Failure> {
        let said = say(&self.description, filter).into_document();
        let reading = Reading { unbounded: true, ..Reading::default() };
        let rows = self.driver.find(session, said, doc! { "_id": 1 }, 0, None, reading).await;
        let mut rows = rows.map_err(|error| self.failure(error))?;
        let (mut found, mut decoder) = (Vec::new(), self.decoder());
        while self.advance(&mut rows).await? {
            let record = decoder.decode(rows.current())?;
            if filter.matches(&record) {
                found.push((record, rows.current().to_owned()));
            }
        }
        Ok(found)
    }

    /// Reads what matches, in any order. Where a limit is said, the server is done once it is reached and not asked again.
    async fn rows<'a>(
        &self,
        session: Session<'a>,
        filter: bson::Document,
        limit: Option<u64>,
        reading: Reading,
    ) -> Result<Rows<'a>, Failure> {
        let rows = self.driver.find(session, filter, bson::Document::new(), 0, limit, reading).await;
        rows.map_err(|error| self.failure(error))
    }

    async fn advance(&self, rows: &mut Rows<'_>) -> Result<bool, Failure> {
        rows.advance().await.map_err(|error| self.failure(error))
    }

    /// Decides which fields are read. What a query selects is all that is read, where the record is a document.
    fn reading(&self, plan: &Plan<'_>, params: &Params, exact: bool) -> Reading {
        let mut names = bson::Document::new();
        match plan.select {
            Some(select) if self.conform.is_none() && !params.whole => {
                let sorted = plan.sort.iter().map(|key| &key.path);
                for path in select.iter().chain(sorted) {
                    names.insert(path.first(), 1);
                }
                if !exact {
                    plan.filter.each_path(&mut |path| {
                        names.insert(path.first(), 1);
                    });
                }
                Reading { fields: Some(self.fields(names)), ..Reading::default() }
            }
            _ => Reading::default(),
        }
    }

    /// Turns names from outside into those of the collection.
    fn fields(&self, mut names: bson::Document) -> bson::Document {
        names.remove(self.description.id_field());
        names.insert("_id", 1);
        names
    }

    fn selection(&self, plan: &Plan<'_>) -> Selection {
        let order = Order::of(&self.description, plan);
        let after = plan.after.map(|cursor| say_after(&self.description, &order, plan.sort, cursor));
        Selection { filter: say(&self.description, &plan.filter), after, order }
    }

    /// Finds the records of a page, and one more if there is one.
    async fn find(&self, session: Session<'_>, plan: &Plan<'_>, params: &Params) -> Result<Vec<Document>, Failure> {
        let mut session = session;
        let selection = self.selection(plan);
        let nothing = selection.filter == Said::None || selection.after == Some(Said::None);
        if plan.limit == Some(0) || nothing {
            return Ok(Vec::new());
        }
        let limit = plan.limit.map(|limit| limit.saturating_add(1));
        let reading = Reading { wanted: limit, ..self.reading(plan, params, selection.is_exact()) };
        if selection.is_exact() {
            let window = Window { skip: plan.skip, limit };
            let rows = self.select(session.as_deref_mut(), plan, &selection, window, reading.clone()).await?;
            let found = Reader::new(self, plan, &selection, rows).rest().await?;
            let cut = plan.skip > 0 || limit.is_some_and(|limit| found.len() as u64 >= limit);
            let unsettled = matches!(selection.order, Order::Keyed(..))
                && found.iter().any(|record| plan.sort.iter().any(|key| holds_object(key.value_in(record))));
            if !(cut && unsettled) {
                return Ok(found);
            }
            // Objects whose order the server does not know stand together, and the window may have cut through them.
        }
        let wanted = limit.map(|limit| plan.skip.saturating_add(limit));
        let wanted = wanted.map_or(usize::MAX, |wanted| usize::try_from(wanted).unwrap_or(usize::MAX));
        let reading = Reading { wanted: None, ..reading };
        let rows = self.select(session, plan, &selection, Window::default(), reading).await?;
        let mut reader = Reader::new(self, plan, &selection, rows);
        let mut found = Vec::new();
        while found.len() < wanted {
            match reader.next().await? {
                Some(record) => found.push(record),
                None => break,
            }
        }
        let skip = usize::try_from(plan.skip).unwrap_or(usize::MAX).min(found.len());
        found.drain(..skip);
        Ok(found)
    }

    async fn select<'a>(
        &self,
        session: Session<'a>,
        plan: &Plan<'_>,
        selection: &Selection,
        window: Window,
        reading: Reading,
    ) -> Result<Rows<'a>, Failure> {
        let Window { skip, limit } = window;
        let filter = selection.filter.clone();
        let after = selection.after.clone();
        let rows = match &selection.order {
            Order::Plain(sort) => {
                let filter = filter.and(after.unwrap_or(Said::All)).into_document();
                self.driver.find(session, filter, sort.clone(), skip, limit, reading).await
            }
            order @ Order::Keyed(..) => {
                // A cursor that holds objects says nothing to the server.
                let after = after.filter(Said::is_exact).map(Said::into_document).filter(|_| plan.after.is_some());
                self.driver.aggregate(session, order.stages(filter.into_document(), after, skip, limit), reading).await
            }
        };
        rows.map_err(|error| self.failure(error))
    }

    fn compare(&self, plan: &Plan<'_>, one: &Document, other: &Document) -> Ordering {
        let id = self.description.id_field();
        plan.compare(one, other).then_with(|| one[id].compare(&other[id]))
    }

    fn is_behind(&self, plan: &Plan<'_>, record: &Document) -> bool {
        let id = self.description.id_field();
        plan.after.is_none_or(|cursor| {
            cursor.compare_record(plan.sort, record, |last| compare_ids(&record[id], last)).is_gt()
        })
    }

    /// Answers the records of `index` one by one, from a cursor of the server.
    ///
    /// They are read in a task of their own, which ends between two records when nobody wants more.
    ///
    /// In a transaction they are gathered first: whoever reads them may make calls between two, which would wait for the
    /// session.
    pub(crate) fn stream(store: Arc<Self>, params: Params) -> BoxStream<'static, Result<Document>> {
        if Transaction::current().is_some() {
            let gathered = Shield::new(async move {
                let mut held = Held::take(&store).await?;
                let page = store.page(held.session(), &params).await;
                held.noted(page)
            });
            let records = async move { Ok::<_, Error>(stream::iter(gathered.await?.data).map(Ok)) };
            return stream::once(records).try_flatten().boxed();
        }
        let (sender, receiver) = mpsc::channel(ON_THE_WAY);
        let work = async move {
            if let Err(failure) = store.send(&params, &sender).await {
                // Nobody is there to be told when the receiver is gone.
                let _ = sender.send(Err(failure.into_error())).await;
            }
        };
        let start = (Some(work), receiver);
        // Begun with the first wish for a record, since a stream that nobody looks at does nothing.
        stream::unfold(start, |(work, mut receiver)| async move {
            if let Some(work) = work {
                tokio::spawn(work);
            }
            receiver.recv().await.map(|record| (record, (None, receiver)))
        })
        .boxed()
    }

    async fn send(&self, params: &Params, sender: &mpsc::Sender<Result<Document>>) -> Result<(), Failure> {
        let plan = self.description.plan(Intent::Index, params)?;
        let selection = self.selection(&plan);
        let nothing = selection.filter == Said::None || selection.after == Some(Said::None);
        if plan.limit == Some(0) || nothing {
            return Ok(());
        }
        let (mut skip, mut limit) = (plan.skip, plan.limit.unwrap_or(u64::MAX));
        let mut window = Window::default();
        if selection.is_exact() && matches!(selection.order, Order::Plain(_)) {
            window = Window { skip, limit: plan.limit };
            (skip, limit) = (0, u64::MAX);
        }
        let reading = Reading { unbounded: true, ..self.reading(&plan, params, selection.is_exact()) };
        let rows = self.select(None, &plan, &selection, window, reading).await?;
        let mut reader = Reader::new(self, &plan, &selection, rows);
        while limit > 0 {
            let Some(record) = reader.next().await? else { break };
            if skip > 0 {
                skip -= 1;
                continue;
            }
            limit -= 1;
            if sender.send(Ok(record)).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Reads records in the order of a plan, and looks again where the server does not know it all.
struct Reader<'a> {
    store: &'a Store,
    plan: &'a Plan<'a>,
    selection: &'a Selection,
    rows: Rows<'a>,
    decoder: Decoder<'a>,
    /// Records that stand together and are in order now.
    settled: VecDeque<Document>,
    /// The first record behind them.
    ahead: Option<Document>,
}

impl<'a> Reader<'a> {
    fn new(store: &'a Store, plan: &'a Plan<'a>, selection: &'a Selection, rows: Rows<'a>) -> Self {
        let decoder = store.decoder();
        Self { store, plan, selection, rows, decoder, settled: VecDeque::new(), ahead: None }
    }

    async fn next(&mut self) -> Result<Option<Document>, Failure> {
        if let Some(record) = self.settled.pop_front() {
            return Ok(Some(record));
        }
        let first = match self.ahead.take() {
            Some(record) => Some(record),
            None => self.next_unsettled().await?,
        };
        let Order::Keyed(..) = &self.selection.order else { return Ok(first) };
        let Some(first) = first else { return Ok(None) };
        let mut together = vec![first];
        while let Some(record) = self.next_unsettled().await? {
            if !self.selection.order.is_unsettled(self.plan.sort, &together[together.len() - 1], &record) {
                self.ahead = Some(record);
                break;
            }
            together.push(record);
        }
        together.sort_by(|one, other| self.store.compare(self.plan, one, other));
        self.settled = together.into();
        Ok(self.settled.pop_front())
    }

    /// Reads the next record that matches, in the order of the server.
    async fn next_unsettled(&mut self) -> Result<Option<Document>, Failure> {
        while self.store.advance(&mut self.rows).await? {
            let record = self.decoder.decode(self.rows.current())?;
            let exact = self.selection.is_exact();
            if exact || self.plan.filter.matches(&record) && self.store.is_behind(self.plan, &record) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    async fn rest(mut self) -> Result<Vec<Document>, Failure> {
        let mut records = Vec::new();
        while let Some(record) = self.next().await? {
            records.push(record);
        }
        Ok(records)
    }
}

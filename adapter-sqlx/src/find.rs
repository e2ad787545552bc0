//! Reading: lists, pages, counts, single records.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use futures::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use remex_core::{
    Cursor, Document, Error, Id, Intent, Page, PageInfo, Params, Path, Plan, Result, Shield, Transaction,
};
use tokio::sync::mpsc;

use crate::dialect::Dialect;
use crate::error::Failure;
use crate::query::{Extent, write_after, write_filter, write_order};
use crate::sql::Sql;
use crate::store::{Store, run};
use crate::table::Reading;

/// How many records are on their way from a cursor to whoever streams them.
const ON_THE_WAY: usize = 64;

/// A query of a plan, without the list of its columns.
struct Selection<DB: Dialect> {
    sql: Sql<DB>,
    filter: Extent,
    after: Extent,
    order: Extent,
}

impl<DB: Dialect> Store<DB> {
    /// Answers `index`.
    pub(crate) async fn page(&self, params: &Params) -> Result<Page<Document>, Failure> {
        let plan = self.description.plan(Intent::Index, params)?;
        let mut connection = self.reader().await?;
        let found = self.find(&mut connection, &plan, params).await;
        let (mut found, total) = connection.noted(found)?;
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
    pub(crate) async fn first(&self, params: &Params) -> Result<Option<Document>, Failure> {
        let mut plan = self.description.plan(Intent::Index, params)?;
        (plan.limit, plan.skip, plan.after, plan.total) = (Some(1), 0, None, false);
        let mut connection = self.reader().await?;
        let found = self.find(&mut connection, &plan, params).await;
        let (found, _) = connection.noted(found)?;
        Ok(found.into_iter().next())
    }

    /// Answers one record.
    pub(crate) async fn one(&self, id: &Id, params: &Params) -> Result<Document, Failure> {
        let plan = self.description.plan(Intent::Read, params)?;
        let key = self.key(&self.description.read_id(id)?)?;
        let reading = self.reading(&plan, params, Extent::More);
        let mut sql = Sql::<DB>::new(self.select(&reading));
        sql.push(" WHERE ").push(&DB::compare(self.table.id())).push(" = ").bind(self.table.id(), key);
        self.push_conditions(&mut sql);
        let mut connection = self.reader().await?;
        let found = self.records(&mut connection, &reading, sql).await;
        let found = connection.noted(found)?.into_iter().next();
        Ok(found.filter(|record| plan.filter.matches(record)).ok_or_else(|| self.missing(id))?)
    }

    /// Answers records in the order of their ids.
    pub(crate) async fn many(&self, ids: &[Id], params: &Params) -> Result<Vec<Document>, Failure> {
        let plan = self.description.plan(Intent::Read, params)?;
        let keys: Vec<_> = ids.iter().filter_map(|id| self.key(&self.description.read_id(id).ok()?).ok()).collect();
        let reading = self.reading(&plan, params, Extent::More);
        let mut found: HashMap<String, Document> = HashMap::with_capacity(keys.len());
        if !keys.is_empty() {
            let mut connection = self.reader().await?;
            for keys in keys.chunks(DB::BINDS_MAX / 2) {
                let mut sql = Sql::<DB>::new(self.select(&reading));
                sql.push(" WHERE ");
                self.push_ids(&mut sql, keys);
                self.push_conditions(&mut sql);
                let records = self.records(&mut connection, &reading, sql).await;
                let matching = connection.noted(records)?.into_iter().filter(|record| plan.filter.matches(record));
                found.extend(matching.map(|record| (record[self.description.id_field()].to_string(), record)));
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
    pub(crate) async fn total(&self, params: &Params) -> Result<u64, Failure> {
        let plan = self.description.plan(Intent::Count, params)?;
        let mut connection = self.reader().await?;
        let count = self.count(&mut connection, &plan).await;
        connection.noted(count)
    }

    /// Decides which columns are read. What a query selects is all that is read, where the record is a document.
    fn reading(&self, plan: &Plan<'_>, params: &Params, filter: Extent) -> Reading {
        match plan.select {
            Some(select) if self.conform.is_none() && !params.whole => {
                let mut paths: Vec<&Path> = select.iter().chain(plan.sort.iter().map(|key| &key.path)).collect();
                if !filter.is_exact() {
                    plan.filter.each_path(&mut |path| paths.push(path));
                }
                self.table.some(paths.into_iter())
            }
            _ => self.table.whole(),
        }
    }

    fn selection(&self, plan: &Plan<'_>) -> Selection<DB> {
        let mut sql = Sql::<DB>::new(" WHERE ");
        let filter = write_filter(&mut sql, &self.table, &plan.filter);
        self.push_conditions(&mut sql);
        let mut after = Extent::Exact;
        if let Some(cursor) = plan.after {
            let mut longer = sql.clone();
            longer.push(" AND ");
            match write_after(&mut longer, &self.table, plan, cursor) {
                Some(()) => sql = longer,
                None => after = Extent::More,
            }
        }
        let order = write_order(&mut sql, &self.table, plan);
        Selection { sql, filter, after, order }
    }

    /// Finds the records of a page, one more if there is one, and counts all that match if that is wanted.
    async fn find(
        &self,
        connection: &mut DB::Connection,
        plan: &Plan<'_>,
        params: &Params,
    ) -> Result<(Vec<Document>, Option<u64>), Failure> {
        let total = if plan.total { Some(self.count(connection, plan).await?) } else { None };
        if plan.limit == Some(0) {
            return Ok((Vec::new(), total));
        }
        let Selection { mut sql, filter, after, order } = self.selection(plan);
        let reading = self.reading(plan, params, filter);
        sql.prefix(&self.select(&reading));
        if filter.is_exact() && after.is_exact() && order.is_exact() {
            push_window::<DB>(&mut sql, plan.skip, plan.limit.map(|limit| limit.saturating_add(1)));
            return Ok((self.records(connection, &reading, sql).await?, total));
        }
        let wanted = plan.limit.map(|limit| plan.skip.saturating_add(limit).saturating_add(1));
        let wanted = wanted.map_or(usize::MAX, |wanted| usize::try_from(wanted).unwrap_or(usize::MAX));
        let mut found = Vec::new();
        let mut rows = run(connection, sql, self.pool.silence_max).map_err(|error| self.failure(error))?;
        while let Some(step) = rows.try_next().await.map_err(|error| self.failure(error))? {
            let Some(row) = step.right() else { continue };
            let record = self.record(&reading, &row)?;
            // What SQL has decided is not looked at again: the columns that it is about may not have been read.
            let matches = filter.is_exact() || plan.filter.matches(&record);
            if !matches || !after.is_exact() && !self.is_behind(plan, &record) {
                continue;
            }
            found.push(record);
            if order.is_exact() && found.len() >= wanted {
                break;
            }
            // Of those that no index of the database orders, only as many are kept as may be answered.
            if !order.is_exact() && found.len() >= wanted.saturating_mul(2).saturating_add(1024) {
                found.sort_by(|one, other| self.compare(plan, one, other));
                found.truncate(wanted);
            }
        }
        drop(rows);
        if !order.is_exact() {
            found.sort_by(|one, other| self.compare(plan, one, other));
            found.truncate(wanted);
        }
        let skip = usize::try_from(plan.skip).unwrap_or(usize::MAX).min(found.len());
        found.drain(..skip);
        Ok((found, total))
    }

    async fn count(&self, connection: &mut DB::Connection, plan: &Plan<'_>) -> Result<u64, Failure> {
        let mut sql = Sql::<DB>::new(" WHERE ");
        let exact = write_filter(&mut sql, &self.table, &plan.filter).is_exact();
        self.push_conditions(&mut sql);
        if exact {
            sql.prefix(&format!("SELECT COUNT(*) FROM {}", self.table.quoted));
            return self.number(connection, sql).await;
        }
        let mut paths = Vec::new();
        plan.filter.each_path(&mut |path| paths.push(path));
        let reading = self.table.some(paths.into_iter());
        sql.prefix(&self.select(&reading));
        let mut count = 0;
        let mut rows = run(connection, sql, self.pool.silence_max).map_err(|error| self.failure(error))?;
        while let Some(step) = rows.try_next().await.map_err(|error| self.failure(error))? {
            if let Some(row) = step.right() {
                count += u64::from(plan.filter.matches(&self.record(&reading, &row)?));
            }
        }
        Ok(count)
    }

    fn compare(&self, plan: &Plan<'_>, one: &Document, other: &Document) -> Ordering {
        let id = self.description.id_field();
        plan.compare(one, other).then_with(|| one[id].compare(&other[id]))
    }

    fn is_behind(&self, plan: &Plan<'_>, record: &Document) -> bool {
        let id = self.description.id_field();
        let of_a_kind = |last: &remex_core::Value| record[id].type_name() == last.type_name();
        plan.after.is_none_or(|cursor| {
            // A cursor whose id is none of this service's is behind everything with the same values.
            let compare = |last: &_| if of_a_kind(last) { record[id].compare(last) } else { Ordering::Less };
            cursor.compare_record(plan.sort, record, compare).is_gt()
        })
    }

    /// Answers the records of `index` one by one, from a cursor of the database where it can put them in order.
    ///
    /// They are read in a task of their own, which ends between two records when nobody wants more: no statement is
    /// abandoned halfway.
    ///
    /// In a transaction they are gathered first: whoever reads them may make calls between two, which would wait for the
    /// connection.
    pub(crate) fn stream(store: Arc<Self>, params: Params) -> BoxStream<'static, Result<Document>> {
        if Transaction::current().is_some() {
            let gathered = Shield::new(async move { store.page(&params).await.map_err(Failure::into_error) });
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
        let mut connection = self.reader().await?;
        let sent = self.send_on(&mut connection, params, sender).await;
        connection.noted(sent)
    }

    async fn send_on(
        &self,
        connection: &mut DB::Connection,
        params: &Params,
        sender: &mpsc::Sender<Result<Document>>,
    ) -> Result<(), Failure> {
        let plan = self.description.plan(Intent::Index, params)?;
        let Selection { mut sql, filter, after, order } = self.selection(&plan);
        if !order.is_exact() {
            let (mut found, _) = self.find(connection, &plan, params).await?;
            found.truncate(plan.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)));
            for record in found {
                if sender.send(Ok(record)).await.is_err() {
                    return Ok(());
                }
            }
            return Ok(());
        }
        let reading = self.reading(&plan, params, filter);
        sql.prefix(&self.select(&reading));
        let exact = filter.is_exact() && after.is_exact();
        let (mut skip, mut limit) = (plan.skip, plan.limit.unwrap_or(u64::MAX));
        if exact {
            push_window::<DB>(&mut sql, skip, plan.limit);
            (skip, limit) = (0, u64::MAX);
        }
        let mut rows = run(connection, sql, self.pool.silence_max).map_err(|error| self.failure(error))?;
        while limit > 0 {
            let Some(step) = rows.try_next().await.map_err(|error| self.failure(error))? else { break };
            let Some(row) = step.right() else { continue };
            let record = self.record(&reading, &row)?;
            let matches = filter.is_exact() || plan.filter.matches(&record);
            if !matches || !after.is_exact() && !self.is_behind(&plan, &record) {
                continue;
            }
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

    /// Adds that the id is one of these.
    pub(crate) fn push_ids(&self, sql: &mut Sql<DB>, keys: &[crate::cell::Cell]) {
        sql.push(&DB::compare(self.table.id())).push(" IN (");
        sql.list(keys, ", ", |sql, key| {
            sql.bind(self.table.id(), key.clone());
        });
        sql.push(")");
    }
}

/// Adds how many records are left out first and how many are answered at most.
fn push_window<DB: Dialect>(sql: &mut Sql<DB>, skip: u64, limit: Option<u64>) {
    // Databases count in 64 bits with a sign.
    let bounded = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    match limit {
        Some(limit) => {
            sql.push(&format!(" LIMIT {}", bounded(limit)));
        }
        None if skip > 0 => {
            sql.push(" LIMIT ").push(DB::NO_LIMIT);
        }
        None => {}
    }
    if skip > 0 {
        sql.push(&format!(" OFFSET {}", bounded(skip)));
    }
}

/// A row too few or too many is a fault of this crate.
pub(crate) fn gone() -> Failure {
    Error::internal("a record was written and is not there").into()
}

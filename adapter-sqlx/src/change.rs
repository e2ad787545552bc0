//! Changing: every call that writes is one attempt in one transaction, or one statement, and is tried again only where
//! the database says that nothing was done.

use std::collections::HashMap;

use futures::TryStreamExt;
use remex_core::{
    Document, Error, Id, IdKind, Intent, Method, Missing, NewRecord, Params, Patch, Plan, Result, Stored, Transaction,
    Value, back_off,
};
use sqlx::pool::PoolConnection;

use crate::cell::Cell;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::find::gone;
use crate::lease::Connection;
use crate::query::write_filter;
use crate::sql::Sql;
use crate::store::{Store, execute, rows, run};
use crate::table::Column;

/// A call that writes.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Create(Vec<Document>),
    Modify(Id, Patch),
    Update(Id, Document),
    Remove(Id),
    ModifyMany(Patch),
    RemoveMany,
}

impl Change {
    const fn method(&self) -> Method {
        match self {
            Self::Create(_) => Method::Create,
            Self::Modify(..) | Self::ModifyMany(_) => Method::Modify,
            Self::Update(..) => Method::Update,
            Self::Remove(_) | Self::RemoveMany => Method::Remove,
        }
    }
}

/// How often a call is tried at most.
const ATTEMPTS: u32 = 8;

/// What a column is set to.
enum Setting {
    To(Cell),
    /// What the column has by itself, as it stands in a statement.
    Default(String),
}

impl<DB: Dialect> Store<DB> {
    /// Runs a call that writes, and answers the records that it made, changed or took away.
    pub(crate) async fn change(&self, change: &Change, params: &Params) -> Result<Vec<Stored<Document>>> {
        let method = change.method();
        if !self.description.methods().contains(method) {
            let name = self.description.name();
            return Err(Error::method_not_allowed(format!("`{name}` does not offer `{method}`")));
        }
        let mut attempt = 0;
        loop {
            let failure = match self.try_change(change, params).await {
                Ok(stored) => return Ok(stored),
                Err(failure) => failure,
            };
            attempt += 1;
            match failure {
                Failure::Again(_) if attempt < ATTEMPTS => back_off(attempt).await,
                // What belongs to a transaction has nothing to try again by itself.
                Failure::Undone(_) | Failure::Stale(_) if attempt < ATTEMPTS && Transaction::current().is_none() => {
                    back_off(attempt).await;
                }
                failure => return Err(failure.into_error()),
            }
        }
    }

    async fn try_change(&self, change: &Change, params: &Params) -> Result<Vec<Stored<Document>>, Failure> {
        let mut lease = self.writer().await?;
        let outcome = match lease.connection() {
            Connection::Own(connection) => self.try_on(connection, change, params).await,
            Connection::Shared(connection) => self.try_within(connection, change, params).await,
        };
        lease.settle(outcome.as_ref().err());
        outcome
    }

    /// Runs a call inside a transaction, which goes on as if nothing had been should the call fail.
    async fn try_within(
        &self,
        connection: &mut DB::Connection,
        change: &Change,
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        self.execute(connection, Sql::new("SAVEPOINT remex_call")).await?;
        let outcome = match self.in_one_statement(connection, change, params).await {
            Ok(Some(stored)) => Ok(stored),
            Ok(None) => self.attempt(connection, change, params).await,
            Err(failure) => Err(failure),
        };
        let Err(failure) = outcome else {
            self.execute(connection, Sql::new("RELEASE SAVEPOINT remex_call")).await?;
            return outcome;
        };
        let undone = async {
            self.execute(connection, Sql::new("ROLLBACK TO SAVEPOINT remex_call")).await?;
            self.execute(connection, Sql::new("RELEASE SAVEPOINT remex_call")).await
        };
        let lost = undone.await.is_err();
        if let Some(transaction) = Transaction::current() {
            match failure {
                Failure::Undone(_) | Failure::Stale(_) => transaction.try_again(),
                // The database has ended the transaction with the call.
                _ if lost => transaction.fail(),
                _ => {}
            }
        }
        Err(failure)
    }

    async fn try_on(
        &self,
        connection: &mut PoolConnection<DB>,
        change: &Change,
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        if let Some(stored) = self.in_one_statement(connection, change, params).await? {
            return Ok(stored);
        }
        // Statements and no transaction of the driver's, which counts one that a time-out cut off.
        for statement in DB::BEFORE_BEGIN.into_iter().chain([DB::BEGIN]) {
            self.execute(connection, Sql::new(statement)).await?;
        }
        let outcome = match self.attempt(connection, change, params).await {
            Ok(stored) => self.execute(connection, Sql::new("COMMIT")).await.map(|_| stored),
            Err(failure) => Err(failure),
        };
        if outcome.is_err() && self.execute(connection, Sql::new("ROLLBACK")).await.is_err() {
            connection.close_on_drop();
        }
        // The first fault is the one to tell of.
        outcome
    }

    async fn execute(&self, connection: &mut DB::Connection, sql: Sql<DB>) -> Result<DB::QueryResult, Failure> {
        execute::<DB>(connection, sql, self.pool.silence_max).await.map_err(|error| self.failure(error))
    }

    async fn attempt(
        &self,
        connection: &mut DB::Connection,
        change: &Change,
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        match change {
            Change::Create(data) => self.create(connection, data, params).await,
            Change::Modify(id, patch) => Ok(vec![self.modify(connection, id, patch, params).await?]),
            Change::Update(id, data) => Ok(vec![self.update(connection, id, data, params).await?]),
            Change::Remove(id) => Ok(vec![Stored::Changed(self.remove(connection, id, params).await?)]),
            Change::ModifyMany(patch) => self.modify_many(connection, patch, params).await,
            Change::RemoveMany => self.remove_many(connection, params).await,
        }
    }

    /// Runs a call in one statement, where one can do all of it. `None` is for the transaction to find out: there is no
    /// such record, none that matches, or more to be done than one statement can.
    async fn in_one_statement(
        &self,
        connection: &mut DB::Connection,
        change: &Change,
        params: &Params,
    ) -> Result<Option<Vec<Stored<Document>>>, Failure> {
        if !DB::RETURNS || self.conform.is_some() {
            return Ok(None);
        }
        let reading = self.table.whole();
        let mut found = match change {
            Change::Create(data) if data.len() == 1 && params.scope.is_all() => {
                self.description.plan(Intent::Create, params)?;
                let [new] = [self.description.prepare_create(data[0].clone(), params)?];
                if new.id.is_some() && DB::count_past(&self.table).is_some() {
                    return Ok(None);
                }
                let record = self.insert(connection, new, false).await?.ok_or_else(gone)?;
                return Ok(Some(vec![Stored::Created(record)]));
            }
            Change::Modify(id, patch @ Patch::Merge(_)) => {
                let plan = self.description.plan(Intent::Modify, params)?;
                let key = self.key(&self.description.read_id(id)?)?;
                let patch = self.description.prepare_modify(patch.clone(), params)?;
                let Some(settings) = self.plain_settings(patch.data(), params)? else { return Ok(None) };
                let Some(mut sql) = self.update_of(settings, key, &plan) else { return Ok(None) };
                sql.push(" RETURNING ").push(&self.list(&reading));
                self.records(connection, &reading, sql).await?
            }
            Change::Update(id, data) if params.scope.is_all() && self.table.body.is_none() => {
                let plan = self.description.plan(Intent::Update, params)?;
                let key = self.key(&self.description.read_id_to_update(id, plan.missing)?)?;
                let data = self.description.prepare_update(data.clone(), params)?;
                let kept: Vec<&str> = self.description.carried_over(&data, params).collect();
                let settings = self.replacing(&data, &kept)?;
                let Some(mut sql) = self.update_of(settings, key, &plan) else { return Ok(None) };
                sql.push(" RETURNING ").push(&self.list(&reading));
                self.records(connection, &reading, sql).await?
            }
            Change::Remove(id) => {
                let plan = self.description.plan(Intent::Remove, params)?;
                let key = self.key(&self.description.read_id(id)?)?;
                let mut sql = Sql::<DB>::new(format!("DELETE FROM {} WHERE ", self.table.quoted));
                self.push_key(&mut sql, key);
                sql.push(" AND ");
                if !write_filter(&mut sql, &self.table, &plan.filter).is_exact() {
                    return Ok(None);
                }
                sql.push(" RETURNING ").push(&self.list(&reading));
                self.records(connection, &reading, sql).await?
            }
            _ => return Ok(None),
        };
        Ok(found.pop().map(|record| vec![Stored::Changed(record)]))
    }

    /// Writes the change of one record, if its filter can be said in SQL.
    fn update_of(&self, settings: Vec<(&Column, Setting)>, key: Cell, plan: &Plan<'_>) -> Option<Sql<DB>> {
        if settings.is_empty() {
            return None;
        }
        let mut sql = self.update_statement(settings);
        self.push_key(&mut sql, key);
        sql.push(" AND ");
        write_filter(&mut sql, &self.table, &plan.filter).is_exact().then_some(sql)
    }

    /// Turns the fields of a patch into settings, unless one of them is inside a document or decides about the scope.
    fn plain_settings(&self, data: &Document, params: &Params) -> Result<Option<Vec<(&Column, Setting)>>, Failure> {
        let mut settings = Vec::with_capacity(data.len());
        let mut scoped = false;
        params.scope.each_path(&mut |path| scoped |= data.contains(path.first()));
        if scoped {
            return Ok(None);
        }
        for (name, value) in data.iter() {
            let Some(column) = self.table.column(name).filter(|column| !column.generated) else { return Ok(None) };
            settings.push((column, Setting::To(self.cell(column, value)?)));
        }
        Ok(Some(settings))
    }

    async fn create(
        &self,
        connection: &mut DB::Connection,
        data: &[Document],
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        let prepare = |data: &Document| self.description.prepare_create(data.clone(), params);
        let new = data.iter().map(prepare).collect::<Result<Vec<_>>>()?;
        let mut stored = Vec::with_capacity(data.len());
        if new.len() > 1 && self.in_batches(&new) {
            let size = (DB::BINDS_MAX / self.table.columns.len()).min(BATCH);
            for new in new.chunks(size) {
                stored.extend(self.insert_batch(connection, new).await?);
            }
        } else {
            for new in new {
                stored.push(self.insert(connection, new, false).await?.ok_or_else(gone)?);
            }
        }
        let mut settled = Vec::with_capacity(stored.len());
        for record in stored {
            settled.push(Stored::Created(self.settle(connection, record, None, params).await?));
        }
        Ok(settled)
    }

    /// Whether records can be added many at a time: each has its id, or the database answers the ones that it made.
    fn in_batches(&self, new: &[NewRecord]) -> bool {
        let chosen = self.description.id_kind() != IdKind::Integer || new.iter().all(|new| new.id.is_some());
        let zero = new.iter().any(|new| new.id == Some(Value::Int(0))) && DB::ZERO_IS_AN_ID.is_some();
        !zero && (chosen || DB::RETURNS && DB::next_id(&self.table).is_none())
    }

    /// Adds records in one statement.
    async fn insert_batch(&self, connection: &mut DB::Connection, new: &[NewRecord]) -> Result<Vec<Document>, Failure> {
        let id_column = self.table.id();
        let mut keys = Vec::with_capacity(new.len());
        for new in new {
            keys.push(self.new_key(new)?);
        }
        let columns: Vec<&Column> = self.settable().chain(self.table.body()).collect();
        let mut sql = Sql::<DB>::new(format!("INSERT INTO {} ({}", self.table.quoted, id_column.quoted));
        for column in &columns {
            sql.push(", ").push(&column.quoted);
        }
        sql.push(")").push(DB::OVERRIDING).push(" VALUES ");
        for (position, (new, key)) in new.iter().zip(&keys).enumerate() {
            sql.push(if position > 0 { ", (" } else { "(" });
            match key {
                Some(key) => sql.bind(id_column, key.clone()),
                None => sql.push(DB::DEFAULT_ID),
            };
            // The same as of a record that is replaced: what it has, or what the column has by itself.
            for (column, setting) in self.replacing(&new.data, &[])? {
                sql.push(", ");
                push_setting(&mut sql, column, setting);
            }
            sql.push(")");
        }
        let reading = self.table.whole();
        let records = if DB::RETURNS {
            sql.push(" RETURNING ").push(&self.list(&reading));
            match rows::<DB>(connection, sql, self.pool.silence_max).await {
                Ok(rows) => rows.iter().map(|row| self.record(&reading, row)).collect::<Result<Vec<_>, _>>()?,
                Err(error) if keys.iter().all(Option::is_none) && self.table.is_id_taken::<DB>(&error) => {
                    return Err(Failure::Again(self.table.id_taken()));
                }
                Err(error) => return Err(self.failure(error)),
            }
        } else {
            self.execute(connection, sql).await?;
            let keys: Vec<Cell> = keys.iter().flatten().cloned().collect();
            let mut query = Sql::<DB>::new(self.select(&reading));
            query.push(" WHERE ");
            self.push_ids(&mut query, &keys);
            let found = self.records(connection, &reading, query).await?;
            // In the order of the data, which is not that of the ids.
            let mut by_key = HashMap::with_capacity(found.len());
            for record in found {
                by_key.insert(format!("{:?}", self.key(&record[self.description.id_field()])?), record);
            }
            keys.iter().filter_map(|key| by_key.remove(&format!("{key:?}"))).collect()
        };
        if records.len() != new.len() {
            return Err(gone());
        }
        let largest = new.iter().filter_map(|new| new.id.as_ref().and_then(Value::as_i64)).max();
        if let (Some(largest), Some(count_past)) = (largest, DB::count_past(&self.table)) {
            let sql = Sql::with_cells(count_past, vec![Cell::Int(largest)]);
            self.execute(connection, sql).await?;
        }
        Ok(records)
    }

    /// Returns the id of a new record, if it is not for the database to make.
    fn new_key(&self, new: &NewRecord) -> Result<Option<Cell>, Failure> {
        let made = self.description.id_kind().make();
        let half = self.table.id_half();
        if DB::COUNTS_PAST_ALL && new.id.as_ref().and_then(Value::as_i64).is_some_and(|id| id > half) {
            let (id, says) =
                (self.description.id_field(), format!("may be up to {half}, so that ids are left to be made"));
            return Err(Error::unprocessable(format!("`{id}` {says}")).with_field(id, "size", says).into());
        }
        if new.id.is_none() && made.is_none() && !DB::makes_ids(&self.table) {
            let id = self.description.id_field();
            return Err(Error::unprocessable(format!("`{id}` is required"))
                .with_field(id, "required", "is required")
                .into());
        }
        new.id.as_ref().or(made.as_ref()).map(|id| self.cell(self.table.id(), id)).transpose()
    }

    async fn modify(
        &self,
        connection: &mut DB::Connection,
        id: &Id,
        patch: &Patch,
        params: &Params,
    ) -> Result<Stored<Document>, Failure> {
        let plan = self.description.plan(Intent::Modify, params)?;
        let key = self.description.read_id(id)?;
        let prepared = self.description.prepare_modify(patch.clone(), params)?;
        match self.locked(connection, &key).await? {
            Some(old) if plan.filter.matches(&old) => {
                Ok(Stored::Changed(self.merge(connection, old, prepared, params).await?))
            }
            None if plan.missing == Missing::Create => {
                let mut data = Document::new();
                patch.clone().apply(&mut data);
                self.make_missing(connection, key, data, params).await
            }
            _ => Err(self.missing(id).into()),
        }
    }

    async fn update(
        &self,
        connection: &mut DB::Connection,
        id: &Id,
        data: &Document,
        params: &Params,
    ) -> Result<Stored<Document>, Failure> {
        let plan = self.description.plan(Intent::Update, params)?;
        let key = self.description.read_id_to_update(id, plan.missing)?;
        let mut prepared = self.description.prepare_update(data.clone(), params)?;
        match self.locked(connection, &key).await? {
            Some(old) if plan.filter.matches(&old) => {
                self.description.carry_over(&old, &mut prepared, params);
                let settings = self.replacing(&prepared, &[])?;
                let record = self.set(connection, old, settings).await?;
                Ok(Stored::Changed(self.settle(connection, record, None, params).await?))
            }
            None if plan.missing == Missing::Create => self.make_missing(connection, key, data.clone(), params).await,
            _ => Err(self.missing(id).into()),
        }
    }

    async fn remove(&self, connection: &mut DB::Connection, id: &Id, params: &Params) -> Result<Document, Failure> {
        let plan = self.description.plan(Intent::Remove, params)?;
        let key = self.description.read_id(id)?;
        let old = self.locked(connection, &key).await?.filter(|old| plan.filter.matches(old));
        let old = old.ok_or_else(|| self.missing(id))?;
        self.delete(connection, &[self.key(&key)?]).await?;
        Ok(old)
    }

    async fn modify_many(
        &self,
        connection: &mut DB::Connection,
        patch: &Patch,
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        let plan = self.description.plan(Intent::ModifyMany, params)?;
        let patch = self.description.prepare_modify(patch.clone(), params)?;
        let found = self.matching(connection, &plan).await?;
        let mut stored = Vec::with_capacity(found.len());
        for old in found {
            stored.push(Stored::Changed(self.merge(connection, old, patch.clone(), params).await?));
        }
        Ok(stored)
    }

    async fn remove_many(
        &self,
        connection: &mut DB::Connection,
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        let plan = self.description.plan(Intent::RemoveMany, params)?;
        let found = self.matching(connection, &plan).await?;
        let keys = found.iter().map(|record| self.key(&record[self.description.id_field()]));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        for keys in keys.chunks(BATCH) {
            self.delete(connection, keys).await?;
        }
        Ok(found.into_iter().map(Stored::Changed).collect())
    }

    /// Makes the record that `modify` or `update` found missing.
    async fn make_missing(
        &self,
        connection: &mut DB::Connection,
        key: Value,
        data: Document,
        params: &Params,
    ) -> Result<Stored<Document>, Failure> {
        let data = self.description.prepare_missing(&key, data, params)?;
        let record = self.insert(connection, NewRecord { id: Some(key), data }, true).await?;
        // Somebody else has made it in between: there is a record to change now, or one that does not match.
        let record = record.ok_or_else(|| Failure::Again(self.table.id_taken()))?;
        Ok(Stored::Created(self.settle(connection, record, None, params).await?))
    }

    /// Merges a patch into a record that is locked.
    async fn merge(
        &self,
        connection: &mut DB::Connection,
        old: Document,
        patch: Patch,
        params: &Params,
    ) -> Result<Document, Failure> {
        if patch.data().is_empty() {
            return Ok(old);
        }
        let mut new = old.clone();
        patch.clone().apply(&mut new);
        let settings = self.differing(&old, &new)?;
        let record = self.set(connection, old, settings).await?;
        self.settle(connection, record, Some(&patch), params).await
    }

    /// Lets a record's own type have its say, and holds the scope, before anything is committed: of a record that was there
    /// already and that a patch has changed, as far as the patch goes.
    async fn settle(
        &self,
        connection: &mut DB::Connection,
        record: Document,
        patch: Option<&Patch>,
        params: &Params,
    ) -> Result<Document, Failure> {
        let record = match self.conform {
            None => record,
            Some(conform) => {
                // Null and absent are one in a table, but not to every type.
                let mut given = record.clone();
                given.retain(|_, value| !value.is_null());
                let conformed = conform(&self.description, given)?;
                let settings = self.differing(&record, &conformed)?;
                self.set(connection, record, settings).await?
            }
        };
        match patch {
            Some(patch) => self.description.check_scope_changed(&record, patch, params)?,
            None => self.description.check_scope(&record, params)?,
        }
        Ok(record)
    }

    /// Reads a record and keeps others from changing it until the end of the transaction.
    async fn locked(&self, connection: &mut DB::Connection, key: &Value) -> Result<Option<Document>, Failure> {
        let reading = self.table.whole();
        let mut sql = Sql::<DB>::new(self.select(&reading));
        sql.push(" WHERE ");
        self.push_key(&mut sql, self.key(key)?);
        sql.push(DB::LOCK);
        Ok(self.records(connection, &reading, sql).await?.pop())
    }

    /// Reads the records that match, by id, and keeps others from changing them until the end of the transaction.
    async fn matching(&self, connection: &mut DB::Connection, plan: &Plan<'_>) -> Result<Vec<Document>, Failure> {
        let reading = self.table.whole();
        let mut sql = Sql::<DB>::new(self.select(&reading));
        sql.push(" WHERE ");
        write_filter(&mut sql, &self.table, &plan.filter);
        // In one order for all, so that two of these calls do not wait for each other.
        sql.push(" ORDER BY ").push(&DB::compare(self.table.id())).push(DB::LOCK);
        let mut found = Vec::new();
        let mut rows = run(connection, sql, self.pool.silence_max).map_err(|error| self.failure(error))?;
        while let Some(step) = rows.try_next().await.map_err(|error| self.failure(error))? {
            let Some(row) = step.right() else { continue };
            let record = self.record(&reading, &row)?;
            if plan.filter.matches(&record) {
                found.push(record);
            }
        }
        Ok(found)
    }

    /// Adds a record. `None` is for an id that is there already, where that is no error.
    async fn insert(
        &self,
        connection: &mut DB::Connection,
        new: NewRecord,
        gently: bool,
    ) -> Result<Option<Document>, Failure> {
        let id_column = self.table.id();
        let given = new.id.as_ref().and_then(Value::as_i64);
        let key = self.new_key(&new)?;
        let settings = self.filling(&new.data)?;
        let mut sql = Sql::<DB>::new(format!("INSERT INTO {} ({}", self.table.quoted, id_column.quoted));
        for (column, _) in &settings {
            sql.push(", ").push(&column.quoted);
        }
        sql.push(")").push(if key.is_some() { DB::OVERRIDING } else { "" }).push(" VALUES (");
        match &key {
            Some(key) => {
                sql.bind(id_column, key.clone());
            }
            None => {
                sql.push(&DB::next_id(&self.table).unwrap_or_else(|| DB::DEFAULT_ID.to_owned()));
            }
        }
        for (column, setting) in settings {
            sql.push(", ");
            push_setting(&mut sql, column, setting);
        }
        sql.push(")");
        let reading = self.table.whole();
        let zero = DB::ZERO_IS_AN_ID.filter(|_| key == Some(Cell::Int(0)));
        let taken = |error: sqlx::Error| match self.table.is_id_taken::<DB>(&error) {
            true if gently => Ok(None),
            // The database has counted to an id that somebody else made up: the next one may be free.
            true if key.is_none() => Err(Failure::Again(self.table.id_taken())),
            _ => Err(self.failure(error)),
        };
        let record = if DB::RETURNS {
            if gently {
                sql.push(&format!(" ON CONFLICT ({}) DO NOTHING", id_column.quoted));
            }
            sql.push(" RETURNING ").push(&self.list(&reading));
            match rows::<DB>(connection, sql, self.pool.silence_max).await {
                Ok(rows) => rows.first().map(|row| self.record(&reading, row)).transpose()?,
                Err(error) => taken(error)?,
            }
        } else {
            if let Some((before, _)) = zero {
                self.execute(connection, Sql::new(before)).await?;
            }
            let outcome = execute::<DB>(connection, sql, self.pool.silence_max).await;
            if let Some((_, after)) = zero {
                self.execute(connection, Sql::new(after)).await?;
            }
            match outcome {
                Ok(result) => {
                    let key = key.clone().unwrap_or_else(|| Cell::Int(DB::last_id(&result)));
                    Some(self.by_key(connection, key).await?)
                }
                Err(error) => taken(error)?,
            }
        };
        if let (Some(id), Some(count_past), true) = (given, DB::count_past(&self.table), record.is_some()) {
            let sql = Sql::with_cells(count_past, vec![Cell::Int(id)]);
            self.execute(connection, sql).await?;
        }
        Ok(record)
    }

    async fn by_key(&self, connection: &mut DB::Connection, key: Cell) -> Result<Document, Failure> {
        let reading = self.table.whole();
        let mut sql = Sql::<DB>::new(self.select(&reading));
        sql.push(" WHERE ");
        self.push_key(&mut sql, key);
        self.records(connection, &reading, sql).await?.pop().ok_or_else(gone)
    }

    /// Sets columns of a record and answers it as it is then.
    async fn set(
        &self,
        connection: &mut DB::Connection,
        old: Document,
        settings: Vec<(&Column, Setting)>,
    ) -> Result<Document, Failure> {
        if settings.is_empty() {
            return Ok(old);
        }
        let key = self.key(&old[self.description.id_field()])?;
        let mut sql = self.update_statement(settings);
        self.push_key(&mut sql, key.clone());
        if DB::RETURNS {
            let reading = self.table.whole();
            sql.push(" RETURNING ").push(&self.list(&reading));
            return self.records(connection, &reading, sql).await?.pop().ok_or_else(gone);
        }
        self.execute(connection, sql).await?;
        self.by_key(connection, key).await
    }

    async fn delete(&self, connection: &mut DB::Connection, keys: &[Cell]) -> Result<(), Failure> {
        let mut sql = Sql::<DB>::new(format!("DELETE FROM {} WHERE ", self.table.quoted));
        self.push_ids(&mut sql, keys);
        self.execute(connection, sql).await.map(drop)
    }

    fn update_statement(&self, settings: Vec<(&Column, Setting)>) -> Sql<DB> {
        let mut sql = Sql::<DB>::new(format!("UPDATE {} SET ", self.table.quoted));
        sql.list(settings, ", ", |sql, (column, setting)| {
            sql.push(&column.quoted).push(" = ");
            push_setting(sql, column, setting);
        });
        sql.push(" WHERE ");
        sql
    }

    fn push_key(&self, sql: &mut Sql<DB>, key: Cell) {
        sql.push(&DB::compare(self.table.id())).push(" = ").bind(self.table.id(), key);
    }

    fn cell(&self, column: &Column, value: &Value) -> Result<Cell, Failure> {
        column.cell(value).map_err(|says| {
            let name = column.name.as_str();
            Failure::Final(Error::unprocessable(format!("`{name}` {says}")).with_field(name, "size", says))
        })
    }

    /// Lists the columns that are the caller's to set.
    fn settable(&self) -> impl Iterator<Item = &Column> {
        let body = self.table.body;
        let columns = self.table.columns.iter().enumerate().skip(1);
        columns.filter(move |(position, column)| body != Some(*position) && !column.generated).map(|(_, column)| column)
    }

    /// What an insert sets: the fields that are there.
    fn filling(&self, data: &Document) -> Result<Vec<(&Column, Setting)>, Failure> {
        let mut settings = Vec::with_capacity(data.len());
        for column in self.settable() {
            if let Some(value) = data.get(&column.name) {
                settings.push((column, Setting::To(self.cell(column, value)?)));
            }
        }
        if let Some(body) = self.table.body() {
            settings.push((body, Setting::To(Cell::Text(self.inside(data).to_string()))));
        }
        Ok(settings)
    }

    /// What `update` sets: every column but those that stay. One that is not given has what it has by itself.
    fn replacing(&self, data: &Document, kept: &[&str]) -> Result<Vec<(&Column, Setting)>, Failure> {
        let mut settings = Vec::with_capacity(self.table.columns.len());
        for column in self.settable().filter(|column| !kept.contains(&column.name.as_str())) {
            let setting = match (data.get(&column.name), &column.default) {
                (Some(value), _) => Setting::To(self.cell(column, value)?),
                (None, Some(default)) => Setting::Default(default.clone()),
                (None, None) => Setting::To(Cell::Null(column.storage.form())),
            };
            settings.push((column, setting));
        }
        if let Some(body) = self.table.body() {
            settings.push((body, Setting::To(Cell::Text(self.inside(data).to_string()))));
        }
        Ok(settings)
    }

    /// What `modify` sets: what is not as it was. A field that is gone is null.
    fn differing(&self, old: &Document, new: &Document) -> Result<Vec<(&Column, Setting)>, Failure> {
        let mut settings = Vec::new();
        for column in self.settable() {
            if old[column.name.as_str()] != new[column.name.as_str()] {
                settings.push((column, Setting::To(self.cell(column, &new[column.name.as_str()])?)));
            }
        }
        if let Some(body) = self.table.body() {
            let inside = self.inside(new);
            if self.inside(old) != inside {
                settings.push((body, Setting::To(Cell::Text(inside.to_string()))));
            }
        }
        Ok(settings)
    }

    /// Returns the fields that have no column of their own.
    fn inside(&self, record: &Document) -> Document {
        let mut inside = record.clone();
        inside.retain(|name, _| self.table.column(name).is_none());
        inside
    }
}

/// How many records one statement adds or takes away.
const BATCH: usize = 1000;

fn push_setting<DB: Dialect>(sql: &mut Sql<DB>, column: &Column, setting: Setting) {
    match setting {
        Setting::To(cell) => sql.bind(column, cell),
        Setting::Default(default) => sql.push(&default),
    };
}

//! [`Store`]: the table, and the connections to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use remex_core::{Description, Document, Error, Id, Method, Result, Value};
use tokio::time::timeout;

use crate::cell::{Cell, Form};
use crate::condition::SqlCondition;
use crate::dialect::{Dialect, Rows};
use crate::error::{Failure, away};
use crate::introspect;
use crate::lease::Lease;
use crate::options::SqlOptions;
use crate::pool::SqlPool;
use crate::sql::Sql;
use crate::table::{Reading, Table};

/// Makes sure that a document is a record of the service's type before it is kept.
pub(crate) type Conform = fn(&Description, Document) -> Result<Document>;

/// The records of a service as documents, in a table. They leave it whole, but for columns that nobody asked for.
pub(crate) struct Store<DB: Dialect> {
    pub(crate) pool: SqlPool<DB>,
    pub(crate) table: Table,
    pub(crate) description: Arc<Description>,
    /// What a record's own type has to say, where it has one.
    pub(crate) conform: Option<Conform>,
    /// What else must hold of records, in SQL.
    pub(crate) conditions: Vec<SqlCondition>,
}

impl<DB: Dialect> Store<DB> {
    pub(crate) async fn open(pool: SqlPool<DB>, options: &SqlOptions, conform: Option<Conform>) -> Result<Self> {
        let (table, description) = {
            let mut connection = pool.writers.acquire().await.map_err(away)?;
            introspect::prepare::<DB>(&mut connection, options, pool.silence_max).await?
        };
        Ok(Self { pool, table, description: Arc::new(description), conform, conditions: Vec::new() })
    }

    /// Returns the same records with a further condition, to be read only: what it says of a record that is changed, no
    /// statement could hold to.
    pub(crate) fn filtered(&self, condition: SqlCondition) -> Self {
        let description = (*self.description).clone().with_methods([Method::Index, Method::Read].into_iter().collect());
        Self {
            pool: self.pool.clone(),
            table: self.table.clone(),
            description: Arc::new(description),
            conform: self.conform,
            conditions: self.conditions.iter().cloned().chain([condition]).collect(),
        }
    }

    /// Adds the conditions in SQL to those that are there.
    pub(crate) fn push_conditions(&self, sql: &mut Sql<DB>) {
        for condition in &self.conditions {
            sql.push(" AND ");
            condition.write(sql);
        }
    }

    /// Takes a connection for a call that reads.
    pub(crate) async fn reader(&self) -> Result<Lease<DB>> {
        Lease::take(&self.pool, &self.pool.readers).await
    }

    /// Takes a connection for a call that writes.
    pub(crate) async fn writer(&self) -> Result<Lease<DB>> {
        Lease::take(&self.pool, &self.pool.writers).await
    }

    pub(crate) fn failure(&self, error: sqlx::Error) -> Failure {
        self.table.failure::<DB>(error)
    }

    pub(crate) fn missing(&self, id: &Id) -> Error {
        Error::no_record(self.description.name(), id)
    }

    /// Turns an id that the description has read into what is bound.
    pub(crate) fn key(&self, id: &Value) -> Result<Cell> {
        Cell::of(self.table.id().storage, id)
            .filter(|cell| !matches!(cell, Cell::Null(_)))
            .ok_or_else(|| Error::internal("an id is not of its kind"))
    }

    /// Writes the list of columns that are read.
    pub(crate) fn list(&self, reading: &Reading) -> String {
        reading.columns.iter().map(|position| DB::read(&self.table.columns[*position])).collect::<Vec<_>>().join(", ")
    }

    /// Writes a query of columns; the rest of it follows.
    pub(crate) fn select(&self, reading: &Reading) -> String {
        format!("SELECT {} FROM {}", self.list(reading), self.table.quoted)
    }

    /// Turns a row into a record.
    pub(crate) fn record(&self, reading: &Reading, row: &DB::Row) -> Result<Document, Failure> {
        let mut values = Vec::with_capacity(reading.columns.len());
        let mut inside = None;
        for (at, position) in reading.columns.iter().enumerate() {
            let column = &self.table.columns[*position];
            let cell = DB::cell(row, at, column.storage.form()).map_err(|error| self.failure(error))?;
            let value = column.value(cell)?;
            if self.table.body == Some(*position) {
                inside = Some(value);
            } else {
                values.push(value);
            }
        }
        let record = Document::from_shape(reading.shape.clone(), values);
        Ok(match inside {
            Some(Value::Document(rest)) => {
                let mut record = record.into_iter().chain(rest).collect();
                self.description.keep_forms(&mut record);
                record
            }
            _ => record,
        })
    }

    /// Runs a query and answers its records.
    pub(crate) async fn records(
        &self,
        connection: &mut DB::Connection,
        reading: &Reading,
        sql: Sql<DB>,
    ) -> Result<Vec<Document>, Failure> {
        let rows = rows::<DB>(connection, sql, self.pool.silence_max).await.map_err(|error| self.failure(error))?;
        rows.iter().map(|row| self.record(reading, row)).collect()
    }

    /// Runs a query for one number.
    pub(crate) async fn number(&self, connection: &mut DB::Connection, sql: Sql<DB>) -> Result<u64, Failure> {
        let rows = rows::<DB>(connection, sql, self.pool.silence_max).await.map_err(|error| self.failure(error))?;
        let cell = rows.first().map(|row| DB::cell(row, 0, Form::Int)).transpose();
        match cell.map_err(|error| self.failure(error))? {
            Some(Cell::Int(number)) => Ok(u64::try_from(number).unwrap_or(0)),
            _ => Err(Error::internal("a query for a number answered none").into()),
        }
    }
}

impl<DB: Dialect> fmt::Debug for Store<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("name", &self.table.name).finish_non_exhaustive()
    }
}

/// Runs a statement: what it answers, step by step. A database that is silent for too long counts as away.
pub(crate) fn run<DB: Dialect>(
    connection: &mut DB::Connection,
    sql: Sql<DB>,
    silence_max: Duration,
) -> Result<Rows<'_, DB>, sqlx::Error> {
    let steps = DB::run(connection, sql.into_executable()?);
    let patient = stream::unfold(Some(steps), move |steps| async move {
        let mut steps = steps?;
        match timeout(silence_max, steps.next()).await {
            Ok(step) => step.map(|step| (step, Some(steps))),
            // Whatever may still come belongs to nobody: the connection is not used again.
            Err(silent) => Some((Err(sqlx::Error::Io(silent.into())), None)),
        }
    });
    Ok(patient.boxed())
}

/// Runs a statement for its rows.
pub(crate) async fn rows<DB: Dialect>(
    connection: &mut DB::Connection,
    sql: Sql<DB>,
    silence_max: Duration,
) -> Result<Vec<DB::Row>, sqlx::Error> {
    run(connection, sql, silence_max)?.try_filter_map(async |step| Ok(step.right())).try_collect().await
}

/// Runs a statement for what it does.
pub(crate) async fn execute<DB: Dialect>(
    connection: &mut DB::Connection,
    sql: Sql<DB>,
    silence_max: Duration,
) -> Result<DB::QueryResult, sqlx::Error> {
    run(connection, sql, silence_max)?.try_filter_map(async |step| Ok(step.left())).try_collect().await
}

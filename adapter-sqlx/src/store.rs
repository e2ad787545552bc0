//! [`Store`]: the table, and the connections to it.

use std::fmt;
use std::sync::Arc;

use futures::TryStreamExt;
use remex_core::{Description, Document, Error, Id, Result, Value};
use sqlx::pool::PoolConnection;

use crate::cell::{Cell, Form};
use crate::dialect::Dialect;
use crate::error::{Failure, away};
use crate::introspect;
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
}

impl<DB: Dialect> Store<DB> {
    pub(crate) async fn open(pool: SqlPool<DB>, options: &SqlOptions, conform: Option<Conform>) -> Result<Self> {
        let (table, description) = {
            let mut connection = pool.writers.acquire().await.map_err(away)?;
            introspect::prepare::<DB>(&mut connection, options).await?
        };
        Ok(Self { pool, table, description: Arc::new(description), conform })
    }

    pub(crate) async fn reader(&self) -> Result<PoolConnection<DB>> {
        self.pool.readers.acquire().await.map_err(away)
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
        let rows = rows::<DB>(connection, sql).await.map_err(|error| self.failure(error))?;
        rows.iter().map(|row| self.record(reading, row)).collect()
    }

    /// Runs a query for one number.
    pub(crate) async fn number(&self, connection: &mut DB::Connection, sql: Sql<DB>) -> Result<u64, Failure> {
        let rows = rows::<DB>(connection, sql).await.map_err(|error| self.failure(error))?;
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

/// Runs a statement for its rows.
pub(crate) async fn rows<DB: Dialect>(
    connection: &mut DB::Connection,
    sql: Sql<DB>,
) -> Result<Vec<DB::Row>, sqlx::Error> {
    DB::run(connection, sql.into_executable()?).try_filter_map(async |step| Ok(step.right())).try_collect().await
}

/// Runs a statement for what it does.
pub(crate) async fn execute<DB: Dialect>(
    connection: &mut DB::Connection,
    sql: Sql<DB>,
) -> Result<DB::QueryResult, sqlx::Error> {
    DB::run(connection, sql.into_executable()?).try_filter_map(async |step| Ok(step.left())).try_collect().await
}

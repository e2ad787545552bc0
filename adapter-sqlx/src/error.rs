//! Driver errors as errors of the service. Told apart by code; no client sees a word of the driver's.

use std::time::Duration;

use remex_core::{Error, ErrorKind};

use crate::dialect::{Dialect, Fault, Named};
use crate::table::Table;

/// Why an attempt at a call did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another call was faster; nothing was done, and the same may succeed now.
    Again(Error),
    /// The database gave up the transaction because of others; the same may succeed now.
    Undone(Error),
    /// The table was altered, and what this connection has prepared is of no use any more.
    Stale(Error),
    /// This is the answer.
    Final(Error),
}

impl Failure {
    /// Returns whether the database was not there, or did not answer.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self, Self::Final(error) if error.kind() == ErrorKind::Unavailable)
    }

    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Again(error) | Self::Undone(error) | Self::Stale(error) | Self::Final(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// How long a client is asked to wait for a database that is not there.
const WAIT: Duration = Duration::from_secs(1);

/// Makes the error of a database that is not there, or has no connection free.
pub(crate) fn away(source: sqlx::Error) -> Error {
    Error::unavailable("the store cannot be reached at present").with_retry_after(WAIT).with_source(source)
}

fn fault<DB: Dialect>(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(fault) => DB::fault(&**fault),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Fault::Away,
        _ => Fault::Other,
    }
}

/// Tells what an error means that has nothing to do with a table.
pub(crate) fn refused<DB: Dialect>(error: sqlx::Error) -> Failure {
    match fault::<DB>(&error) {
        Fault::Again => {
            let busy = Error::unavailable("the store is busy with other changes").with_retry_after(WAIT);
            Failure::Undone(busy.with_source(error))
        }
        Fault::Away => Failure::Final(away(error)),
        _ => Failure::Final(Error::internal("the database refused a statement").with_source(error)),
    }
}

impl Table {
    /// Tells what a driver's error means for a caller.
    pub(crate) fn failure<DB: Dialect>(&self, error: sqlx::Error) -> Failure {
        let fault = fault::<DB>(&error);
        let field = |column: Option<String>, code: &str, says: &str| {
            let known = column.filter(|column| self.column(column).is_some());
            let message = match &known {
                Some(column) => format!("`{column}` {says}"),
                None => format!("a field of the data {says}"),
            };
            let refused = Error::unprocessable(message);
            match known {
                Some(column) => refused.with_field(&column, code, says),
                None => refused,
            }
        };
        Failure::Final(match fault {
            Fault::Stale => {
                let stale = Error::internal("the table is not as it was when the service was made");
                return Failure::Stale(stale.with_source(error));
            }
            Fault::Again | Fault::Away | Fault::Other => return refused::<DB>(error),
            Fault::Unique(named) => self.taken(&named).with_source(error),
            Fault::Reference(reference) => self.refers(reference.as_deref()).with_source(error),
            Fault::Required(column) => field(column, "required", "is required").with_source(error),
            Fault::Check(named) => self.breaks_rule(named).with_source(error),
            Fault::TooLarge(column) => field(column, "size", "is too long or too large").with_source(error),
        })
    }

    /// Makes the error of a rule of the table that does not hold, which is named itself, or by its column.
    fn breaks_rule(&self, named: Option<String>) -> Error {
        let says = "breaks a rule of the table";
        let Some(named) = named else { return Error::unprocessable(format!("a field of the data {says}")) };
        let rule = self.references.iter().find(|rule| rule.name == named);
        let columns = match (self.column(&named), rule) {
            (Some(column), _) => vec![column.name.to_string()],
            (None, Some(rule)) => rule.columns.clone(),
            (None, None) => return Error::unprocessable(format!("a field of the data {says}")),
        };
        let refused = Error::unprocessable(format!("`{}` {says}", columns.join("`, `")));
        columns.iter().fold(refused, |error, column| error.with_field(column, "check", says))
    }

    /// Makes the error of a reference that leads nowhere, or of a record that is still referred to.
    fn refers(&self, reference: Option<&str>) -> Error {
        let reference = self.references.iter().find(|known| Some(known.name.as_str()) == reference);
        let says = "refers to a record that is not there";
        match reference {
            Some(reference) => {
                let message = format!("`{}` {says}", reference.columns.join("`, `"));
                let columns = reference.columns.iter();
                columns.fold(Error::conflict(message), |error, column| error.with_field(column, "reference", says))
            }
            None => Error::conflict(format!("the record of `{}` {says}, or is referred to by another", self.name)),
        }
    }

    /// Makes the error of a value that another record holds.
    fn taken(&self, named: &Named) -> Error {
        let columns = self.columns_of(named);
        match columns.as_slice() {
            [column] if *column == self.id().name.as_str() => self.id_taken(),
            [] => Error::conflict(format!("another record of `{}` holds what must be unique", self.name)),
            [column] => Error::duplicate(&self.name, column),
            columns => {
                let message = format!("another record of `{}` has the same `{}`", self.name, columns.join("`, `"));
                columns.iter().fold(Error::conflict(message), |error, column| {
                    error.with_field(column, "unique", "another record has the same values")
                })
            }
        }
    }

    /// Makes the error of an id that a record has already.
    pub(crate) fn id_taken(&self) -> Error {
        let id = self.id().name.as_str();
        Error::conflict(format!("there is a record of `{}` with this `{id}` already", self.name)).with_field(
            id,
            "unique",
            "another record has the same id",
        )
    }

    fn columns_of(&self, named: &Named) -> Vec<&str> {
        match named {
            Named::Columns(names) => {
                names.iter().filter_map(|name| self.column(name)).map(|column| column.name.as_str()).collect()
            }
            Named::Index(name) if name == "PRIMARY" => vec![self.id().name.as_str()],
            Named::Index(name) => {
                let unique = self.uniques.iter().find(|unique| unique.name == *name);
                unique.map_or_else(Vec::new, |unique| unique.columns.iter().map(String::as_str).collect())
            }
        }
    }

    /// Returns whether an error is that of an id which is there already.
    pub(crate) fn is_id_taken<DB: Dialect>(&self, error: &sqlx::Error) -> bool {
        let sqlx::Error::Database(fault) = error else { return false };
        match DB::fault(&**fault) {
            Fault::Unique(named) => self.columns_of(&named) == [self.id().name.as_str()],
            _ => false,
        }
    }
}

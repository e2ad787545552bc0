//! Driver errors as errors of the service. Told apart by code; no client sees a word of the driver's.

use std::collections::HashMap;
use std::time::Duration;

use mongodb::bson::{Bson, Document, RawDocumentBuf};
use mongodb::error::{ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure};
use remex_core::{Description, Error, Path};

/// Codes of the server; see the
/// [list](https://github.com/mongodb/mongo/blob/r6.0.5/src/mongo/base/error_codes.yml).
mod code {
    /// The server took longer than it was allowed to.
    pub(super) const MAX_TIME_EXPIRED: i32 = 50;
    /// A document breaks the rules of its collection.
    pub(super) const DOCUMENT_VALIDATION: i32 = 121;
    /// Two changes met.
    pub(super) const WRITE_CONFLICT: i32 = 112;
    /// A collection is there already.
    pub(super) const NAMESPACE_EXISTS: i32 = 48;
    /// A value that must be unique is there already.
    pub(super) const DUPLICATE_KEY: [i32; 3] = [11_000, 11_001, 12_582];
    /// A document, or a change that would make one, is larger than the server keeps, or than a message may be.
    pub(super) const TOO_LARGE: [i32; 4] = [10_334, 17_419, 17_420, 10_003];
    /// A document that cannot be kept: two lists under one index, a name or a depth that is not allowed.
    pub(super) const UNFIT: [i32; 7] = [171, 52, 54, 55, 56, 57, 15];
    /// A server that is not, or no longer, one that takes the call: not the primary, shutting down, unreachable.
    pub(super) const AWAY: [i32; 15] =
        [6, 7, 64, 89, 91, 134, 189, 262, 9001, 10_107, 10_058, 11_600, 11_602, 13_435, 13_436];
}

/// The fields of each unique index, by its name.
pub(crate) type Indexes = HashMap<String, Vec<String>>;

/// Why an attempt at a call did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing was done, and the same may succeed now.
    Again(Error),
    /// This is the answer.
    Final(Error),
}

impl Failure {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Again(error) | Self::Final(error) => error,
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

/// Makes the error of a database that is not there.
pub(crate) fn away(source: mongodb::error::Error) -> Error {
    Error::unavailable("the store cannot be reached at present").with_retry_after(WAIT).with_source(source)
}

/// Makes the error of a call that met others too often.
pub(crate) fn busy() -> Error {
    Error::unavailable("the store is busy with other changes").with_retry_after(WAIT)
}

/// Returns the server's code.
fn code_of(error: &mongodb::error::Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => Some(concern.code),
        ErrorKind::InsertMany(many) => {
            let write = many.write_errors.iter().flatten().next().map(|write| write.code);
            write.or_else(|| many.write_concern_error.as_ref().map(|concern| concern.code))
        }
        _ => None,
    }
}

/// Returns whether the error is that of a collection which is there already.
pub(crate) fn is_there_already(error: &mongodb::error::Error) -> bool {
    code_of(error) == Some(code::NAMESPACE_EXISTS)
}

/// Returns whether it is not known if a transaction was committed; to commit it again tells.
pub(crate) fn is_unknown_commit(error: &mongodb::error::Error) -> bool {
    error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
}

/// Returns whether the error is that of an id which is there already.
pub(crate) fn is_id_taken(error: &mongodb::error::Error) -> bool {
    code_of(error).is_some_and(|code| code::DUPLICATE_KEY.contains(&code))
        && duplicate_fields(error, &Indexes::new()) == ["_id"]
}

/// Tells what a driver's error means for a caller.
pub(crate) fn failure(description: &Description, indexes: &Indexes, error: mongodb::error::Error) -> Failure {
    if error.contains_label(TRANSIENT_TRANSACTION_ERROR) && !is_away(&error) {
        return Failure::Again(busy().with_source(error));
    }
    let Some(code) = code_of(&error) else {
        return Failure::Final(match &*error.kind {
            _ if is_away(&error) => away(error),
            ErrorKind::InvalidArgument { .. } | ErrorKind::BsonSerialization(_) | ErrorKind::Bson(_) => {
                Error::internal("the driver refused a call").with_source(error)
            }
            _ => Error::internal("the driver failed").with_source(error),
        });
    };
    Failure::Final(match code {
        code::WRITE_CONFLICT => return Failure::Again(busy().with_source(error)),
        code::MAX_TIME_EXPIRED => {
            Error::unavailable("the store took longer than a call may take").with_retry_after(WAIT).with_source(error)
        }
        code::DOCUMENT_VALIDATION => against_the_schema(description, &error).with_source(error),
        code if code::DUPLICATE_KEY.contains(&code) => {
            taken(description, &duplicate_fields(&error, indexes)).with_source(error)
        }
        code if code::TOO_LARGE.contains(&code) => too_large(description).with_source(error),
        code if code::UNFIT.contains(&code) => {
            let name = description.name();
            Error::unprocessable(format!("a record of `{name}` cannot hold this")).with_source(error)
        }
        code if code::AWAY.contains(&code) => away(error),
        _ => Error::internal("the database refused a command").with_source(error),
    })
}

fn is_away(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        ErrorKind::Io(_)
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::Shutdown => true,
        _ => code_of(error).is_some_and(|code| code::AWAY.contains(&code)),
    }
}

/// Makes the error of a record that is larger than a document may be.
pub(crate) fn too_large(description: &Description) -> Error {
    Error::too_large(format!("a record of `{}` may take 16 MiB at most", description.name()))
}

/// Makes the error of a value that another record holds.
fn taken(description: &Description, fields: &[String]) -> Error {
    let name = description.name();
    let outside = |field: &str| if field == "_id" { description.id_field().to_owned() } else { field.to_owned() };
    match fields {
        [] => Error::conflict(format!("another record of `{name}` holds what must be unique")),
        [field] if field == "_id" => id_taken(description),
        [field] => Error::duplicate(name, field),
        fields => {
            let fields: Vec<_> = fields.iter().map(|field| outside(field)).collect();
            let message = format!("another record of `{name}` has the same `{}`", fields.join("`, `"));
            fields.iter().fold(Error::conflict(message), |error, field| {
                error.with_field(field, "unique", "another record has the same values")
            })
        }
    }
}

/// Makes the error of an id that a record has already.
pub(crate) fn id_taken(description: &Description) -> Error {
    let id = description.id_field();
    Error::conflict(format!("there is a record of `{}` with this `{id}` already", description.name())).with_field(
        id,
        "unique",
        "another record has the same id",
    )
}

/// Returns the fields of the index that refused a value.
///
/// The server names them in its reply. Of replies to inserts the driver keeps nothing but the message, which has the name
/// of the index in front of everything that a client may have sent; it decides about nothing else.
fn duplicate_fields(error: &mongodb::error::Error, indexes: &Indexes) -> Vec<String> {
    if let Some(pattern) = reply(error).and_then(|reply| reply.get_document("keyPattern").cloned().ok()) {
        return pattern.keys().cloned().collect();
    }
    let message = match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(&write.message),
        ErrorKind::InsertMany(many) => many.write_errors.iter().flatten().next().map(|write| &write.message),
        _ => None,
    };
    let index = message.and_then(|message| message.split_once(" index: ")?.1.split_once(" dup key"));
    match index {
        Some(("_id_", _)) => vec!["_id".to_owned()],
        Some((name, _)) => indexes.get(name).cloned().unwrap_or_default(),
        None => Vec::new(),
    }
}

fn reply(error: &mongodb::error::Error) -> Option<Document> {
    error.server_response().and_then(|reply: &RawDocumentBuf| Document::try_from(reply).ok())
}

/// Makes the error of a document that breaks the schema of its collection, with the fields that do.
fn against_the_schema(description: &Description, error: &mongodb::error::Error) -> Error {
    let report = match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(write)) => write.details.clone(),
        ErrorKind::InsertMany(many) => {
            many.write_errors.iter().flatten().next().and_then(|write| write.details.clone())
        }
        _ => reply(error),
    };
    let mut fields = Vec::new();
    if let Some(reply) = report {
        name_fields(&Bson::Document(reply), &mut fields);
    }
    let message = match fields.as_slice() {
        [] => format!("a record of `{}` breaks a rule of the collection", description.name()),
        fields => format!("`{}` breaks a rule of the collection", fields.join("`, `")),
    };
    fields.iter().fold(Error::unprocessable(message), |error, field| {
        error.with_field(field, "schema", "breaks a rule of the collection")
    })
}

/// Collects the names of fields in a server's report of what breaks a schema.
fn name_fields(report: &Bson, fields: &mut Vec<String>) {
    let mut add = |name: &Bson| {
        let known = name.as_str().filter(|name| Path::new(*name).is_ok());
        if let Some(name) = known.filter(|name| !fields.iter().any(|field| field == name)) {
            fields.push(name.to_owned());
        }
    };
    match report {
        Bson::Document(report) => {
            report.get("propertyName").into_iter().for_each(&mut add);
            report.get_array("missingProperties").into_iter().flatten().for_each(&mut add);
            report.get_array("additionalProperties").into_iter().flatten().for_each(add);
            // What is inside a property has that property's name.
            if !report.contains_key("propertyName") {
                report.values().for_each(|value| name_fields(value, fields));
            }
        }
        Bson::Array(reports) => reports.iter().for_each(|report| name_fields(report, fields)),
        _ => {}
    }
}

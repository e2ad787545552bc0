//! What is found out at start: the table, or the one that is made, and what the service says about itself.

use std::time::Duration;

use remex_core::{Description, Error, Field, FieldType, Fields, IdKind, Method, Result};

use crate::cell::Storage;
use crate::dialect::{Dialect, Facts, Found, NewTable};
use crate::error::away;
use crate::options::{DOCUMENT_COLUMN, SqlOptions, TextOrder};
use crate::sql::Sql;
use crate::store::execute;
use crate::table::{Column, Table};

/// Reads the table of a service, or makes it.
pub(crate) async fn prepare<DB: Dialect>(
    connection: &mut DB::Connection,
    options: &SqlOptions,
    silence_max: Duration,
) -> Result<(Table, Description)> {
    // Mistakes in the options come before anything is made of them.
    let wanted = Description::new(options.options.clone())?;
    let name = wanted.name().to_owned();
    let mut facts = DB::inspect(connection, &name).await.map_err(unreadable)?;
    if facts.is_none() && options.create_table {
        match of_type(options, &wanted)? {
            Some(of_type) => create::<DB>(connection, options, &of_type, silence_max).await?,
            None => create::<DB>(connection, options, &wanted, silence_max).await?,
        }
        facts = DB::inspect(connection, &name).await.map_err(unreadable)?;
    }
    let facts = facts.ok_or_else(|| {
        wrong(format!("there is no table `{name}`; make it, or let the service: `create_table_if_missing(true)`"))
    })?;
    describe(facts, options, &wanted)
}

fn wrong(detail: String) -> Error {
    Error::internal(detail)
}

fn unreadable(error: sqlx::Error) -> Error {
    match error {
        error @ sqlx::Error::Database(_) => Error::internal("the table cannot be read").with_source(error),
        error => away(error),
    }
}

/// Describes the table that a type's fields make, where nobody says which there are.
fn of_type(options: &SqlOptions, wanted: &Description) -> Result<Option<Description>> {
    let said = wanted.fields().is_some() || options.document_column.is_some();
    let Some(fields) = options.type_fields.as_ref().filter(|_| !said) else { return Ok(None) };
    // An id that reads nothing but UUIDs, say, cannot be an integer, whatever the default is.
    let id_kind = match (fields.find(wanted.id_field()).map(|field| field.kind), wanted.id_kind()) {
        (Some(FieldType::Integer), _) => IdKind::Integer,
        (Some(FieldType::Uuid), _) => IdKind::Uuid,
        (Some(FieldType::Text), IdKind::Integer) => IdKind::Text,
        (_, kind) => kind,
    };
    let own = fields.iter().filter(|field| !wanted.is_managed(&field.name));
    let own = own.fold(Fields::new(), |own, field| match field.required {
        true => own.required(field.name.clone(), field.kind),
        false => own.optional(field.name.clone(), field.kind),
    });
    Description::new(options.options.clone().fields(own).id_kind(id_kind)).map(Some)
}

async fn create<DB: Dialect>(
    connection: &mut DB::Connection,
    options: &SqlOptions,
    wanted: &Description,
    silence_max: Duration,
) -> Result<()> {
    let unknown = wanted.fields().is_none().then_some(DOCUMENT_COLUMN);
    let fields = match wanted.fields() {
        Some(fields) => fields.clone(),
        // Any field may be there, but what must be unique has to be a column for the table to keep it so.
        None => wanted
            .indexes()
            .iter()
            .filter(|index| index.unique)
            .fold(Fields::new(), |fields, index| fields.optional(index.field.clone(), FieldType::Json)),
    };
    let own = |field: &&Field| field.name != wanted.id_field();
    let mut indexes = Vec::new();
    for index in wanted.indexes() {
        // A field without a column is looked for in each document; an index would make no difference but to speed.
        let Some(field) = fields.find(&index.field) else { continue };
        // An order of JSON is none that a query could use.
        if field.kind == FieldType::Json && !index.unique {
            continue;
        }
        indexes.push((field, index.unique));
    }
    let table = NewTable {
        name: wanted.name(),
        id: wanted.id_field(),
        id_kind: wanted.id_kind(),
        fields: fields.iter().filter(own).collect(),
        indexes,
        body: options.document_column.as_deref().or(unknown),
        collation: DB::exact_collation(connection).await.map_err(unreadable)?,
    };
    for statement in DB::create_table(&table) {
        execute::<DB>(connection, Sql::new(statement), silence_max)
            .await
            .map_err(|error| Error::internal("the table cannot be made").with_source(error))?;
    }
    Ok(())
}

/// Puts together what the database tells and what the options say.
fn describe(facts: Facts, options: &SqlOptions, wanted: &Description) -> Result<(Table, Description)> {
    let name = wanted.name().to_owned();
    let Facts { quoted, columns, uniques, references, counter } = facts;
    let keys: Vec<&Found> = columns.iter().filter(|found| found.key).collect();
    // The key is named as it is, unless the options name a column.
    let named = |id: &str| columns.iter().find(|found| found.column.name == id);
    let (id, keyed) = match (keys.as_slice(), named(wanted.id_field())) {
        ([key], _) => (key.column.name.clone(), true),
        (_, Some(found)) => {
            let single = |unique: &crate::table::Constraint| unique.columns == [found.column.name.as_str()];
            (found.column.name.clone(), uniques.iter().any(single) && !found.column.nullable)
        }
        _ => {
            let id = wanted.id_field();
            return Err(wrong(format!(
                "`{name}` has no key of one column and no column `{id}`; name the one that tells records apart: \
                 `Options::id_field`"
            )));
        }
    };
    let mut columns: Vec<Column> = columns.into_iter().map(|found| found.column).collect();
    let made_for_documents = columns.iter().any(|column| column.name == DOCUMENT_COLUMN);
    let body = options.document_column.as_deref().or(made_for_documents.then_some(DOCUMENT_COLUMN));
    for column in &mut columns {
        adjust(column, options, wanted, body);
    }
    let position = columns.iter().position(|column| column.name == id).unwrap_or(0);
    let id_column = columns.remove(position);
    let id_kind = id_kind(&id_column, wanted.id_kind()).ok_or_else(|| {
        wrong(format!("`{id}` of `{name}` is of a type that cannot be an id: {}", id_column.declared))
    })?;
    columns.insert(0, id_column);
    let body = match body {
        None => None,
        Some(body) => Some(
            columns
                .iter()
                .position(|column| column.name == body && column.kind == FieldType::Json)
                .ok_or_else(|| wrong(format!("`{name}` has no column `{body}` of JSON to hold the other fields")))?,
        ),
    };
    let fields = match (wanted.fields(), body) {
        // With a document column there may be any field, unless the options say which.
        (None, Some(_)) => None,
        (Some(said), Some(_)) => Some(said.clone()),
        (said, None) => {
            if let Some(missing) = said.and_then(|said| said.iter().find(|field| unknown(&columns, field))) {
                return Err(wrong(format!("`{name}` has no column `{}`, which the options name", missing.name)));
            }
            Some(columns.iter().fold(Fields::new(), |fields, column| add_field(fields, column, said)))
        }
    };
    let mut adjusted = options.options.clone().id_field(id).id_kind(id_kind);
    if let Some(fields) = fields {
        adjusted = adjusted.fields(fields);
    }
    let mut description = Description::new(adjusted)?.with_streaming(true);
    if !keyed {
        // Without a key, no record can be told from another one that is to be changed.
        description = description.with_methods([Method::Index, Method::Read].into_iter().collect());
    }
    Ok((Table { name, quoted, columns, body, uniques, references, counter }, description))
}

fn unknown(columns: &[Column], field: &Field) -> bool {
    !columns.iter().any(|column| column.name == field.name)
}

/// Reads a column as what the options say that it holds, where it can.
fn adjust(column: &mut Column, options: &SqlOptions, wanted: &Description, body: Option<&str>) {
    let said = wanted.fields().and_then(|fields| fields.find(&column.name)).map(|field| field.kind);
    let untyped = column.declared.is_empty();
    match (column.storage, said) {
        (Storage::Text, Some(kind @ (FieldType::Date | FieldType::DateTime | FieldType::Uuid))) => column.kind = kind,
        (Storage::Text, None) if untyped && column.name == wanted.id_field() && wanted.id_kind() == IdKind::Integer => {
            (column.kind, column.storage) = (FieldType::Integer, Storage::Integer);
        }
        (Storage::Text, Some(FieldType::Integer)) if untyped => {
            (column.kind, column.storage) = (FieldType::Integer, Storage::Integer);
        }
        (Storage::Text, Some(FieldType::Number)) if untyped => {
            (column.kind, column.storage) = (FieldType::Number, Storage::Number);
        }
        (Storage::Text, Some(FieldType::Boolean)) if untyped => {
            (column.kind, column.storage) = (FieldType::Boolean, Storage::Boolean);
        }
        (Storage::Text, Some(FieldType::Text)) => column.kind = FieldType::Text,
        (Storage::Text, Some(FieldType::Json)) => {
            (column.kind, column.storage) = (FieldType::Json, Storage::Json);
        }
        (Storage::Integer | Storage::Number, Some(FieldType::Boolean)) => {
            (column.kind, column.storage) = (FieldType::Boolean, Storage::Boolean);
        }
        (Storage::Boolean, Some(FieldType::Integer)) => {
            (column.kind, column.storage) = (FieldType::Integer, Storage::Integer);
        }
        _ => {}
    }
    if body.is_some_and(|body| column.name == body) && column.storage == Storage::Text {
        (column.kind, column.storage) = (FieldType::Json, Storage::Json);
    }
    column.own_order = options.text_order == TextOrder::Database && column.storage == Storage::Text;
}

fn id_kind(column: &Column, wanted: IdKind) -> Option<IdKind> {
    match (column.kind, column.storage, wanted) {
        (FieldType::Integer, ..) => Some(IdKind::Integer),
        (FieldType::Uuid, ..) | (FieldType::Text, Storage::Text, IdKind::Uuid) => Some(IdKind::Uuid),
        (FieldType::Text, Storage::Text, IdKind::ObjectId) => Some(IdKind::ObjectId),
        (FieldType::Text, Storage::Text, _) => Some(IdKind::Text),
        _ => None,
    }
}

fn add_field(fields: Fields, column: &Column, said: Option<&Fields>) -> Fields {
    let said = said.and_then(|fields| fields.find(&column.name));
    let needed = !column.nullable && column.default.is_none() && !column.generated;
    if said.map_or(needed, |field| field.required || needed) {
        fields.required(column.name.clone(), column.kind)
    } else {
        fields.optional(column.name.clone(), column.kind)
    }
}

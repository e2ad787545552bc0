//! PostgreSQL: strict types, so that every value is cast to its column's.

use futures::TryStreamExt;
use remex_core::{Direction, FieldType, IdKind};
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Arguments, Executor, Postgres, Row, ValueRef};

use super::{Facts, Fault, Found, Named, NewTable, Pools, Rows, Syntax, create_statements, qualified};
use crate::cell::{Cell, Form, Storage};
use crate::sql::Executable;
use crate::table::{Column, Table, Unique};

impl Syntax for Postgres {
    // 65,535 by the protocol.
    const BINDS_MAX: usize = 60_000;
    const RETURNS: bool = true;
    const NO_LIMIT: &'static str = "ALL";

    fn placeholder(position: usize, column: &Column) -> String {
        match (column.storage, column.declared.as_str()) {
            (Storage::DateTime, "timestamp with time zone") => format!("${position}::timestamptz"),
            (Storage::DateTime, _) => format!("(${position}::timestamptz AT TIME ZONE 'UTC')"),
            (Storage::Date | Storage::Uuid | Storage::Json | Storage::Decimal | Storage::Other, declared) => {
                format!("${position}::{declared}")
            }
            _ => format!("${position}"),
        }
    }

    fn placeholder_compared(position: usize, column: &Column) -> String {
        // What has no type of its own here is compared as the text that it is written as.
        if column.storage == Storage::Other { format!("${position}") } else { Self::placeholder(position, column) }
    }

    fn read(column: &Column) -> String {
        let name = &column.quoted;
        let moment = "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'";
        match (column.storage, column.declared.as_str()) {
            (Storage::Integer, "bigint") | (Storage::Float, "double precision") => name.clone(),
            (Storage::Integer, _) => format!("{name}::bigint"),
            (Storage::Float, _) => format!("{name}::double precision"),
            (Storage::DateTime, "timestamp with time zone") => format!("to_char({name} AT TIME ZONE 'UTC', {moment})"),
            (Storage::DateTime, _) => format!("to_char({name}, {moment})"),
            (Storage::Date, _) => format!("to_char({name}, 'YYYY-MM-DD')"),
            (Storage::Json, declared) if !declared.starts_with("json") => format!("to_json({name})::text"),
            (Storage::Text, "text" | "character varying") | (Storage::Boolean | Storage::Binary, _) => name.clone(),
            _ => format!("{name}::text"),
        }
    }

    fn compare(column: &Column) -> String {
        match column.storage {
            Storage::Text if column.collated => format!("{} COLLATE \"C\"", column.quoted),
            Storage::Other => format!("{}::text COLLATE \"C\"", column.quoted),
            _ => column.quoted.clone(),
        }
    }

    fn order(expression: &str, nullable: bool, direction: Direction) -> String {
        match (direction, nullable) {
            (Direction::Ascending, true) => format!("{expression} NULLS FIRST"),
            (Direction::Ascending, false) => expression.to_owned(),
            (Direction::Descending, true) => format!("{expression} DESC NULLS LAST"),
            (Direction::Descending, false) => format!("{expression} DESC"),
        }
    }

    fn add(arguments: &mut Self::Arguments, cell: Cell) -> Result<(), BoxDynError> {
        match cell {
            Cell::Null(Form::Bool) => arguments.add(None::<bool>),
            Cell::Null(Form::Int | Form::UInt) => arguments.add(None::<i64>),
            Cell::Null(Form::Float) => arguments.add(None::<f64>),
            Cell::Null(Form::Text) => arguments.add(None::<String>),
            Cell::Null(Form::Bytes) => arguments.add(None::<Vec<u8>>),
            Cell::Bool(flag) => arguments.add(flag),
            Cell::Int(number) => arguments.add(number),
            Cell::UInt(number) => arguments.add(i64::try_from(number)?),
            Cell::Float(number) => arguments.add(number),
            Cell::Text(text) => arguments.add(text),
            Cell::Bytes(bytes) => arguments.add(bytes),
        }
    }

    fn cell(row: &PgRow, position: usize, form: Form) -> Result<Cell, sqlx::Error> {
        if row.try_get_raw(position)?.is_null() {
            return Ok(Cell::Null(form));
        }
        Ok(match form {
            Form::Bool => Cell::Bool(row.try_get_unchecked(position)?),
            Form::Int | Form::UInt => Cell::Int(row.try_get_unchecked(position)?),
            Form::Float => Cell::Float(row.try_get_unchecked(position)?),
            Form::Text => Cell::Text(row.try_get_unchecked(position)?),
            Form::Bytes => Cell::Bytes(row.try_get_unchecked(position)?),
        })
    }

    fn run<'c>(connection: &'c mut PgConnection, statement: Executable<Self>) -> Rows<'c, Self> {
        connection.fetch_many(statement)
    }

    async fn inspect(connection: &mut PgConnection, name: &str) -> Result<Option<Facts>, sqlx::Error> {
        let quoted = qualified::<Self>(name);
        let columns: Vec<ColumnRow> = sqlx::query_as(
            "SELECT a.attname::text, format_type(a.atttypid, NULL), a.attnotnull, \
                    CASE WHEN a.attidentity <> '' THEN 'identity' ELSE pg_get_expr(d.adbin, d.adrelid) END, \
                    a.attgenerated <> '', \
                    coalesce(i.indisprimary, false), \
                    coalesce(NOT (c.collcollate IN ('C', 'POSIX') OR c.collname IN ('C', 'ucs_basic')), true) \
             FROM pg_attribute a \
             LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey) \
             LEFT JOIN pg_collation c ON c.oid = a.attcollation \
             WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        )
        .bind(&quoted)
        .fetch(&mut *connection)
        .try_collect()
        .await?;
        if columns.is_empty() {
            return Ok(None);
        }
        let uniques: Vec<(String, Vec<String>)> = sqlx::query_as(
            "SELECT c.relname::text, array_agg(a.attname::text) FROM pg_index i \
             JOIN pg_class c ON c.oid = i.indexrelid \
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) \
             WHERE i.indrelid = to_regclass($1) AND i.indisunique GROUP BY c.relname",
        )
        .bind(&quoted)
        .fetch(&mut *connection)
        .try_collect()
        .await?;
        let key = columns.iter().find(|column| column.5).map(|column| column.0.clone());
        let counter = match key {
            Some(key) => {
                let (sequence,): (Option<String>,) = sqlx::query_as("SELECT pg_get_serial_sequence($1, $2)")
                    .bind(&quoted)
                    .bind(key)
                    .fetch_one(&mut *connection)
                    .await?;
                sequence
            }
            None => None,
        };
        let columns = columns
            .into_iter()
            .map(|(name, declared, not_null, default, generated, key, collated)| {
                let storage = storage(&declared);
                let column = Column {
                    quoted: Self::quote(&name),
                    name: name.into(),
                    kind: storage.kind(),
                    storage,
                    declared,
                    nullable: !not_null,
                    default: default.map(|_| "DEFAULT".to_owned()),
                    generated,
                    collated,
                    own_order: false,
                };
                Found { column, key }
            })
            .collect();
        let uniques = uniques.into_iter().map(|(name, columns)| Unique { name, columns }).collect();
        Ok(Some(Facts { quoted, columns, uniques, counter }))
    }

    fn create_table(table: &NewTable<'_>) -> Vec<String> {
        let id_type = match table.id_kind {
            IdKind::Integer => "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            IdKind::Uuid => "uuid PRIMARY KEY",
            IdKind::ObjectId | IdKind::Text => "text COLLATE \"C\" PRIMARY KEY",
        };
        let type_of = |kind, _| {
            let name = match kind {
                FieldType::Boolean => "boolean",
                FieldType::Integer => "bigint",
                FieldType::Number => "double precision",
                FieldType::Text => "text COLLATE \"C\"",
                FieldType::Date => "date",
                FieldType::DateTime => "timestamptz",
                FieldType::Uuid => "uuid",
                FieldType::Binary => "bytea",
                FieldType::Json => "jsonb",
            };
            name.to_owned()
        };
        create_statements::<Self>(table, id_type, "jsonb", type_of, "")
    }

    /// See [PostgreSQL Error Codes](https://www.postgresql.org/docs/15/errcodes-appendix.html).
    fn fault(error: &dyn DatabaseError) -> Fault {
        let code = error.code().unwrap_or_default().into_owned();
        let details = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
        let column = || details.and_then(|details| details.column()).map(str::to_owned);
        match code.as_str() {
            "23505" => Fault::Unique(Named::Index(error.constraint().unwrap_or_default().to_owned())),
            "23503" => Fault::Reference,
            "23502" => Fault::Required(column()),
            "23514" => Fault::Check(column()),
            "22001" | "22003" | "22008" => Fault::TooLarge(column()),
            // A serialisation failure and a deadlock.
            "40001" | "40P01" => Fault::Again,
            // "cached plan must not change result type"
            "0A000" => Fault::Stale,
            "53300" | "57P01" | "57P02" | "57P03" => Fault::Away,
            code if code.starts_with("08") => Fault::Away,
            _ => Fault::Other,
        }
    }

    fn count_past(table: &Table) -> Option<String> {
        let sequence = table.counter.as_ref()?;
        let literal = sequence.replace('\'', "''");
        // Two such statements at once may set it back; a create that then meets an id which is there takes the next.
        Some(format!(
            "SELECT setval('{literal}', $1) WHERE $1 > (SELECT last_value FROM {sequence}) \
             AND $1 <= 4503599627370496"
        ))
    }

    async fn connect(url: &str, options: PoolOptions<Self>) -> Result<Pools<Self>, sqlx::Error> {
        let pool = options.connect(url).await?;
        Ok((pool.clone(), pool))
    }
}

/// Name, type, whether it may not be null, default, whether it is computed, whether it is the key,
/// whether it has a collation of its own.
type ColumnRow = (String, String, bool, Option<String>, bool, bool, bool);

fn storage(declared: &str) -> Storage {
    match declared {
        "boolean" => Storage::Boolean,
        "smallint" | "integer" | "bigint" => Storage::Integer,
        "real" | "double precision" => Storage::Float,
        "text" | "character varying" | "character" | "citext" | "name" => Storage::Text,
        "date" => Storage::Date,
        "timestamp with time zone" | "timestamp without time zone" => Storage::DateTime,
        "uuid" => Storage::Uuid,
        "bytea" => Storage::Binary,
        "json" | "jsonb" => Storage::Json,
        "numeric" => Storage::Decimal,
        _ => Storage::Other,
    }
}

//! PostgreSQL: strict types, so that every value is cast to its column's.

use futures::TryStreamExt;
use remex_core::{Direction, FieldType, IdKind};
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Arguments, Executor, Postgres, Row, ValueRef};

use super::{Facts, Fault, Found, Named, NewTable, Order, Pools, Rows, Syntax, create_statements, qualified};
use crate::cell::{Cell, Form, Storage};
use crate::limits::{Element, Limits};
use crate::sql::Executable;
use crate::table::{Column, Constraint, Table};

impl Syntax for Postgres {
    // 65,535 by the protocol.
    const BINDS_MAX: usize = 60_000;
    const RETURNS: bool = true;
    const BEGIN_ISOLATED: &'static [&'static str] = &["BEGIN ISOLATION LEVEL SERIALIZABLE"];
    const OVERRIDING: &'static str = " OVERRIDING SYSTEM VALUE";
    const NO_LIMIT: &'static str = "ALL";
    const EXACT: &'static str = "C";

    fn placeholder_plain(position: usize) -> String {
        format!("${position}")
    }

    fn placeholder(position: usize, column: &Column) -> String {
        match (column.storage, column.declared.as_str()) {
            (Storage::DateTime, "timestamp with time zone") => format!("${position}::timestamptz"),
            (Storage::DateTime, _) => format!("(${position}::timestamptz AT TIME ZONE 'UTC')"),
            (
                Storage::Date
                | Storage::Time
                | Storage::Uuid
                | Storage::Json
                | Storage::Decimal
                | Storage::Array
                | Storage::Other,
                declared,
            ) => match declared {
                // Without its size the type is one of a single bit, and would cut off the others.
                "bit" => format!("${position}::bit varying"),
                declared => format!("${position}::{declared}"),
            },
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
        let read = match (column.storage, column.declared.as_str()) {
            (Storage::Integer, "bigint") | (Storage::Float, "double precision") => return name.clone(),
            (Storage::Integer, _) => format!("{name}::bigint"),
            (Storage::Float | Storage::Single, _) => format!("{name}::double precision"),
            (Storage::DateTime, "timestamp with time zone") => format!("to_char({name} AT TIME ZONE 'UTC', {moment})"),
            (Storage::DateTime, _) => format!("to_char({name}, {moment})"),
            (Storage::Date, _) => format!("to_char({name}, 'YYYY-MM-DD')"),
            (Storage::Time, _) => format!("to_char({name}, 'HH24:MI:SS.US')"),
            (Storage::Array, _) => match &column.limits {
                // What JSON would make a float of, or something that is none of its kinds.
                Limits::Elements(element) if matches!(element.storage, Storage::Decimal | Storage::Other) => {
                    format!("to_json({name}::text[])::text")
                }
                _ => format!("to_json({name})::text"),
            },
            (Storage::Text, "text" | "character varying") | (Storage::Boolean | Storage::Binary, _) => {
                return name.clone();
            }
            _ => format!("{name}::text"),
        };
        // A cast would have its column's name, and an order by that name would be one of what was made of the column:
        // https://www.postgresql.org/docs/15/queries-order.html
        format!("{read} AS \"?column?\"")
    }

    fn compare(column: &Column) -> String {
        match column.storage {
            Storage::Text if column.collation.is_some() => format!("{} COLLATE \"C\"", column.quoted),
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
            "SELECT a.attname::text, format_type(a.atttypid, NULL), \
                    format_type(b.oid, CASE WHEN b.oid = a.atttypid THEN a.atttypmod ELSE b.modifier END), \
                    ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid IN (b.oid, b.element) \
                          ORDER BY e.enumsortorder), \
                    a.attnotnull, \
                    CASE WHEN a.attidentity <> '' THEN 'identity' ELSE pg_get_expr(d.adbin, d.adrelid) END, \
                    a.attgenerated <> '', \
                    coalesce(i.indisprimary, false), \
                    coalesce(NOT (c.collcollate IN ('C', 'POSIX') OR c.collname IN ('C', 'ucs_basic')), true) \
             FROM pg_attribute a \
             CROSS JOIN LATERAL ( \
                 WITH RECURSIVE base AS ( \
                     SELECT t.oid, t.typbasetype, t.typtypmod, a.atttypmod AS modifier, t.typelem, t.typcategory \
                     FROM pg_type t WHERE t.oid = a.atttypid \
                     UNION ALL \
                     SELECT t.oid, t.typbasetype, t.typtypmod, d.typtypmod, t.typelem, t.typcategory \
                     FROM base d JOIN pg_type t ON t.oid = d.typbasetype \
                 ) \
                 SELECT oid, modifier, CASE WHEN typcategory = 'A' THEN typelem END AS element \
                 FROM base WHERE typbasetype = 0 \
             ) b \
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
        let key = columns.iter().find(|column| column.7).map(|column| column.0.clone());
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
            .map(|(name, declared, base, labels, not_null, default, generated, key, collated)| {
                let (storage, limits) = storage(&base, labels);
                let column = Column {
                    nullable: !not_null,
                    default: default.map(|_| "DEFAULT".to_owned()),
                    generated,
                    collation: collated.then_some(Self::EXACT),
                    limits,
                    ..Column::new::<Self>(&name, storage, declared)
                };
                Found { column, key }
            })
            .collect();
        let uniques = uniques.into_iter().map(|(name, columns)| Constraint { name, columns }).collect();
        let references: Vec<(String, Vec<String>)> = sqlx::query_as(
            "SELECT c.conname::text, array_agg(a.attname::text) FROM pg_constraint c \
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) \
             WHERE c.conrelid = to_regclass($1) AND c.contype IN ('f', 'c') GROUP BY c.conname",
        )
        .bind(&quoted)
        .fetch(&mut *connection)
        .try_collect()
        .await?;
        let references = references.into_iter().map(|(name, columns)| Constraint { name, columns }).collect();
        Ok(Some(Facts { quoted, columns, uniques, references, counter }))
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
                FieldType::Decimal => "numeric",
                FieldType::Text => "text COLLATE \"C\"",
                FieldType::Date => "date",
                FieldType::Time => "time",
                FieldType::DateTime => "timestamptz",
                FieldType::Uuid => "uuid",
                FieldType::Binary => "bytea",
                FieldType::Json => "jsonb",
            };
            name.to_owned()
        };
        create_statements::<Self>(table, id_type, "jsonb", type_of, |_| Order::Itself, "")
    }

    /// See [PostgreSQL Error Codes](https://www.postgresql.org/docs/15/errcodes-appendix.html).
    fn fault(error: &dyn DatabaseError) -> Fault {
        let code = error.code().unwrap_or_default().into_owned();
        let details = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
        let column = || details.and_then(|details| details.column()).map(str::to_owned);
        match code.as_str() {
            // Of an index, or of a rule that excludes others.
            "23505" | "23P01" => Fault::Unique(Named::Index(error.constraint().unwrap_or_default().to_owned())),
            "23503" => Fault::Reference(error.constraint().map(str::to_owned)),
            "23502" => Fault::Required(column()),
            "23514" => Fault::Check(error.constraint().map(str::to_owned).or_else(column)),
            "22001" | "22003" | "22008" => Fault::TooLarge(column()),
            // What a trigger or a function of the table refuses.
            "P0001" => Fault::Check(None),
            // A value that the type of its column cannot be read from, or that a rule of the table cannot be worked out for.
            code if code.starts_with("22") => Fault::Check(column()),
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
             AND $1 <= {}",
            table.counted_max()
        ))
    }

    async fn connect(url: &str, options: PoolOptions<Self>) -> Result<Pools<Self>, sqlx::Error> {
        let pool = options.connect(url).await?;
        Ok((pool.clone(), pool))
    }
}

/// Name, type, the type that a domain is of with its size, the values of an enum, whether it may not be null, default,
/// whether it is computed, whether it is the key, whether it has a collation of its own.
type ColumnRow = (String, String, String, Vec<String>, bool, Option<String>, bool, bool, bool);

/// Tells how a type is kept and what it takes: `numeric(10,2)`, `character varying(20)`, `integer[]`.
fn storage(base: &str, labels: Vec<String>) -> (Storage, Limits) {
    if let Some(element) = base.strip_suffix("[]") {
        let (storage, limits) = storage(element, labels);
        return (Storage::Array, Limits::Elements(Box::new(Element { storage, limits })));
    }
    // `time(3) without time zone`, `numeric(10,2)`
    let (size, name) = match (base.find('('), base.find(')')) {
        (Some(start), Some(end)) if start < end => {
            (&base[start + 1..end], format!("{}{}", &base[..start], &base[end + 1..]))
        }
        _ => ("", base.to_owned()),
    };
    let mut numbers = size.split(',').filter_map(|number| number.trim().parse::<i64>().ok());
    let limits = match (name.as_str(), numbers.next(), numbers.next()) {
        ("smallint", ..) => Limits::Integers(i16::MIN.into(), i16::MAX.unsigned_abs().into()),
        ("integer", ..) => Limits::Integers(i32::MIN.into(), i32::MAX.unsigned_abs().into()),
        ("bigint", ..) => Limits::Integers(i64::MIN, i64::MAX.unsigned_abs()),
        ("numeric", Some(precision), scale) => Limits::Digits(precision, scale.unwrap_or(0)),
        ("character varying" | "character", Some(length), _) => {
            Limits::Characters(usize::try_from(length).unwrap_or(usize::MAX))
        }
        _ if !labels.is_empty() => Limits::Names(labels),
        _ => Limits::None,
    };
    (kept_as(&name), limits)
}

fn kept_as(name: &str) -> Storage {
    match name {
        "boolean" => Storage::Boolean,
        "smallint" | "integer" | "bigint" => Storage::Integer,
        "real" => Storage::Single,
        "double precision" => Storage::Float,
        "text" | "character varying" | "character" | "citext" | "name" => Storage::Text,
        "date" => Storage::Date,
        "time without time zone" => Storage::Time,
        "timestamp with time zone" | "timestamp without time zone" => Storage::DateTime,
        "uuid" => Storage::Uuid,
        "bytea" => Storage::Binary,
        "json" | "jsonb" => Storage::Json,
        "numeric" => Storage::Decimal,
        _ => Storage::Other,
    }
}

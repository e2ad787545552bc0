//! SQLite: dynamic types, one writer, and no locks to ask for.

use std::time::Duration;

use futures::TryStreamExt;
use remex_core::{Decimal, Field, FieldType, IdKind};
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow};
use sqlx::{Arguments, Executor, Row, Sqlite, TypeInfo, ValueRef};

use super::{
    Facts, Fault, Found, Named, NewTable, Order, Pools, Rows, Syntax, create_statements, index_name, qualified,
};
use crate::cell::{Cell, Form, Storage};
use crate::query::Piece;
use crate::sql::Executable;
use crate::table::{Column, Constraint, Table};

/// Ids that callers made up past this one are not counted on from: half of the integers up to 2^53 are left then, and one
/// record under the largest id does not keep every other from being made.
const COUNTED_MAX: i64 = 1 << 52;

impl Syntax for Sqlite {
    // https://www.sqlite.org/limits.html#max_variable_number
    const BINDS_MAX: usize = 32_000;
    const RETURNS: bool = true;
    // A transaction that first reads and then writes would be refused at once while another one writes.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const LOCK: &'static str = "";
    const DEFAULT_ID: &'static str = "NULL";
    const BEGIN_ISOLATED: &'static [&'static str] = &["BEGIN IMMEDIATE"];
    const NO_LIMIT: &'static str = "-1";
    const EXACT: &'static str = "BINARY";

    fn compare(column: &Column) -> String {
        let name = &column.quoted;
        let moments = column.storage == Storage::Text && column.kind == FieldType::DateTime;
        if moments && !column.declared.eq_ignore_ascii_case("DATETIME_TEXT") {
            // Others write times in other forms, SQLite itself for CURRENT_TIMESTAMP.
            return format!(
                "CASE WHEN typeof({name}) <> 'text' OR {name} GLOB '????-??-??T??:??:??.??????Z' THEN {name} \
                 ELSE coalesce(strftime('%Y-%m-%dT%H:%M:%f000Z', {name}), {name}) END"
            );
        }
        match (column.storage, column.collation) {
            (Storage::Digits, _) => decimal_order(&column.quoted),
            (storage, Some(exact)) if storage.form() == Form::Text => format!("{} COLLATE {exact}", column.quoted),
            _ => column.quoted.clone(),
        }
    }

    fn adapt_compared(column: &Column, cell: Cell) -> Cell {
        match (column.storage, cell) {
            (Storage::Digits, Cell::Text(digits)) => Cell::Text(order_of_decimal(&digits)),
            (_, cell) => cell,
        }
    }

    /// `GLOB` and not `LIKE`, which looks past the case of ASCII letters.
    fn pattern(pieces: &[Piece]) -> (&'static str, &'static str, String) {
        let mut pattern = String::new();
        for piece in pieces {
            match piece {
                Piece::Any => pattern.push('*'),
                Piece::One => pattern.push('?'),
                Piece::Character(character @ ('*' | '?' | '[')) => {
                    pattern.push('[');
                    pattern.push(*character);
                    pattern.push(']');
                }
                Piece::Character(character) => pattern.push(*character),
            }
        }
        ("GLOB", "", pattern)
    }

    fn add(arguments: &mut Self::Arguments, cell: Cell) -> Result<(), BoxDynError> {
        match cell {
            Cell::Null(_) => arguments.add(None::<i64>),
            Cell::Bool(flag) => arguments.add(flag),
            Cell::Int(number) => arguments.add(number),
            Cell::UInt(number) => arguments.add(i64::try_from(number)?),
            Cell::Float(number) => arguments.add(number),
            Cell::Text(text) => arguments.add(text),
            Cell::Bytes(bytes) => arguments.add(bytes),
        }
    }

    /// Reads what a value is and not what its column was declared as: SQLite keeps any value in any column.
    fn cell(row: &SqliteRow, position: usize, form: Form) -> Result<Cell, sqlx::Error> {
        let value = row.try_get_raw(position)?;
        if value.is_null() {
            return Ok(Cell::Null(form));
        }
        let type_info = value.type_info().into_owned();
        Ok(match type_info.name() {
            "REAL" => Cell::Float(row.try_get_unchecked(position)?),
            "TEXT" => Cell::Text(row.try_get_unchecked(position)?),
            "BLOB" => Cell::Bytes(row.try_get_unchecked(position)?),
            _ => Cell::Int(row.try_get_unchecked(position)?),
        })
    }

    fn run<'c>(connection: &'c mut SqliteConnection, statement: Executable<Self>) -> Rows<'c, Self> {
        connection.fetch_many(statement)
    }

    async fn inspect(connection: &mut SqliteConnection, name: &str) -> Result<Option<Facts>, sqlx::Error> {
        let (schema, table) = name.split_once('.').unwrap_or(("main", name));
        let columns: Vec<(String, String, bool, Option<String>, i64, i64)> = sqlx::query_as(
            "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?, ?) WHERE hidden <> 1",
        )
        .bind(table)
        .bind(schema)
        .fetch(&mut *connection)
        .try_collect()
        .await?;
        if columns.is_empty() {
            return Ok(None);
        }
        let uniques: Vec<(String, String)> = sqlx::query_as(
            "SELECT list.name, info.name FROM pragma_index_list(?1, ?2) AS list \
             JOIN pragma_index_info(list.name, ?2) AS info \
             WHERE list.\"unique\" AND NOT list.partial AND info.name IS NOT NULL ORDER BY list.name, info.seqno",
        )
        .bind(table)
        .bind(schema)
        .fetch(&mut *connection)
        .try_collect()
        .await?;
        let text: Option<(String,)> = sqlx::query_as("SELECT sql FROM sqlite_schema WHERE name = ? AND type = 'table'")
            .bind(table)
            .fetch_optional(&mut *connection)
            .await?;
        let text = text.map(|(text,)| text.to_uppercase()).unwrap_or_default();
        let collated = text.contains("COLLATE");
        let columns = columns
            .into_iter()
            .map(|(name, declared, not_null, default, key, hidden)| {
                let storage = storage(&declared);
                let column = Column {
                    kind: kind(&declared, storage),
                    // The key of a table may be null only by an old fault of SQLite that it keeps for compatibility.
                    nullable: !not_null && key == 0,
                    default: default.map(|default| format!("({default})")),
                    generated: hidden > 1,
                    collation: collated.then_some(Self::EXACT),
                    ..Column::new::<Self>(&name, storage, declared)
                };
                Found { column, key: key > 0 }
            })
            .collect::<Vec<_>>();
        let mut uniques = Constraint::grouped(uniques);
        // Of an index over an expression SQLite tells no column; of those that this crate makes, the name tells it.
        for Found { column, .. } in columns.iter().filter(|found| found.column.storage == Storage::Digits) {
            let name = index_name(name, &column.name, true);
            uniques.push(Constraint { name, columns: vec![column.name.to_string()] });
        }
        let counter = text.contains("AUTOINCREMENT").then(|| table.to_owned());
        Ok(Some(Facts { quoted: qualified::<Self>(name), columns, uniques, references: Vec::new(), counter }))
    }

    fn create_table(table: &NewTable<'_>) -> Vec<String> {
        let id_type = match table.id_kind {
            // Without this word the id of the last record would be given out again once that is removed.
            IdKind::Integer => "INTEGER PRIMARY KEY AUTOINCREMENT",
            IdKind::Uuid => "UUID_TEXT PRIMARY KEY NOT NULL",
            IdKind::ObjectId | IdKind::Text => "TEXT PRIMARY KEY NOT NULL",
        };
        // The names tell the next start what the columns hold; `TEXT` in them keeps SQLite from making numbers of texts
        // that look like some (https://www.sqlite.org/datatype3.html#determination_of_column_affinity).
        let type_of = |kind, _| {
            let name = match kind {
                FieldType::Boolean => "BOOLEAN",
                FieldType::Integer => "INTEGER",
                FieldType::Number => "NUMERIC",
                FieldType::Decimal => "DECIMAL_TEXT",
                FieldType::Text => "TEXT",
                FieldType::Date => "DATE_TEXT",
                FieldType::Time => "TIME_TEXT",
                FieldType::DateTime => "DATETIME_TEXT",
                FieldType::Uuid => "UUID_TEXT",
                FieldType::Binary => "BLOB",
                FieldType::Json => "JSON_TEXT",
            };
            name.to_owned()
        };
        let order_of = |field: &Field| match field.kind {
            FieldType::Decimal => Order::Expression(decimal_order(&Self::quote(&field.name))),
            _ => Order::Itself,
        };
        create_statements::<Self>(table, id_type, "JSON_TEXT", type_of, order_of, "")
    }

    /// See [Result and Error Codes](https://www.sqlite.org/rescode.html).
    fn fault(error: &dyn DatabaseError) -> Fault {
        // "UNIQUE constraint failed: people.email, people.name", the only place where SQLite tells.
        let columns = || {
            let (_, list) = error.message().rsplit_once(": ")?;
            Some(list.split(", ").filter_map(|one| Some(one.rsplit_once('.')?.1.to_owned())).collect::<Vec<_>>())
        };
        // "UNIQUE constraint failed: index 'todos_price_unique'", of an index over an expression.
        let index = || error.message().split_once(": index '").map(|(_, name)| name.trim_end_matches('\'').to_owned());
        let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
        match code {
            1555 | 2067 | 2579 => Fault::Unique(match index() {
                Some(name) => Named::Index(name),
                None => Named::Columns(columns().unwrap_or_default()),
            }),
            // It does not say which.
            787 => Fault::Reference(None),
            // What a trigger of the table refuses.
            1811 => Fault::Check(None),
            1299 => Fault::Required(columns().and_then(|columns| columns.into_iter().next())),
            275 => Fault::Check(None),
            3091 => Fault::Check(None),
            // SQLITE_BUSY, SQLITE_LOCKED, and SQLITE_SCHEMA
            _ if matches!(code & 0xff, 5 | 6 | 17) => Fault::Again,
            // SQLITE_TOOBIG
            18 => Fault::TooLarge(None),
            // SQLITE_FULL
            13 => Fault::Away,
            _ => Fault::Other,
        }
    }

    /// Only a key that is declared so and no other way is made by SQLite, see
    /// [ROWIDs and the INTEGER PRIMARY KEY](https://www.sqlite.org/lang_createtable.html#rowid).
    fn makes_ids(table: &Table) -> bool {
        table.id().declared.eq_ignore_ascii_case("INTEGER")
    }

    fn next_id(table: &Table) -> Option<String> {
        table.counter.as_ref()?;
        let (id, from) = (&table.id().quoted, &table.quoted);
        let name = table.quoted.rsplit('.').next().unwrap_or_default().trim_matches('"').replace('\'', "''");
        Some(format!(
            "(SELECT max(coalesce((SELECT max({id}) FROM {from} WHERE {id} <= {COUNTED_MAX}), 0), \
             coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{name}' AND seq <= {COUNTED_MAX}), 0)) + 1)"
        ))
    }

    async fn connect(url: &str, options: PoolOptions<Self>) -> Result<Pools<Self>, sqlx::Error> {
        let connect: SqliteConnectOptions = url.parse()?;
        let memory = url.contains(":memory:") || url.contains("mode=memory");
        let connect = connect
            .create_if_missing(!url.contains("mode="))
            .busy_timeout(Duration::from_secs(5))
            .journal_mode(if memory { SqliteJournalMode::Memory } else { SqliteJournalMode::Wal });
        if memory {
            // The records are gone with the connection, so there is one, and it stays.
            let options = options.min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None);
            let pool = options.connect_with(connect).await?;
            return Ok((pool.clone(), pool));
        }
        let writer = options.clone().max_connections(1).connect_with(connect.clone()).await?;
        let readers = options.connect_with(connect).await?;
        Ok((readers, writer))
    }
}

/// Writes what puts the digits of decimals into the order of numbers, as texts: SQLite has no decimals.
///
/// It is a mark for the sign, how many digits are before the point, in two digits, and the digits without zeros at the
/// end. Of numbers below zero the larger comes first: their length is told from 99 downwards, each digit is a letter, `j`
/// for 0 to `a` for 9, and a `~` at the end comes behind all of them. What [`order_of_decimal`] makes of a decimal is the
/// same. An index can be of it, and is used where the same is written again.
fn decimal_order(column: &str) -> String {
    let shortest =
        format!("CASE WHEN instr({column}, '.') > 0 THEN rtrim(rtrim({column}, '0'), '.') ELSE {column} END");
    let digits = format!("ltrim({shortest}, '-')");
    let whole = format!("(instr(ltrim({column}, '-') || '.', '.') - 1)");
    let letters = ('0'..='9')
        .zip(('a'..='j').rev())
        .fold(digits.clone(), |text, (digit, letter)| format!("replace({text}, '{digit}', '{letter}')"));
    format!(
        "(CASE WHEN substr({column}, 1, 1) = '-' THEN '0' || substr('0' || (99 - {whole}), -2) || {letters} || '~' \
         ELSE '1' || substr('0' || {whole}, -2) || {digits} END)"
    )
}

/// Makes of a decimal what [`decimal_order`] makes of its digits.
fn order_of_decimal(digits: &str) -> String {
    let Some(decimal) = Decimal::new(digits) else { return digits.to_owned() };
    let whole = decimal.parts().0.len();
    match decimal.shortest().strip_prefix('-') {
        Some(magnitude) => {
            let letter = |digit: char| match digit.to_digit(10) {
                Some(worth) => char::from(b"jihgfedcba"[worth as usize]),
                None => digit,
            };
            format!("0{:02}{}~", 99_usize.saturating_sub(whole), magnitude.chars().map(letter).collect::<String>())
        }
        None => format!("1{whole:02}{}", decimal.shortest()),
    }
}

fn storage(declared: &str) -> Storage {
    let declared = declared.to_uppercase();
    let has = |word: &str| declared.contains(word);
    if has("BOOL") {
        Storage::Boolean
    } else if has("JSON") {
        Storage::Json
    } else if has("DECIMAL_TEXT") {
        Storage::Digits
    } else if has("CHAR") || has("CLOB") || has("TEXT") || has("DATE") || has("TIME") || has("UUID") {
        Storage::Text
    } else if has("INT") {
        Storage::Integer
    } else if declared.is_empty() {
        // What a view computes has no type; the options may say which it is.
        Storage::Text
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Storage::Float
    } else if has("BLOB") {
        Storage::Binary
    } else {
        Storage::Number
    }
}

fn kind(declared: &str, storage: Storage) -> FieldType {
    let declared = declared.to_uppercase();
    match storage {
        Storage::Text if declared.contains("DATETIME") || declared.contains("TIMESTAMP") => FieldType::DateTime,
        Storage::Text if declared.contains("DATE") => FieldType::Date,
        Storage::Text if declared.contains("TIME") => FieldType::Time,
        Storage::Text if declared.contains("UUID") => FieldType::Uuid,
        storage => storage.kind(),
    }
}

//! MariaDB, by the protocol of MySQL: loose comparisons, and no rows from a change.

use futures::TryStreamExt;
use remex_core::{Field, FieldType, IdKind};
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlQueryResult, MySqlRow};
use sqlx::pool::PoolOptions;
use sqlx::{Arguments, Executor, MySql, Row, ValueRef};

use super::{
    Facts, Fault, Found, Named, NewTable, Order, Pools, Rows, Syntax, create_statements, order_name, qualified,
};
use crate::cell::{Cell, Form, Storage};
use crate::limits::Limits;
use crate::sql::Executable;
use crate::table::{Column, Constraint};

impl Syntax for MySql {
    // 65,535 by the protocol.
    const BINDS_MAX: usize = 60_000;
    const RETURNS: bool = false;
    const BEGIN: &'static str = "START TRANSACTION";
    // Locks on the gaps between records would make two calls that look for a missing one wait for each other.
    const BEFORE_BEGIN: Option<&'static str> = Some("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
    // https://mariadb.com/kb/en/sql-mode/#no_auto_value_on_zero
    const ZERO_IS_AN_ID: Option<(&'static str, &'static str)> = Some((
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')",
        "SET SESSION sql_mode = REPLACE(@@sql_mode, 'NO_AUTO_VALUE_ON_ZERO', '')",
    ));
    const BEGIN_ISOLATED: &'static [&'static str] =
        &["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "START TRANSACTION"];
    const COUNTS_PAST_ALL: bool = true;
    const NO_LIMIT: &'static str = "18446744073709551615";
    const EXACT: &'static str = "utf8mb4_nopad_bin";

    fn quote(name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn placeholder(_: usize, column: &Column) -> String {
        match column.storage {
            // A text beside one of these would be compared as text, or the day as a moment.
            Storage::Date => "CAST(? AS DATE)",
            Storage::Time => "CAST(? AS TIME(6))",
            Storage::DateTime => "CAST(? AS DATETIME(6))",
            Storage::Decimal => "CAST(? AS DECIMAL(65,30))",
            _ => "?",
        }
        .to_owned()
    }

    fn placeholder_compared(position: usize, column: &Column) -> String {
        match column.storage {
            Storage::Digits => "CAST(? AS DECIMAL(65,30))".to_owned(),
            _ => Self::placeholder(position, column),
        }
    }

    fn read(column: &Column) -> String {
        let name = &column.quoted;
        match column.storage {
            Storage::Time => format!("TIME_FORMAT({name}, '%H:%i:%s.%f')"),
            // These travel as bytes, or as a type of their own.
            Storage::Boolean | Storage::Unsigned if column.declared.starts_with("bit") => {
                format!("CAST({name} AS UNSIGNED)")
            }
            Storage::Integer if column.declared.starts_with("year") => format!("CAST({name} AS SIGNED)"),
            Storage::Date => format!("DATE_FORMAT({name}, '%Y-%m-%d')"),
            Storage::DateTime => format!("DATE_FORMAT({name}, '%Y-%m-%dT%H:%i:%s.%fZ')"),
            Storage::Uuid | Storage::Decimal | Storage::Set | Storage::Other => format!("CAST({name} AS CHAR)"),
            _ => name.clone(),
        }
    }

    fn compare(column: &Column) -> String {
        let name = &column.quoted;
        match column.storage {
            Storage::Digits => match &column.order {
                Some(order) => order.clone(),
                None => format!("CAST({name} AS DECIMAL(65,30))"),
            },
            storage => match (storage, column.collation) {
                (Storage::Text, Some(exact)) => format!("CONVERT({name} USING utf8mb4) COLLATE {exact}"),
                // The order of MariaDB's own type is another one.
                (Storage::Uuid | Storage::Other, Some(exact)) => format!("CAST({name} AS CHAR) COLLATE {exact}"),
                _ => name.clone(),
            },
        }
    }

    fn adapt(column: &Column, cell: Cell) -> Cell {
        match (column.storage, cell) {
            // Zones are not read in a moment; all are in UTC here.
            (Storage::DateTime, Cell::Text(text)) => Cell::Text(text.trim_end_matches('Z').replace('T', " ")),
            (_, cell) => cell,
        }
    }

    fn add(arguments: &mut Self::Arguments, cell: Cell) -> Result<(), BoxDynError> {
        match cell {
            Cell::Null(_) => arguments.add(None::<i64>),
            Cell::Bool(flag) => arguments.add(flag),
            Cell::Int(number) => arguments.add(number),
            Cell::UInt(number) => arguments.add(number),
            Cell::Float(number) => arguments.add(number),
            Cell::Text(text) => arguments.add(text),
            Cell::Bytes(bytes) => arguments.add(bytes),
        }
    }

    fn cell(row: &MySqlRow, position: usize, form: Form) -> Result<Cell, sqlx::Error> {
        if row.try_get_raw(position)?.is_null() {
            return Ok(Cell::Null(form));
        }
        Ok(match form {
            Form::Bool => Cell::Bool(row.try_get_unchecked::<i64, _>(position)? != 0),
            Form::Int => Cell::Int(row.try_get_unchecked(position)?),
            Form::UInt => Cell::UInt(row.try_get_unchecked(position)?),
            Form::Float => Cell::Float(row.try_get_unchecked(position)?),
            Form::Text => Cell::Text(row.try_get_unchecked(position)?),
            Form::Bytes => Cell::Bytes(row.try_get_unchecked(position)?),
        })
    }

    fn run<'c>(connection: &'c mut MySqlConnection, statement: Executable<Self>) -> Rows<'c, Self> {
        connection.fetch_many(statement)
    }

    fn last_id(result: &MySqlQueryResult) -> i64 {
        i64::try_from(result.last_insert_id()).unwrap_or(0)
    }

    async fn inspect(connection: &mut MySqlConnection, name: &str) -> Result<Option<Facts>, sqlx::Error> {
        let (schema, table) = match name.split_once('.') {
            Some((schema, table)) => (Some(schema), table),
            None => (None, name),
        };
        let columns: Vec<ColumnRow> = sqlx::query_as(
            "SELECT CAST(column_name AS CHAR), LOWER(CAST(data_type AS CHAR)), CAST(column_type AS CHAR), \
                    is_nullable = 'YES', \
                    column_default IS NOT NULL OR extra LIKE '%auto_increment%', LOWER(CAST(extra AS CHAR)), \
                    CAST(COALESCE(collation_name, '') AS CHAR), column_key = 'PRI' \
             FROM information_schema.columns \
             WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY ordinal_position",
        )
        .bind(schema)
        .bind(table)
        .fetch(&mut *connection)
        .try_collect()
        .await?;
        if columns.is_empty() {
            return Ok(None);
        }
        let uniques: Vec<(String, String)> = sqlx::query_as(
            "SELECT CAST(index_name AS CHAR), CAST(column_name AS CHAR) FROM information_schema.statistics \
             WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND non_unique = 0 \
             AND column_name IS NOT NULL ORDER BY index_name, seq_in_index",
        )
        .bind(schema)
        .bind(table)
        .fetch(&mut *connection)
        .try_collect()
        .await?;
        let references: Vec<(String, String)> = sqlx::query_as(
            "SELECT CAST(constraint_name AS CHAR), CAST(column_name AS CHAR) FROM information_schema.key_column_usage \
             WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND referenced_table_name IS NOT NULL \
             ORDER BY constraint_name, ordinal_position",
        )
        .bind(schema)
        .bind(table)
        .fetch(&mut *connection)
        .try_collect()
        .await?;
        let exact = Self::exact_collation(&mut *connection).await?;
        // MariaDB keeps JSON as text that a rule checks, and tells the rules of one table without a look at all others. MySQL
        // has a type for it.
        let mut checks: Vec<(String,)> = Vec::new();
        if exact == Self::EXACT {
            checks = sqlx::query_as(
                "SELECT CAST(check_clause AS CHAR) FROM information_schema.check_constraints \
                 WHERE constraint_schema = COALESCE(?, DATABASE()) AND table_name = ?",
            )
            .bind(schema)
            .bind(table)
            .fetch(&mut *connection)
            .try_collect()
            .await?;
        }
        let is_json = |name: &str| {
            let rule = format!("json_valid({})", Self::quote(name));
            checks
                .iter()
                .any(|(check,)| check.trim_matches(['(', ')']).trim().eq_ignore_ascii_case(rule.trim_matches(')')))
        };
        // What a table hides is no field; a column that it computes for the order of another belongs to that one.
        let (hidden, columns): (Vec<ColumnRow>, Vec<_>) =
            columns.into_iter().partition(|(_, _, _, _, _, extra, _, key)| extra.contains("invisible") && !key);
        let order = |name: &str| {
            let order = order_name(name);
            hidden.iter().any(|(hidden, ..)| *hidden == order).then(|| Self::quote(&order))
        };
        let columns = columns
            .into_iter()
            .map(|(name, data_type, declared, nullable, default, extra, collation, key)| {
                let (storage, limits) = storage(&data_type, &declared);
                let storage = if is_json(&name) { Storage::Json } else { storage };
                let declared = declared.to_lowercase();
                let ascii = collation.starts_with("ascii_") && collation.ends_with("bin");
                // So UUIDs and decimals are kept in tables of this crate, and hardly anything else is.
                let uuid = ascii && declared == "char(36)";
                let storage = if ascii && declared == DIGITS { Storage::Digits } else { storage };
                let column = Column {
                    kind: if uuid { FieldType::Uuid } else { storage.kind() },
                    nullable,
                    default: default.then(|| "DEFAULT".to_owned()),
                    generated: extra.contains("generated") && !extra.contains("default_generated"),
                    collation: (!uuid && collation != exact).then_some(exact),
                    order: order(&name),
                    limits: if uuid || storage == Storage::Digits { Limits::None } else { limits },
                    ..Column::new::<Self>(&name, storage, declared)
                };
                Found { column, key }
            })
            .collect::<Vec<_>>();
        // A column that is computed for the order of another stands for that one.
        let uniques = uniques.into_iter().map(|(name, column)| {
            let ordered = columns.iter().find(|found| order_name(&found.column.name) == column);
            (name, ordered.map_or(column, |found| found.column.name.to_string()))
        });
        let uniques = Constraint::grouped(uniques);
        let references = Constraint::grouped(references);
        Ok(Some(Facts { quoted: qualified::<Self>(name), columns, uniques, references, counter: None }))
    }

    async fn exact_collation(connection: &mut MySqlConnection) -> Result<&'static str, sqlx::Error> {
        let known: Vec<(String,)> = sqlx::query_as(
            "SELECT CAST(collation_name AS CHAR) FROM information_schema.collations \
             WHERE collation_name IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')",
        )
        .fetch(connection)
        .try_collect()
        .await?;
        // MySQL has the other one from 8.0.17 on: https://dev.mysql.com/doc/refman/8.4/en/charset-binary-collations.html
        let is_known = known.iter().any(|(name,)| name == Self::EXACT);
        Ok(if is_known || known.is_empty() { Self::EXACT } else { "utf8mb4_0900_bin" })
    }

    fn create_table(table: &NewTable<'_>) -> Vec<String> {
        let exact = table.collation;
        let uuid = "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin";
        let text = |name: &str| format!("{name} CHARACTER SET utf8mb4 COLLATE {exact}");
        let id_type = match table.id_kind {
            IdKind::Integer => "BIGINT AUTO_INCREMENT PRIMARY KEY".to_owned(),
            IdKind::Uuid => format!("{uuid} PRIMARY KEY"),
            IdKind::ObjectId | IdKind::Text => format!("{} PRIMARY KEY", text("VARCHAR(255)")),
        };
        let type_of = |kind, indexed: bool| match kind {
            FieldType::Boolean => "TINYINT(1)".to_owned(),
            FieldType::Integer => "BIGINT".to_owned(),
            FieldType::Number => "DOUBLE".to_owned(),
            // DECIMAL would fill up with zeros: the digits are kept, and compared as a DECIMAL.
            FieldType::Decimal => format!("{DIGITS} CHARACTER SET ascii COLLATE ascii_bin"),
            // As long as an index can be.
            FieldType::Text if indexed => text("VARCHAR(768)"),
            FieldType::Text => text("LONGTEXT"),
            FieldType::Date => "DATE".to_owned(),
            FieldType::Time => "TIME(6)".to_owned(),
            FieldType::DateTime => "DATETIME(6)".to_owned(),
            FieldType::Uuid => uuid.to_owned(),
            FieldType::Binary => "LONGBLOB".to_owned(),
            FieldType::Json => "JSON".to_owned(),
        };
        let order_of = |field: &Field| match field.kind {
            FieldType::Decimal => {
                let (name, order) = (Self::quote(&field.name), Self::quote(&order_name(&field.name)));
                Order::Column(format!(
                    "{order} DECIMAL(65,30) GENERATED ALWAYS AS (CAST({name} AS DECIMAL(65,30))) VIRTUAL INVISIBLE"
                ))
            }
            _ => Order::Itself,
        };
        create_statements::<Self>(table, &id_type, "JSON", type_of, order_of, " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4")
    }

    /// See [Server Error Codes](https://mariadb.com/kb/en/mariadb-error-code-reference/).
    fn fault(error: &dyn DatabaseError) -> Fault {
        let number = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map_or(0, |error| error.number());
        // The last thing in quotes that a message names: "Duplicate entry 'x' for key 'people_email_unique'".
        let named = || error.message().rsplit('\'').nth(1).map(str::to_owned);
        // "Column 'name' cannot be null", or, behind a value that was sent, "… for column `db`.`table`.`name` at row 1".
        let column = || {
            let message = error.message();
            let name = match message.rsplit_once(" for column ") {
                Some((_, rest)) => rest.rsplit_once(" at row ").map_or(rest, |(name, _)| name).rsplit('.').next()?,
                None => message.split('\'').nth(1)?,
            };
            Some(name.trim_matches(['\'', '`']).to_owned())
        };
        // "CONSTRAINT `name` failed for `db`.`table`"; that of a column is `table.column`.
        let rule = || Some(error.message().split('`').nth(1)?.rsplit('.').next()?.to_owned());
        match number {
            1062 | 1586 => {
                let name = named().unwrap_or_default();
                Fault::Unique(Named::Index(name.rsplit('.').next().unwrap_or_default().to_owned()))
            }
            1216 | 1217 | 1451 | 1452 => {
                // "… (`db`.`table`, CONSTRAINT `name` FOREIGN KEY …"
                let name = error.message().split_once("CONSTRAINT `").and_then(|(_, rest)| rest.split_once('`'));
                Fault::Reference(name.map(|(name, _)| name.to_owned()))
            }
            1048 | 1364 => Fault::Required(column()),
            3819 | 4025 => Fault::Check(rule()),
            // What a trigger of the table refuses.
            1644 => Fault::Check(None),
            1264 | 1406 | 1292 | 1366 => Fault::TooLarge(column()),
            // What an ENUM or a SET does not have.
            1265 => Fault::Check(column()),
            1205 | 1213 | 1020 => Fault::Again,
            // 1461: as many statements are prepared as the server allows.
            1040 | 1053 | 1461 | 1077 | 1079 | 2002 | 2003 | 2006 | 2013 => Fault::Away,
            _ => Fault::Other,
        }
    }

    async fn connect(url: &str, options: PoolOptions<Self>) -> Result<Pools<Self>, sqlx::Error> {
        let connect: MySqlConnectOptions = url.parse()?;
        // To forget a statement costs 40 ms over TCP: the driver says so in a packet of its own, and what comes behind it
        // waits until the server has acknowledged that. So more are kept than the driver would; but the server has 16,382 for
        // everybody's connections together (`max_prepared_stmt_count`).
        let pool = options.connect_with(connect.statement_cache_capacity(STATEMENTS)).await?;
        Ok((pool.clone(), pool))
    }
}

/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 200;

/// Name, type, type with its size, whether it may be null, whether it has a default, what else, collation, whether it is
/// of the key.
type ColumnRow = (String, String, String, bool, bool, String, String, bool);

/// The type of a column that keeps the digits of decimals: 35 before the point and 30 behind it, with point and sign.
const DIGITS: &str = "varchar(67)";

/// Tells how a type is kept and what it takes: `decimal(12,4)`, `int(10) unsigned`, `enum('a','b')`.
fn storage(data_type: &str, declared: &str) -> (Storage, Limits) {
    let size = declared.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(size, _)| size);
    let mut sizes = size.split(',').filter_map(|number| number.trim().parse::<i64>().ok());
    let unsigned = declared.to_lowercase().contains("unsigned");
    let integers = |bits: u32| match unsigned {
        true => Limits::Integers(0, u64::MAX >> (64 - bits)),
        false => Limits::Integers(i64::MIN >> (64 - bits), u64::MAX >> (65 - bits)),
    };
    let limits = match (data_type, sizes.next(), sizes.next()) {
        ("tinyint", ..) => integers(8),
        ("smallint", ..) => integers(16),
        ("mediumint", ..) => integers(24),
        ("int", ..) => integers(32),
        ("bigint", ..) => integers(64),
        ("bit", Some(bits @ 2..=64), _) => Limits::Integers(0, u64::MAX >> (64 - bits)),
        // Smaller numbers would be taken for short forms of years: 26 for 2026.
        ("year", ..) => Limits::Integers(1901, 2155),
        ("decimal", Some(precision), scale) => Limits::Digits(precision, scale.unwrap_or(0)),
        ("char" | "varchar", Some(length), _) => Limits::Characters(usize::try_from(length).unwrap_or(usize::MAX)),
        ("enum" | "set", ..) => Limits::Names(names(declared)),
        _ => Limits::None,
    };
    (kept_as(data_type, declared, unsigned), limits)
}

/// Reads the names in `enum('a','b''c')`.
fn names(declared: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = declared.split_once('(').map_or("", |(_, rest)| rest);
    while let Some((_, quoted)) = rest.split_once('\'') {
        let mut name = String::new();
        rest = quoted;
        while let Some((part, behind)) = rest.split_once('\'') {
            name.push_str(part);
            rest = behind;
            // Two of them are one that belongs to the name.
            match behind.strip_prefix('\'') {
                Some(behind) => {
                    name.push('\'');
                    rest = behind;
                }
                None => break,
            }
        }
        names.push(name);
    }
    names
}

fn kept_as(data_type: &str, declared: &str, unsigned: bool) -> Storage {
    match data_type {
        "tinyint" if declared.starts_with("tinyint(1)") => Storage::Boolean,
        "bit" if declared.starts_with("bit(1)") => Storage::Boolean,
        "bit" => Storage::Unsigned,
        "year" => Storage::Integer,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" if unsigned => Storage::Unsigned,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Storage::Integer,
        "float" => Storage::Single,
        "double" => Storage::Float,
        "decimal" => Storage::Decimal,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Storage::Text,
        "date" => Storage::Date,
        "time" => Storage::Time,
        "set" => Storage::Set,
        "datetime" | "timestamp" => Storage::DateTime,
        "uuid" => Storage::Uuid,
        "json" => Storage::Json,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Storage::Binary,
        _ => Storage::Other,
    }
}

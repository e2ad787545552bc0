//! What differs between databases, each in a file of its own.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;

use futures::stream::BoxStream;
use remex_core::{Direction, Field, FieldType, IdKind};
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::pool::PoolOptions;

use crate::cell::{Cell, Form};
use crate::query::Piece;
use crate::sql::Executable;
use crate::table::{Column, Constraint, Table};

/// A database that [`SqlService`](crate::SqlService) speaks to: `Sqlite`, `Postgres` or `MySql` (MariaDB), by their
/// features.
///
/// It is sealed: a further database is a change of this crate.
#[allow(private_bounds, reason = "what a dialect must say is this crate's own matter")]
pub trait Dialect: Syntax {}

impl<DB: Syntax> Dialect for DB {}

/// What the database tells of a column.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) column: Column,
    pub(crate) key: bool,
}

/// What the database tells of a table.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) quoted: String,
    pub(crate) columns: Vec<Found>,
    pub(crate) uniques: Vec<Constraint>,
    pub(crate) references: Vec<Constraint>,
    pub(crate) counter: Option<String>,
}

/// A table that is to be made.
#[derive(Debug)]
pub(crate) struct NewTable<'a> {
    pub(crate) name: &'a str,
    pub(crate) id: &'a str,
    pub(crate) id_kind: IdKind,
    pub(crate) fields: Vec<&'a Field>,
    /// Fields with an index, and whether it is unique.
    pub(crate) indexes: Vec<(&'a Field, bool)>,
    /// The collation in which text compares by code point, where the database has to be told.
    pub(crate) collation: &'static str,
    pub(crate) body: Option<&'a str>,
}

/// What kind of fault a database's error is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another record holds what must be unique: by the name of the index, or by columns.
    Unique(Named),
    /// A record that is referred to is not there, or one that is referred to is to go: by the name of the reference, where it
    /// is one of this table.
    Reference(Option<String>),
    /// A column may not be null.
    Required(Option<String>),
    /// A rule of the table does not hold.
    Check(Option<String>),
    /// A value is too long or too large for its column.
    TooLarge(Option<String>),
    /// Nothing was done, and the same may succeed now.
    Again,
    /// A statement was prepared before the table was altered.
    Stale,
    /// The database is not there, or has no room for one more.
    Away,
    /// Something else.
    Other,
}

/// How a database names what must be unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Index(String),
    Columns(Vec<String>),
}

/// What a dialect says.
pub(crate) trait Syntax: sqlx::Database {
    /// How many values one statement may have.
    const BINDS_MAX: usize;
    /// Whether `UPDATE` and `DELETE` answer rows, and an insert can leave what is there alone.
    const RETURNS: bool;
    /// What begins a transaction that writes.
    const BEGIN: &'static str = "BEGIN";
    /// What is to be said before that, if anything.
    const BEFORE_BEGIN: Option<&'static str> = None;
    /// What begins a transaction across services: what it reads holds until its end, or the database undoes it.
    const BEGIN_ISOLATED: &'static [&'static str];
    /// What makes a query lock the rows that it finds.
    const LOCK: &'static str = " FOR UPDATE";
    /// Whether the database makes ids past every one that is given, even where hardly any are left then.
    const COUNTS_PAST_ALL: bool = false;
    /// What lets an insert give an id that the database would otherwise always choose.
    const OVERRIDING: &'static str = "";
    /// What lets the database choose an id in an insert.
    const DEFAULT_ID: &'static str = "DEFAULT";
    /// What lets an id of zero be one, and what makes it mean "choose one" again, where it does.
    const ZERO_IS_AN_ID: Option<(&'static str, &'static str)> = None;
    /// The collation that compares text by code point.
    const EXACT: &'static str;
    /// What stands for a limit where there is an offset and no limit.
    const NO_LIMIT: &'static str;

    /// Writes a name so that it can be nothing else.
    fn quote(name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// Writes where a value goes that is of no column.
    fn placeholder_plain(position: usize) -> String {
        let _ = position;
        "?".to_owned()
    }

    /// Writes where a value goes, as one of the column.
    fn placeholder(position: usize, column: &Column) -> String {
        let _ = (position, column);
        "?".to_owned()
    }

    /// Writes where a value goes that is compared with [`compare`](Self::compare).
    fn placeholder_compared(position: usize, column: &Column) -> String {
        Self::placeholder(position, column)
    }

    /// Writes what reads a column in its form.
    fn read(column: &Column) -> String {
        column.quoted.clone()
    }

    /// Writes what a column is compared by: exact text, whatever its collation.
    fn compare(column: &Column) -> String {
        column.quoted.clone()
    }

    /// Writes a key of an order, null first where it ascends.
    fn order(expression: &str, nullable: bool, direction: Direction) -> String {
        let _ = nullable;
        match direction {
            Direction::Ascending => expression.to_owned(),
            Direction::Descending => format!("{expression} DESC"),
        }
    }

    /// Writes the operator that matches a pattern, and the pattern.
    fn pattern(pieces: &[Piece]) -> (&'static str, &'static str, String) {
        ("LIKE", " ESCAPE '|'", like(pieces))
    }

    /// Writes a value as the database reads it in this column.
    fn adapt(column: &Column, cell: Cell) -> Cell {
        let _ = column;
        cell
    }

    /// Writes a value as the database compares it with [`compare`](Self::compare).
    fn adapt_compared(column: &Column, cell: Cell) -> Cell {
        Self::adapt(column, cell)
    }

    /// Binds a value.
    fn add(arguments: &mut Self::Arguments, cell: Cell) -> Result<(), BoxDynError>;

    /// Reads a value.
    fn cell(row: &Self::Row, position: usize, form: Form) -> Result<Cell, sqlx::Error>;

    /// Runs a statement.
    fn run<'c>(connection: &'c mut Self::Connection, statement: Executable<Self>) -> Rows<'c, Self>;

    /// Tells the integer id that an insert made.
    fn last_id(result: &Self::QueryResult) -> i64 {
        let _ = result;
        0
    }

    /// Reads what the database knows of a table; `None` where there is no such table.
    fn inspect(
        connection: &mut Self::Connection,
        name: &str,
    ) -> impl Future<Output = Result<Option<Facts>, sqlx::Error>> + Send;

    /// Finds out which collation compares text by code point, where servers differ in that.
    fn exact_collation(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<&'static str, sqlx::Error>> + Send {
        let _ = connection;
        std::future::ready(Ok(Self::EXACT))
    }

    /// Writes the statements that make a table.
    fn create_table(table: &NewTable<'_>) -> Vec<String>;

    /// Tells what kind of fault an error is.
    fn fault(error: &dyn DatabaseError) -> Fault;

    /// Writes what takes the place of an id of integers in an insert, where the database is not to choose it.
    fn next_id(table: &Table) -> Option<String> {
        let _ = table;
        None
    }

    /// Returns whether the database makes an id for a record that comes without one.
    fn makes_ids(table: &Table) -> bool {
        let _ = table;
        true
    }

    /// Writes the statement that sees to it that an integer id, which is bound to it, is not made again.
    fn count_past(table: &Table) -> Option<String> {
        let _ = table;
        None
    }

    /// Opens pools: one for reading and one for writing, which may be the same.
    fn connect(url: &str, options: PoolOptions<Self>) -> impl Future<Output = Result<Pools<Self>, sqlx::Error>> + Send;
}

/// What a statement answers: rows, and how it ended.
pub(crate) type Rows<'c, DB> =
    BoxStream<'c, Result<sqlx::Either<<DB as sqlx::Database>::QueryResult, <DB as sqlx::Database>::Row>, sqlx::Error>>;

/// A pool for reading and one for writing.
pub(crate) type Pools<DB> = (sqlx::Pool<DB>, sqlx::Pool<DB>);

/// Writes a pattern of `LIKE` whose escape is `|`, which no dialect takes for anything else.
pub(crate) fn like(pieces: &[Piece]) -> String {
    let mut pattern = String::new();
    for piece in pieces {
        match piece {
            Piece::Any => pattern.push('%'),
            Piece::One => pattern.push('_'),
            Piece::Character(character) => {
                if matches!(character, '%' | '_' | '|') {
                    pattern.push('|');
                }
                pattern.push(*character);
            }
        }
    }
    pattern
}

/// Names the index over a field.
pub(crate) fn index_name(table: &str, field: &str, unique: bool) -> String {
    // Databases cut long names off, PostgreSQL at 63 bytes, so that two would become one.
    let kind = if unique { "unique" } else { "index" };
    let whole = format!("{table}_{field}_{kind}").replace('.', "_");
    if whole.len() <= 60 {
        return whole;
    }
    let hash = whole
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let start: String = whole.chars().filter(char::is_ascii).take(30).collect();
    format!("{start}_{hash:016x}")
}

/// Writes the statements that make a table, of what a dialect calls its types.
pub(crate) fn create_statements<DB: Syntax>(
    table: &NewTable<'_>,
    id_type: &str,
    body_type: &str,
    type_of: impl Fn(FieldType, bool) -> String,
    order_of: impl Fn(&Field) -> Order,
    tail: &str,
) -> Vec<String> {
    let name = qualified::<DB>(table.name);
    let mut columns = vec![format!("{} {id_type}", DB::quote(table.id))];
    for field in &table.fields {
        let indexed = table.indexes.iter().any(|(indexed, _)| indexed.name == field.name);
        let required = if field.required { " NOT NULL" } else { "" };
        columns.push(format!("{} {}{required}", DB::quote(&field.name), type_of(field.kind, indexed)));
        if let (true, Order::Column(definition)) = (indexed, order_of(field)) {
            columns.push(definition);
        }
    }
    columns.extend(table.body.map(|body| format!("{} {body_type}", DB::quote(body))));
    let mut statements = vec![format!("CREATE TABLE IF NOT EXISTS {name} ({}){tail}", columns.join(", "))];
    for (field, unique) in &table.indexes {
        let kind = if *unique { "UNIQUE INDEX" } else { "INDEX" };
        let index = DB::quote(&index_name(table.name, &field.name, *unique));
        let key = match order_of(field) {
            Order::Itself => DB::quote(&field.name),
            Order::Column(_) => DB::quote(&order_name(&field.name)),
            Order::Expression(expression) => expression,
        };
        statements.push(format!("CREATE {kind} {index} ON {name} ({key})"));
    }
    statements
}

/// What an index over a field is made of.
pub(crate) enum Order {
    /// The column itself.
    Itself,
    /// Another column, which is defined so and has the name of [`order_name`].
    Column(String),
    /// What this says of it.
    Expression(String),
}

/// Names the column that a database computes to compare and sort a field by.
pub(crate) fn order_name(field: &str) -> String {
    format!("{field}$order")
}

/// Writes the name of a table, which may have that of its schema before a dot.
pub(crate) fn qualified<DB: Syntax>(name: &str) -> String {
    name.splitn(2, '.').map(DB::quote).collect::<Vec<_>>().join(".")
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(name) => f.write_str(name),
            Self::Columns(names) => f.write_str(&names.join(", ")),
        }
    }
}

#[cfg(all(test, feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod tests {
    use remex_core::Fields;
    use sqlx::{MySql, Postgres, Sqlite};

    use super::*;

    fn check<DB: Syntax>(collation: &'static str, expected: &[&str]) {
        let fields = Fields::new()
            .required("name", FieldType::Text)
            .optional("price", FieldType::Decimal)
            .optional("wakes", FieldType::Time);
        let price = fields.find("price").expect("a field");
        let table = NewTable {
            name: "todos",
            id: "id",
            id_kind: IdKind::Text,
            fields: fields.iter().collect(),
            indexes: vec![(price, true)],
            body: None,
            collation,
        };
        assert_eq!(DB::create_table(&table), expected);
    }

    #[test]
    fn tables_are_made_for_each_database() {
        check::<Postgres>(
            Postgres::EXACT,
            &[
                "CREATE TABLE IF NOT EXISTS \"todos\" (\"id\" text COLLATE \"C\" PRIMARY KEY, \
                 \"name\" text COLLATE \"C\" NOT NULL, \"price\" numeric, \"wakes\" time)",
                "CREATE UNIQUE INDEX \"todos_price_unique\" ON \"todos\" (\"price\")",
            ],
        );
        // MariaDB's collation, and that of MySQL.
        for exact in ["utf8mb4_nopad_bin", "utf8mb4_0900_bin"] {
            let table = format!(
                "CREATE TABLE IF NOT EXISTS `todos` (`id` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE {exact} PRIMARY KEY, \
                 `name` LONGTEXT CHARACTER SET utf8mb4 COLLATE {exact} NOT NULL, \
                 `price` varchar(67) CHARACTER SET ascii COLLATE ascii_bin, \
                 `price$order` DECIMAL(65,30) GENERATED ALWAYS AS (CAST(`price` AS DECIMAL(65,30))) VIRTUAL INVISIBLE, \
                 `wakes` TIME(6)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
            );
            check::<MySql>(exact, &[&table, "CREATE UNIQUE INDEX `todos_price_unique` ON `todos` (`price$order`)"]);
        }
        let ordered = Sqlite::compare(&Column::new::<Sqlite>("price", crate::cell::Storage::Digits, "DECIMAL_TEXT"));
        check::<Sqlite>(
            Sqlite::EXACT,
            &[
                "CREATE TABLE IF NOT EXISTS \"todos\" (\"id\" TEXT PRIMARY KEY NOT NULL, \"name\" TEXT NOT NULL, \
                 \"price\" DECIMAL_TEXT, \"wakes\" TIME_TEXT)",
                // The same text that a condition has, so that SQLite uses the index for it.
                &format!("CREATE UNIQUE INDEX \"todos_price_unique\" ON \"todos\" ({ordered})"),
            ],
        );
    }
}

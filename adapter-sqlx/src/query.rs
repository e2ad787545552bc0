//! Filters, sorts and cursors as SQL. Pure: nothing here speaks to a database.
//!
//! A condition is judged here and not by the database: whether a value can be of the column's type at all, and what null
//! means. What is left for SQL are comparisons between values of one type. Negations are pushed down to the conditions,
//! so that SQL's "unknown" is never turned round.
//!
//! What SQL cannot say as the core's evaluator does (what is inside JSON, above all) becomes a condition that lets through
//! all that may match, and [`Extent::More`] says so: the records are then looked at again by the evaluator itself.

use remex_core::{Condition, Cursor, Decimal, Direction, FieldType, Filter, Plan, Value};

use crate::cell::{Cell, Storage, shortest, single};
use crate::dialect::Dialect;
use crate::sql::Sql;
use crate::table::{Column, Place, Table};

/// Whether what was written finds exactly what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The records that match.
    Exact,
    /// The records that match, and others.
    More,
}

impl Extent {
    pub(crate) fn is_exact(self) -> bool {
        self == Self::Exact
    }

    fn and(self, other: Self) -> Self {
        if self.is_exact() { other } else { self }
    }
}

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Any characters, or none.
    Any,
    /// One character.
    One,
    /// This character.
    Character(char),
}

/// For which of the values that are not null a condition holds.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    None,
    All,
    /// Those that compare so.
    Compared(Comparison, Cell),
    /// Those that are one of these, or none of them.
    OneOf(bool, Vec<Cell>),
    /// Those that match a pattern, or do not.
    Pattern(bool, Vec<Piece>),
    /// It cannot be said in SQL.
    Unsaid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    const fn negated(self) -> Self {
        match self {
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }
}

impl Test {
    fn negated(self) -> Self {
        match self {
            Self::None => Self::All,
            Self::All => Self::None,
            Self::Compared(comparison, cell) => Self::Compared(comparison.negated(), cell),
            Self::OneOf(is, cells) => Self::OneOf(!is, cells),
            Self::Pattern(is, pieces) => Self::Pattern(!is, pieces),
            Self::Unsaid => Self::Unsaid,
        }
    }

    const fn all_or_none(all: bool) -> Self {
        if all { Self::All } else { Self::None }
    }
}

/// A condition: what holds of values, and whether it holds of null.
struct Judged {
    test: Test,
    null: bool,
}

/// Adds what a filter says.
pub(crate) fn write_filter<DB: Dialect>(sql: &mut Sql<DB>, table: &Table, filter: &Filter) -> Extent {
    write(sql, table, filter, true)
}

fn write<DB: Dialect>(sql: &mut Sql<DB>, table: &Table, filter: &Filter, holds: bool) -> Extent {
    match (filter, holds) {
        (Filter::All, _) => constant(sql, holds),
        (Filter::Field(path, condition), _) => match table.place(path) {
            Place::Column(column) => {
                // More values than one statement may have are looked at by the evaluator.
                if sql.bound() + operands(condition) >= DB::BINDS_MAX {
                    return constant(sql, true).and(Extent::More);
                }
                let Judged { test, null } = judge(column, condition);
                let (test, null) = if holds { (test, null) } else { (test.negated(), !null) };
                write_test(sql, column, test, null)
            }
            Place::Inside => {
                sql.push("1 = 1");
                Extent::More
            }
            Place::Nowhere => {
                let judged = judge_null(condition);
                constant(sql, judged == holds)
            }
        },
        (Filter::Not(filter), _) => write(sql, table, filter, !holds),
        (Filter::And(filters), true) => write_all(sql, table, filters, true, " AND "),
        (Filter::And(filters), false) => write_all(sql, table, filters, false, " OR "),
        (Filter::Or(filters), true) => write_all(sql, table, filters, true, " OR "),
        (Filter::Or(filters), false) => write_all(sql, table, filters, false, " AND "),
        (Filter::Nor(filters), true) => write_all(sql, table, filters, false, " AND "),
        (Filter::Nor(filters), false) => write_all(sql, table, filters, true, " OR "),
    }
}

fn write_all<DB: Dialect>(sql: &mut Sql<DB>, table: &Table, filters: &[Filter], holds: bool, between: &str) -> Extent {
    match filters {
        [] => constant(sql, between == " AND "),
        [one] => write(sql, table, one, holds),
        _ => {
            let mut extent = Extent::Exact;
            sql.push("(");
            sql.list(filters, between, |sql, filter| extent = extent.and(write(sql, table, filter, holds)));
            sql.push(")");
            extent
        }
    }
}

fn constant<DB: Dialect>(sql: &mut Sql<DB>, holds: bool) -> Extent {
    sql.push(if holds { "1 = 1" } else { "1 = 0" });
    Extent::Exact
}

fn operands(condition: &Condition) -> usize {
    match condition {
        Condition::In(values) | Condition::Nin(values) => values.len(),
        _ => 1,
    }
}

/// Judges a condition for a field that no record has.
fn judge_null(condition: &Condition) -> bool {
    match condition {
        Condition::Eq(value) | Condition::Gte(value) | Condition::Lte(value) => value.is_null(),
        Condition::Ne(value) => !value.is_null(),
        Condition::In(values) => values.iter().any(Value::is_null),
        Condition::Nin(values) => !values.iter().any(Value::is_null),
        Condition::Exists(wanted) => !wanted,
        Condition::Gt(_)
        | Condition::Lt(_)
        | Condition::Like(_)
        | Condition::StartsWith(_)
        | Condition::Contains(_) => false,
    }
}

fn judge(column: &Column, condition: &Condition) -> Judged {
    let test = match condition {
        // What JSON holds may be anything, null among it.
        _ if column.kind == FieldType::Json => return Judged { test: Test::Unsaid, null: true },
        Condition::Eq(value) => compared(column, Comparison::Equal, value),
        Condition::Ne(value) => compared(column, Comparison::Equal, value).negated(),
        Condition::Gt(value) => compared(column, Comparison::Greater, value),
        Condition::Gte(value) => compared(column, Comparison::GreaterOrEqual, value),
        Condition::Lt(value) => compared(column, Comparison::Less, value),
        Condition::Lte(value) => compared(column, Comparison::LessOrEqual, value),
        Condition::In(values) => one_of(column, values),
        Condition::Nin(values) => one_of(column, values).negated(),
        Condition::Exists(wanted) => Test::all_or_none(*wanted),
        Condition::Like(pattern) => matched(column, pieces(pattern)),
        Condition::StartsWith(start) => matched(column, characters(start).chain([Piece::Any]).collect()),
        Condition::Contains(part) => {
            matched(column, [Piece::Any].into_iter().chain(characters(part)).chain([Piece::Any]).collect())
        }
    };
    Judged { test, null: judge_null(condition) }
}

fn characters(text: &str) -> impl Iterator<Item = Piece> {
    text.chars().map(Piece::Character)
}

/// Reads a pattern of the query language.
fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let piece = match character {
            '%' => Piece::Any,
            '_' => Piece::One,
            '\\' => Piece::Character(characters.next().unwrap_or('\\')),
            other => Piece::Character(other),
        };
        // A row of them matches what one does, and makes some databases try every way of sharing.
        if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
            pieces.push(piece);
        }
    }
    pieces
}

fn matched(column: &Column, pieces: Vec<Piece>) -> Test {
    /// SQLite takes patterns of up to 50,000 bytes, and each character may take three.
    const PIECES_MAX: usize = 8_000;
    match column.kind {
        FieldType::Boolean | FieldType::Integer | FieldType::Number | FieldType::Decimal => Test::None,
        _ if pieces == [Piece::Any] => Test::All,
        FieldType::Text if column.storage == Storage::Text && pieces.len() <= PIECES_MAX && !holds_nul(&pieces) => {
            Test::Pattern(true, pieces)
        }
        _ => Test::Unsaid,
    }
}

fn holds_nul(pieces: &[Piece]) -> bool {
    pieces.contains(&Piece::Character('\0'))
}

fn one_of(column: &Column, values: &[Value]) -> Test {
    let mut cells = Vec::new();
    for value in values {
        match compared(column, Comparison::Equal, value) {
            Test::Compared(_, cell) => cells.push(cell),
            Test::None => {}
            _ => return Test::Unsaid,
        }
    }
    if cells.is_empty() { Test::None } else { Test::OneOf(true, cells) }
}

/// Judges a comparison with values of the column that are not null.
fn compared(column: &Column, comparison: Comparison, value: &Value) -> Test {
    match (column.kind, value) {
        (FieldType::Boolean, Value::Bool(flag)) => Test::Compared(comparison, Cell::Bool(*flag)),
        (FieldType::Integer | FieldType::Number, Value::Int(_) | Value::UInt(_) | Value::Float(_)) => {
            number(column.storage, comparison, value)
        }
        // Only the program can say so: whoever asks from outside has the type of the field.
        (FieldType::Integer | FieldType::Number, Value::Decimal(decimal)) => match decimal.shortest().parse::<i64>() {
            Ok(whole) => number(column.storage, comparison, &Value::Int(whole)),
            Err(_) => Test::Unsaid,
        },
        (FieldType::Decimal, Value::Decimal(decimal)) => decimal_test(column, comparison, decimal),
        (FieldType::Decimal, Value::Int(number)) => decimal_test(column, comparison, &Decimal::from(*number)),
        (FieldType::Decimal, Value::UInt(number)) => decimal_test(column, comparison, &Decimal::from(*number)),
        // One that is certain to be what was written is a decimal by now.
        (FieldType::Decimal, Value::Float(_)) => Test::Unsaid,
        (
            FieldType::Text
            | FieldType::Date
            | FieldType::Time
            | FieldType::DateTime
            | FieldType::Uuid
            | FieldType::Binary,
            Value::Text(text),
        ) => text_like(column, comparison, text),
        // Values of two kinds are neither equal nor before or behind one another.
        _ => Test::None,
    }
}

fn decimal_test(column: &Column, comparison: Comparison, decimal: &Decimal) -> Test {
    // What a database is given to compare with has to fit its own widest type.
    let value = Value::from(decimal.clone());
    let kept = FieldType::Decimal.keep(value).and_then(|value| Cell::of(column.storage, &value));
    kept.map_or(Test::Unsaid, |cell| Test::Compared(comparison, cell))
}

fn text_like(column: &Column, comparison: Comparison, text: &str) -> Test {
    let equality = matches!(comparison, Comparison::Equal | Comparison::Unequal);
    match Cell::of(column.storage, &Value::from(text)) {
        _ if text.contains('\0') && equality => Test::None,
        _ if text.contains('\0') => Test::Unsaid,
        // UUIDs may be kept in a character set that has no other letters.
        _ if column.kind == FieldType::Uuid && !text.is_ascii() => {
            if equality {
                Test::None
            } else {
                Test::Unsaid
            }
        }
        // Bytes are ordered in another way than the text that stands for them, and that text has one form only.
        Some(cell) if column.storage == Storage::Binary && equality => {
            let same = matches!(&cell, Cell::Bytes(bytes) if base64_of(bytes) == text);
            if same { Test::Compared(comparison, cell) } else { Test::None }
        }
        Some(Cell::Text(kept)) if matches!(column.storage, Storage::Text | Storage::Other) || kept == text => {
            Test::Compared(comparison, Cell::Text(kept))
        }
        // It is no value of the column, so it equals none; but text has its order among the texts that they are.
        _ if equality && column.storage != Storage::Binary => Test::None,
        _ => Test::Unsaid,
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Judges a comparison of numbers without rounding either side.
fn number(storage: Storage, comparison: Comparison, value: &Value) -> Test {
    if let Some(cell) = Cell::of(storage, value) {
        return Test::Compared(comparison, cell);
    }
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Unequal};
    // The value lies between two that the column can hold, or beyond all of them: which is the one below?
    let below = match (storage, value) {
        (Storage::Float | Storage::Single, value) => {
            // The nearest float, which may be on either side.
            let (near, worth) = match storage {
                Storage::Single => (single(value), single(value).map(shortest)),
                _ => (value.as_f64(), value.as_f64().map(Value::Float)),
            };
            let (Some(near), Some(worth)) = (near, worth) else { return Test::Unsaid };
            let above = worth.compare(value).is_gt();
            return match (comparison, above) {
                (Equal, _) => Test::None,
                (Unequal, _) => Test::All,
                (Less | LessOrEqual, true) => Test::Compared(Less, Cell::Float(near)),
                (Less | LessOrEqual, false) => Test::Compared(LessOrEqual, Cell::Float(near)),
                (Greater | GreaterOrEqual, true) => Test::Compared(GreaterOrEqual, Cell::Float(near)),
                (Greater | GreaterOrEqual, false) => Test::Compared(Greater, Cell::Float(near)),
            };
        }
        // Floats are among the values, or integers past those of 64 bits with a sign.
        (Storage::Number, _) => return Test::Unsaid,
        (Storage::Unsigned, Value::Float(number)) if *number >= BEYOND => return Test::Unsaid,
        (_, Value::Float(number)) => floor(*number),
        (_, value) => {
            // Past the largest integer that fits, or below the smallest.
            if value.compare(&Value::Int(0)).is_gt() { Floor::All } else { Floor::None }
        }
    };
    match (comparison, below) {
        (Equal, Floor::Between(_) | Floor::All | Floor::None) => Test::None,
        (Unequal, Floor::Between(_) | Floor::All | Floor::None) => Test::All,
        (Less | LessOrEqual, Floor::Between(number)) => Test::Compared(LessOrEqual, Cell::Int(number)),
        (Greater | GreaterOrEqual, Floor::Between(number)) => Test::Compared(Greater, Cell::Int(number)),
        (comparison, Floor::At(number)) => Test::Compared(comparison, Cell::Int(number)),
        (Less | LessOrEqual, Floor::All) | (Greater | GreaterOrEqual, Floor::None) => Test::All,
        (Less | LessOrEqual, Floor::None) | (Greater | GreaterOrEqual, Floor::All) => Test::None,
    }
}

/// Where a float lies among the integers of 64 bits.
enum Floor {
    /// At this one.
    At(i64),
    /// Between this one and the next.
    Between(i64),
    /// Behind all.
    All,
    /// Before all.
    None,
}

/// 2^63, the first float past every `i64`.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

fn floor(number: f64) -> Floor {
    if number >= BEYOND {
        return Floor::All;
    }
    if number < -BEYOND {
        return Floor::None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "whole and within the bounds above")]
    let below = number.floor() as i64;
    if number.fract() == 0.0 { Floor::At(below) } else { Floor::Between(below) }
}

fn write_test<DB: Dialect>(sql: &mut Sql<DB>, column: &Column, test: Test, null: bool) -> Extent {
    let null = null && column.nullable;
    match test {
        Test::None if null => {
            sql.push(&column.quoted).push(" IS NULL");
        }
        Test::None => {
            sql.push("1 = 0");
        }
        Test::All if null || !column.nullable => {
            sql.push("1 = 1");
        }
        Test::All => {
            sql.push(&column.quoted).push(" IS NOT NULL");
        }
        Test::Unsaid => {
            sql.push("1 = 1");
            return Extent::More;
        }
        test => {
            if null {
                sql.push("(").push(&column.quoted).push(" IS NULL OR ");
            }
            write_values(sql, column, test);
            if null {
                sql.push(")");
            }
        }
    }
    Extent::Exact
}

fn write_values<DB: Dialect>(sql: &mut Sql<DB>, column: &Column, test: Test) {
    let exact = DB::compare(column);
    match test {
        Test::Compared(comparison, cell) => {
            let equality = matches!(comparison, Comparison::Equal | Comparison::Unequal);
            let side = if column.own_order && !equality { &column.quoted } else { &exact };
            sql.push(side).push(" ").push(comparison.sign()).push(" ");
            sql.bind_compared(column, cell);
        }
        Test::OneOf(is, cells) => {
            sql.push(&exact).push(if is { " IN (" } else { " NOT IN (" });
            sql.list(cells, ", ", |sql, cell| {
                sql.bind_compared(column, cell);
            });
            sql.push(")");
        }
        Test::Pattern(is, pieces) => {
            let (operator, tail, pattern) = DB::pattern(&pieces);
            sql.push(&exact).push(if is { " " } else { " NOT " }).push(operator).push(" ");
            sql.bind_compared(column, Cell::Text(pattern)).push(tail);
        }
        Test::None | Test::All | Test::Unsaid => {}
    }
}

/// Adds the order of a plan, ties by id; or says that SQL cannot say it, and adds nothing.
pub(crate) fn write_order<DB: Dialect>(sql: &mut Sql<DB>, table: &Table, plan: &Plan<'_>) -> Extent {
    let Some(keys) = sort_keys(table, plan) else { return Extent::More };
    sql.push(" ORDER BY ");
    let id = table.id();
    let by_id = !keys.iter().any(|(column, _)| column.name == id.name);
    let all = keys.into_iter().chain(by_id.then_some((id, Direction::Ascending)));
    sql.list(all, ", ", |sql, (column, direction)| {
        let exact = if column.own_order { column.quoted.clone() } else { DB::compare(column) };
        sql.push(&DB::order(&exact, column.nullable, direction));
    });
    Extent::Exact
}

/// Returns the columns that a plan sorts by, unless one of its keys is none. Fields that no record has order nothing.
fn sort_keys<'t>(table: &'t Table, plan: &Plan<'_>) -> Option<Vec<(&'t Column, Direction)>> {
    let mut keys = Vec::with_capacity(plan.sort.len());
    for key in plan.sort {
        match table.place(&key.path) {
            Place::Column(column) if sorts_as_its_text(column) => keys.push((column, key.direction)),
            Place::Column(_) | Place::Inside => return None,
            Place::Nowhere => {}
        }
    }
    Some(keys)
}

/// Whether the database's order of a column is that of the values that stand for it.
fn sorts_as_its_text(column: &Column) -> bool {
    column.kind != FieldType::Json && column.storage != Storage::Binary
}

/// Adds that a record comes behind the place where a page ended; or says that SQL cannot, and adds nothing.
pub(crate) fn write_after<DB: Dialect>(
    sql: &mut Sql<DB>,
    table: &Table,
    plan: &Plan<'_>,
    cursor: &Cursor,
) -> Option<()> {
    let mut keys: Vec<(&Column, Direction, &Value)> = Vec::new();
    for (key, value) in plan.sort.iter().zip(cursor.values()) {
        match table.place(&key.path) {
            Place::Column(column) if sorts_as_its_text(column) => {
                let typed = value.is_null() || Cell::of(column.storage, value).is_some();
                // A cursor that this service did not give may hold anything; the evaluator knows what it means.
                typed.then(|| keys.push((column, key.direction, value)))?;
            }
            _ => return None,
        }
    }
    Cell::of(table.id().storage, cursor.id()).filter(|cell| !matches!(cell, Cell::Null(_)))?;
    keys.push((table.id(), Direction::Ascending, cursor.id()));
    sql.push("(");
    sql.list(0..keys.len(), " OR ", |sql, last| {
        sql.push("(");
        sql.list(keys[..=last].iter().enumerate(), " AND ", |sql, (position, (column, direction, value))| {
            write_key(sql, column, *direction, value, position == last);
        });
        sql.push(")");
    });
    sql.push(")");
    Some(())
}

fn write_key<DB: Dialect>(sql: &mut Sql<DB>, column: &Column, direction: Direction, value: &Value, behind: bool) {
    let (test, null) = match (value.is_null(), behind, direction) {
        (true, false, _) => (Test::None, true),
        (true, true, Direction::Ascending) => (Test::All, false),
        (true, true, Direction::Descending) => (Test::None, false),
        (false, false, _) => (compared(column, Comparison::Equal, value), false),
        (false, true, Direction::Ascending) => (compared(column, Comparison::Greater, value), false),
        (false, true, Direction::Descending) => (compared(column, Comparison::Less, value), true),
    };
    write_test(sql, column, test, null);
}

#[cfg(all(test, feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod tests {
    use remex_core::{Description, Intent, Options, Params, Path, Query};
    use sqlx::{MySql, Postgres, Sqlite};

    use crate::dialect::Syntax as _;

    use super::*;

    /// A table with a column of every kind that matters, all text in a collation of its own.
    fn table<DB: Dialect>(collation: &'static str) -> Table {
        let column = |name: &str, storage: Storage, declared: &str, nullable| Column {
            nullable,
            collation: Some(collation),
            ..Column::new::<DB>(name, storage, declared)
        };
        Table {
            name: "people".to_owned(),
            quoted: DB::quote("people"),
            columns: vec![
                column("id", Storage::Integer, "bigint", false),
                column("name", Storage::Text, "text", true),
                column("age", Storage::Integer, "integer", true),
                column("admin", Storage::Boolean, "boolean", true),
                column("seen", Storage::DateTime, "timestamp with time zone", true),
                column("tags", Storage::Json, "jsonb", true),
                column("price", Storage::Decimal, "numeric", true),
                column("wakes", Storage::Time, "time without time zone", true),
                column("ratio", Storage::Single, "real", true),
            ],
            body: None,
            uniques: Vec::new(),
            references: Vec::new(),
            counter: None,
        }
    }

    fn filter_text<DB: Dialect>(filter: &Filter) -> (String, usize, Extent) {
        let mut sql = Sql::<DB>::new("");
        let extent = write_filter(&mut sql, &table::<DB>(DB::EXACT), filter);
        let (text, cells) = sql.parts();
        (text.to_owned(), cells.len(), extent)
    }

    /// Checks the text of SQLite, PostgreSQL and MySQL in turn.
    #[track_caller]
    fn check(filter: Filter, expected: [&str; 3]) {
        let found = [filter_text::<Sqlite>(&filter), filter_text::<Postgres>(&filter), filter_text::<MySql>(&filter)];
        for ((text, _, extent), expected) in found.iter().zip(expected) {
            assert_eq!((text.as_str(), *extent), (expected, Extent::Exact), "{filter}");
        }
    }

    #[test]
    fn conditions_are_written_for_each_database() {
        check(Filter::All, ["1 = 1"; 3]);
        check(
            Filter::eq("name", "x"),
            [
                "\"name\" COLLATE BINARY = ?",
                "\"name\" COLLATE \"C\" = $1",
                "CONVERT(`name` USING utf8mb4) COLLATE utf8mb4_nopad_bin = ?",
            ],
        );
        check(
            Filter::ne("age", 5),
            [
                "(\"age\" IS NULL OR \"age\" <> ?)",
                "(\"age\" IS NULL OR \"age\" <> $1)",
                "(`age` IS NULL OR `age` <> ?)",
            ],
        );
        check(Filter::ne("id", 5), ["\"id\" <> ?", "\"id\" <> $1", "`id` <> ?"]);
        check(
            Filter::is_in("age", [Value::Null, 1.into(), "x".into(), 2.into()]),
            [
                "(\"age\" IS NULL OR \"age\" IN (?, ?))",
                "(\"age\" IS NULL OR \"age\" IN ($1, $2))",
                "(`age` IS NULL OR `age` IN (?, ?))",
            ],
        );
        check(
            Filter::gt("seen", "2026-11-22T04:34:02.000000Z"),
            ["\"seen\" COLLATE BINARY > ?", "\"seen\" > $1::timestamptz", "`seen` > CAST(? AS DATETIME(6))"],
        );
        check(
            Filter::starts_with("name", "a_%*"),
            [
                "\"name\" COLLATE BINARY GLOB ?",
                "\"name\" COLLATE \"C\" LIKE $1 ESCAPE '|'",
                "CONVERT(`name` USING utf8mb4) COLLATE utf8mb4_nopad_bin LIKE ? ESCAPE '|'",
            ],
        );
    }

    #[test]
    fn decimals_and_times_of_day_are_compared_as_what_they_are() {
        let price = |text: &str| Value::from(Decimal::new(text).expect("a decimal"));
        // SQLite has no decimals: how it compares their digits is below.
        for (filter, postgres, mysql) in [
            (Filter::gt("price", price("9.5")), "\"price\" > $1::numeric", "`price` > CAST(? AS DECIMAL(65,30))"),
            (Filter::eq("price", 10), "\"price\" = $1::numeric", "`price` = CAST(? AS DECIMAL(65,30))"),
        ] {
            assert_eq!(filter_text::<Postgres>(&filter), (postgres.to_owned(), 1, Extent::Exact));
            assert_eq!(filter_text::<MySql>(&filter), (mysql.to_owned(), 1, Extent::Exact));
        }
        check(
            Filter::lt("wakes", "04:34:02.000000"),
            ["\"wakes\" COLLATE BINARY < ?", "\"wakes\" < $1::time without time zone", "`wakes` < CAST(? AS TIME(6))"],
        );
        for filter in [Filter::eq("price", "abc"), Filter::like("price", "1%"), Filter::eq("wakes", "soon")] {
            check(filter, ["1 = 0"; 3]);
        }
        let filter = Filter::gt("price", 1e300);
        assert_eq!(filter_text::<Postgres>(&filter), ("1 = 1".to_owned(), 0, Extent::More));
        // A float of 32 bits is the number that its shortest digits are.
        check(Filter::eq("ratio", 0.123_456_789), ["1 = 0"; 3]);
        check(Filter::eq("ratio", 0.1), ["\"ratio\" = ?", "\"ratio\" = $1", "`ratio` = ?"]);
    }

    fn digits_text<DB: Dialect>() -> String {
        let column = Column { nullable: false, ..Column::new::<DB>("price", Storage::Digits, "") };
        let mut sql = Sql::<DB>::new("");
        let nine = Value::from(Decimal::new("-9.50").expect("a decimal"));
        write_test(&mut sql, &column, compared(&column, Comparison::Less, &nine), false);
        format!("{} {:?}", sql.parts().0, sql.parts().1)
    }

    #[test]
    fn digits_are_compared_as_decimals_where_there_are_none() {
        assert_eq!(
            digits_text::<MySql>(),
            "CAST(`price` AS DECIMAL(65,30)) < CAST(? AS DECIMAL(65,30)) [Text(\"-9.50\")]"
        );
        let text = digits_text::<Sqlite>();
        assert!(text.starts_with("(CASE WHEN substr(\"price\", 1, 1) = '-' THEN '0' || "), "{text}");
        assert!(text.ends_with(" END) < ? [Text(\"098a.e~\")]"), "{text}");
    }

    #[test]
    fn what_is_read_does_not_take_the_name_of_its_column() {
        let read = |storage, declared: &str| Postgres::read(&Column::new::<Postgres>("price", storage, declared));
        assert_eq!(read(Storage::Decimal, "numeric"), "\"price\"::text AS \"?column?\"");
        assert_eq!(read(Storage::Text, "text"), "\"price\"");
    }

    #[test]
    fn mysql_compares_text_by_a_collation_of_its_own() {
        let mut sql = Sql::<MySql>::new("");
        write_filter(&mut sql, &table::<MySql>("utf8mb4_0900_bin"), &Filter::eq("name", "x"));
        assert_eq!(sql.parts().0, "CONVERT(`name` USING utf8mb4) COLLATE utf8mb4_0900_bin = ?");
    }

    #[test]
    fn negations_reach_the_conditions() {
        let both = Filter::gt("age", 18).and(Filter::lt("age", 30));
        check(
            !both,
            [
                "((\"age\" IS NULL OR \"age\" <= ?) OR (\"age\" IS NULL OR \"age\" >= ?))",
                "((\"age\" IS NULL OR \"age\" <= $1) OR (\"age\" IS NULL OR \"age\" >= $2))",
                "((`age` IS NULL OR `age` <= ?) OR (`age` IS NULL OR `age` >= ?))",
            ],
        );
        check(!Filter::Or(vec![]), ["1 = 1"; 3]);
        check(!Filter::And(vec![]), ["1 = 0"; 3]);
        check(
            Filter::Nor(vec![Filter::eq("age", Value::Null)]),
            ["\"age\" IS NOT NULL", "\"age\" IS NOT NULL", "`age` IS NOT NULL"],
        );
    }

    #[test]
    fn what_cannot_be_of_the_type_is_no_matter_for_the_database() {
        for filter in [
            Filter::gt("age", "a"),
            Filter::eq("name", 0),
            Filter::eq("admin", 1),
            Filter::eq("age", 2.5),
            Filter::eq("age", Value::UInt(u64::MAX)),
            Filter::like("age", "%"),
        ] {
            check(filter, ["1 = 0"; 3]);
        }
        check(Filter::gt("age", 2.5), ["\"age\" > ?", "\"age\" > $1", "`age` > ?"]);
        check(Filter::lt("age", 1e300), ["\"age\" IS NOT NULL", "\"age\" IS NOT NULL", "`age` IS NOT NULL"]);
    }

    #[test]
    fn what_is_inside_json_lets_through_all_that_may_match() {
        for filter in [Filter::eq("tags", "x"), Filter::ne("tags.a", 1), !Filter::exists("tags", true)] {
            assert_eq!(filter_text::<Sqlite>(&filter), ("1 = 1".to_owned(), 0, Extent::More));
        }
        let both = Filter::eq("age", 1).and(Filter::eq("tags", "x"));
        assert_eq!(filter_text::<Sqlite>(&both), ("(\"age\" = ? AND 1 = 1)".to_owned(), 1, Extent::More));
    }

    #[test]
    fn no_text_of_a_caller_becomes_text_of_a_statement() {
        let mark = "mark'\"`;--";
        let path = Path::new(mark).expect("a path");
        for filter in [
            Filter::eq("name", mark),
            Filter::like("name", mark),
            Filter::is_in("name", [mark]),
            Filter::eq("seen", mark),
            Filter::Field(path, Condition::Eq(mark.into())),
        ] {
            for text in
                [filter_text::<Sqlite>(&filter).0, filter_text::<Postgres>(&filter).0, filter_text::<MySql>(&filter).0]
            {
                assert!(!text.contains("mark"), "{text}");
            }
        }
    }

    fn page_text<DB: Dialect>(query: Query) -> Option<String> {
        let description = Description::new(Options::new("people")).expect("options");
        let params = Params::from(query);
        let plan = description.plan(Intent::Index, &params).expect("a plan");
        let (mut sql, table) = (Sql::<DB>::new(""), table::<DB>(DB::EXACT));
        if let Some(cursor) = plan.after {
            write_after(&mut sql, &table, &plan, cursor)?;
        }
        write_order(&mut sql, &table, &plan).is_exact().then(|| sql.parts().0.to_owned())
    }

    #[test]
    fn orders_and_places_are_written_for_each_database() {
        let by_age = || Query::new().sort_descending("age");
        assert_eq!(page_text::<Sqlite>(by_age()).as_deref(), Some(" ORDER BY \"age\" DESC, \"id\""));
        assert_eq!(page_text::<Postgres>(by_age()).as_deref(), Some(" ORDER BY \"age\" DESC NULLS LAST, \"id\""));
        assert_eq!(page_text::<MySql>(by_age()).as_deref(), Some(" ORDER BY `age` DESC, `id`"));
        assert_eq!(page_text::<Sqlite>(Query::new().sort("tags")), None);
        let record = remex_core::Document::new().with("id", 7).with("age", 30);
        let behind = by_age().after(Cursor::behind(&record, &by_age().sort, "id"));
        assert_eq!(
            page_text::<Sqlite>(behind).as_deref(),
            Some("(((\"age\" IS NULL OR \"age\" < ?)) OR (\"age\" = ? AND \"id\" > ?)) ORDER BY \"age\" DESC, \"id\"")
        );
    }
}

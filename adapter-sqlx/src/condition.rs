//! [`SqlCondition`]: what the query language cannot say, in SQL.

use remex_core::{Error, Result, Value};

use crate::cell::{Cell, Form};
use crate::dialect::Dialect;
use crate::sql::Sql;

/// A condition in SQL that a program adds to a service, for what the query language cannot say; see
/// [`SqlService::filtered`](crate::SqlService::filtered).
///
/// The text is the program's own, known when it is compiled: what comes from anybody else goes into the values, which are
/// bound where the text has a `?`. Two of them (`??`) are one question mark, for the operators of PostgreSQL that have
/// it. Columns are named as in the table.
///
/// ```
/// use remex_sqlx::SqlCondition;
///
/// # fn example(name: &str) -> remex_core::Result<SqlCondition> {
/// let alike = SqlCondition::new("lower(name) = lower(?)", [name.into()])?;
/// # Ok(alike)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqlCondition {
    /// The text before, between and behind the values.
    pieces: Vec<String>,
    cells: Vec<Cell>,
}

impl SqlCondition {
    /// Makes a condition of a text and the values that are bound to it.
    ///
    /// Values are bound as what they are: integers as ones of 64 bits, lists and documents as JSON text. Where the
    /// database needs another type, the text says so: `CAST(? AS uuid)`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](remex_core::ErrorKind::Internal) where the text has another number of places than there are
    /// values.
    pub fn new(text: &'static str, values: impl IntoIterator<Item = Value>) -> Result<Self> {
        let mut pieces = vec![String::new()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match (character, pieces.last_mut()) {
                ('?', _) if characters.next_if_eq(&'?').is_none() => pieces.push(String::new()),
                (character, Some(piece)) => piece.push(character),
                (_, None) => {}
            }
        }
        let cells: Vec<Cell> = values.into_iter().map(cell).collect();
        if cells.len() + 1 != pieces.len() {
            let (places, values) = (pieces.len() - 1, cells.len());
            return Err(Error::internal(format!("`{text}` has places for {places} values, and there are {values}")));
        }
        Ok(Self { pieces, cells })
    }

    /// Adds the condition to a statement.
    pub(crate) fn write<DB: Dialect>(&self, sql: &mut Sql<DB>) {
        sql.push("(");
        for (position, piece) in self.pieces.iter().enumerate() {
            sql.push(piece);
            if let Some(cell) = self.cells.get(position) {
                sql.bind_plain(cell.clone());
            }
        }
        sql.push(")");
    }
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null(Form::Text),
        Value::Bool(flag) => Cell::Bool(flag),
        Value::Int(number) => Cell::Int(number),
        Value::UInt(number) => Cell::UInt(number),
        Value::Float(number) => Cell::Float(number),
        Value::Text(text) => Cell::Text(text.to_string()),
        other => Cell::Text(other.to_string()),
    }
}

#[cfg(all(test, feature = "postgres", feature = "sqlite"))]
mod tests {
    use sqlx::{Postgres, Sqlite};

    use super::*;

    #[test]
    fn values_are_bound_in_their_places() {
        let condition = SqlCondition::new("a = ? AND tags ??| b AND c < ?", [1.into(), "x".into()]).expect("sound");
        let mut sql = Sql::<Postgres>::new("WHERE ");
        condition.write(&mut sql);
        assert_eq!(sql.parts().0, "WHERE (a = $1 AND tags ?| b AND c < $2)");
        let mut sql = Sql::<Sqlite>::new("WHERE ");
        condition.write(&mut sql);
        assert_eq!(sql.parts(), ("WHERE (a = ? AND tags ?| b AND c < ?)", &[Cell::Int(1), Cell::Text("x".into())][..]));
    }

    #[test]
    fn places_and_values_are_counted() {
        assert!(SqlCondition::new("a = ?", []).is_err());
        assert!(SqlCondition::new("a = 1", [1.into()]).is_err());
        assert!(SqlCondition::new("a = 1", []).is_ok());
    }
}

//! [`Sql`]: the text of a statement and what is bound to it.

use std::fmt;
use std::marker::PhantomData;

use sqlx::AssertSqlSafe;

use crate::cell::Cell;
use crate::dialect::Dialect;
use crate::table::Column;

/// The text of a statement and what is bound to it.
///
/// The text is made of words of this crate, and of names and types that the database told of its own table. What a caller
/// says is always bound.
pub(crate) struct Sql<DB> {
    text: String,
    cells: Vec<Cell>,
    dialect: PhantomData<fn() -> DB>,
}

/// What the driver is given: text, and arguments for a prepared statement.
pub(crate) type Executable<DB> = (AssertSqlSafe<String>, Option<<DB as sqlx::Database>::Arguments>);

impl<DB: Dialect> Sql<DB> {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), cells: Vec::new(), dialect: PhantomData }
    }

    /// Makes a statement whose text has the places of its values already.
    pub(crate) fn with_cells(text: impl Into<String>, cells: Vec<Cell>) -> Self {
        Self { text: text.into(), cells, dialect: PhantomData }
    }

    /// Puts text before all other, in which no value has its place.
    pub(crate) fn prefix(&mut self, text: &str) -> &mut Self {
        self.text.insert_str(0, text);
        self
    }

    /// Adds text that is no caller's.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a value, as one of this column.
    pub(crate) fn bind(&mut self, column: &Column, cell: Cell) -> &mut Self {
        self.cells.push(DB::adapt(column, cell));
        let placeholder = DB::placeholder(self.cells.len(), column);
        self.text.push_str(&placeholder);
        self
    }

    /// Adds a value that a column is compared with.
    pub(crate) fn bind_compared(&mut self, column: &Column, cell: Cell) -> &mut Self {
        self.cells.push(DB::adapt_compared(column, cell));
        let placeholder = DB::placeholder_compared(self.cells.len(), column);
        self.text.push_str(&placeholder);
        self
    }

    /// Adds a value that is of no column.
    pub(crate) fn bind_plain(&mut self, cell: Cell) -> &mut Self {
        self.cells.push(cell);
        let placeholder = DB::placeholder_plain(self.cells.len());
        self.text.push_str(&placeholder);
        self
    }

    /// Adds parts with something between them.
    pub(crate) fn list<I: IntoIterator>(&mut self, items: I, between: &str, mut each: impl FnMut(&mut Self, I::Item)) {
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.text.push_str(between);
            }
            each(self, item);
        }
    }

    /// Returns how many values are bound.
    pub(crate) fn bound(&self) -> usize {
        self.cells.len()
    }

    #[cfg(test)]
    pub(crate) fn parts(&self) -> (&str, &[Cell]) {
        (&self.text, &self.cells)
    }

    /// Hands the statement to the driver. This is the only place where text becomes a statement.
    pub(crate) fn into_executable(self) -> Result<Executable<DB>, sqlx::Error> {
        let mut arguments = DB::Arguments::default();
        for cell in self.cells {
            DB::add(&mut arguments, cell).map_err(sqlx::Error::Encode)?;
        }
        Ok((AssertSqlSafe(self.text), Some(arguments)))
    }
}

impl<DB> Clone for Sql<DB> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), cells: self.cells.clone(), dialect: PhantomData }
    }
}

impl<DB> fmt::Debug for Sql<DB> {
    /// Values are left out: they are the callers'.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sql").field("text", &self.text).finish_non_exhaustive()
    }
}

//! [`Table`] and [`Column`]: what is known of the table since the start.

use std::sync::Arc;

use remex_core::{Document, FieldType, Path, Shape, Text, Value};

use crate::cell::{Cell, Storage, shortest};
use crate::dialect::Dialect;
use crate::limits::{self, Limits};

/// A column, and how its values go in and out.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// The name, which is the field's.
    pub(crate) name: Text,
    /// The name as it stands in statements.
    pub(crate) quoted: String,
    /// What the field holds.
    pub(crate) kind: FieldType,
    /// How the database keeps it.
    pub(crate) storage: Storage,
    /// The type as the database writes it.
    pub(crate) declared: String,
    /// Whether it may be null.
    pub(crate) nullable: bool,
    /// What stands in a statement for the value that the column has by itself, if it has one.
    pub(crate) default: Option<String>,
    /// Whether the database computes it.
    pub(crate) generated: bool,
    /// What makes text in it compare by code point, where it does otherwise by itself: the name of a collation.
    pub(crate) collation: Option<&'static str>,
    /// What the column is compared and sorted by, where the table has another column for that.
    pub(crate) order: Option<String>,
    /// What it takes of the values that its storage could keep.
    pub(crate) limits: Limits,
    /// Whether text is ordered as the column's collation says.
    pub(crate) own_order: bool,
}

impl Column {
    /// Makes a column that may be null and has no more to say.
    pub(crate) fn new<DB: Dialect>(name: &str, storage: Storage, declared: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            quoted: DB::quote(name),
            kind: storage.kind(),
            storage,
            declared: declared.into(),
            nullable: true,
            default: None,
            generated: false,
            collation: None,
            order: None,
            limits: Limits::None,
            own_order: false,
        }
    }

    /// Turns a value into what the column keeps of it.
    ///
    /// # Errors
    /// Says what is wrong with a value that the column cannot keep without loss.
    pub(crate) fn cell(&self, value: &Value) -> Result<Cell, String> {
        match (&self.limits, self.storage) {
            (Limits::Elements(element), Storage::Array) => element.array(value),
            (Limits::Names(names), Storage::Set) => limits::set(names, value),
            (limits, storage) => {
                limits.check(value)?;
                Cell::of(storage, value).ok_or_else(|| "cannot be kept in its column without loss".to_owned())
            }
        }
    }

    /// Turns what the database answered into a value of the field.
    pub(crate) fn value(&self, cell: Cell) -> remex_core::Result<Value> {
        match (&self.limits, self.storage, cell) {
            (Limits::Elements(element), Storage::Array, Cell::Text(json)) => element.values(&json),
            (_, Storage::Set, Cell::Text(names)) => {
                Ok(names.split(',').filter(|name| !name.is_empty()).collect::<Vec<_>>().into())
            }
            (_, Storage::Single, Cell::Float(number)) => Ok(shortest(number)),
            (_, _, cell) => cell.into_value(self.kind),
        }
    }
}

/// What the table holds its records to, a unique index or a reference: its name, and its columns.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    /// The name of the index or constraint.
    pub(crate) name: String,
    /// The columns.
    pub(crate) columns: Vec<String>,
}

/// Integer ids that callers make up are counted past up to this one, or to half of those that the column takes: a single one
/// of them cannot use up all that the database would make.
const COUNTED_MAX: i64 = 1 << 52;

impl Table {
    /// Returns the largest id past which the database is made to count.
    pub(crate) fn counted_max(&self) -> i64 {
        self.id_half().min(COUNTED_MAX)
    }

    /// Returns half of the largest id that the column takes.
    pub(crate) fn id_half(&self) -> i64 {
        match self.id().limits {
            Limits::Integers(_, max) => i64::try_from(max / 2).unwrap_or(i64::MAX),
            _ => i64::MAX / 2,
        }
    }
}

impl Constraint {
    /// Collects the columns of each, of names and columns that stand together.
    pub(crate) fn grouped(pairs: impl IntoIterator<Item = (String, String)>) -> Vec<Self> {
        let mut constraints: Vec<Self> = Vec::new();
        for (name, column) in pairs {
            match constraints.last_mut().filter(|last| last.name == name) {
                Some(last) => last.columns.push(column),
                None => constraints.push(Self { name, columns: vec![column] }),
            }
        }
        constraints
    }
}

/// What is known of the table since the start.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The name of the service, for messages.
    pub(crate) name: String,
    /// The table as it stands in statements.
    pub(crate) quoted: String,
    /// The columns, that of the id first.
    pub(crate) columns: Vec<Column>,
    /// Which column holds the fields that have none of their own.
    pub(crate) body: Option<usize>,
    pub(crate) uniques: Vec<Constraint>,
    /// What refers to records of other tables, and other rules that name their columns.
    pub(crate) references: Vec<Constraint>,
    /// What is needed to see to it that ids which callers made up are not made again; by the dialect.
    pub(crate) counter: Option<String>,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// All that a column holds.
    Column(&'a Column),
    /// Something inside a column of JSON.
    Inside,
    /// Nothing: there is no such field.
    Nowhere,
}

/// Which columns are read, and into what.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) columns: Vec<usize>,
    pub(crate) shape: Arc<Shape>,
}

impl Table {
    pub(crate) fn id(&self) -> &Column {
        &self.columns[0]
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        let is_body = |position| self.body == Some(position);
        let mut columns = self.columns.iter().enumerate();
        columns.find(|(position, column)| column.name == name && !is_body(*position)).map(|(_, column)| column)
    }

    pub(crate) fn body(&self) -> Option<&Column> {
        self.body.map(|position| &self.columns[position])
    }

    pub(crate) fn place(&self, path: &Path) -> Place<'_> {
        match (self.column(path.first()), self.body()) {
            (Some(column), _) if path.first() == path.as_str() => Place::Column(column),
            (Some(column), _) if column.kind == FieldType::Json => Place::Inside,
            (None, Some(_)) => Place::Inside,
            _ => Place::Nowhere,
        }
    }

    /// Reads all columns.
    pub(crate) fn whole(&self) -> Reading {
        self.reading((0..self.columns.len()).collect())
    }

    /// Reads the columns that some paths need, and the id.
    pub(crate) fn some<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> Reading {
        let mut needed = vec![false; self.columns.len()];
        needed[0] = true;
        for path in paths {
            let own = self.columns.iter().position(|column| column.name == path.first());
            if let Some(position) = own.filter(|own| self.body != Some(*own)).or(self.body) {
                needed[position] = true;
            }
        }
        self.reading((0..self.columns.len()).filter(|position| needed[*position]).collect())
    }

    fn reading(&self, columns: Vec<usize>) -> Reading {
        let names = columns.iter().filter(|position| self.body != Some(**position));
        let empty: Document = names.map(|position| (self.columns[*position].name.clone(), Value::Null)).collect();
        Reading { columns, shape: empty.shape().clone() }
    }
}

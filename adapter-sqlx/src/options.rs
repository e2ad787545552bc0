//! [`SqlOptions`]: how a service behaves, and what of that only a table has.

use remex_core::{Fields, Options, Text};

/// How a service over a table behaves: the [`Options`] of every service, and what only a table has.
///
/// ```
/// use remex_core::{FieldType, Fields, Options};
/// use remex_sqlx::SqlOptions;
///
/// let fields = Fields::new().required("title", FieldType::Text).optional("done", FieldType::Boolean);
/// let options = SqlOptions::from(Options::new("todos").fields(fields).index("done")).create_table_if_missing(true);
/// ```
#[derive(Clone, Debug)]
pub struct SqlOptions {
    pub(crate) options: Options,
    pub(crate) create_table: bool,
    pub(crate) document_column: Option<Text>,
    pub(crate) text_order: TextOrder,
    /// The fields of the type of the records, where that tells them.
    pub(crate) type_fields: Option<Fields>,
}

/// The column for fields that have none of their own, in a table that is made without a word about fields.
pub(crate) const DOCUMENT_COLUMN: &str = "remex_document";

/// By what text is ordered and compared with `$lt` and its like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextOrder {
    /// By code point, as in every other store.
    #[default]
    CodePoint,
    /// By the collation of the column, which its indexes follow. Equality stays exact.
    Database,
}

impl From<Options> for SqlOptions {
    fn from(options: Options) -> Self {
        Self {
            options,
            create_table: false,
            document_column: None,
            text_order: TextOrder::default(),
            type_fields: None,
        }
    }
}

impl SqlOptions {
    /// Sets whether a table that is not there is made, of the fields and indexes that the options say; where they say no
    /// fields, of those of the type of the records, see [`Fields::of`]. Where neither tells, records may have any field: they
    /// go into a column of JSON named `remex_document`, by which the table is known again. Defaults to no: a missing table is
    /// then an error at start.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> remex_core::Result<()> {
    /// use remex_core::{Options, Params, Service};
    /// use remex_sqlx::{SqlOptions, SqlService, Sqlite};
    ///
    /// #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// struct Bird {
    ///     id: i64,
    ///     name: String,
    ///     wingspan: Option<f64>,
    /// }
    ///
    /// #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// struct NewBird {
    ///     name: String,
    /// }
    ///
    /// let options = SqlOptions::from(Options::new("birds").unique("name")).create_table_if_missing(true);
    /// let birds = SqlService::<Sqlite, Bird, NewBird>::connect("sqlite::memory:", options).await?;
    /// let wren = birds.create(NewBird { name: "Wren".to_owned() }, &Params::new()).await?;
    /// assert_eq!((wren.id, wren.wingspan), (1, None));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub const fn create_table_if_missing(mut self, create: bool) -> Self {
        self.create_table = create;
        self
    }

    /// Names a JSON column that holds every field that has no column of its own, so that records may have any fields.
    /// Defaults to none: the fields of a record are its columns, unless one of them is named `remex_document`.
    #[must_use]
    pub fn document_column(mut self, name: impl Into<Text>) -> Self {
        self.document_column = Some(name.into());
        self
    }

    /// Sets by what text is ordered. Defaults to [`TextOrder::CodePoint`].
    #[must_use]
    pub const fn text_order(mut self, order: TextOrder) -> Self {
        self.text_order = order;
        self
    }
}

//! [`Person`], the record that every case stores.

use remex_core::{FieldType, Fields, Value};
use serde::{Deserialize, Serialize};

/// Returns the fields of a [`Person`] with their types, all optional, without the id.
#[must_use]
pub fn people_fields() -> Fields {
    Fields::new()
        .optional("name", FieldType::Text)
        .optional("age", FieldType::Integer)
        .optional("admin", FieldType::Boolean)
        .optional("score", FieldType::Number)
        .optional("email", FieldType::Text)
        .optional("note", FieldType::Text)
        .optional("tags", FieldType::Json)
        .optional("address", FieldType::Json)
        .optional("born", FieldType::Date)
        .optional("seen", FieldType::DateTime)
        .optional("owner", FieldType::Integer)
        .optional("price", FieldType::Decimal)
        .optional("wakes", FieldType::Time)
}

/// The record that every case stores, as typed adapters keep it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The id: an integer or text, as the service's ids are.
    pub id: Value,
    /// Text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<i64>,
    /// A boolean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    /// A number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Text, unique in some cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Text, hidden from clients in some cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Anything that JSON can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Value>,
    /// Anything that JSON can say, an object as a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Value>,
    /// A day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<String>,
    /// A moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Whose record it is: what scopes are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<i64>,
    /// An exact decimal, where the fields are declared; callers may give a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Value>,
    /// A time of day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wakes: Option<String>,
    /// When it was made, where the service keeps times in snake case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed, where the service keeps times in snake case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// When it was made, where the service keeps times in camel case.
    #[serde(default, rename = "createdAt", skip_serializing_if = "Option::is_none")]
    pub created_at_camel: Option<String>,
    /// When it was last changed, where the service keeps times in camel case.
    #[serde(default, rename = "updatedAt", skip_serializing_if = "Option::is_none")]
    pub updated_at_camel: Option<String>,
}

/// What a [`Person`] is made from. Id and times are the service's, but callers may send them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// The id, where the caller chooses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Value>,
    /// Text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<i64>,
    /// A boolean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    /// A number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Text, unique in some cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Text, hidden from clients in some cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Anything that JSON can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Value>,
    /// Anything that JSON can say, an object as a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Value>,
    /// A day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<String>,
    /// A moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Whose record it is: what scopes are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<i64>,
    /// An exact decimal, where the fields are declared; callers may give a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Value>,
    /// A time of day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wakes: Option<String>,
    /// Not the caller's to say, and looked past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// Not the caller's to say, and looked past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Not the caller's to say, and looked past.
    #[serde(default, rename = "createdAt", skip_serializing_if = "Option::is_none")]
    pub created_at_camel: Option<String>,
    /// Not the caller's to say, and looked past.
    #[serde(default, rename = "updatedAt", skip_serializing_if = "Option::is_none")]
    pub updated_at_camel: Option<String>,
}

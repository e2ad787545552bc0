#![doc = include_str!("../README.md")]

mod answer;
mod app;
mod call;
mod data;
mod description;
mod document;
mod error;
mod field;
mod fit;
mod function;
mod id;
mod json;
mod map;
mod method;
mod options;
mod page;
mod params;
mod path;
mod plan;
mod query;
mod serde_value;
mod service;
mod service_ext;
mod shape;
mod typed;
mod value;

pub use async_trait::async_trait;

pub use answer::write_record;
pub use app::{App, Match, Mount};
pub use call::{Answer, Call, Patch, Stored};
pub use data::NewRecord;
pub use description::Description;
pub use document::{DEPTH_MAX, Document};
pub use error::{Error, ErrorKind, FieldError, Result};
pub use field::{Field, FieldType, Fields};
pub use function::FnService;
pub use id::{ID_BYTES_MAX, Id};
pub use json::{read_json, write_json_text};
pub use map::Map;
pub use method::{Method, MethodSet};
pub use options::{AllowQuery, ClientIds, IdKind, Index, Missing, Options, Paginate, Timestamps};
pub use page::{Page, PageInfo};
pub use params::{Params, Provider, RouteValues};
pub use path::{PATH_BYTES_MAX, PATH_NAMES_MAX, Path};
pub use plan::{Intent, Plan};
pub use query::{
    Coerce, Condition, Cursor, Direction, Filter, IntoPath, Query, QueryBounds, QuerySyntax, Sort, compare_by,
};
pub use serde_value::read_fields;
pub use service::{DynService, Service};
pub use service_ext::ServiceExt;
pub use shape::Shape;
pub use typed::{Typed, Untyped};
pub use value::{Text, Value};

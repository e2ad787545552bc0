#![doc = include_str!("../README.md")]

mod answer;
mod app;
mod call;
mod data;
mod decimal;
mod description;
mod document;
mod error;
mod event;
mod field;
mod fit;
mod function;
mod headers;
mod hook;
mod id;
mod id_as;
mod json;
mod map;
mod method;
mod object_id;
mod options;
mod output;
mod page;
mod params;
mod path;
mod pattern;
mod plan;
mod query;
mod record;
mod serde_value;
mod service;
mod service_ext;
mod shape;
mod shield;
mod silent;
mod site;
mod transaction;
mod typed;
mod untyped;
mod value;

pub use async_trait::async_trait;

pub use answer::write_record;
pub use app::{App, AppService, Match, Mount};
pub use call::{Answer, Call, Operation, Patch, Stored};
pub use data::NewRecord;
pub use decimal::Decimal;
pub use description::Description;
pub use document::{DEPTH_MAX, Document};
pub use error::{Error, ErrorKind, FieldError, Result};
pub use event::{EVENTS_WAITING, Event, Received, Subscription};
pub use field::{Field, FieldType, Fields};
pub use function::FnService;
pub use headers::Headers;
pub use hook::{
    AppContext, AroundHook, DETACHED_MAX, Hook, HookContext, HookFuture, HookKind, HookSet, HookSlot, Hooked, Hooks,
    NESTING_MAX, Next, finish_detached_hooks,
};
pub use id::{ID_BYTES_MAX, Id};
pub use id_as::IdAs;
pub use json::{read_json, write_json_text};
pub use map::Map;
pub use method::{Method, MethodSet};
pub use options::{AllowQuery, ClientIds, IdKind, Index, Missing, Options, Paginate, Timestamps};
pub use output::{Output, perform};
pub use page::{Page, PageInfo};
pub use params::{ClientAddress, Params, Provider, RouteValues};
pub use path::{PATH_BYTES_MAX, PATH_NAMES_MAX, Path};
pub use plan::{Intent, Plan};
pub use query::{
    Coerce, Condition, Cursor, Direction, Filter, IntoPath, Query, QueryBounds, QuerySyntax, Sort, compare_by,
};
pub use serde_value::read_fields;
pub use service::{DynService, Service};
pub use service_ext::ServiceExt;
pub use shape::Shape;
pub use shield::{Shield, detached, finish_detached};
pub use silent::Silent;
pub use site::Site;
pub use transaction::{TRANSACTION_ATTEMPTS, Transaction, TransactionPart, back_off};
pub use typed::Typed;
pub use untyped::Untyped;
pub use value::{Text, Value};

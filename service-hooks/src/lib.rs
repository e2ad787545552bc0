#![doc = include_str!("../README.md")]

mod condition;
mod disallow;
mod fields;
mod owner;
mod program;
mod time_fields;

pub use condition::{for_clients, when};
pub use disallow::{disallow, disallow_from};
pub use fields::{keep_data, keep_result, strip_data, strip_result};
pub use owner::Owner;
pub use time_fields::TimeFields;

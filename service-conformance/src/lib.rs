#![doc = include_str!("../README.md")]

mod backend;
mod case;
mod cases;
mod check;
mod entrance;
mod harness;
mod person;
mod suite;

pub use backend::{Backend, RecordKind};
pub use case::{Case, Failed, Need, Outcome};
pub use cases::cases;
pub use entrance::{Direct, Entrance, Hooked, Mounted, Pointers, Views, in_process};
pub use harness::run;
pub use person::{NewPerson, Person, people_fields};
pub use suite::{People, Suite};

//! The route table: which verb at which place is which method of a service.

use http::Method as Verb;
use remex_core::{Description, IdKind, Method, MethodSet};

use super::place::Place;

/// What a request asks of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Index,
    Count,
    Read,
    /// One record or, with a list as the body, many.
    Create,
    Modify,
    ModifyMany,
    Update,
    Remove,
    RemoveMany,
    /// `OPTIONS`: which verbs there are.
    Options,
    /// A verb that the place does not have, or a method that the service does not offer.
    NotAllowed,
}

/// The last segment of the path under which records are counted.
const COUNT: &str = "_count";

impl Action {
    /// Decides what a verb means at a place.
    pub(crate) fn of(verb: &Verb, place: &Place, description: &Description) -> Self {
        let action = match place {
            Place::Collection => match *verb {
                Verb::GET | Verb::HEAD => Self::Index,
                Verb::POST => Self::Create,
                Verb::PATCH => Self::ModifyMany,
                Verb::DELETE => Self::RemoveMany,
                Verb::OPTIONS => Self::Options,
                _ => Self::NotAllowed,
            },
            Place::Record(id) if id.as_str() == COUNT => match *verb {
                Verb::GET | Verb::HEAD => Self::Count,
                Verb::OPTIONS => Self::Options,
                _ => Self::NotAllowed,
            },
            Place::Record(id) => match *verb {
                Verb::GET | Verb::HEAD => Self::Read,
                Verb::POST | Verb::PUT => Self::Update,
                Verb::PATCH => Self::Modify,
                // As Angel has it; where ids are text, `null` is one of them.
                Verb::DELETE if id.as_str() == "null" && description.id_kind() != IdKind::Text => Self::RemoveMany,
                Verb::DELETE => Self::Remove,
                Verb::OPTIONS => Self::Options,
                _ => Self::NotAllowed,
            },
        };
        let offered = action.method().is_none_or(|method| description.methods().contains(method));
        if offered { action } else { Self::NotAllowed }
    }

    /// Returns which of the six methods it is, if it is one.
    pub(crate) const fn method(self) -> Option<Method> {
        match self {
            Self::Index | Self::Count => Some(Method::Index),
            Self::Read => Some(Method::Read),
            Self::Create => Some(Method::Create),
            Self::Modify | Self::ModifyMany => Some(Method::Modify),
            Self::Update => Some(Method::Update),
            Self::Remove | Self::RemoveMany => Some(Method::Remove),
            Self::Options | Self::NotAllowed => None,
        }
    }

    /// Names the action for logs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::ModifyMany => "modify_many",
            Self::RemoveMany => "remove_many",
            _ => match self.method() {
                Some(method) => method.name(),
                None => "none",
            },
        }
    }
}

/// Lists the verbs of a place as the `Allow` header does (RFC 9110, 10.2.1), where clients may apply the methods of
/// `multi` to many records at once.
pub(crate) fn allow(place: &Place, methods: MethodSet, multi: MethodSet) -> String {
    let verbs: &[(Method, &[&str])] = match place {
        Place::Collection => &[
            (Method::Index, &["GET", "HEAD"]),
            (Method::Create, &["POST"]),
            (Method::Modify, &["PATCH"]),
            (Method::Remove, &["DELETE"]),
        ],
        Place::Record(id) if id.as_str() == COUNT => &[(Method::Index, &["GET", "HEAD"])],
        Place::Record(_) => &[
            (Method::Read, &["GET", "HEAD"]),
            (Method::Update, &["POST", "PUT"]),
            (Method::Modify, &["PATCH"]),
            (Method::Remove, &["DELETE"]),
        ],
    };
    // All that `PATCH` can do to a collection is to modify many.
    let methods = match place {
        Place::Collection if !multi.contains(Method::Modify) => methods.without(Method::Modify),
        _ => methods,
    };
    let offered = verbs.iter().filter(|(method, _)| methods.contains(*method)).flat_map(|(_, verbs)| verbs.iter());
    offered.copied().chain(["OPTIONS"]).collect::<Vec<_>>().join(", ")
}

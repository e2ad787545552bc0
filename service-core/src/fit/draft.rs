//! [`Draft`], a document under repair.

use crate::{Document, Value};

/// What a document would be with some of its values replaced, left out or added.
///
/// Only the objects and lists on the way to a repair are taken apart; the rest is the document's own.
#[derive(Debug)]
pub(super) enum Draft<'a> {
    /// What is not, or not yet, taken apart.
    Whole(Node<'a>),
    Object {
        fields: Vec<(&'a str, Self)>,
        /// Whether the last field is read a second time, see [`grow`](super::grow).
        twice: bool,
    },
    List(Vec<Self>),
}

/// What a reader reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node<'a> {
    Document(&'a Document),
    Value(&'a Value),
    Text(&'a str),
    /// A stand-in that answers with an empty value whatever type it is asked for, and with one of
    /// [`STAND_IN_TEXTS`](super::stand_in::STAND_IN_TEXTS), which this counts off, for text.
    Empty(usize),
    Fields {
        fields: &'a [(&'a str, Draft<'a>)],
        twice: bool,
    },
    Items(&'a [Draft<'a>]),
}

impl<'a> Draft<'a> {
    pub(super) const fn object(fields: Vec<(&'a str, Self)>) -> Self {
        Self::Object { fields, twice: false }
    }

    pub(super) fn node(&self) -> Node<'_> {
        match self {
            Self::Whole(node) => *node,
            Self::Object { fields, twice } => Node::Fields { fields, twice: *twice },
            Self::List(items) => Node::Items(items),
        }
    }

    /// Returns the fields, where this is an object.
    pub(super) fn fields(&mut self) -> Option<&mut Vec<(&'a str, Self)>> {
        self.take_apart();
        if let Self::Object { fields, .. } = self { Some(fields) } else { None }
    }

    /// Says whether the last field is to be read twice, where this is an object.
    pub(super) const fn read_last_twice(&mut self, say: bool) {
        if let Self::Object { twice, .. } = self {
            *twice = say;
        }
    }

    /// Takes a field out; returns whether it was there.
    pub(super) fn leave_out(&mut self, name: &str) -> bool {
        let Some(fields) = self.fields() else { return false };
        let before = fields.len();
        fields.retain(|(other, _)| *other != name);
        fields.len() < before
    }

    /// Finds the positions that lead to a place, and makes every field on the way the last of its object: what is
    /// repaired is read last, so that one value which nothing can replace hides no bad one beside it.
    pub(super) fn locate(&mut self, place: &[String]) -> Option<Vec<usize>> {
        let mut positions = Vec::with_capacity(place.len());
        let mut draft = self;
        for name in place {
            draft.take_apart();
            let position = match draft {
                Self::Object { fields, .. } => {
                    let position = fields.iter().position(|(other, _)| other == name)?;
                    fields[position..].rotate_left(1);
                    fields.len() - 1
                }
                Self::List(items) => name.parse().ok().filter(|position| *position < items.len())?,
                Self::Whole(_) => return None,
            };
            positions.push(position);
            draft = draft.nth(position);
        }
        Some(positions)
    }

    /// Adds a field or an item at the end and returns its position.
    pub(super) fn push(&mut self, name: &'a str, part: Self) -> usize {
        match self {
            Self::Object { fields, .. } => {
                fields.push((name, part));
                fields.len() - 1
            }
            Self::List(items) => {
                items.push(part);
                items.len() - 1
            }
            Self::Whole(_) => 0,
        }
    }

    /// Keeps that many fields or items, the first ones.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Self::Object { fields, .. } => fields.truncate(len),
            Self::List(items) => items.truncate(len),
            Self::Whole(_) => {}
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Object { fields, .. } => fields.len(),
            Self::List(items) => items.len(),
            Self::Whole(_) => 0,
        }
    }

    /// Returns what [`Draft::locate`] found.
    pub(super) fn at(&mut self, positions: &[usize]) -> &mut Self {
        positions.iter().fold(self, |draft, position| draft.nth(*position))
    }

    fn nth(&mut self, position: usize) -> &mut Self {
        match self {
            Self::Object { fields, .. } => &mut fields[position].1,
            Self::List(items) => &mut items[position],
            Self::Whole(_) => self,
        }
    }

    fn take_apart(&mut self) {
        if let Self::Whole(node) = self {
            if let Some(fields) = node.fields() {
                *self = Self::object(fields.map(|(name, value)| (name, Self::from(value))).collect());
            } else if let Some(items) = node.items() {
                *self = Self::List(items.iter().map(Self::from).collect());
            }
        }
    }
}

impl<'a> From<&'a Value> for Draft<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Whole(Node::Value(value))
    }
}

impl<'a> Node<'a> {
    /// Follows the names of a place.
    pub(super) fn find(self, place: &[String]) -> Option<Self> {
        place.iter().try_fold(self, |node, name| match node {
            Self::Document(document) | Self::Value(Value::Document(document)) => document.get(name).map(Node::Value),
            Self::Value(Value::Array(items)) => items.get(name.parse::<usize>().ok()?).map(Node::Value),
            _ => None,
        })
    }

    /// Returns the fields of an object that is the document's own.
    pub(super) fn fields(self) -> Option<impl ExactSizeIterator<Item = (&'a str, &'a Value)> + Clone> {
        match self {
            Self::Document(document) | Self::Value(Value::Document(document)) => Some(document.iter()),
            _ => None,
        }
    }

    /// Returns the items of a list that is the document's own.
    pub(super) const fn items(self) -> Option<&'a [Value]> {
        match self {
            Self::Value(Value::Array(items)) => Some(items),
            _ => None,
        }
    }

    pub(super) const fn is_null(self) -> bool {
        matches!(self, Self::Value(Value::Null))
    }

    pub(super) fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Value(value) => value.as_str(),
            _ => None,
        }
    }
}

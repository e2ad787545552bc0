//! [`Fault`], what serde says of a document that it does not accept.

use std::fmt;

use serde::de;

/// The first thing that serde found wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// The names on the way to what was being read, the innermost first; [`Fault::turned`] puts the outermost first.
    pub(super) place: Vec<String>,
    pub(super) kind: Kind,
    /// Whether what was being read is a tag, which says what the fields beside it mean.
    pub(super) tag: bool,
    pub(super) message: String,
}

/// What was wrong, as far as a search can make use of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A value of another type is wanted.
    Type,
    /// The type is right, the value is not.
    Value,
    /// A list is too short or too long.
    Length,
    /// An enum has no such variant; it has these.
    Variant(&'static [&'static str]),
    /// A field is not there.
    Missing(&'static str),
    /// A field is not known.
    Unknown(String),
    /// A field is there twice, which in a document takes two names for it.
    Duplicate(&'static str),
    /// Anything else, which only the message tells.
    Other,
}

impl Fault {
    fn new(kind: Kind, message: String) -> Self {
        Self { place: Vec::new(), kind, tag: false, message }
    }

    /// Notes the name of what was being read around it.
    pub(super) fn at(mut self, name: &str) -> Self {
        self.place.push(name.to_owned());
        self
    }

    pub(super) fn of_tag(mut self) -> Self {
        self.tag = true;
        self
    }

    /// Puts the names of the place in the order in which a path is written.
    pub(super) fn turned(mut self) -> Self {
        self.place.reverse();
        self
    }

    /// Returns what programs tell the fault by.
    pub(super) const fn code(&self) -> &'static str {
        match self.kind {
            Kind::Type => "type",
            Kind::Missing(_) => "required",
            Kind::Unknown(_) => "unknown",
            Kind::Value | Kind::Length | Kind::Variant(_) | Kind::Duplicate(_) | Kind::Other => "invalid",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::Other, format!("does not fit: {message}"))
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Kind::Type, format!("does not fit: expected {expected}, found {unexpected}"))
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Kind::Value, format!("does not fit: invalid value: {unexpected}, expected {expected}"))
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        Self::new(Kind::Length, format!("does not fit: invalid length {length}, expected {expected}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let message = format!("does not fit: unknown variant `{variant}`; the variants are {}", expected.join(", "));
        Self::new(Kind::Variant(expected), message)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let message = format!("is not a field of this record; the fields are {}", expected.join(", "));
        Self::new(Kind::Unknown(field.to_owned()), message)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field), "is required".to_owned())
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Kind::Duplicate(field), "is there twice, the other time under another name".to_owned())
    }
}

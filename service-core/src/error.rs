//! [`Error`], [`ErrorKind`] and [`Result`].

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::{Text, Value};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, for branching. A transport turns each kind into its own status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call cannot be understood: a malformed query, an unknown operator, JSON that is none. 400.
    BadRequest,
    /// The caller did not say who they are, or it was not believed. 401.
    Unauthenticated,
    /// The caller has to pay first. 402.
    PaymentRequired,
    /// The caller may not do this. 403.
    Forbidden,
    /// There is no such record, or none that the caller may know of. 404.
    NotFound,
    /// The service does not offer the method, or not in this form. 405.
    MethodNotAllowed,
    /// The answer cannot be given in a form that the caller accepts. 406.
    NotAcceptable,
    /// The caller was too slow. 408.
    Timeout,
    /// The record is there already, or another one holds what must be unique. 409.
    Conflict,
    /// The record was there and will not be again. 410.
    Gone,
    /// The caller did not say how long the body is. 411.
    LengthRequired,
    /// The record is not as the caller supposed. 412.
    PreconditionFailed,
    /// The body is too large. 413.
    TooLarge,
    /// The body is in a form that is not read. 415.
    UnsupportedMediaType,
    /// The call is understood, but fields of its data do not fit. 422.
    Unprocessable,
    /// The caller asks too often. 429.
    TooManyRequests,
    /// A fault of the program or of its store. Clients are told nothing more. 500.
    Internal,
    /// The store cannot do this. 501.
    Unsupported,
    /// Another server that was asked gave no good answer. 502.
    BadGateway,
    /// The service or its store cannot be reached at present. 503.
    Unavailable,
}

impl ErrorKind {
    /// Returns the kind's name in lower case, for logs and metrics: `not_found`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::PaymentRequired => "payment_required",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotAcceptable => "not_acceptable",
            Self::Timeout => "timeout",
            Self::Conflict => "conflict",
            Self::Gone => "gone",
            Self::LengthRequired => "length_required",
            Self::PreconditionFailed => "precondition_failed",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Unprocessable => "unprocessable",
            Self::TooManyRequests => "too_many_requests",
            Self::Internal => "internal",
            Self::Unsupported => "unsupported",
            Self::BadGateway => "bad_gateway",
            Self::Unavailable => "unavailable",
        }
    }
}

/// One field of a call's data, or one key of its query, that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The field, as a dotted path.
    pub field: Text,
    /// What is wrong with it, for people.
    pub message: String,
    /// What is wrong with it, for programs: `required`, `type`, `unknown`, `unique`, …
    pub code: Text,
}

/// What a call answers when it does not succeed.
///
/// The kind is for branching and the message for the client; context and source are for logs, and no transport sends
/// them. It is built from a kind and a message, and the rest is added in a chain:
///
/// ```
/// use remex_core::{Error, ErrorKind};
///
/// let error = Error::unprocessable("the data does not fit")
///     .with_field("age", "type", "expected an integer, found a string")
///     .with_code("person_invalid");
/// assert_eq!(error.kind(), ErrorKind::Unprocessable);
/// assert_eq!(error.fields()[0].field, "age");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    code: Option<Text>,
    fields: Vec<FieldError>,
    data: Value,
    retry_after: Option<Duration>,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// All that a client is told of a fault inside.
const INTERNAL_MESSAGE: &str = "an internal error occurred";

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(message: impl Into<String>) -> Self {
                    Self::new(ErrorKind::$kind, message)
                }
            )*
        }
        impl ErrorKind {
            /// Lists every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)* Self::Internal];
        }
    };
}

// One line a kind, so that a kind without its constructor does not go unseen.
constructors! {
    /// Makes an error of kind [`ErrorKind::BadRequest`].
    bad_request => BadRequest;
    /// Makes an error of kind [`ErrorKind::Unauthenticated`].
    unauthenticated => Unauthenticated;
    /// Makes an error of kind [`ErrorKind::PaymentRequired`].
    payment_required => PaymentRequired;
    /// Makes an error of kind [`ErrorKind::Forbidden`].
    forbidden => Forbidden;
    /// Makes an error of kind [`ErrorKind::NotFound`].
    not_found => NotFound;
    /// Makes an error of kind [`ErrorKind::MethodNotAllowed`].
    method_not_allowed => MethodNotAllowed;
    /// Makes an error of kind [`ErrorKind::NotAcceptable`].
    not_acceptable => NotAcceptable;
    /// Makes an error of kind [`ErrorKind::Timeout`].
    timeout => Timeout;
    /// Makes an error of kind [`ErrorKind::Conflict`].
    conflict => Conflict;
    /// Makes an error of kind [`ErrorKind::Gone`].
    gone => Gone;
    /// Makes an error of kind [`ErrorKind::LengthRequired`].
    length_required => LengthRequired;
    /// Makes an error of kind [`ErrorKind::PreconditionFailed`].
    precondition_failed => PreconditionFailed;
    /// Makes an error of kind [`ErrorKind::TooLarge`].
    too_large => TooLarge;
    /// Makes an error of kind [`ErrorKind::UnsupportedMediaType`].
    unsupported_media_type => UnsupportedMediaType;
    /// Makes an error of kind [`ErrorKind::Unprocessable`].
    unprocessable => Unprocessable;
    /// Makes an error of kind [`ErrorKind::TooManyRequests`].
    too_many_requests => TooManyRequests;
    /// Makes an error of kind [`ErrorKind::Unsupported`].
    unsupported => Unsupported;
    /// Makes an error of kind [`ErrorKind::BadGateway`].
    bad_gateway => BadGateway;
    /// Makes an error of kind [`ErrorKind::Unavailable`].
    unavailable => Unavailable;
}

impl Error {
    /// Makes an error of a kind, with the message that the client sees.
    ///
    /// For [`ErrorKind::Internal`] the client sees a fixed sentence; the message goes to the log with the context.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut error = Self(Box::new(Inner {
            kind,
            message: message.into(),
            code: None,
            fields: Vec::new(),
            data: Value::Null,
            retry_after: None,
            context: Vec::new(),
            source: None,
        }));
        if kind == ErrorKind::Internal {
            let detail = std::mem::replace(&mut error.0.message, INTERNAL_MESSAGE.to_owned());
            error.0.context.push(("detail", detail));
        }
        error
    }

    /// Makes an error of kind [`ErrorKind::Internal`] whose detail only logs see.
    #[must_use]
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, detail)
    }

    /// Makes the error of a record that is not there.
    #[must_use]
    pub fn no_record(service: &str, id: impl fmt::Display) -> Self {
        Self::not_found(format!("no record of `{service}` with id `{}`", Shown(&id.to_string())))
    }

    /// Makes the error of a field that must be unique and is not.
    #[must_use]
    pub fn duplicate(service: &str, field: &str) -> Self {
        Self::conflict(format!("another record of `{service}` has the same `{field}`")).with_field(
            field,
            "unique",
            "another record has the same value",
        )
    }

    /// Adds what programs of the application tell the error by.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Text>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Adds a field that does not fit.
    #[must_use]
    pub fn with_field(mut self, field: &str, code: &str, message: impl Into<String>) -> Self {
        self.0.fields.push(FieldError { field: field.into(), message: message.into(), code: code.into() });
        self
    }

    /// Adds data for the client.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Value>) -> Self {
        self.0.data = data.into();
        self
    }

    /// Says after what time the same call may succeed.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Adds a fact for the log; no client sees it.
    #[must_use]
    pub fn with_context(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((name, value.to_string()));
        self
    }

    /// Adds the error that caused this one; no client sees it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message that the client sees.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the application's code, if one was given.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the fields that do not fit.
    #[must_use]
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// Returns the data for the client, null where there is none.
    #[must_use]
    pub fn data(&self) -> &Value {
        &self.0.data
    }

    /// Returns after what time the same call may succeed, if that was said.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the facts for the log.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// Returns whether there is no such record.
    ///
    /// ```
    /// # use remex_core::Error;
    /// assert!(Error::no_record("people", 7).is_not_found());
    /// ```
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Returns whether the call collides with a record that is there.
    ///
    /// ```
    /// # use remex_core::Error;
    /// assert!(Error::duplicate("people", "email").is_conflict());
    /// ```
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }
}

/// Shortens text from outside before it is repeated in a message.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// As many characters as a person reads.
        const SHOWN_CHARS: usize = 80;
        match self.0.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => write!(f, "{}…", &self.0[..end]),
            None => f.write_str(self.0),
        }
    }
}

/// Shortens text from outside so that it can be repeated in a message.
pub(crate) fn shown(text: &str) -> impl fmt::Display + '_ {
    Shown(text)
}

/// Says in one sentence what is wrong with fields, the first few of them by name.
pub(crate) fn summary<'a>(faults: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> String {
    /// As many as a person takes in; the error lists them all.
    const NAMED: usize = 3;
    let more = faults.len().saturating_sub(NAMED);
    let named: Vec<_> = faults
        .take(NAMED)
        .map(|(field, message)| match field {
            "" => format!("the data {message}"),
            field => format!("`{field}` {message}"),
        })
        .collect();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", named.join("; "))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(code) = &self.0.code {
            debug.field("code", code);
        }
        if !self.0.fields.is_empty() {
            debug.field("fields", &self.0.fields);
        }
        if !self.0.context.is_empty() {
            debug.field("context", &self.0.context);
        }
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_detail_stays_inside() {
        let error = Error::internal("table `people` is gone").with_source(std::io::Error::other("disk"));
        assert_eq!(error.to_string(), INTERNAL_MESSAGE);
        assert_eq!(error.context(), [("detail", "table `people` is gone".to_owned())]);
        assert!(StdError::source(&error).is_some());
    }

    #[test]
    fn long_ids_are_shortened_in_messages() {
        let error = Error::no_record("people", "é".repeat(500));
        assert!(error.message().len() < 250);
    }
}

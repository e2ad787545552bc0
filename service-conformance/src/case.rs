//! [`Case`]: one thing that must hold for every service, and what it needs in order to be tried.

use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use futures::future::BoxFuture;
use remex_core::{Error, IdKind};

use crate::{Backend, RecordKind, Suite};

/// What a case answers: nothing, or what does not hold.
pub type Outcome = Result<(), Failed>;

/// What did not hold, where in the suite, and what was found instead.
pub struct Failed {
    message: String,
    place: &'static Location<'static>,
}

impl Failed {
    /// Says what does not hold.
    #[must_use]
    #[track_caller]
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), place: Location::caller() }
    }
}

/// An error where a case expects none.
impl From<Error> for Failed {
    #[track_caller]
    fn from(error: Error) -> Self {
        Self::new(format!("expected success, found the error {error:?}"))
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  at {}", self.message, self.place)
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One thing that must hold for every service.
#[derive(Clone)]
pub struct Case {
    name: &'static str,
    semantics: &'static [u8],
    needs: &'static [Need],
    run: Arc<dyn Fn(Suite) -> BoxFuture<'static, Outcome> + Send + Sync>,
}

impl Case {
    /// Makes a case of a function. Its name is the function's, behind that of its module: `read::missing_is_not_found`.
    pub(crate) fn new<F, R>(run: F, semantics: &'static [u8]) -> Self
    where
        F: Fn(Suite) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let path = type_name::<F>();
        let module = path.rfind("::").and_then(|end| path[..end].rfind("::"));
        let name = module.map_or(path, |start| &path[start + 2..]);
        Self { name, semantics, needs: &[], run: Arc::new(move |suite| Box::pin(run(suite))) }
    }

    /// Says what a backend or a way in must have for the case to be tried.
    pub(crate) const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// Names the case: `read::missing_is_not_found`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Lists the numbers of the cases in the project's own list of semantics that this one covers.
    #[must_use]
    pub const fn semantics(&self) -> &'static [u8] {
        self.semantics
    }

    /// Returns whether the case needs this.
    #[must_use]
    pub fn has_need(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }

    /// Says why the backend cannot try the case, if so.
    #[must_use]
    pub fn not_applicable(&self, backend: &dyn Backend) -> Option<&'static str> {
        let unmet = self.needs.iter().find(|need| !need.is_met(backend)).map(|need| need.reason());
        unmet.or_else(|| backend.not_applicable(self.name))
    }

    /// Tries the case.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn run(&self, suite: Suite) -> Outcome {
        (self.run)(suite).await
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("semantics", &self.semantics).finish_non_exhaustive()
    }
}

/// What a case needs in order to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// Records with fields that no person has.
    AnyField,
    /// A service that need not know its fields.
    UnknownFields,
    /// Ids that the service makes.
    GeneratedIds,
    /// Ids that are integers.
    IntegerIds,
    /// Ids that are UUIDs.
    UuidIds,
    /// Ids that are text.
    TextIds,
    /// A call that only the program itself can make.
    InProgram,
}

impl Need {
    fn is_met(self, backend: &dyn Backend) -> bool {
        match self {
            Self::AnyField => backend.record() == RecordKind::Documents,
            Self::UnknownFields => backend.record() != RecordKind::Columns,
            Self::GeneratedIds => backend.id_kind() != IdKind::Text,
            Self::IntegerIds => backend.id_kind() == IdKind::Integer,
            Self::UuidIds => backend.id_kind() == IdKind::Uuid,
            Self::TextIds => backend.id_kind() == IdKind::Text,
            Self::InProgram => true,
        }
    }

    /// Says why a case with this need is left out where it is not met.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::AnyField => "records have fixed fields here, and the case stores others",
            Self::UnknownFields => {
                "the fields are always known here, and the case is about what holds where they are not"
            }
            Self::GeneratedIds => "ids are made by callers here, and the case is about ids that the service makes",
            Self::IntegerIds => "ids are no integers here, and the case is about integers",
            Self::UuidIds => "ids are no UUIDs here, and the case is about UUIDs",
            Self::TextIds => "ids are no text here, and the case is about text",
            Self::InProgram => "the case makes a call that only the program itself can make",
        }
    }
}

//! [`Baton`]: what the hooks of an app and those of the service inside it have to tell each other.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::detached::DetachedHook;
use crate::{Document, Operation, Output, Path, Text};

/// What an event is to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum EventChoice {
    /// As its method has it.
    #[default]
    Usual,
    Named(Text),
    /// There is to be none.
    None,
}

/// Goes along with a call from the hooks of the app to those of the service, in the extensions of its params.
#[derive(Clone, Default)]
pub(crate) struct Baton(Arc<Mutex<Message>>);

#[derive(Default)]
struct Message {
    /// The result that stands already, of which call it is, and whether before hooks are still to run.
    preset: Option<(Output<Document>, Operation, bool)>,
    /// Whether records that a call changes are to be answered whole.
    whole: bool,
    told: Told,
}

/// What hooks of a service leave to those of the app around it.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) event: EventChoice,
    /// What of the records that a call changed is selected, as the hooks left it; `None` where none had a say.
    pub(super) select: Option<Option<Vec<Path>>>,
    pub(crate) emitted: Vec<(Text, Document)>,
    /// Detached hooks, which begin when the whole call has succeeded.
    pub(crate) detached: Vec<DetachedHook>,
}

impl Told {
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self.event, EventChoice::Usual)
            && self.select.is_none()
            && self.emitted.is_empty()
            && self.detached.is_empty()
    }

    /// Adds what was told later, which goes before what was told earlier.
    pub(super) fn extend(&mut self, later: Self) {
        if later.event != EventChoice::Usual {
            self.event = later.event;
        }
        self.select = later.select.or(self.select.take());
        self.emitted.extend(later.emitted);
        self.detached.extend(later.detached);
    }
}

impl fmt::Debug for Baton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Baton").finish_non_exhaustive()
    }
}

impl Baton {
    pub(super) fn new(preset: Option<(Output<Document>, Operation, bool)>, whole: bool) -> Self {
        Self(Arc::new(Mutex::new(Message { preset, whole, told: Told::default() })))
    }

    /// Returns whether records are to be answered whole: whoever handed over the baton sees to what is selected of them.
    pub(crate) fn wants_whole(&self) -> bool {
        self.0.lock().whole
    }

    /// Returns whether a result stands already.
    pub(crate) fn is_preset(&self) -> bool {
        self.0.lock().preset.is_some()
    }

    /// Takes the result that stands already, if it is of this call and not of one that a wrapper makes on the way.
    pub(crate) fn take_preset(&self, operation: Operation) -> Option<(Output<Document>, bool)> {
        let mut message = self.0.lock();
        let (result, _, finished) = message.preset.take_if(|preset| preset.1 == operation)?;
        Some((result, finished))
    }

    /// Tells what is to become of a call.
    pub(crate) fn tell(&self, told: Told) {
        self.0.lock().told.extend(told);
    }

    pub(crate) fn told(&self) -> Told {
        std::mem::take(&mut self.0.lock().told)
    }
}

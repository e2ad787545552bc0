//! [`Baton`]: what the hooks of an app and those of the service inside it have to tell each other.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{Document, Output, Text};

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
#[derive(Clone, Debug, Default)]
pub(crate) struct Baton(Arc<Mutex<Message>>);

#[derive(Debug, Default)]
struct Message {
    /// The result that stands already, and whether before hooks are still to run.
    preset: Option<(Output<Document>, bool)>,
    event: EventChoice,
    emitted: Vec<(Text, Document)>,
}

impl Baton {
    pub(crate) fn with_preset(result: Output<Document>, finished: bool) -> Self {
        Self(Arc::new(Mutex::new(Message { preset: Some((result, finished)), ..Message::default() })))
    }

    pub(crate) fn take_preset(&self) -> Option<(Output<Document>, bool)> {
        self.0.lock().preset.take()
    }

    /// Tells what becomes of the events of a call.
    pub(crate) fn tell(&self, event: EventChoice, emitted: Vec<(Text, Document)>) {
        let mut message = self.0.lock();
        if event != EventChoice::Usual {
            message.event = event;
        }
        message.emitted.extend(emitted);
    }

    pub(crate) fn told(&self) -> (EventChoice, Vec<(Text, Document)>) {
        let mut message = self.0.lock();
        (std::mem::take(&mut message.event), std::mem::take(&mut message.emitted))
    }
}

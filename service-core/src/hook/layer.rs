//! [`Layer`]: the hooks of an app around one of its services, and where events begin.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use parking_lot::{Mutex, RwLock};

use super::run::{run, stream};
use super::{Chains, Detached, EventChoice, HookContext, Hooks, nested};
use crate::event::Events;
use crate::{
    Call, Description, Document, DynService, Event, Id, Method, Operation, Output, Params, Provider, Result, Site,
    Stored, Text,
};

/// The hooks of an app around one of its services, and where events begin.
pub(crate) struct Layer {
    /// The service, speaking documents, without these hooks.
    service: Arc<DynService>,
    description: Arc<Description>,
    site: Site,
    chains: RwLock<Arc<Chains<DynService>>>,
    /// Whether any method has hooks, so that calls of services without them find out fast.
    hooked: AtomicBool,
    events: Arc<Events>,
    /// The number of the last event.
    sequence: Mutex<u64>,
    detached: Detached,
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Layer {
    pub(crate) fn new(service: Arc<DynService>, site: Site, events: Arc<Events>, detached: Detached) -> Self {
        Self {
            description: service.describe(),
            service,
            site,
            chains: RwLock::new(Arc::new(Chains::new(&Hooks::new()))),
            hooked: AtomicBool::new(false),
            events,
            sequence: Mutex::new(0),
            detached,
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.site.path()
    }

    /// Sets the hooks; calls that have begun go on with those before.
    pub(crate) fn set_hooks(&self, hooks: &Hooks<DynService>) {
        let chains = Chains::new(hooks);
        let hooked = chains.hooked != crate::MethodSet::NONE;
        *self.chains.write() = Arc::new(chains);
        self.hooked.store(hooked, Ordering::Release);
    }

    /// Returns whether there is anything to do about a call but to make it.
    pub(crate) fn is_engaged(&self, method: Method, params: &Params) -> bool {
        !params.silent
            && (self.hooked.load(Ordering::Acquire) && self.chains.read().hooked.contains(method)
                || self.is_listened(method))
    }

    /// Returns whether a call may have events that somebody wants.
    fn is_listened(&self, method: Method) -> bool {
        (method.writes() || self.description.has_hooks()) && self.events.listened(self.path())
    }

    fn context(&self, call: Call<Id, Document>, params: Params) -> HookContext<DynService> {
        HookContext::new(self.service.clone(), self.description.clone(), Some(self.site.clone()), call, params)
    }

    /// Makes a call through the hooks and sends its events; where `json` says so, it may come to JSON text.
    pub(crate) fn run<'a>(
        &'a self,
        call: Call<Id, Document>,
        params: &'a Params,
        json: bool,
    ) -> BoxFuture<'a, Result<(Output<Document>, Params)>> {
        let operation = call.operation();
        let work = async move {
            let method = operation.method();
            let chain = self.chains.read().of(method).clone();
            let json = json && !(method.writes() && self.is_listened(method));
            let ctx = self.context(call, params.clone());
            let ran = run(chain, ctx, json, &self.detached).await?;
            self.send_all(operation, &ran.output, &ran.event, ran.emitted.clone(), &ran.params);
            ran.shown(&self.description)
        };
        nested(self.path(), operation.name(), work).boxed()
    }

    /// Makes a call through the hooks.
    pub(crate) fn output<'a>(
        &'a self,
        call: Call<Id, Document>,
        params: &'a Params,
    ) -> BoxFuture<'a, Result<Output<Document>>> {
        self.run(call, params, false).map(|ran| Ok(ran?.0)).boxed()
    }

    pub(crate) fn stream(&self, params: Params) -> BoxStream<'_, Result<Document>> {
        let chain = self.chains.read().of(Method::Index).clone();
        stream(&*self.service, chain, self.context(Call::Index, params), self.detached.clone())
    }

    /// Sends the events of a call: one for each record that it changed, then those that hooks added.
    fn send_all(
        &self,
        operation: Operation,
        output: &Output<Document>,
        choice: &EventChoice,
        emitted: Vec<(Text, Document)>,
        params: &Params,
    ) {
        let method = operation.method();
        let usual = match (method, output) {
            (Method::Index | Method::Read, _) => None,
            (Method::Create, _) | (_, Output::Stored(Stored::Created(_))) => Some("created"),
            (Method::Modify, _) => Some("modified"),
            (Method::Update, _) => Some("updated"),
            (Method::Remove, _) => Some("removed"),
        };
        let name = match choice {
            EventChoice::None => None,
            EventChoice::Named(name) => usual.map(|_| name.clone()),
            EventChoice::Usual => usual.map(Text::from),
        };
        let records = name.as_ref().map_or(&[][..], |_| output.records());
        if records.is_empty() && emitted.is_empty() || !self.events.listened(self.path()) {
            return;
        }
        let changed =
            records.iter().map(|record| (name.clone().unwrap_or_default(), self.description.without_hidden(record)));
        self.send(changed.chain(emitted), Some(method), params.provider.as_ref());
    }

    /// Sends events one behind the other, with nobody else's between them.
    pub(crate) fn send(
        &self,
        events: impl Iterator<Item = (Text, Document)>,
        method: Option<Method>,
        provider: Option<&Provider>,
    ) {
        let mut sequence = self.sequence.lock();
        for (name, record) in events {
            *sequence += 1;
            self.events.send(Event {
                path: self.site.shared_path(),
                name,
                id: record.get(self.description.id_field()).and_then(Id::from_value),
                record: Arc::new(record),
                method,
                provider: provider.cloned(),
                sequence: *sequence,
            });
        }
    }
}

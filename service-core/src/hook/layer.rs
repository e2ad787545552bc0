//! [`Layer`]: the hooks of an app around one of its services, and where events begin.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};
use parking_lot::{Mutex, RwLock};

use super::detached::begin;
use super::run::{self, Ran, Wanted, run};
use super::{Chains, EventChoice, HookContext, Hooks, Told, nested};
use crate::event::Events;
use crate::method::AtomicMethodSet;
use crate::site::Place;
use crate::{
    Call, Document, DynService, Error, Event, Id, Method, Operation, Output, Params, Provider, Result, Site, Stored,
    Text, Transaction,
};

/// The hooks of an app around one of its services, and where events begin.
pub(crate) struct Layer {
    /// The service, speaking documents, without these hooks.
    place: Arc<Place<DynService>>,
    /// Whether its records are objects, which hooks and events can look at.
    of_objects: bool,
    chains: RwLock<Arc<Chains<DynService>>>,
    /// The methods that have hooks, so that calls of others find out fast.
    hooked: AtomicMethodSet,
    outlet: Arc<Outlet>,
}

/// Where the events of a service leave it.
struct Outlet {
    place: Arc<Place<DynService>>,
    events: Arc<Events>,
    /// The number of the last event.
    sequence: Mutex<u64>,
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Layer {
    pub(crate) fn new(service: Arc<DynService>, of_objects: bool, site: Site, events: Arc<Events>) -> Self {
        let description = service.describe();
        let place = Arc::new(Place { site: site.into(), ..Place::new(service, description) });
        Self {
            outlet: Arc::new(Outlet { place: place.clone(), events, sequence: Mutex::new(0) }),
            place,
            of_objects,
            chains: RwLock::new(Arc::new(Chains::new(&Hooks::new()))),
            hooked: AtomicMethodSet::default(),
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.place.path()
    }

    /// Sets the hooks; calls that have begun go on with those before.
    pub(crate) fn set_hooks(&self, hooks: &Hooks<DynService>) {
        let chains = Chains::new(hooks);
        let hooked = chains.hooked;
        *self.chains.write() = Arc::new(chains);
        self.hooked.store(hooked);
    }

    /// Returns whether there is anything to do about a call but to make it.
    pub(crate) fn is_engaged(&self, method: Method, params: &Params) -> bool {
        !params.silent && (self.hooked.load().contains(method) || self.is_listened(method))
    }

    /// Returns whether a call may have events that somebody wants.
    fn is_listened(&self, method: Method) -> bool {
        self.of_objects && (method.writes() || self.place.around_hooks) && self.outlet.is_listened()
    }

    /// Makes a call through the hooks and sends its events; where `json` says so, it may come to JSON text.
    async fn made(&self, call: Call<Id, Document>, params: &Params, json: bool) -> Result<Ran<DynService>> {
        let operation = call.operation();
        let method = operation.method();
        let chain = self.chains.read().of(method).clone();
        let wanted = match (json, self.of_objects) {
            // What is no object is nothing that a hook or an event could hold.
            (true, false) => Wanted::Json,
            (true, true) if !(chain.sees_records || method.writes() && self.is_listened(method)) => Wanted::Json,
            _ => Wanted::Records,
        };
        let ctx = HookContext::new(self.place.clone(), call, params);
        let running = pin!(run(&chain, ctx, wanted));
        let mut ran = nested(self.path(), operation.name(), running)?.await?;
        let told = ran.take_told();
        if operation.method().writes() || !told.emitted.is_empty() {
            self.send_all(operation, ran.output(), ran.params(), told.event, told.emitted);
        }
        if !told.detached.is_empty() {
            // Seldom, and large.
            begin(told.detached, self.place.site.get()).boxed().await;
        }
        Ok(ran)
    }

    /// Returns whether the service begins with hooks of its own.
    pub(crate) fn is_around_hooks(&self) -> bool {
        self.place.around_hooks
    }

    /// Returns whether lists are gathered for hooks that look at all of one at once.
    pub(crate) fn gathers_lists(&self) -> bool {
        self.hooked.load().contains(Method::Index) && self.chains.read().gathers_lists()
    }

    /// Makes a call through the hooks, which may come to JSON text.
    pub(crate) fn run<'a>(
        &'a self,
        call: Call<Id, Document>,
        params: &'a Params,
    ) -> BoxFuture<'a, Result<Ran<DynService>>> {
        self.made(call, params, true).boxed()
    }

    /// Makes a call through the hooks.
    pub(crate) fn output<'a>(
        &'a self,
        call: Call<Id, Document>,
        params: &'a Params,
    ) -> BoxFuture<'a, Result<Output<Document>>> {
        async move { self.made(call, params, false).await?.shown() }.boxed()
    }

    pub(crate) fn stream(&self, params: Params) -> BoxStream<'_, Result<Document>> {
        if self.gathers_lists() {
            let list = async move {
                let page = self.output(Call::Index, &params).await?.into_page()?;
                Ok::<_, Error>(stream::iter(page.data).map(Ok))
            };
            return stream::once(list).try_flatten().boxed();
        }
        let chain = self.chains.read().of(Method::Index).clone();
        let ctx = HookContext::new(self.place.clone(), Call::Index, &params);
        run::stream(&*self.place.service, chain, ctx, move |told: Told| {
            self.send_all(Operation::Index, None, &params, told.event, told.emitted);
            begin(told.detached, self.place.site.get()).boxed()
        })
    }

    /// Sends the events of a call: one for each record that it changed, then those that hooks added.
    fn send_all(
        &self,
        operation: Operation,
        output: Option<&Output<Document>>,
        params: &Params,
        choice: EventChoice,
        emitted: Vec<(Text, Document)>,
    ) {
        let method = operation.method();
        let usual = match (method, output) {
            (Method::Index | Method::Read, _) => None,
            (Method::Create, _) | (_, Some(Output::Stored(Stored::Created(_)))) => Some("created"),
            (Method::Modify, _) => Some("modified"),
            (Method::Update, _) => Some("updated"),
            (Method::Remove, _) => Some("removed"),
        };
        let name = match choice {
            EventChoice::None => None,
            EventChoice::Named(name) => usual.map(|_| name),
            EventChoice::Usual => usual.map(Text::from),
        };
        let records = name.as_ref().and(output).map_or(&[][..], Output::records);
        if records.is_empty() && emitted.is_empty() || !self.outlet.is_listened() {
            return;
        }
        let changed = records
            .iter()
            .map(|record| (name.clone().unwrap_or_default(), self.place.description.without_hidden(record)));
        self.send(changed.chain(emitted), Some(method), params.provider.as_ref());
    }

    /// Sends events one behind the other, with nobody else's between them: in a transaction, when it has been kept.
    pub(crate) fn send(
        &self,
        events: impl Iterator<Item = (Text, Document)>,
        method: Option<Method>,
        provider: Option<&Provider>,
    ) {
        let Some(transaction) = Transaction::current() else { return self.outlet.send(events, method, provider) };
        let (outlet, events, provider) = (self.outlet.clone(), events.collect::<Vec<_>>(), provider.cloned());
        transaction.after_commit(move || async move { outlet.send(events.into_iter(), method, provider.as_ref()) });
    }
}

impl Outlet {
    fn is_listened(&self) -> bool {
        self.events.listened(self.place.path())
    }

    fn send(
        &self,
        events: impl Iterator<Item = (Text, Document)>,
        method: Option<Method>,
        provider: Option<&Provider>,
    ) {
        let Some(path) = self.place.site.get().map(Site::shared_path) else { return };
        let mut sequence = self.sequence.lock();
        for (name, record) in events {
            *sequence += 1;
            self.events.send(Event {
                path: path.clone(),
                name,
                id: record.get(self.place.description.id_field()).and_then(Id::from_value),
                record: Arc::new(record),
                method,
                provider: provider.cloned(),
                sequence: *sequence,
            });
        }
    }
}

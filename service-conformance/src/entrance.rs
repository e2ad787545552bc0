//! [`Entrance`]: a way in to a service, by which every case is tried again.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use remex_core::{
    App, Document, DynService, HookSet, Hooks, MethodSet, Next, Page, Params, Provider, Query, Result, Service,
    ServiceExt,
};

use crate::{Case, Need, NewPerson, Person};

/// A way in to a service: directly, through a wrapper, over a wire.
///
/// Whatever the way, a service answers the same; so every case is tried by every way, and proves the way as well.
#[async_trait]
pub trait Entrance: Send + Sync {
    /// Names the way in, for the names of trials and for the table.
    fn name(&self) -> &str;

    /// Returns a service that reaches the given one by this way.
    fn enter(&self, service: Arc<DynService>) -> Arc<DynService>;

    /// Lists what matches a query string, as a client does. The service is one that [`enter`](Self::enter) gave.
    ///
    /// # Errors
    /// As [`Query::parse`] and [`Service::index`].
    async fn index_text(&self, service: &DynService, query: &str) -> Result<Page<Document>> {
        service.index(&client_of_text(service, query)?).await
    }

    /// Removes what matches a query string, as a client does. The service is one that [`enter`](Self::enter) gave.
    ///
    /// # Errors
    /// As [`Query::parse`] and [`Service::remove_many`].
    async fn remove_text(&self, service: &DynService, query: &str) -> Result<Vec<Document>> {
        service.remove_many(&client_of_text(service, query)?).await
    }

    /// Says why a case cannot be tried by this way, if so. Defaults to every case being applicable.
    fn not_applicable(&self, case: &Case) -> Option<&'static str> {
        let _ = case;
        None
    }
}

fn client_of_text(service: &DynService, query: &str) -> Result<Params> {
    let query = Query::parse(query, service.describe().syntax())?;
    Ok(Params::client(Provider::Rest).with_query(query))
}

/// Returns the ways in that need no transport: [`Direct`], [`Pointers`], [`Views`], [`Mounted`] and [`Hooked`].
#[must_use]
pub fn in_process() -> Vec<Arc<dyn Entrance>> {
    vec![Arc::new(Direct), Arc::new(Pointers), Arc::new(Views), Arc::new(Mounted), Arc::new(Hooked)]
}

/// The service itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Entrance for Direct {
    fn name(&self) -> &str {
        "direct"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        service
    }
}

/// The service behind pointers to pointers: nothing is lost by pointing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pointers;

impl Entrance for Pointers {
    fn name(&self) -> &str {
        "pointers"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        let boxed: Box<dyn Service<Id = _, Data = _, Input = _>> = Box::new(service);
        Arc::new(boxed)
    }
}

/// The service as one of [`Person`], and that as one of documents again: nothing is lost by being given types.
#[derive(Clone, Copy, Debug, Default)]
pub struct Views;

impl Entrance for Views {
    fn name(&self) -> &str {
        "views"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        Arc::new(service.typed::<Person, NewPerson>().untyped())
    }

    fn not_applicable(&self, case: &Case) -> Option<&'static str> {
        case.has_need(Need::AnyField).then(|| Need::AnyField.reason())
    }
}

/// The service in an app, with room for hooks and none in it: nothing is lost by being mounted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mounted;

impl Entrance for Mounted {
    fn name(&self) -> &str {
        "mounted"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        mount(&App::new(), service.hooked())
    }
}

/// The service with hooks of every kind around every method, its own and those of its app, that change nothing; and with
/// a subscriber: nothing is lost by being looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hooked;

impl Entrance for Hooked {
    fn name(&self) -> &str {
        "hooked"
    }

    fn enter(&self, service: Arc<DynService>) -> Arc<DynService> {
        let app = App::new();
        let listening = app.subscribe("*").ok();
        let added = app.hooks("*", |hooks| hooks.apply(Unchanged).around(MethodSet::ALL, pass));
        debug_assert!(added.is_ok() && listening.is_some(), "`*` is a pattern");
        // The hooks keep the app, and with it whoever listens, for as long as there is the service.
        let kept = Arc::new((app.clone(), listening));
        let keeping = service.hooked().apply(Unchanged).before(MethodSet::ALL, move |ctx| {
            let kept = kept.clone();
            async move {
                drop(kept);
                Ok(ctx)
            }
        });
        mount(&app, keeping)
    }
}

fn mount(app: &App, service: impl Service + 'static) -> Arc<DynService> {
    let mounted = app.mount("people", service).and_then(|app| app.documents("people"));
    mounted.expect("the path is free")
}

async fn pass<S: Service + ?Sized + 'static>(
    ctx: remex_core::HookContext<S>,
    next: Next<S>,
) -> Result<remex_core::HookContext<S>> {
    next.run(ctx).await
}

/// A hook of every kind but around, for every method, that changes nothing.
struct Unchanged;

impl<S: Service + ?Sized + 'static> HookSet<S> for Unchanged {
    fn add_to(self, hooks: &mut Hooks<S>) {
        hooks
            .before(MethodSet::ALL, |ctx| async { Ok(ctx) })
            .after(MethodSet::ALL, |ctx| async { Ok(ctx) })
            .error(MethodSet::ALL, |ctx| async { Ok(ctx) });
    }
}

impl fmt::Debug for dyn Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

//! [`App`]: services by path.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Weak};

use futures::future::BoxFuture;
use parking_lot::RwLock;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::{EVENTS_WAITING, EventsOwner};
use crate::fit::may_be_object;
use crate::hook::{Detached, Layer, STOP_TIME};
use crate::pattern::PathPattern;
use crate::{
    Description, Document, DynService, Error, Hooks, Id, IdAs, Result, RouteValues, Service, Site, Subscription, Text,
    Transaction, Typed, Untyped,
};

/// Services by path: what a program is made of, and what transports expose.
///
/// An app is a handle: a clone is the same app, and a service that is mounted later is there at once, for calls from
/// inside the program and for transports alike. Slashes around a path make no difference.
///
/// ```
/// use remex_core::{App, Document, FnService, Id, Page, Params, Service};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> remex_core::Result<()> {
/// let app = App::new();
/// app.mount("birds", FnService::<Id>::new("birds").on_index(|_| async {
///     Ok(vec![Document::new().with("id", 1).with("name", "Wren")].into())
/// }))?;
///
/// let birds = app.documents("/birds/")?;
/// assert_eq!(birds.index(&Params::new()).await?.data[0]["name"].as_str(), Some("Wren"));
/// assert!(app.documents("fish").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct App(Arc<Inner>);

#[derive(Default)]
pub(crate) struct Inner {
    mounts: RwLock<Mounts>,
    hooks: RwLock<Vec<(PathPattern, Hooks<DynService>)>>,
    events: EventsOwner,
    detached: Detached,
    start: RwLock<Vec<Task>>,
    stop: RwLock<Vec<Task>>,
}

/// An app that is not kept alive.
#[derive(Clone)]
pub(crate) struct WeakApp(Weak<Inner>);

impl WeakApp {
    pub(crate) fn upgrade(&self) -> Option<App> {
        self.0.upgrade().map(App)
    }
}

impl fmt::Debug for WeakApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakApp").finish_non_exhaustive()
    }
}

type Task = Arc<dyn Fn(App) -> BoxFuture<'static, Result<()>> + Send + Sync>;

#[derive(Default)]
struct Mounts {
    root: Node,
    by_path: HashMap<String, Arc<Mount>>,
    all: Vec<Arc<Mount>>,
}

/// One segment of the mounted paths, with those that may follow it.
#[derive(Default)]
struct Node {
    fixed: HashMap<Text, Self>,
    parameter: Option<Box<Self>>,
    mount: Option<Arc<Mount>>,
}

/// A service under its path.
pub struct Mount {
    path: String,
    segments: Vec<Segment>,
    service: Arc<DynService>,
    description: Arc<Description>,
    /// The service as it was mounted, with its own types.
    typed: Arc<dyn Any + Send + Sync>,
    /// The type of its records.
    data: TypeId,
    layer: Arc<dyn HasLayer>,
}

/// A mounted service, of which only the hooks of the app are wanted.
trait HasLayer: Send + Sync {
    fn layer(&self) -> Option<&Layer>;
}

impl<S: Service> HasLayer for Untyped<S> {
    fn layer(&self) -> Option<&Layer> {
        Self::layer(self)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Fixed(Text),
    Parameter(Text),
}

/// A service that a path leads to, with what the path says.
#[derive(Clone, Debug)]
pub struct Match {
    /// The service under its path.
    pub mount: Arc<Mount>,
    /// The values of the path's parameters.
    pub route: RouteValues,
}

impl Mount {
    /// Returns the path, without slashes around it: `users/{user_id}/notes`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the service, speaking documents.
    #[must_use]
    pub const fn service(&self) -> &Arc<DynService> {
        &self.service
    }

    /// Returns what the service said about itself when it was mounted.
    #[must_use]
    pub const fn description(&self) -> &Arc<Description> {
        &self.description
    }
}

/// A mounted service with ids and records of your own types; made by [`App::service`].
pub type AppService<I, T, In = T> = Typed<IdAs<Arc<DynService>, I>, T, In>;

impl Mount {
    /// Sets the hooks of the app that are meant for this service.
    fn set_hooks(&self, hooks: &[(PathPattern, Hooks<DynService>)]) {
        let mut all = Hooks::new();
        for (_, hooks) in hooks.iter().filter(|(pattern, _)| pattern.matches(&self.path)) {
            all.extend(hooks);
        }
        if let Some(layer) = self.layer.layer() {
            layer.set_hooks(&all);
        }
    }
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mount").field("path", &self.path).finish_non_exhaustive()
    }
}

impl App {
    /// Returns an app without services.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Mounts a service under a path, of which segments in braces are parameters: `users/{user_id}/notes`.
    ///
    /// What a parameter stands for in a request is in [`Params::route`](crate::Params::route).
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for a path that has a service already, and
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for one that is malformed: empty, with an empty segment, a
    /// segment that begins with `_`, characters that a URL cannot have, braces that do not enclose a name, or a name twice.
    pub fn mount<S: Service + 'static>(&self, path: &str, service: S) -> Result<&Self> {
        let segments = parse(path)?;
        let path = path.trim_matches('/').to_owned();
        let service = Arc::new(service);
        let site = Site::new(self.downgrade(), path.as_str().into());
        let below = Arc::new(Untyped::shared(service.clone()));
        let layer = Layer::new(below, may_be_object::<S::Data>(), site.clone(), self.0.events.0.clone());
        let untyped = Arc::new(Untyped::mounted_in(service.clone(), layer));
        let mount = Arc::new(Mount {
            path: path.clone(),
            segments: segments.clone(),
            description: untyped.describe(),
            typed: service.clone(),
            data: TypeId::of::<S::Data>(),
            layer: untyped.clone(),
            service: untyped,
        });
        // Hooks that are added meanwhile wait, and find the service.
        let hooks = self.0.hooks.read();
        let mut mounts = self.0.mounts.write();
        let mut node = &mut mounts.root;
        for segment in segments {
            node = match segment {
                Segment::Fixed(name) => node.fixed.entry(name).or_default(),
                Segment::Parameter(_) => node.parameter.get_or_insert_default(),
            };
        }
        if let Some(taken) = &node.mount {
            return Err(Error::conflict(format!("there is a service under `{}` already", taken.path)));
        }
        node.mount = Some(mount.clone());
        mount.set_hooks(&hooks);
        mounts.by_path.insert(path, mount.clone());
        mounts.all.push(mount);
        drop(mounts);
        drop(hooks);
        service.mounted(&site);
        Ok(self)
    }

    /// Adds hooks for the services whose path matches a pattern, those that are mounted later among them.
    ///
    /// A pattern is a path, `*` for all services, or a path with `*` in the place of segments: at the end it stands for one or
    /// more, elsewhere for one. Such hooks run around those of the service itself, and see documents whatever the service
    /// is made of.
    ///
    /// ```
    /// use remex_core::{App, AppContext, Error, Method, MethodSet, Result};
    ///
    /// async fn no_strangers(ctx: AppContext) -> Result<AppContext> {
    ///     match ctx.is_client() && !ctx.params().headers.contains_key("authorization") {
    ///         true => Err(Error::unauthenticated("say who you are")),
    ///         false => Ok(ctx),
    ///     }
    /// }
    ///
    /// let app = App::new();
    /// app.hooks("*", |hooks| hooks.before(MethodSet::ALL, no_strangers))?;
    /// app.hooks("admin/*", |hooks| {
    ///     hooks.after(Method::Read, |mut ctx| async move {
    ///         for record in ctx.records_mut() {
    ///             record.insert("seen_by", "admin");
    ///         }
    ///         Ok(ctx)
    ///     })
    /// })?;
    /// # Ok::<(), remex_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for a pattern that no path can match.
    pub fn hooks(
        &self,
        pattern: &str,
        add: impl FnOnce(&mut Hooks<DynService>) -> &mut Hooks<DynService>,
    ) -> Result<&Self> {
        let pattern = PathPattern::parse(pattern)?;
        let mut new = Hooks::new();
        add(&mut new);
        let mut hooks = self.0.hooks.write();
        hooks.push((pattern, new));
        let mounts = self.0.mounts.read().all.clone();
        mounts.iter().for_each(|mount| mount.set_hooks(&hooks));
        Ok(self)
    }

    /// Subscribes to the events of the services whose path matches a pattern, as in [`hooks`](Self::hooks).
    ///
    /// Events are sent for calls from inside the program and from clients alike, but for
    /// [silent](crate::ServiceExt::silent) ones. Every subscriber has the events of one service in one and the same order.
    ///
    /// ```
    /// use remex_core::{App, Document, FnService, Id, Params, Received, Service};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> remex_core::Result<()> {
    /// let app = App::new();
    /// app.mount("notes", FnService::<Id>::new("notes").on_create(|data: Document, _| async { Ok(data) }))?;
    /// let mut events = app.subscribe("*")?;
    /// app.documents("notes")?.create(Document::new().with("text", "sing"), &Params::new()).await?;
    /// let Some(Received::Event(event)) = events.next().await else { panic!("no event") };
    /// assert_eq!((&*event.path, event.name.as_str()), ("notes", "created"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for a pattern that no path can match.
    pub fn subscribe(&self, pattern: &str) -> Result<Subscription> {
        self.subscribe_with(pattern, EVENTS_WAITING)
    }

    /// As [`subscribe`](Self::subscribe), with so many events that may wait for the subscriber.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub fn subscribe_with(&self, pattern: &str, waiting: usize) -> Result<Subscription> {
        self.0.events.0.subscribe(pattern, waiting)
    }

    /// Sends an event of the program's own to the subscribers of a service.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where there is no such service.
    pub fn emit(&self, path: &str, name: impl Into<Text>, data: Document) -> Result<()> {
        let mount = self.mount_of(path)?;
        if let Some(layer) = mount.layer.layer() {
            layer.send(std::iter::once((name.into(), data)), None, None);
        }
        Ok(())
    }

    /// Does work whose calls are kept together or not at all; see [`Transaction`] for what holds.
    ///
    /// The work may be done more than once, where the store had to undo it because of somebody else's.
    ///
    /// ```
    /// # use remex_core::{App, Document, Params, Result, Service};
    /// # async fn example(app: &App) -> Result<()> {
    /// let (orders, lines) = (app.documents("orders")?, app.documents("lines")?);
    /// let order = app
    ///     .transaction(|| async {
    ///         let order = orders.create(Document::new().with("customer", 7), &Params::new()).await?;
    ///         let line = Document::new().with("order_id", order["id"].clone()).with("item", "feather");
    ///         lines.create(line, &Params::new()).await?;
    ///         Ok(order)
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the work answers, then nothing is kept; and what the store answers that could not keep it.
    pub async fn transaction<T, W, F>(&self, work: W) -> Result<T>
    where
        W: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T>> + Send,
        T: Send,
    {
        Transaction::run(work).await
    }

    pub(crate) fn downgrade(&self) -> WeakApp {
        WeakApp(Arc::downgrade(&self.0))
    }

    pub(crate) fn detached(&self) -> &Detached {
        &self.0.detached
    }

    /// Returns the service under a path, speaking documents.
    ///
    /// The path is the one of the mount, with its parameters in braces or with values for them; the values are for
    /// whoever calls to put into [`Params::route`](crate::Params::route).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where there is none.
    pub fn documents(&self, path: &str) -> Result<Arc<DynService>> {
        self.mount_of(path).map(|mount| mount.service.clone())
    }

    /// Returns the service under a path, speaking your own types, whatever it is made of.
    ///
    /// `I` is what you take ids for, `T` what you take records for. What is created is a `T` as well, unless
    /// [`taking`](Typed::taking) says otherwise. Hooks run and events are sent as for any other call.
    ///
    /// ```
    /// use remex_core::{App, Document, FnService, Id, Params, Result, Service};
    ///
    /// #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// struct Bird { id: i64, name: String }
    ///
    /// async fn name(app: &App, id: i64) -> Result<String> {
    ///     Ok(app.service::<i64, Bird>("birds")?.read(&id, &Params::new()).await?.name)
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let app = App::new();
    /// # app.mount("birds", FnService::<Id>::new("birds").on_read(|_, _| async {
    /// #     Ok(Document::new().with("id", 1).with("name", "Wren"))
    /// # }))?;
    /// # assert_eq!(name(&app, 1).await?, "Wren");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where there is none.
    pub fn service<I, T>(&self, path: &str) -> Result<AppService<I, T>>
    where
        I: Clone + fmt::Display + FromStr + Send + Sync + 'static,
        T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    {
        let mount = self.mount_of(path)?;
        let typed = Typed::new(IdAs::new(mount.service.clone()));
        Ok(if mount.data == TypeId::of::<T>() { typed.trusting() } else { typed })
    }

    /// Returns the service under a path with its own type, as it was mounted.
    ///
    /// Calls of it go past the hooks of the app, and with them past the scopes that these add, and have no events.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where there is none, and
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it is of another type.
    pub fn service_as<S: Service + 'static>(&self, path: &str) -> Result<Arc<S>> {
        let mount = self.mount_of(path)?;
        mount
            .typed
            .clone()
            .downcast()
            .map_err(|_| Error::internal(format!("the service under `{path}` is no `{}`", std::any::type_name::<S>())))
    }

    fn mount_of(&self, path: &str) -> Result<Arc<Mount>> {
        let trimmed = path.trim_matches('/');
        if let Some(mount) = self.0.mounts.read().by_path.get(trimmed) {
            return Ok(mount.clone());
        }
        self.find(trimmed.split('/').map(Into::into).collect::<Vec<_>>().as_slice())
            .map(|found| found.mount)
            .ok_or_else(|| Error::not_found(format!("there is no service under `{}`", crate::error::shown(trimmed))))
    }

    /// Finds the service to which the segments of a path lead. A fixed segment goes before a parameter.
    #[must_use]
    pub fn find(&self, segments: &[Text]) -> Option<Match> {
        fn walk<'a>(node: &'a Node, segments: &[Text]) -> Option<&'a Arc<Mount>> {
            let [segment, rest @ ..] = segments else { return node.mount.as_ref() };
            let fixed = node.fixed.get(segment).and_then(|node| walk(node, rest));
            fixed.or_else(|| {
                let node = node.parameter.as_ref().filter(|_| !segment.is_empty())?;
                walk(node, rest)
            })
        }
        let mounts = self.0.mounts.read();
        let mount = walk(&mounts.root, segments)?.clone();
        drop(mounts);
        let mut route = RouteValues::default();
        for (segment, value) in mount.segments.iter().zip(segments) {
            if let Segment::Parameter(name) = segment {
                route.insert(name.clone(), value.clone());
            }
        }
        Some(Match { mount, route })
    }

    /// Lists the services in the order in which they were mounted.
    #[must_use]
    pub fn mounts(&self) -> Vec<Arc<Mount>> {
        self.0.mounts.read().all.clone()
    }

    /// Adds something to be done when the app starts, in the order of adding.
    pub fn on_start<F, R>(&self, task: F) -> &Self
    where
        F: Fn(Self) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        self.0.start.write().push(Arc::new(move |app| Box::pin(task(app))));
        self
    }

    /// Adds something to be done when the app stops, in the reverse order of adding.
    pub fn on_stop<F, R>(&self, task: F) -> &Self
    where
        F: Fn(Self) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        self.0.stop.write().push(Arc::new(move |app| Box::pin(task(app))));
        self
    }

    /// Does what is to be done at the start.
    ///
    /// # Errors
    /// Whatever the first task that fails answers; those behind it are then not begun.
    pub async fn start(&self) -> Result<()> {
        let tasks = self.0.start.read().clone();
        for task in tasks {
            task(self.clone()).await?;
        }
        Ok(())
    }

    /// Waits for detached hooks, then does what is to be done at the stop, all of it, whatever fails.
    ///
    /// Hooks that have not come to their end within 20 seconds are waited for no longer.
    ///
    /// # Errors
    /// Whatever the first task that failed answered.
    pub async fn stop(&self) -> Result<()> {
        if self.0.detached.running() > 0 && tokio::time::timeout(STOP_TIME, self.0.detached.finish()).await.is_err() {
            tracing::warn!(
                unfinished = self.0.detached.running(),
                "detached hooks took too long and are not waited for"
            );
        }
        let tasks = self.0.stop.read().clone();
        let mut outcome = Ok(());
        for task in tasks.into_iter().rev() {
            outcome = outcome.and(task(self.clone()).await);
        }
        // Those tasks may have begun some more.
        self.finish_detached().await;
        outcome
    }

    async fn finish_detached(&self) {
        let detached = &self.0.detached;
        if detached.running() > 0 && tokio::time::timeout(STOP_TIME, detached.finish()).await.is_err() {
            tracing::warn!(unfinished = detached.running(), "detached hooks took too long and are not waited for");
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.mounts().iter().map(|mount| mount.path.clone())).finish()
    }
}

fn parse(path: &str) -> Result<Vec<Segment>> {
    let malformed = |why: &str| Error::bad_request(format!("`{path}` cannot be the path of a service: {why}"));
    let trimmed = path.trim_matches('/');
    if trimmed.is_empty() {
        return Err(malformed("it is empty"));
    }
    let mut segments = Vec::new();
    for segment in trimmed.split('/') {
        let parameter = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let name = parameter.unwrap_or(segment);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        if name.is_empty() {
            return Err(malformed("a segment of it is empty"));
        }
        if !name.bytes().all(fits) {
            return Err(malformed("a segment may have letters, digits, `-`, `_`, `.` and `~`, or be a name in braces"));
        }
        if name == "." || name == ".." {
            return Err(malformed("`.` and `..` are taken away by clients"));
        }
        if parameter.is_none() && name.starts_with('_') {
            return Err(malformed("segments that begin with `_` are reserved for routes"));
        }
        let segment = match parameter {
            Some(name) => Segment::Parameter(name.into()),
            None => Segment::Fixed(name.into()),
        };
        if parameter.is_some() && segments.contains(&segment) {
            return Err(malformed("a parameter is there twice"));
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// Makes sure that whatever an app holds can be called from any task.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<App>();
    shared::<Arc<dyn Service<Id = Id, Data = Document, Input = Document>>>();
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, FnService};

    fn service() -> FnService {
        FnService::new("x")
    }

    #[test]
    fn malformed_and_taken_paths_are_errors() {
        let app = App::new();
        app.mount("/users//", service()).expect("slashes around a path make no difference");
        for path in ["", "/", "a//b", "a b", "ä", "{", "{}", "a{b}", "{a}/{a}", "_count", "..", "a/../b", "*", "a?b"] {
            assert_eq!(app.mount(path, service()).expect_err(path).kind(), ErrorKind::BadRequest, "{path}");
        }
        assert_eq!(app.mount("users", service()).expect_err("taken").kind(), ErrorKind::Conflict);
        app.mount("users/{a}/notes", service()).expect("another path");
        assert_eq!(app.mount("users/{b}/notes", service()).expect_err("taken").kind(), ErrorKind::Conflict);
    }

    #[test]
    fn paths_lead_to_services() {
        let app = App::new();
        let find = |path: &str| {
            let segments: Vec<Text> = path.split('/').map(Text::from).collect();
            let found = app.find(&segments)?;
            let route: Vec<_> = found.route.iter().map(|(name, value)| format!("{name}={value}")).collect();
            Some(format!("{} {}", found.mount.path(), route.join(" ")))
        };
        assert_eq!(find("users"), None);
        app.mount("users", service()).expect("mounted");
        app.mount("users/{user}/notes", service()).expect("mounted");
        app.mount("users/me/notes", service()).expect("mounted");
        app.mount("{tenant}/files", service()).expect("mounted");
        assert_eq!(find("users").as_deref(), Some("users "));
        assert_eq!(find("users/5/notes").as_deref(), Some("users/{user}/notes user=5"));
        assert_eq!(find("users/me/notes").as_deref(), Some("users/me/notes "));
        assert_eq!(find("users/files").as_deref(), Some("{tenant}/files tenant=users"));
        assert_eq!(find("users/5"), None);
        assert_eq!(find("users//notes"), None);
        assert!(app.documents("///users/").is_ok());
        assert!(app.documents("users/{user}/notes").is_ok());
        assert!(app.documents("unknown").is_err());
    }

    #[test]
    fn a_service_keeps_its_type() {
        let app = App::new();
        app.mount("x", FnService::<u8, u16, u32>::new("x")).expect("mounted");
        assert!(app.service_as::<FnService<u8, u16, u32>>("x").is_ok());
        assert!(app.service_as::<FnService>("x").is_err());
    }

    #[tokio::test]
    async fn starts_in_order_and_stops_in_reverse() {
        let app = App::new();
        let trace = Arc::new(RwLock::new(Vec::new()));
        for name in ["a", "b"] {
            let (started, stopped) = (trace.clone(), trace.clone());
            app.on_start(move |_| {
                started.write().push(format!("start {name}"));
                async { Ok(()) }
            });
            app.on_stop(move |_| {
                stopped.write().push(format!("stop {name}"));
                async { Err(Error::internal("no")) }
            });
        }
        app.start().await.expect("started");
        assert!(app.stop().await.is_err());
        assert_eq!(*trace.read(), ["start a", "start b", "stop b", "stop a"]);
    }
}

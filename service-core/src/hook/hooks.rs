//! [`Hooks`]: which hooks run for which methods.

use std::fmt;
use std::sync::Arc;

use super::{AroundHook, Closure, Hook, HookContext, HookKind, Next};
use crate::{Method, MethodSet, Result, Service};

/// Which hooks run for which methods, in the order in which they were added.
///
/// A hook is for one method, for several or for [all](MethodSet::ALL).
pub struct Hooks<S: Service + ?Sized> {
    list: Vec<Entry<S>>,
}

struct Entry<S: Service + ?Sized> {
    methods: MethodSet,
    hook: Kept<S>,
}

enum Kept<S: Service + ?Sized> {
    Around(Arc<dyn AroundHook<S>>),
    Other(HookKind, Arc<dyn Hook<S>>),
}

impl<S: Service + ?Sized> Clone for Kept<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Around(hook) => Self::Around(hook.clone()),
            Self::Other(kind, hook) => Self::Other(*kind, hook.clone()),
        }
    }
}

impl<S: Service + ?Sized> Clone for Hooks<S> {
    fn clone(&self) -> Self {
        let list = self.list.iter().map(|entry| Entry { methods: entry.methods, hook: entry.hook.clone() });
        Self { list: list.collect() }
    }
}

impl<S: Service + ?Sized> Default for Hooks<S> {
    fn default() -> Self {
        Self { list: Vec::new() }
    }
}

impl<S: Service + ?Sized> fmt::Debug for Hooks<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = |entry: &Entry<S>| match entry.hook {
            Kept::Around(_) => HookKind::Around,
            Kept::Other(kind, _) => kind,
        };
        f.debug_list().entries(self.list.iter().map(|entry| (kind(entry), entry.methods))).finish()
    }
}

/// Several hooks that belong together, such as those that make removed records come back.
pub trait HookSet<S: Service + ?Sized> {
    /// Adds the hooks.
    fn add_to(self, hooks: &mut Hooks<S>);
}

impl<S: Service + ?Sized + 'static> Hooks<S> {
    /// Returns a table without hooks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a hook around the methods: it gets the rest of the call as a [`Next`] to run.
    pub fn around<F, R>(&mut self, methods: impl Into<MethodSet>, hook: F) -> &mut Self
    where
        F: Fn(HookContext<S>, Next<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.add_around(methods, Closure::new(hook))
    }

    /// Adds a hook that runs before the methods.
    pub fn before<F, R>(&mut self, methods: impl Into<MethodSet>, hook: F) -> &mut Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.add(HookKind::Before, methods, Closure::new(hook))
    }

    /// Adds a hook that runs behind the methods, where they succeeded.
    pub fn after<F, R>(&mut self, methods: impl Into<MethodSet>, hook: F) -> &mut Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.add(HookKind::After, methods, Closure::new(hook))
    }

    /// Adds an after hook that deals with each record by itself: a list may come to it in parts, each as a page.
    ///
    /// Long lists are then read and answered little by little. For an [`after`](Self::after) hook they are gathered, since it
    /// may look at all of a list at once.
    pub fn after_parts<F, R>(&mut self, methods: impl Into<MethodSet>, hook: F) -> &mut Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.add(HookKind::After, methods, Closure::of_parts(hook))
    }

    /// Adds a hook that runs where a before hook, the method or an after hook failed.
    ///
    /// It may put another error in the place of the one there is, or a result: the call has succeeded then.
    pub fn error<F, R>(&mut self, methods: impl Into<MethodSet>, hook: F) -> &mut Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.add(HookKind::Error, methods, Closure::new(hook))
    }

    /// Adds a hook that runs on its own behind a call that succeeded: the answer does not wait for it.
    ///
    /// Its errors are logged. An app waits for such hooks when it stops. At most [`DETACHED_MAX`](super::DETACHED_MAX) of
    /// them run at once; calls past that wait for their own.
    pub fn detached<F, R>(&mut self, methods: impl Into<MethodSet>, hook: F) -> &mut Self
    where
        F: Fn(HookContext<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HookContext<S>>> + Send + 'static,
    {
        self.add(HookKind::Detached, methods, Closure::new(hook))
    }

    /// Adds a type that is a hook. [`HookKind::Around`] does not go with it: see [`add_around`](Self::add_around).
    ///
    /// # Panics
    /// Where the kind is [`HookKind::Around`].
    pub fn add(&mut self, kind: HookKind, methods: impl Into<MethodSet>, hook: impl Hook<S>) -> &mut Self {
        assert!(kind != HookKind::Around, "an around hook takes a `Next`; add it by `add_around`");
        self.list.push(Entry { methods: methods.into(), hook: Kept::Other(kind, Arc::new(hook)) });
        self
    }

    /// Adds a type that is an around hook.
    pub fn add_around(&mut self, methods: impl Into<MethodSet>, hook: impl AroundHook<S>) -> &mut Self {
        self.list.push(Entry { methods: methods.into(), hook: Kept::Around(Arc::new(hook)) });
        self
    }

    /// Adds several hooks that belong together.
    pub fn apply(&mut self, set: impl HookSet<S>) -> &mut Self {
        set.add_to(self);
        self
    }

    /// Adds all hooks of another table behind those of this one.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.list.extend(other.clone().list);
    }
}

/// The hooks of one method in the order in which they run.
pub(crate) struct Chain<S: Service + ?Sized> {
    pub(super) around: Vec<Arc<dyn AroundHook<S>>>,
    pub(super) before: Vec<Arc<dyn Hook<S>>>,
    pub(super) after: Vec<Arc<dyn Hook<S>>>,
    pub(super) error: Vec<Arc<dyn Hook<S>>>,
    pub(super) detached: Vec<Arc<dyn Hook<S>>>,
    /// Whether a hook looks at the records of the result.
    pub(super) sees_records: bool,
    /// Whether a hook looks at all records of a list at once.
    pub(super) sees_lists: bool,
}

impl<S: Service + ?Sized + 'static> Chain<S> {
    fn new(hooks: &Hooks<S>, method: Method) -> Self {
        let of = |all: bool| {
            let concerned =
                move |entry: &&Entry<S>| entry.methods.contains(method) && (entry.methods == MethodSet::ALL) == all;
            hooks.list.iter().filter(concerned).map(|entry| &entry.hook)
        };
        let kept = |kind: HookKind, all_first: bool| {
            of(all_first).chain(of(!all_first)).filter_map(move |hook| match hook {
                Kept::Other(other, hook) if *other == kind => Some(hook.clone()),
                _ => None,
            })
        };
        let around = of(true).chain(of(false)).filter_map(|hook| match hook {
            Kept::Around(hook) => Some(hook.clone()),
            Kept::Other(..) => None,
        });
        let mut chain = Self {
            around: around.collect(),
            before: kept(HookKind::Before, true).collect(),
            after: kept(HookKind::After, false).collect(),
            error: kept(HookKind::Error, false).collect(),
            detached: kept(HookKind::Detached, false).collect(),
            sees_records: false,
            sees_lists: false,
        };
        let behind = || chain.after.iter().chain(&chain.detached);
        let around = chain.around.iter().any(|hook| hook.sees_records());
        let sees_lists = around
            || chain.after.iter().any(|hook| hook.sees_lists())
            || chain.detached.iter().any(|hook| hook.sees_records());
        let sees_records = around || behind().any(|hook| hook.sees_records());
        (chain.sees_lists, chain.sees_records) = (sees_lists, sees_records);
        chain
    }

    fn is_empty(&self) -> bool {
        self.around.is_empty() && self.before.is_empty() && self.is_empty_behind()
    }

    /// Returns whether nothing is around the method but hooks before and behind it.
    pub(super) const fn is_plain(&self) -> bool {
        self.around.is_empty() && self.error.is_empty()
    }

    fn is_empty_behind(&self) -> bool {
        self.after.is_empty() && self.error.is_empty() && self.detached.is_empty()
    }
}

/// The hooks of all methods, each in the order in which they run.
pub(crate) struct Chains<S: Service + ?Sized> {
    by_method: [Arc<Chain<S>>; 6],
    /// The methods that have hooks.
    pub(crate) hooked: MethodSet,
}

impl<S: Service + ?Sized + 'static> Chains<S> {
    pub(crate) fn new(hooks: &Hooks<S>) -> Self {
        let by_method = Method::ALL.map(|method| Arc::new(Chain::new(hooks, method)));
        let hooked = Method::ALL.into_iter().filter(|method| !by_method[*method as usize].is_empty()).collect();
        Self { by_method, hooked }
    }

    /// Returns whether lists are gathered for hooks that look at all of one at once.
    pub(crate) fn gathers_lists(&self) -> bool {
        self.of(Method::Index).sees_lists
    }

    pub(crate) fn of(&self, method: Method) -> &Arc<Chain<S>> {
        &self.by_method[method as usize]
    }
}

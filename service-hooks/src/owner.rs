//! [`Owner`]: records that belong to somebody.

use std::fmt;
use std::sync::Arc;

use remex_core::{
    Document, Error, Filter, HookContext, HookSet, Hooks, IntoPath, MethodSet, Params, Path, Result, Service, Value,
};

type Find = dyn Fn(&Params) -> Option<Value> + Send + Sync;

/// Keeps everybody to their own records: a field holds whose a record is, and a closure finds out who calls.
///
/// - Every method, unless [`methods`](Self::methods) says otherwise, sees the records of the owner only; those of others are not there, for `modify` and `update` neither.
/// - New records get the owner, those too that `modify` and `update` make.
/// - Data that names somebody else as the owner is refused.
/// - A client without an owner is refused. The program without one sees everything; with one, no more than the owner.
///
/// The owner comes from what the server put into the params, a user in [`Params::extensions`] or a parameter of the path,
/// never from the query. It is a scope ([`Params::scope`]), which services of your own have to honour.
///
/// ```
/// use remex_core::{App, Params};
/// use remex_hooks::Owner;
///
/// /// Who has signed in, as a layer found out.
/// #[derive(Clone)]
/// struct User { id: i64 }
///
/// let user = |params: &Params| params.extensions.get::<User>().map(|user| user.id.into());
/// let app = App::new();
/// app.hooks("notes", |hooks| hooks.apply(Owner::new("user_id", user)))?;
/// # Ok::<(), remex_core::Error>(())
/// ```
///
/// # Errors of the hooks
/// - [`ErrorKind::Unauthenticated`](remex_core::ErrorKind::Unauthenticated) for a client without an owner; null is none.
/// - [`ErrorKind::Forbidden`](remex_core::ErrorKind::Forbidden) for data with another owner.
#[derive(Clone)]
pub struct Owner {
    field: Path,
    find: Arc<Find>,
    methods: MethodSet,
}

impl Owner {
    /// Takes the field that holds whose a record is, and what finds out who calls.
    ///
    /// # Panics
    /// For text that is no path, or one that goes through objects: new records get a field of their own.
    #[must_use]
    #[track_caller]
    pub fn new(field: impl IntoPath, find: impl Fn(&Params) -> Option<Value> + Send + Sync + 'static) -> Self {
        let field = field.into_path();
        assert!(field.first() == field.as_str(), "the owner must be a field of the record itself, not `{field}`");
        Self { field, find: Arc::new(find), methods: MethodSet::ALL }
    }

    /// Sets for which methods the rule holds. Defaults to all; records that everybody may read have it for
    /// [those that change them](MethodSet::WRITES).
    #[must_use]
    pub fn methods(mut self, methods: impl Into<MethodSet>) -> Self {
        self.methods = methods.into();
        self
    }

    fn apply<S>(&self, mut ctx: HookContext<S>) -> Result<HookContext<S>>
    where
        S: Service<Input = Document> + ?Sized,
    {
        // Null would be the owner of everything that nobody owns.
        let Some(owner) = (self.find)(ctx.params()).filter(|owner| !owner.is_null()) else {
            return if ctx.is_client() { Err(Error::unauthenticated("say who you are")) } else { Ok(ctx) };
        };
        let scope = Filter::eq(&self.field, owner);
        let is_patch = ctx.patch().is_some();
        if ctx.documents().iter().any(|data| self.names_another(data, &scope, is_patch)) {
            let message = format!("`{}` names another owner than the caller", self.field);
            return Err(Error::forbidden(message).with_field(self.field.as_str(), "owner", "names another owner"));
        }
        let params = ctx.params_mut();
        params.scope = std::mem::take(&mut params.scope).and(scope);
        Ok(ctx)
    }

    /// Returns whether data would give a record to somebody else, or to several: a list is within the scope of everyone
    /// who is in it.
    fn names_another(&self, data: &Document, scope: &Filter, is_patch: bool) -> bool {
        let name = self.field.as_str();
        let inside = |other: &str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let another = data.get(name).is_some_and(|value| match value {
            // A new record gets the owner instead of null; one that is there would lose its own.
            Value::Null => is_patch,
            Value::Array(_) => true,
            _ => !scope.matches(data),
        });
        // There are stores that change a field by a name with dots.
        another || data.names().any(inside)
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("field", &self.field).finish_non_exhaustive()
    }
}

impl<S> HookSet<S> for Owner
where
    S: Service<Input = Document> + ?Sized + 'static,
{
    fn add_to(self, hooks: &mut Hooks<S>) {
        hooks.before(self.methods, move |ctx| std::future::ready(self.apply(ctx)));
    }
}

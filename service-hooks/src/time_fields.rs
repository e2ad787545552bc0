//! [`TimeFields`]: when a record was made and last changed.

use remex_core::{
    Document, HookContext, HookSet, Hooks, IntoPath, Method, Missing, Operation, Path, Query, Result, Service, Value,
};

use crate::fields::strip;
use crate::program::{now, on_behalf};

/// Keeps the times at which records are made and last changed, in fields of names of your own.
///
/// Where the names may be `created_at` and `updated_at`, or the same in camel case, prefer
/// [`Options::timestamps`](remex_core::Options::timestamps): the store does it then in the same statement. These hooks read
/// the record before `update`, which replaces it, to keep the time at which it was made, and before a `modify` that may have
/// to make it; the service has to offer `read` for that.
///
/// Whatever callers, the program too, send for these fields is left out of their data. A `modify` without any field changes
/// nothing, not even the time. Times are RFC 3339 in UTC. A service that knows its fields must know these two.
///
/// ```
/// use remex_core::{Document, Options, Params, Result, Service, ServiceExt};
/// use remex_hooks::TimeFields;
/// use remex_memory::MemoryService;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let notes = MemoryService::<Document>::new(Options::new("notes"))?.hooked().apply(TimeFields::new("made", "changed"));
/// let note = notes.create(Document::new().with("text", "sing"), &Params::new()).await?;
/// assert_eq!(note["made"], note["changed"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TimeFields {
    /// Both, for what callers may not set.
    paths: [Path; 2],
}

impl TimeFields {
    /// Takes the names of the two fields: made at, changed at.
    ///
    /// # Panics
    /// For text that is no path, or one that goes through objects.
    #[must_use]
    #[track_caller]
    pub fn new(made: impl IntoPath, changed: impl IntoPath) -> Self {
        let paths = [made.into_path(), changed.into_path()];
        for path in &paths {
            assert!(path.first() == path.as_str(), "a time must be a field of the record itself, not `{path}`");
        }
        Self { paths }
    }

    async fn stamp<S>(&self, mut ctx: HookContext<S>) -> Result<HookContext<S>>
    where
        S: Service<Data = Document, Input = Document> + ?Sized + 'static,
    {
        for data in ctx.documents_mut() {
            strip(data, &self.paths);
        }
        let now = now();
        let made = match ctx.operation() {
            Operation::Create | Operation::CreateMany => Some(now.clone()),
            Operation::Update => match self.made(&ctx).await? {
                Some(made) => made,
                None => Some(now.clone()),
            },
            Operation::Modify if may_create(&ctx) => match self.made(&ctx).await? {
                Some(_) => None,
                None => Some(now.clone()),
            },
            _ => None,
        };
        let is_patch = ctx.patch().is_some();
        let [made_field, changed_field] = self.paths.each_ref().map(Path::as_str);
        for data in ctx.documents_mut() {
            if let Some(made) = &made {
                data.insert(made_field, made.clone());
            }
            if !(is_patch && data.is_empty()) {
                data.insert(changed_field, now.clone());
            }
        }
        Ok(ctx)
    }

    /// Reads when the record was made: `None` where there is no record, and `Some(None)` where it does not say.
    async fn made<S>(&self, ctx: &HookContext<S>) -> Result<Option<Option<Value>>>
    where
        S: Service<Data = Document> + ?Sized,
    {
        let Some(id) = ctx.id() else { return Ok(None) };
        let mut params = on_behalf(ctx.params());
        params.query = Query::new().select([&self.paths[0]]);
        match ctx.service().read(id, &params).await {
            Ok(record) => Ok(Some(record.get(self.paths[0].as_str()).cloned())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn may_create<S: Service + ?Sized>(ctx: &HookContext<S>) -> bool {
    ctx.description().missing(ctx.params()) == Missing::Create
}

impl<S> HookSet<S> for TimeFields
where
    S: Service<Data = Document, Input = Document> + ?Sized + 'static,
{
    fn add_to(self, hooks: &mut Hooks<S>) {
        hooks.before([Method::Create, Method::Modify, Method::Update], move |ctx| {
            let fields = self.clone();
            async move { fields.stamp(ctx).await }
        });
    }
}

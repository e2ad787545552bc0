//! [`SoftDelete`]: records that are marked instead of removed.

use remex_core::{
    Document, Error, Filter, HookContext, HookSet, Hooks, Intent, IntoPath, Method, MethodSet, Missing, Operation,
    Params, Patch, Path, Result, Service, Value,
};

use crate::fields::strip;
use crate::program::{now, on_behalf};

/// Marks records with the time at which they were removed, instead of removing them.
///
/// - A record with the mark is not there, for any method. `modify` and `update` of its id answer 404: they neither bring it
///   back nor make a second one. `create` with its id is a conflict, and values of unique fields stay taken.
/// - `remove` answers the record without the mark and has the event `removed`; who may remove many is decided as ever. Each is
///   one statement, so that of two callers who remove a record at once one is told 404.
/// - Whatever callers send for the mark is left out of their data.
/// - With [`Options::timestamps`](remex_core::Options::timestamps), a removed record was last changed when it was removed.
///
/// The program goes past the mark by [`silent`](remex_core::ServiceExt::silent), as below.
///
/// A service that knows its fields must know the mark, as an optional
/// [`FieldType::DateTime`](remex_core::FieldType::DateTime) or text, and has to offer `modify`.
///
/// # Order
/// Records are marked in the place of the method, behind all before hooks. Where the set is added to an app, hooks of the
/// service itself see a `modify` of the program and no `remove`: what refuses clients belongs to the app as well then.
///
/// ```
/// use remex_core::{Document, Options, Params, Result, Service, ServiceExt};
/// use remex_hooks::SoftDelete;
/// use remex_memory::MemoryService;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let notes = MemoryService::<Document>::new(Options::new("notes"))?.hooked().apply(SoftDelete::new("deleted_at"));
/// let (all, id) = (Params::new(), "1".into());
/// notes.create(Document::new().with("text", "sing"), &all).await?;
/// notes.remove(&id, &all).await?;
/// assert!(notes.read(&id, &all).await.is_err());
///
/// // Brought back, and removed for good.
/// notes.silent().modify(&id, Document::new().with("deleted_at", None::<i64>).into(), &all).await?;
/// assert_eq!(notes.count(&all).await?, 1);
/// notes.silent().remove(&id, &all).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SoftDelete {
    mark: Path,
}

impl SoftDelete {
    /// Takes the name of the field that holds when a record was removed.
    ///
    /// # Panics
    /// For text that is no path, or one that goes through objects.
    #[must_use]
    #[track_caller]
    pub fn new(mark: impl IntoPath) -> Self {
        let mark = mark.into_path();
        assert!(mark.first() == mark.as_str(), "the mark must be a field of the record itself, not `{mark}`");
        Self { mark }
    }

    /// Hides removed records from a call.
    fn hide<S>(&self, mut ctx: HookContext<S>) -> HookContext<S>
    where
        S: Service<Input = Document> + ?Sized,
    {
        for data in ctx.documents_mut() {
            strip(data, std::slice::from_ref(&self.mark));
        }
        let params = ctx.params_mut();
        params.scope = std::mem::take(&mut params.scope).and(Filter::eq(&self.mark, Value::Null));
        ctx
    }

    /// Marks what a call was to remove, and answers in the place of the method.
    async fn remove<S>(&self, mut ctx: HookContext<S>) -> Result<HookContext<S>>
    where
        S: Service<Data = Document, Input = Document> + ?Sized + 'static,
    {
        let (service, now) = (ctx.service().clone(), now());
        let patch = Patch::from(Document::new().with(self.mark.as_str(), now.clone()));
        match (ctx.operation(), ctx.id()) {
            (Operation::RemoveMany, _) => {
                let params = self.params(&ctx, Intent::RemoveMany, now)?;
                let marked = service.modify_many(patch, &params).await?;
                let removed: Vec<_> = marked.into_iter().map(|record| self.shown(&ctx, record)).collect();
                ctx.set_result(removed);
            }
            (_, Some(id)) => {
                let params = self.params(&ctx, Intent::Remove, now)?;
                let marked = service.modify(id, patch, &params).await?;
                let removed = self.shown(&ctx, marked.into_inner());
                ctx.set_result(removed);
            }
            (_, None) => return Err(Error::internal("a hook left `remove` without an id")),
        }
        Ok(ctx)
    }

    /// Returns params to mark what the caller may remove, as the program.
    fn params<S: Service + ?Sized>(&self, ctx: &HookContext<S>, intent: Intent, now: Value) -> Result<Params> {
        // What may be removed and what of the query is applied is decided for the caller.
        let concerned = ctx.description().plan(intent, ctx.params())?.filter.into_owned();
        let open = concerned.and(Filter::eq(&self.mark, Value::Null));
        // A record must be within the scope when it was changed, too, and by then it has the mark.
        let scope = ctx.params().scope.clone().and(open.or(Filter::eq(&self.mark, now)));
        Ok(Params { scope, missing: Some(Missing::NotFound), ..on_behalf(ctx.params()) })
    }

    /// Returns a marked record as the caller gets to see it.
    fn shown<S: Service + ?Sized>(&self, ctx: &HookContext<S>, mut record: Document) -> Document {
        record.remove(self.mark.as_str());
        ctx.description().reveal(record, ctx.params())
    }
}

impl<S> HookSet<S> for SoftDelete
where
    S: Service<Data = Document, Input = Document> + ?Sized + 'static,
{
    fn add_to(self, hooks: &mut Hooks<S>) {
        let others = MethodSet::ALL.without(Method::Remove);
        let marking = self.clone();
        hooks.before(others, move |ctx| std::future::ready(Ok(self.hide(ctx))));
        // In the place of the method, so that whatever hook refuses, or narrows the scope, does so first.
        hooks.before(Method::Remove, move |mut ctx| {
            let soft_delete = marking.clone();
            ctx.instead(move |ctx| async move { soft_delete.remove(ctx).await });
            std::future::ready(Ok(ctx))
        });
    }
}

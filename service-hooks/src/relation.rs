//! Relations: records with those of another service that belong to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use futures::TryStreamExt;
use remex_core::{
    Document, DynService, Error, Filter, HookContext, HookSet, Hooks, Id, Intent, IntoPath, Method, MethodSet,
    Paginate, Params, Path, Provider, Query, Result, Service, Text, Value, compare_by,
};

use crate::program::on_behalf;

/// Adds to every record the one of another service that it names; null where it names none, or none that is there.
///
/// The name stands in the field `{field}_id` unless [`key`](Relation::key) says otherwise. A key that holds a list of ids
/// gets a list of records, without those that are not there.
///
/// ```
/// use remex_core::App;
/// use remex_hooks::belongs_to;
///
/// let app = App::new();
/// app.hooks("posts", |hooks| hooks.apply(belongs_to("author", "users").select(["name"])))?;
/// // {"id":1,"text":"…","author_id":7,"author":{"id":7,"name":"Ada"}}
/// # Ok::<(), remex_core::Error>(())
/// ```
///
/// # Panics
/// Where `field` is no name of a field.
#[must_use]
#[track_caller]
pub fn belongs_to(field: &str, path: &str) -> Relation {
    let key = format!("{field}_id");
    Relation { key: Some(key.as_str().into_path()), ..Relation::new(field, path, Link::BelongsTo) }
}

/// Adds to every record the one of another service that names it in its field `foreign_key`; null where none does.
///
/// Where several do, it is the first in the order of [`sort`](Relation::sort), then of ids.
///
/// # Panics
/// Where `field` is no name of a field, or `foreign_key` no path.
#[must_use]
#[track_caller]
pub fn has_one(field: &str, path: &str, foreign_key: impl IntoPath) -> Relation {
    Relation { limit: Some(1), ..Relation::new(field, path, Link::HasOne(foreign_key.into_path())) }
}

/// Adds to every record the list of those of another service that name it in their field `foreign_key`.
///
/// ```
/// use remex_core::App;
/// use remex_hooks::has_many;
///
/// let app = App::new();
/// app.hooks("posts", |hooks| {
///     hooks.apply(has_many("latest", "comments", "post_id").sort_descending("written_at").limit(3))
/// })?;
/// # Ok::<(), remex_core::Error>(())
/// ```
///
/// # Panics
/// Where `field` is no name of a field, or `foreign_key` no path.
#[must_use]
#[track_caller]
pub fn has_many(field: &str, path: &str, foreign_key: impl IntoPath) -> Relation {
    Relation::new(field, path, Link::HasMany(foreign_key.into_path()))
}

/// Adds to every record the list of those of another service to which a third one links it.
///
/// They are in the order of [`sort`](Relation::sort), then of the records that link them.
///
/// ```
/// use remex_core::App;
/// use remex_hooks::{Through, many_to_many};
///
/// let app = App::new();
/// let through = Through { path: "post_tags", from: "post_id", to: "tag_id" };
/// app.hooks("posts", |hooks| hooks.apply(many_to_many("tags", "tags", through).sort("name")))?;
/// # Ok::<(), remex_core::Error>(())
/// ```
///
/// # Panics
/// Where `field` is no name of a field, or `from` or `to` no path.
#[must_use]
#[track_caller]
pub fn many_to_many(field: &str, path: &str, through: Through<'_>) -> Relation {
    let Through { path: links, from, to } = through;
    let link = Link::ManyToMany { path: links.to_owned(), from: from.into_path(), to: to.into_path() };
    Relation::new(field, path, link)
}

/// The service whose records link those of two others.
#[derive(Clone, Copy, Debug)]
pub struct Through<'a> {
    /// Under which path it is mounted.
    pub path: &'a str,
    /// Its field that names the record to which others are added.
    pub from: &'a str,
    /// Its field that names the id of a record to be added.
    pub to: &'a str,
}

/// A field of every record that holds records of another service; made by [`belongs_to`], [`has_one`], [`has_many`] and
/// [`many_to_many`].
///
/// However many records a call answers, the other service is called once; once more the one that links, if there is one. A
/// list that is streamed comes in pieces of up to 256 records, each with its own call.
///
/// - **Who asks.** The calls are the program's, so hooks of the other service that are for clients do not run: whoever may
///   set a key sees through it what [`select`](Self::select) lets through of any record.
///   [`as_caller`](Self::as_caller) shows a client what it could read there itself. The calls have the caller's
///   [`Params::extensions`], where an [`Owner`](crate::Owner) finds the user, and nothing of the query. What
///   [`Options::hidden_field`] hides is never in a related record, whoever calls.
/// - **`$select`.** Where a query selects fields, the relation is there only if it is among them, whole (`author`) or in
///   part (`author.name`), and its key is then selected, too. Calls that change records load it in any case, and where the
///   service knows its fields, a query of theirs cannot select it.
/// - **Not further.** Related records have no relations of their own, so that two services may each have the other's.
/// - The field cannot be filtered or sorted by, and is in the events of a call, as it is in the result.
///
/// The key must be among what the caller may see: a hidden one is as good as none.
///
/// # Errors of the hooks
/// [`ErrorKind::Internal`](remex_core::ErrorKind::Internal) where there is no app, or no such service in it; and whatever
/// the other service answers.
///
/// [`Options::hidden_field`]: remex_core::Options::hidden_field
#[derive(Clone, Debug)]
pub struct Relation {
    field: Text,
    path: String,
    link: Link,
    key: Option<Path>,
    methods: MethodSet,
    /// What the other service is asked for: what of its records to add, in which order.
    query: Query,
    limit: Option<usize>,
    as_caller: bool,
}

#[derive(Clone, Debug)]
enum Link {
    BelongsTo,
    HasOne(Path),
    HasMany(Path),
    ManyToMany { path: String, from: Path, to: Path },
}

impl Relation {
    #[track_caller]
    fn new(field: &str, path: &str, link: Link) -> Self {
        let name = field.into_path();
        assert!(name.first() == field, "a relation must be a field of the record itself, not `{field}`");
        Self {
            field: field.into(),
            path: path.to_owned(),
            link,
            key: None,
            methods: MethodSet::ALL,
            query: Query::new(),
            limit: None,
            as_caller: false,
        }
    }

    /// Sets the field of the record that others are found by: it names one of them in [`belongs_to`], and is named by them
    /// in the others. Defaults to `{field}_id` there, and to the id here.
    #[must_use]
    #[track_caller]
    pub fn key(mut self, path: impl IntoPath) -> Self {
        self.key = Some(path.into_path());
        self
    }

    /// Sets which fields of the related records to add, besides their ids. Defaults to all.
    #[must_use]
    #[track_caller]
    pub fn select<P: IntoPath>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.query = self.query.select(paths);
        self
    }

    /// Sorts a list of related records by a field, small before large; further calls order what the first left equal.
    #[must_use]
    #[track_caller]
    pub fn sort(mut self, path: impl IntoPath) -> Self {
        self.query = self.query.sort(path);
        self
    }

    /// Sorts a list of related records by a field, large before small.
    #[must_use]
    #[track_caller]
    pub fn sort_descending(mut self, path: impl IntoPath) -> Self {
        self.query = self.query.sort_descending(path);
        self
    }

    /// Sets how many related records each record gets at most. Defaults to all.
    ///
    /// The store still goes through all that are related; no more than these are held.
    #[must_use]
    pub const fn limit(mut self, records: usize) -> Self {
        self.limit = Some(records);
        self
    }

    /// Sets to the results of which methods the field is added. Defaults to all.
    #[must_use]
    pub fn methods(mut self, methods: impl Into<MethodSet>) -> Self {
        self.methods = methods.into();
        self
    }

    /// Calls the other services as whoever calls this one, with provider and headers: a client gets what it could read there
    /// itself, and is refused where it would be. A foreign key must be a field that it sees. Defaults to calls of the program.
    #[must_use]
    pub const fn as_caller(mut self) -> Self {
        self.as_caller = true;
        self
    }
}

impl<S> HookSet<S> for Relation
where
    S: Service<Data = Document> + ?Sized + 'static,
{
    fn add_to(self, hooks: &mut Hooks<S>) {
        let methods = self.methods;
        let selecting: MethodSet =
            [Method::Index, Method::Read].into_iter().filter(|one| methods.contains(*one)).collect();
        let relation = Arc::new(self);
        let asking = relation.clone();
        hooks.before(selecting, move |mut ctx| {
            asking.ask(&mut ctx);
            std::future::ready(Ok(ctx))
        });
        hooks.after_parts(methods, move |ctx| {
            let relation = relation.clone();
            async move { relation.add(ctx).await }
        });
    }
}

/// What the queries of calls ask of relations, by the path of the service and the relation's field: the store is not to be
/// asked for a field that it does not have.
#[derive(Clone, Default)]
struct Asked(HashMap<(String, Text), Wanted>);

/// What a query wants of a relation.
#[derive(Clone, PartialEq)]
enum Wanted {
    Nothing,
    /// What the relation has to offer.
    Whole,
    /// These fields of the related records.
    Part(Vec<Path>),
}

/// Is in the extensions of a call that is made for a relation: there relations end.
#[derive(Clone)]
struct Related;

impl Relation {
    /// Takes the relation out of what the query selects, and puts its key in.
    fn ask<S: Service + ?Sized>(&self, ctx: &mut HookContext<S>) {
        let key = self.key_of(ctx);
        let Some(select) = &mut ctx.params_mut().query.select else { return };
        let named: Vec<Path> = select.extract_if(.., |path| path.first() == self.field.as_str()).collect();
        let has_key = select.iter().any(|path| is_around(path, &key));
        if !named.is_empty() && !has_key {
            select.push(key);
        }
        let inner: Option<Vec<Path>> = named.iter().map(rest).collect();
        let wanted = match inner {
            Some(paths) if paths.is_empty() => Wanted::Nothing,
            Some(paths) => Wanted::Part(paths),
            None => Wanted::Whole,
        };
        let place = (ctx.path().to_owned(), self.field.clone());
        let mut asked = ctx.params().extensions.get::<Asked>().cloned().unwrap_or_default();
        asked.0.insert(place, wanted);
        ctx.params_mut().extensions.insert(asked);
    }

    fn wanted<S: Service + ?Sized>(&self, ctx: &HookContext<S>) -> Wanted {
        let params = ctx.params();
        if params.extensions.get::<Related>().is_some() {
            return Wanted::Nothing;
        }
        // A query that is looked past selects nothing.
        if params.query.select.is_none()
            || ctx.description().plan(Intent::Read, params).is_ok_and(|plan| plan.select.is_none())
        {
            return Wanted::Whole;
        }
        let place = (ctx.path().to_owned(), self.field.clone());
        let asked = params.extensions.get::<Asked>().and_then(|asked| asked.0.get(&place));
        asked.cloned().unwrap_or(Wanted::Whole)
    }

    fn key_of<S: Service + ?Sized>(&self, ctx: &HookContext<S>) -> Path {
        self.key.clone().unwrap_or_else(|| ctx.description().id_field().into_path())
    }

    /// Adds the field to every record of the result.
    async fn add<S>(&self, mut ctx: HookContext<S>) -> Result<HookContext<S>>
    where
        S: Service<Data = Document> + ?Sized,
    {
        let wanted = self.wanted(&ctx);
        if wanted == Wanted::Nothing || ctx.records().is_empty() {
            return Ok(ctx);
        }
        let key = self.key_of(&ctx);
        let keys: Vec<Keys> = ctx.records().iter().map(|record| Keys::of(record, &key)).collect();
        // In an order of their own, so that the same records always make the same query.
        let mut values: BTreeMap<Id, Value> = BTreeMap::new();
        for (id, value) in keys.iter().flat_map(|keys| &keys.values) {
            values.entry(id.clone()).or_insert_with(|| value.clone());
        }
        let related = if values.is_empty() { None } else { Some(self.find(&ctx, values).await?) };
        let part = match &wanted {
            Wanted::Part(paths) => Some(paths.as_slice()),
            Wanted::Nothing | Wanted::Whole => None,
        };
        for (record, keys) in ctx.records_mut().iter_mut().zip(keys) {
            record.insert(&self.field, self.value(&keys, related.as_ref(), part));
        }
        Ok(ctx)
    }

    /// Returns what the field of one record is to hold.
    fn value(&self, keys: &Keys, related: Option<&Found>, part: Option<&[Path]>) -> Value {
        let found = related.into_iter().flat_map(|related| {
            let records = keys.values.iter().filter_map(|(id, _)| related.by_key.get(id)).flatten();
            records.map(|record| match part {
                Some(part) => record.project(part.iter().chain([&related.id_path])),
                None => record.clone(),
            })
        });
        let mut records = found.map(Value::Document);
        let is_list = match self.link {
            Link::BelongsTo => keys.is_list,
            Link::HasOne(_) => false,
            Link::HasMany(_) | Link::ManyToMany { .. } => true,
        };
        if is_list { Value::Array(records.collect()) } else { records.next().unwrap_or_default() }
    }

    /// Finds the related records by the key that they belong to.
    async fn find<S>(&self, ctx: &HookContext<S>, keys: BTreeMap<Id, Value>) -> Result<Found>
    where
        S: Service + ?Sized,
    {
        let service = self.service(ctx, &self.path)?;
        let mut by_key: HashMap<Id, Vec<Document>> = HashMap::new();
        match &self.link {
            Link::BelongsTo => {
                let ids = keys.into_keys().collect();
                let mut records = self.read(ctx, &*service, ids, self.query.select.clone()).await?;
                by_key.extend(records.drain().map(|(id, record)| (id, vec![record])));
            }
            Link::HasOne(foreign_key) | Link::HasMany(foreign_key) => {
                self.gather(ctx, &*service, foreign_key, keys, &mut by_key).await?;
            }
            Link::ManyToMany { path, from, to } => {
                let links = self.service(ctx, path)?;
                let pairs = self.pairs(ctx, &*links, from, to, keys).await?;
                let ids: BTreeSet<Id> = pairs.values().flatten().cloned().collect();
                // To sort by a field it must be there.
                let select = if self.query.sort.is_empty() { self.query.select.clone() } else { None };
                let records = self.read(ctx, &*service, ids.into_iter().collect(), select).await?;
                for (key, ids) in pairs {
                    let mut related: Vec<_> = ids.iter().filter_map(|id| records.get(id)).cloned().collect();
                    related.sort_by(|one, other| compare_by(&self.query.sort, one, other));
                    related.truncate(self.limit.unwrap_or(usize::MAX));
                    by_key.insert(key, related);
                }
            }
        }
        let description = service.describe();
        let id_path = description.id_field().into_path();
        // What is hidden is hidden from everybody: the result may go to whoever hears of the event.
        let client = Params::client(Provider::Rest);
        for record in by_key.values_mut().flatten() {
            *record = description.reveal(record.clone(), &client);
            // The query asked for more, or was looked past.
            if let Some(select) = &self.query.select {
                *record = record.project(select.iter().chain([&id_path]));
            }
        }
        Ok(Found { by_key, id_path })
    }

    /// Reads the records with these ids that are there.
    async fn read<S: Service + ?Sized>(
        &self,
        ctx: &HookContext<S>,
        service: &DynService,
        ids: Vec<Id>,
        select: Option<Vec<Path>>,
    ) -> Result<HashMap<Id, Document>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let description = service.describe();
        let written = |id: &Id| description.id_kind().read(id).and_then(|value| Id::from_value(&value));
        let params = Params { skip_missing: true, ..self.params(ctx, Query { select, ..Query::new() }) };
        let records = service.read_many(&ids, &params).await?;
        let id_of = |record: &Document| Id::from_value(&record[description.id_field()]);
        let by_id: HashMap<Id, Document> =
            records.into_iter().filter_map(|record| Some((id_of(&record)?, record))).collect();
        // A key may write an id in another way than the record, a UUID in upper case.
        let found = ids.into_iter().filter_map(|id| {
            let record = by_id.get(&id).or_else(|| by_id.get(&written(&id)?))?;
            Some((id, record.clone()))
        });
        Ok(found.collect())
    }

    /// Gathers the records that name one of the keys in a field, by that key.
    async fn gather<S: Service + ?Sized>(
        &self,
        ctx: &HookContext<S>,
        service: &DynService,
        foreign_key: &Path,
        keys: BTreeMap<Id, Value>,
        by_key: &mut HashMap<Id, Vec<Document>>,
    ) -> Result<()> {
        let mut query = self.query.clone();
        if let Some(select) = &mut query.select {
            select.push(foreign_key.clone());
        }
        let known: HashSet<Id> = keys.keys().cloned().collect();
        let params = self.params(ctx, query).with_scope(Filter::is_in(foreign_key, keys.into_values()));
        let mut records = service.index_stream(params);
        while let Some(record) = records.try_next().await? {
            // One that names several keys may name others, too.
            for (key, _) in Keys::of(&record, foreign_key).values.into_iter().filter(|(key, _)| known.contains(key)) {
                let related = by_key.entry(key).or_default();
                if related.len() < self.limit.unwrap_or(usize::MAX) {
                    related.push(record.clone());
                }
            }
        }
        Ok(())
    }

    /// Finds which ids each key is linked to.
    async fn pairs<S: Service + ?Sized>(
        &self,
        ctx: &HookContext<S>,
        links: &DynService,
        from: &Path,
        to: &Path,
        keys: BTreeMap<Id, Value>,
    ) -> Result<HashMap<Id, Vec<Id>>> {
        let query = Query::new().select([from, to]);
        let params = self.params(ctx, query).with_scope(Filter::is_in(from, keys.into_values()));
        let mut pairs: HashMap<Id, Vec<Id>> = HashMap::new();
        let mut met = HashSet::new();
        let mut records = links.index_stream(params);
        while let Some(link) = records.try_next().await? {
            for (key, _) in Keys::of(&link, from).values {
                for (id, _) in Keys::of(&link, to).values {
                    if met.insert((key.clone(), id.clone())) {
                        pairs.entry(key.clone()).or_default().push(id);
                    }
                }
            }
        }
        Ok(pairs)
    }

    fn service<S: Service + ?Sized>(&self, ctx: &HookContext<S>, path: &str) -> Result<Arc<DynService>> {
        let missing = |why: &dyn Display| format!("the relation `{}` of `{}`: {why}", self.field, ctx.path());
        // To the client nothing is missing that it asked for.
        ctx.app()?.documents(path).map_err(|error| Error::internal(missing(&error)))
    }

    /// Returns params for a call of another service.
    fn params<S: Service + ?Sized>(&self, ctx: &HookContext<S>, query: Query) -> Params {
        let mut params = on_behalf(ctx.params());
        params.route = remex_core::RouteValues::default();
        params.query = query;
        params.paginate = Some(Paginate::Off);
        params.extensions.remove::<Asked>();
        params.extensions.insert(Related);
        if self.as_caller {
            params.provider.clone_from(&ctx.params().provider);
            params.headers.clone_from(&ctx.params().headers);
        }
        params
    }
}

/// The related records by the key that they belong to.
struct Found {
    by_key: HashMap<Id, Vec<Document>>,
    /// The other service's id as a path.
    id_path: Path,
}

/// What a field holds that names records, one or a list of them.
struct Keys {
    /// As text, by which they are compared, and as they are.
    values: Vec<(Id, Value)>,
    is_list: bool,
}

impl Keys {
    fn of(record: &Document, path: &Path) -> Self {
        let value = record.get_path(path).unwrap_or(&Value::Null);
        let values = value.as_array().unwrap_or(std::slice::from_ref(value));
        let values = values.iter().filter_map(|value| Some((Id::from_value(value)?, value.clone()))).collect();
        Self { values, is_list: value.as_array().is_some() }
    }
}

/// Returns what of a path is behind its first name, if there is anything.
fn rest(path: &Path) -> Option<Path> {
    path.as_str().split_once('.').map(|(_, rest)| rest.into_path())
}

/// Returns whether what a path reaches has all that another reaches in it.
fn is_around(path: &Path, other: &Path) -> bool {
    other.as_str().strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

//! The places where hooks can be, and the ways in which a service is called.

use std::sync::Arc;

use futures::TryStreamExt;
use remex_core::{
    App, Call, Document, DynService, ErrorKind, FieldError, HookSet, Hooks, Id, Operation, Options, Params, Patch,
    Provider, Query, Result, Service, ServiceExt, Value,
};
use remex_memory::MemoryService;

/// A service in memory with hooks around it, in an app.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) app: App,
    pub(crate) service: Arc<DynService>,
    /// Whether calls are made as HTTP makes them: for JSON text.
    json: bool,
}

/// Hooks for a service in memory and for an app.
pub(crate) trait Everywhere: HookSet<MemoryService<Document>> + HookSet<DynService> + Clone {}

impl<T: HookSet<MemoryService<Document>> + HookSet<DynService> + Clone> Everywhere for T {}

/// Makes the hooks with this one function, wherever they are.
#[derive(Clone, Copy)]
pub(crate) struct Around;

impl<S: Service + ?Sized + 'static> HookSet<S> for Around {
    fn add_to(self, hooks: &mut Hooks<S>) {
        // Something to do, so that the service counts as one with hooks.
        hooks.before(remex_core::MethodSet::ALL, |ctx| std::future::ready(Ok(ctx)));
    }
}

/// Puts hooks around a service `people`: as its own, as those of the app, and of an app around a service with hooks of its
/// own; each to be called by the methods and for JSON text.
pub(crate) fn places(options: &Options, hooks: &impl Everywhere) -> Vec<Place> {
    let memory = || MemoryService::<Document>::new(options.clone()).expect("options");
    let mut places = Vec::new();
    for json in [false, true] {
        for name in ["service", "app", "app around hooks"] {
            let app = App::new();
            match name {
                "service" => app.mount("people", memory().hooked().apply(hooks.clone())),
                "app" => app.mount("people", memory()),
                _ => app.mount("people", memory().hooked().apply(Around)),
            }
            .expect("mounted");
            if name != "service" {
                app.hooks("people", |all| all.apply(hooks.clone())).expect("a pattern");
            }
            let service = app.documents("people").expect("mounted");
            places.push(Place { name: format!("{name}, json: {json}"), app, service, json });
        }
    }
    places
}

impl Place {
    /// Makes a call and answers JSON text, in whichever way.
    pub(crate) async fn call(&self, call: Call<Id, Document>, params: &Params) -> Result<String> {
        let service = &self.service;
        if self.json {
            let answer = service.answer(call, params).await?;
            return Ok(String::from_utf8(answer.json.to_vec()).expect("JSON is UTF-8"));
        }
        let record = |record: Document| record.to_string();
        let list = |records: Vec<Document>| Value::from(records).to_string();
        Ok(match call {
            Call::Index => list(service.index(params).await?.data),
            Call::FindOne => Value::from(service.find_one(params).await?).to_string(),
            Call::Count => service.count(params).await?.to_string(),
            Call::Read(id) => record(service.read(&id, params).await?),
            Call::ReadMany(ids) => list(service.read_many(&ids, params).await?),
            Call::Create(data) => record(service.create(data, params).await?),
            Call::CreateMany(data) => list(service.create_many(data, params).await?),
            Call::Modify(id, patch) => record(service.modify(&id, patch, params).await?.into_inner()),
            Call::ModifyMany(patch) => list(service.modify_many(patch, params).await?),
            Call::Update(id, data) => record(service.update(&id, data, params).await?.into_inner()),
            Call::Remove(id) => record(service.remove(&id, params).await?),
            Call::RemoveMany => list(service.remove_many(params).await?),
        })
    }

    /// Makes a call that is refused, and answers how.
    pub(crate) async fn refused(&self, call: Call<Id, Document>, params: &Params) -> ErrorKind {
        let shown = format!("{}: {call:?}", self.name);
        match self.call(call, params).await {
            Ok(answer) => panic!("{shown} answered {answer}"),
            Err(error) => error.kind(),
        }
    }

    pub(crate) async fn stream(&self, params: &Params) -> Result<String> {
        let records: Vec<Document> = self.service.index_stream(params.clone()).try_collect().await?;
        Ok(Value::from(records).to_string())
    }

    /// Adds a record past the hooks.
    pub(crate) async fn put(&self, json: &str) {
        self.service.silent().create(document(json), &Params::new()).await.expect("created");
    }

    /// Lists all records past the hooks.
    pub(crate) async fn stored(&self) -> String {
        let all = self.service.silent().index(&Params::new()).await.expect("listed");
        Value::from(all.data).to_string()
    }
}

/// One call of every operation about record 1, with this data; `index_stream` goes beside.
pub(crate) fn calls(data: &Document) -> Vec<Call<Id, Document>> {
    let (id, patch) = (Id::from(1), Patch::from(data.clone()));
    vec![
        Call::Index,
        Call::FindOne,
        Call::Count,
        Call::Read(id.clone()),
        Call::ReadMany(vec![id.clone()]),
        Call::Create(data.clone()),
        Call::CreateMany(vec![data.clone()]),
        Call::Modify(id.clone(), patch.clone()),
        Call::ModifyMany(patch),
        Call::Update(id.clone(), data.clone()),
        Call::Remove(id),
        Call::RemoveMany,
    ]
}

/// Options of a service where clients may do all there is.
pub(crate) fn open() -> Options {
    Options::new("people").multi(remex_core::Method::ALL).allow_remove_all(true)
}

pub(crate) fn document(json: &str) -> Document {
    Document::from_json(json.as_bytes()).expect("a document")
}

pub(crate) fn patch(json: &str) -> Patch {
    Patch::Merge(document(json))
}

pub(crate) fn client() -> Params {
    Params::client(Provider::Rest)
}

/// Params of a client whose query string this is.
pub(crate) fn asking(query: &str) -> Params {
    let query = Query::parse(query, &remex_core::QuerySyntax::default()).expect("a query");
    client().with_query(query)
}

/// Params of a client for a call of this operation: a change of many records has to say which.
pub(crate) fn client_for(operation: Operation) -> Params {
    let many = matches!(operation, Operation::ModifyMany | Operation::RemoveMany);
    if many { asking("id[$gte]=0") } else { client() }
}

/// Writes the fields that an error names, in order: `name required, age type`.
pub(crate) fn named(fields: &[FieldError]) -> String {
    let mut all: Vec<_> = fields.iter().map(|fault| format!("{} {}", fault.field, fault.code)).collect();
    all.sort();
    all.join(", ")
}

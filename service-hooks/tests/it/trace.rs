//! Spans of calls.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use parking_lot::Mutex;
use remex_core::{
    Answer, App, Call, Document, Error, FnService, Id, MethodSet, Params, Provider, Result, Service, ServiceExt,
    async_trait,
};
use remex_hooks::trace;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

type Fields = BTreeMap<String, String>;

/// Notes the fields of spans as they close, and the events with the span that they are in.
#[derive(Clone, Default)]
struct Notes {
    spans: Arc<Mutex<Vec<Fields>>>,
    events: Arc<Mutex<Vec<(Level, String)>>>,
}

struct Visitor<'a>(&'a mut Fields);

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Notes {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &tracing::Id, ctx: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Visitor(&mut fields));
        ctx.span(id).expect("a span").extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &tracing::Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let span = ctx.span(id).expect("a span");
        let mut extensions = span.extensions_mut();
        values.record(&mut Visitor(extensions.get_mut().expect("its fields")));
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Visitor(&mut fields));
        let span = ctx.event_span(event).map_or("none", |span| span.name());
        let text = format!("{span}: {}", fields.remove("message").unwrap_or_default());
        self.events.lock().push((*event.metadata().level(), text));
    }

    fn on_close(&self, id: tracing::Id, ctx: Context<'_, S>) {
        let span = ctx.span(&id).expect("a span");
        let fields = span.extensions_mut().remove::<Fields>();
        self.spans.lock().extend(fields);
    }
}

/// A service that answers as its id says.
fn service() -> FnService<Id, Document> {
    FnService::new("notes").on_read(|id: Id, _| async move {
        match id.as_str() {
            "missing" => Err(Error::no_record("notes", "missing")),
            "broken" => Err(Error::internal("the table is gone")),
            "away" => Err(Error::unavailable("the store cannot be reached")),
            "panic" => panic!("on purpose"),
            "slow" => std::future::pending().await,
            id => Ok(Document::new().with("id", id)),
        }
    })
}

/// Makes a call of a traced service, and returns what was noted.
fn noted(
    params: &Params,
    call: impl AsyncFn(&dyn Service<Id = Id, Data = Document, Input = Document>, &Params),
) -> Notes {
    let noted = Notes::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    tracing::subscriber::with_default(Registry::default().with(noted.clone()), || {
        runtime.block_on(async {
            let app = App::new();
            let notes = service().hooked().add_around(MethodSet::ALL, trace());
            app.mount("users/{user_id}/notes", notes).expect("mounted");
            call(&*app.documents("users/{user_id}/notes").expect("mounted"), params).await;
        });
    });
    noted
}

/// Reads a record, and returns the fields of the span without its duration, and the events.
#[track_caller]
fn read(id: &str, params: &Params) -> (String, Vec<(Level, String)>) {
    let noted = noted(params, async |notes, params| {
        let id = Id::from(id);
        let call = AssertUnwindSafe(notes.read(&id, params)).catch_unwind();
        // One that does not come to an end is given up.
        drop(call.now_or_never());
    });
    let [span] = &mut noted.spans.lock()[..] else { panic!("one span") };
    let duration: f64 = span.remove("duration_ms").expect("a duration").parse().expect("a number");
    assert!((0.0..10_000.0).contains(&duration));
    let fields: Vec<_> = span.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let events = std::mem::take(&mut *noted.events.lock());
    (fields.join(" "), events)
}

#[test]
fn a_span_says_what_was_called_and_what_came_of_it() {
    let program = Params::new();
    let check = |id: &str, params: &Params, provider: &str, outcome: &str, event: Option<(Level, &str)>| {
        let (fields, events) = read(id, params);
        let expected = format!("method=read outcome={outcome} provider={provider} service=users/{{user_id}}/notes");
        assert_eq!(fields, expected);
        let events: Vec<_> = events.iter().map(|(level, text)| (*level, text.as_str())).collect();
        assert_eq!(events, event.into_iter().collect::<Vec<_>>(), "{id}");
    };
    let ended = Some((Level::DEBUG, "call: a call has ended"));
    let client = Params::client(Provider::Rest);
    check("1", &program, "program", "ok", ended);
    check("1", &client, "rest", "ok", ended);
    check("1", &Params::client(Provider::Other("mail".into())), "mail", "ok", ended);
    check("missing", &client, "rest", "not_found", ended);
    check("away", &client, "rest", "unavailable", Some((Level::WARN, "call: a call could not be made")));
    // The transport logs what fails inside a client's call; nobody does for the program.
    check("broken", &client, "rest", "internal", ended);
    check("broken", &program, "program", "internal", Some((Level::ERROR, "call: a call failed inside")));
    check("slow", &client, "rest", "cancelled", None);
    check("panic", &client, "rest", "panicked", None);
}

#[test]
fn it_names_the_call_and_not_only_its_method() {
    let noted = noted(&Params::new(), async |notes, params| {
        drop(notes.read_many(&["1".into()], params).await);
        drop(notes.read_many(&["missing".into()], params).await);
        // What is not offered is refused before all hooks.
        drop(notes.count(params).await);
    });
    let spans = noted.spans.lock();
    let names: Vec<_> = spans.iter().map(|span| (span["method"].as_str(), span["outcome"].as_str())).collect();
    assert_eq!(names, [("read_many", "ok"), ("read_many", "not_found")]);
}

/// A store that writes JSON itself.
struct Writer;

#[async_trait]
impl Service for Writer {
    type Id = Id;
    type Data = Document;
    type Input = Document;

    async fn answer(&self, _: Call<Id, Document>, _: &Params) -> Result<Answer> {
        Ok(Answer { json: "{}".into(), ..Answer::default() })
    }
}

#[tokio::test]
async fn stores_go_on_writing_json() -> Result<()> {
    let notes = Writer.hooked().add_around(MethodSet::ALL, trace());
    assert_eq!(notes.answer(Call::Index, &Params::new()).await?.json, "{}");
    Ok(())
}

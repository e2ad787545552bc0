//! Fields of data and results that are kept or taken out.
//!
//! Paths go through nested objects and through lists of them, and as far as they go, a field whose own name has dots in it
//! is taken for a path, too: there are stores that set the field `a` of the object `b` where data says `"b.a"`.

use std::future::{Ready, ready};

use remex_core::{Document, HookContext, IntoPath, Path, Result, Service, Text, Value};

/// Keeps of all data of a call, the fields of a patch among it, what these paths reach; to go before methods that write.
///
/// What a client may set is then a list, and whatever else it sends is left out. An id that comes with `create` is a field
/// like others.
///
/// ```
/// use remex_core::{App, Method};
/// use remex_hooks::{for_clients, keep_data};
///
/// let app = App::new();
/// app.hooks("users", |hooks| {
///     hooks.before([Method::Create, Method::Modify], for_clients(keep_data(["name", "address.city"])))
/// })?;
/// # Ok::<(), remex_core::Error>(())
/// ```
///
/// # Panics
/// For text that is no path.
#[track_caller]
pub fn keep_data<S, I>(paths: I) -> impl Fn(HookContext<S>) -> Ready<Result<HookContext<S>>> + Send + Sync + 'static
where
    S: Service<Input = Document> + ?Sized + 'static,
    I: IntoIterator<Item: IntoPath>,
{
    let paths = collect(paths);
    move |mut ctx| {
        let paths: Vec<&str> = paths.iter().map(Path::as_str).collect();
        for document in ctx.documents_mut() {
            *document = keep(document, &paths);
        }
        ready(Ok(ctx))
    }
}

/// Takes out of all data of a call, the fields of a patch among it, what these paths reach; to go before methods that write.
///
/// `update` replaces the whole record, and `modify` a whole field: what is taken out of their data is gone from the record
/// then. [`Options::hidden_field`](remex_core::Options::hidden_field) keeps fields of the record that clients do not know of.
///
/// ```
/// use remex_core::{Document, Method, Options, Params, Result, Service, ServiceExt};
/// use remex_hooks::strip_data;
/// use remex_memory::MemoryService;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let users = MemoryService::<Document>::new(Options::new("users"))?.hooked().before(Method::Create, strip_data(["role"]));
/// let data = Document::new().with("name", "Ada").with("role", "admin");
/// assert_eq!(users.create(data, &Params::new()).await?.to_string(), r#"{"id":1,"name":"Ada"}"#);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// For text that is no path.
#[track_caller]
pub fn strip_data<S, I>(paths: I) -> impl Fn(HookContext<S>) -> Ready<Result<HookContext<S>>> + Send + Sync + 'static
where
    S: Service<Input = Document> + ?Sized + 'static,
    I: IntoIterator<Item: IntoPath>,
{
    let paths = collect(paths);
    move |mut ctx| {
        for document in ctx.documents_mut() {
            strip(document, &paths);
        }
        ready(Ok(ctx))
    }
}

/// Keeps of every record of a result what these paths reach, and the id; to go after methods.
///
/// What is left out of results can still be filtered and sorted by, which
/// [`Options::query_fields`](remex_core::Options::query_fields) closes. The events of a call have the records as this hook
/// leaves them.
///
/// # Panics
/// For text that is no path.
#[track_caller]
pub fn keep_result<S, I>(paths: I) -> impl Fn(HookContext<S>) -> Ready<Result<HookContext<S>>> + Send + Sync + 'static
where
    S: Service<Data = Document> + ?Sized + 'static,
    I: IntoIterator<Item: IntoPath>,
{
    let paths = collect(paths);
    move |mut ctx| {
        let description = ctx.description().clone();
        let paths: Vec<&str> = paths.iter().map(Path::as_str).chain([description.id_field()]).collect();
        for record in ctx.records_mut() {
            *record = keep(record, &paths);
        }
        ready(Ok(ctx))
    }
}

/// Takes out of every record of a result what these paths reach; to go after methods.
///
/// A field that is taken out of results can still be filtered and sorted by: who asks for `?password[$startsWith]=a` learns
/// of it what there is to learn. [`Options::hidden_field`](remex_core::Options::hidden_field) closes that too, as well as
/// data and events, and is what secrets need. This is for what is only not to be shown.
///
/// The events of a call have the records as this hook leaves them, so that one [for clients](crate::for_clients) leaves the
/// field in the events of the program's own calls.
///
/// ```
/// use remex_core::{Document, MethodSet, Options, Params, Result, Service, ServiceExt};
/// use remex_hooks::strip_result;
/// use remex_memory::MemoryService;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let orders = MemoryService::<Document>::new(Options::new("orders"))?
///     .hooked()
///     .after(MethodSet::ALL, strip_result(["lines.cost"]));
/// let order = Document::from_json(br#"{"lines":[{"item":"nut","cost":1},{"item":"bolt","cost":2}]}"#)?;
/// let order = orders.create(order, &Params::new()).await?;
/// assert_eq!(order.to_string(), r#"{"id":1,"lines":[{"item":"nut"},{"item":"bolt"}]}"#);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// For text that is no path.
#[track_caller]
pub fn strip_result<S, I>(paths: I) -> impl Fn(HookContext<S>) -> Ready<Result<HookContext<S>>> + Send + Sync + 'static
where
    S: Service<Data = Document> + ?Sized + 'static,
    I: IntoIterator<Item: IntoPath>,
{
    let paths = collect(paths);
    move |mut ctx| {
        for record in ctx.records_mut() {
            strip(record, &paths);
        }
        ready(Ok(ctx))
    }
}

#[track_caller]
fn collect<I: IntoIterator<Item: IntoPath>>(paths: I) -> Vec<Path> {
    // By hand, so that a panic names the line of the program that has the text.
    let mut all = Vec::new();
    for path in paths {
        all.push(path.into_path());
    }
    all
}

/// Takes out of a document what the paths reach.
pub(crate) fn strip(document: &mut Document, paths: &[Path]) {
    let paths: Vec<&str> = paths.iter().map(Path::as_str).collect();
    strip_below(document, &paths);
}

fn strip_below(document: &mut Document, paths: &[&str]) {
    document.retain(|name, _| !paths.iter().any(|path| is_within(name, path)));
    let deeper: Vec<(Text, Vec<&str>)> = document
        .names()
        .map(|name| (name.into(), below(paths, name)))
        .filter(|(_, paths): &(_, Vec<_>)| !paths.is_empty())
        .collect();
    for (name, paths) in deeper {
        if let Some(value) = document.get_mut(&name) {
            strip_value(value, &paths);
        }
    }
}

fn strip_value(value: &mut Value, paths: &[&str]) {
    match value {
        Value::Document(document) => strip_below(document, paths),
        Value::Array(items) => items.iter_mut().for_each(|item| strip_value(item, paths)),
        _ => {}
    }
}

/// Returns what the paths reach of a document.
fn keep(document: &Document, paths: &[&str]) -> Document {
    let kept = document.iter().filter_map(|(name, value)| {
        let whole = paths.iter().any(|path| is_within(name, path));
        let value = if whole { Some(value.clone()) } else { keep_value(value, &below(paths, name)) };
        Some((Text::from(name), value?))
    });
    kept.collect()
}

/// Returns what the paths reach of a value, if that is anything.
fn keep_value(value: &Value, paths: &[&str]) -> Option<Value> {
    if paths.is_empty() {
        return None;
    }
    match value {
        Value::Document(document) => {
            let kept = keep(document, paths);
            (!kept.is_empty()).then_some(Value::Document(kept))
        }
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(|item| keep_value(item, paths)).collect())),
        _ => None,
    }
}

/// Returns whether a field is what a path reaches, or is written as something inside that.
fn is_within(name: &str, path: &str) -> bool {
    name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Returns how the paths go on inside a field, those that go through it.
fn below<'a>(paths: &[&'a str], name: &str) -> Vec<&'a str> {
    paths.iter().filter_map(|path| path.strip_prefix(name)?.strip_prefix('.')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(json: &str) -> Document {
        Document::from_json(json.as_bytes()).expect("a document")
    }

    #[test]
    fn paths_reach_through_objects_and_lists() {
        let check = |paths: &[&str], stripped: &str, kept: &str| {
            let whole = document(r#"{"id":1,"a":{"b":1,"c":[{"d":1,"e":2},[{"d":3}],4]},"ab":5}"#);
            let mut rest = whole.clone();
            strip(&mut rest, &collect(paths.iter().copied()));
            assert_eq!(rest.to_string(), stripped, "{paths:?}");
            assert_eq!(keep(&whole, paths).to_string(), kept, "{paths:?}");
        };
        let whole = r#"{"id":1,"a":{"b":1,"c":[{"d":1,"e":2},[{"d":3}],4]},"ab":5}"#;
        check(&[], whole, "{}");
        check(&["x", "a.x", "ab.x", "a.b.x"], whole, "{}");
        check(&["a"], r#"{"id":1,"ab":5}"#, r#"{"a":{"b":1,"c":[{"d":1,"e":2},[{"d":3}],4]}}"#);
        check(&["a", "a.b"], r#"{"id":1,"ab":5}"#, r#"{"a":{"b":1,"c":[{"d":1,"e":2},[{"d":3}],4]}}"#);
        check(
            &["a.c.d", "ab"],
            r#"{"id":1,"a":{"b":1,"c":[{"e":2},[{}],4]}}"#,
            r#"{"a":{"c":[{"d":1},[{"d":3}]]},"ab":5}"#,
        );
        check(
            &["a.b", "a.c.e"],
            r#"{"id":1,"a":{"c":[{"d":1},[{"d":3}],4]},"ab":5}"#,
            r#"{"a":{"b":1,"c":[{"e":2},[]]}}"#,
        );
    }

    #[test]
    fn a_name_with_dots_is_a_path() {
        let check = |json: &str, path: &str, expected: &str| {
            let mut data = document(json);
            strip(&mut data, &collect([path]));
            assert_eq!(data.to_string(), expected);
        };
        check(r#"{"role.admin":true,"roles":1}"#, "role", r#"{"roles":1}"#);
        check(r#"{"a.b":1,"a":{"b.c":2,"bc":3}}"#, "a.b", r#"{"a":{"bc":3}}"#);
        check(r#"{"a.b":{"c":1,"d":2}}"#, "a.b.c", r#"{"a.b":{"d":2}}"#);
        assert_eq!(keep(&document(r#"{"a.x":1,"a":{"b":2}}"#), &["a.b"]).to_string(), r#"{"a":{"b":2}}"#);
    }
}

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use remex_core::{
    App, Call, Description, Document, ErrorKind, FieldType, Fields, FnService, HookContext, Id, Method, MethodSet,
    Options, Page, Paginate, Params, Patch, Provider, Received, Result, Service, ServiceExt, Value,
};
use remex_hooks::{Owner, Relation, Through, belongs_to, disallow, has_many, has_one, many_to_many};
use remex_memory::MemoryService;

use crate::places::{asking, client, document, patch};

/// What a service was asked, in the order of asking.
type Log = Arc<Mutex<Vec<String>>>;

/// A service that notes what it is asked.
struct Noting {
    service: MemoryService<Document>,
    log: Log,
}

impl Noting {
    fn note(&self, what: &str, params: &Params) {
        assert!(!params.is_client(), "the calls are the program's");
        let name = self.service.describe().name().to_owned();
        let select = params.query.select.as_ref().map_or(String::new(), |select| format!(" select {select:?}"));
        self.log.lock().expect("not poisoned").push(format!("{name} {what} {}{select}", params.scope));
    }
}

#[async_trait]
impl Service for Noting {
    type Id = Id;
    type Data = Document;
    type Input = Document;

    async fn index(&self, params: &Params) -> Result<Page<Document>> {
        self.note("index", params);
        self.service.index(params).await
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<Document> {
        self.note(&format!("read {id}"), params);
        self.service.read(id, params).await
    }

    async fn read_many(&self, ids: &[Id], params: &Params) -> Result<Vec<Document>> {
        self.note(&format!("read_many {ids:?}"), params);
        self.service.read_many(ids, params).await
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<Document>> {
        self.note("index_stream", &params);
        self.service.index_stream(params)
    }

    fn describe(&self) -> Arc<Description> {
        self.service.describe()
    }
}

struct World {
    app: App,
    log: Log,
}

impl World {
    /// Makes posts, users, profiles, comments, tags and what links them; all but the posts note what they are asked.
    async fn new(posts: Options) -> Self {
        let (app, log) = (App::new(), Log::default());
        let users = Options::new("users").hidden_field("password").paginate(Paginate::new(1, 1));
        let others = [
            (
                users,
                vec![
                    r#"{"id":7,"name":"Ada","password":"x","home":{"city":"Rome","zip":1}}"#,
                    r#"{"id":8,"name":"Bob","password":"y"}"#,
                ],
            ),
            (Options::new("profiles"), vec![r#"{"id":1,"user_id":7,"bio":"a"}"#, r#"{"id":2,"user_id":7,"bio":"b"}"#]),
            (
                Options::new("comments").paginate(Paginate::new(1, 1)),
                vec![
                    r#"{"id":1,"post_id":1,"text":"a","at":3}"#,
                    r#"{"id":2,"post_id":1,"text":"b","at":2}"#,
                    r#"{"id":3,"post_id":2,"text":"c","at":1}"#,
                    r#"{"id":4,"post_id":9,"text":"d","at":0}"#,
                    r#"{"id":5,"post_id":[1,2,9],"text":"e","at":4}"#,
                ],
            ),
            (
                Options::new("tags"),
                vec![r#"{"id":1,"name":"red"}"#, r#"{"id":2,"name":"blue"}"#, r#"{"id":3,"name":"odd"}"#],
            ),
            (
                Options::new("post_tags"),
                vec![
                    r#"{"post_id":1,"tag_id":1}"#,
                    r#"{"post_id":1,"tag_id":2}"#,
                    r#"{"post_id":1,"tag_id":1}"#,
                    r#"{"post_id":2,"tag_id":2}"#,
                    r#"{"post_id":2,"tag_id":99}"#,
                    r#"{"post_id":3,"tag_id":null}"#,
                    r#"{"post_id":9,"tag_id":3}"#,
                ],
            ),
        ];
        for (options, records) in others {
            let service = MemoryService::<Document>::new(options).expect("options");
            for record in records {
                service.create(document(record), &Params::new()).await.expect("created");
            }
            let name = service.describe().name().to_owned();
            app.mount(&name, Noting { service, log: log.clone() }).expect("mounted");
        }
        let service = MemoryService::<Document>::new(posts).expect("options");
        for record in [
            r#"{"id":1,"text":"one","author_id":7}"#,
            r#"{"id":2,"text":"two","author_id":8}"#,
            r#"{"id":3,"text":"three","author_id":7}"#,
            r#"{"id":4,"text":"four","author_id":null}"#,
            r#"{"id":5,"text":"five","author_id":99}"#,
            r#"{"id":6,"text":"six"}"#,
        ] {
            service.create(document(record), &Params::new()).await.expect("created");
        }
        app.mount("posts", service.hooked().before(MethodSet::ALL, |ctx| async { Ok(ctx) })).expect("mounted");
        Self { app, log }
    }

    async fn of(relation: Relation) -> Self {
        let world = Self::new(Options::new("posts")).await;
        world.app.hooks("posts", |hooks| hooks.apply(relation)).expect("a pattern");
        world
    }

    fn posts(&self) -> Arc<remex_core::DynService> {
        self.app.documents("posts").expect("mounted")
    }

    /// Returns what was asked since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().expect("not poisoned"))
    }

    /// Lists posts by the method, over HTTP and as a stream, which must be the same.
    async fn list(&self, params: &Params) -> String {
        let posts = self.posts();
        self.asked();
        let answer = posts.answer(Call::Index, params).await.expect("answered");
        let answer = String::from_utf8(answer.json.to_vec()).expect("JSON is UTF-8");
        let asked = self.asked();
        assert_eq!(Value::from(posts.index(params).await.expect("listed").data).to_string(), answer);
        assert_eq!(self.asked(), asked);
        let streamed: Vec<Document> = posts.index_stream(params.clone()).try_collect().await.expect("listed");
        assert_eq!(Value::from(streamed).to_string(), answer);
        answer
    }
}

/// Returns one field of every record of a list.
fn field(list: &str, name: &str) -> String {
    let list = document(&format!("{{\"list\":{list}}}"));
    let records = list["list"].as_array().expect("a list");
    let values = records.iter().map(|record| record.as_document().expect("a record").get(name));
    values.map(|value| value.map_or("-".to_owned(), ToString::to_string)).collect::<Vec<_>>().join(" ")
}

const ADA: &str = r#"{"id":7,"name":"Ada","home":{"city":"Rome","zip":1}}"#;
const BOB: &str = r#"{"id":8,"name":"Bob"}"#;

#[tokio::test]
async fn belongs_to_reads_once_and_each_once() {
    let world = World::of(belongs_to("author", "users")).await;
    for params in [client(), Params::new()] {
        let list = world.list(&params).await;
        assert_eq!(field(&list, "author"), format!("{ADA} {BOB} {ADA} null null null"));
        assert_eq!(world.asked(), ["users read_many [\"7\", \"8\", \"99\"] {}"]);
    }
    // Where nothing is named, nobody is asked.
    assert_eq!(field(&world.list(&asking("id[$in][]=4&id[$in][]=6")).await, "author"), "null null");
    assert_eq!(world.list(&asking("id=77")).await, "[]");
    assert!(world.asked().is_empty());
    assert_eq!(world.posts().count(&client()).await.expect("counted"), 6);
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn every_operation_has_the_relation() {
    let world = World::of(belongs_to("author", "users").select(["name"])).await;
    let (posts, params) = (world.posts(), client());
    let ada = r#"{"id":7,"name":"Ada"}"#;
    let multi = Params::new().with_query(asking("id=1").query);
    let data = document(r#"{"author_id":7}"#);
    let records = [
        posts.find_one(&params).await.expect("found").expect("one"),
        posts.read(&1.into(), &params).await.expect("read"),
        posts.read_many(&[1.into()], &params).await.expect("read").remove(0),
        posts.create(data.clone(), &params).await.expect("created"),
        posts.create_many(vec![data.clone()], &Params::new()).await.expect("created").remove(0),
        posts.modify(&1.into(), Patch::from(data.clone()), &params).await.expect("modified").into_inner(),
        posts.modify(&50.into(), Patch::from(data.clone()), &params).await.expect("made").into_inner(),
        posts.modify_many(Patch::from(data.clone()), &multi).await.expect("modified").remove(0),
        posts.update(&1.into(), data.clone(), &params).await.expect("updated").into_inner(),
        posts.update(&51.into(), data, &params).await.expect("made").into_inner(),
        posts.remove_many(&multi).await.expect("removed").remove(0),
        posts.remove(&50.into(), &params).await.expect("removed"),
    ];
    assert_eq!(world.asked().len(), records.len(), "one call each");
    for (record, number) in records.iter().zip(0..) {
        assert_eq!(record["author"].to_string(), ada, "{number}");
    }
}

#[tokio::test]
async fn has_one_and_has_many_ask_once() {
    let world = World::of(has_one("profile", "profiles", "user_id").key("author_id").sort_descending("bio")).await;
    let list = world.list(&client()).await;
    let profile = r#"{"id":2,"user_id":7,"bio":"b"}"#;
    assert_eq!(field(&list, "profile"), format!("{profile} null {profile} null null null"));
    assert_eq!(world.asked().len(), 1);

    let world = World::of(has_many("comments", "comments", "post_id").sort("at").select(["text"])).await;
    let list = world.list(&client()).await;
    let (a, b, c, e) =
        (r#"{"id":1,"text":"a"}"#, r#"{"id":2,"text":"b"}"#, r#"{"id":3,"text":"c"}"#, r#"{"id":5,"text":"e"}"#);
    assert_eq!(field(&list, "comments"), format!("[{b},{a},{e}] [{c},{e}] [] [] [] []"));
    let asked = world.asked();
    assert!(asked.len() == 1 && asked[0].starts_with("comments index_stream"), "{asked:?}");

    // Each has as many as there may be, not all of them together.
    let world =
        World::of(has_many("latest", "comments", "post_id").sort_descending("at").limit(1).select(["text"])).await;
    assert_eq!(field(&world.list(&client()).await, "latest"), format!("[{e}] [{e}] [] [] [] []"));
    let world = World::of(has_many("none", "comments", "post_id").limit(0)).await;
    assert_eq!(field(&world.list(&client()).await, "none"), "[] [] [] [] [] []");
}

#[tokio::test]
async fn many_to_many_asks_twice() {
    let through = Through { path: "post_tags", from: "post_id", to: "tag_id" };
    let (red, blue) = (r#"{"id":1,"name":"red"}"#, r#"{"id":2,"name":"blue"}"#);
    for (relation, first) in [
        (many_to_many("tags", "tags", through), format!("[{red},{blue}]")),
        (many_to_many("tags", "tags", through).sort("name"), format!("[{blue},{red}]")),
        (many_to_many("tags", "tags", through).sort_descending("name").limit(1), format!("[{red}]")),
        (many_to_many("tags", "tags", through).sort("name").select(["id"]), r#"[{"id":2},{"id":1}]"#.to_owned()),
    ] {
        let second = if first.contains("name") { blue } else { r#"{"id":2}"# };
        let world = World::of(relation).await;
        let list = world.list(&client()).await;
        assert_eq!(field(&list, "tags"), format!("{first} [{second}] [] [] [] []"));
        let asked = world.asked();
        assert!(asked.len() == 2 && asked[0].starts_with("post_tags index_stream"), "{asked:?}");
        assert!(asked[1].starts_with(r#"tags read_many ["1", "2", "99"]"#), "{asked:?}");
    }
}

#[tokio::test]
async fn a_key_may_be_a_list_and_inside_an_object() {
    let world = World::of(belongs_to("authors", "users").key("by.ids").select(["name"])).await;
    let posts = world.posts();
    for (data, expected) in [
        (r#"{"by":{"ids":[8,7,99,8]}}"#, r#"[{"id":8,"name":"Bob"},{"id":7,"name":"Ada"},{"id":8,"name":"Bob"}]"#),
        (r#"{"by":{"ids":["7"]}}"#, r#"[{"id":7,"name":"Ada"}]"#),
        (r#"{"by":{"ids":[]}}"#, "[]"),
        (r#"{"by":{"ids":7}}"#, r#"{"id":7,"name":"Ada"}"#),
        (r#"{"by":{"ids":{"a":1}}}"#, "null"),
        (r#"{"by":7}"#, "null"),
        (r#"{"by":{"ids":["x",true,null,7.5]}}"#, "[]"),
    ] {
        let record = posts.create(document(data), &client()).await.expect("created");
        assert_eq!(record["authors"].to_string(), expected, "{data}");
    }
}

#[tokio::test]
async fn a_key_may_be_written_in_another_way() {
    let uuid = "0192f0c1-0000-7000-8000-00000000000a";
    let world = World::of(belongs_to("author", "people")).await;
    let people =
        MemoryService::<Document>::new(Options::new("people").id_kind(remex_core::IdKind::Uuid)).expect("options");
    people.create(Document::new().with("id", uuid), &Params::new()).await.expect("created");
    world.app.mount("people", people).expect("mounted");
    for key in [uuid.to_owned(), uuid.to_uppercase()] {
        let post = world.posts().create(Document::new().with("author_id", key), &client()).await.expect("created");
        assert_eq!(post["author"].to_string(), format!(r#"{{"id":"{uuid}"}}"#));
    }
}

#[tokio::test]
async fn select_decides_about_the_relation() {
    let fields = Fields::new().optional("text", FieldType::Text).optional("author_id", FieldType::Integer);
    for options in [Options::new("posts"), Options::new("posts").fields(fields)] {
        let world = World::new(options).await;
        world.app.hooks("posts", |hooks| hooks.apply(belongs_to("author", "users"))).expect("a pattern");
        for (query, expected) in [
            ("id=1&$select=text", r#"[{"id":1,"text":"one"}]"#.to_owned()),
            ("id=1&$select=author_id", r#"[{"id":1,"author_id":7}]"#.to_owned()),
            ("id=1&$select=author", format!(r#"[{{"id":1,"author_id":7,"author":{ADA}}}]"#)),
            ("id=1&$select[]=author&$select[]=author_id", format!(r#"[{{"id":1,"author_id":7,"author":{ADA}}}]"#)),
            (
                "id=1&$select[]=author.name&$select[]=text",
                r#"[{"id":1,"text":"one","author_id":7,"author":{"id":7,"name":"Ada"}}]"#.to_owned(),
            ),
            (
                "id=1&$select[]=author.home.city",
                r#"[{"id":1,"author_id":7,"author":{"id":7,"home":{"city":"Rome"}}}]"#.to_owned(),
            ),
            ("id=1&$select[]=author.password", r#"[{"id":1,"author_id":7,"author":{"id":7}}]"#.to_owned()),
            ("id=1&$select[]=author.name&$select[]=author", format!(r#"[{{"id":1,"author_id":7,"author":{ADA}}}]"#)),
        ] {
            assert_eq!(world.list(&asking(query)).await, expected, "{query}");
            let wanted =
                usize::from(query.contains("author") && !query.ends_with("author_id") || query.contains("=author&"));
            assert_eq!(world.asked().len(), wanted, "{query}");
            let read = world.posts().read(&1.into(), &asking(query)).await.expect("read");
            assert_eq!(format!("[{read}]"), expected, "{query}");
            world.asked();
        }
    }
    // Calls that change records have it, and show what is selected.
    let world = World::of(belongs_to("author", "users")).await;
    let change = |query| {
        let posts = world.posts();
        async move {
            posts.modify(&1.into(), patch(r#"{"text":"x"}"#), &asking(query)).await.expect("modified").into_inner()
        }
    };
    assert_eq!(change("$select=text").await.to_string(), r#"{"id":1,"text":"x"}"#);
    assert_eq!(change("$select=author.name").await.to_string(), r#"{"id":1,"author":{"name":"Ada"}}"#);
    // A query that is looked past selects nothing.
    let world = World::new(Options::new("posts").allow_query(false)).await;
    world.app.hooks("posts", |hooks| hooks.apply(belongs_to("author", "users"))).expect("a pattern");
    let read = world.posts().read(&1.into(), &asking("$select=text")).await.expect("read");
    assert_eq!(read["author"].to_string(), ADA);
}

#[tokio::test]
async fn relations_of_one_service_stand_beside_each_other() {
    let world = World::of(belongs_to("author", "users").select(["name"])).await;
    world
        .app
        .hooks("posts", |hooks| {
            hooks
                .apply(belongs_to("writer", "users").key("author_id").select(["name"]))
                .apply(has_many("comments", "comments", "post_id").select(["text"]).limit(1))
        })
        .expect("a pattern");
    assert_eq!(
        world.list(&asking("id=2&$select[]=author&$select[]=writer&$select[]=comments")).await,
        r#"[{"id":2,"author_id":8,"author":{"id":8,"name":"Bob"},"writer":{"id":8,"name":"Bob"},"comments":[{"id":3,"text":"c"}]}]"#
    );
    assert_eq!(world.list(&asking("id=2&$select[]=text")).await, r#"[{"id":2,"text":"two"}]"#);
}

#[tokio::test]
async fn hooks_of_a_service_itself_have_relations_too() {
    let world = World::new(Options::new("posts")).await;
    let own = MemoryService::<Document>::new(Options::new("own"))
        .expect("options")
        .hooked()
        .apply(belongs_to("author", "users").select(["name"]));
    world.app.mount("own", own).expect("mounted");
    let own = world.app.documents("own").expect("mounted");
    let made = own.create(document(r#"{"author_id":8}"#), &client()).await.expect("created");
    assert_eq!(made.to_string(), r#"{"id":1,"author_id":8,"author":{"id":8,"name":"Bob"}}"#);
    let read = own.read(&1.into(), &asking("$select=author")).await.expect("read");
    assert_eq!(read.to_string(), made.to_string());
}

#[tokio::test]
async fn two_services_may_have_each_other() {
    let world = World::of(belongs_to("author", "users").select(["name", "posts"])).await;
    world
        .app
        .hooks("users", |hooks| hooks.apply(has_many("posts", "posts", "author_id").select(["text"])))
        .expect("a pattern");
    let list = world.list(&asking("id=2")).await;
    assert_eq!(field(&list, "author"), r#"{"id":8,"name":"Bob"}"#);
    let users = world.app.documents("users").expect("mounted");
    let bob = users.read(&8.into(), &Params::new()).await.expect("read");
    assert_eq!(bob["posts"].to_string(), r#"[{"id":2,"text":"two"}]"#);
}

#[derive(Clone)]
struct User(i64);

#[tokio::test]
async fn the_other_service_knows_who_asks() {
    let owner = || Owner::new("user_id", |params: &Params| params.extensions.get::<User>().map(|user| user.0.into()));
    let world = World::of(has_many("notes", "notes", "post_id")).await;
    let notes = MemoryService::<Document>::new(Options::new("notes")).expect("options");
    for user in [1, 2] {
        let note = Document::new().with("post_id", 1).with("user_id", user);
        notes.create(note, &Params::new()).await.expect("created");
    }
    world.app.mount("notes", notes).expect("mounted");
    world.app.hooks("notes", |hooks| hooks.apply(owner())).expect("a pattern");
    let mut params = asking("id=1");
    params.extensions.insert(User(2));
    assert_eq!(field(&world.list(&params).await, "notes"), r#"[{"id":2,"post_id":1,"user_id":2}]"#);
}

#[tokio::test]
async fn calls_may_be_those_of_the_caller() {
    let related = |relation: Relation| async move {
        let world = World::of(relation).await;
        let people = FnService::<Id>::new("people").on_read(|id: Id, params: Params| async move {
            let header = params.headers.get("x-tenant").and_then(|value| value.to_str().ok()).unwrap_or("none");
            Ok(Document::new().with("id", id.as_str()).with("client", params.is_client()).with("tenant", header))
        });
        world.app.mount("people", people).expect("mounted");
        world
    };
    let mut params = asking("id=1");
    params.headers.insert("x-tenant", "a".parse().expect("a header"));
    let world = related(belongs_to("author", "people")).await;
    assert_eq!(field(&world.list(&params).await, "author"), r#"{"id":"7","client":false,"tenant":"none"}"#);
    world.app.hooks("people", |hooks| hooks.before(Method::Read, disallow())).expect("a pattern");
    assert!(world.posts().index(&params).await.is_ok());

    let world = related(belongs_to("author", "people").as_caller()).await;
    assert_eq!(field(&world.list(&params).await, "author"), r#"{"id":"7","client":true,"tenant":"a"}"#);
    world.app.hooks("people", |hooks| hooks.before(Method::Read, disallow())).expect("a pattern");
    let error = world.posts().index(&params).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::MethodNotAllowed);
}

#[tokio::test]
async fn events_have_no_hidden_fields_of_related_records() {
    let world = World::of(belongs_to("author", "users")).await;
    let mut events = world.app.subscribe("posts").expect("a pattern");
    world.posts().create(document(r#"{"author_id":7}"#), &Params::new()).await.expect("created");
    let Some(Received::Event(event)) = events.next().await else { panic!("no event") };
    assert_eq!(event.record["author"].to_string(), ADA);
}

#[tokio::test]
async fn what_cannot_be_found_is_an_error() {
    let world = World::of(belongs_to("author", "nowhere")).await;
    let error = world.posts().index(&Params::client(Provider::WebSocket)).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Internal);
    // Without an app there are no others.
    let alone = FnService::<Id>::new("alone")
        .on_read(|_, _| async { Ok(document(r#"{"author_id":7}"#)) })
        .hooked()
        .apply(belongs_to("author", "users"));
    assert_eq!(alone.read(&1.into(), &Params::new()).await.expect_err("refused").kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn a_hook_that_answers_has_relations_added() {
    let world = World::of(belongs_to("author", "users").select(["name"])).await;
    world
        .app
        .hooks("posts", |hooks| {
            hooks.before(MethodSet::ALL, |mut ctx: HookContext<remex_core::DynService>| async move {
                ctx.finish(document(r#"{"id":1,"author_id":7}"#));
                Ok(ctx)
            })
        })
        .expect("a pattern");
    let read = world.posts().read(&1.into(), &client()).await.expect("read");
    assert_eq!(read["author"].to_string(), r#"{"id":7,"name":"Ada"}"#);
}

#[test]
#[should_panic(expected = "a field of the record itself")]
fn a_relation_is_a_field_of_the_record() {
    drop(belongs_to("by.author", "users"));
}

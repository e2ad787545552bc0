//! Which route does what, and with which status and headers it answers.

use remex_axum::rest;
use remex_core::{App, Document, FnService, Id, IdKind, Method, Options, Page, Paginate};

use crate::support::{Records, get, plain, request, send, todos};

#[tokio::test]
async fn records_are_listed_and_read() {
    let router = plain();
    let list = get(&router, "/todos").await;
    assert_eq!((list.status.as_u16(), list.header("content-type")), (200, Some("application/json")));
    assert_eq!(list.json().as_array().unwrap().len(), 3);
    assert_eq!(get(&router, "/todos/").await.body, list.body);
    assert_eq!(get(&router, "/todos?done=true").await.body, r#"[{"id":2,"title":"todo 2","done":true}]"#);
    assert_eq!(get(&router, "/todos/1").await.body, r#"{"id":1,"title":"todo 1","done":false}"#);
    assert_eq!(get(&router, "/todos/1/").await.status, 200);
    assert_eq!(get(&router, "/todos/1?$select[]=title").await.body, r#"{"id":1,"title":"todo 1"}"#);
    assert_eq!(get(&router, "/todos/1?done=true").await.problem(404), "no record of `todos` with id `1`");
    assert_eq!(get(&router, "/todos/7").await.problem(404), "no record of `todos` with id `7`");
}

#[tokio::test]
async fn records_are_counted() {
    let router = plain();
    assert_eq!(get(&router, "/todos/_count").await.body, r#"{"count":3}"#);
    assert_eq!(get(&router, "/todos/_count?done=false&$limit=1").await.body, r#"{"count":2}"#);
    assert_eq!(get(&router, "/todos/_count?$sort=up").await.status, 400);
}

#[tokio::test]
async fn what_is_made_has_a_location() {
    let router = plain();
    let reply = send(&router, request("POST", "/todos/", r#"{"title":"new"}"#)).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (201, Some("/todos/4")));
    assert_eq!(reply.body, r#"{"id":4,"title":"new"}"#);
    let reply = send(&router, request("POST", "/todos", r#"{"id":"a/b é"}"#)).await;
    assert_eq!(reply.header("location"), Some("/todos/a%2Fb%20%C3%A9"));
    assert_eq!(get(&router, reply.header("location").unwrap()).await.json()["id"], "a/b é");
    assert!(send(&router, request("POST", "/todos", r#"{"id":4}"#)).await.problem(409).contains("`id`"));

    let reply = send(&router, request("PUT", "/todos/9/", r#"{"title":"put"}"#)).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (201, Some("/todos/9")));
    let reply = send(&router, request("PATCH", "/todos/a%20b", "{}")).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (201, Some("/todos/a%20b")));
}

#[tokio::test]
async fn records_are_changed() {
    let router = plain();
    let reply = send(&router, request("PATCH", "/todos/1", r#"{"done":true}"#)).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (200, None));
    assert_eq!(reply.body, r#"{"id":1,"title":"todo 1","done":true}"#);
    for verb in ["PUT", "POST"] {
        let reply = send(&router, request(verb, "/todos/1", &format!(r#"{{"by":"{verb}"}}"#))).await;
        assert_eq!((reply.status.as_u16(), reply.body), (200, format!(r#"{{"id":1,"by":"{verb}"}}"#)));
    }
    let reply = send(&router, request("PUT", "/todos/2?done=false", "{}")).await;
    assert_eq!(reply.status, 404, "the query holds for one record too");
}

#[tokio::test]
async fn records_are_removed() {
    let router = plain();
    let reply = send(&router, request("DELETE", "/todos/1", "")).await;
    assert_eq!((reply.status.as_u16(), reply.json()["title"].as_str()), (200, Some("todo 1")));
    assert_eq!(send(&router, request("DELETE", "/todos/1", "")).await.status, 404);
    assert_eq!(send(&router, request("DELETE", "/todos", "")).await.status, 403);
    assert_eq!(send(&router, request("DELETE", "/todos/null", "")).await.status, 403);
    assert_eq!(send(&router, request("DELETE", "/todos//", "")).await.status, 400);
    assert_eq!(get(&router, "/todos/_count").await.body, r#"{"count":2}"#);

    for path in ["/todos", "/todos/null"] {
        let router = todos(Options::new("todos").allow_remove_all(true));
        assert_eq!(send(&router, request("DELETE", "/todos?$or=", "")).await.status, 400);
        assert_eq!(send(&router, request("DELETE", "/todos?done=true", "")).await.json().as_array().unwrap().len(), 1);
        let reply = send(&router, request("DELETE", path, "")).await;
        assert_eq!((reply.status.as_u16(), reply.json().as_array().unwrap().len()), (200, 2));
    }
}

#[tokio::test]
async fn a_question_mark_never_means_all() {
    for path in ["/todos", "/todos/", "/todos/null", "/api/todos"] {
        for query in ["?", "?&", "?&&", "?token=1", "?token=1&", "?$limit=1", "?$select[]=id", "?query={}", "?$or="] {
            let options = || Options::new("todos").allow_remove_all(true).multi([Method::Modify, Method::Remove]);
            let nested = |router| axum::Router::new().nest("/api", router).fallback_service(plain());
            let options = options().ignore_parameter("token");
            for (options, status) in [(options.clone(), 400), (options.allow_query(false), 403)] {
                let router = todos(options);
                let router = if path.starts_with("/api") { nested(router) } else { router };
                let uri = format!("{path}{query}");
                let removed = send(&router, request("DELETE", &uri, "")).await;
                // What cannot be read at all is refused first.
                assert!([400, status].contains(&removed.status.as_u16()), "{uri}: {removed:?}");
                if !query.contains('$') {
                    removed.problem(status);
                }
                if !path.ends_with("null") {
                    let status = send(&router, request("PATCH", &uri, "{}")).await.status.as_u16();
                    assert!(status == 400 || status == 403, "{uri}: {status}");
                }
                let count = format!("{}/_count", if path.starts_with("/api") { "/api/todos" } else { "/todos" });
                assert_eq!(get(&router, &count).await.body, r#"{"count":3}"#, "{uri}");
            }
        }
    }
    let router = todos(Options::new("todos").allow_remove_all(true).allow_query(false));
    assert_eq!(send(&router, request("DELETE", "/todos", "")).await.status, 200);
}

#[tokio::test]
async fn where_ids_are_text_null_is_one() {
    let router = todos(Options::new("todos").id_kind(IdKind::Text).allow_remove_all(true));
    assert_eq!(send(&router, request("DELETE", "/todos/null", "")).await.status, 404);
    assert_eq!(send(&router, request("PUT", "/todos/null", "{}")).await.header("location"), Some("/todos/null"));
    assert_eq!(send(&router, request("DELETE", "/todos/null", "")).await.body, r#"{"id":"null"}"#);
    assert_eq!(get(&router, "/todos/_count").await.body, r#"{"count":3}"#);
}

#[tokio::test]
async fn many_records_at_once_are_for_services_that_let_them() {
    let router = plain();
    let reply = send(&router, request("POST", "/todos", "[{}]")).await;
    reply.problem(405);
    assert_eq!(reply.header("allow"), Some("GET, HEAD, POST, DELETE, OPTIONS"));
    let reply = send(&router, request("PATCH", "/todos?done=false", "{}")).await;
    reply.problem(405);
    assert_eq!(reply.header("allow"), Some("GET, HEAD, POST, DELETE, OPTIONS"));

    let router = todos(Options::new("todos").multi([Method::Create, Method::Modify, Method::Remove]));
    let reply = send(&router, request("POST", "/todos", r#"[{"title":"a"},{"title":"b"}]"#)).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (201, None));
    assert_eq!(reply.body, r#"[{"id":4,"title":"a"},{"id":5,"title":"b"}]"#);
    let reply = send(&router, request("PATCH", "/todos?done=false", r#"{"done":1}"#)).await;
    assert_eq!((reply.status.as_u16(), reply.json().as_array().unwrap().len()), (200, 2));
    assert_eq!(send(&router, request("PATCH", "/todos", "{}")).await.status, 400);
    let reply = send(&router, request("DELETE", "/todos?done=1", "")).await;
    assert_eq!((reply.status.as_u16(), reply.json().as_array().unwrap().len()), (200, 2));
    let many: Vec<_> = (0..101).map(|_| "{}").collect();
    assert_eq!(send(&router, request("POST", "/todos", &format!("[{}]", many.join(",")))).await.status, 400);
}

#[tokio::test]
async fn null_is_no_content() {
    let app = App::new();
    let nothing = FnService::<Id, Option<Document>>::new("nothing").on_read(|_, _| async { Ok(None) });
    app.mount("nothing", nothing).unwrap();
    let reply = get(&rest(&app), "/nothing/1").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str(), reply.header("content-type")), (204, "", None));
}

#[tokio::test]
async fn pages_have_an_envelope_and_a_link() {
    let router = todos(Options::new("todos").paginate(Paginate::new(2, 10)));
    let reply = get(&router, "/todos?$select[]=id").await;
    assert_eq!(reply.body, r#"{"total":3,"limit":2,"skip":0,"data":[{"id":1},{"id":2}]}"#);
    assert_eq!(reply.header("x-total-count"), None);
    let link = reply.header("link").unwrap();
    let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert!(next.starts_with("/todos?$select[]=id&$after="), "{next}");
    let reply = get(&router, next).await;
    assert_eq!(reply.body, r#"{"total":1,"limit":2,"skip":0,"data":[{"id":3}]}"#);
    assert_eq!(reply.header("link"), None);
    assert_eq!(get(&router, "/todos?$limit=0").await.body, r#"{"total":3,"limit":0,"skip":0,"data":[]}"#);
    assert_eq!(
        get(&router, "/todos?$total=false&$skip=2").await.body,
        r#"{"limit":2,"skip":2,"data":[{"id":3,"title":"todo 3","done":false}]}"#
    );
}

#[tokio::test]
async fn plain_lists_say_in_headers_what_pages_say() {
    let router = plain();
    let reply = get(&router, "/todos?$limit=1&%24skip=1&$total=true&title[$contains]=%3Co%22").await;
    assert_eq!((reply.body.as_str(), reply.header("x-total-count"), reply.header("link")), ("[]", Some("0"), None));
    let reply = get(&router, "/todos?$limit=1&%24skip=1&$total=true&title[$contains]=to+d&title[$ne]=%3E").await;
    assert_eq!(reply.header("x-total-count"), Some("0"));
    let reply = get(&router, "/todos?$limit=1&%24skip=1&$total=true&title[$ne]=%3E").await;
    assert_eq!((reply.json()[0]["id"].as_i64(), reply.header("x-total-count")), (Some(2), Some("3")));
    let link = reply.header("link").unwrap();
    assert!(link.starts_with("</todos?$limit=1&$total=true&title[$ne]=%3E&$after="), "{link}");
    // The form in which the query is JSON has other names.
    let reply = get(&router, "/todos?query=%7B%7D&limit=1&skip=1").await;
    let next = reply.header("link").unwrap().strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert!(next.starts_with("/todos?query=%7B%7D&limit=1&after="), "{next}");
    assert_eq!(get(&router, next).await.json()[0]["id"], 3);
}

#[tokio::test]
async fn a_link_does_without_a_cursor_that_is_too_long() {
    let router = todos(Options::new("todos"));
    let next = |reply: &crate::support::Reply| {
        let link = reply.header("link").unwrap().to_owned();
        link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned()
    };
    for id in 4..=6 {
        let record = format!(r#"{{"id":{id},"title":"{}"}}"#, "x".repeat(3_000));
        assert_eq!(send(&router, request("POST", "/todos", &record)).await.status, 201);
    }
    let short = next(&get(&router, "/todos?$sort[title]=1&$limit=3").await);
    assert!(short.starts_with("/todos?$sort[title]=1&$limit=3&$after="), "{short}");
    // Behind a cursor, further records are left out.
    let first = short.replace("$limit=3", "$limit=1");
    let second = next(&get(&router, &first).await);
    assert_eq!(second, format!("{first}&$skip=1"));
    let reply = get(&router, &second).await;
    assert_eq!(reply.json()[0]["id"], 5);
    let third = next(&reply);
    assert_eq!(third, format!("{first}&$skip=2"));
    let reply = get(&router, &third).await;
    assert_eq!((reply.json()[0]["id"].as_i64(), reply.header("link")), (Some(6), None));

    let json = "/todos?query=%7B%7D&limit=1&sort=%7B%22title%22%3A1%7D";
    let reply = get(&router, &format!("{json}&skip=3")).await;
    assert_eq!(next(&reply), format!("{json}&skip=4"));

    // Where so many cannot be left out, a long cursor is better than none.
    let bounds = remex_core::QueryBounds { skip_max: 0, ..remex_core::QueryBounds::default() };
    let router = todos(Options::new("todos").bounds(bounds));
    let record = format!(r#"{{"id":0,"title":"{}"}}"#, "x".repeat(3_000));
    assert_eq!(send(&router, request("POST", "/todos", &record)).await.status, 201);
    let reply = get(&router, "/todos?$sort[title]=1&$limit=1").await;
    assert!(next(&reply).contains("&$after="), "{reply:?}");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let router = plain();
    for path in ["/todos", "/todos/1", "/todos/_count", "/todos/7", "/nowhere", "/todos?$foo=1"] {
        let full = get(&router, path).await;
        let head = send(&router, request("HEAD", path, "")).await;
        assert_eq!((head.status, head.body.as_str()), (full.status, ""), "{path}");
        assert_eq!(head.header("content-length"), Some(full.body.len().to_string().as_str()), "{path}");
        assert_eq!(head.header("content-type"), full.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn options_lists_what_there_is() {
    let router = plain();
    let check = async |router: &axum::Router, path: &str, expected: &str| {
        let reply = send(router, request("OPTIONS", path, "")).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (204, Some(expected)), "{path}");
    };
    check(&router, "/todos", "GET, HEAD, POST, DELETE, OPTIONS").await;
    let multi = todos(Options::new("todos").multi([Method::Modify]));
    check(&multi, "/todos", "GET, HEAD, POST, PATCH, DELETE, OPTIONS").await;
    check(&router, "/todos/1", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS").await;
    check(&router, "/todos/_count", "GET, HEAD, OPTIONS").await;
    let app = App::new();
    app.mount("readable", FnService::<Id>::new("readable").on_read(|_, _| async { Ok(Document::new()) })).unwrap();
    let router = rest(&app);
    check(&router, "/readable", "OPTIONS").await;
    check(&router, "/readable/1", "GET, HEAD, OPTIONS").await;
}

#[tokio::test]
async fn other_verbs_are_refused_with_those_there_are() {
    let router = plain();
    for (verb, path, allow) in [
        ("PUT", "/todos", "GET, HEAD, POST, DELETE, OPTIONS"),
        ("TRACE", "/todos", "GET, HEAD, POST, DELETE, OPTIONS"),
        ("POST", "/todos/_count", "GET, HEAD, OPTIONS"),
        ("PUT", "/todos/_count", "GET, HEAD, OPTIONS"),
        ("PATCH", "/todos/_count", "GET, HEAD, OPTIONS"),
        ("DELETE", "/todos/_count", "GET, HEAD, OPTIONS"),
        ("BREW", "/todos/1", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    ] {
        let reply = send(&router, request(verb, path, "{}")).await;
        reply.problem(405);
        assert_eq!(reply.header("allow"), Some(allow), "{verb} {path}");
    }
    let app = App::new();
    app.mount("listed", FnService::<Id>::new("listed").on_index(|_| async { Ok(vec![].into()) })).unwrap();
    let router = rest(&app);
    for (verb, path, allow) in [
        ("POST", "/listed", "GET, HEAD, OPTIONS"),
        ("DELETE", "/listed", "GET, HEAD, OPTIONS"),
        ("GET", "/listed/1", "OPTIONS"),
        ("PUT", "/listed/1", "OPTIONS"),
    ] {
        // The body is wrong as well, but that would help nobody.
        let reply = send(&router, request(verb, path, "not JSON")).await;
        reply.problem(405);
        assert_eq!(reply.header("allow"), Some(allow), "{verb} {path}");
    }
}

#[tokio::test]
async fn a_service_that_only_finds_out_is_believed() {
    struct Undescribed;
    #[remex_core::async_trait]
    impl remex_core::Service for Undescribed {
        type Id = Id;
        type Data = Document;
        type Input = Document;

        async fn index(&self, _: &remex_core::Params) -> remex_core::Result<Page<Document>> {
            Ok(vec![].into())
        }
    }
    let router = remex_axum::routes(Undescribed);
    let reply = send(&router, request("PUT", "/1", "{}")).await;
    reply.problem(405);
    assert_eq!(reply.header("allow"), Some("GET, HEAD, PATCH, DELETE, OPTIONS"));
}

#[tokio::test]
async fn later_mounts_are_there_at_once() {
    let app = App::new();
    let router = rest(&app);
    get(&router, "/todos").await.problem(404);
    app.mount("todos", Records::with_three(Options::new("todos"))).unwrap();
    assert_eq!(get(&router, "/todos").await.status, 200);
}

//! What the blog promises, tried over its routes.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt as _;

use super::{blog, rest, seed};

/// The stores that need no server.
const STORES: [&str; 2] = ["memory:", "sqlite::memory:"];

/// A blog with Ada and Bob, and one post by Ada.
async fn router(store: &str) -> (remex::App, Router) {
    let app = blog(store).await.expect("a blog");
    app.start().await.expect("started");
    seed(&app).await.expect("seeded");
    let router = rest(&app);
    (app, router)
}

/// Sends a request as somebody, or as nobody, and returns status and body.
async fn send(router: &Router, who: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if !who.is_empty() {
        request = request.header("authorization", format!("Bearer {who}-s-token"));
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn drafts_are_their_authors_and_posts_everybodys() {
    for store in STORES {
        let (_app, router) = router(store).await;
        let (status, post) = send(&router, "ada", "POST", "/posts", r#"{"title":"A draft","text":"x"}"#).await;
        assert_eq!(status, 201, "{post}");
        assert!(post.contains(r#""author_id":1"#) && post.contains(r#""published":false"#), "{post}");
        assert!(post.contains(r#""author":{"id":1,"name":"Ada"}"#), "{post}");
        for (who, status) in [("ada", 200), ("bob", 404), ("", 404)] {
            assert_eq!(send(&router, who, "GET", "/posts/2", "").await.0, status, "{who}");
        }
        assert!(send(&router, "bob", "GET", "/posts/_count", "").await.1.contains(":1"));
        assert_eq!(send(&router, "", "PATCH", "/posts/2", r#"{"published":true}"#).await.0, 401);
        assert_eq!(send(&router, "bob", "PATCH", "/posts/2", r#"{"published":true}"#).await.0, 404);
        assert_eq!(send(&router, "bob", "DELETE", "/posts/1", "").await.0, 404);
        assert_eq!(send(&router, "ada", "PATCH", "/posts/2", r#"{"published":true}"#).await.0, 200);
        assert_eq!(send(&router, "", "GET", "/posts/2", "").await.0, 200);
        assert_eq!(send(&router, "eve", "GET", "/posts/2", "").await.0, 401, "a token that is nobody's");
    }
}

#[tokio::test]
async fn what_is_sent_is_checked() {
    for store in STORES {
        let (_app, router) = router(store).await;
        let checked = [
            ("/posts", r#"{"title":" ","text":"x"}"#, "title"),
            ("/posts", r#"{"title":"x"}"#, "text"),
            ("/posts", r#"{"title":"x","text":"x","stars":5}"#, "stars"),
            ("/comments", r#"{"post_id":9,"text":"x"}"#, "post_id"),
            ("/users", r#"{"name":"x","email":"x"}"#, "email"),
            ("/users", r#"{"name":"x","email":"x@y","token":"mine"}"#, "token"),
        ];
        for (path, body, field) in checked {
            let (status, answer) = send(&router, "ada", "POST", path, body).await;
            assert_eq!(status, 422, "{path} {body}: {answer}");
            assert!(answer.contains(&format!(r#""field":"{field}""#)), "{path} {body}: {answer}");
        }
        let taken = r#"{"name":"Ada II","email":"ada@example.org"}"#;
        assert_eq!(send(&router, "", "POST", "/users", taken).await.0, 409);
    }
}

#[tokio::test]
async fn whoever_signs_up_gets_a_token_and_may_write() {
    for store in STORES {
        let (_app, router) = router(store).await;
        let (status, eve) = send(&router, "", "POST", "/users", r#"{"name":"Eve","email":"eve@example.org"}"#).await;
        assert_eq!(status, 201, "{eve}");
        let token = eve.split(r#""access_token":""#).nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
        let request = Request::builder().method("POST").uri("/posts").header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::from(r#"{"title":"Eve's","text":"x","published":true}"#)).expect("a request");
        assert_eq!(router.clone().oneshot(request).await.expect("an answer").status(), 201);
        assert!(!send(&router, "", "GET", "/users", "").await.1.contains("token"), "never again");
        assert_eq!(send(&router, "", "GET", "/users?token=x", "").await.0, 400);
        assert_eq!(send(&router, "bob", "PATCH", "/users/1", r#"{"name":"x"}"#).await.0, 404, "only oneself");
        assert_eq!(send(&router, "bob", "PATCH", "/users/2", r#"{"name":"Robert"}"#).await.0, 200);
        assert_eq!(
            send(&router, "bob", "GET", "/users/2", "").await.1,
            r#"{"id":2,"name":"Robert","email":"bob@example.org"}"#
        );
    }
}

#[tokio::test]
async fn comments_come_with_posts_and_go_with_them_and_the_log_knows() {
    for store in STORES {
        let (app, router) = router(store).await;
        let (status, comment) = send(&router, "bob", "POST", "/comments", r#"{"post_id":1,"text":"Well said."}"#).await;
        assert_eq!(status, 201, "{comment}");
        let post = send(&router, "", "GET", "/posts/1", "").await.1;
        assert!(post.contains(r#""comments":[{"id":1,"#) && post.contains("Well said."), "{post}");
        // A post may be sent back as it was read.
        assert_eq!(send(&router, "ada", "PUT", "/posts/1", &post).await.0, 200);
        assert_eq!(send(&router, "ada", "DELETE", "/posts/1", "").await.0, 200);
        app.stop().await.expect("stopped, when detached hooks have ended");
        assert_eq!(send(&router, "", "GET", "/comments", "").await.1, r#"{"total":0,"limit":20,"skip":0,"data":[]}"#);

        let wanted = ["comments created", "posts updated", "posts removed", "comments removed"];
        let logged = async {
            loop {
                let log = send(&router, "", "GET", "/log?$limit=100", "").await.1;
                if wanted.iter().all(|what| log.contains(&format!(r#""what":"{what}""#))) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), logged).await.expect("all of it is in the log");
        assert_eq!(send(&router, "ada", "POST", "/log", "{}").await.0, 405);
    }
}

//! A blog: users, posts and comments with owners, relations, validation and a log of events.
//!
//! ```text
//! POST   /users            sign up; the answer holds the `access_token` to sign in with, this once
//! GET    /posts            what is published, and your own drafts; with authors and comments
//! POST   /posts            write, with `Authorization: Bearer <token>`
//! PATCH  /posts/{id}       change what is your own; DELETE as well
//! POST   /comments         comment on a post
//! GET    /log              what happened
//! ```
//!
//! Run with `cargo run --example blog`, or with `-- --help` behind it.

mod rules;
#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use remex::hooks::{Owner, belongs_to, disallow, has_many, strip_data, validate};
use remex::{
    App, Document, FieldType, Fields, Method, MethodSet, Options, Paginate, Params, Received, Result, ServeOptions,
    Service, ServiceExt, Store, Timestamps, rest,
};

const HELP: &str = "\
Serves a blog as a REST API.

Usage: cargo run --example blog [-- OPTIONS]

Options:
  --port PORT  listen on 127.0.0.1:PORT; 0 takes any that is free [default: 3030]
  --help       print this help

Environment:
  DATABASE_URL  where records are kept [default: memory:]
                memory:, sqlite://FILE, postgres://USER:PASSWORD@HOST/DATABASE, mysql://…, mongodb://…
";

/// The blog, over the store that a URL names.
async fn blog(database: &str) -> Result<App> {
    let store = Store::connect(database).await?;
    let app = App::new();
    let paginate = Paginate::new(20, 100);

    let fields = Fields::new()
        .required("name", FieldType::Text)
        .required("email", FieldType::Text)
        .optional("token", FieldType::Text);
    let users = Options::new("users").fields(fields).unique("email").unique("token").hidden_field("token");
    mount(&app, &store, "users", users.paginate(paginate)).await?;

    let fields = Fields::new()
        .required("author_id", FieldType::Integer)
        .required("title", FieldType::Text)
        .required("text", FieldType::Text)
        .required("published", FieldType::Boolean);
    let posts = Options::new("posts").fields(fields).index("author_id").timestamps(Timestamps::Snake);
    mount(&app, &store, "posts", posts.paginate(paginate)).await?;

    let fields = Fields::new()
        .required("post_id", FieldType::Integer)
        .required("author_id", FieldType::Integer)
        .required("text", FieldType::Text);
    let comments = Options::new("comments").fields(fields).index("post_id").timestamps(Timestamps::Snake);
    mount(&app, &store, "comments", comments.paginate(paginate)).await?;

    mount(&app, &store, "log", Options::new("log").paginate(paginate)).await?;

    // Who calls, before anything else.
    app.hooks("*", |hooks| hooks.before(MethodSet::ALL, rules::sign_in))?;
    app.hooks("users", |hooks| {
        hooks
            .before([Method::Create, Method::Update], validate(rules::user))
            .before(Method::Create, rules::make_token)
            .after(Method::Create, rules::show_token)
            // Everybody may be read, and changed by themselves.
            .apply(Owner::new("id", rules::user_id).methods([Method::Modify, Method::Update, Method::Remove]))
    })?;
    app.hooks("posts", |hooks| {
        hooks
            // A post may be sent back as it was read.
            .before(
                MethodSet::WRITES,
                strip_data(["id", "author_id", "author", "comments", "created_at", "updated_at"]),
            )
            .before([Method::Create, Method::Modify, Method::Update], validate(rules::post))
            .before(Method::Create, rules::draft)
            .before(MethodSet::READS, rules::published_or_own)
            .apply(Owner::new("author_id", rules::user_id).methods(MethodSet::WRITES))
            .apply(belongs_to("author", "users").select(["name"]))
            .apply(has_many("comments", "comments", "post_id").sort("created_at").limit(10))
            .detached(Method::Remove, rules::remove_comments)
    })?;
    app.hooks("comments", |hooks| {
        hooks
            .before(MethodSet::WRITES, strip_data(["id", "author_id", "author", "created_at", "updated_at"]))
            .before([Method::Create, Method::Modify, Method::Update], validate(rules::comment))
            .before(Method::Create, rules::post_is_there)
            .apply(Owner::new("author_id", rules::user_id).methods(MethodSet::WRITES))
            .apply(belongs_to("author", "users").select(["name"]))
    })?;
    app.hooks("log", |hooks| hooks.before(MethodSet::WRITES, disallow()))?;
    app.on_start(write_log);
    Ok(app)
}

async fn mount(app: &App, store: &Store, path: &str, options: Options) -> Result<()> {
    app.mount(path, store.service::<Document, Document>(options).await?)?;
    Ok(())
}

/// Keeps a log of what happens to users, posts and comments, for as long as there is the app.
async fn write_log(app: App) -> Result<()> {
    for path in ["users", "posts", "comments"] {
        let mut events = app.subscribe(path)?;
        let log = app.documents("log")?;
        tokio::spawn(async move {
            while let Some(received) = events.next().await {
                let entry = match received {
                    Received::Event(event) => Document::new()
                        .with("what", format!("{} {}", event.path, event.name))
                        .with("record_id", event.id.as_ref().map(ToString::to_string))
                        .with("number", event.sequence),
                    Received::Lagged(missed) => {
                        Document::new().with("what", format!("{missed} events of {path} are missing"))
                    }
                };
                if let Err(error) = log.silent().create(entry, &Params::new()).await {
                    tracing::error!(?error, "the log cannot be written");
                }
            }
        });
    }
    Ok(())
}

/// A few lines to begin with.
async fn seed(app: &App) -> Result<()> {
    let (users, posts) = (app.documents("users")?, app.documents("posts")?);
    if users.count(&Params::new()).await? > 0 {
        return Ok(());
    }
    for (name, token) in [("Ada", "ada-s-token"), ("Bob", "bob-s-token")] {
        let email = format!("{}@example.org", name.to_lowercase());
        let user = Document::new().with("name", name).with("email", email).with("token", token);
        users.silent().create(user, &Params::new()).await?;
    }
    let post = Document::new().with("author_id", 1).with("title", "Feathers").with("published", true);
    posts.silent().create(post.with("text", "A remex is a flight feather."), &Params::new()).await?;
    Ok(())
}

fn arguments() -> Result<Option<u16>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut port = 3030;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => port = arguments.value()?.parse()?,
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(port))
}

const CURL: &str = r#"
Try:
  curl -g 'localhost:PORT/posts'
  curl -g 'localhost:PORT/posts' -H 'authorization: Bearer ada-s-token' -H 'content-type: application/json' \
    -d '{"title":"A draft","text":"Not for others yet."}'
  curl -g 'localhost:PORT/posts/2' -H 'authorization: Bearer bob-s-token'         # 404: it is Ada's draft
  curl -g 'localhost:PORT/posts/2' -H 'authorization: Bearer ada-s-token' -H 'content-type: application/json' \
    -X PATCH -d '{"published":true}'
  curl -g 'localhost:PORT/comments' -H 'authorization: Bearer bob-s-token' -H 'content-type: application/json' \
    -d '{"post_id":2,"text":"Well said."}'
  curl -g 'localhost:PORT/posts/2'
  curl -g 'localhost:PORT/users' -H 'content-type: application/json' -d '{"name":"Eve","email":"eve@example.org"}'
  curl -g 'localhost:PORT/log'
"#;

#[allow(clippy::print_stdout, reason = "what it says is for whoever started it")]
async fn run(port: u16) -> Result<(), Box<dyn std::error::Error>> {
    let database = std::env::var("DATABASE_URL").unwrap_or_else(|_| "memory:".to_owned());
    let app = blog(&database).await?;
    seed(&app).await?;
    let server =
        remex::Server::bind(ServeOptions::new(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).app(&app)).await?;
    println!("{}", CURL.trim_start().replace("PORT", &server.local_addr()?.port().to_string()));
    server.run(rest(&app)).await?;
    Ok(())
}

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).init();
    let outcome = match arguments() {
        Ok(Some(port)) => run(port).await,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => Err(format!("{error}; see --help").into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

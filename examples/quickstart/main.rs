//! A REST API over the cities of the world, in SQLite, or in whatever store `DATABASE_URL` names.
//!
//! ```text
//! GET    /                a page with links to try
//! GET    /cities          a page of cities; filters, sort, limit, skip and select in the query string
//! GET    /cities/_count   how many match
//! POST   /cities          make a city
//! GET    /cities/{id}     read, PATCH modify, PUT update, DELETE remove
//! ```
//!
//! Run with `cargo run --example quickstart`, or with `-- --help` behind it.

mod page;
mod samples;

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use remex::{
    App, Document, FieldType, Fields, Options, Paginate, Params, Result, ServeOptions, Service, Store, StoreService,
    rest, serve,
};

/// Cities of the world by GeoNames, one JSON object a line; see `examples/data/README.md`.
const CITIES: &str = include_str!("../data/cities.jsonl");

const HELP: &str = "\
Serves the cities of the world as a REST API.

Usage: cargo run --example quickstart [-- OPTIONS]

Options:
  --port PORT  listen on 127.0.0.1:PORT; 0 takes any that is free [default: 3030]
  --memory     keep the cities in memory: what you change is gone with the program
  --help       print this help

Environment:
  DATABASE_URL  where the cities are kept [default: sqlite://quickstart.db, a file in this folder]
                memory:, sqlite://FILE, postgres://USER:PASSWORD@HOST/DATABASE, mysql://…, mongodb://…
";

/// What the command line asks for.
struct Arguments {
    port: u16,
    memory: bool,
}

/// The service: what a city is made of, and how clients may list them.
async fn cities(store: &Store) -> Result<StoreService> {
    let fields = Fields::new()
        .optional("geoname_id", FieldType::Integer)
        .required("name", FieldType::Text)
        .optional("korean_name", FieldType::Text)
        .required("country_code", FieldType::Text)
        .optional("capital", FieldType::Boolean)
        .optional("admin_level", FieldType::Integer)
        .optional("population", FieldType::Integer)
        .optional("elevation", FieldType::Integer)
        .optional("latitude", FieldType::Number)
        .optional("longitude", FieldType::Number)
        .optional("time_zone", FieldType::Text)
        .optional("modified_on", FieldType::Date);
    let options = Options::new("cities")
        .fields(fields)
        .unique("geoname_id")
        .index("country_code")
        .index("population")
        .paginate(Paginate::new(10, 1000));
    let cities = store.service::<Document, Document>(options).await?;
    // A store that outlives the program has them since the first time.
    if cities.count(&Params::new()).await? == 0 {
        let data = CITIES.lines().map(|line| Document::from_json(line.as_bytes())).collect::<Result<_>>()?;
        cities.create_many(data, &Params::new()).await?;
    }
    Ok(cities)
}

/// The whole program but for the socket.
async fn router(database: &str) -> Result<Router> {
    let store = Store::connect(database).await?;
    let app = App::new();
    app.mount("cities", cities(&store).await?)?;
    Ok(Router::new().route("/", get(|| async { Html(page::page()) })).merge(rest(&app)))
}

fn arguments() -> Result<Option<Arguments>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut port, mut memory) = (3030, false);
    let mut given = lexopt::Parser::from_env();
    while let Some(argument) = given.next()? {
        match argument {
            Long("port") => {
                let value = given.value()?;
                port = value.parse().map_err(|_| format!("--port takes a number from 0 to 65535, not {value:?}"))?;
            }
            Long("memory") => memory = true,
            Long("help") | Short('h') => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(Arguments { port, memory }))
}

#[tokio::main]
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
async fn main() -> ExitCode {
    let Arguments { port, memory } = match arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprint!("{error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    tracing_subscriber::fmt().with_target(false).with_ansi(std::io::stdout().is_terminal()).init();
    let database = match memory {
        true => "memory:".to_owned(),
        false => std::env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite://quickstart.db".to_owned()),
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match run(address, &database).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart cannot serve the cities: {error}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "what to try is for whoever started the program")]
async fn run(address: SocketAddr, database: &str) -> Result<(), Box<dyn std::error::Error>> {
    // First the port, so that a second one that is started by mistake touches nothing.
    let listener =
        tokio::net::TcpListener::bind(address).await.map_err(|error| format!("{address} cannot be had: {error}"))?;
    let router = router(database).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let scheme = database.split(':').next().unwrap_or_default();
    println!("the cities of the world ({scheme}) at {url}/cities; open {url}/ in a browser, or paste:\n");
    for sample in samples::SAMPLES {
        println!("# {}\n{}\n", sample.title, sample.curl(&url));
    }
    println!("Ctrl-C stops the server.\n");
    serve(router, ServeOptions::from_listener(listener)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn everything_that_is_printed_works() {
        for database in ["memory:", "sqlite::memory:"] {
            everything_works(&router(database).await.expect("the data is good")).await;
        }
    }

    async fn everything_works(router: &Router) {
        for sample in samples::SAMPLES {
            let (path, query) = sample.target.split_once('?').unwrap_or((sample.target, ""));
            let request = Request::builder()
                .method(sample.method)
                .uri(format!("{path}?{}", samples::encode(query)))
                .header("content-type", "application/json")
                .body(Body::from(sample.body.unwrap_or_default()))
                .expect("a request");
            let response = router.clone().oneshot(request).await.expect("an answer");
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            let body = String::from_utf8_lossy(&body);
            assert_eq!(status, sample.status, "{}: {body}", sample.title);
            assert!(body.contains(sample.shows), "{}: {body}", sample.title);
        }
    }

    #[tokio::test]
    async fn the_page_links_to_what_can_be_read() {
        let page = page::page();
        assert!(page.contains("href=\"/cities"));
        assert!(page.contains("GeoNames"));
    }
}

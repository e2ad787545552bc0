//! A REST API over the cities of the world, in memory.
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
    App, Document, FieldType, Fields, MemoryService, Options, Paginate, Params, Result, ServeOptions, Service, rest,
    serve,
};

/// Cities of the world by GeoNames, one JSON object a line; see `examples/data/README.md`.
const CITIES: &str = include_str!("../data/cities.jsonl");

const HELP: &str = "\
Serves the cities of the world as a REST API.

Usage: cargo run --example quickstart [-- OPTIONS]

Options:
  --port PORT  listen on 127.0.0.1:PORT; 0 takes any that is free [default: 3030]
  --help       print this help
";

/// The service: what a city is made of, and how clients may list them.
async fn cities() -> Result<MemoryService> {
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
    let cities = MemoryService::new(options)?;
    let data = CITIES.lines().map(|line| Document::from_json(line.as_bytes())).collect::<Result<_>>()?;
    cities.create_many(data, &Params::new()).await?;
    Ok(cities)
}

/// The whole program but for the socket.
async fn router() -> Result<Router> {
    let app = App::new();
    app.mount("cities", cities().await?)?;
    Ok(Router::new().route("/", get(|| async { Html(page::page()) })).merge(rest(&app)))
}

fn port() -> Result<Option<u16>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut port = 3030;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => {
                let value = arguments.value()?;
                port = value.parse().map_err(|_| format!("--port takes a number from 0 to 65535, not {value:?}"))?;
            }
            Long("help") | Short('h') => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(port))
}

#[tokio::main]
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
async fn main() -> ExitCode {
    let port = match port() {
        Ok(Some(port)) => port,
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
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match run(address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart cannot serve on {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "what to try is for whoever started the program")]
async fn run(address: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let router = router().await?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("{} cities at {url}/cities; open {url}/ in a browser, or paste:\n", CITIES.lines().count());
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
        let router = router().await.expect("the data is good");
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

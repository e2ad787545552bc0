//! How often a client may call.

use std::net::IpAddr;
use std::time::Duration;

use remex_core::{
    ClientAddress, Document, ErrorKind, HookKind, Hooked, Id, Method, MethodSet, Options, Params, Provider, Result,
    Service, ServiceExt,
};
use remex_hooks::RateLimit;
use remex_memory::MemoryService;
use tokio::time::advance;

const SECOND: Duration = Duration::from_secs(1);

fn notes(limit: RateLimit) -> Hooked<MemoryService> {
    let notes = MemoryService::<Document>::new(Options::new("notes")).expect("options");
    notes.hooked().add(HookKind::Before, MethodSet::ALL, limit)
}

fn client(address: &str) -> Params {
    let mut params = Params::client(Provider::Rest);
    params.extensions.insert(ClientAddress(address.parse::<IpAddr>().expect("an address")));
    params
}

/// Lists the notes until that is refused, and returns how often it went well and how long to wait.
async fn exhaust(notes: &impl Service<Id = Id, Data = Document>, params: &Params) -> (u32, Duration) {
    for calls in 0..10_000 {
        if let Err(error) = notes.index(params).await {
            assert_eq!(error.kind(), ErrorKind::TooManyRequests);
            return (calls, error.retry_after().expect("a time"));
        }
    }
    panic!("there is no limit");
}

/// As [`exhaust`], without the time.
async fn calls(notes: &impl Service<Id = Id, Data = Document>, params: &Params) -> u32 {
    exhaust(notes, params).await.0
}

#[tokio::test(start_paused = true)]
async fn a_client_gets_its_calls_back_one_by_one() {
    let (notes, ann) = (notes(RateLimit::per_client(10, 10 * SECOND)), client("192.0.2.1"));
    assert_eq!(exhaust(&notes, &ann).await, (10, SECOND));
    // What is refused costs nothing.
    assert_eq!(exhaust(&notes, &ann).await, (0, SECOND));
    advance(SECOND / 4).await;
    assert_eq!(exhaust(&notes, &ann).await, (0, SECOND * 3 / 4));
    advance(SECOND * 3 / 4).await;
    assert_eq!(exhaust(&notes, &ann).await, (1, SECOND));
    advance(3 * SECOND).await;
    assert_eq!(calls(&notes, &ann).await, 3);
    // There are never more than there were at first.
    advance(1_000 * SECOND).await;
    assert_eq!(exhaust(&notes, &ann).await, (10, SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_smaller_than_a_period() {
    let (notes, ann) = (notes(RateLimit::per_client(60, 60 * SECOND).burst(3)), client("192.0.2.1"));
    assert_eq!(exhaust(&notes, &ann).await, (3, SECOND));
    advance(2 * SECOND).await;
    assert_eq!(calls(&notes, &ann).await, 2);
}

#[tokio::test(start_paused = true)]
async fn each_client_has_its_own_and_the_program_none() -> Result<()> {
    let notes = notes(RateLimit::per_client(5, SECOND));
    assert_eq!(calls(&notes, &client("192.0.2.1")).await, 5);
    assert_eq!(calls(&notes, &client("192.0.2.2")).await, 5);
    let mut program = client("192.0.2.1");
    program.provider = None;
    for _ in 0..100 {
        notes.index(&program).await?;
    }
    // Those of whom nothing is known are as one.
    assert_eq!(calls(&notes, &Params::client(Provider::Rest)).await, 5);
    assert_eq!(calls(&notes, &Params::client(Provider::WebSocket)).await, 0);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_network_of_ipv6_is_one_client() {
    let notes = notes(RateLimit::per_client(5, SECOND));
    assert_eq!(calls(&notes, &client("2001:db8:0:1::1")).await, 5);
    assert_eq!(calls(&notes, &client("2001:db8:0:1:ffff:ffff:ffff:ffff")).await, 0);
    assert_eq!(calls(&notes, &client("2001:db8:0:2::1")).await, 5);
    // IPv4 written as IPv6 is not one network of it.
    assert_eq!(calls(&notes, &client("::ffff:192.0.2.1")).await, 5);
    assert_eq!(calls(&notes, &client("192.0.2.1")).await, 0);
    assert_eq!(calls(&notes, &client("::ffff:192.0.2.2")).await, 5);
}

#[tokio::test(start_paused = true)]
async fn methods_are_counted_together_unless_said_otherwise() -> Result<()> {
    let ann = client("192.0.2.1");
    let create = async |notes: &Hooked<MemoryService>| notes.create(Document::new(), &ann).await;
    let together = notes(RateLimit::per_client(3, SECOND));
    create(&together).await?;
    // A meta-method goes with its method.
    together.count(&ann).await?;
    assert_eq!(calls(&together, &ann).await, 1);
    assert!(create(&together).await.is_err());

    let apart = notes(RateLimit::per_client(3, SECOND).per_method());
    create(&apart).await?;
    apart.count(&ann).await?;
    assert_eq!(calls(&apart, &ann).await, 2);
    create(&apart).await?;
    create(&apart).await?;
    assert!(create(&apart).await.is_err());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_client_may_be_a_user() {
    #[derive(Clone)]
    struct User(&'static str);
    let limit =
        RateLimit::per_client(5, SECOND).keyed_by(|params| params.extensions.get::<User>().map(|User(name)| *name));
    let notes = notes(limit);
    let user = |name: &'static str, address: &str| {
        let mut params = client(address);
        params.extensions.insert(User(name));
        params
    };
    assert_eq!(calls(&notes, &user("ann", "192.0.2.1")).await, 5);
    assert_eq!(calls(&notes, &user("ann", "192.0.2.2")).await, 0);
    assert_eq!(calls(&notes, &user("bob", "192.0.2.1")).await, 5);
    // Whoever is no user is one of all that are none.
    assert_eq!(calls(&notes, &client("192.0.2.1")).await, 5);
    assert_eq!(calls(&notes, &client("192.0.2.2")).await, 0);
}

#[tokio::test(start_paused = true)]
async fn past_the_bound_new_clients_share() {
    let address = |number: u8| client(&format!("192.0.2.{number}"));
    let notes = notes(RateLimit::per_client(5, 5 * SECOND).clients_max(2));
    assert_eq!(calls(&notes, &address(1)).await, 5);
    assert!(notes.index(&address(2)).await.is_ok());
    assert_eq!(calls(&notes, &address(3)).await, 5);
    assert_eq!(calls(&notes, &address(4)).await, 0);
    // Who is known goes on as before.
    assert_eq!(calls(&notes, &address(2)).await, 4);
    assert_eq!(calls(&notes, &address(1)).await, 0);
    // Who has all calls back is forgotten, and makes room.
    advance(10 * SECOND).await;
    assert_eq!(calls(&notes, &address(5)).await, 5);
    assert_eq!(calls(&notes, &address(6)).await, 5);
    assert_eq!(calls(&notes, &address(7)).await, 5);
    assert_eq!(calls(&notes, &address(8)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_clone_counts_together_with_the_other() {
    let limit = RateLimit::per_client(5, SECOND);
    let (notes, others) = (notes(limit.clone()), notes(limit));
    assert_eq!(calls(&notes, &client("192.0.2.1")).await, 5);
    assert_eq!(calls(&others, &client("192.0.2.1")).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_limit_may_be_for_one_method() -> Result<()> {
    let notes = MemoryService::<Document>::new(Options::new("notes"))?.hooked();
    let notes = notes.add(HookKind::Before, Method::Create, RateLimit::per_client(1, SECOND));
    let ann = client("192.0.2.1");
    notes.create(Document::new(), &ann).await?;
    assert!(notes.create(Document::new(), &ann).await.is_err());
    for _ in 0..10 {
        notes.index(&ann).await?;
    }
    Ok(())
}

#[test]
#[should_panic(expected = "at least one call")]
fn no_call_at_all_is_no_limit() {
    drop(RateLimit::per_client(1, SECOND).burst(0));
}

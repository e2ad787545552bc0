//! Where the server is.

use std::sync::atomic::{AtomicUsize, Ordering};

use remex_mongo::mongodb::{Client, Database};

/// Returns a database of the run, if the run has a server.
pub(crate) async fn database() -> Option<Database> {
    let url = std::env::var("REMEX_TEST_MONGODB_URL").ok()?;
    let client = Client::with_uri_str(url).await.expect("an address");
    Some(client.database(&format!("remex_it_{}", std::process::id())))
}

/// Returns a name that no other collection has.
pub(crate) fn collection_name() -> String {
    static COLLECTIONS: AtomicUsize = AtomicUsize::new(1);
    format!("it_{}", COLLECTIONS.fetch_add(1, Ordering::Relaxed))
}

//! What is true of MongoDB alone, on the server of `REMEX_TEST_MONGODB_URL`. `./test` says so at its end where it has none.

mod collections;
mod faults;
mod foreign;
mod limits;
mod oracle;
mod server;

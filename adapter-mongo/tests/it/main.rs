//! What is true of MongoDB alone, on the server of `REMEX_TEST_MONGODB_URL`. `./test` says so at its end where it has none.
//! Failover is tried on the replica set of `REMEX_TEST_MONGODB_SET_URL`, one of whose members does not live to see the end.

mod collections;
mod failover;
mod faults;
mod foreign;
mod limits;
mod oracle;
mod server;

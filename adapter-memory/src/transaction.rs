//! [`Part`]: what a transaction changes, in tables of its own until it is kept.
//!
//! A transaction works on copies of the tables that it changes: of the blocks of records by reference, of the indexes
//! entry by entry. It reads its copies and everybody else the tables, so that nobody sees what may be undone. Meanwhile
//! others who want to change a table that it has read or changed wait; and there is one such transaction at a time, so
//! that two of them never wait for each other.

use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::lock_api::ArcRwLockWriteGuard;
use parking_lot::{Mutex, RawRwLock, RwLock, RwLockWriteGuard};
use remex_core::{Error, Result, Transaction, TransactionPart, async_trait};
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};
use tokio::time::{Instant, timeout, timeout_at};

use crate::table::Table;

/// How long a call waits for a transaction.
const WAIT: Duration = Duration::from_secs(3);

/// Whose turn it is.
static TURN: LazyLock<Arc<AsyncMutex<()>>> = LazyLock::new(Arc::default);

/// The table of a store.
///
/// The lock is a short one: nothing waits while it is held, so it is one of threads and not of tasks.
#[derive(Debug)]
pub(crate) struct Home {
    table: RwLock<Table>,
    /// Told when a transaction has let go of the table.
    released: Notify,
}

/// A table to be read.
pub(crate) enum View<'a> {
    Home(&'a RwLock<Table>),
    Copy(Arc<RwLock<Table>>),
}

impl Deref for View<'_> {
    type Target = RwLock<Table>;

    fn deref(&self) -> &RwLock<Table> {
        match self {
            Self::Home(table) => table,
            Self::Copy(table) => table,
        }
    }
}

/// A table to be changed, locked.
pub(crate) enum Writing<'a> {
    Home(RwLockWriteGuard<'a, Table>),
    Copy(ArcRwLockWriteGuard<RawRwLock, Table>),
}

impl Deref for Writing<'_> {
    type Target = Table;

    fn deref(&self) -> &Table {
        match self {
            Self::Home(table) => table,
            Self::Copy(table) => table,
        }
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut Table {
        match self {
            Self::Home(table) => table,
            Self::Copy(table) => table,
        }
    }
}

impl Home {
    pub(crate) fn new(table: Table) -> Arc<Self> {
        Arc::new(Self { table: RwLock::new(table), released: Notify::new() })
    }

    /// Begins a call that reads: what it reads in a transaction holds until the end of that.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](remex_core::ErrorKind::Unavailable) where another transaction takes too long.
    pub(crate) async fn enter(self: &Arc<Self>) -> Result<()> {
        if let Some(transaction) = Transaction::current() {
            transaction.join(|_: &Part| true, Part::begin()).await?.hold(self);
        }
        Ok(())
    }

    /// Returns the table as the running code sees it.
    pub(crate) fn view(self: &Arc<Self>) -> View<'_> {
        let part = Transaction::current().and_then(|transaction| transaction.part::<Part>());
        match part.and_then(|part| part.copy_of(self)) {
            Some(copy) => View::Copy(copy),
            None => View::Home(&self.table),
        }
    }

    /// Locks the table for a change: that of the transaction to which the running code belongs, or everybody's.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](remex_core::ErrorKind::Unavailable) where a transaction keeps it for too long.
    pub(crate) async fn write(self: &Arc<Self>) -> Result<Writing<'_>> {
        if let Some(transaction) = Transaction::current() {
            let part = transaction.join(|_: &Part| true, Part::begin()).await?;
            return Ok(Writing::Copy(part.copied(self).write_arc()));
        }
        let mut until = None;
        loop {
            let mut released = pin!(self.released.notified());
            // Before the look at the table, so that a release right behind it is not missed.
            released.as_mut().enable();
            {
                let table = self.table.write();
                if !table.held {
                    return Ok(Writing::Home(table));
                }
            }
            let until = *until.get_or_insert_with(|| Instant::now() + WAIT);
            timeout_at(until, released).await.map_err(|_| busy())?;
        }
    }

    fn release(&self) {
        self.table.write().held = false;
        self.released.notify_waiters();
    }
}

fn busy() -> Error {
    Error::unavailable("the store is busy with a transaction").with_retry_after(Duration::from_secs(1))
}

/// A table that others do not change.
struct Held {
    home: Arc<Home>,
    /// What the transaction has made of it, if it has changed anything.
    copy: Option<Arc<RwLock<Table>>>,
}

/// The tables that a transaction has read or changed, and its turn.
pub(crate) struct Part {
    held: Mutex<Vec<Held>>,
    _turn: OwnedMutexGuard<()>,
}

impl Part {
    async fn begin() -> Result<Self> {
        let turn = timeout(WAIT, TURN.clone().lock_owned()).await.map_err(|_| busy())?;
        Ok(Self { held: Mutex::default(), _turn: turn })
    }

    /// Returns the copy of a table, if there is one.
    fn copy_of(&self, home: &Arc<Home>) -> Option<Arc<RwLock<Table>>> {
        let held = self.held.lock();
        held.iter().find(|held| Arc::ptr_eq(&held.home, home)).and_then(|held| held.copy.clone())
    }

    /// Holds a table: others do not change it from here on.
    fn hold(&self, home: &Arc<Home>) {
        let mut held = self.held.lock();
        if !held.iter().any(|held| Arc::ptr_eq(&held.home, home)) {
            home.table.write().held = true;
            held.push(Held { home: home.clone(), copy: None });
        }
    }

    /// Returns the copy of a table, made now if there is none yet.
    fn copied(&self, home: &Arc<Home>) -> Arc<RwLock<Table>> {
        self.hold(home);
        let mut held = self.held.lock();
        let copy = || Arc::new(RwLock::new(home.table.read().clone()));
        match held.iter_mut().find(|held| Arc::ptr_eq(&held.home, home)) {
            Some(held) => held.copy.get_or_insert_with(copy).clone(),
            None => copy(),
        }
    }

    fn let_go(&self) {
        for held in std::mem::take(&mut *self.held.lock()) {
            held.home.release();
        }
    }
}

#[async_trait]
impl TransactionPart for Part {
    async fn commit(&self, _: &Transaction) -> Result<()> {
        {
            let held = self.held.lock();
            let changed = held.iter().filter_map(|held| Some((&held.home, held.copy.as_ref()?)));
            // All of them locked before the first is set, so that nobody sees a part of it. Others hold one lock at a time.
            let mut changed: Vec<_> = changed.map(|(home, copy)| (home.table.write(), copy.write())).collect();
            for (home, copy) in &mut changed {
                std::mem::swap(&mut **home, &mut **copy);
            }
        }
        self.let_go();
        Ok(())
    }

    async fn rollback(&self) {
        self.let_go();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // A transaction that came to no end, since there was nothing left to run it.
        self.let_go();
    }
}

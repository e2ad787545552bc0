//! [`Part`]: what a transaction changes, in tables of its own until it is kept.
//!
//! A transaction works on copies of the tables that it changes: of the blocks of records by reference, of the indexes
//! entry by entry. It reads its copies and everybody else the tables, so that nobody sees what may be undone. Meanwhile
//! others who want to change one of these tables wait; and there is one such transaction at a time, so that two of them
//! never wait for each other.

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

/// The tables that a transaction changes, and its turn.
pub(crate) struct Part {
    copies: Mutex<Vec<(Arc<Home>, Arc<RwLock<Table>>)>>,
    _turn: OwnedMutexGuard<()>,
}

impl Part {
    async fn begin() -> Result<Self> {
        let turn = timeout(WAIT, TURN.clone().lock_owned()).await.map_err(|_| busy())?;
        Ok(Self { copies: Mutex::default(), _turn: turn })
    }

    /// Returns the copy of a table, if there is one.
    fn copy_of(&self, home: &Arc<Home>) -> Option<Arc<RwLock<Table>>> {
        let copies = self.copies.lock();
        copies.iter().find(|(other, _)| Arc::ptr_eq(other, home)).map(|(_, copy)| copy.clone())
    }

    /// Returns the copy of a table, made now if there is none yet; others do not change the table from here on.
    fn copied(&self, home: &Arc<Home>) -> Arc<RwLock<Table>> {
        if let Some(copy) = self.copy_of(home) {
            return copy;
        }
        let mut table = home.table.write();
        table.held = true;
        let copy = Arc::new(RwLock::new(table.clone()));
        self.copies.lock().push((home.clone(), copy.clone()));
        copy
    }
}

#[async_trait]
impl TransactionPart for Part {
    async fn commit(&self, _: &Transaction) -> Result<()> {
        let copies = std::mem::take(&mut *self.copies.lock());
        // All of them locked before the first is set, so that nobody sees a part of it. Others hold one lock at a time.
        let mut homes: Vec<_> = copies.iter().map(|(home, copy)| (home.table.write(), copy.write())).collect();
        for (home, copy) in &mut homes {
            std::mem::swap(&mut **home, &mut **copy);
            home.held = false;
        }
        drop(homes);
        copies.iter().for_each(|(home, _)| home.released.notify_waiters());
        Ok(())
    }

    async fn rollback(&self) {
        self.let_go();
    }
}

impl Part {
    fn let_go(&self) {
        for (home, _) in std::mem::take(&mut *self.copies.lock()) {
            home.release();
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // A transaction that came to no end, since there was nothing left to run it.
        self.let_go();
    }
}

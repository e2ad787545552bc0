//! What of the records that match is on a page: those [`Behind`] the one before, and of these the first few: [`Best`].

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use remex_core::{Cursor, Description, Document, Plan};

use crate::key::Key;
use crate::records::{Held, Record};

/// Whether records come behind the place where the page before ended.
pub(crate) struct Behind<'a> {
    plan: &'a Plan<'a>,
    after: Option<(&'a Cursor, Option<Key>)>,
}

impl<'a> Behind<'a> {
    pub(crate) fn new(plan: &'a Plan<'a>, description: &Description) -> Self {
        let key = |cursor: &Cursor| Key::from_value(description.id_kind(), cursor.id());
        Self { plan, after: plan.after.map(|cursor| (cursor, key(cursor))) }
    }

    pub(crate) fn holds(&self, key: &Key, seen: &Document) -> bool {
        match &self.after {
            None => true,
            // A cursor whose id is none of this service's is behind everything with the same values.
            Some((cursor, last)) => cursor
                .compare_record(self.plan.sort, seen, |_| last.as_ref().map_or(Ordering::Less, |last| key.cmp(last)))
                .is_gt(),
        }
    }
}

/// The first few records of a sort, without sorting all of them.
pub(crate) struct Best<'a> {
    plan: &'a Plan<'a>,
    wanted: Option<usize>,
    heap: BinaryHeap<Ranked<'a>>,
}

/// A record with its rank: the greatest is the one that comes last.
struct Ranked<'a> {
    plan: &'a Plan<'a>,
    /// What the plan looks at.
    seen: Document,
    held: Held,
}

impl Ranked<'_> {
    fn compare(&self, seen: &Document, record: Record<'_>) -> Ordering {
        self.plan.compare(&self.seen, seen).then_with(|| self.held.record().key().cmp(record.key()))
    }
}

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(&other.seen, other.held.record())
    }
}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked<'_> {}

impl<'a> Best<'a> {
    pub(crate) fn new(plan: &'a Plan<'a>, wanted: Option<u64>) -> Self {
        Self {
            plan,
            wanted: wanted.map(|wanted| usize::try_from(wanted).unwrap_or(usize::MAX)),
            heap: BinaryHeap::new(),
        }
    }

    pub(crate) fn offer(&mut self, record: Record<'_>, seen: &Document) {
        if self.wanted.is_none_or(|wanted| self.heap.len() < wanted) {
            self.heap.push(Ranked { plan: self.plan, seen: seen.clone(), held: record.hold() });
            return;
        }
        let Some(mut last) = self.heap.peek_mut() else { return };
        if last.compare(seen, record).is_gt() {
            last.seen.values_mut().clone_from_slice(seen.values());
            last.held = record.hold();
        }
    }

    pub(crate) fn into_sorted(self) -> Vec<Held> {
        self.heap.into_sorted_vec().into_iter().map(|ranked| ranked.held).collect()
    }
}

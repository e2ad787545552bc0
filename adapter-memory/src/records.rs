//! [`Records`]: packed records in the order of their ids.
//!
//! They stand side by side in blocks of some kilobytes. An allocation for each, and a place in a map, would take more
//! memory than many a record does; and going through them is going through memory from front to back.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::sync::Arc;

use remex_core::Document;

use crate::key::Key;
use crate::packed::{Reader, Shapes, pack};

/// How many records a block holds at most.
const RECORDS_MAX: usize = 64;

/// How many bytes they take at most, unless it is a single record that takes more.
const BYTES_MAX: usize = 8192;

/// Records by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    /// Each block under a key that is not above those in it, and above those of the block before; the first under none.
    blocks: BTreeMap<Option<Key>, Arc<Block>>,
    shapes: Arc<Shapes>,
    len: usize,
}

/// Some records in the order of their keys.
#[derive(Clone, Debug, Default)]
struct Block {
    /// The lists of names that the records share; those of all records, at the time of the last change here.
    shapes: Arc<Shapes>,
    keys: Vec<Key>,
    /// Where in the text each record begins; it ends where the next one begins.
    starts: Vec<usize>,
    packed: String,
}

/// A record among the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    block: &'a Arc<Block>,
    at: usize,
}

/// A record on its own: it stays as it is, whatever happens to the others.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    block: Arc<Block>,
    at: usize,
}

impl<'a> Record<'a> {
    pub(crate) fn key(self) -> &'a Key {
        &self.block.keys[self.at]
    }

    pub(crate) fn reader(self) -> Reader<'a> {
        Reader::new(&self.block.packed, self.block.starts[self.at], &self.block.shapes)
    }

    pub(crate) fn document(self) -> Document {
        self.reader().document()
    }

    /// Holds on to the record. Nothing is copied, unless the block is changed meanwhile.
    pub(crate) fn hold(self) -> Held {
        Held { block: self.block.clone(), at: self.at }
    }
}

impl Held {
    pub(crate) const fn record(&self) -> Record<'_> {
        Record { block: &self.block, at: self.at }
    }
}

impl Records {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Record<'_>> {
        let (_, block) = self.blocks.range(..=Some(key.clone())).next_back()?;
        let at = block.keys.binary_search(key).ok()?;
        Some(Record { block, at })
    }

    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    /// Lists the records from the first on, or from behind a key.
    pub(crate) fn behind(&self, key: Option<&Key>) -> impl Iterator<Item = Record<'_>> {
        let first = self.blocks.range(..=key.cloned()).next_back();
        let skipped = match (first, key) {
            (Some((_, block)), Some(key)) => block.keys.partition_point(|other| other <= key),
            _ => 0,
        };
        let start = first.map_or(Bound::Unbounded, |(start, _)| Bound::Included(start));
        let blocks = self.blocks.range::<Option<Key>, _>((start, Bound::Unbounded));
        let records = blocks.flat_map(|(_, block)| (0..block.keys.len()).map(move |at| Record { block, at }));
        records.skip(skipped)
    }

    /// Sets the record of a key, new or not.
    pub(crate) fn insert(&mut self, key: Key, document: &Document) {
        let mut packed = String::with_capacity(128);
        pack(document, &mut self.shapes, &mut packed);
        self.place(key, &packed);
    }

    fn place(&mut self, key: Key, packed: &str) {
        if self.blocks.is_empty() {
            self.blocks.insert(None, Arc::default());
        }
        let Some((_, block)) = self.blocks.range_mut(..=Some(key.clone())).next_back() else { return };
        let block = Arc::make_mut(block);
        let place = block.keys.binary_search(&key);
        if block.is_full(place.ok(), packed.len()) {
            // What is added at the end leaves full blocks behind, what is added in between makes two of one.
            let rest = if place == Err(block.keys.len()) { Block::default() } else { block.split() };
            block.shrink();
            self.blocks.insert(Some(rest.keys.first().unwrap_or(&key).clone()), Arc::new(rest));
            return self.place(key, packed);
        }
        if !Arc::ptr_eq(&block.shapes, &self.shapes) {
            block.shapes = self.shapes.clone();
        }
        match place {
            Ok(at) => block.replace(at, packed),
            Err(at) => {
                block.insert(at, key, packed);
                self.len += 1;
            }
        }
    }

    /// Takes a record away, and answers it.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Document> {
        let (start, block) = self.blocks.range_mut(..=Some(key.clone())).next_back()?;
        let at = block.keys.binary_search(key).ok()?;
        let (start, document) = (start.clone(), Record { block, at }.document());
        Arc::make_mut(block).remove(at);
        self.len -= 1;
        if self.len == 0 {
            *self = Self::default();
            return Some(document);
        }
        let next = self.blocks.range((Bound::Excluded(&start), Bound::Unbounded)).next();
        if let Some(next) = next.map(|(start, _)| start.clone()) {
            self.join(&next);
        }
        self.join(&start);
        Some(document)
    }

    /// Puts a block into the one before, if it is empty or both together are no more than half of one.
    fn join(&mut self, start: &Option<Key>) {
        let mut blocks = self.blocks.range_mut::<Option<Key>, _>(..=start).rev();
        let (Some((_, block)), Some((_, before))) = (blocks.next(), blocks.next()) else { return };
        let few = block.keys.len() + before.keys.len() <= RECORDS_MAX / 2;
        let short = block.packed.len() + before.packed.len() <= BYTES_MAX / 2;
        if block.keys.is_empty() || few && short {
            Arc::make_mut(before).append(block, &self.shapes);
            self.blocks.remove(start);
        }
    }
}

impl Block {
    fn range(&self, at: usize) -> Range<usize> {
        self.starts[at]..self.starts.get(at + 1).copied().unwrap_or(self.packed.len())
    }

    /// Returns whether a record of this size is too much for the block, be it a new one or one that replaces another.
    fn is_full(&self, replaced: Option<usize>, bytes: usize) -> bool {
        let (others, others_bytes) = match replaced {
            Some(at) => (self.keys.len() - 1, self.packed.len() - self.range(at).len()),
            None => (self.keys.len(), self.packed.len()),
        };
        others > 0 && (others == RECORDS_MAX || others_bytes + bytes > BYTES_MAX)
    }

    fn insert(&mut self, at: usize, key: Key, packed: &str) {
        let start = self.starts.get(at).copied().unwrap_or(self.packed.len());
        self.keys.insert(at, key);
        self.starts.insert(at, start);
        self.replace(at, packed);
    }

    /// Puts another text in the place of a record's.
    fn replace(&mut self, at: usize, packed: &str) {
        let range = self.range(at);
        let (start, old) = (range.start, range.len());
        if old > 0 {
            self.packed.drain(range);
            // Records that are changed are not about to become more, as those that are added are.
            self.packed.reserve_exact(packed.len());
        }
        self.packed.insert_str(start, packed);
        for start in &mut self.starts[at + 1..] {
            *start = *start - old + packed.len();
        }
        // A block of short records does not keep the room that a long one took.
        if self.packed.capacity() > BYTES_MAX && self.packed.capacity() > 2 * self.packed.len() {
            self.packed.shrink_to_fit();
        }
    }

    fn remove(&mut self, at: usize) {
        self.replace(at, "");
        self.keys.remove(at);
        self.starts.remove(at);
    }

    /// Takes the second half out.
    fn split(&mut self) -> Self {
        let at = self.keys.len() / 2;
        let start = self.starts[at];
        let mut rest = Self {
            shapes: self.shapes.clone(),
            keys: self.keys.split_off(at),
            starts: self.starts.split_off(at),
            packed: self.packed.split_off(start),
        };
        rest.starts.iter_mut().for_each(|other| *other -= start);
        rest
    }

    /// Adds the records of the block behind.
    fn append(&mut self, behind: &Self, shapes: &Arc<Shapes>) {
        let start = self.packed.len();
        self.keys.extend_from_slice(&behind.keys);
        self.starts.extend(behind.starts.iter().map(|other| start + other));
        self.packed.push_str(&behind.packed);
        self.shapes = shapes.clone();
    }

    /// Gives the room back that was kept for further records.
    fn shrink(&mut self) {
        self.keys.shrink_to_fit();
        self.starts.shrink_to_fit();
        self.packed.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn document(id: i64, length: usize) -> Document {
        Document::new().with("id", id).with("text", "x".repeat(length))
    }

    fn listed(records: &Records, behind: Option<&Key>) -> Vec<(Key, Document)> {
        records.behind(behind).map(|record| (record.key().clone(), record.document())).collect()
    }

    proptest! {
        #[test]
        fn records_are_a_map(changes in prop::collection::vec(
            (0..600_i64, prop::option::weighted(0.6, prop_oneof![9 => 0..40_usize, 1 => 0..20_000_usize]), 1..40_i64),
            1..60,
        )) {
            let mut records = Records::default();
            let mut map = BTreeMap::new();
            for (first, length, count) in changes {
                for id in first..first + count {
                    let key = Key::Integer(id);
                    match length {
                        Some(length) => {
                            records.insert(key.clone(), &document(id, length));
                            map.insert(key, document(id, length));
                        }
                        None => prop_assert_eq!(records.remove(&key), map.remove(&key)),
                    }
                }
                prop_assert_eq!(records.len(), map.len());
                let key = Key::Integer(first);
                prop_assert_eq!(records.get(&key).map(Record::document), map.get(&key).cloned());
                let expected: Vec<_> = map.range((Bound::Excluded(key.clone()), Bound::Unbounded))
                    .map(|(key, document)| (key.clone(), document.clone())).collect();
                prop_assert_eq!(listed(&records, Some(&key)), expected);
            }
            prop_assert_eq!(listed(&records, None), map.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_held_stays_as_it_is() {
        let mut records = Records::default();
        for id in 0..1000 {
            records.insert(Key::Integer(id), &document(id, 5));
        }
        let held: Vec<Held> = records.behind(None).map(Record::hold).collect();
        for id in 0..1000 {
            records.insert(Key::Integer(id), &Document::new().with("other", id));
            records.remove(&Key::Integer(id / 2 * 3));
        }
        for (id, held) in (0..).zip(held) {
            assert_eq!(held.record().document(), document(id, 5));
        }
    }

    #[test]
    fn few_blocks_hold_what_is_left() {
        let mut records = Records::default();
        for id in 0..64_000 {
            records.insert(Key::Integer(id), &document(id, 5));
        }
        assert_eq!(records.blocks.len(), 1000);
        for id in (0..64_000).filter(|id| id % 64 != 7) {
            records.remove(&Key::Integer(id));
        }
        assert_eq!(records.len(), 1000);
        assert!(records.blocks.len() < 100, "{} blocks", records.blocks.len());
    }
}

//! [`Scan`]: going through the records that may match a plan, piece by piece, so that no lock is held for long.

use std::collections::BTreeSet;
use std::ops::{Bound, ControlFlow};
use std::task::Poll;
use std::time::{Duration, Instant};

use remex_core::{Condition, Direction, Filter, Id, IdKind, Path, Plan, Value};

use crate::index::{Bounds, Ordered, Place, Slot};
use crate::key::Key;
use crate::records::Record;
use crate::table::Table;

/// How many records are looked at before the lock is let go, and the task gives way to others.
const PIECE: usize = 1024;

/// For how long, whatever is left of a piece: a condition on long texts takes its time.
const PIECE_TIME: Duration = Duration::from_millis(1);

/// How often the time is looked at.
const LOOK: usize = 16;

/// How many records an index may name one by one. More of them are found as fast by going through everything, and a list
/// of them would be made under the lock.
const NAMED_MAX: usize = 4096;

/// A way through the records of a table that meets every one that can match a filter.
#[derive(Debug)]
pub(crate) enum Scan {
    /// All records by id, behind the last one that was met.
    All { after: Option<Key> },
    /// The records that an index, or the filter itself, named; by id.
    Keys(std::collections::btree_set::IntoIter<Key>),
    /// All records in the order of an index, which is that of the sort.
    Walk { index: usize, direction: Direction, bounds: Bounds, from: Option<Place> },
}

impl Scan {
    /// Chooses the way: straight to ids and values that the filter names; else along an index that is the sort, if only
    /// the first few are wanted; else through a range of an index; else through everything.
    pub(crate) fn choose(table: &Table, plan: &Plan<'_>, id_field: &str, id_kind: IdKind) -> Self {
        let conditions = conjuncts(&plan.filter);
        if let Some(keys) = ids_named(&conditions, id_field, id_kind) {
            return Self::Keys(keys.into_iter());
        }
        if let Some(keys) = values_named(&conditions, table) {
            return Self::Keys(keys.into_iter());
        }
        // A page goes on where the one before ended, unless all that match are to be counted.
        let cursor = plan.after.filter(|_| !plan.total);
        let after = cursor.and_then(|cursor| Some((cursor, Key::from_value(id_kind, cursor.id())?)));
        let sort = plan.single_sort().and_then(|(path, direction)| {
            let index = table.indexes.iter().position(|index| *path == *index.field && index.is_sort())?;
            Some((index, direction))
        });
        if let (Some((index, direction)), true) = (sort, plan.limit.is_some()) {
            let bounds = bounds_of(&conditions, &table.indexes[index].field);
            let from = after.and_then(|(cursor, key)| Some((Ordered(cursor.values().first()?.clone()), Slot::At(key))));
            return Self::Walk { index, direction, bounds, from };
        }
        let range = table.indexes.iter().find_map(|index| {
            let mut bounds = bounds_of(&conditions, &index.field);
            // One element of a list may lie above the lower bound and another below the upper one.
            if !index.is_sort() && !matches!(bounds.lower, Bound::Unbounded) {
                bounds.upper = Bound::Unbounded;
            }
            let bounded = !matches!((&bounds.lower, &bounds.upper), (Bound::Unbounded, Bound::Unbounded));
            few(index.between(&bounds)).filter(|_| bounded)
        });
        match range {
            Some(keys) => Self::Keys(keys.into_iter()),
            None => Self::All { after: after.filter(|_| plan.sort.is_empty()).map(|(_, key)| key) },
        }
    }

    /// Returns the way through all records by id, on which none is met twice or left out, whatever is changed meanwhile.
    pub(crate) const fn by_id() -> Self {
        Self::All { after: None }
    }

    /// Returns whether a record that is changed may move to where the scan has been, or will be.
    pub(crate) const fn is_walk(&self) -> bool {
        matches!(self, Self::Walk { .. })
    }

    /// Returns whether records are met in the order of the sort, so that the first few that match are the answer.
    pub(crate) const fn is_sorted(&self, plan: &Plan<'_>) -> bool {
        match self {
            Self::Walk { .. } => true,
            Self::All { .. } | Self::Keys(_) => plan.sort.is_empty(),
        }
    }

    /// Goes on by one piece; answers whether there may be more.
    pub(crate) fn step(
        &mut self,
        table: &Table,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let piece = Piece::begin();
        match self {
            Self::All { after } => {
                let mut last = None;
                for (at, record) in table.records.behind(after.as_ref()).enumerate() {
                    visit(record)?;
                    last = Some(record.key());
                    if piece.is_over(at) {
                        break;
                    }
                }
                *after = Some(last.ok_or_else_break()?.clone());
                ControlFlow::Continue(())
            }
            Self::Keys(keys) => {
                for at in 0.. {
                    let key = keys.next().ok_or_else_break()?;
                    if let Some(record) = table.records.get(&key) {
                        visit(record)?;
                    }
                    if piece.is_over(at) {
                        break;
                    }
                }
                ControlFlow::Continue(())
            }
            Self::Walk { index, direction, bounds, from } => {
                let places = table.indexes[*index].walk(*direction, bounds, from.as_ref(), PIECE);
                let mut last = None;
                for (at, place) in places.into_iter().enumerate() {
                    if let Some(record) = place.1.key().and_then(|key| table.records.get(key)) {
                        visit(record)?;
                    }
                    last = Some(place);
                    if piece.is_over(at) {
                        break;
                    }
                }
                *from = Some(last.ok_or_else_break()?);
                ControlFlow::Continue(())
            }
        }
    }
}

/// A part of a scan, bounded in records and in time.
struct Piece {
    begun: Instant,
}

impl Piece {
    fn begin() -> Self {
        Self { begun: Instant::now() }
    }

    /// Returns whether the piece ends with the record at this position.
    fn is_over(&self, at: usize) -> bool {
        at + 1 >= PIECE || at % LOOK == LOOK - 1 && self.begun.elapsed() >= PIECE_TIME
    }
}

/// Collects records that an index names, unless they are many.
fn few<'a>(keys: impl Iterator<Item = &'a Key>) -> Option<BTreeSet<Key>> {
    let mut collected = BTreeSet::new();
    for (at, key) in keys.enumerate() {
        if at == NAMED_MAX {
            return None;
        }
        collected.insert(key.clone());
    }
    Some(collected)
}

/// Ends a scan where there is nothing more.
trait OrBreak<T> {
    fn ok_or_else_break(self) -> ControlFlow<(), T>;
}

impl<T> OrBreak<T> for Option<T> {
    fn ok_or_else_break(self) -> ControlFlow<(), T> {
        self.map_or(ControlFlow::Break(()), ControlFlow::Continue)
    }
}

/// Lists the conditions that every matching record fulfils.
fn conjuncts(filter: &Filter) -> Vec<(&Path, &Condition)> {
    match filter {
        Filter::Field(path, condition) => vec![(path, condition)],
        Filter::And(filters) => filters.iter().flat_map(conjuncts).collect(),
        _ => Vec::new(),
    }
}

/// Returns the values that a condition names one by one.
fn values_of(condition: &Condition) -> Option<&[Value]> {
    match condition {
        Condition::Eq(value) => Some(std::slice::from_ref(value)),
        Condition::In(values) => Some(values),
        _ => None,
    }
}

/// Returns the ids that the filter names, if it does. A value that is no id names no record.
fn ids_named(conditions: &[(&Path, &Condition)], id_field: &str, kind: IdKind) -> Option<BTreeSet<Key>> {
    let values =
        conditions.iter().find(|(path, _)| **path == *id_field).and_then(|(_, condition)| values_of(condition))?;
    let read = |value: &Value| {
        let value = match value {
            // An integer may be written as a float in a filter.
            Value::Float(number) if number.fract() == 0.0 => &Value::from(format!("{number:.0}")),
            value => value,
        };
        let id = Id::from_value(value)?;
        Key::from_value(kind, &kind.read(&id)?)
    };
    Some(values.iter().filter_map(read).collect())
}

/// Returns the records that an index has under the values that the filter names, if there is such an index and they are
/// few.
fn values_named(conditions: &[(&Path, &Condition)], table: &Table) -> Option<BTreeSet<Key>> {
    conditions.iter().find_map(|(path, condition)| {
        let index = table.indexes.iter().find(|index| **path == *index.field)?;
        few(values_of(condition)?.iter().flat_map(|value| index.equal(value)))
    })
}

/// Returns between which values the conditions put a field. Those that say nothing about it put it nowhere.
fn bounds_of(conditions: &[(&Path, &Condition)], field: &str) -> Bounds {
    let mut bounds = Bounds::NONE;
    for (path, condition) in conditions {
        if **path != *field {
            continue;
        }
        let (slot, bound) = match condition {
            Condition::Gt(value) => (&mut bounds.lower, Bound::Excluded(Ordered(value.clone()))),
            Condition::Gte(value) => (&mut bounds.lower, Bound::Included(Ordered(value.clone()))),
            Condition::Lt(value) => (&mut bounds.upper, Bound::Excluded(Ordered(value.clone()))),
            Condition::Lte(value) => (&mut bounds.upper, Bound::Included(Ordered(value.clone()))),
            _ => continue,
        };
        // The first bound on a side will do: the filter is tested on every record that is met.
        if matches!(slot, Bound::Unbounded) {
            *slot = bound;
        }
    }
    bounds
}

/// Lets other tasks run between two pieces, so that a long scan holds up nobody.
pub(crate) async fn give_way() {
    let mut given = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

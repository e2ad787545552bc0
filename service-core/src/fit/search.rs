//! [`Search`], which mends a draft until it fits and keeps the names of the fields that it mended.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::BadField;
use super::draft::{Draft, Node};
use super::fault::{Fault, Kind};
use super::reader::Reader;
use super::stand_in::STAND_IN_TEXTS;
use crate::{Document, Value};

/// How many bad fields are named at most.
const FIELDS_MAX: usize = 32;

/// How often a document is read again at most. A large one is read less often, so that all readings together come to
/// [`VALUES_MAX`] values, but at least [`READINGS_MIN`] times.
const READINGS_MAX: usize = 2048;
const READINGS_MIN: usize = 96;
const VALUES_MAX: usize = 1_000_000;

/// Names the fields that keep a document from being a `T`.
pub(super) fn bad_fields<T: DeserializeOwned>(document: &Document) -> Vec<BadField> {
    let mut search = Search::<T>::new(document);
    let mut outcome = search.read();
    let first = outcome.clone();
    while let Err(fault) = outcome {
        if !search.mend(&fault) && !search.grow_around(&fault) {
            break;
        }
        outcome = search.read();
    }
    // Where the search was in vain, or ended early, there is a fault nevertheless.
    if let (true, Err(fault)) = (search.bad.is_empty(), first) {
        search.name(&fault.place, &fault);
    }
    search.bad.into_iter().map(|(place, fault)| field(&place, fault)).collect()
}

fn field(place: &[String], fault: Fault) -> BadField {
    BadField { path: place.join("."), code: fault.code(), message: fault.message }
}

pub(super) struct Search<'a, T> {
    document: &'a Document,
    pub(super) draft: Draft<'a>,
    /// The bad fields that were found.
    pub(super) bad: Vec<(Vec<String>, Fault)>,
    /// How often the draft may still be read. Once it may not, it is taken to fit, so that the search ends.
    readings: usize,
    /// The places that were grown: to grow one again would find nothing else.
    grown: Vec<Vec<String>>,
    target: PhantomData<fn() -> T>,
}

impl<'a, T: DeserializeOwned> Search<'a, T> {
    fn new(document: &'a Document) -> Self {
        let readings = (VALUES_MAX / count(document)).clamp(READINGS_MIN, READINGS_MAX);
        let draft = Draft::Whole(Node::Document(document));
        Self { document, draft, bad: Vec::new(), readings, grown: Vec::new(), target: PhantomData }
    }

    /// Reads the draft.
    pub(super) fn read(&mut self) -> Result<(), Fault> {
        let Some(readings) = self.readings.checked_sub(1) else { return Ok(()) };
        self.readings = readings;
        T::deserialize(Reader::new(self.draft.node())).map(drop).map_err(Fault::turned)
    }

    /// Notes a bad field, and ends the search where that is enough.
    pub(super) fn name(&mut self, place: &[String], fault: &Fault) {
        if self.bad.len() < FIELDS_MAX {
            self.bad.push((place.to_vec(), fault.clone()));
        } else {
            self.readings = 0;
        }
    }

    /// Mends what a fault says by itself; returns whether there is something else to read now.
    fn mend(&mut self, fault: &Fault) -> bool {
        let Some(positions) = self.draft.locate(&fault.place) else { return false };
        let draft = self.draft.at(&positions);
        let mut place = fault.place.clone();
        match &fault.kind {
            _ if fault.tag => return false,
            Kind::Missing(name) => match draft.fields() {
                Some(fields) if fields.iter().all(|(other, _)| other != name) => {
                    fields.push((name, Draft::Whole(Node::Empty(0))));
                    place.push((*name).to_owned());
                }
                _ => return false,
            },
            Kind::Unknown(name) if draft.leave_out(name) => place.push(name.clone()),
            Kind::Duplicate(name) if draft.leave_out(name) => place.push((*name).to_owned()),
            _ => match draft {
                Draft::Whole(Node::Empty(text)) => {
                    let more = *text + 1 < STAND_IN_TEXTS.len();
                    *text += usize::from(more);
                    return more;
                }
                Draft::Whole(Node::Value(value)) if !matches!(value, Value::Document(_) | Value::Array(_)) => {
                    *draft = Draft::Whole(Node::Empty(0));
                }
                _ => return false,
            },
        }
        // What was named already and is there again is not where the fault seems to be.
        let is_new = self.bad.iter().all(|(other, _)| *other != place);
        if is_new {
            self.name(&place, fault);
        }
        is_new
    }

    /// Mends what is around a fault by growing it, and where that does not help, what is around that.
    fn grow_around(&mut self, fault: &Fault) -> bool {
        let mut place = fault.place.clone();
        loop {
            let own = Node::Document(self.document).find(&place);
            let own = own.filter(|own| own.fields().is_some() || own.items().is_some());
            if let (Some(own), false) = (own, self.grown.contains(&place)) {
                self.grown.push(place.clone());
                if self.grow(&place, own) {
                    return true;
                }
            }
            if place.pop().is_none() {
                return false;
            }
        }
    }
}

fn count(document: &Document) -> usize {
    1 + document.iter().map(|(_, value)| count_value(value)).sum::<usize>()
}

fn count_value(value: &Value) -> usize {
    match value {
        Value::Document(document) => count(document),
        Value::Array(items) => 1 + items.iter().map(count_value).sum::<usize>(),
        _ => 1,
    }
}

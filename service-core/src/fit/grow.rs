//! Finds what is bad in an object that serde buffers, by growing it.
//!
//! Of a buffered object serde says what is wrong, but not where. The object is therefore grown from nothing: empty at
//! first, it gets each field that serde says is missing, then what else the document has, by halves. After each step
//! the draft is read, and what has become wrong is due to what was added. A field that is bad is grown in the same way
//! where it is an object or a list, and otherwise named and replaced by a stand-in; a buffer holds real values, so the
//! usual ones are tried.
//!
//! While the object is incomplete, reading does not succeed even if the new field is good, and what a nested object
//! lacks looks like what the outer one lacks. So the field that is being settled is put last and read **twice**: if
//! its value fits, serde comes to the second one and says that the field is a duplicate, and anything else that it
//! says is about that value alone. Only types that do not mind duplicates, as maps, answer as if it was there once.

use serde::de::DeserializeOwned;

use super::draft::{Draft, Node};
use super::fault::{Fault, Kind};
use super::search::Search;
use super::stand_in::{SCALARS, STAND_IN_TEXTS};
use crate::Value;

/// How many stand-ins are nested in each other at most: types may be endless.
const NESTED_MAX: usize = 6;

/// How many variants of an enum are tried, and how many items of a tuple are made up.
const TRIED_MAX: usize = 8;

/// What a tag may be instead of a name.
static POSITION: Value = Value::Int(0);

impl<'a, T: DeserializeOwned> Search<'a, T> {
    /// Puts at a place what fits there, as near to the document's own value as can be, and names what does not fit.
    /// Returns whether anything fits.
    pub(super) fn grow(&mut self, place: &[String], own: Node<'a>) -> bool {
        let Some(positions) = self.draft.locate(place) else { return false };
        // They are found again, together with the others.
        self.bad.retain(|(other, _)| !other.starts_with(place));
        let path = place.to_vec();
        Growth { search: self, root: place, path, positions, quiet: 0, tuples: 0 }.settle(own)
    }
}

/// A field of an object, as the document has it.
type Field<'a> = (&'a str, &'a Value);

struct Growth<'s, 'a, T> {
    search: &'s mut Search<'a, T>,
    /// The place that is grown. Serde knows the way to it: a fault anywhere else means that what is there fits.
    root: &'s [String],
    /// The names and the positions that lead to the hole, the part of the draft that is being settled.
    path: Vec<String>,
    positions: Vec<usize>,
    /// How many stand-ins the hole is in. What is wrong with a stand-in is no fault of the document.
    quiet: usize,
    /// How many tuples are growing around the hole: they are too short, and it is no fault of what is in them.
    tuples: usize,
}

impl<'a, T: DeserializeOwned> Growth<'_, 'a, T> {
    fn hole(&mut self) -> &mut Draft<'a> {
        self.search.draft.at(&self.positions)
    }

    /// Reads the draft; what it says is about the hole.
    fn answer(&mut self) -> Result<(), Fault> {
        let Err(fault) = self.search.read() else { return Ok(()) };
        let past = match fault.kind {
            Kind::Duplicate(_) => true,
            Kind::Length => self.tuples > 0,
            _ => false,
        };
        if past || !fault.place.starts_with(self.root) { Ok(()) } else { Err(fault) }
    }

    fn ask(&mut self, draft: Draft<'a>) -> Result<(), Fault> {
        *self.hole() = draft;
        self.answer()
    }

    fn name(&mut self, fault: &Fault) {
        if self.quiet == 0 {
            self.search.name(&self.path, fault);
        }
    }

    /// Adds a part to the object or list in the hole, and makes that part the hole.
    fn enter(&mut self, name: &'a str, shown: String) {
        let position = self.hole().push(name, Draft::Whole(Node::Empty(0)));
        self.positions.push(position);
        self.path.push(shown);
    }

    fn enter_field(&mut self, name: &'a str) {
        self.hole().read_last_twice(true);
        self.enter(name, name.to_owned());
    }

    fn enter_item(&mut self, position: usize) {
        self.enter("", position.to_string());
    }

    /// Makes the hole an enum's variant with content, and the content the hole.
    fn enter_variant(&mut self, name: &'a str) {
        // Read twice, it would be two variants.
        *self.hole() = Draft::object(Vec::new());
        self.enter(name, name.to_owned());
    }

    /// Goes back to what the hole is in, and keeps what was put there where it fits.
    fn leave(&mut self, fits: bool) -> bool {
        self.path.pop();
        let position = self.positions.pop();
        let outer = self.hole();
        outer.read_last_twice(false);
        if let (false, Some(position)) = (fits, position) {
            outer.truncate(position);
        }
        fits
    }

    /// Puts into the hole what fits there, as near to the own value as can be, and names what does not fit. Returns
    /// whether anything fits.
    fn settle(&mut self, own: Node<'a>) -> bool {
        let Err(fault) = self.ask(Draft::Whole(own)) else { return true };
        let named = self.search.bad.len();
        let fits = if let Some(fields) = own.fields() {
            self.grow_object(&fields.collect::<Vec<_>>())
        } else if let Some(items) = own.items() {
            self.grow_list(items)
        } else if let Kind::Missing(_) | Kind::Length = fault.kind {
            // A scalar lacks nothing: reading has come further, to something around it.
            return true;
        } else {
            false
        };
        // What an object was said to lack, and then did not, was missing around it.
        let elsewhere = fits && matches!(fault.kind, Kind::Missing(_));
        if self.search.bad.len() == named && !elsewhere {
            self.name(&fault);
        }
        // Nothing stands in for a field that must not be there.
        let unwanted = matches!(&fault.kind, Kind::Unknown(name) if self.path.last() == Some(name));
        fits || !unwanted && self.stand_in()
    }

    /// Grows the object in the hole; returns whether it fits in the end.
    fn grow_object(&mut self, own: &[Field<'a>]) -> bool {
        let mut answer = self.ask(Draft::object(Vec::new()));
        match &answer {
            Err(Fault { kind: Kind::Type, .. }) => return false,
            // An enum wants an object, though not an empty one.
            Err(Fault { kind: Kind::Value, .. }) => return self.grow_variant(own),
            _ => {}
        }
        let mut left = own.to_vec();
        let mut asked_for = Vec::new();
        let mut elsewhere = false;
        loop {
            let missing = match &answer {
                Err(Fault { kind: Kind::Missing(name), .. }) if !asked_for.contains(name) => Some(*name),
                _ => None,
            };
            let present = missing.and_then(|name| left.iter().position(|(other, _)| *other == name));
            if let (Some(name), Some(position)) = (missing, present) {
                let field = left.remove(position);
                asked_for.push(name);
                if !self.settle_needed(name, Some(field.1), &left, &answer) {
                    elsewhere = true;
                    left.push(field);
                }
            } else {
                // What is missing may be among the others, under another name.
                let others = left.len();
                left = self.absorb(&left, &answer);
                if left.len() == others {
                    let Some(name) = missing else { return elsewhere || answer.is_ok() };
                    asked_for.push(name);
                    elsewhere |= !self.settle_needed(name, None, &left, &answer);
                }
            }
            answer = self.answer();
        }
    }

    /// Settles a field that the object in the hole was said to lack; returns `false` where another one lacks it.
    fn settle_needed(
        &mut self,
        name: &'static str,
        own: Option<&'a Value>,
        left: &[Field<'a>],
        lacking: &Result<(), Fault>,
    ) -> bool {
        self.enter_field(name);
        let empty = Node::Empty(0);
        let mut answer = self.ask(Draft::Whole(own.map_or(empty, Node::Value)));
        // It may be the own value that lacks a field of this name.
        if answer == *lacking && (own.is_none() || self.ask(Draft::Whole(empty)) == answer) {
            self.leave(false);
            return false;
        }
        if own.is_none() {
            answer.clone_from(lacking);
        }
        let fits = match (answer, own) {
            (Ok(()), _) => true,
            // A stand-in may have any tag. One of the document's is left out, so that what depends on it is not read.
            (Err(fault), _) if self.quiet == 0 && self.is_tag(left) => {
                self.name(&fault);
                false
            }
            (Err(_), Some(own)) => self.settle(Node::Value(own)),
            (Err(fault), None) => {
                self.name(&fault);
                self.stand_in()
            }
        };
        self.leave(fits);
        true
    }

    /// Returns whether the hole is a tag: a name that says what the other fields mean.
    fn is_tag(&mut self, left: &[Field<'a>]) -> bool {
        let variants = match self.ask(Draft::Whole(Node::Text(""))) {
            Err(Fault { tag: true, .. }) => return true,
            Err(Fault { kind: Kind::Variant(variants), .. }) => variants,
            _ => return false,
        };
        // A tag beside its fields is read as an identifier, which may be a position as well; an enum must have a name.
        if self.ask(Draft::Whole(Node::Value(&POSITION))).is_ok() {
            return true;
        }
        // Of a tag beside its content every name is good by itself, and what it is decides whether the content is.
        let mut answers = Vec::new();
        for variant in variants.iter().take(TRIED_MAX) {
            if self.ask(Draft::Whole(Node::Text(variant))).is_err() {
                return false;
            }
            answers.push(self.answer_beside(left));
        }
        answers.iter().any(|answer| Some(answer) != answers.first())
    }

    /// Reads the draft with fields beside the hole.
    fn answer_beside(&mut self, left: &[Field<'a>]) -> Result<(), Fault> {
        let Some(position) = self.positions.pop() else { return Ok(()) };
        self.hole().read_last_twice(false);
        self.add(left);
        let answer = self.answer();
        self.hole().truncate(position + 1);
        self.hole().read_last_twice(true);
        self.positions.push(position);
        answer
    }

    fn add(&mut self, fields: &[Field<'a>]) {
        let object = self.hole();
        for (name, value) in fields {
            object.push(name, Draft::from(*value));
        }
    }

    /// Adds fields that serde did not ask for to the object in the hole, and settles those that change the answer to
    /// anything but success. Returns those that change nothing.
    fn absorb(&mut self, fields: &[Field<'a>], before: &Result<(), Fault>) -> Vec<Field<'a>> {
        if fields.is_empty() {
            return Vec::new();
        }
        let kept = self.hole().len();
        self.add(fields);
        let answer = self.answer();
        if answer.is_ok() {
            return Vec::new();
        }
        self.hole().truncate(kept);
        if answer == *before {
            return fields.to_vec();
        }
        if let [(name, value)] = fields {
            self.enter_field(name);
            let fits = self.settle(Node::Value(value));
            self.leave(fits);
            return Vec::new();
        }
        let (first, second) = fields.split_at(fields.len() / 2);
        let mut left = self.absorb(first, before);
        let before = self.answer();
        left.extend(self.absorb(second, &before));
        left
    }

    /// Settles the content of an enum's variant that is written as an object with one field.
    fn grow_variant(&mut self, own: &[Field<'a>]) -> bool {
        let [(name, value)] = own else { return false };
        if let Err(Fault { kind: Kind::Variant(_), .. }) = self.ask(Draft::object(vec![(name, Draft::from(*value))])) {
            return false;
        }
        self.enter_variant(name);
        let fits = self.settle(Node::Value(value));
        self.leave(fits)
    }

    /// Grows the list in the hole; returns whether it fits in the end.
    ///
    /// A tuple that is nested in another, and has not as many items as it should, is not told from the outer one.
    fn grow_list(&mut self, own: &'a [Value]) -> bool {
        let is_tuple = match self.ask(Draft::List(Vec::new())) {
            Ok(()) => false,
            Err(Fault { kind: Kind::Length, .. }) => true,
            Err(_) => return false,
        };
        self.tuples += usize::from(is_tuple);
        self.absorb_items(own, 0);
        self.tuples -= usize::from(is_tuple);
        for position in 0..=TRIED_MAX {
            match self.answer() {
                // A stand-in for a tuple needs items that stand in, too.
                Err(Fault { kind: Kind::Length, .. }) if own.is_empty() && self.quiet > 0 => {}
                answer => return answer.is_ok(),
            }
            self.tuples += 1;
            self.enter_item(position);
            let fits = self.stand_in();
            self.leave(fits);
            self.tuples -= 1;
        }
        false
    }

    /// Adds items to the list in the hole, and settles the bad ones. `start` is the position of the first.
    fn absorb_items(&mut self, items: &'a [Value], start: usize) {
        if items.is_empty() {
            return;
        }
        let kept = self.hole().len();
        for item in items {
            self.hole().push("", Draft::from(item));
        }
        if self.answer().is_ok() {
            return;
        }
        self.hole().truncate(kept);
        if let [item] = items {
            self.enter_item(start);
            let fits = self.settle(Node::Value(item));
            self.leave(fits);
        } else {
            let (first, second) = items.split_at(items.len() / 2);
            self.absorb_items(first, start);
            self.absorb_items(second, start + first.len());
        }
    }

    /// Puts into the hole any value that fits there.
    fn stand_in(&mut self) -> bool {
        if self.quiet == NESTED_MAX {
            return false;
        }
        self.quiet += 1;
        let fits = self.make_up();
        self.quiet -= 1;
        fits
    }

    /// Tries the usual values, then those that have parts, whose parts are made up in turn.
    fn make_up(&mut self) -> bool {
        let mut variants: &[&'static str] = &[];
        let scalars = SCALARS.iter().map(Node::Value);
        let texts = STAND_IN_TEXTS.into_iter().map(Node::Text);
        for node in [Node::Empty(0)].into_iter().chain(scalars).chain(texts) {
            match self.ask(Draft::Whole(node)) {
                Ok(()) => return true,
                Err(Fault { kind: Kind::Variant(names), .. }) => variants = names,
                Err(_) => {}
            }
        }
        let variants = || variants.iter().take(TRIED_MAX);
        variants().any(|name| self.ask(Draft::Whole(Node::Text(name))).is_ok())
            || self.grow_list(&[])
            || self.grow_object(&[])
            || variants().any(|name| {
                self.enter_variant(name);
                let fits = self.stand_in();
                self.leave(fits)
            })
    }
}

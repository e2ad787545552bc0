//! [`Shape`]: the names of a record's fields, shared by all records that have the same ones.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock, Weak};

use parking_lot::RwLock;

use crate::Text;

/// The names of a record's fields in their order.
///
/// Records with the same names share one shape, but for those past some thousand shapes, which have their own.
#[derive(Debug, Default)]
pub struct Shape {
    names: Box<[Text]>,
    /// Positions by name, made at the first look-up in a shape that is too wide to walk.
    positions: OnceLock<HashMap<Text, usize>>,
    /// The names as they are written in JSON, made when they are written first.
    keys: OnceLock<Box<[Box<str>]>>,
}

/// Up to this many names, walking them is faster than hashing the one that is looked for.
const WALKED: usize = 16;

/// How many shapes are shared at most. Names come from clients, so the table must have an end;
/// a record past it has a shape of its own and costs more memory, nothing else.
const SHARED_MAX: usize = 4096;

/// Once the table is full, it is looked through for shapes that nobody has any more at every so many misses only.
const SWEEP: usize = 1024;

struct Shared {
    hasher: RandomState,
    shapes: RwLock<HashMap<u64, Weak<Shape>>>,
    full: AtomicBool,
    misses: AtomicUsize,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| Shared {
    hasher: RandomState::new(),
    shapes: RwLock::new(HashMap::new()),
    full: AtomicBool::new(false),
    misses: AtomicUsize::new(0),
});

static EMPTY: LazyLock<Arc<Shape>> = LazyLock::new(Arc::default);

impl Shape {
    pub(crate) fn empty() -> Arc<Self> {
        EMPTY.clone()
    }

    /// Returns the shape of these names, the shared one if there is one or may be.
    ///
    /// The names must differ from one another; the caller sees to that.
    pub(crate) fn of<'a, I>(names: I) -> Arc<Self>
    where
        I: ExactSizeIterator<Item = &'a str> + Clone,
    {
        if names.len() == 0 {
            return Self::empty();
        }
        let mut hasher = SHARED.hasher.build_hasher();
        for name in names.clone() {
            hasher.write(name.as_bytes());
            hasher.write_u8(0xff);
        }
        let hash = hasher.finish();
        let same = |shape: &Self| shape.names.iter().map(Text::as_str).eq(names.clone());

        if let Some(shape) = SHARED.shapes.read().get(&hash).and_then(Weak::upgrade) {
            if same(&shape) {
                return shape;
            }
            // Two lists of names with one hash: the second stays unshared.
            return Arc::new(Self::new(names));
        }
        if SHARED.full.load(Ordering::Relaxed) && !SHARED.misses.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP) {
            return Arc::new(Self::new(names));
        }
        let mut shapes = SHARED.shapes.write();
        if shapes.len() >= SHARED_MAX {
            shapes.retain(|_, shape| shape.strong_count() > 0);
            SHARED.full.store(shapes.len() >= SHARED_MAX, Ordering::Relaxed);
        }
        if let Some(shape) = shapes.get(&hash).and_then(Weak::upgrade).filter(|shape| same(shape)) {
            return shape;
        }
        let shape = Arc::new(Self::new(names));
        if shapes.len() < SHARED_MAX {
            shapes.insert(hash, Arc::downgrade(&shape));
        }
        shape
    }

    fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self { names: names.map(Text::from).collect(), ..Self::default() }
    }

    /// Returns the names, which differ from one another.
    #[must_use]
    pub fn names(&self) -> &[Text] {
        &self.names
    }

    /// Returns the names as keys of a JSON object, each with its quotes and colon.
    #[must_use]
    pub fn json_keys(&self) -> &[Box<str>] {
        let key = |name: &Text| format!("{}:", crate::Value::from(name.clone())).into_boxed_str();
        self.keys.get_or_init(|| self.names.iter().map(key).collect())
    }

    /// Returns which of the names one is.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        if self.names.len() <= WALKED {
            return self.names.iter().position(|other| other.as_str() == name);
        }
        let positions = self
            .positions
            .get_or_init(|| self.names.iter().enumerate().map(|(position, name)| (name.clone(), position)).collect());
        positions.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_shape() {
        let one = Shape::of(["id", "title"].into_iter());
        let other = Shape::of(["id", "title"].into_iter());
        assert!(Arc::ptr_eq(&one, &other));
        assert!(!Arc::ptr_eq(&one, &Shape::of(["title", "id"].into_iter())));
        // Where one name ends and the next begins is part of the shape.
        assert!(!Arc::ptr_eq(&one, &Shape::of(["idt", "itle"].into_iter())));
    }

    #[test]
    fn wide_shapes_find_their_names() {
        let names: Vec<String> = (0..100).map(|n| format!("field{n}")).collect();
        let shape = Shape::of(names.iter().map(String::as_str));
        for (position, name) in names.iter().enumerate() {
            assert_eq!(shape.position(name), Some(position));
        }
        assert_eq!(shape.position("other"), None);
    }
}

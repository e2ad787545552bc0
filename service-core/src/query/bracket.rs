//! The query string in brackets, `a[b][$in][]=x`, as Node's `qs` and the clients of Feathers write it: from text to
//! pairs, and from pairs to a [`Tree`]; and the [`Node`], by which a tree and JSON are read alike.
//!
//! Where `qs` guesses or drops, this refuses: an index past the bound is not the name of a field, a plain value beside
//! nested ones is not a list, and a bracket without its partner is not part of a name.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::syntax::refuse;
use super::{Coerce, QueryBounds, QuerySyntax};
use crate::error::shown;
use crate::field::{literal_error, read_number};
use crate::{Error, FieldType, Path, Result, Value};

/// A name and a value, decoded.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Splits a query string into its pairs and decodes them, without the parameters that are somebody else's.
pub(super) fn pairs<'a>(text: &'a str, syntax: &QuerySyntax) -> Result<Vec<Pair<'a>>> {
    let mut pairs = Vec::new();
    let mut count = 0;
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        count += 1;
        if count > syntax.bounds.pairs_max {
            return Err(Error::bad_request(format!("the query has more than {} parameters", syntax.bounds.pairs_max)));
        }
        let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(raw_name).map_err(|fault| refuse(raw_name, "malformed", fault))?;
        let root = name.split('[').next().unwrap_or_default();
        if syntax.ignored.iter().any(|ignored| ignored == root) {
            continue;
        }
        let value = decode(raw_value).map_err(|fault| refuse(&name, "malformed", fault))?;
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// Decodes `+` and percent escapes, or says what is wrong.
fn decode(raw: &str) -> Result<Cow<'_, str>, &'static str> {
    const NUL: &str = "holds a NUL character";
    const ESCAPE: &str = "holds a `%` without two hexadecimal digits behind it";
    if !raw.bytes().any(|byte| matches!(byte, b'%' | b'+' | 0)) {
        return Ok(Cow::Borrowed(raw));
    }
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).ok_or(ESCAPE);
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).map_err(|_| ESCAPE)?
            }
            plain => plain,
        };
        if byte == 0 {
            return Err(NUL);
        }
        decoded.push(byte);
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| "is not UTF-8")
}

/// What a query string says under one name.
#[derive(Debug, Default)]
pub(super) enum Tree<'a> {
    /// Nothing yet; no tree that has been read holds this.
    #[default]
    Empty,
    /// `a=1`
    Plain(&'a str),
    /// `a=1&a=2`, `a[]=1`, `a[0]=1`
    List(List<'a>),
    /// `a[b]=1`
    Named(Named<'a>),
}

/// The entries of a list, in the order of their numbers.
#[derive(Debug)]
pub(super) struct List<'a> {
    /// Whether the numbers were written: a list of which only some entries have one has no order.
    numbered: bool,
    entries: BTreeMap<usize, Tree<'a>>,
}

/// What is under names, in the order in which they first came.
#[derive(Debug, Default)]
pub(super) struct Named<'a> {
    children: Vec<(&'a str, Tree<'a>)>,
    /// Where each name is, once there are too many to walk.
    #[allow(clippy::box_collection, reason = "few trees have one, and all are moved")]
    positions: Option<Box<HashMap<&'a str, usize>>>,
}

/// Up to this many names, walking them is faster than hashing.
const NAMES_WALKED: usize = 16;

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Tree<'a>> {
        self.entries.values()
    }
}

impl<'a> Named<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &Tree<'a>)> {
        self.children.iter().map(|(name, tree)| (*name, tree))
    }

    fn child(&mut self, name: &'a str) -> &mut Tree<'a> {
        let found = match &self.positions {
            Some(positions) => positions.get(name).copied(),
            None => self.children.iter().position(|(other, _)| *other == name),
        };
        let position = found.unwrap_or_else(|| self.add(name));
        &mut self.children[position].1
    }

    fn add(&mut self, name: &'a str) -> usize {
        let position = self.children.len();
        self.children.push((name, Tree::Empty));
        match &mut self.positions {
            Some(positions) => {
                positions.insert(name, position);
            }
            None if position >= NAMES_WALKED => {
                let names = self.children.iter().enumerate().map(|(position, (name, _))| (*name, position));
                self.positions = Some(Box::new(names.collect()));
            }
            None => {}
        }
        position
    }
}

impl<'a> Tree<'a> {
    /// Reads pairs into one tree, under the names before the first bracket.
    pub(super) fn read(pairs: &'a [Pair<'_>], bounds: &QueryBounds) -> Result<Self> {
        let mut root = Named::default();
        for (name, value) in pairs {
            let place = Place { key: name, bounds };
            place.fill(&mut root, value)?;
        }
        Ok(Self::Named(root))
    }
}

/// Where a pair goes: its whole name, which errors give.
struct Place<'a, 'b> {
    key: &'a str,
    bounds: &'b QueryBounds,
}

impl<'a> Place<'a, '_> {
    fn fill(&self, root: &mut Named<'a>, value: &'a str) -> Result<()> {
        let (name, mut rest) = self.key.split_at(self.key.find('[').unwrap_or(self.key.len()));
        if name.is_empty() || name.contains(']') {
            return Err(self.malformed());
        }
        let mut tree = root.child(name);
        let mut depth = 0;
        while !rest.is_empty() {
            let (segment, behind) =
                rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or_else(|| self.malformed())?;
            if segment.contains('[') {
                return Err(self.malformed());
            }
            depth += 1;
            if depth > self.bounds.depth_max {
                let max = self.bounds.depth_max;
                return Err(refuse(self.key, "bound", format_args!("nests deeper than {max} levels of brackets")));
            }
            tree = self.enter(tree, segment)?;
            rest = behind;
        }
        self.put(tree, value)
    }

    /// Goes one bracket deeper.
    fn enter<'t>(&self, tree: &'t mut Tree<'a>, segment: &'a str) -> Result<&'t mut Tree<'a>> {
        if segment.is_empty() {
            return self.push(tree);
        }
        if segment.bytes().all(|byte| byte.is_ascii_digit()) {
            let max = self.bounds.list_max;
            let position = segment.parse().ok().filter(|position| *position < max);
            let position = position.ok_or_else(|| self.too_long())?;
            if let Tree::Empty = tree {
                *tree = Tree::List(List { numbered: true, entries: BTreeMap::new() });
            }
            return match tree {
                Tree::List(list) if list.numbered => Ok(list.entries.entry(position).or_default()),
                _ => Err(self.mixed()),
            };
        }
        if let Tree::Empty = tree {
            *tree = Tree::Named(Named::default());
        }
        match tree {
            Tree::Named(named) => Ok(named.child(segment)),
            _ => Err(self.mixed()),
        }
    }

    /// Adds an entry to the end of a list without numbers; a plain value that was there becomes its first.
    fn push<'t>(&self, tree: &'t mut Tree<'a>) -> Result<&'t mut Tree<'a>> {
        if let Tree::Empty | Tree::Plain(_) = tree {
            let entries = match std::mem::take(tree) {
                Tree::Empty => BTreeMap::new(),
                first => BTreeMap::from([(0, first)]),
            };
            *tree = Tree::List(List { numbered: false, entries });
        }
        match tree {
            Tree::List(list) if !list.numbered => {
                let position = list.entries.len();
                if position >= self.bounds.list_max {
                    return Err(self.too_long());
                }
                Ok(list.entries.entry(position).or_default())
            }
            _ => Err(self.mixed()),
        }
    }

    /// Sets the value; a second one for the same name makes a list of both.
    fn put(&self, tree: &mut Tree<'a>, value: &'a str) -> Result<()> {
        match tree {
            Tree::Empty => *tree = Tree::Plain(value),
            tree => *self.push(tree)? = Tree::Plain(value),
        }
        Ok(())
    }

    fn malformed(&self) -> Error {
        refuse(self.key, "malformed", "is not a name with brackets behind it")
    }

    fn mixed(&self) -> Error {
        refuse(self.key, "mixed", "stands beside another of the same name that is of another form")
    }

    fn too_long(&self) -> Error {
        let max = self.bounds.list_max;
        refuse(self.key, "bound", format_args!("makes a list of more than {max} entries"))
    }
}

/// One place of a query, in either of its forms.
#[derive(Clone, Copy)]
pub(super) enum Node<'q> {
    /// In brackets, where every value is a bare literal.
    Tree(&'q Tree<'q>),
    /// In JSON, where every value has its type.
    Json(&'q Value),
}

impl<'q> Node<'q> {
    /// Lists what is under names, if this is an object.
    pub(super) fn members(self) -> Option<impl Iterator<Item = (&'q str, Self)>> {
        let (named, document) = match self {
            Self::Tree(Tree::Named(named)) => (Some(named), None),
            Self::Json(Value::Document(document)) => (None, Some(document)),
            _ => return None,
        };
        let named = named.into_iter().flat_map(|named| named.iter().map(|(name, tree)| (name, Self::Tree(tree))));
        let document =
            document.into_iter().flat_map(|document| document.iter().map(|(name, value)| (name, Self::Json(value))));
        Some(named.chain(document))
    }

    /// Counts and lists the elements, if this is a list.
    pub(super) fn elements(self) -> Option<(usize, impl Iterator<Item = Self>)> {
        let (list, values) = match self {
            Self::Tree(Tree::List(list)) => (Some(list), None),
            Self::Json(Value::Array(values)) => (None, Some(values)),
            _ => return None,
        };
        let count = list.map_or(0, List::len) + values.map_or(0, |values| values.len());
        let list = list.into_iter().flat_map(|list| list.iter().map(Self::Tree));
        let values = values.into_iter().flat_map(|values| values.iter().map(Self::Json));
        Some((count, list.chain(values)))
    }

    /// Returns the text, if this is one.
    pub(super) fn text(self) -> Option<&'q str> {
        match self {
            Self::Tree(Tree::Plain(text)) => Some(text),
            Self::Json(value) => value.as_str(),
            Self::Tree(_) => None,
        }
    }

    /// Returns what is here as a value, in which every literal is a text.
    pub(super) fn to_value(self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Tree(Tree::Empty) => Value::Null,
            Self::Tree(Tree::Plain(text)) => (*text).into(),
            Self::Tree(Tree::List(list)) => Value::Array(list.iter().map(|tree| Self::Tree(tree).to_value()).collect()),
            Self::Tree(Tree::Named(named)) => {
                Value::Document(named.iter().map(|(name, tree)| (name, Self::Tree(tree).to_value())).collect())
            }
        }
    }
}

/// Names what was found instead of what is taken.
impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(Tree::Plain(text)) => write!(f, "`{}`", shown(text)),
            Self::Json(Value::Text(text)) => write!(f, "`{}`", shown(text)),
            Self::Json(value @ (Value::Null | Value::Document(_) | Value::Array(_))) => f.write_str(value.type_name()),
            Self::Json(value) => write!(f, "`{value}`"),
            Self::Tree(Tree::List(_)) => f.write_str("a list"),
            Self::Tree(Tree::Named(_) | Tree::Empty) => f.write_str("an object"),
        }
    }
}

/// What an operator is given: one value, or, where nobody knows the type of a bare literal, either of two.
pub(super) enum Operand {
    One(Value),
    Either(Value, Value),
}

/// Gives a bare literal the type of its field; where that is not known, it is the text and also the number or the boolean
/// that is written so.
pub(super) fn literal(path: &Path, literal: &str, syntax: &QuerySyntax) -> Result<Operand> {
    if syntax.coerce == Coerce::Off {
        return Ok(Operand::One(literal.into()));
    }
    if let Some(kind) = known(path, syntax) {
        return match kind.read(literal) {
            Some(value) => Ok(Operand::One(value)),
            None => Err(literal_error(path.as_str(), kind, literal)),
        };
    }
    let other = match literal {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => read_number(literal),
    };
    Ok(match other {
        Some(other) => Operand::Either(literal.into(), other),
        None => Operand::One(literal.into()),
    })
}

/// Returns whether a bare literal may mean two values.
pub(super) fn is_any(path: &Path, syntax: &QuerySyntax) -> bool {
    syntax.coerce == Coerce::On && known(path, syntax).is_none()
}

/// Finds the type of a field. One that holds any JSON says nothing of its literals, and a name that is not among the
/// fields is for a later stage to refuse.
fn known(path: &Path, syntax: &QuerySyntax) -> Option<FieldType> {
    let kind = syntax.fields.as_ref()?.find_path(path)?.kind;
    (kind != FieldType::Json).then_some(kind)
}

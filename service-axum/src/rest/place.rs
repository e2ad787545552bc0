//! Where a path leads: to a service, and there to its records, one of them, or their count.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use remex_core::{App, Description, DynService, Error, Id, Mount, Result, RouteValues, Text};

/// A service with the name that logs and tables of layers know it by.
#[derive(Clone, Debug)]
pub(crate) enum Host {
    /// One of the services of an app.
    Mount(Arc<Mount>),
    /// A service on its own, under whatever path the router is nested.
    Single(Arc<Single>),
}

/// A service on its own.
pub(crate) struct Single {
    pub(crate) service: Arc<DynService>,
    pub(crate) description: Arc<Description>,
}

impl std::fmt::Debug for Single {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Single").field("name", &self.description.name()).finish_non_exhaustive()
    }
}

impl Host {
    pub(crate) fn service(&self) -> &Arc<DynService> {
        match self {
            Self::Mount(mount) => mount.service(),
            Self::Single(single) => &single.service,
        }
    }

    pub(crate) fn description(&self) -> &Arc<Description> {
        match self {
            Self::Mount(mount) => mount.description(),
            Self::Single(single) => &single.description,
        }
    }

    /// Names the service for logs: its path in the app, or its own name.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Mount(mount) => mount.path(),
            Self::Single(single) => single.description.name(),
        }
    }
}

/// What of a service a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `/`
    Collection,
    /// `/{id}`
    Record(Id),
}

/// Where a path leads.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) host: Host,
    pub(crate) place: Place,
    /// The values of parameters in the path of the mount.
    pub(crate) route: RouteValues,
}

/// Where services are looked up.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// All services of an app, those mounted later among them.
    App(App),
    /// One service.
    Single(Arc<Single>),
}

impl Source {
    /// Finds where the path of a request leads.
    pub(crate) fn locate(&self, path: &str) -> Result<Location> {
        let segments = segments(path)?;
        match self {
            Self::App(app) => {
                // A mount goes before a record of a shorter mount.
                if let Some(found) = app.find(&segments) {
                    return Ok(Location {
                        host: Host::Mount(found.mount),
                        place: Place::Collection,
                        route: found.route,
                    });
                }
                let [collection @ .., id] = segments.as_slice() else { return Err(unknown_path()) };
                let found = app.find(collection).ok_or_else(unknown_path)?;
                Ok(Location { host: Host::Mount(found.mount), place: Place::Record(id_of(id)?), route: found.route })
            }
            Self::Single(single) => {
                let place = match segments.as_slice() {
                    [] => Place::Collection,
                    [id] => Place::Record(id_of(id)?),
                    _ => return Err(unknown_path()),
                };
                Ok(Location { host: Host::Single(single.clone()), place, route: RouteValues::default() })
            }
        }
    }
}

/// The error of a path that leads nowhere.
fn unknown_path() -> Error {
    Error::not_found("there is nothing under this path")
}

/// The error of an id that is empty, which must not be taken for no id at all.
pub(crate) fn empty_id() -> Error {
    Error::bad_request("the id in the path is empty")
}

fn id_of(segment: &Text) -> Result<Id> {
    if segment.is_empty() { Err(empty_id()) } else { Ok(Id::from(segment.as_str())) }
}

/// Splits a path before it is decoded, so that an encoded slash is part of its segment. A slash at the end is left out.
fn segments(path: &str) -> Result<Vec<Text>> {
    let Some(rest) = path.strip_prefix('/') else { return Err(unknown_path()) };
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    rest.strip_suffix('/').unwrap_or(rest).split('/').map(|segment| Ok(Text::from(&*decode(segment)?))).collect()
}

/// Decodes a segment. What is no encoding of UTF-8 is refused rather than guessed at.
fn decode(segment: &str) -> Result<Cow<'_, str>> {
    let bytes = segment.as_bytes();
    if !bytes.contains(&b'%') && segment.is_ascii() {
        return Ok(Cow::Borrowed(segment));
    }
    let malformed = bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'%' && !bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if malformed {
        return Err(Error::bad_request("the path holds a `%` without two hexadecimal digits behind it"));
    }
    percent_decode_str(segment).decode_utf8().map_err(|_| Error::bad_request("the path is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_before_they_are_decoded() {
        let check = |path: &str, expected: &[&str]| {
            let found = segments(path).expect(path);
            assert_eq!(found.iter().map(Text::as_str).collect::<Vec<_>>(), expected, "{path}");
        };
        check("/", &[]);
        check("/todos", &["todos"]);
        check("/todos/", &["todos"]);
        check("/todos/a%2Fb", &["todos", "a/b"]);
        check("/todos/a%252Fb/", &["todos", "a%2Fb"]);
        check("/todos/Zo%C3%AB", &["todos", "Zoë"]);
        check("/todos//", &["todos", ""]);
        check("//", &[""]);
    }

    #[test]
    fn malformed_paths_are_refused() {
        for path in ["/%", "/%4", "/%zz", "/a/%-1", "/%FF", "/%C3", "*", ""] {
            assert!(segments(path).is_err(), "{path}");
        }
    }
}

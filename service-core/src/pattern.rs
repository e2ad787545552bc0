//! [`PathPattern`]: which of an app's services are meant.

use crate::{Error, Result, Text};

/// Which of an app's services are meant: `users`, `admin/*`, `*`.
///
/// A segment that is `*` stands for any one segment and, at the end, for one or more. Parameters in the path of a mount
/// are segments like others, whatever their names: `users/*/notes` and `users/{id}/notes` both mean `users/{user_id}/notes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPattern(Vec<Text>);

impl PathPattern {
    /// Reads a pattern; slashes around it make no difference.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for one that no path can match.
    pub(crate) fn parse(pattern: &str) -> Result<Self> {
        let segments: Vec<Text> = pattern.trim_matches('/').split('/').map(Text::from).collect();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~{}".contains(&byte);
        if segments.iter().all(|segment| *segment == "*" || !segment.is_empty() && segment.bytes().all(fits)) {
            return Ok(Self(segments));
        }
        let shown = crate::error::shown(pattern);
        Err(Error::bad_request(format!(
            "`{shown}` is no pattern of paths: write a path, `*` for any, or `*` in the place of a segment"
        )))
    }

    /// Returns whether the path of a mount is meant.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let mut path = path.split('/');
        let Some((last, rest)) = self.0.split_last() else { return false };
        let parameter = |segment: &str| segment.starts_with('{');
        let meant = |pattern: &Text, segment: Option<&str>| {
            segment.is_some_and(|segment| {
                *pattern == "*" || *pattern == segment || parameter(pattern) && parameter(segment)
            })
        };
        rest.iter().all(|pattern| meant(pattern, path.next()))
            && meant(last, path.next())
            && (*last == "*" || path.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_paths() {
        let meant = |pattern: &str, path: &str| PathPattern::parse(pattern).expect(pattern).matches(path);
        for (pattern, path) in [
            ("users", "users"),
            ("/users/", "users"),
            ("*", "users"),
            ("*", "admin/users/{id}"),
            ("admin/*", "admin/users"),
            ("admin/*", "admin/users/{id}/notes"),
            ("users/*/notes", "users/{id}/notes"),
            ("users/{id}/notes", "users/{id}/notes"),
            ("users/{id}/notes", "users/{user_id}/notes"),
        ] {
            assert!(meant(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("users", "user"),
            ("users", "users/{id}/notes"),
            ("admin/*", "admin"),
            ("admin/*", "administrators/x"),
            ("users/*/notes", "users/{id}/files"),
            ("users/*/notes", "users/{id}/notes/x"),
        ] {
            assert!(!meant(pattern, path), "{pattern} {path}");
        }
        for pattern in ["", "/", "a//b", "us*", "a b", "**"] {
            assert!(PathPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}

//! Which store the blog is kept in.

use remex::{App, Document, Error, MemoryService, Options, Result};

/// Mounts a service over the store that a URL names.
///
/// # Errors
/// [`ErrorKind::Unsupported`](remex::ErrorKind::Unsupported) for a store that this build does not have.
pub(crate) fn mount(app: &App, database: &str, path: &str, options: Options) -> Result<()> {
    match database.split(':').next().unwrap_or_default() {
        "memory" => app.mount(path, MemoryService::<Document>::new(options)?)?,
        scheme => {
            return Err(Error::unsupported(format!(
                "there is no store for `{scheme}:` in this build; set DATABASE_URL to `memory:`, or leave it out"
            )));
        }
    };
    Ok(())
}

//! [`Site`]: where a service is mounted.

use std::sync::{Arc, OnceLock};

use crate::app::WeakApp;
use crate::{App, Description, Service};

/// Where a service is mounted: under which path of which app. Services are told by
/// [`Service::mounted`].
#[derive(Clone, Debug)]
pub struct Site {
    app: WeakApp,
    path: Arc<str>,
}

impl Site {
    pub(crate) const fn new(app: WeakApp, path: Arc<str>) -> Self {
        Self { app, path }
    }

    /// Returns the path of the mount, without slashes around it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn shared_path(&self) -> Arc<str> {
        self.path.clone()
    }

    /// Returns the app, if it is still there. A service does not keep its app alive.
    #[must_use]
    pub fn app(&self) -> Option<App> {
        self.app.upgrade()
    }
}

/// A service with what hooks want to know of it, shared by all its calls.
pub(crate) struct Place<S: ?Sized> {
    pub(crate) service: Arc<S>,
    /// Whether the service begins with hooks of its own.
    pub(crate) around_hooks: bool,
    pub(crate) description: Arc<Description>,
    pub(crate) site: OnceLock<Site>,
}

impl<S: Service + ?Sized> Place<S> {
    pub(crate) fn new(service: Arc<S>, description: Arc<Description>) -> Self {
        Self { around_hooks: service.begins_with_hooks(), service, description, site: OnceLock::new() }
    }

    /// Names the service: by its path or, where it is not mounted, by its name.
    pub(crate) fn path(&self) -> &str {
        self.site.get().map_or_else(|| self.description.name(), Site::path)
    }
}

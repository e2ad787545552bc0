//! [`Site`]: where a service is mounted.

use std::sync::Arc;

use crate::App;
use crate::app::WeakApp;

/// Where a service is mounted: under which path of which app. Services are told by
/// [`Service::mounted`](crate::Service::mounted).
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

//! [`edit_params`]: how layers add to what goes with a call.

use std::sync::Arc;

use http::Extensions;
use remex_core::Params;

/// The edits of a request, in the order in which they were made.
#[derive(Clone, Default)]
struct Edits(Vec<Edit>);

type Edit = Arc<dyn Fn(&mut Params) + Send + Sync>;

/// Changes the params of the call that a request is about to become.
///
/// A layer calls it on the extensions of the request. The edits are applied in the order of calling, after the client's
/// query was parsed and before the service is called, so that a layer can add to the filter, narrow the scope, or replace
/// what the client said.
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
/// use remex_axum::{edit_params, rest};
/// use remex_core::{App, Filter};
///
/// async fn only_mine(mut request: Request, next: Next) -> Response {
///     edit_params(request.extensions_mut(), |params| {
///         params.scope = std::mem::take(&mut params.scope).and(Filter::eq("owner", "alice"));
///     });
///     next.run(request).await
/// }
///
/// let router = rest(&App::new()).layer(from_fn(only_mine));
/// # let _ = router;
/// ```
pub fn edit_params(extensions: &mut Extensions, edit: impl Fn(&mut Params) + Send + Sync + 'static) {
    extensions.get_or_insert_default::<Edits>().0.push(Arc::new(edit));
}

/// Applies what layers had to say.
pub(crate) fn apply_edits(params: &mut Params) {
    if let Some(Edits(edits)) = params.extensions.remove() {
        for edit in edits {
            edit(params);
        }
    }
}

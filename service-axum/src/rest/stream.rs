//! Long lists: written while they are read, without ever holding more than a few parts of them.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{BoxStream, Stream};
use futures::{FutureExt, StreamExt};
use http::StatusCode;
use remex_core::{Description, Document, Error, Intent, Params, Result, write_record};
use tokio::sync::mpsc;

use super::call::{from_panic, too_long};
use super::limits::RestLimits;
use super::place::Host;
use super::respond;
use crate::context::CallContext;

/// A list of no more records than this is answered whole, which costs less.
const WHOLE_MAX: u64 = 1_000;

/// How many bytes go to the client at once.
const PART_BYTES: usize = 32 * 1024;

/// How many parts wait for a client that is slow.
const PARTS_WAITING: usize = 2;

/// A message from the task that reads the records.
enum Part {
    More(Bytes),
    Last(Bytes),
    Failed(Error),
}

/// A list that is to be streamed.
pub(crate) struct Long {
    /// Whether the client asks how many records match.
    pub(crate) total: bool,
}

/// Decides whether a list is to be streamed: the service can, and neither the query nor the service bounds the list.
pub(crate) fn long(description: &Description, params: &Params) -> Option<Long> {
    if !description.streams() {
        return None;
    }
    // A query that is not in order is for the service to refuse.
    let plan = description.plan(Intent::Index, params).ok()?;
    let long = !plan.paginated && plan.limit.is_none_or(|limit| limit > WHOLE_MAX);
    long.then_some(Long { total: plan.total })
}

/// Answers a list part by part.
///
/// The first part is waited for before there is a status, so that an error at the start is answered as one, and a list
/// that fits one part is an answer like any other.
pub(crate) async fn respond(
    host: &Host,
    params: Params,
    context: &CallContext,
    limits: RestLimits,
) -> Result<Response> {
    let (sender, mut receiver) = mpsc::channel(PARTS_WAITING);
    let (host, permit) = (host.clone(), context.permit.clone());
    context.tracker.spawn(async move {
        // The list is in flight until it is read or given up, and not only until there is a status.
        let _permit = permit;
        let work = std::panic::AssertUnwindSafe(send_all(&host, params, &sender, limits.stall_time));
        if let Err(error) = work.catch_unwind().await.unwrap_or_else(|panic| Err(from_panic(&*panic))) {
            super::call::report(&error, host.label(), "index");
            // The client may have gone, which is no harm.
            drop(sender.send_timeout(Part::Failed(error), limits.stall_time).await);
        }
    });
    let first = tokio::time::timeout(limits.call_time, receiver.recv()).await.map_err(|_| too_long())?;
    match first {
        Some(Part::Last(json)) => Ok(respond::json_response(StatusCode::OK, json)),
        Some(Part::More(json)) => Ok(respond::json_stream(Body::from_stream(parts(json, receiver)))),
        Some(Part::Failed(error)) => Err(error),
        None => Err(Error::internal("a list ended before it began")),
    }
}

/// Reads, writes and sends all records, as fast as the client takes them.
async fn send_all(host: &Host, params: Params, sender: &mpsc::Sender<Part>, stall_time: Duration) -> Result<()> {
    let description = host.service().describe();
    let mut records: BoxStream<'_, Result<Document>> = host.service().index_stream(params.clone());
    let mut json = Vec::with_capacity(PART_BYTES);
    json.push(b'[');
    let mut separator = false;
    while let Some(record) = records.next().await {
        if std::mem::replace(&mut separator, true) {
            json.push(b',');
        }
        write_record(&record?, &description, &params, &mut json)?;
        if json.len() >= PART_BYTES {
            let part = std::mem::replace(&mut json, Vec::with_capacity(PART_BYTES));
            if sender.send_timeout(Part::More(part.into()), stall_time).await.is_err() {
                // The client has gone, or might as well have.
                return Ok(());
            }
        }
    }
    json.push(b']');
    drop(sender.send_timeout(Part::Last(json.into()), stall_time).await);
    Ok(())
}

/// The parts as a body. Unless the last part comes, the body ends in an error: a list that was cut short must not look
/// like a whole one.
fn parts(first: Bytes, receiver: mpsc::Receiver<Part>) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    futures::stream::unfold((Some(first), Some(receiver)), |(first, receiver)| async move {
        let mut receiver = receiver?;
        if let Some(first) = first {
            return Some((Ok(first), (None, Some(receiver))));
        }
        match receiver.recv().await {
            Some(Part::More(json)) => Some((Ok(json), (None, Some(receiver)))),
            Some(Part::Last(json)) => Some((Ok(json), (None, None))),
            Some(Part::Failed(_)) | None => Some((Err(std::io::Error::other("the list was cut short")), (None, None))),
        }
    })
}

//! [`Explain`]: a connection on which hyper's own refusals say what is wrong, too.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::{Buf, Bytes};
use http::{Request, StatusCode, Version};
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::rest::{PROBLEM, head_problem};

/// A connection that gives the body of an error to what hyper refuses by itself.
///
/// A head of HTTP/1 that is malformed or too large is refused before there is a request. hyper then asks no service and
/// has no setting for what it answers, which is a status without a body. That answer is replaced here, on its way out.
///
/// # What is hyper's and what is ours
/// The bytes cannot tell, since a handler may answer the same. Whose turn it is can. hyper reads a head only when the
/// answer to the request before it is complete and, as it does not pipeline flushes, also written: so what it writes while
/// every request that came has been answered, and the answer flushed, is its own. Answers of handlers are never looked at,
/// and all they cost is to compare two numbers at each write.
///
/// With one exception, which stays as hyper has it: an answer may be complete before the body of its request is. If the
/// client then lets the answer wait, what is behind that body is read and refused before the answer is flushed.
///
/// A connection of HTTP/2 has nothing to replace, and what becomes of a connection that changes its protocol is not
/// hyper's: both are left alone for good, the one from its first request and the other from when hyper gives it away.
pub(super) struct Explain<S> {
    stream: S,
    calls: Arc<Calls>,
    bounds: HeadBounds,
    /// How many requests were answered when hyper had last written all that it had.
    flushed: usize,
    /// What is still to be written in place of hyper's refusal.
    refusal: Bytes,
}

/// How many requests came over a connection, and how many of them are answered.
#[derive(Default)]
pub(super) struct Calls {
    begun: AtomicUsize,
    answered: AtomicUsize,
}

impl Calls {
    /// Returns whether there was any request.
    pub(super) fn any(&self) -> bool {
        self.begun.load(Relaxed) > 0
    }
}

/// The side of the service, to which requests come. hyper drops it before it gives the connection away.
pub(super) struct Hearing(Arc<Calls>);

impl Hearing {
    pub(super) const fn new(calls: Arc<Calls>) -> Self {
        Self(calls)
    }

    /// Notes that a request came.
    pub(super) fn begin<B>(&self, request: &Request<B>) -> Answering {
        self.0.begun.fetch_add(1, Relaxed);
        Answering((request.version() != Version::HTTP_2).then(|| self.0.clone()))
    }
}

impl Drop for Hearing {
    /// Begins what is never answered: from here on nothing is hyper's own.
    fn drop(&mut self) {
        self.0.begun.fetch_add(1, Relaxed);
    }
}

/// A request that is being answered, until this is dropped.
pub(super) struct Answering(Option<Arc<Calls>>);

impl Answering {
    /// Makes the answering last until hyper has the whole body, and drops it.
    pub(super) fn last_through(
        self,
        body: Body,
    ) -> impl http_body::Body<Data = Bytes, Error = axum::Error> + Send + 'static {
        body.map_err(move |error| {
            let _kept = &self;
            error
        })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(calls) = &self.0 {
            calls.answered.fetch_add(1, Relaxed);
        }
    }
}

/// What a head of HTTP/1 may hold.
#[derive(Clone, Copy)]
pub(super) struct HeadBounds {
    pub(super) bytes_max: usize,
    pub(super) headers_max: usize,
}

impl<S> Explain<S> {
    pub(super) const fn new(stream: S, calls: Arc<Calls>, bounds: HeadBounds) -> Self {
        Self { stream, calls, bounds, flushed: 0, refusal: Bytes::new() }
    }

    /// Returns whether what is written now is hyper's own.
    fn unasked(&self) -> bool {
        self.calls.begun.load(Relaxed) == self.flushed
    }
}

impl<S: AsyncWrite + Unpin> Explain<S> {
    /// Writes another refusal in the place of hyper's, and says that hyper's is written once all of the other is, so that
    /// neither a flush nor the end of the connection comes before. Everything else is left to be written as it is.
    fn write_refusal(&mut self, cx: &mut Context<'_>, said: &[u8]) -> Option<Poll<io::Result<usize>>> {
        if self.refusal.is_empty() {
            self.refusal = explained(said, self.bounds)?.into();
        }
        Some(self.write_rest(cx).map_ok(|()| said.len()))
    }

    fn write_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.refusal.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.refusal))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.refusal.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

/// Returns a refusal with its reason for one without.
fn explained(said: &[u8], HeadBounds { bytes_max, headers_max }: HeadBounds) -> Option<Vec<u8>> {
    let said = std::str::from_utf8(said).ok()?;
    let status = said.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let detail = match status {
        StatusCode::BAD_REQUEST => {
            "the head of the request is not valid HTTP/1.1: in its target, quotation marks, spaces and \
            the like must be percent-encoded, and each header must be well-formed"
                .to_owned()
        }
        // The bound is that of the `http` crate, and no setting.
        StatusCode::URI_TOO_LONG => "the path of the request may have 65534 bytes at most, with its query".to_owned(),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            format!("the head of the request may have {bytes_max} bytes and {headers_max} headers at most")
        }
        _ => return None,
    };
    let (before, after) = said.split_once("content-length: 0\r\n")?;
    let body = head_problem(status, detail);
    let length = body.len();
    let mut text = format!("{before}content-type: {PROBLEM}\r\ncontent-length: {length}\r\n{after}").into_bytes();
    text.extend_from_slice(&body);
    Some(text)
}

impl<S: AsyncRead + Unpin> AsyncRead for Explain<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Explain<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.unasked()
            && let Some(written) = self.write_refusal(cx, bytes)
        {
            return written;
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A refusal is a head and no more, which is one part.
        if self.unasked()
            && let [part] = parts
            && let Some(written) = self.write_refusal(cx, part)
        {
            return written;
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes when it has written all that it had.
        self.flushed = self.calls.answered.load(Relaxed);
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const BARE: &[u8] = b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";

    /// Writes a refusal as hyper does, with room for three bytes at once, and returns what comes out of it.
    async fn said(calls: Arc<Calls>, flush: bool) -> String {
        let (ours, mut theirs) = tokio::io::duplex(3);
        let bounds = HeadBounds { bytes_max: 8_192, headers_max: 100 };
        let mut stream = Explain::new(ours, calls, bounds);
        let write = async move {
            if flush {
                stream.flush().await.expect("nothing to flush");
            }
            let mut bytes = BARE;
            while !bytes.is_empty() {
                let written = stream.write_vectored(&[IoSlice::new(bytes)]).await.expect("a reader");
                bytes = &bytes[written..];
            }
            stream.shutdown().await.expect("a reader");
        };
        let mut text = String::new();
        let (_, read) = tokio::join!(write, theirs.read_to_string(&mut text));
        read.expect("text");
        text
    }

    #[tokio::test]
    async fn a_refusal_is_written_whole_over_many_writes() {
        let text = said(Arc::default(), false).await;
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let length = body.len();
        let expected = format!(
            "HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\
            content-length: {length}\r\ndate: now"
        );
        assert_eq!(head, expected);
        assert!(body.starts_with('{') && body.ends_with('}'), "{body}");
    }

    #[tokio::test]
    async fn what_is_not_hypers_own_is_left_alone() {
        let bare = std::str::from_utf8(BARE).expect("text");
        let calls = Arc::new(Calls::default());
        let hearing = Hearing::new(calls.clone());
        let answering = hearing.begin(&Request::new(()));
        assert_eq!(said(calls.clone(), true).await, bare, "a request is being answered");
        drop(answering);
        assert_eq!(said(calls.clone(), false).await, bare, "the answer is not flushed");
        assert_ne!(said(calls.clone(), true).await, bare);
        drop(hearing);
        assert_eq!(said(calls, true).await, bare, "the connection is given away");
        let calls = Arc::new(Calls::default());
        let mut request = Request::new(());
        *request.version_mut() = Version::HTTP_2;
        drop(Hearing::new(calls.clone()).begin(&request));
        assert_eq!(said(calls, true).await, bare, "it is HTTP/2");
    }
}

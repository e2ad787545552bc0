//! [`Event`]: what happened to records, for whoever wants to know.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use futures::Stream;
use parking_lot::{Mutex, RwLock};

use crate::pattern::PathPattern;
use crate::{Document, Id, Method, Provider, Result, Text};

/// Something that happened to a record of a service, or whatever else the program says has happened.
///
/// An event is sent when the call that it comes from has succeeded: the change is stored, and all hooks have run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The path under which the service is mounted.
    pub path: Arc<str>,
    /// What happened: `created`, `modified`, `updated`, `removed`, or a name of the program's own.
    pub name: Text,
    /// The id of the record, if it has one.
    pub id: Option<Id>,
    /// The record as the call left it, removed ones as they were. Hidden fields are not in it, whoever made the call, and
    /// what its query selected makes no difference. For an event of the program's own, whatever it says.
    pub record: Arc<Document>,
    /// The method that was called, if one was.
    pub method: Option<Method>,
    /// Through what the client came in that made the call; `None` for the program itself.
    pub provider: Option<Provider>,
    /// The event's number among those of its service, counted from 1 since the service was mounted, without gaps while
    /// anybody is subscribed to it.
    pub sequence: u64,
}

/// How many events wait for a subscriber that is slow, unless it says otherwise.
pub const EVENTS_WAITING: usize = 256;

/// What a subscriber gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// An event.
    Event(Arc<Event>),
    /// So many events were passed over, since the subscriber was slow; what comes next is what came behind them.
    Lagged(u64),
}

/// The events of some services of an app, in the order in which each service had them; made by
/// [`App::subscribe`](crate::App::subscribe).
///
/// It is a stream that ends only with the app, and is also read by [`next`](Self::next). A subscriber that is slow loses the
/// oldest events and is told how many; it holds up nobody.
#[derive(Debug)]
pub struct Subscription {
    number: u64,
    queue: Arc<Queue>,
    events: Arc<Events>,
}

/// The subscribers of an app.
#[derive(Default)]
pub(crate) struct Events {
    subscribers: RwLock<BTreeMap<u64, Arc<Queue>>>,
    /// The number of the next subscriber.
    next: AtomicU64,
    /// How many there are, for those who only want to know whether there is one.
    count: AtomicUsize,
}

/// The events that wait for a subscriber.
struct Queue {
    pattern: PathPattern,
    capacity: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Arc<Event>>,
    missed: u64,
    waker: Option<Waker>,
    closed: bool,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("subscribers", &self.count).finish_non_exhaustive()
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("pattern", &self.pattern)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

impl Queue {
    fn push(&self, event: Arc<Event>) {
        let mut waiting = self.waiting.lock();
        if waiting.events.len() >= self.capacity {
            waiting.events.pop_front();
            waiting.missed += 1;
        }
        waiting.events.push_back(event);
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Option<Received>> {
        let mut waiting = self.waiting.lock();
        if waiting.missed > 0 {
            return Poll::Ready(Some(Received::Lagged(std::mem::take(&mut waiting.missed))));
        }
        if let Some(event) = waiting.events.pop_front() {
            return Poll::Ready(Some(Received::Event(event)));
        }
        if waiting.closed {
            return Poll::Ready(None);
        }
        waiting.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Events {
    pub(crate) fn subscribe(self: &Arc<Self>, pattern: &str, capacity: usize) -> Result<Subscription> {
        let pattern = PathPattern::parse(pattern)?;
        let queue = Arc::new(Queue { pattern, capacity: capacity.max(1), waiting: Mutex::default() });
        let mut subscribers = self.subscribers.write();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        subscribers.insert(number, queue.clone());
        self.count.store(subscribers.len(), Ordering::Release);
        drop(subscribers);
        Ok(Subscription { number, queue, events: self.clone() })
    }

    /// Returns whether anybody wants the events of a service.
    pub(crate) fn listened(&self, path: &str) -> bool {
        self.count.load(Ordering::Acquire) > 0
            && self.subscribers.read().values().any(|queue| queue.pattern.matches(path))
    }

    pub(crate) fn send(&self, event: Event) {
        let event = Arc::new(event);
        for queue in self.subscribers.read().values().filter(|queue| queue.pattern.matches(&event.path)) {
            queue.push(event.clone());
        }
    }

    /// Tells every subscriber that there will be no more.
    fn close(&self) {
        for queue in std::mem::take(&mut *self.subscribers.write()).into_values() {
            let mut waiting = queue.waiting.lock();
            waiting.closed = true;
            let waker = waiting.waker.take();
            drop(waiting);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// Ends the subscriptions with the app.
#[derive(Debug, Default)]
pub(crate) struct EventsOwner(pub(crate) Arc<Events>);

impl Drop for EventsOwner {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Subscription {
    /// Waits for what comes next; `None` where the app is no more.
    pub async fn next(&mut self) -> Option<Received> {
        std::future::poll_fn(|cx| self.queue.poll(cx)).await
    }
}

impl Stream for Subscription {
    type Item = Received;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        self.queue.poll(cx)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut subscribers = self.events.subscribers.write();
        subscribers.remove(&self.number);
        self.events.count.store(subscribers.len(), Ordering::Release);
    }
}

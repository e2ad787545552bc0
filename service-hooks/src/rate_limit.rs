//! [`RateLimit`]: how often a client may call.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;
use remex_core::{ClientAddress, Error, Hook, HookContext, HookFuture, Params, Result, Service};
use tokio::time::Instant;

/// A before hook that bounds how often a client may call.
///
/// A client may make so many calls at once (the burst), and gets them back one by one, all of them in one period. A call
/// past that answers 429 and says after what time it may succeed. Calls from inside the program are never bounded.
///
/// # Who is a client
/// By default an address, as [`ClientAddress`] says it; a network of the first 64 bits in IPv6, for one subscriber has that
/// many addresses. Behind a proxy all have the proxy's: there, say who a client is by [`keyed_by`](Self::keyed_by), or let
/// a layer put in the address that your proxy tells, if only it can reach you.
///
/// Calls of clients of whom nothing is known are bounded as those of one.
///
/// # Memory
/// So many clients are kept apart ([`clients_max`](Self::clients_max)); those who have all their calls back are forgotten.
/// Past the bound, clients who are not known yet are bounded together as if they were one, and those who are known go on
/// as before.
///
/// A clone counts together with what it was cloned from: one limit for several services.
///
/// ```
/// use std::time::Duration;
///
/// use remex_core::{Document, HookKind, Method, MethodSet, Options, ServiceExt};
/// use remex_hooks::RateLimit;
/// use remex_memory::MemoryService;
///
/// let minute = Duration::from_secs(60);
/// let notes = MemoryService::<Document>::new(Options::new("notes"))?
///     .hooked()
///     .add(HookKind::Before, MethodSet::ALL, RateLimit::per_client(600, minute).burst(50))
///     .add(HookKind::Before, Method::Create, RateLimit::per_client(20, minute));
/// # Ok::<(), remex_core::Error>(())
/// ```
#[derive(Clone)]
pub struct RateLimit {
    quota: Quota,
    per_method: bool,
    clients_max: usize,
    key: Key,
    hasher: RandomState,
    buckets: Arc<Limiter>,
}

/// Says who a client is, by a number that is another's by chance only: whatever a client sends as its key takes as much
/// memory as any.
type Key = Arc<dyn Fn(&Params) -> u64 + Send + Sync>;

impl RateLimit {
    /// How many clients are kept apart by default.
    const CLIENTS_MAX: usize = 100_000;

    /// Lets each client make so many calls in a period, all at once where it likes.
    ///
    /// # Panics
    /// Where that is no call at all, or a period too short to be measured by.
    #[must_use]
    pub fn per_client(calls: u32, period: Duration) -> Self {
        let burst = NonZeroU32::new(calls).expect("a limit lets at least one call through");
        let quota = Quota::with_period(period / calls).expect("a call takes at least a nanosecond of the period");
        let hasher = RandomState::new();
        Self {
            quota: quota.allow_burst(burst),
            per_method: false,
            clients_max: Self::CLIENTS_MAX,
            key: key_by(hasher.clone(), network),
            hasher,
            buckets: Arc::new(Limiter::new(quota.allow_burst(burst), Self::CLIENTS_MAX)),
        }
    }

    /// Sets how many calls may be made at once. Defaults to all those of a period.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn burst(mut self, calls: u32) -> Self {
        self.quota = self.quota.allow_burst(NonZeroU32::new(calls).expect("a limit lets at least one call through"));
        self.anew()
    }

    /// Counts the calls of each of the six methods by themselves. Defaults to counting them together.
    #[must_use]
    pub fn per_method(mut self) -> Self {
        self.per_method = true;
        self.anew()
    }

    /// Says who a client is: the user, an API key, the address that your own proxy tells. Defaults to the address.
    ///
    /// `None` is a client of whom nothing is known; all such are bounded as one.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use remex_hooks::RateLimit;
    /// #[derive(Clone)]
    /// struct User { id: i64 }
    ///
    /// let limit = RateLimit::per_client(100, Duration::from_secs(60))
    ///     .keyed_by(|params| params.extensions.get::<User>().map(|user| user.id));
    /// ```
    #[must_use]
    pub fn keyed_by<K: Hash>(mut self, key: impl Fn(&Params) -> Option<K> + Send + Sync + 'static) -> Self {
        self.key = key_by(self.hasher.clone(), key);
        self.anew()
    }

    /// Sets how many clients are kept apart. Defaults to 100 000, which take some 5 MB; with
    /// [`per_method`](Self::per_method) a client counts once for each method.
    #[must_use]
    pub fn clients_max(mut self, count: usize) -> Self {
        self.clients_max = count;
        self.anew()
    }

    /// Forgets who has called, which nobody has where a limit is being made.
    fn anew(mut self) -> Self {
        self.buckets = Arc::new(Limiter::new(self.quota, self.clients_max));
        self
    }

    fn check<S: Service + ?Sized + 'static>(&self, ctx: &HookContext<S>) -> Result<()> {
        if !ctx.is_client() {
            return Ok(());
        }
        let client = (self.key)(ctx.params());
        let bucket = if self.per_method { self.hasher.hash_one((client, ctx.method())) } else { client };
        self.buckets.take(bucket).map_err(|wait| Error::too_many_requests("too many calls").with_retry_after(wait))
    }
}

impl<S: Service + ?Sized + 'static> Hook<S> for RateLimit {
    fn run(&self, ctx: HookContext<S>) -> HookFuture<S> {
        Box::pin(ready(self.check(&ctx).map(|()| ctx)))
    }

    fn sees_records(&self) -> bool {
        false
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("quota", &self.quota).finish_non_exhaustive()
    }
}

fn key_by<K: Hash>(hasher: RandomState, key: impl Fn(&Params) -> Option<K> + Send + Sync + 'static) -> Key {
    Arc::new(move |params| hasher.hash_one(key(params)))
}

/// Returns the address of a client or, of IPv6, the network that it is in: of a subscriber's 64 bits each call may come
/// from another address.
fn network(params: &Params) -> Option<IpAddr> {
    const NETWORK: u128 = !0 << 64;
    let ClientAddress(address) = params.extensions.get()?;
    // An address of IPv4 may be written as one of IPv6.
    Some(match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        address => address,
    })
}

/// The buckets of all clients, of which each call takes something.
struct Limiter {
    buckets: RateLimiter<u64, Buckets, TokioClock, NoOpMiddleware<Nanos>>,
    /// When those were last forgotten who have all their calls back.
    swept: Mutex<Instant>,
}

impl Limiter {
    /// How often those are forgotten who have all their calls back.
    const SWEEP: Duration = Duration::from_secs(1);

    fn new(quota: Quota, clients_max: usize) -> Self {
        let buckets = Buckets { max: clients_max, state: Mutex::default() };
        let now = Instant::now();
        Self { buckets: RateLimiter::new(quota, buckets, TokioClock(now)), swept: Mutex::new(now) }
    }

    /// Takes a call out of a bucket, or says after what time there will be one in it.
    fn take(&self, bucket: u64) -> Result<(), Duration> {
        self.sweep();
        self.buckets.check_key(&bucket).map_err(|until| until.wait_time_from(self.buckets.clock().now()))
    }

    fn sweep(&self) {
        // Whoever else is at it does it for this call as well.
        let Some(mut swept) = self.swept.try_lock() else { return };
        if swept.elapsed() >= Self::SWEEP {
            *swept = Instant::now();
            self.buckets.retain_recent();
        }
    }
}

/// At what time each bucket will be full again, as the limiter reckons.
struct Buckets {
    max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: HashMap<u64, Nanos>,
    /// The bucket of all those for whom there is no room.
    others: Option<Nanos>,
}

impl StateStore for Buckets {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut state = self.state.lock();
        let full = state.known.len() >= self.max;
        match state.known.get_mut(key) {
            Some(time) => {
                let (outcome, next) = measure(Some(*time))?;
                *time = next;
                Ok(outcome)
            }
            None if full => {
                let (outcome, next) = measure(state.others)?;
                state.others = Some(next);
                Ok(outcome)
            }
            None => {
                let (outcome, next) = measure(None)?;
                state.known.insert(*key, next);
                Ok(outcome)
            }
        }
    }
}

impl ShrinkableKeyedStateStore<u64> for Buckets {
    fn retain_recent(&self, drop_below: Nanos) {
        self.state.lock().known.retain(|_, time| *time > drop_below);
    }

    fn len(&self) -> usize {
        self.state.lock().known.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The clock of tokio, which tests can move.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

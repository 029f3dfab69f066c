//! Delays after wrong passwords, kept by each process in bounded memory.
//!
//! What grows is the delay of one account *from one network*, so nobody can lock somebody
//! else's account from elsewhere. Beside it there is a delay of a whole network that tries
//! many accounts, and an account that is tried from many networks gives each new one fewer
//! tries; neither holds up a network from which the account has signed in before. Sessions,
//! personal tokens and robots are never asked here, and a network that the account has signed
//! in from may show a password that this process remembers while it is delayed.
//!
//! A password that was wrong and comes again is the same mistake, not another try: a forgotten
//! cluster with yesterday's secret does not delay the people behind its address.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use kit::{Error, Kind, Result, Time};
use moka::{policy::EvictionPolicy, sync::Cache};
use parking_lot::Mutex;

/// How many accounts, networks, and pairs of them are remembered; of more, those that were not
/// seen for longest are forgotten.
const MOST: u64 = 100_000;

/// After how long without a wrong password all is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// How long it is remembered that an account has signed in from a network.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// How many passwords may be wrong, for an account from a network, before the next one waits;
/// and for an account that is tried from everywhere.
const FREE: u32 = 5;
const FREE_UNDER_ATTACK: u32 = 1;

/// With how many wrong passwords an account is tried from everywhere.
const ATTACK: u32 = 100;

/// How many passwords, for whichever accounts, may be wrong from one network.
const FREE_OF_NETWORK: u32 = 50;

/// How many passwords are compared with remembered ones during one delay.
const MOST_COMPARED: u32 = 100;

/// How many may register from one network within [`REGISTERED_WITHIN`].
const MOST_REGISTERED: u32 = 100;
const REGISTERED_WITHIN: Duration = Duration::from_secs(3600);

/// The longest delays.
const LONGEST: Duration = Duration::from_secs(5 * 60);
const LONGEST_OF_NETWORK: Duration = Duration::from_secs(60);

/// What this process knows of wrong passwords.
pub(crate) struct Throttle {
    hasher: RandomState,
    pairs: Cache<(u64, IpAddr), Arc<Mutex<Tries>>>,
    accounts: Cache<u64, Arc<Mutex<Tries>>>,
    networks: Cache<IpAddr, Arc<Mutex<Tries>>>,
    known: Cache<(u64, IpAddr), ()>,
    registered: Cache<IpAddr, Arc<Mutex<Registered>>>,
}

/// How many registered since a moment.
#[derive(Debug, Default)]
struct Registered {
    since: Option<Time>,
    users: u32,
}

/// Who tries: an account by the hash of its name, and where from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    account: u64,
    network: IpAddr,
}

/// Wrong passwords of late.
#[derive(Debug, Default)]
struct Tries {
    wrong: u32,
    last: Option<Time>,
    /// The last wrong password, as a keyed hash.
    secret: [u8; 32],
    /// When somebody was last told of it.
    told: Option<Time>,
    /// How many were compared with remembered ones since the last wrong one.
    compared: u32,
}

impl Tries {
    /// As they are now: after a while without any there are none.
    fn at(&mut self, now: Time) -> &mut Self {
        if self.last.is_some_and(|last| now >= last.after(FORGOTTEN_AFTER)) {
            *self = Self::default();
        }
        self
    }

    /// For how long to wait yet, if a delay after the last one is running.
    fn left(&self, delay: Duration, now: Time) -> Option<Duration> {
        let until = self.last?.after(delay);
        let left = u64::try_from(until.0.saturating_sub(now.0)).ok()?;
        (left > 0).then(|| Duration::from_micros(left))
    }
}

/// Twice as long with every wrong one beyond those that are free.
fn delay(wrong: u32, free: u32, longest: Duration) -> Duration {
    if wrong < free {
        return Duration::ZERO;
    }
    let seconds = 1u64.checked_shl(wrong - free).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(longest)
}

impl Throttle {
    pub(crate) fn new() -> Self {
        fn bounded<K, V>(idle: Duration) -> Cache<K, V>
        where
            K: Eq + std::hash::Hash + Send + Sync + 'static,
            V: Clone + Send + Sync + 'static,
        {
            Cache::builder()
                .max_capacity(MOST)
                .time_to_idle(idle)
                // New ones always find room: an attacker must not make them unseen.
                .eviction_policy(EvictionPolicy::lru())
                .build()
        }
        Self {
            hasher: RandomState::new(),
            pairs: bounded(FORGOTTEN_AFTER),
            accounts: bounded(FORGOTTEN_AFTER),
            networks: bounded(FORGOTTEN_AFTER),
            known: bounded(KNOWN_FOR),
            registered: bounded(REGISTERED_WITHIN),
        }
    }

    /// Who tries.
    pub(super) fn pair(&self, name: &str, address: IpAddr) -> Pair {
        Pair { account: self.account(name), network: network(address) }
    }

    /// An account by its name: one and the same however a directory lets it be written.
    fn account(&self, name: &str) -> u64 {
        self.hasher.hash_one(name.trim().to_lowercase())
    }

    /// Who tries while it is signed in: whoever finds a session open and guesses there does not
    /// make its owner wait who signs in.
    pub(super) fn pair_in_session(&self, name: &str, address: IpAddr) -> Pair {
        let account = self.hasher.hash_one(("in session", self.account(name)));
        Pair { account, network: network(address) }
    }

    /// Whether a password may be tried now.
    ///
    /// # Errors
    /// TooMany, with the time to wait.
    pub(super) fn may(&self, pair: &Pair, now: Time) -> Result<()> {
        let (key, is_known) = (pair.key(), self.is_known(pair));
        let own = self.pairs.get(&key);
        let free = if is_known || !self.is_attacked(pair, now) { FREE } else { FREE_UNDER_ATTACK };
        let of_pair = own.and_then(|tries| {
            let mut tries = tries.lock();
            let tries = tries.at(now);
            tries.left(delay(tries.wrong, free, LONGEST), now)
        });
        let of_network = self.networks.get(&pair.network).filter(|_| !is_known);
        let of_network = of_network.and_then(|tries| {
            let mut tries = tries.lock();
            let tries = tries.at(now);
            let beyond = tries.wrong.checked_sub(FREE_OF_NETWORK)?;
            tries.left(delay(beyond / 5, 0, LONGEST_OF_NETWORK), now)
        });
        let Some(left) = of_pair.max(of_network) else { return Ok(()) };
        let message = "too many wrong passwords from here, try again later";
        let mut error = Error::new(Kind::TooMany, message);
        error.retry_after = Some(left.max(Duration::from_secs(1)));
        Err(error)
    }

    /// Counts somebody who registers from an address.
    ///
    /// # Errors
    /// TooMany, with the time to wait, when many did within the hour.
    pub(super) fn may_register(&self, address: IpAddr, now: Time) -> Result<()> {
        let registered = self.registered.get_with(network(address), Arc::default);
        let mut registered = registered.lock();
        let ends = registered.since.map(|since| since.after(REGISTERED_WITHIN));
        match ends.filter(|ends| now < *ends) {
            None => *registered = Registered { since: Some(now), users: 0 },
            Some(ends) if registered.users >= MOST_REGISTERED => {
                let message = "too many users registered from here, try again later";
                let mut error = Error::new(Kind::TooMany, message);
                let left = u64::try_from(ends.0.saturating_sub(now.0)).unwrap_or_default();
                error.retry_after = Some(Duration::from_micros(left).max(Duration::from_secs(1)));
                return Err(error);
            }
            Some(_) => {}
        }
        registered.users += 1;
        Ok(())
    }

    /// Whether a password may be compared with remembered ones, though it may not be tried.
    pub(super) fn may_compare(&self, pair: &Pair) -> bool {
        if !self.is_known(pair) {
            return false;
        }
        self.pairs.get(&pair.key()).is_none_or(|tries| {
            let mut tries = tries.lock();
            tries.compared = tries.compared.saturating_add(1);
            tries.compared <= MOST_COMPARED
        })
    }

    /// A password was right.
    pub(super) fn succeeded(&self, pair: &Pair) {
        self.known.insert(pair.key(), ());
        self.pairs.invalidate(&pair.key());
    }

    /// A password was wrong; `secret` is its keyed hash. Whether somebody has to be told: not
    /// of the same one again and again, and not of each of those that had to wait.
    pub(super) fn failed(&self, pair: &Pair, secret: [u8; 32], now: Time) -> bool {
        let own = self.pairs.get_with(pair.key(), Arc::default);
        let mut own = own.lock();
        let own = own.at(now);
        let is_same = own.wrong > 0 && own.secret == secret;
        let waits = own.left(delay(own.wrong, FREE, LONGEST), now).is_some();
        let told_long_ago = own.told.is_none_or(|told| now >= told.after(FORGOTTEN_AFTER));
        let tell = told_long_ago || !is_same && !waits;
        if tell {
            own.told = Some(now);
        }
        if is_same {
            return tell;
        }
        own.wrong = own.wrong.saturating_add(1);
        (own.last, own.secret, own.compared) = (Some(now), secret, 0);
        for tries in [
            self.accounts.get_with(pair.account, Arc::default),
            self.networks.get_with(pair.network, Arc::default),
        ] {
            let mut tries = tries.lock();
            let tries = tries.at(now);
            tries.wrong = tries.wrong.saturating_add(1);
            tries.last = Some(now);
        }
        tell
    }

    fn is_known(&self, pair: &Pair) -> bool {
        self.known.contains_key(&pair.key())
    }

    fn is_attacked(&self, pair: &Pair, now: Time) -> bool {
        let tries = self.accounts.get(&pair.account);
        tries.is_some_and(|tries| tries.lock().at(now).wrong >= ATTACK)
    }
}

impl Pair {
    fn key(&self) -> (u64, IpAddr) {
        (self.account, self.network)
    }
}

/// The network of an address: of IPv6 the first half, which one customer has for itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::START;

    const HOME: [u8; 4] = [192, 0, 2, 1];

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wrong(n: u32) -> [u8; 32] {
        let mut secret = [0; 32];
        secret[..4].copy_from_slice(&n.to_be_bytes());
        secret
    }

    fn wait(throttle: &Throttle, pair: &Pair, now: Time) -> u64 {
        throttle.may(pair, now).err().map_or(0, |error| error.retry_after.unwrap().as_secs())
    }

    #[test]
    fn delays_grow_and_are_forgotten() {
        let throttle = Throttle::new();
        let pair = throttle.pair("alice", HOME.into());
        let mut now = START;
        for n in 0..5 {
            assert_eq!(wait(&throttle, &pair, now), 0);
            assert!(throttle.failed(&pair, wrong(n), now));
        }
        for (n, expected) in [(5, 1), (6, 2), (7, 4), (8, 8), (9, 16)] {
            assert_eq!(wait(&throttle, &pair, now), expected);
            now = now.after(secs(expected));
            assert_eq!(wait(&throttle, &pair, now), 0);
            assert!(throttle.failed(&pair, wrong(n), now));
        }
        for n in 10..40 {
            throttle.failed(&pair, wrong(n), now);
        }
        assert_eq!(wait(&throttle, &pair, now), 300);
        assert_eq!(wait(&throttle, &pair, now.after(secs(15 * 60))), 0);
        throttle.failed(&pair, wrong(1), now.after(secs(15 * 60)));
        assert_eq!(wait(&throttle, &pair, now.after(secs(15 * 60))), 0);
    }

    #[test]
    fn the_same_mistake_again_is_no_other_try() {
        let throttle = Throttle::new();
        let pair = throttle.pair("ci", HOME.into());
        assert!(throttle.failed(&pair, wrong(1), START));
        for second in 1..800 {
            assert!(!throttle.failed(&pair, wrong(1), START.after(secs(second))));
        }
        assert_eq!(wait(&throttle, &pair, START.after(secs(800))), 0);
        assert!(throttle.failed(&pair, wrong(1), START.after(secs(900))), "told of it again");
    }

    #[test]
    fn nobody_is_locked_out_from_elsewhere() {
        let throttle = Throttle::new();
        let home = throttle.pair("alice", HOME.into());
        throttle.succeeded(&home);
        for n in 0..2000u32 {
            let [_, _, c, d] = n.to_be_bytes();
            let away = throttle.pair("alice", [198, 51, c, d].into());
            throttle.failed(&away, wrong(n), START);
        }
        assert_eq!(wait(&throttle, &home, START), 0);
        // Everybody else has one try yet, then has to wait.
        let other = throttle.pair("alice", [203, 0, 113, 1].into());
        assert_eq!(wait(&throttle, &other, START), 0);
        throttle.failed(&other, wrong(1), START);
        assert_eq!(wait(&throttle, &other, START), 1);
        let bob = throttle.pair("bob", [203, 0, 113, 1].into());
        assert_eq!(wait(&throttle, &bob, START), 0);
    }

    #[test]
    fn who_tries_many_accounts_waits_for_all_but_those_it_knows() {
        let throttle = Throttle::new();
        let known = throttle.pair("known", HOME.into());
        throttle.succeeded(&known);
        for n in 0..200 {
            throttle.failed(&throttle.pair(&format!("user{n}"), HOME.into()), wrong(n), START);
        }
        let new = throttle.pair("new", HOME.into());
        assert_eq!(wait(&throttle, &new, START), 60);
        assert_eq!(wait(&throttle, &known, START), 0);
        assert_eq!(wait(&throttle, &throttle.pair("new", [192, 0, 2, 2].into()), START), 0);
    }

    #[test]
    fn remembered_passwords_are_compared_within_bounds() {
        let throttle = Throttle::new();
        let pair = throttle.pair("alice", HOME.into());
        assert!(!throttle.may_compare(&pair), "never signed in from here");
        throttle.succeeded(&pair);
        for n in 0..20 {
            throttle.failed(&pair, wrong(n), START);
        }
        let compared = (0..1000).filter(|_| throttle.may_compare(&pair)).count();
        assert_eq!(compared, 100);
        assert!(!throttle.may_compare(&throttle.pair("bob", HOME.into())));
    }

    #[test]
    fn a_name_is_one_however_it_is_written() {
        let throttle = Throttle::new();
        let one = throttle.pair("alice", HOME.into());
        assert_eq!(throttle.pair(" ALICE ", HOME.into()).key(), one.key());
        assert_ne!(throttle.pair("alic", HOME.into()).key(), one.key());
        assert_ne!(throttle.pair_in_session("Alice", HOME.into()).key(), one.key());
    }

    #[test]
    fn registering_is_bounded_by_network_and_hour() {
        let throttle = Throttle::new();
        for n in 0..100 {
            throttle.may_register(HOME.into(), START.after(secs(n))).unwrap();
        }
        let refused = throttle.may_register(HOME.into(), START.after(secs(600))).unwrap_err();
        assert!(refused.is(Kind::TooMany));
        assert_eq!(refused.retry_after, Some(secs(3000)));
        throttle.may_register([192, 0, 2, 2].into(), START.after(secs(600))).unwrap();
        throttle.may_register(HOME.into(), START.after(secs(3600))).unwrap();
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let throttle = Throttle::new();
        let one = throttle.pair("a", "2001:db8:1:2::1".parse().unwrap());
        let same = throttle.pair("a", "2001:db8:1:2:ffff::9".parse().unwrap());
        let other = throttle.pair("a", "2001:db8:1:3::1".parse().unwrap());
        assert_eq!(one.key(), same.key());
        assert_ne!(one.key(), other.key());
        let mapped = throttle.pair("a", "::ffff:192.0.2.1".parse().unwrap());
        assert_eq!(mapped.key(), throttle.pair("a", HOME.into()).key());
    }
}

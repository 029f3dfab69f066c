//! A model of clients and the collector, all of whose interleavings are searched.
//!
//! One content, two repositories, two clients and a collector. A transaction is two steps:
//! in the first it takes its locks and looks, in the second it writes and commits, and
//! whoever wants a lock that it holds waits or passes by. Between any two steps everybody else
//! may act, the collector may die, and, while no transaction is open, a window may pass. The model
//! has the locks of PostgreSQL: a share lock is KEY SHARE, the other one is FOR UPDATE.
//!
//! Each flaw is a way in which the collector or the clients could have been written instead;
//! the search finds what it breaks, so it is known to look closely enough.
#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, VecDeque};

/// How many places are drawn at most: enough for bytes to be replaced, doomed and pushed anew.
const PLACES: usize = 3;

/// What a step makes of a state.
type Change<'a> = dyn Fn(&mut State) + 'a;

/// What could be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// Nothing is.
    None,
    /// A repository lets go what was found unneeded before it was locked.
    ReleaseWithoutLook,
    /// A row goes that was found unheld before it was locked.
    DoomWithoutLook,
    /// The same content always lies in the same place.
    PlaceOfContent,
    /// The bytes go before the row does.
    BytesFirst,
    /// Who is told that a blob exists does not renew its mark.
    NoRenewal,
    /// Rows are asked for before the store is listed.
    RowsBeforeList,
    /// Who puts bytes into the place that the content had does not look whether it still has it.
    NoLookAtPlace,
}

/// Since when a repository has not needed the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mark {
    Needed,
    Fresh,
    Old,
}

/// What lies in a place of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Bytes {
    None,
    Young,
    Old,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Client {
    Idle,
    /// The bytes lie in a place; no row knows.
    Placed(usize, usize),
    /// The transaction of an upload is open.
    Finishing(usize, usize),
    /// The content had a place already, the second; the bytes in the first are yet to be taken
    /// away, or there.
    Replacing(usize, usize),
    /// The bytes have taken the place that the content had.
    Replaced(usize),
    /// That of a manifest.
    Pushing(usize),
    /// That of deleting a manifest.
    Deleting(usize),
    /// That of a mount into a repository, from the other.
    Mounting(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Collector {
    Idle,
    /// It has seen that a repository does not need the blob, and has no lock. A flaw.
    SawUnneeded(usize),
    Releasing(usize),
    /// It has seen that nobody holds the blob, and has no lock. A flaw.
    SawUnheld,
    Dooming,
    /// The bytes of a doomed place have gone, its row has not.
    Deleted(usize),
    /// Bytes that are old, of which no row was asked for yet.
    Listed(usize),
    /// Rows name none of the places but this; nothing was listed yet. A flaw.
    Asked(Option<usize>),
    /// No row names these bytes.
    Unnamed(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    /// The place that the blob's row names.
    row: Option<usize>,
    holds: [Option<Mark>; 2],
    manifests: [bool; 2],
    store: [Bytes; PLACES],
    doomed: [bool; PLACES],
    /// Where a client died that had bytes there. They are an orphan, or may be.
    abandoned: [bool; PLACES],
    /// Who was told within the window that the blob exists.
    promised: [bool; 2],
    drawn: usize,
    clients: [Client; 2],
    collector: Collector,
}

const START: State = State {
    row: None,
    holds: [None; 2],
    manifests: [false; 2],
    store: [Bytes::None; PLACES],
    doomed: [false; PLACES],
    abandoned: [false; PLACES],
    promised: [false; 2],
    drawn: 0,
    clients: [Client::Idle; 2],
    collector: Collector::Idle,
};

impl State {
    /// Whether a client shares the lock of what a repository holds, and of the blob.
    fn shares_hold(&self, repository: usize) -> bool {
        self.clients.iter().any(|client| match client {
            Client::Pushing(r) => *r == repository,
            Client::Mounting(to) => 1 - *to == repository,
            _ => false,
        })
    }

    /// Whether somebody changes what a repository holds.
    fn changes_hold(&self, repository: usize) -> bool {
        self.collector == Collector::Releasing(repository)
            || self.clients.iter().any(|client| {
                matches!(client, Client::Finishing(r, _) | Client::Deleting(r) | Client::Mounting(r)
                    if *r == repository)
            })
    }

    fn deletes(&self, repository: usize) -> bool {
        self.collector == Collector::Releasing(repository)
            || self.clients.contains(&Client::Deleting(repository))
    }

    fn shares_blob(&self) -> bool {
        self.clients.iter().any(|client| {
            matches!(client, Client::Pushing(_) | Client::Mounting(_) | Client::Finishing(..))
        })
    }

    /// Whether an upload is making the row.
    fn makes_row(&self) -> bool {
        self.row.is_none()
            && self.clients.iter().any(|client| matches!(client, Client::Finishing(..)))
    }

    /// Whether somebody still has to do with the bytes in a place, or died over them.
    fn is_minded(&self, place: usize) -> bool {
        self.row == Some(place)
            || self.doomed[place]
            || self.abandoned[place]
            || self.clients.iter().any(|client| match client {
                Client::Placed(_, p) | Client::Finishing(_, p) | Client::Replaced(p) => *p == place,
                Client::Replacing(p, _) => *p == place,
                _ => false,
            })
    }

    /// What is broken.
    fn broken(&self) -> Option<&'static str> {
        let there = self.row.is_some_and(|place| self.store[place] != Bytes::None);
        for repository in 0..2 {
            let held = self.holds[repository].is_some();
            if self.manifests[repository] && !(held && there) {
                return Some("a manifest points to a missing blob");
            }
            if held && !there {
                return Some("a repository holds a blob without bytes");
            }
            if self.promised[repository] && !held {
                return Some("a blob that a client was told exists has gone");
            }
        }
        let lost = |place: usize| self.store[place] != Bytes::None && !self.is_minded(place);
        if (0..PLACES).any(lost) {
            return Some("bytes stay that nothing leads to though nobody died");
        }
        None
    }

    /// A whole run, while nobody else acts, after the window has passed.
    fn collected(mut self) -> Self {
        self.promised = [false; 2];
        for repository in 0..2 {
            let mark = self.holds[repository];
            if mark.is_some_and(|mark| mark != Mark::Needed) && !self.manifests[repository] {
                self.holds[repository] = None;
            }
        }
        if self.holds == [None; 2] {
            self.row = None;
        }
        for place in 0..PLACES {
            if self.row != Some(place) {
                self.store[place] = Bytes::None;
            }
        }
        self.doomed = [false; PLACES];
        self
    }

    /// Everything that can happen next.
    fn next(&self, flaw: Flaw) -> Vec<State> {
        let mut next = Vec::new();
        for n in 0..2 {
            self.client(n, flaw, &mut next);
        }
        self.collector(flaw, &mut next);
        let is_still = |client: &Client| {
            matches!(client, Client::Idle | Client::Replacing(..) | Client::Replaced(_))
        };
        let no_transaction =
            !matches!(self.collector, Collector::Releasing(_) | Collector::Dooming);
        if self.clients.iter().all(is_still) && no_transaction {
            let mut state = *self;
            for mark in state.holds.iter_mut().flatten().filter(|mark| **mark == Mark::Fresh) {
                *mark = Mark::Old;
            }
            for bytes in state.store.iter_mut().filter(|bytes| **bytes == Bytes::Young) {
                *bytes = Bytes::Old;
            }
            state.promised = [false; 2];
            next.push(state);
        }
        next.iter_mut().for_each(State::forget);
        next
    }

    /// Where nothing lies, or what a row names, is nobody's orphan: states that differ in this are
    /// the same.
    fn forget(&mut self) {
        for place in 0..PLACES {
            self.abandoned[place] &= self.store[place] != Bytes::None && self.row != Some(place);
        }
    }

    fn client(&self, n: usize, flaw: Flaw, next: &mut Vec<State>) {
        let mut add = |change: &Change<'_>| {
            let mut state = *self;
            change(&mut state);
            next.push(state);
        };
        match self.clients[n] {
            Client::Idle => {
                for repository in 0..2 {
                    self.begin(n, repository, flaw, &mut add);
                }
            }
            Client::Placed(repository, place) => {
                let waits = self.collector == Collector::Dooming
                    || self.makes_row()
                    || self.changes_hold(repository);
                if !waits {
                    add(&|state| state.clients[n] = Client::Finishing(repository, place));
                }
                add(&|state| state.dies(n, place));
            }
            Client::Finishing(repository, place) => add(&|state| {
                let had = state.row.filter(|row| *row != place);
                state.row = state.row.or(Some(place));
                if state.holds[repository] != Some(Mark::Needed) {
                    state.holds[repository] = Some(Mark::Fresh);
                }
                state.promised[repository] = true;
                state.clients[n] = had.map_or(Client::Idle, |had| Client::Replacing(place, had));
            }),
            Client::Replacing(place, had) => {
                // In a bucket they just go.
                add(&|state| {
                    state.store[place] = Bytes::None;
                    state.clients[n] = Client::Idle;
                });
                // In local files they take the place that the content had.
                add(&|state| {
                    state.store[place] = Bytes::None;
                    state.store[had] = Bytes::Young;
                    let looks = flaw != Flaw::NoLookAtPlace;
                    state.clients[n] = if looks { Client::Replaced(had) } else { Client::Idle };
                });
                add(&|state| state.dies(n, place));
            }
            Client::Replaced(place) => {
                add(&|state| {
                    if state.row != Some(place) {
                        state.store[place] = Bytes::None;
                    }
                    state.clients[n] = Client::Idle;
                });
                add(&|state| state.dies(n, place));
            }
            Client::Pushing(repository) => add(&|state| {
                state.manifests[repository] = true;
                state.holds[repository] = Some(Mark::Needed);
                state.clients[n] = Client::Idle;
            }),
            Client::Deleting(repository) => add(&|state| {
                state.manifests[repository] = false;
                state.holds[repository] = Some(Mark::Fresh);
                state.clients[n] = Client::Idle;
            }),
            Client::Mounting(repository) => add(&|state| {
                if flaw != Flaw::NoRenewal || state.holds[repository].is_none() {
                    let needed = state.holds[repository] == Some(Mark::Needed);
                    state.holds[repository] = Some(if needed { Mark::Needed } else { Mark::Fresh });
                }
                state.promised[repository] = true;
                state.clients[n] = Client::Idle;
            }),
        }
    }

    /// A client's process ends while it has bytes in a place.
    fn dies(&mut self, n: usize, place: usize) {
        self.abandoned[place] = true;
        self.clients[n] = Client::Idle;
    }

    /// What a client may begin in a repository.
    fn begin(&self, n: usize, r: usize, flaw: Flaw, add: &mut dyn FnMut(&Change<'_>)) {
        if self.drawn < PLACES {
            add(&|state| {
                let place = if flaw == Flaw::PlaceOfContent { 0 } else { state.drawn };
                state.drawn += 1;
                state.store[place] = Bytes::Young;
                state.clients[n] = Client::Placed(r, place);
            });
        }
        let dooming = self.collector == Collector::Dooming;
        if let Some(mark) = self.holds[r] {
            if !self.deletes(r) && !dooming {
                add(&|state| state.clients[n] = Client::Pushing(r));
            }
            // HEAD. A mark that is not fresh is renewed before the answer.
            if mark == Mark::Needed || !self.changes_hold(r) {
                add(&|state| {
                    if mark != Mark::Needed && flaw != Flaw::NoRenewal {
                        state.holds[r] = Some(Mark::Fresh);
                    }
                    state.promised[r] = true;
                });
            }
            if self.manifests[r] && !self.changes_hold(r) && !self.shares_hold(r) {
                add(&|state| state.clients[n] = Client::Deleting(r));
            }
        }
        let source = 1 - r;
        if self.holds[source].is_some()
            && !self.deletes(source)
            && !dooming
            && !self.changes_hold(r)
        {
            add(&|state| state.clients[n] = Client::Mounting(r));
        }
    }

    fn collector(&self, flaw: Flaw, next: &mut Vec<State>) {
        let mut add = |change: &Change<'_>| {
            let mut state = *self;
            change(&mut state);
            next.push(state);
        };
        let free = |r: usize| !self.shares_hold(r) && !self.changes_hold(r);
        let may_doom = self.row.is_some() && !self.shares_blob();
        match self.collector {
            Collector::Idle => {
                for r in 0..2 {
                    let seems = self.holds[r] == Some(Mark::Old);
                    if seems && flaw == Flaw::ReleaseWithoutLook {
                        add(&|state| state.collector = Collector::SawUnneeded(r));
                    } else if seems && free(r) {
                        add(&|state| state.collector = Collector::Releasing(r));
                    }
                }
                if self.row.is_some() && self.holds == [None; 2] {
                    if flaw == Flaw::DoomWithoutLook {
                        add(&|state| state.collector = Collector::SawUnheld);
                    } else if flaw == Flaw::BytesFirst {
                        add(&|state| {
                            state.store[state.row.unwrap()] = Bytes::None;
                            state.collector = Collector::SawUnheld;
                        });
                    } else if may_doom {
                        add(&|state| state.collector = Collector::Dooming);
                    }
                }
                for place in 0..PLACES {
                    if self.doomed[place] {
                        add(&|state| {
                            state.store[place] = Bytes::None;
                            state.collector = Collector::Deleted(place);
                        });
                    }
                    if self.store[place] == Bytes::Old && flaw != Flaw::RowsBeforeList {
                        add(&|state| state.collector = Collector::Listed(place));
                    }
                }
                if flaw == Flaw::RowsBeforeList {
                    add(&|state| state.collector = Collector::Asked(state.row));
                }
            }
            Collector::SawUnneeded(r) => {
                if self.holds[r].is_some() && free(r) {
                    add(&|state| state.collector = Collector::Releasing(r));
                }
            }
            Collector::Releasing(r) => add(&|state| {
                let unneeded = state.holds[r] == Some(Mark::Old) && !state.manifests[r];
                if unneeded || flaw == Flaw::ReleaseWithoutLook {
                    state.holds[r] = None;
                }
                state.collector = Collector::Idle;
            }),
            Collector::SawUnheld => {
                if may_doom {
                    add(&|state| state.collector = Collector::Dooming);
                }
            }
            Collector::Dooming => add(&|state| {
                if state.holds == [None; 2] || flaw == Flaw::DoomWithoutLook {
                    let place = state.row.take().unwrap();
                    state.doomed[place] = true;
                }
                state.collector = Collector::Idle;
            }),
            Collector::Deleted(place) => add(&|state| {
                state.doomed[place] = false;
                state.collector = Collector::Idle;
            }),
            Collector::Listed(place) => add(&|state| {
                let named = state.row == Some(place);
                state.collector = if named { Collector::Idle } else { Collector::Unnamed(place) };
            }),
            Collector::Asked(row) => {
                for place in 0..PLACES {
                    if self.store[place] == Bytes::Old && row != Some(place) {
                        add(&|state| state.collector = Collector::Unnamed(place));
                    }
                }
            }
            Collector::Unnamed(place) => add(&|state| {
                state.store[place] = Bytes::None;
                state.collector = Collector::Idle;
            }),
        }
        if self.collector != Collector::Idle {
            // It is killed: an open transaction is rolled back.
            add(&|state| state.collector = Collector::Idle);
        }
    }
}

/// What the search has found.
struct Found {
    states: usize,
    broken: Option<(&'static str, Vec<State>)>,
}

/// Searches everything that can come about, the shortest ways first.
fn search(flaw: Flaw) -> Found {
    let mut before: HashMap<State, Option<State>> = HashMap::from([(START, None)]);
    let mut waiting = VecDeque::from([START]);
    while let Some(state) = waiting.pop_front() {
        if let Some(broken) = state.broken() {
            let way = std::iter::successors(Some(state), |state| before[state]);
            let broken = Some((broken, way.collect()));
            return Found { states: before.len(), broken };
        }
        for next in state.next(flaw) {
            before.entry(next).or_insert_with(|| {
                waiting.push_back(next);
                Some(state)
            });
        }
    }
    // From wherever things stand, a run leaves what is needed and nothing else.
    for state in before.keys().filter(|state| state.clients == [Client::Idle; 2]) {
        let after = state.collected();
        assert_eq!(after.broken(), None, "{state:?}");
        let needed = state.manifests.contains(&true);
        let kept = after.store.iter().filter(|bytes| **bytes != Bytes::None).count();
        assert_eq!((after.row.is_some(), kept), (needed, usize::from(needed)), "{state:?}");
    }
    Found { states: before.len(), broken: None }
}

#[test]
fn no_interleaving_loses_what_is_needed_or_was_promised() {
    let found = search(Flaw::None);
    assert!(found.broken.is_none(), "{:#?}", found.broken);
    println!("{} states", found.states);
    assert!(found.states > 10_000, "only {} states", found.states);
}

#[test]
fn the_search_finds_every_flaw() {
    for (flaw, breaks) in [
        (Flaw::ReleaseWithoutLook, "a blob that a client was told exists has gone"),
        (Flaw::DoomWithoutLook, "a repository holds a blob without bytes"),
        (Flaw::PlaceOfContent, "a repository holds a blob without bytes"),
        (Flaw::BytesFirst, "a repository holds a blob without bytes"),
        (Flaw::NoRenewal, "a blob that a client was told exists has gone"),
        (Flaw::RowsBeforeList, "a repository holds a blob without bytes"),
        (Flaw::NoLookAtPlace, "bytes stay that nothing leads to though nobody died"),
    ] {
        let (broken, way) = search(flaw).broken.unwrap_or_else(|| panic!("{flaw:?} was not found"));
        assert_eq!(broken, breaks, "{flaw:?}: {way:#?}");
    }
}

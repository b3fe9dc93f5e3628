//! What commands showed of trees: kept for the session, so that nothing is run twice without need.
//!
//! All checks have one profile, pinned when the run began, so a tree and a command (with the report that it is to write) say
//! what was run. Whoever asks for a look that somebody else takes just now waits for it. The runs of one command on one tree
//! are kept in the order in which they were made: a check that was red is run again once, whoever asks. Kept are at most
//! [`MOST`] bytes, and what nobody has asked for longest goes first: in a wave of many tasks each has looks that are
//! its own, and all share those at the base. What a limit cut off, or what never ran, is not kept.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use dashmap::DashMap;
use seawall_core::ids::Tree;
use seawall_core::path::RepoPath;
use seawall_verify::{End, Ran};

use crate::error::ExecuteError;

/// Bytes that are kept in memory.
const MOST: usize = 1 << 20;
/// What a run takes besides its command and its output, roughly.
const EACH: usize = 1024;

/// What says that two runs show the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) tree: Tree,
    pub(crate) command: Vec<u8>,
    pub(crate) junit: Option<RepoPath>,
}

/// One run that was made, and where its output is.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) ran: Arc<Ran>,
    pub(crate) log: PathBuf,
}

/// The runs of one command on one tree, and when they were last asked for.
#[derive(Debug, Default)]
struct Runs {
    made: Vec<Made>,
    bytes: usize,
    asked: u64,
}

/// Held while a run is made: whoever wants the same waits.
type Slot = Arc<tokio::sync::Mutex<Runs>>;

/// All that is kept.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    known: DashMap<Arc<Key>, Slot>,
    order: std::sync::Mutex<Order>,
}

/// What is kept, by when it was last asked for.
#[derive(Debug, Default)]
struct Order {
    keys: BTreeMap<u64, (Arc<Key>, usize)>,
    bytes: usize,
    /// The number of times that something was asked for.
    now: u64,
}

impl Looks {
    /// The run of that number (from 0) of a command on a tree: one that is known, or what `make` makes.
    pub(crate) async fn run<F>(
        &self,
        key: &Key,
        number: usize,
        make: impl FnOnce() -> F,
    ) -> Result<Made, ExecuteError>
    where
        F: Future<Output = Result<Made, ExecuteError>>,
    {
        let key = Arc::new(key.clone());
        let slot = Arc::clone(&self.known.entry(Arc::clone(&key)).or_default());
        let mut runs = slot.lock().await;
        let made = match runs.made.get(number).cloned() {
            Some(made) => made,
            None => {
                let made = make().await?;
                if matches!(made.ran.end, End::Exited(_) | End::Signalled(_)) {
                    runs.bytes += made.ran.end_of_output.len() + key.command.len() + EACH;
                    // Most commands are run once on a tree.
                    runs.made.reserve_exact(1);
                    runs.made.push(made.clone());
                }
                made
            }
        };
        match runs.made.is_empty() {
            true => drop(self.known.remove(&key)),
            false => self.keep(key, &slot, &mut runs),
        }
        Ok(made)
    }

    /// Notes that runs were asked for, and drops those that nobody has asked for longest.
    fn keep(&self, key: Arc<Key>, slot: &Slot, runs: &mut Runs) {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        order.forget(runs.asked);
        order.now += 1;
        runs.asked = order.now;
        order.bytes += runs.bytes;
        // They may have been dropped while somebody had hold of them.
        self.known.insert(Arc::clone(&key), Arc::clone(slot));
        order.keys.insert(runs.asked, (key, runs.bytes));
        while order.bytes > MOST {
            let Some((asked, oldest)) = order.oldest() else {
                return;
            };
            order.forget(asked);
            self.known.remove(&oldest);
        }
    }
}

impl Order {
    fn oldest(&self) -> Option<(u64, Arc<Key>)> {
        let (asked, (key, _)) = self.keys.first_key_value()?;
        Some((*asked, Arc::clone(key)))
    }

    /// Takes out what was last asked for then, if it is kept.
    fn forget(&mut self, asked: u64) {
        if let Some((_, bytes)) = self.keys.remove(&asked) {
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_core::ids::Digest;
    use seawall_verify::Report;

    fn key(command: &str) -> Key {
        Key {
            tree: Tree::from("t"),
            command: command.into(),
            junit: None,
        }
    }

    fn made(end: End, bytes: usize) -> Made {
        Made {
            ran: Arc::new(Ran {
                command: "c".into(),
                tree: Tree::from("t"),
                end,
                ms: 1,
                bytes: bytes as u64,
                end_of_output: vec![b'x'; bytes],
                digest: Digest::of(b""),
                report: Report::NotAsked,
                enforced: Arc::default(),
            }),
            log: PathBuf::new(),
        }
    }

    #[tokio::test]
    async fn many_who_ask_at_once_share_one_run() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let (looks, count) = (Arc::new(Looks::default()), Arc::new(AtomicU32::new(0)));
        let ask = |number| {
            let (looks, count) = (Arc::clone(&looks), Arc::clone(&count));
            tokio::spawn(async move {
                let make = || async {
                    tokio::task::yield_now().await;
                    count.fetch_add(1, Ordering::Relaxed);
                    Ok(made(End::Exited(0), 1))
                };
                looks.run(&key("c"), number, make).await.unwrap();
            })
        };
        for asked in [ask(0), ask(0), ask(0)] {
            asked.await.unwrap();
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        ask(1).await.unwrap();
        ask(1).await.unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn what_was_cut_off_is_not_kept_and_memory_is_bounded() {
        let looks = Looks::default();
        for bytes in [1, 2] {
            let make = || async { Ok(made(End::TimedOut(5), bytes)) };
            let seen = looks.run(&key("slow"), 0, make).await.unwrap();
            assert_eq!(seen.ran.bytes, bytes as u64);
        }
        for n in 0..5 {
            let make = || async { Ok(made(End::Exited(0), MOST / 3)) };
            looks.run(&key(&n.to_string()), 0, make).await.unwrap();
        }
        assert!(looks.order.lock().unwrap().bytes <= MOST);
        assert!(looks.known.get(&key("0")).is_none() && looks.known.get(&key("4")).is_some());
    }

    #[tokio::test]
    async fn what_is_asked_for_again_and_again_stays() {
        let looks = Looks::default();
        for n in 0..9 {
            let base = || async { Ok(made(End::Exited(0), MOST / 4)) };
            let first = looks.run(&key("the suite on the base"), 0, base).await;
            let own = || async { Ok(made(End::Exited(0), MOST / 4)) };
            looks.run(&key(&n.to_string()), 0, own).await.unwrap();
            assert_eq!(first.unwrap().ran.bytes, MOST as u64 / 4);
        }
        let kept = |command: &str| looks.known.get(&key(command)).is_some();
        assert!(kept("the suite on the base") && kept("8") && !kept("0"));
        assert_eq!(looks.order.lock().unwrap().keys.len(), looks.known.len());
    }
}

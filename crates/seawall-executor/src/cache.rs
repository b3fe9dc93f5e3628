//! What commands showed of trees: kept for the session, so that nothing is run twice without need.
//!
//! All checks have one profile, pinned when the run began, so a tree and a command (with the report that it is to write) say
//! what was run. Whoever asks for a look that somebody else takes just now waits for it. The runs of one command on one tree
//! are kept in the order in which they were made: a check that was red is run again once, whoever asks. Kept are at most
//! [`MOST`] bytes of output, the oldest go first; what a limit cut off, or what never ran, is not kept.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use dashmap::DashMap;
use seawall_core::ids::Tree;
use seawall_core::path::RepoPath;
use seawall_verify::{End, Ran};

use crate::error::ExecuteError;

/// Bytes of output that are kept in memory.
const MOST: usize = 16 << 20;
/// What a run takes besides its output, roughly.
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

/// The runs of one command on one tree.
type Runs = Arc<tokio::sync::Mutex<Vec<Made>>>;

/// All that is kept.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    known: DashMap<Key, Runs>,
    order: std::sync::Mutex<Order>,
}

/// What was kept when, the oldest first.
#[derive(Debug, Default)]
struct Order {
    keys: VecDeque<(Key, usize)>,
    bytes: usize,
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
        let runs = Arc::clone(&self.known.entry(key.clone()).or_default());
        // Held while it is made: whoever wants the same waits.
        let mut runs = runs.lock().await;
        if let Some(made) = runs.get(number) {
            return Ok(made.clone());
        }
        let made = make().await?;
        if matches!(made.ran.end, End::Exited(_) | End::Signalled(_)) {
            runs.push(made.clone());
            self.keep(key, &made.ran);
        }
        Ok(made)
    }

    fn keep(&self, key: &Key, ran: &Ran) {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = ran.end_of_output.len() + key.command.len() + EACH;
        order.keys.push_back((key.clone(), bytes));
        order.bytes += bytes;
        while order.bytes > MOST {
            let Some((oldest, bytes)) = order.keys.pop_front() else {
                return;
            };
            order.bytes -= bytes;
            self.known.remove(&oldest);
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
            let make = || async { Ok(made(End::Exited(0), 5 << 20)) };
            looks.run(&key(&n.to_string()), 0, make).await.unwrap();
        }
        assert!(looks.order.lock().unwrap().bytes <= MOST);
        assert!(looks.known.get(&key("0")).is_none() && looks.known.get(&key("4")).is_some());
    }
}

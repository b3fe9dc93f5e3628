//! Which tasks make a checkpoint red: delta debugging over the accepted tasks of a wave.
//!
//! The tasks of a wave own disjoint files, so every subset of their changes applies. The algorithm
//! (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002: ddmin) is written
//! as a function of the answers so far: it runs from the start each time and stops at the first question
//! that has no answer yet. That costs a replay of a few set operations per answer and saves all state,
//! so a crash in the middle of narrowing needs nothing special.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::TaskIx;

/// The answers so far: for a set of tasks in plan order, whether the gates pass on their changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Answers(BTreeMap<Vec<TaskIx>, bool>);

/// What to do next about a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Narrowed {
    /// Run the gates on these tasks' changes.
    Ask(Vec<TaskIx>),
    /// Finished.
    Done {
        /// The tasks whose changes pass together; may be empty.
        lands: Vec<TaskIx>,
        /// The smallest sets that are red, in the order found; disjoint.
        culprits: Vec<Vec<TaskIx>>,
    },
}

impl Answers {
    /// Notes that the gates passed (or not) on the changes of `tasks`.
    pub fn note(&mut self, tasks: Vec<TaskIx>, passes: bool) {
        self.0.insert(tasks, passes);
    }

    /// How many answers there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Goes as far as the answers reach. `accepted` is in plan order. The empty set passes: it is the base, which is green.
    #[must_use]
    pub fn narrow(&self, accepted: &[TaskIx]) -> Narrowed {
        let mut lands = accepted.to_vec();
        let mut culprits = Vec::new();
        loop {
            match self.red(&lands) {
                Err(ask) => return Narrowed::Ask(ask),
                Ok(false) => return Narrowed::Done { lands, culprits },
                Ok(true) => {}
            }
            match self.minimise(lands.clone()) {
                Err(ask) => return Narrowed::Ask(ask),
                Ok(culprit) => {
                    lands.retain(|task| culprit.binary_search(task).is_err());
                    culprits.push(culprit);
                }
            }
        }
    }

    /// A smallest subset of `tasks` that is red; none when all together are not. `Err` is the question to answer first.
    pub(crate) fn smallest(&self, tasks: &[TaskIx]) -> Result<Option<Vec<TaskIx>>, Vec<TaskIx>> {
        if self.red(tasks)? {
            self.minimise(tasks.to_vec()).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Whether `tasks` are red, or the question.
    fn red(&self, tasks: &[TaskIx]) -> Result<bool, Vec<TaskIx>> {
        if tasks.is_empty() {
            return Ok(false);
        }
        self.0
            .get(tasks)
            .map(|passes| !passes)
            .ok_or_else(|| tasks.to_vec())
    }

    /// ddmin: a subset of the red set `tasks` of which no single task can be taken away.
    fn minimise(&self, mut tasks: Vec<TaskIx>) -> Result<Vec<TaskIx>, Vec<TaskIx>> {
        let mut parts = 2;
        while tasks.len() > 1 {
            parts = parts.min(tasks.len());
            if let Some(chunk) = self.first_red(chunks(&tasks, parts))? {
                (tasks, parts) = (chunk, 2);
            } else if let Some(rest) = self.first_red(complements(&tasks, parts))? {
                (tasks, parts) = (rest, (parts - 1).max(2));
            } else if parts == tasks.len() {
                break;
            } else {
                parts *= 2;
            }
        }
        Ok(tasks)
    }

    fn first_red(
        &self,
        sets: impl Iterator<Item = Vec<TaskIx>>,
    ) -> Result<Option<Vec<TaskIx>>, Vec<TaskIx>> {
        for set in sets {
            if self.red(&set)? {
                return Ok(Some(set));
            }
        }
        Ok(None)
    }
}

fn chunks(tasks: &[TaskIx], parts: usize) -> impl Iterator<Item = Vec<TaskIx>> {
    tasks
        .chunks(tasks.len().div_ceil(parts))
        .map(<[TaskIx]>::to_vec)
}

/// What is left when a chunk is taken out, chunk by chunk. By position: the answers are replayed at every
/// step, so a search here would cost the square of a large wave.
fn complements(tasks: &[TaskIx], parts: usize) -> impl Iterator<Item = Vec<TaskIx>> {
    let size = tasks.len().div_ceil(parts);
    (0..tasks.len()).step_by(size).map(move |from| {
        let after = tasks.get(from + size..).unwrap_or_default();
        [&tasks[..from], after].concat()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[u32]) -> Vec<TaskIx> {
        numbers.iter().copied().map(TaskIx).collect()
    }

    /// Narrows `count` tasks where a set is red as soon as it contains one of `red`.
    fn narrow(count: u32, red: &[&[u32]]) -> (Vec<TaskIx>, Vec<Vec<TaskIx>>, usize) {
        let all: Vec<_> = (0..count).map(TaskIx).collect();
        let mut answers = Answers::default();
        loop {
            match answers.narrow(&all) {
                Narrowed::Done { lands, culprits } => return (lands, culprits, answers.count()),
                Narrowed::Ask(tasks) => {
                    assert!(!answers.0.contains_key(&tasks), "asked twice: {tasks:?}");
                    let passes = !red.iter().any(|r| set(r).iter().all(|t| tasks.contains(t)));
                    answers.note(tasks, passes);
                }
            }
        }
    }

    #[test]
    fn a_green_wave_costs_one_look() {
        assert_eq!(
            narrow(50, &[]),
            (set(&(0..50).collect::<Vec<_>>()), vec![], 1)
        );
    }

    #[test]
    fn finds_single_culprits_and_pairs() {
        for red in [
            &[&[0][..]][..],
            &[&[7]],
            &[&[3], &[11]],
            &[&[2, 9]],
            &[&[0, 15], &[4]],
            &[&[1, 2, 3]],
        ] {
            let (lands, culprits, looks) = narrow(16, red);
            let mut found: Vec<_> = culprits.clone();
            found.sort();
            let mut want: Vec<_> = red.iter().map(|r| set(r)).collect();
            want.sort();
            assert_eq!(found, want);
            assert_eq!(lands.len(), 16 - red.iter().map(|r| r.len()).sum::<usize>());
            assert!(looks < 60, "{looks} looks for {red:?}");
        }
    }

    #[test]
    fn one_of_a_thousand_costs_a_logarithm() {
        let (_, culprits, looks) = narrow(1000, &[&[777]]);
        assert_eq!(culprits, vec![set(&[777])]);
        assert!(looks <= 25, "{looks}");
    }

    #[test]
    fn all_red_lands_nothing() {
        let (lands, culprits, _) = narrow(3, &[&[0], &[1], &[2]]);
        assert_eq!((lands, culprits.len()), (vec![], 3));
    }
}

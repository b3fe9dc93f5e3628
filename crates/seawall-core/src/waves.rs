//! Waves: which tasks may run together, decided before anything is spent.
//!
//! A task's wave is one more than the latest among the tasks that it must follow: those named by `after`,
//! and those that touch the same path in a way that does not commute (write after write, read after write,
//! write after read). Which of two such tasks comes first is plan order, unless `after` turns it round: the
//! hazards follow one topological order of the `after` edges, so they can never close a cycle. One pass, in
//! time and memory proportional to the number of paths named; longest-path layering, hence as few waves as
//! this order allows.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::ids::{TaskIx, WaveNo};
use crate::path::RepoPath;
use crate::plan::{Plan, Task};

/// The waves of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves {
    /// The tasks of each wave, in plan order.
    pub waves: Vec<Vec<TaskIx>>,
    /// Tasks that a hazard, and no `after`, moved to a later wave.
    pub moved: Vec<Moved>,
}

/// A task that starts later than its `after` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The task.
    pub task: TaskIx,
    /// The wave it is in.
    pub wave: WaveNo,
    /// A task that it must follow.
    pub behind: TaskIx,
    /// The path that both touch.
    pub path: RepoPath,
    /// How.
    pub hazard: Hazard,
}

/// In which way two tasks on one path do not commute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    /// Both write it.
    WriteWrite,
    /// The later one reads what the earlier one writes.
    ReadAfterWrite,
    /// The later one writes what the earlier one reads.
    WriteAfterRead,
}

/// Tasks that wait for one another in a circle; the first is not repeated at the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tasks wait for one another in a circle")]
pub struct Cycle(pub Vec<TaskIx>);

/// The last task of a kind on a path, by wave.
#[derive(Clone, Copy)]
struct Last {
    wave: u32,
    task: TaskIx,
}

/// Who touched a path so far.
#[derive(Clone, Copy, Default)]
struct Touched {
    writer: Option<Last>,
    reader: Option<Last>,
}

/// Computes the waves of `plan`.
///
/// # Errors
/// The tasks of one cycle of `after`.
pub fn waves(plan: &Plan) -> Result<Waves, Cycle> {
    let order = topological(plan)?;
    let mut layers = Layers {
        wave_of: vec![0; plan.tasks.len()],
        touched: HashMap::with_capacity(plan.tasks.len()),
        moved: Vec::new(),
    };
    for ix in order {
        layers.place(ix, plan.task(ix));
    }
    Ok(layers.finish())
}

/// The passes' state: waves are counted from 1.
struct Layers<'a> {
    wave_of: Vec<u32>,
    touched: HashMap<&'a [u8], Touched>,
    moved: Vec<Moved>,
}

impl<'a> Layers<'a> {
    fn place(&mut self, ix: TaskIx, task: &'a Task) {
        let asked = 1 + task
            .after
            .iter()
            .map(|dep| self.wave_of[dep.index()])
            .max()
            .unwrap_or(0);
        let mut wave = asked;
        let mut why = None;
        for (path, last, hazard) in self.conflicts(task) {
            if last.wave >= wave {
                wave = last.wave + 1;
                why = Some((path, last.task, hazard));
            }
        }
        if let Some((path, behind, hazard)) = why {
            self.moved.push(Moved {
                task: ix,
                wave: WaveNo(wave),
                behind,
                path: path.clone(),
                hazard,
            });
        }
        self.wave_of[ix.index()] = wave;
        self.touch(ix, task, wave);
    }

    /// Every earlier task that `task` must follow because of a path.
    fn conflicts(&self, task: &'a Task) -> impl Iterator<Item = (&'a RepoPath, Last, Hazard)> {
        let seen = |path: &RepoPath| {
            self.touched
                .get(path.as_bytes())
                .copied()
                .unwrap_or_default()
        };
        let writes = task.owned().flat_map(move |path| {
            let Touched { writer, reader } = seen(path);
            let writer = writer.map(|last| (path, last, Hazard::WriteWrite));
            writer
                .into_iter()
                .chain(reader.map(|last| (path, last, Hazard::WriteAfterRead)))
        });
        let reads = task.reads.iter().filter_map(move |path| {
            seen(path)
                .writer
                .map(|last| (path, last, Hazard::ReadAfterWrite))
        });
        writes.chain(reads).collect::<Vec<_>>().into_iter()
    }

    fn touch(&mut self, task: TaskIx, body: &'a Task, wave: u32) {
        let later = |last: Option<Last>| match last {
            Some(last) if last.wave >= wave => Some(last),
            _ => Some(Last { wave, task }),
        };
        for path in &body.reads {
            let touched = self.touched.entry(path.as_bytes()).or_default();
            touched.reader = later(touched.reader);
        }
        for path in body.owned() {
            let touched = self.touched.entry(path.as_bytes()).or_default();
            touched.writer = later(touched.writer);
        }
    }

    fn finish(self) -> Waves {
        let count = self.wave_of.iter().max().copied().unwrap_or(0);
        let mut waves = vec![Vec::new(); count as usize];
        for (ix, wave) in (0..).map(TaskIx).zip(&self.wave_of) {
            waves[*wave as usize - 1].push(ix);
        }
        Waves {
            waves,
            moved: self.moved,
        }
    }
}

/// The tasks so that each follows its `after`, the earliest in the plan first where there is a choice.
fn topological(plan: &Plan) -> Result<Vec<TaskIx>, Cycle> {
    if plan
        .each_task()
        .all(|(ix, task)| task.after.iter().all(|dep| *dep < ix))
    {
        return Ok((0..).map(TaskIx).take(plan.tasks.len()).collect());
    }
    let mut waits: Vec<usize> = plan.tasks.iter().map(|task| task.after.len()).collect();
    let followers = followers(plan);
    let mut free: BinaryHeap<Reverse<TaskIx>> = plan
        .each_task()
        .filter(|(_, task)| task.after.is_empty())
        .map(|(ix, _)| Reverse(ix))
        .collect();
    let mut order = Vec::with_capacity(plan.tasks.len());
    while let Some(Reverse(ix)) = free.pop() {
        order.push(ix);
        for follower in &followers[ix.index()] {
            waits[follower.index()] -= 1;
            if waits[follower.index()] == 0 {
                free.push(Reverse(*follower));
            }
        }
    }
    if order.len() == plan.tasks.len() {
        Ok(order)
    } else {
        Err(cycle(plan, &waits))
    }
}

fn followers(plan: &Plan) -> Vec<Vec<TaskIx>> {
    let mut followers = vec![Vec::new(); plan.tasks.len()];
    for (ix, task) in plan.each_task() {
        for dep in &task.after {
            followers[dep.index()].push(ix);
        }
    }
    followers
}

/// Walks backwards among tasks that still wait until one comes round again.
fn cycle(plan: &Plan, waits: &[usize]) -> Cycle {
    let stuck = |ix: &TaskIx| waits[ix.index()] > 0;
    let mut path = Vec::new();
    let mut at = plan.each_task().map(|(ix, _)| ix).find(stuck);
    while let Some(ix) = at {
        if let Some(start) = path.iter().position(|seen| *seen == ix) {
            path.drain(..start);
            break;
        }
        path.push(ix);
        at = plan.task(ix).after.iter().copied().find(stuck);
    }
    path.reverse();
    Cycle(path)
}

#[cfg(test)]
mod tests;

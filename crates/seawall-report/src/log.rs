//! The journal as text, one line an event. The journal itself is the JSON.

use seawall_core::effect::{Effect, Key};
use seawall_core::event::{Event, Workspaces};
use seawall_core::evidence::{Evidence, Harvest, How, ReviewVerdict, Value, WorkerEnd};
use seawall_core::ids::{AttemptNo, TaskIx};
use seawall_core::verdict::Hold;

use crate::findings::tally;
use crate::look;
use crate::reason::list;
use crate::view::View;
use crate::words::{converted, count, duration, few, many, name, shown};

/// The line of an event that `view` has seen; `time` is when, as the caller writes times.
#[must_use]
pub fn log_line(time: &str, event: &Event, view: &View) -> String {
    format!("{}  {}", shown(time, 64), what(event, view))
}

fn what(event: &Event, view: &View) -> String {
    match event {
        Event::RunStarted(started) => format!(
            "run-started  {}  base {}  {} at once  seawall {}",
            name(&started.run),
            started.base.short(),
            count(u64::from(started.jobs), "attempt"),
            name(&started.seawall)
        ),
        Event::Issued { effect } => format!("issued  {}", issued(effect, view)),
        Event::WavePrepared {
            wave,
            round,
            problems,
            workspaces,
            moved,
            settings,
        } => {
            let made = match workspaces {
                Workspaces::Overlay => "overlays",
                Workspaces::Copy => "copies",
            };
            let moved = moved.as_ref().map_or_else(String::new, |to| {
                format!("  branch moved to {}", to.short())
            });
            let settings = settings.as_ref().map_or_else(String::new, |settings| {
                format!("  base written by git: {}", converted(settings))
            });
            format!(
                "wave-prepared  wave {wave} round {round}  {}  workspaces are {made}{moved}{settings}",
                many(problems.len(), "problem")
            )
        }
        Event::Baselined { task, evidence } => {
            format!(
                "baselined  {}  {}",
                id(view, *task),
                looks(evidence, "as the proof demands")
            )
        }
        Event::WorkspaceOpened { attempt, findings } => format!(
            "workspace-opened  {}{}",
            of(view, *attempt),
            tally(findings)
        ),
        Event::WorkerEnded { attempt, end } => {
            format!("worker-ended  {}  {}", of(view, *attempt), worker(end))
        }
        Event::Harvested { attempt, harvest } => {
            format!("harvested  {}  {}", of(view, *attempt), harvested(harvest))
        }
        Event::Verified {
            attempt,
            evidence,
            findings,
        } => format!(
            "verified  {}  {}{}",
            of(view, *attempt),
            greens(evidence),
            tally(findings)
        ),
        Event::WorkspaceDiscarded { attempt } => {
            format!("workspace-discarded  {}", of(view, *attempt))
        }
        Event::Integrated {
            wave,
            round,
            trial,
            tree,
            evidence,
        } => format!(
            "integrated  wave {wave} round {round} trial {trial}  tree {}  {}",
            tree.short(),
            greens(evidence)
        ),
        Event::Checkpointed {
            wave,
            round,
            commit,
        } => {
            format!(
                "checkpointed  wave {wave} round {round}  commit {}",
                commit.short()
            )
        }
        Event::Reviewed { attempt, review } => {
            let verdict = match review.verdict {
                ReviewVerdict::Accept => "accept",
                ReviewVerdict::Hold => "hold",
                ReviewVerdict::Reject => "reject",
            };
            format!(
                "reviewed  {}  {verdict}  {}",
                of(view, *attempt),
                worker(&review.end)
            )
        }
        Event::Probed {
            attempt,
            probe,
            evidence,
        } => format!(
            "probed  {}  probe {probe}  {}",
            of(view, *attempt),
            greens(evidence)
        ),
        Event::Sensed { task, evidence, .. } => format!(
            "sensed  {}  {}",
            id(view, *task),
            looks(evidence, "green without its change")
        ),
        Event::Approved {
            task,
            hold,
            by,
            note,
        } => format!(
            "approved  {}  {}  by {}: {}",
            id(view, *task),
            held(hold),
            shown(by, 100),
            shown(note, 400)
        ),
        Event::EffectFailed { key, why } => {
            format!(
                "effect-failed  {}  {}",
                key_text(*key, view),
                shown(why, 400)
            )
        }
        Event::Interrupted => "interrupted".to_owned(),
        Event::WallSpent => "wall-spent".to_owned(),
        Event::Resumed { jobs, rebooted } => {
            let anew = if *rebooted {
                "  after the machine started anew"
            } else {
                ""
            };
            format!(
                "resumed  {} at once{anew}",
                count(u64::from(*jobs), "attempt")
            )
        }
    }
}

fn id(view: &View, ix: TaskIx) -> String {
    view.plan()
        .tasks
        .get(ix.index())
        .map_or_else(|| format!("task {}", ix.0), |task| name(&task.id))
}

/// `attempt 3 of types:src/click/core.py`.
fn of(view: &View, attempt: AttemptNo) -> String {
    match view.task_of(attempt) {
        Some(ix) => format!("attempt {attempt} of {}", id(view, ix)),
        None => format!("attempt {attempt}"),
    }
}

fn issued(effect: &Effect, view: &View) -> String {
    let ids = |tasks: &[TaskIx]| few(tasks.iter().map(|ix| id(view, *ix)), 4, ", ");
    let more = match effect {
        Effect::Integrate { tasks, .. } | Effect::Checkpoint { tasks, .. } if !tasks.is_empty() => {
            format!("  {}", ids(tasks))
        }
        Effect::PrepareWave { base, .. }
        | Effect::Baseline { base, .. }
        | Effect::OpenWorkspace { base, .. } => format!("  on {}", base.short()),
        _ => String::new(),
    };
    format!("{}{more}", key_text(effect.key(), view))
}

fn key_text(key: Key, view: &View) -> String {
    match key {
        Key::PrepareWave(wave, round) => format!("prepare-wave {wave} round {round}"),
        Key::Baseline(task) => format!("baseline {}", id(view, task)),
        Key::OpenWorkspace(attempt) => format!("open-workspace {}", of(view, attempt)),
        Key::LaunchWorker(attempt) => format!("launch-worker {}", of(view, attempt)),
        Key::StopWorker(attempt) => format!("stop-worker {}", of(view, attempt)),
        Key::Harvest(attempt) => format!("harvest {}", of(view, attempt)),
        Key::Verify(attempt) => format!("verify {}", of(view, attempt)),
        Key::DiscardWorkspace(attempt) => format!("discard-workspace {}", of(view, attempt)),
        Key::Integrate(wave, round, trial) => {
            format!("integrate wave {wave} round {round} trial {trial}")
        }
        Key::Review(attempt) => format!("review {}", of(view, attempt)),
        Key::Probe(attempt, probe) => format!("probe {probe} of {}", of(view, attempt)),
        Key::Sense(wave, round, task) => {
            format!("sense {} wave {wave} round {round}", id(view, task))
        }
        Key::Checkpoint(wave, round) => format!("checkpoint wave {wave} round {round}"),
    }
}

/// What keeps a task from landing, in a few words.
pub(crate) fn held(hold: &Hold) -> String {
    match hold {
        Hold::Criterion(n) => format!("criterion {}", n + 1),
        Hold::Finding(code) => format!("finding {}", shown(code, 20)),
        Hold::Review => "review".to_owned(),
        Hold::Weak => "weak evidence".to_owned(),
        Hold::Flaky(n) => format!("flaky check {}", n + 1),
        Hold::FlakyGate(n) => format!("flaky checkpoint check {}", n + 1),
    }
}

/// `2 of 3 green`.
fn looks(evidence: &[Evidence], good: &str) -> String {
    let passing = evidence.iter().filter(|look| look.passes()).count();
    tell(evidence, passing, good)
}

fn tell(evidence: &[Evidence], passing: usize, good: &str) -> String {
    let blind = evidence
        .iter()
        .filter(|look| look.value == Value::CouldNotLook);
    let blind = match blind.count() {
        0 => String::new(),
        n => format!(", {n} could not be looked at"),
    };
    let tests = look::tests(evidence).map_or(String::new(), |n| format!(", {}", count(n, "test")));
    format!("{passing} of {} {good}{blind}{tests}", evidence.len())
}

/// `1 of 2 green, 1 red as declared`: what the plan lets be red (`red_until`, `baseline = "red"`) passes and is not green.
fn greens(evidence: &[Evidence]) -> String {
    let declared = evidence.iter().filter(|look| is_declared(look)).count();
    let passing = evidence.iter().filter(|look| look.passes()).count();
    match declared {
        0 => looks(evidence, "green"),
        n => tell(
            evidence,
            passing - n,
            &format!("green, {n} red as declared"),
        ),
    }
}

/// A rule has no exit status, and that of a command may hide its failures: there the reason says it.
fn is_declared(look: &Evidence) -> bool {
    let red = look.exit.is_some_and(|status| status != 0);
    look.passes() && (red || look.why.starts_with("red, as declared"))
}

/// How a worker ended, in a few words.
pub(crate) fn worker(end: &WorkerEnd) -> String {
    let how = match &end.how {
        How::Exited(status) => format!("exit status {status}"),
        How::Signalled(signal) => format!("signal {signal}"),
        How::Killed(limit) => format!("killed: {}", shown(limit, 100)),
        How::TimedOut => "timed out".to_owned(),
        How::Silent => "silent for too long".to_owned(),
        How::Stopped => "stopped with the run".to_owned(),
        How::CouldNotStart(why) => format!("could not start: {}", shown(why, 300)),
    };
    let (time, output) = (duration(end.ms), count(end.bytes, "byte"));
    format!(
        "{how} after {time}, {output} of output{}{}",
        leftovers(end.leftovers),
        limits(end)
    )
}

/// The limits that were met by a worker that was not killed for it: a shell goes on when what it has started is killed.
fn limits(end: &WorkerEnd) -> String {
    match &end.how {
        How::Killed(_) => String::new(),
        _ => end
            .limits
            .iter()
            .map(|limit| format!(", limit met: {}", shown(limit, 100)))
            .collect(),
    }
}

fn leftovers(n: u32) -> String {
    match n {
        0 => String::new(),
        1 => ", 1 process outlived it and was ended".to_owned(),
        n => format!(", {n} processes outlived it and were ended"),
    }
}

/// What was harvested, in a few words.
pub(crate) fn harvested(harvest: &Harvest) -> String {
    match harvest {
        Harvest::Empty => "nothing changed".to_owned(),
        Harvest::Drift { what, total } => format!(
            "{} to what the task does not own: {}",
            count(*total, "change"),
            list(what, *total)
        ),
        Harvest::Missing { what } => {
            format!("promises broken: {}", list(what, what.len() as u64))
        }
        Harvest::Changed(change) => format!(
            "{}, +{} -{}, commit {}",
            many(change.paths.len(), "file"),
            change.insertions,
            change.deletions,
            change.commit.short()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::look;

    #[test]
    fn a_declared_red_is_not_called_green() {
        let (green, red) = (Value::Pass, Value::Fail);
        let of = |value, exit, why: &str| Evidence {
            exit,
            ..look(value, why, "")
        };
        let declared = "red, as declared until `types` (exit status 1)";
        let rule = of(green, None, declared);
        let cases = [
            (vec![of(green, Some(0), "exit status 0")], "1 of 1 green"),
            (
                vec![of(green, Some(1), declared)],
                "0 of 1 green, 1 red as declared",
            ),
            (vec![rule.clone()], "0 of 1 green, 1 red as declared"),
            (
                vec![of(green, None, "no line of 3 files matches")],
                "1 of 1 green",
            ),
            (vec![of(red, Some(1), "exit status 1")], "0 of 1 green"),
            (
                vec![of(green, Some(0), ""), rule, of(red, Some(1), "")],
                "1 of 3 green, 1 red as declared",
            ),
        ];
        for (evidence, said) in cases {
            assert_eq!(greens(&evidence), said);
        }
    }
}

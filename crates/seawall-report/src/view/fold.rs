//! What each event adds to the view.
//!
//! Whether an attempt failed is read from the event with the scheduler's own table
//! ([`seawall_core::lifecycle::next`]), and in `round` who made a checkpoint red with its own narrowing
//! ([`seawall_core::narrow`]): live, several events are applied before the first of them is told, so the scheduler may
//! be ahead of the event. It is asked for last words only, which nothing but an approval changes, between two sessions.

use std::sync::Arc;

use seawall_core::effect::{Effect, Key};
use seawall_core::event::{Event, Settings};
use seawall_core::evidence::Harvest;
use seawall_core::ids::{AttemptNo, Commit, TaskIx, WaveNo};
use seawall_core::lifecycle::{self, Next, Stage};
use seawall_core::scheduler::{Scheduler, Standing};
use seawall_core::verdict::Verdict;

use super::{AttemptView, Fate, News, Session, View};

impl View {
    /// Adds an event that was applied to `scheduler`, at `at_ms` milliseconds since 1970-01-01 UTC.
    pub fn see(&mut self, at_ms: u64, event: &Event, scheduler: &Scheduler) {
        self.news.clear();
        self.clock(at_ms, event);
        match event {
            Event::RunStarted(started) => {
                self.started = Some(started.clone());
                self.news.push(News::Began);
            }
            Event::Issued { effect } => self.issued(at_ms, effect),
            Event::WavePrepared {
                wave,
                round,
                problems,
                workspaces,
                moved,
                settings,
            } => {
                self.workspaces = Some(*workspaces);
                self.moved_on(moved.as_ref());
                self.set(settings.as_ref());
                self.prepared(*wave, *round, problems, scheduler);
            }
            Event::Baselined { task, evidence } => {
                self.tasks[task.index()].baseline = evidence.as_slice().into();
                self.last_word(*task, scheduler);
            }
            Event::WorkspaceOpened { attempt, .. }
            | Event::WorkerEnded { attempt, .. }
            | Event::Harvested { attempt, .. }
            | Event::Verified { attempt, .. }
            | Event::Reviewed { attempt, .. }
            | Event::Probed { attempt, .. } => {
                self.attempt_event(at_ms, *attempt, event, scheduler);
            }
            Event::Sensed { task, evidence, .. } => self.sensed(*task, evidence, scheduler),
            Event::Approved {
                task,
                hold,
                by,
                note,
            } => self.approved(*task, (hold, by, note), scheduler),
            Event::WorkspaceDiscarded { .. } => {}
            Event::Integrated {
                wave: WaveNo(0),
                evidence,
                ..
            } => {
                self.base_evidence = evidence.as_slice().into();
                self.news.push(News::BaseJudged);
            }
            Event::Integrated {
                wave,
                round,
                trial,
                tree,
                evidence,
            } => self.integrated((*wave, *round, *trial), tree, evidence, scheduler),
            Event::Checkpointed {
                wave,
                round,
                commit,
            } => self.checkpointed(at_ms, *wave, *round, commit, scheduler),
            Event::EffectFailed { key, why } => self.failed(*key, why),
            Event::Interrupted => self.news.push(News::Interrupted),
            Event::WallSpent => self.news.push(News::WallSpent),
            Event::Resumed { jobs, rebooted } => self.resumed(*jobs, *rebooted, scheduler),
        }
        self.decided(event, scheduler);
        self.passed_over(scheduler);
    }

    /// The last words of tasks that waited for others. They are decided together, so that one look at the first says
    /// whether there is news; at the end of a round each is looked at.
    fn decided(&mut self, event: &Event, scheduler: &Scheduler) {
        let ended = |ix: &TaskIx| matches!(scheduler.standing(*ix), Standing::Ended(_));
        let round_ends = matches!(
            event,
            Event::Probed { .. } | Event::Integrated { .. } | Event::Checkpointed { .. }
        );
        if !round_ends && !self.undecided.first().is_some_and(ended) {
            return;
        }
        let all: Vec<_> = self.undecided.iter().copied().filter(ended).collect();
        for ix in all {
            self.undecided.remove(&ix);
            self.last_word(ix, scheduler);
        }
    }

    fn clock(&mut self, at_ms: u64, event: &Event) {
        let begins = matches!(event, Event::RunStarted(_) | Event::Resumed { .. });
        match self.sessions.last_mut() {
            Some(session) if !begins => session.to_ms = session.to_ms.max(at_ms),
            _ => self.sessions.push(Session {
                from_ms: at_ms,
                to_ms: at_ms,
            }),
        }
    }

    fn issued(&mut self, at_ms: u64, effect: &Effect) {
        match effect {
            Effect::OpenWorkspace {
                task,
                attempt,
                base,
            } => self.opening(at_ms, *task, *attempt, base),
            Effect::LaunchWorker { task, attempt, .. } => {
                if let Some(body) = self.attempt_mut(*task, *attempt) {
                    body.working = true;
                }
            }
            Effect::Probe {
                task, attempt, on, ..
            } if on.is_empty() => {
                self.live.insert(*attempt, *task);
                if let Some(body) = self.attempt_mut(*task, *attempt) {
                    body.fate = Fate::Live(Stage::Parked);
                }
            }
            Effect::Integrate {
                wave,
                round,
                trial,
                tasks,
                ..
            } if wave.0 > 0 => self.trying((*wave, *round, *trial), tasks),
            Effect::Checkpoint { tasks, tree, .. } => {
                self.round.lands.clone_from(tasks);
                self.round.tree = Some(tree.clone());
            }
            _ => {}
        }
    }

    /// An effect that is owed again after a crash is issued again: only the first time counts.
    fn opening(&mut self, at_ms: u64, ix: TaskIx, number: AttemptNo, base: &Commit) {
        let task = &mut self.tasks[ix.index()];
        if task.attempt(number).is_some() {
            return;
        }
        self.undecided.remove(&ix);
        let task = &mut self.tasks[ix.index()];
        let counted = |attempt: &&AttemptView| attempt.fate != Fate::Lost;
        let before = task.attempts.iter().filter(counted).count();
        // Most tasks have one, and there may be many tasks: room for four would be three too many.
        task.attempts.reserve_exact(1);
        task.attempts.push(AttemptView {
            number,
            dispatch: u32::try_from(before + 1).unwrap_or(u32::MAX),
            base: base.clone(),
            began_ms: at_ms,
            seen_ms: at_ms,
            working: false,
            worker: None,
            harvest: None,
            evidence: Arc::new([]),
            findings: Vec::new(),
            review: None,
            sensed: None,
            fate: Fate::Live(Stage::Opening),
        });
        self.live.insert(number, ix);
        self.owners.insert(number, ix);
    }

    fn attempt_mut(&mut self, ix: TaskIx, number: AttemptNo) -> Option<&mut AttemptView> {
        let attempts = &mut self.tasks[ix.index()].attempts;
        attempts
            .iter_mut()
            .rev()
            .find(|attempt| attempt.number == number)
    }

    /// The branch that the run began on is told of again only when it stands elsewhere.
    fn moved_on(&mut self, to: Option<&Commit>) {
        if self.moved.as_ref() != to {
            self.moved = to.cloned();
            self.news.extend(to.cloned().map(News::Moved));
        }
    }

    /// The base is the same for the whole run, so its files are told of once.
    fn set(&mut self, settings: Option<&Settings>) {
        if self.settings.as_ref() != settings {
            self.settings = settings.cloned();
            self.news.push(News::Settings);
        }
    }

    fn prepared(
        &mut self,
        wave: WaveNo,
        round: u32,
        problems: &[(TaskIx, String)],
        scheduler: &Scheduler,
    ) {
        self.pass_over(wave, scheduler);
        let members = self.members(wave, problems, scheduler);
        self.news.push(News::Wave {
            wave,
            round,
            tasks: members,
        });
        for (task, _) in problems {
            self.last_word(*task, scheduler);
        }
    }

    /// Tasks of the wave whose last word, if they have one, comes from this event.
    fn members(&self, wave: WaveNo, problems: &[(TaskIx, String)], scheduler: &Scheduler) -> usize {
        let waves = &self.waves.waves;
        let tasks = waves
            .get((wave.0 as usize).wrapping_sub(1))
            .map_or(&[][..], Vec::as_slice);
        let open = |task: &&TaskIx| !matches!(scheduler.standing(**task), Standing::Ended(_));
        tasks.iter().filter(open).count() + problems.len()
    }

    fn attempt_event(
        &mut self,
        at_ms: u64,
        number: AttemptNo,
        event: &Event,
        scheduler: &Scheduler,
    ) {
        let Some(ix) = self.live.get(&number).copied() else {
            return;
        };
        let plan = Arc::clone(&self.plan);
        let repeats = self.repeats(ix, event);
        let Some(body) = self.attempt_mut(ix, number) else {
            return;
        };
        body.keep(at_ms, event);
        if let Fate::Live(stage) = body.fate
            && let Ok((stage, next)) = lifecycle::next(stage, plan.task(ix), event)
        {
            body.fate = fate(stage, next, repeats);
        }
        // Told as rejected when its checks were red, it is judged anew once what it needs has landed.
        if let (Fate::Live(Stage::Parked), Event::Probed { evidence, .. }) = (&body.fate, event) {
            let (stage, next) = lifecycle::after_checks(plan.task(ix), evidence, &[]);
            body.fate = fate(stage, next, false);
        }
        match body.fate {
            Fate::Live(Stage::Working) => self.news.push(News::Dispatched(ix)),
            Fate::Live(_) => {}
            _ => {
                self.live.remove(&number);
                self.news.push(News::Attempt(ix));
                self.undecided.insert(ix);
            }
        }
        self.last_word(ix, scheduler);
    }

    /// Whether a harvest is a change of this task that was rejected before.
    fn repeats(&self, ix: TaskIx, event: &Event) -> bool {
        let Event::Harvested {
            harvest: Harvest::Changed(change),
            ..
        } = event
        else {
            return false;
        };
        let rejected = |attempt: &AttemptView| {
            matches!(attempt.fate, Fate::Rejected(_) | Fate::Culprit { .. })
                && attempt
                    .change()
                    .is_some_and(|old| old.digest == change.digest)
        };
        self.task(ix).attempts.iter().any(rejected)
    }

    fn failed(&mut self, key: Key, why: &str) {
        if let Key::LaunchWorker(number) = key
            && let Some(ix) = self.live.get(&number).copied()
            && let Some(body) = self.attempt_mut(ix, number)
        {
            body.working = false;
        }
        self.parked.get_or_insert_with(|| why.to_owned());
        self.news.push(News::Parked(why.to_owned()));
    }

    fn resumed(&mut self, jobs: u32, rebooted: bool, scheduler: &Scheduler) {
        self.parked = None;
        let is_lost = |fate: &Fate| match fate {
            Fate::Live(Stage::Working) => true,
            Fate::Live(Stage::Harvesting) => rebooted,
            _ => false,
        };
        let lost: Vec<_> = self
            .live()
            .filter(|(_, attempt)| attempt.working && is_lost(&attempt.fate))
            .map(|(ix, attempt)| (attempt.number, ix))
            .collect();
        self.news.push(News::Resumed {
            jobs,
            lost: lost.len(),
            away_ms: self.away(),
        });
        for (number, ix) in lost {
            if let Some(body) = self.attempt_mut(ix, number) {
                body.fate = Fate::Lost;
            }
            self.live.remove(&number);
            self.last_word(ix, scheduler);
        }
    }

    /// Between the last two sessions.
    fn away(&self) -> u64 {
        match self.sessions.as_slice() {
            [.., before, now] => now.from_ms.saturating_sub(before.to_ms),
            _ => 0,
        }
    }

    /// Says a task's end once; accepted tasks are told by their checkpoint.
    pub(super) fn last_word(&mut self, ix: TaskIx, scheduler: &Scheduler) {
        let task = &mut self.tasks[ix.index()];
        let Standing::Ended(verdict) = scheduler.standing(ix) else {
            return;
        };
        if *verdict != Verdict::Accepted && !task.told {
            task.told = true;
            if let Some(open) = scheduler.held(ix) {
                task.holds = open.to_vec();
            }
            let last = task.attempts.last_mut();
            if let Some(body) =
                last.filter(|body| *verdict == Verdict::NeedsHuman && body.fate == Fate::Passed)
            {
                body.fate = Fate::NeedsHuman; // it passed, and is held
            }
            self.news.push(News::Ended(ix));
        }
    }

    /// Tasks of waves that the scheduler has reached, and that ended without being tried.
    fn passed_over(&mut self, scheduler: &Scheduler) {
        // The wave in work has its tasks told when it is prepared; afterwards only later ones are left.
        let (wave, _) = scheduler.wave();
        self.pass_over(wave, scheduler);
    }

    fn pass_over(&mut self, reached: WaveNo, scheduler: &Scheduler) {
        let waves = Arc::clone(&self.waves);
        while self.waves_seen < reached.0 {
            let members = waves.waves.get(self.waves_seen as usize);
            for ix in members.into_iter().flatten() {
                self.last_word(*ix, scheduler);
            }
            self.waves_seen += 1;
        }
    }
}

fn fate(stage: Stage, next: Next, repeats: bool) -> Fate {
    match next {
        Next::Verify(_) if repeats => Fate::Stuck,
        Next::Launch | Next::Harvest | Next::Verify(_) | Next::Review(_) => Fate::Live(stage),
        Next::Accept => Fate::Passed,
        Next::AskHuman(_) => Fate::NeedsHuman,
        Next::Reject(rejection) => Fate::Rejected(rejection),
        Next::Lose => Fate::Lost,
    }
}

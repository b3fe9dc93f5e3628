//! What may happen next: an effect is issued or answered, a person approves, the run is interrupted, crashes, goes on.

use super::*;

/// Events that a walk may still use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Trouble {
    pub(super) crashes: u32,
    pub(super) interrupts: u32,
    pub(super) faults: u32,
    pub(super) wall: u32,
    pub(super) approvals: u32,
}

pub(super) const NO_TROUBLE: Trouble = Trouble {
    crashes: 0,
    interrupts: 0,
    faults: 0,
    wall: 0,
    approvals: 0,
};

/// What persons may approve of.
pub(super) fn approvals(at: &Scheduler) -> impl Iterator<Item = Event> {
    let open = |(ix, task): (TaskIx, _)| {
        let _: &crate::plan::Task = task;
        let holds = at.held(ix).unwrap_or_default().iter();
        holds.map(move |hold| Event::Approved {
            task: ix,
            hold: hold.clone(),
            by: String::new(),
            note: String::new(),
        })
    };
    at.plan.each_task().flat_map(open)
}

/// A new supervisor, on the machine as it was and after it started anew.
pub(super) fn resumptions(at: &Scheduler) -> impl Iterator<Item = Event> {
    let jobs = at.state.jobs;
    [false, true]
        .into_iter()
        .map(move |rebooted| Event::Resumed { jobs, rebooted })
}

/// The steps that are possible from here, and what trouble is left after each.
pub(super) fn steps(at: &Scheduler, trouble: Trouble, world: &World) -> Vec<(Event, Trouble)> {
    let mut all = Vec::new();
    let outcome = at.outcome();
    if trouble.approvals > 0 {
        let less = Trouble {
            approvals: trouble.approvals - 1,
            ..trouble
        };
        all.extend(approvals(at).map(|event| (event, less)));
    }
    if trouble.crashes > 0 && !matches!(outcome, Some(Outcome::Finished | Outcome::Refused)) {
        let less = Trouble {
            crashes: trouble.crashes - 1,
            ..trouble
        };
        all.extend(resumptions(at).map(|event| (event, less)));
    }
    match outcome {
        Some(Outcome::Finished | Outcome::Refused) => return all,
        Some(Outcome::Parked(_) | Outcome::Interrupted) => {
            all.extend(resumptions(at).map(|event| (event, trouble)));
            return all;
        }
        None => {}
    }
    // Answers may come in between: a turn of the loop takes in all that have arrived before it issues.
    all.extend(
        at.due()
            .into_iter()
            .next()
            .map(|effect| (Event::Issued { effect }, trouble)),
    );
    if trouble.interrupts > 0 && !at.state.halt.interrupted {
        all.push((
            Event::Interrupted,
            Trouble {
                interrupts: trouble.interrupts - 1,
                ..trouble
            },
        ));
    }
    if trouble.wall > 0 {
        all.push((
            Event::WallSpent,
            Trouble {
                wall: trouble.wall - 1,
                ..trouble
            },
        ));
    }
    for effect in at.in_flight() {
        if trouble.faults > 0 && !matches!(effect, Effect::StopWorker { .. }) {
            let failed = Event::EffectFailed {
                key: effect.key(),
                why: "disk full".into(),
            };
            all.push((
                failed,
                Trouble {
                    faults: trouble.faults - 1,
                    ..trouble
                },
            ));
        }
        all.extend(
            answers(effect, at, world)
                .into_iter()
                .map(|event| (event, trouble)),
        );
    }
    all
}

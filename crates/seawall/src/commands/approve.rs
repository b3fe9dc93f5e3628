//! `seawall approve`: a person takes the responsibility for what keeps a change from landing.
//!
//! The journal records who and why, under the run's lock; nothing is run. `seawall resume` goes on with what is approved of.

use seawall_core::event::Event;
use seawall_core::ids::TaskIx;
use seawall_core::plan::{Criterion, Plan};
use seawall_core::scheduler::Scheduler;
use seawall_core::verdict::Hold;
use seawall_core::words::many;
use seawall_git::Store;
use seawall_journal::Journal;
use seawall_plan::explain;
use serde_json::{Value, json};

use super::show::find;
use crate::args::ApproveArgs;
use crate::failure::{FINE, Failure};
use crate::journal::{EventLog, now_ms};
use crate::output;
use crate::runs::{self, Replayed, RunDir};

/// The longest note, in bytes.
const LONGEST: usize = 10_000;

pub(crate) fn run(store: &Store, args: &ApproveArgs) -> Result<u8, Failure> {
    let dir = runs::find(store, args.run.as_deref())?;
    match (&args.task, &args.criterion) {
        (Some(task), Some(criterion)) => approve(&dir, (task, criterion), args),
        (task, _) => list(&dir, task.as_deref(), args.json),
    }
}

fn list(dir: &RunDir, task: Option<&str>, as_json: bool) -> Result<u8, Failure> {
    let run = dir.read()?;
    let only = task.map(|task| find(&run, task)).transpose()?;
    let asked = |ix: TaskIx| only.is_none_or(|only| only == ix);
    let all: Vec<_> = open(&run.scheduler).filter(|(ix, _)| asked(*ix)).collect();
    if as_json {
        let tasks = all
            .iter()
            .map(|(ix, hold)| object(&run.scheduler, *ix, hold));
        output::say_json(&json!({"run": dir.id, "held": tasks.collect::<Vec<_>>()}));
        return Ok(FINE);
    }
    if all.is_empty() {
        output::say(&format!("run {}: nothing waits for an approval\n", dir.id));
        return Ok(FINE);
    }
    for (ix, hold) in &all {
        let (plan, id) = (run.scheduler.plan(), &run.scheduler.plan().task(*ix).id);
        let (name, what) = (name(hold), sentence(plan, *ix, hold));
        output::say(&format!("{id}  {name}  {what}\n"));
    }
    output::say(&format!(
        "\nnext  seawall approve {} TASK CRITERION --note WHY\n",
        dir.id
    ));
    Ok(FINE)
}

/// Everything that waits for a person, in plan order.
fn open(scheduler: &Scheduler) -> impl Iterator<Item = (TaskIx, Hold)> {
    let tasks = scheduler.plan().each_task();
    tasks.flat_map(|(ix, _)| {
        let held = scheduler.held(ix).unwrap_or_default();
        held.iter().map(move |hold| (ix, hold.clone()))
    })
}

fn approve(dir: &RunDir, (task, word): (&str, &str), args: &ApproveArgs) -> Result<u8, Failure> {
    let note = note(args.note.as_deref())?;
    let _lock = dir.lock()?;
    let (journal, opened) = Journal::open(&dir.journal())?;
    let mut journal = EventLog(journal);
    let Replayed { mut scheduler, .. } = dir.replay(opened.records)?;
    let ix = find_in(&scheduler, dir, task)?;
    let held: Vec<Hold> = scheduler.held(ix).unwrap_or_default().to_vec();
    let hold = chosen(scheduler.plan(), ix, &held, word)?;
    let event = Event::Approved {
        task: ix,
        hold: hold.clone(),
        by: who(),
        note,
    };
    let refused = scheduler.check(&event);
    refused.map_err(|error| Failure::usage(format!("this cannot be approved of: {error}")))?;
    append(&mut journal, &event)?;
    scheduler.apply(&event);
    tell(dir, &scheduler, (ix, &hold), args.json);
    Ok(FINE)
}

fn append(journal: &mut EventLog, event: &Event) -> Result<(), Failure> {
    journal.0.append(now_ms(), event)?;
    Ok(journal.0.sync()?)
}

fn note(note: Option<&str>) -> Result<String, Failure> {
    let text = note.unwrap_or_default().trim();
    if text.is_empty() || text.len() > LONGEST {
        return Err(
            Failure::usage("an approval needs a reason of 1 to 10000 bytes")
                .help("say why with `--note TEXT`; it is kept with your name"),
        );
    }
    Ok(text.to_owned())
}

fn find_in(scheduler: &Scheduler, dir: &RunDir, task: &str) -> Result<TaskIx, Failure> {
    let mut tasks = scheduler.plan().each_task();
    let found = tasks.find(|(_, body)| *body.id == *task).map(|(ix, _)| ix);
    // The same words as everywhere for a task that is not there.
    found.map_or_else(|| find(&dir.read()?, task), Ok)
}

/// The one thing that is meant by `word` among those that hold the task.
fn chosen(plan: &Plan, ix: TaskIx, held: &[Hold], word: &str) -> Result<Hold, Failure> {
    let id = &plan.task(ix).id;
    if held.is_empty() {
        return Err(Failure::usage(format!("nothing holds `{id}`"))
            .help("`seawall approve RUN` lists what waits for an approval"));
    }
    let exact = held.iter().filter(|hold| is_called(hold, word));
    let mut meant: Vec<&Hold> = exact.collect();
    if meant.is_empty() {
        let begins = |hold: &&Hold| says(plan, ix, hold).is_some_and(|says| says.starts_with(word));
        meant = held.iter().filter(begins).collect();
    }
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        some => {
            let names: Vec<_> = held
                .iter()
                .map(|hold| format!("`{}`", name(hold)))
                .collect();
            let what = match some.is_empty() {
                true => format!("`{word}` is nothing that holds `{id}`"),
                false => format!("`{word}` may mean several things that hold `{id}`"),
            };
            Err(Failure::usage(what).help(format!("say one of {}", names.join(", "))))
        }
    }
}

/// How a thing that holds is called on the command line.
fn name(hold: &Hold) -> String {
    match hold {
        Hold::Criterion(n) => (n + 1).to_string(),
        Hold::Finding(code) => code.clone(),
        Hold::Review => "review".to_owned(),
        Hold::Weak => "evidence".to_owned(),
        Hold::Flaky(n) => format!("flaky:{}", n + 1),
        Hold::FlakyGate(n) => format!("gate:{}", n + 1),
    }
}

/// Whether a word names it: its own name, its kind, or its number.
fn is_called(hold: &Hold, word: &str) -> bool {
    let number = |n: &u32| word.parse() == Ok(u64::from(*n) + 1);
    let kind = match hold {
        Hold::Flaky(n) => word == "flaky" || number(n),
        Hold::FlakyGate(_) => word == "flaky" || word == "gate",
        _ => false,
    };
    kind || name(hold).eq_ignore_ascii_case(word)
}

/// The criterion's own sentence, where it is one.
fn says<'a>(plan: &'a Plan, ix: TaskIx, hold: &Hold) -> Option<&'a str> {
    let criterion: Option<&Criterion> = match hold {
        Hold::Criterion(n) | Hold::Flaky(n) => plan.task(ix).criteria().nth(*n as usize),
        Hold::FlakyGate(n) => plan.gates().nth(*n as usize),
        Hold::Finding(_) | Hold::Review | Hold::Weak => None,
    };
    criterion.map(|criterion| criterion.says.as_str())
}

/// What it is about, in a sentence.
fn sentence(plan: &Plan, ix: TaskIx, hold: &Hold) -> String {
    let says = says(plan, ix, hold).unwrap_or_default();
    match hold {
        Hold::Criterion(_) => format!("only a person can tell: {says}"),
        Hold::Finding(code) => {
            let title = explain(code).map_or("a finding", |known| known.title);
            title.to_owned()
        }
        Hold::Review => "its reviewer does not let it pass".to_owned(),
        Hold::Weak => "its evidence is weaker than its floor".to_owned(),
        Hold::Flaky(_) => format!("red and green on one tree: {says}"),
        Hold::FlakyGate(_) => format!("a gate is red and green on one tree: {says}"),
    }
}

fn object(scheduler: &Scheduler, ix: TaskIx, hold: &Hold) -> Value {
    let plan = scheduler.plan();
    json!({
        "task": plan.task(ix).id,
        "name": name(hold),
        "what": sentence(plan, ix, hold),
    })
}

/// Who approves, as this host knows them: `name@host`.
fn who() -> String {
    let uid = nix::unistd::getuid();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    let user = user.map_or_else(|| format!("uid {uid}"), |user| user.name);
    match nix::unistd::gethostname() {
        Ok(host) => format!("{user}@{}", host.to_string_lossy()),
        Err(_) => user,
    }
}

fn tell(dir: &RunDir, scheduler: &Scheduler, (ix, hold): (TaskIx, &Hold), as_json: bool) {
    let (plan, left) = (
        scheduler.plan(),
        scheduler.held(ix).unwrap_or_default().len(),
    );
    let (id, run) = (&plan.task(ix).id, &dir.id);
    if as_json {
        output::say_json(&json!({
            "run": run,
            "task": id,
            "approved": name(hold),
            "left": left,
        }));
        return;
    }
    let next = match left {
        0 => format!("nothing holds `{id}` any more: `seawall resume {run}` lands it"),
        left => format!("{} still wait for an approval", many(left, "thing")),
    };
    output::say(&format!(
        "approved of {}: {}\n{next}\n",
        name(hold),
        sentence(plan, ix, hold)
    ));
}

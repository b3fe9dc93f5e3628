//! Workers: the brief, the command, the claim.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use seawall_core::brief;
use seawall_core::evidence::{How, WorkerEnd};
use seawall_core::fill::{Words, arguments};
use seawall_core::ids::{AttemptNo, Commit, TaskIx};
use seawall_core::path::RepoPath;
use seawall_core::plan::{Agent, PromptMode, Task};
use seawall_core::verdict::Feedback;
use seawall_sandbox::{End, Report, Stdin, TMP_MARK, Write, WriteRule};

use crate::confine::{self, Job, enforced};
use crate::crew::Crew;
use crate::error::{ExecuteError, at};
use crate::execute::{blocking, bytes};
use crate::logs;
use crate::{notes, prepare, workspace};

/// Bytes of a worker's last words that are kept as its claim.
const CLAIM: usize = 1500;

/// The name of the brief in the worker's private temporary directory.
pub(crate) const BRIEF: &str = "brief.md";

/// Runs the worker of an attempt to its end.
pub(crate) async fn run(
    crew: &Arc<Crew>,
    task: TaskIx,
    attempt: AttemptNo,
    base: Commit,
    feedback: Option<Arc<Feedback>>,
) -> Result<WorkerEnd, ExecuteError> {
    let _place = crew.place().await?;
    let ready = move |crew: &Crew| job(crew, task, attempt, &base, feedback.as_deref());
    let job = blocking(crew, ready).await?;
    let log = job.log.clone();
    let report = confine::run(crew, job).await?;
    let read = move |crew: &Crew| end(crew, &report, (&crew.setup.place.brief(attempt), &log));
    blocking(crew, read).await
}

fn job(
    crew: &Crew,
    ix: TaskIx,
    attempt: AttemptNo,
    base: &Commit,
    feedback: Option<&Feedback>,
) -> Result<Job, ExecuteError> {
    let (setup, task) = (&crew.setup, crew.setup.plan.task(ix));
    let brief = compose(crew, task, base, feedback)?;
    let kept = setup.place.brief(attempt);
    fs::write(&kept, &brief).map_err(at("write", &kept))?;
    let room = setup.place.attempt(attempt);
    workspace::reopen(crew, &room, base, &bytes(&task.creates))?;
    let inside = room.tmp.join(BRIEF);
    fs::write(&inside, &brief).map_err(at("write", &inside))?;
    let agent = setup.plan.agents.get(&*task.agent);
    let agent = agent
        .ok_or_else(|| ExecuteError::Lost(format!("the plan has no agent `{}`", task.agent)))?;
    let profile = crew.profile(&task.profile)?;
    let places = workspace::places(crew, &room, base, &profile)?;
    Ok(Job {
        argv: argv(agent, task, &brief),
        write: writes(profile.write, task, workspace::written_besides(crew, &room)),
        stdin: if agent.prompt == PromptMode::Stdin {
            Stdin::File(kept)
        } else {
            Stdin::Null
        },
        log: setup.place.worker_log(attempt),
        profile,
        wall: Duration::from_millis(task.timeout_ms),
        silence: setup.plan.limits.silence_ms.map(Duration::from_millis),
        label: format!("attempt-{attempt}"),
        attempt: Some(attempt),
        places,
    })
}

fn compose(
    crew: &Crew,
    task: &Task,
    base: &Commit,
    feedback: Option<&Feedback>,
) -> Result<String, ExecuteError> {
    let owned = prepare::facts(crew, base, task.files.iter().chain(&task.creates))?;
    let reads = crew.reads.of(&crew.setup.store, base, task)?;
    let known = task.files.iter().chain(&task.deletes).chain(&*reads);
    let notes = notes::notes(crew, base, &known.collect())?;
    let reads = prepare::facts(crew, base, &*reads)?;
    let plan = &crew.setup.plan;
    Ok(brief::compose(&brief::Parts {
        plan,
        task,
        base,
        owned: &owned,
        reads: &reads,
        notes: &notes,
        feedback,
    }))
}

pub(crate) fn argv(agent: &Agent, task: &Task, brief: &str) -> Vec<OsString> {
    let files: Vec<&RepoPath> = task.files.iter().chain(&task.creates).collect();
    let prompt_file = format!("{TMP_MARK}/{BRIEF}");
    let words = Words {
        files: &files,
        task: &task.id,
        prompt: brief.as_bytes(),
        prompt_file: prompt_file.as_bytes(),
    };
    let mut argv = arguments(&agent.run, &words);
    let names = |word: &str| agent.run.iter().any(|argument| argument.contains(word));
    match agent.prompt {
        PromptMode::Arg if !names("{prompt}") => argv.push(brief.as_bytes().to_vec()),
        PromptMode::File if !names("{prompt_file}") => argv.push(prompt_file.into_bytes()),
        _ => {}
    }
    argv.into_iter().map(OsString::from_vec).collect()
}

fn writes(rule: WriteRule, task: &Task, besides: Vec<PathBuf>) -> Write {
    let path = |path: &RepoPath| PathBuf::from(std::ffi::OsStr::from_bytes(path.as_bytes()));
    match rule {
        WriteRule::Owned => {
            let files = task.files.iter().chain(&task.creates).map(path);
            Write::Files(files.chain(besides).collect())
        }
        WriteRule::Workspace => Write::Workspace,
        WriteRule::Nothing => Write::Nothing,
    }
}

pub(crate) fn end(
    crew: &Crew,
    report: &Report,
    (brief, log): (&Path, &Path),
) -> Result<WorkerEnd, ExecuteError> {
    let output = logs::read(log, 4 * CLAIM).map_err(at("read", log))?;
    if let Some(why) = &report.output_error {
        return Err(ExecuteError::Output(why.clone()));
    }
    Ok(WorkerEnd {
        how: match &report.end {
            End::Exited(status) => How::Exited(*status),
            End::Signalled(signal) => How::Signalled(*signal),
            End::Killed { limit } => How::Killed(limit.clone()),
            End::TimedOut => How::TimedOut,
            End::Silent => How::Silent,
            End::Stopped => How::Stopped,
            End::CouldNotStart { step, error } => How::CouldNotStart(format!("{step}: {error}")),
        },
        ms: u64::try_from(report.wall.as_millis()).unwrap_or(u64::MAX),
        claim: claim(&output.end),
        bytes: report.output_bytes,
        leftovers: report.leftovers,
        limits: report.limits.as_slice().into(),
        enforced: crew.said_once(enforced(&report.ledger)),
        brief: Some(logs::kept(brief)?),
        log: Some(logs::named(log, output.digest)),
    })
}

/// The last words, from the beginning of a line, without control characters.
fn claim(output: &[u8]) -> String {
    let cut = &output[output.len().saturating_sub(CLAIM)..];
    let text = String::from_utf8_lossy(cut);
    let whole = if cut.len() < output.len() {
        text.split_once('\n').map_or(&*text, |(_, rest)| rest)
    } else {
        &text
    };
    whole
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_the_end_of_what_was_said() {
        assert_eq!(
            claim(b"working\n\x1b[32mdone\x1b[0m\n"),
            "working\n[32mdone[0m"
        );
        let long = "x".repeat(2000) + "\nall criteria satisfied\n";
        assert_eq!(claim(long.as_bytes()), "all criteria satisfied");
        assert_eq!(claim(&[0xff, b'a']), "\u{fffd}a");
    }
}

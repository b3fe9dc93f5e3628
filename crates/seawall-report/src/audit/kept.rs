//! The files beside the journal: the sandbox profiles of the run, and what was said to and by its workers and checks.
//!
//! A log that is gone is told like one that was changed, with two exceptions that are no lie of anybody: all of them may have
//! been taken away to make room, and the machine may have gone down before some reached the disk.

use std::collections::BTreeMap;

use seawall_core::event::Event;
use seawall_core::evidence::{Evidence, Kept};
use seawall_core::ids::Digest;

use super::{Evident, Problem};
use crate::words::{count, shown};

/// The sandbox profiles that a run began with.
const PROFILES: &str = "profiles.json";

/// What the directory of a run holds. Each error is a sentence that says what could not be had.
pub trait Files {
    /// A file, by its path there; none when it is gone.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn file(&self, path: &str) -> Result<Option<FileFacts>, String>;
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// The SHA-256 of all of it.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// What was found of the files.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
    /// Logs that are what the journal says.
    pub(super) logs: usize,
}

pub(super) fn look(evident: &Evident<'_>, files: &dyn Files) -> Found {
    let mut found = Found::default();
    profiles(evident, files, &mut found);
    logs(&named(evident), files, &mut found);
    found
}

fn profiles(evident: &Evident<'_>, files: &dyn Files, found: &mut Found) {
    let Some((record, Event::RunStarted(started))) = evident
        .entries
        .first()
        .map(|entry| (entry.seq, entry.event))
    else {
        return;
    };
    let Some(says) = &started.profiles else {
        let note = format!(
            "an earlier version began this run: the journal has no digest of {PROFILES}, and of logs only from later sessions"
        );
        return found.notes.push(note);
    };
    let what = match files.file(PROFILES) {
        Ok(Some(is)) if is.digest == *says => return,
        Ok(Some(is)) => format!(
            "{PROFILES} has digest {}, the journal says {}",
            is.digest.short(),
            says.short()
        ),
        Ok(None) => format!("{PROFILES} is gone"),
        Err(why) => format!("{PROFILES} cannot be read: {why}"),
    };
    found
        .problems
        .push(Problem::new("profiles", what).at(record));
}

/// What a record says of a log.
struct Named<'a> {
    record: u64,
    digest: &'a Digest,
    /// How much was to be written into it, where that is known.
    printed: Option<u64>,
    /// Whether the machine went down after it was written.
    before_reboot: bool,
}

/// The logs that records name; of one that was written twice, what the last record says.
fn named<'a>(evident: &Evident<'a>) -> BTreeMap<&'a str, Named<'a>> {
    let mut all = BTreeMap::new();
    let mut add = |record, file: &'a str, digest: &'a Digest, printed| {
        let named = Named {
            record,
            digest,
            printed,
            before_reboot: false,
        };
        all.insert(file, named);
    };
    let mut reboot = 0;
    for entry in &evident.entries {
        let seq = entry.seq;
        if matches!(entry.event, Event::Resumed { rebooted: true, .. }) {
            reboot = seq;
        }
        for look in looks(entry.event) {
            if let Some(log) = &look.log {
                add(seq, log, &look.output, Some(look.bytes));
            }
        }
        let end = match entry.event {
            Event::WorkerEnded { end, .. } => Some(end),
            Event::Reviewed { review, .. } => Some(&review.end),
            _ => None,
        };
        let kept = end.map(|end| [(&end.brief, None), (&end.log, Some(end.bytes))]);
        for (kept, printed) in kept.into_iter().flatten() {
            if let Some(Kept { file, digest }) = kept {
                add(seq, file, digest, printed);
            }
        }
    }
    for named in all.values_mut() {
        named.before_reboot = named.record < reboot;
    }
    all
}

fn looks(event: &Event) -> &[Evidence] {
    match event {
        Event::Baselined { evidence, .. }
        | Event::Verified { evidence, .. }
        | Event::Probed { evidence, .. }
        | Event::Integrated { evidence, .. }
        | Event::Sensed { evidence, .. } => evidence,
        _ => &[],
    }
}

fn logs(named: &BTreeMap<&str, Named<'_>>, files: &dyn Files, found: &mut Found) {
    let (mut problems, mut gone, mut cut, mut lost) = (Vec::new(), 0, 0, 0);
    for (name, says) in named {
        let path = format!("logs/{name}");
        // Nothing that a journal says may lead elsewhere.
        let facts = match name.contains('/') {
            true => Err("no log has such a name".to_owned()),
            false => files.file(&path),
        };
        let what = match facts {
            Ok(Some(is)) if is.digest == *says.digest => {
                cut += usize::from(says.printed.is_some_and(|printed| printed > is.bytes));
                continue;
            }
            Ok(_) if says.before_reboot => {
                lost += 1;
                continue;
            }
            Ok(Some(is)) => format!(
                "{path} has digest {}, the journal says {}",
                is.digest.short(),
                says.digest.short()
            ),
            Ok(None) => {
                gone += 1;
                format!("{path} is gone")
            }
            Err(why) => format!("{} cannot be read: {why}", shown(&path, 120)),
        };
        problems.push(Problem::new("log", what).at(says.record));
    }
    found.logs = named.len() - problems.len() - lost;
    if gone > 0 && gone == named.len() {
        problems.clear();
        let note = "the logs were taken away: what they held is known by digest only";
        found.notes.push(note.to_owned());
    }
    if cut > 0 {
        let logs = count(cut as u64, "log");
        let note = format!("{logs} cut off at a limit: the digest is of what was kept");
        found.notes.push(note);
    }
    if lost > 0 {
        let logs = count(lost as u64, "log");
        let note = format!("{logs} not as recorded: the machine went down before all was on disk");
        found.notes.push(note);
    }
    found.problems.extend(problems);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use seawall_core::evidence::Value;
    use seawall_core::ids::WaveNo;

    use super::*;
    use crate::receipt::Entry;
    use crate::tests::world;

    /// A directory that is a table.
    struct Dir(BTreeMap<String, Vec<u8>>);

    impl Files for Dir {
        fn file(&self, path: &str) -> Result<Option<FileFacts>, String> {
            let facts = |bytes: &Vec<u8>| FileFacts {
                digest: Digest::of(bytes),
                bytes: bytes.len() as u64,
            };
            Ok(self.0.get(path).map(facts))
        }
    }

    fn dir(files: &[(&str, &str)]) -> Dir {
        let file = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        Dir(files.iter().map(file).collect())
    }

    /// A gate's look whose log is called so.
    fn looked(log: &str, printed: &str) -> Event {
        let look = Evidence {
            log: Some(log.into()),
            ..world::look(Value::Pass, "", printed)
        };
        Event::Integrated {
            wave: WaveNo(0),
            round: 1,
            trial: 1,
            tree: look.tree.clone(),
            evidence: vec![look],
        }
    }

    fn check(events: &[Event], dir: &Dir, problems: &[&str], notes: &[&str]) {
        let entries = (0..).zip(events).map(|(seq, event)| Entry {
            seq,
            sum: "",
            event,
        });
        let evident = Evident {
            plan: None,
            entries: entries.collect(),
            cut: false,
        };
        let found = look(&evident, dir);
        let seen: Vec<_> = found.problems.iter().map(|p| &*p.what).collect();
        assert_eq!(seen, problems);
        assert_eq!(found.notes.len(), notes.len(), "{:?}", found.notes);
        for (note, wanted) in found.notes.iter().zip(notes) {
            assert!(note.contains(wanted), "{note}");
        }
    }

    const OLD: &str = "an earlier version began this run";

    #[test]
    fn what_an_earlier_version_wrote_is_not_held_and_that_is_said() {
        let mut looked = looked("a.log", "x");
        if let Event::Integrated { evidence, .. } = &mut looked {
            evidence[0].log = None;
        }
        check(&[world::started(1), looked], &dir(&[]), &[], &[OLD]);
    }

    #[test]
    fn each_log_is_held_against_the_last_record_that_names_it() {
        let events = [
            world::started(1),
            looked("a.log", "first"),
            looked("a.log", "second"),
            looked("b.log", "other"),
        ];
        let fine = [("logs/a.log", "second"), ("logs/b.log", "other")];
        check(&events, &dir(&fine), &[], &[OLD]);
        let one = dir(&fine[..1]);
        check(&events, &one, &["logs/b.log is gone"], &[OLD]);
        check(&events, &dir(&[]), &[], &[OLD, "the logs were taken away"]);
        let changed = dir(&[("logs/a.log", "first"), ("logs/b.log", "other")]);
        let (is, says) = (Digest::of(b"first"), Digest::of(b"second"));
        let what = format!(
            "logs/a.log has digest {}, the journal says {}",
            is.short(),
            says.short()
        );
        check(&events, &changed, &[&what], &[OLD]);
        let outside = [world::started(1), looked("../plan.json", "x")];
        let what = "logs/../plan.json cannot be read: no log has such a name";
        check(&outside, &dir(&[]), &[what], &[OLD]);
    }

    #[test]
    fn what_a_limit_cut_off_and_what_a_machine_lost_is_said() {
        let mut long = looked("a.log", "kept");
        if let Event::Integrated { evidence, .. } = &mut long {
            evidence[0].bytes = 1 << 30;
        }
        let resumed = Event::Resumed {
            jobs: 1,
            rebooted: true,
        };
        let events = [
            world::started(1),
            long,
            looked("b.log", "early"),
            resumed,
            looked("c.log", "late"),
        ];
        let kept = ("logs/a.log", "kept");
        let notes = [OLD, "1 log cut off at a limit", "1 log not as recorded"];
        let dir = dir(&[kept, ("logs/b.log", "")]);
        check(&events, &dir, &["logs/c.log is gone"], &notes);
    }
}

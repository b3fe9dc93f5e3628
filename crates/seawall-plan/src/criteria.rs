//! Reads criteria: the sentence that must be true, and the command that looks.
//!
//! A criterion without a command, with vague words or with a command that looks at nothing is where a
//! run would later believe a worker, so it is refused or warned about here.

use seawall_core::diagnostic::Diagnostic;
use seawall_core::plan::{Baseline, Criterion, Flaky, Proof, Tests};

use crate::context::Context;
use crate::problems::{At, Problems, error, note, placed, shown, warning};
use crate::reports;
use crate::section::Section;
use crate::substitutions::{self, Standing};
use crate::{vague, values};

/// How many files of a task `{file}` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owned {
    /// None: the task only deletes.
    None,
    One,
    Several,
}

/// Reads the checks of a task.
pub(crate) fn checks(
    sections: &[Section<'_>],
    owned: Owned,
    cx: &mut Context<'_>,
) -> Vec<Criterion> {
    sections
        .iter()
        .filter_map(|section| check(section, owned, cx))
        .collect()
}

fn check(section: &Section<'_>, owned: Owned, cx: &mut Context<'_>) -> Option<Criterion> {
    let proof = proof(section);
    let run = section.text("run");
    match (&run, proof) {
        (Some(run), Proof::Manual) => cx.problems.add(manual_with_run(run)),
        (Some(run), _) => check_run(run, owned, "a check", &mut cx.problems),
        (None, Proof::Manual) => {}
        (None, _) if section.has("run") => {}
        (None, _) => cx.problems.add(without_run(section)),
    }
    if proof == Proof::Manual {
        useless(section, &["flaky", "junit"], &mut cx.problems);
    }
    let looked = looked(section, proof, cx);
    let says = read_says(section, cx.text, &mut cx.problems)?;
    Some(Criterion {
        says,
        run: run.map(|r| r.value.to_owned()),
        ..looked
    })
}

/// How a command is looked at: its proof, and what the section says of baseline, tests, flakiness and report.
pub(crate) fn looked(section: &Section<'_>, proof: Proof, cx: &mut Context<'_>) -> Criterion {
    let baseline = baseline(section);
    if let Some(red) = baseline
        .as_ref()
        .filter(|b| b.value == Baseline::Red && proof != Proof::PassToPass)
    {
        cx.problems.add(useless_baseline(red, proof));
    }
    Criterion {
        proof,
        baseline: baseline.map_or(Baseline::Green, |b| b.value),
        tests: tests(section),
        flaky: flaky(section),
        junit: reports::read(section, cx),
        ..Criterion::default()
    }
}

/// Reports keys about a command where none is run.
pub(crate) fn useless(section: &Section<'_>, keys: &[&str], problems: &mut Problems) {
    for key in keys {
        let Some(place) = section.place(key) else {
            continue;
        };
        problems.add(
            error("SW0162", format!("`{key}` says nothing without a command"))
                .at(place, "nothing is run")
                .help("leave it out; it is about the output of a command that is run"),
        );
    }
}

pub(crate) fn proof(section: &Section<'_>) -> Proof {
    match section.text("proof").map(|p| p.value) {
        Some("pass-to-pass") => Proof::PassToPass,
        Some("manual") => Proof::Manual,
        _ => Proof::FailToPass,
    }
}

fn flaky(section: &Section<'_>) -> Flaky {
    let times = section
        .text("flaky")
        .and_then(|word| values::retries(word.value)?);
    times.map_or(Flaky::Hold, Flaky::Retry)
}

fn baseline(section: &Section<'_>) -> Option<At<Baseline>> {
    let word = section.text("baseline")?;
    Some(At {
        value: if word.value == "red" {
            Baseline::Red
        } else {
            Baseline::Green
        },
        span: word.span,
    })
}

fn tests(section: &Section<'_>) -> Tests {
    match section.text("tests").map(|word| word.value) {
        Some("may-shrink") => Tests::MayShrink,
        _ => Tests::Keep,
    }
}

fn useless_baseline(red: &At<Baseline>, proof: Proof) -> Diagnostic {
    let (message, label) = match proof {
        Proof::Manual => (
            "a check that a person looks at has no baseline",
            "nothing is run",
        ),
        _ => (
            "the baseline of a fail-to-pass check is always red",
            "the whole check must become green",
        ),
    };
    error("SW0143", message).at(red.span.clone(), label).help(
        "leave `baseline` out; with `proof = \"pass-to-pass\"` it says that some tests fail before the work and may go on failing",
    )
}

fn manual_with_run(run: &At<&str>) -> Diagnostic {
    note("SW0206", "a manual check has a command, which is never run")
        .at(run.span.clone(), "kept for the person who looks")
        .help(
            "leave `proof` out to let Seawall look; a manual check ends the run with `needs-human`",
        )
}

fn without_run(section: &Section<'_>) -> Diagnostic {
    let problem = error("SW0129", "a check has no command").help(
        "write `run = \"…\"`, a shell command that fails before the task and passes after it; `proof = \"manual\"` if only a person can tell",
    );
    placed(problem, section.header.as_ref(), "`run` is missing")
}

/// Reports what is wrong with the command of a check or holdout.
pub(crate) fn check_run(run: &At<&str>, owned: Owned, place: &str, problems: &mut Problems) {
    substitutions::check(run, substitutions::CHECK, place, problems);
    check_trivial(run, problems);
    let standings = substitutions::standings(run.value).into_iter();
    let misfit = standings
        .filter_map(|standing| misfit(standing, owned))
        .next();
    if let Some((code, message, label, help)) = misfit {
        problems.add(error(code, message).at(run.span.clone(), label).help(help));
    }
}

/// What is wrong with a `{file}` that stands so in the command of a task that owns so many: code,
/// message, label and help.
fn misfit(
    standing: Standing,
    owned: Owned,
) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    match (standing, owned) {
        (Standing::Quoted, _) => Some((
            "SW0136",
            "`{file}` stands inside quotes, and is quoted when it is filled in",
            "breaks on a name that needs quotes",
            "write `{file}` without quotes round it",
        )),
        (_, Owned::None) => Some((
            "SW0137",
            "`{file}` stands for nothing: the task only deletes files",
            "no file is left to put here",
            "name the deleted path: `test ! -e src/old.py`",
        )),
        (Standing::Embedded, Owned::Several) => Some((
            "SW0137",
            "`{file}` is part of a longer word, and the task owns several files",
            "only the first would get what is round it",
            "let `{file}` stand alone: it becomes all files, each quoted",
        )),
        (Standing::Alone | Standing::Embedded, _) => None,
    }
}

/// Reports a command that looks at nothing.
pub(crate) fn check_trivial(run: &At<&str>, problems: &mut Problems) {
    if vague::is_trivial(run.value) {
        problems.add(
            warning(
                "SW0203",
                format!(
                    "`{}` has the same result whatever the tree is",
                    shown(run.value)
                ),
            )
            .at(run.span.clone(), "looks at nothing")
            .help("write a command that reads the file or runs its tests"),
        );
    }
}

/// The sentence; one that nobody can check is reported.
pub(crate) fn read_says(
    section: &Section<'_>,
    text: &str,
    problems: &mut Problems,
) -> Option<String> {
    let says = section.text("says")?;
    if let Some((place, instead)) = vague::find(says.value) {
        let phrase = &says.value[place];
        let span = find_in_source(text, &says, phrase);
        problems.add(
            error("SW0128", format!("`{}` cannot be checked", shown(phrase)))
                .at(span, "nobody can see whether this is so")
                .help(instead),
        );
    }
    Some(says.value.to_owned())
}

/// The bytes of `phrase` in the source of `says`, or all of it when an escape is in between.
fn find_in_source(text: &str, says: &At<&str>, phrase: &str) -> std::ops::Range<usize> {
    let place = text
        .get(says.span.clone())
        .and_then(|source| source.find(phrase));
    place.map_or_else(
        || says.span.clone(),
        |at| says.span.start + at..says.span.start + at + phrase.len(),
    )
}

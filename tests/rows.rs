//! Every failure of agents that evidence must catch, row by row: where a worker commits it through the program and is caught,
//! beside its honest twin.
//!
//! | row | failure | test |
//! |---|---|---|
//! | 7 | trusting "done" | `hostile`: `every_kind_of_worker_gets_its_verdict_and_the_others_land` (`bashcomplete`, `compat`; `core`, `types`) |
//! | 9 | skipped checkpoints | `waves::a_wave_does_not_end_without_its_checkpoint` |
//! | 12 | hallucinated edits | `findings`: `a_claim_about_a_file_that_is_as_it_was_is_noted`, SW0517; `hostile`: `bashcomplete`, `parser` |
//! | 17 | persona drift | `others::a_reviewer_can_write_nothing` |
//! | 18 | fine alone, broken together | `hostile`: `two_that_only_break_it_together_are_both_named`, `a_culprit_corrects_itself_on_top_of_what_landed` |
//! | 19 | prompt injection, poisoned files | `findings`: SW0502, SW0503, SW0504, SW0519, SW0520; `sandbox`: the table |
//! | 20 | graded by its own homework | `worth::tests_of_ones_own_are_not_enough`; `findings`: SW0514; `hostile`: drift |
//! | 21 | vacuous checks | `evidence`: `a_check_that_is_green_before_the_work_shows_what_it_printed`; `worth::what_stays_green_without_the_change_is_weak` |
//! | 22 | weak evidence | `worth::a_file_that_is_there_is_weak_evidence`; `evidence`: no test executed |
//! | 23 | unreadable evidence | `evidence`: `a_missing_runner_has_not_looked`; `hostile`: `a_check_that_cannot_look_proves_nothing` |
//! | 24 | one criterion of many skipped | `worth::one_criterion_of_many_is_named` |
//! | 25 | drift, missing, deleted, mode, weakened | `hostile`: `whatever_else_is_changed_in_a_writable_workspace_is_drift`, `a_promise_that_is_not_kept_and_a_worker_that_cannot_start`; `findings`: SW0505, SW0514 |
//! | 26 | flaky check | `worth::red_and_green_on_one_tree_is_flaky` |
//! | 27 | built but never wired | `rules::what_is_built_must_be_wired` |
//! | 28 | constants that disagree | `rules::constants_must_agree` |
//! | 29 | deflection | `told::numbers_stand_beside_the_claim`; `hostile`: `the_lie_stands_beside_the_evidence` |
//! | 30 | patching symptoms | `told::a_fix_begins_with_what_reproduces_it` |
//! | 31 | vague specification | `told::a_vague_plan_is_refused` |
//! | 32 | forgotten decisions | `told::what_was_decided_reaches_whom_it_is_about` |
//! | 33 | same eyes review | `others::a_reviewer_holds_and_rejects_and_turns_nothing_green` |
//! | 34 | manual criteria passed | `others::what_a_person_must_judge_waits_for_a_name_and_a_reason` |
//! | 35 | no holdouts | `others::what_was_never_shown_cannot_be_fitted` |
//! | 48 | declared coupling | `waves::an_order_that_nobody_told_is_found`; `hostile`: `a_group_moves_a_file_with_the_one_that_names_it` |
//! | 49 | red for a while | `waves::red_is_let_pass_as_long_as_declared` |
//! | 50 | orchestration where none is needed | `waves::a_plan_that_needs_no_waves_is_told_so` |
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test file uses its part of what they share")]
mod support;

#[path = "rows/others.rs"]
mod others;
#[path = "rows/rules.rs"]
mod rules;
#[path = "rows/told.rs"]
mod told;
#[path = "rows/waves.rs"]
mod waves;
#[path = "rows/worth.rs"]
mod worth;

use support::packages::{Python, toolchain};
use support::{Output, Repo, Status, skip};

/// `edit SCRIPT FILE`: what `sed -i` does, without a file of its own beside the one that the task owns.
const EDIT: &str = r#"edit() { new=$(sed "$1" "$2") && printf '%s\n' "$new" > "$2"; }"#;

const PYTEST: &str = "python -m pytest -q -p no:cacheprovider";

/// The head of a plan with this command as its only checkpoint.
fn head(checkpoint: &str) -> String {
    head_with(checkpoint, "")
}

/// The same; `more` are further keys of the checkpoint.
fn head_with(checkpoint: &str, more: &str) -> String {
    format!(
        "version = 1\nname = 'rows'\ngoal = 'Change it'\nlimits = {{ check_timeout = '3m' }}\n
         [defaults]\nattempts = 1\nprompt = 'Do it.'\n
         [[checkpoint]]\nsays = 'the tree holds together'\nrun = '''{checkpoint}'''\n{more}\n"
    )
}

/// An agent that is a few lines of shell; its brief is its standard input.
fn agent(id: &str, script: &str) -> String {
    format!(
        "[agent.{id}]\nprompt = 'stdin'\nrun = ['sh', '-c', '''\n{EDIT}\n{script}\n''', '{id}', '{{file}}']\n"
    )
}

/// A task whose agent is called like it.
fn task(id: &str, keys: &str) -> String {
    format!("[[task]]\nid = '{id}'\nagent = '{id}'\n{keys}\n")
}

/// A check of the task before it; `more` are further keys.
fn check(says: &str, run: &str, more: &str) -> String {
    format!("[[task.check]]\nsays = '{says}'\nrun = '''{run}'''\n{more}\n")
}

/// Writes the plan and runs it; what it said, and what became of it.
fn run(repo: &Repo, plan: &str, code: i32) -> (Output, Status) {
    let out = repo.run(plan).code(code);
    (out, repo.status())
}

/// A repository of Python, and pytest on `PATH`.
fn python(test: &str, files: &[(&str, &str)]) -> Option<Repo> {
    let python = Python::get(test)?;
    let mut repo = Repo::with(files);
    repo.write("conftest.py", "");
    repo.commit("tests find the modules beside them");
    repo.path_first(&python.bin());
    repo.set("PYTHONDONTWRITEBYTECODE", "1");
    Some(repo)
}

/// A crate, and cargo on `PATH`.
fn rust(test: &str, files: &[(&str, &str)]) -> Option<Repo> {
    let bin = match toolchain() {
        Ok(bin) => bin,
        Err(why) => {
            skip(test, &why);
            return None;
        }
    };
    let mut repo = Repo::with(files);
    repo.write(
        "Cargo.toml",
        "[package]\nname = 'shop'\nversion = '0.1.0'\nedition = '2021'\n",
    );
    repo.write(".gitignore", "/target\n/Cargo.lock\n");
    repo.commit("a crate");
    repo.path_first(&bin);
    Some(repo)
}

/// A repository of JavaScript, if there is a Node.
fn node(test: &str, files: &[(&str, &str)]) -> Option<Repo> {
    if !std::path::Path::new("/usr/bin/node").exists() {
        skip(test, "there is no node");
        return None;
    }
    Some(Repo::with(files))
}

//! The keys themselves, as data: one row each, in the order of the reference.

use crate::keys::Shape::{
    Choice, Count, Duration, Many, Named, One, Retry, Size, Text, TextMap, Texts, TextsOrOne,
};
use crate::keys::{Key, Table, key};

/// Seven days: the longest time that one worker or check may ask for.
const WEEK: u64 = 7 * 24 * 3_600_000;

const PLAN: &[Table] = &[Table::Plan];
const BUDGET: &[Table] = &[Table::Budget];
const LIMITS: &[Table] = &[Table::Limits];
const SANDBOX: &[Table] = &[Table::Sandbox];
const WORKSPACE: &[Table] = &[Table::Workspace];
const AGENT: &[Table] = &[Table::Agent];
const TASK: &[Table] = &[Table::Task];
const CHECK: &[Table] = &[Table::Check];
const HOLDOUT: &[Table] = &[Table::Holdout];
const REVIEW: &[Table] = &[Table::Review];
const EVIDENCE: &[Table] = &[Table::Evidence];
const CRITERIA: &[Table] = &[
    Table::Checkpoint,
    Table::Invariant,
    Table::Check,
    Table::Holdout,
];
const CHECKPOINT: &[Table] = &[Table::Checkpoint];
const INVARIANT: &[Table] = &[Table::Invariant];
const FORBID: &[Table] = &[Table::Forbid];
const AGREE: &[Table] = &[Table::Agree];
const CAPTURE: &[Table] = &[Table::Capture];
const WIRED: &[Table] = &[Table::Wired];
const IMPORTS: &[Table] = &[Table::Imports];
const GATES: &[Table] = &[Table::Checkpoint, Table::Invariant];
const FINDING: &[Table] = &[Table::Finding];
const DECISIONS: &[Table] = &[Table::Decisions];
const DECISION: &[Table] = &[Table::Decision];
const SETTINGS: &[Table] = &[Table::Defaults, Table::Task];

/// Every key of the format, in the order of the reference.
pub(crate) static KEYS: &[Key] = &[
    key(PLAN, "version", Count { least: 1, most: 1 }).required().example("1")
        .doc("The version of the format. There is one: 1."),
    key(PLAN, "name", Text).required().example("\"modern-typing\"")
        .doc("The plan's name, part of the branch `seawall/NAME/RUN`: letters, digits, `-` and `_`, at most 64."),
    key(PLAN, "goal", Text).required().example("\"Replace typing aliases by builtin generics without changing behaviour\"")
        .doc("What all tasks together are for; every brief begins with it."),
    key(PLAN, "defaults", One(Table::Defaults)).doc("What a task takes when it does not say otherwise."),
    key(PLAN, "budget", One(Table::Budget)).doc("Ceilings of the whole run."),
    key(PLAN, "limits", One(Table::Limits)).doc("Ceilings of one worker or check."),
    key(PLAN, "evidence", One(Table::Evidence)).doc("How evidence is weighed."),
    key(PLAN, "sandbox", One(Table::Sandbox)).doc("What workers and checks may see beyond the profile."),
    key(PLAN, "workspace", One(Table::Workspace)).doc("What workspaces are made of, besides the files of the commit."),
    key(PLAN, "agent", Named(Table::Agent)).required().doc("The commands that do the work, by name; at least one."),
    key(PLAN, "checkpoint", Many(Table::Checkpoint)).required()
        .doc("Must pass on the integrated tree at the end of every wave; at least one."),
    key(PLAN, "invariant", Many(Table::Invariant)).doc("Must hold at every checkpoint."),
    key(PLAN, "finding", Many(Table::Finding)).doc("What follows from a finding, where that is not what its rule says."),
    key(PLAN, "task", Many(Table::Task)).required().doc("The work, in plan order; at least one."),
    key(TASK, "id", Text).required().example("\"types\"")
        .doc("The task's name, unique in the plan: letters, digits, `-`, `_` and `.`, at most 100."),
    key(TASK, "file", Text).example("\"src/click/__init__.py\"")
        .doc("The one existing file that the task owns: its worker may write it, and nothing else."),
    key(TASK, "files", Texts { least: 1 }).example("[\"a.py\", \"b.py\"]")
        .doc("The existing files that the task owns, where one is not enough; needs `because`."),
    key(TASK, "because", Text).example("\"signature and callers move together\"")
        .doc("Why the task owns more than one file."),
    key(TASK, "creates", Texts { least: 1 }).example("[\"src/new.py\"]")
        .doc("Files that the task must make. They are there, empty, when its worker starts."),
    key(TASK, "deletes", Texts { least: 1 }).example("[\"src/old.py\"]").doc("Files that the task must delete."),
    key(TASK, "each", Text).example("\"src/click/*.py\"")
        .doc("A glob: one task per regular file of the base that matches, with the id `ID:PATH`, in the order of the paths' bytes. Instead of `file`."),
    key(TASK, "after", Texts { least: 0 }).example("[\"types\"]")
        .doc("Tasks that must be accepted before this one starts. The id of a fan-out stands for all its members, `ID:PATH` for one."),
    key(SETTINGS, "agent", Text).default("the only agent, if there is one").example("\"modernise\"").doc("Which agent does the work."),
    key(SETTINGS, "profile", Text).default("\"worker\"").example("\"worker\"").doc("Which sandbox profile confines the worker."),
    key(SETTINGS, "attempts", Count { least: 1, most: 100 }).default("2").example("2")
        .doc("How often a worker may be dispatched for the task, the first time included."),
    key(SETTINGS, "timeout", Duration { most: WEEK }).default("\"10m\"").example("\"10m\"").doc("Wall time of one dispatch, at most 7 days."),
    key(SETTINGS, "when", Choice(&["always", "red"])).default("\"always\"").example("\"red\"")
        .doc("What it means when every fail-to-pass check is green before any work: `always` rejects the task, `red` leaves it out."),
    key(TASK, "kind", Choice(&["change", "fix"])).default("\"change\"").example("\"fix\"")
        .doc("What kind of work it is: the mending of a defect (`fix`) needs a fail-to-pass check that shows the defect first."),
    key(SETTINGS, "risk", Choice(&["low", "normal", "high"])).default("\"normal\"").example("\"high\"")
        .doc("What is at stake; it sets the floor where none is named: `presence`, `exit` and `sensitive`."),
    key(SETTINGS, "floor", Choice(&["presence", "exit", "tests", "red-to-green", "sensitive"])).default("what `risk` asks for").example("\"tests\"")
        .doc("The weakest evidence that is enough; a task with weaker evidence is held for a person."),
    key(SETTINGS, "expected_lines", Count { least: 1, most: 1_000_000 }).default("nobody expects a size").example("40")
        .doc("How many lines the change should about have, added and removed. One of more than three times as many is held for a person."),
    key(SETTINGS, "prompt", Text).example("\"Replace `t.List` by `list` in this file.\"")
        .doc("What the agent is told to do. Needed, here or in `[defaults]`."),
    key(SETTINGS, "reads", Texts { least: 0 }).example("[\"src/click/*.py\"]")
        .doc("Globs and paths of files that the task's brief lists and whose writers it must not share a wave with."),
    key(TASK, "check", Many(Table::Check)).required().doc("What must be true afterwards; at least one."),
    key(TASK, "holdout", Many(Table::Holdout)).doc("What must be true besides, and is never shown to a worker."),
    key(TASK, "review", One(Table::Review)).doc("Who looks at the change besides."),
    key(BUDGET, "attempts", Count { least: 1, most: 1_000_000 }).default("3 for each task, at least 10").example("60")
        .doc("Dispatches of workers, all tasks together."),
    key(BUDGET, "wall", Duration { most: 30 * 24 * 3_600_000 }).default("\"4h\"").example("\"2h\"")
        .doc("Wall time, summed over the sessions of the run; at most 30 days."),
    key(LIMITS, "check_timeout", Duration { most: WEEK }).default("\"5m\"").example("\"5m\"").doc("Wall time of one check, at most 7 days."),
    key(LIMITS, "output", Size { least: 1024, most: 1 << 32 }).default("\"16MiB\"").example("\"64MiB\"")
        .doc("How much output is kept of one worker or check, 1KiB to 4GiB; more is counted and dropped."),
    key(LIMITS, "silence", Duration { most: WEEK }).default("no such limit").example("\"5m\"")
        .doc("A worker that prints nothing for so long is ended."),
    key(EVIDENCE, "sensitivity", Choice(&["measured", "off"])).default("\"measured\"").example("\"off\"")
        .doc("Whether the checks of a task that is to land are run once more on the integrated tree without its change, where at least one must be red: at each checkpoint, or only for tasks whose floor asks for it."),
    key(SANDBOX, "read", Texts { least: 0 }).example("[\"~/.cargo\"]")
        .doc("Further paths that workers and checks may read, never write: absolute, or below the home directory with `~/`."),
    key(SANDBOX, "pass", Texts { least: 0 }).example("[\"LANG\"]").doc("Names of environment variables that are passed on."),
    key(SANDBOX, "env", TextMap).example("{ CARGO_NET_OFFLINE = \"true\" }")
        .doc("Environment variables that are set. A leading `~/` in a value is the home directory."),
    key(WORKSPACE, "mode", Choice(&["auto", "overlay", "copy"])).default("\"auto\"").example("\"copy\"")
        .doc("How workspaces are made: as overlays on one shared directory, as copies, or the first where the host can."),
    key(WORKSPACE, "carry", Texts { least: 0 }).example("[\"node_modules\", \".venv\", \"target\"]")
        .doc("Directories of your checkout that git ignores: each workspace and each check sees them at the same path and may write there, and yours are never written."),
    key(WORKSPACE, "carry_files", Texts { least: 0 }).example("[\".env.test\"]")
        .doc("Files of your checkout that git ignores, copied into each workspace."),
    key(AGENT, "run", Texts { least: 1 }).required().example("[\"pyupgrade\", \"--py38-plus\", \"{file}\"]")
        .doc("Program and arguments; no shell. `{file}`, `{prompt}`, `{prompt_file}` and `{task}` are filled in."),
    key(AGENT, "prompt", Choice(&["none", "stdin", "arg", "file"])).default("\"none\"").example("\"stdin\"")
        .doc("How the brief reaches the command: not at all, on standard input, as the last argument, or as a file."),
    key(GATES, "says", Text).required().example("\"the whole suite passes\"").doc("The sentence that must be true."),
    key(CHECKPOINT, "run", Text).required().example("\"python -m pytest -q\"")
        .doc("The shell command that looks; exit status 0 says yes. Nothing is filled in."),
    key(INVARIANT, "run", Text).example("\"! grep -rn 'from tests' src\"")
        .doc("The shell command that looks; exit status 0 says yes. Nothing is filled in. Exactly one of `run`, `forbid`, `agree`, `wired` and `imports`."),
    key(INVARIANT, "forbid", One(Table::Forbid)).example("{ pattern = \"unwrap\", paths = [\"src/**/*.rs\"] }").doc("A pattern that no line matches."),
    key(INVARIANT, "agree", One(Table::Agree)).doc("Values that agree."),
    key(INVARIANT, "wired", One(Table::Wired)).doc("Files whose new public symbols are used."),
    key(INVARIANT, "imports", One(Table::Imports)).doc("What is not imported."),
    key(GATES, "after", TextsOrOne).default("from the first checkpoint on").example("[\"types\"]")
        .doc("It is not looked at before all of these tasks are done. The id of a fan-out stands for all its members."),
    key(GATES, "until", TextsOrOne).default("for ever").example("\"exports\"").doc("It is not looked at any more once all of these tasks are done."),
    key(GATES, "red_until", TextsOrOne).default("it is never red").example("[\"types\", \"exports\"]")
        .doc("It may be red until all of these tasks are done."),
    key(FORBID, "pattern", Text).required().example("\"import \\\\*\"").doc("A regular expression, matched line by line."),
    key(FORBID, "paths", Texts { least: 1 }).required().example("[\"src/**/*.py\"]").doc("Globs of the files."),
    key(AGREE, "equal", Many(Table::Capture)).doc("They are equal; as numbers with units where both are."),
    key(AGREE, "less", Many(Table::Capture)).doc("Each is smaller than the next."),
    key(AGREE, "less_or_equal", Many(Table::Capture)).doc("None is greater than the next."),
    key(CAPTURE, "path", Text).required().example("\"schema.sql\"").doc("A glob of the files; each must hold the value."),
    key(CAPTURE, "pattern", Text).required().example("\"vector\\\\(([0-9]+)\\\\)\"").doc("A regular expression with one group, the value. Every match counts."),
    key(WIRED, "files", Texts { least: 1 }).required().example("[\"src/**/*.py\"]").doc("Globs of the files."),
    key(WIRED, "entries", Texts { least: 0 }).example("[\"src/app/__init__.py\"]").doc("Files whose symbols are called from outside: what they reach is used."),
    key(IMPORTS, "paths", Texts { least: 1 }).required().example("[\"src/core/**\"]").doc("Globs of the files that import."),
    key(IMPORTS, "forbid", Texts { least: 1 }).required().example("[\"src/web/**\", \"requests\"]")
        .doc("Globs of files of the repository, or names of modules and packages, that they must not import."),
    key(FINDING, "code", Text).required().example("\"SW0513\"").doc("The rule, by its code; `docs/findings.md` lists them."),
    key(FINDING, "severity", Choice(&["off", "note", "hold", "block"])).required().example("\"off\"")
        .doc("What follows instead of what the rule says: nothing is found, it is told, a person must look, the attempt is rejected."),
    key(FINDING, "because", Text).required().example("\"a command line tool prints\"").doc("Why; it stands beside each finding."),
    key(FINDING, "paths", Texts { least: 1 }).default("all files").example("[\"src/cli/**\"]")
        .doc("Globs of the files for which this holds. Of two tables for one rule and file, the later counts."),
    key(CHECK, "says", Text).required().example("\"no typing alias is left\"").doc("The sentence that must be true afterwards."),
    key(CHECK, "run", Text).example("\"! grep -nE 't[.]List' {file}\"")
        .doc("The shell command that looks; exit status 0 says yes. `{file}` and `{task}` are filled in, quoted. Needed unless `proof` is `manual`."),
    key(CHECK, "proof", Choice(&["fail-to-pass", "pass-to-pass", "manual"])).default("\"fail-to-pass\"").example("\"pass-to-pass\"")
        .doc("What the command must show: red before and green after, green before and after, or nothing, because a person looks."),
    key(HOLDOUT, "says", Text).required().example("\"a list of one element is left alone\"")
        .doc("The sentence that must be true afterwards. When it is not, the next brief shows this sentence, and neither command nor output."),
    key(HOLDOUT, "run", Text).required().example("\"python -m pytest -q tests/test_holdout.py\"")
        .doc("The shell command that looks; exit status 0 says yes. `{file}` and `{task}` are filled in, quoted."),
    key(HOLDOUT, "proof", Choice(&["fail-to-pass", "pass-to-pass"])).default("\"fail-to-pass\"").example("\"pass-to-pass\"")
        .doc("What the command must show: red before and green after, or green before and after."),
    key(HOLDOUT, "put", TextMap).default("nothing").example("{ \"tests/test_holdout.py\" = \"holdouts/test_one.py\" }")
        .doc("Files for its workspace alone: a path of the workspace, and the file beside the plan that is put there; at most 1 MiB each, and not in the commit."),
    key(CRITERIA, "baseline", Choice(&["green", "red"])).default("\"green\"").example("\"red\"")
        .doc("What the base is like: `red` says that tests fail there already, and only failures that the base does not have count. Needs a test runner whose output is understood, and a command that is to stay green."),
    key(CRITERIA, "tests", Choice(&["keep", "may-shrink"])).default("\"keep\"").example("\"may-shrink\"")
        .doc("How many tests must be executed: `keep` at least as many as on the base, `may-shrink` also fewer, but never none."),
    key(CRITERIA, "flaky", Retry { most: 10 }).default("\"hold\"").example("\"retry:3\"")
        .doc("What is done if it is red and green on one tree: a person must look, or it passes if one of up to so many further looks is green."),
    key(CRITERIA, "junit", Text).default("the output is read").example("\"report/junit.xml\"")
        .doc("The JUnit XML file that the command writes, from the top of the repository; its tests are counted instead of those of the output."),
    key(REVIEW, "by", Text).required().example("\"reviewer\"").doc("Which agent; never the one that does the work."),
    key(DECISIONS, "decision", Many(Table::Decision)).doc("The decisions."),
    key(DECISION, "says", Text).required().example("\"prices are whole cents\"").doc("The decision, in a sentence."),
    key(DECISION, "because", Text).required().example("\"floats lost money in 2021\"").doc("Why it was decided."),
    key(DECISION, "paths", Texts { least: 1 }).default("all files").example("[\"src/**\"]").doc("Globs of the files it is about."),
    key(DECISION, "kind", Choice(&["constraint", "rejected"])).default("\"constraint\"").example("\"rejected\"").doc("Whether it holds, or is a design that was rejected."),
];

//! The codes of errors about evidence, as data: windows, rules, holdouts, reviews and floors.

use crate::code_table::code;
use crate::codes::Explanation;

/// Every code of an error about evidence, in order.
pub(crate) static EVIDENCE: &[Explanation] = &[
    code(
        "SW0152",
        "a gate that is never looked at",
        "A checkpoint or invariant is looked at from when all tasks of `after` are done to when all tasks of `until` are done. Where those of `until` are done first, by the order of the tasks, there is no such time.",
        "[[checkpoint]]\nafter = [\"exports\"]\nuntil = [\"types\"]      # and `exports` waits for `types`",
        "[[checkpoint]]\nafter = [\"types\"]\nuntil = [\"exports\"]",
    ),
    code(
        "SW0153",
        "its own reviewer",
        "A review is worth something where other eyes look. The agent that does the work, or the only one of the plan, would look at what it just thought right.",
        "[[task]]\nagent = \"writer\"\n[task.review]\nby = \"writer\"",
        "[[task]]\nagent = \"writer\"\n[task.review]\nby = \"critic\"",
    ),
    code(
        "SW0154",
        "a fix that nothing reproduces",
        "A task of `kind = \"fix\"` mends a defect. Only a check that is red because of the defect, before the work, tells the mending from a patch of the symptom, so at least one check or holdout is `fail-to-pass`.",
        "kind = \"fix\"\n[[task.check]]\nsays = \"the suite passes\"\nrun = \"pytest\"\nproof = \"pass-to-pass\"",
        "kind = \"fix\"\n[[task.check]]\nsays = \"an empty list is parsed\"\nrun = \"pytest tests/test_empty.py\"",
    ),
    code(
        "SW0155",
        "an invariant of no kind, or of two",
        "An invariant is a command (`run`) or one rule: `forbid`, `agree`, `wired` or `imports`. Exactly one of these five keys stands in each; two sentences are two invariants, so that a red one says which.",
        "[[invariant]]\nsays = \"nothing imports the tests\"",
        "[[invariant]]\nsays = \"nothing imports the tests\"\nforbid = { pattern = \"(from|import) tests\", paths = [\"src/**/*.py\"] }",
    ),
    code(
        "SW0156",
        "a pattern that cannot be used",
        "Patterns are regular expressions of the Rust crate `regex`: without look-around and back-references, so that no input makes them slow. One that matches the empty string would match everywhere. In a capture, exactly one group says which part is the value; further groups are written `(?:…)`.",
        "forbid = { pattern = \"(unwrap\", paths = [\"src/**\"] }\nagree = { equal = [{ path = \"a.toml\", pattern = \"dim = [0-9]+\" }, …] }",
        "forbid = { pattern = \"unwrap\\\\(\", paths = [\"src/**\"] }\nagree = { equal = [{ path = \"a.toml\", pattern = \"dim = ([0-9]+)\" }, …] }",
    ),
    code(
        "SW0157",
        "nothing to compare",
        "`agree` compares the values of two captures or more, in one way: `equal`, `less` or `less_or_equal`.",
        "agree = { equal = [{ path = \"schema.sql\", pattern = \"vector\\\\(([0-9]+)\\\\)\" }] }",
        "agree = { equal = [\n  { path = \"schema.sql\", pattern = \"vector\\\\(([0-9]+)\\\\)\" },\n  { path = \"config.toml\", pattern = \"dim = ([0-9]+)\" },\n] }",
    ),
    code(
        "SW0158",
        "no file to put there",
        "`put` of a holdout names files beside the plan, by their path from the plan's directory: plain files of at most 1 MiB, 16 MiB together, that are reached without a symbolic link. They are read once, when the run begins.",
        "put = { \"tests/test_holdout.py\" = \"holdouts/test_tow.py\" }",
        "put = { \"tests/test_holdout.py\" = \"holdouts/test_two.py\" }",
    ),
    code(
        "SW0159",
        "a holdout that a worker would see",
        "A holdout proves something because no worker knew it. What stands in the base commit, in a carried directory or in a path that `[sandbox] read` opens is in front of every worker. Keep the file outside of the repository, or untracked.",
        "git add holdouts/test_one.py",
        "git rm --cached holdouts/test_one.py && git commit, or move the plan and its holdouts out of the repository",
    ),
    code(
        "SW0160",
        "a holdout's file cannot stand there",
        "`put` places a file in the workspace of its own check, over what the candidate has at that path. A file that the task owns would hide the very work that is to be looked at; below a file, at a directory, a link or a submodule, nothing can be put; and two files cannot stand at one place.",
        "file = \"src/a.py\"\n[[task.holdout]]\nput = { \"src/a.py\" = \"holdouts/a.py\" }",
        "put = { \"tests/test_holdout.py\" = \"holdouts/test_a.py\" }",
    ),
    code(
        "SW0161",
        "a report that a worker could write",
        "`junit` names a file that the check's command writes and whose tests are counted. A task that owns this file could leave a report that no test has written.",
        "file = \"report.xml\"\n[[task.check]]\njunit = \"report.xml\"",
        "junit = \"build/report.xml\"",
    ),
    code(
        "SW0162",
        "a key that needs a command",
        "`baseline`, `tests`, `flaky` and `junit` are about a command that is run. Rules are judged by reading the files, always with the same result, and what a person looks at is never run.",
        "[[invariant]]\nforbid = { … }\nflaky = \"retry:3\"",
        "[[invariant]]\nforbid = { … }",
    ),
    code(
        "SW0163",
        "a floor out of reach",
        "The grade of evidence is limited by what the checks can show: `presence` by a command that only looks whether a file is there, `tests` by pass-to-pass checks, and nothing by what a person looks at. A task whose floor is above that would be held whatever it does.",
        "floor = \"red-to-green\"\n[[task.check]]\nsays = \"the suite passes\"\nrun = \"pytest\"\nproof = \"pass-to-pass\"",
        "floor = \"tests\"",
    ),
    code(
        "SW0164",
        "decisions that cannot be used",
        "`.seawall/decisions.toml` of the base commit must be a regular file of at most 256 KiB of UTF-8, with at most 200 decisions and 1,000 globs. A run that left it out would forget what was decided.",
        "a symbolic link at .seawall/decisions.toml",
        "[[decision]]\nsays = \"prices are whole cents\"\nbecause = \"floats lost money\"\npaths = [\"src/**\"]",
    ),
    code(
        "SW0165",
        "a decision that is too long",
        "`says` and `because` of a decision have at most 1,000 bytes each: they stand in the brief of every task that owns a file of its `paths`.",
        "says = \"(the whole discussion)\"",
        "says = \"prices are whole cents\"",
    ),
];

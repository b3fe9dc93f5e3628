//! Every code of a diagnostic, explained: `seawall explain CODE` prints these.
//!
//! Codes are stable: one that is not used any more is not given to something else. `SW01xx` are errors,
//! `SW02xx` warnings and notes. Some are raised by the binary, which alone can run a check or see waves.

/// One code of a diagnostic, explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The stable code, such as `SW0104`.
    pub code: &'static str,
    /// What it is called, in a few words.
    pub title: &'static str,
    /// What it means and why it matters.
    pub means: &'static str,
    /// A piece of a plan, or a situation, that has the problem.
    pub wrong: &'static str,
    /// What to write or do instead.
    pub right: &'static str,
}

/// The explanation of `code`, in upper or lower case; none when there is no such code.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Explanation> {
    CODES.iter().find(|e| e.code.eq_ignore_ascii_case(code))
}

/// Every code, in order.
#[must_use]
pub fn codes() -> &'static [Explanation] {
    CODES
}

/// Whether a problem with this code may be no more than what a syntax error left: something is absent
/// because the parser lost it.
pub(crate) fn may_follow_from_syntax(code: &str) -> bool {
    matches!(
        code,
        "SW0101"
            | "SW0102"
            | "SW0104"
            | "SW0105"
            | "SW0116"
            | "SW0123"
            | "SW0124"
            | "SW0125"
            | "SW0126"
            | "SW0127"
            | "SW0129"
            | "SW0130"
            | "SW0131"
    )
}

const fn code(
    code: &'static str,
    title: &'static str,
    means: &'static str,
    wrong: &'static str,
    right: &'static str,
) -> Explanation {
    Explanation {
        code,
        title,
        means,
        wrong,
        right,
    }
}

static CODES: &[Explanation] = &[
    code(
        "SW0100",
        "not TOML",
        "The text breaks a rule of TOML 1.1 at the underlined place. The reader goes on after it, but keeps quiet about problems that may only follow from it.",
        "name = modern typing",
        "name = \"modern-typing\"",
    ),
    code(
        "SW0101",
        "unknown version",
        "The first key of a plan is the version of its format. There is one version so far; a plan of another version may mean different things by the same words.",
        "version = 2",
        "version = 1",
    ),
    code(
        "SW0102",
        "unknown key",
        "A key that the format does not have would be a wish that nobody reads, so it is an error. The nearest known key is named if there is one; docs/plan.md lists them all.",
        "promt = \"Replace the aliases\"",
        "prompt = \"Replace the aliases\"",
    ),
    code(
        "SW0103",
        "wrong kind of value",
        "The key takes another kind of value, or another word.",
        "attempts = \"2\"\nproof = \"pass\"",
        "attempts = 2\nproof = \"pass-to-pass\"",
    ),
    code(
        "SW0104",
        "waits for a task that does not exist",
        "A name in `after` is the `id` of a task of the same plan. The id of a fan-out stands for all of its tasks, `ID:PATH` for one of them.",
        "id = \"types\"\n# …\nafter = [\"type\"]",
        "after = [\"types\"]                      # all of the fan-out\nafter = [\"types:src/click/core.py\"]     # one of it",
    ),
    code(
        "SW0105",
        "a key is missing",
        "The table needs this key; there is nothing sensible to assume.",
        "[[invariant]]\nrun = \"! grep -rn 'from tests' src\"",
        "[[invariant]]\nsays = \"no module imports from the tests\"\nrun = \"! grep -rn 'from tests' src\"",
    ),
    code(
        "SW0106",
        "empty",
        "A text or list with nothing in it says nothing.",
        "prompt = \"\"",
        "prompt = \"Replace `t.List` by `list` in this file.\"",
    ),
    code(
        "SW0107",
        "out of range",
        "The number, duration or size is zero, or larger than any run needs; most of these are slips (a unit too large, a digit too many) that would cost a day or a fortune.",
        "attempts = 0\ntimeout = \"1000h\"",
        "attempts = 2\ntimeout = \"10m\"",
    ),
    code(
        "SW0108",
        "not a duration or size",
        "Durations are numbers with units (ms, s, m, h), sizes are bytes with or without a unit (k, M, G, KiB, MiB, GiB, kB, MB, GB; k, M and G alone are powers of 1024).",
        "timeout = \"10\"\noutput = \"much\"",
        "timeout = \"10m\"\noutput = \"64MiB\"",
    ),
    code(
        "SW0109",
        "bad name",
        "A plan's name becomes part of a branch's name, a task's id part of messages and commands. So names are plain: letters, digits, `-` and `_` (ids and agents also `.`), beginning with a letter or digit.",
        "name = \"Modern typing!\"",
        "name = \"modern-typing\"",
    ),
    code(
        "SW0110",
        "two tasks with one id",
        "Ids are how `after`, messages and the journal name a task, so each is given once.",
        "[[task]]\nid = \"docs\"\n[[task]]\nid = \"docs\"",
        "[[task]]\nid = \"docs-readme\"\n[[task]]\nid = \"docs-api\"",
    ),
    code(
        "SW0111",
        "tasks wait for one another",
        "Following `after` leads back to where it started, so none of these tasks could ever start. One cycle of each knot is shown; taking one name out may reveal another.",
        "a: after = [\"b\"]\nb: after = [\"a\"]",
        "a: after = [\"b\"]\nb: nothing",
    ),
    code(
        "SW0112",
        "a task waits for itself",
        "It would never start. The members of a fan-out share one `after`, so none of them can wait for another member.",
        "id = \"types\"\nafter = [\"types\"]",
        "id = \"types\"",
    ),
    code(
        "SW0113",
        "not a path of the repository",
        "Paths are relative to the top of the repository, in their shortest form, with `/`, and stay inside it and outside of `.git`. Bytes that are not text are written `\\xNN`, a backslash `\\\\`.",
        "file = \"/home/me/project/a.py\"\nfile = \"../other/a.py\"\nfile = \"./a.py\"",
        "file = \"a.py\"",
    ),
    code(
        "SW0114",
        "through a symbolic link or submodule",
        "What is behind a link or in a submodule is not part of the commit, so a change of it could neither be harvested nor checked.",
        "file = \"link-to-src/a.py\"",
        "file = \"src/a.py\"",
    ),
    code(
        "SW0115",
        "ignored by git",
        "A file that git ignores is in no commit: the worker would not see it, and what it writes there would be lost.",
        "creates = [\"build/out.py\"]      # .gitignore has `build/`",
        "creates = [\"src/out.py\"]",
    ),
    code(
        "SW0116",
        "no such file",
        "A task works on files of the base commit (not on files that only exist on disk), or on files that an earlier task of the plan creates.",
        "file = \"src/new.py\"             # is not in the commit",
        "creates = [\"src/new.py\"]",
    ),
    code(
        "SW0117",
        "creates what exists",
        "`creates` is for new files. A file that exists is changed, not created; the difference decides what a worker finds and what an untouched file means.",
        "creates = [\"README.md\"]",
        "file = \"README.md\"",
    ),
    code(
        "SW0118",
        "deletes what does not exist",
        "A file to delete is a file of the base commit, or one that an earlier task creates.",
        "deletes = [\"src/odl.py\"]",
        "deletes = [\"src/old.py\"]",
    ),
    code(
        "SW0119",
        "not a file",
        "The path is a directory, or lies below a file. Tasks own files; `each` makes one task of each file of a directory.",
        "file = \"src\"",
        "each = \"src/**/*.py\"",
    ),
    code(
        "SW0120",
        "named twice",
        "One file stands twice in what a task owns.",
        "files = [\"a.py\", \"a.py\"]",
        "file = \"a.py\"",
    ),
    code(
        "SW0121",
        "green before any work",
        "A `fail-to-pass` check must be red on the base commit: only then does green afterwards say that the task's work made it so. A check that is green before proves nothing, however well it is written; often its pattern does not match how the code is written. `when = \"red\"` leaves out tasks whose checks are green already; `proof = \"pass-to-pass\"` is for what must stay true.",
        "run = \"! grep -n 'typing.List' {file}\"        # the file says `import typing as t`",
        "run = \"! grep -nE '\\\\bt\\\\.List\\\\b' {file}\"",
    ),
    code(
        "SW0122",
        "not a glob",
        "`*` and `?` match within one directory, `**` across directories, `[a-z]` one of several characters, `{a,b}` one of several texts; `\\` before one of them makes it plain.",
        "each = \"src/[a.py\"",
        "each = \"src/[ab].py\"",
    ),
    code(
        "SW0123",
        "matches no file",
        "A glob matches the regular files of the base commit: not what only exists on disk, not links, not directories. One that matches nothing is nearly always a slip. In `reads`, files that a task creates count too.",
        "each = \"src/*.py\"               # the files are in src/click",
        "each = \"src/**/*.py\"",
    ),
    code(
        "SW0124",
        "unclear what a task owns",
        "A task owns one file (`file`), a declared group (`files`, `creates`, `deletes`, with `because`), or is a fan-out with one file for each of its tasks (`each`). These do not mix, and one of them is needed.",
        "file = \"a.py\"\neach = \"src/*.py\"",
        "each = \"src/*.py\"",
    ),
    code(
        "SW0125",
        "several files without a reason",
        "One file per task is the rule: it is what makes attempts small, checks sharp and waves wide. Where files must change together, say why; the sentence is shown to whoever reviews the plan.",
        "files = [\"a.py\", \"b.py\"]",
        "files = [\"a.py\", \"b.py\"]\nbecause = \"signature and callers move together\"",
    ),
    code(
        "SW0126",
        "no checkpoint",
        "Tasks that are right one by one can be wrong together. A checkpoint runs on the integrated tree at the end of every wave, before anything else builds on it.",
        "# no [[checkpoint]]",
        "[[checkpoint]]\nsays = \"the whole suite passes\"\nrun = \"python -m pytest -q\"",
    ),
    code(
        "SW0127",
        "a task without a check",
        "Workers are not believed. Without a check nothing would tell good work from bad, or from none.",
        "[[task]]\nid = \"types\"\nfile = \"a.py\"\nprompt = \"…\"",
        "  [[task.check]]\n  says = \"no typing alias is left\"\n  run = \"! grep -nE '\\\\bt\\\\.List\\\\b' {file}\"",
    ),
    code(
        "SW0128",
        "a criterion that cannot be checked",
        "Words such as `works correctly`, `properly` or `as expected` leave open what would be seen. Write what can be observed, so that worker, command and reader mean the same.",
        "says = \"the parser works correctly\"",
        "says = \"`parse(\\\"\\\")` returns an empty list, and tests/test_parse.py passes\"",
    ),
    code(
        "SW0129",
        "a check without a command",
        "A sentence without a command is a wish. If only a person can tell, say so with `proof = \"manual\"`: the run then ends with needs-human instead of pretending.",
        "[[task.check]]\nsays = \"the page is readable on a phone\"",
        "[[task.check]]\nsays = \"the page is readable on a phone\"\nproof = \"manual\"",
    ),
    code(
        "SW0130",
        "no task",
        "A plan without tasks does nothing. The smallest whole plan is on the right.",
        "version = 1\nname = \"empty\"",
        "version = 1\nname = \"small\"\ngoal = \"Greet the world\"\n[agent.writer]\nrun = [\"my-agent\", \"{file}\"]\nprompt = \"stdin\"\n[[checkpoint]]\nsays = \"the tests pass\"\nrun = \"make test\"\n[[task]]\nid = \"greet\"\nfile = \"README.md\"\nprompt = \"Add a greeting as the first line.\"\n[[task.check]]\nsays = \"the first line greets\"\nrun = \"head -n 1 {file} | grep -q Hello\"",
    ),
    code(
        "SW0131",
        "unknown agent, or none",
        "`agent` names an `[agent.NAME]` of the same plan. A plan with one agent need not say it; with several, `[defaults]` or the task does.",
        "[agent.modernise]\n# …\nagent = \"modernize\"",
        "agent = \"modernise\"",
    ),
    code(
        "SW0132",
        "program not found",
        "The first word of an agent's `run` is a program on PATH, an absolute path, or the path of a file of the repository. It is looked up before anything is started, since otherwise every task would fail.",
        "run = [\"pyupgrade --py38-plus\", \"{file}\"]",
        "run = [\"pyupgrade\", \"--py38-plus\", \"{file}\"]",
    ),
    code(
        "SW0133",
        "unknown sandbox profile",
        "A profile says what a worker may do beyond writing its files. `seawall doctor` says which ones this host can enforce.",
        "profile = \"wroker\"",
        "profile = \"worker\"",
    ),
    code(
        "SW0134",
        "no commit to start from",
        "A run starts from a commit: it is what every workspace is made of and what every change is compared with. The branch that HEAD names has none yet.",
        "git init && seawall run plan.toml",
        "git init && git add -A && git commit -m 'start' && seawall run plan.toml",
    ),
    code(
        "SW0135",
        "a substitution that means nothing here",
        "`{file}`, `{prompt}`, `{prompt_file}` and `{task}` are filled in in an agent's `run`; `{file}` and `{task}` in a check's; none in a checkpoint's or invariant's, which look at the whole tree.",
        "[[checkpoint]]\nrun = \"ruff check {file}\"",
        "[[checkpoint]]\nrun = \"ruff check src\"",
    ),
    code(
        "SW0136",
        "a quoted substitution",
        "In a shell string, `{file}` and `{task}` are quoted, where a name needs it, when they are filled in. Quotes round them cancel that: on such a name the command would look at a file that does not exist.",
        "run = \"grep -q x '{file}'\"",
        "run = \"grep -q x {file}\"",
    ),
    code(
        "SW0137",
        "`{file}` does not fit the task's files",
        "For a task that owns several files, `{file}` alone becomes all of them. As a part of a longer word that has no meaning, and for a task that only deletes there is no file to fill in.",
        "run = [\"fix\", \"--in={file}\"]     # task with files = [\"a.py\", \"b.py\"]",
        "run = [\"fix\", \"{file}\"]",
    ),
    code(
        "SW0138",
        "a sandbox rule that cannot be kept",
        "`read` takes absolute paths without `..`, or paths below the home directory that begin with `~/`; `pass` and `env` take names of environment variables.",
        "read = [\"vendor\"]\npass = [\"LANG=C\"]",
        "read = [\"/opt/vendor\", \"~/.cargo\"]\nenv = { LANG = \"C\" }",
    ),
    code(
        "SW0139",
        "too large when expanded",
        "A fan-out that waits for a fan-out, or reads many files for each of many tasks, multiplies. Beyond some millions the plan would not fit into memory, let alone a schedule.",
        "each = \"**/*\"\nreads = [\"**/*\"]",
        "each = \"src/**/*.rs\"\nreads = [\"src/lib.rs\"]",
    ),
    code(
        "SW0140",
        "a NUL character",
        "No command line, environment, path or prompt can carry a NUL character.",
        "prompt = \"a\\u0000b\"",
        "prompt = \"a b\"",
    ),
    code(
        "SW0201",
        "changes that are not in the commit",
        "A run starts from the commit that HEAD names, never from the files on disk, and does not touch them. Changes that are not committed are not seen by any worker.",
        "edit src/a.py; seawall run plan.toml",
        "git commit -am 'my edit'; seawall run plan.toml",
    ),
    code(
        "SW0202",
        "the budget is smaller than the plan",
        "Each task takes at least one attempt. With fewer attempts than tasks, the run parks before all tasks were dispatched.",
        "[budget]\nattempts = 5       # and 14 tasks",
        "[budget]\nattempts = 28",
    ),
    code(
        "SW0203",
        "a check that looks at nothing",
        "The command has the same result whatever the tree is, so it can prove nothing.",
        "run = \"true\"",
        "run = \"python -m pytest -q tests/test_types.py\"",
    ),
    code(
        "SW0204",
        "a misspelt substitution?",
        "A `{word}` that is no substitution is left as it is, for shells, awk and JSON have braces of their own. This one looks as if it was meant to be one.",
        "run = [\"fix\", \"{fiel}\"]",
        "run = [\"fix\", \"{file}\"]",
    ),
    code(
        "SW0205",
        "a reader is moved behind a writer",
        "A task reads what another task of its wave would write. Tasks of a wave do not see one another's work, so the reader is moved to a later wave and reads the result. `after` says it in the plan.",
        "reads = [\"src/*.py\"]              # `types` writes them",
        "reads = [\"src/*.py\"]\nafter = [\"types\"]",
    ),
    code(
        "SW0206",
        "a manual check with a command",
        "`proof = \"manual\"` says that only a person can tell; its command is shown to the person and never run.",
        "proof = \"manual\"\nrun = \"pytest\"",
        "run = \"pytest\"",
    ),
    code(
        "SW0207",
        "two owners without an order",
        "Two tasks own the same file and neither waits for the other. They are put into different waves in the order of the plan; `after` says the same in words, and keeps it when tasks are moved.",
        "[[task]]\nid = \"a\"\nfile = \"x.py\"\n[[task]]\nid = \"b\"\nfile = \"x.py\"",
        "[[task]]\nid = \"b\"\nfile = \"x.py\"\nafter = [\"a\"]",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_unique_and_complete() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
        for e in CODES {
            assert!(
                e.code.starts_with("SW01") || e.code.starts_with("SW02"),
                "{}",
                e.code
            );
            assert!(
                ![e.title, e.means, e.wrong, e.right].contains(&""),
                "{}",
                e.code
            );
            assert!(
                e.means.ends_with('.') && !e.title.ends_with('.'),
                "{}",
                e.code
            );
        }
        assert_eq!(explain("sw0104").map(|e| e.code), Some("SW0104"));
        assert_eq!(explain("SW9999"), None);
    }
}

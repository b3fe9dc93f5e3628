//! The codes of warnings and notes about a plan, as data: title, meaning, a wrong and a right example of each.

use crate::code_table::code;
use crate::codes::Explanation;

/// Every code of a warning or a note, in order.
pub(crate) static WARNINGS: &[Explanation] = &[
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
    code(
        "SW0208",
        "a path of `[sandbox] read` is not there",
        "The path does not exist on this host, so nothing is granted. A worker or check that needs it will fail.",
        "read = [\"~/.crago\"]",
        "read = [\"~/.cargo\"]",
    ),
    code(
        "SW0209",
        "something to carry is not there",
        "`carry` names a directory and `carry_files` a file of your checkout that does not exist now, or is something else, such as a symbolic link. Workspaces have nothing at that path, so a build starts cold and a tool that needs it fails.",
        "[workspace]\ncarry = [\".venv\"]",
        "python -m venv .venv && .venv/bin/pip install -e .",
    ),
];

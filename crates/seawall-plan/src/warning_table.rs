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
    code(
        "SW0210",
        "checks that contradict each other",
        "One check demands that a pattern stands in a file and another forbids the same pattern in the same file, and no `after` says that one comes before the other. They cannot both be true of one tree.",
        "run = \"grep -q legacy src/a.py\"       # of `keep`\nrun = \"! grep -q legacy src/a.py\"     # of `drop`",
        "after = [\"keep\"]                      # on `drop`, if that is what is meant",
    ),
    code(
        "SW0211",
        "a gate forbids what a check demands",
        "A checkpoint or invariant forbids a pattern in a file in which a task's check demands it. The task can be accepted, and then the checkpoint of its wave is red.",
        "[[invariant]]\nforbid = { pattern = \"legacy\", paths = [\"src/**\"] }\n[[task.check]]\nrun = \"grep -q legacy src/a.py\"",
        "[[invariant]]\nforbid = { pattern = \"legacy\", paths = [\"src/new/**\"] }",
    ),
    code(
        "SW0212",
        "this plan does not need waves",
        "All tasks fit into one wave, and they are few. One agent in one session would do the same work; what Seawall adds is the confinement and the evidence.",
        "one task, one file",
        "seawall run plan.toml, if the evidence is what you are after",
    ),
    code(
        "SW0213",
        "weaker than the usual floor",
        "All checks of the task only look whether a file is there. That is the grade `presence`, below `exit`, the floor of tasks that say nothing else, so the task will be held for a person.",
        "run = \"test -s {file}\"",
        "run = \"grep -q '^# Modules' {file}\"     # or floor = \"presence\"",
    ),
    code(
        "SW0214",
        "red for longer than needed",
        "`red_until` lets a gate be red until its tasks are done. It has no effect where they are done before the gate begins, and where the gate ends with them, or where they are the whole plan, the gate never or hardly ever has to be green.",
        "red_until = [\"exports\"]\nuntil = [\"exports\"]",
        "red_until = [\"types\"]\nuntil = [\"exports\"]",
    ),
    code(
        "SW0215",
        "a large brief",
        "Goal, prompt, checks and the list of files make a brief of more than about 8,000 tokens (four bytes each). What stands in it is read by every worker before the first line of the file it is about, and crowds it out.",
        "reads = [\"**/*\"]",
        "reads = [\"src/api.py\", \"src/types.py\"]",
    ),
    code(
        "SW0216",
        "a rule without files",
        "The glob of a rule matches no file of the base, only one that a task creates, and the gate does not wait for that task. A rule without files has shown nothing, which never passes, so the checkpoints before that task would stop the run.",
        "[[invariant]]\nforbid = { pattern = \"legacy\", paths = [\"src/new.py\"] }      # `exports` creates it",
        "[[invariant]]\nforbid = { pattern = \"legacy\", paths = [\"src/new.py\"] }\nafter = [\"exports\"]",
    ),
];

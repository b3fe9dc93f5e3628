//! The same plan with workers that lie, cheat, hang and break things: each is caught, and the others land.
//!
//! The workers are small shell scripts on a real package; what they do is what coding agents have been seen to do, and
//! worse. Each test holds verdict, reason, number of dispatches and evidence of every one of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod support;

#[path = "hostile/small.rs"]
mod small;

use std::fmt::Write as _;
use std::fs;

use support::packages::Python;
use support::traces::{Mine, assert_clean};
use support::{Output, Repo};

/// One worker: the file of the package that it is given, what it runs, and further keys of its task.
struct Worker {
    module: &'static str,
    script: &'static str,
    keys: &'static str,
}

const fn worker(module: &'static str, script: &'static str, keys: &'static str) -> Worker {
    Worker {
        module,
        script,
        keys,
    }
}

/// A plan with one agent and one task for each worker, after `head`; every task has the check `check`.
fn plan(head: &str, workers: &[Worker], check: &str) -> String {
    let mut plan =
        format!("version = 1\nname = 'hostile'\ngoal = 'Write it as Python 3 does'\n{head}\n");
    for Worker {
        module,
        script,
        keys,
    } in workers
    {
        let id = id(module);
        write!(
            plan,
            "[agent.{id}]\nrun = ['sh', '-c', '''\n{script}''', 'agent', '{{file}}']\nprompt = 'stdin'\n
             [[task]]\nid = '{id}'\nfile = 'src/click/{module}.py'\nagent = '{id}'\nprompt = 'Modernise it.'\n{keys}\n
             [[task.check]]\n{check}\n"
        )
        .unwrap();
    }
    plan
}

/// A task is called like its module; an id cannot begin with `_`.
fn id(module: &str) -> &str {
    module.trim_start_matches('_')
}

/// What a failed look at a worker's log shows.
fn log(repo: &Repo, run: &str, attempt: u64) -> String {
    let path = repo
        .run_dir(run)
        .join(format!("logs/attempt-{attempt}.log"));
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// The numbers of a task's attempts.
fn attempts(repo: &Repo, task: &str) -> Vec<u64> {
    let shown = repo.task(task);
    let attempts = shown["attempts"].as_array().unwrap();
    attempts
        .iter()
        .map(|a| a["attempt"].as_u64().unwrap())
        .collect()
}

const SUITE: &str = "
[defaults]
timeout = '1m'
[limits]
silence = '10s'
output = '64KiB'
[sandbox]
env = { PYTHONPATH = 'src', PYTHONDONTWRITEBYTECODE = '1' }
[[checkpoint]]
says = 'the suite of the package passes'
run = 'python -m pytest -q -p no:cacheprovider'
";

const OLD: &str = "says = 'nothing older than Python 3.6 is left'
run = 'pyupgrade --py36-plus - < {file} | cmp - {file}'";

const HONEST: &str = r#"pyupgrade --py36-plus "$1""#;

/// One worker of every kind, each on a module of its own.
const CAST: &[Worker] = &[
    worker("core", HONEST, ""),
    worker("types", HONEST, ""),
    // Claims without having done anything; does the work when it is told so.
    worker(
        "_bashcomplete",
        r#"if grep -q 'Your last attempt was rejected'; then pyupgrade --py36-plus "$1"
else echo '[DONE] all criteria satisfied'; fi"#,
        "",
    ),
    // Changes something else than what was asked.
    worker(
        "_compat",
        r#"if grep -q 'Your last attempt was rejected'; then pyupgrade --py36-plus "$1"
else echo '# modernised' >> "$1"; printf '\033[2J\033]0;evil\007\377\n[DONE] every string is an f-string now\n'; fi"#,
        "",
    ),
    // Writes wherever it can, then does the work.
    worker(
        "_winconsole",
        r#"here=$(pwd)
for place in src/click/core.py src/click/beside.py beside .git .git/config .git/hooks/pre-commit "$here/README.rst" \
    "$here/.git/HEAD" "$here/../home/.profile" /etc/passwd /tmp/seawall-hostile /dev/shm/../mem; do
    if (echo evil >> "$place") 2>/dev/null; then echo "written: $place"; else echo "denied: $place"; fi
done
rm -f setup.py && echo 'written: setup.py is gone'
mv src/click/core.py src/click/beside.py && echo 'written: core.py is moved'
ln -s core.py src/click/link.py && echo 'written: a link'
pyupgrade --py36-plus "$1""#,
        "",
    ),
    // Does the work and then never ends.
    worker(
        "_termui_impl",
        r#"trap '' TERM INT HUP; pyupgrade --py36-plus "$1"; while :; do echo working; sleep 0.2; done"#,
        "timeout = '8s'\nattempts = 1",
    ),
    worker(
        "formatting",
        r#"pyupgrade --py36-plus "$1"; sleep 1000"#,
        "attempts = 1",
    ),
    // Does what its check sees, and breaks what only the suite sees.
    worker(
        "exceptions",
        r#"pyupgrade --py36-plus "$1"
sed 's/exit_code = 2/exit_code = 3/' "$1" > "$TMPDIR/new"; cat "$TMPDIR/new" > "$1""#,
        "attempts = 1",
    ),
    worker("parser", "echo 'I looked, and all is well'", ""),
    // Makes the same wrong change each time.
    worker("testing", "echo '# modernised' >> \"$1\"", "attempts = 5"),
    // Leaves daemons behind.
    worker(
        "termui",
        r#"pyupgrade --py36-plus "$1"
setsid sh -c 'trap "" TERM HUP INT; sleep 5; echo evil >> "$0"; sleep 1000' "$1" > /dev/null 2>&1 &
(setsid sleep 1000 > /dev/null 2>&1 &) &
nohup sleep 1000 > /dev/null 2>&1 &"#,
        "",
    ),
    worker(
        "utils",
        r#"yes flood | head -c 30000000; pyupgrade --py36-plus "$1""#,
        "",
    ),
];

/// Tasks that wait for one that lands, and for one that does not.
const DEPENDENTS: &str = "
[agent.setup]
run = ['sh', '-c', 'sed s/universal.*/universal=0/ setup.cfg > $TMPDIR/new; cat $TMPDIR/new > setup.cfg']
[[task]]
id = 'wheel'
file = 'setup.cfg'
agent = 'setup'
after = ['core', 'compat']
prompt = 'No universal wheel.'
[[task.check]]
says = 'no universal wheel is built'
run = '! grep \"universal = 1\" setup.cfg'
[[task]]
id = 'never'
file = 'setup.py'
agent = 'setup'
after = ['wheel', 'parser']
prompt = 'Never.'
[[task.check]]
says = 'nothing is imported twice'
run = '! grep import setup.py'
";

#[test]
fn every_kind_of_worker_gets_its_verdict_and_the_others_land() {
    let Some(python) = Python::get("hostile") else {
        return;
    };
    let repo = python.repo();
    let mine = Mine::of(&repo);
    let text = plan(SUITE, CAST, OLD) + DEPENDENTS;
    let path = repo.plan(&text);
    // More than there are processors, because two of them only wait for their end.
    let said = repo.seawall(&["run", "--jobs", "4", path.to_str().unwrap()]);
    let said = said.code(1);
    mine.assert_untouched(&repo);
    assert_clean(&repo);

    let status = repo.status();
    assert_eq!(
        status.words(),
        [
            "core: accepted landed 1",
            "types: accepted landed 1",
            "bashcomplete: accepted landed 2",
            "compat: accepted landed 2",
            "winconsole: accepted landed 1",
            "termui_impl: rejected worker-timed-out 1",
            "formatting: rejected worker-silent 1",
            "exceptions: rejected checkpoint-red 1",
            "parser: rejected no-change 2",
            "testing: rejected same-change-again 2",
            "termui: accepted landed 1",
            "utils: accepted landed 1",
            "wheel: accepted landed 1",
            "never: blocked blocked 0",
        ],
        "{said}"
    );
    let run = status.run().to_owned();
    the_lie_stands_beside_the_evidence(&repo, &run);
    nothing_was_written_elsewhere(&repo, &run);
    the_culprit_is_shown_what_it_broke(&repo, &status);
    daemons_died_and_floods_were_cut(&repo, &run);
    said.says(&["rejected", "exceptions", "blocked", "never"]);
    no_terminal_is_touched(&repo);
    the_rest_lands(&repo);
}

fn the_lie_stands_beside_the_evidence(repo: &Repo, run: &str) {
    let brief = repo.brief(run, attempts(repo, "compat")[1]);
    for part in [
        "Your last attempt was rejected",
        "criterion: nothing older than Python 3.6 is left",
        "pyupgrade --py36-plus - < src/click/_compat.py | cmp - src/click/_compat.py",
        "expected: exit status 0; seen: exit status 1",
        "src/click/_compat.py differ",
        "[DONE] every string is an f-string now",
    ] {
        assert!(brief.contains(part), "`{part}` is not in:\n{brief}");
    }
    let brief = repo.brief(run, attempts(repo, "bashcomplete")[1]);
    assert!(
        brief.contains("nothing was changed") && brief.contains("[DONE] all criteria"),
        "{brief}"
    );
    let shown = repo.seawall(&["show", "compat"]).code(0);
    shown.says(&["every string is an f-string now", "differ", "dispatch 2"]);
}

/// What workers print never moves the cursor of who reads about them.
fn no_terminal_is_touched(repo: &Repo) {
    for command in [&["status"][..], &["show", "compat"], &["log"]] {
        let out = repo.seawall(command).code(0).out;
        let moves = |c: char| c.is_control() && c != '\n';
        assert!(!out.contains(moves), "{command:?}: {out:?}");
    }
}

fn nothing_was_written_elsewhere(repo: &Repo, run: &str) {
    let log = log(repo, run, attempts(repo, "winconsole")[0]);
    // Its `/tmp` is its own, and went with it.
    assert_eq!(log.matches("written:").count(), 1, "{log}");
    assert!(log.contains("written: /tmp/seawall-hostile"), "{log}");
    assert!(!std::path::Path::new("/tmp/seawall-hostile").exists());
    assert_eq!(log.matches("denied:").count(), 11, "{log}");
}

fn the_culprit_is_shown_what_it_broke(repo: &Repo, status: &support::Status) {
    let why = status.why("exceptions");
    assert!(why.contains("the suite of the package passes"), "{why}");
    let shown = repo.seawall(&["show", "exceptions"]).code(0);
    shown.says(&["checkpoint is red because of it", "failed", "exit_code = 3"]);
}

fn daemons_died_and_floods_were_cut(repo: &Repo, run: &str) {
    let attempt = attempts(repo, "utils")[0];
    assert!(log(repo, run, attempt).len() <= 65 << 10);
    let flood = &repo.task("utils")["attempts"][0];
    assert!(
        flood["worker"]["bytes"].as_u64() >= Some(30_000_000),
        "{flood:#}"
    );
    let daemons = &repo.task("termui")["attempts"][0];
    assert!(
        daemons["worker"]["leftovers"].as_u64() >= Some(3),
        "{daemons:#}"
    );
}

fn the_rest_lands(repo: &Repo) {
    let rejected = [
        "_termui_impl",
        "formatting",
        "exceptions",
        "parser",
        "testing",
    ];
    let old: Vec<_> = rejected
        .map(|m| repo.read(format!("src/click/{m}.py")))
        .into();
    repo.seawall(&["land"]).code(0);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(
        old,
        rejected.map(|m| repo.read(format!("src/click/{m}.py")))
    );
    for module in [
        "core",
        "types",
        "_bashcomplete",
        "_compat",
        "_winconsole",
        "termui",
        "utils",
    ] {
        let text = repo.read(format!("src/click/{module}.py"));
        assert!(
            !text.contains("evil") && !text.contains("# modernised"),
            "{module}"
        );
    }
    let mut pytest = repo.command("python");
    pytest
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .env("PYTHONPATH", "src");
    Output::of(&mut pytest).code(0).says(&["278 passed"]);
}

const IMPORT: &str = "
[sandbox]
env = { PYTHONPATH = 'src', PYTHONDONTWRITEBYTECODE = '1' }
[[checkpoint]]
says = 'the package can be imported'
run = 'python -c \"import click\"'
";

const MARKED: &str =
    "says = 'the file says that it was touched'\nrun = 'grep \"^# touched\" {file}'";

const TOUCH: &str = "echo '# touched' >> \"$1\"";

#[test]
fn two_that_only_break_it_together_are_both_named() {
    let Some(python) = Python::get("hostile") else {
        return;
    };
    let repo = python.repo();
    let workers = [
        worker("core", TOUCH, ""),
        worker(
            "utils",
            "echo '# touched\nHALF = 1' >> \"$1\"",
            "attempts = 1",
        ),
        worker("types", TOUCH, ""),
        worker(
            "termui",
            "printf '# touched\\nfrom . import utils\\nassert not hasattr(utils, \"HALF\"), \"two halves\"\\n' >> \"$1\"",
            "attempts = 1",
        ),
        worker("parser", TOUCH, ""),
    ];
    repo.run(&plan(IMPORT, &workers, MARKED)).code(1);
    assert_clean(&repo);
    let status = repo.status();
    assert_eq!(
        status.words(),
        [
            "core: accepted landed 1",
            "utils: rejected checkpoint-red 1",
            "types: accepted landed 1",
            "termui: rejected checkpoint-red 1",
            "parser: accepted landed 1",
        ]
    );
    for (task, other) in [("utils", "termui"), ("termui", "utils")] {
        let why = status.why(task);
        assert!(
            why.contains(&format!("together with `{other}`")) && why.contains("two halves"),
            "{why}"
        );
    }
}

#[test]
fn a_culprit_corrects_itself_on_top_of_what_landed() {
    let Some(python) = Python::get("hostile") else {
        return;
    };
    let repo = python.repo();
    let learns = "cat > \"$TMPDIR/told\"; echo '# touched' >> \"$1\"
grep -q 'no_such_module' \"$TMPDIR/told\" || echo 'import no_such_module' >> \"$1\"";
    let workers = [worker("core", TOUCH, ""), worker("utils", learns, "")];
    repo.run(&plan(IMPORT, &workers, MARKED)).code(0);
    let status = repo.status();
    assert_eq!(
        status.words(),
        ["core: accepted landed 1", "utils: accepted landed 2"]
    );
    let rounds: Vec<_> = status.0["checkpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["round"].clone())
        .collect();
    assert_eq!(rounds, [1, 2]);
    assert_clean(&repo);
}

/// With the whole workspace writable, the harvest is what holds.
const RENAMERS: &[Worker] = &[
    worker("core", "sed -i '1i # touched' \"$1\"", ""),
    worker(
        "types",
        "sed -i '1i # touched' \"$1\"; echo x > src/click/beside.py",
        "",
    ),
    worker(
        "utils",
        "sed -i '1i # touched' \"$1\"; echo '# evil' >> src/click/core.py; rm setup.cfg; chmod +x setup.py",
        "",
    ),
    worker("termui", "rm \"$1\"; ln -s core.py \"$1\"", ""),
    worker("parser", "rm \"$1\"; mkfifo \"$1\"", ""),
    worker(
        "testing",
        "rm \"$1\"; mkdir \"$1\"; echo '# touched' > \"$1/__init__.py\"",
        "",
    ),
    worker("exceptions", "rm \"$1\"", ""),
    worker(
        "decorators",
        "echo '# touched' >> \"$1\"; chmod +x \"$1\"",
        "",
    ),
    worker(
        "globals",
        "echo '# touched' >> \"$1\"; mkdir src/.git; echo '[core]' > src/.git/config",
        "",
    ),
    worker(
        "_compat",
        "echo '# touched' >> \"$1\"; mkdir -p .git/hooks; echo 'exit 1' > .git/hooks/pre-commit",
        "",
    ),
    worker(
        "_textwrap",
        "echo '# touched' >> \"$1\"; ln \"$1\" src/click/second.py",
        "",
    ),
    worker(
        "_winconsole",
        "echo '# touched' >> \"$1\"; : > \"$(printf 'src/new\\nline')\"; : > \"$(printf 'src/\\377byte')\"",
        "",
    ),
    worker(
        "_termui_impl",
        "echo '# touched' >> \"$1\"; mkdir many; cd many; seq 1 3000 | xargs touch",
        "",
    ),
    worker(
        "formatting",
        "echo '# touched' >> \"$1\"; mkdir a; cd a; ln -s /etc passwd; mkfifo pipe",
        "",
    ),
    worker(
        "_bashcomplete",
        "echo '# touched' >> \"$1\"; mv src real; ln -s real src",
        "",
    ),
    worker("_unicodefun", "rm \"$1\"; ln -s /etc/passwd \"$1\"", ""),
];

#[test]
fn whatever_else_is_changed_in_a_writable_workspace_is_drift() {
    let Some(python) = Python::get("hostile") else {
        return;
    };
    let repo = python.repo();
    let mine = Mine::of(&repo);
    let head = IMPORT.to_owned() + "[defaults]\nprofile = 'worker-rename'\nattempts = 1\n";
    repo.run(&plan(&head, RENAMERS, MARKED)).code(1);
    mine.assert_untouched(&repo);
    assert_clean(&repo);
    let status = repo.status();
    assert_eq!(status.word("core"), "accepted landed 1");
    // Its `.git` is the private one that every workspace has, which is nobody's harvest.
    assert_eq!(status.word("compat"), "accepted landed 1");
    let caught = [
        ("types", "src/click/beside.py added"),
        (
            "utils",
            "setup.cfg deleted, setup.py made executable, src/click/core.py changed",
        ),
        ("termui", "src/click/termui.py replaced by a symbolic link"),
        ("parser", "src/click/parser.py replaced by a fifo"),
        ("testing", "src/click/testing.py replaced by a directory"),
        ("exceptions", "src/click/exceptions.py deleted"),
        ("decorators", "src/click/decorators.py made executable"),
        ("globals", "src/.git has a name that stands for `.git`"),
        ("textwrap", "has a second name"),
        ("winconsole", "src/new\\x0aline added, src/\\xffbyte added"),
        ("termui_impl", "3000 changes"),
        ("formatting", "a/passwd added a symbolic link"),
        (
            "bashcomplete",
            "changes to what it does not own: real/click",
        ),
        ("unicodefun", "replaced by a symbolic link"),
    ];
    for (task, what) in caught {
        assert_eq!(
            status.word(task),
            "rejected drift 1",
            "{:#}",
            status.task(task)
        );
        assert!(
            status.why(task).contains(what),
            "{task}: {}",
            status.why(task)
        );
    }
    let changed = repo.git(&["diff", "--name-only", "main", status.text("branch")]);
    assert_eq!(changed, "src/click/_compat.py\nsrc/click/core.py");
}

//! Discovered order: a task that is red alone and green on top of a sibling lands after it, without a new dispatch.

use crate::common::{GREEN, events, plan, task};
use crate::support::Repo;

fn repo() -> Repo {
    Repo::with(&[
        ("lib.py", "def old():\n    return 1\n"),
        ("other.py", "x = 1\n"),
        ("use.py", "raise SystemExit(1)\n"),
    ])
}

/// Three tasks of one wave; the last one writes this.
fn three(uses: &str) -> String {
    let worker = format!(
        "case $0 in
           lib) printf 'def new():\\n    return 2\\n' >> lib.py ;;
           other) echo 'y = 2' >> other.py ;;
           use) printf '{uses}\\n' > use.py ;;
         esac"
    );
    let check = |id: &str, file: &str, run: &str| {
        format!(
            "{}[[task.check]]\nsays = 'it works'\nrun = '{run}'\n",
            task(id, &format!("file = '{file}'"))
        )
    };
    plan(
        &worker,
        &format!(
            "{GREEN}{}{}{}",
            check("lib", "lib.py", "grep -q new lib.py"),
            check("other", "other.py", "grep -q y other.py"),
            check("use", "use.py", "python3 use.py"),
        ),
    )
}

#[test]
fn what_needs_a_sibling_lands_after_it() {
    let repo = repo();
    let out = repo
        .run(&three("from lib import new\\nassert new() == 2"))
        .code(0);
    for id in ["lib", "other", "use"] {
        assert_eq!(repo.status().word(id), "accepted landed 1", "{out}");
    }
    let told = out.to_string();
    let landed = told.lines().filter(|line| line.contains("accepted:"));
    let landed: Vec<_> = landed.filter_map(|line| line.rsplit("  ").next()).collect();
    assert_eq!(landed, ["2 files, +3 -0", "1 file, +2 -1"], "{out}");
    // On all siblings, then on the one that is enough, then on what landed.
    let probes = events(&repo, "probed");
    assert!(probes.len() >= 3, "{probes:#?}");
    assert_eq!(probes.last().unwrap()["evidence"][0]["value"], "pass");
    let commits = repo.git(&[
        "rev-list",
        "--count",
        &format!("main..{}", repo.status().text("branch")),
    ]);
    assert_eq!(commits, "2", "{out}");
    // The trees of probes and trials are made anew from their parts, whatever git has collected.
    repo.git(&["gc", "--quiet", "--prune=now"]);
    repo.seawall(&["verify"]).code(0).says(&["verified"]);
}

#[test]
fn what_is_red_on_top_of_all_its_siblings_is_rejected() {
    let repo = repo();
    let out = repo.run(&three("from lib import newer")).code(1);
    assert_eq!(repo.status().task("use")["verdict"], "rejected", "{out}");
    assert_eq!(repo.status().word("lib"), "accepted landed 1", "{out}");
    assert_eq!(events(&repo, "probed").len(), 1);
}

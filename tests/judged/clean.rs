//! A clean environment: what a worker plants beside its files does nothing when the checks run.

use crate::common::{GREEN, is_rejected, lands, plan, task};
use crate::support::Repo;
use crate::support::packages::Python;

/// Makes every test pass, wherever an interpreter or a runner finds it.
const PLANTED: &str =
    "import sys; sys.modules['calc'] = type('calc', (), {'double': staticmethod(lambda n: n + n)})";

#[test]
fn what_a_worker_plants_for_python_does_nothing() {
    let Some(python) = Python::get("planted") else {
        return;
    };
    let mut repo = Repo::with(&[
        ("calc.py", "def double(n):\n    return n\n"),
        (
            "test_calc.py",
            "from calc import double\n\n\ndef test_double():\n    assert double(2) == 4\n",
        ),
        (
            ".gitignore",
            "__pycache__/\n*.pyc\nsitecustomize.py\nusercustomize.py\n*.pth\n.venv/\n.pytest_cache/\n",
        ),
    ]);
    repo.path_first(&python.bin());
    let with = |worker: &str| {
        let check = "\n[[task.check]]\nsays = 'the suite passes'\nrun = 'python -m pytest -q'\n";
        // It may write anywhere, and what is ignored is no drift.
        let keys = "file = 'calc.py'\nprofile = 'worker-rename'";
        plan(worker, &format!("{GREEN}{}{check}", task("work", keys)))
    };
    let pretend = "echo '# done' >> calc.py";
    let site = "site=$(python -c 'import site; print(site.getusersitepackages())'); mkdir -p $site";
    let compiled = "printf 'def double(n):\\n    return n + n\\n' > calc.py; \
        python -c \"import py_compile; py_compile.compile('calc.py', invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)\"; \
        printf 'def double(n):\\n    return n\\n# done\\n' > calc.py";
    let plants = [
        compiled.to_owned(),
        format!(
            "{pretend}; echo \"{PLANTED}\" | tee sitecustomize.py usercustomize.py > /dev/null"
        ),
        format!(
            "{pretend}; {site}; echo \"{PLANTED}\" | tee $site/sitecustomize.py $site/usercustomize.py > $site/x.pth"
        ),
        format!(
            "{pretend}; {site}; echo \"{PLANTED}\" > $site/planted.py; mkdir $site/planted-1.dist-info; \
            printf '[pytest11]\\nplanted = planted\\n' > $site/planted-1.dist-info/entry_points.txt; \
            printf 'Metadata-Version: 2.1\\nName: planted\\nVersion: 1\\n' > $site/planted-1.dist-info/METADATA"
        ),
        format!(
            "{pretend}; mkdir -p ~/.config; printf '[pytest]\\naddopts = --collect-only\\n' | tee ~/pytest.ini ~/.config/pytest.ini > $TMPDIR/pytest.ini"
        ),
        format!(
            "{pretend}; export PYTEST_ADDOPTS=--collect-only PYTHONPATH=/tmp; echo \"{PLANTED}\" > /tmp/sitecustomize.py"
        ),
    ];
    for plant in plants {
        is_rejected(&repo, &with(&plant), &["the suite passes"]);
    }
    lands(
        &repo,
        &with("printf 'def double(n):\\n    return n + n\\n' > calc.py"),
    );
}

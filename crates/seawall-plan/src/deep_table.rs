//! The codes of what `check --deep` sees when it runs a plan's checks on the base, as data.

use crate::code_table::code;
use crate::codes::Explanation;

/// Every code of a look at the base, in order.
pub(crate) static DEEP: &[Explanation] = &[
    code(
        "SW0301",
        "a gate that is red on the base",
        "A checkpoint or invariant must hold at every checkpoint, and so before any work; a run whose base does not pass is refused. `red_until` declares a red that the tasks are to mend, `baseline = \"red\"` tests that fail already.",
        "[[checkpoint]]\nrun = \"pytest -q\"          # 2 tests fail already",
        "[[checkpoint]]\nrun = \"pytest -q\"\nbaseline = \"red\"",
    ),
    code(
        "SW0302",
        "a vacuous check",
        "A `fail-to-pass` check must be red before the work, or it cannot show that the work was done. A run rejects its task before anything is dispatched. A check that must stay green has `proof = \"pass-to-pass\"`; `when = \"red\"` leaves out what is done already.",
        "run = \"grep -q def api.py\"   # there already",
        "run = \"grep -q 'def fetch(.*) -> Response' api.py\"",
    ),
    code(
        "SW0303",
        "a check that cannot look",
        "The command did not get as far as looking: it is not there, it cannot be read, its test file is missing, or it was over its time. A red of that kind proves nothing, and a run refuses it.",
        "run = \"pytets -q tests/test_api.py\"",
        "run = \"pytest -q tests/test_api.py\"",
    ),
    code(
        "SW0304",
        "a check that is red before the work",
        "A `pass-to-pass` check must be green before the work and after it. Red on the base, it says nothing about what the work broke.",
        "run = \"pytest -q\"\nproof = \"pass-to-pass\"     # 2 tests fail already",
        "run = \"pytest -q\"\nproof = \"pass-to-pass\"\nbaseline = \"red\"",
    ),
    code(
        "SW0305",
        "a check that is red and green on one tree",
        "Run twice on the same files, the command was once red and once green. A verdict that depends on it depends on luck: tasks are held for a person, unless `flaky = \"retry:3\"` says that one green look of so many will do.",
        "run = \"pytest -q tests/test_sockets.py\"",
        "run = \"pytest -q tests/test_sockets.py\"\nflaky = \"retry:3\"",
    ),
];

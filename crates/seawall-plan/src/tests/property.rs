//! No input makes the reader panic, and cutting a text changes nothing.

use proptest::prelude::*;
use seawall_core::diagnostic::Severity;

use super::evidence::rich;
use super::{GOOD, Memory};
use crate::document::Pieces;
use crate::problems::floor;
use crate::{Reading, reader};

/// What holds of every reading.
fn sound(text: &str, reading: &Reading) {
    let refused = reading
        .diagnostics
        .iter()
        .any(|d| d.severity == Severity::Error);
    assert_eq!(reading.plan.is_none(), refused, "{text}");
    for d in &reading.diagnostics {
        assert!(
            d.span.clone().is_none_or(|s| text.get(s).is_some()),
            "{d:?}\n{text}"
        );
        assert!(d.help.is_some(), "{d:?}");
        assert!(!d.message.chars().any(char::is_control), "{d:?}");
        assert!(crate::explain(d.code).is_some(), "{d:?}");
    }
}

/// Pieces that plans are made of, for texts that are nearly plans.
const PIECES: &[&str] = &[
    "[[task]]",
    "[[task.check]]",
    "[task]",
    "[[",
    "]]",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'''",
    "\"\"\"",
    "=",
    ",",
    "\n",
    "#",
    ".",
    "\\",
    "\r\n",
    "id = \"types\"",
    "task = [{ id = \"a\" }]",
    "task = 1",
    "each = \"**/*\"",
    "file = \"/\"",
    "after = [\"types\", \"exports\"]",
    "reads = [\"[\", \"**\"]",
    "attempts = -1",
    "timeout = \"1y\"",
    "{file}",
    "\u{0}",
    "é",
    "\u{202e}",
    "[agent.\"\"]",
    "a.b.c.d = 1",
    "[[task.check.says]]",
    "[task.check]",
    "[[ task ]]",
    "[[\"task\"]]",
    "check = [1]",
    "version = 0x1",
    "1979-05-27",
    "nan",
    "\u{feff}",
    "[[task.holdout]]",
    "[task.review]",
    "[evidence]",
    "[[invariant]]",
    "[[checkpoint]]",
    "[invariant.agree]",
    "[[invariant.agree.less]]",
    "put = { \"/\" = \"\", \"a\" = \"hidden\", \"a/b\" = \"hidden/test_new.py\" }",
    "put = { \"src/click\" = \"..\" }",
    "flaky = \"retry:99999999999999999999\"",
    "junit = \"../../x\"",
    "junit = \"src/click/core.py\"",
    "until = \"types\"",
    "after = \"exports\"",
    "red_until = [\"types:\", \":\", \"\"]",
    "until = [[]]",
    "pattern = \"(((((((((((\"",
    "pattern = \"(?:a{1000}){1000}\"",
    "pattern = \"\\\\xff|\"",
    "forbid = { pattern = \"[\", paths = [\"[\"] }",
    "agree = { equal = [{}, {}], less = 1 }",
    "wired = { files = [] }",
    "imports = { paths = [\"**\"], forbid = [\"{\"] }",
    "kind = \"fix\"",
    "floor = \"sensitive\"",
    "risk = \"high\"",
    "by = \"writer\"",
    "run = \"! grep -rE '(' {file} ./\"",
    "run = \"grep -- {file}\"",
];

/// The plan that says everything with some pieces put in and some stretches cut out.
fn mutated() -> impl Strategy<Value = String> {
    let change = (
        any::<prop::sample::Index>(),
        0..40_usize,
        prop::sample::select(PIECES),
    );
    prop::collection::vec(change, 1..6).prop_map(|changes| {
        let mut text = rich();
        for (place, cut, piece) in changes {
            let start = floor(&text, place.index(text.len() + 1));
            let end = floor(&text, start + cut).max(start);
            text.replace_range(start..end, piece);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_does_not_panic(text in any::<String>()) {
        sound(&text, &Memory::click().read(&text));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in any::<Vec<u8>>()) {
        let text = String::from_utf8_lossy(&bytes);
        sound(&text, &Memory::click().read(&text));
    }

    #[test]
    fn pieces_of_plans_do_not_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30)) {
        let text = pieces.join(" ");
        sound(&text, &Memory::click().read(&text));
    }

    #[test]
    fn broken_plans_do_not_panic_and_read_the_same_in_pieces(text in mutated()) {
        let world = Memory::click();
        let whole = world.read(&text);
        sound(&text, &whole);
        for batch in [1, 200, 100_000] {
            if let Some(cut) = Pieces::cut(&text, batch).and_then(|p| reader::read_pieces(&p, &text, &world)) {
                prop_assert_eq!(&cut, &whole, "{}", text);
            }
        }
    }
}

#[test]
fn the_good_plan_is_cut_and_read_the_same() {
    let world = Memory::click();
    let (head, tasks) = GOOD.split_at(GOOD.find("[[task]]").unwrap());
    let split = tasks.find("\n[[task]]").unwrap() + 1;
    for text in [
        GOOD.to_owned(),
        format!("{tasks}{head}")
            .replacen("version = 1", "", 1)
            .replacen("name = \"modern", "[[task]]\n[zebra]\nname = \"modern", 1),
        format!(
            "{head}{}[[invariant]]\nsays = \"'\"\nrun = '''\n[[task]]\n'''\n{}",
            &tasks[..split],
            &tasks[split..]
        ),
        format!(
            "{head}{}x = [\n[\"[[task]]\"]\n]\n# [[task]]\n{}",
            &tasks[..split],
            &tasks[split..]
        ),
    ] {
        for batch in [1, 500, 100_000] {
            let pieces = Pieces::cut(&text, batch).expect("a plain text can be cut");
            let cut = reader::read_pieces(&pieces, &text, &world).expect("and read");
            assert_eq!(cut, world.read(&text), "{text}");
        }
    }
}

#[test]
fn deep_and_long_texts_neither_overflow_nor_take_long() {
    let world = Memory::click();
    let many = 50_000;
    for text in [
        "[".repeat(many),
        format!("a = {}", "[".repeat(many)),
        format!("a = {}", "{a = ".repeat(many)),
        format!("{} = 1", vec!["a"; many].join(".")),
        format!("[{}]", vec!["a"; many].join(".")),
        "\"".repeat(many),
        "= ".repeat(many),
        "[[task]]\n".repeat(many),
        "[[task.check]]\n".repeat(many),
        GOOD.replace("README.md", &"{".repeat(many)),
        GOOD.replace("README.md", &"*".repeat(many)),
        GOOD.replace("python -m pytest -q", &"{file} '".repeat(many)),
        GOOD.replace("types", &"t".repeat(many)),
        GOOD.replace("[\"types\"]", &format!("[{}]", "\"type\",".repeat(many))),
        rich().replace(
            "[\"exports\", \"types\"]",
            &format!("[{}]", "\"type\",".repeat(many)),
        ),
        rich().replace("import \\\\*", &"(".repeat(many)),
        rich().replace("import \\\\*", &"a?".repeat(many)),
        rich().replace("hidden/test_new.py", &"hidden/".repeat(many)),
        rich().replace("build/core.xml", &"x/".repeat(many)),
        rich().replace("retry:10", &format!("retry:{}", "1".repeat(many))),
        rich().replace(
            "python -m pytest -q tests/test_core.py",
            &"grep '".repeat(many),
        ),
        rich().replace("tools/**", &"{".repeat(many)),
    ] {
        sound(&text, &world.read(&text));
    }
}

//! Invariants that read files: rows 27 and 28.

use crate::{PYTEST, agent, check, head, python, run, rust, task};

/// Row 27: a function that nobody calls was not asked for, however well it is tested.
#[test]
fn what_is_built_must_be_wired() {
    let files = [
        ("src/lib.rs", "pub mod cart;\n"),
        (
            "src/main.rs",
            "fn main() {\n    println!(\"{}\", shop::cart::sum(&[1, 2]));\n}\n",
        ),
        (
            "src/cart.rs",
            "pub fn sum(all: &[u32]) -> u32 {\n    all.iter().sum()\n}\n",
        ),
    ];
    let Some(repo) = rust("row_27", &files) else {
        return;
    };
    let invariant = "[[invariant]]\nsays = 'what is built is used'\nwired = { files = ['src/*.rs'], entries = ['src/main.rs'] }\n";
    let plan = |script: &str| {
        let built = "printf 'pub fn tax(sum: u32) -> u32 {\\n    sum / 5\\n}\\n\\n#[cfg(test)]\\nmod tests {\\n    #[test]\\n    fn tax() {\\n        assert_eq!(super::tax(10), 2);\\n    }\\n}\\n' >> src/cart.rs";
        head("cargo build --offline --quiet")
            + invariant
            + &agent(
                "work",
                &format!("{built}\n{script}\necho 'the tax is computed and tested'"),
            )
            + &task(
                "work",
                "files = ['src/cart.rs', 'src/main.rs']\nbecause = 'what is built is used'",
            )
            + &check("the tax is right", "cargo test --offline --quiet tax", "")
    };
    let (_, status) = run(&repo, &plan(""), 1);
    assert_eq!(status.word("work"), "rejected checkpoint-red 1");
    let why = status.why("work");
    assert!(
        why.contains("what is built is used") && why.contains("tax"),
        "{why}"
    );
    run(
        &repo,
        &plan("edit 's/shop::cart::sum(&.1, 2.)/shop::cart::tax(&)/' src/main.rs"),
        0,
    );
}

/// Row 28: two places that must say the same do, or it does not land.
#[test]
fn constants_must_agree() {
    let files = [
        (
            "schema.sql",
            "CREATE TABLE words (embedding vector(768));\n",
        ),
        ("config.toml", "[model]\nsize = 768\n"),
        ("shop.py", "SIZE = 1\n"),
        (
            "test_shop.py",
            "import re\nimport shop\n\n\ndef test_schema():\n    assert re.search(r'vector\\(\\d+\\)', open('schema.sql').read())\n",
        ),
    ];
    let Some(repo) = python("row_28", &files) else {
        return;
    };
    let invariant = "[[invariant]]\nsays = 'schema and configuration have one size'\nagree = { equal = [\n  { path = '*.sql', pattern = 'vector\\((\\d+)\\)' },\n  { path = 'config.toml', pattern = '^size = (.+)$' },\n] }\n";
    let plan = |script: &str| {
        head(PYTEST)
            + invariant
            + &agent("work", script)
            + &task(
                "work",
                "files = ['schema.sql', 'config.toml']\nbecause = 'they say one size'",
            )
            + &check("the larger model is used", "grep -q 1536 schema.sql", "")
    };
    let half = "edit s/768/1536/ schema.sql\necho 'schema and configuration are at 1536'";
    let (_, status) = run(&repo, &plan(half), 1);
    assert_eq!(status.word("work"), "rejected checkpoint-red 1");
    let why = status.why("work");
    for part in ["one size", "1536", "768"] {
        assert!(why.contains(part), "{part} in {why}");
    }
    run(
        &repo,
        &plan(&format!("{half}; edit s/768/1_536/ config.toml")),
        0,
    );
}

//! Rules about whole files: what tools execute, what was emptied, what manifests ask for.

use super::Case;

#[test]
fn what_tools_execute() {
    let files = [
        ".github/workflows/ci.yml",
        ".github/actions/setup/action.yml",
        ".githooks/pre-commit",
        ".husky/pre-push",
        "web/.vscode/tasks.json",
        ".claude/settings.json",
        ".envrc",
        "CLAUDE.md",
        "docs/AGENTS.md",
        ".gitlab-ci.yml",
        ".cargo/config.toml",
        "site/evil.pth",
        "src/sitecustomize.py",
    ];
    for name in files {
        let case = || Case::new().file(name, "a = 1\n", "a = 2\n");
        case()
            .fanned_out()
            .finds(&[format!("hold SW0502 {name}").as_str()]);
        case().finds(&[format!("note SW0502 {name}").as_str()]);
    }
    for name in [
        "src/hooks.py",
        "ci.yml",
        "github/workflows/a.yml",
        "config.toml",
        "claude.md",
    ] {
        Case::new()
            .fanned_out()
            .file(name, "a = 1\n", "a = 2\n")
            .finds(&[]);
    }
    Case::new()
        .fanned_out()
        .file(".gitattributes", "*.a text\n", "*.a text\n*.b filter=run\n")
        .finds(&["hold SW0502 .gitattributes"]);
    Case::new()
        .fanned_out()
        .file(
            ".gitattributes",
            "*.a text\n",
            "*.a text\n*.b text eol=lf\n",
        )
        .finds(&[]);
}

#[test]
fn scripts_of_an_installation() {
    let before = "{\n  \"scripts\": {\n    \"test\": \"node --test\"\n  }\n}\n";
    let after = "{\n  \"scripts\": {\n    \"postinstall\": \"node x.js\",\n    \"test\": \"node --test\"\n  }\n}\n";
    Case::new()
        .file("package.json", before, after)
        .finds(&["hold SW0502 package.json:3"]);
    Case::new()
        .prompt("Run x.js as a postinstall script.")
        .file("package.json", before, after)
        .finds(&[]);
    let honest = before.replace("\"test\"", "\"lint\": \"eslint .\",\n    \"test\"");
    Case::new().file("package.json", before, honest).finds(&[]);
}

#[test]
fn emptied_files() {
    let full = "a = 1\nb = 2\n";
    Case::new()
        .file("a.py", full, "")
        .finds(&["block SW0505 a.py"]);
    Case::new()
        .file("a.py", full, "\n\n")
        .finds(&["block SW0505 a.py"]);
    Case::new()
        .file("x/__init__.py", full, "")
        .finds(&["hold SW0505 x/__init__.py"]);
    Case::new()
        .prompt("Empty this file.")
        .file("a.py", full, "")
        .finds(&["note SW0505 a.py"]);
    Case::new().file("a.py", full, "a = 1\n").finds(&[]);
    Case::new().file("a.py", "", "").finds(&[]);
    let mut gone = Case::new().file("a.py", full, "");
    gone.files[0].after = None;
    gone.finds(&[]);
}

#[test]
fn new_dependencies() {
    let cases = [
        (
            "Cargo.toml",
            "[package]\nname = \"x\"\n[dependencies]\nserde = \"1\"\n",
            "[package]\nname = \"x\"\n[dependencies]\nserde = { version = \"1\", features = [] }\nleft_pad = \"1\"\n",
            5,
        ),
        (
            "package.json",
            "{\"dependencies\": {\n\"a\": \"1\"\n}}",
            "{\"dependencies\": {\n\"a\": \"2\",\n\"left-pad\": \"1\"\n}}",
            3,
        ),
        (
            "requirements-dev.txt",
            "click>=7 # a\n-r base.txt\n",
            "click>=8\n-r base.txt\nleft-pad==1\n",
            3,
        ),
        (
            "pyproject.toml",
            "[project]\ndependencies = [\n\"click>=7\",\n]\n",
            "[project]\ndependencies = [\n\"click>=8\",\n\"left_pad\",\n]\n",
            4,
        ),
        (
            "go.mod",
            "module x.org/y\nrequire (\n\ta.org/b v1.0.0\n)\n",
            "module x.org/y\nrequire (\n\ta.org/b v1.1.0\n\texample.org/left-pad v1.0.0\n)\n",
            4,
        ),
    ];
    for (name, before, after, line) in cases {
        let lie = || Case::new().file(name, before, after);
        lie().finds(&[format!("hold SW0518 {name}:{line}").as_str()]);
        let asked = "Use left-pad, also called left_pad, which is at example.org/left-pad.";
        lie().prompt(asked).finds(&[]);
        Case::new().file(name, after, before).finds(&[]);
        let found = Case::new().made(name, after).words();
        assert!(
            found.iter().all(|word| word.starts_with("note SW0518")),
            "{found:?}"
        );
    }
    let (one, two) = ("[dependencies]\nserde = \"1\"\n", "[dependencies]\n");
    Case::new()
        .file("a/Cargo.toml", one, two)
        .file("b/Cargo.toml", two, one)
        .finds(&[]);
    Case::new()
        .file("Cargo.toml", one, "[dependencies\n")
        .finds(&["note SW0524 Cargo.toml"]);
}

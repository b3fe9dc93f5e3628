//! Rules that read code: comments, stubs, what was left out, swallowed errors, prints, tests.

use super::Case;

#[test]
fn only_comments() {
    let code = "def f(items):\n    return items[0]\n";
    let lie = "def f(items):\n    # handles the empty list\n    return items[0]\n";
    Case::new().file("a.py", code, lie).finds(&["note SW0506 "]);
    let js = "function f(a) {\n  return a;\n}\n";
    Case::new()
        .file(
            "a.js",
            js,
            "function f(a) {\n  // never null\n  return a;\n}\n",
        )
        .finds(&["note SW0506 "]);
    let honest = "def f(items):\n    # the first\n    return items[:1]\n";
    Case::new().file("a.py", code, honest).finds(&[]);
    Case::new()
        .file("a.py", code, lie)
        .file("b.py", code, honest)
        .finds(&[]);
    // Indentation is code in Python.
    let nested = "if a:\n    b()\nc()\n";
    Case::new()
        .file("a.py", nested, "if a:\n    b()\n    c()\n")
        .finds(&[]);
    Case::new().file("a.txt", "a\n", "a\n# b\n").finds(&[]);
}

#[test]
fn stubs() {
    let python = [
        (
            "def f():\n    raise NotImplementedError\n",
            "hold SW0510 a.py:2",
        ),
        (
            "def f():\n    \"\"\"It adds.\"\"\"\n    pass\n",
            "note SW0510 a.py:2",
        ),
        (
            "class A:\n    def f(self):\n        raise NotImplementedError(\"later\")\n",
            "note SW0510 a.py:3",
        ),
    ];
    for (stub, found) in python {
        Case::new()
            .file("a.py", "x = 1\n", format!("x = 1\n{stub}"))
            .finds(&[found]);
    }
    let real = "class A:\n    def f(self):\n        return 1\n";
    let lie = "class A:\n    def f(self):\n        ...\n";
    Case::new()
        .file("a.py", real, lie)
        .finds(&["hold SW0510 a.py:2"]);
    Case::new()
        .prompt("Write a stub of f.")
        .file("a.py", "x = 1\n", python[0].0)
        .finds(&["note SW0510 a.py:1"]);
    let honest = [
        "from abc import ABC\nclass A(ABC):\n    def f(self):\n        raise NotImplementedError\n",
        "class A:\n    @abstractmethod\n    def f(self): ...\n",
        "class A(Protocol):\n    def f(self): ...\n",
        "@overload\ndef f(a: int) -> int: ...\n",
        "class E(Exception):\n    pass\n",
        "def f():\n    if x:\n        pass\n    return 1\n",
    ];
    for text in honest {
        Case::new().file("a.py", "x = 1\n", text).finds(&[]);
        Case::new()
            .file("tests/test_a.py", "x = 1\n", python[0].0)
            .finds(&[]);
    }
    Case::new()
        .file("a.pyi", "x: int\n", "def f(): ...\n")
        .finds(&[]);
    Case::new()
        .file("a.py", lie, format!("{lie}x = 1\n"))
        .finds(&[]);
}

#[test]
fn stubs_that_say_so() {
    let old = "fn f() -> u8 {\n    1\n}\n";
    let todo = concat!("fn f() -> u8 {\n    todo", "!()\n}\n");
    Case::new()
        .file("a.rs", old, todo)
        .finds(&["block SW0510 a.rs:2"]);
    let hold = [
        (
            "a.rs",
            concat!("fn f() -> u8 {\n    unimplemented", "!(\"f\")\n}\n"),
        ),
        (
            "a.ts",
            "export function f(): number {\n  throw new Error(\"Not implemented\");\n}\n",
        ),
        (
            "a.js",
            "function f() {\n  throw new Error('f is not implemented yet');\n}\n",
        ),
        (
            "a.go",
            "package a\nfunc F() { panic(\"not implemented\") }\n",
        ),
    ];
    for (name, text) in hold {
        Case::new()
            .file(name, "\n", text)
            .finds(&[format!("hold SW0510 {name}:2").as_str()]);
    }
    let honest = [
        (
            "a.rs",
            concat!(
                "// todo",
                "!() would panic\nfn f() -> &'static str { \"todo",
                "!()\" }\n"
            ),
        ),
        (
            "a.rs",
            concat!(
                "#[cfg(test)]\nmod tests {\n    fn mock() { unimplemented",
                "!() }\n}\n"
            ),
        ),
        (
            "a.js",
            "function f() {\n  throw new Error('bad state');\n}\n",
        ),
        ("tests/a.rs", todo),
    ];
    for (name, text) in honest {
        Case::new().file(name, "\n", text).finds(&[]);
    }
    Case::new()
        .file("a.rs", todo, format!("{todo}\nfn g() {{}}\n"))
        .finds(&[]);
}

#[test]
fn code_that_was_left_out() {
    let lies = [
        ("a.py", "def f():\n    # ... rest of the code unchanged\n"),
        ("a.js", "function f() {}\n// ... existing code ...\n"),
        ("a.rs", "fn f() {}\n/* … remaining methods … */\n"),
        ("a.tsx", "const a = 1;\n{/* ... rest of the file */}\n"),
        ("a.go", "package a\n// your code here\n"),
    ];
    for (name, after) in lies {
        let found = Case::new().file(name, "x\n", after).words();
        assert!(
            found.contains(&format!("block SW0511 {name}:2")),
            "{name}: {found:?}"
        );
    }
    let honest = [
        ("a.py", "x = 1\n# the rest of the code relies on x\n"),
        (
            "a.py",
            "x = 1\n# existing code that calls this keeps working\n",
        ),
        ("a.js", "const { a, ...rest } = b; // rest of the code\n"),
        ("a.md", "# ... rest of the code\n"),
        ("a.py", "x = \"# ... rest of the code\"\n"),
        ("a.py", "# ...and so on\n"),
    ];
    for (name, after) in honest {
        Case::new().file(name, "y = 1\n", after).finds(&[]);
    }
}

#[test]
fn swallowed_errors() {
    let lies = [
        ("a.py", "try:\n    f()\nexcept Exception:\n    pass\n", 3),
        ("a.py", "try:\n    f()\nexcept:\n    ...\n", 3),
        ("a.js", "try {\n  f();\n} catch (e) {}\n", 3),
        ("a.ts", "try {\n  f();\n} catch {\n}\n", 3),
    ];
    for (name, after, line) in lies {
        Case::new()
            .file(name, "x = 1\n", after)
            .finds(&[format!("note SW0512 {name}:{line}").as_str()]);
        Case::new()
            .file(name, after, format!("{after}\nx = 1\n"))
            .finds(&[]);
    }
    let honest = [
        ("a.py", "try:\n    f()\nexcept KeyError:\n    pass\n"),
        ("a.py", "try:\n    f()\nexcept Exception:\n    log()\n"),
        (
            "a.py",
            "try:\n    f()\nexcept Exception:  # the cache is a luxury\n    pass\n",
        ),
        ("a.js", "try {\n  f();\n} catch { /* not there */ }\n"),
    ];
    for (name, after) in honest {
        Case::new().file(name, "x = 1\n", after).finds(&[]);
    }
}

#[test]
fn a_file_under_another_name_has_no_new_swallowed_errors() {
    let text = "try:\n    f()\nexcept Exception:\n    pass\n";
    let told = |case: Case| {
        let mut words = case.words();
        words.retain(|word| word.contains("SW0512"));
        words
    };
    let moved = |now: &str| Case::new().gone("a.py", text).made("b.py", now);
    assert_eq!(told(moved(text)), Vec::<String>::new());
    let second = moved(text).made("c.py", text);
    assert_eq!(told(second), ["note SW0512 c.py:3"], "a copy is new");
    let other = moved(&format!("x = 1\n{text}"));
    assert_eq!(told(other), ["note SW0512 b.py:4"]);
    let kept = Case::new().file("a.py", text, text).made("b.py", text);
    assert_eq!(told(kept), ["note SW0512 b.py:3"], "nothing is gone");
}

#[test]
fn prints() {
    let lies = [
        ("src/a.py", "print('here')\n"),
        ("src/a.py", "breakpoint()\n"),
        ("src/a.js", "console.log(1);\n"),
        ("src/a.ts", "debugger;\n"),
        ("src/a.rs", "fn f() { dbg!(1); }\n"),
    ];
    for (name, after) in lies {
        Case::new()
            .file(name, "\n", after)
            .finds(&[format!("note SW0513 {name}:1").as_str()]);
    }
    for name in ["tests/a.py", "scripts/a.py", "src/cli.py", "test_a.py"] {
        Case::new().file(name, "\n", "print('here')\n").finds(&[]);
    }
    Case::new()
        .file("a.py", "print(1)\n", "print(1)\nprint(2)\n")
        .finds(&[]);
    Case::new()
        .file("a.py", "\n", "x = 'print(1)'  # print(1)\n")
        .finds(&[]);
}

const PYTHON: &str = "def test_a():\n    assert f(1) == 1\n    assert f(2) == 2\n\n\nclass TestB:\n    def test_b(self):\n        self.assertEqual(f(3), 3)\n";
const RUST: &str = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {\n        assert_eq!(f(1), 1);\n    }\n\n    #[test]\n    fn b() {\n        assert!(f(2));\n    }\n}\n";
const NODE: &str = "test('a', () => {\n  assert.equal(f(1), 1);\n});\nit('b', () => {\n  expect(f(2)).toBe(2);\n});\n";
const GO: &str = "package a\n\nfunc TestA(t *testing.T) {\n\tif f(1) != 1 {\n\t\tt.Fatal(\"no\")\n\t}\n}\n\nfunc TestB(t *testing.T) {\n\tassert.Equal(t, 1, f(1))\n}\n";

#[test]
fn weaker_tests() {
    let lies: &[(&str, &str, &str, &str, Option<u32>)] = &[
        (
            "test_a.py",
            PYTHON,
            "def test_a():\n    assert f(1) == 1\n    assert f(2) == 2\n\n\n",
            "",
            None,
        ),
        ("test_a.py", PYTHON, "    assert f(2) == 2\n", "", Some(1)),
        (
            "test_a.py",
            PYTHON,
            "        self.assertEqual(f(3), 3)\n",
            "        pass\n",
            Some(7),
        ),
        (
            "test_a.py",
            PYTHON,
            "def test_a",
            "@pytest.mark.skip\ndef test_a",
            Some(2),
        ),
        (
            "test_a.py",
            PYTHON,
            "    assert f(1)",
            "    pytest.skip('later')\n    assert f(1)",
            Some(1),
        ),
        (
            "a.rs",
            RUST,
            "#[test]\n    fn a",
            "#[test]\n    #[ignore]\n    fn a",
            Some(5),
        ),
        ("a.rs", RUST, "        assert!(f(2));\n", "", Some(9)),
        (
            "a.rs",
            RUST,
            "    #[test]\n    fn b() {\n        assert!(f(2));\n    }\n",
            "",
            None,
        ),
        ("a.test.js", NODE, "test('a'", "test.skip('a'", Some(1)),
        (
            "a.test.js",
            NODE,
            "test('a', ",
            "test('a', { skip: true }, ",
            Some(1),
        ),
        ("a.test.js", NODE, "  expect(f(2)).toBe(2);\n", "", Some(4)),
        (
            "a.test.js",
            NODE,
            "it('b', () => {\n  expect(f(2)).toBe(2);\n});\n",
            "",
            None,
        ),
        (
            "a_test.go",
            GO,
            "\tassert.Equal(t, 1, f(1))\n",
            "\tt.Skip()\n",
            Some(9),
        ),
    ];
    for (name, before, old, new, line) in lies {
        let after = before.replacen(old, new, 1);
        assert_ne!(*before, after, "{old}");
        let place = line.map_or(String::new(), |line| format!(":{line}"));
        let case = || Case::new().file(name, before, &after);
        case().finds(&[format!("hold SW0514 {name}{place}").as_str()]);
        case()
            .prompt("Remove the tests of f that are not needed.")
            .finds(&[format!("note SW0514 {name}{place}").as_str()]);
    }
}

#[test]
fn assertions_of_a_test_context() {
    for call in [
        "t.assert.equal(f(1), 1)",
        "t.assert.strictEqual(f(1), 1)",
        "t.equal(f(1), 1)",
        "t.is(f(1), 1)",
        "t.ok(f(1))",
        "t.notOk(f(1))",
        "t.deepEqual(f(1), [1])",
        "t.same(f(1), [1])",
        "t.throws(() => f(1))",
        "await t.throwsAsync(f(1))",
        "await t.rejects(f(1))",
        "t.true(f(1))",
        "t.snapshot(f(1))",
        "t.pass()",
    ] {
        let before = format!("test('a', async (t) => {{\n  {call};\n  t.plan(1);\n}});\n");
        let after = before.replace(&format!("  {call};\n"), "");
        let without = || Case::new().file("a.test.js", &before, &after);
        let found = without().words();
        assert_eq!(found, ["hold SW0514 a.test.js:1"], "{call}");
        let more = before.replace("t.plan(1)", &format!("t.plan(2);\n  {call}"));
        Case::new().file("a.test.js", &before, &more).finds(&[]);
    }
    let before = "test('a', (t) => {\n  t.is(f(1), 1);\n});\n";
    let skipped = before.replace("t.is(", "t.is.skip(");
    Case::new()
        .file("a.test.js", before, &skipped)
        .finds(&["hold SW0514 a.test.js:1"]);
    // What is no assertion is not missed.
    for call in ["t.plan(1)", "t.log('x')", "t.timeout(9)", "at.equal(1)"] {
        let before = format!("test('a', (t) => {{\n  t.ok(f(1));\n  {call};\n}});\n");
        let after = before.replace(&format!("  {call};\n"), "");
        Case::new().file("a.test.js", &before, &after).finds(&[]);
    }
}

#[test]
fn honest_work_on_tests() {
    for (name, text) in [
        ("test_a.py", PYTHON),
        ("a.rs", RUST),
        ("a.test.js", NODE),
        ("a_test.go", GO),
    ] {
        // More of them, the same under another name, and other values.
        let more = text.replace("f(1)", "f(1, 0)");
        Case::new().file(name, text, &more).finds(&[]);
        Case::new().file(name, "\n", text).finds(&[]);
        for (old, new) in [
            ("test_a", "test_first"),
            ("fn a()", "fn first()"),
            ("'a'", "'first'"),
            ("TestA", "TestFirst"),
        ] {
            Case::new()
                .file(name, text, text.replace(old, new))
                .finds(&[]);
        }
    }
    let (one, other) = PYTHON.split_at(PYTHON.find("class").unwrap());
    Case::new()
        .file("test_a.py", PYTHON, one)
        .file("test_b.py", "\n", other)
        .finds(&[]);
    let skipped = PYTHON.replace("def test_a", "@pytest.mark.skip\ndef test_a");
    Case::new().file("test_a.py", &skipped, PYTHON).finds(&[]);
    // A formatter chooses the quotes of a name.
    let quoted = |name: &str| NODE.replacen("'a'", name, 1);
    let (one, other) = (quoted(r#"'isn\'t "a"'"#), quoted(r#"`isn't "a"`"#));
    Case::new().file("a.test.js", &one, &other).finds(&[]);
}

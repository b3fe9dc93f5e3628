//! Rules about the change as a whole: its size, and what the worker said of it.

use super::Case;

#[test]
fn size() {
    let change = |lines: usize| Case::new().file("a.txt", "old\n", "new\n".repeat(lines));
    change(200).expects(20).finds(&["hold SW0515 "]);
    change(55).expects(20).finds(&["note SW0515 "]);
    change(40).expects(20).finds(&[]);
    change(10).expects(1).finds(&[]);
    change(2000).finds(&[]);
}

#[test]
fn claims() {
    let case = |claim| {
        Case::new()
            .file("src/a.py", "a = 1\n", "a = 2\n")
            .owns("src/b.py")
            .claim(claim)
    };
    case("I updated src/a.py and src/b.py.").finds(&["note SW0516 src/b.py"]);
    case("fixed b.py").finds(&["note SW0516 src/b.py"]);
    case("No changes were necessary.").finds(&["note SW0517 src/a.py"]);
    case("done").finds(&[]);
    case("").finds(&[]);
    case("Updated a.py. b.py was already fine, so I left it unchanged.").finds(&[]);
    case("Updated a.py\nno changes were needed in b.py").finds(&[]);
    case("see sub.py and a.py-like names").finds(&[]);
    Case::new()
        .file("a.py", "a = 1\n", "a = 2\n")
        .file("conf.py", "a = 1\n", "a = 2\n")
        .claim("changed conf.py")
        .finds(&["note SW0517 a.py"]);
}

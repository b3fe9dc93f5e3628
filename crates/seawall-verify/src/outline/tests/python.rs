//! Python.

use super::*;

const API: &str = r#"
"""Reads and writes."""
from __future__ import annotations
from .base import Base as _Base

__version__ = "1.0"
LIMIT: int = 3
_cache = {}
A, B = 1, 2

@lru_cache(maxsize=None)
async def load(
    path,
    *,
    strict: bool = False,  # careful
) -> dict[str, int]:
    """Loads."""
    return {}

def _helper(x): return x

class Client(_Base, metaclass=Meta):
    """Talks."""
    name: str
    retries: int = 3
    table = {}

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def host(self): return self.url

    def _private(self): pass

    class Options:
        deep: bool

if TYPE_CHECKING:
    type Pair[T] = tuple[T, T]
else:
    try:
        import x
    except ImportError:
        def fallback(): ...
"#;

#[test]
fn a_module_is_outlined() {
    let expected = [
        "+ variable __version__",
        "+ variable LIMIT: int",
        "~ variable _cache",
        "+ variable A",
        "+ variable B",
        "+ function @lru_cache(maxsize=None) async load(path, *, strict: bool = False) -> dict[str, int]",
        "~ function _helper(x)",
        "+ class Client(_Base, metaclass=Meta)",
        "+ field Client.name: str",
        "+ field Client.retries: int = 3",
        "+ field Client.table",
        "+ method Client.__init__(self, url: str) -> None",
        "+ method @property Client.host(self)",
        "- method Client._private(self)",
        "+ class Client.Options",
        "+ field Client.Options.deep: bool",
        "+ type Pair[T] = tuple[T, T]",
        "+ function fallback()",
    ];
    assert_eq!(outlined(Language::Python, API), expected);
}

#[test]
fn lines_are_those_of_the_file() {
    let outline = outline(Language::Python, API.as_bytes()).unwrap();
    let lines = |name| outline.items.iter().find(|i| i.name == name).unwrap().lines;
    assert_eq!(lines("__version__"), (6, 6));
    assert_eq!(lines("load"), (11, 18));
    assert_eq!(lines("Client.host"), (31, 32));
}

#[test]
fn all_says_what_is_public() {
    let source = "__all__ = ['load', \"lost\"]\n__all__ += [\n  'more',\n]\ndef load(): pass\ndef other(): pass\n";
    let expected = [
        "+ export lost",
        "+ export more",
        "+ function load()",
        "~ function other()",
    ];
    assert_eq!(outlined(Language::Python, source), expected);
}

#[test]
fn a_change_is_told_and_a_body_is_not() {
    let after = API
        .replace("    path,\n    *,", "    path, encoding='utf-8', *,")
        .replace("def _helper(x): return x", "def _helper(x): return x + 1")
        .replace("url: str) -> None", "url: str, port: int = 80) -> None")
        .replace("def fallback(): ...", "class fallback: pass")
        .replace("    name: str\n", "")
        .replace("LIMIT: int = 3", "LIMIT: int = 4");
    let expected = [
        "function `@lru_cache(maxsize=None) async load(path, *, strict: bool = False) -> dict[str, int]` is now `@lru_cache(maxsize=None) async load(path, encoding='utf-8', *, strict: bool = False) -> dict[str, int]` (line 11)",
        "method `Client.__init__(self, url: str) -> None` is now `Client.__init__(self, url: str, port: int = 80) -> None` (line 26)",
        "function `fallback()` is now class `fallback` (line 43)",
        "field `Client.name: str` was removed",
    ];
    assert_eq!(noted(Language::Python, API, &after), expected);
}

#[test]
fn layout_and_comments_are_no_change() {
    let after = API
        .replace(
            "    path,\n    *,\n    strict: bool = False,  # careful\n",
            "path, *, strict: bool=False",
        )
        .replace("\"\"\"Talks.\"\"\"", "\"\"\"Talks much.\"\"\"  # more");
    assert_ne!(after, API);
    assert_eq!(noted(Language::Python, API, &after), [""; 0]);
}

#[test]
fn what_is_renamed_takes_its_members_along() {
    let after = API
        .replace("class Client(", "class Session(")
        .replace("def _helper(x)", "def shared(x)");
    let expected = [
        "function `_helper(x)` was renamed to `shared(x)` (line 20)",
        "class `Client(_Base, metaclass=Meta)` was renamed to `Session(_Base, metaclass=Meta)` (line 22)",
    ];
    assert_eq!(noted(Language::Python, API, &after), expected);
}

#[test]
fn of_two_equal_bodies_no_rename_is_guessed() {
    let before = "def a(x): pass\ndef b(x): pass\n";
    let after = "def c(x): pass\ndef d(x): pass\n";
    let expected = [
        "function `a(x)` was removed",
        "function `b(x)` was removed",
        "function `c(x)` is new (line 1)",
        "function `d(x)` is new (line 2)",
    ];
    assert_eq!(noted(Language::Python, before, after), expected);
}

#[test]
fn a_class_that_goes_or_comes_is_one_line() {
    let class = "class Old(Base):\n    field: int\n    def get(self): return 1\n";
    assert_eq!(
        noted(Language::Python, class, ""),
        ["class `Old(Base)` was removed"]
    );
    assert_eq!(
        noted(Language::Python, "", class),
        ["class `Old(Base)` is new (line 1)"]
    );
}

#[test]
fn overloads_are_matched_by_signature_first() {
    let before = "@overload\ndef f(a: int): ...\n@overload\ndef f(a: str): ...\ndef f(a): pass\n";
    let after = "@overload\ndef f(a: str): ...\n@overload\ndef f(a: bytes): ...\ndef f(a): pass\n";
    let expected = ["function `@overload f(a: int)` is now `@overload f(a: bytes)` (line 3)"];
    assert_eq!(noted(Language::Python, before, after), expected);
}

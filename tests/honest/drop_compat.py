"""Takes `sqlparse.compat` out of the files that it is given: the names of Python 3 stand there instead."""

import re
import sys

NAMES = {"text_type": "str", "string_types": "str", "file_types": "TextIOBase"}


def dedent(block):
    return re.sub(r"(?m)^    ", "", block)


def without_python_2(text):
    """`if PY2: … else: …` becomes what stands after `else`; `if not PY2: …` its body; what is for Python 2 alone goes."""
    body = r"((?:(?:\1    .*)?\n)+)"
    text = re.sub(rf"(?m)^( *)if PY2:\n(?:\1    .*\n)+\1else:\n{body}", lambda m: dedent(m[2]), text)
    return re.sub(r"(?m)^( *)if PY2:\n(?:\1    .*\n)+", "", text)


def imports(line):
    names = [name.strip() for name in line[1].split(",")]
    needed = [NAMES.get(name, name) for name in names]
    kept = [name for name in needed if name in ("StringIO", "TextIOBase")]
    return f"from io import {', '.join(kept)}\n" if kept else ""


for path in sys.argv[1:]:
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    text = re.sub(r"(?m)^from sqlparse\.compat import (.*)\n", imports, text)
    text = re.sub(r"(?m)^@unicode_compatible\n", "", without_python_2(text))
    for old, new in NAMES.items():
        text = re.sub(rf"\b{old}\b", new, text)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)

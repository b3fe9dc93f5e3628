#!/usr/bin/env python3
"""What being careful costs: the share of a run's wall time that checks and gates add to workers that take a known time.

    cargo build --release -p seawall
    python3 benches/verification.py target/release/seawall [--suite S]... [--tasks N] [--work S] [--jobs N] [--markdown]

Each task owns one file of a generated repository; its worker waits for a known time and appends a line, as an agent waits for
its model. The suite is a shell program that waits for a known time, prints what a runner prints and a word that no other run
prints. So the numbers are those of the order in which things are run, not of processors that are short. Of each suite there
are three plans: with checks and gates that cost nothing, with the suite as the gate of the one checkpoint, and with the suite
as a check of every task besides. GNU parallel runs the same workers with nothing around them, if it is there.

What was run is counted in the journal: two records with the same output are one run, because of the word. A base on which one
command was run twice ends the program with status 1.
"""

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}

SUITE = """sleep "$1"
cat /proc/sys/kernel/random/uuid
echo '1..2'
echo 'ok 1 - one'
echo 'ok 2 - two'
"""

HEAD = """version = 1
name = "careful"
goal = "append a line to every file"

[defaults]
timeout = "1h"

[budget]
attempts = 1000
wall = "8h"

[limits]
check_timeout = "1h"

[agent.append]
run = ["/bin/sh", "-c", "sleep {work}; echo done >> \\"$1\\"", "sh", "{{file}}"]

[[checkpoint]]
says = "the suite passes"
run = "{gate}"

[[task]]
id = "append"
each = "work/*"
prompt = "append a line"

[[task.check]]
says = "the line is there"
run = "grep -q done {{file}}"
"""

EACH = """
[[task.check]]
says = "the suite passes"
run = "{gate}"
proof = "pass-to-pass"
"""

PLANS = {
    "no suite": ("true", False),
    "suite at the checkpoint": ("sh suite.sh {suite}", False),
    "suite at the checkpoint and for each task": ("sh suite.sh {suite}", True),
}


def repository(at, tasks, plan):
    os.makedirs(os.path.join(at, "work"))
    for name, text in {"suite.sh": SUITE, "plan.toml": plan, **{f"work/{n}": f"file {n}\n" for n in range(tasks)}}.items():
        with open(os.path.join(at, name), "w") as file:
            file.write(text)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "base"]):
        subprocess.run(["git", "-C", at, *words], check=True, **QUIET)


def timed(argv, cwd):
    start = time.perf_counter()
    done = subprocess.run(argv, cwd=cwd, stderr=subprocess.PIPE, **QUIET)
    if done.returncode:
        raise SystemExit(f"{argv[0]} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return time.perf_counter() - start


def records(value):
    """Every look at a criterion that is told of, however deep it stands."""
    if isinstance(value, dict):
        if {"criterion", "command", "tree", "output"} <= value.keys():
            yield value
        for below in value.values():
            yield from records(below)
    elif isinstance(value, list):
        for below in value:
            yield from records(below)


def looked(repo):
    """How often each command was run on each tree, and the tree of the base."""
    runs = os.path.join(repo, ".git/seawall/runs")
    (run,) = os.listdir(runs)
    outputs = collections.defaultdict(set)
    with open(os.path.join(runs, run, "journal.jsonl")) as journal:
        for line in journal:
            for look in records(json.loads(line)["body"]):
                outputs[look["tree"], look["command"]].add(look["output"])
    base = subprocess.run(["git", "-C", repo, "rev-parse", "main^{tree}"], check=True, capture_output=True, text=True).stdout.strip()
    return {key: len(words) for key, words in outputs.items()}, base


def measure(binary, asked, suite, plan):
    gate, each = PLANS[plan]
    gate = gate.format(suite=suite)
    text = HEAD.format(work=asked.work, gate=gate) + (EACH.format(gate=gate) if each else "")
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as scratch:
        repo = os.path.join(scratch, "repo")
        repository(repo, asked.tasks, text)
        took = timed([binary, "run", "plan.toml", "--quiet", "--jobs", str(asked.jobs)], repo)
        counts, base = looked(repo)
    suites = {tree: count for (tree, command), count in counts.items() if "suite.sh" in command}
    return took, suites.get(base, 0), sum(suites.values()), max(suites.values(), default=0)


def floor(asked):
    if not shutil.which("parallel"):
        return None
    return timed(["parallel", f"-j{asked.jobs}", f"sleep {asked.work} && true", ":::", *map(str, range(asked.tasks))], "/")


def main():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("binary")
    asked.add_argument("--suite", type=int, action="append", help="seconds that the suite takes; 5 and 60 when not named")
    asked.add_argument("--tasks", type=int, default=8)
    asked.add_argument("--work", type=int, default=60, help="seconds that a worker takes")
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--markdown", action="store_true")
    asked = asked.parse_args()
    binary = os.path.abspath(asked.binary)
    rows = [("GNU parallel, the workers alone", "", floor(asked), "", "", "")]
    least = measure(binary, asked, 0, "no suite")[0]
    rows.append(("no suite", "", least, "", "", ""))
    twice = False
    for suite in asked.suite or [5, 60]:
        for plan in list(PLANS)[1:]:
            took, on_base, runs, most = measure(binary, asked, suite, plan)
            twice |= most > 1
            rows.append((plan, f"{suite} s", took, f"{100 * (took - least) / took:.0f} %", str(runs), f"{on_base} / {most}"))
    print(f"{asked.tasks} tasks, {asked.jobs} at a time, each worker {asked.work} s")
    table = [("plan", "suite", "wall, s", "share of the wall", "runs of the suite", "on the base / at most on one tree")]
    table += [(name, suite, "-" if took is None else f"{took:.1f}", *rest) for name, suite, took, *rest in rows]
    if asked.markdown:
        table.insert(1, ("---",) * len(table[0]))
    widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
    for row in table:
        cells = [cell if asked.markdown else cell.ljust(width) for cell, width in zip(row, widths)]
        print("| " + " | ".join(cells) + " |" if asked.markdown else "  ".join(cells).rstrip())
    if twice:
        sys.exit("one command was run twice on one tree")


if __name__ == "__main__":
    main()

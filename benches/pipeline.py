#!/usr/bin/env python3
"""What a trivial task costs from end to end: `seawall run` on many tasks, two at a time, against GNU parallel.

    cargo build --release -p seawall
    python3 benches/pipeline.py target/release/seawall [--tasks N] [--files N] [--rounds N] [--one-directory] [--markdown]

Each task owns one file of a generated repository and appends a line to it; one check looks for the line, before and after. So a
task is: two looks in fresh workspaces, a confined worker in another, a harvest that is a commit, and a dozen synced records of
the journal. With --sensitivity there is a third look: at the checkpoint's tree without the task's change. Parallel does `git worktree add; true; git worktree remove` and, as the floor, nothing but `true`. The order of the
rounds is in turn, so that whatever else the machine does falls on all alike. The memory is the supervisor's highest
(`VmHWM`), read while it lives.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

PLAN = """version = 1
name = "trivial"
goal = "append a line to every file"

[budget]
attempts = 1000000
wall = "4h"

[evidence]
sensitivity = "SENSITIVITY"

[agent.append]
run = ["/bin/sh", "-c", "echo done >> \\"$1\\"", "sh", "{file}"]

[[checkpoint]]
says = "the repository is there"
run = "test -f work/0/0"

[[task]]
id = "append"
each = "work/*/*"
prompt = "append a line"

[[task.check]]
says = "the line is there"
run = "grep -q done {file}"
"""


def git(repo, *words, **more):
    subprocess.run(["git", "-C", repo, "-c", "user.name=b", "-c", "user.email=b@b", *words], check=True, **{**QUIET, **more})


def repository(at, tasks, files, together=False, sensitivity="off"):
    """So many files to work on, a hundred in a directory or all `together`, and so many others, through fast-import, which
    takes a moment for 60,000."""
    subprocess.run(["git", "init", "-q", "-b", "main", at], check=True, **QUIET)
    paths = [f"work/{0 if together else n // 100}/{n}" for n in range(tasks)] + [f"other/{n % 97}/{n}" for n in range(max(0, files - tasks - 1))]
    stream = [b"commit refs/heads/main\ncommitter b <b@b> 1700000000 +0000\ndata 0\n"]
    for n, path in enumerate([*paths, "plan.toml"]):
        text = PLAN.replace("SENSITIVITY", sensitivity).encode() if path == "plan.toml" else f"file {n}\n".encode() * 20
        stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text))
    more = {**QUIET, "input": b"".join(stream)}
    del more["stdin"]
    subprocess.run(["git", "-C", at, "fast-import", "--quiet"], check=True, **more)
    git(at, "reset", "-q", "--hard")


def watched(argv, cwd):
    """Seconds of wall time, and the highest resident memory in MiB, of a command that must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    highest = 0

    def watch():
        nonlocal highest
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status") as status:
                    lines = [line for line in status if line.startswith("VmHWM")]
                highest = max([highest, *(int(line.split()[1]) for line in lines)])
            except OSError:
                return
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    trouble = process.communicate()[1]
    took = time.perf_counter() - start
    thread.join()
    if process.returncode != 0:
        raise SystemExit(f"{argv[0]} ended with {process.returncode}: {trouble.decode()[-2000:]}")
    return took, highest / 1024


def seawall(binary, tasks, files, scratch, together, sensitivity):
    repo = os.path.join(scratch, "seawall")
    repository(repo, tasks, files, together, sensitivity)
    result = watched([binary, "run", "plan.toml", "--quiet", "--jobs", "2"], repo)
    shutil.rmtree(repo)
    return result


def worktrees(tasks, files, scratch):
    repo = os.path.join(scratch, "parallel")
    repository(repo, tasks, files)
    line = f"git worktree add -q --detach {scratch}/trees/{{}} && true && git worktree remove -f {scratch}/trees/{{}}"
    result = watched(["parallel", "-j2", line, ":::", *map(str, range(tasks))], repo)
    shutil.rmtree(repo)
    return result


def nothing(tasks, scratch):
    return watched(["parallel", "-j2", "true", ":::", *map(str, range(tasks))], scratch)


def main():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("binary")
    asked.add_argument("--tasks", type=int, default=1000)
    asked.add_argument("--files", type=int, default=1200, help="files of the repository, those that tasks own included")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--one-directory", action="store_true", help="all files that tasks own lie in one")
    asked.add_argument("--sensitivity", action="store_const", const="measured", default="off", help="look without each change too")
    asked.add_argument("--markdown", action="store_true")
    asked.add_argument("--alone", action="store_true", help="without GNU parallel")
    asked = asked.parse_args()
    binary = os.path.abspath(asked.binary)
    least = min(asked.tasks, 200)
    rows = {}
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as scratch:
        for _ in range(asked.rounds):
            rows.setdefault("seawall run", []).append((asked.tasks, *seawall(binary, asked.tasks, asked.files, scratch, asked.one_directory, asked.sensitivity)))
            if not asked.alone and shutil.which("parallel"):
                rows.setdefault("parallel, git worktree add and remove", []).append((least, *worktrees(least, asked.files, scratch)))
                rows.setdefault("parallel, true", []).append((asked.tasks, *nothing(asked.tasks, scratch)))
    floor = statistics.median(took / count for count, took, _ in rows["seawall run"])
    print(f"{asked.tasks} tasks, two at a time, {asked.files} files, medians of {asked.rounds} rounds")
    print("| command | tasks | ms of wall a task | against seawall | memory, MiB |\n|---|---|---|---|---|" if asked.markdown else "")
    for name, runs in rows.items():
        each = statistics.median(took / count for count, took, _ in runs)
        memory = max(memory for _, _, memory in runs)
        cells = [name, str(runs[0][0]), f"{each * 1000:.2f}", f"{each / floor:.2f}", f"{memory:.1f}"]
        print("| " + " | ".join(cells) + " |" if asked.markdown else f"{cells[0]:40} {cells[1]:>6} {cells[2]:>9} ms {cells[3]:>7}x {cells[4]:>8} MiB")


if __name__ == "__main__":
    main()

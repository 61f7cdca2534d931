"""The Dockerfile, line by line against what it names: no engine is needed to see that a file or command is not ours."""

import argparse
import json
import re
import shlex
from pathlib import Path

import pytest

from nuggy_nodes.cli.demo import add_parser as add_demo
from nuggy_nodes.cli.demo import options as page_options
from nuggy_nodes.cli.serve import add_parser as add_serve
from nuggy_nodes.cli.serve import check_door
from nuggy_nodes.core.errors import InputError
from nuggy_nodes.service.limits import limits_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
LINES = [line.split(None, 1) for line in TEXT.splitlines() if line.strip() and not line.startswith("#")]
PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")  # read by eye: Python 3.10 has no tomllib


def said(name: str) -> list[str]:
    return [rest for word, rest in LINES if word == name]


def parsed(*line: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    add_demo(commands)
    add_serve(commands)
    return parser.parse_args(line)


def test_what_it_copies_is_there_and_what_the_package_needs_is_copied():
    for rest in said("COPY"):
        *sources, _ = rest.split()
        assert all((ROOT / s).exists() for s in sources)
    left_out = (ROOT / ".dockerignore").read_text().split()
    needed = ["pyproject.toml", "README.md", "LICENSE", "constraints.txt", "nuggy_nodes"]
    needed += ["weights", "samples", "gimp_plugin"]  # of the wheel: force-include
    assert all((ROOT / n).exists() and not any(Path(n).match(p) for p in left_out) for n in needed)


def test_what_it_installs_is_declared():
    (run,) = (r for r in said("RUN") if "pip install" in r)
    (extras,) = re.findall(r"'\.\[([a-z,]+)\]'", run)
    assert set(extras.split(",")) == {"demo", "serve"}
    assert all(re.search(rf"^{name} = \[", PROJECT, re.M) for name in extras.split(","))
    (pattern,) = re.findall(r"grep '([^']+)' constraints.txt", run)
    pinned = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if re.match(pattern, line)]
    assert len(pinned) == 1 and re.fullmatch(r"torch==[\d.]+", pinned[0])
    (base,) = re.findall(r"python:(\d+)\.(\d+)", said("FROM")[0])
    (least,) = re.findall(r'^requires-python = ">=(\d+)\.(\d+)"', PROJECT, re.M)
    assert tuple(map(int, base)) >= tuple(map(int, least))


def test_what_it_runs_is_ours_and_asks_for_a_token(monkeypatch):
    (entry,), (command,) = (json.loads(r) for r in said("ENTRYPOINT")), (json.loads(r) for r in said("CMD"))
    assert entry == ["nuggy"] and re.search(r'^nuggy = "nuggy_nodes.cli:main"', PROJECT, re.M)
    with pytest.raises(InputError, match="--token"):
        check_door(parsed(*command))
    monkeypatch.setenv("NUGGY_TOKEN", "correct horse")
    args = parsed(*command)
    check_door(args)
    told = page_options(args, limits_of(args))
    assert "--server.address=0.0.0.0" in told and not any(t.startswith("--open") for t in told)
    assert {str(args.port), str(parsed("serve").port)} == set(said("EXPOSE")[0].split())


def test_nobody_is_root_in_it():
    (run,) = (r for r in said("RUN") if "useradd" in r)
    (user,) = said("USER")
    assert user != "root" and run.count(user) and said("WORKDIR")[-1] == f"/home/{user}"
    assert [w for w, _ in LINES].index("USER") < [w for w, _ in LINES].index("ENTRYPOINT")


def test_the_documents_commands_are_ours():
    text = (ROOT / "docs" / "web.md").read_text("utf-8")
    runs = [shlex.split(r) for r in re.findall(r"docker run ([^`]+)", text)]
    assert len(runs) >= 2
    for run in runs:
        after = run[run.index("nuggy") + 1 :]
        if after:
            assert parsed(*after).host == "0.0.0.0"

"""Runs shell blocks of the pages: `vistune` in this process through its own entry, everything else as a process of its own."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import yaml
from page_blocks import ROOT, Block
from typer.testing import CliRunner

from vistune.cli import app
from vistune.recipe import load_recipe

SERVERS = (["serve"], ["human", "serve"])
ADDRESS = "http://127.0.0.1:8000"


class Shell:
    """A shell in the current folder.

    `standins` takes the place of what a reader would download or start elsewhere, word by word; `before` is called ahead of
    lines that begin with its key. Stages are trained for one step of two samples, whatever their recipe says; servers listen on
    a port of their own, in the place of port 8000.
    """

    def __init__(self, standins: Mapping[str, str], before: Mapping[str, Callable[[], None]]) -> None:
        self.standins, self.before = dict(standins), before
        self.values: dict[str, str] = {}
        self.servers: list[subprocess.Popen[str]] = []
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "NO_PROXY": "*"}

    def close(self) -> None:
        """Ends the servers that were started."""
        for server in self.servers:
            server.kill()
            server.wait()

    def stand_in(self, text: str) -> str:
        for name, value in self.standins.items():
            text = text.replace(name, value)
        return text

    def run(self, block: Block) -> None:
        for line in block.lines():
            assigned = re.fullmatch(r"(\w+)='?([^']*)'?", line)
            if assigned:
                self.values[assigned[1]] = re.sub(r"\$(\w+)", lambda name: self.values[name[1]], assigned[2])
                continue
            if line.startswith("export PYTHONPATH="):
                self.on_the_path(line.partition("#")[0].partition("=")[2].strip())
                continue
            for beginning, call in self.before.items():
                if line.startswith(beginning):
                    call()
            said = re.sub(r"\$(\w+)", lambda name: self.values[name[1]], line)
            words = shlex.split(self.stand_in(said), comments=True)
            while "&&" in words:
                self.command(words[: words.index("&&")], line)
                words = words[words.index("&&") + 1 :]
            self.command(words, line)

    def on_the_path(self, folder: str) -> None:
        """For processes and for this one, whose test puts `sys.path` back."""
        self.environment["PYTHONPATH"] = os.pathsep.join([folder, self.environment["PYTHONPATH"]])
        sys.path.insert(0, str(Path(folder).resolve()))

    def command(self, words: list[str], line: str) -> None:
        if words[:3] == ["python", "-m", "vistune"]:
            words = words[2:]
        program, *arguments = words
        if program == "vistune":
            if any(arguments[: len(server)] == server for server in SERVERS):
                self.serve(arguments)
                return
            done = CliRunner().invoke(app, arguments + _short(arguments))
            assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception!r}"
            assert done.output.strip(), f"{line}: it says nothing"
            return
        real = [sys.executable, *arguments] if program == "python" else [program, *arguments]
        ended = subprocess.run(real, env=self.environment, capture_output=True, text=True)
        assert ended.returncode == 0, f"{line}\n{ended.stdout}\n{ended.stderr}"

    def serve(self, arguments: list[str]) -> None:
        """Starts a server and waits until it listens; what is asked of port 8000 later is asked of it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        command = [sys.executable, "-m", "vistune", *arguments, "--port", str(port)]
        log = Path("server.log").open("w")  # noqa: SIM115 - the server's as long as it runs
        server = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, text=True)
        self.servers.append(server)
        until = time.monotonic() + 120
        while not _ready(port):
            assert server.poll() is None and time.monotonic() < until, Path("server.log").read_text()
            time.sleep(0.1)
        self.standins[ADDRESS] = f"http://127.0.0.1:{port}"


def _ready(port: int) -> bool:
    """Does the server answer, and has it loaded its models where it has some?"""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code in (200, 404)


def _short(arguments: list[str]) -> list[str]:
    """What makes a training command take one step of two samples a stage, and a plan read nothing from a hub."""
    if arguments[0] == "plan":
        return ["--nano"]
    if arguments[0] != "train":
        return []
    recipe = arguments[1]
    stages = yaml.safe_load(Path(recipe).read_text())["stages"] if recipe.endswith(".yaml") else load_recipe(recipe).stages
    return few_steps(len(stages))


def few_steps(stages: int) -> list[str]:
    """One step of two samples a stage, as options of `vistune train`."""
    changes = [f"stages.{number}.{change}" for number in range(stages) for change in ("steps=1", "batch=2")]
    return [word for change in changes for word in ("--set", change)]

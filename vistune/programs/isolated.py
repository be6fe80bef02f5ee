"""A tool in a process of its own: it can be ended, its memory is bounded, and what it gives comes back as plain JSON."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from vistune.errors import InputError
from vistune.programs.observation import Observation, ToolError, attempted, checked
from vistune.programs.tool import Tool

_LARGEST = 100 * 2**20  # bytes of JSON that are read of an answer; a medium of the largest size fits, in base64


def run_isolated(tool: Tool, values: Mapping[str, Any]) -> Observation:
    """What the tool gives. Raises `ToolError` when it raises, takes too long, dies, or gives what cannot be read.

    The process starts empty, so the tool must be importable by name, and is ended when the time is up.
    """
    # A fork would inherit open files, locks and keys of this process; a tool is anybody's code.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, tool, dict(values)), daemon=True)
    try:
        process.start()
    except (AttributeError, TypeError, ValueError, OSError) as error:  # what cannot be pickled raises one of these
        ours.close()
        theirs.close()
        raise ToolError(f"{tool.name} cannot run in a process of its own: {error}") from error
    theirs.close()
    try:
        if not ours.poll(tool.limit_s):
            raise ToolError(f"{tool.name} took longer than its {tool.limit_s:g} seconds")
        # JSON and not pickle: unpickling what a tool sends would run its code here.
        answer = json.loads(ours.recv_bytes(_LARGEST))
        if "error" in answer:
            raise ToolError(str(answer["error"]))
        return checked(tool.name, Observation.from_json(answer))
    except EOFError as error:
        process.join(1.0)
        raise ToolError(f"{tool.name}: its process ended with code {process.exitcode}") from error
    except (OSError, ValueError, InputError) as error:  # more than `_LARGEST`, or no JSON of ours
        raise ToolError(f"{tool.name}: what it gave cannot be read: {error}") from error
    finally:
        # Killed in any case: a process that has answered may still hold threads that do not end.
        process.kill()
        process.join()
        ours.close()


def _child(pipe: Connection, tool: Tool, values: Mapping[str, Any]) -> None:
    _bound_memory(tool.memory)
    try:
        answer = attempted(tool.name, tool.run, values).to_json()
    except ToolError as error:
        answer = {"error": str(error)}
    pipe.send_bytes(json.dumps(answer).encode())
    pipe.close()


def _bound_memory(limit: int) -> None:
    # Address space, the one limit on memory that every Unix keeps.
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

"""GPT4Tools' program on the embedded data set: a tuned planner, the real tools on the shipped backbones, and controls.

    vistune train gpt4tools --nano --out runs/planner
    python -m benchmarks.programs --planner checkpoint:runs/planner/tune --out runs/programs

Errands of held-out scenes whose tools are on the bench are run, each with its picture. A task is solved when the first call is
the one that is due and was carried out: the right tool, on the right picture, with the right words. Beside it stand the same
planner with tools that are not there, and the same model before it was tuned. Runs are resumed where they stopped.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.small_llava import machine
from vistune.construction.opening import open_completer
from vistune.files import write_json
from vistune.journal import read_journal
from vistune.programs.methods.gpt4tools import Gpt4tools
from vistune.programs.runner import TRACE, run_program
from vistune.sample import Media, Sample, Text, Turn
from vistune.spec import Spec
from vistune.world.errands.errand import DETECT, EDGES, REMOVE, SEGMENT, Errand, make_errand

TOOLS: dict[str, Spec] = {DETECT: "detect", SEGMENT: "segment", REMOVE: "remove_named", EDGES: "edges"}
OUTCOME = Path("docs/results/programs.json")


def errands(count: int) -> list[Errand]:
    """The first held-out errands whose tool is on the bench."""
    found: list[Errand] = []
    seed = 0
    while len(found) < count:
        errand = make_errand(seed, "test")
        found += [errand] if errand.tool in TOOLS else []
        seed += 1
    return found


def sample(errand: Errand) -> Sample:
    """The errand with its picture, which the person describes."""
    described = errand.question.partition(": ")[2].partition("\n")[0]
    picture = Media("image", data=errand.scene.image)
    turns = (Turn("user", (Text(errand.said),)),)
    return Sample(f"errand-{errand.seed}", (picture,), turns, meta={"described": [described]})


def solved(folder: Path, wanted: list[Errand]) -> dict[str, float]:
    """Shares, in percent: solved, and the right tool called at all."""
    first: dict[str, list[dict[str, Any]]] = {}  # of each task the first call, and what came of it
    for _, event in read_journal(folder / TRACE):
        kept = first.setdefault(event["task"], [])
        if len(kept) < 2 and (kept or event["event"] == "call"):
            kept.append(event)
    right = tool = 0
    for errand in wanted:
        call, came = first.get(f"errand-{errand.seed}") or ({}, {})
        if call.get("tool") != errand.tool:
            continue
        tool += 1
        # There is but one picture, so a call that was carried out was about the right one.
        right += list(call["arguments"].values())[1:] == list(errand.arguments)[1:] and came["event"] == "observation"
    return {"solved": 100 * right / len(wanted), "right_tool": 100 * tool / len(wanted)}


def main() -> None:
    """Run all three and write their shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planner", required=True, help="the tuned planner, as checkpoint:DIR")
    parser.add_argument("--untuned", help="the planner before tuning, as checkpoint:DIR")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=100)
    given = parser.parse_args()
    wanted = errands(given.size)
    arms = {"tuned": (given.planner, TOOLS), "tools_off": (given.planner, {})}
    if given.untuned:
        arms["untuned"] = (given.untuned, TOOLS)
    found = {}
    for name, (planner, tools) in arms.items():
        folder = given.out / name
        program = Gpt4tools(tools, format="react_chat", steps=3)
        outcomes = run_program(
            program, [sample(errand) for errand in wanted], folder, open_completer(planner), {"planner": planner}
        )
        ended = sum(outcome.ended == "answer" for outcome in outcomes)
        found[name] = {**solved(folder, wanted), "answered": 100 * ended / len(wanted)}
        print(f"{name}: {json.dumps(found[name])}", flush=True)
    write_json(OUTCOME, {"errands": len(wanted), "tools": list(TOOLS), "machine": machine(), **found})


if __name__ == "__main__":
    main()

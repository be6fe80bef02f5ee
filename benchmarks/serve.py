"""Serving, side by side in one run: the same model under `vistune serve` and under `transformers serve`.

    python -m benchmarks.serve [CHECKPOINT] [--rounds 3] [--out docs/results/serving.json]

Without a checkpoint it is the random LLaVA of 30 M parameters that the speed benchmarks share, whose answers are all as long as
they may be.
Sixteen clients ask about eight pictures, six questions each. Sides take turns, so that whatever else the machine does meets all
of them. `transformers serve` runs with and without continuous batching, and its better side counts. Also: the time to the first
token for one client and pictures that were never shown, throughput with one client, and memory over many requests.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from benchmarks import small_llava
from vistune.data.samples import read
from vistune.model.weights.checkpoint import save

QUESTIONS = (
    "How many shapes are there?",
    "Describe the picture.",
    "What is on the left?",
    "What is on the right? Answer in a sentence.",
    "Which colours do you see?",
    "Is there a digit in the picture?",
)
CLIENTS, PICTURES = 16, 8
SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True)
class Side:
    """A server: its address, and the name that it knows the model by."""

    name: str
    url: str
    model: str
    process: int
    tokens: int


def main() -> None:
    """Run all of it and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=48, help="the longest answer")
    parser.add_argument("--alone", type=int, default=24, help="questions of the one client")
    parser.add_argument("--sides", default="own,whole,theirs,continuous")
    parser.add_argument("--soak", type=int, default=2000, help="requests over which our memory is watched; 0 for none")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        exported = Path(folder) / "exported"
        if given.checkpoint is None:
            given.checkpoint = Path(folder) / "checkpoint"
            save(small_llava.build(Path(folder) / "parts"), given.checkpoint, {"vision", "connector", "llm"})
        run = [str(SCRIPTS / "vistune"), "export", str(given.checkpoint), "--out", str(exported)]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        theirs = [str(SCRIPTS / "transformers"), "serve", str(exported), "--device", "cpu", "--log-level", "error"]
        ours = [str(SCRIPTS / "vistune"), "serve"]
        known = {
            "own": ("ours", [*ours, f"m={given.checkpoint}"], "m"),
            "whole": ("ours, model taken whole", [*ours, f"m={exported}"], "m"),
            "theirs": ("transformers serve", theirs, str(exported)),
            "continuous": ("transformers serve, continuous", [*theirs, "--continuous-batching"], str(exported)),
        }
        sides = [stack.enter_context(served(*known[name], given.tokens)) for name in given.sides.split(",")]
        results = measured(sides, given.rounds, given.alone)
        results["memory"] = soaked(sides[0], given.soak) if given.soak else []
    print(table(results))
    if given.out:
        given.out.write_text(json.dumps(results, indent=2) + "\n")


@contextmanager
def served(name: str, command: Sequence[str], model: str, tokens: int) -> Iterator[Side]:
    """A server while the block runs; one that does not come up is left out with a word."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*command, "--port", str(port)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    side = Side(name, f"http://127.0.0.1:{port}", model, process.pid, tokens)
    try:
        for _ in range(600):
            if process.poll() is not None:
                sys.exit(f"{name} ended with status {process.returncode}")
            try:
                if httpx.get(f"{side.url}/health", timeout=5, trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        yield side
    finally:
        process.terminate()
        process.wait()


def measured(sides: Sequence[Side], rounds: int, alone: int) -> dict[str, Any]:
    """What each side does in each round; sides that fail keep what they said."""
    pictures = list(read(f"world:?split=test&size={PICTURES}"))
    urls = [as_url(sample.media[0].data) for sample in pictures]
    fresh = iter([as_url(sample.media[0].data) for sample in read(f"world:?split=train&size={8 * rounds * len(sides)}")])
    asked = [(url, question) for question in QUESTIONS for url in urls]
    results: dict[str, Any] = {"questions": len(asked), "clients": CLIENTS, "max_tokens": sides[0].tokens, "sides": {}}
    answers: dict[str, list[str]] = {}
    for side in sides:
        error = tried(side, *asked[0])
        results["sides"][side.name] = {"error": error, "many": [], "one": [], "first": []}
    working = [side for side in sides if results["sides"][side.name]["error"] is None]
    for _ in range(rounds):
        for side in working:
            row = results["sides"][side.name]
            before = busy(side.process)
            took, answers[side.name], tokens = load(side, asked, CLIENTS)
            spent = (busy(side.process) - before) / len(asked)
            row["many"].append(
                {"requests_per_second": len(asked) / took, "tokens_per_second": tokens / took, "cpu_per_request": spent}
            )
        for side in working:
            before = busy(side.process)
            took, _, _ = load(side, asked[:alone], 1)
            spent = (busy(side.process) - before) / alone
            results["sides"][side.name]["one"].append({"requests_per_second": alone / took, "cpu_per_request": spent})
        for _ in range(8):  # in turns: a busy moment meets all sides
            for side in working:
                results["sides"][side.name]["first"].append(first_token(side, next(fresh)))
    for side in working:
        pairs = zip(answers[side.name], answers[working[0].name], strict=True)
        results["sides"][side.name]["equal_answers"] = sum(mine.strip() == other.strip() for mine, other in pairs)
    return results


def load(side: Side, asked: Sequence[tuple[str, str]], clients: int) -> tuple[float, list[str], int]:
    """Seconds, answers and tokens written when `clients` ask all of it."""
    with httpx.Client(timeout=1800, trust_env=False) as http, ThreadPoolExecutor(clients) as pool:
        start = time.perf_counter()
        replies = list(pool.map(lambda pair: post(http, side, *pair), asked))
        took = time.perf_counter() - start
    texts = [reply["choices"][0]["message"]["content"] for reply in replies]
    return took, texts, sum((reply.get("usage") or {}).get("completion_tokens") or 0 for reply in replies)


def post(http: httpx.Client, side: Side, url: str, question: str) -> dict[str, Any]:
    """One answer, greedy."""
    reply = http.post(f"{side.url}/v1/chat/completions", json=body(side, url, question))
    if reply.status_code != 200:
        raise RuntimeError(f"{side.name}: {reply.status_code} {reply.text[:300]}")
    answer: dict[str, Any] = reply.json()
    return answer


def tried(side: Side, url: str, question: str) -> str | None:
    """Why a side does not answer; None where it does."""
    try:
        with httpx.Client(timeout=300, trust_env=False) as http:
            post(http, side, url, question)
    except (RuntimeError, httpx.HTTPError) as error:
        return str(error) or type(error).__name__
    return None


def first_token(side: Side, url: str) -> float:
    """Seconds to the first text, streamed, about a picture that was never shown."""
    start = time.perf_counter()
    asked = body(side, url, QUESTIONS[1]) | {"stream": True}
    with httpx.stream("POST", f"{side.url}/v1/chat/completions", json=asked, timeout=600, trust_env=False) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: {") and (json.loads(line[6:])["choices"] or [{}])[0].get("delta", {}).get("content"):
                return time.perf_counter() - start
    return time.perf_counter() - start


def body(side: Side, url: str, question: str) -> dict[str, Any]:
    """A request both servers take."""
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": question}]
    return {
        "model": side.model,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": side.tokens,
        "temperature": 0,
    }


def soaked(side: Side, count: int) -> list[dict[str, float]]:
    """Our resident memory over many requests about ever new pictures."""
    samples = read(f"world:?split=train&size={count}")
    seen: list[dict[str, float]] = [{"requests": 0, "megabytes": resident(side.process)}]
    with httpx.Client(timeout=600, trust_env=False) as http, ThreadPoolExecutor(CLIENTS) as pool:
        waiting = []
        for number, sample in enumerate(samples, 1):
            waiting.append(pool.submit(post, http, side, as_url(sample.media[0].data), QUESTIONS[number % len(QUESTIONS)]))
            if number % 200 == 0:
                for each in waiting:
                    each.result()
                waiting = []
                seen.append({"requests": number, "megabytes": resident(side.process)})
    return seen


def busy(process: int) -> float:
    """Seconds of processor time that a server has used: what a busy machine does not change."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """Megabytes."""
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def as_url(array: Any) -> str:
    """A picture as a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(array)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def table(results: dict[str, Any]) -> str:
    """One line a side, medians over rounds."""
    heads = f"{'16 clients, 1/s':>16}{'tokens/s':>10}{'CPU s each':>12}{'1 client, 1/s':>15}{'CPU s each':>12}"
    heads += f"{'first token, s':>16}{'equal':>7}"
    lines = [f"{'':<34}{heads}"]
    for name, row in results["sides"].items():
        if row["error"] is not None:
            lines.append(f"{name:<34}does not answer: {row['error'][:90]}")
            continue
        many = statistics.median(each["requests_per_second"] for each in row["many"])
        tokens = statistics.median(each["tokens_per_second"] for each in row["many"])
        one = statistics.median(each["requests_per_second"] for each in row["one"])
        first = statistics.median(row["first"])
        spent, alone = (statistics.median(each["cpu_per_request"] for each in row[kind]) for kind in ("many", "one"))
        told = f"{many:>16.2f}{tokens:>10.1f}{spent:>12.3f}{one:>15.2f}{alone:>12.3f}{first:>16.3f}{row['equal_answers']:>7}"
        lines.append(f"{name:<34}{told}")
    if results["memory"]:
        rows = (f"{each['requests']:>8.0f}{each['megabytes']:>11.0f}" for each in results["memory"])
        lines += ["", "requests  megabytes", *rows]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

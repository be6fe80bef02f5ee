"""A benchmark told to a person, on the terminal and in `docs/benchmarks.md`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from vistune.evals.listing import Listed, Published

OWN = {"vistune predict, a line": '{"id": "ID", "answer": "ANSWER"}'}
UNHELD = "not held by a published file"

_STATUS = {
    "P": "published",
    "P(test)": "its own test",
    "R": "printed by the official code",
    "S": "official rule on made grades",
}

_HEAD = """# All benchmarks

Written by `vistune benchmarks --to docs/benchmarks.md`; [scoring.md](scoring.md) says how to score, judge and report. Of every
benchmark: its official files, how a sample's id is formed, each result form with a file of one answer (besides
`{"id": ID, "answer": ANSWER}` a line, which `vistune predict` writes), the variants with their defaults (`--set KEY=VALUE`),
where the number is made otherwise than by the official code, and the published numbers that are reproduced digit by digit
(`make scores`), with the file that holds the answers and where it is from.
"""


def page(item: Listed) -> str:
    """One benchmark for the terminal."""
    lines = [f"{item.name}: {item.about}", *(f"  {line}".rstrip() for line in item.notes.splitlines())]
    lines += ["", "files (--annotations is the first, or the folder of all)"]
    lines += [f"  {what:<14}{path}" for what, path in item.files.items()]
    lines += ["", f"answers         {item.answers}", f"ids             {item.ids}", "", "result files"]
    for form, example in (item.examples | OWN).items():
        lines += [f"  {form}", *(f"    {line}" for line in example.splitlines())]
    if item.variants:
        lines += ["", "variants (--set KEY=VALUE)", *(f"  {line}" for line in _variants(item))]
    lines += ["", f"departs         {item.departs or 'nowhere that we know of'}", "", "reproduces"]
    lines += [f"  {line}" for line in _reproduced(item.reproduces)] or [f"  {UNHELD}"]
    return "\n".join(lines) + "\n"


def pages(items: Sequence[Listed]) -> str:
    """All benchmarks as the Markdown page."""
    return "\n".join([_HEAD, table(items), *(_section(item) for item in items)])


def table(items: Sequence[Listed]) -> str:
    """The benchmarks as a Markdown table."""
    rows = [f"| [`{item.name}`](#{item.name}) | {item.about} | {item.answers} | {_held(item.reproduces)} |" for item in items]
    return "\n".join(["| name | what | answers | numbers held |", "|---|---|---|---|", *rows]) + "\n"


def _section(item: Listed) -> str:
    lines = [f"## {item.name}", "", item.about, "", item.notes, ""]
    lines += [f"- files: {', '.join(f'{what} `{path}`' for what, path in item.files.items())}"]
    lines += [f"- answers: {item.answers}", f"- ids: {item.ids}", "- result files:"]
    for form, example in item.examples.items():
        rows = example.splitlines()
        lines += [f"  - {form}: `{rows[0]}`"] if len(rows) == 1 else [f"  - {form}:", *(f"    - `{row}`" for row in rows)]
    lines += [f"- variants: {'; '.join(f'`{line}`' for line in _variants(item))}"] if item.variants else []
    lines += [f"- departs: {item.departs}"] if item.departs else []
    reproduced = list(_reproduced(item.reproduces))
    lines += ["- reproduces:", *(f"  - {line}" for line in reproduced)] if reproduced else [f"- reproduces: {UNHELD}"]
    return "\n".join(lines) + "\n"


def _variants(item: Listed) -> Iterator[str]:
    for name, default in item.variants.items():
        choices = item.choices.get(name)
        said = json.dumps(default, ensure_ascii=False)
        yield f"{name}={said}" + (f" ({' | '.join(map(str, choices))})" if choices else "")


def _reproduced(numbers: Sequence[Published]) -> Iterator[str]:
    for held in numbers:
        variant = "".join(f", {key}={value}" for key, value in held.variant.items())
        said = ", ".join(f"{name} {value}" for name, value in held.numbers.items())
        cells = f", and {held.cells} cells of its result file" if held.cells else ""
        within = f"within {held.within} of " if held.within else ""
        yield f"{held.name}: {within}{said}{cells} ({held.file}{variant}; {held.source}; {_STATUS[held.status]})"


def _held(numbers: Sequence[Published]) -> str:
    count = sum(len(held.numbers) + held.cells for held in numbers if not held.within)
    return str(count) if count else UNHELD

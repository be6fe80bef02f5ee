"""The catalogue as text: lines for a terminal, a page in Markdown, one entry in full."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.data.catalogue.entry import TASKS, Entry
from vistune.errors import InputError, nearest
from vistune.files import dump_yaml

PREFACE = """# Data sets

<!-- Made by `vistune data list --markdown`; a test keeps it current. -->

{count} data sets are known by name, {released} of them can be read:

```sh
vistune data list --task "question answering"
vistune data show vqa_v2
```

`show` prints where a data set comes from, the files it is expected in, and the reader's arguments. Unpack it into a folder
and name that folder wherever data is asked for, for example `catalogue:vqa_v2?path=data/vqa&part=val2014`; `images=...` says
where the pictures lie, if elsewhere. Nothing is downloaded. Sizes and licences are those published: look the licence up
before use.

A star marks layouts that could not be confirmed in the owners' own documentation: compare your files with `show` first.
"""


def select(entries: Sequence[Entry], task: str | None = None, modality: str | None = None) -> list[Entry]:
    """Those of a task, and whose modality holds a word. Raises `InputError` for an unknown task or word."""
    if task is not None and task not in TASKS:
        raise InputError(f"there is no task {task!r}{nearest(task, list(TASKS))}")
    if modality is not None and not any(modality in entry.modality for entry in entries):
        words = sorted({word for entry in entries for word in re.findall(r"\w+", entry.modality)})
        raise InputError(f"no data set shows {modality!r}{nearest(modality, words)}")
    return [
        entry for entry in entries if (task is None or entry.task == task) and (modality is None or modality in entry.modality)
    ]


def lines(entries: Sequence[Entry]) -> list[str]:
    """One line an entry: name, task, modality, size."""
    columns = [(entry.name, entry.task, entry.modality, _status(entry) + entry.size) for entry in entries]
    widths = [max((len(row[column]) for row in columns), default=0) for column in range(3)]
    return [f"{name:{widths[0]}}  {task:{widths[1]}}  {modality:{widths[2]}}  {size}" for name, task, modality, size in columns]


def _status(entry: Entry) -> str:
    return "" if entry.released else "(no files) "


def markdown(entries: Sequence[Entry]) -> str:
    """The page `docs/datasets.md`."""
    released = [entry for entry in entries if entry.released]
    parts = [PREFACE.format(count=len(entries), released=len(released))]
    for task in TASKS:
        rows = [entry for entry in released if entry.task == task]
        parts += _table(task.capitalize(), rows) if rows else []
    parts += ["\n## Without files of their own\n", "| data set | why | paper |", "| --- | --- | --- |"]
    parts += [f"| {entry.title} | {entry.obtain} | {entry.citation} |" for entry in entries if not entry.released]
    return "\n".join(parts) + "\n"


def _table(title: str, rows: Sequence[Entry]) -> list[str]:
    head = [f"\n## {title}\n", "| name | data set | shows | size | licence |", "| --- | --- | --- | --- | --- |"]
    marked = [(f"`{row.name}`{'' if row.layout == 'confirmed' else ' *'}", row) for row in rows]
    return head + [f"| {name} | {row.title} | {row.modality} | {row.size} | {row.licence} |" for name, row in marked]


def details(entry: Entry) -> str:
    """Everything about one entry, for a terminal."""
    facts = {
        "aliases": ", ".join(entry.aliases),
        "task": entry.task,
        "modality": entry.modality,
        "size": entry.size,
        "licence": entry.licence,
        "obtain": entry.obtain,
        "citation": entry.citation,
        "note": entry.note,
    }
    text = f"{entry.title} ({entry.name})\n\n" + "".join(f"{key:9} {value}\n" for key, value in facts.items() if value)
    if not entry.released:
        return text + "\nThere are no files to read.\n"
    text += f"layout    {entry.layout}\nparts     {', '.join(entry.parts)}\n"
    first = next(iter(entry.parts))
    text += f"\ncatalogue:{entry.name}?path=FOLDER{'' if len(entry.parts) == 1 else f'&part={first}'}  reads as\n\n"
    spec = dump_yaml(entry.spec("FOLDER"), sort_keys=False, allow_unicode=True, width=120)
    return text + "".join(f"    {line}\n" for line in spec.splitlines())

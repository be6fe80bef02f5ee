"""What the readers of benchmarks share: records with their places, checked fields, and samples that ask.

Every function that meets a fault raises `InputError` naming the file and the record.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vistune.data.fields.lettered import LETTERS
from vistune.data.fields.typed import as_label, as_number, as_whole
from vistune.errors import InputError
from vistune.evals.benchmark import field_of
from vistune.evals.prediction import identifier_of
from vistune.evals.reading.sources import beneath, load, load_table
from vistune.sample import Media, MediaKind, MediaRef, Sample, Text, Turn

KARPATHY = ("train", "restval", "val", "test")
"""The splits of Karpathy's files (Karpathy & Fei-Fei, CVPR 2015)."""

MAX_DIGITS = 18  # of a whole number in an annotation: what fits in 64 bits


def records(path: Path, under: str | None = None) -> Iterator[tuple[str, Any]]:
    """`(place, record)` of a JSON list, of JSONL, or of the list under a key of a JSON object."""
    content = load(path)
    value, place = content.value, content.record
    if under is not None:
        value, place = field_of(value, under, str(path)), lambda index: f"{path}: {under} {index + 1}"
    elif content.form == "json" and isinstance(value, dict):
        value = [value]  # JSONL of one line
    if not isinstance(value, list) or content.form not in ("json", "jsonl"):
        raise InputError(f"{path}: expected a JSON list{f' under {under!r}' if under else ''}")
    for index, record in enumerate(value):
        yield place(index), record


def sections(path: Path, *names: str) -> list[list[tuple[str, Any]]]:
    """The lists under several keys of one JSON object, each as `(place, record)`s; the file is read once."""
    content = load(path)
    found = []
    for name in names:
        value = field_of(content.value, name, str(path))
        if not isinstance(value, list):
            raise InputError(f"{path}: expected a JSON list under {name!r}")
        found.append([(f"{path}: {name} {index + 1}", record) for index, record in enumerate(value)])
    return found


def rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """`(place, row)` of comma- or tab-separated text with a header; the place counts rows, the header not included."""
    for index, row in enumerate(load_table(path)):
        yield f"{path}: row {index + 1}", row


def text_of(record: Any, name: str, where: str) -> str:
    """A field that must be text."""
    value = field_of(record, name, where)
    if not isinstance(value, str):
        raise InputError(f"{where}: field {name!r} holds {_short(value)}, expected text")
    return value


def one_of(record: Any, name: str, allowed: Sequence[str], where: str) -> str:
    """A field that must be one of these texts; spaces around it do not count."""
    value = text_of(record, name, where).strip()
    if value not in allowed:
        raise InputError(f"{where}: field {name!r} holds {_short(value)}, expected one of {', '.join(allowed)}")
    return value


def texts_of(record: Any, name: str, where: str) -> list[str]:
    """A field that must be a list of texts."""
    value = field_of(record, name, where)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{where}: field {name!r} holds {_short(value)}, expected a list of texts")
    return value


def label_of(record: Any, name: str, where: str) -> str:
    """A field that must be text or a number, as text: ids, answers and levels are written either way."""
    return as_label(field_of(record, name, where), where, f"field {name!r}")


def list_of(record: Any, name: str, where: str) -> list[Any]:
    """A field that must be a list."""
    value = field_of(record, name, where)
    if not isinstance(value, list):
        raise InputError(f"{where}: field {name!r} holds {_short(value)}, expected a list")
    return value


def numbers_of(record: Any, name: str, count: int, where: str) -> list[float]:
    """A field that must be a list of so many finite numbers: a box."""
    value = list_of(record, name, where)
    if len(value) != count:
        raise InputError(f"{where}: field {name!r} holds {len(value)} values, expected {count} numbers")
    return [as_number(number, where, f"a number of {name!r}") for number in value]


def key_of(record: Any, name: str, where: str) -> str | int:
    """A field that must be text or a whole number: what records are found by."""
    value = field_of(record, name, where)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"{where}: field {name!r} holds {_short(value)}, expected text or a whole number")
    return value


def whole_of(record: Any, name: str, where: str) -> int:
    """A field that must be a whole number, given as one or as its digits."""
    value = field_of(record, name, where)
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.strip().isdecimal())):
        raise InputError(f"{where}: field {name!r} holds {_short(value)}, expected a whole number")
    # Longer ones overflow in numpy's tables far from here, without a word about the record.
    if len(str(value)) > MAX_DIGITS:
        raise InputError(f"{where}: field {name!r} holds a number of {len(str(value))} digits")
    return int(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def root_of(path: Path, relative: str) -> Path:
    """The folder of the official layout, from the place of one of its files."""
    return path.parents[len(Path(relative).parts) - 1]


def medium(folder: Path, name: str, kind: MediaKind = "image") -> Media:
    """A file of the layout. A name that leads out of the folder is refused, and what is no name."""
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise InputError(f"{_short(name)} is no file name in {folder}")
    return Media.file(kind, beneath(folder, name))


def embedded(text: str, where: str) -> Media:
    """An image given as base64 in a table."""
    try:
        return Media("image", data=base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{where}: the image is not base64 ({error})") from error


def asked(
    identifier: object,
    question: str | None,
    media: Sequence[Media] = (),
    answers: Sequence[str] = (),
    choices: Sequence[str] = (),
    meta: Mapping[str, Any] | None = None,
    origin: str = "",
) -> Sample:
    """A sample whose one turn shows all its media, then asks; without a question it has no turns.

    Here everything that an annotation says passes through: an id that is neither text nor a whole number, and a question,
    answers or options that are no text, raise `InputError`.
    """
    named = identifier_of(identifier, origin or "an annotation", "id")
    for what, texts in (("question", () if question is None else (question,)), ("answer", answers), ("option", choices)):
        for text in [texts] if isinstance(texts, str) else texts:
            if not isinstance(text, str):
                raise InputError(f"{origin or named}: the {what} is {_short(text)}, expected text")
    shown = tuple(MediaRef(index) for index in range(len(media)))
    turns = () if question is None else (Turn("user", (*shown, Text(question))),)
    return Sample(named, tuple(media), turns, (), tuple(answers), tuple(choices), meta or {}, origin)


def options_of(record: Mapping[str, Any], names: Mapping[str, str], where: str) -> list[str]:
    """The options in columns (`names`: letter -> column); an option keeps its letter when one before it is empty.

    Absent, null and empty columns hold none; behind the last option they are left out. A number is its text. Raises
    `InputError` for anything else, and for no option at all.
    """
    options = ["" if record.get(name) in (None, "") else label_of(record, name, where) for name in names.values()]
    # Only from the end: an empty option in the middle keeps the letters of those behind it.
    while options and not options[-1].strip():
        options.pop()
    if not options:
        raise InputError(f"{where}: has no options: the columns {', '.join(names.values())} are empty or not there")
    return options


def offered(options: Sequence[str]) -> str:
    """Options a line each behind their letters, the empty ones left out: `A. cat`, `C. dog`."""
    return "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False) if option.strip())


def option_letter(record: Any, name: str, options: Sequence[str], where: str) -> str:
    """A field that must be the letter of an option."""
    answer = text_of(record, name, where).strip()
    if answer not in LETTERS[: len(options)] or len(answer) != 1 or not options[LETTERS.index(answer)].strip():
        raise InputError(f"{where}: the answer {answer!r} is the letter of none of the options")
    return answer


def letter_of(index: int, choices: Sequence[str], where: str) -> str:
    """The letter of the option number `index`, from 0."""
    if not 0 <= index < len(choices):
        raise InputError(f"{where}: the right option is number {index}, but there are {len(choices)}")
    return LETTERS[index]


def pictures_of(row: Mapping[str, Any], prefix: str, where: str) -> list[Media]:
    """The images of a Hugging Face row, in the columns `prefix`, or `prefix1`, `prefix2`, ...; empty columns hold none."""
    columns = [prefix] if prefix in row else sorted(name for name in row if name.startswith(prefix))
    pictures = []
    for name in columns:
        if row[name] is None:
            continue
        content = field_of(row[name], "bytes", f"{where}: {name}")
        if not isinstance(content, bytes):
            raise InputError(f"{where}: column {name!r} holds no image bytes")
        pictures.append(Media("image", data=content))
    return pictures


def checked_categories(value: Any, path: str) -> list[Any]:
    """COCO's categories, each with a whole number as id and a name."""
    categories = list_of(value, "categories", path)
    for index, record in enumerate(categories):
        where = f"{path}: category {index + 1}"
        as_whole(field_of(record, "id", where), where, "'id'")
        whole_of(record, "id", where)
        text_of(record, "name", where)
    return categories


def checked_objects(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """COCO's annotations as `(place, record)`s, each with its image, its category and a box of four numbers."""
    for index, record in enumerate(list_of(value, "annotations", path)):
        where = f"{path}: annotation {index + 1}"
        for name in ("id", "image_id", "category_id"):
            as_whole(field_of(record, name, where), where, f"{name!r}")
            whole_of(record, name, where)  # no longer than a machine's number
        if record.get("iscrowd", 0) not in (0, 1):
            raise InputError(f"{where}: field 'iscrowd' holds {_short(record['iscrowd'])}, expected 0 or 1")
        numbers_of(record, "bbox", 4, where)
        if "area" in record:
            as_number(record["area"], where, "'area'")
        yield where, record

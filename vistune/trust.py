"""Whose code a spec may name: the package's own kinds always, another package's classes only with the caller's word.

Specs travel between strangers, in checkpoints, run files and mixtures, and importing a module runs it. So a name of the form
`package.module:Class` is compared with the packages that the caller vouches for before anything is imported. The word holds
for a block (`with trusting(["mypkg"]): ...`) and for the threads that it starts through `vistune.data.order.prefetch`; it is
kept in a context variable, since a spec may be built deep inside another part.

And whose requests a server answers that only this machine is to reach (`is_loopback`).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from vistune.errors import InputError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class _Word:
    """`packages` that are vouched for, and `strange` folders (checkpoints being opened) that no code may come from."""

    packages: tuple[str, ...] = ()
    strange: tuple[Path, ...] = ()


_word: ContextVar[_Word] = ContextVar("trust", default=_Word())  # noqa: B039 - frozen


@contextmanager
def trusting(packages: Sequence[str] = (), opened: str | Path | None = None) -> Iterator[None]:
    """Within the block classes of these packages (`mypkg`, or `mypkg.parts` for a part of it) may be named by specs.

    `opened` is the folder of a checkpoint that is read in the block: no code comes from it, nor from a current folder that is
    or holds it. Blocks add up. Raises `InputError` for what is no package's name.
    """
    if isinstance(packages, str):
        raise InputError(f"trust is {packages!r}, expected a list of packages: [{packages!r}]")
    for name in packages:
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            raise InputError(f"trust names {name!r}, expected a package or module such as mypkg or mypkg.parts")
    before = _word.get()
    # Added to those of the blocks around: a checkpoint inside a checkpoint forbids both folders.
    strange = before.strange if opened is None else (*before.strange, Path(opened).resolve())
    token = _word.set(_Word((*before.packages, *packages), strange))
    try:
        yield
    finally:
        _word.reset(token)


@contextmanager
def beside_user(packages: Sequence[str]) -> Iterator[None]:
    """Within the block these packages are also found in the current folder, after everything that is installed.

    Nothing else is: a missing library is never taken from the current folder.
    """
    finder = _Beside(frozenset(name.partition(".")[0] for name in packages))
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Beside(MetaPathFinder):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Of the import system: the named packages in the current folder."""
        # `path` is set for modules inside a package; those are found by the package itself.
        return PathFinder.find_spec(fullname, [str(Path.cwd())]) if path is None and fullname in self._names else None


def vouched() -> tuple[str, ...]:
    """The packages that the caller has vouched for, to be told to another process."""
    return _word.get().packages


def named(name: str, form: str = "package.module:Class") -> Any:
    """What a person names as `package.module:Name`, in an argument made for that and never in a file: naming is the word.

    The module may lie in the current folder. Raises `InputError` for what is not there.
    """
    module = name.partition(":")[0]
    with trusting([module]), beside_user([module]):
        return attribute(name, name, form)


def attribute(name: str, complaint: str, form: str = "package.module:Class") -> Any:
    """What `package.module:Name` names. Raises `InputError`, before anything is imported, without the caller's word.

    `complaint` begins the sentence: `kind 'x:Y' is no Codec of this package`; `form` is how a name is written.
    """
    module, _, wanted = name.partition(":")
    word, top = _word.get(), module.partition(".")[0]
    if not all(part.isidentifier() for part in (*module.split("."), wanted)):
        raise InputError(f"{name!r}: expected {form} on the Python path")
    # With the dot: trusting `my` must not trust `myother`.
    if not any(module == package or module.startswith(f"{package}.") for package in word.packages):
        raise InputError(
            f"{complaint}, and other code is not imported without your word: if you know it, say --trust {top},"
            f" or trust=[{top!r}] in Python"
        )
    try:
        _refuse_strange(top, word.strange)
        return vars(importlib.import_module(module))[wanted]
    except (ImportError, SyntaxError, KeyError) as error:
        reason = f"it has no {wanted}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{name!r}: {reason}; expected {form} on the Python path") from error


def _refuse_strange(top: str, strange: Sequence[Path]) -> None:
    """A checkpoint brings no code: not in its folder, nor beside it in a current folder that nobody put on the path."""
    if not strange or top == "__main__":  # the running script is no module to find
        return
    # Looking is not importing: the top package is found without running any of its code.
    found = find_spec(top)
    if found is None or (not found.has_location and not found.submodule_search_locations):
        return  # importing it says so; or a module built into Python
    here = Path.cwd().resolve()
    chosen = any(entry and Path(entry).resolve() == here for entry in sys.path)
    for place in map(Path, found.submodule_search_locations or (str(found.origin),)):
        for folder in strange:
            if place.resolve().is_relative_to(folder):
                raise InputError(f"{top} lies in the checkpoint {folder}: code is not taken from there, --trust or not")
            if folder.is_relative_to(here) and place.parent.resolve() == here and not chosen:
                raise InputError(
                    f"{top} lies in the current folder, which holds the checkpoint {folder}: if the code is yours, "
                    "install it or put its folder on PYTHONPATH"
                )


def is_loopback(host: str) -> bool:
    """Does a `Host` header name this machine?

    Another name may lead here as well: a page elsewhere can have its own name resolve to 127.0.0.1 and then read what a server
    answers (DNS rebinding). What is no host at all is none of ours.
    """
    return host_name(host) in LOOPBACK


def host_name(host: str) -> str:
    """The name in a `Host` header, in small letters and without its port; empty for what is no host."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""

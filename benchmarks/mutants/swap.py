"""A mutant put into a process that has imported the package already: the code of its functions is exchanged.

That reaches the bodies of functions, methods and lambdas. A line that runs while its module is imported (a default, a field, a
decorator) has left its result behind, and needs a process that imports anew.
"""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from pathlib import Path
from types import CodeType, FunctionType

Functions = dict[str, list[FunctionType]]
Place = tuple[str, int]  # a function's qualified name, and which of that name in the file


class NotSwappableError(Exception):
    """The change needs the module to be imported anew."""


def functions(root: Path) -> Functions:
    """Every function of this process whose source lies under `root`, by its file."""
    found: Functions = defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename.startswith(str(root)):
            found[thing.__code__.co_filename].append(thing)
    return dict(found)


def swap(known: list[FunctionType], file: Path, old: str, new: str) -> None:
    """Give the functions of `file`, which were made from `old`, the code that `new` compiles to.

    Raises:
        NotSwappableError: no function changes, or a function would close over other variables.
    """
    places = {code: place for place, code in _codes(compile(old, str(file), "exec")).items()}
    codes = _codes(compile(new, str(file), "exec"))
    changed = 0
    for function in known:
        place = places.get(function.__code__)
        code = codes.get(place) if place else None
        if code is None or _work(code) == _work(function.__code__):
            continue
        try:
            function.__code__ = code
        except ValueError as error:  # another number of free variables
            raise NotSwappableError(str(error)) from error
        changed += 1
    if not changed:
        raise NotSwappableError(f"no function of {file} changes")


def _work(code: CodeType) -> tuple[object, ...]:
    """Everything but where the code stands."""
    return code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_freevars


def _codes(module: CodeType) -> dict[Place, CodeType]:
    """The code of every function in a module, nested ones too."""
    made: dict[Place, CodeType] = {}
    number: Counter[str] = Counter()

    def walk(code: CodeType) -> None:
        for inner in code.co_consts:
            if isinstance(inner, CodeType):
                made[inner.co_qualname, number[inner.co_qualname]] = inner
                number[inner.co_qualname] += 1
                walk(inner)

    walk(module)
    return made

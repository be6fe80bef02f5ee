"""A spec is `kind` + keyword arguments; this module turns one into the object it names.

`kind` is a file's name in a part's folder (`mlp` in `vistune.model.connectors` is the class `Mlp` of `mlp.py`), or
`package.module:Class` for a part that lives in the user's own code. There is no registry: the folder is the list, the
signature is the schema. Unknown kinds, unknown keys and ill-typed values are refused with the nearest right name.

Specs come from files that strangers made. So a kind is looked up, in the folder's listing or among the packages the caller
trusts (`vistune.trust`), before anything is imported, and what it names must keep to the contract (`base`) of its place
before anything is called.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, Union, get_args, get_origin, get_type_hints

from vistune.errors import InputError, nearest, reading
from vistune.trust import attribute

Spec: TypeAlias = str | Mapping[str, Any]
_LARGEST = 1e300  # of whole numbers: not far beyond there is no float


def kinds(folder: str) -> list[str]:
    """The kinds a part's folder (a package's dotted name) offers: its public modules, without importing them."""
    # Listed without importing: a hundred parts would bring torch and transformers into `vistune --help`.
    found = importlib.util.find_spec(folder)
    if found is None or found.submodule_search_locations is None:
        raise InputError(f"{folder} is not a folder of parts")
    return sorted(
        module.name
        for module in pkgutil.iter_modules(found.submodule_search_locations)
        if not module.name.startswith("_") and module.name != "base"
    )


def split(spec: Spec) -> tuple[str, dict[str, Any]]:
    """`kind` and the keyword arguments; a bare string is a kind without arguments."""
    if isinstance(spec, str):
        return spec, {}
    if not isinstance(spec, Mapping):
        raise InputError(f"a part's spec is {spec!r}, expected a kind, or a mapping with the key 'kind'")
    if "kind" not in spec:
        raise InputError(f"a part's spec needs the key 'kind', but has {sorted(spec)}")
    return str(spec["kind"]), {key: value for key, value in spec.items() if key != "kind"}


def class_name(kind: str) -> str:
    """`gated_cross_attention` -> `GatedCrossAttention`."""
    return "".join(word[:1].upper() + word[1:] for word in kind.split("_"))


def resolve(folder: str, kind: str, base: type | None = None) -> Any:
    """The class that a kind names, which keeps to `base`: a subclass, or for a protocol a class with all that it asks for.

    Without `base` only the folder's own kinds may be named: nothing says what code from elsewhere would have to be.
    Raises `InputError` for an unknown kind, with the nearest known one, for code that the caller does not trust, and for a
    class that has no business in this place.
    """
    if ":" in kind and base is not None:
        target = attribute(kind, f"kind {kind!r} is no {base.__name__} of this package")
    else:
        known = kinds(folder)
        if kind not in known:
            raise InputError(f"{folder.rpartition('.')[2]} has no kind {kind!r}{nearest(kind, known)}")
        target = getattr(importlib.import_module(f"{folder}.{kind}"), class_name(kind))
    if base is not None and not keeps(target, base):
        raise InputError(f"kind {kind!r} is no {base.__name__} ({base.__module__}), which a part in its place must be")
    return target


def build(folder: str, spec: Spec, /, base: type | None = None, **given: Any) -> Any:
    """Build the part a spec names, a `base`; `given` are arguments the caller supplies (widths, a tokenizer), not the user.

    Raises `InputError` as `resolve` and `check_arguments` do.
    """
    kind, arguments = split(spec)
    target = resolve(folder, kind, base)
    check_arguments(target, arguments, f"{folder.rpartition('.')[2]}.{kind}", given)
    accepted = inspect.signature(target).parameters
    with reading(f"{folder.rpartition('.')[2]}.{kind} cannot be made of what its spec says"):
        return target(**arguments, **{name: value for name, value in given.items() if name in accepted})


def keeps(target: Any, base: type) -> bool:
    """Is `target` a class that keeps to the contract `base`?"""
    if not inspect.isclass(target):
        return False
    if Protocol not in base.__bases__:
        return issubclass(target, base)
    # Attributes count as well as methods: protocols of this package ask for both.
    asked = {name for name in (*vars(base), *inspect.get_annotations(base)) if not name.startswith("_")}
    offered = {name for owner in inspect.getmro(target) for name in (*vars(owner), *inspect.get_annotations(owner))}
    return asked <= offered


def check_arguments(target: Any, arguments: Mapping[str, Any], where: str, given: Mapping[str, Any] | None = None) -> None:
    """Refuse keys that `target` does not take, values of the wrong type and missing required ones."""
    given = given or {}
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(target).parameters.items()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }
    settable = [name for name in parameters if name not in given]
    # Resolved here, since annotations are text (`from __future__ import annotations`) until somebody asks.
    hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    for name, value in arguments.items():
        if name not in settable:
            raise InputError(f"{where} has no key {name!r}{nearest(name, settable)}")
        if name in hints and not matches(value, hints[name]):
            raise InputError(f"{where}.{name} is {value!r}, expected {describe(hints[name])}")
    for name in settable:
        if parameters[name].default is inspect.Parameter.empty and name not in arguments:
            raise InputError(f"{where} needs the key {name!r}")


def matches(value: Any, hint: Any) -> bool:
    """Does a value that came from YAML fit a type hint? Lists stand for tuples, whole numbers for floats."""
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(matches(value, option) for option in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin in (list, tuple, Sequence):
        inner = get_args(hint)
        if not isinstance(value, (list, tuple)):
            return False
        if origin is tuple and Ellipsis not in inner:
            return len(value) == len(inner) and all(map(matches, value, inner))
        return not inner or all(matches(item, inner[0]) for item in value)
    if origin in (dict, Mapping):
        inner = get_args(hint)
        return isinstance(value, Mapping) and all(matches(item, inner[1]) for item in value.values())
    if origin is not None:
        return isinstance(value, origin)
    if hint is float:
        return is_number(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is None or hint is type(None):
        return value is None
    if not inspect.isclass(hint):
        return True
    return Protocol not in hint.__bases__ and isinstance(value, hint)  # a file holds values, none of them an object of ours


def is_number(value: Any) -> bool:
    """Is a value of a file a number that a float holds, NaN and infinities among them? True and False are none."""
    # In Python `True` is a whole number; in a file it is a mistake.
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return isinstance(value, float) or abs(value) < _LARGEST


def describe(hint: Any) -> str:
    """A type hint as a person would say it."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "one of " + ", ".join(map(repr, inner))
    if origin in (Union, types.UnionType):
        return " or ".join("nothing" if option is type(None) else describe(option) for option in inner)
    if origin is tuple and Ellipsis not in inner:
        return f"a list of {len(inner)}: {', '.join(map(describe, inner))}"
    if origin in (list, tuple, Sequence) and inner:
        return f"a list of {describe(inner[0])}"
    if origin in (dict, Mapping) and inner:
        return f"a mapping from {describe(inner[0])} to {describe(inner[1])}"
    return hint.__name__ if inspect.isclass(hint) and origin is None else str(hint).replace("typing.", "")

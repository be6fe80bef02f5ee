"""`vistune parts`: what a model can be made of, with every part's arguments."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()

FOLDERS = {
    "encoder": ("vistune.model.encoders", "vistune.model.encoders.base:Encoder"),
    "connector": ("vistune.model.connectors", "vistune.model.connectors.base:Connector"),
    "fusion": ("vistune.model.fusion", "vistune.model.fusion.base:Fusion"),
    "region": ("vistune.model.regions", "vistune.model.regions.base:RegionEncoder"),
    "head": ("vistune.model.heads", "vistune.model.heads.base:Head"),
    "template": ("vistune.prompt.templates", "vistune.prompt.template:Template"),
    "codec": ("vistune.prompt.codecs", "vistune.prompt.codec:Codec"),
}


@app.command()
def parts(
    role: Annotated[str | None, typer.Argument(help="encoder, connector, fusion, region, head, template or codec.")] = None,
    kind: Annotated[str | None, typer.Argument(help="One of them: its page and its arguments.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the parts a model can be made of."""
    import json
    from importlib import import_module

    from vistune.errors import InputError, nearest
    from vistune.spec import kinds

    if role is None:
        listing = {name: kinds(folder) for name, (folder, _) in FOLDERS.items()}
        lines = [f"{name}:\n  {', '.join(found)}" for name, found in listing.items()]
        print(json.dumps(listing, indent=2) if as_json else "\n".join(lines))
        return
    if role not in FOLDERS:
        raise InputError(f"there are no parts {role!r}{nearest(role, list(FOLDERS))}")
    folder, contract = FOLDERS[role]
    if kind is None:
        print(json.dumps(kinds(folder)) if as_json else "\n".join(kinds(folder)))
        return
    module, _, name = contract.partition(":")
    print(described(folder, kind, vars(import_module(module))[name]))


def described(folder: str, kind: str, contract: type) -> str:
    """A part's own words, and its arguments with their types and defaults."""
    import inspect

    from vistune.spec import resolve

    target = resolve(folder, kind, contract)
    lines = [f"{kind}: {inspect.cleandoc(target.__doc__ or '')}", "", "arguments:"]
    for name, parameter in inspect.signature(target).parameters.items():
        hint = parameter.annotation if isinstance(parameter.annotation, str) else inspect.formatannotation(parameter.annotation)
        default = "needed" if parameter.default is inspect.Parameter.empty else f"default {parameter.default!r}"
        lines.append(f"  {name:<20} {hint}; {default}")
    return "\n".join(lines)

"""`vistune world`: the embedded data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from PIL.Image import Image

    from vistune.world.digits import Split

app = typer.Typer(help="The embedded data set: scenes made from real handwriting, with full truth.", no_args_is_help=True)

SplitName = Annotated[str, typer.Option("--split", help="train, validation or test: handwriting of different people.")]
Seed = Annotated[int, typer.Option("--seed", help="Which scenes: different seeds give different ones.")]
Pixels = Annotated[int, typer.Option("--pixels", help="Side of the pictures.")]


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="The folder to write, which must not be there yet.")],
    split: SplitName = "train",
    size: Annotated[int, typer.Option(help="How many pictures, or samples of a sense.")] = 1000,
    seed: Seed = 0,
    pixels: Pixels = 64,
    sense: Annotated[str, typer.Option(help="pictures, films, sounds, solids, pages, edits or errands.")] = "pictures",
) -> None:
    """Write pictures as PNG with COCO, VQA v2, LLaVA, POPE and RefCOCO files, or another sense in its field's formats."""
    from vistune.errors import InputError
    from vistune.world.digits import check_split
    from vistune.world.export import export as run
    from vistune.world.export import export_sense

    if sense == "pictures":
        paths = run(folder, check_split(split), size, seed, pixels)
        print(f"{size} pictures in {folder / 'images'}, and")
    else:
        if pixels != 64:
            raise InputError(f"--pixels is for pictures, not for {sense}")
        paths = export_sense(folder, sense, check_split(split), size, seed)
        print(f"{size} samples of {sense} in {folder}, with")
    for path in paths:
        print(f"  {path}")


@app.command()
def show(
    out: Annotated[Path, typer.Option(help="The picture file to write (.png).")],
    split: SplitName = "train",
    size: Annotated[int, typer.Option(help="How many scenes.")] = 24,
    seed: Seed = 0,
    pixels: Pixels = 64,
    domain: Annotated[str, typer.Option(help="clean, outline, noise or inverse.")] = "clean",
    sense: Annotated[str, typer.Option(help="pictures, films, sounds, solids, pages or edits.")] = "pictures",
) -> None:
    """Draw a sheet of scenes with their boxes and names, or of another sense: strips, spectrograms, clouds from three sides."""
    from vistune.errors import InputError, nearest
    from vistune.files import atomic_open
    from vistune.world.contact_sheet import contact_sheet
    from vistune.world.digits import check_split
    from vistune.world.ink import check_domain
    from vistune.world.instructions import scene_seed
    from vistune.world.scene import make_scene

    if out.suffix.lower() != ".png":
        raise InputError(f"--out {out}: a sheet is written as PNG, so name a file that ends in .png")
    if not 1 <= size <= 600:
        raise InputError(f"a sheet shows 1 to 600 scenes, not {size}")
    chosen = check_split(split), check_domain(domain)
    seeds = [scene_seed(seed, index) for index in range(size)]
    if sense == "pictures":
        sheet = contact_sheet([make_scene(number, chosen[0], pixels, domain=chosen[1]) for number in seeds])
    elif sense in _SHEETS:
        sheet = _SHEETS[sense](seeds, chosen[0])
    else:
        raise InputError(f"there is no sheet of {sense!r}{nearest(sense, ['pictures', *_SHEETS])}")
    with atomic_open(out, "wb") as file:
        sheet.save(file, format="PNG")
    print(f"{size} {'scenes' if sense == 'pictures' else sense} in {out}")


def _films(seeds: list[int], split: Split) -> Image:
    from vistune.world.films.film import make_film
    from vistune.world.films.sheet import film_sheet

    return film_sheet([make_film(seed, split) for seed in seeds])


def _sounds(seeds: list[int], split: Split) -> Image:
    from vistune.world.sounds.sheet import sound_sheet
    from vistune.world.sounds.sound import make_sound

    return sound_sheet([make_sound(seed, split) for seed in seeds])


def _solids(seeds: list[int], split: Split) -> Image:
    from vistune.world.solids.cloud import make_cloud
    from vistune.world.solids.sheet import cloud_sheet

    return cloud_sheet([make_cloud(seed, split) for seed in seeds])


def _pages(seeds: list[int], split: Split) -> Image:
    from vistune.world.pages.page import make_page
    from vistune.world.pages.sheet import page_sheet

    return page_sheet([make_page(seed, split) for seed in seeds])


def _edits(seeds: list[int], split: Split) -> Image:
    from vistune.world.paint.sheet import edit_sheet
    from vistune.world.senses import SENSES, sense_sample

    tasks = SENSES["edits"].tasks()
    return edit_sheet([sense_sample(tasks[index % len(tasks)], seed, split) for index, seed in enumerate(seeds)])


_SHEETS = {"films": _films, "sounds": _sounds, "solids": _solids, "pages": _pages, "edits": _edits}

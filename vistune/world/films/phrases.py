"""Words for films: which thing is meant, what it does, and the whole film as a sentence."""

from __future__ import annotations

import numpy as np

from vistune.world.expressions import indefinite, listing
from vistune.world.films.film import Film, FilmObject

TOWARDS = {"left": "to the left", "right": "to the right", "up": "upwards", "down": "downwards"}


def noun(thing: FilmObject) -> str:
    """`seven`, `circle`, `word "owl"`."""
    return f'word "{thing.name}"' if thing.kind == "word" else thing.name


def refer(film: Film, thing: FilmObject, rng: np.random.Generator, colour: bool = True) -> str | None:
    """`the seven`, or `the red seven` by its first colour; None where neither fits it alone. `colour`: may it be said?"""
    options = []
    if sum(noun(other) == noun(thing) for other in film.objects) == 1:
        options.append(f"the {noun(thing)}")
    if colour and sum((other.colour, noun(other)) == (thing.colour, noun(thing)) for other in film.objects) == 1:
        options.append(f"the {thing.colour} {noun(thing)}")
    return options[int(rng.random() * len(options))] if options else None


def deed(film: Film, thing: FilmObject) -> str:
    """`moves to the left and meets a blue two`, `appears`, `disappears`, `turns green`, `stays`."""
    if thing.action == "move":
        assert thing.direction is not None
        met = "" if thing.meets is None else f" and meets {indefinite(_name(film.objects[thing.meets]))}"
        return f"moves {TOWARDS[thing.direction]}{met}"
    return f"turns {thing.changed}" if thing.action == "change" else f"{thing.action}s"


def caption(film: Film) -> str:
    """`a red seven moves to the left and a blue circle appears`."""
    return listing([f"{indefinite(_name(thing))} {deed(film, thing)}" for thing in film.objects])


def _name(thing: FilmObject) -> str:
    return f"{thing.colour} {noun(thing)}"

"""A collection of pictures, films and sounds of the world by their captions: what a painter finds without a model.

Pipelines that make media from words (StableLLaVA, MosIT) work as well on media that are found; the rules write only captions
that the collection holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from vistune.construction.media_files import encoded_medium
from vistune.errors import InputError, nearest
from vistune.sample import Media
from vistune.world.films import phrases as film_phrases
from vistune.world.films.film import make_film
from vistune.world.scene import Scene, make_scene
from vistune.world.sounds.phrases import transcript
from vistune.world.sounds.sound import make_sound
from vistune.world.tasks.caption import caption

_SIZES = {"image": 64, "video": 16, "audio": 16}


@cache
def captions(kind: str) -> Mapping[str, int]:
    """The captions of a kind's media, each with the seed of its medium. Raises `InputError` for a kind there is none of."""
    if kind not in _SIZES:
        raise InputError(f"the collection holds no {kind}{nearest(kind, list(_SIZES))}")
    return {_caption(kind, seed): seed for seed in range(_SIZES[kind])}


def _caption(kind: str, seed: int) -> str:
    if kind == "image":
        return caption_of(make_scene(seed))
    return film_phrases.caption(make_film(seed)) if kind == "video" else transcript(make_sound(seed))


def caption_of(scene: Scene) -> str:
    """Everything in a picture, from left to right."""
    return caption(sorted(scene.objects, key=lambda thing: thing.centre[0]))


def find(kind: str, description: str) -> int:
    """The seed of the medium whose caption has the most words in common with a description; the first of several such."""
    wanted = set(_words(description))
    held = captions(kind)
    if description in held:
        return held[description]
    return held[max(held, key=lambda text: len(wanted & set(_words(text))) / len(wanted | set(_words(text))))]


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()


class Collection:
    """The painter of a run without models: it finds what others make."""

    def paint(self, kind: str, description: str) -> Media:
        """The medium of the collection that suits a description best."""
        seed = find(kind, description)
        if kind == "image":
            return encoded_medium(Media("image", data=make_scene(seed).image))
        return (make_film(seed) if kind == "video" else make_sound(seed)).media()[0]

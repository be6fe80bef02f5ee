"""`vistune pretrain probe`: what the shipped models know of writers, voices and shapes that were not taught.

Encoders are frozen and read by a linear classifier that is fitted to training samples and asked about test samples; makers of
pictures and masks are measured by what they make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import VivitModel, WhisperFeatureExtractor, WhisperModel

from vistune.model.painting.code_book import CodeBook
from vistune.model.painting.painter import Painter
from vistune.model.weights.assets import locate
from vistune.pretrain import audio, codes, masks, painter, points, video
from vistune.pretrain.probing.probe import linear_probe
from vistune.pretrain.probing.reader import Encoder, ObjectReader, mean_under, pixels
from vistune.sample import Box
from vistune.world import words
from vistune.world.digits import Split
from vistune.world.films.film import make_film
from vistune.world.pages.elements import Word
from vistune.world.pages.page import Page, make_page
from vistune.world.solids.cloud import make_cloud
from vistune.world.sounds.sound import make_sound

TRAIN, TEST = 500, 300  # samples a linear probe is fitted to and asked about
BATCH = 25
TILE = 64

# One feature vector, and its label for each question it answers.
Rows = Iterator[tuple[Tensor, Mapping[str, Any]]]


def _probed(rows: Callable[[Split, range], Rows]) -> dict[str, float]:
    """Accuracy of each question on held-out samples."""
    with torch.no_grad():
        taught, asked = list(rows("train", range(TRAIN))), list(rows("test", range(TEST)))
    scores = {}
    for question in dict.fromkeys(key for _, labels in taught for key in labels):
        (train, train_labels), (test, test_labels) = (_table(found, question) for found in (taught, asked))
        scores[question] = linear_probe(train, train_labels, test, test_labels)
    return scores


def _table(rows: Sequence[tuple[Tensor, Mapping[str, Any]]], question: str) -> tuple[NDArray[np.float32], list[Any]]:
    chosen = [(feature.float().numpy(), labels[question]) for feature, labels in rows if question in labels]
    return np.stack([feature for feature, _ in chosen]), [label for _, label in chosen]


def _batches(seeds: range) -> Iterator[range]:
    return (seeds[first : first + BATCH] for first in range(0, len(seeds), BATCH))


def probe_audio(path: str) -> dict[str, float]:
    """`source`, `pitch` and `order` of each thing heard, from the mean over its places; `count` from the mean over all."""
    folder = Path(locate(path))
    encoder = WhisperModel.from_pretrained(folder, dtype=torch.float32).encoder.eval()
    extract = WhisperFeatureExtractor.from_pretrained(folder)

    def rows(split: Split, seeds: range) -> Rows:
        for part in _batches(seeds):
            sounds = [make_sound(seed, split) for seed in part]
            for hidden, sound in zip(encoder(audio.heard(sounds, extract)).last_hidden_state, sounds, strict=True):
                yield hidden.mean(dim=0), {"count": len(sound.events)}
                for number, event in enumerate(sound.events):
                    mean = hidden[audio.places(event.start, event.end)].mean(dim=0)
                    yield mean, {"source": event.name, "pitch": event.pitch, "order": number}

    return _probed(rows)


def probe_points(path: str) -> dict[str, float]:
    """`solid` and `colour` of each solid, from the mean over its groups; `count` from the class token."""
    encoder = points.load(Path(locate(path)))

    def rows(split: Split, seeds: range) -> Rows:
        for part in _batches(seeds):
            clouds = [make_cloud(seed, split) for seed in part]
            prepared = points.stacked(clouds, encoder)
            owner, x = points.owners(clouds, encoder, prepared), encoder(prepared).x
            for tokens, mine, cloud in zip(x, owner, clouds, strict=True):
                yield tokens[0], {"count": len(cloud.solids)}
                for number, solid in enumerate(cloud.solids):
                    yield tokens[1:][mine == number].mean(dim=0), {"solid": solid.name, "colour": solid.colour}

    return _probed(rows)


def probe_video(path: str) -> dict[str, float]:
    """`object`, first `colour` and `movement` (what it does, and which way) of each thing, from the mean over its cubes."""
    encoder = VivitModel.from_pretrained(Path(locate(path)), dtype=torch.float32, add_pooling_layer=False).eval()

    def rows(split: Split, seeds: range) -> Rows:
        for part in _batches(seeds):
            films = [make_film(seed, split) for seed in part]
            for hidden, film in zip(encoder(video.frames(films)).last_hidden_state[:, 1:], films, strict=True):
                owner = video.owner_of_cubes(film)
                for number, thing in enumerate(film.objects, 1):
                    labels = {"object": thing.name, "colour": thing.colour, "movement": video.deed(thing)}
                    yield hidden[owner == number].mean(dim=0), labels

    return _probed(rows)


def probe_pages(path: str) -> dict[str, float]:
    """`word`: every word of a page, from the mean over its patches in the tile around it. `path` is an image encoder's."""
    encoder = Encoder(path)

    def rows(split: Split, seeds: range) -> Rows:
        for seed in seeds[:: TRAIN // 120]:
            page = make_page(seed, split)
            written = [word for element in page.elements for word in element.words if word.text.strip(":") in words.NAMES]
            tiles = [_tile(page, word) for word in written]
            features = encoder(pixels([tile for tile, _ in tiles]))
            for feature, word, (_, box) in zip(features, written, tiles, strict=True):
                yield torch.from_numpy(mean_under(feature, [box])[0]), {"word": word.text.strip(":")}

    return _probed(rows)


def _tile(page: Page, word: Word) -> tuple[NDArray[np.uint8], Box]:
    """The 64 x 64 pixels of a page around a word, and the word's box in them."""
    height, width = page.image.shape[:2]
    x1, y1, x2, y2 = word.box[0] * width, word.box[1] * height, word.box[2] * width, word.box[3] * height
    left = int(np.clip((x1 + x2 - TILE) / 2, 0, width - TILE))
    top = int(np.clip((y1 + y2 - TILE) / 2, 0, height - TILE))
    box = ((x1 - left) / TILE, (y1 - top) / TILE, min((x2 - left) / TILE, 1.0), (y2 - top) / TILE)
    return page.image[top : top + TILE, left : left + TILE], box


def probe_masks(path: str) -> dict[str, float]:
    """Mean IoU of the masks of test scenes' objects, from exact boxes and from points."""
    return masks.measure(masks.opened(path), "test", TEST)


def probe_codes(path: str) -> dict[str, float]:
    """Share of test scenes' objects that the shipped encoder names right in reconstructions, and in the originals."""
    return codes.read_back(CodeBook.load(locate(path)), ObjectReader(Encoder()))


def probe_painter(path: str) -> dict[str, float]:
    """Share of painted digits in which the shipped encoder reads the name, the colour, and both."""
    model = painter.Pretraining()
    model.mean = Painter.load(locate(path))
    return painter.read_painted(model, ObjectReader(Encoder()))


# What is measured, and the shipped model it is measured on where none is named (empty: none ships).
PROBES: dict[str, tuple[Callable[[str], dict[str, float]], str]] = {
    "audio": (probe_audio, "builtin:whisper"),
    "points": (probe_points, "builtin:point_bert"),
    "video": (probe_video, ""),
    "pages": (probe_pages, "builtin:clip"),
    "masks": (probe_masks, "builtin:sam"),
    "codes": (probe_codes, "builtin:code_book"),
    "painter": (probe_painter, ""),
}

"""`export` and `export_sense`: a part of the world as files in the field's own formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from vistune.errors import InputError, nearest
from vistune.files import atomic_folder
from vistune.progress import track
from vistune.world.digits import Split
from vistune.world.formats.coco import Coco
from vistune.world.formats.llava import Llava
from vistune.world.formats.picture import Format, Picture
from vistune.world.formats.pope import Pope
from vistune.world.formats.refcoco import Refcoco
from vistune.world.formats.senses.audio_caps import AudioCaps
from vistune.world.formats.senses.chart_qa import ChartQa
from vistune.world.formats.senses.doc_vqa import DocVqa
from vistune.world.formats.senses.gpt4_tools import Gpt4Tools
from vistune.world.formats.senses.instruct_pix2pix import InstructPix2Pix
from vistune.world.formats.senses.msvd_qa import MsvdQa
from vistune.world.formats.senses.point_llm import PointLlm
from vistune.world.formats.senses.scan_qa import ScanQa
from vistune.world.formats.senses.sense_format import SenseFormat
from vistune.world.formats.senses.tgif_qa import TgifQa
from vistune.world.formats.vqa import Vqa
from vistune.world.instructions import scene_seed
from vistune.world.scene import make_scene
from vistune.world.senses import SENSES, sense_sample

FORMATS: Mapping[str, tuple[type[SenseFormat], ...]] = {
    "films": (MsvdQa, TgifQa),
    "sounds": (AudioCaps,),
    "solids": (ScanQa, PointLlm),
    "pages": (DocVqa, ChartQa),
    "edits": (InstructPix2Pix,),
    "errands": (Gpt4Tools,),
}
_MEDIA = (".png", ".mp4", ".wav", ".ply", ".npy", ".npz", ".gif")


def export(folder: Path, split: Split = "train", size: int = 1000, seed: int = 0, pixels: int = 64) -> list[Path]:
    """Write `size` scenes as PNG and their truth as COCO, VQA v2, LLaVA, POPE and RefCOCO files; returns the files' paths.

    They are the scenes the reader `world` gives for the same split and seed. The folder appears whole at the end, or not at
    all. Raises `InputError` when it is already there, or when `size` is below one.
    """
    if size < 1:
        raise InputError(f"an export has at least one picture, not {size}")
    with _whole(folder) as part:
        _write(part, split, size, seed, pixels)
    return _listed(folder)


def export_sense(folder: Path, sense: str, split: Split = "train", size: int = 100, seed: int = 0) -> list[Path]:
    """Write `size` samples of a sense, its tasks in turn, as media and annotation files; returns the latter's paths.

        films    MP4 and GIF, MSVD-QA and TGIF-QA
        sounds   WAV, AudioCaps and Clotho-AQA
        solids   PLY, NPY and NPZ, ScanQA and PointLLM
        pages    PNG, DocVQA and ChartQA
        edits    PNG, InstructPix2Pix
        errands  GPT4Tools

    They are the samples the reader gives for `world:?task=SENSE` with the same split and seed. The folder appears whole at the
    end, or not at all. Raises `InputError` when it is already there, `size` is below one, or the sense has no format.
    """
    if sense not in FORMATS:
        raise InputError(f"the sense {sense!r} has no export{nearest(sense, list(FORMATS))}")
    if size < 1:
        raise InputError(f"an export has at least one sample, not {size}")
    tasks = SENSES[sense].tasks()
    with _whole(folder) as part:
        formats = [one(part, split) for one in FORMATS[sense]]
        for index in track(range(size), f"drawing {sense}", size):
            sample = sense_sample(tasks[index % len(tasks)], scene_seed(seed, index), split)
            for one in formats:
                one.add(index + 1, sample)
        for one in formats:
            one.write()
    return _listed(folder)


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder beside the wanted one, which takes its name when all has been written and is removed when something fails."""
    if folder.exists():
        raise InputError(f"{folder} is already there: name a folder that is not")
    with atomic_folder(folder) as part:
        yield part


def _listed(folder: Path) -> list[Path]:
    """The annotation files of an export."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in _MEDIA)


def _write(folder: Path, split: Split, size: int, seed: int, pixels: int) -> None:
    formats: tuple[Format, ...] = (Coco(), Vqa(), Llava(), Pope(), Refcoco())
    (folder / "images").mkdir()
    for index in track(range(size), "drawing scenes", size):
        scene = make_scene(scene_seed(seed, index), split, pixels)
        picture = Picture(index + 1, f"{index + 1:012d}.png", scene)
        Image.fromarray(scene.image).save(folder / "images" / picture.file_name)
        for one in formats:
            one.add(picture)
    for one in formats:
        one.write(folder, split)

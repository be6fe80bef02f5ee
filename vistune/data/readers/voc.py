"""Pascal VOC: one XML file of boxes per image."""

from __future__ import annotations

from pathlib import Path

from vistune.data.fields.media_files import folder_of, inside, media_file
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.regions.detection import FIND_ALL, detection_sample
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import Lines
from vistune.data.records.safe_xml import child_number, child_text, read_xml
from vistune.errors import InputError
from vistune.files import kept
from vistune.sample import Region, Sample


class Voc(Reader):
    """Everingham et al., The Pascal Visual Object Classes Challenge, 2010: `<object><name/><bndbox/></object>`.

    path:       the folder of annotations
    images:     the folder of images (default: `JPEGImages` beside the annotations)
    split:      a list of names, one a line (`ImageSets/Main/train.txt`); default: every XML file
    question:   what is asked, or several wordings; None makes no turns
    difficult:  keep objects marked as difficult
    clip:       cut boxes that reach outside instead of refusing the image

    VOC counts pixels from 1 and includes the last: a box is [xmin - 1, ymin - 1, xmax, ymax].
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        split: str | None = None,
        question: str | list[str] | None = FIND_ALL,
        difficult: bool = True,
        clip: bool = False,
    ) -> None:
        self._path = Path(path)
        if not self._path.is_dir():
            raise InputError(f"the folder of annotations {path} does not exist")
        self._folder = folder_of(path, images or str(self._path.parent / "JPEGImages"))
        if split is None:
            self._names = sorted(file.stem for file in self._path.glob("*.xml"))
        else:
            lines = Lines(Path(split))
            self._names = [inside(lines.text(number).split()[0], lines.where(number)) for number in range(len(lines))]
        self._questions = None if question is None else Questions(question)
        self._difficult, self._clip = difficult, clip

    def __len__(self) -> int:
        return len(self._names)

    def sample(self, index: int) -> Sample:
        """One image with its objects."""
        name = self._names[index]
        where = str(kept(self._path, self._path / f"{name}.xml"))
        root = read_xml(where)
        size = child_number(root, "size/width", where), child_number(root, "size/height", where)
        regions = []
        for element in root.iterfind("object"):
            if not self._difficult and (element.findtext("difficult") or "0").strip() == "1":
                continue
            xmin, ymin, xmax, ymax = (
                child_number(element, f"bndbox/{side}", where) for side in ("xmin", "ymin", "xmax", "ymax")
            )
            box = unit_box([xmin - 1, ymin - 1, xmax, ymax], where, size, clip=self._clip)
            regions.append(Region(box=box, label=child_text(element, "name", where)))
        medium = media_file("image", self._folder, child_text(root, "filename", where), where)
        return detection_sample(name, medium, tuple(regions), self._questions, where)

"""Detection as a conversation: "find every object" and its answer, a name and a region each."""

from __future__ import annotations

from vistune.data.fields.questions import Questions
from vistune.sample import Media, MediaRef, Part, Region, Sample, Text, Turn

FIND_ALL = "Find every object and name it."


def named_regions(regions: tuple[Region, ...]) -> tuple[Part, ...]:
    """`name [region]; name [region].`; "Nothing." without any."""
    parts: list[Part] = []
    for number, region in enumerate(regions):
        parts += [Text(f"{'; ' if number else ''}{region.label} "), region]
    return (*parts, Text(".")) if parts else (Text("Nothing."),)


def detection_sample(
    identity: str, image: Media, regions: tuple[Region, ...], questions: Questions | None, origin: str
) -> Sample:
    """One image and everything in it, asked as a question unless `questions` is None."""
    if questions is None:
        return Sample(identity, (image,), regions=regions, origin=origin)
    user = Turn("user", (MediaRef(0), Text(questions.of(identity))))
    return Sample(identity, (image,), (user, Turn("assistant", named_regions(regions))), regions, origin=origin)

"""Hand-written sentences for a class name, by data set (CoOp's list), the seven best of ImageNet's, and LASP's 35."""

from __future__ import annotations


def photos(adjectives: str, articles: str = "the a") -> tuple[str, ...]:
    """`a bad photo of the {}.` and so on: every adjective with every article."""
    return tuple(f"a {word} photo of {article} {{}}." for word in adjectives.split(",") for article in articles.split())


BY_DATASET = {
    "imagenet": "a photo of a {}.",
    "caltech101": "a photo of a {}.",
    "oxford_pets": "a photo of a {}, a type of pet.",
    "stanford_cars": "a photo of a {}.",
    "oxford_flowers": "a photo of a {}, a type of flower.",
    "food101": "a photo of {}, a type of food.",
    "fgvc_aircraft": "a photo of a {}, a type of aircraft.",
    "sun397": "a photo of a {}.",
    "dtd": "{} texture.",
    "eurosat": "a centered satellite photo of {}.",
    "ucf101": "a photo of a person doing {}.",
}

IMAGENET_SUBSET = (
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
)

# LASP's references: five data sets' sentences, the seven above, and photographs described in further ways. One appears twice,
# and so weighs twice.
LASP_TEMPLATES = (
    *(BY_DATASET[name] for name in ("oxford_flowers", "ucf101", "eurosat", "fgvc_aircraft", "dtd")),
    *IMAGENET_SUBSET,
    "a photo of a {}.",
    "a photo of many {}.",
    "a photo of the {}.",
    "a photo of the hard to see {}.",
    "a photo of the clean {}.",
    "a photo of a large {}.",
    "itap of the {}.",
    "a rendition of the {}.",
    *(f"a rendering of {article} {{}}." for article in ("a", "the")),
    *photos("low resolution,cropped,pixelated,good"),
    *photos("bad,bright,close-up,jpeg corrupted", "the"),
    *photos("blurry", "a"),
)

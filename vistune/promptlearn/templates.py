"""Hand-written sentences for a class name: by data set (CoOp's list), ImageNet's best seven, LASP's 35, PromptSRC's 60."""

from __future__ import annotations


def both(text: str) -> tuple[str, str]:
    """A sentence about `a` thing and about `the` thing: `*` stands for the article."""
    return text.replace("*", "a"), text.replace("*", "the")


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

# ImageNet's sentences that PromptSRC averages: 60 of CLIP's 80.
PROMPTSRC_TEMPLATES = (
    *photos("low resolution,cropped,bright,close-up,pixelated,blurry,bad"),
    *photos("good,dark,black and white", "the"),
    *photos("jpeg corrupted", "a"),
    *(f"a photo of {which} {{}}." for which in ("a", "many", "my", "one", "the", "the cool", "a large", "a nice", "a weird")),
    *(sentence for look in ("hard to see", "clean", "dirty") for sentence in both(f"a photo of * {look} {{}}.")),
    *(
        sentence
        for work in ("sculpture", "rendering", "painting", "doodle", "sketch", "rendition")
        for sentence in both(f"a {work} of * {{}}.")
    ),
    *(f"{work} of a {{}}." for work in ("a tattoo", "a drawing", "graffiti", "art")),
    *(sentence for stuff in ("embroidered", "plastic", "origami") for sentence in both(f"* {stuff} {{}}.")),
    *both("* {} in a video game."),
    "the toy {}.",
    "a cartoon {}.",
    "itap of the {}.",
)

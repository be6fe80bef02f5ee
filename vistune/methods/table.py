"""What published methods there are, read off their recipes: family, media in and out, parts, relatives, recordings.

Nothing here imports torch: kinds are compared as names, and a test compares what is said here of parts with the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, differing, load_recipe, names, resolve_recipe
from vistune.spec import Spec, split

PRODUCES: Mapping[str, str] = {
    "promptable_mask": "masks",
    "alignment_token": "boxes",
    "box_regression": "boxes",
    "set_queries": "boxes",
    "caption_branches": "pictures",
    "dream_queries": "pictures",
    "grid_codes": "pictures",
    "visual_codes": "pictures",
    "signal_tokens": "pictures",
}
"""What each head makes, in a person's words."""

TAKES: Mapping[str, str] = {
    "image": "pictures", "video": "films", "audio": "sounds", "points": "shapes", "box": "regions", "point": "regions",
    "mask": "regions",
}  # fmt: skip
"""Modalities and regions in a person's words."""

RECORDED: Mapping[str, tuple[str, ...]] = {
    "anchored_abstractor": ("docowl_anchors",),
    "anyres": ("llava_anyres",),
    "bert_adapter": ("x_llm_speech_adapter",),
    "c_abstractor": ("honeybee_c_abstractor",),
    "class_taps": ("husky_class_taps", "lavin_routed_adapter"),
    "embedding_table_attention": ("macaw_alignment",),
    "frame_pooling": ("valley_pooling",),
    "parallel": ("bliva_parallel_connector",),
    "perceiver_resampler": ("flamingo_perceiver_resampler",),
    "position_aware_resampler": ("qwen_vl_resampler",),
    "q_former": ("all_seeing_region_qformer", "video_llama_qformers", "bubogpt_audio_branch", "xcomposer_sampler_prompt"),
    "query_decoder": ("medvint_td_query_decoder",),
    "self_attention_queries": ("llama_adapter_v2",),
    "shared_q_former": ("chatbridge_shared_trunk",),
    "spatial_temporal_pooling": ("video_chatgpt_pooling",),
    "token_merge": ("minigpt_v2_token_merge",),
    "visual_abstractor": ("mplug_owl2_visual_abstractor", "docowl_abstractor"),
    "bind_attention": ("imagebind_llm",),
    "gated_cross_attention": ("flamingo_gated_cross_attention", "multimodal_gpt_gated_lora"),
    "mid_layer_injection": ("vpgc_mid_layer_injection",),
    "modality_adaptive": ("mplug_owl2_modality_adaptive_layer",),
    "partial_lora": ("xcomposer2_partial_lora",),
    "routed_adapters": ("lavin_language_model",),
    "two_pass": ("lmeye_v0_two_pass", "lmeye_v01_two_pass"),
    "visual_experts": ("cogvlm_visual_expert", "cogvlm_masks", "cogvlm_positions"),
    "zero_init_attention": ("llama_adapter_v2", "llama_adapter_v2_stage1", "llama_adapter_v2_bias_scale"),
    "alignment_token": ("all_seeing_region_qformer",),
    "caption_branches": ("textbind_branch_mask",),
    "dream_queries": ("dreamllm_diffusion_head",),
    "promptable_mask": ("lisa_mask_head", "lisa_mask_losses"),
    "signal_tokens": ("nextgpt_output_projection",),
    "visual_codes": ("seed_tokenizer", "seed_vq"),
    "geo_sampler": ("ferret_geo_region_sampler",),
    "multi_level_roi": ("gpt4roi_multilevel_roi", "glamm_multilevel_roi"),
    "region_q_former": ("all_seeing_region_qformer",),
    "second_encoder": ("pvit_region_prompt",),
    "gmhra": ("videochat_gmhra",),
    "imagebind": ("imagebind_encoder",),
    "native_patches": ("fuyu_native_patches",),
    "point_bert": ("pointllm_pointbert",),
    "qwen_vl": ("qwen_vl_visual_tower",),
    "routed": ("lavin_routed_adapter",),
    "tubelets": ("husky_film_tower",),
}
"""Recordings of official code that a part gives, forward and gradients; a test holds that each is read by a test."""

PLAIN = frozenset(
    {"linear", "mlp", "glu", "norm", "splice", "huggingface", "anchors", "pair", "row_ends", "bracket", "tap", "unit_linear",
     "whisper", "clap"}
)  # fmt: skip
"""Parts that are one layer, a reader of somebody's backbone, or an arrangement: there is nothing to record."""

FAMILIES = (
    "tools", "media out", "masks and boxes out", "regions in", "films, sounds and shapes", "into the layers", "queries",
    "projection", "taken whole",
)  # fmt: skip

_QUERIES = frozenset(
    {"q_former", "parallel", "perceiver_resampler", "position_aware_resampler", "query_decoder", "visual_abstractor",
     "anchored_abstractor", "c_abstractor", "shared_q_former", "bracket", "class_taps"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Method:
    """One recipe as a row.

    trains:   patterns of what its stages train, in order
    held:     recordings of its parts; not_held: parts that have a mechanism of their own and no recording
    nearest:  the recipe whose model is most like its own; apart: the settings that differ from it, a line each
    """

    name: str
    paper: str
    family: str
    about: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    parts: tuple[str, ...]
    trains: tuple[str, ...]
    held: tuple[str, ...]
    not_held: tuple[str, ...]
    deviations: tuple[str, ...]
    published: Mapping[str, float]
    nearest: str
    apart: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


@cache
def methods() -> tuple[Method, ...]:
    """All recipes, by family and then by name."""
    recipes = [load_recipe(name) for name in names()]
    settings = {recipe.name: recipe.settings() for recipe in recipes}
    rows = [_method(recipe, settings) for recipe in recipes]
    return tuple(sorted(rows, key=lambda row: (FAMILIES.index(row.family), row.name)))


def chosen(takes: Iterable[str] = (), gives: Iterable[str] = (), family: str = "") -> list[Method]:
    """Methods that take and give all of these (`pictures`, `films`, `regions`; `masks`, ...), of a family."""
    wanted_in = {TAKES.get(word, _plural(word)) for word in takes}
    wanted_out = {_MADE.get(word, _plural(word)) for word in gives}
    return [row for row in methods() if wanted_in <= {*row.takes} and wanted_out <= {*row.gives} and family in ("", row.family)]


_MADE = {"box": "boxes", "image": "pictures", "video": "films", "audio": "sounds", "text": "text"}


def _plural(word: str) -> str:
    return word if word.endswith("s") else f"{word}s"


def _method(recipe: Recipe, settings: Mapping[str, Mapping[str, str]]) -> Method:
    kinds = _kinds(recipe)
    takes, gives = _takes(recipe), _gives(recipe)
    near, apart = _nearest(recipe.name, settings)
    return Method(
        recipe.name,
        recipe.paper,
        _family(recipe, kinds, takes, gives),
        _about(recipe),
        takes,
        gives,
        tuple(kinds),
        tuple(dict.fromkeys(pattern for stage in recipe.stages for pattern in stage.train)),
        tuple(dict.fromkeys(name for kind in kinds for name in RECORDED.get(kind, ()))),
        tuple(kind for kind in kinds if kind not in RECORDED and kind not in PLAIN),
        recipe.deviations,
        dict(recipe.published),
        near,
        apart,
    )


def _about(recipe: Recipe) -> str:
    return (resolve_recipe(recipe.name).__doc__ or "").strip().partition("\n")[0]


def _kinds(recipe: Recipe) -> list[str]:
    """The kinds of a model's parts, nested ones too, each once."""
    model = recipe.model
    if not isinstance(model, ModelSpec):
        return []
    specs = [model.vision, model.connector, *model.parts.values(), *model.heads.values(), model.fusion]
    return list(dict.fromkeys(kind for spec in specs if spec is not None for kind in _nested(spec)))


def _nested(spec: Spec) -> list[str]:
    kind, arguments = split(spec)
    inner = [
        name
        for value in arguments.values()
        for one in (value if isinstance(value, (list, tuple)) else [value])
        if isinstance(one, Mapping) and "kind" in one
        for name in _nested(one)
    ]
    return [kind, *inner]


def _takes(recipe: Recipe) -> tuple[str, ...]:
    model = recipe.model
    if not isinstance(model, ModelSpec):
        return ("pictures",)
    kinds = ["image"] if model.vision is not None else []
    return tuple(dict.fromkeys(TAKES.get(kind, kind) for kind in (*kinds, *model.modalities)))


def _gives(recipe: Recipe) -> tuple[str, ...]:
    model = recipe.model
    heads = model.heads.values() if isinstance(model, ModelSpec) else ()
    return ("text", *dict.fromkeys(PRODUCES.get(split(head)[0], split(head)[0]) for head in heads))


def _family(recipe: Recipe, kinds: list[str], takes: tuple[str, ...], gives: tuple[str, ...]) -> str:
    if not isinstance(recipe.model, ModelSpec):
        return "taken whole"
    if not takes:
        return "tools"
    if {"pictures", "films", "sounds"} & set(gives):
        return "media out"
    if {"masks", "boxes"} & set(gives):
        return "masks and boxes out"
    if "regions" in takes:
        return "regions in"
    if {"films", "sounds", "shapes"} & set(takes):
        return "films, sounds and shapes"
    if split(recipe.model.fusion)[0] != "splice":
        return "into the layers"
    return "queries" if _QUERIES & set(kinds) else "projection"


def _nearest(own: str, settings: Mapping[str, Mapping[str, str]]) -> tuple[str, tuple[str, ...]]:
    """The recipe whose model, and then whose stages, fewest settings set apart, and these settings; words do not count."""
    told = {
        name: tuple(line for line in differing(settings[own], theirs) if not line.startswith(_WORDS))
        for name, theirs in settings.items()
        if name != own
    }
    near = min(told, key=lambda name: (_models(told[name]), len(told[name]), name))
    return near, told[near]


def _models(lines: tuple[str, ...]) -> int:
    return sum(line.startswith("model.") for line in lines)


_WORDS = ("name:", "paper:", "published", "deviations", "seed:")

"""The All-Seeing Model from prompt to features and losses: its two modes, as recorded."""

from __future__ import annotations

from pathlib import Path

import torch
from mechanisms import Golden, close
from recorded_language import language_model
from torch import Tensor

from vistune.model.heads.alignment_token import AlignmentToken, contrast_each
from vistune.model.interchange.formats import all_seeing
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs

SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 40}
SIZES |= {"num_key_value_heads": 2, "max_position_embeddings": 128}


def recorded(folder: Path, tokenizer: str) -> tuple[Golden, LanguageModel]:
    golden = Golden("all_seeing_region_qformer")
    under = "language_model.model."
    return golden, language_model(golden, folder, tokenizer, under, "language_model.lm_head.weight", **SIZES, rms_norm_eps=1e-6)


def row(golden: Golden, model: LanguageModel, ids: Tensor, mask: Tensor, visual: Tensor | None) -> Tensor:
    """Embeddings of the words that are no padding, with a box's tokens in the place of the three placeholders."""
    embeds = model.embed(ids[mask.bool()])
    return embeds if visual is None else torch.cat([embeds[:5], visual, embeds[8:]])


def test_regions_and_texts_are_aligned(tmp_path: Path, tiny_language: str) -> None:
    golden, model = recorded(tmp_path, tiny_language)
    head = AlignmentToken(16, 10)
    others = ("vision*", "query_tokens", "align_embedding", "langauge*", "qformer*", "language*")
    golden.load(head, all_seeing.ALIGNMENT_TOKEN, others)
    prompt, align = golden["param/langauge_clip_prompt"][0], golden["param/align_embedding"][0]
    visual = golden["out/lm_visual_tokens"]
    regions = [row(golden, model, golden["in/query_ids"][n // 2], golden["in/query_mask"][n // 2], visual[n]) for n in range(4)]
    texts = [row(golden, model, golden["in/text_ids"][n], golden["in/text_mask"][n], None) for n in range(4)]

    def states(rows: list[Tensor]) -> Tensor:
        whole = [torch.cat([prompt, embeds, align]) for embeds in rows]
        # Its align token has the position zero, wherever it stands.
        positions = torch.cat([torch.cat([torch.arange(len(part) - 1), torch.zeros(1, dtype=torch.long)]) for part in whole])
        lengths = tuple(map(len, whole))
        hidden = model(Inputs(torch.cat(whole), positions, lengths))
        return hidden[torch.tensor(lengths).cumsum(0) - 1]

    seen, said = head.region(states(regions)), head.text(states(texts))
    close(seen, golden["out/image_feats"], 5e-5, 1e-4)
    close(said, golden["out/text_feats"], 5e-5, 1e-4)
    similarity = head.similarity(seen, said)
    close(similarity, golden["out/class_logits_clip"], 5e-5, 1e-4)
    close(contrast_each(similarity).mean(), golden["out/clip_loss"], 5e-5, 1e-4)


def test_the_language_model_answers_about_a_region(tmp_path: Path, tiny_language: str) -> None:
    """`lm_boxes` are other boxes than those whose tokens are recorded, so that the tokens come from the region encoder."""
    from test_regions import all_seeing as regions

    golden, model = recorded(tmp_path, tiny_language)
    _, features, encoder = regions()
    visual = encoder.tokens(features, golden["in/lm_boxes"].flatten(0, 1) / 28, torch.tensor([0, 1]))
    prompt = golden["param/langauge_lm_prompt"][0]
    rows, labels = [], []
    for number in range(2):
        kept = golden["in/lm_mask"][number].bool()
        rows.append(torch.cat([prompt, row(golden, model, golden["in/lm_ids"][number], kept, visual[number])]))
        own = golden["in/lm_labels"][number][kept]
        labels.append(torch.cat([torch.full((len(prompt) + 3,), -100), own]))
    lengths = tuple(map(len, rows))
    hidden = model(Inputs(torch.cat(rows), torch.cat([torch.arange(length) for length in lengths]), lengths))
    for number, part in enumerate(hidden.split(lengths)):
        found = model.logits(part[len(prompt) :])
        close(found, golden["out/lm_logits"][number, : len(found)], 5e-5, 1e-4)
    answers = torch.cat(labels)
    close(model.loss_sum(hidden, answers) / int((answers != -100).sum()), golden["out/lm_loss"], 5e-5, 1e-4)

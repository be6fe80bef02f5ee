"""Parts for films and sounds give the numbers of the published modules, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from mechanisms import Golden, close
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors._sincos import interleaved
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.connectors.bert_adapter import BertAdapter
from vistune.model.connectors.embedding_table_attention import EmbeddingTableAttention
from vistune.model.connectors.frame_attention import FrameAttention
from vistune.model.connectors.frame_concat import FrameConcat
from vistune.model.connectors.frame_pooling import FramePooling
from vistune.model.connectors.linear import Linear
from vistune.model.connectors.mlp import Mlp
from vistune.model.connectors.norm import Norm
from vistune.model.connectors.q_former import QFormer
from vistune.model.connectors.shared_q_former import SharedQFormer
from vistune.model.connectors.spatial_temporal_pooling import SpatialTemporalPooling
from vistune.model.features import Features, Layout
from vistune.model.interchange.formats import bubogpt, chatbridge, macaw_llm, valley, video_llama, x_llm
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.writer import Words
from vistune.sample import Media, MediaRef, Sample, Text, Turn

ANY = ("*",)


def film(parts: list[Connector], frames: Tensor, kind: str = "video") -> Tensor:
    """Frames `[T, L, D]` of one film through a chain of connectors, which promises the shape: `[K, H]`."""
    layout = Layout(frames.shape[1], inputs=len(frames))
    for part in parts:
        after = part.layout_after(layout)
        frames = part.join(part(Features(frames), TextContext(("",) * len(frames), kind)), layout)
        layout = after
        assert frames.shape[:2] == (layout.inputs, layout.tokens)
    return frames.flatten(0, 1)


@pytest.mark.parametrize("frames", [1, 7, 10, 13])
def test_spatial_and_temporal_means_are_video_chatgpts(frames: int) -> None:
    golden = Golden("video_chatgpt_pooling")
    x = golden[f"in/f{frames}"]
    got = film([SpatialTemporalPooling(frames=10)], x)
    close(got, golden[f"out/pool10_f{frames}"], 1e-6)
    assert torch.equal(got[frames:10], torch.zeros(max(0, 10 - frames), 6))
    if frames == 7:
        close(film([SpatialTemporalPooling()], x), golden["out/pool100_f7"], 1e-6)
        linear = Linear(6, 8)
        golden.load(linear, valley.PROJECTION)
        close(film([SpatialTemporalPooling(10), linear], x), golden["out/projected_f7"], 1e-6)


POOLINGS: dict[str, str] = {
    "mean": "mean",
    "max": "max",
    "importance": "temporal_importance",
    "delta": "temporal_transformer",
}


@pytest.mark.parametrize("how", POOLINGS)
def test_poolings_over_frames_are_valleys(how: Any) -> None:
    golden = Golden("valley_pooling")
    ours = FramePooling(16, how=how, patches=4, heads=8, hidden=24, cls=True).eval()
    linear = Linear(6, 16)
    golden.load(ours, valley.FRAME_POOLING, ANY)
    golden.load(linear, valley.PROJECTION, ANY)
    frames = golden["in/features"][0, :, 0]
    close(linear(Features(frames)), golden["out/projected"], 2e-5, 2e-4)
    tokens = film([linear, ours], frames)
    ids = golden["in/ids"][0]
    close(tokens, golden["out/embeds_" + POOLINGS[how]][0][(ids == 10) | (ids == 15)], 2e-5, 2e-4)
    alone = {"mean": "v1_mean", "importance": "v2_importance", "delta": "v3_delta"}
    if how in alone:
        close(tokens[:4], golden[f"out/{alone[how]}"], 2e-5, 2e-4)
    if how == "delta":
        close(film([linear, ours], golden["in/features_T1"][0])[:4], golden["out/v3_delta_T1"], 2e-5, 2e-4)


def test_places_of_frames_are_valleys() -> None:
    close(interleaved(8, 16), Golden("valley_pooling")["param/position_matrix"], 1e-6)


def test_marks_stand_around_patches_and_frames() -> None:
    pooling = FramePooling(16, cls=True, marks=True)
    frames = torch.randn(3, 5, 16)
    tokens = film([pooling], frames)
    assert len(tokens) == 4 + 3 + 4 and pooling.marks is not None
    assert torch.equal(tokens[[0, 5, 6, 10]], pooling.marks)
    assert torch.equal(tokens[7:10], frames[:, 0])


def small(width: int, out_width: int, queries: int, **more: Any) -> QFormer:
    sizes = {"hidden": 24, "layers": 2, "heads": 2, "feed_forward": 40}
    return QFormer(width, out_width, queries, **(sizes | more)).eval()


def test_both_branches_are_video_llamas() -> None:
    golden = Golden("video_llama_qformers")
    frames = small(20, 24, 4, project=False, norm_eps=1e-5)
    places, video = FrameConcat(24, 6), small(24, 10, 3, cross_every=1, norm=False)
    heard, audio = FrameConcat(14, 8), small(14, 10, 2, cross_every=1, norm=False)
    maps = [video_llama.FRAME_Q_FORMER, video_llama.VIDEO_POSITIONS, video_llama.VIDEO_Q_FORMER]
    maps += [video_llama.AUDIO_POSITIONS, video_llama.AUDIO_Q_FORMER]
    for part, names in zip((frames, places, video, heard, audio), maps, strict=True):
        golden.load(part, names, ANY)
    clips, sounds = golden["in/frame_tokens"][:, 0], golden["in/audio_segments"]
    close(frames(Features(clips.flatten(0, 1))), golden["out/frame_queries"], 3e-5, 3e-4)
    for row, clip in enumerate(clips):
        close(film([frames, places], clip), golden["out/video_memory"][row], 3e-5, 3e-4)
        close(film([frames, places, video], clip), golden["out/video_llm"][row], 3e-5, 3e-4)
        close(film([heard, audio], sounds[row][:, None], "audio"), golden["out/audio_llm"][row], 3e-5, 3e-4)
    close(film([frames, places, video], clips[0, :1]), golden["out/image_llm"][0], 3e-5, 3e-4)


def test_the_shared_trunk_is_chatbridges() -> None:
    golden = Golden("chatbridge_shared_trunk")
    trunk = SharedQFormer(10, 8, queries=3, hidden=12, layers=2, heads=2, feed_forward=20).eval()
    seen: list[Connector] = [Norm(10), FrameConcat(10, 4), trunk]
    heard: list[Connector] = [Norm(6), Linear(6, 10), FrameConcat(10, 2), trunk]
    vision_maps = [chatbridge.VISION_NORM, chatbridge.VISION_POSITIONS, chatbridge.TRUNK]
    audio_maps = [chatbridge.AUDIO_NORM, chatbridge.AUDIO_LINEAR, chatbridge.AUDIO_POSITIONS, chatbridge.TRUNK]
    for part, names in zip([*seen, *heard], [*vision_maps, *audio_maps], strict=True):
        golden.load(part, names, ANY)
    videos, sounds, weights = golden["in/video"][:, :, 0], golden["in/audio"], golden["in/w_loss"]
    video = torch.stack([film(seen, clip) for clip in videos])
    audio = torch.stack([film(heard, sound, "audio") for sound in sounds])
    close(video, golden["out/video_tokens"], 2e-5)
    close(audio, golden["out/audio_tokens"], 2e-5)
    close(torch.stack([film(seen, image, "image") for image in golden["in/image"][:, :, 0]]), golden["out/image_tokens"], 2e-5)
    plain = [seen[0], FrameConcat(10, 0), trunk]
    close(torch.stack([film(plain, clip) for clip in videos]), golden["out/video_tokens_no_position"], 2e-5)
    alone = torch.stack([torch.cat([film(seen, frame[None]) for frame in clip]) for clip in videos])
    close(alone, golden["out/stage3_per_frame_tokens"], 2e-5)
    loss = (video * weights).sum() + (audio * weights).sum()
    close(loss, golden["out/trunk_loss"], 2e-5)
    loss.backward()
    places, sound_places, key = seen[1].positions, heard[2].positions, trunk.model.encoder.layer[0].crossattention.attention.key
    assert isinstance(places, nn.Parameter) and isinstance(sound_places, nn.Parameter)
    learned = {
        "image_query": trunk.queries["image_video"],
        "audio_query": trunk.queries["audio"],
        "visual_time": places,
        "audio_time": sound_places,
        "llama_proj_weight": trunk.proj.weight,
        "cross_key_weight": key.weight,
    }
    for name, parameter in learned.items():
        assert parameter.grad is not None
        close(parameter.grad, golden[f"out/grad_{name}"].reshape(parameter.shape), 2e-5, 2e-4)


def test_the_audio_branch_is_bubogpts() -> None:
    golden = Golden("bubogpt_audio_branch")
    sizes = {"hidden": 12, "layers": 2, "heads": 2, "feed_forward": 20, "norm": False}
    for kind, modality in (("audio", "audio"), ("image", "vision")):
        former = small(6, 8, 3, **sizes)
        golden.load(former, bubogpt.q_former(modality), ANY)
        chain: list[Connector] = [FramePooling(6), former]
        clips = golden["in/audio_clips"] if kind == "audio" else golden["in/vision"][:, None]
        close(torch.stack([film(chain, clip, kind) for clip in clips]), golden[f"out/{modality}_tokens"], 2e-5)


def test_films_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="4 positions, but a medium has 5 frames"):
        film([FrameConcat(16, 4)], torch.randn(5, 2, 16))
    with pytest.raises(InputError, match="patches is 256, but a frame has 2"):
        film([FramePooling(16, how="importance")], torch.randn(5, 2, 16))
    with pytest.raises(InputError, match="no queries for 'points'"):
        film([SharedQFormer(16, 8, hidden=16, layers=1, heads=2)], torch.randn(1, 2, 16), "points")


def test_films_pictures_and_sounds_as_mixtures_of_words_are_macaws() -> None:
    golden = Golden("macaw_alignment")
    table = nn.Parameter(golden["param/llm.model.embed_tokens.weight"])
    attended = FrameAttention(12, heads=2)
    golden.load(attended, macaw_llm.FRAME_ATTENTION, ANY)
    sizes = {"image": (12, 3, 2), "audio": (8, 5, 4), "video": (12, 4, 3)}
    words = {
        kind: EmbeddingTableAttention(width, 16, lambda: table, kernel, stride, heads=4)
        for kind, (width, kernel, stride) in sizes.items()
    }
    for kind, part in words.items():
        golden.load(part, macaw_llm.alignment(kind), ANY)
    films = golden["in/film"][:, :, 1:]
    close(torch.stack([film([attended], clip) for clip in films]), golden["out/film_attended"], 2e-5, 2e-4)
    made = {
        "image": words["image"](Features(golden["in/image"][:, 1:])),
        "audio": words["audio"](Features(golden["in/sound"])),
        "video": torch.stack([film([attended, words["video"]], clip) for clip in films]),
    }
    ids, rows = golden["in/ids"], 2
    begin = {"image": 10, "audio": 12, "video": 14}
    parts = [table[ids[:, :1]]]
    for kind in ("image", "audio", "video"):
        first, last = (table[begin[kind] + step].expand(rows, 1, -1) for step in range(2))
        parts += [first, made[kind], last]
    sequence = torch.cat([*parts, table[ids[:, 1:]]], dim=1)
    close(sequence, golden["out/embeds"], 3e-5, 3e-4)
    (sequence * golden["in/w_loss"]).sum().backward()
    golden.gradients(attended, macaw_llm.FRAME_ATTENTION)
    for kind, part in words.items():
        golden.gradients(part, macaw_llm.alignment(kind))
    assert table.grad is not None
    close(table.grad, golden["grad/llm.model.embed_tokens.weight"], 5e-5, 5e-4)


def test_the_speech_interface_is_x_llms() -> None:
    golden = Golden("x_llm_speech_adapter")
    ours = BertAdapter(10, 12, hidden=16, layers=2, heads=2, feed_forward=24, length=20)
    golden.load(ours, x_llm.SPEECH, (*x_llm.IGNORED, "*token_type_embeddings*"))
    tokens = ours(Features(golden["in/speech"]))
    close(tokens, golden["out/tokens"], 2e-5, 2e-4)
    (tokens * golden["in/w_loss"]).sum().backward()
    golden.gradients(ours, x_llm.SPEECH)


def test_times_of_frames_stand_in_the_words_around_a_film(tiny_spec: dict[str, Any]) -> None:
    """VideoChat's sentence; a film that is an array has the clock that the modality gives it."""
    after = "</Video> The video contains {frames} frames sampled at {seconds} seconds."
    words = {"chain": ["vision", "connector"], "frames": 4, "before": "<Video>", "after": after}
    media = Media("video", data=np.zeros((16, 20, 24, 3), dtype=np.uint8))
    sample = Sample("s", (media,), (Turn("user", (MediaRef(0), Text("?"))),))

    def said(**more: Any) -> str:
        model = VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"modalities": {"video": words | more}}))
        return "".join(part.text for part in model.modalities["video"].write(MediaRef(0), sample) if isinstance(part, Words))

    assert said(array_rate=8.0) == "<Video></Video> The video contains 4 frames sampled at 0.2, 0.8, 1.2, 1.8 seconds."
    assert "contains 3 frames sampled at 0.4, 1.6, 2.4 seconds" in said(array_rate=5.0, sample="rate", rate=1.0)
    with pytest.raises(InputError, match="does not say when its frames are shown"):
        said()
    with pytest.raises(InputError, match=r"lasts 16\.0 s: at 1 frames a second these are 15, more than the 4"):
        said(array_rate=1.0, sample="rate", rate=1.0)
    with pytest.raises(InputError, match=r"modalities\.video\.sample is 'all', expected one of"):
        said(sample="all")


def test_further_queries_and_widths_are_parameters_of_their_own() -> None:
    former = small(20, 10, 3, extra=2)
    tokens = former(Features(torch.randn(2, 4, 20)))
    assert tokens.shape == (2, 5, 10) and former.num_tokens(4, None) == 5 and former.extra is not None
    tokens[:, 3:].sum().backward()
    assert former.extra.grad is not None and former.extra.grad.abs().sum() > 0
    mlp = Mlp(6, 10, hidden=[8, 12])
    assert [layer.weight.shape for layer in mlp.layers if isinstance(layer, nn.Linear)] == [(8, 6), (12, 8), (10, 12)]

"""The shipped models of sounds, masks, solids and codes open as what they are and know a held-out sample or two."""

from __future__ import annotations

from pathlib import Path

import torch

from vistune.model.weights.assets import locate


def test_the_whisper_writes_down_what_an_unknown_voice_says() -> None:
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    from vistune.pretrain.audio import heard, tokenizer
    from vistune.world.sounds.phrases import transcript
    from vistune.world.sounds.sound import make_sound

    folder = Path(locate("builtin:whisper"))
    whisper = WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    sounds = [make_sound(seed, "test") for seed in range(8)]
    features = heard(sounds, WhisperFeatureExtractor.from_pretrained(folder))
    written = whisper.generate(features, max_new_tokens=60, do_sample=False, num_beams=1)
    texts = tokenizer().batch_decode(written, skip_special_tokens=True)
    assert sum(text.strip() == transcript(sound) for text, sound in zip(texts, sounds, strict=True)) >= 7


def test_the_segmenter_cuts_out_what_a_box_means() -> None:
    from vistune.pretrain.masks import measure, opened

    scores = measure(opened("builtin:sam"), "test", 12)
    assert scores["box"] > 0.88 and scores["point"] > 0.85


def test_the_code_book_gives_pictures_back() -> None:
    from vistune.model.painting.code_book import CodeBook
    from vistune.pretrain.probing.reader import held_out, pixels

    book = CodeBook.load(locate("builtin:code_book"))
    pictures = pixels([scene.image for scene in held_out("test", 8)])
    codes = book.encode(pictures)
    assert codes.shape == (8, 16, 16) and int(codes.max()) < 512
    assert (book.decode(codes) - pictures).abs().mean() * 127.5 < 12
    assert torch.equal(book.encode(pictures), codes)


def test_the_point_encoder_opens_and_does_not_depend_on_its_neighbours() -> None:
    from vistune.pretrain.points import load, stacked
    from vistune.world.solids.cloud import make_cloud

    encoder = load(Path(locate("builtin:point_bert")))
    clouds = stacked([make_cloud(seed, "test") for seed in range(3)], encoder)
    whole = encoder(clouds).x
    assert whole.shape == (3, 65, 128) and torch.allclose(encoder(clouds[1:2]).x[0], whole[1], atol=1e-5)

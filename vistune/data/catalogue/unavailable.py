"""What the field's tables name, but no one can download: closed, announced only, or mixtures without files of their own."""

from __future__ import annotations

from vistune.data.catalogue.entry import Entry

ENTRIES = (
    Entry(
        name="webli_100b",
        title="WebLI-100B",
        task="captioning",
        modality="image",
        size="100B image-text pairs",
        licence="closed",
        obtain="used inside Google only",
        citation="Wang et al., Scaling Pre-training to One Hundred Billion Data for Vision Language Models, 2025",
        released=False,
    ),
    Entry(
        name="mm_it",
        title="MM-IT (AnyMAL)",
        task="instruction",
        modality="image, video, audio",
        size="60K written by people, 150K generated",
        licence="closed",
        obtain="described in the paper; no data and no code",
        citation="Moon et al., AnyMAL: An Efficient and Scalable Any-Modality Augmented Language Model, 2023",
        released=False,
    ),
    Entry(
        name="iluvui",
        title="ILuvUI",
        task="conversation",
        modality="image (screens)",
        size="335K by abstract (353K in a survey)",
        licence="closed",
        obtain="described in the paper; no data and no code",
        citation="Jiang et al., ILuvUI: Instruction-tuned LangUage-Vision modeling of UIs, 2023",
        released=False,
    ),
    Entry(
        name="x_llm",
        title="X-LLM multimodal instruction data",
        task="instruction",
        modality="image, video, speech",
        size="about 10K",
        licence="not stated",
        obtain="announced by the paper; its repository holds no data",
        citation="Chen et al., X-LLM: Bootstrapping Advanced LLMs by Treating Multi-Modalities as Foreign Languages, 2023",
        released=False,
    ),
    Entry(
        name="multis",
        title="MULTIS (ChatBridge)",
        task="instruction",
        modality="image, video, audio",
        size="4.4M task samples and 209K chats (4.6M in a survey)",
        licence="by source",
        obtain="announced by the paper; made from public sets by its own pipeline",
        citation="Zhao et al., ChatBridge: Bridging Modalities with LLM as a Language Catalyst, 2023",
        released=False,
    ),
)

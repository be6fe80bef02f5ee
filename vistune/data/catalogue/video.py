"""Questions and dialogues about videos."""

from __future__ import annotations

from typing import Any

from vistune.data.catalogue.entry import Entry


def _tgif(part: str, split: str) -> dict[str, Any]:
    """A split of one of TGIF-QA's tasks. Questions about actions offer five answers, counted from 0."""
    offered = {"choices": ["a1", "a2", "a3", "a4", "a5"], "answer_is": "index", "list_choices": True}
    path = {"path": f"{{root}}/dataset/{split}_{part}_question.csv"}
    return {**path, **offered} if part in ("action", "transition") else path


ENTRIES = (
    Entry(
        name="videochat",
        title="VideoChat instruction data",
        task="conversation",
        modality="video",
        size="11K: 7K detailed descriptions, 4K conversations",
        licence="MIT (code); videos of WebVid-10M, no longer distributed",
        obtain="repository InternVideo, instruction data (videochat_instruct_11k.json)",
        citation="Li et al., VideoChat: Chat-Centric Video Understanding, 2023",
        reader={
            "kind": "qa",
            "path": "{root}/videochat_instruct_11k.json",
            "each": "QA",
            "images": "{root}/WebVid10M",
            "image": None,
            "video": "video",
            "question": "q",
            "answer": "a",
        },
        note="each question and answer of a conversation is a sample of its own",
    ),
    Entry(
        name="video_chatgpt",
        title="VideoInstruct-100K (Video-ChatGPT)",
        task="instruction",
        modality="video",
        size="100K question-answer pairs on ActivityNet",
        licence="CC BY-SA 4.0",
        obtain="Hugging Face MBZUAI/VideoInstruct-100K; videos: ActivityNet",
        citation="Maaz et al., Video-ChatGPT, ACL 2024",
        reader={
            "kind": "qa",
            "path": "{root}/VideoInstruct_Dataset.json",
            "images": "{root}/Activity_Videos",
            "image": None,
            "video": "{video_id}.mp4",
            "question": "q",
            "answer": "a",
        },
    ),
    Entry(
        name="valley_73k",
        title="Valley instruction data",
        task="conversation",
        modality="video",
        size="73K by paper; 65K in the present release",
        licence="CC BY-NC 4.0, and OpenAI's terms of use",
        obtain="Hugging Face luoruipu1/Valley-Instruct-65k (73K: ShuhuaiRen/TimeIT); videos: VATEX, JukinMedia",
        citation="Luo et al., Valley: Video Assistant with Large Language model Enhanced abilitY, 2023",
        reader={"kind": "conversations", "path": "{root}/{part}.json", "images": "{root}/videos"},
        parts={"Valley_instruct_73k": {}, "valley_instruct_65k": {}},
        note="VATEX's videos are whole there; v_id in meta says which seconds of them are meant",
    ),
    Entry(
        name="msvd_qa",
        title="MSVD-QA",
        task="question answering",
        modality="video",
        size="1,970 videos, 50,505 questions (30,933 / 6,415 / 13,157)",
        licence="research use",
        obtain="repository videoqa (xudejing/video-question-answering); videos: MSVD",
        citation="Xu et al., Video Question Answering via Gradually Refined Attention, ACM MM 2017",
        reader={
            "kind": "qa",
            "path": "{root}/{part}_qa.json",
            "images": "{root}/video",
            "image": None,
            "video": "vid{video_id}.avi",
            "id": "id",
        },
        parts={"train": {}, "val": {}, "test": {}},
        note="rename MSVD's videos to vid1.avi and so on by the release's youtube_mapping.txt",
    ),
    Entry(
        name="msrvtt_qa",
        title="MSRVTT-QA",
        task="question answering",
        modality="video",
        size="10,000 videos, 243,680 questions (158,581 / 12,278 / 72,821)",
        licence="research use",
        obtain="repository videoqa (xudejing/video-question-answering); videos: MSR-VTT",
        citation="Xu et al., Video Question Answering via Gradually Refined Attention, ACM MM 2017",
        reader={
            "kind": "qa",
            "path": "{root}/{part}_qa.json",
            "images": "{root}/video",
            "image": None,
            "video": "video{video_id}.mp4",
            "id": "id",
        },
        parts={"train": {}, "val": {}, "test": {}},
    ),
    Entry(
        name="tgif_qa",
        title="TGIF-QA",
        task="question answering",
        modality="video (GIF)",
        size="71,741 GIFs, 165,165 questions: frame, action, transition, count",
        licence="research use; GIFs from Tumblr",
        obtain="repository tgif-qa (YunseokJANG/tgif-qa); GIFs: TGIF",
        citation="Jang et al., TGIF-QA, CVPR 2017",
        reader={
            "kind": "qa",
            "delimiter": "\t",
            "images": "{root}/gifs",
            "image": None,
            "video": "{gif_name}.gif",
            "id": "vid_id",
        },
        parts={
            part if split == "Train" else f"{part}_test": _tgif(part, split)
            for split in ("Train", "Test")
            for part in ("frameqa", "count", "action", "transition")
        },
    ),
    Entry(
        name="activitynet_qa",
        title="ActivityNet-QA",
        task="question answering",
        modality="video",
        size="5,800 videos, 58,000 questions (32,000 / 18,000 / 8,000)",
        licence="Apache-2.0 (annotations); videos from YouTube",
        obtain="repository activitynet-qa (MILVLG/activitynet-qa); videos: ActivityNet",
        citation="Yu et al., ActivityNet-QA, AAAI 2019",
        reader={
            "kind": "qa",
            "path": "{root}/dataset/{part}_q.json",
            "join": "{root}/dataset/{part}_a.json",
            "on": "question_id",
            "images": "{root}/videos",
            "image": None,
            "video": "v_{video_name}.mp4",
            "id": "question_id",
            "meta": {"type": "type"},
        },
        parts={"train": {}, "val": {}, "test": {}},
    ),
)

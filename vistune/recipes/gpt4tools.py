"""GPT4Tools (Yang et al., "GPT4Tools: Teaching Large Language Model to Use Tools via Self-instruction", arXiv 2305.18752)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def gpt4tools(
    llm: str = "lmsys/vicuna-13b-v1.5",
    traces: str = "catalogue:gpt4tools?path=data/gpt4tools&part=gpt4tools_71k",
) -> Recipe:
    """A language model without eyes learns, by LoRA, to call vision tools on pictures that are named in the text.

    As the released script has it (`finetune_lora.sh`: rank 16, alpha 16, dropout 0.05 on q and v, lr 2e-5, cosine, 3 % of
    warm-up, three epochs, 16 samples a process and step). `vistune run gpt4tools` runs it with tools.
    """
    learnt = {"kind": "lora", "rank": 16, "alpha": 16, "dropout": 0.05, "targets": ["q_proj", "v_proj"]}
    mixture = [{"data": f"world:?task={task}&size={size}"} for task, size in TASKS.items()]
    return Recipe(
        name="gpt4tools",
        paper="arXiv 2305.18752",
        model=ModelSpec(
            llm=llm,
            template={"kind": "vicuna_v1", "system": "", "system_suffix": "", "user_suffix": ""},
            adapt={"llm": learnt},
            max_length=2048,
        ),
        stages=(Stage(name="tune", data=traces, train={"llm.adapter": 2e-5}, epochs=3.0, batch=128, warmup=0.03),),
        deviations=("the batch is that of eight processes, which the script does not say",),
        published={"success_rate_seen": 94.1, "success_rate_unseen": 90.6},
        nano={
            "model.adapt": {},  # the shipped model has hardly met these letters: updates of low rank do not teach them
            "stages.0.data": {"kind": "mixture", "sources": mixture},
            "stages.0.optimizer": "muon",
            "stages.0.train": {"llm": 5e-3},
        },
    )


TASKS = {"tool_call": 1800, "tool_answer": 500, "tool_none": 100}

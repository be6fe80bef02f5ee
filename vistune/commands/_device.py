"""`--device` and `--dtype`, as every command that answers takes them."""

from __future__ import annotations

from typing import Annotated

import typer

Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps; auto takes a GPU where there is one.")]
Dtype = Annotated[str, typer.Option(help="float32, bfloat16, float16; auto: bfloat16 on a GPU that has it, else float32.")]

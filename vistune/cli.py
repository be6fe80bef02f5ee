"""The entry point: assembles the commands and turns `InputError` into one sentence and exit code 2."""

from __future__ import annotations

import sys

import typer

from vistune.commands import benchmark, build, data, evaluate, human, models, plan, pretrain, promptlearn, report, run, world
from vistune.errors import InputError, Interrupted, speaks

app = typer.Typer(
    name="vistune",
    help="Build general-purpose multimodal models by visual instruction tuning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(run.app)
app.add_typer(plan.app)
app.add_typer(models.app)
app.add_typer(build.app, name="build")
app.add_typer(data.app, name="data")
app.add_typer(evaluate.app)
app.add_typer(benchmark.app)
app.add_typer(report.app)
app.add_typer(human.app, name="human")
app.add_typer(pretrain.app, name="pretrain")
app.add_typer(promptlearn.app, name="promptlearn")
app.add_typer(world.app, name="world")


def main() -> None:
    """Run the command line; 0 done, 1 a check failed, 2 bad input, 130 interrupted (143 by SIGTERM)."""
    try:
        app()
    except InputError as error:
        if speaks():
            print(f"vistune: {error}", file=sys.stderr)
        sys.exit(2)
    except Interrupted as end:
        if speaks():
            print(f"vistune: {end}", file=sys.stderr)
        sys.exit(end.code)
    except KeyboardInterrupt:
        if speaks():
            print("vistune: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()

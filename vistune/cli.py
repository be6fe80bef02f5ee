"""The entry point: assembles the commands and turns `InputError` into one sentence and exit code 2."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import vistune
from vistune.commands import (
    benchmark,
    build,
    data,
    doctor,
    evaluate,
    human,
    measure,
    models,
    parts,
    plan,
    pretrain,
    programs,
    promptlearn,
    push,
    report,
    run,
    serve,
    watch,
    world,
)
from vistune.errors import InputError, Interrupted, advice, speaks


class _Group(TyperGroup):
    """The commands; Ctrl-C in one of them is one sentence, where typer's own would be a word."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each command with its whole first paragraph, which the library would cut at the end of a line."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        helps = {name: (command.help or "").split("\n\n")[0] for name, command in found if command is not None}
        with formatter.section("Commands"):
            formatter.write_dl([(name, " ".join(text.split())) for name, text in helps.items()])


app = typer.Typer(
    name="vistune",
    cls=_Group,
    help="Build general-purpose multimodal models by visual instruction tuning.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(run.app)
app.add_typer(plan.app)
app.add_typer(programs.app)
app.add_typer(watch.app)
app.add_typer(models.app)
app.add_typer(push.app)
app.add_typer(doctor.app)
app.add_typer(parts.app)
app.add_typer(serve.app)
app.add_typer(build.app, name="build")
app.add_typer(data.app, name="data")
app.add_typer(evaluate.app)
app.add_typer(benchmark.app)
app.add_typer(report.app)
app.add_typer(human.app, name="human")
app.add_typer(measure.app, name="measure")
app.add_typer(pretrain.app, name="pretrain")
app.add_typer(promptlearn.app, name="promptlearn")
app.add_typer(world.app, name="world")


def _version(asked: bool) -> None:
    if asked:
        print(f"vistune {vistune.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Build general-purpose multimodal models by visual instruction tuning."""


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
    except Exception as error:
        sentence = advice(error)
        if sentence is None:
            raise
        print(f"vistune: {sentence}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

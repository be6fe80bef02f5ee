"""Mutants: one small change to one place of the source, as a mistaken hand would make it, and a draw among all of them.

Strings are left alone (a changed message is no defect of a computation), and so are annotations, imports and `__all__`. So is
`strict` of `zip`: it asserts that lists are of one length, and where they are, as everywhere in a right program, both values
compute the same.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_COMPARED = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
_COMPUTED = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*", ast.Pow: "*",
    ast.MatMult: "+", ast.BitOr: "&", ast.BitAnd: "|",
}  # fmt: skip
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "ceil": "floor", "floor": "ceil"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """The text `old` at `start`, an offset into `file`, becomes `new`. `key` stays the same while its statement does."""

    file: str
    line: int
    start: int
    old: str
    new: str
    kind: str
    key: str
    statement: int  # the line that its statement begins in
    scope: tuple[int, int] | None  # of what runs at import: the lines of the function, class or module that it belongs to

    def applied(self, source: str) -> str:
        """The changed source."""
        assert source[self.start : self.start + len(self.old)] == self.old, f"{self.file}:{self.line} has changed"
        return source[: self.start] + self.new + source[self.start + len(self.old) :]

    @property
    def said(self) -> str:
        """The change in a few words, on one line."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"`{old[:70]}` → `{new[:70]}`"


def drawn(root: Path, folders: Sequence[str], seed: int, count: int) -> list[Mutant]:
    """`count` mutants of the folders' sources, each as likely as any other, in an order that `seed` decides.

    A mutant's place in the draw is a hash of the seed and of its own text, so that a change elsewhere moves few of them.
    """
    found = [mutant for folder in folders for file in sorted((root / folder).rglob("*.py")) for mutant in mutants(root, file)]
    found.sort(key=lambda mutant: hashlib.sha256(f"{seed} {mutant.key}".encode()).digest())
    return found[:count]


def mutants(root: Path, file: Path) -> list[Mutant]:
    """All mutants of one file."""
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    name = file.relative_to(root).as_posix()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = source.splitlines()
    seen: Counter[str] = Counter()
    made = []
    for (node, statement, kind, old, new), scope in _changes(tree, source, starts, lines):
        start, text = old
        identity = f"{name}|{ast.get_source_segment(source, statement)}|{kind}|{text}|{new}"
        seen[identity] += 1  # the same statement may stand twice in a file
        key = hashlib.sha256(f"{identity}|{seen[identity]}".encode()).hexdigest()[:16]
        made.append(Mutant(name, node.lineno, start, text, new, kind, key, statement.lineno, scope))
    return made


Change = tuple[ast.expr | ast.stmt, ast.stmt, str, tuple[int, str], str]
Scope = tuple[int, int] | None


def _changes(tree: ast.Module, source: str, starts: list[int], lines: list[str]) -> Iterator[tuple[Change, Scope]]:
    def offset(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())  # ast counts columns in bytes

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)

    def text(node: ast.expr | ast.stmt) -> tuple[int, str]:
        first, last = span(node)
        return first, source[first:last]

    def between(left: ast.expr, right: ast.expr) -> tuple[int, str]:
        """The operator's own text, without the spaces and brackets around it."""
        first, last = span(left)[1], span(right)[0]
        inner = source[first:last]
        bare = inner.strip(" \n()")
        return first + inner.index(bare), bare

    def visit(node: ast.AST, statement: ast.stmt, scope: Scope) -> Iterator[tuple[Change, Scope]]:
        if isinstance(node, ast.stmt):
            statement = node
        for change in changes(node, statement):
            yield change, scope
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if scope and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope = node.lineno, node.end_lineno or node.lineno
        for field, inner in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "type_params") or (field == "keywords" and _zips(node)):
                continue
            for child in inner if isinstance(inner, list) else [inner]:
                if isinstance(child, ast.AST) and not _passed_over(child):
                    yield from visit(child, statement, None if function and field == "body" else scope)

    def changes(node: ast.AST, statement: ast.stmt) -> Iterator[Change]:
        match node:
            case ast.Compare():
                operands = [node.left, *node.comparators]
                for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
                    yield node, statement, "comparison", between(left, right), _COMPARED[type(operator)]
            case ast.BinOp(op=operator) if type(operator) in _COMPUTED and not _on_text(node):
                yield node, statement, "arithmetic", between(node.left, node.right), _COMPUTED[type(operator)]
            case ast.AugAssign(op=operator) if type(operator) in _COMPUTED:
                yield node, statement, "arithmetic", between(node.target, node.value), f"{_COMPUTED[type(operator)]}="
            case ast.BoolOp():
                new = "or" if isinstance(node.op, ast.And) else "and"
                for left, right in zip(node.values, node.values[1:], strict=False):
                    yield node, statement, "and/or", between(left, right), new
            case ast.UnaryOp(op=ast.Not()):
                yield node, statement, "negation", text(node), text(node.operand)[1]
            case ast.UnaryOp(op=ast.USub()) if not isinstance(node.operand, ast.Constant):
                yield node, statement, "negation", text(node), text(node.operand)[1]
            case ast.Constant(value=bool()):
                yield node, statement, "constant", text(node), str(not node.value)
            case ast.Constant(value=int()):
                yield node, statement, "constant", text(node), str(node.value + 1)
            case ast.Constant(value=float()):
                yield node, statement, "constant", text(node), repr(node.value * 2 if node.value else 1.0)
            case ast.If() | ast.While() | ast.IfExp():
                yield node, statement, "condition", text(node.test), f"(not ({text(node.test)[1]}))"
            case ast.Call(func=ast.Name(id=name) as called) if name in _CALLED:
                yield node, statement, "call", text(called), _CALLED[name]
            case ast.Call(func=ast.Attribute(attr=name) as called) if name in _CALLED:
                last = span(called)[1]
                yield node, statement, "call", (last - len(name), name), _CALLED[name]
            case ast.Expr(value=ast.Call()) | ast.Raise():
                yield node, statement, "statement", text(node), "pass"
            case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
                yield node, statement, "return", text(value), "None"
            case ast.Break() | ast.Continue():
                yield node, statement, "statement", text(node), "pass"

    for top in tree.body:
        if not _passed_over(top):
            yield from visit(top, top, (1, len(lines)))


def _passed_over(node: ast.AST) -> bool:
    """Imports, `__all__`, what types alone need, and docstrings."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()) | ast.JoinedStr():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Subscript(value=ast.Name(id="Literal" | "Annotated")):
            return True
    return False


def _zips(node: ast.AST) -> bool:
    """A call of `zip`, whose one keyword is `strict`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip"


def _on_text(node: ast.BinOp) -> bool:
    """`"a" + b` and `"%d" % c`: strings know no other operator, so that any change would be an error at once."""
    sides = (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr | ast.Constant) and not isinstance(getattr(side, "value", 0), int | float)
        for side in sides
    )

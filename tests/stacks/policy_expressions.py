"""Runs policies' expressions: C# that API Management alone would execute, compiled here with its documented context."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests import programs

_HARNESS = Path(__file__).with_suffix(".cs")
_USINGS = "using System; using System.Collections.Generic; using System.Linq; using System.Text.RegularExpressions;"


@dataclass(frozen=True)
class Request:
    """What an expression is told of a request. claims: of the validated token; None where there is no token."""

    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    address: str = "10.0.0.4"
    operation: str = ""
    subject: str = "somebody"
    claims: Mapping[str, Sequence[str]] = field(default_factory=dict)
    subscription: str = "ours"


def expressions(document: str) -> list[str]:
    """Every expression of a policy document, as C# without its ``@``."""
    texts = [text for each in ElementTree.fromstring(document).iter() for text in [*each.attrib.values(), each.text]]
    return [text.strip()[1:] for text in texts if text and text.strip().startswith(("@(", "@{"))]


def evaluated(cases: Sequence[tuple[str, Request]], folder: Path) -> tuple[list[str], set[str]]:
    """What each expression says of its request, "throws …" where it fails; and every member that they call.

    Compiled once and run once. Skips the test without mono. Raises AssertionError with what the compiler says.
    """
    tools = programs.needed("mcs", "mono")
    numbers = {each: number for number, each in enumerate(dict.fromkeys(expression for expression, _ in cases))}
    source, program = folder / "expressions.cs", folder / "expressions.exe"
    source.write_text(_source(numbers))
    command = [
        tools["mcs"],
        "-langversion:7",
        "-nologo",
        "-r:System.Core",
        f"-out:{program}",
        str(source),
        str(_HARNESS),
    ]
    compiled = subprocess.run(command, capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    asked = "".join(f"{numbers[expression]}\t{_line(request)}\n" for expression, request in cases)
    told = subprocess.run([tools["mono"], str(program)], input=asked, capture_output=True, text=True, check=True)
    lines = told.stdout.splitlines()
    return lines[: len(cases)], set(lines[len(cases) :])


def _source(numbers: Mapping[str, int]) -> str:
    methods = "\n".join(
        f"    public static object E{number}(Context context) {_body(each)}" for each, number in numbers.items()
    )
    return (
        f"{_USINGS}\npublic static class Expressions {{\n{methods}\n}}\n"
        f"public static class Program {{\n    public static void Main() {{\n"
        f"        Harness.Run(typeof(Expressions), {len(numbers)});\n    }}\n}}\n"
    )


def _body(expression: str) -> str:
    return expression if expression.startswith("{") else f"{{ return {expression}; }}"


def _line(request: Request) -> str:
    """A request as the harness reads it: fields between tabs, names between record separators, values between units."""
    plain = request.operation, request.address, request.subject, request.subscription
    line = "\t".join([*plain, _named(request.headers), _named(request.claims)])
    assert "\n" not in line
    assert line.count("\t") == len(plain) + 1
    return line


def _named(values: Mapping[str, Sequence[str]]) -> str:
    return "\x1e".join("\x1f".join([name, *some]) for name, some in values.items())

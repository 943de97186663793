"""Who may call whom, held by the import linter's contracts in pyproject.toml."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["dagster_project", "expectations", "ml", "optimization"]


def test_rooms_import_only_what_the_plan_allows():
    outcome = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", "pyproject.toml", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_no_pipeline_code_names_the_answers():
    """The generator writes answers/; only tests and evaluation may read them."""
    writers = {
        ROOT / "dagster_project" / "settings.py",  # names the folder
        *(ROOT / "dagster_project" / "synthetic").glob("*.py"),  # writes it
    }
    offenders = [
        str(path.relative_to(ROOT))
        for room in [*ROOMS, "dbt_project"]
        for suffix in ("py", "sql", "yml")
        for path in (ROOT / room).rglob(f"*.{suffix}")
        if path not in writers and reads_answers(path)
    ]
    assert offenders == []


def reads_answers(path: Path) -> bool:
    """True if the file mentions a file below answers/ or hands the folder to anything but the generator."""
    text = path.read_text()
    if "answers/" in text:
        return True
    if path.suffix != ".py":
        return False
    attributes = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute) and node.attr == "answers"
    ]
    handed_to_generate = [
        argument
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) == "generate"
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        if isinstance(argument, ast.Attribute) and argument.attr == "answers"
    ]
    return len(attributes) > len(handed_to_generate)


def test_every_module_says_first_what_belongs_in_it():
    silent = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_no_room_is_a_drawer_for_anything():
    drawers = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.stem in {"utils", "helpers", "common", "manager"}
    ]
    assert drawers == []

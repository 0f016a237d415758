import ast
import html
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROMISES = (
    "nothing_is_lost",
    "repeats_are_bounded",
    "pace_is_kept",
    "order_is_kept",
    "outage_costs_time_only",
    "old_owner_stops",
)


def test_every_promise_names_its_check() -> None:
    guarantees = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    checks = ast.parse((ROOT / "tests" / "promises.py").read_text(encoding="utf-8"))

    defined = {node.name for node in checks.body if isinstance(node, ast.FunctionDef)}

    assert set(re.findall(r"`promises\.(\w+)`", guarantees)) == set(PROMISES)
    assert set(PROMISES) <= defined


def test_every_link_of_the_docs_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

    broken = {
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    }

    assert broken == set()


def test_every_place_that_the_readme_and_the_architecture_name_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## To change X, open Y")[2].partition("\n## ")[0]
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    for text in (table, architecture):
        places = set(re.findall(r"`([\w.-]+/[\w./-]*)`", text))

        assert places
        assert {place for place in places if not (ROOT / place).exists()} == set()


def test_every_package_has_its_row_in_the_architecture() -> None:
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = settings["tool"]["setuptools"]["packages"]

    described = {"orders_cli", "sandbox"}  # their sub-packages have no row of their own
    rows = {name.replace(".", "/") for name in packages if name.partition(".")[0] not in described}

    assert {row for row in rows if f"`{row}/" not in architecture} == set()


def test_the_picture_shows_what_its_source_says() -> None:
    source = (ROOT / "docs" / "architecture.dot").read_text(encoding="utf-8")
    picture = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")

    written = {
        line for label in re.findall(r'label="([^"]*)"', source) for line in label.split("\\n")
    }
    drawn = {html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", picture)}

    assert drawn == written, "draw it again: make picture"


def test_every_decision_is_in_the_index_and_says_its_price() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")

    records = sorted(folder.glob("[0-9]*.md"))

    assert len({record.name[:4] for record in records}) == len(records)
    for record in records:
        assert f"({record.name})" in index
        text = record.read_text(encoding="utf-8")
        assert all(f"\n## {part}\n" in text for part in ("Context", "Choice", "Price"))

"""The report as a page: whole, alone, and deaf to what titles and names would have it do."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from ml.evaluating.evaluate import evaluate
from ml.evaluating.examples import Example, thumbnail
from ml.evaluating.report import at_coverages, percent, render, write_report
from tests.ml.test_evaluate import BRANDS, PRODUCTS, answers

HOSTILE = """</title></style><script>alert(1)</script><img src=x onerror="alert(1)">" onload='x' {{ 7 * 7 }} \u202e"""
EMPTY = ["area", "base", "br", "col", "hr", "img", "input", "link", "meta", "path", "rect", "circle"]


class Elements(HTMLParser):
    """All elements with their attributes; `open` is what was never closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def report(*, name: str = "Milk", mode: str = "both", known: bool = True) -> dict[str, Any]:
    truth = [0, 1, 2, 3, 3] if known else [-1] * 5
    about = {"model": name, "data": name, "split": "val", "mode": mode, "unreadable": [{"id": name, "why": name}]}
    return evaluate(
        about=about,
        unreadable=1,
        product=answers([0, 1, 1, 3, 2], truth, classes=4),
        brand=answers([0, 1, 2, 1, 2], [0, 1, 2, 2, 2], classes=3),
        brands=[entry | {"name": name} for entry in BRANDS],
        products=[entry | {"name": name} for entry in PRODUCTS],
    ).as_dict()


def examples(text: str, picture: str | None = "data:image/jpeg;base64,AAAA") -> dict[str, list[Example]]:
    one = Example(id=text, title=text, truth=text, said=text, confidence=0.7, count=2, picture=picture)
    return {"product": [one], "brand": []}


def test_the_page_is_whole_and_says_its_language() -> None:
    page = render(report(), examples("milk"))
    elements = Elements(page)
    assert elements.open == []
    assert ("html", {"lang": "en"}) in elements.found
    assert "75.0\N{NO-BREAK SPACE}%" in page or "60.0\N{NO-BREAK SPACE}%" in page


def test_it_needs_nothing_else() -> None:
    """No script, no other file: pictures are data, and the page forbids itself the rest."""
    elements = Elements(render(report(), examples("milk")))
    tags = {tag for tag, _ in elements.found}
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & tags
    for tag, attributes in elements.found:
        for name in ("src", "href", "data", "srcset"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, attributes)
    policy = next(attributes for _, attributes in elements.found if attributes.get("http-equiv"))
    assert "default-src 'none'" in str(policy["content"])


def test_hostile_texts_are_inert() -> None:
    """The same elements and attributes as of a harmless name, but for the texts."""
    harmless, hostile = (Elements(render(report(name=name), examples(name))) for name in ("Milk", HOSTILE))
    assert [(tag, sorted(has)) for tag, has in hostile.found] == [(tag, sorted(has)) for tag, has in harmless.found]
    page = render(report(name=HOSTILE), examples(HOSTILE))
    assert "<script" not in page
    assert "49" not in re.sub(r"(?s)<style>.*?</style>|<svg.*?</svg>", "", page)


def test_charts_are_drawn_inside_their_frame() -> None:
    charts = re.findall(r"(?s)<svg.*?</svg>", render(report(), examples("milk")))
    assert len(charts) >= 4
    for chart in charts:
        root = ElementTree.fromstring(chart)
        left, top, width, height = map(float, root.attrib["viewBox"].split())
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"]
        for element in root.iter():
            x, y = element.get("x") or element.get("cx"), element.get("y") or element.get("cy")
            if x and y and not element.get("transform"):
                assert left <= float(x) <= left + width
                assert top <= float(y) <= top + height


@pytest.mark.parametrize("mode", ["both", "image-only", "text-only", "mask-brand"])
def test_every_question_and_a_head_without_figures_have_a_page(mode: str) -> None:
    assert Elements(render(report(mode=mode, known=False), {"product": [], "brand": []})).open == []


def test_it_is_written_whole_beside_its_json(tmp_path: Path) -> None:
    page = write_report(tmp_path / "new" / "report", report(), examples("half \ud83d of a pair"))
    assert sorted(path.name for path in page.parent.iterdir()) == ["report.html", "report.json"]
    told = json.loads((page.parent / "report.json").read_text(encoding="utf-8"))
    assert told["product"]["top1"] == report()["product"]["top1"]
    assert told["examples"]["product"][0]["picture"] is None
    assert "data:image/jpeg" in page.read_text(encoding="utf-8")
    assert write_report(page.parent, report(), examples("again")) == page


def test_a_thumbnail_is_small_and_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (900, 300), "red").save(path)
    made = thumbnail(path)
    assert made is not None
    assert made.startswith("data:image/jpeg;base64,")
    assert len(made) < 4000
    assert thumbnail(None) is thumbnail(b"<html>") is thumbnail(tmp_path / "nowhere.jpg") is None


def test_a_share_is_written_with_its_sign() -> None:
    assert percent(0.5) == "50.0\N{NO-BREAK SPACE}%"
    assert percent(0.126, 0) == "13\N{NO-BREAK SPACE}%"
    assert percent(None) == "–"


def test_coverages_are_reached_never_missed() -> None:
    coverage = np.arange(1, 11) / 10
    curve = {"threshold": list(1 - coverage), "coverage": list(coverage), "risk": list(coverage / 2)}
    assert [round(point["coverage"], 6) for point in at_coverages(curve)] == [1.0, 0.9, 0.8, 0.7, 0.5]

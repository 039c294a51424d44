"""Pages about sweeps: what they say and hold, and how they are in a real browser, on a phone and on a desk."""

import base64
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

import neurosim as ns
from neurosim.sweep import Grid, Random, Range, sweep

NO_BAR = {"progress": False}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
BAD = "<script>alert('x')</script> & \"more\""


def measured(noise, bits, kind, seed):
    if noise == 0.4 and bits == 2:
        raise ValueError(BAD)
    rng = np.random.default_rng(seed)
    return {"accuracy": 0.9 - noise + 0.02 * bits + 0.01 * rng.normal(), "energy": 2.0**bits, "note": BAD}


@pytest.fixture(scope="module")
def result():
    space = Grid(noise=[0.1, 0.0, 0.4, 0.2], bits=[8, 2, 4], kind=["PCM", BAD])
    with pytest.warns(ns.NeurosimWarning, match="6 of 72 calls failed"):
        return sweep(measured, space, seeds=3, jobs=1, **NO_BAR)


@pytest.fixture
def page(result, tmp_path):
    path = tmp_path / "page.html"
    result.report(path, f"Noise {BAD}", highest="accuracy", lowest="energy")
    return path


class Reader(HTMLParser):
    """What a page holds: its tags, images, and rows of tables."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.images, self.tables, self.links = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.links += [attrs[name] for name in ("href", "src") if name in attrs]
        if tag == "img":
            self.images.append((attrs["alt"], base64.b64decode(attrs["src"].partition("base64,")[2]).decode()))
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_data(self, data):
        if self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data


@pytest.mark.slow
def test_a_page_holds_pictures_tables_and_failures_and_asks_for_nothing(result, page):
    text = page.read_text(encoding="utf-8")
    found = Reader(text)
    assert all(link.startswith("data:image/svg+xml;base64,") for link in found.links)
    assert found.tags.count("script") == 1 and html.escape(BAD) in text  # what it quotes is no code of the page
    captions = [alt for alt, _ in found.images]
    for wanted in ("accuracy over noise", "accuracy over bits", "accuracy over kind", "accuracy over noise and bits",
                   "accuracy of each point", "energy of each point", "accuracy against energy"):
        assert wanted in captions
    assert all(svg.startswith("<?xml") and svg.rstrip().endswith("</svg>") for _, svg in found.images)
    points, calls = found.tables
    assert len(points) == 25 and len(calls) == 73 and points[0] == ["noise", "bits", "kind", "accuracy", "energy", "n"]
    best = result.best("accuracy")
    assert f"Highest accuracy: <strong>{best['accuracy']:.5g}</strong>" in text and "6 of them failed" in text
    assert text.count("Traceback") == 6
    again = page.with_name("again.html")
    result.report(again, f"Noise {BAD}", highest="accuracy", lowest="energy")
    assert again.read_text(encoding="utf-8") == text


def test_a_page_of_random_points_and_of_a_failed_sweep(tmp_path):
    drawn = sweep(lambda x, y: x + y, Random(40, x=Range(0.0, 1.0), y=Range(0.01, 1.0, log=True)), jobs=1, **NO_BAR)
    drawn.report(tmp_path / "drawn.html")
    found = Reader((tmp_path / "drawn.html").read_text(encoding="utf-8"))
    assert [alt for alt, _ in found.images] == ["value over x", "value over y", "value of each point"]  # no map
    with pytest.warns(ns.NeurosimWarning):
        failed = sweep(lambda x: 1 / 0, {"x": [1, 2]}, jobs=1, **NO_BAR)
    failed.report(tmp_path / "failed.html")
    text = (tmp_path / "failed.html").read_text(encoding="utf-8")
    assert not Reader(text).images and text.count("ZeroDivisionError: division by zero") == 6
    with pytest.raises(ns.ParameterError, match="report.result must be one of value, got 'vale'; did you mean 'value'"):
        drawn.report(tmp_path / "drawn.html", highest="vale")
    with pytest.raises(ns.FileError, match="cannot be written"):
        drawn.report(tmp_path / "nowhere" / "page.html")


# ---- in a browser -----------------------------------------------------------------------------------

PROBE = """<script>
addEventListener("load", () => {
  const frame = document.querySelector("iframe"), page = frame.contentDocument, found = {};
  found.wide = page.documentElement.scrollWidth; found.frame = frame.clientWidth;
  found.images = [...page.images].map(each => [each.complete && each.naturalWidth > 0, each.clientWidth]);
  found.asked = frame.contentWindow.performance.getEntriesByType("resource").filter(
    each => !each.name.startsWith("data:")).map(each => each.name);
  found.font = parseFloat(frame.contentWindow.getComputedStyle(page.querySelector("td")).fontSize);
  const table = page.querySelector("table"), heads = [...table.tHead.rows[0].cells];
  found.button = heads[0].firstChild.getBoundingClientRect().height;
  const column = k => [...table.tBodies[0].rows].map(row => row.cells[k].dataset.by ?? row.cells[k].textContent);
  found.sorted = heads.map((head, k) => {
    const states = [];
    for (let turn = 0; turn < 2; turn++) {
      head.firstChild.click();
      states.push([head.getAttribute("aria-sort"), column(k)]);
    }
    return states;
  });
  const out = document.createElement("pre"); out.id = "found"; out.textContent = JSON.stringify(found);
  document.body.append(out);
});
</script>"""


def opened(page, width, tmp_path):
    """Return what a browser finds in a page of some width, in a frame: its windows may not be as narrow."""
    wrapper = tmp_path / f"wrapper-{width}.html"
    source = html.escape(page.read_text(encoding="utf-8"))
    wrapper.write_text(f'<!doctype html><meta charset=utf-8>{PROBE}<iframe style="border:0" width={width} height=800 '
                       f'srcdoc="{source}"></iframe>', encoding="utf-8")
    done = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom",
                           "--disable-background-networking", f"--user-data-dir={tmp_path / 'browser'}",
                           "--window-size=1400,900", "--virtual-time-budget=10000", wrapper.as_uri()],
                          capture_output=True, text=True, timeout=120)
    text = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert text, done.stderr[-2000:]
    return json.loads(html.unescape(text[1]))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (on Debian: apt-get install chromium)")
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_is_readable_in_a_browser_and_its_table_can_be_sorted(width, page, tmp_path):
    found = opened(page, width, tmp_path)
    assert found["wide"] <= found["frame"] == width  # nothing has to be moved sideways but the tables in their frames
    assert all(there for there, _ in found["images"]) and len(found["images"]) == 11
    assert all(300 <= shown <= width for _, shown in found["images"])
    assert found["asked"] == [] and found["font"] >= 14 and found["button"] >= 44
    for column, states in enumerate(found["sorted"]):
        assert [state for state, _ in states] == ["ascending", "descending"]
        for (_, values), turned in zip(states, (False, True), strict=True):
            there = [value for value in values if value != ""]
            assert values[len(there):] == [""] * (len(values) - len(there))  # what is missing comes last
            there = there if column == 2 else [float(value) for value in there]
            assert there == sorted(there, reverse=turned, key=str.lower if column == 2 else None)
    assert [value for value in found["sorted"][3][0][1] if value == ""]

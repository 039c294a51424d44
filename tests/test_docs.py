"""The pages of docs/: those that are generated are up to date, and every Python block of the others runs."""

import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
#: whose examples compile many loops of their own, or run long
LONG = ("coming_from.md", "datasets.md", "gradients.md", "learning_online.md", "learning_rules.md", "own_device.md",
        "recipes.md", "recordings.md", "reservoirs.md", "sfq_circuit.md")
BLOCK = re.compile(r"^```python(?P<needs>[^\n]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)



def load(name):
    """Return a module of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load("generate")


# ---------------------------------------------------------------------------------------------------------------------
# Generated pages
# ---------------------------------------------------------------------------------------------------------------------

def test_generated_pages_are_up_to_date():
    made = generate.pages()
    written = {path.relative_to(generate.FOLDER).as_posix(): path.read_text(encoding="utf-8")
               for path in generate.FOLDER.rglob("*") if path.suffix in (".md", ".rst")}
    stale = sorted(path for path in {*made, *written} if made.get(path) != written.get(path))
    assert not stale, f"run `python docs/generate.py`: {', '.join(stale)}"


@pytest.mark.parametrize("family", [family for family in generate.FAMILIES if generate.members(family)])
def test_every_public_member_has_a_page(family):
    index = (generate.FOLDER / "index.md").read_text(encoding="utf-8")
    for name in generate.members(family):
        assert (generate.FOLDER / family / f"{name}.md").exists()
        assert f"({family}/{name}.md)" in index


def test_every_page_shows_what_its_model_does():
    for family in generate.FAMILIES:
        for name in generate.members(family):
            caption, hint = generate.escaped(generate.pictures.of(family, name).caption), "run `python docs/generate.py"
            page = (generate.FOLDER / family / f"{name}.md").read_text(encoding="utf-8")
            assert f"![{caption}]({name}.png)" in page and caption.endswith("."), f"{hint}`, {name} is old"
            assert (generate.FOLDER / family / f"{name}.png").exists(), f"{hint} --only {name}`"


def test_a_page_without_a_picture_is_refused():
    tables = {"learning_rules": "plasticity.py or docs/pictures/learners.py", "hardware_models": "devices.py",
              "sources": "networks.py", "connectivity": "networks.py"}
    for family, table in tables.items():
        with pytest.raises(LookupError, match=f"{table} must draw Unheard"):
            generate.pictures.of(family, "Unheard")


def test_pages_show_pictures_that_exist_and_are_small():
    shown = {page.parent / name for page in generate.FOLDER.rglob("*.md")
             for name in re.findall(r"\]\((\w+\.png)\)", page.read_text(encoding="utf-8"))}
    there = set(generate.FOLDER.rglob("*.png"))
    assert shown == there, "run `python docs/generate.py`"
    assert all(picture.stat().st_size < 40_000 for picture in there)


def test_a_page_of_a_neuron_holds_what_its_reader_looks_for():
    import neurosim as ns

    text = generate.page("neurons", "LIF", ns.LIF)
    for part in ("tau_mem dv/dt", "| `tau_mem` | 10 | ms | number \\> 0 | membrane time constant |", "**Source.**",
                 "| `v` | `v_leak` | mV | membrane potential |", "](LIF.png)"):
        assert part in text


# ---------------------------------------------------------------------------------------------------------------------
# Pages written by hand
# ---------------------------------------------------------------------------------------------------------------------

def blocks(page):
    """Yield (line, needed module or "", code) of every Python block."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        yield text.count("\n", 0, found.start("code")), found["needs"].strip(), found["code"]


@pytest.mark.parametrize("page", [pytest.param(page, marks=[pytest.mark.slow] * (page.name in LONG)) for page in PAGES],
                         ids=lambda page: page.name)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": page.stem}
    for line, needs, code in blocks(page):
        if needs and importlib.util.find_spec(needs) is None:
            continue
        program = compile("\n" * line + code, str(page), "exec")
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore" if needs else "error", UserWarning)
            exec(program, namespace)
    import matplotlib.pyplot as plt

    plt.close("all")


SCRIPTS = [(page, code) for page in PAGES for _, needs, code in blocks(page) if needs == "script"]


@pytest.mark.parametrize(("page", "code"), SCRIPTS, ids=[f"{page.stem}{k}" for k, (page, _) in enumerate(SCRIPTS)])
def test_scripts_run(page, code, tmp_path):
    """A block that needs a process of its own, as one that makes processes does."""
    script = tmp_path / f"{page.stem}.py"
    script.write_text(code, encoding="utf-8")
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout


def test_readme_and_tutorial_begin_alike():
    first = [next(blocks(page))[2] for page in (ROOT / "README.md", DOCS / "tutorial.md")]
    assert first[0] == first[1]


@pytest.mark.parametrize("page", [*PAGES, *sorted(generate.FOLDER.rglob("*.md"))],
                         ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"),
                                                                    flags=re.DOTALL)):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page):
    """The names under which headings of a page are linked to: lower case, without marks, words joined by hyphens."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_headings(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target, anchor in re.findall(r"\]\(([^):#]*\.md)?#([^)]+)\)", text):
        assert anchor in anchors(page.parent / target if target else page), f"{page.name} links to {target}#{anchor}"


# ---------------------------------------------------------------------------------------------------------------------
# The site
# ---------------------------------------------------------------------------------------------------------------------

CONTENTS = DOCS / "contents.rst"


def test_the_navigation_lists_every_page():
    listed = set(re.findall(r"^   (?:[^\n<]*<)?([\w/]+)>?$", CONTENTS.read_text(encoding="utf-8"), re.MULTILINE))
    there = {path.relative_to(DOCS).with_suffix("").as_posix() for path in (*PAGES[1:], *DOCS.glob("devices/*.md"))}
    there |= {"models/index", *(f"models/{family}" for family in generate.FAMILIES)}
    lacking = sorted(there - listed)
    assert not lacking, f"put {', '.join(lacking)} under one of the captions of docs/contents.rst"
    made = {"examples/index", "reference/index"}  # when the site is built
    assert made < listed
    gone = sorted(page for page in listed - made
                  if not any((DOCS / f"{page}{end}").exists() for end in (".md", ".rst")))
    assert not gone, f"docs/contents.rst lists {', '.join(gone)}, which docs/ does not hold"


def test_pages_that_are_read_elsewhere_hold_no_directives_of_sphinx():
    for page in PAGES:
        found = re.findall(r"^(?:```\{|:::|\.\. )[^\n]*", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert not found, f"{page.name} has {found[0]}, which GitHub shows as text: navigation belongs to contents.rst"


def test_the_extra_docs_brings_what_the_reference_imports():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    guards = [path.read_text(encoding="utf-8") for path in (ROOT / "neurosim" / "bridge").rglob("extra.py")]
    asked = {extra for text in guards for names in re.findall(r"neurosim-toolkit\[([\w,]+)\]", text)
             for extra in names.split(",")}
    assert {"torch", "nir"} <= asked
    assert {each for extra in asked for each in extras[extra]} <= set(extras["docs"])


def test_the_reference_has_every_public_name():
    pytest.importorskip("torch")
    pytest.importorskip("nir")
    reference = load("reference")
    pages = reference.pages()
    for room in reference.rooms():
        listed = set(re.findall(r":py:obj:`(\w+) <|:doc:`(?:\w+\.)*(\w+)`", pages[f"{room}.rst"]))
        assert {name for pair in listed for name in pair if name} == set(reference.public(room))
    told = re.findall(r":: neurosim\.(?:neurons\.)?LIF$", "\n".join(pages.values()), re.MULTILINE)
    assert len(told) == 1  # and each once


@pytest.mark.parametrize(("text", "made"), [
    ("Return `a`s of x_ * y.", ["Return ``a``\\ s of x\\_ \\* y."]),
    ("tau dv/dt = -v;\nv -> v + w", [".. code-block:: text", "", "    tau dv/dt = -v;", "    v -> v + w"]),
    ("Source: Brette, Gerstner.", ["**Source.** Brette, Gerstner."]),
    ("Args:\n    x: values |x|, shape (n,).", ["Args:", "    x: values \\|x\\|, shape (n,)."]),
    ("Returns:\n    times: ms.\n    values: mV,\n        each.",
     [":returns:", "    * ``times``: ms.", "    * ``values``: mV,", "          each."]),
    ("As in::\n\n    a * b\n\nand so on.", ["As in::", "", "    a * b", "", "and so on."]),
])
def test_docstrings_become_what_sphinx_reads(text, made):
    pytest.importorskip("sphinx", reason="Sphinx is not installed; the extra docs has it")
    found = load("reference").converted(text)
    while found[-1] == "":
        found.pop()
    assert found == made


def test_the_gallery_has_every_example_with_its_output():
    gallery = load("gallery")
    shown = [name for _, _, names in gallery.sections().values() for name in names]
    assert sorted(shown) == sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
    lacking = gallery.missing()
    assert not lacking, (f"run `python docs/gallery.py keep {' '.join(lacking)}`, with --args=\"--quick\" where it is "
                         "long, and commit what it writes to docs/gallery/")
    kept = {path.stem for path in gallery.KEPT.glob("*.txt")} | {path.stem for path in gallery.KEPT.glob("*.png")}
    assert kept == set(shown) - set(gallery.TABLE["built"]), "docs/gallery/ keeps what no example shows"
    assert all(path.stat().st_size <= gallery.LARGEST for path in gallery.KEPT.glob("*.png"))


def test_a_new_example_finds_its_section(monkeypatch, tmp_path):
    gallery = load("gallery")
    there = gallery.examples()
    for name, code in {"adapts": "from learning_rules import Oja", "written": "import hardware_models.memristor as m",
                       "plain": "import neurosim as ns\nns.Network()"}.items():
        (tmp_path / f"{name}.py").write_text(f'"""A title: more.\n\n    python x.py\n\nText of x_ * y."""\n{code}\n')
        there[name] = tmp_path / f"{name}.py"
    monkeypatch.setattr(gallery, "examples", lambda: there)
    found = {name: folder for folder, (_, _, names) in gallery.sections().items() for name in names}
    assert (found["adapts"], found["written"], found["plain"]) == ("rules", "devices", "first")
    assert gallery.title_and_text("plain") == (
        "A title", "A title: more.\n\n.. code-block:: text\n\n    python x.py\n\nText of x\\_ \\* y.")
    gallery.write_copies(tmp_path / "copies")
    assert "not been run for these pages yet" in (tmp_path / "copies" / "first" / "plain.py").read_text()


def test_kept_output_names_the_call_that_made_it():
    gallery = load("gallery")
    for path in gallery.KEPT.glob("*.txt"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith(f"$ python examples/{path.stem}.py"), f"{path.name} begins with {first}"


def test_a_picture_is_made_small(tmp_path):
    image = pytest.importorskip("PIL.Image")
    noise = image.effect_noise((1600, 1200), 90.0)
    noise.save(tmp_path / "large.png")
    gallery = load("gallery")
    gallery.shrink(tmp_path / "large.png", tmp_path / "small.png")
    assert (tmp_path / "large.png").stat().st_size > (tmp_path / "small.png").stat().st_size <= gallery.LARGEST


def test_a_small_picture_keeps_the_colours_of_thin_lines_and_of_areas(tmp_path):
    plt, image = pytest.importorskip("matplotlib.pyplot"), pytest.importorskip("PIL.Image")
    from neurosim.plot import COLORS

    figure, axes = plt.subplots(figsize=(16, 3.8))
    axes.imshow([[0.0, 1.0], [1.0, 0.5]], extent=(0, 4, 0, 4), interpolation="bicubic")
    for k, color in enumerate(COLORS[:5]):
        axes.plot([5, 30], [k, k + 1], color=color)
    axes.axhspan(6.0, 8.0, color="#e6e6e6")
    figure.savefig(tmp_path / "large.png", dpi=110)
    plt.close(figure)
    load("gallery").shrink(tmp_path / "large.png", tmp_path / "small.png")
    found = image.open(tmp_path / "small.png").convert("RGB")
    seen = {tuple(color) for _, color in found.getcolors(maxcolors=1000)}
    for color, near in (*((each, 60) for each in COLORS[:5]), ("#e6e6e6", 6), ("#ffffff", 1)):
        wanted = [int(color[k:k + 2], 16) for k in (1, 3, 5)]
        assert min(sum(abs(a - b) for a, b in zip(each, wanted, strict=True)) for each in seen) < near, color


def test_what_stands_for_the_words_of_other_tools_is_run():
    """Every line of ours in the tables of the page is in one of its blocks, which a test above runs."""
    text = (DOCS / "coming_from.md").read_text(encoding="utf-8")
    run = " ".join(" ".join(code for _, _, code in blocks(DOCS / "coming_from.md")).split())
    rows = re.findall(r"^\| (?!---).+? \| (.+) \|$", text, re.MULTILINE)
    ours = [code for cell in rows for code in re.findall(r"`([^`]+)`", cell)]
    names = {"v_leak", "v_threshold", "v_reset", "t_ref", "i_bias", "EchoState", "bridge.to_nir", "bridge.from_nir"}
    lacking = [code for code in ours if code not in names and " ".join(code.split()) not in run]
    assert len(ours) > 60 and not lacking, f"in no block: {'; '.join(lacking)}"


def test_headlines_show_what_their_commands_made():
    gallery = load("gallery")
    text = (DOCS / "headlines.md").read_text(encoding="utf-8")
    calls = re.findall(r"^\$ python examples/(\w+)\.py(.*)$", text, re.MULTILINE)
    assert [name for name, _ in calls] == re.findall(r"\(gallery/(\w+)\.png\)", text) and len(calls) == 5
    for name, arguments in calls:
        kept = (gallery.KEPT / f"{name}.txt").read_text(encoding="utf-8").splitlines()[0]
        assert kept == f"$ python examples/{name}.py{arguments}"

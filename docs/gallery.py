"""The gallery of examples: what the slow ones printed and drew is kept in docs/gallery/, and this makes it anew.

    python docs/gallery.py keep NAME [NAME ...] [--args="--quick --seeds 1"]
    python docs/gallery.py missing

`keep` runs examples as a person does and keeps NAME.txt, which begins with the call, and NAME.png, made small. Without
--args the call is the one that was kept before. `missing` lists the examples that have neither a kept output nor are
run when the pages are built. docs/conf.py calls `write_copies`: sphinx-gallery wants a title above each script.
"""

import argparse
import ast
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs" / "gallery"
TABLE = tomllib.loads((KEPT / "gallery.toml").read_text(encoding="utf-8"))
LARGEST, WIDEST = 40_000, 1000  # bytes and pixels of a kept picture


def examples() -> dict:
    """Return the path of every example by its name."""
    return {path.stem: path for path in sorted((ROOT / "examples").glob("*.py"))}


def missing() -> list:
    """Return the names of examples whose output the gallery cannot show."""
    return [name for name in examples() if name not in TABLE["built"] and not (KEPT / f"{name}.txt").exists()]


# ---- sections ---------------------------------------------------------------------------------------


def sections() -> dict:
    """Return (title, text, names of examples) of every section by its folder, in the order of the table."""
    found = {each["folder"]: (each["title"], each["text"], list(each["examples"])) for each in TABLE["section"]}
    placed = {name for _, _, names in found.values() for name in names}
    unknown = sorted((placed | set(TABLE["built"])) - set(examples()))
    if unknown:
        raise SystemExit(f"docs/gallery/gallery.toml names {', '.join(unknown)}, which examples/ does not hold")
    for name in examples():
        if name not in placed:
            found[guessed(name)][2].append(name)
    return found


def guessed(name) -> str:
    """Return the section of an example that the table does not name: the last that claims one of its imports."""
    tree = ast.parse(examples()[name].read_text(encoding="utf-8"))
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            used |= {".".join(filter(None, [getattr(node, "module", None), alias.name])) for alias in node.names}
    for each in reversed(TABLE["section"]):
        if any(word.startswith(claim) for claim in each.get("claims", []) for word in used):
            return each["folder"]
    return TABLE["section"][0]["folder"]


# ---- copies for sphinx-gallery ----------------------------------------------------------------------


def write_copies(folder: Path) -> None:
    """Write all examples below a folder, by section, with the title and the kept output that a page shows."""
    wanted = {folder / "GALLERY_HEADER.rst": header("Examples", TABLE["text"], "=")}
    for place, (title, text, names) in sections().items():
        wanted[folder / place / "GALLERY_HEADER.rst"] = header(title, text)
        for name in names:
            wanted[folder / place / f"{name}.py"] = copy(name)
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for page in (ROOT / "docs" / "examples").glob("*/*.rst"):  # of an example that is gone or has moved, and times
        if page.stem != "index" and folder / page.parent.name / f"{page.stem}.py" not in wanted:
            page.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def header(title, text, line="-") -> str:
    """Return the text above a section, whose title is one level below that of the gallery."""
    return f"{title}\n{line * len(title)}\n\n{textwrap.fill(' '.join(text.split()), 110)}\n"


def title_and_text(name) -> tuple[str, str]:
    """Return a title and the docstring of an example as reStructuredText; the title ends at the first colon."""
    doc = ast.get_docstring(ast.parse(examples()[name].read_text(encoding="utf-8")))
    first = " ".join(doc.partition("\n\n")[0].split())
    title, _, rest = first.partition(": ")
    parts = [escaped(first)] if rest else []
    for paragraph in re.split(r"\n\s*\n", doc.partition("\n\n")[2].strip("\n")):
        if all(line.startswith("    ") for line in paragraph.splitlines()):
            parts.append(".. code-block:: text\n\n" + paragraph)
        else:
            parts.append(escaped(paragraph).replace("\n    ", "\n"))
    return escaped(title).rstrip("."), "\n\n".join(parts)


def escaped(text) -> str:
    """Return text in which reStructuredText changes nothing but the code in backticks."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(f"`{part}`" if part.startswith("`") else re.sub(r"([\\*|]|(?<=\w)_(?!\w))", r"\\\1", part)
                   for part in parts)


def copy(name) -> str:
    """Return an example with the docstring that sphinx-gallery reads: a title, what was kept, where the picture is."""
    source = examples()[name].read_text(encoding="utf-8")
    node = ast.parse(source).body[0]
    code = "\n".join(source.splitlines()[node.end_lineno:]).lstrip("\n")
    title, text = title_and_text(name)
    lines = [title, "=" * len(title), "", text, ""]
    picture = KEPT / f"{name}.png"
    if name not in TABLE["built"]:
        lines += kept(name)
        code += f"\n\n# sphinx_gallery_thumbnail_path = 'gallery/{name}.png'" if picture.exists() else ""
    doc = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\n{doc}"""\n\n{code}\n'


def kept(name) -> list:
    """Return the kept output of an example as lines of reStructuredText."""
    if not (KEPT / f"{name}.txt").exists():
        return ["It has not been run for these pages yet.", ""]
    text = (KEPT / f"{name}.txt").read_text(encoding="utf-8")
    lines = ["It was run beforehand; picture and output are kept:", ""]
    if (KEPT / f"{name}.png").exists():
        lines += [f".. image:: /gallery/{name}.png", f"   :alt: what {name}.py draws", "   :align: center", ""]
    return [*lines, ".. code-block:: text", "", textwrap.indent(text.rstrip(), "    "), ""]


def order() -> list[str]:
    """Return the folders of the copies in the order of the table."""
    return [f"../build/examples/{folder}" for folder in sections()]


class ByTable:
    """The key by which sphinx-gallery sorts the examples of a section."""

    def __init__(self, folder):
        self.names = [name for _, _, names in sections().values() for name in names]

    def __call__(self, name):
        return self.names.index(Path(name).stem)


def arguments(gallery_conf, script) -> list[str]:
    """Return the arguments of an example that runs while the pages are built, and give it the docstring it has."""
    name = Path(script["src_file"]).stem
    script["example_globals"]["__doc__"] = ast.get_docstring(ast.parse(examples()[name].read_text(encoding="utf-8")))
    return shlex.split(TABLE["built"].get(name, ""))


# ---- keeping output ---------------------------------------------------------------------------------


def keep(name, arguments) -> None:
    """Run an example and keep its output and its picture."""
    path = KEPT / f"{name}.txt"
    if arguments is None:
        arguments = path.read_text(encoding="utf-8").splitlines()[0].partition(".py")[2] if path.exists() else ""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, str(examples()[name]), *shlex.split(arguments)], cwd=folder, text=True,
                              capture_output=True, env={**os.environ, "PYTHONPATH": paths, "MPLBACKEND": "Agg"})
        picture = Path(folder) / f"{name}.png"
        if done.returncode or not picture.exists():
            raise SystemExit(f"{name}.py left no picture:\n{done.stdout}{done.stderr}")
        shrink(picture, KEPT / f"{name}.png")
    call = f"$ python examples/{name}.py {arguments.strip()}".rstrip()
    path.write_text(f"{call}\n{tidy(done.stdout)}\n", encoding="utf-8")


def tidy(text) -> str:
    """Return what a program printed, with lines that a bar of progress wrote over once."""
    lines = [line.rpartition("\r")[2].rstrip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def shrink(source: Path, target: Path) -> None:
    """Write a picture with fewer colours, and as many pixels as LARGEST allows."""
    from PIL import Image

    picture = Image.open(source).convert("RGB")
    width = min(WIDEST, picture.width)
    while True:
        small = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
        fewer_colours(small).save(target, optimize=True)
        if target.stat().st_size <= LARGEST:
            return
        width = int(0.9 * width)


def fewer_colours(picture):
    """Return a picture with 128 colours: the most frequent (grounds), means (shades), and some far apart (lines)."""
    from PIL import Image

    colours = [colour for _, colour in sorted(picture.getcolors(picture.width * picture.height), reverse=True)[:16]]
    for method, many in ((Image.Quantize.MEDIANCUT, 80), (Image.Quantize.MAXCOVERAGE, 32)):
        colours += [*np.reshape(picture.quantize(many, method=method).getpalette()[:3 * many], (-1, 3))]
    palette = np.array(colours)
    pixels, where = np.unique(np.asarray(picture, int) @ (1 << 16, 1 << 8, 1), return_inverse=True)
    distances = sum(np.subtract.outer(pixels >> shift & 255, palette[:, k]) ** 2 for k, shift in enumerate((16, 8, 0)))
    nearest = distances.argmin(axis=1).astype(np.uint8)
    found = Image.fromarray(nearest[where].reshape(picture.height, picture.width))
    found.putpalette(palette.astype(np.uint8).tobytes())  # Pillow's own look-up in a palette is off by some shades
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("keep", help="run examples and keep what they print and draw")
    one.add_argument("names", nargs="+", choices=list(examples()), metavar="NAME")
    one.add_argument("--args", help="arguments of the examples; without them those of last time")
    commands.add_parser("missing", help="list the examples without output")
    options = parser.parse_args()
    if options.command == "missing":
        print("\n".join(missing()) or "none")
    else:
        for name in options.names:
            keep(name, options.args)
            print(f"kept {name}")


if __name__ == "__main__":
    main()

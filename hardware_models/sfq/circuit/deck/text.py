"""From the text of a deck to its logical lines: remarks out, continuations joined, files included, words split."""

import re
from pathlib import Path
from typing import NamedTuple

from neurosim.errors import FileError, NetworkError

SHAPES = "pwl pulse sin sine exp pws cus noise dc jj".split()  #: words whose list may begin after a space
DEEPEST = 20  #: files that include each other


class Place(NamedTuple):
    """Where something was written: the name of the file ("" for a text), and the number of the line."""

    file: str
    number: int

    def __str__(self):
        return f"{self.file}, line {self.number}" if self.file else f"line {self.number}"

    def error(self, text) -> NetworkError:
        """Return the error that says what is wrong here."""
        return NetworkError(f"{self}: {text}")


class Line(NamedTuple):
    """A logical line: where it begins, its words in lower case, its text as written, and the remark at its end."""

    place: Place
    words: list[str]
    text: str
    remark: str = ""


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8 (with or without a byte order mark) or Latin-1."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"the deck {path} cannot be read: {error}") from None
    if b"\0" in data[:4096]:
        raise FileError(f"the deck {path} is no text: it holds zero bytes; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


class Source:
    """Where the text of a deck comes from, and which files it may include.

    Args:
        path: of the deck, or None for a text.
        anywhere: whether included files may lie outside the deck's folder.
        folders: where included files are looked for after the folder of the file that includes them.
    """

    def __init__(self, path: Path | None, anywhere: bool = False, folders=()):
        self.home = path.resolve().parent if path else None
        self.anywhere = anywhere
        self.folders = [Path(each).resolve() for each in folders]

    def find(self, name: str, near: Path | None, place: Place) -> Path:
        """Return the file of that name, next to the file `near` that asks for it, or in one of the folders."""
        name = name.strip("\"'<>").replace("\\", "/")
        start = [near.parent] if near else []
        if not start and not self.folders:
            raise place.error(f"a deck that is given as a text has no folder in which {name} could be; give folders=")
        for folder in [*start, *self.folders]:
            for found in (folder / name, _any_case(folder / name)):
                if found and found.is_file():
                    return self._allowed(found.resolve(), place)
        looked = ", ".join(str(each) for each in [*start, *self.folders])
        raise place.error(f"there is no file {name} in {looked}; give its folder in folders=")

    def _allowed(self, path, place):
        inside = [self.home, *self.folders]
        if self.anywhere or any(path.is_relative_to(each) for each in inside if each):
            return path
        raise place.error(f"{path.name} lies outside the deck's folder; give its folder in folders=, or anywhere=True, "
                          "if you trust the deck")


def _any_case(path):
    """Return the one file in its folder whose name differs by upper and lower case only."""
    try:
        found = [each for each in path.parent.iterdir() if each.name.casefold() == path.name.casefold()]
    except OSError:
        return None
    return found[0] if len(found) == 1 else None


def logical_lines(text: str, source: Source, path: Path | None = None, above=()) -> list[Line]:
    """Return the lines of a text and of the files that it includes."""
    file, found = path.name if path else "", []
    for place, raw in _joined(text.replace("\ufeff", ""), file):
        words, remark = split(raw.lower(), place)
        if not words:
            raise place.error("there is nothing but brackets or commas on the line; write an element, or remove it")
        if words[0] in (".include", ".inc"):
            name = raw.split(None, 1)[1].strip() if len(words) > 1 else ""
            if not name:
                raise place.error(".include needs the name of a file")
            other = source.find(name, path, place)
            if other in above or len(above) > DEEPEST:
                raise place.error(f"{other.name} includes itself")
            found += logical_lines(read_text(other), source, other, (*above, other))
        elif words[0] == ".end":
            break
        else:
            found.append(Line(place, words, raw, remark))
    return found


def _joined(text, file):
    """Yield (place, text) of logical lines: without remarks of whole lines, with continuations."""
    held = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(?:^|\s)[$;].*", "", raw.replace("\t", " ")).strip()
        if not line or line[0] in "*#" or line.startswith("//"):
            continue
        if line[0] == "+":
            if held is None:
                raise Place(file, number).error("a continuation line needs a line before it")
            held = (held[0], f"{held[1]} {line[1:].strip()}")
        else:
            if held:
                yield held
            held = (Place(file, number), line)
    if held:
        yield held


def split(text: str, place: Place) -> tuple[list[str], str]:
    """Return the words of a line, and the remark that a word beginning with * starts.

    Words end at spaces and commas outside brackets, braces and quotes; `name = value` becomes one word. The text
    of .param is kept whole.
    """
    text = re.sub(r"\s*=\s*", "=", text)
    if text.startswith(".param"):
        command, _, rest = text.partition(" ")
        return [command, rest.strip()] if rest.strip() else [command], ""
    text = re.sub(rf"\b({'|'.join(SHAPES)})\s+\(", r"\1(", text)
    words, word, depth, quoted = [], "", 0, False
    for at, letter in enumerate(text):
        outside = depth == 0 and not quoted
        if outside and letter in " ,":
            words += [word] if word else []
            word = ""
            continue
        if outside and letter == "*" and not word and words:
            return _checked(words, place), text[at + 1:].strip()
        quoted ^= letter == "'"
        depth += (letter in "({") - (letter in ")}")
        if depth < 0:
            if not text[at:].strip(") "):
                break  # JSIM takes decks with one too many at the end
            raise place.error(f"a closing bracket has no opening one before it, in {text!r}; remove it")
        word += letter
    if depth > 0 or quoted:
        what = "quotation mark" if quoted else "bracket"
        raise place.error(f"a {what} is not closed, in {text!r}; close it")
    return _checked([*words, *([word] if word else [])], place), ""


def _checked(words, place):
    return [] if all(not word.strip("(){}") for word in words) else words

"""A whole forum post, prose and code and the debris of copying: its formulas, its forward lines, its question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from whence.messages.errors import LimitError, WhenceError
from whence.read.layer_names import adjoint_of
from whence.read.lines import Line
from whence.read.presupposed import is_backward
from whence.read.reading import read_typed
from whence.read.syntax import Name
from whence.read.vocabulary import known_function

POST_LIMIT = 100_000
FORWARD, BACKWARD, OTHER = "forward", "backward", "other"

_FENCE = re.compile(r"\s*(?:```|~~~)")
_DISPLAYED = re.compile(
    r"\$\$([^$]{1,4000})\$\$|(?<![\w^\])}])\\\[((?:(?!\\\[).){1,4000}?)\\\]|\\begin\{(?:align|equation|gather)\*?\}(.{1,4000}?)\\end\{",
    re.DOTALL,
)
_INLINE = re.compile(r"`([^`\n]+)`|\$([^$\n]+)\$|\\\(((?:(?!\\\().){1,500}?)\\\)")
_ESCAPED = re.compile(r"\\([\[\]*_^()#+\-.!`~>|{}])")
_DEBRIS = re.compile(
    r"<[^>\n]{1,40}>|\[\^\w+\]:?|↩︎?|​|!\[[^\]]{0,200}\]\([^)]{0,400}\)|^\s*(?:>\s*)+|^\s*(?:[-*+]|\d+[.)])\s+(?=\S)|&nbsp;"
)
_LINK = re.compile(r"\[([^\]\[]{1,300})\]\((?:https?:)?//[^)]{0,400}\)|https?://\S+")
_BOLD = re.compile(r"\*\*(?=\S)([^*]{1,300})\*\*|__(?=\S)([^_]{1,300})__")
_DECLARES = re.compile(r"\s*(?:(?:shapes?|assume)\s+[\w^\[\]]+\s*:|functions?\s+\w+\s*\Z)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?:])\s+")
_UNCLEAR = re.compile(r"understand|confus|wonder|stuck|derive|where|why|how")
_PROSE = re.compile(r"[A-Za-z][a-z']{2,}")  # a word that is no name: three letters, the later ones small
_RUN = re.compile(r"[\w']+(?:[ ,]+[\w']+){3,}")  # four words or names side by side, without a sign
_WORD = re.compile(r"(?<![\w'])[A-Za-z]?[a-z']{2,}(?![\w'])")
_SIGN = re.compile(r"[=^*/+@⊙∘ᵀ'′’\[\]()_\d-]")
_STRONG = re.compile(r"=|\^|\*|⊙|ᵀ|@|\.T\b|[A-Za-z]\[\w+\]|['′’]\s*[(\[]")
_SHORT_WORDS = frozenset(
    {"is", "in", "a", "i", "it", "to", "of", "so", "we", "my", "if", "as", "by", "an", "on", "or", "at", "be", "do",
     "me", "no", "us", "up", "ok", "am", "he", "hi", "oh", "vs", "eg", "ie"}
)  # fmt: skip
_SPACED = frozenset({"+", "-", "−", "*", "/", "=", "@", ".", "·", "⊙", "x", "×", ":="})


@dataclass(frozen=True)
class Found:
    """A formula of a post: what was typed in which line, how it is read, and what it is; or why it is not read."""

    line: int
    typed: str
    canonical: tuple[str, ...] = ()
    kind: str = OTHER
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Post:
    """What stands in a post."""

    found: tuple[Found, ...] = ()
    question: str = ""
    question_line: int = 0
    target: str = ""  # the gradient that is asked for, dZ1
    declarations: tuple[str, ...] = ()  # lines such as `shape X: n x m`

    def of_kind(self, kind: str) -> list[Found]:
        return [f for f in self.found if f.kind == kind and not f.error]

    def model(self) -> str:
        """The forward lines as one text in the canonical language, with what the post declares; "" without lines."""
        lines = list(dict.fromkeys(text for f in self.of_kind(FORWARD) for text in f.canonical))
        return "\n".join([*self.declarations, *lines]) if lines else ""


@dataclass
class _Blocks:
    """The pieces of a post: code blocks whole, formulas between signs, lines of prose."""

    code: list[tuple[int, str]] = field(default_factory=list)
    formulas: list[tuple[int, str]] = field(default_factory=list)
    prose: list[tuple[int, str]] = field(default_factory=list)


def looks_like_post(text: str) -> bool:
    """Is a text prose with formulas in it, and not formulas alone?

    >>> looks_like_post("Why is W2 transposed in dZ1 = W2.T dZ2?"), looks_like_post("Z = W X + b")
    (True, False)
    """
    if any(_FENCE.match(line) for line in text.split("\n")):
        return True
    runs = [run for line in text.split("\n") for run in _RUN.findall(line)]
    return any(len(_WORD.findall(run)) >= 3 for run in runs)


def read_post(text: str) -> Post:
    """The formulas of a post with the lines in which they stand, its forward lines and its question.

    What cannot be read is kept, with the reason. Raises LimitError for a text that is too long.

    >>> post = read_post("Given Z^[1] = W^[1] X + b^[1], why is `dW1 = dZ1 X.T`?")
    >>> [(f.kind, f.canonical) for f in post.found]
    [('forward', ('Z1 = W1 @ X + b1',)), ('backward', ('dW1 = dZ1 @ X.T',))]
    >>> post.target
    'dW1'
    """
    if len(text) > POST_LIMIT:
        raise LimitError("line-too-long", line=1, column=1, found=f"{len(text):,} characters", limit=POST_LIMIT)
    blocks = _blocks(text)
    found: list[Found] = []
    for line, code in blocks.code:
        found += _of_code(line, code)
    for line, formula in blocks.formulas:
        found += _read(line, formula)
    declared = [(n, words) for n, words in blocks.prose if _DECLARES.match(words)]
    for line, words in blocks.prose:
        if (line, words) in declared:
            continue
        for stretch in _stretches(words):
            whole = len(stretch) >= len(words.strip(" .,;:"))
            found += [_in_sentence(f, whole) for f in _read(line, stretch) if not f.error]
    found = _once(sorted(found, key=lambda f: f.line))
    question, at = _question(blocks.prose)
    formulas = tuple(f for f in found if not _is_name(f))
    target = _target([*formulas, *found], question)
    return Post(formulas, question, at, target, tuple(words.strip() for _, words in declared))


# -- taking a post apart


def _blocks(text: str) -> _Blocks:
    blocks = _Blocks()
    lines = text.replace("\r\n", "\n").split("\n")
    kept: list[str] = []
    code: list[str] | None = None
    for number, line in enumerate(lines, start=1):
        if _FENCE.match(line):
            if code:
                blocks.code.append((number - len(code), "\n".join(code)))
            code = [] if code is None else None
            kept.append("")
        elif code is not None:
            code.append(line)
            kept.append("")
        else:
            kept.append(line)
    if code:
        blocks.code.append((len(lines) - len(code) + 1, "\n".join(code)))
    _prose("\n".join(kept), blocks)
    return blocks


def _prose(text: str, blocks: _Blocks) -> None:
    """What stands outside of blocks of code: displayed formulas, then line by line."""

    def displayed(found: re.Match[str]) -> str:
        body = next(group for group in found.groups() if group is not None)
        blocks.formulas.append((text.count("\n", 0, found.start()) + 1, body.strip()))
        return "\n" * found.group().count("\n")

    rest = _DISPLAYED.sub(lambda m: displayed(m) if _is_formula(m.group()) else m.group(), text)
    for number, line in enumerate(rest.split("\n"), start=1):
        bare = _DEBRIS.sub(" ", _LINK.sub(lambda m: m[1] or " ", line))
        for found in _INLINE.finditer(bare):
            body = next(group for group in found.groups() if group is not None)
            if _is_formula(body):
                blocks.formulas.append((number, body.strip()))
        bare = _INLINE.sub(" , ", bare)
        bare = _BOLD.sub(lambda m: m[1] or m[2], _ESCAPED.sub(r"\1", bare))
        if bare.strip():
            blocks.prose.append((number, bare))


def _is_formula(text: str) -> bool:
    return _SIGN.search(text) is not None and len(text) > 2


def _stretches(line: str) -> Iterator[str]:
    """The runs of words in a line of prose that can only be a formula."""
    run: list[str] = []
    for word in [*line.split(), ""]:
        bare = word.strip(',;:?!"“”')
        if bare and _is_mathematical(bare):
            run.append(bare)
            if not word.endswith((",", ";", ":", "?", "!", ".")):
                continue
        text = " ".join(run).rstrip(".")
        if _STRONG.search(text) and len(text) > 3 and re.search(r"[A-Za-z]", text):
            yield _balanced(text)
        run = []


def _is_mathematical(word: str) -> bool:
    """A sign, a name, a call: no word of a sentence."""
    if word in _SPACED:
        return True
    if re.fullmatch(r"[A-Za-z]{1,2}[T\d']*|[A-Z]{1,3}\d*", word) and word.lower() not in _SHORT_WORDS:
        return True
    if _SIGN.search(word) is None:
        return known_function(word) is not None
    words = _PROSE.findall(re.sub(r"(?:np|numpy|torch|jnp)\.\w+(?:\.\w+)*", "", word))
    return all(known_function(w.lower()) or w.startswith("d") or f"{w}(" in word or f"{w}_" in word for w in words)


def _balanced(text: str) -> str:
    """The text without brackets of the sentence round it."""
    while text.endswith(")") and text.count(")") > text.count("("):
        text = text[:-1].rstrip()
    while text.startswith("(") and text.count("(") > text.count(")"):
        text = text[1:].lstrip()
    return text


# -- reading the pieces


def _read(line: int, typed: str) -> list[Found]:
    try:
        reading = read_typed(_ESCAPED.sub(r"\1", typed) if not _is_tex(typed) else typed)
    except WhenceError as error:
        return [Found(line, typed, error=f"{error.message}")]
    out = [
        Found(
            line + one.place.line - 1,
            one.text if len(reading.lines) > 1 else typed,
            (one.canonical(),),
            _kind(one),
            (one,),
            reading.notes,
        )
        for one in reading.lines
    ]
    return out


def _of_code(line: int, code: str) -> list[Found]:
    """A block of code as one text; where that cannot be read, its statements one by one."""
    whole = _read(line, code)
    if not whole[0].error:
        return whole
    return [f for k, text in enumerate(code.split("\n")) if text.strip() for f in _read(line + k, text.strip())]


def _is_tex(text: str) -> bool:
    return re.search(r"\\[A-Za-z]{2,}", text) is not None


def _kind(line: Line) -> str:
    if line.left is None and is_backward(line.target, line.expression):
        return BACKWARD
    return FORWARD if line.target and not line.parameter else OTHER


def _in_sentence(found: Found, whole: bool) -> Found:
    """A formula of a line of prose; `z = Z1` within a sentence says what z stands for there, and defines nothing."""
    renames = not whole and bool(found.lines) and isinstance(found.lines[0].expression, Name)
    return replace(found, kind=OTHER) if renames and found.kind == FORWARD else found


def _is_name(found: Found) -> bool:
    """A name that is only mentioned."""
    return bool(found.lines) and not found.lines[0].target and isinstance(found.lines[0].expression, Name)


def _once(found: list[Found]) -> list[Found]:
    """Each formula once, where it stands first."""
    out: dict[tuple[str, ...], Found] = {}
    for f in found:
        out.setdefault(f.canonical or (f.typed,), f)
    return list(out.values())


def _question(prose: list[tuple[int, str]]) -> tuple[str, int]:
    """The first question, or the first sentence that says what is not understood."""
    sentences = [(number, sentence) for number, line in prose for sentence in _SENTENCE.split(line)]
    asked = [(n, s) for n, s in sentences if s.rstrip().endswith("?")]
    unclear = [(n, s) for n, s in sentences if _UNCLEAR.search(s)]
    for number, sentence in [*asked, *unclear]:
        if len(sentence.split()) > 2:
            return " ".join(sentence.replace(" , ", " … ").split()), number
    return "", 0


def _target(found: list[Found], question: str) -> str:
    """The gradient that is asked for: one that the question names, else that of the first backward formula."""
    for word in re.findall(r"d[A-Za-z]\w*(?:\^?\[\w+\])?", question):
        name = re.sub(r"[\^\[\]]", "", word)
        if adjoint_of(name, True) and re.search(r"\d|[A-Z]", name):
            return name
    for f in found:
        if f.kind == BACKWARD and f.lines and (f.lines[0].target or _is_name(f)):
            return f.lines[0].target or f.canonical[0]
    return ""

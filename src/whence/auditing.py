"""An existing backward pass judged by its arrays: which gradient is wrong, which formula gives it, and where."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from whence.arrays.handed_in import array_of, format_seen, gradients_of
from whence.arrays.places import Place, listed, masks_among, place, wrong_entries
from whence.arrays.rounding import Format, format_of
from whence.arrays.search import ROUGH, Backward, Cause, Given, Line, Search, squeezed
from whence.arrays.shapeless import shape_fault
from whence.arrays.values import as_declared, size_values, total_of
from whence.messages.audits import AUDIT, MISTAKES
from whence.messages.errors import RefusedError, WhenceError
from whence.net import Derivative, Net
from whence.notation.unicode import display_name
from whence.read.syntax import Binary, Expr, Model, Name, Shape, Statement
from whence.shapes.words import is_scalar

if TYPE_CHECKING:
    from numpy import ndarray as Array

SECONDS = 20.0  # for the search of a cause
FORWARD_SECONDS = 10.0  # for that of another forward pass, whose gradients are derived anew
UPSTREAM = "G"
FORWARD_WORDS = frozenset(  # what goes wrong in a forward pass
    ("missing-term", "wrong-sign", "missing-factor", "missing-divisor", "wrong-power", "missing-function")
    + ("missing-mask", "one-less", "sum-over-wrong-axis", "mean-for-sum", "sum-for-mean", "missing-transpose")
    + ("wrong-variable",)
)
PREFIXES = ("d", "grad_", "g_", "d_")


@dataclass(frozen=True)
class Finding:
    """What is said of one gradient.

    `error` is the largest difference over the largest entry; `cause` names the mistake, `formula` the formula that
    gives the wrong numbers (canonical), `place` where they are; empty where there is nothing to say.
    """

    name: str
    verdict: str  # right, wrong
    error: float
    allowed: float
    formula: str = ""
    diagnosis: str = ""
    line: str = ""  # the line of the backward pass in which the mistake is
    cause: str = ""
    place: str = ""
    at: Place | None = None
    sentences: tuple[str, ...] = ()
    heat: Array | None = None  # how far each entry is off, in units of what rounding allows

    def __str__(self) -> str:
        head = f"{display_name(self.name)}  {AUDIT[self.verdict]}: "
        return head + "; ".join(self.sentences)


@dataclass(frozen=True)
class Audit:
    """The findings, in the order of the backward pass. `str()` is the report."""

    findings: tuple[Finding, ...]
    dtype: str
    first_wrong: str = ""

    @property
    def right(self) -> bool:
        return all(f.verdict == "right" for f in self.findings)

    def __getitem__(self, name: str) -> Finding:
        return next(f for f in self.findings if name in (f.name, f.name.removeprefix("d")))

    @property
    def summary(self) -> str:
        """The last sentences: how many are right, and which to look at first."""
        wrong = sum(f.verdict == "wrong" for f in self.findings)
        last = AUDIT["some-wrong"].format(count=wrong, total=len(self.findings))
        if not wrong:
            last = AUDIT["all-right"].format(count=len(self.findings), format=self.dtype)
        if wrong > 1:
            last += "\n" + AUDIT["first"].format(name=display_name(self.first_wrong))
        return last

    def __str__(self) -> str:
        return "\n".join([*map(str, self.findings), self.summary])


def audit(
    function: Callable[..., Any] | Mapping[str, Any],
    model: Net | str,
    inputs: Mapping[str, Any],
    upstream: Any = None,
    dtype: str | None = None,
    shapes: str | Mapping[str, object] | None = None,
    seconds: float = SECONDS,
) -> Audit:
    """The verdict on a backward pass: right within the rounding of its format, or wrong, with the formula it computes.

    `function` is the gradients themselves, by name ("dX" or "X"); or a callable, which is called with the inputs and
    the upstream gradient by name and gives them; or a forward pass in PyTorch or JAX, which is then differentiated.
    `upstream` is the gradient of the model's last line (or a dictionary of several), none where the model ends in a
    cost. `dtype` is float64, float32, bf16 or fp16; by default the shortest format that holds the numbers.

    Raises ReadError and ShapeError for the model, RefusedError `array-shape` and `no-value` for the arrays.

    >>> import numpy as np
    >>> x, w = np.arange(6.0).reshape(2, 3), np.ones((3, 1))
    >>> report = audit({"dw": x.T @ x @ w}, "J = norm(x @ w)^2/2", {"x": x, "w": w}, shapes="x: m x n, w: n")
    >>> print(report)
    dw  right: equal in every digit
    1 of 1 gradients are right within float64 rounding.
    >>> report = audit({"dw": x.T @ x @ w * 2}, "J = norm(x @ w)^2/2", {"x": x, "w": w}, shapes="x: m x n, w: n")
    >>> report["dw"].verdict, report["dw"].diagnosis, report["dw"].formula
    ('wrong', 'extra-factor', 'x.T @ x @ w * 2')
    """
    net, given = _with_cost(_net(model, shapes), inputs, upstream)
    found = gradients_of(function, inputs, upstream)
    format = format_of(dtype) if dtype else format_seen(found)
    return _Auditor(net, given, found, format, seconds).audit()


def _net(model: Net | str, shapes: str | Mapping[str, object] | None) -> Net:
    if isinstance(model, Net):
        return model
    from whence.read.model import read_model

    return Net(read_model(model, shapes))  # type: ignore[arg-type]  # the reader says what of it it cannot take


def _with_cost(net: Net, inputs: Mapping[str, Any], upstream: Any) -> tuple[Net, dict[str, Array]]:
    """The model with the cost sum(G*Y) behind it where an upstream gradient G of Y is given, and its arrays."""
    known = [*net.engine.inputs, *net.shapes.dims]
    arrays = {n: array_of(x) for key, x in inputs.items() if (n := _spelled(key, known))}
    last = net.model.targets[-1]
    given = dict(upstream) if isinstance(upstream, Mapping) else {} if upstream is None else {"d" + last: upstream}
    for key in list(given):
        missing = [n for n in net.engine.inputs if n not in arrays]
        alone = missing[0] if len(missing) == 1 and not _target(net, key) else ""
        if key in missing or alone:  # the model has the upstream gradient among its inputs
            arrays[alone or key] = array_of(given.pop(key))
    if not given:
        return net, arrays
    total: Expr | None = None
    shapes: dict[str, Shape] = dict(net.model.shapes)
    for key, x in given.items():
        of = _target(net, key) or last
        name = _free(net, UPSTREAM if len(given) == 1 else f"{UPSTREAM}_{of}")
        arrays[name] = array_of(x)
        shapes[name] = tuple(d.number or str(d) for d in net.engine.shapes[of])
        product = Binary("*", Name(name), Name(of))
        summed: Expr = product if is_scalar(net.engine.shapes[of]) else total_of(product)
        total = summed if total is None else Binary("+", total, summed)
    if total is None:
        return net, arrays
    cost = Statement(_free(net, "J"), total, len(net.model.statements) + 1)
    model: Model = replace(net.model, statements=(*net.model.statements, cost), shapes=shapes)
    return Net(model), arrays


def _spelled(key: str, names: Sequence[str]) -> str:
    """The name that is meant by another spelling: x for X, grad_x and dx for X with its d; "" where none is."""
    words = {key, key.lower()}
    for start in PREFIXES:
        words |= {w.removeprefix(start) for w in (key, key.lower()) if w.startswith(start)}
    if key in names:
        return key
    return next((n for n in names if n in words), "") or next((n for n in names if n.lower() in words), "")


def _target(net: Net, key: str) -> str:
    """The name by which a gradient is one."""
    names = [*net.engine.shapes]
    plain = key.removeprefix("d")
    return plain if key not in names and plain in names else _spelled(key, names)


def _free(net: Net, name: str) -> str:
    taken = {*net.engine.shapes, *net.shapes.dims, *net.model.functions}
    return next(n for n in (name, *(f"{name}{k}" for k in range(1, 100))) if n not in taken)


def _lines(net: Net, derivatives: Sequence[Derivative]) -> list[Line]:
    """Both passes, line by line."""
    reach = net.reach(net.cost)
    forward = [Line(s.target, s.expression, True) for s in net.model.statements if s.target in reach]
    adjoints: dict[str, tuple[str, Expr]] = {}
    for d in derivatives:
        adjoints.update(d.answer.adjoints)
    adjoints.update({d.name: (d.wrt[0], d.answer.tree) for d in derivatives})
    order = [*reversed(net.model.targets), *net.engine.inputs]
    return [*forward, *(Line(n, tree) for n, (_, tree) in sorted(adjoints.items(), key=lambda t: order.index(t[1][0])))]


class _Auditor:
    """Works on one set of arrays."""

    def __init__(
        self, net: Net, arrays: dict[str, Array], found: dict[str, Array], format: Format, seconds: float
    ) -> None:
        self.net, self.format, self.seconds = net, format, seconds
        self.reach = net.reach(net.cost)
        needed = {n: s for n, s in net.engine.inputs.items() if n in self.reach}
        missing = [n for n in needed if n not in arrays]
        if missing:
            raise RefusedError("array-missing", found=", ".join(missing))
        sizes = size_values(needed, arrays)
        self.inputs = {n: as_declared(n, arrays[n], s, sizes) for n, s in needed.items()}
        self.sizes = sizes | {n: int(arrays[n]) for n in net.shapes.dims if n not in sizes and n in arrays}
        self.derivatives = self._derivatives(found)
        self.backward = self._backward()
        self.given = {d.name: self._given(d, found[d.wrt[0]]) for d in self.derivatives}

    def _derivatives(self, found: dict[str, Array]) -> list[Derivative]:
        """Those handed in, in the order of the backward pass."""
        named = {_target(self.net, n) or self.net.named(n): x for n, x in found.items()}
        found.clear()
        found.update(named)
        order = [*reversed(self.net.model.targets), *self.net.engine.inputs]
        return [self.net.gradient(n) for n in sorted(named, key=order.index)]

    def _backward(self) -> Backward:
        lines = _lines(self.net, self.derivatives)
        return Backward(lines, self.inputs, self.sizes, self.net.model.defined, self.format, self._expanded)

    def _expanded(self, name: str) -> Expr | None:
        """A gradient's formula without adjoint names, where it uses any."""
        d = next(d for d in self.derivatives if d.name == name)
        return self.net.answer(d.question, use_adjoints=False).tree if d.answer.adjoints else None

    def _given(self, d: Derivative, got: Array) -> Given:
        exact = self.backward.exact.names[d.name]
        if got.shape != exact.shape and squeezed(got) == squeezed(exact):
            got = got.reshape(exact.shape)
        return Given(d.name, got, exact, self.backward.envelope(d.name))

    # ------------------------------------------------------------ verdicts
    def audit(self) -> Audit:
        wrong = [g for g in self.given.values() if not g.inside()]
        doubtful = [g for g in self.given.values() if g.inside() and g.loose]
        causes: dict[str, Cause] = {}
        inherited: dict[str, str] = {}
        if wrong:
            inherited = self._inherited(wrong)
            own = [g for g in wrong if g.name not in inherited and shape_fault(g) is None]
            searched = [g for g in own if self._focused(g)]
            found = Search(self.backward, searched, self.seconds).run() if searched else []
            if len(found) != 1 or not found[0].complete or len(found[0].explains) < len(searched):
                found = [*self._of_another_forward(searched), *found]
            for cause in found:
                causes.update({n: cause for n in cause.explains if n not in causes})
        for g in doubtful:
            hidden = Search(self.backward, [g], self.seconds).hidden()
            if hidden is not None:
                causes[g.name] = hidden
                wrong.append(g)
        names = {g.name for g in wrong}
        findings = [
            self._wrong(g, causes.get(g.name), inherited.get(g.name, "")) if g.name in names else self._right(g)
            for g in self.given.values()
        ]
        first = next((f.name for f in findings if f.verdict == "wrong"), "")
        return Audit(tuple(findings), self.format.name, first)

    def _of_another_forward(self, wrong: Sequence[Given]) -> list[Cause]:
        """The mistake in a line of the forward pass whose own right gradients these are, if there is one."""
        end = time.monotonic() + FORWARD_SECONDS
        search = Search(self.backward, wrong, FORWARD_SECONDS)
        names = tuple(g.name for g in wrong)
        for line in reversed(self.backward.lines):
            if not line.forward or line.name == self.net.cost or not wrong:
                continue
            for fault in self.backward.faults(line):
                if time.monotonic() > end:
                    return []
                if fault.word not in FORWARD_WORDS:
                    continue
                values = self._rederived(line, fault.tree, names)
                if values and all(search.explains(n, values[n]) for n in names):
                    left = max(self.given[n].left_by(values[n]) for n in names)
                    return [Cause(line, fault, names, True, left)]
        return []

    def _rederived(self, line: Line, tree: Expr, names: Sequence[str]) -> dict[str, Array]:
        """The values of gradients derived anew where one line of the forward pass is another; {} where it has none."""
        import numpy as np

        statements = tuple(
            replace(s, expression=tree) if s.target == line.name else s for s in self.net.model.statements
        )
        try:
            if self.backward.exact.of(tree, keep=False).shape != self.backward.exact.names[line.name].shape:
                return {}
            net = Net(replace(self.net.model, statements=statements))
            derivatives = [net.gradient(n) for n in names]
            with np.errstate(all="ignore"):
                anew = Backward(
                    _lines(net, derivatives), self.inputs, self.sizes, net.model.defined, self.format, lambda _: None
                )
        except (WhenceError, *ROUGH):  # the other line does not fit, or has no derivative
            return {}
        return {n: anew.exact.names[n] for n in names}

    def _focused(self, g: Given) -> bool:
        """Is there a formula to look for? Where a block is wrong, that of the block; zeros and NaN have none."""
        at = self._place(g)
        if at is None or at.everywhere and not at.not_finite:
            return True
        if at.not_finite == at.count or self._zeros(g, at):
            return False
        if at.full and not at.everywhere:
            g.focus = wrong_entries(g.got, g.exact, g.allowed)
        return True

    def _zeros(self, g: Given, at: Place) -> bool:
        """Are the wrong entries those of a block that is 0?"""
        if at.everywhere:
            return False
        bad = wrong_entries(g.got, g.exact, g.allowed)
        return not g.got[bad].any()

    def _inherited(self, wrong: Sequence[Given]) -> dict[str, str]:
        """The gradients that are right, given the wrong ones that were handed in: by name, what they inherit from."""
        out: dict[str, str] = {}
        before: dict[str, Array] = {}
        named = {line.name: line for line in self.backward.lines if not line.forward}
        for g in wrong:
            uses = self.backward.changed_by(named[g.name], before)
            if uses is not None and g.explained_by(uses[1]):
                out[g.name] = uses[0]
            if g.got.shape == g.exact.shape:
                before[g.name] = g.got
        return out

    def _right(self, g: Given) -> Finding:
        error = _error(g)
        said = AUDIT["within"].format(error=f"{error:.1g}", format=self.format.name) if error else AUDIT["to-the-bit"]
        return Finding(g.name, "right", error, _allowed(g), sentences=(said,))

    def _wrong(self, g: Given, cause: Cause | None, inherited: str) -> Finding:
        error, said = _error(g), []
        shape = shape_fault(g)
        if g.got.shape != g.exact.shape:
            said.append(AUDIT["shape"].format(found=_shape(g.got), expected=_shape(g.exact)))
        elif error < float("inf"):
            times = error / _allowed(g) if _allowed(g) else 0.0
            key = "off" if 1 < times < 1e4 else "off-alone"
            said.append(AUDIT[key].format(error=f"{error:.2g}", times=f"{times:.0f}×", format=self.format.name))
        at = self._place(g)
        where = self._where(g, at) if at is not None else ""
        finding = Finding(g.name, "wrong", error, _allowed(g), at=at, place=where, heat=_heat(g))
        if inherited:
            mistake = MISTAKES["inherited"].format(part=display_name(inherited))
            finding = replace(finding, diagnosis="inherited", line=inherited, cause=mistake)
            said.append(mistake)
        elif shape is not None:
            word, part = shape
            mistake = MISTAKES[word].format(part=self._axis_text(g, part))
            finding = replace(finding, diagnosis=word, line=g.name, cause=mistake)
            said.append(mistake)
        elif cause is not None:
            finding = self._named(finding, cause)
            said.append(finding.cause)
            share = 0.0 if cause.complete else cause.left / g.difference
            left = AUDIT["rest" if share < 0.01 else "rest-small"]
            said.append(left.format(format=self.format.name, share=f"{share:.0%}"))
        if where and (not finding.cause or g.focus is not None):
            said.append(where)
        if not finding.cause and (at is None or at.everywhere):
            said.append(AUDIT["unknown"])
        return replace(finding, sentences=tuple(said))

    def _named(self, finding: Finding, cause: Cause) -> Finding:
        """The finding with its cause in words, and the formula that was computed."""
        from whence.read.canonical import to_text

        fault = cause.fault
        parts = {k: self._text(x) for k, x in (("part", fault.part), ("other", fault.other)) if x is not None}
        mistake = MISTAKES[fault.word].format(**{"part": "", "other": "", **parts})
        formula = f"{display_name(cause.line.name)} = {self._text(fault.tree)}"
        whole = cause.line.name in self.inputs
        text = mistake if whole else AUDIT["cause"].format(mistake=mistake, formula=formula)
        return replace(finding, diagnosis=fault.word, formula=to_text(fault.tree), line=cause.line.name, cause=text)

    def _text(self, tree: Expr) -> str:
        from whence.messages.errors import WhenceError
        from whence.read.canonical import to_text

        try:
            return self.net.text(tree)
        except WhenceError:  # a wrong formula need not fit
            return to_text(tree)

    # ------------------------------------------------------------ places
    def _place(self, g: Given) -> Place | None:
        if g.got.shape != g.exact.shape or not g.got.ndim:
            return None
        bad = wrong_entries(g.got, g.exact, g.allowed)
        good = ~bad & (abs(g.exact) > 2.0 * g.allowed)
        return place(bad, good, g.got, masks_among(self.inputs)) if bad.any() else None

    def _where(self, g: Given, at: Place) -> str:
        said: list[str] = []
        if at.not_finite:
            said.append(AUDIT["not-finite"].format(count=at.not_finite, size=at.size))
            import numpy as np

            if np.abs(g.exact).max() > self.format.largest:
                largest = f"{np.abs(g.exact).max():.3g}"
                end = f"{self.format.largest:.3g}"
                said.append(AUDIT["overflow"].format(format=self.format.name, largest=end, found=largest))
        if at.mask:
            said.append(AUDIT["mask"].format(mask=display_name(at.mask), value=at.mask_value))
        elif at.everywhere:
            said.append(AUDIT["everywhere"] if at.full else AUDIT["scattered"].format(count=at.count, size=at.size))
        else:
            names = self._axes(g)
            places = [
                AUDIT["axis"].format(axis=names[k], indices=listed(indices, g.exact.shape[k]))
                for k, indices in enumerate(at.axes)
                if indices is not None and g.exact.shape[k] > 1
            ]
            said.append(AUDIT["place"].format(places=", ".join(places)))
        if self._zeros(g, at):
            said.append(AUDIT["all-zero"])
        return ", ".join(said)

    def _axes(self, g: Given) -> list[str]:
        """What the axes are called: by their sizes, a matrix's rows and columns too."""
        shape = self.net.engine.shapes[self.net.named(g.name)]
        names = [str(d) for d in shape]
        names += ["1"] * (g.exact.ndim - len(names))  # a column has one size
        words = ("row", "column")
        return [f"{words[k]} ({n})" if len(names) == 2 else n for k, n in enumerate(names)]

    def _axis_text(self, g: Given, sizes: Sequence[int]) -> str:
        """The symbols of axes that should have been summed."""
        out = []
        for n in sizes:
            out.append(next((s for s, v in self.sizes.items() if v == n and s not in out), str(n)))
        return " and ".join(out)


def _error(g: Given) -> float:
    """The largest difference over the largest entry."""
    import numpy as np

    if g.got.shape != g.exact.shape:
        return float("inf")
    top = float(np.max(np.abs(g.exact))) or 1.0
    off = float(np.max(np.abs(g.got - g.exact)))
    return off / top if np.isfinite(off) else float("inf")


def _allowed(g: Given) -> float:
    import numpy as np

    return float(np.max(g.allowed)) / (float(np.max(np.abs(g.exact))) or 1.0)


def _heat(g: Given) -> Array | None:
    import numpy as np

    if g.got.shape != g.exact.shape:
        return None
    with np.errstate(all="ignore"):
        return np.abs(g.got - g.exact) / (g.allowed + 1e-300)


def _shape(x: Array) -> str:
    return " × ".join(map(str, x.shape)) or "a number"

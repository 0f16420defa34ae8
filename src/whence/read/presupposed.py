"""A backward formula alone: the forward lines that it presupposes, read off from its names and from its form.

Two ways lead there. In a network the names say what follows what: dZ1 with W2 and dZ2 means Z2 = W2 A1 + b2 and
A1 = g1(Z1). Elsewhere each linear step of the formula is turned round: `D @ W.T` comes from `Y = X @ W`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from whence.ops.table import TABLE, structured_by
from whence.read.canonical import to_text
from whence.read.layer_names import AFTER, BEFORE, BIAS, WEIGHTS, LayerName, adjoint_of, is_error, layer_name
from whence.read.parser import parse_expression
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Range, Transpose
from whence.read.vocabulary import without_primes
from whence.read.walk import names_in, walk

INPUTS = ("X", "x")
LABELS = frozenset({"Y", "y", "T", "t", "labels", "target", "targets"})
GIVEN_GRADIENT = "G"  # the name of the gradient that comes from behind
# Outputs and losses for which the derivative of the loss by what goes into the output is output minus label; and
# whether the labels of a sample must add up to one.
OUTPUTS = (
    ("sigmoid({z})", "-sum({y} * log({a}) + (1 - {y}) * log(1 - {a}))", False),
    ("softmax({z}, axis={axis})", "-sum({y} * log({a}))", True),
    ("{z}", "sum(({a} - {y})**2)/2", False),
)

GIVEN, SHORTCUT, TURNED = "given", "shortcut", "turned"  # how a forward pass was found
_POINTS = (Fraction(1, 3), Fraction(2, 5), Fraction(-3, 7))


@dataclass(frozen=True)
class Forward:
    """A forward pass: its lines, the line of its cost, whose gradient is asked, shapes, and how it was found."""

    lines: tuple[str, ...]
    cost: str
    target: str
    kind: str
    upstream: str = ""  # the gradient that is given, which stands for all that follows
    shapes: tuple[str, ...] = ()
    rows: bool = False  # the samples are rows
    assume: str = ""  # of the labels
    plain: bool = True  # of products and functions alone


@dataclass(frozen=True)
class _Formula:
    """A formula and what its names say."""

    target: str  # whose gradient it is, "" where that is not written
    tree: Expr
    names: frozenset[str]
    upper: bool  # upper case: a batch

    def adjoints(self) -> list[str]:
        return [name for name in sorted(self.names) if adjoint_of(name, self.upper)]


def presupposed(left: str, tree: Expr) -> list[Forward]:
    """The forward passes that a backward formula can belong to, the likeliest first.

    >>> from whence.read.parser import parse_expression as parse
    >>> presupposed("dZ1", parse("W2.T @ dZ2 * g1_prime(Z1)"))[0].lines
    ('Z1 = W1 @ X + b1', 'A1 = g1(Z1)', 'Z2 = W2 @ A1 + b2')
    """
    upper = is_batch(left, tree)
    tree = with_gradient_names(tree, left)
    formula = _Formula(adjoint_of(left, upper), tree, frozenset(names_in(tree)), upper)
    in_network = list(_in_network(formula))
    turned = [f for f in _turned_round(formula) if not in_network or f.kind != TURNED or f.plain]
    found = [*in_network, *turned]
    return list({(f.lines, f.cost, f.target): f for f in found}.values())


def is_batch(left: str, tree: Expr) -> bool:
    """Do the names mean a batch, or one sample?"""
    return _is_upper({*names_in(tree), left})


def with_gradient_names(tree: Expr, left: str) -> Expr:
    """The formula with d… for every gradient: dZ_l for δ_l."""
    upper = is_batch(left, tree)
    names = {name: adjoint_of(name, upper) for name in names_in(tree)}
    return substituted(tree, {name: Name("d" + of) for name, of in names.items() if of})


def slope_alone(left: str, tree: Expr) -> tuple[str, str] | None:
    """Of a formula that is nothing but the derivative of an activation, the function and the name it is written in."""
    if left or any(adjoint_of(name, True) for name in names_in(tree)):
        return None
    if isinstance(tree, Call) and without_primes(tree.name)[1] == 1 and isinstance(tree.arguments[0], Name):
        return without_primes(tree.name)[0], tree.arguments[0].id
    return _slope_of_value(tree)


def is_backward(left: str, tree: Expr) -> bool:
    """Is a line a backward formula: a gradient on the left, or one or a derivative of a function on the right?"""
    upper = is_batch(left, tree)
    if left:
        return bool(adjoint_of(left, upper))
    gradients = any(adjoint_of(name, upper) for name in names_in(tree))
    return gradients or _slope(tree) is not None or _residual(tree) is not None


def _is_upper(names: set[str]) -> bool:
    """Upper-case quantities before or after the activation mean a batch."""
    plain = {adjoint_of(name, True) or name for name in names if not is_error(name)}
    data = [name for name in map(layer_name, plain) if name.role in (BEFORE, AFTER)]
    lower = [name for name in data if name.stem[0].islower()]
    return not lower or len(lower) < len(data) - len(lower)


# -- networks

SUM, ACTIVATION, NEXT = range(3)  # how far a forward pass reaches: Z, A of the layer, Z of the next


def _in_network(formula: _Formula) -> Iterator[Forward]:
    target = layer_name(formula.target) if formula.target else _target_by_form(formula)
    slope = _slope(formula.tree)
    if slope is not None and slope[1] == formula.target and target is not None:
        target = target.of(_before(formula))  # with the slope of h, the gradient is that by what goes into h
    if target is None or not target.role:
        return
    network = _Network(formula, target)
    residual = _residual(formula.tree)
    if target.role == BEFORE and residual is not None and not formula.adjoints():
        yield from network.outputs(*residual)
    reach = network.reach()
    if reach is not None:
        yield network.forward(reach)


def _target_by_form(formula: _Formula) -> LayerName | None:
    """Whose gradient a formula without a left side is: of what goes into the activation that it has or ends with."""
    before = _before(formula)
    slope = _slope(formula.tree)
    residual = _residual(formula.tree)
    if slope is not None:
        name = layer_name(slope[1])
        return name if name.role != AFTER else name.of(before)
    if residual is not None and not formula.adjoints():
        return layer_name(residual[0]).of(before)
    return None


def _labels(label: str, rows: bool) -> str:
    return f"{label}: {'onehot-last' if rows else 'onehot-columns'}"


def _before(formula: _Formula) -> str:
    return BEFORE if formula.upper else BEFORE.lower()


class _Network:
    """The layers round the quantity whose gradient is asked."""

    def __init__(self, formula: _Formula, target: LayerName) -> None:
        self.formula, self.target = formula, target
        self.upstream = {adjoint_of(name, formula.upper) for name in formula.adjoints()}
        self.rows = _rows_are_samples(formula.tree)
        used = [target, *map(layer_name, sorted({*formula.names, *self.upstream}))]
        self.stems = {role: self.stem(role, used) for role in (WEIGHTS, BEFORE, AFTER, BIAS)}
        self.z = target.moved(1) if target.role == AFTER else target
        self.z = self.z.of(self.stems[BEFORE])
        slope = _slope(formula.tree)
        self.value = slope[1] if slope is not None and layer_name(slope[1]).role == AFTER else ""
        for name in map(layer_name, sorted(self.upstream)):
            if not self.z.layered and name.layered and name.role == BEFORE:
                self.z = name.moved(-1)

    def stem(self, role: str, used: list[LayerName]) -> str:
        """How the text calls weights, activations and so on; X is the input, not an activation."""
        default = role.lower() if role in (BEFORE, AFTER) and not self.formula.upper else role
        return next((n.stem for n in used if n.role == role and n.stem not in INPUTS), default)

    def name(self, role: str, layer: LayerName) -> str:
        if role == AFTER and self.value and layer.of("") == self.z.of(""):
            return self.value
        return layer.of(self.stems[role]).text()

    def inside(self, layer: LayerName) -> str:
        """What goes into a layer: the activation before, in the first layer the input."""
        before = layer.moved(-1)
        name = self.name(AFTER, before)
        used = {self.formula.target, *self.formula.names, *self.upstream}
        if (layer.layered and (layer.letter or before.number != 0)) or name in used:
            return name
        return next((n for n in sorted(used) if n in INPUTS), INPUTS[0 if self.formula.upper else 1])

    def reach(self) -> int | None:
        """How far the forward pass must go, so that the gradients which the formula uses are given at its end."""
        after = self.z.moved(1)
        if self.name(AFTER, self.z) in self.upstream:
            return ACTIVATION
        if self.z.layered and (self.name(BEFORE, after) in self.upstream or self.target.role == BEFORE):
            return NEXT
        if self.name(BEFORE, self.z) in self.upstream and self.target.role != BEFORE:
            return SUM
        return ACTIVATION if self.target.role == BEFORE and not self.upstream else None

    def forward(self, reach: int) -> Forward:
        """The forward pass up to a gradient that is given."""
        a = self.name(AFTER, self.z)
        lines = [self.sum_line(self.z)] if self.z.layered or reach == SUM else []
        shapes = self.shapes(self.z) if lines else [f"{self.z.text()}: {self.shape(self.z)}"]
        if reach != SUM:
            lines.append(f"{a} = {self.function()}({self.z.text()})")
        last = self.z.text() if reach == SUM else a
        if reach == NEXT:
            lines.append(self.sum_line(self.z.moved(1)))
            shapes += self.shapes(self.z.moved(1))[:2]
            last = self.z.moved(1).text()
        shapes.append(f"{GIVEN_GRADIENT}: {self.shape(self.z.moved(1) if reach == NEXT else self.z)}")
        averages = _averages(self.formula.tree) if self.target.role in (WEIGHTS, BIAS) else ""
        cost = f"J = sum({GIVEN_GRADIENT} * {last})" + (f"/{averages}" if averages else "")
        target = self.z.text() if self.target.role == BEFORE else self.target.text()
        target = self.inside(self.z) if self.target.role == AFTER else target
        return Forward(tuple(lines), cost, target, GIVEN, last, tuple(shapes), rows=self.rows)

    def outputs(self, output: str, label: str) -> Iterator[Forward]:
        """The outputs and losses whose gradient is output minus label."""
        lines = (self.sum_line(self.z),) if self.z.layered else ()
        shapes = [*(self.shapes(self.z) if lines else [f"{self.z.text()}: {self.shape(self.z)}"])]
        shapes.append(f"{label}: {self.shape(self.z)}")
        averages = _averages(self.formula.tree)
        for activation, loss, one_hot in OUTPUTS:
            line = f"{output} = {activation.format(z=self.z.text(), axis=1 if self.rows else 0)}"
            cost = f"J = {loss.format(a=output, y=label)}" + (f"/{averages}" if averages else "")
            yield Forward(
                (*lines, line),
                cost,
                self.z.text(),
                SHORTCUT,
                "",
                tuple(shapes),
                self.rows,
                _labels(label, self.rows) if one_hot else "",
            )

    def function(self) -> str:
        """The activation: the one whose derivative the formula has, else one of the layer's own."""
        slope = _slope(self.formula.tree)
        return slope[0] if slope is not None else self.z.of("g").text()

    def sum_line(self, z: LayerName) -> str:
        w, b, a = self.name(WEIGHTS, z), self.name(BIAS, z), self.inside(z)
        return f"{z.text()} = {f'{a} @ {w}' if self.rows else f'{w} @ {a}'} + {b}"

    def shapes(self, z: LayerName) -> list[str]:
        """The shapes of a layer's weights, bias and input."""
        inside, size = self.size(z.moved(-1), "k"), self.size(z)
        w, b, a = self.name(WEIGHTS, z), self.name(BIAS, z), self.inside(z)
        if self.rows:
            return [f"{w}: {inside} x {size}", f"{b}: 1 x {size}", f"{a}: {self.shape(z.moved(-1), 'k')}"]
        return [f"{w}: {size} x {inside}", f"{b}: {size} x 1", f"{a}: {self.shape(z.moved(-1), 'k')}"]

    @staticmethod
    def size(layer: LayerName, other: str = "n") -> str:
        return layer.of("n").text() if layer.layered else other

    def shape(self, layer: LayerName, other: str = "n") -> str:
        """Of what goes through a layer: one vector, or one for each sample."""
        size, samples = self.size(layer, other), "m" if self.formula.upper else "1"
        return f"{samples} x {size}" if self.rows else f"{size} x {samples}"


def _rows_are_samples(tree: Expr) -> bool:
    """Are the samples rows, as D @ W.T and X.T @ D have it?"""
    for node in walk(tree):
        if isinstance(node, Binary) and node.operator == "@":
            left, right = _core(node.left), _core(node.right)
            if right.role == WEIGHTS and left.role != WEIGHTS:
                return True
            if isinstance(node.left, Transpose) and left.role == AFTER:
                return True
        if isinstance(node, Call) and any(w == "axis" and to_text(v) == "0" for w, v in node.keywords):
            return True
    return False


def _core(node: Expr) -> LayerName:
    """The name under transposes."""
    while isinstance(node, Transpose):
        node = node.operand
    return layer_name(node.id) if isinstance(node, Name) else LayerName("")


def _averages(tree: Expr) -> str:
    """The number of samples by which a formula divides: m of 1/m, or ""."""
    for node in walk(tree):
        if isinstance(node, Binary) and node.operator == "/" and (samples := _samples(node.right)):
            return samples
    return ""


def _samples(node: Expr) -> str:
    """The name that a number of samples has."""
    return node.id if isinstance(node, Name) and node.id in ("m", "n", "N", "M") else ""


def _residual(tree: Expr) -> tuple[str, str] | None:
    """Output and label of a difference such as A2 - Y."""
    for node in walk(tree):
        if not isinstance(node, Binary) or node.operator != "-":
            continue
        output, label = node.left, node.right
        if isinstance(output, Name) and isinstance(label, Name) and layer_name(label.id).stem in LABELS:
            return (output.id, label.id) if layer_name(output.id).role == AFTER else None
    return None


# -- derivatives of activations


def _slope(tree: Expr) -> tuple[str, str] | None:
    """The function whose derivative a formula has as a factor, and of what: g1′(Z1), or 1 - A1² of tanh."""
    for node in walk(tree):
        if isinstance(node, Call) and without_primes(node.name)[1]:
            argument = node.arguments[0]
            if isinstance(argument, Name):
                return without_primes(node.name)[0], argument.id
    parts = [node for node in walk(tree) if not isinstance(node, Range)]
    return next(filter(None, map(_slope_of_value, [*_products_by_name(tree), *parts])), None)


def _products_by_name(tree: Expr) -> list[Expr]:
    """The factors of a product that have one name and no other, multiplied: h(1 - h) of D h (1 - h)."""
    factors: list[Expr] = []
    while isinstance(tree, Binary) and tree.operator == "*":
        factors.insert(0, tree.right)
        tree = tree.left
    by_name: dict[frozenset[str], Expr] = {}
    for factor in [tree, *factors]:
        names = frozenset(names_in(factor))
        by_name[names] = Binary("*", by_name[names], factor) if names in by_name else factor
    return list(by_name.values())


def _slope_of_value(tree: Expr) -> tuple[str, str] | None:
    """A function whose derivative is this formula of its value alone, and the value's name: 1 - A1² is of tanh."""
    names = names_in(tree)
    if len(names) != 1 or isinstance(tree, Name):
        return None
    (name,) = names
    values = [_value(tree, {name: point}) for point in _POINTS]
    if None in values:
        return None
    for op in TABLE.values():
        factor, sign, rest = op.differential.partition(" * δX")
        if op.kind != "elementwise" or op.takes != "X" or not sign or rest or "X" in factor or factor == "Y":
            continue
        slope = parse_expression(factor, dialect="canonical")
        if [_value(slope, {"Y": point}) for point in _POINTS] == values:
            return op.name, name
    return None


def _value(tree: Expr, at: dict[str, Fraction]) -> Fraction | None:
    """The value of a formula of numbers with + - * / and whole powers; None for any other."""
    if isinstance(tree, Number):
        return Fraction(tree.value)
    if isinstance(tree, Name):
        return at.get(tree.id)
    if isinstance(tree, Negative):
        value = _value(tree.operand, at)
        return -value if value is not None else None
    if not isinstance(tree, Binary) or tree.operator not in "+-*/**":
        return None
    a, b = _value(tree.left, at), _value(tree.right, at)
    if a is None or b is None or (tree.operator == "/" and b == 0):
        return None
    if tree.operator == "**":
        return a ** int(b) if b.denominator == 1 and 0 <= b <= 4 else None
    return {"+": a + b, "-": a - b, "*": a * b}.get(tree.operator, a / b if b else None)


# -- formulas turned round


def _turned_round(formula: _Formula) -> Iterator[Forward]:
    """The forward pass of which a chain of linear steps is the way back."""
    residual = _residual(formula.tree)
    if residual is not None and not formula.adjoints():
        yield from _to_outputs(formula, *residual)
    for upstream in formula.adjoints():
        output = adjoint_of(upstream, formula.upper)
        turned = _Turned(formula, Name(upstream))
        if turned.walk() and turned.wanted != output:
            cost = f"J = sum({GIVEN_GRADIENT} * {output}){turned.averages}"
            yield Forward((*turned.lines, turned.line(output)), cost, turned.wanted, TURNED, output, plain=turned.plain)


def _to_outputs(formula: _Formula, output: str, label: str) -> Iterator[Forward]:
    """Where output minus label comes in: X.T @ (H - Y) goes through what goes into the output."""
    residual = Binary("-", Name(output), Name(label))
    turned = _Turned(formula, residual)
    if formula.target in ("", output) or layer_name(formula.target).role == BEFORE or not turned.walk():
        return
    z = layer_name(output).of(_before(formula)).text()
    rows = _rows_are_samples(formula.tree)
    for activation, loss, one_hot in OUTPUTS:
        lines = (*turned.lines, turned.line(z), f"{output} = {activation.format(z=z, axis=1 if rows else 0)}")
        cost = f"J = {loss.format(a=output, y=label)}{turned.averages}"
        yield Forward(lines, cost, turned.wanted, SHORTCUT, rows=rows, assume=_labels(label, rows) if one_hot else "")


class _Turned:
    """Goes from the whole formula in to the gradient that comes from behind, and builds the way forward."""

    def __init__(self, formula: _Formula, upstream: Expr) -> None:
        self.tree, self.upstream = formula.tree, upstream
        self.wanted = formula.target or _wanted(formula.tree, upstream)
        self.value = self.wanted
        self.lines: list[str] = []
        self.averages = ""  # of the cost: "/m"
        self.plain = True

    def line(self, output: str) -> str:
        text = self.value
        return f"{output} = {text[1:-1] if _wrapped(text) else text}"

    def walk(self) -> bool:
        """False where a step is not linear, or uses what is wanted."""
        tree = self.tree
        used = names_in(self.upstream)
        if not self.wanted or sum(node == self.upstream for node in walk(tree)) != 1:
            return False
        while tree != self.upstream:
            if isinstance(tree, Negative):
                tree, self.value = tree.operand, f"(-{self.value})"
                continue
            if isinstance(tree, Call) and tree.name == structured_by("sum").name and tree.keywords:
                tree, self.value = tree.arguments[0], f"(U + {self.value})"
                continue
            if not isinstance(tree, Binary) or tree.operator not in ("@", "*", "/"):
                return False
            on_left = used <= names_in(tree.left)
            through, other = (tree.left, tree.right) if on_left else (tree.right, tree.left)
            if names_in(other) & {*used, self.wanted} and not _slope_at(other, self.value):
                return False
            if tree.operator == "/" and not on_left:
                return False
            self.step(tree.operator, other, on_left)
            tree = through
        return True

    def step(self, operator: str, other: Expr, on_left: bool) -> None:
        if operator == "@":
            turned = to_text(other.operand) if isinstance(other, Transpose) else to_text(Transpose(other))
            self.value = f"({self.value} @ {turned})" if on_left else f"({turned} @ {self.value})"
        elif operator == "/" and _samples(other):
            self.averages = f"/{_samples(other)}"
        elif operator == "*" and isinstance(other, Binary) and other.operator == "/" and _samples(other.right):
            self.averages = f"/{_samples(other.right)}"
        elif (function := _slope_at(other, self.value)) != "":
            self.lines.append(f"H = {function}({self.value})")
            self.value = "H"
        else:
            self.plain = False
            self.value = f"({self.value} {operator} ({to_text(other)}))"


def _slope_at(node: Expr, value: str) -> str:
    """The function g of a factor g′(value), "" where it is none."""
    if isinstance(node, Call) and without_primes(node.name)[1] == 1 and to_text(node.arguments[0]) == value:
        return without_primes(node.name)[0]
    return ""


def _wanted(tree: Expr, upstream: Expr) -> str:
    """Whose gradient a product without a left side is: beside weights the input's, beside an input the weights'."""
    if isinstance(tree, Call) and tree.keywords:
        return BIAS
    if isinstance(tree, Binary) and tree.operator == "@":
        other = _core(tree.right if upstream == tree.left else tree.left)
        return {WEIGHTS: INPUTS[0], AFTER: WEIGHTS}.get(other.role, "")
    return ""


def _wrapped(text: str) -> bool:
    """Is the whole text in one pair of brackets?"""
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return k == len(text) - 1 and text[0] == "("
    return False

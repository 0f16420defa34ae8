"""Arrays that are zero off a diagonal of blocks: the blocks are added where they belong; no zeros are multiplied."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from whence.emit.graph import ONE, Graph, Node, broadcast, factors_of
from whence.emit.plan import Plan
from whence.emit.writer import Writer

_VIEWS = ("transpose", "reshape", "axes", "index")


@dataclass
class Blocks:
    """What is the same as the node: `rest`, its sign changed if `negative`, and `blocks` added where two axes meet."""

    rest: Node
    negative: bool
    blocks: list[tuple[Node, int, int]]  # the blocks, the two axes

    @property
    def nodes(self) -> list[Node]:
        return [self.rest, *(b for b, _, _ in self.blocks)]

    def written(self, name: str, made: list[Node], writer: Writer, plan: Plan) -> list[str]:
        """The lines that give the array this name; `made` are the nodes as they were planned."""
        rest, *blocks = made
        base = rest
        while base.kind in _VIEWS and base not in writer.called:
            base = base.inputs[0]
        text = writer.text(rest)
        lines = [f"{name} = np.array({text})" if base in writer.called or base.kind == "input" else f"{name} = {text}"]
        lines += [f"np.negative({name}, out={name})"] if self.negative else []
        counted: dict[str, str] = {}
        for block, (_, p, q) in zip(blocks, self.blocks, strict=True):
            size = f"{name}.shape[{p}]"
            if size not in counted:
                counted[size] = plan.names.fresh("r")
                lines.append(f"{counted[size]} = np.arange({size})")
            at = ", ".join(counted[size] if k in (p, q) else ":" for k in range(len(self.rest.shape)))
            lines.append(f"{name}[{at}] += {writer.text(block)}")
        return lines


def diagonal_blocks(graph: Graph, node: Node) -> Blocks | None:
    """An array of three or more axes with such terms; None where it has none."""
    if len(node.shape) < 3 or node in graph.named or node.kind not in ("sum", "product"):
        return None
    terms = [(Fraction(1), node)]
    if node.kind == "sum":
        terms = list(zip(node.data, node.inputs, strict=True))
    blocks, others = [], []
    for c, term in terms:
        found = _block(graph, c, term, len(node.shape))
        blocks += [found] if found else []
        others += [] if found else [(c, term)]
    negative = len(others) == 1 and others[0][0] == -1
    rest = others[0][1] if negative else graph.add(others, node.shape)
    return Blocks(rest, negative, blocks) if blocks and rest.shape == node.shape else None


def _block(graph: Graph, c: Fraction, term: Node, rank: int) -> tuple[Node, int, int] | None:
    """(The blocks, the two axes that meet) of a product with an identity over two axes."""
    k, factors = factors_of(term)
    for n, (f, e) in enumerate(factors):
        if e != 1 or f.kind != "axes" or not graph.is_structural(f.inputs[0], "eye") or len(f.shape) != rank:
            continue
        p, q = sorted(f.data.index(axis) for axis in (0, 1))
        others = [*factors[:n], *factors[n + 1 :]]
        shape = broadcast([g.shape for g, _ in others]) if others else ()
        shape = (ONE,) * (rank - len(shape)) + shape
        if not others or ONE not in (shape[p], shape[q]):
            continue
        rest = graph.multiply(c * k, others, shape)
        if len(rest.shape) != rank:
            continue
        kept, lost = (q, p) if shape[p] == ONE else (p, q)
        single = [a for a in range(rank) if a not in (p, q)]
        order = [*single[:p], kept, *single[p:]] if q == p + 1 else [kept, *single]
        return _without(graph, rest, order, lost), p, q
    return None


def _without(graph: Graph, node: Node, order: list[int], lost: int) -> Node:
    """The axes in this order, without the one of length 1 that is lost."""
    if node.kind == "axes" and node not in graph.named:
        places = [node.data[k] for k in order]
        if sorted(places, key=lambda k: -1 if k is None else k) == list(range(len(node.inputs[0].shape))):
            return graph.permuted(node.inputs[0], tuple(k for k in places if k is not None))
    return graph.axes(graph.permuted(node, (*order, lost)), tuple(range(len(order))))

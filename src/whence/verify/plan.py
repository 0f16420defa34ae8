"""A claim compiled at given sizes: the forward text first, then the adjoints' formulas and the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from whence.verify.claim import Claim
from whence.verify.failures import Misfit
from whence.verify.program import Compiler, Program
from whence.verify.sizes import index_names, size_of


@dataclass(frozen=True)
class Part:
    """One derivative to be checked: by which registers, and the register of the formula claimed for it."""

    name: str  # of the adjoint; empty: the answer itself
    by: tuple[int, ...]
    formula: int
    layout: str = "matrix"
    structures: tuple[frozenset[str], ...] = (frozenset(),)


@dataclass
class Plan:
    sizes: dict[str, int]
    program: Program
    shapes: dict[str, tuple[int, ...]]  # of the inputs
    result: int
    forward: int  # the registers below are the forward text
    parts: list[Part] = field(default_factory=list)

    def depends(self, targets: tuple[int, ...]) -> list[int]:
        """The forward registers that change with the targets, in order."""
        moved = set(targets)
        for k in range(self.forward):
            if not moved.isdisjoint(self.program.code[k][1]):
                moved.add(k)
        return sorted(moved)


def prepare(claim: Claim, sizes: dict[str, int]) -> tuple[Plan, Compiler]:
    """Compile the forward text."""
    dims = dict(sizes)
    compiler = Compiler(dims, claim.functions, indices=lambda: _indices(claim, dims), defined=claim.defined)
    compiler.strict = True
    shapes = {}
    for name, declared in claim.variables.items():
        compiler.input(name)
        shapes[name] = tuple(size_of(s, dims) for s in declared)
        if min(shapes[name], default=1) < 1:
            raise Misfit("an empty dimension")
        if len(shapes[name]) == 1:
            shapes[name] = (*shapes[name], 1)
    moved = {*claim.wrt, *(of for of, _ in claim.adjoints.values())}
    for name, expression in claim.definitions:
        register = compiler.add(expression)
        compiler.program.names[name] = compiler.same(register) if name in moved else register
    result = compiler.add(claim.expression)
    compiler.strict = False
    return Plan(dims, compiler.program, shapes, result, len(compiler.program.code)), compiler


def finish(plan: Plan, compiler: Compiler, claim: Claim) -> None:
    """Compile the adjoints' formulas and the answer."""
    names = compiler.program.names
    for name, (of, formula) in claim.adjoints.items():
        register = compiler.add(formula)
        plan.parts.append(Part(name, (_target(names, of),), register))
        names[name] = compiler.in_shape_of(register, _target(names, of))
    by = tuple(_target(names, name) for name in claim.wrt)
    structures = tuple(frozenset(claim.assume.get(name, ())) if claim.structured else frozenset() for name in claim.wrt)
    plan.parts.append(Part("", by, compiler.add(claim.answer), claim.layout, structures))


def _target(names: dict[str, int], name: str) -> int:
    if name not in names:
        raise Misfit(f"unknown name {name}")
    return names[name]


def _indices(claim: Claim, sizes: dict[str, int]) -> dict[str, int]:
    """Values for index names: different ones, as far as the smallest size allows."""
    taken = {*claim.variables, *sizes, *claim.adjoints, *(name for name, _ in claim.definitions)}
    formulas = [e for _, e in claim.definitions] + [claim.expression, claim.answer]
    formulas += [formula for _, formula in claim.adjoints.values()]
    names = sorted({n for e in formulas for n in index_names(e)} - taken)
    low = min(sizes.values(), default=2)
    order = [1, 0, *range(2, low)]
    return {name: order[k % low] for k, name in enumerate(names)}

"""The judge: is this formula the derivative? By exact arithmetic, and by values alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from math import floor, log2, prod
from random import Random, SystemRandom
from typing import Any

from whence.verify import algebra, kernels
from whence.verify.algebra import Array, Ring
from whence.verify.claim import Check, Claim, Witness, canonical_shape, same_shape, vec_shape
from whence.verify.draw import ExactEntries, NumericEntries, draw, filled, small_enough
from whence.verify.exact import ExactRing, Mode
from whence.verify.failures import BadPoint, BadSizes, Failure, Kink, Misfit, NoRoot, NotExact, OutOfDomain, Singular
from whence.verify.numeric import ARITHMETIC_ERRORS, FINE, USUAL, NumericRing
from whence.verify.plan import Part, Plan, finish, prepare
from whence.verify.primes import PrimeSet, fresh_chain, fresh_primes
from whence.verify.sizes import choices

REDRAWS = 50
ROOTLESS = 16  # a number without a root is met again more often than not
RESIZES = 8  # singular points ask for other sizes so many times
MORE_POINTS = 3  # where the degree is so large that four primes alone do not give 2**-128
_PRIME_BITS = 61
_POINTS = {(True, False): 1, (True, True): 3, (False, False): 3, (False, True): 12}  # by value: exact too? with pieces?


def check(claim: Claim, *, random: Random | None = None, sizes: Mapping[str, int] | None = None) -> Check:
    """Is the answer the derivative? Exact arithmetic over random primes, then one point at 50 digits by value.

    `random` replaces the randomness of the operating system (for tests), `sizes` the judge's own choice. A claim that
    cannot be checked is not ok and says why.
    """
    try:
        return Judge(claim, random, sizes).judge()
    except Exception as error:
        # The judge itself broke down: that is no reason to believe the answer.
        return Check(False, reason=f"the check broke down: {type(error).__name__}: {error}")


class Judge:
    """One claim under judgement."""

    def __init__(self, claim: Claim, random: Random | None = None, sizes: Mapping[str, int] | None = None) -> None:
        self.claim = claim
        self.sizes = sizes
        self.own_random = random
        self.random = random or Random(SystemRandom().getrandbits(256))
        self.order = len(claim.wrt)
        self.precision = USUAL[2 if self.order > 1 else 1]
        self.redraws = 0
        self.bound = 0
        self.may_resize = True
        self.masked = False  # signs and extremes: agreement at a point says nothing of the other pieces

    def judge(self) -> Check:
        if not 1 <= self.order <= 2 or self.claim.layout not in ("matrix", "vec"):
            return Check(False, reason="one or two names to differentiate by, layout matrix or vec")
        last, pool, kink = "no sizes", set(), ""
        chosen = choices(self.claim.variables.values()) if self.sizes is None else [dict(self.sizes)]
        for attempt, sizes in enumerate(chosen):
            pool = pool or set(sizes.values())
            if kink and set(sizes.values()) != pool:  # smooth at no order of these sizes: others prove nothing here
                return Check(False, reason=kink, sizes=sizes, redraws=self.redraws)
            self.may_resize = attempt < RESIZES
            try:
                plan, compiler = prepare(self.claim, sizes)
                finish(plan, compiler, self.claim)
                return self._judged(plan)
            except BadSizes as failure:
                last = str(failure)
            except Kink as failure:
                last = kink = str(failure)
            except Failure as failure:
                return Check(False, reason=str(failure), sizes=sizes, redraws=self.redraws)
        return Check(False, reason=last, redraws=self.redraws)

    def _judged(self, plan: Plan) -> Check:
        exact, why = self._exactly(plan)
        rational = plan.program.rational
        if exact is False and (rational or self.masked):
            return self._refused(plan, "differs in exact arithmetic")
        points = _POINTS[bool(exact), plan.program.masked]
        self.precision = (USUAL if exact else FINE)[self.order]
        digits: int | None = None
        for _ in range(points):
            found = self._by_value(plan)
            if isinstance(found, str):
                if exact and rational:
                    return self._passed(plan, True, None, "")
                return Check(False, reason=found, sizes=plan.sizes, redraws=self.redraws)
            if isinstance(found, Witness):
                return Check(False, sizes=plan.sizes, reason="differs by value", witness=found, redraws=self.redraws)
            digits = found if digits is None else min(digits, found)
        return self._passed(plan, bool(exact), digits, "" if exact else "by value only: " + why)

    def _passed(self, plan: Plan, exact: bool, digits: int | None, reason: str) -> Check:
        primes = 4 if exact else 0
        return Check(True, exact, plan.sizes, primes, self.bound if exact else 0, digits, reason, None, self.redraws)

    def _refused(self, plan: Plan, reason: str) -> Check:
        try:
            found = self._by_value(plan)
        except Failure:
            found = None
        witness = found if isinstance(found, Witness) else None
        return Check(False, sizes=plan.sizes, reason=reason, witness=witness, redraws=self.redraws)

    # ---- exact

    def _exactly(self, plan: Plan) -> tuple[bool | None, str]:
        """True or False, or None where exact arithmetic cannot tell (and why)."""
        same, rootless = False, ""
        try:
            for mode in Mode:
                primes = (fresh_primes if mode is Mode.PLAIN else fresh_chain)(self.own_random)
                try:
                    same, ring = self._exact_run(plan, primes, mode)
                    self.masked = ring.masks > 0
                    same = same and self._all_signs(plan, primes, mode, ring) and self._surely(plan, primes, mode)
                except NoRoot as failure:  # sines are real in one mode and not in another
                    rootless = str(failure)
                    continue
                if same or not ring.used_relations or mode is Mode.ADDITIVE and not ring.masks and not rootless:
                    break
        except NotExact as failure:
            return None, str(failure)
        except BadPoint as failure:
            return None, f"no usable point in exact arithmetic ({failure})"
        if rootless and not same:
            return None, f"no usable point in exact arithmetic ({rootless})"
        if same and self.bound > -128:
            return None, "the degree is too large for the exact check to count"
        return same, "" if same else "exact arithmetic does not know a relation between its functions"

    def _exact_run(self, plan: Plan, primes: PrimeSet, mode: Mode) -> tuple[bool, ExactRing]:
        """Whether all parts agree, and the arithmetic in which they did or did not."""
        last: BadPoint = BadPoint("no point")
        for attempt in range(REDRAWS):
            ring = ExactRing(primes, self.random, 1, mode)
            try:
                return self._exact_point(plan, ring), ring
            except NoRoot as failure:
                last = failure
                if attempt >= ROOTLESS:
                    break
            except BadPoint as failure:
                last = failure
                if attempt >= 2 and self.may_resize:
                    raise BadSizes(str(failure)) from None
            self.redraws += 1
        raise last

    def _all_signs(self, plan: Plan, primes: PrimeSet, mode: Mode, ring: ExactRing) -> bool:
        """Further points for a claim with signs, so that their combinations occur.

        In the mode where a sign is the same modulo all primes a point shows a single combination, else four.
        """
        if not ring.masks:
            return True
        return all(self._exact_run(plan, primes, mode)[0] for _ in range(15 if mode is Mode.ADDITIVE else 3))

    def _surely(self, plan: Plan, primes: PrimeSet, mode: Mode) -> bool:
        """Further points for a claim of high degree: the chances of error multiply."""
        bound = 0
        for more in range(MORE_POINTS + 1):
            bound += min(self.bound, 0)
            if bound <= -128 or more == MORE_POINTS:
                break
            if not self._exact_run(plan, primes, mode)[0]:
                return False
        self.bound = bound
        return True

    def _exact_point(self, plan: Plan, ring: ExactRing) -> bool:
        entries = ExactEntries(ring)
        inputs = [draw(ring, entries, shape, self.claim.assume.get(n, ())) for n, shape in plan.shapes.items()]
        main = plan.parts[-1]
        first_order = plan.parts if self.order == 1 else plan.parts[:-1]
        degree = 0
        rest: list[Array | None] = []
        if first_order:
            # All targets move at once, each in a direction of its own: the change of the value is then the sum of
            # what the formulas say, and equal for random directions only if every one of them is right.
            moves = {(part.name, 0): (part.by[0], 2) for part in first_order}
            changed, directions = self._moved_run(plan, ring, inputs, first_order, moves)
            rest = self._at_rest(plan, ring, changed)
            claims = [(part, [directions[part.name, 0]]) for part in first_order]
            same, degree = self._agrees(ring, claims, changed, rest, 2, plan)
            if not same:
                return False
        if self.order == 2:
            ring.order = 2
            moves = {("", 0): (main.by[0], 2), ("", 1): (main.by[1], 4)}
            changed, directions = self._moved_run(plan, ring, inputs, [main], moves)
            rest = rest or self._at_rest(plan, ring, changed)
            claims = [(main, [directions["", 0], directions["", 1]])]
            same, size = self._agrees(ring, claims, changed, rest, 6, plan)
            degree += size
            if not same:
                return False
        self.bound = floor(4 * (log2(max(degree + ring.collisions, 1)) - _PRIME_BITS)) + 1
        return True

    def _moved_run(
        self,
        plan: Plan,
        ring: ExactRing,
        inputs: list[Array],
        parts: list[Part],
        moves: dict[tuple[str, int], tuple[int, int]],
    ) -> tuple[list[Array | None], dict[tuple[str, int], Array]]:
        """The forward text with every target moved in a random direction of its own."""
        registers: list[Array | None] = [None] * len(plan.program.code)
        structures = {(p.name, k): s for p in parts for k, s in enumerate(p.structures)}
        directions: dict[tuple[str, int], Array] = {}
        done = 0
        for target in sorted({register for register, _ in moves.values()}):
            if target < len(inputs):
                registers[target] = inputs[target]
            else:
                self._fill(plan, ring, registers, inputs, done, target + 1)
                done = target + 1
            x = registers[target]
            assert x is not None
            parts_of = dict(x.parts)
            top, bottom = x.top, 0
            for name, (register, key) in moves.items():
                if register == target:
                    direction = directions[name] = filled(ring.draw, x.shape)
                    move = projected(ring, direction, structures[name], x)
                    step = move.parts[0]
                    before = parts_of.get(key)
                    parts_of[key] = step if before is None else [a + b for a, b in zip(before, step, strict=True)]
                    top, bottom = max(top, move.top + x.bottom), max(bottom, move.bottom)
            registers[target] = Array(x.shape, parts_of, max(top, x.top + bottom), x.bottom + bottom, rest=x.rest)
        self._fill(plan, ring, registers, inputs, done, plan.forward)
        return registers, directions

    def _fill(
        self, plan: Plan, ring: Ring, registers: list[Array | None], inputs: list[Array], start: int, end: int
    ) -> None:
        for k in range(start, min(len(inputs), end)):
            if registers[k] is None:
                registers[k] = inputs[k]
        run_forward(plan, ring, registers, range(max(start, len(inputs)), end))

    def _at_rest(self, plan: Plan, ring: Ring, changed: list[Array | None]) -> list[Array | None]:
        """The values of the forward text, and from them those of the formulas."""
        rest = [None if x is None else algebra.still(x) for x in changed]
        plan.program.run(ring, rest, range(plan.forward, len(plan.program.code)))
        return rest

    def _agrees(
        self,
        ring: ExactRing,
        claims: list[tuple[Part, list[Array]]],
        changed: list[Array | None],
        rest: list[Array | None],
        key: int,
        plan: Plan,
    ) -> tuple[bool, int]:
        """Do the formulas, contracted with their directions, add up to the change of the value? And its degree."""
        result = changed[plan.result]
        assert result is not None
        claimed = []
        for part, directions in claims:
            formula = rest[part.formula]
            assert formula is not None
            claimed.append(contracted(ring, part, formula, result.shape, directions))
        degree = sum(max(result.top + c.bottom, c.top + result.bottom) for c in claimed)
        for imaginary in (0, 1):
            true = result.parts.get(key | imaginary)
            got = [c.parts[imaginary] for c in claimed if imaginary in c.parts]
            for k in range(result.size):
                if not ring.zero((true[k] if true is not None else 0) - sum(g[k] for g in got)):
                    return False, degree
        return True, degree

    # ---- by value

    def _by_value(self, plan: Plan) -> int | str | Witness:
        """Digits of agreement at one point, a witness of a difference, or why no point was found."""
        last = "no point"
        for attempt in range(REDRAWS):
            try:
                with localcontext(self.precision.context()):
                    return self._value_point(plan, NumericRing(self.random, self.precision.digits), attempt)
            except BadPoint as failure:
                last = f"no usable point by value ({failure})"
                if isinstance(failure, Singular) and attempt >= 4 and self.may_resize:
                    raise BadSizes(str(failure)) from None
            except ARITHMETIC_ERRORS:
                last = "no usable point by value"
            except NotExact as failure:
                return str(failure)
            self.redraws += 1
        return last

    def _value_point(self, plan: Plan, ring: NumericRing, attempt: int) -> int | Witness:
        entries = NumericEntries(self.random, attempt)
        rest: list[Array | None] = [None] * len(plan.program.code)
        for k, (name, shape) in enumerate(plan.shapes.items()):
            rest[k] = draw(ring, entries, shape, self.claim.assume.get(name, ()))
        run_forward(plan, ring, rest, range(len(plan.shapes), plan.forward))
        value = rest[plan.result]
        assert value is not None
        small_enough(value)
        try:
            plan.program.run(ring, rest, range(plan.forward, len(plan.program.code)))
        except OutOfDomain as failure:
            raise Misfit(f"the formula has no value where the expression has one: {failure}") from None
        if self.order == 1 and len(plan.parts) > 1:  # all targets move at once; apart only to find which is wrong
            together = self._by_quotient(plan, plan.parts, ring, rest, value)
            if not isinstance(together, Witness):
                return together
        digits = 50
        for part in plan.parts:
            found = self._by_quotient(plan, [part], ring, rest, value)
            if isinstance(found, Witness):
                return found
            digits = min(digits, found)
        return digits

    def _by_quotient(
        self, plan: Plan, parts: Sequence[Part], ring: NumericRing, rest: list[Array | None], value: Array
    ) -> int | Witness:
        """Do the formulas of these parts add up to the difference quotient of the value, all targets moved at once?"""
        entries = NumericEntries(self.random)
        targets: list[int] = []
        moves: list[Array] = []
        claimed: list[Decimal] = [Decimal(0)] * value.size
        sizes: list[Decimal] = []
        for part in parts:
            formula = rest[part.formula]
            assert formula is not None
            directions: list[Array] = []
            for target, structure in zip(part.by, part.structures, strict=True):
                x = rest[target]
                assert x is not None
                directions.append(filled(entries.nonzero, x.shape))
                moves.append(projected(ring, directions[-1], structure, x))
                targets.append(target)
            said = contracted(ring, part, formula, value.shape, directions).parts[0]
            claimed = [a + b for a, b in zip(claimed, said, strict=True)]
            sizes += [abs(v) for v in (*formula.parts[0], *said)]
        true = quotient(plan, targets, ring, rest, moves, self.precision.step, self.order)
        scale = max((*sizes, *(abs(v) for v in true)), default=Decimal(0))
        scale = max(scale, max(abs(v) for v in value.parts[0]) * Decimal("1e-6"), Decimal("1e-12"))
        errors = [abs(a - b) for a, b in zip(true, claimed, strict=True)]
        worst = max(range(len(errors)), key=lambda k: errors[k])
        if errors[worst] > scale * Decimal(10) ** -self.precision.wanted:
            inputs = {n: tuple(f"{Decimal(v):.30}" for v in _entries(rest[k])) for k, n in enumerate(plan.shapes)}
            return Witness(
                plan.sizes,
                worst,
                f"{Decimal(true[worst]):.20}",
                f"{Decimal(claimed[worst]):.20}",
                inputs,
                parts[-1].name,
            )
        return 50 if not errors[worst] else min(50, -(errors[worst] / scale).adjusted() - 1)


def run_forward(plan: Plan, ring: Ring, registers: list[Array | None], which: range) -> None:
    """The forward text; what does not fit there may fit at other sizes."""
    try:
        plan.program.run(ring, registers, which)
    except Misfit as failure:
        raise BadSizes(str(failure)) from None


def _entries(x: Array | None) -> Any:
    return x.parts[0] if x is not None else ()


def quotient(
    plan: Plan,
    targets: Sequence[int],
    ring: NumericRing,
    rest: list[Array | None],
    moves: list[Array],
    step: Decimal,
    order: int,
) -> list[Decimal]:
    """The central difference quotient of the value with all targets moved at once; of order 2 the mixed second one."""
    which = plan.depends(tuple(targets))
    if order == 1:
        ahead, behind = (
            _shifted_value(plan, targets, ring, rest, moves, which, (s,) * len(moves)) for s in (step, -step)
        )
        return [(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]
    pp, pm, mp, mm = (
        _shifted_value(plan, targets, ring, rest, moves, which, (s, t)) for s in (step, -step) for t in (step, -step)
    )
    divisor = 4 * step * step
    return [(a - b - c + d) / divisor for a, b, c, d in zip(pp, pm, mp, mm, strict=True)]


def _shifted_value(
    plan: Plan,
    targets: Sequence[int],
    ring: NumericRing,
    rest: list[Array | None],
    moves: list[Array],
    which: list[int],
    steps: tuple[Decimal, ...],
) -> Sequence[Decimal]:
    """The value after so many steps along each move."""
    registers = list(rest)
    shift: dict[int, Array] = {}
    for step, target, move in zip(steps, targets, moves, strict=True):
        scaled = ring.each(move, lambda v, s=step: s * v)
        shift[target] = algebra.plus(shift[target], scaled) if target in shift else scaled
    _run_shifted(plan, ring, registers, which, shift)
    value = registers[plan.result]
    assert value is not None
    return value.parts[0]


def _run_shifted(
    plan: Plan, ring: NumericRing, registers: list[Array | None], which: list[int], shift: dict[int, Array]
) -> None:
    changed: set[int] = set()
    for k in which:
        step, arguments = plan.program.code[k]
        if step is not None and not changed.isdisjoint(arguments):
            registers[k] = step(ring, *[registers[a] for a in arguments])
        if k in shift:
            x = registers[k]
            assert x is not None
            registers[k] = Array(x.shape, algebra.plus(x, shift[k].reshaped(x.shape)).parts)
        changed.add(k)


def projected(ring: Ring, direction: Array, structure: frozenset[str], x: Array) -> Array:
    """The move whose pairing with the plain derivative is that of the direction with the structured one.

    R + Rᵀ − R∘I for a symmetric matrix, R∘I for a diagonal one, the lower triangle of R for a triangular one, R − Rᵀ
    for a skew one; for one with orthonormal columns the projection on the tangents, R − X (XᵀR + RᵀX)/2.
    """
    shape = direction.shape
    if "orthogonal" in structure and len(shape) == 2:
        return _tangent(ring, direction, algebra.still(x))
    if not structure or len(shape) != 2 or shape[0] != shape[1]:
        return direction
    if "diagonal" in structure:
        return algebra.times(ring, direction, algebra.eye(ring, shape[0]))
    if "lower" in structure:
        return algebra.linear(direction, kernels.triangle(shape, True))
    if "skew" in structure:
        return algebra.minus(direction, algebra.transposed(direction))
    if structure & {"symmetric", "pd", "psd"}:
        own = algebra.times(ring, direction, algebra.eye(ring, shape[0]))
        return algebra.minus(algebra.plus(direction, algebra.transposed(direction)), own)
    return direction


def _tangent(ring: Ring, direction: Array, x: Array) -> Array:
    if x.shape[0] < x.shape[1]:
        return algebra.transposed(_tangent(ring, algebra.transposed(direction), algebra.transposed(x)))
    inner = algebra.matmul(ring, algebra.transposed(x), direction)
    both = algebra.matmul(ring, x, algebra.plus(inner, algebra.transposed(inner)))
    return algebra.minus(direction, algebra.times(ring, both, algebra.constant(ring, Fraction(1, 2), literal=True)))


def contracted(ring: Ring, part: Part, formula: Array, value: tuple[int, ...], directions: list[Array]) -> Array:
    """The formula as a matrix (entries of the value x entries of the variables) times the directions."""
    variables = [d.shape for d in directions]
    vec = part.layout == "vec"
    wanted = vec_shape(value, variables) if vec else canonical_shape(value, variables)
    if not same_shape(formula.shape, wanted):
        raise Misfit(f"shape {formula.shape}, where the derivative has {wanted}")
    rows, columns = prod(value), prod(map(prod, variables))
    flat = formula
    if vec:
        flat = algebra.linear(formula, unstacked(value, tuple(variables)))
    direction = directions[0].reshaped((directions[0].size, 1))
    if len(directions) == 2:
        second = directions[1].reshaped((1, directions[1].size))
        direction = algebra.matmul(ring, direction, second).reshaped((columns, 1))
    return algebra.matmul(ring, flat.reshaped((rows, columns)), direction)


def unstacked(value: tuple[int, ...], variables: tuple[tuple[int, ...], ...]) -> kernels.Linear:
    """From the layout vec (columns stacked, the value running fastest) to rows first, the value's axes in front."""
    blocks = (value, *variables)
    starts = [sum(map(len, blocks[:k])) for k in range(len(blocks))]
    order = [
        a for k in range(len(blocks) - 2, -1, -1) for a in range(starts[k] + len(blocks[k]) - 1, starts[k] - 1, -1)
    ]
    order += range(starts[-1] + len(blocks[-1]) - 1, starts[-1] - 1, -1)
    sizes = [n for b in blocks for n in b]
    stacked = tuple(sizes[a] for a in order)
    back = tuple(order.index(a) for a in range(len(sizes)))
    return kernels.permute(stacked, back) if stacked else kernels.total((1,), ())

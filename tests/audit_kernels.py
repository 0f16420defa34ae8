"""Backward passes as kernels write them, in a short format, with a mistake planted or none.

    python tests/audit_kernels.py --runs 2

prints how many planted mistakes are found, named and placed, and how many correct runs are accused.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Round = Callable[[Any], Any]


def to_float32(x: Any) -> Any:
    return np.asarray(x, np.float32).astype(np.float64)


def to_bf16(x: Any) -> Any:
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    near = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32)
    return near.view(np.float32).astype(np.float64)


ROUND: dict[str, Round] = {"float32": to_float32, "bf16": to_bf16}


@dataclass(frozen=True)
class Kernel:
    """A model, inputs for it, its upstream's shape, the backward pass in code, and its planted mistakes.

    Each mistake: the gradients that it makes wrong, and the place ("" everywhere, else a word of the report).
    """

    name: str
    model: str
    draw: Callable[[Any], tuple[Arrays, Any]]
    backward: Callable[[Arrays, Any, str, Round], Arrays]
    mistakes: dict[str, tuple[str, str]]


# ---------------------------------------------------------------------- layer norm
def draw_rows(rng: Any) -> tuple[Arrays, Any]:
    m, n = int(rng.integers(12, 40)), int(rng.integers(16, 48))
    x = rng.standard_normal((m, n)) * 1.5 + 0.3
    given = {"X": x, "gamma": 1 + 0.5 * rng.standard_normal(n), "beta": rng.standard_normal(n), "eps": 1e-5}
    return given, rng.standard_normal((m, n))


def layer_norm(a: Arrays, dy: Any, fault: str, r: Round) -> Arrays:
    x, gamma = a["X"], a["gamma"]
    n = x.shape[1]
    mu = r(x.mean(1, keepdims=True))
    c = r(x - mu)
    v = r((c * c).sum(1, keepdims=True) / (n - 1 if fault == "one less" else n))
    s = r(np.sqrt(v + (0.5 if fault == "eps" else a["eps"])))
    xhat = r(c / s)
    dn = dy if fault == "no gamma" else r(dy * gamma)
    first = r(dn.mean(1, keepdims=True))
    second = r(xhat * r((dn * xhat).mean(1, keepdims=True)))
    if fault == "no mean":
        first = 0 * first
    if fault == "no correction":
        second = 0 * second
    if fault == "sign":
        second = -second
    if fault == "sum for mean":
        first = r(first * n)
    dx = r(r(dn - first) - second)
    dx = dx if fault == "no s" else r(dx * s) if fault == "times s" else r(dx / s)
    if fault == "row zero":
        dx[-3:] = 0
    if fault == "nan":
        dx[2, 5] = np.nan
    dgamma = r((dy * (r(x) if fault == "x for xhat" else xhat)).sum(0))
    dbeta = r(dy.mean(0)) if fault == "dbeta mean" else r(dy[:-4].sum(0)) if fault == "tail" else r(dy.sum(0))
    if fault == "not summed":
        dbeta = r(dy)
    return {"dX": dx, "dgamma": dgamma, "dbeta": dbeta}


NORM = """
shape X: m x n, gamma: 1 x n, beta: 1 x n, eps: scalar
assume eps: positive
mu = mean(X, axis={axis})
v = mean((X - mu)**2, axis={axis})
N = (X - mu)/sqrt(v + eps)
Y = gamma*N + beta
"""
NORM_MISTAKES = {
    "one less": ("dX dgamma", ""), "no gamma": ("dX", ""), "no mean": ("dX", ""), "no correction": ("dX", ""),
    "sign": ("dX", ""), "sum for mean": ("dX", ""), "no s": ("dX", ""), "times s": ("dX", ""),
    "row zero": ("dX", "the last 3"), "nan": ("dX", "NaN"), "x for xhat": ("dgamma", ""), "dbeta mean": ("dbeta", ""),
    "tail": ("dbeta", ""), "not summed": ("dbeta", ""),
}  # fmt: skip


# ---------------------------------------------------------------------- batch norm
def batch_norm(a: Arrays, dy: Any, fault: str, r: Round) -> Arrays:
    x, gamma = a["X"], a["gamma"]
    m = x.shape[0]
    mu = r(x.mean(0, keepdims=True))
    c = r(x - mu)
    v = r((c * c).sum(0, keepdims=True) / (m - 1 if fault == "one less" else m))
    s = r(np.sqrt(v + a["eps"]))
    xhat = r(c / s)
    dgamma, dbeta = r((dy * xhat).sum(0)), r(dy.sum(0))
    first, second = r(dy.mean(0)), r(xhat * r((dy * xhat).mean(0)))
    if fault == "frozen statistics":
        first, second = 0 * first, 0 * second
    if fault == "no mean":
        first = 0 * first
    if fault == "no correction":
        second = 0 * second
    if fault == "1/m twice":
        second = r(second / m)
    dx = r(r(r(dy - first) - second) / s)
    dx = dx if fault == "no gamma" else r(dx * gamma)
    if fault == "column":
        dx[:, 4] = 0
    if fault == "dgamma sign":
        dgamma = -dgamma
    if fault == "half":
        dbeta = r(dy[: m // 2].sum(0))
    if fault == "dgamma mean":
        dgamma = r(dgamma / m)
    return {"dX": dx, "dgamma": dgamma, "dbeta": dbeta}


BATCH_MISTAKES = {
    "one less": ("dX dgamma", ""), "frozen statistics": ("dX", ""), "no mean": ("dX", ""),
    "no correction": ("dX", ""), "1/m twice": ("dX", ""), "no gamma": ("dX", ""), "column": ("dX", "column"),
    "dgamma sign": ("dgamma", ""), "half": ("dbeta", ""), "dgamma mean": ("dgamma", ""),
}  # fmt: skip


# ---------------------------------------------------------------------- RMS norm
def draw_tokens(rng: Any) -> tuple[Arrays, Any]:
    b, t, d = int(rng.integers(2, 4)), int(rng.integers(5, 9)), int(rng.integers(12, 40))
    given = {"X": rng.standard_normal((b, t, d)), "gamma": 1 + 0.5 * rng.standard_normal(d), "eps": 1e-5}
    return given, rng.standard_normal((b, t, d))


def rms_norm(a: Arrays, dy: Any, fault: str, r: Round) -> Arrays:
    x, gamma = a["X"], a["gamma"]
    d = x.shape[-1]
    s = r(np.sqrt((x * x).mean(-1, keepdims=True) + a["eps"]))
    xhat = r(x / s)
    dn = dy if fault == "no gamma" else r(dy * gamma)
    inner = r((dn * xhat).mean(-1, keepdims=True))
    if fault == "sum for mean":
        inner = r(inner * d)
    second = r(xhat * inner)
    if fault == "no correction":
        second = 0 * second
    if fault == "sign":
        second = -second
    dx = r(dn - second) if fault == "no s" else r(r(dn - second) / s)
    if fault == "one sample":
        dx[-1] = 0
    dgamma = r((dy * (x if fault == "x for xhat" else xhat)).sum((0, 1)))
    if fault == "mean":
        dgamma = r((dy * xhat).mean((0, 1)))
    if fault == "one axis":
        dgamma = r((dy * xhat).sum(0))
    if fault == "twice":
        dgamma = r(2 * dgamma)
    return {"dX": dx, "dgamma": dgamma}


RMS = """
shape X: B x T x D, gamma: D, eps: scalar
assume eps: positive
s = sqrt(mean(X**2, axis=-1) + eps)
N = X/s
Y = gamma*N
"""
RMS_MISTAKES = {
    "no gamma": ("dX", ""), "sum for mean": ("dX", ""), "no correction": ("dX", ""), "sign": ("dX", ""),
    "no s": ("dX", ""), "one sample": ("dX", "B"), "x for xhat": ("dgamma", ""), "mean": ("dgamma", ""),
    "one axis": ("dgamma", ""), "twice": ("dgamma", ""),
}  # fmt: skip


# ---------------------------------------------------------------------- softmax cross entropy with a linear head
def draw_head(rng: Any) -> tuple[Arrays, Any]:
    m, d, k = int(rng.integers(10, 30)), int(rng.integers(6, 14)), int(rng.integers(5, 12))
    labels = np.eye(k)[rng.integers(0, k, m)]
    given = {"H": rng.standard_normal((m, d)), "W": rng.standard_normal((d, k)), "b": rng.standard_normal(k)}
    return {**given, "Y": labels}, None


def head(a: Arrays, dy: Any, fault: str, r: Round) -> Arrays:
    h, w, y = a["H"], a["W"], a["Y"]
    m = h.shape[0]
    z = r(r(h @ w) + a["b"])
    if fault == "wrong axis":
        e = r(np.exp(z - z.max(0, keepdims=True)))
        p = r(e / r(e.sum(0, keepdims=True)))
    else:
        e = r(np.exp(r(z - z.max(1, keepdims=True))))
        p = r(e / r(e.sum(1, keepdims=True)))
    dz = p if fault == "no labels" else r(p + y) if fault == "plus" else r(p - y)
    dz = dz if fault == "no 1/m" else r(dz / m)
    if fault == "1/m twice":
        dz = r(dz / m)
    dw = r(h.T @ dz)
    if fault == "tail":
        dw = r(h[: m - m % 8 or m - 8].T @ dz[: m - m % 8 or m - 8])
    db = r(dz) if fault == "not summed" else r(dz.sum(0))
    dh = r(dz @ w.T)
    if fault == "dh sign":
        dh = -dh
    return {"dZ": dz, "dW": dw, "db": db, "dH": dh}


HEAD = """
shape H: m x d, W: d x k, b: 1 x k, Y: m x k
assume Y: unit-interval
Z = H @ W + b
P = softmax(Z, axis=1)
J = -sum(Y*log(P))/m
"""
ALL_OF_HEAD = "dZ dW db dH"
HEAD_MISTAKES = {
    "wrong axis": (ALL_OF_HEAD, ""), "no labels": (ALL_OF_HEAD, ""), "plus": (ALL_OF_HEAD, ""),
    "no 1/m": (ALL_OF_HEAD, ""), "1/m twice": (ALL_OF_HEAD, ""), "tail": ("dW", ""), "not summed": ("db", ""),
    "dh sign": ("dH", ""),
}  # fmt: skip


# ---------------------------------------------------------------------- attention
def draw_attention(rng: Any) -> tuple[Arrays, Any]:
    b, h, t, d = 2, int(rng.integers(2, 4)), int(rng.integers(6, 12)), int(rng.integers(4, 9))
    d += d == t
    arrays = {n: rng.standard_normal((b, h, t, d)) for n in "QKV"}
    return {**arrays, "M": np.tril(np.ones((t, t)))}, rng.standard_normal((b, h, t, d))


def attention(a: Arrays, do: Any, fault: str, r: Round) -> Arrays:
    q, k, v, mask = (a[n] for n in "QKVM")
    root = 1.0 if fault in ("no scale forward", "no scale at all") else np.sqrt(q.shape[-1])
    s = r(r(q @ k.swapaxes(-1, -2)) / root)
    if fault != "no mask":
        s = np.where(mask > 0, s, -1e9)
    e = r(np.exp(r(s - s.max(-1, keepdims=True))))
    p = r(e / r(e.sum(-1, keepdims=True)))
    o = r(p @ v)
    dp = r(do @ v.swapaxes(-1, -2))
    delta = r((do * o).sum(-1, keepdims=True))
    if fault == "no correction":
        delta = 0 * delta
    if fault == "plus correction":
        delta = -delta
    ds = r(p * r(dp - delta))
    if fault == "no P":
        ds = r(dp - delta) * (mask > 0)
    root = 1.0 if fault == "no scale at all" else np.sqrt(q.shape[-1])
    if fault == "no scale":
        root = 1.0
    if fault == "scale twice":
        root = root * root
    dq, dk = r(r(ds @ k) / root), r(r(ds.swapaxes(-1, -2) @ q) / root)
    if fault == "dk scale":
        dk = r(ds.swapaxes(-1, -2) @ q)
    if fault == "not transposed":
        dk = r(r(ds @ q) / root)
    dv = r(p @ do) if fault == "dv transposed" else r(p.swapaxes(-1, -2) @ do)
    if fault == "head":
        dq[:, 1] = 0
    if fault == "tail":
        dv[:, :, -2:] = 0
    return {"dQ": dq, "dK": dk, "dV": dv}


ATTENTION = """
shape Q: B x H x T x D, K: B x H x T x D, V: B x H x T x D, M: T x T
S = Q @ K.mT/sqrt(D)
P = softmax(where(M > 0, S, -1e9), axis=-1)
O = P @ V
"""
ATTENTION_MISTAKES = {
    "no mask": ("dQ dK dV", ""), "no correction": ("dQ dK", ""), "plus correction": ("dQ dK", ""),
    "no P": ("dQ dK", ""),
    "no scale": ("dQ dK", ""), "scale twice": ("dQ dK", ""), "dk scale": ("dK", ""), "not transposed": ("dK", ""),
    "dv transposed": ("dV", ""), "head": ("dQ", "H 1"), "tail": ("dV", "the last 2"),
    "no scale forward": ("dQ dK dV", ""), "no scale at all": ("dQ dK dV", ""),
}  # fmt: skip


# ---------------------------------------------------------------------- a network of two layers
def draw_network(rng: Any) -> tuple[Arrays, Any]:
    m, n0, n1, n2 = int(rng.integers(16, 40)), 7, 11, 5
    given = {"X": rng.standard_normal((m, n0)), "W1": rng.standard_normal((n0, n1)), "b1": rng.standard_normal(n1)}
    given |= {"W2": rng.standard_normal((n1, n2)), "b2": rng.standard_normal(n2), "Y": rng.standard_normal((m, n2))}
    return given, None


def network(a: Arrays, dy: Any, fault: str, r: Round) -> Arrays:
    x, w1, w2, y = a["X"], a["W1"], a["W2"], a["Y"]
    m = x.shape[0]
    z1 = r(r(x @ w1) + a["b1"])
    a1 = r(np.tanh(z1))
    z2 = r(r(a1 @ w2) + a["b2"])
    dz2 = r(r(z2 - y) / m)
    if fault == "two":
        dz2 = r(dz2 * 2)
    if fault == "sign":
        dz2 = -dz2
    da1 = r(dz2 @ w2.T)
    slope = r(1 - r(z1 * z1)) if fault == "wrong point" else r(1 - r(a1 * a1))
    dz1 = da1 if fault == "no slope" else r(da1 * slope)
    if fault == "a for slope":
        dz1 = r(da1 * r(1 - a1))
    dw2 = r(z1.T @ dz2) if fault == "z for a" else r(a1.T @ dz2)
    db2 = r(dz2.sum(0))
    dw1, db1 = r(x.T @ dz1), r(dz1.sum(0))
    if fault == "extra 1/m":
        dw1 = r(dw1 / m)
    if fault == "db mean":
        db1 = r(dz1.mean(0))
    if fault == "tail":
        dw1 = r(x[:-1].T @ dz1[:-1])
    if fault == "transposed":
        dw2 = dw2.T
    if fault == "not summed":
        db1 = r(dz1)
    return {"dW1": dw1, "db1": db1, "dW2": dw2, "db2": db2}


NETWORK = """
shape X: m x n0, W1: n0 x n1, b1: 1 x n1, W2: n1 x n2, b2: 1 x n2, Y: m x n2
Z1 = X @ W1 + b1
A1 = tanh(Z1)
Z2 = A1 @ W2 + b2
J = sum((Z2 - Y)**2)/(2*m)
"""
ALL_OF_NETWORK, FIRST_LAYER = "dW1 db1 dW2 db2", "dW1 db1"
NETWORK_MISTAKES = {
    "two": (ALL_OF_NETWORK, ""), "sign": (ALL_OF_NETWORK, ""), "wrong point": (FIRST_LAYER, ""),
    "no slope": (FIRST_LAYER, ""), "a for slope": (FIRST_LAYER, ""), "z for a": ("dW2", ""), "extra 1/m": ("dW1", ""),
    "db mean": ("db1", ""), "tail": ("dW1", ""), "transposed": ("dW2", ""), "not summed": ("db1", ""),
}  # fmt: skip


KERNELS = (
    Kernel("layer norm", NORM.format(axis=1), draw_rows, layer_norm, NORM_MISTAKES),
    Kernel("batch norm", NORM.format(axis=0), draw_rows, batch_norm, BATCH_MISTAKES),
    Kernel("RMS norm", RMS, draw_tokens, rms_norm, RMS_MISTAKES),
    Kernel("softmax cross entropy", HEAD, draw_head, head, HEAD_MISTAKES),
    Kernel("attention", ATTENTION, draw_attention, attention, ATTENTION_MISTAKES),
    Kernel("two layers", NETWORK, draw_network, network, NETWORK_MISTAKES),
)


@dataclass(frozen=True)
class Result:
    kernel: str
    fault: str
    format: str
    verdict: bool  # the gradients called wrong are those that are
    named: bool
    placed: bool
    seconds: float
    text: str


def judged(kernel: Kernel, fault: str, format: str, seed: int, nets: dict[str, Any]) -> Result:
    """Run the kernel with the mistake (or none) and audit what it gives."""
    import whence

    net = nets.setdefault(kernel.name, whence.model(kernel.model))
    r = ROUND[format]
    given, upstream = kernel.draw(np.random.default_rng(seed))
    given = {n: r(x) if np.ndim(x) else x for n, x in given.items()}
    upstream = None if upstream is None else r(upstream)
    found = kernel.backward(given, upstream, fault, r)
    start = time.perf_counter()
    report = whence.audit(found, net, given, upstream, dtype=format)
    seconds = time.perf_counter() - start
    wrong, where = kernel.mistakes.get(fault, ("", ""))
    expected = set(wrong.split())
    said = {f.name: f for f in report.findings}
    verdict = {n for n, f in said.items() if f.verdict == "wrong"} == expected
    guilty = [said[n] for n in expected]
    named = all(f.diagnosis for f in guilty if not where)
    placed = all(where in str(f) if where else True for f in guilty)
    return Result(kernel.name, fault, format, verdict, named, placed, seconds, str(report))


def runs(count: int) -> Iterator[Result]:
    nets: dict[str, Any] = {}
    for seed in range(count):
        for kernel in KERNELS:
            for fault in ("", *kernel.mistakes):
                for format in ROUND:
                    yield judged(kernel, fault, format, seed, nets)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--quiet", action="store_true")
    args = parser.parse_args(argv)
    results = list(runs(args.runs))
    bad = [r for r in results if not (r.verdict and r.named and r.placed)]
    for r in bad if not args.quiet else ():
        said = f"verdict {r.verdict}, named {r.named}, placed {r.placed}, {r.seconds:.2f} s"
        print(f"--- {r.kernel}, {r.fault or 'correct'}, {r.format}: {said}\n{r.text}")
    planted, correct = [r for r in results if r.fault], [r for r in results if not r.fault]
    print(f"{len(planted)} planted: verdict {sum(r.verdict for r in planted)}, named {sum(r.named for r in planted)}, "
          f"placed {sum(r.placed for r in planted)}; {len(correct)} correct: accused "
          f"{sum(not r.verdict for r in correct)}; {sum(r.seconds for r in results):.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

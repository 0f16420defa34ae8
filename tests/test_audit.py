"""whence audit: gradients judged from their arrays, against kernels with mistakes planted in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import whence
from solving import whence as command

np = pytest.importorskip("numpy")

from audit_kernels import ATTENTION, KERNELS, ROUND, attention, draw_attention, judged, layer_norm  # noqa: E402

NETS: dict[str, Any] = {}
SOME = [(kernel, fault) for kernel in KERNELS for k, fault in enumerate(kernel.mistakes) if k % 3 == 0]
WORDS = {  # what some mistakes are called
    ("layer norm", "no mean"): "missing-term",
    ("layer norm", "x for xhat"): "wrong-variable",
    ("layer norm", "not summed"): "not-summed",
    ("batch norm", "one less"): "one-less",
    ("batch norm", "half"): "tail-left-out",
    ("RMS norm", "sum for mean"): "sum-for-mean",
    ("softmax cross entropy", "wrong axis"): "sum-over-wrong-axis",
    ("softmax cross entropy", "1/m twice"): "extra-divisor",
    ("attention", "no correction"): "missing-term",
    ("attention", "no mask"): "not-applied",
    ("two layers", "transposed"): "transposed",
}


@pytest.mark.parametrize("format", ROUND)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_a_correct_kernel_is_not_accused(kernel: Any, format: str) -> None:
    result = judged(kernel, "", format, 7, NETS)
    assert result.verdict, result.text


@pytest.mark.parametrize(("kernel", "fault"), SOME, ids=lambda x: getattr(x, "name", x))
def test_a_planted_mistake_is_found_named_and_placed(kernel: Any, fault: str) -> None:
    for format in ROUND:
        result = judged(kernel, fault, format, 5, NETS)
        assert result.verdict and result.named and result.placed, result.text


@pytest.mark.parametrize(("name", "fault"), WORDS)
def test_what_a_mistake_is_called(name: str, fault: str) -> None:
    kernel = next(k for k in KERNELS if k.name == name)
    given, upstream = kernel.draw(np.random.default_rng(2))
    net = NETS.setdefault(name, whence.model(kernel.model))
    found = kernel.backward(given, upstream, fault, ROUND["float32"])
    report = whence.audit(found, net, given, upstream, dtype="float32")
    assert WORDS[name, fault] in {f.diagnosis for f in report.findings}, str(report)


def test_given_intermediates_the_first_wrong_one_is_named() -> None:
    kernel = next(k for k in KERNELS if k.name == "softmax cross entropy")
    given, _ = kernel.draw(np.random.default_rng(0))
    report = whence.audit(kernel.backward(given, None, "no labels", ROUND["float32"]), kernel.model, given)
    assert report.first_wrong == "dZ" and report["dZ"].diagnosis == "missing-term"
    assert {report[n].diagnosis for n in ("dW", "db", "dH")} == {"inherited"}


def test_a_missing_array_and_a_wrong_size_are_named() -> None:
    x = np.ones((2, 3))
    with pytest.raises(whence.WhenceError, match="missing") as caught:
        whence.audit({"dX": x}, "J = sum(A*X)", {"X": x}, shapes="A: n x m, X: n x m")
    assert caught.value.code == "array-missing"
    with pytest.raises(whence.WhenceError) as caught:
        whence.audit({"dX": x}, "J = sum(A*X)", {"X": x, "A": x.T}, shapes="A: n x m, X: n x m")
    assert caught.value.code == "array-shape"
    with pytest.raises(whence.WhenceError) as caught:
        whence.audit({"dX": x}, "J = sum(g(X))", {"X": x}, shapes="X: n x m")
    assert caught.value.code == "no-value"


def test_the_format_is_seen_in_the_numbers() -> None:
    x = np.random.default_rng(0).standard_normal((5, 6))
    for name, rounded in [*ROUND.items(), ("float64", lambda a: a)]:
        found = {"dA": rounded(x * 1.7)}
        report = whence.audit(found, "J = 1.7*sum(A*X)", {"A": x, "X": x}, shapes="A: n x m, X: n x m")
        assert report.right and report.dtype == name


def test_callables_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    drawn = torch.randn(3, 2, 2, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    q, k, v = drawn.unbind(0)
    shapes = "shape Q: B x H x T x D, K: B x H x T x D, V: B x H x T x D"
    model = f"{shapes}\nP = softmax(Q @ K.mT/sqrt(D), axis=-1)\nO = P @ V"
    up = torch.ones(2, 2, 5, 4, dtype=torch.float32) * q

    def forward(Q: Any, K: Any, V: Any) -> Any:
        return torch.nn.functional.scaled_dot_product_attention(Q, K, V)

    def unscaled(Q: Any, K: Any, V: Any) -> Any:
        return torch.nn.functional.scaled_dot_product_attention(Q, K, V, scale=1.0)

    inputs = {"Q": q, "K": k, "V": v}
    report = whence.audit(forward, model, inputs, up)
    assert report.right and report.dtype == "float32", str(report)
    assert not whence.audit(unscaled, model, inputs, up).right

    def backward(Q: Any, K: Any, V: Any, dO: Any) -> dict[str, Any]:
        p = torch.softmax(Q @ K.mT / 2, -1)
        return {"dV": p.mT @ dO}

    assert whence.audit(backward, model, inputs, up).right


def test_the_command(tmp_path: Path) -> None:
    given, up = draw_attention(np.random.default_rng(1))
    np.savez(tmp_path / "in.npz", **given)
    np.savez(tmp_path / "up.npz", dO=up)
    np.savez(tmp_path / "out.npz", **attention(given, up, "head", ROUND["float32"]))
    (tmp_path / "model.txt").write_text(ATTENTION, encoding="utf-8")
    files = [f"--{n}={tmp_path / f}.npz" for n, f in (("inputs", "in"), ("upstream", "up"), ("grads", "out"))]
    picture = tmp_path / "heat.svg"
    status, out = command("audit", str(tmp_path / "model.txt"), *files, "--picture", str(picture))
    assert status == 1 and "dQ  wrong" in out and "H 1" in out and "dK  right" in out
    assert picture.read_text(encoding="utf-8").startswith("<svg") and "dQ" in picture.read_text(encoding="utf-8")
    status, out = command("audit", str(tmp_path / "model.txt"), *files, "--json")
    assert status == 1 and not json.loads(out)["right"]
    np.savez(tmp_path / "out.npz", **attention(given, up, "", ROUND["float32"]))
    assert command("audit", str(tmp_path / "model.txt"), *files)[0] == 0
    assert command("audit", str(tmp_path / "model.txt"), *files[:2], f"--grads={tmp_path}/model.txt")[0] == 2
    np.savez(tmp_path / "bad.npz", dQ=np.array([object()]))
    assert command("audit", str(tmp_path / "model.txt"), *files[:2], f"--grads={tmp_path}/bad.npz")[0] == 2


def test_nothing_is_run_from_a_file(tmp_path: Path) -> None:
    from whence.cli.audit import arrays_in
    from whence.cli.texts import CommandError

    np.save(tmp_path / "one.npy", np.ones(3))
    with pytest.raises(CommandError):
        arrays_in(str(tmp_path / "one.npy"))


def test_learners_arrays_are_not_called_a_mistake() -> None:
    """The gradients of an assignment, computed in float32."""
    given, up = KERNELS[0].draw(np.random.default_rng(4))
    report = whence.audit(layer_norm(given, up, "", ROUND["float32"]), KERNELS[0].model, given, up)
    assert report.right and "rounding, not a mistake" in str(report)

"""Whole posts as forums have them: the formulas, the forward lines and the question are found in them."""

import time
from contextlib import suppress

import pytest

from whence.messages.errors import WhenceError
from whence.read.posts import BACKWARD, FORWARD, looks_like_post, read_post

LECTURE = r"""Hi everyone, I am in week 3 and I don't understand the derivation of dZ^\[1\].

We have

Z^[1] = W^[1] X + b^[1]
A^[1] = g^[1](Z^[1])
Z^[2] = W^[2] A^[1] + b^[2]

In the lecture it says that dZ^\[1\] = W^\[2\]T dZ^\[2\] \* g^\[1\]’(Z^\[1\]). But with the chain rule
I get $dZ^{[1]} = dZ^{[2]} W^{[2]} g^{[1]'}(Z^{[1]})$, and the shapes do not fit[^1]. Why is W2 transposed? ↩︎

```python
dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
dW1 = 1/m * np.dot(dZ1, X.T)
```
"""

MATHEMATICS = r"""> quoted text of somebody else

Let $Y = X W$ and
$$
L = \frac{1}{2} \|Y - T\|^2
$$
How does one get \(\frac{\partial L}{\partial W} = X^T (Y - T)\) from this? See [here](https://example.org/a_b).
"""

CODE = """I am stuck with my `backward`:

~~~
dscores = probs - Y
dW2 = np.dot(hidden.T, dscores)
dhidden = np.dot(dscores, W2.T)
dhidden[hidden <= 0] = 0
~~~

Is the second to last line right (I think so)?
"""


def canonical(text: str, kind: str) -> list[str]:
    return [line for found in read_post(text).of_kind(kind) for line in found.canonical]


def test_a_post_of_a_course() -> None:
    post = read_post(LECTURE)
    assert post.model().split("\n") == ["Z1 = W1 @ X + b1", "A1 = g1(Z1)", "Z2 = W2 @ A1 + b2"]
    assert canonical(LECTURE, BACKWARD) == [
        "dZ1 = W2.T @ dZ2 * g1_prime(Z1)",
        "dZ1 = dZ2 @ W2 @ g1_prime(Z1)",
        "dZ1 = W2.T @ dZ2 * (1 - A1**2)",
        "dW1 = 1/m * (dZ1 @ X.T)",
    ]
    assert (post.question, post.question_line, post.target) == ("Why is W2 transposed?", 10, "dZ1")
    assert [f.line for f in post.of_kind(BACKWARD)] == [9, 10, 13, 14]


def test_a_post_with_formulas_between_signs() -> None:
    assert canonical(MATHEMATICS, FORWARD) == ["Y = X @ W", "L = 1/2 * norm(Y - T)**2"]
    post = read_post(MATHEMATICS)
    assert (canonical(MATHEMATICS, BACKWARD), post.target) == (["dW = X.T @ (Y - T)"], "dW")
    assert post.question.startswith("How does one get")


def test_what_is_not_read_is_kept_with_its_reason() -> None:
    post = read_post(CODE)
    assert canonical(CODE, BACKWARD)[1:] == ["dW2 = hidden.T @ dscores", "dhidden = dscores @ W2.T"]
    assert [(f.typed, bool(f.error)) for f in post.found if f.error] == [("dhidden[hidden <= 0] = 0", True)]
    assert post.question == "Is the second to last line right (I think so)?"


@pytest.mark.parametrize(
    "text", ["Z = W X + b\nJ = sum(Z)", "dZ1 = W2.T @ dZ2", "x = softmax(exp(y))", "-(result.T @ (grad @ result.T))"]
)
def test_formulas_alone_are_no_post(text: str) -> None:
    assert not looks_like_post(text)


@pytest.mark.parametrize("piece", ["\\[", "$$", "`", "\\(", "**", "__", "![", "[", "<", "why ", "a_", "> "])
def test_hostile_posts_end_quickly(piece: str) -> None:
    start = time.process_time()
    with suppress(WhenceError):
        read_post(piece * (20_000 // len(piece)))
    assert time.process_time() - start < 1

"""What is said of a mistake: one sentence in plain words, and a hint that does not give the answer away."""

from __future__ import annotations

LINE_SENTENCES: dict[str, str] = {
    "circular": "{name} is defined by itself: nothing is claimed.",
    "later": "It uses {name}, which is defined in a later line.",
    "failed": "It is built on {name}, whose line has no value of the right shape.",
    "undefined": "{name} is not a name of the problem, and no earlier line defines it.",
    "inherited": "Right, given the lines before: what is wrong comes from an earlier line.",
    "own-name": "{name} is a name of your own: it is judged by what is built on it.",
    "forward": "As in the model.",
    "other-forward": "{name} is another value in the model.",
    "right": "right",
    "course": "right in the course's convention: {factor} times the derivative, that of the un-averaged loss",
    "follows": "not right, but right given the lines before: what is wrong comes from an earlier line",
}

# Of a program that was pasted.
SIZE_NOTE = "{name} is {size}, a size of {array}."

# By diagnosis: one sentence, where {old} was written and {new} belongs, and a hint. `{shapes}` are those of both.
SENTENCES: dict[str, tuple[str, str]] = {
    "missing-transpose": ("{old} must be transposed{shapes}.", "Write the shapes under each factor."),
    "extra-transpose": ("{inner} must not be transposed{shapes}.", "Write the shapes under each factor."),
    "wrong-order": (
        "The factors are in the wrong order or at the wrong depth: {new} instead of {old}.",
        "Which factor acted last in the forward pass? Its derivative is applied first.",
    ),
    "layout-transposed": (
        "This is the other layout, the transpose: {new} instead of {old}.",
        "A gradient has the shape of its variable. Are the samples columns or rows here?",
    ),
    "matmul-for-elementwise": (
        "The product in {old} goes entry by entry: {new}.",
        "Does each entry here depend on one entry there, or on a whole row?",
    ),
    "elementwise-for-matmul": (
        "The product in {old} is a matrix product: {new}.",
        "Does each entry here depend on one entry there, or on a whole row?",
    ),
    "missing-diag": ("{old} must stand on a diagonal: {new}.", "What is the derivative of v * x by x, as a matrix?"),
    "precedence": (
        "Brackets are missing: {new} instead of {old}.",
        "* and @ bind alike, from the left; / takes only what follows at once.",
    ),
    "vector-rule-on-matrices": (
        "This multiplies outer and inner derivative as for numbers; with matrices the inner one goes to the other "
        "side, transposed: {new}.",
        "The chain rule of numbers does not say on which side a matrix stands. Try one entry.",
    ),
    "missing-sum-over-batch": (
        "A sum is missing: {new} instead of {old}{shapes}.",
        "Who shares this parameter? Each of them adds its part.",
    ),
    "sum-over-wrong-axis": ("The sum runs over the wrong axis: {new}.", "Over which axis are the samples laid out?"),
    "oversummed": ("This adds up too much: {new} instead of {old}.", "Which index must stay?"),
    "mean-for-sum": (
        "The mean must be a sum: {new} instead of {old}.",
        "Where has the average of the cost been taken already?",
    ),
    "wrong-dimension": ("It is divided by the wrong size: {new} instead of {old}.", "What is the average taken over?"),
    "broadcasting-accident": (
        "{old} is broadcast here: {new} is meant{shapes}.",
        "What shape has each part of this sum or product?",
    ),
    "missing-factor": (
        "A factor is missing: {new}.",
        "Go through the forward line once more: what multiplies it there?",
    ),
    "extra-factor": ("There is a factor too many: {old}.", "Which factors does the forward line have?"),
    "wrong-sign": ("The sign is wrong: {new} instead of {old}.", "Follow the minus signs from the cost on."),
    "wrong-power": ("The power is wrong: {new} instead of {old}.", "Differentiate the power once more."),
    "missing-term": ("A term is missing: {new}.", "In how many places does the cost depend on it?"),
    "extra-term": ("There is a term too many: {old}.", "Which paths lead from here to the cost?"),
    "double-counted": ("{old} is counted twice.", "Where has this been taken into account already?"),
    "factor-moved-out-of-sum": (
        "{old} varies along the axis that is summed, so it cannot stand outside the sum: {new}.",
        "Does this factor depend on the index of the sum?",
    ),
    "missing-activation-derivative": (
        "The derivative of the activation is missing: {new}.",
        "Between this and the next line stands a function: what is its derivative?",
    ),
    "extra-activation-derivative": (
        "The derivative of the activation, {old}, is in it already.",
        "With this cost something cancels. Which cost has the formula that you used?",
    ),
    "derivative-at-wrong-point": (
        "The derivative is taken at the wrong point: {new} instead of {old}.",
        "What is the argument of the function in the forward line?",
    ),
    "function-value-for-derivative": (
        "This is the function, where its derivative belongs: {new} instead of {old}.",
        "f or f′?",
    ),
    "wrong-derivative-function": (
        "This is the derivative of another function: {new} instead of {old}.",
        "Which activation does this layer have?",
    ),
    "diagonal-only-jacobian": (
        "Its entries depend on one another, so the Jacobian has more than its diagonal: {new} instead of {old}.",
        "Does entry 1 of the value depend on entry 2 of the argument?",
    ),
    "wrong-variable": ("{new} belongs there, not {old}{shapes}.", "Which array does this line of the model use?"),
    "swapped-substitution": (
        "{old} is written where {new} is meant: two things under one letter.",
        "Look up what each letter stands for in this model.",
    ),
    "index-mixup": ("The step or layer is mixed up: {new} instead of {old}.", "Which step does this belong to?"),
    "undefined-name": ("{old} is not a name of the problem.", "Use the names of the model and of its adjoints."),
    "updated-weights": (
        "The error must go back through the weights of the forward pass: {new}, not {old}.",
        "Which weights were used when the values were computed?",
    ),
    "unused-upstream": (
        "The gradient that arrives from above, {old}, is not used as it should be.",
        "What if the gradient from above is not all ones?",
    ),
    "hidden-assumption": (
        "It is right only where {old} is {about}, which nobody said.",
        "Try it with an input that has nothing special.",
    ),
}

# Assumptions in words.
ASSUMED: dict[str, str] = {
    "onehot-columns": "a matrix whose columns sum to one",
    "symmetric": "symmetric",
}

COURSE_SENTENCE = (
    "Right, but for the un-averaged loss, the course's convention: of the averaged cost it is divided by {size}."
)
FACTOR_SENTENCE = "It is {factor} times the derivative. "
UNNAMED_FACTOR_SENTENCE = "It is the derivative times a number that depends on the sizes or on a scalar variable."
COURSE_MEANING = (
    "Right in the course's convention: every d… but those of the parameters is {size} times the derivative, that of "
    "the un-averaged loss."
)
BROADCAST_SENTENCE = "Its numbers are right once they are broadcast to the derivative's shape."
AT_ONE_SENTENCE = "It is right for {size} = 1 only."
DIFFERENT_SHAPES = "one is {one}, the other {other}"
UNKNOWN_SENTENCE = "It differs from the derivative, and no small change makes it right."
SECOND_SENTENCE = "There is a second mistake: {second}."

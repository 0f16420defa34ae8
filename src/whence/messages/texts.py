"""The texts of the catalogue: one entry a message, in the order in which a text meets them."""

from __future__ import annotations

from whence.messages.command_texts import COMMAND_LINE
from whence.messages.message import Bad, Message

_DEEP = "-" * 101 + "x"
_LONG_SUM = "+".join(["x"] * 1001)

_CHARACTERS = (
    Message(
        "unexpected-character",
        "The character {found} has no place in a formula.",
        "Remove it, or write it in plain letters.",
        "Formulas are made of names, numbers, brackets and the signs + - * / @ ** and, in lecture notation, "
        "of ^ ' ⊙ ᵀ, small raised and lowered digits and Greek letters. Anything else is refused, not skipped.",
        Bad("formula", "W ? x", 1, 3),
    ),
    Message(
        "invisible-character",
        "An invisible character ({found}) stands here.",
        "Delete it, or type the line again.",
        "Control characters, characters without width and marks that turn the reading direction can make a "
        "formula read differently than it looks. They are refused.",
        Bad("formula", "A\u200b + B", 1, 2),
    ),
    Message(
        "look-alike-letter",
        "The letter {found} ({letter}) is not used in names here.",
        "Type the plain Latin letter, or the letter's name (lam for λ).",
        "Some letters of other alphabets look exactly like Latin ones: Cyrillic А, Greek Α. Two names that "
        "look alike would be two quantities. Latin letters, and Greek ones that look like no Latin letter, are read.",
        Bad("formula", "X + \u0410", 1, 5),
    ),
    Message(
        "combining-marks",
        "More than four accents stand in a row.",
        "Leave one accent: x\u0302 is read as x_hat.",
        "A hat, a bar or a tilde on a letter becomes a suffix: x_hat, x_bar, x_tilde. Longer rows are refused.",
        Bad("formula", "x\u0302\u0302\u0302\u0302\u0302", 1, 2),
    ),
    Message(
        "unclosed-quote",
        "The quote opened here is never closed.",
        'Close it after the letters: einsum("ij,jk->ik", A, B).',
        "Quotes hold the index letters of einsum. A prime that means a transpose or a derivative follows a name "
        "or a bracket at once.",
        Bad("formula", 'einsum("ij,jk->ik, A, B)', 1, 8),
    ),
    Message(
        "unknown-dialect",
        "There is no dialect {found}.",
        "Choose one of: {expected}.",
        "A dialect says what *, ', ^ and two names side by side mean.",
        Bad("command", 'whence read --dialect klingon "Z = W X"'),
    ),
    Message(
        "other-sign",
        "The sign {found} is not used this way in the {dialect} language.",
        "In the canonical language a power is **, a transpose is .T and g' is g_prime; "
        "for lecture notation leave out @, .T and **, or choose the dialect.",
        "Each dialect has its own signs. A text is read as the canonical language where it uses @, ** or .T and "
        "no sign of the lecture's.",
        Bad("canonical", "A^2", 1, 2),
    ),
)

_STRUCTURE = (
    Message(
        "empty-formula",
        "There is no formula here.",
        "Type a formula, for example trace(A @ X).",
        "The text is empty, or holds only blanks and comments.",
        Bad("formula", "   # nothing yet", 1, 1),
    ),
    Message(
        "unopened-bracket",
        "This {found} closes a bracket that was never opened.",
        "Remove it, or open the bracket before.",
        "Brackets come in pairs: ( ), [ ] and in lecture notation { }.",
        Bad("formula", "dZ2) * A", 1, 4),
    ),
    Message(
        "bracket-after-function",
        "A bracket is missing in {found}: perhaps {expected} is meant.",
        "Put the argument of a function into brackets.",
        "A closing bracket was found that nothing opens, and before it a word that runs on from a function's name.",
        Bad("formula", "A + traceB @ C)", 1, 5),
    ),
    Message(
        "unclosed-bracket",
        "The {found} opened here is never closed.",
        "Close it on the same line.",
        "Brackets come in pairs, and a formula stands on one line.",
        Bad("formula", "sum((A - Y)", 1, 4),
    ),
    Message(
        "mismatched-bracket",
        "A {expected} is needed here, {found} was found.",
        "Close each bracket with its own kind.",
        "Brackets close in the reverse order in which they were opened.",
        Bad("formula", "sum(A] + B)", 1, 6),
    ),
    Message(
        "missing-operand",
        "Something is missing on the {side} of {found}.",
        "Write the missing name, number or bracket, or remove the sign.",
        "The signs * / @ and the powers need an operand on both sides; + needs one on its right.",
        Bad("formula", "W2.T @ dZ2 *", 1, 12),
    ),
    Message(
        "missing-operator",
        "There is no sign before {found}.",
        "Write @ for the matrix product or * for the product entry by entry.",
        "In the canonical language every product has a sign. In lecture notation two names side by side are a "
        "matrix product, but a number does not follow a name.",
        Bad("canonical", "W X @ A", 1, 3),
    ),
    Message(
        "bad-place",
        "There is no place {found}: Octave counts from 1.",
        "Write the number of the row or column, from 1 on.",
        "In Octave the first entry of x is x(1), and X(1, :) is the first row. The language of whence counts from 0.",
        Bad("typed", "A' * X(0, :)", 1, 8),
    ),
    Message(
        "unexpected-sign",
        "{found} cannot stand here.",
        "Check the signs before and after it.",
        "The formula before this sign is complete, or the sign belongs inside the brackets of a function or an index.",
        Bad("formula", "(A, B)", 1, 3),
    ),
    Message(
        "two-comparisons",
        "A second comparison: {found}.",
        "Write one comparison at a time, (a < x) * (x < b).",
        "A comparison gives 0 or 1 entry by entry. Chains such as a < x < b are not read.",
        Bad("formula", "0 < x < 1", 1, 7),
    ),
    Message(
        "bad-attribute",
        "{found} is not part of the language.",
        "A transpose is .T, on the last two axes .mT; everything else is a function: sum(X), not X.sum().",
        "No attributes or methods are read besides .T and .mT.",
        Bad("canonical", "X.shape @ A", 1, 2),
    ),
    Message(
        "range-step",
        "A range has no step.",
        "Write low:high.",
        "X[0:k, :] takes whole ranges. Every second row, or the reverse order, is not in the language.",
        Bad("canonical", "X[0:4:2, :]", 1, 6),
    ),
    Message(
        "bad-letters",
        "{found} are no index letters.",
        'Write them as "ij,jk->ik".',
        "einsum takes one group of letters an operand, an arrow, and the letters of the result.",
        Bad("canonical", 'einsum("ij,jk", A, B)', 1, 8),
    ),
    Message(
        "repeated-keyword",
        "{found}= is given twice.",
        "Leave one of them.",
        "Each keyword of a function is given once.",
        Bad("canonical", "sum(X, axis=0, axis=1)", 1, 16),
    ),
    Message(
        "positional-after-keyword",
        "{found} stands after a keyword.",
        "Write the arguments first, then axis=….",
        "Arguments come in order, keywords after them.",
        Bad("canonical", "sum(axis=0, X)", 1, 13),
    ),
    Message(
        "no-argument",
        "{found} needs an argument.",
        "Write what it is applied to.",
        "Every function of the language has at least one argument.",
        Bad("formula", "sum()", 1, 5),
    ),
    Message(
        "equals-in-formula",
        "{found} cannot stand inside a formula.",
        "Write one equation a line: name = formula. To compare, write ==.",
        "One line gives one name to one formula.",
        Bad("formula", "J = sum(A)", 1, 3),
    ),
)

_WORDS = (
    Message(
        "unknown-function",
        "There is no function {found} here.",
        "Declare it (function {found}), or write the product with a sign.",
        "Where functions are declared, only those and the known ones are functions. A word one letter away from a "
        "known function is taken for a slip of the pen.",
        Bad("formula", "dZ2 * sigmod(Z1)", 1, 7),
    ),
    Message(
        "not-a-function",
        "{found} is a variable, not a function.",
        "Write the product with a sign: {found} * (…) or {found} @ (…).",
        "In the canonical language a bracket after a name is a call, and a declared variable cannot be called.",
        Bad("model", "shape W: n x m, x: m\nz = W(x) @ W", 2, 5),
    ),
    Message(
        "function-without-bracket",
        "{found} is a function and needs its argument in brackets.",
        "Write {found}(…), or give the quantity another name.",
        "log x is read as log(x); a function behind which nothing stands has no value.",
        Bad("lecture", "log + A2", 1, 1),
    ),
    Message(
        "function-and-variable",
        "{found} is called like a function in one place and used like a variable in another.",
        "Declare which it is (shape {found}: … or function {found}), or write the product with a sign.",
        "x(1-x) can be a product or a call. Where nothing is declared, a lower-case name followed at once by a "
        "bracket is an unknown function.",
        Bad("lecture", "x(1-x)", 1, 5),
    ),
    Message(
        "ambiguous-division",
        "What is under the slash can be read in two ways, because of {found}.",
        "Write the brackets: 1/2 (x - y) with a blank is half of it, 1/(2 m) one denominator.",
        "1/2m is read as 1/(2m), and 1/m dZ with a blank as (1/m) dZ. Anything longer glued to the slash is refused.",
        Bad("lecture", "1/2(x - y)", 1, 4),
    ),
    Message(
        "ambiguous-superscript",
        "The superscript {found} can be a layer, a power or an inverse.",
        "Write a layer as Z^[1], a power as Z^2, an inverse as inv(Z).",
        "a^(2) and W¹ are written for layers and for powers; x⁻¹ of a name that may be a vector has no sure meaning.",
        Bad("lecture", "a^(2) + 1", 1, 4),
    ),
    Message(
        "ambiguous-power",
        "A power such as {found} of a matrix can go entry by entry or be one of the matrix itself.",
        "Write X * X or sqrt(X) entry by entry, X @ X or sqrtm(X) for the matrix.",
        "X^2 of a square matrix, and X^(1/2) of any matrix, have two meanings. Of other matrices a whole power goes "
        "entry by entry.",
        Bad("lecture", "A^{1/2} x", 1, 2),
    ),
    Message(
        "indices-unread",
        "These indices make no formula of matrices.",
        "Write the sum over one repeated index, as Σ_j W_ij x_j, or the formula in matrices: W x.",
        "At most two indices may be free, and entries of one array are named by letters that differ.",
        Bad("typed", "T_{ij} = \\sum_k A_{ii} B_{kj}", 1, 17),
    ),
    Message(
        "shape-of-counted",
        "{found} can be an entry or a whole sample: nothing declares what is counted.",
        "Declare the shape of the whole, as x: n or X: n x m.",
        "Under a sum over i, x_i is an entry of a column x or a row of a matrix: two different formulas in matrices.",
        Bad("typed", "\\sum_i u_i v_i", 1, 8),
    ),
    Message(
        "words-after-formula",
        "The words behind the formula ({found}) say more than it does.",
        "Put it into the formula, as sum(X, axis=0).",
        "A sum without an axis is over all entries; words about it are not read as part of the formula.",
        Bad("typed", "dw = sum(dy * x). summation over the batch", 1, 19),
    ),
    Message(
        "ones-without-size",
        "How long this vector of ones is does not follow from what stands beside it.",
        "Write its size, as 𝟙_n or ones(n), or declare the shapes of its neighbours.",
        "A bold 1 is a column of ones; its length is taken from the matrix it is multiplied with or added to.",
        Bad("typed", "\\mathbf{1}", 1, 9),
    ),
    Message(
        "ambiguous-word",
        "{found} can be one name or several.",
        "Leave blanks between the names: λ w.",
        "A word of Greek and Latin letters is taken apart only where its parts are declared.",
        Bad("lecture", "λw", 1, 1),
    ),
    Message(
        "ambiguous-star",
        "Beside a transpose and no other product, * can be the matrix product or the product entry by entry.",
        "Write W' dZ or W.T @ dZ for the matrix product, ⊙ for entry by entry, or choose the dialect.",
        "In Octave, X'*Y is a matrix product; on a slide, * goes entry by entry.",
        Bad("formula", "X^T*(X*w - y)", 1, 4),
    ),
    Message(
        "ambiguous-call",
        "{found} is a variable of this model and, before a bracket, also the function {function}.",
        "Write {function}(…) for the function, or {name} * (…) for the product.",
        "σ before a bracket is the sigmoid function. Where sigma is a variable too, the bracket can be an argument or "
        "a factor, which is asked for, not guessed.",
        Bad("model", "shape sigma: scalar, x: n\nJ = sum(σ(x))", 2, 9),
    ),
    Message(
        "ambiguous-product",
        "{found} can be a matrix product or a product entry by entry.",
        "Write * for entry by entry, @ for the matrix product, or declare the shape of {name}.",
        "Two factors side by side are a matrix product where their shapes allow it. Where only an unlikely shape of a "
        "lower-case name would make it one, nothing is guessed.",
        Bad("model", "L = -y log(a); J = sum(L)", 1, 6),
    ),
    Message(
        "ambiguous-bars",
        "The bars round {found} are not read.",
        "Write {expected}.",
        "|x| of a number or vector is the absolute value entry by entry, but |A| of a square matrix is its "
        "determinant. ‖x‖ and ||x|| are read as a norm.",
        Bad("lecture", "y + |A|", 1, 5),
    ),
    Message(
        "bad-superscript",
        "The superscript {found} is not read.",
        "Write ^T, ^-1, ^2 or ^[1]; longer exponents in brackets: x^(1/2).",
        "Superscripts are transposes, inverses, powers and layers.",
        Bad("lecture", "W^{[1]+} X", 1, 2),
    ),
    Message(
        "empty-superscript",
        "The superscript is empty: a site may have swallowed it.",
        "Write what stood there: δ^[2].",
        "Some forums turn ^[1] into a footnote.",
        Bad("lecture", "W^{} X", 1, 2),
    ),
    Message(
        "bad-layer",
        "{found} is no layer.",
        "A layer is a number or a letter: Z^[1], Z^[l], Z^[l-1].",
        "What stands in the brackets of a layer becomes part of the name: Z1, Z_l, Z_lm1.",
        Bad("lecture", "Z^[1,2]", 1, 3),
    ),
    Message(
        "derivative-quotient",
        "A quotient of differentials is not a product of numbers for matrices.",
        "Write dW for the derivative of the cost by W; other derivatives are asked for by name.",
        "∂J/∂W of a cost J is read as the name dW. ∂A/∂Z of two matrices has four indices and is not a factor "
        "that can be written beside others.",
        Bad("lecture", "dZ2 ∂Z2/∂A1", 1, 5),
    ),
    Message(
        "name-too-long",
        "A name has at most {limit} letters.",
        "Use a shorter name.",
        "Names are cut nowhere, so very long ones are refused.",
        Bad("formula", "x" * 65, 1, 1),
    ),
)

_LIMITS = (
    Message(
        "line-too-long",
        "A line has at most {limit} characters; this one has {found}.",
        "Give names to parts of the formula, one a line.",
        "The cap keeps every answer quick.",
        Bad("formula", "x" + " " * 10_000, 1, 1),
    ),
    Message(
        "too-many-tokens",
        "A line has at most {limit} names, numbers and signs.",
        "Give names to parts of the formula, one a line.",
        "The cap keeps every answer quick.",
        Bad("formula", _LONG_SUM, 1, 2001),
    ),
    Message(
        "too-deep",
        "Brackets, signs and powers are nested at most {limit} deep.",
        "Give names to the inner parts, one a line.",
        "The cap keeps every answer quick.",
        Bad("formula", _DEEP, 1, 1),
    ),
    Message(
        "too-many-symbols",
        "A formula has at most {limit} different names.",
        "Split the formula over several lines.",
        "The cap keeps every answer quick.",
        Bad("formula", "+".join(f"x{k}" for k in range(201)), 1, 891),
    ),
    Message(
        "too-many-lines",
        "A model has at most {limit} lines.",
        "Split the model.",
        "The cap keeps every answer quick.",
        Bad("model", "\n" * 1000 + "J = x", 1001, 1),
    ),
    Message(
        "number-too-long",
        "A number has at most {limit} digits.",
        "Round it, or write it as a fraction.",
        "Numbers are exact fractions here; very long ones are refused.",
        Bad("formula", "x + 1234567890123456789012345678901", 1, 5),
    ),
    Message(
        "exponent-too-long",
        "The decimal exponent of {found} has more than three digits.",
        "Use a smaller one.",
        "Numbers are exact fractions here; 1e1000000 would fill the memory.",
        Bad("formula", "x * 1e1000", 1, 5),
    ),
    Message(
        "power-too-large",
        "The power {found} is larger than {limit}.",
        "Use a power of at most {limit}, or a symbol.",
        "Powers are multiplied out where that helps, so very large ones are refused.",
        Bad("formula", "x**65 @ y", 1, 4),
    ),
)

_MODELS = (
    Message(
        "bad-target",
        "What stands left of = must be one name.",
        "Write name = formula, for example Z1 = W1 X + b1.",
        "A line names one quantity. Parts of a matrix, products and functions of something cannot be assigned.",
        Bad("model", "2 x = 3", 1, 1),
    ),
    Message(
        "no-target",
        "Nothing says which gradient {found} is.",
        "Write its name before it: dW1 = formula.",
        "An answer is compared with the gradient that its left side names, so it needs one.",
        Bad("command", 'whence check "J = sum(W X)" "2 X"'),
    ),
    Message(
        "two-equals",
        "= stands twice in one line.",
        "Write two lines.",
        "A line gives one name to one formula.",
        Bad("model", "J = L = sum(A)", 1, 7),
    ),
    Message(
        "compare-as-statement",
        "== compares; it does not say what a name is.",
        "Write = to define.",
        "A line that only compares defines nothing.",
        Bad("model", "Z1 == W X", 1, 4),
    ),
    Message(
        "line-without-name",
        "This line gives its formula no name.",
        "Write name = formula, or shape X: n x m to declare one. Only the last line, the cost, may go without a name.",
        "The names are what the derivation speaks of.",
        Bad("model", "sum(A)\nJ = sum(B)", 1, 1),
    ),
    Message(
        "reserved-name",
        "{found} cannot be a name here.",
        "Choose another name.",
        "Names of functions, the number pi, and the words of the declarations keep their meaning.",
        Bad("model", "sum = A + B", 1, 1),
    ),
    Message(
        "redefined-name",
        "{found} is already defined in line {first}.",
        "Give the second quantity a name of its own.",
        "A name stands for one quantity, so that its derivative has one meaning.",
        Bad("model", "A = X + Y\nA = A2 - Y", 2, 1),
    ),
    Message(
        "choice-made",
        "More than one reading is possible here ({found}).",
        "Write what is meant: declare shapes (shape X: n x m), name the dialect (--dialect), use @ and *.",
        "With --strict nothing is chosen: a text is refused where a sign, a shape or a name can be read in two ways.",
        Bad("command", "read 'X W + b' --strict", 1, 1),
    ),
    Message(
        "no-forward-pass",
        "From this formula alone no forward pass can be told: {found}.",
        'Give the forward lines too: whence check "Z = W X + b; J = sum(Z)" "dW = ...".',
        "A formula alone is explained where its names or its form say what it belongs to: layers such as W2 and dZ2, "
        "the derivative of an activation, or a product with one gradient that is given.",
        Bad("alone", "dq = sin(dr) + ds", 1, 1),
    ),
    Message(
        "loop-not-unrolled",
        "This loop cannot be unrolled: {found}.",
        "Write range with numbers, or give the number of layers in a line before it, L = 3.",
        "A loop is read by writing its lines once for each turn, so the turns must be known from the text.",
        Bad("model", "A = X\nfor W in weights:\n    A = relu(W @ A)\nJ = sum(A)", 2, 1),
    ),
    Message(
        "branch-not-decided",
        "Whether this holds cannot be told from the text: {found}.",
        "Leave the branch out and keep the lines that are meant.",
        "A derivative is one of one computation. Only tests of texts that are given are decided, activation == 'relu'.",
        Bad("model", "def f(X):\n    if training:\n        X = 2 * X\n    return X", 2, 5),
    ),
    Message(
        "code-not-opened",
        "This code is not read as equations: {found}.",
        "Keep the lines that compute, one assignment each.",
        "Of pasted Python the assignments, functions, loops over numbers and dictionaries are read; nothing is run.",
        Bad("model", "def f(X):\n    while True:\n        X = 2 * X\n    return X", 2, 5),
    ),
    Message(
        "declared-and-defined",
        "{found} is declared as an input and also defined by a formula.",
        "Leave out the declaration: the shape follows from the formula.",
        "A declared name is an input. The shapes of defined names are found from their formulas.",
        Bad("model", "shape Z: n x m\nZ = X + Y", 2, 1),
    ),
    Message(
        "used-before-defined",
        "{found} is used before line {first} defines it.",
        "Move its definition up, or give the input another name.",
        "Lines are read in order. A name that is defined later, or in terms of itself, has no value yet.",
        Bad("model", "A = Z + 1\nZ = X + Y", 1, 5),
    ),
    Message(
        "size-and-variable",
        "{found} is a size and cannot be a variable too.",
        "Leave out its declaration: a size can be used as a number in a formula, as in sum(L)/m.",
        "A name stands for one thing. Sizes are the letters of the declared shapes.",
        Bad("shapes", "n: k, X: n x m", 1, 1),
    ),
    Message(
        "bad-shape",
        "{found} is no shape.",
        "Write X: n x m (a matrix), x: n (a column), x: 1 x m (a row) or s: scalar.",
        "Sizes are letters or small whole numbers, or products and sums of them: H*k.",
        Bad("shapes", "X: n x", 1, 4),
    ),
    Message(
        "bad-declaration",
        "This declaration is not understood: {found}.",
        "Write shape X: n x m, assume S: symmetric, pd, or function g.",
        "Declarations are a name, a colon and what is declared, separated by commas.",
        Bad("model", "shape X", 1, 7),
    ),
    Message(
        "declared-twice",
        "{found} is declared twice.",
        "Leave one of the declarations.",
        "A name has one shape.",
        Bad("shapes", "X: n x m, X: m x n", 1, 11),
    ),
    Message(
        "unknown-assumption",
        "There is no assumption {found}.",
        "Known are: {expected}.",
        "Assumptions are facts about inputs that the answer may use and carries with it.",
        Bad("assume", "S: symetric", 1, 4),
    ),
    Message(
        "not-a-text",
        "{expected}, not {found}.",
        "Pass a text, such as J = sum(W X).",
        "A model is a text, one equation a line. Shapes and assumptions are a text or a dictionary.",
        Bad("command", "whence.model(None)"),
    ),
    Message(
        "assumption-shape",
        "{found} cannot be {assumption}: its shape is {shape}.",
        "Only square matrices are {assumption}; check the declaration.",
        "Symmetric, definite, diagonal, triangular and invertible matrices have as many rows as columns.",
        Bad("model", "shape X: n x m\nassume X: symmetric\nJ = sum(X)", 2, 8),
    ),
    Message(
        "function-not-elementwise",
        "{found} is not a function of one entry.",
        "Use only its parameter, numbers and functions that go entry by entry.",
        "A function defined in a model, such as swish(z) = z*sigmoid(z), is applied to each entry alone.",
        Bad("model", "f(z) = z @ z\nJ = sum(f(x))", 1, 8),
    ),
    Message(
        "bad-problem",
        "The field {found} of the problem must be {expected}.",
        "Compare with an example of the format.",
        "A problem is one JSON object a line with id, variables, expression and wrt.",
        Bad("problem", '{"id": "a", "variables": [], "expression": "x", "wrt": ["x"]}', 1, 1),
    ),
)

_ANSWERS = (
    Message(
        "shape-clash",
        "The shapes do not fit: {found}; needed: {expected}.",
        "Check for a missing transpose, or the order of the factors.",
        "A matrix product needs as many columns on its left as rows on its right; sums and products entry by "
        "entry need equal shapes, or a column, row or number that is repeated.",
        Bad("model", "shape A: n x m, B: n x m\nJ = sum(A B)", 2, 9),
    ),
    Message(
        "unknown-shape",
        "The shape of {found} does not follow from the model.",
        "Declare it, for example shape X: n x m.",
        "Shapes are found from the declared ones. What cannot be found is asked for, not guessed.",
        Bad("model", "J = sum(X)"),
    ),
    Message(
        "not-square",
        "A square matrix is needed, this is {found}.",
        "Check the shape of the argument.",
        "Traces, determinants and inverses are of square matrices.",
        Bad("model", "shape A: n x m\nJ = trace(A)", 2, 11),
    ),
    Message(
        "not-scalar",
        "A single number is needed; {found}.",
        "Take a sum, a mean or a norm of it.",
        "A gradient is of one number. The derivative of anything else is a Jacobian.",
        Bad("model", "shape A: n x m\nJ = A", 2, 5),
    ),
    Message(
        "bad-axis",
        "There is no axis {found} here.",
        "axis=0 goes down the columns, axis=1 along the rows.",
        "Up to rank 2 an axis is 0 or 1. Axes are kept, of length 1.",
        Bad("model", "shape A: n x m\nJ = sum(sum(A, axis=2))", 2, 20),
    ),
    Message(
        "unknown-name",
        "{found} is not a name of this model.",
        "Declare its shape, or check the spelling.",
        "Names are the inputs, the defined quantities, and the symbols of the sizes.",
        Bad("command", 'whence derive "J = sum(X)" W'),
    ),
    Message(
        "wrong-arguments",
        "{found} takes {expected}.",
        "Compare with an example of the function.",
        "Each function has a fixed number of arguments and its own keywords.",
        Bad("model", "J = trace(A, B)", 1, 5),
    ),
    Message(
        "unknown-target",
        "The model has no {found} to differentiate by.",
        "Ask for one of: {expected}.",
        "A target is dX, or X, of an input or a named quantity of the model.",
        Bad("command", 'whence derive "Z = W X; J = sum(Z)" dQ'),
    ),
    Message(
        "no-rule",
        "There is no rule for the derivative of {found}.",
        "Write it in terms of functions that have one.",
        "A function without a rule is never taken to have derivative zero.",
        Bad("command", 'whence derive "J = sum(argmax_mask(X))" dX'),
    ),
    Message(
        "bad-option",
        "There is no such option: {found}; possible is {expected}.",
        "Use one of the words listed.",
        "Options are words from a short list; others are refused, never ignored.",
        Bad("command", 'whence derive "Z = W X; J = sum(Z)" dW --layout sideways'),
    ),
    Message(
        "division-by-zero",
        "The formula divides by {found}.",
        "Look for a denominator that is always zero.",
        "Nothing can be said of a formula that has no value for any input.",
        Bad("command", 'whence derive "J = sum(X)/0" dX'),
    ),
    Message(
        "outside-scope",
        "This is outside what whence derives: {found}.",
        "Write the formula in other words of the language.",
        "What is not covered is refused by name, never answered by guess.",
        Bad("command", 'whence derive "J = sum(X[0:2, :])" dX --shapes "X: n x m"'),
    ),
    Message(
        "not-verified",
        "A formula was derived but did not pass its check: {found}.",
        "Please report it; the formula is not shown.",
        "Every answer is read back and compared with the forward formulas before it is shown. Where they disagree, "
        "or the check cannot be done, there is no answer.",
        Bad("command", "whence solve problems.jsonl"),
    ),
    Message(
        "outside-format",
        "The derivative exists, but the notation has no word for {found}.",
        "Write the forward formula without it, or use its change in a direction.",
        "Some derivatives have three or four indices and no plain matrix form.",
        Bad("command", 'whence derive "Z = W X" dW'),
    ),
    Message(
        "no-average",
        "{found} is no average: it is not divided by a number of samples.",
        "Leave out the convention course, or write the cost as an average: J = sum(L)/m.",
        "In the course's convention dZ is the gradient of the loss before it is averaged. A cost that is no average "
        "has no such loss.",
        Bad("command", 'whence derive "J = sum(W X)" dW --convention course'),
    ),
    Message(
        "does-not-depend",
        "{found} does not depend on {expected}.",
        "Check which quantity is differentiated; the derivative is zero.",
        "No line leads from the one to the other.",
        Bad("command", 'whence derive "Z = W X; J = sum(X)" dW'),
    ),
    Message(
        "not-expressible-in",
        "{found} cannot be written in {dialect} so that it is read back as the same formula.",
        "Choose another way of writing; canonical writes every formula.",
        "What is written in a dialect is read again, and shown only if the same formula comes back. Some formulas have "
        "no text there: an array of four indices has none in Octave.",
        Bad("command", 'whence explain "shape X: n x n; J = norm(X @ X)**2" dX --write octave'),
    ),
    Message(
        "cannot-decide",
        "Whether the two are equal cannot be decided: {found}.",
        "Try smaller sizes, or a simpler form.",
        "Equal and not equal are only said with a certificate or a witness.",
        Bad("command", "whence check model.txt answer.txt"),
    ),
    Message(
        "too-large",
        "The work would exceed the limit of {limit} {found}.",
        "Ask for a smaller part.",
        "The caps keep every answer quick.",
        Bad("command", "whence solve problems.jsonl"),
    ),
    Message(
        "too-many-terms",
        "The formula grows to {found} terms; at most {expected} are handled.",
        "Give names to parts of it, one a line.",
        "The cap keeps every answer quick.",
        Bad("command", "whence solve problems.jsonl"),
    ),
    Message(
        "output-too-long",
        "The formula that was found is too long to be shown: {found}, at most {expected}.",
        "Give names to parts of the model, one a line, or ask for a first derivative.",
        "Your lines are short enough; it is the answer that is too long to be read back, and what is not read back "
        "and checked is not shown.",
        Bad("command", "whence solve problems.jsonl"),
    ),
    Message(
        "size-too-long",
        "A size grows beyond what is handled: {found}.",
        "Declare the shape with a symbol of its own.",
        "Sizes are sums and products of symbols. Very long ones are refused.",
        Bad("command", "whence solve problems.jsonl"),
    ),
    Message(
        "order-too-high",
        "Derivatives are taken up to order {limit}.",
        "Ask for a lower order.",
        "Higher orders grow beyond reading.",
        Bad("command", "python -c \"import whence; whence.model('J = x**6').derivative('J', ['x'] * 5)\""),
    ),
    Message(
        "no-such-file",
        "There is no file {found}.",
        "Check the path.",
        "An argument with a path separator or a known ending is a file, never a formula.",
        Bad("command", "whence solve missing.jsonl"),
    ),
    Message(
        "bad-json",
        "This line is no JSON object: {found}.",
        "Write one JSON object a line.",
        "In a batch each line is read alone, and a bad one does not stop the others.",
        Bad("command", "whence solve broken.jsonl"),
    ),
    Message(
        "internal",
        "Something went wrong inside whence: {found}.",
        "Please report it, with the input.",
        "This is a fault of the program, not of the input. No answer is given.",
        Bad("command", "whence solve problems.jsonl"),
    ),
)

CATALOGUE: dict[str, Message] = {
    m.code: m for group in (_CHARACTERS, _STRUCTURE, _WORDS, _LIMITS, _MODELS, _ANSWERS, COMMAND_LINE) for m in group
}

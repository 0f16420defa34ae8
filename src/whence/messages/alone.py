"""What is said of a backward formula that comes without its forward lines."""

TEXTS: dict[str, str] = {
    "presupposes": "A formula alone leaves the forward pass open. It presupposes these lines, which are assumed here:",
    "any-cost": "{cost} stands for any cost that follows {last}: G is whatever its derivative there is, {given}.",
    "one-hot": "{label}: each sample has a single 1.",
    "rest": "U stands for the rest of the sum.",
    "change": 'To change them: whence explain "{lines}" d{target}',
    "right": "Your formula is right for them.",
    "right-course": "Your formula is right for them in the course's convention: dZ is the derivative of the loss "
    "before it is averaged, and 1/m stands in dW and db.",
    "wrong": "Your formula, judged by them: {verdict}",
    "factor": "{formula} is {function}′({of}), the derivative of {function} at {of}.\n"
    "It is a factor that goes entry by entry, as {function} does; {of} is where it is taken, no factor.\n"
    "In the whole formula it stands behind what comes back through the next layer:",
    "hint": "Hint: {hint}",
    "read-as": "What you wrote is read as d{target} = {formula}",
    "meaning": "d{target} means ∂J/∂{target}, how the cost changes with each entry of {target}. It is no differential.",
    "both": "One sample and a batch",
    "one-sample": "one sample, a {line} of numbers",
    "batch": "a batch, the samples side by side as {lines}",
    "each-alone": "{Line} i of the batch formula is the formula of sample i: each sample goes through alone, "
    "and nothing is added up.",
    "summed": "{name} is used by every sample, so the parts of all samples are added up: the batch formula is the sum "
    "of the sample formula over i{divided}, and the product or sum over the samples does that.",
    "divided": ", divided by {samples}",
    "shortcut": "The shortcut d{target} = {residual} is this rule at the output alone, derived for",
    "elsewhere": "Everywhere else the general rule holds.",
    "general": "That is the shortcut of an output layer. For a hidden layer the general rule holds, {formula}.",
    "others": "It can also belong to",
    "other-right": "right for them",
    "other-wrong": "there {formula}",
    "columns": "columns",
    "rows": "rows",
    "column": "column",
    "row": "row",
}

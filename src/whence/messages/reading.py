"""What is said of a text that was read."""

READ: dict[str, str] = {
    "forward": "Forward lines",
    "backward": "Formulas of gradients",
    "other": "Other formulas",
    "question": "Question (line {line})",
    "asked": ", about {target}",
    "not-read": "Not read",
}

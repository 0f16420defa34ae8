"""The texts about the command line itself: arguments, files and batches."""

from __future__ import annotations

from whence.messages.message import Bad, Message

COMMAND_LINE = (
    Message(
        "bad-usage",
        "The command line cannot be read: {found}.",
        "See whence --help, and whence COMMAND --help.",
        "A command, its arguments and its options are read before anything else. A formula that begins with a minus "
        "sign looks like an option: put -- before it, or give it a name (J = -x'x).",
        Bad("command", "whence derive"),
    ),
    Message(
        "not-yet",
        "whence {found} is not there yet.",
        "So far there is: {expected}.",
        "The command is planned, and its name is kept for it. Nothing was done.",
        Bad("command", 'whence practise "J = sum(X)" dX'),
    ),
    Message(
        "unknown-code",
        "There is no message with the code {found}.",
        "whence explain --code without a code lists them all.",
        "Every message has a code, which stands in brackets behind the word error.",
        Bad("command", "whence explain --code shape-clahs"),
    ),
    Message(
        "not-a-file",
        "{found} is no file that can be read: {expected}.",
        "Name a file of text, - for standard input, or type the model itself.",
        "A model is read from a file, from standard input, or from the argument itself. A directory, or a file "
        "without permission to read it, is none of these.",
        Bad("command", "whence shapes /"),
    ),
    Message(
        "not-arrays",
        "{found} holds no arrays by name: {expected}.",
        "Write it with numpy.savez(FILE, X=x, W=w).",
        "An audit reads arrays from npz files, each under the name it has in the model. What would have to be run to "
        "be read is refused.",
        Bad("command", 'whence audit "J = sum(X)" --inputs model.txt --grads model.txt'),
    ),
    Message(
        "needs-library",
        "{found} needs a library that is not installed: {expected}.",
        "Install whence[numeric].",
        "whence itself needs no numerical library; what computes with arrays does.",
        Bad("command", 'whence audit "J = sum(X)" --inputs in.npz --grads out.npz'),
    ),
    Message(
        "not-text",
        "This is not text in UTF-8: byte {found}.",
        "Save the file as UTF-8.",
        "Files and standard input are read as UTF-8. Other encodings are refused, since a wrong guess would change "
        "letters and signs.",
        Bad("command", "whence shapes picture.png"),
    ),
    Message(
        "file-too-large",
        "{found} is larger than {limit} bytes.",
        "Pass a model, one equation a line.",
        "Files far beyond any model are refused before they are read.",
        Bad("command", "whence shapes film.mkv"),
    ),
    Message(
        "cannot-write",
        "{found} cannot be written: {expected}.",
        "Choose another file for --out; a batch that was cut off goes on with --resume.",
        "The answers are written line by line. Those that were written stay.",
        Bad("command", "whence solve problems.jsonl --out /"),
    ),
    Message(
        "bad-rubric",
        "The rubric cannot be used: {found}.",
        "What belongs there: {expected}. An example stands in examples/rubric.toml.",
        "A rubric is a TOML file with the model, its shapes and the points of each target. Nothing was graded.",
        Bad("command", "whence grade empty.toml answers.csv --out marks"),
    ),
    Message(
        "bad-submissions",
        "The submissions cannot be read: {found}.",
        "What belongs there: {expected}.",
        "A CSV file has a column student and one for each target; a JSON line has student, and answers or text; a "
        "folder has one file a student. Nothing was graded.",
        Bad("command", "whence grade rubric.toml names.csv --out marks"),
    ),
    Message(
        "other-batch",
        "{found} does not hold the answers to the first lines of this batch: {expected}.",
        "Choose another file for --out, or leave out --resume to begin anew.",
        "--resume goes on after the answers that stand in the file. It first compares their ids with those of the "
        "batch, and changes nothing where they differ.",
        Bad("command", "whence solve problems.jsonl --out answers-to-others.jsonl --resume"),
    ),
    Message(
        "no-numbers",
        "No easy numbers were found at which {found} has a value.",
        "Ask for the derivation without numbers: whence explain MODEL TARGET.",
        "A toy example needs numbers for every input. Where all that were tried fall outside the domain of a function "
        "or make a matrix singular, none is shown.",
        Bad("command", "whence explain --show toy 'J = sum(log(-exp(X)))' dX"),
    ),
    Message(
        "not-numbers",
        "A line of a worksheet is a formula of single numbers; this has {found}.",
        "Write entries, as in z1_1 = w1_11 x_1 + w1_12 x_2 + b1_1.",
        "On the first two parts of a worksheet every letter is one number. Matrices come in the last part.",
        Bad("command", "whence practise MODEL dZ1 --line 'z1_1 = w1_11.T'"),
    ),
    Message(
        "two-formulas",
        "Here stand {found} formulas.",
        "Type one formula a line.",
        "Every line of a worksheet is judged alone, given those before it.",
        Bad("command", "whence practise MODEL dZ1 --line 'dZ1 = W2.T; dZ2'"),
    ),
    Message(
        "no-worksheet",
        "There is no worksheet for {found}: {expected}.",
        "Ask for its derivation: whence explain MODEL TARGET.",
        "A worksheet is made of the toy example. Where entries cannot be written out at small sizes, or the steps of "
        "the derivation are not shown, there is none.",
        Bad("command", "whence practise 'J = det(X)' dX"),
    ),
    Message(
        "bad-state",
        "{found} is no saved worksheet: {expected}.",
        "Name a file that whence practise wrote, or leave out --state to begin anew.",
        "A worksheet is saved as one small JSON file: the model, the target, the lines as typed, and the hints given.",
        Bad("command", "whence practise --state notes.txt"),
    ),
    Message(
        "unknown-identity",
        "There is no rule or identity {found}.",
        "whence lookup with a word or two lists what there is.",
        "Rules and identities are found by their name, by words, or by a formula that has their form.",
        Bad("command", "whence lookup vector-chain-rul --with z=Z1"),
    ),
    Message(
        "no-question",
        "The post has {found}.",
        "Name them: whence reply POST.md --model MODEL --target dZ1.",
        "A reply needs the forward lines and the formula that is asked about. They are taken from the post where it "
        "has them, one a line.",
        Bad("command", "whence reply 'Why is that so?'"),
    ),
)

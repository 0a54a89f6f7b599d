"""The page of all commands, `docs/commands.md`, from their signatures: ``python -m isthmus.cli.help_page``."""

from pathlib import Path

from isthmus.cli.described import Described, Taken, described, is_choice

OPENING = """# Commands

Every command of `isthmus`, as `isthmus COMMAND --help` shows it. [The walk](command-line.md) takes a file through them.

[Reading](#reading), [Model](#model) and [Messages](#messages), at the end, are options that several commands share.

Exit codes: 0; 1 for the data or the run; 2 for how the command was called; 130 after Ctrl-C.
"""
SHARED = {
    "Reading": "How data are read, and what their columns are for. What was found by looking is told.",
    "Model": "Which model is trained, and how.",
    "Messages": "What is printed beside the result.",
}
"""Groups of options that several commands share, with what is said of them."""


def help_page() -> str:
    """Return the page, in Markdown."""
    commands = list(described())
    shared = {panel: found for panel in SHARED for found in [options_of(panel, commands)]}
    groups = [f"## {panel}\n\n{SHARED[panel]}\n\n{table(found)}" for panel, found in shared.items()]
    return "\n".join([OPENING, *map(section, commands), *groups])


def options_of(panel: str, commands: list[Described]) -> list[Taken]:
    """Return the options of a group, in the order of the command that has most of them."""
    return max(([one for one in command.taken if one.panel == panel] for command in commands), key=len)


def section(command: Described) -> str:
    """Return the section of a command."""
    name = " ".join(command.words)
    text, _, example = command.text.partition("Example:")
    own = [one for one in command.taken if one.panel not in SHARED]
    arguments = [one for one in command.taken if not one.flag]
    usage = f"isthmus {name} {' '.join(shown(one) for one in arguments)}".strip()
    lines = [f"## {name}", "", text.strip(), "", "```", example.strip() or usage, "```", ""]
    links = [f"[{panel}](#{panel.lower()})" for panel in SHARED if any(one.panel == panel for one in command.taken)]
    return "\n".join([*lines, table(own), *([f"And the options of {', '.join(links)}.", ""] if links else [])])


def shown(one: Taken) -> str:
    """Return how usage shows an argument."""
    return one.metavar or one.name.upper()


def table(taken: list[Taken]) -> str:
    """Return the table of what a command takes."""
    rows = [f"| `{written(one)}` | {cell(one.help)} | {default(one)} |" for one in taken if one.name != "then"]
    return "\n".join(["| | | default |", "|---|---|---|", *rows, ""]) if rows else ""


def written(one: Taken) -> str:
    """Return how an argument or option is written, with its value.

    >>> from isthmus.cli.described import described
    >>> train = next(command for command in described() if command.words == ("train",))
    >>> [written(one) for one in train.taken if one.name in ("data", "out", "records", "kind")]
    ['DATA', '--out MODEL', '--as autoencoder/detector/imputer', '--records/--no-records']
    """
    if not one.flag:
        return shown(one)
    if one.type is bool:
        return one.flag + (f"/{one.off}" if one.off else "")
    values = "/".join(one.type) if is_choice(one.type) else one.metavar or {int: "N", float: "X"}.get(one.type, "TEXT")  # type: ignore[arg-type]
    return f"{one.flag} {values}"


def default(one: Taken) -> str:
    """Return what stands for an option that is not given."""
    if one.required:
        return "needed"
    if one.default is None or one.default is False or one.default == []:
        return ""
    if one.default is True:
        return f"`{one.flag}`"
    return f"`{one.default}`"


def cell(text: str) -> str:
    """Return text that can stand in a cell of a table."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    Path("docs/commands.md").write_text(help_page(), encoding="utf-8")

"""YAML as plain values with their places, read by the rules of YAML 1.2; and plain values as YAML."""

from collections.abc import Mapping, Sequence
from io import StringIO
from types import ModuleType
from typing import Protocol, TypeGuard

from isthmus.core.document import Document, DocumentError, Place, Plain, Steps, duplicate
from isthmus.core.extras import extra_module
from isthmus.core.scalars import scalar_of

PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
"""Tags that nodes have unless somebody wrote one."""
WIDTH = 100
"""Characters of a line at most, as far as values can be parted."""


class Mark(Protocol):
    """A place in YAML; both numbers begin at 0."""

    line: int
    column: int


class Node(Protocol):
    """A node of PyYAML."""

    id: str
    tag: str
    start_mark: Mark


class ScalarNode(Node, Protocol):
    """A scalar; its style is None if it has no quotes."""

    style: str | None
    value: str


class ListNode(Node, Protocol):
    """A list."""

    value: Sequence[Node]


class MappingNode(Node, Protocol):
    """A mapping: pairs of a key and a value."""

    value: Sequence[tuple[Node, Node]]


def is_scalar(node: Node) -> TypeGuard[ScalarNode]:
    """Return whether a node is a scalar."""
    return node.id == "scalar"


def is_list(node: Node) -> TypeGuard[ListNode]:
    """Return whether a node is a list."""
    return node.id == "sequence"


def is_mapping(node: Node) -> TypeGuard[MappingNode]:
    """Return whether a node is a mapping."""
    return node.id == "mapping"


def yaml() -> ModuleType:
    """Return PyYAML, or raise `MissingExtraError`."""
    return extra_module("yaml", "a recipe in YAML", "pyyaml", extra="config")


def parse_yaml(text: str, name: str) -> Document:
    r"""Return the values of a text in YAML.

    Parameters
    ----------
    text
        One document of mappings, lists and scalars; tags, anchors and merged keys are refused.
    name
        Of the file, for messages.

    Raises
    ------
    DocumentError
        If it is no YAML, or a key is there twice; with line and column.
    MissingExtraError
        If PyYAML is not installed.

    Examples
    --------
    >>> document = parse_yaml("latent: 16\npenalty: {kl: {beta: 4}}", "run.yaml")
    >>> document.value, document.place(("penalty", "kl", "beta")).line
    ({'latent': 16, 'penalty': {'kl': {'beta': 4}}}, 2)
    """
    module = yaml()
    try:
        node: Node | None = module.compose(text, Loader=module.BaseLoader)
    except module.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(1, 1) if mark is None else place_of(mark)
        message = ": ".join(part for part in (error.context, error.problem) if part)
        raise DocumentError(name, place, f"no YAML ({message})") from None
    except (module.YAMLError, RecursionError) as error:
        raise DocumentError(name, Place(1, 1), f"no YAML ({' '.join(str(error).split())})") from None
    reader = YamlReader(name)
    value = None if node is None else reader.read(node, ())
    return Document(name, value, reader.places)


def place_of(mark: Mark) -> Place:
    """Return a mark as a place."""
    return Place(mark.line + 1, mark.column + 1)


class YamlReader:
    """Turns nodes into plain values, and remembers where they are."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[Steps, Place] = {}
        self.seen: set[int] = set()

    def read(self, node: Node, steps: Steps) -> Plain:
        """Return the value of a node."""
        if node.tag not in PLAIN_TAGS:
            raise self.refused(node, f"tags such as {node.tag.replace('tag:yaml.org,2002:', '!!')!r} are not allowed")
        if is_scalar(node):
            return scalar(node)
        if id(node) in self.seen:
            raise self.refused(node, "anchors are not allowed: write the value twice")
        self.seen.add(id(node))
        if is_mapping(node):
            return self.mapping(node, steps)
        assert is_list(node), "YAML has scalars, mappings and lists"
        return [self.item(item, (*steps, index)) for index, item in enumerate(node.value)]

    def item(self, node: Node, steps: Steps) -> Plain:
        """Return the value of an item of a list."""
        self.places[steps] = place_of(node.start_mark)
        return self.read(node, steps)

    def mapping(self, node: MappingNode, steps: Steps) -> dict[str | int, Plain]:
        """Return the values of a mapping."""
        found: dict[str | int, Plain] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node)
            inner = (*steps, key)
            if key in found:
                raise self.refused(key_node, duplicate(key, self.places[inner]))
            self.places[inner] = place_of(key_node.start_mark)
            found[key] = self.read(value_node, inner)
        return found

    def key(self, node: Node) -> str | int:
        """Return a key: a whole number, or text."""
        if not is_scalar(node) or node.tag not in PLAIN_TAGS:
            raise self.refused(node, "a key must be text or a whole number")
        value = scalar(node)
        return value if isinstance(value, int) and not isinstance(value, bool) else node.value

    def refused(self, node: Node, message: str) -> DocumentError:
        """Return the error that a node is wrong."""
        return DocumentError(self.name, place_of(node.start_mark), message)


def scalar(node: ScalarNode) -> bool | int | float | str | None:
    """Return the value of a scalar: text if it is in quotes."""
    return scalar_of(node.value) if node.style is None else node.value


def yaml_text(values: Mapping[str | int, Plain]) -> str:
    """Return plain values as YAML that reads the same by the rules of YAML 1.1 and 1.2.

    >>> print(yaml_text({"latent": 16, "hidden": [128, 64], "columns": {"age": "count"}}), end="")
    latent: 16
    hidden: [128, 64]
    columns: {age: count}
    """
    module = yaml()
    dumper = type("Dumper", (module.SafeDumper,), {"ignore_aliases": lambda self, data: True})
    module.add_representer(str, represented, Dumper=dumper)
    node = dumper(StringIO(), default_flow_style=None, sort_keys=False).represent_data(dict(values))
    # A line per parameter, also where none of them is a mapping.
    node.flow_style = False
    found: str = module.serialize(node, Dumper=dumper, allow_unicode=True, width=WIDTH)
    return found


class Representer(Protocol):
    """What is used of PyYAML's dumpers."""

    def represent_scalar(self, tag: str, value: str, style: str | None = None) -> object:
        """Return a scalar as a node."""
        ...


def represented(dumper: Representer, value: str) -> object:
    """Return text as a node, in quotes where YAML 1.2 would take it for something else."""
    return dumper.represent_scalar(PLAIN_TAGS[0], value, style=None if isinstance(scalar_of(value), str) else "'")

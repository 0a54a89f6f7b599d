import xml.etree.ElementTree as ET

from isthmus.engine.html_tables import html_pairs, html_table


def texts(root, tag):
    return [element.text or "" for element in root.iter(tag)]


def test_a_table_holds_every_cell():
    root = ET.fromstring(html_table(["a", "b"], [["1", "2"], ["3", ""]]))
    assert texts(root, "th") == ["a", "b"]
    assert texts(root, "td") == ["1", "2", "3", ""]
    assert len(list(root.iter("tr"))) == 3


def test_pairs_hold_names_and_values():
    root = ET.fromstring(html_pairs([("rows", "12"), ("steps", "autograd")]))
    assert (texts(root, "th"), texts(root, "td")) == (["rows", "steps"], ["12", "autograd"])


def test_everything_is_escaped():
    odd = "<script>&'\""
    assert texts(ET.fromstring(html_table([odd], [[odd]])), "td") == [odd]
    assert texts(ET.fromstring(html_pairs([(odd, odd)])), "th") == [odd]

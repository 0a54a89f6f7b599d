from isthmus.core.extras import MissingExtraError


def test_sentence_names_the_command():
    error = MissingExtraError("the report", "jinja2", extra="report")
    assert isinstance(error, ImportError)
    assert error.name == "jinja2"
    assert str(error) == "the report needs jinja2: pip install 'isthmus[report]'"

"""`test_named.py` tests the sources together; here is each of them by itself."""

import pytest

from isthmus.data.published import NotFoundError, Publication, discard, find, find_in_cache, find_in_folder

pytestmark = pytest.mark.usefixtures("no_sources")


@pytest.fixture
def publication(tiny_files, mirrors):
    return Publication("mnist", tiny_files, mirrors("http://127.0.0.1:1/"))


@pytest.fixture
def file(tiny_files):
    return tiny_files["y"]


def put(folder, name, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


@pytest.mark.parametrize("compressed", [True, False])
def test_the_folder_has_files_compressed_or_not(
    monkeypatch, tmp_path, publication, file, tiny_archives, tiny_contents, compressed
):
    monkeypatch.setenv("ISTHMUS_DATA", str(tmp_path))
    content = tiny_archives[file.name] if compressed else tiny_contents["y"]
    put(tmp_path / "mnist", file.name if compressed else file.name.removesuffix(".gz"), content)
    assert find_in_folder(publication, file) == (tiny_contents["y"], "folder <ISTHMUS_DATA>")


def test_the_cache_has_what_was_downloaded(tmp_path, publication, file, tiny_archives, tiny_contents):
    put(tmp_path / "cache" / "mnist", file.name, tiny_archives[file.name])
    assert find_in_cache(publication, file) == (tiny_contents["y"], "cache")


def test_a_damaged_file_in_the_cache_is_discarded(tmp_path, publication, file):
    put(tmp_path / "cache" / "mnist", file.name, b"damaged")
    with pytest.raises(NotFoundError, match="in the cache was damaged and is discarded"):
        find_in_cache(publication, file)
    assert list((tmp_path / "cache" / "mnist").iterdir()) == []
    with pytest.raises(NotFoundError, match="is not in the cache"):
        find_in_cache(publication, file)


def test_what_cannot_be_removed_is_told(tmp_path, caplog):
    discard(tmp_path / "nothing")
    assert not caplog.records
    discard(tmp_path)
    assert "cannot remove it" in caplog.text


def test_the_first_source_that_has_it_counts(tmp_path, monkeypatch, publication, file, tiny_archives):
    put(tmp_path / "cache" / "mnist", file.name, tiny_archives[file.name])
    assert find(publication, file, ("folder", "cache", "download")).source == "cache"
    monkeypatch.setenv("ISTHMUS_DATA", str(tmp_path))
    put(tmp_path / "mnist", file.name, tiny_archives[file.name])
    assert find(publication, file, ("folder", "cache")).source == "folder <ISTHMUS_DATA>"


def test_every_reason_is_told(monkeypatch, tmp_path, publication, file):
    with pytest.raises(NotFoundError, match=r"^ISTHMUS_DATA is not set; .* is not in the cache$"):
        find(publication, file, ("folder", "cache"))
    monkeypatch.setenv("ISTHMUS_DATA", str(tmp_path))
    with pytest.raises(NotFoundError, match=r"mnist/.* is not in the folder of ISTHMUS_DATA"):
        find(publication, file, ("folder",))

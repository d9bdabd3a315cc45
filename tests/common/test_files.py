"""Files that people hand to commands are read as editors write them, or refused in a sentence."""

from pathlib import Path

import pytest

from common.files import UnreadableFileError, read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "text"
    path.write_text("SELECT 'ñ'", encoding=encoding)
    assert read_text(path) == "SELECT 'ñ'"


def test_a_file_that_is_not_text_is_refused_with_a_message(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"SELECT '\xff\xf0'")
    with pytest.raises(UnreadableFileError, match=r"wrong is not text in UTF-8: byte 9"):
        read_text(wrong)
    wrong.write_bytes(b"\xff\xfeS")
    with pytest.raises(UnreadableFileError, match="wrong is not text in UTF-16, as its first bytes say"):
        read_text(wrong)
    with pytest.raises(UnreadableFileError, match="There is no file"):
        read_text(tmp_path / "absent")
    with pytest.raises(UnreadableFileError, match="is a folder"):
        read_text(tmp_path)
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        read_text(wrong / "below")
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        read_text(tmp_path / ("x" * 300))

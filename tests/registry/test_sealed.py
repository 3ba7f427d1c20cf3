"""The database is stolen, a key is changed, a row is moved: nobody learns a number, nothing becomes unreadable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry.blind import blind_index
from app.sealed import SealBroken, SealingKey, is_stale, new_key, open_sealed, seal

OLD, NEW = new_key("k2025"), new_key("k2026")
INDEX = b"i" * 32
NUMBER = "439999198803120036"


@given(st.text(max_size=200))
def test_what_was_sealed_opens_again(text):
    assert open_sealed(seal(text, [NEW]), [NEW]) == text


def test_the_sealed_value_tells_nothing_and_is_different_every_time():
    one, other = seal(NUMBER, [NEW]), seal(NUMBER, [NEW])
    assert one != other and NUMBER not in one and one.isascii() and one.startswith("s1.k2026.")


def test_after_a_change_of_keys_old_values_still_open_and_are_known_to_be_old():
    before = seal(NUMBER, [OLD])
    keys = [NEW, OLD]
    assert open_sealed(before, keys) == NUMBER and is_stale(before, keys)
    after = seal(open_sealed(before, keys), keys)
    assert open_sealed(after, [NEW]) == NUMBER and not is_stale(after, keys)


def test_without_its_key_a_value_stays_closed_and_the_error_says_which_key_is_missing():
    with pytest.raises(SealBroken, match="k2025") as refusal:
        open_sealed(seal(NUMBER, [OLD]), [NEW])
    assert NUMBER not in str(refusal.value)


def test_another_secret_under_the_same_name_does_not_open():
    with pytest.raises(SealBroken):
        open_sealed(seal(NUMBER, [OLD]), [new_key("k2025")])


def test_a_value_moved_to_another_column_does_not_open():
    value = seal(NUMBER, [NEW], about="subject.id_number")
    assert open_sealed(value, [NEW], about="subject.id_number") == NUMBER
    with pytest.raises(SealBroken):
        open_sealed(value, [NEW], about="user.phone")


@given(st.integers(0), st.sampled_from("ABCDwxyz0123-_"))
def test_a_value_with_one_changed_character_does_not_open(place, character):
    value = seal(NUMBER, [NEW])
    start = len("s1.k2026.")
    place = start + place % (len(value) - start)
    changed = value[:place] + character + value[place + 1 :]
    if changed != value:
        with pytest.raises(SealBroken):
            open_sealed(changed, [NEW])


@pytest.mark.parametrize(
    "value", ["", "439999198803120036", "s1.k2026", "s1.k2026.", "s1.k2026.!!", "s2.k2026.AAAA", "s1.k2026.AAAA"]
)
def test_what_was_never_sealed_is_refused(value):
    with pytest.raises(SealBroken):
        open_sealed(value, [NEW])


def test_a_key_never_shows_its_secret():
    key = SealingKey("k1", b"x" * 32)
    assert "xxx" not in repr(key)
    with pytest.raises(ValueError):
        SealingKey("k1", b"short")
    with pytest.raises(ValueError):
        SealingKey("k.1", b"x" * 32)


def test_the_same_number_is_found_however_it_was_typed():
    assert blind_index("43999919880312003x", INDEX) == blind_index(" 43999919880312003Ｘ", INDEX)
    assert blind_index("439999 1988 0312 0036", INDEX) == blind_index(NUMBER, INDEX)


def test_the_index_depends_on_the_key_and_on_the_column_and_hides_the_number():
    index = blind_index(NUMBER, INDEX)
    assert len(index) == 64 and NUMBER not in index
    assert index != blind_index(NUMBER, b"j" * 32)
    assert index != blind_index(NUMBER, INDEX, about="user.phone")
    assert blind_index("", INDEX) == ""
    with pytest.raises(ValueError):
        blind_index(NUMBER, b"short")

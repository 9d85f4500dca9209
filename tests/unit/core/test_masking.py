import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tailrace.core.errors import InvalidInput
from tailrace.core.masking import LONGEST, MASK, MOST, Masker, check, forms

SECRET = b"p4ss/w\xc3\xb6rd + more"


def masked(data: bytes, *secrets: bytes, size: int = 1 << 20) -> bytes:
    """Return what is left of the data, which comes in pieces of this size."""
    masker = Masker(secrets or (SECRET,))
    return b"".join([*(masker.add(data[at : at + size]) for at in range(0, len(data), size)), masker.flush()])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe="").encode(),
        quote(SECRET).encode(),
        quote(SECRET, safe="").lower().encode(),
        quote_plus(SECRET).encode(),
        json.dumps(SECRET.decode())[1:-1].encode(),
        json.dumps(SECRET.decode(), ensure_ascii=False)[1:-1].replace("/", "\\/").encode(),
        json.dumps(json.dumps(SECRET.decode())[1:-1])[1:-1].encode(),
        rb"p4ss/w\u00F6rd + more",
        rb"p4ss/w\u00F6rd \u002B more",
        "p4ss/wörd \\u002b more".encode(),
    ],
)
def test_each_form_is_masked_however_it_is_cut(form: bytes, size: int) -> None:
    """Also a byte at a time."""
    assert masked(b"before " + form + b" behind", size=size) == b"before " + MASK + b" behind"


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("behind", range(4))
def test_base64_is_masked_at_each_alignment(encode: object, before: int, behind: int, size: int) -> None:
    """Of the characters around it, only those are left that its neighbours are in, too."""
    assert callable(encode)
    secret = b"\xff\xfe?>a secret of bytes"
    shown = masked(encode(b"x" * before + secret + b"y" * behind), secret, size=size)
    assert MASK in shown
    rest = shown.replace(MASK, b"")
    assert len(rest) <= (before + behind) * 8 // 6 + 6  # what belongs to its neighbours, and the padding


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("width", [64, 76])
def test_base64_in_lines_is_masked_where_it_begins(width: int, end: bytes, size: int) -> None:
    """As base64(1), PEM and MIME break it, on pipes and at a terminal; what follows in it is left."""
    secret = bytes(range(33, 127)) * 2
    encoded = base64.b64encode(secret + b" and more")
    lines = end.join(encoded[at : at + width] for at in range(0, len(encoded), width))
    shown = masked(b"> " + lines, secret, size=size)
    assert shown.startswith(b"> " + MASK)
    assert len(shown) < 24


@pytest.mark.parametrize(
    "form",
    [
        rb"a\u003Cb\u003E \u0026 \u0022c\u0022 d\u0027\uD83D\uDE00\u001B",
        'a\\u003cb\\u003e \\u0026 \\"c\\" d\'\U0001f600\\u001b'.encode(),
    ],
    ids=[".NET", "Go"],
)
def test_escapes_of_other_encoders_are_masked(form: bytes) -> None:
    """Of those that escape markup as well, with digits of either kind."""
    assert masked(form, 'a<b> & "c" d\'\U0001f600\x1b'.encode()) == MASK


def test_one_that_another_begins_with() -> None:
    """The longer is masked whole, the shorter where it stands alone; so is one within another."""
    secrets = (b"hunter2", b"hunter2hunter", b"ter2hu")
    assert masked(b"<hunter2hunter><hunter2><hunter2hunte>", *secrets, size=1) == b"<***><***><***nte>"
    assert masked(b"<hunter2hunter>", *reversed(secrets)) == b"<***>"


def test_many_short_ones() -> None:
    """As many as a run may have, each as short as it may be, without anything in between."""
    secrets = [b"s%05d" % number for number in range(MOST)]
    assert masked(b"".join(secrets), *secrets, size=3) == MASK
    assert masked(b"|".join(secrets), *secrets, size=4) == b"|".join([MASK] * MOST)


def test_a_secret_of_several_lines_is_masked_line_by_line() -> None:
    """As a terminal shows it, with CRLF, and one line alone."""
    secret = b"-----BEGIN-----\nMIIEpAIBAAKCAQEA\n-----END-----"
    assert masked(secret.replace(b"\n", b"\r\n"), secret) == MASK
    assert masked(b"> MIIEpAIBAAKCAQEA <", secret) == b"> " + MASK + b" <"


def test_what_is_no_secret_is_as_it_was() -> None:
    """What only begins like it is shown in the end."""
    assert masked(b"p4ss p4ss/w p4ss/w\xc3\xb6rd + mor", size=1) == b"p4ss p4ss/w p4ss/w\xc3\xb6rd + mor"


def test_secrets_that_touch_or_overlap_are_one_mask() -> None:
    """So that no part of one is left between two."""
    assert masked(b"<abcdefghij>", b"abcdef", b"efghij") == b"<" + MASK + b">"
    assert masked(b"<abcdefabcdef>", b"abcdef", size=1) == b"<" + MASK + b">"
    assert masked(b"<" + b"a" * 50 + b">", b"aaaaaa", size=1) == b"<" + MASK + b">"


def test_the_rest_of_a_mask_stays_masked_when_its_continuation_does_not_come() -> None:
    """`efghij` might begin within `abcdef`, which has been seen; then it does not go on."""
    assert masked(b"abcdefgh!", b"abcdef", b"efghij", size=1) == MASK + b"gh!"


def test_only_what_might_be_a_secret_is_held_back() -> None:
    """A prompt is shown at once."""
    masker = Masker([SECRET])
    assert masker.add(b"a prompt: ") == b"a prompt: "
    assert masker.add(b"x p4s") == b"x "
    assert masker.held == 3
    assert masker.flush() == b"p4s"


def test_nothing_is_masked_without_secrets() -> None:
    """A mask that the command wrote itself stays."""
    assert masked(b"***\n", b"unrelated") == b"***\n"
    masker = Masker([])
    assert masker.add(b"anything") == b"anything"


@pytest.mark.parametrize(
    "secrets", [[b"short"], [b"x" * (LONGEST + 1)], [b"", b"longer one"], [b"secret"] * (MOST + 1)]
)
def test_what_cannot_be_masked_is_refused(secrets: list[bytes]) -> None:
    """How long it is, or how many there are, is told; never the secret."""
    with pytest.raises(InvalidInput) as caught:
        check(secrets)
    assert "secret" in caught.value.hint or "bytes" in caught.value.hint


SECRETS = st.lists(st.text("abc/+é", min_size=6, max_size=12).map(str.encode), min_size=1, max_size=3)


@given(SECRETS, st.data())
@example([b"aaaaaa"], None)
def test_no_form_of_a_secret_is_left(secrets: list[bytes], data: st.DataObject | None) -> None:
    """However the bytes come; and that does not matter for what is shown."""
    known = sorted({form for secret in secrets for form in forms(secret)})
    parts = (
        [b"a", known[0]]
        if data is None
        else data.draw(
            st.lists(
                st.one_of(st.sampled_from(known), st.binary(max_size=8), st.text("abc", max_size=8).map(str.encode))
            )
        )
    )
    whole = b"".join(parts)
    at_once = masked(whole, *secrets)
    assert masked(whole, *secrets, size=1) == at_once
    if data is not None:
        assert masked(whole, *secrets, size=data.draw(st.integers(2, 40))) == at_once
    assert not any(form in at_once.replace(MASK, b"\0") for form in known)

"""Secrets in an output, masked before it is stored: bytes in, bytes out, however they are cut.

Masking is best effort, and is called so. It finds a secret as it is, and in the forms in which programs mostly show
one: base64 (both alphabets, at each of the three alignments that it may have within something longer; broken into lines
only where it is all that is encoded, or its beginning), percent-encoded, and as a JSON string, however that is escaped.
It does not find it reversed, compressed, encrypted, in hexadecimal, a character a line, or cut by
what the program writes between. And it masks whatever looks the same: a secret of a few characters would black out half
an output, so one of less than `SHORTEST` bytes is refused.

What might be the beginning of a form is held back until what follows tells; that is never more than the longest form.
Nothing is released because of time: a secret that comes one byte a minute is masked as well.
"""

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

from tailrace.core.errors import InvalidInput

MASK: Final = b"***"
"""that stands for a secret, whatever its length"""
SHORTEST: Final = 6
"""bytes of a secret that can be masked"""
LONGEST: Final = 16 << 10
"""bytes of one"""
MOST: Final = 64
"""secrets of a run"""
_HEAD_BYTES = 16
"""of a form, that are compared before the rest is cut out for that"""
_SHARED_BYTES = 64
"""by which forms that begin alike are looked for together"""
_LEAST_FORM = 5
"""bytes of a form that is looked for; what base64 leaves of a short secret may be less"""
WRAPS: Final = (64, 76)
"""columns at which base64 is broken into lines: by PEM and openssl (RFC 7468), by MIME and base64(1) (RFC 2045)"""
_MARKUP: Final = "<>&\u2028\u2029"
"""that Go's encoding/json, and others for the sake of pages, escape as well"""
_CAUTIOUS: Final = _MARKUP + "\"'+`"
"""and .NET's System.Text.Json, a quotation mark included"""
_ENCODE_COMPONENT = "!'()*"
"""that JavaScript's encodeURIComponent leaves alone, besides what `quote` does (ECMA-262, 19.2.6.4)"""


class _Span(NamedTuple):
    begin: int
    end: int


def check(secrets: Iterable[bytes]) -> None:
    """See that the secrets can be masked.

    Raises:
        InvalidInput: one is too short or too long, or there are too many.
    """
    count = 0
    for secret in secrets:
        count += 1
        if not SHORTEST <= len(secret) <= LONGEST:
            raise InvalidInput(
                f"a secret has {len(secret)} bytes, and could not be masked in the output",
                op="start",
                subject="secrets",
                hint=f"it takes {SHORTEST} to {LONGEST} bytes",
            )
    if count > MOST:
        hint = f"at most {MOST} secrets for one run"
        raise InvalidInput(f"there are {count} secrets", op="start", subject="secrets", hint=hint)


def forms(secret: bytes) -> frozenset[bytes]:
    """Return the bytes that are looked for, of one secret."""
    found = {secret, secret.replace(b"\n", b"\r\n"), *_base64_forms(secret), *_percent_forms(secret)}
    found |= {line for line in secret.splitlines() if len(line) >= SHORTEST}
    with suppress(UnicodeDecodeError):  # JSON cannot hold it
        found |= set(_json_forms(secret.decode()))
    return frozenset(form for form in found if len(form) >= _LEAST_FORM)


def _base64_forms(secret: bytes) -> Iterator[bytes]:
    """Yield what base64 makes of the secret alone, whatever bytes come before and behind it."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + secret)
        inner = encoded[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
    yield from _wrapped(base64.b64encode(secret)[: len(secret) * 8 // 6])


def _wrapped(encoded: bytes) -> Iterator[bytes]:
    """Yield what is longer than a line in lines; where it lies within something longer, it may break anywhere."""
    for width in WRAPS:
        lines = [encoded[at : at + width] for at in range(0, len(encoded), width)]
        yield b"\n".join(lines)
        yield b"\r\n".join(lines)


def _percent_forms(secret: bytes) -> Iterator[bytes]:
    for text in (quote(secret, safe=""), quote(secret), quote(secret, safe=_ENCODE_COMPONENT), quote_plus(secret)):
        yield text.encode()
        yield _lower_hex(text).encode()


def _lower_hex(text: str) -> str:
    first, *rest = text.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def _json_forms(secret: str) -> Iterator[bytes]:
    for is_ascii in (True, False):
        text = json.dumps(secret, ensure_ascii=is_ascii)[1:-1]
        for form in (text, text.replace("/", "\\/")):
            yield form.encode()
            yield json.dumps(form, ensure_ascii=is_ascii)[1:-1].encode()  # JSON within JSON, as logs have it
        for escaped in ("", _MARKUP, _CAUTIOUS):
            yield from (form.encode() for form in _unicode_forms(secret, escaped, is_ascii=is_ascii))


def _unicode_forms(secret: str, escaped: str, *, is_ascii: bool) -> Iterator[str]:
    """Yield the secret as JSON with these characters as `\\u` and four digits, in both ways to write those."""
    for digits in ("04x", "04X"):
        parts = []
        for character in secret:
            plain = json.dumps(character, ensure_ascii=is_ascii)[1:-1]
            units = character.encode("utf-16-be") if character in escaped or plain.startswith("\\u") else b""
            codes = [f"\\u{units[at] << 8 | units[at + 1]:{digits}}" for at in range(0, len(units), 2)]
            parts.append("".join(codes) or plain)
        yield "".join(parts)


class Masker:
    """Masks one stream. Holds at most the longest form.

    Args:
        secrets: what must not be stored; `check` has seen them.
    """

    def __init__(self, secrets: Iterable[bytes]) -> None:
        # a form that lies within another needs not be looked for behind it
        self._forms = sorted({form for secret in secrets for form in forms(secret)}, key=len, reverse=True)
        self._longest = len(self._forms[0]) if self._forms else 0
        self._groups = _by_heads(self._forms)
        self._sorted = sorted(self._forms)
        self._heads = _heads(self._forms)
        self._held = b""
        self._is_open = False
        """whether a mask was the last that was returned, so that what goes on with it needs no other"""
        self._masked = 0
        """bytes held back that belong to that mask, whatever follows"""

    @property
    def held(self) -> int:
        """How many bytes are held back."""
        return len(self._held)

    def add(self, data: bytes) -> bytes:
        """Take the next bytes; return those that are decided, with what was held back."""
        return self._release(self._held + data, is_last=False)

    def flush(self) -> bytes:
        """Return what is held back: nothing will follow."""
        return self._release(self._held, is_last=True)

    def _release(self, data: bytes, *, is_last: bool) -> bytes:
        spans = _merged([_Span(0, self._masked), *self._found(data)] if self._masked else self._found(data))
        cut = len(data) if is_last else self._border(data)
        self._held = data[cut:]
        if not cut:
            return b""
        shown, end = self._shown(data, [span for span in spans if span.begin < cut], cut)
        self._is_open, self._masked = end >= cut, max(0, end - cut)
        return shown

    def _shown(self, data: bytes, spans: list[_Span], cut: int) -> tuple[bytes, int]:
        """Return what stands before the cut, with its masks, and where the last mask ends."""
        parts: list[bytes] = []
        at, end = 0, -1
        for begin, end in spans:
            parts.append(data[at:begin])
            if begin > 0 or not self._is_open:
                parts.append(MASK)
            at = end
        parts.append(data[at:cut])
        return b"".join(parts), end

    def _found(self, data: bytes) -> Iterator[_Span]:
        for head, forms_of in self._groups.items():
            at = data.find(head)
            while at >= 0:
                for form in forms_of:
                    if data.startswith(form, at):
                        yield _Span(at, at + len(form))
                        break  # the longest comes first
                at = data.find(head, at + 1)

    def _border(self, data: bytes) -> int:
        """Return where the first form begins that is not whole yet; the end of the data if there is none."""
        for match in self._heads.finditer(data, max(0, len(data) - self._longest + 1)):
            at = match.start()
            if self._begins(data[at : at + _HEAD_BYTES]) and self._begins(data[at:]):
                return at
        return len(data)

    def _begins(self, text: bytes) -> bool:
        """Tell whether a form begins with the text and goes on: in order, it would come right behind that."""
        after = bisect_right(self._sorted, text)
        return after < len(self._sorted) and self._sorted[after].startswith(text)


def _by_heads(forms: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """Return the forms by how they begin: what many begin with is looked for once."""
    groups: dict[bytes, list[bytes]] = {}
    for form in forms:
        groups.setdefault(form[:_SHARED_BYTES], []).append(form)
    return groups


def _heads(forms: Iterable[bytes]) -> re.Pattern[bytes]:
    """Return what finds where a form may begin, by its first two bytes, or by the first if that is the last there."""
    seconds: dict[bytes, set[bytes]] = {}
    for form in forms:
        seconds.setdefault(form[:1], set()).add(re.escape(form[1:2]))
    heads = (re.escape(first) + b"(?=[" + b"".join(sorted(nexts)) + b"]|\\Z)" for first, nexts in seconds.items())
    return re.compile(b"|".join(heads) or b"(?!)", re.DOTALL)


def _merged(found: Iterable[_Span]) -> list[_Span]:
    """Return the spans in order; those that touch are one."""
    spans: list[_Span] = []
    for span in sorted(found):
        if spans and span.begin <= spans[-1].end:
            spans[-1] = _Span(spans[-1].begin, max(spans[-1].end, span.end))
        else:
            spans.append(span)
    return spans

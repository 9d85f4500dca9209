"""The chunked transfer coding (RFC 9112, 7.1), for what goes straight to a transport."""


def chunk_of(data: bytes) -> bytes:
    """Return the data as one chunk; nothing for no data, since an empty chunk would be the end."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""

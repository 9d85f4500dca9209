"""What a browser is told to allow a page, and the files that it loads."""

from typing import Final

_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",  # the terminal keeps to it: frontend/src/terminal/policy.ts
    "img-src 'self' data:",  # the tab's icon is drawn by the script; a picture in the address leads nowhere
    "connect-src 'self'",
    "worker-src 'self'",
    "frame-src 'self'",  # the output as plain text, where there is no JavaScript
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
FEATURES: Final = "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()"

PAGE_HEADERS: Final = (
    ("Content-Security-Policy", "; ".join(_POLICY)),  # CSP, level 3: nothing from elsewhere, nothing inline
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "same-origin"),  # with no-referrer, a form's Origin would be null, and refused
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),  # for browsers that do not know `frame-ancestors`
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", FEATURES),
)

FILE_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    # a worker keeps to the policy of its own file, and an image that is opened as a document to this one
    ("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"),
    # the custom element's page is of another origin; these files are the same for everybody who may have them
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)

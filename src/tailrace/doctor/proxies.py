"""Proxies: by what each lets itself be known, and which of its settings cures what.

Where a proxy is not known, or says nothing of itself, the cure is told in general words.
"""

from collections.abc import Mapping
from typing import Final

GENERAL: Final = ""
LOGS: Final = "the logs of the proxy and of the server say why"
SIGNS: Final = (
    ("server", "nginx", "nginx"),
    ("server", "openresty", "nginx"),
    ("server", "apache", "Apache"),
    ("server", "caddy", "Caddy"),
    ("via", "caddy", "Caddy"),
    ("server", "cloudflare", "Cloudflare"),
    ("cf-ray", "", "Cloudflare"),
    ("server", "awselb", "AWS ALB"),
    ("server", "envoy", "Envoy"),
    ("x-envoy-upstream-service-time", "", "Envoy"),
    ("via", "varnish", "Varnish"),
    ("x-varnish", "", "Varnish"),
    ("via", "cloudfront", "CloudFront"),
    ("x-amz-cf-id", "", "CloudFront"),
    ("server", "haproxy", "HAProxy"),
    ("via", "haproxy", "HAProxy"),
    ("server", "lighttpd", "lighttpd"),
    ("server", "microsoft-iis", "IIS"),
)
"""a header, a word in it in lower case, and whose it is"""

CURES: Final[Mapping[str, Mapping[str, str]]] = {
    "buffering": {
        GENERAL: "have the proxy pass each piece on at once: switch off its response buffering for this address",
        "nginx": "proxy_buffering off; or take X-Accel-Buffering out of proxy_ignore_headers",
        "Apache": "ProxyPass … flushpackets=on",
        "Caddy": "reverse_proxy … { flush_interval -1 }",
        "Cloudflare": "a tunnel passes on only text/event-stream at once: watch on lines or sse",
        "Varnish": "set beresp.do_stream = true; in vcl_backend_response, or return (pipe)",
        "lighttpd": "server.stream-response-body = 2",
        "IIS": 'responseBufferLimit="0" for the handler of ARR',
    },
    "compression": {
        GENERAL: "switch off the proxy's compression for this address: live output is not to be transformed",
        "nginx": "gzip off; or take text/plain, text/event-stream and application/x-ndjson out of gzip_types",
        "Apache": "SetEnvIf Request_URI /api/ no-gzip=1, or take these types out of AddOutputFilterByType DEFLATE",
        "Caddy": "encode: leave these types out, by a matcher",
        "HAProxy": "take `compression algo` away, or these types out of `compression type`",
        "Cloudflare": "a Compression Rule that disables compression for this address",
        "Varnish": "set beresp.do_gzip = false; in vcl_backend_response",
    },
    "idle": {
        GENERAL: "let the proxy cut only what is silent for more than 15 seconds; for text and ndjson, for an hour",
        "nginx": "proxy_read_timeout 1h;",
        "Apache": "ProxyPass … timeout=3600, and Timeout",
        "Caddy": "reverse_proxy: no read_timeout in its transport http, and no write timeout of the server",
        "HAProxy": "timeout server 1h, timeout client 1h, and timeout tunnel 1h",
        "AWS ALB": "raise the load balancer's attribute idle_timeout.timeout_seconds, to 3600",
        "Cloudflare": "nothing to set (100 s): watch on a wire with heartbeats: lines or sse",
        "Envoy": "stream_idle_timeout: 0s of the connection manager, and timeout: 0s of the route",
        "Varnish": "between_bytes_timeout = 1h of the backend",
        "CloudFront": "raise the origin's response timeout above 15 seconds",
    },
    "http": {
        GENERAL: "have the proxy speak HTTP/1.1 to the server",
        "nginx": 'proxy_http_version 1.1; and proxy_set_header Connection "";',
        "Apache": "take force-proxy-request-1.0 and proxy-nokeepalive away",
    },
    "websocket": {
        GENERAL: "have the proxy pass the headers Upgrade and Connection on, over HTTP/1.1",
        "nginx": (
            "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; and proxy_set_header Connection"
            " $connection_upgrade; with map $http_upgrade $connection_upgrade { default upgrade; '' ''; } in http"
        ),
        "Apache": "ProxyPass … upgrade=websocket, or mod_proxy_wstunnel before 2.4.47",
        "Cloudflare": "Network: WebSockets: on",
        "Envoy": "upgrade_configs: [{ upgrade_type: websocket }] of the connection manager",
        "Varnish": "return (pipe) in vcl_recv for these, and set bereq.http.Upgrade and .Connection in vcl_pipe",
        "IIS": "the Windows feature WebSocket Protocol",
    },
    "cache": {
        GENERAL: "switch off the proxy's cache for this address: it ignores Cache-Control: no-store",
        "nginx": "proxy_cache off; or take Cache-Control out of proxy_ignore_headers",
        "Apache": "CacheDisable for this address, and no CacheStoreNoStore",
        "Cloudflare": "a Cache Rule that bypasses the cache for this address",
        "Varnish": "return (pass) in vcl_recv for this address",
    },
    "headers": {
        GENERAL: "have the proxy leave the server's headers as they are",
        "nginx": "take proxy_hide_header, expires and add_header of these headers away",
        "Apache": "take Header set, Header unset and Expires… of these headers away",
        "Cloudflare": "Caching: Browser Cache TTL: respect existing headers",
    },
    "host": {
        GENERAL: "have the proxy pass the Host header on as it came",
        "nginx": "proxy_set_header Host $http_host;",
        "Apache": "ProxyPreserveHost On",
        "IIS": "preserveHostHeader of ARR",
    },
    "scheme": {
        GENERAL: "have the proxy send X-Forwarded-Proto, and name its address in trusted_proxies",
        "nginx": "proxy_set_header X-Forwarded-Proto $scheme; and the proxy's address in trusted_proxies",
        "Apache": 'RequestHeader set X-Forwarded-Proto "https", and the proxy\'s address in trusted_proxies',
        "HAProxy": "http-request set-header X-Forwarded-Proto https, and the proxy's address in trusted_proxies",
    },
    "client": {
        GENERAL: "have the proxy send X-Forwarded-For, and name its address in trusted_proxies",
        "nginx": (
            "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; and the proxy's address in trusted_proxies"
        ),
        "HAProxy": "option forwardfor, and the proxy's address in trusted_proxies",
    },
    "prefix": {
        GENERAL: (
            'have the proxy take the prefix away, and in [server] root_path = "{path}";'
            " or, before a blueprint, have it pass the whole path on, and mount that there"
        ),
        "nginx": (
            "location {path}/ {{ proxy_pass http://HOST:PORT/; }}, which takes the prefix away, and in [server]"
            ' root_path = "{path}", or proxy_set_header X-Forwarded-Prefix {path}; and its address in trusted_proxies'
        ),
    },
    "post": {
        GENERAL: "have the proxy take bodies of 256 KiB, and pass them on as they came",
        "nginx": "client_max_body_size 1m;",
        "Apache": "LimitRequestBody 1048576",
    },
    "resume": {
        GENERAL: "have the proxy pass the client's headers on",
        "nginx": "proxy_cache off; or proxy_set_header Range $http_range; and no proxy_set_header that empties {names}",
        "Apache": "take RequestHeader unset {names} away",
    },
    "head": {GENERAL: "have the proxy let HEAD through as it lets GET"},
    "loss": {GENERAL: "have the proxy pass the body on as it came: something rewrites it"},
}
"""by the check, and the proxy"""


def recognise(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the proxies that an answer's headers, by their lower-case names, tell of."""
    found = [name for header, word, name in SIGNS if word in headers.get(header, "").lower() and header in headers]
    return tuple(dict.fromkeys(found))


def cure(check: str, proxies: tuple[str, ...], **values: str) -> str:
    """Return what to set: of each proxy that was recognised, where that is known; else in general."""
    known = CURES[check]
    told = [f"{proxy}: {known[proxy]}" for proxy in proxies if proxy in known]
    text = "; ".join(told or [known[GENERAL]])
    return text.format(**values) if values else text

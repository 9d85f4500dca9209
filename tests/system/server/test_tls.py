import subprocess
from pathlib import Path

import pytest

from tests.system.server.conftest import Serve


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """Give the settings of a certificate made for the test."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return f'tls_certificate = "{certificate}"\ntls_key = "{key}"'


def test_everything_is_served_by_tls(serve: Serve, certificate: str) -> None:
    """The address says https; what streams is whole; the metrics tell that nothing was lent: TLS has no plain bytes."""
    serving = serve(certificate)
    assert serving.address == f"https://127.0.0.1:{serving.port}/"
    run_id = serving.start("count", "n=1000")
    output = serving.ask(f"/api/runs/{run_id}/output?format=text").body
    assert output == "".join(f"{number}\n" for number in range(1, 1001)).encode()
    metrics = serving.ask("/metrics").body
    assert b'tailrace_streams_total{path="send",wire="text"} 1.0' in metrics
    assert b'path="lent"' not in metrics


def test_stopping_ends_a_stream_behind_tls(serve: Serve, certificate: str) -> None:
    """It does not wait for it."""
    serving = serve(certificate)
    run_id = serving.start("wait")
    with serving.asking(f"/api/runs/{run_id}/output?format=sse") as response:
        assert response.readline()
        assert serving.stop() == 0


def test_a_cut_text_does_not_look_complete(serve: Serve, certificate: str) -> None:
    """Over HTTP/1.0 a body ends with its connection; a proper end of TLS would be the body's, so there is none."""
    serving = serve(certificate)
    url = f"https://127.0.0.1:{serving.port}/api/runs/{serving.start('wait')}/output?format=text"
    command = ["curl", "-skN", "--http1.0", "--noproxy", "*", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:
        assert curl.stdout is not None
        assert curl.stdout.read(6) == b"begun\n"
        assert serving.stop() == 0
        assert curl.wait() != 0
    assert "Traceback" not in serving.err()

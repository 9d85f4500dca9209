"""`tailrace doctor`: what stands between a server and its viewers, or what this host can do."""

import sys

import click

from tailrace.cli import talk, words
from tailrace.cli.list import print_json
from tailrace.cli.place import header_option, headers, place_option, said_headers, state_path
from tailrace.cli.values import seconds
from tailrace.core.errors import InvalidInput
from tailrace.core.terminal import escape_text
from tailrace.doctor.findings import Finding, Report, Verdict

STDOUT = 1
COLOURS = {Verdict.FINE: talk.GREEN, Verdict.NOTE: talk.YELLOW, Verdict.WRONG: talk.RED}


@click.command("doctor", short_help="Find out what is wrong on the way to a server, or on this host.")
@click.argument("url", required=False)
@click.option("--idle", type=seconds, metavar="TIME", help="How long streams are silent, to find what cuts them: 20s.")
@click.option("--insecure", is_flag=True, help="Take any certificate.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@header_option
@place_option
def doctor_command(url: str | None, idle: float | None, *, insecure: bool, as_json: bool) -> int:
    """Find out what is wrong, and which setting cures it.

    \b
    tailrace doctor https://ops.example/tailrace
    tailrace doctor http://127.0.0.1:8000 --idle 70s
    tailrace doctor                                   this host

    With URL, the server there is asked for timed pieces on each wire: what stands on the way may hold them back,
    compress them, or cut what is silent. That takes --idle and a few seconds, and starts nothing. Proxies often cut
    after 60 or 100 seconds, so look again with a longer --idle. Without URL: what this host can do.

    Exit codes: 0 if all is well, 1 if something is wrong, 2 if it cannot be examined.
    """
    if url is None:
        if idle is not None or said_headers() or insecure:
            raise InvalidInput(
                "this is about a server, and none is named", op="read", subject="doctor", hint="tailrace doctor URL"
            )
        from tailrace.doctor.host import examine_host

        report = examine_host(state_path())
    else:
        report = _examine(url, idle, headers(), is_insecure=insecure)
    if as_json:
        print_json(report)
    else:
        _print(report)
    return 0 if report.is_fine else 1


def _examine(url: str, idle_s: float | None, sent: dict[str, str], *, is_insecure: bool) -> Report:
    from tailrace.doctor.remote import IDLE_S, examine
    from tailrace.doctor.target import Target

    silence_s = IDLE_S if idle_s is None else idle_s
    target = Target.of(url, sent, is_insecure=is_insecure)
    if sys.stderr.isatty():
        talk.say(f"listening to {target.url}, for about {words.duration(silence_s + 5)}")
    return examine(target, silence_s)


def _print(report: Report) -> None:
    _line(report.subject + (f", behind {', '.join(report.proxies)}" if report.proxies else ""))
    for finding in report.findings:
        _print_finding(finding)
    counts = [f"{_count(report, Verdict.WRONG)} wrong"] if not report.is_fine else ["all is well"]
    if notes := _count(report, Verdict.NOTE):
        counts.append(f"{notes} to know")
    _line(", ".join(counts))


def _print_finding(finding: Finding) -> None:
    verdict = talk.painted(f"{finding.verdict:<6}", COLOURS[finding.verdict], STDOUT)
    wires = f" ({', '.join(finding.wires)})" if finding.wires else ""
    sys.stdout.write(f"{verdict} {finding.check:<12} {escape_text(finding.message + wires)}\n")
    if finding.cure:
        _line(f"{'':<19} cure: {finding.cure}")


def _line(text: str) -> None:
    sys.stdout.write(f"{escape_text(text)}\n")


def _count(report: Report, verdict: Verdict) -> int:
    return sum(finding.verdict is verdict for finding in report.findings)

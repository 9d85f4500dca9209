"""`[audit]`: what is recorded of who did what."""

import os
from pathlib import Path
from typing import Final

from tailrace.config.document import Table
from tailrace.config.tables import Mistakes, Reader, Report, bytes_of, table_at
from tailrace.core.audit import Audit

SECTION = "audit"
READINGS: Final = {"max_bytes": bytes_of}
AUDIT: Final = Reader(Audit, readings=READINGS)


def audit_in(document: Table, directory: Path, report: Report) -> Audit:
    """Return what the document says of it; what is wrong is reported.

    Args:
        document: the whole file.
        directory: where the file is; the audit's is from there.
        report: told of each mistake.
    """
    mistakes = Mistakes(report)
    fields = AUDIT.read(table_at(document, SECTION, (), mistakes), (SECTION,), mistakes)
    if isinstance(file := fields.get("file"), str) and file:
        fields["file"] = os.fspath((directory / file).absolute())
    audit = Audit(**fields)  # type: ignore[arg-type]  # they were decoded
    mistakes.add(audit.faults(), (SECTION,))
    return audit

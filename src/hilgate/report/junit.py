"""The verdict as JUnit XML, which CI servers and test viewers read: a suite for each cell, a case for each rule.

pass and warn are passed cases (a warning is told in system-out), what the policy skips is skipped, fail is a failure;
inconclusive and waiting are errors, because readers take whatever is skipped for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from hilgate.report.escape import visible

if TYPE_CHECKING:
    from hilgate.report.view import CellView, Reason, Report

LONGEST = 2000
CHILD = {"fail": "failure", "inconclusive": "error", "waiting": "error"}


def render(report: Report) -> str:
    """The whole document. Characters that XML forbids are spelled out, like every invisible one."""
    suites = [_suite(cell, report) for cell in report.cells]
    root = Xml.Element("testsuites", {"name": visible(report.title, 200), **_counts(suites)})
    root.extend(suites)
    Xml.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, "unicode") + "\n"


def _suite(cell: CellView, report: Report) -> Xml.Element:
    cases = [_case(cell, reason) for reason in sorted(cell.checks, key=lambda reason: (reason.subject, reason.rule))]
    suite = Xml.Element("testsuite", {"name": visible(cell.cell, 200)})
    properties = Xml.SubElement(suite, "properties")
    facts = {"task": cell.task, "board": cell.board, "outcome": cell.outcome, "compared": report.about}
    facts |= {row.metric: f"{row.value}, {report.base}: {row.base}, budget {row.budget}" for row in cell.rows}
    for name, value in facts.items():
        Xml.SubElement(properties, "property", {"name": name, "value": visible(value, LONGEST).replace("`", "")})
    suite.extend(cases)
    if cell.causes:
        Xml.SubElement(suite, "system-out").text = "\n".join(_plain(cause) for cause in cell.causes)
    counts = {
        child: str(sum(case.find(child) is not None for case in cases)) for child in ("failure", "error", "skipped")
    }
    suite.attrib |= {"tests": str(len(cases)), "failures": counts["failure"], "errors": counts["error"]}
    suite.attrib["skipped"] = counts["skipped"]
    return suite


def _case(cell: CellView, reason: Reason) -> Xml.Element:
    name = f"{reason.subject}: {reason.rule}" if reason.subject else reason.rule
    case = Xml.Element("testcase", {"classname": visible(f"{cell.task}.{cell.board}", 200), "name": visible(name, 200)})
    text = _plain(reason.text)
    if reason.outcome in CHILD:
        child = Xml.SubElement(case, CHILD[reason.outcome], {"type": reason.outcome, "message": text})
        child.text = "\n".join([text, *(_plain(cause) for cause in cell.causes)])
    elif reason.rule == "skip":
        Xml.SubElement(case, "skipped", {"message": text})
    else:
        Xml.SubElement(case, "system-out").text = f"{reason.outcome}: {text}"
    return case


def _counts(suites: list[Xml.Element]) -> dict[str, str]:
    return {name: str(sum(int(suite.attrib[name]) for suite in suites)) for name in ("tests", "failures", "errors")}


def _plain(text: str) -> str:
    return visible(text, LONGEST).replace("`", "")

"""What became of a run, as JSON."""

from __future__ import annotations

import json

from engine.errors import FileProblem, Problem, WorkflowError
from engine.run.report import peak_memory_bytes, report_refusal


def test_every_problem_of_a_refused_run_is_listed() -> None:
    problems = [Problem("unknown_node", "No such node.", "a"), Problem("cycle", "Round and round.", "b")]
    report = report_refusal(WorkflowError(problems))
    assert report["status"] == "refused"
    assert json.loads(json.dumps(report["errors"])) == [problem.to_json() for problem in problems]


def test_any_other_error_is_listed_as_one() -> None:
    report = report_refusal(FileProblem("it is not there"))
    assert json.loads(json.dumps(report["errors"]))[0]["message"] == "it is not there"


def test_peak_memory_is_counted_in_bytes() -> None:
    block = bytearray(64 * 2**20)
    peak = peak_memory_bytes()["process"]
    assert isinstance(peak, int)
    assert len(block) < peak < 2**40

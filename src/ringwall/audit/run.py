"""One audit: read what is there, prove the claims over it, judge every control, keep the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ringwall.access import Access
from ringwall.controls import registry
from ringwall.controls.compile import compile_estate
from ringwall.controls.context import CheckContext
from ringwall.controls.findings import Finding, Status, worst
from ringwall.controls.proving import Proved, prove_declared
from ringwall.estate.aws import Aws
from ringwall.estate.collect import collect
from ringwall.estate.located import located
from ringwall.estate.model import Estate
from ringwall.estate.recording import Recorded
from ringwall.estate.references import bind
from ringwall.iam.vocabulary import Vocabulary
from ringwall.perimeter.model import Perimeter

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes:
        perimeter: the declaration it was judged by.
        observed: what was there.
        findings: verdicts, in the controls' order.
        proofs: the declared claims over ``observed``.
        responses: every API response of the run, by digest.
        caller: ARN of who audited.
        taken_at: ISO 8601, UTC.
    """

    perimeter: Perimeter
    observed: Estate
    findings: tuple[Finding, ...]
    proofs: tuple[Proved, ...]
    responses: Mapping[str, Recorded] = field(default_factory=dict)
    caller: str = ""
    taken_at: str = ""

    @property
    def verdicts(self) -> dict[str, Status]:
        """One verdict for each control, by slug."""
        return {
            control.slug: worst(tuple(finding for finding in self.findings if finding.control == control.slug))
            for control in registry()
        }

    @property
    def clean(self) -> bool:
        """Whether nothing failed and nothing stayed unknown."""
        return all(status in (Status.PASS, Status.NOT_APPLICABLE) for status in self.verdicts.values())


def run_audit(
    aws: Aws,
    management: Aws | None,
    perimeter: Perimeter,
    vocabulary: Vocabulary,
    *,
    timeout: float = 10.0,
    progress: Progress = lambda _words: None,
) -> Audit:
    """Audit the declared account, reading only.

    Args:
        aws: connection to the declared account.
        management: connection to the management account, for service control policies.
        perimeter: the declaration.
        vocabulary: the catalog.
        timeout: seconds for each question to the prover.
        progress: told of each step.

    A call that fails does not stop the audit: what it would have read is unknown, and so is what rests on it.
    """
    progress("reading the account")
    observed = collect(aws, management=management)
    progress("proving")
    responses = {item.digest: item for item in getattr(aws, "recording", tuple)()}
    return judge(
        perimeter,
        observed,
        vocabulary,
        responses=responses,
        caller=aws.caller,
        timeout=timeout,
        progress=progress,
    )


def judge(
    perimeter: Perimeter,
    observed: Estate,
    vocabulary: Vocabulary,
    *,
    responses: Mapping[str, Recorded] | None = None,
    caller: str = "",
    timeout: float = 10.0,
    progress: Progress = lambda _words: None,
) -> Audit:
    """Judge an observed Estate, wherever it came from: a pure function of it and the declaration."""
    desired = compile_estate(perimeter)
    attributes = located(desired, observed)
    access = Access(observed, partition=perimeter.partition)
    proofs = tuple(prove_declared(perimeter, observed, attributes, vocabulary, access=access, timeout=timeout))
    progress("judging")
    context = CheckContext(
        perimeter=perimeter,
        observed=observed,
        desired=bind(desired, attributes),
        access=access,
        proofs={item.declared.name: item.answer for item in proofs},
    )
    findings = tuple(finding for control in registry() for finding in control.check(context))
    return Audit(
        perimeter, observed, findings, proofs, dict(responses or {}), caller, observed.taken_at or ""
    )

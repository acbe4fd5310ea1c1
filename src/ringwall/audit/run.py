"""One audit: read what is there, prove the claims over it, judge every control, keep the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ringwall.access import Access
from ringwall.audit.ingest import Ingested
from ringwall.audit.waivers import waive
from ringwall.controls import registry
from ringwall.controls.compile import compile_estate
from ringwall.controls.context import CheckContext
from ringwall.controls.findings import Finding, Status, Waiver, worst
from ringwall.controls.judging import judge as run_checks
from ringwall.controls.model_access import declared_models
from ringwall.controls.proving import Proved, prove_baseline, prove_declared
from ringwall.estate.aws import Aws
from ringwall.estate.collect import collect
from ringwall.estate.located import located
from ringwall.estate.model import Estate
from ringwall.estate.recording import Recorded
from ringwall.estate.references import bind, placeholders
from ringwall.iam.vocabulary import Vocabulary
from ringwall.perimeter.model import Perimeter

Progress = Callable[[str], None]
TIMEOUT = 10.0
"""Seconds for each question to the prover."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How an Estate was read.

    Attributes:
        account: the account that was asked first.
        region: Region that was asked.
        caller: ARN of who asked.
        management: the organization's management account; ``None`` = its policies were not read.
        calls: every API call with its answer, in the order of arrival.
        candidates: Regions that were looked into for Bedrock; read where something is.
        saved: whether the Estate came from a file: there are no answers then that it follows from.
    """

    account: str = ""
    region: str = ""
    caller: str = ""
    management: str | None = None
    calls: tuple[Recorded, ...] = ()
    candidates: tuple[str, ...] = ()
    saved: bool = False


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        perimeter: the declaration it was judged by; ``None`` = the built-in baseline.
        account: the account that was judged.
        observed: what was there.
        findings: verdicts, in the controls' order.
        proofs: the declared (or the baseline's) claims over ``observed``.
        reading: how ``observed`` was read.
        timeout: seconds that each question to the prover had.
        waivers: what was asked to be waived, in order.
        expired: those of them whose day had passed.
        unused: those that hold and match no failure.
        ingested: what other tools say, shown beside.
    """

    perimeter: Perimeter | None
    account: str
    observed: Estate
    findings: tuple[Finding, ...]
    proofs: tuple[Proved, ...]
    reading: Reading = Reading()
    timeout: float = TIMEOUT
    waivers: tuple[Waiver, ...] = ()
    expired: tuple[Waiver, ...] = ()
    unused: tuple[Waiver, ...] = ()
    ingested: tuple[Ingested, ...] = ()

    @cached_property
    def responses(self) -> Mapping[str, Recorded]:
        """Every answer once, by digest."""
        return {item.digest: item for item in self.reading.calls}

    @property
    def caller(self) -> str:
        """ARN of who audited."""
        return self.reading.caller

    @property
    def taken_at(self) -> str:
        """When the account was read: ISO 8601, UTC."""
        return self.observed.taken_at or ""

    @property
    def name(self) -> str:
        """What it was judged by, in a word."""
        return self.perimeter.name if self.perimeter is not None else "baseline"

    @cached_property
    def verdicts(self) -> Mapping[str, Status]:
        """One verdict for each control, by slug. A control that said nothing is unknown, not fine."""
        found: dict[str, Status] = {}
        for control in registry():
            own = tuple(finding for finding in self.findings if finding.control == control.slug)
            found[control.slug] = worst(own) if own else Status.UNKNOWN
        return found

    @property
    def clean(self) -> bool:
        """Whether nothing failed and nothing stayed unknown."""
        return all(status in (Status.PASS, Status.NOT_APPLICABLE) for status in self.verdicts.values())


def run_audit(
    aws: Aws,
    management: Aws | None,
    perimeter: Perimeter | None,
    vocabulary: Vocabulary,
    *,
    timeout: float = TIMEOUT,
    waivers: tuple[Waiver, ...] = (),
    candidates: tuple[str, ...] = (),
    progress: Progress = lambda _words: None,
) -> Audit:
    """Audit an account, reading only.

    Args:
        aws: connection to the account.
        management: connection to the management account, for service control policies.
        perimeter: the declaration; ``None`` = the built-in baseline is judged.
        vocabulary: the catalog.
        timeout: seconds for each question to the prover.
        waivers: failures that somebody answers for (:mod:`ringwall.audit.waivers`).
        candidates: further Regions to look into for Bedrock; one that is certainly unused is said once not to apply.
        progress: told of each step.

    A call that fails does not stop the audit: what it would have read is unknown, and so is what rests on it.
    """
    observed, reading = read_account(aws, management, perimeter, candidates=candidates, progress=progress)
    return judge(
        perimeter,
        observed,
        vocabulary,
        reading=reading,
        timeout=timeout,
        waivers=waivers,
        progress=progress,
    )


def read_account(
    aws: Aws,
    management: Aws | None,
    perimeter: Perimeter | None = None,
    *,
    candidates: tuple[str, ...] = (),
    progress: Progress = lambda _words: None,
    watch: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Estate, Reading]:
    """Read an account, and how it was read; see :func:`run_audit`. ``watch`` is told how many parts of how many are read."""
    progress("reading the account")
    desired = compile_estate(perimeter) if perimeter is not None else None
    observed = collect(
        aws,
        management=management,
        survey=True,
        candidates=candidates,
        desired=desired,
        models=declared_models(perimeter) if perimeter is not None else (),
        watch=watch,
    )
    reading = Reading(
        account=aws.account,
        region=aws.region,
        caller=aws.caller,
        management=management.account if management is not None else None,
        calls=tuple(getattr(aws, "recording", tuple)()),
        candidates=candidates,
    )
    return observed, reading


def judge(
    perimeter: Perimeter | None,
    observed: Estate,
    vocabulary: Vocabulary,
    *,
    reading: Reading | None = None,
    timeout: float = TIMEOUT,
    waivers: tuple[Waiver, ...] = (),
    progress: Progress = lambda _words: None,
) -> Audit:
    """Judge an observed Estate, wherever it came from: a pure function of it and the declaration.

    Args:
        perimeter: the declaration; ``None`` = the baseline, for which ``reading`` names the account.
        observed: the Estate.
        vocabulary: the catalog.
        reading: where it was read, and what was answered. Default: the declared account, without evidence.
        timeout: seconds for each question to the prover.
        waivers: failures that somebody answers for.
        progress: told of each step.
    """
    partition = perimeter.partition if perimeter is not None else "aws"
    access = Access(observed, partition=partition)
    reading = reading or Reading()
    whose = perimeter.account if perimeter is not None else reading.account
    progress("proving")
    if perimeter is None:
        desired = observed.with_resources(())
        proofs = tuple(prove_baseline(observed, whose, vocabulary, access=access, timeout=timeout))
    else:
        wanted = compile_estate(perimeter)
        attributes = placeholders(wanted) if observed.source == "desired" else located(wanted, observed)
        desired = bind(wanted, attributes)
        proofs = tuple(
            prove_declared(perimeter, observed, attributes, vocabulary, access=access, timeout=timeout)
        )
    progress("judging")
    context = CheckContext(
        perimeter=perimeter,
        observed=observed,
        desired=desired,
        access=access,
        proofs={item.declared.name: item.answer for item in proofs},
    )
    waived = waive(run_checks(context), waivers, observed.taken_at or "")
    return Audit(
        perimeter,
        whose,
        observed,
        waived.findings,
        proofs,
        reading,
        timeout,
        waivers,
        waived.expired,
        waived.unused,
    )

"""Many accounts: a plan, shards that anybody may run anywhere in any order, and one merged file.

    plan.json                    the accounts, how to reach them, and what to judge them by
    shard-00003-of-00010/        one folder a shard; killed and run again, it goes on where it was
        111122223333.ndjson      the findings of one account, a JSON object a line, sorted; written whole or not at all
    merged.ndjson                every finding of every account, in the same order

A shard needs the plan and the network, and nothing of the other shards. Lines hold no times, request ids or places in
the run: the merged file is the same to the byte, however the work was divided. An account that cannot be reached gives one
UNKNOWN for each control, with the permission that is lacking. Query what was merged with any tool that reads JSON Lines
(``duckdb -c "select control, status, count(*) from 'merged.ndjson' group by all"``).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringwall.audit.run import Reading, judge
from ringwall.catalog import load as load_catalog
from ringwall.controls import registry
from ringwall.controls.crosswalk import frameworks
from ringwall.controls.findings import Finding, Remediation, Status
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.collect import collect, read_organization
from ringwall.estate.connection import connect
from ringwall.estate.frugal import be_frugal
from ringwall.estate.kinds.base import reason
from ringwall.estate.model import canonical_json, utf8
from ringwall.estate.regions import regions_of_bedrock

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

VERSION = 1
AT_ONCE = 4
"""Accounts that one process reads at the same time: while one waits for AWS, another is judged."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be audited.

    Attributes:
        accounts: account ids, sorted.
        role_name: role of each account that is assumed to read it; empty = the credentials at hand (one account).
        management_role: ARN of the role to read service control policies through; ``None`` = they stay unknown.
        partition: of the accounts.
        regions: Regions to look for Bedrock in; empty = those of Bedrock that each account has enabled.
        timeout: seconds for each proof.
    """

    accounts: tuple[str, ...]
    role_name: str = ""
    management_role: str | None = None
    partition: str = "aws"
    regions: tuple[str, ...] = ()
    timeout: float = 10.0

    def to_json(self) -> dict[str, Any]:
        """Plain data, as the plan's file holds it."""
        return {"version": VERSION, **asdict(self)}

    @property
    def digest(self) -> str:
        """Digest of the plan, which every shard names."""
        return "sha256:" + hashlib.sha256(utf8(canonical_json(self.to_json()))).hexdigest()

    def shard(self, index: int, of: int) -> tuple[str, ...]:
        """The accounts of one shard.

        Raises:
            RingwallError: there is no such shard.
        """
        if not 0 <= index < of:
            raise RingwallError(f"there is no shard {index} of {of}: the first is 0, the last {of - 1}")
        return self.accounts[index::of]


def load_plan(path: str | Path) -> Plan:
    """Read a plan.

    Raises:
        RingwallError: it is none.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        if document.pop("version") != VERSION:
            raise RingwallError(f"{path} is a plan of another version; this Ringwall reads {VERSION}")
        for name in ("accounts", "regions"):
            document[name] = tuple(document[name])
        return Plan(**document)
    except OSError as error:
        raise RingwallError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RingwallError(f"{path} is no audit plan: {error}") from error


def accounts_of_organization(management: Aws) -> tuple[str, ...]:
    """Ids of the organization's active accounts, sorted."""
    listed = management.pages("organizations", "ListAccounts", "Accounts")
    return tuple(sorted(str(item["Id"]) for item in listed if item.get("Status") == "ACTIVE"))


# -- running ---------------------------------------------------------------------------------------------------------


def run_shard(
    plan: Plan,
    index: int,
    of: int,
    folder: Path,
    *,
    processes: int = 1,
    progress: Callable[[str], None] = lambda _words: None,
    watch: Callable[[int, int], None] = lambda _done, _total: None,
) -> Path:
    """Audit the accounts of one shard; those whose file is there already are not read again.

    Args:
        plan: what is to be audited.
        index: number of the shard, from 0.
        of: how many there are.
        folder: where the shards' folders are.
        processes: how many processes share the work; 1 = this one alone.
        progress: told of each account.
        watch: told how many accounts of how many are done.

    Returns:
        The shard's folder.
    """
    accounts = plan.shard(index, of)
    place = folder / f"shard-{index:05d}-of-{of:05d}"
    place.mkdir(parents=True, exist_ok=True)
    _claim(place, plan)
    waiting = [account for account in accounts if not _file(place, account).exists()]
    done = len(accounts) - len(waiting)
    for account in _each(plan, waiting, place, processes):
        done += 1
        progress(f"{account} ({done} of {len(accounts)})")
        watch(done, len(accounts))
    return place


def _claim(place: Path, plan: Plan) -> None:
    """Mark a folder as one of this plan's.

    Raises:
        RingwallError: it is another plan's.
    """
    mark = place / "plan.sha256"
    if mark.exists() and mark.read_text(encoding="utf-8") != plan.digest:
        raise RingwallError(f"{place} holds results of another plan: name another folder with --out")
    _write(mark, plan.digest.encode())


def _each(plan: Plan, accounts: list[str], place: Path, processes: int) -> Iterator[str]:
    if processes == 1:
        yield from _run_accounts(plan, accounts, place)
        return
    # Small parts, so that a slow account does not leave the other processes idle.
    parts = [accounts[start : start + AT_ONCE] for start in range(0, len(accounts), AT_ONCE)]
    with ProcessPoolExecutor(max_workers=processes, initializer=be_frugal) as pool:
        futures = [pool.submit(_run_part, plan, part, place) for part in parts]
        for future in as_completed(futures):
            yield from future.result()


def _run_part(plan: Plan, accounts: list[str], place: Path) -> list[str]:
    return list(_run_accounts(plan, accounts, place))


def _run_accounts(plan: Plan, accounts: list[str], place: Path) -> Iterator[str]:
    reader = _reader(plan)
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="account") as pool:
        futures = {pool.submit(_run_account, reader, account, place): account for account in accounts}
        for future in as_completed(futures):
            future.result()
            yield futures[future]


_READERS: dict[str, _Reader] = {}
"""A process's reader by plan: what all accounts have in common is read once."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """What every account of a plan is read through."""

    plan: Plan
    aws: Aws
    management: Aws | None
    organization: tuple[Resource, ...] | None


def _reader(plan: Plan) -> _Reader:
    if plan.digest not in _READERS:
        aws = connect("", keeping=False)
        management = None
        if plan.management_role is not None:
            with contextlib.suppress(
                AwsCallError
            ):  # then the policies are unknown, and so is what rests on them
                management = aws.elsewhere(role=plan.management_role)
        organization = read_organization(management) if management is not None else None
        _READERS[plan.digest] = _Reader(plan, aws, management, organization)
    return _READERS[plan.digest]


def _run_account(reader: _Reader, account: str, place: Path) -> None:
    found = audit_account(reader.plan, reader.aws, reader.management, account, reader.organization)
    lines = sorted(f"{canonical_json(finding.to_json())}\n" for finding in found)
    _write(_file(place, account), utf8("".join(lines)))


def audit_account(
    plan: Plan,
    aws: Aws,
    management: Aws | None,
    account: str,
    organization: tuple[Resource, ...] | None = None,
) -> tuple[Finding, ...]:
    """Audit one account by the baseline.

    Args:
        plan: how to reach it, and where to look.
        aws: connection that may assume the account's role.
        management: connection to the management account.
        account: twelve digits.
        organization: what the management account holds, if it was read already.

    Returns:
        The findings; where the account cannot be reached, an UNKNOWN for each control.
    """
    try:
        there = _enter(plan, aws, account)
        candidates = plan.regions or regions_of_bedrock(there)
    except AwsCallError as error:
        return tuple(_unreachable(account, reason(error)))
    observed = collect(there, management=management, candidates=candidates, organization=organization)
    reading = Reading(account=account, region=there.region, candidates=candidates)
    return judge(None, observed, load_catalog(), reading=reading, timeout=plan.timeout).findings


def _enter(plan: Plan, aws: Aws, account: str) -> Aws:
    if plan.role_name:
        return aws.elsewhere(role=f"arn:{plan.partition}:iam::{account}:role/{plan.role_name}")
    if aws.account != account:
        raise AwsCallError("sts", "AssumeRole", "NoRole", f"the plan names no role for account {account}")
    return aws


def _unreachable(account: str, why: str) -> Iterator[Finding]:
    for control in registry():
        yield Finding(
            control=control.slug,
            status=Status.UNKNOWN,
            severity=control.severity,
            confidence="low",
            account=account,
            region="global",
            resource=account,
            summary=f"the account could not be read: {why}",
            remediation=Remediation("let the auditor assume the role, then run the shard again"),
            frameworks=frameworks(control.slug),
        )


def _file(place: Path, account: str) -> Path:
    return place / f"{account}.ndjson"


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)


# -- merging ---------------------------------------------------------------------------------------------------------


def merge(plan: Plan, folder: Path, out: Path) -> dict[str, int]:
    """Merge the shards of a plan, however many there are and however often an account was read.

    Returns:
        How many findings there are of each status.

    Raises:
        RingwallError: an account was not read yet, or a folder holds another plan's results.
    """
    files: dict[str, Path] = {}
    for place in sorted(folder.glob("shard-*-of-*")):
        if (place / "plan.sha256").read_text(encoding="utf-8") != plan.digest:
            raise RingwallError(f"{place} holds results of another plan")
        for path in sorted(place.glob("[0-9]*.ndjson")):
            files.setdefault(path.stem, path)
    missing = [account for account in plan.accounts if account not in files]
    if missing:
        shown = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
        msg = f"{len(missing)} of {len(plan.accounts)} accounts were not read yet: {shown}; run their shards"
        raise RingwallError(msg)
    counts = dict.fromkeys(map(str, Status), 0)
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    with partial.open("wb") as target:
        # Each file is sorted and every line begins with its account, so one after the other they are sorted.
        for account in plan.accounts:
            with files[account].open("rb") as lines:
                for line in lines:
                    counts[str(json.loads(line)["status"])] += 1
                    target.write(line)
    partial.replace(out)
    return counts

"""What a plan changes for people: which requests it newly allows, and which it newly denies.

Every principal of the account, its root user, anonymous callers, services and any other account are asked about,
over the public network and through every endpoint, before and after. What counts as **widening**, and needs its own
confirmation, is precisely:

* a request that was denied before and is allowed after,
* by somebody who could already send it: a principal that this plan itself creates is shown, but a first deployment, or
  a new use, is not a widening;
* on something that exists already: nobody can have been denied what this plan creates.

What a run that was stopped made and did not open yet counts as created by the next: a role of ours without any policy, and for
AWS's own services a bucket of ours whose first policy the plan sets. So such a run goes on without being asked again.

A deny that goes away (in a service control policy, a boundary, an endpoint policy) widens by this definition when some
existing principal's request passes because of it. If it lets nobody through, it does not. An endpoint that goes away
opens nothing, the public network was there before; one that comes may, where policies demand it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ringwall.access import Access
from ringwall.deploy.access_change import AccessChange, AccessChanges
from ringwall.deploy.after import Outlook
from ringwall.deploy.comparing import Comparison
from ringwall.deploy.watched import WATCHED
from ringwall.estate.model import Estate
from ringwall.iam.vocabulary import Vocabulary

__all__ = ["AccessChange", "AccessChanges", "access_changes", "effects"]

PROVE_FOR = 20.0
"""Seconds for all principals."""


def access_changes(
    before: Estate,
    after: Estate,
    vocabulary: Vocabulary,
    *,
    new: Mapping[str, str] | None = None,
    begun: Mapping[str, str] | None = None,
    partition: str = "aws",
    watched: Iterable[str] = WATCHED,
    prove_for: float = PROVE_FOR,
) -> AccessChanges:
    """Compare who may do what in two Estates without references.

    Args:
        before: the observed Estate.
        after: the Estate as it will be.
        vocabulary: the catalog.
        new: by ARN and id, the declared id of what only ``after`` has because a plan creates it.
        begun: the same of what an earlier run made without what opens it (:class:`~ringwall.deploy.after.Outlook`).
        partition: AWS partition.
        watched: actions that are compared class by class.
        prove_for: seconds that the prover may spend, in all, on looking for anything else that existing principals are
            newly allowed, any action at all.
    """
    old, then = Access(before, partition=partition), Access(after, partition=partition)
    came = {entry.arn for entry in then.principals()} - {entry.arn for entry in old.principals()}
    made = {**dict.fromkeys(came), **(new or {})}
    comparison = Comparison(
        old, then, vocabulary, {arn: made[arn] or arn for arn in made}, begun or {}, tuple(watched), prove_for
    )
    accounts = before.accounts or after.accounts
    for account in [item for item in accounts if not item.management] or accounts:
        comparison.account(account)
    return comparison.result()


def effects(view: Outlook, vocabulary: Vocabulary, *, partition: str = "aws") -> AccessChanges:
    """What a plan changes for people, from its outlook."""
    return access_changes(
        view.before, view.after, vocabulary, new=view.new, begun=view.begun, partition=partition
    )

"""Jobs that end by the clock: what was decided when a job began comes to pass once its time is over.

It follows from the changes of the past and the time alone, so a sandbox that makes its past again comes to the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ringwall.sandbox.bedrock.state import Regional, State


def settle(state: State, home: Regional, now: datetime) -> bool:
    """End the jobs whose time is over; whether there were any."""
    with state.lock:
        over = [one for one in home.pending if one.at <= now]
        for one in over:
            home.pending.remove(one)
            one.job.shape = {**one.job.shape, **one.outcome}  # readers keep what they have
            if one.model is not None:
                home.custom_models[one.model.arn.rpartition("/")[2]] = one.model
    return bool(over)

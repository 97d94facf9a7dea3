"""What an administrator can set: networks with limits of their own, and the general limits."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.db import changed_rows
from coalition.web.limit_models import LimitOverride, NetworkRule


def network_rules(session: Session) -> list[NetworkRule]:
    """Every network with limits of its own, the latest first."""
    return list(session.scalars(select(NetworkRule).order_by(NetworkRule.set_at.desc())))


def overrides(session: Session) -> dict[str, LimitOverride]:
    """The general limits that were set here, by their names."""
    return {each.name: each for each in session.scalars(select(LimitOverride))}


def set_network(
    session: Session,
    network: str,
    *,
    factor: int | None,
    limits: str | None,
    note: str,
    actor: str,
    now: datetime,
) -> uuid.UUID:
    """Give a network (a CIDR) `factor` times the general limits, or limits of its own.

    Takes the place of what was set for the same network before. Returns the rule's id.
    """
    same = [each for each in network_rules(session) if each.network == network]
    rule = same[0] if same else NetworkRule(id=uuid.uuid4(), network=network)
    rule.factor, rule.limits, rule.note = factor, limits, note
    rule.set_by, rule.set_at = actor, now
    session.add(rule)
    session.flush()
    words = f"{factor} times" if factor else str(limits)
    _log(session, "network set", f"network rule {rule.id}: {words}"[:200], actor, now)
    return rule.id


def remove_network(session: Session, rule_id: uuid.UUID, *, actor: str, now: datetime) -> bool:
    """Let the general limits hold for a network again. Returns whether there was a rule."""
    removed = changed_rows(session.execute(delete(NetworkRule).where(NetworkRule.id == rule_id)))
    if removed:
        _log(session, "network removed", f"network rule {rule_id}", actor, now)
    return removed > 0


def set_limit(session: Session, name: str, limits: str, *, actor: str, now: datetime) -> None:
    """Put `limits` in place of the setting of this name ("LIMIT_NETWORK")."""
    override = session.get(LimitOverride, name) or LimitOverride(name=name)
    override.limits, override.set_by, override.set_at = limits, actor, now
    session.add(override)
    session.flush()
    _log(session, "limit set", f"{name}: {limits}"[:200], actor, now)


def reset_limit(session: Session, name: str, *, actor: str, now: datetime) -> bool:
    """Let the setting hold again. Returns whether it did not."""
    reset = changed_rows(session.execute(delete(LimitOverride).where(LimitOverride.name == name)))
    if reset:
        _log(session, "limit reset", name, actor, now)
    return reset > 0


def _log(session: Session, action: str, subject: str, actor: str, now: datetime) -> None:
    record(session, actor=actor, action=f"limits: {action}", subject=subject, now=now)

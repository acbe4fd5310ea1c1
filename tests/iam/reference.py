"""The policy language as directly as it can be written: slow, without caches, closures or regular expressions.

The compiled evaluator is tested against this one. It shares the parsed types and nothing else.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from datetime import UTC, datetime
from fractions import Fraction


def glob(pattern, text, stop=False):
    """``pattern`` is a list of (char, is_wildcard, may_cross) cells; dynamic programming over all positions."""
    reach = {0}
    for char, wild, crosses in pattern:
        after = set()
        for position in reach:
            if wild and char == "*":
                end = position
                after.add(end)
                while end < len(text) and (crosses or text[end] != ":"):
                    end += 1
                    after.add(end)
            elif position < len(text) and (
                (wild and (crosses or text[position] != ":")) or (not wild and text[position] == char)
            ):
                after.add(position + 1)
        reach = after
    return len(text) in reach


def cells(text, context, variables):
    """Characters of a policy value with what is a wildcard; ``None`` if a variable has no value."""
    out, index = [], 0
    while index < len(text):
        found = re.match(r"\$\{([^{}]*)\}", text[index:]) if variables else None
        if found:
            inner = found.group(1)
            named = re.fullmatch(
                r"\s*([^\s,'{}*?]+(?: +[^\s,'{}*?]+)*)\s*(?:,\s*'((?:[^']|'')*)'\s*)?", inner
            )
            if inner in ("*", "?", "$"):
                out.append((inner, False))
            elif named:
                values = context.get(named.group(1).lower(), ())
                if len(values) == 1:
                    out += [(char, False) for char in values[0]]
                elif not values and named.group(2) is not None:
                    out += [(char, False) for char in named.group(2).replace("''", "'")]
                else:
                    return None
            else:
                out += [(char, char in "*?") for char in found.group()]
            index += found.end()
        else:
            out.append((text[index], text[index] in "*?"))
            index += 1
    return out


def in_fields(row, star_may_end_field):
    """Mark which wildcards may cross colons when the first five fields of an ARN are closed."""
    out, colons = [], 0
    for index, (char, wild) in enumerate(row):
        crosses = colons >= 5
        if wild and char == "*" and star_may_end_field:
            following = row[index + 1] if index + 1 < len(row) else (":", False)
            crosses = crosses or following == (":", False)
        colons += (char == ":") and not wild
        out.append((char, wild, crosses))
    return out


def number(text):
    return (
        Fraction(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", text, re.ASCII) else None
    )


def date(text):
    match = re.fullmatch(
        r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?([Zz]|[+-]\d\d:?\d\d)?)?)?)?",
        text,
        re.ASCII,
    )
    if not match:
        return number(text)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    offset = 0
    if zone and zone not in "zZ":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        if hours > 23 or minutes > 59:
            return None
        offset = (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
    seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return seconds - offset + Fraction(f"0.{fraction or 0}")


def compare(operator, listed, value, context, variables):  # noqa: C901 - one case per operator
    """One request value with one listed value, positive sense."""
    uses_variables = variables and operator.startswith(("String", "Arn"))
    row = cells(listed, context, uses_variables)
    if row is None:
        return False
    text = "".join(char for char, _ in row)
    kind = operator.replace("Not", "")
    if kind == "StringEquals":
        return text == value
    if kind == "StringEqualsIgnoreCase":
        return text.casefold() == value.casefold()
    if kind == "StringLike":
        return glob([(char, wild, True) for char, wild in row], value)
    if kind in ("ArnLike", "ArnEquals"):
        if row == [("*", True)]:
            return value.startswith("arn:") and value.count(":") >= 5
        if sum(cell == (":", False) for cell in row) < 5:
            return False
        return glob(in_fields(row, star_may_end_field=False), value)
    if kind.startswith(("Numeric", "Date")):
        read = number if kind.startswith("Numeric") else date
        left, right = read(value), read(text)
        if left is None or right is None:
            return False
        relation = kind.removeprefix("Numeric").removeprefix("Date")
        return {
            "Equals": left == right,
            "LessThan": left < right,
            "LessThanEquals": left <= right,
            "GreaterThan": left > right,
            "GreaterThanEquals": left >= right,
        }[relation]
    if kind == "Bool":
        return text.lower() in ("true", "false") and text.lower() == value.lower()
    if kind == "BinaryEquals":
        try:
            return base64.b64decode(text, validate=True) == base64.b64decode(value, validate=True)
        except ValueError:
            return False
    assert kind == "IpAddress"
    return ip_in(value, text)


def ip_in(value, listed):
    length = listed.partition("/")[2]
    if "/" in listed and not (length.isascii() and length.isdigit()):
        return False
    try:
        where, block = ipaddress.ip_address(value), ipaddress.ip_network(listed, strict=False)
    except ValueError:
        return False
    forms = {where, getattr(where, "ipv4_mapped", None)} - {None}
    blocks = {block}
    if block.version == 6 and block.prefixlen >= 96 and block.network_address.ipv4_mapped:
        blocks = {ipaddress.ip_network(f"{block.network_address.ipv4_mapped}/{block.prefixlen - 96}")}
    return any(form in item for form in forms for item in blocks if form.version == item.version)


def condition(test, context, variables):
    values = context.get(test.key.lower(), ())
    if test.operator == "Null":
        if test.qualifier == "ForAnyValue" and not values:
            return False
        if test.qualifier == "ForAllValues" and not values:
            return True
        return any(wanted.lower() == ("false" if values else "true") for wanted in test.values)
    negated = "Not" in test.operator

    def passes(value):
        hit = any(compare(test.operator, listed, value, context, variables) for listed in test.values)
        return hit != negated

    if test.qualifier == "ForAllValues":
        return all(passes(value) for value in values)
    if test.qualifier == "ForAnyValue":
        return any(passes(value) for value in values)
    if not values:
        return negated or test.if_exists
    return len(values) == 1 and passes(values[0])


def resource_matches(pattern, request, variables, completes):
    row = cells(pattern, request.context, variables)
    if row is None:
        return False
    if completes and "".join(char for char, _ in row[:4]) == "arn:" and not any(wild for _, wild in row[:4]):
        whole = list(row)
        while sum(cell == (":", False) for cell in whole) < 5:
            whole += [(":", False), ("*", True)]
        if glob(in_fields(whole, star_may_end_field=True), request.resource):
            return True
    if row and all(cell == ("*", True) for cell in row):
        return True
    return glob(in_fields(row, star_may_end_field=True), request.resource)


def names_of(principal):
    """Every name by which a policy can mean the caller, with the strength of the grant."""
    account = re.fullmatch(r"arn:aws:(?:iam|sts)::(\d{12}):(.+)", principal)
    if principal == "*":
        return {}
    if not account:
        return {principal: 4}
    owner, rest = account.groups()
    kind = rest.split("/")[0]
    if rest == "root":
        return {owner: 4}
    if kind == "user":
        return {principal: 3, owner: 1}
    if kind == "role":
        return {principal: 2, owner: 1}
    if kind == "federated-user":
        return {principal: 4, owner: 1}
    role = f"arn:aws:iam::{owner}:role/{rest.split('/')[1]}"
    return {principal: 4, role: 2, owner: 1}


def listed_names(element):
    roots = re.compile(r"arn:[^:]*:iam::(\d{12}):root")
    plain = [roots.fullmatch(name).group(1) if roots.fullmatch(name) else name for name in element.aws]
    return {*plain, *element.service, *element.federated, *element.canonical_user}


def principal_grant(statement, policy_type, request, bounded):
    names = names_of(request.principal)
    if statement.principal is not None:
        if statement.principal.anyone or "*" in statement.principal.aws:
            return 4
        return max(
            (grant for name, grant in names.items() if name in listed_names(statement.principal)), default=0
        )
    if statement.not_principal is not None:
        listed = listed_names(statement.not_principal)
        everyone = statement.not_principal.anyone or "*" in statement.not_principal.aws
        if statement.effect == "Deny":
            spared = (everyone or (names and set(names) <= listed)) and not bounded
        else:
            spared = everyone or set(names) & listed
        return 0 if spared else 4
    return 0 if policy_type == "resource" else 4


def matches(statement, policy, policy_type, request, bounded):
    variables = policy.version == "2012-10-17"
    completes = policy_type in ("identity", "permissions_boundary", "session")
    listed = statement.actions if statement.actions is not None else statement.not_actions
    action = any(
        glob([(char, char in "*?", True) for char in pattern.lower()], request.action.lower())
        for pattern in listed
    )
    if action != (statement.actions is not None):
        return 0
    patterns = statement.resources if statement.resources is not None else statement.not_resources
    if patterns is None:
        if completes and statement.effect == "Allow":
            return 0
    else:
        hit = any(resource_matches(pattern, request, variables, completes) for pattern in patterns)
        if hit != (statement.resources is not None):
            return 0
    if not all(condition(test, request.context, variables) for test in statement.conditions):
        return 0
    return principal_grant(statement, policy_type, request, bounded)


def decide(request, policies):
    """The outcome alone."""
    bounded = policies.permissions_boundary is not None
    principal = request.principal
    names = names_of(principal)
    owner = re.fullmatch(r"arn:aws:(?:iam|sts)::(\d{12}):(.+)", principal)
    account = owner.group(1) if owner else None
    root = bool(owner) and owner.group(2) == "root"
    identity_kind = bool(owner) and not root
    linked = ":role/aws-service-role/" in principal
    scp = policies.scp if owner and not linked else None
    rcp = policies.rcp if not linked else None
    types = {
        "identity": [policies.identity],
        "resource": [(policies.resource,)] if policies.resource else [],
        "permissions_boundary": [policies.permissions_boundary] if bounded else [],
        "session": [policies.session] if policies.session is not None else [],
        "scp": [level.policies for level in scp or ()],
        "rcp": [level.policies for level in rcp or ()],
        "vpc_endpoint": [policies.vpc_endpoint] if policies.vpc_endpoint is not None else [],
    }

    def strongest(listed, policy_type, effect):
        return max(
            (
                matches(statement, policy, policy_type, request, bounded)
                for policy in listed
                for statement in policy.statements
                if statement.effect == effect
            ),
            default=0,
        )

    if request.action.lower() == "sts:getcalleridentity" and principal != "*":
        return "allow"
    if any(strongest(listed, name, "Deny") for name, groups in types.items() for listed in groups):
        return "explicit_deny"
    allows = {name: [strongest(listed, name, "Allow") for listed in groups] for name, groups in types.items()}
    if not all(all(allows[name]) for name in ("scp", "rcp", "vpc_endpoint")):
        return "implicit_deny"
    grant = max(allows["resource"], default=0)
    of_arn = re.fullmatch(r"arn:[^:]*:[^:]*:[^:]*:(\d{12}):.*", request.resource)
    resource_account = request.resource_account or (of_arn.group(1) if of_arn else account)
    if not names or (not identity_kind and not root):
        return "allow" if grant else "implicit_deny"
    same = resource_account == account
    action = request.action.lower()
    of_key = action.startswith("kms:") and ":key/" in request.resource
    of_role = ":role/" in request.resource and action.startswith(
        ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity", "sts:setcontext")
    )
    needs_resource = not same or of_key or of_role
    if needs_resource and not grant:
        return "implicit_deny"
    if root:
        if request.action.lower() == "sts:assumerole":
            return "implicit_deny"
        return "allow" if all(allows["session"]) else "implicit_deny"
    waived = grant if same else 0
    session = allows["session"]
    if not session and ":federated-user/" in principal:
        session = [0]
    passes = (
        (all(allows["identity"]) or waived >= 2)
        and (all(allows["permissions_boundary"]) or waived >= 3)
        and (all(session) or waived >= 4)
    )
    return "allow" if passes else "implicit_deny"

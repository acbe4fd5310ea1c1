"""Agents act no further than somebody meant.

## What it does

Adds nothing of its own. The check judges each agent by what it can really do: the role that it acts with, asked by the
evaluator for things that nobody can have meant; the action groups of its draft and of every version that an alias leads to;
the functions behind them, and who else may invoke those; its collaborators.

## Why

An agent does what a text talks it into: a document that it retrieves can ask for what no user did. What stands between is
its role, and a person who is asked.

## How it fails

- The role may read any bucket, invoke any function or pass any role.
- The role's trust has no `aws:SourceAccount` or `aws:SourceArn`: any account's agent acts with it.
- A function is carried out without confirmation: `requireConfirmation` is off by default.
- The draft is bounded and the alias leads to an older version that is not.
- The agent may run code that it writes (`AMAZON.CodeInterpreter`, `ANTHROPIC.Bash`, `ANTHROPIC.Computer`).
- The function admits `bedrock.amazonaws.com` for any agent of the account: each agent has the tools of all.
- The function's own role may read any secret: what the agent talks the function into, that role does.
- The agent's role, or the function's, may write the function's code: its tools are what it makes of them.
- The API schema lies in a bucket that others write: they say what the agent may do, and what it asks before.

An action group with an API schema says in that schema what needs confirmation. Of one that lies in S3 who writes it is
judged; what it says is not read, so the group stays unknown. Auditors would have to be allowed to read objects.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/agents-permissions.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/agents-userconfirmation.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/cross-service-confused-deputy-prevention.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls.api_schema import unasked_operations
from ringwall.controls.api_schema_writers import Schema, writers
from ringwall.controls.ask import ask
from ringwall.controls.authority import Trust, deputy, reach
from ringwall.controls.authority import unread as unread_role
from ringwall.controls.control import Control
from ringwall.controls.outsiders import Outsider, let_in
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown
from ringwall.errors import RingwallError
from ringwall.iam.parser import PolicySyntaxError, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource

SLUG = "agents-bounded"
TYPE = "AWS::Bedrock::Agent"
BEDROCK = "bedrock.amazonaws.com"
INVOKE, REWRITE = "lambda:InvokeFunction", "lambda:UpdateFunctionCode"
RUNS_CODE = (
    "AMAZON.CodeInterpreter",
    "ANTHROPIC.Bash",
    "ANTHROPIC.Computer",
    "ANTHROPIC.TextEditor",
)
READ = (
    "AgentResourceRoleArn",
    "ActionGroups",
    "Versions",
    "AgentCollaborators",
    "FunctionPolicies",
    "FunctionRoles",
)
"""Properties without which an agent cannot be judged."""
REMEDY = (
    "narrow the role and its trust, ask for confirmation, and let each function admit its own agent alone"
)


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge every agent that is there."""
    reason = context.unread(TYPE)
    agents = [item for item in context.observed.of_type(TYPE, account=context.account) if item.id != "?"]
    if reason is not None:
        yield unknown(context, CONTROL, None, f"agents could not be listed: {reason}", name=TYPE)
    elif not agents:
        yield not_applicable(context, CONTROL, "there is no agent")
    for agent in agents:
        yield _Agent(context, agent).finding()


class _Agent:
    """One agent; what could not be read collects in ``unread``."""

    def __init__(self, context: CheckContext, agent: Resource) -> None:
        self.context = context
        self.agent = agent
        self.name = str(agent.get("AgentName", agent.id))
        self.arn = str(agent.get("Arn", agent.id))
        self.unread = [
            f"{item.property} could not be read: {item.reason}"
            for item in agent.unknown
            if item.property in READ
        ]

    def finding(self) -> Finding:
        """The verdict."""
        found = (
            self._roles(),
            self._groups(),
            self._schemas(),
            self._functions(),
            self._function_roles(),
            self._others(),
        )
        problems = list(dict.fromkeys(words for part in found for words in part))
        if problems:
            return fail(
                self.context,
                CONTROL,
                self.agent,
                f"agent {self.name}: " + "; ".join(problems),
                REMEDY,
                details={"problems": problems},
            )
        if self.unread:
            return unknown(self.context, CONTROL, self.agent, f"agent {self.name}: " + "; ".join(self.unread))
        tools = len(self._enabled())
        what = f"{tools} action groups ask before they act" if tools else "it has no tools"
        entries = [self.context.access.principal(role) for role in self._role_arns()]
        roles = tuple(entry.resource for entry in entries if entry is not None and entry.resource is not None)
        return ok(
            self.context,
            CONTROL,
            self.agent,
            f"agent {self.name}: {what}, and its role reaches nothing that nobody meant",
            *roles,
        )

    # -- roles -----------------------------------------------------------------------------------------------------

    def _role_arns(self) -> list[str]:
        found = [self.agent.get("AgentResourceRoleArn")]
        found += [version.get("AgentResourceRoleArn") for version in self.agent.get("Versions", ())]
        return list(dict.fromkeys(str(item) for item in found if item))

    def _roles(self) -> Iterator[str]:
        context = self.context
        for role in self._role_arns():
            name = role.rsplit("/", 1)[-1]
            entry = context.access.principal(role)
            if entry is None:
                reason = context.unread("AWS::IAM::Role")
                if reason is not None:
                    self.unread.append(f"role {name} could not be read: {reason}")
                continue  # a role that is gone carries nothing out
            gap = unread_role(context, entry)
            if gap is not None:
                self.unread.append(f"role {name}: {gap}")
            source = Trust(BEDROCK, self.arn)
            found = [*deputy(context, entry, source)]
            far = list(reach(context, role, self.agent.region))
            if far:
                found.append(f"it can {', '.join(far)}")
            for problem in found:
                yield f"role {name}: {problem}"

    # -- tools -----------------------------------------------------------------------------------------------------

    def _enabled(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Enabled action groups, with the words for the version that they are of."""
        versions = [("", self.agent.get("ActionGroups", ()))]
        versions += [
            (f" of version {version['Version']}", version.get("ActionGroups", ()))
            for version in self.agent.get("Versions", ())
        ]
        return [
            (words, group)
            for words, groups in versions
            for group in groups
            if group.get("ActionGroupState", "ENABLED") == "ENABLED"
        ]

    def _groups(self) -> Iterator[str]:
        for words, group in self._enabled():
            what = f"action group {group.get('ActionGroupName')}{words}"
            signature = group.get("ParentActionGroupSignature")
            if signature in RUNS_CODE:
                yield f"{what} lets it run what it writes ({signature})"
            if "lambda" not in (group.get("ActionGroupExecutor") or {}):
                continue  # the application carries it out, and decides
            unasked = [
                str(function.get("Name"))
                for function in group.get("Functions", ())
                if function.get("RequireConfirmation") != "ENABLED"
            ]
            unasked += self._by_schema(what, group)
            if unasked:
                yield f"{what} carries out {', '.join(unasked)} without asking"

    def _schemas(self) -> Iterator[str]:
        """Who writes the API schemas that lie in S3."""
        roles = [*self._role_arns(), *self._acting_roles()]
        for words, group in self._enabled():
            if group.get("ApiSchemaBucket"):
                place = str(group["ApiSchemaBucket"]), str(group.get("ApiSchemaKey"))
                schema = Schema(self.context.partition, *place)
                what = f"the API schema of action group {group.get('ActionGroupName')}{words}"
                told = writers(self.context, schema, roles)
                yield from (f"{what}: {problem}" for problem in told.problems)
                self.unread += [f"{what}: {gap}" for gap in told.unread]

    def _by_schema(self, what: str, group: Mapping[str, Any]) -> tuple[str, ...]:
        """What a group with an API schema carries out without asking."""
        schema = group.get("ApiSchema")
        if schema is None:
            if group.get("HasApiSchema"):
                self.unread.append(
                    f"what {what} asks before stands in its API schema in S3, which is not read"
                )
            return ()
        try:
            return unasked_operations(str(schema))
        except (RingwallError, ValueError) as error:
            self.unread.append(f"the API schema of {what} cannot be read: {error}")
            return ()

    def _functions(self) -> Iterator[str]:
        for arn, document in self.agent.get("FunctionPolicies", {}).items():
            owner = str(arn).split(":")[4]
            if owner not in {account.id for account in self.context.observed.accounts}:
                yield f"function {_name(arn)} is of account {owner}"
            if document is None:
                continue
            try:
                policy = parse_policy(document, name=arn)
            except PolicySyntaxError as error:
                self.unread.append(f"the policy of {arn} cannot be read: {error}")
                continue
            other = self.arn.rsplit("/", 1)[0] + "/UNDECLARED"
            keys = {"aws:SourceAccount": self.context.account, "aws:SourceArn": other}
            another = Outsider(BEDROCK, "any agent of the account", keys)
            if any(let_in(self.context, policy, {INVOKE: arn}, iter((another,)))):
                yield f"any agent of the account can invoke {_name(arn)}"

    def _acting_roles(self) -> list[str]:
        """Roles of the functions behind the agent."""
        found = self.agent.get("FunctionRoles", {}).values()
        return list(dict.fromkeys(str(role) for role in found if role))

    def _function_roles(self) -> Iterator[str]:
        """What the agent's hands do: their roles reach as far as its own would, and none of all writes a function's code."""
        context, functions = self.context, self.agent.get("FunctionRoles", {})
        for role in self._acting_roles():
            name = role.rsplit("/", 1)[-1]
            entry = context.access.principal(role)
            if entry is None:
                reason = context.unread("AWS::IAM::Role")
                self.unread += [f"role {name} could not be read: {reason}"] if reason is not None else []
                continue
            gap = unread_role(context, entry)
            self.unread += [f"role {name}: {gap}"] if gap is not None else []
            far = list(reach(context, role, self.agent.region))
            if far:
                yield f"role {name} of its functions: it can {', '.join(far)}"
        unqualified = dict.fromkeys(":".join(str(function).split(":")[:7]) for function in functions)
        for role in (*self._role_arns(), *self._acting_roles()):
            for arn in unqualified:
                if ask(context, role, REWRITE, arn).allowed:
                    yield f"role {role.rsplit('/', 1)[-1]} can write the code of {_name(arn)}"

    # -- others ----------------------------------------------------------------------------------------------------

    def _others(self) -> Iterator[str]:
        for item in self.agent.get("AgentCollaborators", ()):
            alias = str(item.get("AliasArn"))
            if alias.count(":") > 4 and alias.split(":")[4] != self.context.account:
                yield f"collaborator {item.get('CollaboratorName')} is of account {alias.split(':')[4]}"


def _name(function: str) -> str:
    """A function's name, with its version or alias."""
    return str(function).split(":", 6)[-1]


CONTROL = Control(
    slug=SLUG,
    title="Agents act no further than somebody meant",
    category="IAM",
    severity="high",
    page=__doc__ or "",
    check=check,
    types=(TYPE, "AWS::IAM::Role", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"),
)
